"""Drift: whether questions and scores have changed, and similar questions whose answers disagree."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from app.console import Console
from app.pages.monitors.run import Run
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Panel, Splitter, column, row
from app.widgets.theme import SPACE
from rag import operations
from rag.monitoring.rows import AnswerDisagreement, DriftResult, Member, Scope
from rag.text.plurals import counted

GROUP_COLUMNS = (
    Column("Question", lambda g: g.question, 260, stretch=True, tooltip=lambda g: g.question),
    Column("Times", lambda g: str(len(g.members)), 64, right=True, sort=lambda g: len(g.members)),
    Column("What differs", lambda g: ", ".join(g.reasons), 170, tooltip=lambda g: ", ".join(g.reasons)),
    Column("Possible cause", lambda g: g.cause or "unknown", 150, tooltip=lambda g: g.cause,
           colour=lambda g: None if g.cause else "text_muted"),
)  # fmt: skip
MEMBER_COLUMNS = (
    Column("Asked", lambda m: datetime.fromtimestamp(m.created_ms / 1000).strftime("%d %b %H:%M"), 112,
           sort=lambda m: m.created_ms),
    Column("Answer", lambda m: " ".join(m.answer.split()), 280, stretch=True,
           tooltip=lambda m: m.answer[:1500]),
    Column("Model", lambda m: m.model, 110, tooltip=lambda m: m.model),
    Column("Version", lambda m: str(m.version_number or "–"), 74, right=True),
)  # fmt: skip
NEW_COLUMNS = (
    Column("Cosine", lambda q: f"{q.cosine:.2f}", 62, right=True, sort=lambda q: q.cosine),
    Column("Question", lambda q: q.question, 320, stretch=True, tooltip=lambda q: q.question),
    Column("Most similar in the reference period", lambda q: q.nearest, 380, tooltip=lambda q: q.nearest),
    Column("Asked", lambda q: datetime.fromtimestamp(q.created_ms / 1000).strftime("%d %b %H:%M"), 112,
           sort=lambda q: q.created_ms),
)  # fmt: skip


_TESTS = (
    (
        "questions",
        "Questions",
        "Energy distance of the questions' embeddings, with a permutation test (Székely and Rizzo 2013): "
        "exact at any size, and sensitive to a change of topic as well as of spread.",
    ),
    (
        "scores",
        "Best retrieval scores",
        "Kolmogorov-Smirnov test of the cosine of the nearest passages: exact at any size. Lower scores mean "
        "that the documents answer these questions less well.",
    ),
)


class DriftPanel(QWidget):
    """A panel with two tests, run on demand: the first embeds up to a thousand questions."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._run = run
        self._scope = Scope()
        self.window_box = QSpinBox(minimum=20, maximum=500, value=100, singleStep=10)
        self.window_box.setAccessibleName("How many of the last questions")
        self.test_button = button("Test for drift", self.test, primary=True)
        self.verdicts: dict[str, tuple[QLabel, QLabel]] = {}
        panels = QHBoxLayout()
        panels.setSpacing(SPACE)
        for what, title, method in _TESTS:
            panel = Panel(title)
            verdict, figures = label("Not tested yet", "value", wrap=True), label("", wrap=True)
            self.verdicts[what] = (verdict, figures)
            for widget in (verdict, figures, label(method, "small", wrap=True)):
                panel.body.addWidget(widget)
            panel.body.addStretch(1)
            panels.addWidget(panel, 1)
        self.questions = RecordTable(
            NEW_COLUMNS, console.theme, "drifted_questions", "The test lists the questions that are new."
        )
        self.questions.record_activated.connect(lambda question: self.trace_requested.emit(question.trace_id))
        about = (
            "The last questions are compared with those of the reference period. A small p means that such a "
            "difference rarely happens by chance. With few questions only large changes are found, so “no "
            "sign” does not mean that nothing changed."
        )
        column(
            label(about, "muted", wrap=True),
            row(self.test_button, label("with the last"), self.window_box, label("questions"), 1),
            panels,
            label("Questions least similar to those of the reference period", "section"),
            (self.questions, 1),
            holder=self,
            top=SPACE,
            spacing=SPACE,
        )

    def show_scope(self, scope: Scope) -> None:
        """Forget the results of another scope."""
        if scope != self._scope:
            self._scope = scope
            self.questions.set_records(())
            for verdict, figures in self.verdicts.values():
                verdict.setText("Not tested yet")
                figures.clear()

    def test(self) -> None:
        """Run both tests on the last questions of the scope."""
        scope = self._scope
        self._run(
            operations.test_drift,
            lambda results: self._show(results) if scope == self._scope else None,
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
    """A panel with groups of similar questions, and below them the answers of the chosen group."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._run = run
        self._scope = Scope()
        self.find_button = button("Look for disagreements", self.look, primary=True)
        self.count = label("", "muted")
        self.groups = RecordTable(
            GROUP_COLUMNS,
            console.theme,
            "disagreements",
            "Not searched yet. Questions are similar when the cosine of their embeddings is at least 0.9 and "
            "they contain the same numbers.",
        )
        self.members = RecordTable(
            MEMBER_COLUMNS, console.theme, "disagreeing_answers", "Choose a group to read its answers."
        )
        self.open_button = button("Open the trace", self._open)
        self.open_button.setEnabled(False)
        self.groups.record_selected.connect(self._show_group)
        self.members.record_activated.connect(lambda member: self.trace_requested.emit(member.trace_id))
        self.members.record_selected.connect(lambda _member: self.open_button.setEnabled(True))
        splitter = Splitter("monitors/disagreements", self.groups, self.members, (1, 1), vertical=True)
        column(row(self.find_button, self.count, 1, self.open_button), (splitter, 1), holder=self, top=SPACE)

    def show_scope(self, scope: Scope) -> None:
        """Forget the groups of another scope."""
        if scope != self._scope:
            self._scope = scope
            self._show(())
            self.count.clear()

    def look(self) -> None:
        """Search the last answered questions of the scope for disagreements."""
        scope = self._scope
        self._run(
            operations.find_disagreements,
            lambda groups: self._found(groups) if scope == self._scope else None,
            scope=scope,
        )

    def _found(self, groups: tuple[AnswerDisagreement, ...]) -> None:
        self._show(groups)
        number = len(groups)
        self.count.setText(
            f"{counted(number, 'group')} among the last 500 answered questions"
            if number
            else "The last 500 answered questions contain no similar ones whose answers disagree"
        )
        self.groups.set_empty_text("No similar questions have answers that disagree.")
        if groups:
            self.groups.selectRow(0)

    def _show(self, groups: tuple[AnswerDisagreement, ...]) -> None:
        self.groups.set_records(groups)
        self.members.set_records(())
        self.open_button.setEnabled(False)

    def _show_group(self, group: AnswerDisagreement) -> None:
        self.members.set_records(group.members)
        self.open_button.setEnabled(False)

    def _open(self) -> None:
        chosen: list[Member] = self.members.selected_records()
        if chosen:
            self.trace_requested.emit(chosen[0].trace_id)
