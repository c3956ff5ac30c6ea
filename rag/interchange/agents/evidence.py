"""Collects what the answer of an agent can rest on beside documents: what its tools gave back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.interchange.agents.rows import StepRow
from rag.interchange.attributes import as_text, parsed
from rag.interchange.rows import Retrieved, StepKind
from rag.interchange.trees import Node

MOST_OUTPUTS = 100  # of a trace; each is read by the detector
LONGEST_OUTPUT = 20_000  # characters of an output
_SHORTEST_OUTPUT = 2  # characters: "ok" and "" say nothing
_OWN_WORDS = (StepKind.LLM, StepKind.AGENT)


@dataclass(frozen=True)
class Evidence:
    """The outputs of tools that an answer can rest on, and what was left out and why, in sentences."""

    outputs: tuple[Retrieved, ...]
    notes: tuple[str, ...]


def evidence_of(nodes: Sequence[Node], steps: Sequence[StepRow], documents: Sequence[Retrieved]) -> Evidence:
    """Return the outputs of tools in a trace, each text once, without those that are documents already.

    What an agent or model wrote inside a tool is no evidence: it would support itself. What it found is.
    Tools that have no span of their own are read from the messages to models.
    """
    known = {_comparable(document.text) for document in documents}
    outputs: list[Retrieved] = []
    cut = left_out = written = 0
    for name, text, place in (*_of_tools(nodes, steps), *_of_messages(nodes)):
        key = _comparable(text)
        if len(key) < _SHORTEST_OUTPUT or any(key in other for other in known):
            continue
        if len(outputs) == MOST_OUTPUTS:
            left_out += 1
            continue
        known.add(key)  # what a model wrote as well: it comes again in the messages to the next one
        if not place:
            written += 1
            continue
        cut += len(text) > LONGEST_OUTPUT
        outputs.append(Retrieved(text[:LONGEST_OUTPUT], name=name, place=place))
    return Evidence(tuple(outputs), tuple(_notes(cut, left_out, written)))


def _notes(cut: int, left_out: int, written: int) -> Iterator[str]:
    if cut:
        yield f"{cut} of the tools' outputs were checked up to {LONGEST_OUTPUT:,} characters"
    if left_out:
        yield f"{left_out} of the tools' outputs were not used as evidence: only {MOST_OUTPUTS} are"
    if written:
        yield f"{written} of the tools' outputs were not used as evidence: a model wrote them"


def _of_tools(nodes: Sequence[Node], steps: Sequence[StepRow]) -> Iterator[tuple[str, str, str]]:
    """Yield name, output and place of each call of a tool that did not fail; no place: a model wrote it."""
    for number, (node, step) in enumerate(zip(nodes, steps, strict=True)):
        if node.step.kind is not StepKind.TOOL or step.error or not step.is_counted:
            continue
        place = "" if _has_own_words(nodes, number) else f"step {step.position}"
        yield step.tool or step.name, output_text(node.step.output), place


def _has_own_words(nodes: Sequence[Node], number: int) -> bool:
    for node in nodes[number + 1 :]:
        if node.depth <= nodes[number].depth:
            return False
        if node.step.kind in _OWN_WORDS:
            return True
    return False


def _of_messages(nodes: Sequence[Node]) -> Iterator[tuple[str, str, str]]:
    """Yield what tools said in the messages to models: each call repeats those of the calls before it."""
    seen: set[str] = set()
    for number, node in enumerate(nodes, 1):
        for message in node.step.messages:
            if message.role.lower() in ("tool", "function") and message.content not in seen:
                seen.add(message.content)
                yield "tool", output_text(message.content), f"message to step {number}"


def output_text(output: str) -> str:
    """Return the words of a tool's output: the texts of messages and parts, anything else as it is."""
    return _words(parsed(output), 0) or output


def _words(value: Any, depth: int) -> str:
    if depth > 6:
        return ""
    if isinstance(value, list):
        texts = [_words(part, depth + 1) for part in value]
        return "\n".join(texts) if all(texts) else ""
    if isinstance(value, dict):
        if isinstance(value.get("kwargs"), dict):  # a message that LangChain serialised
            return _words(value["kwargs"], depth + 1)
        if {"tool_call_id", "tool_use_id", "isError", "is_error"} & set(value) or value.get("type") in (
            "tool",
            "tool_result",
        ):
            content = value.get("content")
            return content if isinstance(content, str) else _words(content, depth + 1)
        if value.get("type") == "text" and isinstance(value.get("text"), str):
            return as_text(value["text"])
        return ""
    return value if isinstance(value, str) else ""


def _comparable(text: str) -> str:
    return " ".join(text.split())
