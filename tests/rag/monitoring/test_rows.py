"""Rows of monitoring: measures, scopes and what an older file has of them."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import DAY, add_traces, ask

from rag.asking.rows import TraceStatus, read_overview
from rag.monitoring.rows import (
    COUNTED,
    MEASURES,
    AlertRow,
    AlertState,
    AnswerChange,
    Comparison,
    MeasureKind,
    MeasureSummary,
    ReferenceRow,
    RegressionRow,
    RegressionState,
    Scope,
    beyond,
    find_reference,
    list_alerts,
    list_asked_prompts,
    list_measured,
    list_reference_periods,
    values_of,
)
from rag.storage.data_folder import SCHEMA
from rag.storage.database import Database
from rag.storage.migration.migrate import STEPS
from rag.storage.store import Store, now_ms
from rag.storage.tables.monitoring import ReferencePeriod
from rag.workspace import Workspace


def test_a_file_that_is_not_upgraded_yet_reads_as_empty(tmp_path: Path) -> None:
    """The window reads before its engine has upgraded the file: it must wait, not fail."""
    assert len(STEPS) == SCHEMA
    path = tmp_path / "ragdeck.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE alertrule")
        raw.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    raw.close()
    database = Database(path)
    assert not database.is_current()
    assert list_alerts(database) == []
    assert read_overview(database, 0).trace_count == 0
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA}")
    raw.close()
    Store(path).close()
    assert database.is_current()
    database.close()


def test_values_are_shown_with_their_unit() -> None:
    assert MEASURES["flag_rate"].shown(0.125) == "12.5 %"
    assert MEASURES["latency"].shown(2345.0) == "2.3 s"
    assert MEASURES["flag_rate"].between(0.1, 0.25) == "10 to 25 %"
    assert MEASURES["latency"].between(None, 2000.0) == "to 2 s"
    assert MEASURES["prompt_tokens"].between(100.0, 1200.0) == "100 to 1,200"
    assert MEASURES["score_drift"].shown(0.0042) == "p = 0.004"
    assert MEASURES["latency"].shown(None) == MEASURES["latency"].between(None, None) == "–"


def test_each_measure_counts_the_questions_that_have_it(workspace: Workspace) -> None:
    moment = now_ms() - DAY
    add_traces(workspace, 1, moment, total_ms=500.0, flag_count=1, contradicted_count=1)
    add_traces(workspace, 1, moment, status="nothing found", passage_count=0, claim_count=0, best_score=0.1)
    add_traces(workspace, 1, moment, status="failed", claim_count=0)
    add_traces(workspace, 1, moment, status="cancelled", claim_count=0)
    add_traces(workspace, 1, moment, outcome="refused", silent_failures='["cut off"]', answer="No.")
    asks = list_measured(workspace.database, Scope())
    figures = {key: sorted(values_of(measure, asks)) for key, measure in MEASURES.items()}
    assert figures["flag_rate"] == figures["contradiction_rate"] == [0.0, 1.0]  # of answers with a claim
    assert figures["refusal_rate"] == figures["silent_failure_rate"] == [0.0, 1.0]  # of answers
    assert figures["empty_retrieval_rate"] == [0.0, 0.0, 1.0]  # of completed searches
    assert figures["failure_rate"] == [0.0, 0.0, 0.0, 1.0]  # of all but the cancelled one
    assert figures["latency"] == [500.0, 1000.0]
    assert figures["best_score"] == figures["score_drift"] == [0.1, 0.5, 0.5]
    assert figures["answer_length"] == [3.0, 12.0]  # characters
    assert figures["question_drift"] == []


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_value_on_or_between_its_limits_is_not_beyond_them(value: float, low: float, width: float) -> None:
    high = low + width
    assert not beyond(value, None, None)
    assert not beyond(low, low, high) and not beyond(high, low, high)
    if beyond(value, low, high):
        assert value < low or value > high
    if value < low - 1 or value > high + 1:
        assert beyond(value, low, high)


def test_a_scope_and_a_rule_are_said_in_words(workspace: Workspace) -> None:
    assert Scope().sentence() == "all questions"
    assert Scope("A", "m", "f00dcafe1234").sentence() == "A, m, prompt f00dcafe"
    rules = {rule.name: rule for rule in list_alerts(workspace.database)}
    assert rules["Silent failures"].condition == "above 5 %, last 50"
    assert rules["More refusals"].condition == "above the control limit, last 50"
    assert rules["Other scores than before"].condition == "below p = 0.010, last 100"
    assert rules["More refusals"].scope == Scope()
    assert {rule.state for rule in rules.values()} == {AlertState.NOT_ENOUGH_DATA}
    assert list(rules) == sorted(rules)
    assert list_alerts(workspace.database, firing_only=True) == []


def test_a_collection_has_its_own_reference_period_or_the_one_for_all(workspace: Workspace) -> None:
    assert find_reference(workspace.database, "A") is None
    with workspace.store.session() as session:
        session.add(ReferencePeriod(collection="A", start_ms=0, end_ms=60_000))
        session.add(ReferencePeriod(collection="", start_ms=0, end_ms=120_000, note="calm"))
    own, common = find_reference(workspace.database, "A"), find_reference(workspace.database, "B")
    assert own is not None and common is not None
    assert (own.collection, common.collection, common.note) == ("A", "", "calm")
    assert [row.collection for row in list_reference_periods(workspace.database)] == ["", "A"]
    begin, _, end = own.sentence().partition(" to ")
    assert begin != end and begin[:-2] == end[:-2]  # a minute apart


def test_questions_of_a_scope_are_the_newest_of_people_in_its_time(workspace: Workspace) -> None:
    add_traces(workspace, 5, 1000, step_ms=1000, answer="It is ü.")
    add_traces(workspace, 1, 2500, source="regression")
    add_traces(workspace, 1, 2500, status="running")
    found = list_measured(workspace.database, Scope(since_ms=2000, until_ms=5000))
    assert [ask.created_ms for ask in found] == [4000, 3000, 2000]
    assert {ask.answer_length for ask in found} == {8}
    assert [ask.created_ms for ask in list_measured(workspace.database, Scope(), 2)] == [5000, 4000]


def test_a_collection_says_how_its_regression_questions_are(workspace: Workspace) -> None:
    def row(changes: tuple[str, ...] | None) -> RegressionRow:
        return RegressionRow(1, "Why?", 0, 1 if changes is not None else None, None, "t", None, None, changes)

    assert (row(None).change, row(()).change) == (None, "")
    assert row((AnswerChange.REFUSES, AnswerChange.FLAGGED)).change == "refuses now, flagged now"
    assert RegressionState("A", (), None, "").sentence().startswith("No regression questions yet")
    assert RegressionState("A", (row(None),), None, "").sentence().endswith("have not been run yet.")
    same, changed = row(()), row((AnswerChange.OTHER_FIGURES,))
    assert RegressionState("A", (same, row(None)), 1, "").sentence() == "All 1 the same in the last run."
    assert RegressionState("A", (same, changed), 1, "").sentence() == "1 of 2 changed in the last run."


# --- without a database ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", list(TraceStatus))
def test_how_a_question_ended_decides_which_measures_count_it(status: TraceStatus) -> None:
    asked = ask(
        status=status, claim_count=1, best_score=0.5, total_ms=1.0, first_token_ms=1.0, answer_length=1
    )
    counting = {measure.key for measure in COUNTED if measure.of(asked) is not None}
    wanted = {"flag_rate", "contradiction_rate"}  # of any answer whose sentences were checked
    if status is TraceStatus.DONE:
        wanted |= {"refusal_rate", "silent_failure_rate", "answer_length", "latency", "first_token"}
        wanted |= {"prompt_tokens", "completion_tokens"}
    if status in (TraceStatus.DONE, TraceStatus.NOTHING_FOUND):
        wanted |= {"empty_retrieval_rate", "best_score"}
    if status is not TraceStatus.CANCELLED:
        wanted |= {"failure_rate", "guardrail_rate"}
    assert counting == wanted


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("flag_rate", {"claim_count": 0, "flag_count": 3}, None),
        ("flag_rate", {"claim_count": 3, "flag_count": 2}, True),  # one answer, however many sentences
        ("flag_rate", {"claim_count": 3}, False),
        ("contradiction_rate", {"claim_count": 3, "contradicted_count": 1}, True),
        ("refusal_rate", {"outcome": "refused"}, True),
        ("refusal_rate", {"outcome": "answered"}, False),
        ("refusal_rate", {"outcome": ""}, False),
        ("failure_rate", {"status": TraceStatus.INTERRUPTED}, True),
        ("failure_rate", {"status": TraceStatus.FAILED}, True),
        ("failure_rate", {"status": TraceStatus.NOTHING_FOUND}, False),
        ("empty_retrieval_rate", {"status": TraceStatus.NOTHING_FOUND}, True),
        ("empty_retrieval_rate", {"passage_count": 1}, False),
        ("latency", {"total_ms": None}, None),
        ("latency", {"total_ms": 0.0}, 0.0),
        ("first_token", {"first_token_ms": None}, None),
        ("best_score", {"best_score": -0.5}, -0.5),
        ("best_score", {"best_score": None}, None),
        ("completion_tokens", {"completion_tokens": 0}, 0),
        ("question_drift", {"best_score": 0.5}, None),
        ("endpoint_change", {"best_score": 0.5}, None),
    ],
)
def test_a_measure_of_one_question(key: str, values: dict[str, Any], expected: float | None) -> None:
    assert MEASURES[key].of(ask(**values)) == expected


def test_values_are_in_the_order_of_the_questions_that_have_them() -> None:
    asks = [ask(total_ms=value) for value in (3.0, None, 1.0, 2.0)]
    assert values_of(MEASURES["latency"], asks) == [3.0, 1.0, 2.0]
    assert values_of(MEASURES["latency"], []) == []


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("flag_rate", 0.0, "0 %"),
        ("flag_rate", 0.001, "0.1 %"),
        ("flag_rate", 0.0049, "0.49 %"),
        ("flag_rate", 1.0, "100 %"),
        ("flag_rate", 1 / 3, "33.3 %"),
        ("latency", 1.0, "0 s"),
        ("latency", 999.0, "1 s"),
        ("latency", 59_960.0, "60 s"),
        ("latency", 3_600_000.0, "3,600 s"),
        ("answer_length", 100.0, "100 characters"),
        ("answer_length", 12_345.6, "12,346 characters"),
        ("best_score", 0.5, "0.5"),
        ("best_score", -0.25, "-0.25"),
        ("best_score", -0.001, "0"),
        ("prompt_tokens", 10.0, "10"),
        ("prompt_tokens", 1_000_000.0, "1,000,000"),
        ("question_drift", 1.0, "p = 1.000"),
        ("question_drift", 0.0, "p = 0.000"),
        ("flag_rate", None, "–"),
        ("question_drift", None, "–"),
    ],
)
def test_a_value_is_short_and_has_its_unit(key: str, value: float | None, shown: str) -> None:
    assert MEASURES[key].shown(value) == shown


@pytest.mark.parametrize(
    ("key", "low", "high", "shown"),
    [
        ("flag_rate", 0.208, 0.458, "20.8 to 45.8 %"),
        ("latency", 2000.0, None, "from 2 s"),
        ("flag_rate", None, 0.28, "to 28 %"),
        ("best_score", 0.25, 0.5, "0.25 to 0.5"),
        ("answer_length", 10.0, 2_000.0, "10 to 2,000 characters"),
        ("flag_rate", 0.0, 0.0, "0 to 0 %"),
        ("latency", None, None, "–"),
    ],
)
def test_two_ends_have_their_unit_once(key: str, low: float | None, high: float | None, shown: str) -> None:
    assert MEASURES[key].between(low, high) == shown


@given(st.sampled_from(COUNTED), st.floats(0, 1e9))
def test_what_is_shown_is_the_value_but_for_its_rounding(measure: Any, value: float) -> None:
    shown = float(measure.shown(value).removesuffix(measure.unit).replace(",", ""))
    number = value * measure.scale
    assert abs(shown - number) <= (0.0051 if number < 1 else 0.051 if number < 100 else 0.51)


def test_every_measure_is_found_by_its_key_and_a_rate_is_a_share() -> None:
    assert all(key == measure.key for key, measure in MEASURES.items())
    assert len({measure.title for measure in MEASURES.values()}) == len(MEASURES)
    rates = [measure for measure in MEASURES.values() if measure.kind is MeasureKind.RATE]
    assert {(measure.unit, measure.scale, measure.worse) for measure in rates} == {
        ("%", 100, Comparison.ABOVE)
    }
    assert not {measure.kind for measure in COUNTED} & {MeasureKind.DRIFT, MeasureKind.CHANGE}


RULE = AlertRow(
    1, "n", "flag_rate", "", "", "", Comparison.ABOVE, 0.05, 50, 20, True, "", AlertState.OK, 0, 0, None, 0, None, "", ""
)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "above 5 %, last 50"),
        ({"threshold": None}, "above the control limit, last 50"),
        ({"threshold": 0.0}, "above 0 %, last 50"),
        ({"measure": "latency", "threshold": 2500.0, "window": 10}, "above 2.5 s, last 10"),
        ({"measure": "best_score", "comparison": Comparison.BELOW, "threshold": 0.4}, "below 0.4, last 50"),
        ({"measure": "question_drift", "threshold": 0.01}, "above p = 0.010, last 50"),
        ({"measure": "of a later program", "threshold": 0.125}, "above 0.125, last 50"),
        ({"measure": "of a later program", "threshold": None}, "above the control limit, last 50"),
        ({"measure": "endpoint_change"}, "another model or configuration answers"),
    ],
)
def test_when_a_rule_fires_is_said_in_words(values: dict[str, Any], said: str) -> None:
    assert replace(RULE, **values).condition == said


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope("A"), "A"),
        (Scope(model="m"), "m"),
        (Scope(prompt="f00dcafe1234"), "prompt f00dcafe"),
        (Scope("A", prompt="f00d"), "A, prompt f00d"),
        (Scope(since_ms=1, until_ms=2), "all questions"),
    ],
)
def test_a_scope_names_what_it_filters_by(scope: Scope, said: str) -> None:
    assert scope.sentence() == said


@pytest.mark.parametrize(
    ("value", "low", "high", "outside"),
    [
        (None, 0.1, 0.2, False),
        (0.3, None, None, False),
        (0.1, 0.1, 0.2, False),
        (0.2, 0.1, 0.2, False),
        (0.1 + 0.2, None, 0.3, False),  # 0.30000000000000004
        (0.3001, None, 0.3, True),
        (0.0, 0.1, None, True),
        (0.3, 0.1, 0.2, True),
    ],
)
def test_a_summary_is_outside_when_its_value_is_beyond_a_limit(
    value: float | None, low: float | None, high: float | None, outside: bool
) -> None:
    assert MeasureSummary("k", value, 1, None, None, 0, low, high, "", ()).outside is outside


@pytest.mark.parametrize("minutes", [1, 60, 24 * 60 * 400])
def test_a_reference_period_is_said_with_both_of_its_ends(minutes: int) -> None:
    begin, end = ReferenceRow("A", DAY, DAY + minutes * 60_000, "").sentence().split(" to ")
    assert begin != end and "1970" in begin


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(), ["a", "b", "c"]),
        (Scope("A"), ["a", "b"]),
        (Scope("B"), ["c"]),
        (Scope("a"), []),
        (Scope("A", "m2"), ["b"]),
        (Scope("B", "m2"), []),
        (Scope(prompt="f1"), ["a", "c"]),
        (Scope("A", "m1", "f1"), ["a"]),
        (Scope(since_ms=2000), ["a", "b"]),
        (Scope(until_ms=2000), ["c"]),
        (Scope(since_ms=0, until_ms=0), []),
        (Scope("A", since_ms=3000, until_ms=3001), ["a"]),
    ],
)
def test_a_scope_finds_its_questions_newest_first(
    workspace: Workspace, scope: Scope, found: list[str]
) -> None:
    add_traces(workspace, 1, 3000, id="a", model="m1", prompt_fingerprint="f1")
    add_traces(workspace, 1, 2000, id="b", model="m2", prompt_fingerprint="f2")
    add_traces(workspace, 1, 1000, id="c", collection="B", model="m1", prompt_fingerprint="f1")
    add_traces(workspace, 1, 1500, id="d", source="evaluation")
    assert [asked.id for asked in list_measured(workspace.database, scope)] == found


def test_a_prompt_is_named_by_its_version_or_else_by_its_fingerprint(workspace: Workspace) -> None:
    for name, version, fingerprint in (("b", 2, "f2"), ("a", None, "f00dcafe99"), ("a", 1, "f1")):
        add_traces(workspace, 2, 1, prompt_name=name, prompt_version=version, prompt_fingerprint=fingerprint)
    add_traces(
        workspace, 1, 1, prompt_name="z", prompt_version=1, prompt_fingerprint="f9", source="evaluation"
    )
    assert list_asked_prompts(workspace.database) == [
        ("f00dcafe99", "a f00dcafe"), ("f1", "a@1"), ("f2", "b@2")
    ]  # fmt: skip


def test_measures_of_agents_count_runs_that_have_tools() -> None:
    of = {key: MEASURES[key].of for key in ("tool_error_rate", "loop_rate", "steps_per_run")}
    own = ask()
    assert [measure(own) for measure in of.values()] == [None, None, None], "not a trace of an agent"
    run = ask(step_count=12, tool_calls=3, tool_errors=2, loop_count=0)
    assert [measure(run) for measure in of.values()] == [True, False, 12]
    without_tools = ask(step_count=2, tool_calls=0, tool_errors=0, loop_count=0)
    assert [measure(without_tools) for measure in of.values()] == [None, None, 2]
    assert MEASURES["steps_per_run"].shown(12) == "12" and MEASURES["tool_error_rate"].shown(0.5) == "50 %"
