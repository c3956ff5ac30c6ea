"""Who calls whom, what each adds up to, loops and what they waste."""

import pytest
from agent_spans import genai_agents, handoff, looping, model, rows_of, span, tool

from rag.interchange.agents.calls.rows import APPLICATION, Calls, Party, PartyKind, calls_of, loops_of
from rag.interchange.rows import RawSpan


def of(spans: list[RawSpan]) -> Calls:
    return calls_of(rows_of(spans))


def edges(found: Calls) -> list[tuple[str, str, int]]:
    return [(call.caller.title, call.callee.title, call.count) for call in found.calls]


def test_agents_and_tools_are_called_by_the_agent_around_them_or_the_one_that_is_named() -> None:
    found = of(handoff())
    assert edges(found) == [
        ("(application)", "triage", 1),
        ("triage", "handoff to refunds", 1),
        ("triage", "refunds", 1),
        ("refunds", "find_order", 1),
        ("refunds", "refund", 1),
    ]
    assert edges(of(genai_agents())) == [
        ("(application)", "planner", 1), ("planner", "ask_writer", 1), ("ask_writer", "writer", 1),
    ]  # fmt: skip


def test_each_party_has_its_own_tokens_cost_errors_and_time() -> None:
    spans = [*handoff(), tool(20, 5, "refund", {"id": 8}, "Error: no such order", start=15, end=18)]
    sums = {one.party.title: one for one in of(spans).sums}
    assert [one.party.kind for one in of(spans).sums][:2] == [PartyKind.AGENT, PartyKind.AGENT]
    refunds, refund = sums["refunds"], sums["refund"]
    assert (refunds.calls, refunds.prompt_tokens, refunds.completion_tokens) == (1, 500, 20)
    assert (refunds.cost_usd, refunds.model_calls, refunds.took_ms) == (0.004, 2, 14_000)
    assert (refund.calls, refund.errors, refund.took_ms, refund.prompt_tokens) == (2, 1, 4000, None)
    assert sums["triage"].prompt_tokens == 100
    writer = {one.party.title: one for one in of(genai_agents()).sums}
    assert (writer["writer"].prompt_tokens, writer["planner"].prompt_tokens) == (40, None)


def test_calls_of_models_that_told_nothing_are_counted() -> None:
    (one,) = of([span(1, 0, "AGENT", "a"), model(2, 1, None, None), model(3, 1)]).sums
    assert (one.model_calls, one.untold, one.prompt_tokens) == (2, 1, 10)


def test_models_outside_agents_belong_to_the_application() -> None:
    found = of([span(1), model(2, 1), tool(3, 1, "x", "a")])
    assert [one.party for one in found.sums] == [APPLICATION, Party(PartyKind.TOOL, "x")]
    assert edges(found) == [("(application)", "x", 1)]


def test_a_model_inside_a_tool_counts_for_both() -> None:
    sums = {s.party.title: s.prompt_tokens for s in of([
        span(1, 0, "AGENT", "a"), tool(2, 1, "sum up", "x"), model(3, 2), model(4, 1),
    ]).sums}  # fmt: skip
    assert sums == {"a": 20, "sum up": 10}


def test_the_span_of_a_tool_may_name_its_agent() -> None:
    spans = [span(1), span(2, 1, "", "execute_tool look", gen_ai__operation__name="execute_tool",
                           gen_ai__tool__name="look", gen_ai__agent__name="scout")]  # fmt: skip
    assert edges(of(spans)) == [("scout", "look", 1)]
    chat = span(3, 1, "LLM", "chat", gen_ai__agent__name="scout", gen_ai__usage__input_tokens=7)
    assert ("(application)", "scout", 1) in edges(of([span(1), chat]))
    assert {s.party.name: s.prompt_tokens for s in of([span(1), chat]).sums} == {"scout": 7}


def test_an_agent_may_call_itself_through_a_tool_and_spans_around_it_are_no_calls() -> None:
    found = of([
        span(1, 0, "AGENT", "a"), span(2, 1, "AGENT", "a"), tool(3, 2, "ask", "x"), span(4, 3, "AGENT", "a"),
    ])  # fmt: skip
    assert edges(found) == [("(application)", "a", 1), ("a", "ask", 1), ("ask", "a", 1)]


def test_the_same_call_three_times_is_a_loop_with_its_waste() -> None:
    (loop,) = loops_of(rows_of(looping(4)))
    assert (loop.tool, loop.count, [key[-2:] for key in loop.span_ids]) == (
        "search",
        4,
        ["14", "15", "16", "17"],
    )
    assert loop.wasted_tokens == 3 * 110, "what the first call cost was needed"
    assert loop.wasted_ms == 3000
    assert loop.sentence == "search was called 4 times with the same arguments, which spent 330 tokens"
    assert loops_of(rows_of(looping(2))) == ()


def test_waste_without_told_tokens_is_unknown_and_models_inside_count() -> None:
    calls = [tool(n, 1, "look", {"at": 1}, start=n, end=n + 1) for n in (2, 3, 4)]
    (loop,) = loops_of(rows_of([span(1, end=9), *calls]))
    assert loop.wasted_tokens is None and loop.sentence.endswith("same arguments")
    inside = [model(10 + n, n, 7, 0, start=n + 0.5) for n in (2, 3, 4)]
    (loop,) = loops_of(rows_of([span(1, end=9), *calls, *inside]))
    assert loop.wasted_tokens == 14


@pytest.mark.parametrize("given", [["a", "b", "a"], ["", "", ""], ["__REDACTED__"] * 3])
def test_other_or_unknown_arguments_are_no_loop(given: list[str]) -> None:
    calls = [tool(n, 1, "look", text, start=n) for n, text in enumerate(given, 2)]
    assert loops_of(rows_of([span(1, end=9), *calls])) == ()


def test_agents_and_tools_of_langfuse_are_called_by_the_names_of_their_spans() -> None:
    def observed(key: int, parent: int, kind: str, name: str, **more: object) -> RawSpan:
        return span(key, parent, "", name, langfuse__observation__type=kind, **more)

    found = of([
        observed(1, 0, "agent", "supervisor"),
        observed(2, 1, "agent", "scout"),
        observed(3, 2, "tool", "look", langfuse__observation__input='{"at": 1}'),
        observed(4, 2, "generation", "ChatOpenAI", langfuse__observation__usage_details='{"input": 9, "output": 2}',
                 langfuse__observation__cost_details='{"total": 0.5}'),
    ])  # fmt: skip
    assert edges(found) == [
        ("(application)", "supervisor", 1),
        ("supervisor", "scout", 1),
        ("scout", "look", 1),
    ]
    (scout,) = [one for one in found.sums if one.party.name == "scout"]
    assert (scout.prompt_tokens, scout.completion_tokens, scout.cost_usd) == (9, 2, 0.5)


def test_nodes_of_langgraph_are_called_by_those_that_the_sender_names() -> None:
    found = of([
        span(1, 0, "CHAIN", "LangGraph", end=9),
        span(2, 1, "AGENT", "plan", graph__node__id="plan"),
        span(3, 1, "AGENT", "write", start=2, graph__node__id="write", graph__node__parent_id="plan"),
        span(4, 1, "AGENT", "plan", start=4, graph__node__id="plan", graph__node__parent_id="write"),
    ])  # fmt: skip
    assert edges(found) == [("(application)", "plan", 1), ("plan", "write", 1), ("write", "plan", 1)]
