"""What is wrong with how a window is laid out, found from the geometry of its widgets."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QWidget,
)

from app.widgets.item_models import RecordTable
from app.widgets.labels import ElidedLabel

_BOX_ARROW = 30  # pixels of a box of choices beside its text, at a text size of 100 %
_LINE_MARGIN = 18  # pixels of a line beside its text


def layout_faults(root: QWidget) -> list[str]:
    """Return what lies outside its parent and which text is cut, of everything that can be seen."""
    found = []
    for widget in _seen(root):
        for sentence in (_outside(widget), _cut(widget)):
            if sentence:
                found.append(f"{_path(widget, root)}: {sentence}")
    return found


def keyboard_faults(window: QWidget) -> list[str]:
    """Return the widgets that Tab does not reach, and those that a screen reader has no name for."""
    chain, following = [window], window.nextInFocusChain()
    while following is not window:
        chain.append(following)
        following = following.nextInFocusChain()
    found = []
    for widget in _seen(window):
        if not widget.isEnabled() or widget.focusPolicy() == Qt.FocusPolicy.NoFocus or _is_inner(widget):
            continue
        if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus or widget not in chain:
            found.append(f"{_path(widget, window)}: Tab does not reach it")
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface is None or not interface.text(QAccessible.Text.Name).strip():
            found.append(f"{_path(widget, window)}: it has no accessible name")
    return found


def _seen(root: QWidget) -> Iterator[QWidget]:
    for widget in root.findChildren(QWidget):
        if widget.isVisibleTo(root) and widget.window() is root.window():
            yield widget


def _is_inner(widget: QWidget) -> bool:
    """Whether this is a part of another widget, which has the focus and the name for it."""
    parent = widget.parentWidget()
    if isinstance(widget, QLabel) or widget.focusProxy() is not None:
        return True  # a text that the mouse may select; a frame that hands its focus on
    if isinstance(widget, QLineEdit) and isinstance(parent, (QComboBox, QAbstractSpinBox)):
        return True
    if widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar):
        return True
    # An area that scrolls labels alone is moved with its widgets; a table's corner and viewport are Qt's.
    return isinstance(parent, QAbstractScrollArea) and widget is parent.viewport()


def _outside(widget: QWidget) -> str:
    parent = widget.parentWidget()
    if parent is None or widget.isWindow():
        return ""
    above = parent.parentWidget()
    if isinstance(above, QAbstractScrollArea) and parent is above.viewport():
        return ""  # it is scrolled to
    if parent.objectName().startswith("qt_") or widget.objectName().startswith("qt_"):
        return ""
    if isinstance(widget, QScrollBar) or parent.metaObject().className() in ("QHeaderView", "QTabBar"):
        return ""
    if not parent.rect().adjusted(-1, -1, 1, 1).contains(widget.geometry()):
        place, room = widget.geometry(), parent.rect()
        return f"it lies at {_text(place)} in a parent of {room.width()}x{room.height()}"
    return ""


def _text(place: QRect) -> str:
    return f"{place.x()},{place.y()} {place.width()}x{place.height()}"


def _cut(widget: QWidget) -> str:
    if isinstance(widget, RecordTable):
        return _cut_cells(widget)
    if isinstance(widget, QLabel):
        return _cut_label(widget)
    metrics, width = widget.fontMetrics(), widget.width()
    factor = metrics.height() / 16
    if isinstance(widget, QAbstractButton) and widget.text():
        needs = (
            widget.minimumSizeHint().width() if isinstance(widget, QPushButton) else widget.sizeHint().width()
        )
        if widget.parentWidget().metaObject().className() != "QTabBar" and width < needs - 1:
            return f"“{widget.text()}” needs {needs} and has {width}"
    if isinstance(widget, QComboBox) and not widget.isEditable():
        needs = metrics.horizontalAdvance(widget.currentText()) + round(_BOX_ARROW * factor)
        if width < needs and widget.currentText() not in widget.toolTip():
            return f"“{widget.currentText()}” needs {needs} and has {width}"
    if isinstance(widget, QLineEdit) and not widget.text():
        needs = metrics.horizontalAdvance(widget.placeholderText()) + round(_LINE_MARGIN * factor)
        if width < needs and widget.placeholderText() not in widget.toolTip():
            return f"“{widget.placeholderText()}” needs {needs} and has {width}"
    return ""


def _cut_label(widget: QLabel) -> str:
    text = widget.text()
    if not text or isinstance(widget, ElidedLabel) or widget.textFormat() == Qt.TextFormat.RichText:
        return ""
    if widget.wordWrap():
        needs = widget.heightForWidth(widget.width())
        return f"“{text[:40]}” needs {needs} lines of pixels and has {widget.height()}" * (
            widget.height() < needs - 1
        )
    needs = widget.minimumSizeHint().width()
    return f"“{text[:40]}” needs {needs} and has {widget.width()}" if widget.width() < needs - 1 else ""


def _cut_cells(table: RecordTable) -> str:
    header, columns = table.header, table.records_model.columns
    shown = [n for n in range(len(columns)) if not table.isColumnHidden(n)]
    if not table.records_model.rowCount():
        shown = []
    for number in shown:
        width = table.columnWidth(number)
        needs = header.need(number)
        if width < needs - 1:
            return f"the header “{columns[number].title}” needs {needs} and has {width}"
        if columns[number].right and width < table.sizeHintForColumn(number):
            return f"figures of “{columns[number].title}” need {table.sizeHintForColumn(number)} and have {width}"
    free = table.viewport().width() - sum(table.columnWidth(number) for number in shown)
    cut = [columns[n].title for n in shown if table.columnWidth(n) < table.sizeHintForColumn(n)]
    if cut and free > 1:
        return f"{cut} are cut, and {free} pixels are free"
    return ""


def _path(widget: QWidget, root: QWidget) -> str:
    """Return where a widget is, as a person would look for it."""
    parts: list[str] = []
    at: QWidget | None = widget
    while at is not None and at is not root and len(parts) < 6:
        name = type(at).__name__
        if not (name == "QWidget" and not at.objectName()) and not isinstance(at, QScrollArea):
            parts.append(f"{name}{'#' + at.objectName() if at.objectName() else ''}")
        at = at.parentWidget()
    place = widget.mapTo(root, QPoint(0, 0))
    return f"{' < '.join(parts)} at {place.x()},{place.y()}"
