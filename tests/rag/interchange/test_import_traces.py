"""Files of OTLP, Phoenix and Langfuse are read, each by its own fields."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.interchange.import_traces import read_file
from rag.interchange.trees import trace_of

NOW = 1_790_000_000 * 10**9
PHOENIX = {
    "id": "U3Bhbjox",
    "name": "llm",
    "context": {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"},
    "span_kind": "LLM",
    "parent_id": None,
    "start_time": "2026-05-01T10:00:00.250000+00:00",
    "end_time": "2026-05-01T12:00:01+02:00",
    "status_code": "ERROR",
    "status_message": "rate limit",
    "attributes": {
        "llm": {
            "model_name": "small",
            "token_count": {"prompt": 5},
            "output_messages": [{"message": {"role": "assistant", "content": "So."}}],
        },
        "input": {"value": "Why?"},
        "metadata": {"a": 1},
    },
    "events": [{"name": "exception", "timestamp": "2026-05-01T10:00:01Z", "attributes": {"x": 1}}],
}
LANGFUSE = {
    "id": "trace-1",
    "name": "chat",
    "timestamp": "2026-05-01T10:00:00.000Z",
    "input": {"question": "Why?"},
    "output": "So.",
    "sessionId": "s1",
    "tags": ["a"],
    "observations": [
        {
            "id": "o1",
            "traceId": "trace-1",
            "type": "GENERATION",
            "name": "llm",
            "startTime": "2026-05-01T10:00:00.100Z",
            "endTime": "2026-05-01T10:00:01.100Z",
            "model": "small",
            "usageDetails": {"input": 7, "output": 2},
            "costDetails": {"total": 0.5},
        },
        {
            "id": "o2",
            "parentObservationId": "o1",
            "type": "TOOL",
            "name": "look",
            "startTime": "2026-05-01T10:00:01Z",
        },
    ],
}


def read(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "traces.json"
    path.write_text(text, "utf-8")
    return read_file(path)


@pytest.mark.parametrize("form", ["page", "list", "lines"])
def test_spans_of_phoenix(tmp_path: Path, form: str) -> None:
    text = {
        "page": json.dumps({"data": [PHOENIX], "next_cursor": None}),
        "list": json.dumps([PHOENIX], indent=1),
        "lines": json.dumps(PHOENIX) + "\n\n" + json.dumps(PHOENIX),
    }[form]
    span = read(tmp_path, text).spans[0]
    assert (span.span_id, span.error, span.end_ns - span.start_ns) == (
        "eee19b7ec3c1b174",
        "rate limit",
        750_000_000,
    )
    assert span.events[0].name == "exception"
    trace = trace_of([span], NOW)
    assert (trace.question, trace.answer, trace.model, trace.usage.prompt) == ("Why?", "So.", "small", 5)


def test_a_row_of_phoenix_data_frame(tmp_path: Path) -> None:
    row = {
        "name": "retriever",
        "span_kind": "RETRIEVER",
        "context.trace_id": "5b8efff798038103d269b633813fc60c",
        "context.span_id": "eee19b7ec3c1b174",
        "start_time": 1_777_000_000_000,
        "end_time": 1_777_000_000_500,
        "attributes.retrieval.documents": [{"document.content": "a", "document.score": 0.5}],
        "attributes.input.value": "Why?",
        "attributes.llm.model_name": None,
    }
    trace = trace_of(read(tmp_path, json.dumps([row])).spans, NOW)
    assert trace.question == "Why?" and trace.duration_ms == 500
    assert [document.text for document in trace.documents] == ["a"]


def test_a_trace_of_langfuse_with_its_observations(tmp_path: Path) -> None:
    trace = trace_of(read(tmp_path, json.dumps([LANGFUSE])).spans, NOW)
    assert (trace.question, trace.answer, trace.session, trace.tags) == ("Why?", "So.", "s1", ("a",))
    assert (trace.usage.prompt, trace.usage.completion, trace.cost_usd, trace.model) == (7, 2, 0.5, "small")
    assert [(node.span.name, node.depth) for node in trace.nodes] == [("chat", 0), ("llm", 1), ("look", 2)]
    assert trace.nodes[2].clock == "the end was not told"
    again = trace_of(read(tmp_path, json.dumps(LANGFUSE["observations"][:1])).spans, NOW)
    assert again.trace_id == trace.trace_id, "an id of another form is the same each time"


def test_entries_that_are_none_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps([PHOENIX, 5, {"a": 1}, {**PHOENIX, "context": {"trace_id": "x"}}]))
    assert len(found.spans) == 1 and found.refused == 3 and "has no id" in found.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no span"),
        ("[]", "no span"),
        ('{"a": 1}', "neither OTLP"),
        ("{", "nor is its line 1"),
        ("[1,", "nor is"),
    ],
)
def test_a_file_without_spans_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(RagError, match=words):
        read(tmp_path, text)
    with pytest.raises(RagError, match="cannot be read"):
        read_file(tmp_path / "missing.json")


KEYS = st.sampled_from(
    "resourceSpans context trace_id span_id id traceId observations attributes events start_time type usage data".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_any_json_is_spans_or_one_sentence(tmp_path: Path, value: Any) -> None:
    try:
        found = read(tmp_path, json.dumps(value))
    except RagError as error:
        assert "\n" not in str(error)
    else:
        assert trace_of([s for s in found.spans if s.trace_id == found.spans[0].trace_id], NOW).nodes
