"""Whether the questions are those they were, and similar questions whose answers disagree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSpinBox, QSplitter, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Panel, row
from app.widgets.theme import SPACE
from rag import operations
from rag.monitoring.rows import Disagreement, DriftResult, Member, Scope
from rag.text.plurals import counted

Run = Callable[..., Any]  # (operation, done, **arguments): follows the task on the page's strip

GROUP_COLUMNS = (
    Column("Question", lambda g: g.question, 260, stretch=True, tooltip=lambda g: g.question),
    Column("Asks", lambda g: str(len(g.members)), 48, right=True, sort=lambda g: len(g.members)),
    Column("What differs", lambda g: ", ".join(g.reasons), 170, tooltip=lambda g: ", ".join(g.reasons)),
    Column("Perhaps because of", lambda g: g.cause or "nothing known", 150, tooltip=lambda g: g.cause,
           colour=lambda g: None if g.cause else "text_muted"),
)  # fmt: skip
MEMBER_COLUMNS = (
    Column("Asked", lambda m: datetime.fromtimestamp(m.created_ms / 1000).strftime("%d %b %H:%M"), 112,
           sort=lambda m: m.created_ms),
    Column("Answer", lambda m: " ".join(m.answer.split()), 280, stretch=True, tooltip=lambda m: m.answer[:1500]),
    Column("Model", lambda m: m.model, 110, tooltip=lambda m: m.model),
    Column("Version", lambda m: str(m.version_number or "–"), 74, right=True),
)  # fmt: skip


NEW_COLUMNS = (
    Column("Cosine", lambda q: f"{q.cosine:.2f}", 62, right=True, sort=lambda q: q.cosine),
    Column("Question", lambda q: q.question, 320, stretch=True, tooltip=lambda q: q.question),
    Column("Most like it in the reference period", lambda q: q.nearest, 380, tooltip=lambda q: q.nearest),
    Column("Asked", lambda q: datetime.fromtimestamp(q.created_ms / 1000).strftime("%d %b %H:%M"), 112,
           sort=lambda q: q.created_ms),
)  # fmt: skip


class DriftPanel(QWidget):
    """The two tests, run on demand: the first embeds up to a thousand questions."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._run = run
        self._scope = Scope()
        self.window_box = QSpinBox(minimum=20, maximum=500, value=100, singleStep=10)
        self.window_box.setAccessibleName("How many of the last asks")
        self.test_button = button("Test for drift", self.test, primary=True)
        self.verdicts: dict[str, Any] = {}
        panels = QHBoxLayout()
        panels.setSpacing(SPACE)
        for what, title, method in (
            (
                "questions",
                "Questions",
                "Energy distance of the questions' embeddings, with a permutation test (Székely and Rizzo 2013): exact at any "
                "size, and sensitive to a change of topic as well as to one of spread.",
            ),
            (
                "scores",
                "Best retrieval scores",
                "Kolmogorov-Smirnov test of the nearest passages' cosine: exact at any size. Lower scores say that the "
                "documents answer these questions less well.",
            ),
        ):
            panel = Panel(title)
            verdict, figures = label("Not tested yet", "value", wrap=True), label("", wrap=True)
            self.verdicts[what] = (verdict, figures)
            for widget in (verdict, figures, label(method, "small", wrap=True)):
                panel.body.addWidget(widget)
            panel.body.addStretch(1)
            panels.addWidget(panel, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addWidget(
            label(
                "The last asks against those of the reference period. A small p says that such a difference is rare by "
                "chance; with few asks a large change only is seen, so “no sign” is no proof.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(row(self.test_button, label("with the last"), self.window_box, label("asks"), 1))
        layout.addLayout(panels)
        layout.addWidget(label("Questions least like those of the reference period", "section"))
        self.questions = RecordTable(
            NEW_COLUMNS, console.theme, "drifted_questions", "The test lists the questions that are new."
        )
        self.questions.record_activated.connect(lambda question: self.trace_requested.emit(question.trace_id))
        layout.addWidget(self.questions, 1)

    def show_scope(self, scope: Scope) -> None:
        if scope != self._scope:
            self._scope = scope
            self.questions.set_records(())
            for verdict, figures in self.verdicts.values():
                verdict.setText("Not tested yet")
                figures.clear()

    def test(self) -> None:
        scope = self._scope
        self._run(
            operations.test_drift,
            lambda results: scope == self._scope and self._show(results),
            scope=scope,
            window=self.window_box.value(),
        )

    def _show(self, results: tuple[DriftResult, ...]) -> None:
        self.questions.set_records([question for result in results for question in result.least_alike])
        for result in results:
            verdict, figures = self.verdicts[result.what]
            head, _, rest = result.sentence.partition(": ")
            if result.p is None:
                verdict.setText("Not tested")
                figures.setText(result.sentence[0].upper() + result.sentence[1:] + ".")
                continue
            verdict.setText(head[0].upper() + head[1:])
            figures.setText(f"{rest}; statistic {result.statistic:.3f}.")


class DisagreementPanel(QWidget):
    """Groups at the left, the answers of the chosen one at the right."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._run = run
        self._scope = Scope()
        self.find_button = button("Look for disagreements", self.find, primary=True)
        self.count = label("", "muted")
        self.groups = RecordTable(
            GROUP_COLUMNS,
            console.theme,
            "disagreements",
            "Not looked for yet. Similar questions are those whose embeddings have a cosine of 0.9 and more and that hold "
            "the same figures.",
        )
        self.members = RecordTable(
            MEMBER_COLUMNS, console.theme, "disagreeing_answers", "Choose a group to read its answers."
        )
        self.open_button = button("Open the trace", self._open)
        self.open_button.setEnabled(False)
        self.groups.record_selected.connect(self._show_group)
        self.members.record_activated.connect(lambda member: self.trace_requested.emit(member.trace_id))
        self.members.record_selected.connect(lambda _member: self.open_button.setEnabled(True))
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.groups)
        splitter.addWidget(self.members)
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addLayout(row(self.find_button, self.count, 1, self.open_button))
        layout.addWidget(splitter, 1)

    def show_scope(self, scope: Scope) -> None:
        if scope != self._scope:
            self._scope = scope
            self._show(())
            self.count.clear()

    def find(self) -> None:
        scope = self._scope
        self._run(
            operations.find_disagreements,
            lambda groups: scope == self._scope and self._found(groups),
            scope=scope,
        )

    def _found(self, groups: tuple[Disagreement, ...]) -> None:
        self._show(groups)
        number = len(groups)
        self.count.setText(
            f"{counted(number, 'group')} among the last 500 answered asks"
            if number
            else "No similar questions with answers that disagree among the last 500 asks"
        )
        self.groups.set_empty_text("No similar questions have answers that disagree.")
        if groups:
            self.groups.selectRow(0)

    def _show(self, groups: tuple[Disagreement, ...]) -> None:
        self.groups.set_records(groups)
        self.members.set_records(())
        self.open_button.setEnabled(False)

    def _show_group(self, group: Disagreement) -> None:
        self.members.set_records(group.members)
        self.open_button.setEnabled(False)

    def _open(self) -> None:
        chosen: list[Member] = self.members.selected_records()
        if chosen:
            self.trace_requested.emit(chosen[0].trace_id)
