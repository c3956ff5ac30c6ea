"""Tries the rules in view, saved or not, on a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QWidget

from app.console import Console
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, refill, row
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.guardrails.policies.rows import Place, Tried
from rag.knowledge.rows import list_collections

FOUND_COLUMNS = (
    Column("Rule", lambda r: r.rule, 150, stretch=True, tooltip=lambda r: r.rule),
    Column("What", lambda r: r.kind, 140),
    Column("Does", lambda r: str(r.action), 84),
    Column("From", lambda r: str(r.start), 56, right=True, sort=lambda r: r.start),
    Column("To", lambda r: str(r.end), 56, right=True, sort=lambda r: r.end),
    Column("Score", lambda r: f"{r.score:.2f}", 60, right=True, sort=lambda r: r.score),
    Column("Why", lambda r: r.reason, 200, tooltip=lambda r: r.reason),
)


class TryPanel(QWidget):
    """A panel with a text on the left, and on the right what the rules make of it."""

    def __init__(self, console: Console, rules: Callable[[], tuple[str, list[dict[str, Any]]]]) -> None:
        """Show nothing yet; rules returns the name of the policy and the rules in view."""
        super().__init__()
        self._console, self._rules = console, rules
        self.text, self.result = QPlainTextEdit(), QPlainTextEdit()
        self.text.setPlaceholderText("A text as it may stand in a question, a document or an answer")
        self.text.setAccessibleName("Text to try")
        self.result.setReadOnly(True)
        self.result.setAccessibleName("What is left of the text")
        self.place, self.collection = QComboBox(), QComboBox()
        self.place.setAccessibleName("Where the text is")
        self.collection.setAccessibleName("Collection whose embedder compares topics")
        refill(self.place, [(str(place), place) for place in Place], keep=Place.QUESTION)
        self.try_button = button("Try", self.try_text, primary=True)
        self.said = label("", "small", wrap=True)
        self.found = RecordTable(FOUND_COLUMNS, console.theme, "guard_tried", "Nothing was found.")
        column(
            row(label("As"), self.place, label("of"), self.collection, 1, self.try_button),
            (Splitter("guardrails/texts", self.text, self.result, (1, 1)), 1),
            self.said, (self.found, 1), holder=self, top=SMALL_SPACE,
        )  # fmt: skip
        self.text.textChanged.connect(self._enable)
        self.refresh()
        self._enable()

    def refresh(self) -> None:
        """Read the names of the collections again."""
        names = [row.name for row in list_collections(self._console.database)]
        refill(self.collection, [("no collection", ""), *((name, name) for name in names)])

    def try_text(self) -> None:
        """Try the rules on the text."""
        name, rules = self._rules()
        self._console.run(
            operations.try_rules, self._show, name=name, rules=rules, text=self.text.toPlainText(),
            place=str(self.place.currentData()), collection=self.collection.currentData() or "",
        )  # fmt: skip

    def _show(self, tried: Tried) -> None:
        self.result.setPlainText(tried.stopped or tried.text)
        self.said.setText(f"{tried.sentence[:1].upper()}{tried.sentence[1:]} · {tried.milliseconds:.1f} ms")
        self.found.set_records(tried.results)

    def _enable(self) -> None:
        allow(self.try_button, "" if self.text.toPlainText().strip() else "Type a text first.")
