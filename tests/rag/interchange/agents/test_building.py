"""Rows of steps: positions, calls that are counted once, errors of tools."""

import json

import pytest
from agent_spans import genai_agents, handoff, model, rows_of, span, tool

from rag.interchange.agents.building import hidden_errors
from rag.interchange.rows import RawEvent, StepKind


def test_steps_come_parents_first_with_what_they_mean() -> None:
    rows = rows_of(handoff())
    assert [row.position for row in rows] == list(range(1, 10))
    assert [(row.kind.value, row.depth) for row in rows[:4]] == [
        ("chain", 0),
        ("agent", 1),
        ("llm", 2),
        ("tool", 2),
    ]
    refunds = rows[4]
    assert (refunds.agent, refunds.called_from) == ("refunds", "triage")
    asked = rows[5]
    assert (asked.model, asked.tokens, asked.cost_usd, asked.took_ms) == ("m", 220, 0.004, 1000)
    assert rows[8].tokens == 300, "what is told counts"
    assert [row.kind for row in rows_of(genai_agents())] == ["agent", "tool", "agent", "llm"]


def test_of_two_spans_about_one_call_one_counts() -> None:
    rows = rows_of([
        span(1),
        model(2, 1, start=1, end=4), model(3, 2, start=2),  # a framework around its client
        tool(4, 1, "look", {"at": 1}), tool(5, 4, "look", {"at": 1}),
        tool(6, 1, "look", {"at": 2}), tool(7, 6, "look", {"at": 1}),  # a tool that calls itself otherwise
    ])  # fmt: skip
    assert {row.span_id[-1]: row.is_counted for row in rows} == {
        "1": True, "2": False, "3": True, "4": True, "5": False, "6": True, "7": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ('{"error": "no such order"}', "no such order"),
        ('{"error": {"code": 4}}', '{"code": 4}'),
        (
            '{"isError": true, "content": [{"type": "text", "text": "off"}]}',
            '[{"type": "text", "text": "off"}]',
        ),
        ('{"kwargs": {"status": "error", "content": "ToolException: off"}}', "ToolException: off"),
        ('{"status": "error", "message": "off"}', "off"),
        ("Error: timed out", "Error: timed out"),
        ("Traceback (most recent call last):\n  x", "Traceback (most recent call last): x"),
        ("requests.exceptions.ConnectionError: x", "requests.exceptions.ConnectionError: x"),
        ('{"content": "ValueError(1)", "type": "tool"}', "ValueError(1)"),
        ('{"error": null, "rows": []}', ""),
        ('{"error": "0.3 mm", "value": 7}', ""),  # the error of a measurement
        ("Errors in print are rare.", ""),
        ("The error: none", ""),
        ("[1, 2]", ""),
        ("", ""),
    ],
)
def test_the_output_of_a_tool_may_be_an_error(output: str, error: str) -> None:
    assert rows_of([tool(1, 0, "x", "", output)])[0].error == error
    assert rows_of([span(1, output__value=output)])[0].error == "", "of a tool alone"


def test_an_exception_says_more_than_a_status() -> None:
    event = RawEvent("exception", 1, {"exception.message": "disk full"})
    assert rows_of([span(1, error="error", events=(event,))])[0].error == "disk full"
    assert rows_of([span(1, error="it broke", events=(event,))])[0].error == "it broke"
    assert rows_of([span(1, error__type="TimeoutError")])[0].error == "TimeoutError"
    assert rows_of([span(1, error="error")])[0].error == "error"
    assert len(rows_of([span(1, error="x" * 9999)])[0].error) == 500


def test_an_error_is_made_good_by_a_later_call_of_the_same_tool() -> None:
    failed = tool(2, 1, "look", {"at": 1}, "Error: off", start=1, end=2)
    beside = tool(3, 1, "look", {"at": 2}, "a view", start=1, end=3)
    later = tool(4, 1, "look", {"at": 3}, "a view", start=2, end=3)
    other = tool(5, 1, "hear", {"at": 1}, "a sound", start=3)
    root = span(1, end=9)
    assert [row.name for row in hidden_errors(rows_of([root, failed, other]))] == ["look"]
    assert len(hidden_errors(rows_of([root, failed, beside]))) == 1, "it had begun before"
    assert hidden_errors(rows_of([root, failed, later])) == []
    assert hidden_errors(rows_of([root, later])) == []


def test_orphans_rings_and_missing_times_have_rows() -> None:
    rows = rows_of([span(1), span(2, 99), span(3, 4), span(4, 3), span(5, 1, start=-1.78e9, end=-1.78e9)])
    assert [row.position for row in rows] == [1, 2, 3, 4, 5]
    assert sum(row.is_orphan for row in rows) == 1 and [bool(row.clock) for row in rows].count(True) == 1
    known = {row.span_id for row in rows}
    assert all(row.parent_id in known for row in rows[1:]) and rows[0].parent_id == ""


def test_kinds_that_nobody_knows_are_kept() -> None:
    (row,) = rows_of([span(1, kind="DREAM", name="<b>x</b>")])
    assert (row.kind, row.title) == (StepKind.UNKNOWN, "<b>x</b>")
    assert json.dumps(row.kind) == '"unknown"'


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ('{"is_error": true, "message": "off"}', "off"),
        ('{"isError": true}', "its output is an error"),
        ('{"isError": "true", "content": "fine"}', ""),
        ('{"status": "ERROR", "error": {"code": 4}}', '{"code": 4}'),
        ('{"status": "ok", "content": "done"}', ""),
        ('{"error": "off", "code": 4, "details": []}', "off"),
        ('{"error": ""}', ""),
        ('{"error": []}', ""),
        ('{"kwargs": {"content": "Error: off", "tool_call_id": "c"}}', "Error: off"),
        ('{"kwargs": "Error: off"}', ""),
        ("  error : off", "error : off"),
        ("FAILED: off", "FAILED: off"),
        ("Exception(off)", "Exception(off)"),
        ("MyError\nline two", "MyError line two"),
        ("Errors: 3", ""),
        ("error rates fell", ""),
        ("{broken", ""),
    ],
)
def test_what_is_an_error_and_what_only_speaks_of_one(output: str, error: str) -> None:
    assert rows_of([tool(1, 0, "x", "", output)])[0].error == error


def test_a_very_long_error_of_a_tool_is_cut() -> None:
    assert len(rows_of([tool(1, 0, "x", "", "Error: " + "y" * 9_999)])[0].error) == 500


@pytest.mark.parametrize(
    ("events", "error_type", "said"),
    [
        ((), "", "error"),
        ((), "Timeout", "error"),
        ((RawEvent("log", 1, {"exception.message": "x"}),), "", "error"),
        ((RawEvent("exception", 1, {}), RawEvent("exception", 2, {"exception.message": "full"})), "", "full"),
        ((RawEvent("exception", 1, {"exception.message": {"a": 1}}),), "", '{"a": 1}'),
    ],
)
def test_a_status_without_words_takes_those_of_the_exception(
    events: tuple[RawEvent, ...], error_type: str, said: str
) -> None:
    (row,) = rows_of([span(1, error="error", events=events, error__type=error_type)])
    assert row.error == said


def test_a_call_of_a_tool_around_another_one_counts_unless_an_agent_is_between() -> None:
    rows = rows_of([
        tool(1, 0, "ask", {"q": 1}), tool(2, 1, "ask", {"q": 1}), tool(3, 2, "ask", {"q": 1}),
        span(4, 3, "AGENT", "a"), tool(5, 4, "ask", {"q": 1}),
    ])  # fmt: skip
    assert [row.is_counted for row in rows] == [True, False, False, True, True]


def test_a_step_that_tells_nothing_has_nothing() -> None:
    (row,) = rows_of([span(1, kind="", name="step")])
    assert (row.agent, row.called_from, row.tool, row.call, row.model, row.error, row.clock) == ("",) * 7
    assert (row.prompt_tokens, row.completion_tokens, row.total_tokens, row.cost_usd) == (None,) * 4
    assert row.is_counted and not row.is_orphan and row.tokens is None


def test_hidden_errors_are_those_of_calls_that_count() -> None:
    outer = tool(2, 1, "look", {"at": 1}, "Error: off", start=1, end=4)
    inner = tool(3, 2, "look", {"at": 1}, "Error: off", start=2, end=3)
    found = hidden_errors(rows_of([span(1, end=9), outer, inner]))
    assert [row.span_id[-1] for row in found] == ["2"]
    unnamed = [span(4, 1, "TOOL", "hear", start=5, output__value="Error: off"),
               span(5, 1, "TOOL", "hear", start=7, output__value="a sound")]  # fmt: skip
    assert hidden_errors(rows_of([span(1, end=9), *unnamed])) == []
