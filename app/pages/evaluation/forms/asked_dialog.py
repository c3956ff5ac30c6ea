"""A dialog that makes questions from Ask into cases of a set, in one step."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import Flow, dialog_buttons, refill, row
from app.widgets.navigation import SearchField
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.asking.applications.rows import application_choices
from rag.asking.rows import TraceFilter, TraceRow, TraceSource, list_traces
from rag.evaluation.forms.rows import TracesAdded, list_asked_sessions
from rag.evaluation.rows import list_sets
from rag.knowledge.rows import list_collections
from rag.text.plurals import counted

_MOST = 500  # questions that are listed; fewer are found by a search

QUESTION_COLUMNS = (
    Column("Asked", lambda t: date_time(t.created_ms), 126, sort=lambda t: t.created_ms, priority=3),
    Column("Question", lambda t: t.question, 260, stretch=True, tooltip=lambda t: t.question),
    Column("Collection", lambda t: t.collection, 110, tooltip=lambda t: t.collection, priority=2),
    Column("Flags", lambda t: f"{t.flag_count:,}" if t.flag_count else "", 56, right=True,
           sort=lambda t: t.flag_count, colour=lambda t: "check" if t.flag_count else None, priority=1,
           tooltip=lambda t: "A flagged answer becomes no right answer" if t.flag_count else ""),
)  # fmt: skip


class AskedDialog(QDialog):
    """A list of questions that people asked, and the set that the chosen ones go into."""

    added = Signal(object)  # TracesAdded

    def __init__(self, console: Console, set_name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self.setWindowTitle("Questions from Ask")
        self.resize(scaled(820), scaled(520))
        self.set_box = QComboBox()
        self.set_box.setEditable(True)
        self.set_box.setAccessibleName("Set; a new name makes a new set")
        names = [found.name for found in list_sets(console.database)]
        refill(self.set_box, [(name, name) for name in names], set_name or "Questions from Ask")
        self.session_box, self.collection_box = QComboBox(), QComboBox()
        self.session_box.setAccessibleName("Session")
        self.collection_box.setAccessibleName("Collection")
        sessions = list_asked_sessions(console.database)
        refill(
            self.session_box,
            [("All sessions", ""), *((_named(s.question, s.count), s.session_id) for s in sessions)],
        )
        collections = [(found.name, found.name) for found in list_collections(console.database)]
        collections += application_choices(console.database)
        refill(self.collection_box, [("All collections", ""), *collections])
        for box in (self.session_box, self.collection_box, self.set_box):
            box.setMinimumContentsLength(16)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.search = SearchField("Find a question")
        self.table = RecordTable(
            QUESTION_COLUMNS, console.theme, "asked_questions", "Nobody has asked such a question yet."
        )
        self.status = label("", "muted", wrap=True)
        self.buttons = dialog_buttons(self, "Make cases", self._add)
        self._lay_out()
        for box in (self.session_box, self.collection_box):
            box.currentIndexChanged.connect(lambda _index: self._fill())
        self.search.searched.connect(lambda _text: self._fill())
        self.set_box.editTextChanged.connect(lambda _text: self._enable())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self._fill()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addLayout(Flow(self.search, self.session_box, self.collection_box,
                              button("Choose all", self.table.selectAll)))  # fmt: skip
        layout.addWidget(self.table, 1)
        layout.addLayout(row(label("Set"), (self.set_box, 1)))
        layout.addWidget(self.status)
        layout.addWidget(self.buttons)

    def _fill(self) -> None:
        wanted = TraceFilter(
            text=self.search.text(), collection=str(self.collection_box.currentData() or ""),
            session_id=str(self.session_box.currentData() or ""), source=TraceSource.PERSON,
        )  # fmt: skip
        self.table.set_records(list_traces(self._console.database, wanted, _MOST))
        if self.session_box.currentData():
            self.table.selectAll()
        self._enable()

    @property
    def chosen(self) -> list[TraceRow]:
        """The questions that are chosen, in the order shown."""
        return self.table.selected_records()

    def _enable(self) -> None:
        count, name = len(self.chosen), self.set_box.currentText().strip()
        reason = "Choose questions first; Ctrl or Shift chooses several." if not count else ""
        allow(self._ok, reason or ("" if name else "Name the set."))
        self._ok.setText(f"Make {counted(count, 'case')}" if count else "Make cases")
        said = f"{counted(count, 'question is', 'questions are')} chosen." if count else reason
        most = f" The {_MOST:,} newest are listed; search for older ones." if self._is_cut else ""
        self.status.setText(said + most)

    @property
    def _is_cut(self) -> bool:
        return len(self.table.records_model.records) == _MOST

    @property
    def _ok(self) -> QPushButton:
        return self.buttons.button(QDialogButtonBox.StandardButton.Ok)

    def _add(self) -> None:
        self.buttons.setEnabled(False)
        task = self._console.engine.start(
            operations.cases_of_traces, set_name=self.set_box.currentText().strip(),
            trace_ids=[trace.id for trace in self.chosen],
        )  # fmt: skip
        task.finished.connect(self._was_added)
        task.failed.connect(self._refused)
        task.ended.connect(lambda: self.buttons.setEnabled(True))

    def _was_added(self, found: TracesAdded) -> None:
        self.accept()
        self.added.emit(found)

    def _refused(self, sentence: str, details: str) -> None:
        self.status.setText(sentence)
        if details:
            self._console.report_failure(sentence, details)


def _named(question: str, count: int) -> str:
    """Return what a session is called: its first question, and how many there are."""
    words = " ".join(question.split())
    short = words if len(words) <= 48 else f"{words[:47]}…"
    return f"{short} ({counted(count, 'question')})"
