"""What can be done with an answer: the row of buttons below it and the menu on it, which are the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QCursor
from PySide6.QtWidgets import QApplication, QInputDialog, QMenu, QPushButton, QWidget

from app.console import Console
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import Toolbar, button
from app.widgets.labels import as_it_is
from rag.asking.rows import TraceDetail
from rag.evaluation.rows import list_sets
from rag.knowledge.rows import list_collections, list_versions

_LONGEST = 60  # characters of a menu's entry


class AnswerActions(QObject):
    """Actions of a card, each as a button in `bar` and as an entry in the menu of the card and its answer."""

    def __init__(self, card: QWidget, answer: AnswerView) -> None:
        """Make no action yet."""
        super().__init__(card)
        self._card, self._answer = card, answer
        self._actions: list[QAction] = []
        self._buttons: list[QPushButton] = []
        self.bar: Toolbar | None = None
        answer.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        answer.customContextMenuRequested.connect(
            lambda place: self.open_menu(answer.viewport().mapToGlobal(place))
        )

    def add(
        self,
        text: str,
        tip: str,
        run: Callable[[], Any] | None = None,
        fill: Callable[[QMenu], None] | None = None,
    ) -> QAction:
        """Add an action; fill: makes the entries of its menu when that opens."""
        action = QAction(text, self._card)
        action.setToolTip(as_it_is(tip))
        made = button(text, link=True, tip=tip)
        if fill is not None:
            menu = QMenu(text, self._card)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(partial(_refill, menu, fill))
            action.setMenu(menu)
            made.clicked.connect(lambda _checked=False: menu.popup(_below(made)))
        elif run is not None:
            action.triggered.connect(lambda _checked=False: run())
            made.clicked.connect(action.trigger)
        self._actions.append(action)
        self._buttons.append(made)
        return action

    def make_bar(self) -> Toolbar:
        """Return the row of all buttons added so far."""
        self.bar = Toolbar(*self._buttons, 1)
        return self.bar

    def show(self, *shown: QAction) -> None:
        """Show these alone."""
        for action, made in zip(self._actions, self._buttons, strict=True):
            action.setVisible(action in shown)
            made.setVisible(action in shown)

    @property
    def shown(self) -> list[QAction]:
        """What can be done now."""
        return [action for action in self._actions if action.isVisible()]

    @property
    def texts(self) -> list[str]:
        """What can be done now, as the buttons say it."""
        return [action.text() for action in self.shown]

    def open_menu(self, place: QPoint) -> QMenu:
        """Open the menu at a place of the screen."""
        menu = QMenu(self._card)
        menu.setToolTipsVisible(True)
        chosen = self._answer.textCursor().selectedText().replace("\u2029", "\n").replace("\u2028", "\n")
        if chosen:
            menu.addAction("Copy the selection", partial(QApplication.clipboard().setText, chosen))
            menu.addSeparator()
        menu.addActions(self.shown)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)
        return menu


def _refill(menu: QMenu, fill: Callable[[QMenu], None]) -> None:
    menu.clear()
    fill(menu)


def _below(made: QPushButton) -> QPoint:
    """Return where the menu of a button opens; under “More” a button has no place of its own."""
    return made.mapToGlobal(made.rect().bottomLeft()) if made.isVisible() else QCursor.pos()


def add_entry(menu: QMenu, text: str, run: Callable[[], Any], tip: str = "") -> QAction:
    """Add an entry whose text is shown as it is, shortened when it is long."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
    action = menu.addAction(shown.replace("&", "&&"), run)
    action.setToolTip(as_it_is(tip or text))
    return action


def fill_sets(menu: QMenu, console: Console, add: Callable[[str], None]) -> None:
    """List the evaluation sets that an answer can be added to."""
    for found in list_sets(console.database):
        add_entry(menu, found.name, partial(add, found.name))
    if menu.actions():
        menu.addSeparator()
    add_entry(menu, "New set…", partial(_ask_for_set, menu, add), "Make an evaluation set with this case")


def _ask_for_set(menu: QMenu, add: Callable[[str], None]) -> None:
    box = QInputDialog(menu.parentWidget())
    box.setWindowTitle("New evaluation set")
    box.setLabelText("Name:")
    box.textValueSelected.connect(lambda name: name.strip() and add(name.strip()))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def fill_again(
    menu: QMenu, console: Console, trace: TraceDetail, ask: Callable[[str, dict[str, Any]], None]
) -> None:
    """List the ways to ask the question of a trace again.

    Args:
        menu: Where.
        console: The console of the window.
        trace: The answer that there is.
        ask: Called with a name of the way, and with the keywords of the question that are other than before.
    """
    add_entry(menu, "The same again", partial(ask, "Same again", {}), "Same model, version and prompt")
    models = menu.addMenu("With another model")
    for entry in console.models:
        if entry.can_answer and entry.name != trace.model:
            other: dict[str, Any] = {"model": entry.path, "pipeline": ""}
            add_entry(models, entry.name, partial(ask, entry.name, other), entry.path)
    versions = menu.addMenu("With another version")
    collection = next((c for c in list_collections(console.database) if c.name == trace.collection), None)
    for version in list_versions(console.database, collection.id) if collection else []:
        if version.number != trace.version_number:
            name = f"Version {version.number}"
            change: dict[str, Any] = {"version": version.number, "pipeline": ""}
            add_entry(versions, name, partial(ask, name, change), version.message or name)
    for one in (models, versions):
        one.setToolTipsVisible(True)
        one.menuAction().setEnabled(not one.isEmpty())
        if one.isEmpty():
            one.menuAction().setToolTip("There is no other one")
