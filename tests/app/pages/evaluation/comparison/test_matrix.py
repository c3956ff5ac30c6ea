"""The matrix of questions and runs: right answers, answers with what is known of them, filters, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from driving import column, rows
from pytestqt.qtbot import QtBot

from app.pages.evaluation.comparison.matrix import CaseMatrix, matrix_columns, right_answer
from app.widgets.theme import Theme
from rag.evaluation.comparison import compare_evaluations
from rag.evaluation.rows import RunComparison
from rag.workspace import Workspace


@pytest.fixture
def both(runs: Workspace) -> RunComparison:
    return compare_evaluations(runs, [1, 2])


@pytest.fixture
def matrix(qtbot: QtBot, theme: Theme, both: RunComparison) -> CaseMatrix:
    made = CaseMatrix(theme)
    qtbot.addWidget(made)
    made.resize(1100, 300)
    made.show()
    made.show_comparison(both)
    return made


def titles(matrix: CaseMatrix) -> list[str]:
    return [column.title for column in matrix.table.records_model.columns]


def test_a_row_has_the_right_answer_and_an_answer_of_each_run(matrix: CaseMatrix) -> None:
    assert titles(matrix) == [
        "Change", "Question", "Right answer", "1: Plain 1 (baseline)", "2: Plain 1", "Why", "Tags",
    ]  # fmt: skip
    table = {row[1]: row for row in rows(matrix.table)}
    tide = table["How far does the tide at Bremen rise?"]
    assert tide[2] == "3.5 metres"
    assert tide[3].startswith("check failed: Rye bread needs sourdough [1].")
    assert tide[4].startswith("checks passed: Rye bread needs sourdough and many metres")
    assert "check failed before, checks passed now" in tide[5]
    moon = table["Quantum chromodynamics lattice?"]
    assert moon[2] == "to be declined" and moon[3].split(":")[0] in ("right", "wrong")


def test_a_cell_is_coloured_by_its_verdict_and_ran_is_not_green(
    matrix: CaseMatrix, both: RunComparison
) -> None:
    first = matrix_columns(both.runs)[3]
    colours = {
        case.answers[0].mark: first.colour(case) for case in both.cases if case.answers[0] and first.colour
    }
    assert colours["check failed"] == "bad"
    assert "ran" not in colours or colours["ran"] is None
    explained = first.tooltip
    assert explained is not None and all("\n\n" in explained(case) for case in both.cases)


def test_one_run_has_no_change_to_explain(matrix: CaseMatrix, runs: Workspace) -> None:
    matrix.show_comparison(compare_evaluations(runs, [1]))
    assert titles(matrix) == ["Question", "Right answer", "1: Plain 1", "Tags"]
    assert not matrix.show_box.model().item(1).isEnabled()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [("All questions", 3), ("Another verdict", 1), ("Better", 1)],
)
def test_questions_are_filtered_by_what_became_of_them(
    matrix: CaseMatrix, both: RunComparison, choice: str, wanted: int
) -> None:
    matrix.show_box.setCurrentIndex(matrix.show_box.findText(choice))
    shown = column(matrix.table, "Question")
    if choice == "Better":
        assert shown == [case.question for case in both.cases if case.change > 0.005]
    else:
        assert len(shown) == wanted
    if len(shown) < 3:
        assert matrix._count.text() == f"{len(shown)} of 3 questions"


def test_questions_are_found_by_words_of_the_answers(matrix: CaseMatrix) -> None:
    matrix.search.setText("METRES patience")
    assert len(rows(matrix.table)) == 2, "run 2 found nothing about the moon"
    matrix.search.setText("bremen")
    assert column(matrix.table, "Question") == ["How far does the tide at Bremen rise?"]
    matrix.search.setText("zebra")
    assert rows(matrix.table) == [] and matrix.table._empty == "No question matches."


def test_the_chosen_question_stays_with_other_runs(matrix: CaseMatrix, runs: Workspace) -> None:
    matrix.table.choose(lambda case: case.key == "tide")
    matrix.show_comparison(compare_evaluations(runs, [2, 1]))
    assert [case.key for case in matrix.table.selected_records()] == ["tide"]
    assert titles(matrix)[3] == "2: Plain 1 (baseline)"


def test_a_case_without_a_right_answer_says_so(both: RunComparison) -> None:
    assert right_answer(replace(both.cases[0], references=(), should_refuse=False)) == "–"
