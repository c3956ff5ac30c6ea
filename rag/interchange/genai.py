"""Reads what a span means from the GenAI conventions of OpenTelemetry, their old names, and Langfuse's own.

The conventions are in development and names change: `gen_ai.system` became `gen_ai.provider.name`, usage was
`prompt_tokens` before `input_tokens`, messages were events, then attributes of JSON. All of them are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.interchange.attributes import as_float, as_int, as_text, first_text, listed, parsed
from rag.interchange.rows import Message, RawEvent, Retrieved, Step, StepKind, Usage

_KINDS = {
    "chat": StepKind.LLM,
    "generate_content": StepKind.LLM,
    "text_completion": StepKind.LLM,
    "completion": StepKind.LLM,
    "embeddings": StepKind.EMBEDDING,
    "retrieval": StepKind.RETRIEVER,
    "create_agent": StepKind.AGENT,
    "invoke_agent": StepKind.AGENT,
    "invoke_workflow": StepKind.CHAIN,
    "plan": StepKind.CHAIN,
    "execute_tool": StepKind.TOOL,
}
_LANGFUSE_KINDS = {"generation": StepKind.LLM, "span": StepKind.CHAIN, "event": StepKind.CHAIN}
_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.content.prompt": "user",
}
_ANSWER_EVENTS = ("gen_ai.choice", "gen_ai.content.completion")


def is_genai(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span speaks the GenAI conventions, or Langfuse's attributes beside them."""
    return any(key.startswith(("gen_ai.", "langfuse.")) for key in attributes)


def read_step(attributes: Mapping[str, Any], events: Sequence[RawEvent] = ()) -> Step:
    """Return what the attributes and events say; what they do not say is empty."""
    asked, answers = _messages(attributes, events)
    details = parsed(attributes.get("langfuse.observation.usage_details"))
    usage = _usage(attributes, details if isinstance(details, dict) else {})
    kind = _kind(attributes)
    return Step(
        kind=kind,
        input=first_text(
            attributes,
            "gen_ai.retrieval.query.text",
            "langfuse.observation.input",
            "langfuse.trace.input",
            "gen_ai.tool.call.arguments",
        ),
        output=first_text(
            attributes, "langfuse.observation.output", "langfuse.trace.output", "gen_ai.tool.call.result"
        ),
        messages=asked,
        answers=answers,
        documents=_documents(attributes),
        model=first_text(
            attributes, "gen_ai.response.model", "gen_ai.request.model", "langfuse.observation.model.name"
        ),
        provider=first_text(attributes, "gen_ai.provider.name", "gen_ai.system"),
        usage=usage,
        cost_usd=_cost(attributes),
        finish_reason=", ".join(as_text(r) for r in listed(attributes, "gen_ai.response.finish_reasons")),
        tool=as_text(attributes.get("gen_ai.tool.name")),
        arguments=as_text(attributes.get("gen_ai.tool.call.arguments")),
        agent=first_text(attributes, "gen_ai.agent.name", "gen_ai.workflow.name"),
        session=first_text(attributes, "gen_ai.conversation.id", "langfuse.session.id", "session.id"),
        user=first_text(attributes, "langfuse.user.id", "user.id", "enduser.id"),
        tags=tuple(as_text(tag) for tag in listed(attributes, "langfuse.trace.tags")),
    )


def _kind(attributes: Mapping[str, Any]) -> StepKind:
    operation = as_text(attributes.get("gen_ai.operation.name")).lower()
    if operation in _KINDS:
        return _KINDS[operation]
    langfuse = as_text(attributes.get("langfuse.observation.type")).lower()
    if langfuse in _LANGFUSE_KINDS:
        return _LANGFUSE_KINDS[langfuse]
    if langfuse in set(StepKind):
        return StepKind(langfuse)
    if "gen_ai.request.model" in attributes or "gen_ai.response.model" in attributes:
        return StepKind.LLM
    return StepKind.TOOL if "gen_ai.tool.name" in attributes else StepKind.UNKNOWN


def _usage(attributes: Mapping[str, Any], details: Mapping[str, Any]) -> Usage:
    """Return the tokens; input_tokens includes those that were cached."""

    def count(*keys: str, other: str = "") -> int | None:
        for key in keys:
            number = as_int(attributes.get(f"gen_ai.usage.{key}"))
            if number is not None:
                return number
        return as_int(details.get(other))

    return Usage(
        prompt=count("input_tokens", "prompt_tokens", other="input"),
        completion=count("output_tokens", "completion_tokens", other="output"),
        total=count("total_tokens", other="total"),
        cached=count("cache_read.input_tokens", "cache_read_input_tokens", other="cache_read_input_tokens"),
        reasoning=count("reasoning.output_tokens", "reasoning_tokens", other="reasoning"),
    )


def _cost(attributes: Mapping[str, Any]) -> float | None:
    details = parsed(attributes.get("langfuse.observation.cost_details"))
    told = details.get("total") if isinstance(details, dict) else None
    return as_float(told if told is not None else attributes.get("gen_ai.usage.cost"))


def _messages(
    attributes: Mapping[str, Any], events: Sequence[RawEvent]
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Return what the model was sent and what it said, wherever the sender put them."""
    asked = [Message("system", text) for text in _system(attributes)]
    for key in ("gen_ai.input.messages", "gen_ai.prompt"):
        asked += [_message(item) for item in listed(attributes, key)]
    answers = []
    for key in ("gen_ai.output.messages", "gen_ai.completion"):
        answers += [_message(item) for item in listed(attributes, key)]
    for event in events:
        body = event.attributes
        if event.name in _EVENTS:
            asked.append(_message({"role": _EVENTS[event.name], **body}))
        elif event.name in _ANSWER_EVENTS:
            inner = parsed(body.get("message", body))
            answers.append(_message({"role": "assistant", **(inner if isinstance(inner, dict) else body)}))
        elif event.name == "gen_ai.client.inference.operation.details":
            more_asked, more_answers = _messages(body, ())
            asked, answers = [*asked, *more_asked], [*answers, *more_answers]
    return tuple(asked), tuple(answers)


def _system(attributes: Mapping[str, Any]) -> list[str]:
    return [_message(item).content for item in listed(attributes, "gen_ai.system_instructions")]


def _message(item: Any) -> Message:
    """Return a message; its content is a text, or parts of which texts and calls of tools are kept."""
    if not isinstance(item, dict):
        return Message("", as_text(item))
    content = item.get("content", item.get("gen_ai.prompt", item.get("gen_ai.completion")))
    parts = item.get("parts", parsed(content))
    if isinstance(parts, list):
        return Message(as_text(item.get("role")), "\n".join(filter(None, map(_part, parts))))
    return Message(as_text(item.get("role")), as_text(content))


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return as_text(part)
    kind = as_text(part.get("type"))
    if kind == "tool_call":
        return f"{as_text(part.get('name'))}({as_text(part.get('arguments'))})"
    if kind == "tool_call_response":
        return as_text(part.get("result", part.get("response")))
    return as_text(part.get("content", part.get("text"))) or f"[{kind or 'part'}]"


def _documents(attributes: Mapping[str, Any]) -> tuple[Retrieved, ...]:
    found = []
    for item in listed(attributes, "gen_ai.retrieval.documents"):
        document = item if isinstance(item, dict) else {"content": item}
        rest = {k: v for k, v in document.items() if k not in ("id", "score", "content", "text", "name")}
        found.append(
            Retrieved(
                text=as_text(document.get("content", document.get("text"))),
                id=as_text(document.get("id")),
                name=as_text(document.get("name", document.get("title"))),
                score=as_float(document.get("score")),
                metadata=rest,
            )
        )
    return tuple(found)
