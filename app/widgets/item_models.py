"""One table model for every list of records: a table is a list of Columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSettings,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QMenu, QTableView, QWidget

from app.widgets.labels import as_it_is
from app.widgets.theme import Theme

Index = QModelIndex | QPersistentModelIndex
PAGE = 200


def date_time(milliseconds: int) -> str:
    """Return a moment in local time, as tables show it. milliseconds: since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %Y %H:%M")


@dataclass(frozen=True)
class Column:
    """A column of a table: what it shows of a record, and how."""

    title: str
    text: Callable[[Any], str]
    width: int = 120
    right: bool = False
    sort: Callable[[Any], Any] | None = None
    tooltip: Callable[[Any], str] | None = None
    colour: Callable[[Any], str | None] | None = None  # a semantic colour name
    stretch: bool = False


class RecordTableModel(QAbstractTableModel):
    """A model of records in rows, which are all there or read page by page while scrolling."""

    def __init__(self, columns: Sequence[Column], theme: Theme, parent: QWidget | None = None) -> None:
        """Make an empty model with these columns."""
        super().__init__(parent)
        self.columns = list(columns)
        self._theme = theme
        self._records: list[Any] = []
        self._fetch: Callable[[int, int], list[Any]] | None = None
        self._more = False

    def set_records(self, records: Sequence[Any]) -> None:
        """Show these in this order. Equal ones leave the selection and the scroll position alone."""
        if self._fetch is None and self._records and list(records) == self._records:
            self._records = list(records)
            last = self.index(len(self._records) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._records, self._fetch, self._more = list(records), None, False
        self.endResetModel()

    def set_source(self, fetch: Callable[[int, int], list[Any]]) -> None:
        """Show the records that fetch(offset, limit) gives, as far as they are scrolled to."""
        self.beginResetModel()
        self._fetch = fetch
        self._records = fetch(0, PAGE)
        self._more = len(self._records) == PAGE
        self.endResetModel()

    @property
    def is_paged(self) -> bool:
        """Whether the records are read page by page."""
        return self._fetch is not None

    @property
    def records(self) -> list[Any]:
        """The records in the order shown, as far as they were read."""
        return self._records

    def record_at(self, row: int) -> Any:
        """Return the record of a row."""
        return self._records[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of records read so far."""
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def canFetchMore(self, parent: Index) -> bool:
        """Return whether another page can be read."""
        return self._more and not parent.isValid()

    def fetchMore(self, parent: Index) -> None:
        """Read another page."""
        if self._fetch is None:
            return
        page = self._fetch(len(self._records), PAGE)
        self._more = len(page) == PAGE
        if page:
            first = len(self._records)
            self.beginInsertRows(QModelIndex(), first, first + len(page) - 1)
            self._records.extend(page)
            self.endInsertRows()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return text, tooltip, alignment or colour of a cell."""
        if not index.isValid():
            return None
        column, record = self.columns[index.column()], self._records[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(record)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_it_is(column.tooltip(record)) if column.tooltip else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole and column.colour:
            name = column.colour(record)
            return self._theme.colour(name) if name else None
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column, or its alignment."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.columns[section].right else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; the selection goes with its records."""
        if self._fetch is not None or not 0 <= column < len(self.columns):
            return  # a paged list keeps the order of its query
        key = self.columns[column].sort or self.columns[column].text
        descending = order == Qt.SortOrder.DescendingOrder
        keys = [_sortable(key(record)) for record in self._records]
        rows = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
        self.layoutAboutToBeChanged.emit()
        self._records = [self._records[row] for row in rows]
        new_row = {old: new for new, old in enumerate(rows)}
        before = self.persistentIndexList()  # the selection goes with its records
        after = [self.index(new_row[index.row()], index.column()) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()


class RecordTable(QTableView):
    """A table of records with keys, copying, remembered widths, and a sentence while it is empty."""

    record_activated = Signal(object)
    record_selected = Signal(object)

    def __init__(
        self,
        columns: Sequence[Column],
        theme: Theme,
        name: str,
        empty: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Make an empty table.

        Args:
            columns: Its columns.
            theme: The colours.
            name: Under which its widths are remembered; no two tables share one.
            empty: What it says while it has no records.
            parent: The owner in Qt's sense.
        """
        super().__init__(parent)
        self._theme, self._empty = theme, empty
        self.setObjectName(name)
        self.setAccessibleName(name.replace("_", " "))
        self.records_model = RecordTableModel(columns, theme, self)
        self.setModel(self.records_model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(28)
        self._set_up_header(columns)
        self.doubleClicked.connect(
            lambda index: self.record_activated.emit(self.records_model.record_at(index.row()))
        )
        # Not currentRowChanged: it comes before the selection has changed, and listeners ask for that.
        self.selectionModel().selectionChanged.connect(lambda *_: self._emit_selected())
        self.actions_for: Callable[[list[Any]], list[tuple[str, Callable[[], None]]]] | None = None
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)

    def set_records(self, records: Sequence[Any], keep_sort: bool = False) -> None:
        """Show these in the given order, or with keep_sort in the order that the user sorted by last."""
        header = self.horizontalHeader()
        section, order = header.sortIndicatorSection(), header.sortIndicatorOrder()
        if keep_sort and 0 <= section < len(self.records_model.columns):
            column = self.records_model.columns[section]
            key, descending = column.sort or column.text, order == Qt.SortOrder.DescendingOrder
            records = sorted(records, key=lambda r: _sortable(key(r)), reverse=descending)
        else:
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.records_model.set_records(records)
        self.viewport().update()

    def set_source(self, fetch: Callable[[int, int], list[Any]]) -> None:
        """Show the records that fetch(offset, limit) gives, as far as they are scrolled to."""
        self.records_model.set_source(fetch)

    def choose(self, wanted: Callable[[Any], bool]) -> bool:
        """Select the first record that is wanted, wherever it is sorted to; False when there is none."""
        for number, record in enumerate(self.records_model.records):
            if wanted(record):
                self.selectRow(number)
                return True
        return False

    def selectRow(self, row: int) -> None:
        """Select this row alone.

        Qt's own method minds the keys that are held down: with Ctrl it would add to the selection.
        """
        index = self.records_model.index(row, 0)
        command = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, command.NoUpdate)
        self.selectionModel().select(index, command.ClearAndSelect | command.Rows)

    def selected_records(self) -> list[Any]:
        """Return the selected records in the order shown."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.records_model.record_at(row) for row in rows]

    def set_empty_text(self, text: str) -> None:
        """Say this while the table has no records."""
        self._empty = text
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Activate a record with Enter; copy the selected rows, tabs between their cells."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.record_activated.emit(self.records_model.record_at(self.currentIndex().row()))
        elif event.matches(QKeySequence.StandardKey.Copy):
            lines = [
                "\t".join(" ".join(c.text(r).split()) for c in self.records_model.columns)
                for r in self.selected_records()
            ]
            QApplication.clipboard().setText("\n".join(lines))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, or the sentence of an empty table."""
        super().paintEvent(event)
        if self.records_model.rowCount() == 0 and self._empty:
            painter = QPainter(self.viewport())
            painter.setPen(self._theme.colour("text_muted"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(20, 8, -20, -8), flags, self._empty)
            painter.end()

    def _set_up_header(self, columns: Sequence[Column]) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        for number, column in enumerate(columns):
            self.setColumnWidth(number, column.width)
            if column.stretch:
                header.setSectionResizeMode(number, QHeaderView.ResizeMode.Stretch)
        self.setSortingEnabled(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        state = QSettings().value(f"tables/{self.objectName()}")
        if state is not None:
            header.restoreState(state)
        header.sectionResized.connect(self._remember)
        header.sectionMoved.connect(self._remember)
        self.records_model.modelReset.connect(self._mind_pages)

    def _mind_pages(self) -> None:
        """Let nobody sort a paged list, which keeps the order of its query."""
        header = self.horizontalHeader()
        header.setSectionsClickable(not self.records_model.is_paged)
        if self.records_model.is_paged:
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def _remember(self) -> None:
        QSettings().setValue(f"tables/{self.objectName()}", self.horizontalHeader().saveState())

    def _emit_selected(self) -> None:
        current = self.currentIndex()
        if current.isValid() and self.selectionModel().isRowSelected(current.row()):
            self.record_selected.emit(self.records_model.record_at(current.row()))

    def _show_menu(self, position: QPoint) -> None:
        records = self.selected_records()
        if self.actions_for is None or not records:
            return
        menu = QMenu(self)
        for title, action in self.actions_for(records):
            menu.addAction(title, action)
        menu.popup(self.viewport().mapToGlobal(position))


def _sortable(value: Any) -> tuple[int, Any]:
    """Return a key that sorts None and NaN first, then numbers, then texts without regard to case."""
    if value is None or value != value:
        return (0, 0)
    return (2, value.casefold()) if isinstance(value, str) else (1, value)
