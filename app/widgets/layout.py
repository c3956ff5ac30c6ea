"""Layouts: rows and columns, splitters that remember, lists with a detail, and confirm boxes.

Pages are described with these instead of with layouts and setters of their own:

    column(row(self.search, 1, self.add_button), (self.table, 1), holder=self)
    Splitter("traces/splitter", left, right, (640, 540), stretch=(1, 1))
    refill(self.collection_box, [("All collections", ""), *((row.name, row.name) for row in rows)])
    confirm(self, "Delete version", "Delete version 3?", "Delete", self.delete, destructive=True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRect, QSettings, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QBoxLayout,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.widgets.labels import as_it_is, label
from app.widgets.theme import SMALL_SPACE, SPACE, Theme, scaled

_LEAST_WIDTH = 220  # of a side of a splitter
_LEAST_HEIGHT = 90
_LOST = 30  # a remembered side that is smaller is no choice, but the trace of a window that was too small
_MOST_CONTENT = 600  # how wide an area that scrolls up and down makes its page, at most

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


def scrolled(content: QWidget, name: str = "", *, sideways: bool = False) -> QScrollArea:
    """Return an area that scrolls the content up and down, and sideways where it may.

    Args:
        content: What is scrolled.
        name: What a screen reader calls the area, which the arrow keys scroll.
        sideways: Whether it may be narrower than its content. Such an area takes no focus of its own: what
            gets the focus in it is scrolled to.
    """
    content.setObjectName(content.objectName() or "content")
    area = _WidthOfContent() if not sideways else QScrollArea()
    area.setWidgetResizable(True)
    area.setAccessibleName(name or content.accessibleName() or "Content")
    if sideways:
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    else:
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


class _WidthOfContent(QScrollArea):
    """An area that is never narrower than its content needs: what cannot be scrolled to would be cut."""

    def minimumSizeHint(self) -> QSize:
        """Return the least width of the content and the scroll bar, and Qt's own height."""
        hint = super().minimumSizeHint()
        content = self.widget()
        if content is None:
            return hint
        width = content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(max(min(width, scaled(_MOST_CONTENT)), 0) or hint.width(), hint.height())


class Flow(QLayout):
    """A layout that puts items side by side and goes on in another line where the room ends.

    Those that like to grow, such as a search field, share what is left of their line.
    """

    def __init__(self, *items: QWidget, spacing: int = SMALL_SPACE) -> None:
        """Lay out these widgets in this order."""
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(spacing)
        for item in items:
            self.addWidget(item)

    def addItem(self, item: QLayoutItem) -> None:
        """Add an item behind the others."""
        self._items.append(item)

    def count(self) -> int:
        """Return the number of items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
        """Return an item, None for a number that there is not."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
        """Remove an item and return it."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Return the direction in which it takes more than it needs."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        """Return yes: narrower means more lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines at a width."""
        lines = self._lines(width)
        return sum(_line_height(line) for line in lines) + self.spacing() * max(len(lines) - 1, 0)

    def sizeHint(self) -> QSize:
        """Return the size of one line with everything."""
        shown = self._shown()
        width = sum(_wish(item) for item in shown) + self.spacing() * max(len(shown) - 1, 0)
        return QSize(width, _line_height(shown))

    def minimumSize(self) -> QSize:
        """Return the width of the widest item, and the height of one line."""
        shown = self._shown()
        return QSize(max((_wish(item) for item in shown), default=0), _line_height(shown))

    def setGeometry(self, rect: QRect) -> None:
        """Place the items."""
        super().setGeometry(rect)
        top = rect.top()
        for line in self._lines(rect.width()):
            height = _line_height(line)
            growing = [i for i in line if i.expandingDirections() & Qt.Orientation.Horizontal]
            used = sum(_wish(item) for item in line) + self.spacing() * (len(line) - 1)
            extra = max(rect.width() - used, 0) // len(growing) if growing else 0
            left = rect.left()
            for item in line:
                width = min(_wish(item) + (extra if item in growing else 0), item.maximumSize().width())
                tall = min(item.sizeHint().height(), height)
                item.setGeometry(QRect(left, top + (height - tall) // 2, min(width, rect.width()), tall))
                left += width + self.spacing()
            top += height + self.spacing()

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        lines: list[list[QLayoutItem]] = []
        left = 0
        for item in self._shown():
            wish = _wish(item)
            if not lines or left + wish > width:
                lines.append([])
                left = 0
            lines[-1].append(item)
            left += wish + self.spacing()
        return lines


def _wish(item: QLayoutItem) -> int:
    """Return the width at which an item is whole."""
    return max(item.sizeHint().width(), item.minimumSize().width())


def _line_height(line: Sequence[QLayoutItem]) -> int:
    return max((item.sizeHint().height() for item in line), default=0)


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
    yes.setProperty("primary", not destructive)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel if destructive else yes)
    (cancel if destructive else yes).setFocus()  # else the first button has it, and Enter means that one
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
    guard_wheel(dialog)
    box = QDialogButtonBox(kind | QDialogButtonBox.StandardButton.Cancel)
    box.button(kind).setText(verb)
    box.button(kind).setProperty("primary", True)
    box.accepted.connect(action)
    box.rejected.connect(dialog.reject)
    return box


class _WheelGuard(QObject):
    """A filter that keeps the wheel from changing what the pointer happens to pass over.

    A field that is scrolled over lets its page scroll. A number or a slider takes the wheel once it has the
    focus; a box of choices never does, since it shows one choice of many and the others are out of sight.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Find the fields of a holder that is shown, and hand the wheel on to what scrolls."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, _FIELDS):
            if isinstance(watched, QComboBox) or not watched.hasFocus():
                event.ignore()  # so it goes on to the parent
                return True
        elif event.type() == QEvent.Type.Show and isinstance(watched, QWidget):
            for kind in _FIELDS:
                for field in watched.findChildren(kind):
                    if not isinstance(field, QScrollBar):
                        field.installEventFilter(self)  # again is the same as once
                        if field.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return super().eventFilter(watched, event)


_FIELDS = (QComboBox, QAbstractSpinBox, QAbstractSlider)


def guard_wheel(holder: QWidget) -> None:
    """Keep the wheel from changing the fields in a page or a dialog, from when it is shown."""
    holder.installEventFilter(_WheelGuard(holder))


class _EscapeTaker(QObject):
    """A filter that takes Esc for one widget before the window does, whose shortcut it is."""

    def __init__(self, widget: QWidget, action: Callable[[], Any]) -> None:
        super().__init__(widget)
        self._action = action

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim the key when Qt looks for a shortcut, and act when it is pressed."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._action()
                return True
        return super().eventFilter(watched, event)


def on_escape(widget: QWidget, action: Callable[[], Any]) -> None:
    """Call the action on Esc in a widget, where a second shortcut would be ambiguous and do nothing."""
    widget.installEventFilter(_EscapeTaker(widget, action))


class Splitter(QSplitter):
    """A splitter of two widgets that keeps its place over restarts, and a least size for each side."""

    def __init__(
        self,
        name: str,
        first: QWidget,
        second: QWidget,
        sizes: tuple[int, int],
        *,
        vertical: bool = False,
        stretch: tuple[int, int] | None = None,
        least: tuple[int, int] | None = None,
    ) -> None:
        """Put the widgets beside each other, or one below the other.

        Args:
            name: Under which the place is remembered, such as "traces/splitter"; no two share one.
            first: The left or upper widget.
            second: The right or lower widget.
            sizes: Widths or heights in pixels as long as nobody moved the handle.
            vertical: Whether the second is below the first.
            stretch: How room that comes with a larger window is shared; by default in proportion.
            least: The least width or height of each, in pixels at a text size of 100 %. What a widget needs
                for itself is never cut, whatever is said here.
        """
        orientation = Qt.Orientation.Vertical if vertical else Qt.Orientation.Horizontal
        # Known before the sizes are: setSizes raises each to the minimum that it has in this direction.
        super().__init__(orientation)
        self._name = name
        usual = _LEAST_HEIGHT if vertical else _LEAST_WIDTH
        for widget, pixels in zip((first, second), least or (usual, usual), strict=True):
            self.addWidget(_Side(widget, scaled(pixels), vertical))
        if stretch is not None:
            self.setStretchFactor(0, stretch[0])
            self.setStretchFactor(1, stretch[1])
        self.setChildrenCollapsible(False)
        self.setSizes([scaled(size) for size in sizes])
        self._restore()
        self.splitterMoved.connect(lambda _position, _handle: self._remember())

    def _restore(self) -> None:
        """Go back to the remembered place, unless it is none or has a side that is too small to be used."""
        try:
            sizes = [int(size) for size in str(QSettings().value(self._name) or "").split(":")]
        except ValueError:
            return
        if len(sizes) == self.count() and all(size >= scaled(_LOST) for size in sizes):
            self.setSizes(sizes)

    @property
    def is_remembered(self) -> bool:
        """Whether somebody has moved the handle, now or in an earlier run."""
        return QSettings().value(self._name) is not None

    def _remember(self) -> None:
        QSettings().setValue(self._name, ":".join(str(size) for size in self.sizes()))


class _Side(QWidget):
    """One side of a splitter: hidden with its widget, and never smaller than that needs."""

    def __init__(self, widget: QWidget, least: int, vertical: bool) -> None:
        super().__init__()
        layout = QGridLayout(self)  # a minimum of a widget's own would replace what its content needs
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(widget, 0, 0)
        if vertical:
            layout.setRowMinimumHeight(0, least)
        else:
            layout.setColumnMinimumWidth(0, least)
        if widget.isHidden():  # never shown here: without its splitter it would flash as a window of its own
            self.hide()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the widget when it is hidden or shown."""
        if event.type() in (QEvent.Type.HideToParent, QEvent.Type.ShowToParent):
            self.setVisible(event.type() == QEvent.Type.ShowToParent)
        return super().eventFilter(watched, event)


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
