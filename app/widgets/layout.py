"""Layouts: rows and columns, splitters that remember, lists with a detail, and confirm boxes.

Pages are described with these instead of with layouts and setters of their own:

    column(row(self.search, 1, self.add_button), (self.table, 1), holder=self)
    Splitter("traces/splitter", left, right, (640, 540), stretch=(1, 1))
    refill(self.collection_box, [("All collections", ""), *((row.name, row.name) for row in rows)])
    confirm(self, "Delete version", "Delete version 3?", "Delete", self.delete, destructive=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QSettings, QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLayout,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.widgets.labels import as_it_is, label
from app.widgets.theme import SMALL_SPACE, SPACE, Theme

# A widget or layout, the same with its stretch, or a stretch of empty space.
Item = QWidget | QLayout | tuple[QWidget | QLayout, int] | int


def row(*items: Item, margins: int = 0, spacing: int = SMALL_SPACE) -> QHBoxLayout:
    """Return a layout with these items side by side.

    Args:
        items: Widgets and layouts, each alone or as (item, stretch); a number is a stretch of empty space.
        margins: Pixels around the row.
        spacing: Pixels between two items.
    """
    layout = QHBoxLayout()
    layout.setContentsMargins(margins, margins, margins, margins)
    layout.setSpacing(spacing)
    _fill(layout, items)
    return layout


def column(
    *items: Item, holder: QWidget | None = None, top: int = 0, right: int = 0, spacing: int = SMALL_SPACE
) -> QWidget:
    """Return a widget with these items below each other and no margins, unless some are given.

    Args:
        items: Widgets and layouts, each alone or as (item, stretch); a number is a stretch of empty space.
        holder: The widget that gets the layout; a new one by default. A panel hands itself in.
        top: Pixels above the first item, for the content of a tab.
        right: Pixels beside the items, for content that scrolls.
        spacing: Pixels between two items.
    """
    holder = holder if holder is not None else QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, top, right, 0)
    layout.setSpacing(spacing)
    _fill(layout, items)
    return holder


def _fill(layout: QBoxLayout, items: Iterable[Item]) -> None:
    for item in items:
        if isinstance(item, int):
            layout.addStretch(item)
            continue
        content, stretch = item if isinstance(item, tuple) else (item, 0)
        if isinstance(content, QLayout):
            layout.addLayout(content, stretch)
        else:
            layout.addWidget(content, stretch)


def scrolled(content: QWidget) -> QScrollArea:
    """Return an area that scrolls the content up and down."""
    content.setObjectName(content.objectName() or "content")
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def refill(box: QComboBox, pairs: Iterable[tuple[str, Any]], keep: Any = None, otherwise: int = 0) -> None:
    """Replace the entries of a box without a signal, and keep the choice.

    An editable box keeps the text that was typed into it, also when it is no entry.

    Args:
        box: The box.
        pairs: (text, data) of each entry.
        keep: The data of the entry to choose; None is the data chosen before.
        otherwise: The number of the entry to choose when that one is not there; -1 is none.
    """
    pairs = list(pairs)
    typed = box.currentText() if keep is None else str(keep)
    keep = box.currentData() if keep is None else keep
    with QSignalBlocker(box):
        box.clear()
        for text, data in pairs:
            box.addItem(text, data)
        # Not findData: Qt compares Python objects by identity.
        found = next((number for number, (_, data) in enumerate(pairs) if data == keep), -1)
        if box.isEditable():
            box.setCurrentIndex(found)
            if found < 0:
                box.setEditText(typed)
        else:
            box.setCurrentIndex(found if found >= 0 else min(otherwise, len(pairs) - 1))


def confirm(
    parent: QWidget,
    title: str,
    text: str,
    verb: str,
    action: Callable[[], Any],
    *,
    destructive: bool = False,
    more: str = "",
) -> QMessageBox:
    """Ask for a yes in a box that does not block, and return the box.

    Args:
        parent: The widget that asks.
        title: The title of the box.
        text: The question.
        verb: What the button says that calls the action: "Delete", not "Yes".
        action: What is done after a yes.
        destructive: Whether something is lost; then Enter means Cancel.
        more: A second paragraph, in smaller letters.
    """
    icon = QMessageBox.Icon.Warning if destructive else QMessageBox.Icon.Question
    box = QMessageBox(icon, title, text, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(as_it_is(more))
    role = QMessageBox.ButtonRole.DestructiveRole if destructive else QMessageBox.ButtonRole.AcceptRole
    yes = box.addButton(verb, role)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel if destructive else yes)
    box.setEscapeButton(cancel)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.buttonClicked.connect(lambda clicked: clicked is yes and action())
    box.open()
    return box


def dialog_buttons(
    dialog: QDialog,
    verb: str,
    action: Callable[[], Any],
    kind: QDialogButtonBox.StandardButton = QDialogButtonBox.StandardButton.Ok,
) -> QDialogButtonBox:
    """Return the last row of a dialog: a button that does what the dialog is for, and Cancel.

    Args:
        dialog: The dialog, which Cancel rejects.
        verb: What the button says: "Export", not "OK", where there is a verb.
        action: What the button calls.
        kind: The standard button, by which the platform orders the row.
    """
    box = QDialogButtonBox(kind | QDialogButtonBox.StandardButton.Cancel)
    box.button(kind).setText(verb)
    box.accepted.connect(action)
    box.rejected.connect(dialog.reject)
    return box


class Splitter(QSplitter):
    """A splitter of two widgets that keeps its place over restarts."""

    def __init__(
        self,
        name: str,
        first: QWidget,
        second: QWidget,
        sizes: tuple[int, int],
        *,
        vertical: bool = False,
        stretch: tuple[int, int] | None = None,
    ) -> None:
        """Put the widgets beside each other, or one below the other.

        Args:
            name: Under which the place is remembered, such as "traces/splitter"; no two share one.
            first: The left or upper widget.
            second: The right or lower widget.
            sizes: Widths or heights in pixels as long as nobody moved the handle.
            vertical: Whether the second is below the first.
            stretch: How room that comes with a larger window is shared; by default in proportion.
        """
        orientation = Qt.Orientation.Vertical if vertical else Qt.Orientation.Horizontal
        # Known before the sizes are: setSizes raises each to the minimum that it has in this direction.
        super().__init__(orientation)
        self._name = name
        self.addWidget(first)
        self.addWidget(second)
        if stretch is not None:
            self.setStretchFactor(0, stretch[0])
            self.setStretchFactor(1, stretch[1])
        self.setSizes(list(sizes))
        state = QSettings().value(name)
        if state is not None:
            self.restoreState(state)
        # The saved state holds these too, and they are not the user's to change.
        self.setOrientation(orientation)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(lambda _position, _handle: self._remember())

    @property
    def is_remembered(self) -> bool:
        """Whether somebody has moved the handle, now or in an earlier run."""
        return QSettings().value(self._name) is not None

    def _remember(self) -> None:
        QSettings().setValue(self._name, self.saveState())


class ListDetail(QStackedWidget):
    """A list beside the detail of its chosen row, or an empty state as long as the list has no rows."""

    def __init__(
        self,
        name: str,
        rows: QWidget,
        detail: QWidget,
        sizes: tuple[int, int],
        empty: QWidget,
        *,
        vertical: bool = False,
        stretch: tuple[int, int] | None = None,
    ) -> None:
        """Show the empty state at first.

        Args:
            name: Under which the place of the splitter is remembered.
            rows: The list, alone or with its tools.
            detail: What is shown of the chosen row.
            sizes: Widths or heights of both in pixels.
            empty: What is shown while there are no rows, an EmptyState as a rule.
            vertical: Whether the detail is below the list.
            stretch: How room that comes with a larger window is shared.
        """
        super().__init__()
        self.splitter = Splitter(name, rows, detail, sizes, vertical=vertical, stretch=stretch)
        self.addWidget(empty)
        self.addWidget(self.splitter)

    @property
    def is_empty(self) -> bool:
        """Whether the empty state is shown."""
        return self.currentIndex() == 0

    def show_rows(self, any_rows: object) -> None:
        """Show list and detail if this is true (or a list with something in it), else the empty state."""
        self.setCurrentIndex(1 if any_rows else 0)


class Panel(QFrame):
    """A surface with a border and an optional heading."""

    def __init__(self, heading: str = "", parent: QWidget | None = None) -> None:
        """Make it with a heading, or without one; content goes into `body`."""
        super().__init__(parent)
        self.setObjectName("panel")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(SPACE, SPACE - 2, SPACE, SPACE)
        self.body.setSpacing(SMALL_SPACE + 2)
        self.heading_row = QHBoxLayout()
        if heading:
            self.heading_row.addWidget(label(heading, "section"))
            self.heading_row.addStretch(1)
            self.body.addLayout(self.heading_row)


class EmptyState(QWidget):
    """What a page without content says and offers."""

    def __init__(self, theme: Theme, icon: str, title: str, sentence: str, *actions: QPushButton) -> None:
        """Show an icon of the theme, a title, a sentence, and buttons for what can be done now."""
        super().__init__()
        self._theme, self._icon = theme, icon
        self._picture, self._title, self._sentence = (
            label(),
            label(title, "title"),
            label(sentence, "muted", wrap=True),
        )
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for widget in (self._picture, self._title, self._sentence):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        self._sentence.setMinimumWidth(200)
        if actions:
            layout.addSpacing(SPACE)
            layout.addLayout(row(1, *actions, 1))
        layout.addStretch(2)
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self._picture.setPixmap(self._theme.pixmap(self._icon, "muted_mark", 48))
