"""The GenAI conventions are read with their old names, as attributes and as events."""

import json
from typing import Any

import pytest

from rag.interchange.rows import Message, RawEvent, RawSpan, StepKind
from rag.interchange.steps import step_of


def span(attributes: dict[str, Any], *events: RawEvent) -> RawSpan:
    return RawSpan("ab" * 16, "cd" * 8, "", "a span", 0, 1, attributes, events)


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
