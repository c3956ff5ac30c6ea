"""A dialog that searches a collection for passages, whose places become the judgements of a case."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QPlainTextEdit, QSpinBox, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, Splitter, column, dialog_buttons, refill, row
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.asking.rows import SearchTest
from rag.index.rows import Hit
from rag.knowledge.rows import list_collections
from rag.text.plurals import counted

_COLLECTION = "evaluation/picked_collection"

PASSAGE_COLUMNS = (
    Column("#", lambda h: str(h.rank), 40, right=True, sort=lambda h: h.rank),
    Column("Document", lambda h: h.document, 120, tooltip=lambda h: h.path, priority=0),
    Column("Place", lambda h: h.place, 90, tooltip=lambda h: h.place, priority=2),
    Column("Text", lambda h: " ".join(h.text.split())[:200], 240, stretch=True),
)


class PassagePicker(QDialog):
    """A search for passages; those that are added are in `picked`, as values of a Judgement."""

    def __init__(self, console: Console, question: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self.picked: list[dict[str, Any]] = []
        self.setWindowTitle("Find relevant passages")
        self.resize(scaled(820), scaled(560))
        self.collection_box = QComboBox()
        self.collection_box.setAccessibleName("Collection to search")
        names = [found.name for found in list_collections(console.database)]
        remembered = str(QSettings().value(_COLLECTION) or "")
        refill(self.collection_box, [(name, name) for name in names], remembered or None)
        self.query = QLineEdit(
            " ".join(question.split()), placeholderText="A question, or words of the passage"
        )
        self.query.setAccessibleName("What to search for")
        self.search_button = button("Search", self.search)
        self.hits = RecordTable(
            PASSAGE_COLUMNS,
            console.theme,
            "picked_passages",
            "Search for the passages that answer the question.",
        )
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName("Text of the chosen passage")
        self.grade = QSpinBox(minimum=0, maximum=10, value=1)
        self.grade.lineEdit().setTextMargins(4, 0, 0, 0)
        self.grade.setAccessibleName("Grade: 1 and more is relevant, 0 is not")
        self.add_button = button("Add the passage", self.add, primary=True)
        self.status = label("", "muted", wrap=True)
        self._lay_out()
        self.query.returnPressed.connect(self.search)
        self.hits.record_selected.connect(lambda hit: self.text.setPlainText(hit.text))
        self.hits.record_activated.connect(lambda _hit: self.add())
        self.hits.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.text.selectionChanged.connect(self._enable)
        self._enable()
        if self.query.text() and names:
            self.search()

    def _lay_out(self) -> None:
        hint = "Mark words in the text to judge these alone, or add the whole passage."
        shown = column(
            label(hint, "muted", wrap=True), (self.text, 1),
            Flow(label("Grade"), self.grade, self.add_button),
        )  # fmt: skip
        buttons = dialog_buttons(self, "Use these passages", self.accept)
        buttons.button(buttons.StandardButton.Ok).setDefault(False)
        buttons.button(buttons.StandardButton.Ok).setAutoDefault(False)  # Enter in the field searches
        for made in (self.search_button, self.add_button):
            made.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addLayout(row(self.collection_box, (self.query, 1), self.search_button))
        layout.addWidget(Splitter("evaluation/passages", self.hits, shown, (240, 240), vertical=True), 1)
        layout.addWidget(self.status)
        layout.addWidget(buttons)

    def search(self) -> None:
        """Search the collection for the words of the field."""
        collection, query = str(self.collection_box.currentData() or ""), self.query.text().strip()
        if not collection or not query:
            self.status.setText("Choose a collection, and type what to search for.")
            return
        QSettings().setValue(_COLLECTION, collection)
        self.search_button.setEnabled(False)
        self.status.setText("Searching…")
        task = self._console.engine.start(operations.run_search_test, collection=collection, query=query)
        task.finished.connect(self._show)
        task.failed.connect(self._refused)
        task.ended.connect(lambda: self.search_button.setEnabled(True))

    def _show(self, found: SearchTest) -> None:
        hits = found.sides[0].hits
        self.hits.set_records(hits)
        self.text.clear()
        self.status.setText("" if hits else "Nothing was found. Try other words.")
        if hits:
            self.hits.selectRow(0)

    def _refused(self, sentence: str, details: str) -> None:
        self.status.setText(sentence)
        if details:
            self._console.report_failure(sentence, details)

    def _enable(self) -> None:
        chosen = bool(self.hits.selected_records())
        allow(self.add_button, "" if chosen else "Choose a passage first.")
        marked = self.text.textCursor().hasSelection()
        self.add_button.setText("Add the marked words" if marked and chosen else "Add the passage")

    def add(self) -> None:
        """Add the chosen passage, or the words that are marked in it."""
        chosen: list[Hit] = self.hits.selected_records()
        if not chosen:
            return
        cursor = self.text.textCursor()
        marked = (
            _offset(chosen[0].text, cursor.selectionStart()),
            _offset(chosen[0].text, cursor.selectionEnd()),
        )
        self.picked.append(judgement_of(chosen[0], marked, self.grade.value()))
        quote = " ".join(self.picked[-1]["quote"].split())
        added = counted(len(self.picked), "passage")
        self.status.setText(f"{added} added. The last: “{quote[:80]}{'…' if len(quote) > 80 else ''}”")


def judgement_of(hit: Hit, marked: tuple[int, int], grade: int) -> dict[str, Any]:
    """Return the judgement of a passage, or of the characters that are marked in it.

    A passage that was put together from several chunks has no single place: its quote finds it again.

    Args:
        hit: The passage.
        marked: Start and end in its text; equal where nothing is marked.
        grade: How relevant it is.
    """
    start, end = marked if marked[0] < marked[1] else (0, len(hit.text))
    quote = hit.text[start:end]
    values: dict[str, Any] = {"document": hit.path, "quote": quote, "grade": grade}
    if hit.end - hit.start == len(hit.text):
        values |= {"start": hit.start + start, "end": hit.start + end}
    return values


def _offset(text: str, position: int) -> int:
    """Return the place in a text of a position in Qt's document, which counts in UTF-16."""
    units = 0
    for place, letter in enumerate(text):
        if units >= position:
            return place
        units += 2 if ord(letter) > 0xFFFF else 1
    return len(text)
