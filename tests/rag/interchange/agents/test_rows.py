"""Steps are listed without their texts, read one by one, searched, and summed over the traces of a session."""

from dataclasses import replace

import pytest
from agent_spans import S, handoff, looping, rows_of, span, tool
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.rows import TraceStatus
from rag.asking.traces import delete_traces
from rag.errors import NotFoundError
from rag.interchange.agents.rows import (
    SessionSum,
    SessionTrace,
    StepFilter,
    count_steps,
    find_steps,
    list_session,
    list_steps,
    read_step,
    sum_session,
)
from rag.interchange.receiving import receive
from rag.interchange.rows import RawEvent, RawSpan, StepKind
from rag.storage.database import Database
from rag.workspace import Workspace

FIRST, SECOND = "ab" * 16, "cd" * 16


def later(spans: list[RawSpan], trace: str = SECOND, seconds: int = 60) -> list[RawSpan]:
    """Return the spans as another trace of the same session, which began later."""
    return [
        replace(one, trace_id=trace, start_ns=one.start_ns + seconds * S, end_ns=one.end_ns + seconds * S)
        for one in spans
    ]


@pytest.fixture
def database(workspace: Workspace) -> Database:
    """Two traces: a handoff, and a minute later a loop with a tool that failed, of another application."""
    receive(workspace.store, handoff())
    failed = tool(40, 1, "open page", {"u": "Ä/1"}, "Error: 100% off", start=30,
                  events=(RawEvent("note", 5, {"x": [1]}),))  # fmt: skip
    spans = [replace(one, service="lab") for one in later([*looping(), failed])]
    receive(workspace.store, spans)
    return workspace.database


def test_steps_are_listed_in_the_order_of_their_tree(database: Database) -> None:
    steps = list_steps(database, FIRST)
    assert [step.position for step in steps] == list(range(1, 10))
    assert (steps[4].kind, steps[4].is_orphan, steps[4].called_from) == (StepKind.AGENT, False, "triage")
    assert steps[8].completion_tokens is None and steps[8].is_counted is True
    assert list_steps(database, "00" * 16) == []


def test_a_step_is_read_by_its_id_its_beginning_or_its_number(database: Database) -> None:
    found = read_step(database, SECOND, f"{40:016x}")
    assert (found.input, found.output, found.service) == ('{"u": "\\u00c4/1"}', "Error: 100% off", "lab")
    assert found.attributes["tool.name"] == "open page" and found.step.error == "Error: 100% off"
    assert [(e["name"], e["attributes"]) for e in found.events] == [("note", {"x": [1]})]
    assert read_step(database, SECOND, str(found.step.position)).step == found.step
    with pytest.raises(NotFoundError, match="More than one step begins"):
        read_step(database, SECOND, "0000")
    for missing in ("99", "ff", "%", "²"):
        with pytest.raises(NotFoundError, match="no step"):
            read_step(database, SECOND, missing)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (StepFilter(kind="agent"), ["researcher", "triage", "refunds"]),
        (StepFilter(name="REFUND"), ["handoff to refunds", "refunds", "refund"]),
        (StepFilter(text="20 eur"), ["refund"]),
        (StepFilter(text="page 3"), ["search"]),
        (StepFilter(text="100%"), ["open page"]),
        (StepFilter(text="%"), ["open page"]),
        (StepFilter(errors_only=True), ["open page"]),
        (StepFilter(errors_only=True, application="desk"), []),
        (StepFilter(application="lab", kind="tool", name="open"), ["open page"]),
        (StepFilter(trace_id=FIRST, kind="llm"), ["chat", "chat", "chat"]),
        (StepFilter(session_id="talk", kind="chain"), ["Agent workflow"]),
        (StepFilter(since_ms=1_780_000_030_000, kind="agent"), ["researcher"]),
        (StepFilter(text="'; DROP TABLE trace; --"), []),
    ],
)
def test_steps_are_found(database: Database, wanted: StepFilter, names: list[str]) -> None:
    found = find_steps(database, wanted)
    assert [step.name for step in found] == names and count_steps(database, wanted) == len(names)


def test_what_is_found_says_where_it_is(database: Database) -> None:
    (found,) = find_steps(database, StepFilter(text="20 eur"))
    assert (found.trace_id, found.application, found.question) == (FIRST, "desk", "Refund order 7?")
    assert (
        found.output_begin == "Refund of 20 EUR was sent to the customer."
        and found.input_begin == '{"id": 7}'
    )
    assert len(find_steps(database, StepFilter(), limit=4, offset=2)) == 4
    assert count_steps(database, StepFilter()) == 19


def test_steps_go_with_their_trace(workspace: Workspace, database: Database) -> None:
    with workspace.store.session() as session:
        delete_traces(session, [FIRST])
    assert list_steps(database, FIRST) == [] and count_steps(database, StepFilter()) == 10


def test_traces_of_a_session_come_in_order_with_their_sums(workspace: Workspace, database: Database) -> None:
    third = later([span(1, session__id="talk", error="it broke")], "ef" * 16, 600)
    receive(workspace.store, third)
    traces = list_session(database, "talk")
    assert [trace.id for trace in traces] == [FIRST, "ef" * 16]
    assert (traces[0].cost_usd, traces[0].step_count, traces[0].tool_calls) == (0.006, 9, 3)
    total = sum_session(traces)
    assert (total.traces, total.failed, total.steps, total.prompt_tokens) == (2, 1, 10, 600)
    assert (total.cost_usd, total.without_cost, total.busy_ms) == (0.006, 1, 21_000)
    assert total.ended_ms - total.began_ms == 601_000
    assert list_session(database, "nothing") == [] and sum_session([]).cost_usd is None


(PLAIN,) = rows_of([span(1, name="step")])


@pytest.mark.parametrize(
    ("prompt", "completion", "total", "tokens"),
    [
        (None, None, None, None),
        (0, None, None, 0),
        (1, 2, None, 3),
        (1, 2, 7, 7),
        (None, 2, None, 2),
        (None, None, 0, 0),
    ],
)
def test_tokens_are_the_total_that_was_told_or_the_sum_of_what_was(
    prompt: int | None, completion: int | None, total: int | None, tokens: int | None
) -> None:
    step = replace(PLAIN, prompt_tokens=prompt, completion_tokens=completion, total_tokens=total)
    assert step.tokens == tokens


@pytest.mark.parametrize(
    ("name", "tool", "title"), [("step", "look", "step"), ("", "look", "look"), ("", "", "chain")]
)
def test_a_step_is_known_by_its_name_its_tool_or_its_kind(name: str, tool: str, title: str) -> None:
    assert replace(PLAIN, name=name, tool=tool).title == title


ASKED = SessionTrace("a", 1_000, "desk", "Why?", TraceStatus.DONE, (), 500.0, 3, 2, 1, 1, 0, 10, 5, 0.25)


def test_what_was_not_told_counts_as_nothing_and_is_counted() -> None:
    bare = replace(ASKED, id="b", created_ms=900, total_ms=None, step_count=None, tool_calls=None, tool_errors=None,
                   loop_count=None, cost_usd=None)  # fmt: skip
    failed = replace(ASKED, id="c", created_ms=5_000, status=TraceStatus.FAILED, cost_usd=0.0)
    total = sum_session([bare, ASKED, failed])
    assert (total.traces, total.failed, total.steps, total.tool_calls, total.tool_errors, total.loops) == (
        3, 1, 6, 4, 2, 2,
    )  # fmt: skip
    assert (total.began_ms, total.ended_ms, total.busy_ms) == (900, 5_500, 1_000.0)
    assert (total.cost_usd, total.without_cost, total.prompt_tokens, total.completion_tokens) == (
        0.25,
        1,
        30,
        15,
    )


def test_a_session_of_nothing_adds_up_to_nothing() -> None:
    assert sum_session([]) == SessionSum(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, None, 0)
    assert sum_session([replace(ASKED, cost_usd=None)]).cost_usd is None


@given(st.lists(st.integers(0, 9), max_size=6))
def test_sums_do_not_depend_on_the_order_of_the_traces(numbers: list[int]) -> None:
    traces = [replace(ASKED, id=str(n), created_ms=n, total_ms=float(n), cost_usd=float(n)) for n in numbers]
    assert sum_session(traces) == sum_session(traces[::-1])


def test_the_detail_of_a_step_without_its_body_is_empty(workspace: Workspace, database: Database) -> None:
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM receivedspan")
    found = read_step(database, FIRST, "1")
    assert (found.attributes, found.resource, found.events, found.scope) == ({}, {}, (), "")
    assert found.input == "Refund order 7?"


def test_a_beginning_of_an_id_has_four_letters_at_least(database: Database) -> None:
    whole = list_steps(database, FIRST)[4].span_id
    assert read_step(database, FIRST, whole).step.span_id == whole
    with pytest.raises(NotFoundError, match="There is no step “000” in trace abababab"):
        read_step(database, FIRST, "000")
