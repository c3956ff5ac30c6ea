"""Leaves content out of spans that are exported, under OpenInference's names for what is hidden.

What each name hides is what `openinference.instrumentation.TraceConfig` hides, in both vocabularies. Once
anything is hidden, a text under a key that neither vocabulary has is left out too: it may hold anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from rag.interchange.attributes import parsed
from rag.interchange.rows import RawEvent, RawSpan
from rag.settings import ExportSettings

REDACTED = "__REDACTED__"  # what OpenInference writes in place of a hidden text
VARIABLE = "OPENINFERENCE_HIDE_"  # begins the environment variables of the same names


@dataclass(frozen=True)
class Hiding:
    """What is left out; each name is one of OpenInference's, without its “hide_”."""

    inputs: bool = False
    outputs: bool = False
    input_messages: bool = False
    output_messages: bool = False
    input_text: bool = False
    output_text: bool = False
    retrieval_documents: bool = False
    llm_invocation_parameters: bool = False

    @property
    def hides_anything(self) -> bool:
        """Whether anything at all is left out."""
        return any(getattr(self, f.name) for f in fields(self))


NAMES = tuple(f.name for f in fields(Hiding))


def hiding_of(settings: ExportSettings, environment: Mapping[str, str] | None = None) -> Hiding:
    """Return what the settings hide, and what the environment hides besides: it never shows more."""
    variables = os.environ if environment is None else environment
    return Hiding(
        **{
            name: getattr(settings, f"hide_{name}")
            or variables.get(f"{VARIABLE}{name.upper()}", "").strip().lower() in ("true", "1")
            for name in NAMES
        }
    )


def hidden(span: RawSpan, hiding: Hiding) -> RawSpan:
    """Return the span without what is hidden."""
    if not hiding.hides_anything:
        return span
    return replace(
        span,
        attributes=_attributes(span.attributes, hiding),
        events=tuple(RawEvent(e.name, e.time_ns, _attributes(e.attributes, hiding)) for e in span.events),
        error="error" if span.error and (hiding.inputs or hiding.outputs) else span.error,
        resource={key: value for key, value in span.resource.items() if key in _RESOURCE},
    )


# Whose texts are names, kinds and ids. A key is one of these, or begins with one that ends with a dot.
_NEUTRAL = (
    "openinference.", "session.id", "user.id", "tag.tags", "agent.name", "graph.node.", "tool.name",
    "llm.model_name", "llm.request.model_name", "llm.response.model_name", "llm.provider", "llm.system",
    "llm.finish_reason", "llm.token_count.", "llm.cost.", "embedding.model_name", "reranker.model_name",
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.system", "gen_ai.request.", "gen_ai.response.",
    "gen_ai.usage.", "gen_ai.conversation.id", "gen_ai.prompt.name", "gen_ai.agent.name",
    "gen_ai.workflow.name", "gen_ai.tool.name", "gen_ai.data_source.id", "gen_ai.evaluation.name",
    "gen_ai.evaluation.score.", "ragdeck.", "exception.type",
)  # fmt: skip
_RESOURCE = ("service.name", "openinference.project.name", "telemetry.sdk.language", "telemetry.sdk.name")
_INPUT = (
    "gen_ai.retrieval.query.text", "reranker.query", "gen_ai.tool.call.arguments", "tool.parameters",
    "tool_call.function.arguments", "langfuse.observation.input", "langfuse.trace.input", "ragdeck.detail",
)  # fmt: skip
_OUTPUT = ("gen_ai.tool.call.result", "langfuse.observation.output", "langfuse.trace.output")
_INPUT_MESSAGES = ("llm.input_messages", "gen_ai.input.messages", "gen_ai.system_instructions")
_OUTPUT_MESSAGES = ("llm.output_messages", "gen_ai.output.messages")
_DOCUMENTS = ("retrieval.documents", "gen_ai.retrieval.documents", "reranker.output_documents")
_CONTENT_KEYS = ("content", "text", "arguments", "result", "response", "metadata", "page_content")


def _attributes(attributes: Mapping[str, Any], hiding: Hiding) -> dict[str, Any]:
    shown = {key: _shown(key, value, hiding) for key, value in attributes.items()}
    return {key: value for key, value in shown.items() if value is not None}


def _shown(key: str, value: Any, hiding: Hiding) -> Any:
    """Return what is exported under a key, None for nothing."""
    if isinstance(value, (bool, int, float)):
        return value
    if key in ("input.value", "output.value"):
        return REDACTED if (hiding.inputs if key == "input.value" else hiding.outputs) else value
    if key in ("input.mime_type", "output.mime_type"):
        return None if (hiding.inputs if key == "input.mime_type" else hiding.outputs) else value
    if key == "llm.invocation_parameters":
        return None if hiding.llm_invocation_parameters else value
    if _within(key, _INPUT):
        return None if hiding.inputs else value
    if _within(key, _OUTPUT):
        return None if hiding.outputs else value
    if _within(key, _INPUT_MESSAGES):
        gone = hiding.inputs or hiding.input_messages
        return None if gone else _text(key, value) if hiding.input_text else value
    if _within(key, _OUTPUT_MESSAGES):
        gone = hiding.outputs or hiding.output_messages
        return None if gone else _text(key, value) if hiding.output_text else value
    if _within(key, ("reranker.input_documents",)):
        return None if hiding.inputs else _text(key, value) if hiding.retrieval_documents else value
    if _within(key, _DOCUMENTS):
        return _text(key, value) if hiding.outputs or hiding.retrieval_documents else value
    if key.endswith(".annotation.explanation") or key == "gen_ai.evaluation.explanation":
        quoted = hiding.outputs or hiding.output_messages or hiding.output_text or hiding.retrieval_documents
        return None if quoted else value  # it quotes the answer and its documents
    return value if _is_neutral(key) else None


def _within(key: str, names: tuple[str, ...]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _is_neutral(key: str) -> bool:
    if ".annotation." in key:
        return True
    return any(key == name or (name.endswith(".") and key.startswith(name)) for name in _NEUTRAL)


def _text(key: str, value: Any) -> Any:
    """Return a message or document without its texts: a leaf of a flattened one, or JSON of several."""
    leaf = key.rpartition(".")[2]
    if leaf in _CONTENT_KEYS:
        return REDACTED
    if leaf in ("role", "id", "name", "score", "type", "url", "mime_type"):
        return value
    found = parsed(value)
    if not isinstance(found, (list, dict)):
        return None
    left = _without_texts(found)
    return json.dumps(left, ensure_ascii=False) if isinstance(value, str) else left


def _without_texts(value: Any, depth: int = 0) -> Any:
    if depth > 20:
        return None
    if isinstance(value, list):
        return [_without_texts(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            key: REDACTED
            if key in _CONTENT_KEYS and not isinstance(item, (dict, list))
            else _without_texts(item, depth + 1)
            for key, item in value.items()
        }
    return value
