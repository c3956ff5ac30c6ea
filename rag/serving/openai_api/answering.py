"""Asks what a client wants to know, as the window does: by the roll-out, pipeline or settings that decide.

What comes is a `Piece` of text at a time, and an `Answer` at the end. Steps of a cascade whose answer may not
be given are waited for: what was streamed cannot be taken back.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from rag.asking.applications.rows import Caller
from rag.asking.cache.rows import hit_of
from rag.asking.packing import citations
from rag.asking.rows import (
    AskResult,
    Stage,
    StageStarted,
    TokenStreamed,
    TraceDetail,
    get_trace,
)
from rag.errors import NotFoundError
from rag.routing import ask
from rag.serving.desk import Call, Desk
from rag.serving.openai_api.errors import ApiError
from rag.serving.openai_api.requests import Wish
from rag.serving.openai_api.targets import Target, find_target, is_cascade
from rag.serving.work import MODEL, Result
from rag.text.citations import MARKER
from rag.workspace import Workspace

_LOOKED_AT = 200  # the last questions of a program, among which its conversation is looked for


@dataclass(frozen=True)
class Begun:
    """The prompt is being read: whatever may be refused before has not been."""

    trace_id: str


@dataclass(frozen=True)
class Piece:
    """A piece of the answer, or of the thinking before it."""

    text: str
    is_thinking: bool = False


@dataclass(frozen=True)
class Answer:
    """A complete answer; `rest` is what was not streamed of it."""

    detail: TraceDetail
    rest: str
    is_cached: bool
    notices: tuple[str, ...]

    @property
    def trace_id(self) -> str:
        """The id of its trace."""
        return self.detail.id


Events = AsyncGenerator["Begun | Piece | Answer", None]


async def answers(desk: Desk, call: Call, wish: Wish) -> Events:
    """Yield what becomes of a wish, and last its Answer. Raises RagError; closing it cancels.

    Begun comes before every Piece, and may not come at all.
    """
    call.model = wish.model
    streamed, holds, has_begun = "", True, False
    work = desk.audited(call, lambda: _ask(desk.workspace, call, wish))
    async with aclosing(desk.bench.events(MODEL, work)) as events:
        async for event in events:
            if isinstance(event, _Holds):
                holds = event.holds
                continue
            if isinstance(event, Result):
                call.trace_id = event.value.trace_id
                yield _with_rest(event.value, streamed)
                return
            is_piece = isinstance(event, TokenStreamed) and bool(event.text) and not holds
            reads = isinstance(event, StageStarted) and event.stage is Stage.READ
            if (is_piece or reads) and not has_begun:
                call.trace_id, has_begun = event.trace_id, True
                yield Begun(event.trace_id)
            if is_piece:
                streamed += "" if event.is_thinking else event.text
                yield Piece(event.text, event.is_thinking)


def x_ragdeck(answer: Answer) -> dict[str, Any]:
    """Return what an answer has besides its text: sources, verdicts on its sentences, and notices."""
    detail = answer.detail
    return {
        "trace_id": detail.id,
        "session_id": detail.session_id,
        "status": detail.status,
        "collection": detail.collection,
        "version": detail.version_number,
        "model": detail.model,
        "sent_to": detail.sent_to,
        "outcome": detail.outcome,
        "citations": citations(detail.answer, detail.hits),
        "sentences": [
            {
                "text": claim.text,
                "start": claim.start,
                "end": claim.end,
                "verdict": claim.verdict,
                "score": claim.score,
                "is_flagged": claim.verdict.is_flag,
            }
            for claim in detail.claims
        ],
        "flag_count": detail.flag_count,
        "silent_failures": list(detail.silent_failures),
        "cached": answer.is_cached,
        "notices": list(answer.notices),
    }


def cited(answer: Answer) -> list[tuple[int, int, Any]]:
    """Return (start, end, Hit) of each marker in an answer's text that names a passage."""
    hits = {hit.marker: hit for hit in answer.detail.hits if hit.marker is not None}
    return [
        (found.start(), found.end(), hits[int(found.group(1))])
        for found in MARKER.finditer(answer.detail.answer)
        if int(found.group(1)) in hits
    ]


def document_uri(document_id: int) -> str:
    """Return the address of a document, as MCP lists it."""
    return f"ragdeck://documents/{document_id}"


def finish_reason(answer: Answer) -> str:
    """Return why an answer ended, in the words of the API."""
    reason = answer.detail.finish_reason
    return reason if reason in ("length", "content_filter") else "stop"


@dataclass(frozen=True)
class _Holds:
    holds: bool


def _ask(workspace: Workspace, call: Call, wish: Wish) -> Generator[Any, None, Answer]:
    """Ask on the lane of the model."""
    target = find_target(workspace, wish.model)
    yield _Holds(is_cascade(workspace, target))
    session_id, parent_id = _place(workspace, call.application, wish)
    generation, notices = _fitting(target, wish)
    caller = Caller(call.application, generation, wish.history, wish.stop, wish.schema)
    result = yield from ask(
        workspace, wish.question, target.collection, session_id=session_id, parent_id=parent_id, alone=True,
        pipeline=target.pipeline, caller=caller,
    )  # fmt: skip
    assert isinstance(result, AskResult)  # asked alone: there is no second one
    detail = get_trace(workspace.database, result.trace_id)
    is_cached = hit_of(workspace.database, result.trace_id) is not None
    said = tuple(dict.fromkeys((*wish.notices, *notices, *result.notices)))
    return Answer(detail, detail.answer, is_cached, said)


def _fitting(target: Target, wish: Wish) -> tuple[dict[str, Any], list[str]]:
    """Return the changes to sampling, with an answer that leaves the prompt its half of the context."""
    wanted, most = dict(wish.generation), max(target.context // 2, 1)
    asked = wanted.get("max_answer_tokens", 0)
    if asked <= most:
        return wanted, []
    wanted["max_answer_tokens"] = most
    return wanted, [f"The answer was limited to {most} tokens: half of the model's context."]


def _place(workspace: Workspace, application: str, wish: Wish) -> tuple[str, str | None]:
    """Return the session that a question belongs to, and the question that it follows.

    A program that sends a conversation goes on with the session in which its last answer was given.
    """
    if wish.previous:
        try:
            before = get_trace(workspace.database, wish.previous.removeprefix("resp_"))
        except NotFoundError as error:
            raise ApiError(
                f"There is no response “{wish.previous}”.", "previous_response_id",
                "previous_response_not_found", 404,
            ) from error  # fmt: skip
        return before.session_id, before.id
    if not wish.history:
        return "", ""
    question, answer = wish.history[-1]
    found = workspace.database.query(
        """SELECT id, session_id FROM (SELECT id, session_id, question, answer FROM trace
           WHERE source = 'server' AND application = ? ORDER BY created_ms DESC LIMIT ?)
           WHERE question = ? AND answer = ? LIMIT 1""",
        (application, _LOOKED_AT, question.strip(), answer),
    )
    return (found[0][1], found[0][0]) if found else ("", "")


def _with_rest(answer: Answer, streamed: str) -> Answer:
    """Return an answer with what its reader has not seen of it, or with a notice where he saw other text."""
    whole = answer.detail.answer
    if whole.startswith(streamed):
        return replace(answer, rest=whole[len(streamed) :])
    if whole.strip() == streamed.strip():
        return replace(answer, rest="")
    said = "What was streamed first was the model's thinking: the answer is in x_ragdeck."
    return replace(answer, rest=f"\n\n{whole}", notices=(*answer.notices, said))
