"""Our traces become spans in both vocabularies; what is exported and imported again is equal."""

import json
from dataclasses import replace
from typing import Any

from exported_traces import PASSAGES, STAGES, add_trace
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_traces import ask

from rag.asking.rows import SpanRow, TraceDetail, TraceStatus, get_trace
from rag.index.rows import Hit
from rag.interchange.export.spans import EVALUATION, exported_spans, feedback_score, span_id, spans_of_trace
from rag.interchange.otlp import JSON, PROTOBUF, read_request, to_json, write_request
from rag.interchange.receiving import check_received, receive, received_spans
from rag.interchange.rows import RawEvent, RawSpan
from rag.interchange.trees import ReceivedTrace, trace_of
from rag.models.endpoints.rows import Usage
from rag.review.feedback import add_feedback, feedback_of
from rag.workspace import Workspace

LATER_NS = 1_900_000_000 * 10**9


def test_a_trace_is_a_root_with_its_stages_in_both_vocabularies(workspace: Workspace) -> None:
    detail = add_trace(workspace)
    root, *stages = spans_of_trace(detail)
    assert (root.parent_id, root.start_ns, root.end_ns) == (
        "",
        detail.created_ms * 10**6,
        (detail.created_ms + 96) * 10**6,
    )
    assert root.attributes["openinference.span.kind"] == "CHAIN"
    assert root.attributes["gen_ai.operation.name"] == "invoke_workflow"
    assert root.attributes["session.id"] == root.attributes["gen_ai.conversation.id"] == "cd" * 16
    assert [span.name for span in stages] == [name for name, *_ in STAGES]
    assert {span.parent_id for span in stages} == {root.span_id}
    assert len({span.span_id for span in (root, *stages)}) == len(stages) + 1
    by_name = {span.name: span.attributes for span in stages}
    call = by_name["generate"]
    assert call["llm.token_count.prompt"] == call["gen_ai.usage.input_tokens"] == 120
    assert call["llm.token_count.completion"] == call["gen_ai.usage.output_tokens"] == 13
    assert call["llm.input_messages.0.message.content"] == detail.prompt
    assert json.loads(call["gen_ai.output.messages"])[0]["parts"][0] == {
        "type": "reasoning",
        "content": "Let me see.",
    }
    assert json.loads(call["llm.invocation_parameters"]) == {"temperature": 0.2}
    assert by_name["read prompt"]["openinference.span.kind"] == "CHAIN", (
        "one call of the model is one LLM span"
    )
    found = by_name["rerank"]
    assert [found[f"reranker.output_documents.{n}.document.content"] for n in (0, 1)] == list(PASSAGES)
    assert [d["content"] for d in json.loads(found["gen_ai.retrieval.documents"])] == list(PASSAGES)
    assert "reranker.output_documents.2.document.content" not in found, "what was left out is no source"
    assert by_name["dense"]["gen_ai.data_source.id"] == "Harbour"


def test_what_was_found_out_is_evaluation_events_and_annotations(workspace: Workspace) -> None:
    detail = add_trace(workspace)
    add_feedback(workspace, detail.id, False, reason="wrong", note="It is 4.", author="ann")
    spans = exported_spans(workspace.store, workspace.database, detail.id)
    root, feedback = spans[0], spans[-1]
    told = [event.attributes for event in root.events if event.name == EVALUATION]
    assert [t["gen_ai.evaluation.name"] for t in told] == ["support", "sentence support", "sentence support"]
    assert told[0]["gen_ai.evaluation.score.value"] == 0.5
    assert told[0]["gen_ai.evaluation.score.label"] == "answered"
    assert told[2]["gen_ai.evaluation.score.label"] == "unsupported"
    assert told[2]["gen_ai.evaluation.explanation"] == "It is salty. (no passage says it)"
    assert root.attributes["annotations.1.annotation.annotator_kind"] == "CODE"
    assert (feedback.name, feedback.parent_id) == ("feedback", root.span_id)
    assert feedback.attributes["annotations.0.annotation.annotator_kind"] == "HUMAN"
    assert feedback.attributes["annotations.0.annotation.label"] == "bad"
    assert feedback.events[0].attributes["gen_ai.evaluation.score.value"] == 0.0
    assert (feedback.start_ns, feedback.end_ns) == (root.end_ns, root.end_ns), (
        "late feedback does not lengthen a trace"
    )
    row = feedback_of(workspace, detail.id, "ann")
    assert feedback_score(row).explanation == "wrong. It is 4."


def test_a_search_without_a_reranker_or_without_any_stage_still_tells_its_passages(
    workspace: Workspace,
) -> None:
    fast = add_trace(workspace, "11" * 16, stages=[s for s in STAGES if s[1] != "RERANKER"])
    bare = add_trace(workspace, "22" * 16, stages=())
    for detail, holder in ((fast, "dense"), (bare, "retrieve")):
        spans = {span.name: span for span in spans_of_trace(detail)}
        assert spans[holder].attributes["retrieval.documents.1.document.content"] == PASSAGES[1]
        assert [d.text for d in trace_of(list(spans.values()), LATER_NS).documents] == list(PASSAGES)


def test_tokens_that_an_endpoint_did_not_tell_are_not_invented(workspace: Workspace) -> None:
    add_trace(workspace, usage=str(Usage.UNKNOWN), endpoint="far", served_model="gpt")
    spans = exported_spans(workspace.store, workspace.database, "ab" * 16)
    keys = {key for span in spans for key in span.attributes}
    assert not any("token_count" in key or "usage" in key for key in keys)
    assert trace_of(spans, LATER_NS).untold == 1
    assert next(s for s in spans if s.name == "generate").attributes["gen_ai.provider.name"] == "far"


def test_a_failed_question_is_a_span_with_an_error(workspace: Workspace) -> None:
    failed = add_trace(workspace, status="failed", error="The model ran out of memory.", answer="", stages=())
    assert spans_of_trace(failed)[0].error == "The model ran out of memory."
    assert trace_of(spans_of_trace(failed), LATER_NS).error == "The model ran out of memory."


def imported(detail: TraceDetail) -> ReceivedTrace:
    """Return what another program reads from the protobuf of a trace; its JSON says the same."""
    request = write_request(spans_of_trace(detail))
    by_wire = read_request(request.SerializeToString(), PROTOBUF).spans
    assert by_wire == read_request(to_json(request).encode(), JSON).spans
    return trace_of(by_wire, LATER_NS)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
MS = st.integers(0, 5000).map(float)


@st.composite
def details(draw: Any) -> TraceDetail:
    """Return a trace of ours, with any texts, stages and figures."""
    names = draw(
        st.lists(st.sampled_from(["query", "dense", "rerank", "pack", "generate", "check"]), unique=True)
    )
    kinds = {"query": "CHAIN", "dense": "RETRIEVER", "rerank": "RERANKER", "pack": "PROMPT", "generate": "LLM",
             "check": "EVALUATOR"}  # fmt: skip
    begins = sorted(draw(st.lists(MS, min_size=len(names), max_size=len(names))))
    spans = tuple(
        SpanRow(n, kinds[n], b, b + draw(MS), draw(TEXT)) for n, b in zip(names, begins, strict=True)
    )
    texts = draw(st.lists(TEXT, unique=True, max_size=3))
    hits = tuple(
        Hit(
            n,
            1,
            draw(TEXT),
            "/p",
            "",
            "",
            None,
            0,
            len(t),
            t,
            1,
            fused_score=draw(st.floats(-1, 1)),
            marker=n,
            rank=n,
        )
        for n, t in enumerate(texts, 1)
    )
    base = ask(id="ef" * 16, created_ms=1_790_000_000_000)
    values = {
        name: getattr(base, name) for name in base.__dataclass_fields__
    } | {"question": draw(TEXT), "model": draw(TEXT), "status": draw(st.sampled_from(list(TraceStatus))),
         "error": draw(st.just("") | TEXT), "total_ms": draw(st.none() | MS),
         "prompt_tokens": draw(st.integers(0, 10**6)), "cached_tokens": draw(st.integers(0, 10**6)),
         "completion_tokens": draw(st.integers(0, 10**6))}  # fmt: skip
    own = {f: "" for f in TraceDetail.__dataclass_fields__ if f not in values}
    own |= {"session_id": draw(TEXT), "answer": draw(st.just("") | TEXT), "prompt": draw(TEXT), "hits": hits,
            "claims": (), "spans": spans, "usage": Usage.HERE, "thinking_tokens": draw(st.integers(0, 99)),
            "settings": "{}", "support_rate": None}  # fmt: skip
    return TraceDetail(**values, **own)


@settings(max_examples=30)
@given(details())
def test_what_is_exported_and_imported_again_is_equal(detail: TraceDetail) -> None:
    read = imported(detail)
    assert (read.trace_id, read.question, read.answer) == (
        detail.id,
        detail.question,
        detail.answer or _said(detail),
    )
    assert read.session == detail.session_id and read.application == "Ragdeck"
    assert [(d.text, d.name, d.score) for d in read.documents] == [
        (h.text, h.document, h.fused_score) for h in detail.hits
    ]
    assert read.begin_ms == detail.created_ms and not any(node.clock for node in read.nodes)
    assert read.duration_ms == max([detail.total_ms or 0.0, *(span.end_ms for span in detail.spans)])
    assert bool(read.error) == detail.status.is_failure
    stages = {node.span.name: node for node in read.nodes[1:]}
    for span in detail.spans:
        node = stages[span.name]
        assert (node.start_ms, node.end_ms, node.step.kind.upper()) == (span.start_ms, span.end_ms, span.kind)
    if any(span.kind == "LLM" for span in detail.spans):
        assert read.model == detail.model and read.untold == 0
        assert (read.usage.prompt, read.usage.cached) == (detail.prompt_tokens, detail.cached_tokens)
        assert read.usage.completion == detail.completion_tokens + detail.thinking_tokens


def _said(detail: TraceDetail) -> str:
    return ""  # a trace without an answer has none when it is read again


IDS = st.integers(1, 2**64 - 1).map(lambda n: f"{n:016x}")
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(TEXT, VALUES, max_size=4)
SPANS = st.builds(
    RawSpan, st.just("ef" * 16), IDS, st.just("") | IDS, TEXT, st.integers(0, 2**63), st.integers(0, 2**63), ATTRIBUTES,
    st.lists(st.builds(RawEvent, TEXT, st.integers(0, 2**63), ATTRIBUTES), max_size=2).map(tuple),
    st.just("") | TEXT, TEXT,
)  # fmt: skip


@settings(max_examples=25)
@given(st.lists(SPANS, min_size=1, max_size=4, unique_by=lambda s: s.span_id))
def test_spans_of_other_applications_leave_as_they_came(spans: list[RawSpan]) -> None:
    spans = [replace(span, resource={"service.name": span.service}) for span in spans]
    request = write_request(spans)
    again = read_request(request.SerializeToString(), PROTOBUF).spans
    assert sorted(again, key=lambda s: s.span_id) == sorted(spans, key=lambda s: s.span_id)
    assert sorted(read_request(to_json(request).encode(), JSON).spans, key=lambda s: s.span_id) == sorted(
        spans, key=lambda s: s.span_id
    )


def test_a_received_trace_leaves_with_what_was_found_out_and_comes_back_equal(workspace: Workspace) -> None:
    came = [
        RawSpan("9a" * 16, "01" * 8, "", "chain", 10**18, 2 * 10**18, {"openinference.span.kind": "CHAIN",
                "input.value": "How high?", "output.value": "It rises 3.5 metres."}, service="bot"),
        RawSpan("9a" * 16, "02" * 8, "01" * 8, "find", 10**18, 10**18 + 5, {"openinference.span.kind": "RETRIEVER",
                "retrieval.documents.0.document.content": PASSAGES[0]}, service="bot"),
    ]  # fmt: skip
    receive(workspace.store, came)
    assert exported_spans(workspace.store, workspace.database, "9a" * 16) == tuple(came)
    assert check_received(workspace, "9a" * 16)
    left = exported_spans(workspace.store, workspace.database, "9a" * 16)
    assert left[:2] == tuple(came)
    assert (left[2].name, left[2].parent_id, left[2].span_id) == (
        "check",
        "01" * 8,
        span_id("9a" * 16, "check"),
    )
    before = get_trace(workspace.database, "9a" * 16)
    receive(workspace.store, left)
    with workspace.store.session() as session:
        assert len(received_spans(session, "9a" * 16)) == 3
    after = get_trace(workspace.database, "9a" * 16)
    assert (after.question, after.answer, after.hits, after.claims) == (
        before.question,
        before.answer,
        before.hits,
        before.claims,
    )
    assert {s.span_id for s in exported_spans(workspace.store, workspace.database, after.id)} == {
        s.span_id for s in left
    }
