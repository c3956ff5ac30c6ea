"""Spans of agents as applications send them, in the shapes of several instrumentations."""

from __future__ import annotations

import json
from typing import Any

from rag.interchange.agents.building import step_rows
from rag.interchange.agents.rows import StepRow
from rag.interchange.rows import RawEvent, RawSpan
from rag.interchange.trees import trace_of

S = 10**9
BEGIN = 1_780_000_000 * S
NOW = BEGIN + 3600 * S
TRACE = "ab" * 16


def span(
    key: int,
    parent: int = 0,
    kind: str = "CHAIN",
    name: str = "",
    *,
    start: float = 0,
    end: float | None = None,
    error: str = "",
    events: tuple[RawEvent, ...] = (),
    trace: str = TRACE,
    **attributes: Any,
) -> RawSpan:
    """Return a span of OpenInference; two underscores in the name of an attribute are a dot."""
    dotted = {name.replace("__", "."): value for name, value in attributes.items()}
    return RawSpan(
        trace, f"{key:016x}", f"{parent:016x}" if parent else "", name or f"{kind.lower()} {key}",
        int(BEGIN + start * S), int(BEGIN + (start + 1 if end is None else end) * S),
        ({"openinference.span.kind": kind} if kind else {}) | dotted, events=events, error=error, service="desk",
    )  # fmt: skip


def tool(key: int, parent: int, name: str, given: Any, output: str = "", **more: Any) -> RawSpan:
    """Return the call of a tool."""
    text = given if isinstance(given, str) else json.dumps(given)
    return span(key, parent, "TOOL", name, tool__name=name, input__value=text, output__value=output, **more)


def model(key: int, parent: int, prompt: int | None = 10, completion: int | None = 5, **more: Any) -> RawSpan:
    """Return the call of a model."""
    told = {"llm__token_count__prompt": prompt, "llm__token_count__completion": completion}
    counts = {name: count for name, count in told.items() if count is not None}
    return span(key, parent, "LLM", "chat", llm__model_name="m", **counts, **more)


def handoff(answer: str = "The refund was sent.") -> list[RawSpan]:
    """Return two agents of the OpenAI Agents SDK: a triage that hands over, and a refund agent with tools.

    Its spans of agents are siblings; graph.node.* says who called whom.
    """
    return [
        span(1, 0, "CHAIN", "Agent workflow", end=20, input__value="Refund order 7?", output__value=answer,
             session__id="talk"),
        span(2, 1, "AGENT", "triage", start=0, end=5, graph__node__id="triage"),
        model(3, 2, 100, 10, start=1, llm__cost__total=0.002),
        span(4, 2, "TOOL", "handoff to refunds", start=3, tool__name="handoff to refunds"),
        span(5, 1, "AGENT", "refunds", start=5, end=19, graph__node__id="refunds",
             graph__node__parent_id="triage"),
        model(6, 5, 200, 20, start=6, llm__cost__total=0.004),
        tool(7, 5, "find_order", {"id": 7}, '{"order": 7, "state": "delivered"}', start=8),
        tool(8, 5, "refund", {"id": 7}, "Refund of 20 EUR was sent to the customer.", start=10),
        model(9, 5, 300, None, start=12),
    ]  # fmt: skip


def looping(times: int = 4) -> list[RawSpan]:
    """Return an agent that asks its model and searches the same again and again."""
    spans = [
        span(1, 0, "AGENT", "researcher", end=50, input__value="Who won?", output__value="Nobody knows it.")
    ]
    for n in range(times):
        spans.append(model(10 + n, 1, 100, 10, start=1 + 4 * n, end=2 + 4 * n))
        written = {"q": "winner", "n": 1} if n % 2 else {"n": 1.0, "q": "winner"}
        spans.append(tool(20 + n, 1, "search", written, f"page {n}", start=3 + 4 * n, end=4 + 4 * n))
    return spans


def genai_agents() -> list[RawSpan]:
    """Return an agent of the GenAI conventions that calls a tool, which calls another agent."""
    return [
        span(1, 0, "", "invoke_agent planner", end=20, gen_ai__operation__name="invoke_agent",
             gen_ai__agent__name="planner", gen_ai__conversation__id="talk"),
        span(2, 1, "", "execute_tool ask_writer", end=9, gen_ai__operation__name="execute_tool",
             gen_ai__tool__name="ask_writer", gen_ai__tool__call__arguments='{"topic": "tides"}',
             gen_ai__tool__call__result="Tides rise twice a day."),
        span(3, 2, "", "invoke_agent writer", end=8, gen_ai__operation__name="invoke_agent",
             gen_ai__agent__name="writer"),
        span(4, 3, "", "chat m", end=7, gen_ai__operation__name="chat", gen_ai__request__model="m",
             gen_ai__usage__input_tokens=40, gen_ai__usage__output_tokens=9),
    ]  # fmt: skip


def rows_of(spans: list[RawSpan]) -> list[StepRow]:
    """Return the rows of the steps of a trace."""
    return step_rows(trace_of(spans, NOW).nodes)
