"""The tools: what each does, what it is given, and how it is described to a model. All of them only read.

Asking leaves a trace, and every call a record; nothing else is written.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.asking.applications.rows import Caller
from rag.asking.packing import citations
from rag.asking.rows import (
    AskResult,
    TraceFilter,
    get_trace,
    list_traces,
    read_answers,
)
from rag.asking.search_test import run_search_test
from rag.errors import NotFoundError, RagError
from rag.evaluation.rows import list_runs
from rag.knowledge.rows import list_collections
from rag.routing import ask
from rag.serving.mcp.bounds import MOST_TOKENS, cut, fitting, result
from rag.serving.work import MODEL, READ
from rag.workspace import Workspace

Values = dict[str, Any]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoArguments(_Arguments):
    """Nothing is needed."""


class SearchArguments(_Arguments):
    """What to search for."""

    collection: str = Field(description="Name of the collection; `collections` lists them.")
    query: str = Field(min_length=1, description="What to look for, in words or as a question.")
    limit: int = Field(default=8, ge=1, le=50, description="Most passages to return.")


class PassageArguments(_Arguments):
    """Which passage, or which part of a document."""

    document_id: int = Field(description="Id of a document, from `search` or `ask`.")
    start: int = Field(default=0, ge=0, description="First character.")
    end: int | None = Field(default=None, ge=0, description="Character after the last; default: what fits.")


class AskArguments(_Arguments):
    """A question for a collection."""

    collection: str = Field(description="Name of the collection; `collections` lists them.")
    question: str = Field(min_length=1, description="The question, complete in itself.")
    pipeline: str = Field(default="", description="Name of a pipeline to answer with; usually left out.")


class TracesArguments(_Arguments):
    """Which traces."""

    text: str = Field(default="", description="Words of the question or answer.")
    collection: str = Field(default="", description="Name of a collection.")
    only: Literal["all", "flagged", "failed"] = Field(default="all", description="Which of them.")
    limit: int = Field(default=20, ge=1, le=200, description="Most traces to return.")


class TraceArguments(_Arguments):
    """Which trace."""

    trace_id: str = Field(min_length=4, description="Id of a trace, or its beginning.")


class RunsArguments(_Arguments):
    """Which evaluation runs."""

    set_name: str = Field(default="", description="Name of an evaluation set.")
    limit: int = Field(default=20, ge=1, le=200, description="Most runs to return.")


@dataclass(frozen=True)
class Tool:
    """A tool. `run` is called with the workspace, the name of the program, and the arguments."""

    name: str
    description: str
    arguments: type[_Arguments]
    run: Callable[[Workspace, str, Any], Values | Generator[Any, None, Values]] = field(repr=False)
    lane: str = READ


def _collections(workspace: Workspace, application: str, asked: NoArguments) -> Values:
    rows = [row for row in list_collections(workspace.database) if row.active_version_id is not None]
    shown, left_out = fitting(
        rows,
        lambda row: {
            "name": row.name,
            "version": row.version_number,
            "version_id": row.active_version_id,
            "documents": row.document_count,
            "passages": row.chunk_count,
            "updated_ms": row.updated_ms,
        },
    )
    return result({"collections": shown}, left_out)


def _search(workspace: Workspace, application: str, asked: SearchArguments) -> Values:
    side = run_search_test(workspace, asked.collection, asked.query).sides[0]
    hits = sorted(side.hits, key=lambda hit: (hit.marker is None, hit.marker or hit.rank))[: asked.limit]
    shown, left_out = fitting(
        hits,
        lambda hit: {
            "document": hit.document,
            "document_id": hit.document_id,
            "place": hit.place,
            "start": hit.start,
            "end": hit.end,
            "score": hit.dense_score,
            "text": hit.text,
        },
    )
    return result({"version": side.version_number, "passages": shown, "notes": list(side.notes)}, left_out)


def _passage(workspace: Workspace, application: str, asked: PassageArguments) -> Values:
    name, text = read_document(workspace, asked.document_id)
    wanted = text[asked.start : asked.end if asked.end is not None else len(text)]
    shown, left_out = cut(wanted, MOST_TOKENS)
    values = {
        "document": name,
        "document_id": asked.document_id,
        "start": asked.start,
        "end": asked.start + len(shown),
        "length": len(text),
        "text": shown,
    }
    return result(values, left_out)


def _ask(workspace: Workspace, application: str, asked: AskArguments) -> Generator[Any, None, Values]:
    answered = yield from ask(
        workspace, asked.question, asked.collection, pipeline=asked.pipeline, alone=True,
        caller=Caller(application or "mcp", is_agent=True),
    )  # fmt: skip
    assert isinstance(answered, AskResult)
    return result({**_answer(workspace, answered.trace_id), "notices": list(answered.notices)})


def _answer(workspace: Workspace, trace_id: str) -> Values:
    detail = get_trace(workspace.database, trace_id)
    sources = [
        {key: one[key] for key in ("marker", "cited", "document", "place", "text")}
        for one in citations(detail.answer, detail.hits)
        if one["cited"]
    ]
    shown, left_out = fitting(sources, lambda one: one, MOST_TOKENS // 2)
    answer, cut_off = cut(detail.answer, MOST_TOKENS // 2)
    return {
        "trace_id": detail.id,
        "status": detail.status,
        "answer": answer,
        "citations": shown,
        "citations_left_out": " ".join(part for part in (left_out, cut_off) if part),
        "unsupported_sentences": [
            {"text": claim.text, "verdict": claim.verdict, "reason": claim.reason}
            for claim in detail.claims
            if claim.verdict.is_flag
        ],
        "silent_failures": list(detail.silent_failures),
    }


def _traces(workspace: Workspace, application: str, asked: TracesArguments) -> Values:
    wanted = TraceFilter(
        text=asked.text,
        collection=asked.collection,
        verdict="flagged" if asked.only == "flagged" else "",
        status="failed" if asked.only == "failed" else "",
    )
    rows = list_traces(workspace.database, wanted, asked.limit)
    answers = read_answers(workspace.database, [row.id for row in rows])
    shown, left_out = fitting(
        rows,
        lambda row: {
            "trace_id": row.id,
            "created_ms": row.created_ms,
            "source": row.source,
            "application": row.application,
            "collection": row.collection,
            "model": row.model,
            "state": row.state,
            "flags": row.flag_count,
            "question": cut(row.question, 150)[0],
            "answer": cut(answers.get(row.id, ""), 150)[0],
        },
    )
    return result({"traces": shown}, left_out)


def _trace(workspace: Workspace, application: str, asked: TraceArguments) -> Values:
    detail = get_trace(workspace.database, asked.trace_id)
    question, cut_off = cut(detail.question, MOST_TOKENS // 4)
    values = {
        **_answer(workspace, detail.id),
        "question": question,
        "question_left_out": cut_off,
        "collection": detail.collection,
        "version": detail.version_number,
        "model": detail.model,
        "error": detail.error,
        "prompt_tokens": detail.prompt_tokens,
        "completion_tokens": detail.completion_tokens,
        "total_ms": detail.total_ms,
        "steps": [{"name": s.name, "ms": round(s.end_ms - s.start_ms, 1)} for s in detail.spans[:50]],
        "notes": list(detail.fallbacks),
    }
    said = (
        f"{len(detail.spans) - 50} of {len(detail.spans)} steps were left out."
        if len(detail.spans) > 50
        else ""
    )
    return result(values, said)


def _runs(workspace: Workspace, application: str, asked: RunsArguments) -> Values:
    rows = list_runs(workspace.database, asked.set_name)
    shown, left_out = fitting(
        rows[: asked.limit],
        lambda row: {
            "id": row.id,
            "name": row.name,
            "status": row.status,
            "set": f"{row.set_name} {row.set_number}",
            "pipeline": row.label,
            "collection": row.collection,
            "done": row.done_count,
            "failed": row.failed_count,
            "cases": row.total,
            "gate_passed": row.gate_passed,
            "gate": row.gate_sentence,
            "created_ms": row.created_ms,
        },
    )
    return result({"runs": shown, "total": len(rows)}, left_out)


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "collections", "List the collections of documents that can be searched and asked.",
            NoArguments, _collections,
        ),
        Tool(
            "search",
            "Find passages of a collection, best first. Each has its document and its place in it.",
            SearchArguments, _search,
        ),
        Tool("passage", "Read a part of a document by its id.", PassageArguments, _passage),
        Tool(
            "ask",
            "Ask a question about a collection. The answer names its sources as [1] and says which of its "
            "sentences the sources do not support.",
            AskArguments, _ask, MODEL,
        ),
        Tool("traces", "List questions that were asked, newest first.", TracesArguments, _traces),
        Tool(
            "trace", "Show how one answer came about: sources, unsupported sentences, steps.",
            TraceArguments, _trace,
        ),
        Tool("runs", "List evaluation runs, newest first, with their gates.", RunsArguments, _runs),
    )
}  # fmt: skip


def chosen_tools(names: list[str]) -> dict[str, Tool]:
    """Return the tools with these names, all for none. Raises RagError for a name that there is not."""
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        raise RagError(f"There is no tool “{unknown[0]}”. The tools are {', '.join(TOOLS)}.")
    return {name: tool for name, tool in TOOLS.items() if not names or name in names}


def read_document(workspace: Workspace, document_id: int) -> tuple[str, str]:
    """Return the name and the text of a document. Raises NotFoundError."""
    found = workspace.database.query("SELECT name, text FROM document WHERE id = ?", (document_id,))
    if not found:
        raise NotFoundError(f"There is no document {document_id}.")
    return str(found[0][0]), str(found[0][1])
