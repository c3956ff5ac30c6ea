"""Spans of both vocabularies, old and new, mean what their senders meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.interchange.rows import RawEvent, RawSpan, StepKind
from rag.interchange.steps import step_of


def span(attributes: dict[str, Any], *events: RawEvent) -> RawSpan:
    return RawSpan("ab" * 16, "cd" * 8, "", "a span", 0, 1, attributes, events)


def test_openinference_wins_and_the_other_fills_in() -> None:
    step = step_of(
        span(
            {
                "openinference.span.kind": "LLM",
                "llm.model_name": "theirs",
                "gen_ai.request.model": "other",
                "gen_ai.usage.input_tokens": 5,
                "gen_ai.conversation.id": "c1",
            }
        )
    )
    assert (step.model, step.usage.prompt, step.session) == ("theirs", 5, "c1")


@pytest.mark.parametrize("kind", ["AGENT", "tool", "GUARDRAIL", "EVALUATOR", "PROMPT"])
def test_every_kind_is_known_and_a_strange_one_is_unknown(kind: str) -> None:
    assert step_of(span({"openinference.span.kind": kind})).kind == kind.lower()
    assert step_of(span({"openinference.span.kind": "DECISION?"})).kind is StepKind.UNKNOWN
    assert step_of(span({})).kind is StepKind.UNKNOWN


KEYS = st.sampled_from(
    [
        "openinference.span.kind", "input.value", "llm.input_messages", "llm.input_messages.0",
        "llm.input_messages.0.message", "llm.input_messages.0.message.contents", "retrieval.documents",
        "llm.output_messages.0.message.tool_calls",
        "retrieval.documents.0.document", "retrieval.documents.0.document.metadata", "llm.token_count.prompt",
        "gen_ai.operation.name", "gen_ai.input.messages", "gen_ai.output.messages.0.parts", "gen_ai.prompt.0.content",
        "gen_ai.retrieval.documents", "gen_ai.usage.input_tokens", "langfuse.observation.usage_details", "tag.tags",
    ]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["[", "{}", "[1]", '{"message": 5}', '[{"role": 1, "parts": [3]}]']),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["message", "document", "content", "parts", "tool_calls", "role"]), inner),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=6), VALUES)
def test_any_attributes_have_a_meaning(attributes: dict[str, Any], body: Any) -> None:
    event = RawEvent("gen_ai.choice", 0, {"message": body})
    step = step_of(span(attributes, event))
    assert isinstance(step.input, str) and isinstance(step.output, str)
    assert all(isinstance(m.content, str) for m in (*step.messages, *step.answers))
    assert all(isinstance(d.text, str) and isinstance(d.metadata, dict) for d in step.documents)
