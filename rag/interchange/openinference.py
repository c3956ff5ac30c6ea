"""Reads what a span means from OpenInference's attributes (openinference.semconv 0.1.42).

Lists are flattened in keys, such as `retrieval.documents.0.document.content`; some senders write them as JSON
or as real lists instead, and those are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rag.interchange.attributes import as_float, as_int, as_text, first_text, listed
from rag.interchange.rows import Message, Retrieved, Step, StepKind, Usage

_KIND = "openinference.span.kind"


def is_openinference(attributes: Mapping[str, Any]) -> bool:
    """Return whether a span says its kind in OpenInference's words."""
    return _KIND in attributes


def read_step(attributes: Mapping[str, Any]) -> Step:
    """Return what the attributes say; what they do not say is empty."""
    kind = as_text(attributes.get(_KIND)).lower()
    asked = _messages(attributes, "llm.input_messages")
    answers = _messages(attributes, "llm.output_messages")
    documents = _documents(attributes, "retrieval.documents") or _documents(
        attributes, "reranker.output_documents"
    )
    return Step(
        kind=StepKind(kind) if kind in set(StepKind) else StepKind.UNKNOWN,
        input=as_text(attributes.get("input.value")) or as_text(attributes.get("reranker.query")),
        output=as_text(attributes.get("output.value")),
        messages=asked,
        answers=answers,
        documents=documents,
        model=first_text(attributes, "llm.response.model_name", "llm.model_name", "llm.request.model_name")
        or first_text(attributes, "embedding.model_name", "reranker.model_name"),
        provider=first_text(attributes, "llm.provider", "llm.system"),
        usage=Usage(
            prompt=as_int(attributes.get("llm.token_count.prompt")),
            completion=as_int(attributes.get("llm.token_count.completion")),
            total=as_int(attributes.get("llm.token_count.total")),
            cached=as_int(attributes.get("llm.token_count.prompt_details.cache_read")),
            reasoning=as_int(attributes.get("llm.token_count.completion_details.reasoning")),
        ),
        cost_usd=as_float(attributes.get("llm.cost.total")),
        finish_reason=first_text(attributes, "llm.finish_reason", "llm.finish_reasons"),
        tool=first_text(attributes, "tool.name", "tool_call.function.name"),
        arguments=first_text(attributes, "tool.parameters", "tool_call.function.arguments")
        if kind == StepKind.TOOL
        else "",
        agent=first_text(attributes, "agent.name", "graph.node.id", "graph.node.name"),
        called_from=as_text(attributes.get("graph.node.parent_id")),
        session=as_text(attributes.get("session.id")),
        user=as_text(attributes.get("user.id")),
        tags=tuple(as_text(tag) for tag in listed(attributes, "tag.tags")),
    )


def _messages(attributes: Mapping[str, Any], key: str) -> tuple[Message, ...]:
    found = []
    for item in listed(attributes, key):
        message = _of(item, "message") if isinstance(item, dict) else {"content": item}
        if not isinstance(message, dict):
            continue
        content = as_text(message.get("content")) or _parts(message.get("contents"))
        calls = message.get("tool_calls")
        content += "".join(_call(call) for call in calls) if isinstance(calls, list) else ""
        found.append(Message(as_text(message.get("role")), content))
    return tuple(found)


def _of(item: dict[str, Any], name: str) -> Any:
    """Return the inner object of an item: nested, or with keys such as `document.content`."""
    if name in item:
        return item[name]
    prefix = f"{name}."
    dotted = {key.removeprefix(prefix): value for key, value in item.items() if key.startswith(prefix)}
    return dotted or item


def _call(call: Any) -> str:
    """Return a call of a tool as name(arguments)."""
    inner = call.get("tool_call", call) if isinstance(call, dict) else {}
    function = inner.get("function") if isinstance(inner, dict) else None
    if not isinstance(function, dict) or not function.get("name"):
        return ""
    return f"{as_text(function['name'])}({as_text(function.get('arguments'))})"


def _parts(contents: Any) -> str:
    """Return the texts of a message of several parts; images and sounds are named."""
    texts = []
    for part in contents if isinstance(contents, list) else []:
        inner = part.get("message_content", part) if isinstance(part, dict) else {}
        if isinstance(inner, dict):
            texts.append(as_text(inner.get("text")) or f"[{as_text(inner.get('type')) or 'part'}]")
    return "\n".join(texts)


def _documents(attributes: Mapping[str, Any], key: str) -> tuple[Retrieved, ...]:
    found = []
    for item in listed(attributes, key):
        document = _of(item, "document") if isinstance(item, dict) else {"content": item}
        if not isinstance(document, dict):
            continue
        metadata = _metadata(document.get("metadata"))
        content = document.get("content", document.get("page_content", document.get("text")))
        name = (
            document.get("name") or document.get("url") or metadata.get("source") or metadata.get("file_name")
        )
        found.append(
            Retrieved(
                text=as_text(content),
                id=as_text(document.get("id")),
                name=as_text(name),
                score=as_float(document.get("score")),
                metadata=metadata,
            )
        )
    return tuple(found)


def _metadata(value: Any) -> dict[str, Any]:
    """Return a document's metadata, which is JSON in a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {"metadata": value}
    return value if isinstance(value, dict) else {}
