"""Makes the rows of steps of a received trace: what each span means beside the others.

A framework often wraps a client that has spans of its own, so one call of a model or tool arrives as two
spans. The outer of two calls of a model, and the inner of two of a tool, do not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rag.interchange.agents.arguments import fingerprint
from rag.interchange.agents.rows import StepRow
from rag.interchange.attributes import as_text, parsed
from rag.interchange.rows import StepKind
from rag.interchange.trees import Node, model_calls

_LONGEST_ERROR = 500  # characters; the step's attributes and output have all of it
_ERROR_TEXT = re.compile(
    r"\s*(?:traceback \(most recent call last\)|"
    r"(?:error|exception|failed|[a-z_.]*(?:error|exception))\b\s*[:(\n])",
    re.IGNORECASE,
)


def step_rows(nodes: Sequence[Node]) -> list[StepRow]:
    """Return the rows of the nodes of a tree, in their order."""
    models = {node.key for node in model_calls(nodes)}
    calls = {node.key: _call(node) for node in nodes if node.step.kind is StepKind.TOOL}
    parents = {node.key: node.parent_id for node in nodes}
    return [
        _row(
            node,
            position,
            call=calls.get(node.key, ("", ""))[1],
            is_counted=_is_counted(node, models, calls, parents),
        )
        for position, node in enumerate(nodes, 1)
    ]


def error_of(node: Node) -> str:
    """Return what went wrong in a step: its status, its exception, or what a tool's output says; else ""."""
    said = node.span.error
    if said in ("", "error"):  # a status without words
        events = [event.attributes for event in node.span.events if event.name == "exception"]
        told = next((text for e in events if (text := as_text(e.get("exception.message")))), "")
        kind = as_text(node.span.attributes.get("error.type"))
        said = told or said or kind
    if not said and node.step.kind is StepKind.TOOL:
        said = _told_by(node.step.output)
    return said[:_LONGEST_ERROR]


def hidden_errors(steps: Sequence[StepRow]) -> list[StepRow]:
    """Return the calls of tools that failed and were not made good by a later call of the same tool."""
    tools = [step for step in steps if step.kind is StepKind.TOOL and step.is_counted]
    good: dict[str, float] = {}  # the start of the last call without an error
    for step in tools:
        if not step.error:
            name = step.tool or step.name
            good[name] = max(good.get(name, step.start_ms), step.start_ms)
    return [step for step in tools if step.error and good.get(step.tool or step.name, -1.0) < step.end_ms]


def _told_by(output: str) -> str:
    """Return the error that the output of a tool is, "" when it is none."""
    value = parsed(output)
    if isinstance(value, dict):
        kwargs = value.get("kwargs")  # a message that LangChain serialised
        message: dict[str, Any] = kwargs if isinstance(kwargs, dict) else value
        error = message.get("error")
        is_flagged = message.get("isError") is True or message.get("is_error") is True
        if is_flagged or str(message.get("status")).lower() == "error":
            return (
                as_text(error or message.get("content") or message.get("message")) or "its output is an error"
            )
        if error and set(message) <= {"error", "code", "status", "message", "type", "detail", "details"}:
            return as_text(error)
        content = message.get("content")
        output = content if isinstance(content, str) else ""
    return " ".join(output.split())[:_LONGEST_ERROR] if _ERROR_TEXT.match(output) else ""


def _call(node: Node) -> tuple[str, str]:
    return node.step.tool or node.span.name, fingerprint(node.step)


def _is_counted(
    node: Node, models: set[str], calls: dict[str, tuple[str, str]], parents: dict[str, str]
) -> bool:
    if node.step.kind is StepKind.LLM:
        return node.key in models
    if node.key in calls:
        # Only the step right above: a tool may well call itself through an agent.
        return calls.get(parents[node.key]) != calls[node.key]
    return True


def _row(node: Node, position: int, call: str, *, is_counted: bool) -> StepRow:
    step, usage = node.step, node.step.usage
    return StepRow(
        span_id=node.key,
        parent_id=node.parent_id,
        position=position,
        depth=node.depth,
        name=node.span.name,
        kind=step.kind,
        start_ms=node.start_ms,
        end_ms=node.end_ms,
        error=error_of(node),
        clock=node.clock,
        is_orphan=node.is_orphan,
        agent=step.agent,
        called_from=step.called_from,
        tool=step.tool,
        call=call,
        model=step.model,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        total_tokens=usage.total,
        cost_usd=step.cost_usd,
        is_counted=is_counted,
    )
