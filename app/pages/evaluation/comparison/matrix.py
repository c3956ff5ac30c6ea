"""The matrix of questions and runs: the right answer, each run's answer with what is known of it, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, refill
from app.widgets.navigation import SearchField
from app.widgets.theme import SMALL_SPACE, Theme
from rag.evaluation.rows import CaseAnswer, CaseComparison, RunComparison, RunRow
from rag.evaluation.verdicts.rows import AnswerMark
from rag.text.plurals import counted

MARK_COLOURS = {
    AnswerMark.RIGHT: "good",
    AnswerMark.CHECKS_PASSED: "good",
    AnswerMark.WRONG: "bad",
    AnswerMark.CHECK_FAILED: "bad",
    AnswerMark.ERROR: "bad",
    AnswerMark.TIMEOUT: "bad",
    AnswerMark.DECLINED: "check",
}
_LEAST_CHANGE = 0.005  # a smaller one is shown as 0.00

Wanted = Callable[[CaseComparison], bool]


def _is_better(case: CaseComparison) -> bool:
    return not case.is_changed and case.change > _LEAST_CHANGE


def _is_worse(case: CaseComparison) -> bool:
    return not case.is_changed and case.change < -_LEAST_CHANGE


def _mark_differs(case: CaseComparison) -> bool:
    first, last = case.answers[0], case.answers[-1]
    return first is not None and last is not None and first.mark != last.mark


def _has_fault(case: CaseComparison) -> bool:
    bad = ("bad", "check")
    return any(answer is not None and MARK_COLOURS.get(answer.mark) in bad for answer in case.answers)


CHOICES: tuple[tuple[str, Wanted], ...] = (
    ("All questions", lambda case: True),
    ("Better", _is_better),
    ("Worse", _is_worse),
    ("Another verdict", _mark_differs),
    ("Wrong or failed", _has_fault),
)


def answer_text(answer: CaseAnswer | None) -> str:
    """Return the answer, or in brackets why there is none."""
    if answer is None:
        return ""
    return answer.answer or (f"({answer.error})" if answer.error else "(nothing)")


def right_answer(case: CaseComparison) -> str:
    """Return the right answers of a case as people read them."""
    return "to be declined" if case.should_refuse else " / ".join(case.references) or "–"


def change_text(case: CaseComparison) -> str:
    """Return how far the last run is from the first in a case."""
    return "edited" if case.is_changed else f"{case.change:+.2f}".replace("-", "−")


def _change_colour(case: CaseComparison) -> str:
    if case.is_changed:
        return "check"
    return "good" if _is_better(case) else "bad" if _is_worse(case) else "text_muted"


def _about_change(case: CaseComparison) -> str:
    if case.is_changed:
        return "The case was edited between the runs, so its answers are not compared"
    means = "Mean difference of all metrics that are shares, from −1 (worse) to 1 (better)"
    return "\n".join([means, *(f"• {reason}" for reason in case.reasons)])


def _answer_column(run: RunRow, place: int, alone: bool) -> Column:
    """Return the column with the answers of a run."""

    def answer(case: CaseComparison) -> CaseAnswer | None:
        return case.answers[place]

    def cell(case: CaseComparison) -> str:
        found = answer(case)
        return "not asked" if found is None else f"{found.mark}: {' '.join(answer_text(found).split())[:160]}"

    def tip(case: CaseComparison) -> str:
        found = answer(case)
        return "" if found is None else f"{found.mark}: {found.mark_reason}\n\n{answer_text(found)[:2000]}"

    def colour(case: CaseComparison) -> str | None:
        found = answer(case)
        return "text_muted" if found is None else MARK_COLOURS.get(found.mark)

    role = "" if alone else " (baseline)" if place == 0 else ""
    return Column(f"{run.id}: {run.label}{role}", cell, 160, tooltip=tip, colour=colour, priority=0)


def matrix_columns(runs: Sequence[RunRow]) -> tuple[Column, ...]:
    """Return the columns of a matrix of these runs; one run alone has nothing that changed."""
    alone = len(runs) == 1
    change = (
        Column("Change", change_text, 66, right=True, sort=lambda c: c.change, colour=_change_colour,
               tooltip=_about_change, priority=0),
    )  # fmt: skip
    why = (
        Column("Why", lambda c: "; ".join(c.reasons) or "–", 190, tooltip=_about_change, priority=1),
    )  # fmt: skip
    return (
        *(() if alone else change),
        Column("Question", lambda c: c.question, 200, stretch=True, tooltip=lambda c: c.question),
        Column("Right answer", right_answer, 110, tooltip=right_answer, priority=0,
               colour=lambda c: "check" if c.should_refuse else None),
        *(_answer_column(run, place, alone) for place, run in enumerate(runs)),
        *(() if alone else why),
        Column("Tags", lambda c: ", ".join(c.tags), 90, tooltip=lambda c: ", ".join(c.tags), priority=9),
    )  # fmt: skip


class CaseMatrix(QWidget):
    """A table with a row a question and a column a run, made anew when other runs are compared."""

    case_selected = Signal(object)  # a CaseComparison

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._cases: tuple[CaseComparison, ...] = ()
        self._titles: tuple[str, ...] = ()
        self.show_box = QComboBox()
        self.show_box.setAccessibleName("Which questions are shown")
        refill(self.show_box, [(title, place) for place, (title, _) in enumerate(CHOICES)])
        self.search = SearchField("Find a question or an answer")
        self._count = label("", "muted")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, SMALL_SPACE, 0, 0)
        self._layout.setSpacing(SMALL_SPACE)
        self._layout.addLayout(Flow(self.show_box, self.search, self._count))
        self.table = self._make_table(())
        self.show_box.currentIndexChanged.connect(lambda _index: self._fill())
        self.search.textChanged.connect(lambda _text: self._fill())

    def show_comparison(self, found: RunComparison) -> None:
        """Show the questions of a comparison; the chosen one stays."""
        kept: list[CaseComparison] = self.table.selected_records()
        columns = matrix_columns(found.runs)
        titles = tuple(column.title for column in columns)
        if titles != self._titles:
            self._titles = titles
            old, self.table = self.table, self._make_table(columns)
            self._layout.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._cases = found.cases
        for place in range(1, len(CHOICES)):  # of one run nothing has changed
            self.show_box.model().item(place).setEnabled(len(found.runs) > 1 or place == len(CHOICES) - 1)  # type: ignore[attr-defined]
        self._fill()
        if (
            not (kept and self.table.choose(lambda c: c.key == kept[0].key))
            and self.table.records_model.records
        ):
            self.table.selectRow(0)

    def _make_table(self, columns: Sequence[Column]) -> RecordTable:
        # Columns are remembered by their titles, which name the runs: those of other runs are no loss.
        made = RecordTable(columns, self._theme, "compared_cases", "No question was asked yet.")
        made.record_selected.connect(self.case_selected)
        self._layout.addWidget(made, 1)
        return made

    def _fill(self) -> None:
        wanted = CHOICES[self.show_box.currentData() or 0][1]
        words = self.search.text().lower().split()
        shown = [
            case for case in self._cases if wanted(case) and all(word in _text_of(case) for word in words)
        ]
        self.table.set_empty_text("No question matches." if self._cases else "No question was asked yet.")
        self.table.set_records(shown)
        of_all = f"{len(shown):,} of {counted(len(self._cases), 'question')}"
        self._count.setText("" if len(shown) == len(self._cases) else of_all)


def _text_of(case: CaseComparison) -> str:
    parts: list[Any] = [case.question, *case.references, *case.tags, *map(answer_text, case.answers)]
    return " ".join(parts).lower()
