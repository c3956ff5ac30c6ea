"""Spans become a tree with plausible times, whatever order and clock they come with."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.interchange.rows import RawSpan, Usage
from rag.interchange.trees import plain_answer, plain_question, trace_of

S = 10**9
NOW = 1_790_000_000 * S
BEGIN = NOW - 100 * S


def span(
    key: int, parent: int = 0, start: float = 0, end: float = 1, kind: str = "CHAIN", **attributes: Any
) -> RawSpan:
    dotted = {name.replace("__", "."): value for name, value in attributes.items()}
    return RawSpan(
        "ab" * 16,
        f"{key:016x}",
        f"{parent:016x}" if parent else "",
        f"span {key}",
        int(BEGIN + start * S),
        int(BEGIN + end * S),
        {"openinference.span.kind": kind, **dotted},
        service="my app",
    )


def rag_trace() -> list[RawSpan]:
    return [
        span(1, 0, 0, 9, input__value='{"query": "How tall?"}', output__value='{"result": "3 m"}'),
        span(2, 1, 1, 2, "RETRIEVER", **{
            "retrieval.documents.0.document.content": "It is 3 m tall.",
            "retrieval.documents.1.document.content": "It is red.",
        }),
        span(3, 1, 3, 8, "LLM", llm__model_name="small", **{"llm.token_count.prompt": 10}),
        span(4, 3, 4, 7, "LLM", llm__model_name="small", **{
            "llm.token_count.prompt": 10, "llm.token_count.completion": 4,
        }),
    ]  # fmt: skip


def test_a_trace_has_its_question_answer_documents_and_totals() -> None:
    trace = trace_of(rag_trace(), NOW)
    assert (trace.question, trace.answer, trace.application) == ("How tall?", "3 m", "my app")
    assert [document.text for document in trace.documents] == ["It is 3 m tall.", "It is red."]
    assert trace.usage == Usage(prompt=10, completion=4), "a call that wraps another is not counted twice"
    assert (trace.model, trace.untold, trace.is_complete, trace.duration_ms) == ("small", 0, True, 9000)
    assert [(node.key[-1], node.depth) for node in trace.nodes] == [("1", 0), ("2", 1), ("3", 1), ("4", 2)]


@given(st.integers(0, 1000))
def test_the_order_of_arrival_and_repeats_change_nothing(seed: int) -> None:
    spans = rag_trace() + rag_trace()[1:3]
    random.Random(seed).shuffle(spans)
    assert trace_of(spans, NOW) == trace_of(rag_trace(), NOW)


def test_usage_that_no_call_told_is_unknown() -> None:
    trace = trace_of([span(1, 0, 0, 1, "LLM"), span(2, 1, 0, 1, "LLM")], NOW)
    assert trace.usage == Usage() and trace.untold == 2 and trace.cost_usd is None


@pytest.mark.parametrize(
    ("start", "end", "length_ms", "clock"),
    [
        (2, 1, 0, "ends before"),
        (0, 0, 0, ""),
        (0, 10**6, 0, "longer than a week"),
        (10**9, 10**9 + 1, 0, "no real time"),
        (-1.79e9 + 100, 1, 0, "not told"),
        (0, -1.79e9 + 100, 0, "the end was not told"),
    ],
)
def test_clocks_that_are_wrong_give_no_absurd_times(
    start: float, end: float, length_ms: float, clock: str
) -> None:
    node = trace_of([span(1, 0, 0, 5), span(2, 1, start, end)], NOW).nodes[1]
    assert (
        node.end_ms - node.start_ms == length_ms and clock in node.clock and bool(node.clock) == bool(clock)
    )
    assert 0 <= node.start_ms < 10**7


def test_a_child_of_a_clock_that_runs_behind_begins_the_trace() -> None:
    trace = trace_of([span(1, 0, 0, 5), span(2, 1, -1, 2)], NOW)
    assert [node.start_ms for node in trace.nodes] == [1000, 0] and trace.duration_ms == 6000


def test_orphans_and_rings_hang_under_the_root() -> None:
    trace = trace_of([span(1), span(2, 99), span(3, 4), span(4, 3)], NOW)
    assert [(n.key[-1], n.parent_id[-1:], n.is_orphan) for n in trace.nodes] == [
        ("1", "", False), ("2", "1", True), ("3", "1", False), ("4", "3", False),
    ]  # fmt: skip
    late = trace_of([span(2, 99)], NOW)
    assert not late.is_complete and late.nodes[0].is_orphan
    ring = trace_of([span(3, 4), span(4, 3)], NOW)
    assert len(ring.nodes) == 2


def test_ten_thousand_spans_in_a_chain_are_a_tree() -> None:
    trace = trace_of([span(1), *(span(n, n - 1) for n in range(2, 10_001))], NOW)
    assert len(trace.nodes) == 10_000 and trace.nodes[-1].depth == 9_999


def test_a_reranker_has_the_last_word_on_the_documents() -> None:
    documents = {"retrieval.documents.0.document.content": "a", "retrieval.documents.1.document.content": "b"}
    reranked = {"reranker.output_documents.0.document.content": "b"}
    spans = [span(1), span(2, 1, kind="RETRIEVER", **documents), span(3, 1, 1, kind="RERANKER", **reranked)]
    assert [d.text for d in trace_of(spans, NOW).documents] == ["b"]
    assert [d.text for d in trace_of(spans[:2], NOW).documents] == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Why?", "Why?"),
        ({"input": "Why?"}, "Why?"),
        ({"query_str": "Why?"}, "Why?"),
        ({"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "Why?"}]}, "Why?"),
        ({"messages": [{"id": ["HumanMessage"], "kwargs": {"content": "Why?"}}]}, "Why?"),
        ([{"content": "Why?"}], "Why?"),
        ({"question": {"text": "Why?"}}, "Why?"),
    ],
)
def test_the_question_is_found_in_what_frameworks_write(value: Any, text: str) -> None:
    written = value if isinstance(value, str) else json.dumps(value)
    assert plain_question(written) == text


def test_an_answer_that_is_no_known_json_stays_as_it_is() -> None:
    assert plain_answer('{"a": 1}') == '{"a": 1}' and plain_answer("{x") == "{x"
    assert plain_answer('{"output": {"content": "So."}}') == "So."


def test_the_arguments_of_a_tool_are_no_question_while_anything_else_is() -> None:
    call = span(2, 1, kind="TOOL", input__value='{"q": "tide"}')
    asked = span(3, 1, 2, kind="LLM", input__value="How high?")
    assert trace_of([span(1), call, asked], NOW).question == "How high?"
    assert trace_of([span(1), call], NOW).question == '{"q": "tide"}'
