"""Attributes of OpenInference mean what their senders meant, flattened or not."""

import json
from typing import Any

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
