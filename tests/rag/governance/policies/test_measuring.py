"""A policy is measured on the user's own chunks and questions before it goes live."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.errors import NotFoundError
from rag.governance.policies.measuring import measure_policy
from rag.governance.policies.registry import delete_policy, save_policy
from rag.guardrails.policies.rows import (
    MeasureProgress,
    ResultFilter,
    find_policy_version,
    list_results,
    read_measurements,
)
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

PHRASE = {"name": "bread", "check": "phrases", "where": ["question", "passages"], "action": "refuse",
          "phrases": ["bread"]}  # fmt: skip
LONG = {"name": "long", "check": "length", "where": "answer", "action": "warn", "most": 1}


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    for text in ("What does rye bread need?", "How high is the tide?"):
        drive(answer_question(workspace, Question(text, "A")))
    return workspace


@pytest.fixture
def save(filled: Workspace) -> Callable[..., int]:
    def saved(*rules: dict[str, Any]) -> int:
        return save_policy(filled.store, filled.database, "Outside", rules).id

    return saved


def test_alarms_are_counted_by_rule_and_kind_of_text_with_intervals(
    filled: Workspace, save: Callable[..., int]
) -> None:
    version = save(PHRASE, LONG)
    report = drive(measure_policy(filled, "Outside", "A"))
    rates = {(rate.rule, rate.texts): rate for rate in report.rates}
    assert set(rates) == {("bread", "chunks"), ("bread", "questions")}  # no answer is here to be long
    chunks, questions = rates["bread", "chunks"], rates["bread", "questions"]
    assert (chunks.alarms, chunks.total, questions.alarms, questions.total) == (1, 3, 1, 2)
    assert chunks.low < (chunks.per_thousand or 0) < chunks.high
    assert questions.said.startswith("500.0 per 1,000 (")
    assert ("bread", "phrase 1", "What does rye bread need?") in report.examples
    stored = read_measurements(filled.database, version)
    assert [(texts, total, alarms) for _, _, _, texts, total, alarms, _ in stored] == [
        ("chunks", 3, 1),
        ("questions", 2, 1),
    ]


def test_measuring_acts_on_nothing(filled: Workspace, save: Callable[..., int]) -> None:
    save(PHRASE)
    drive(measure_policy(filled, "Outside@1", "A"))
    assert list_results(filled.database, ResultFilter()) == []


def test_a_measurement_that_is_closed_stores_nothing(filled: Workspace, save: Callable[..., int]) -> None:
    version = save(PHRASE)
    steps = measure_policy(filled, "Outside", "A")
    assert next(steps) == MeasureProgress(0, 3, "chunks")
    steps.close()
    assert read_measurements(filled.database, version) == []


def test_at_most_so_many_texts_are_read(filled: Workspace, save: Callable[..., int]) -> None:
    save(PHRASE)
    report = drive(measure_policy(filled, "Outside", "A", limit=1))
    assert {rate.total for rate in report.rates} == {1}


def test_without_a_text_there_is_no_rate(filled: Workspace, save: Callable[..., int]) -> None:
    save({**PHRASE, "where": ["question"]})
    filled.database.close()
    with filled.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM trace")
    (rate,) = drive(measure_policy(filled, "Outside", "A")).rates
    assert (rate.per_thousand, rate.said) == (None, "no texts")


@pytest.mark.parametrize(("policy", "collection"), [("Nobody", "A"), ("Outside", "Nothing")])
def test_what_is_not_there_cannot_be_measured(
    filled: Workspace, save: Callable[..., int], policy: str, collection: str
) -> None:
    save(PHRASE)
    assert find_policy_version(filled.database, "Outside").number == 1
    with pytest.raises(NotFoundError):
        drive(measure_policy(filled, policy, collection))


def test_progress_is_told_every_25_texts_and_a_long_example_is_shortened(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "long.txt").write_text(
        "\n\n".join(f"Bread number {n} rests. " * 40 for n in range(30)), "utf-8"
    )
    drive(ingest_files(workspace, "A", [tmp_path]))
    save_policy(workspace.store, workspace.database, "Outside", [{**PHRASE, "where": ["passages"]}])
    steps, events = measure_policy(workspace, "Outside", "A"), []
    try:
        while True:
            events.append(next(steps))
    except StopIteration as end:
        report = end.value
    total = report.rates[0].total
    assert total > 25
    assert events == [MeasureProgress(done, total, "chunks") for done in range(0, total, 25)]
    assert len(report.examples) == 3, "the first of a rule"
    assert all(len(text) <= 160 and text.endswith("…") and "\n" not in text for _, _, text in report.examples)


def test_a_rule_that_looks_at_two_kinds_of_places_counts_a_text_once(
    filled: Workspace, save: Callable[..., int]
) -> None:
    save({**PHRASE, "where": ["document", "passages", "question", "server", "MCP"], "action": "note"})
    rates = drive(measure_policy(filled, "Outside", "A")).rates
    assert [(rate.texts, rate.alarms, rate.total) for rate in rates] == [
        ("chunks", 1, 3),
        ("questions", 1, 2),
    ]


def test_the_last_measurement_of_each_rule_is_read_and_a_deleted_policy_takes_them_along(
    filled: Workspace, save: Callable[..., int]
) -> None:
    version = save(PHRASE)
    for limit in (1, 3):
        drive(measure_policy(filled, "Outside", "A", limit=limit))
    assert len(filled.database.cells("SELECT 1 FROM guardmeasurement")) == 4
    assert {total for *_, total, _, _ in read_measurements(filled.database, version)} <= {1, 2, 3}
    assert len(read_measurements(filled.database, version)) == 2
    assert read_measurements(filled.database, version + 1) == []
    delete_policy(filled.store, "Outside")
    assert filled.database.cells("SELECT 1 FROM guardmeasurement") == []


def test_measuring_is_in_the_log_of_the_data_folder(filled: Workspace, save: Callable[..., int]) -> None:
    save(PHRASE)
    drive(measure_policy(filled, "Outside", "A"))
    assert filled.database.cells("SELECT action, subject FROM auditevent ORDER BY id DESC LIMIT 1") == [
        ("policy measured", "Outside 1")
    ]
