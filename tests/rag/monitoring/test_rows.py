"""Rows of monitoring: measures, scopes and what an older file has of them."""

import sqlite3
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from stored_traces import DAY, add_traces

from rag.asking.rows import read_overview
from rag.monitoring.rows import (
    MEASURES,
    AlertState,
    AnswerChange,
    RegressionRow,
    RegressionState,
    Scope,
    beyond,
    find_reference,
    list_alerts,
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
