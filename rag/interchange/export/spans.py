"""Makes spans of our traces, for other tools: in OpenInference's words and the GenAI conventions' at once.

A question is a root with its stages below it. Passages are the documents of the reranker or of the first
retriever, the call of the model has the prompt and the tokens, and what was found out about the answer (by
the check or by people) are evaluation events and annotations. Ids are the same each time, so that what
receives a trace twice can tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.asking.rows import SpanRow, TraceDetail, TraceSource, get_trace
from rag.index.rows import Hit
from rag.interchange.receiving import received_spans
from rag.interchange.rows import RawEvent, RawSpan
from rag.models.endpoints.rows import Usage
from rag.review.rows import FeedbackRow, list_feedback
from rag.storage.database import Database
from rag.storage.store import Store

SERVICE = "Ragdeck"
SCOPE = "ragdeck"
RESOURCE = {"openinference.project.name": SERVICE}
EVALUATION = "gen_ai.evaluation.result"
_MS = 1_000_000  # nanoseconds
_LOCAL = "llama.cpp"  # the conventions have no name for a model in this process
_OPERATIONS = {"RETRIEVER": "retrieval", "EMBEDDING": "embeddings", "LLM": "chat"}


@dataclass(frozen=True)
class Score:
    """What is known of an answer: by a check of this program (CODE) or from a person (HUMAN).

    identifier tells the scores of one name apart. score is higher where the answer is better.
    """

    name: str
    annotator: str
    score: float | None = None
    label: str = ""
    explanation: str = ""
    identifier: str = ""
    time_ms: int = 0


def exported_spans(store: Store, database: Database, trace_id: str) -> tuple[RawSpan, ...]:
    """Return the spans of a trace: those of another application as they came. Raises NotFoundError."""
    detail = get_trace(database, trace_id)
    feedback = list_feedback(database, trace_id=detail.id)
    if detail.source != TraceSource.RECEIVED:
        return spans_of_trace(detail, feedback)
    with store.session() as session:
        came = received_spans(session, detail.id)
    return spans_of_received(detail, came, feedback)


def spans_of_trace(detail: TraceDetail, feedback: Sequence[FeedbackRow] = ()) -> tuple[RawSpan, ...]:
    """Return one of our own traces as spans, parents before children."""
    stages = detail.spans
    call = next((n for n in reversed(range(len(stages))) if stages[n].kind == "LLM"), None)
    search = _holder_of_passages(stages)
    ends = [stage.end_ms for stage in stages]
    end_ns = detail.created_ms * _MS + round(max([detail.total_ms or 0.0, *ends]) * _MS)
    root = RawSpan(
        detail.id, span_id(detail.id, "root"), "", "ask", detail.created_ms * _MS, end_ns,
        _root_attributes(detail) | annotation_attributes(check_scores(detail)),
        _events(check_scores(detail), end_ns),
        error=(detail.error or "error") if detail.status.is_failure else "",
        service=SERVICE, resource=RESOURCE, scope=SCOPE,
    )  # fmt: skip
    spans = [root]
    for number, stage in enumerate(stages):
        kind = "CHAIN" if stage.kind == "LLM" and number != call else stage.kind  # a part of the one call
        attributes = _stage_attributes(detail, stage, kind)
        if number == call:
            attributes |= _call_attributes(detail)
        if number == search:
            attributes |= _documents(detail, kind)
        spans.append(_child(root, str(number), stage, attributes))
    if search is None and any(hit.marker is not None for hit in detail.hits):
        found = SpanRow("retrieve", "RETRIEVER", 0.0, 0.0, "")
        attributes = _stage_attributes(detail, found, "RETRIEVER") | _documents(detail, "RETRIEVER")
        spans.append(_child(root, "passages", found, attributes))
    return (*spans, *_feedback_spans(root, feedback))


def spans_of_received(
    detail: TraceDetail, came: Sequence[RawSpan], feedback: Sequence[FeedbackRow] = ()
) -> tuple[RawSpan, ...]:
    """Return another application's spans as they came, and what was found out about its answer as more."""
    scores = check_scores(detail)
    if not came or not (scores or feedback):
        return tuple(came)
    ids = {span.span_id for span in came}
    root = next((s for s in came if not s.parent_id), None) or next(
        (s for s in came if s.parent_id not in ids), came[0]
    )
    made = [_evaluator(root, "check", "check", scores)] if scores else []
    each = {span.span_id: span for span in (*came, *made, *_feedback_spans(root, feedback))}
    return tuple(each.values())


def check_scores(detail: TraceDetail) -> list[Score]:
    """Return what the check found: the answer's support and outcome, each sentence, and silent failures."""
    scores = []
    if detail.outcome:
        scores.append(
            Score("support", "CODE", detail.support_rate, str(detail.outcome), time_ms=detail.created_ms)
        )
    for number, claim in enumerate(detail.claims, 1):
        why = f"{claim.text} ({claim.reason})" if claim.reason else claim.text
        score = None if claim.score is None else 1 - claim.score
        scores.append(Score("sentence support", "CODE", score, claim.verdict.value, why, f"sentence {number}",
                            detail.created_ms))  # fmt: skip
    for failure in detail.silent_failures:
        scores.append(Score("silent failure", "CODE", 0.0, failure.value, failure.description, failure.value,
                            detail.created_ms))  # fmt: skip
    return scores


def feedback_score(row: FeedbackRow) -> Score:
    """Return what a person says of an answer."""
    parts = [row.reason, row.note, f"Correct: {row.correction}" if row.correction else ""]
    said = ". ".join(part for part in parts if part)
    label = "good" if row.is_up else "bad"
    return Score("feedback", "HUMAN", float(row.is_up), label, said, row.author, row.created_ms)


def annotation_attributes(scores: Iterable[Score]) -> dict[str, Any]:
    """Return scores as OpenInference's annotations."""
    found: dict[str, Any] = {}
    for number, one in enumerate(scores):
        values = {
            "name": one.name, "score": one.score, "label": one.label, "explanation": one.explanation,
            "annotator_kind": one.annotator, "identifier": one.identifier,
        }  # fmt: skip
        found |= {
            f"annotations.{number}.annotation.{key}": value
            for key, value in values.items()
            if value not in ("", None)
        }
    return found


def span_id(trace_id: str, what: str) -> str:
    """Return the id of a span that this program makes, always the same."""
    return hashlib.sha256(f"{trace_id} {what}".encode()).hexdigest()[:16]


def _events(scores: Iterable[Score], time_ns: int) -> tuple[RawEvent, ...]:
    """Return scores as the evaluation events of the GenAI conventions."""
    events = []
    for one in scores:
        values = {
            "gen_ai.evaluation.name": one.name, "gen_ai.evaluation.score.value": one.score,
            "gen_ai.evaluation.score.label": one.label, "gen_ai.evaluation.explanation": one.explanation,
        }  # fmt: skip
        told = {key: value for key, value in values.items() if value not in ("", None)}
        events.append(RawEvent(EVALUATION, time_ns, told))
    return tuple(events)


def _feedback_spans(root: RawSpan, feedback: Sequence[FeedbackRow]) -> list[RawSpan]:
    """Return each person's feedback as a span of its own: it comes when the others have long been sent."""
    return [
        _evaluator(root, f"feedback {row.author} {row.created_ms}", "feedback", [feedback_score(row)])
        for row in feedback
    ]


def _evaluator(root: RawSpan, what: str, name: str, scores: Sequence[Score]) -> RawSpan:
    """Return a span that holds scores; it lies at the end of its trace, which it must not make longer."""
    events = tuple(
        replace(event, time_ns=one.time_ms * _MS)
        for event, one in zip(_events(scores, 0), scores, strict=True)
    )
    return RawSpan(
        root.trace_id, span_id(root.trace_id, what), root.span_id, name, root.end_ns, root.end_ns,
        {"openinference.span.kind": "EVALUATOR"} | annotation_attributes(scores), events,
        service=root.service,
        resource=root.resource, scope=SCOPE,
    )  # fmt: skip


def _child(root: RawSpan, what: str, stage: SpanRow, attributes: dict[str, Any]) -> RawSpan:
    begin, end = (root.start_ns + round(moment * _MS) for moment in (stage.start_ms, stage.end_ms))
    return RawSpan(
        root.trace_id, span_id(root.trace_id, what), root.span_id, stage.name, begin, end, attributes,
        service=SERVICE, resource=RESOURCE, scope=SCOPE,
    )  # fmt: skip


def _holder_of_passages(stages: Sequence[SpanRow]) -> int | None:
    """Return the number of the stage that tells the passages: the last reranker, or the first retriever."""
    rerankers = [number for number, stage in enumerate(stages) if stage.kind == "RERANKER"]
    retrievers = [number for number, stage in enumerate(stages) if stage.kind == "RETRIEVER"]
    return next(iter([*rerankers[-1:], *retrievers]), None)


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in ("", None)}


def _root_attributes(detail: TraceDetail) -> dict[str, Any]:
    return _told({
        "openinference.span.kind": "CHAIN",
        "gen_ai.operation.name": "invoke_workflow",
        "input.value": detail.question,
        "input.mime_type": "text/plain",
        "output.value": detail.answer,
        "output.mime_type": "text/plain" if detail.answer else "",
        "session.id": detail.session_id,
        "gen_ai.conversation.id": detail.session_id,
        "gen_ai.prompt.name": detail.prompt_name,
        "ragdeck.status": str(detail.status),
        "ragdeck.source": str(detail.source),
        "ragdeck.collection": detail.collection,
        "ragdeck.collection.version": detail.version_number,
        "ragdeck.collection.fingerprint": detail.version_fingerprint,
        "ragdeck.prompt.version": detail.prompt_version,
        "ragdeck.prompt.fingerprint": detail.prompt_fingerprint,
        "ragdeck.sent_to": detail.sent_to,
    })  # fmt: skip


def _stage_attributes(detail: TraceDetail, stage: SpanRow, kind: str) -> dict[str, Any]:
    values = {
        "openinference.span.kind": kind,
        "gen_ai.operation.name": _OPERATIONS.get(kind, ""),
        "ragdeck.detail": stage.detail,
    }
    if kind in ("RETRIEVER", "RERANKER"):
        values |= {"input.value": detail.question, "input.mime_type": "text/plain"}
    if kind == "RETRIEVER":
        values["gen_ai.data_source.id"] = detail.collection
        values["gen_ai.retrieval.query.text"] = detail.question
    if kind == "RERANKER":
        values["reranker.query"] = detail.question
    return _told(values)


def _documents(detail: TraceDetail, kind: str) -> dict[str, Any]:
    """Return the passages of the prompt as documents, in their order."""
    hits = sorted((h for h in detail.hits if h.marker is not None), key=lambda h: h.marker or 0)
    key = "reranker.output_documents" if kind == "RERANKER" else "retrieval.documents"
    found: dict[str, Any] = {}
    for number, hit in enumerate(hits):
        place = {"source": hit.document, "path": hit.path, "place": hit.place,
                 "start": hit.start, "end": hit.end,
                 "marker": hit.marker, "rank": hit.rank}  # fmt: skip
        document = {
            "id": _document_id(hit), "content": hit.text, "score": _score(hit), "name": hit.document,
            "metadata": json.dumps(place, ensure_ascii=False),
        }  # fmt: skip
        found |= {f"{key}.{number}.document.{name}": value for name, value in document.items()}
    told = [
        {"id": _document_id(hit), "score": _score(hit), "content": hit.text, "name": hit.document}
        for hit in hits
    ]
    return found | {"gen_ai.retrieval.documents": json.dumps(told, ensure_ascii=False)} if told else {}


def _document_id(hit: Hit) -> str:
    return str(hit.chunk_id) if hit.chunk_id else f"{hit.document}#{hit.start}"


def _score(hit: Hit) -> float:
    return float(hit.fused_score if hit.rerank_score is None else hit.rerank_score)


def _call_attributes(detail: TraceDetail) -> dict[str, Any]:
    """Return the call of the model: what it read and wrote, and the tokens as far as they are known."""
    provider = detail.endpoint or _LOCAL
    values: dict[str, Any] = {
        "llm.model_name": detail.model,
        "llm.provider": provider,
        "llm.finish_reason": detail.finish_reason,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": detail.model,
        "gen_ai.response.model": detail.served_model or detail.model,
        "gen_ai.response.finish_reasons": [detail.finish_reason] if detail.finish_reason else None,
        "llm.invocation_parameters": _parameters(detail),
    }
    if detail.first_token_ms is not None:
        values["gen_ai.response.time_to_first_chunk"] = detail.first_token_ms / 1000
    if detail.usage is not Usage.UNKNOWN:
        written = detail.completion_tokens + detail.thinking_tokens
        values |= {
            "llm.token_count.prompt": detail.prompt_tokens,
            "llm.token_count.completion": written,
            "llm.token_count.total": detail.prompt_tokens + written,
            "llm.token_count.prompt_details.cache_read": detail.cached_tokens,
            "llm.token_count.completion_details.reasoning": detail.thinking_tokens,
            "gen_ai.usage.input_tokens": detail.prompt_tokens,
            "gen_ai.usage.output_tokens": written,
            "gen_ai.usage.cache_read.input_tokens": detail.cached_tokens,
            "gen_ai.usage.reasoning.output_tokens": detail.thinking_tokens,
        }
    if detail.prompt:
        values |= {
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": detail.prompt,
            "gen_ai.input.messages": _messages("user", ("text", detail.prompt)),
        }
    if detail.answer:
        thought = [("reasoning", detail.thinking)] if detail.thinking else []
        values |= {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": detail.answer,
            "gen_ai.output.messages": _messages("assistant", *thought, ("text", detail.answer)),
        }
    return _told(values)


def _messages(role: str, *parts: tuple[str, str]) -> str:
    made = [{"type": kind, "content": content} for kind, content in parts]
    return json.dumps([{"role": role, "parts": made}], ensure_ascii=False)


def _parameters(detail: TraceDetail) -> str:
    generation = json.loads(detail.settings or "{}").get("generation")
    return json.dumps(generation) if isinstance(generation, dict) else ""
