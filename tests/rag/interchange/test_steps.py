"""Spans of both vocabularies, old and new, mean what their senders meant."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.interchange.rows import Message, RawEvent, RawSpan, StepKind, Usage
from rag.interchange.steps import step_of


def span(attributes: dict[str, Any], *events: RawEvent) -> RawSpan:
    return RawSpan("ab" * 16, "cd" * 8, "", "a span", 0, 1, attributes, events)


def test_a_retriever_of_openinference_has_its_documents() -> None:
    step = step_of(
        span(
            {
                "openinference.span.kind": "RETRIEVER",
                "input.value": "How tall?",
                "retrieval.documents.1.document.content": "second",
                "retrieval.documents.0.document.content": "first",
                "retrieval.documents.0.document.id": "d1",
                "retrieval.documents.0.document.score": 0.5,
                "retrieval.documents.0.document.metadata": '{"source": "a.pdf", "page": 3}',
                "retrieval.documents.10.document.content": "eleventh",
            }
        )
    )
    assert step.kind is StepKind.RETRIEVER and step.input == "How tall?"
    assert [document.text for document in step.documents] == ["first", "second", "eleventh"]
    first = step.documents[0]
    assert (first.id, first.score, first.name, first.metadata["page"]) == ("d1", 0.5, "a.pdf", 3)


def test_documents_as_json_or_as_a_list_are_read_too() -> None:
    written = [{"document": {"content": "one"}}, {"content": "two", "id": 7}]
    for value in (written, json.dumps(written)):
        step = step_of(span({"openinference.span.kind": "RETRIEVER", "retrieval.documents": value}))
        assert [(d.text, d.id) for d in step.documents] == [("one", ""), ("two", "7")]


def test_a_model_call_of_openinference() -> None:
    step = step_of(
        span(
            {
                "openinference.span.kind": "LLM",
                "llm.model_name": "small",
                "llm.provider": "local",
                "llm.input_messages.0.message.role": "system",
                "llm.input_messages.0.message.content": "Be short.",
                "llm.input_messages.1.message.role": "user",
                "llm.input_messages.1.message.contents.0.message_content.type": "text",
                "llm.input_messages.1.message.contents.0.message_content.text": "Why?",
                "llm.input_messages.1.message.contents.1.message_content.type": "image",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": "Because.",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
                "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"at": 1}',
                "llm.token_count.prompt": "12",
                "llm.token_count.completion": 3,
                "llm.cost.total": 0.25,
                "session.id": "s1",
                "tag.tags": ["a", "b"],
            }
        )
    )
    assert step.messages == (Message("system", "Be short."), Message("user", "Why?\n[image]"))
    assert step.input == "Why?\n[image]" and step.output == 'Because.look({"at": 1})'
    assert step.usage == Usage(prompt=12, completion=3) and step.usage.total is None
    assert (step.model, step.provider, step.cost_usd, step.session) == ("small", "local", 0.25, "s1")
    assert step.tags == ("a", "b")


@pytest.mark.parametrize(
    ("attributes", "prompt", "completion"),
    [
        ({"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 6}, 5, 6),
        ({"gen_ai.usage.prompt_tokens": 5, "gen_ai.usage.completion_tokens": 0}, 5, 0),
        ({"langfuse.observation.usage_details": '{"input": 5, "output": 6}'}, 5, 6),
        ({"gen_ai.operation.name": "chat"}, None, None),
    ],
)
def test_usage_has_new_and_old_names_and_unknown_is_not_zero(
    attributes: dict[str, Any], prompt: int | None, completion: int | None
) -> None:
    usage = step_of(span({"gen_ai.request.model": "m", **attributes})).usage
    assert (usage.prompt, usage.completion) == (prompt, completion)


def test_messages_of_genai_stand_in_attributes_or_in_events() -> None:
    new = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system_instructions": '[{"type": "text", "content": "Be short."}]',
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}]
        ),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "tool_call", "name": "look", "arguments": {"at": 1}}]}]
        ),
    }
    step = step_of(span(new))
    assert step.messages == (Message("system", "Be short."), Message("user", "Why?"))
    assert step.kind is StepKind.LLM and step.output == 'look({"at": 1})'
    old = {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "Why?",
        "gen_ai.completion.0.content": "So.",
    }
    step = step_of(span(old | {"gen_ai.request.model": "m"}))
    assert (step.input, step.output, step.kind) == ("Why?", "So.", StepKind.LLM)
    step = step_of(
        span(
            {"gen_ai.system": "openai"},
            RawEvent("gen_ai.user.message", 0, {"content": "Why?"}),
            RawEvent("gen_ai.choice", 0, {"message": '{"content": "So."}'}),
        )
    )
    assert (step.input, step.output, step.provider) == ("Why?", "So.", "openai")


def test_a_retrieval_and_a_tool_of_genai() -> None:
    step = step_of(
        span(
            {
                "gen_ai.operation.name": "retrieval",
                "gen_ai.retrieval.query.text": "How tall?",
                "gen_ai.retrieval.documents": '[{"id": "d1", "score": 0.5, "content": "text", "page": 3}]',
            }
        )
    )
    assert step.kind is StepKind.RETRIEVER and step.input == "How tall?"
    assert step.documents[0].metadata == {"page": 3} and step.documents[0].score == 0.5
    step = step_of(
        span(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "look",
                "gen_ai.tool.call.arguments": '{"at": 1}',
                "gen_ai.tool.call.result": "found",
            }
        )
    )
    assert (step.kind, step.tool, step.arguments, step.output) == (
        StepKind.TOOL,
        "look",
        '{"at": 1}',
        "found",
    )


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
