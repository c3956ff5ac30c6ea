"""Who calls whom, what each adds up to, loops and what they waste."""

import pytest
from agent_spans import genai_agents, handoff, looping, model, rows_of, span, tool
from hypothesis import given
from hypothesis import strategies as st

from rag.interchange.agents.calls.rows import APPLICATION, Calls, Loop, Party, PartyKind, calls_of, loops_of
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


@pytest.mark.parametrize(
    ("party", "title"),
    [
        (APPLICATION, "(application)"),
        (Party(PartyKind.AGENT, "scout"), "scout"),
        (Party(PartyKind.AGENT, ""), "(agent)"),
        (Party(PartyKind.TOOL, ""), "(tool)"),
    ],
)
def test_a_party_without_a_name_is_called_by_its_kind(party: Party, title: str) -> None:
    assert party.title == title


def test_retrievers_and_guardrails_are_called_and_come_after_agents_and_tools() -> None:
    found = of([
        span(1, 0, "AGENT", "a"), span(2, 1, "GUARDRAIL", "filter"), span(3, 1, "RETRIEVER", "store"),
        tool(4, 1, "look", "x"), span(5, 4, "RETRIEVER", "store"),
    ])  # fmt: skip
    assert edges(found) == [
        ("(application)", "a", 1), ("a", "filter", 1), ("a", "store", 1), ("a", "look", 1), ("look", "store", 1),
    ]  # fmt: skip
    assert [one.party.kind for one in found.sums] == ["agent", "tool", "retriever", "guardrail"]
    assert {one.party.name: one.calls for one in found.sums}["store"] == 2


def test_of_one_kind_those_that_took_longest_come_first() -> None:
    calls = [tool(n, 1, f"t{n}", str(n), start=n, end=n + n) for n in (2, 4, 3)]
    sums = of([span(1, 0, "AGENT", "a", end=20), *calls]).sums
    assert [one.party.name for one in sums] == ["a", "t4", "t3", "t2"]


def test_nothing_was_called_where_there_is_no_step_or_only_a_chain() -> None:
    assert calls_of([]) == Calls((), (), ())
    assert of([span(1), span(2, 1)]) == Calls((), (), ())


def test_what_does_not_count_is_no_call() -> None:
    found = of([span(1, 0, "AGENT", "a"), tool(2, 1, "look", {"at": 1}), tool(3, 2, "look", {"at": 1})])
    assert edges(found) == [("(application)", "a", 1), ("a", "look", 1)]


def test_calls_add_up_by_caller_and_callee() -> None:
    spans = [span(1, end=30)]
    for number, agent in enumerate("aab"):
        key = 10 * number + 10
        spans.append(span(key, 1, "AGENT", agent, start=number, end=number + 1))
        spans.append(tool(key + 1, key, "look", str(number), "Error: off" if number == 1 else "", start=number,
                          end=number + 0.5))  # fmt: skip
    found = {
        (one.caller.name, one.callee.name): (one.count, one.errors, one.took_ms) for one in of(spans).calls
    }
    assert found == {
        ("", "a"): (2, 0, 2000), ("a", "look"): (2, 1, 1000), ("", "b"): (1, 0, 1000), ("b", "look"): (1, 0, 500),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        (None, "look was called 3 times with the same arguments"),
        (0, "look was called 3 times with the same arguments, which spent 0 tokens"),
        (12_345, "look was called 3 times with the same arguments, which spent 12,345 tokens"),
    ],
)
def test_a_loop_is_said_with_its_tokens_where_they_are_known(tokens: int | None, sentence: str) -> None:
    assert Loop("look", 3, ("a", "b", "c"), tokens, 0.0).sentence == sentence


@given(st.lists(st.sampled_from("abc"), max_size=14))
def test_each_call_is_in_at_most_one_loop_and_loops_come_longest_first(given_texts: list[str]) -> None:
    calls = [tool(n, 1, "look", text, start=n, end=n + 1) for n, text in enumerate(given_texts, 2)]
    loops = loops_of(rows_of([span(1, end=99), *calls]))
    assert [loop.count for loop in loops] == sorted(
        (given_texts.count(text) for text in set(given_texts) if given_texts.count(text) >= 3), reverse=True
    )
    ids = [key for loop in loops for key in loop.span_ids]
    assert len(ids) == len(set(ids)) == sum(loop.count for loop in loops)
    assert all(loop.wasted_ms == 1000 * (loop.count - 1) for loop in loops)


def test_the_same_arguments_of_two_tools_are_no_loop_and_of_two_agents_are_one() -> None:
    two_tools = [tool(n, 1, f"tool {n % 2}", "x", start=n) for n in (2, 3, 4, 5)]
    assert loops_of(rows_of([span(1, end=9), *two_tools])) == ()
    agents = [span(1, end=9), span(10, 1, "AGENT", "a", end=9), span(20, 1, "AGENT", "b", end=9)]
    calls = [
        tool(11, 10, "look", "x", start=1),
        tool(12, 10, "look", "x", start=2),
        tool(21, 20, "look", "x", start=3),
    ]
    (loop,) = loops_of(rows_of([*agents, *calls]))
    assert (loop.count, loop.wasted_tokens) == (3, None)
