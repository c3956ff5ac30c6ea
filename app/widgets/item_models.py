"""One table model for every list of records: a table is a list of Columns.

Columns are as wide as what they show. Where room is short the least important ones go; a menu of the header
brings them back, hides others, and is remembered with the order and the widths that a person gave them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSettings,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QMenu,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.widgets.labels import as_it_is
from app.widgets.tables.export import Export, Form, all_as_json, tabbed
from app.widgets.tables.menu import Entries, Links, Rows, copy_text, row_menu
from app.widgets.theme import Theme, scaled

Index = QModelIndex | QPersistentModelIndex
PAGE = 200
_MEASURED_ROWS = 1000  # of a long list, spread over all of it
_LONGEST = 4  # the cells of a column that are measured: those with the most letters
_LEAST_STRETCH = 100  # pixels of a column that takes what room is left, where there is hardly any
_SHORT_COLUMN = 150  # pixels of a column that is whole whatever its usual width is, such as a status
_SHORT_TEXT = 14  # letters; a longer text has a tooltip, since there may be no room for it


def date_time(milliseconds: int) -> str:
    """Return a moment in local time, as tables show it. milliseconds: since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %Y %H:%M")


@dataclass(frozen=True)
class Column:
    """A column of a table: what it shows of a record, and how.

    Attributes:
        title: What the header says.
        text: What a cell shows.
        width: About how wide it is, in pixels at a text size of 100 %. What it shows decides; a text that
            needs much more than this is cut first.
        right: Whether it is a figure: at the right of its cell, and never cut.
        sort: The value to sort by.
        tooltip: What is said of a cell.
        colour: The name of a cell's colour.
        stretch: Whether it takes what room is left. It is never left out.
        priority: 0 stays; of the others the highest goes first where room is short. By default the first
            column stays, and the others go from the last to the second.
    """

    title: str
    text: Callable[[Any], str]
    width: int = 120
    right: bool = False
    sort: Callable[[Any], Any] | None = None
    tooltip: Callable[[Any], str] | None = None
    colour: Callable[[Any], str | None] | None = None
    stretch: bool = False
    priority: int | None = None


@dataclass(frozen=True)
class Want:
    """The room that a column asks for, in pixels.

    Attributes:
        least: Less than this would cut what must be whole.
        wish: With this everything is whole.
        rank: 0 stays; of the others the highest goes first.
        stretch: Whether it takes what room is left.
        floor: What it can do with once no other column can go; 0 is as little as `least`.
    """

    least: int
    wish: int
    rank: int = 0
    stretch: bool = False
    floor: int = 0


def share_room(wants: Sequence[Want], room: int) -> list[int]:
    """Return a width for each column, 0 for one that is left out; together they fill the room."""
    kept = set(range(len(wants)))
    while sum(wants[n].least for n in kept) > room and any(wants[n].rank for n in kept):
        kept.remove(max(kept, key=lambda n: (wants[n].rank, n)))
    widths = [wants[n].least if n in kept else 0 for n in range(len(wants))]
    for n in sorted(kept):  # nothing can go any more: what stretches gives way before the table scrolls
        if wants[n].stretch and wants[n].floor:
            widths[n] = max(wants[n].floor, widths[n] - max(sum(widths) - room, 0))
    spare = room - sum(widths)
    hungry = {n for n in kept if wants[n].wish > widths[n]}
    while spare > 0 and hungry:
        part = max(spare // len(hungry), 1)
        for n in sorted(hungry, key=lambda n: wants[n].wish - widths[n]):
            given = min(part, wants[n].wish - widths[n], spare)
            widths[n] += given
            spare -= given
        hungry = {n for n in hungry if wants[n].wish > widths[n]}
    takers = [n for n in sorted(kept) if wants[n].stretch] or sorted(kept)[-1:]
    for number, n in enumerate(takers):
        part = max(spare, 0) // (len(takers) - number)
        widths[n] += part
        spare -= part
    return widths


@dataclass
class _Choice:
    """What a person has chosen about the columns of a table, by their titles. Widths are at 100 %."""

    order: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    widths: dict[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as JSON."""
        values = {
            "order": self.order,
            "hidden": sorted(self.hidden),
            "shown": sorted(self.shown),
            "widths": self.widths,
        }
        return json.dumps(values)

    @classmethod
    def read(cls, written: object) -> _Choice:
        """Return what was remembered; anything that cannot be read, such as an older format, is none."""
        try:
            values = json.loads(written) if isinstance(written, str) else {}
            return cls(
                [str(title) for title in values.get("order", [])],
                {str(title) for title in values.get("hidden", [])},
                {str(title) for title in values.get("shown", [])},
                {str(title): float(width) for title, width in values.get("widths", {}).items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()


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

    @property
    def titles(self) -> list[str]:
        """The titles of the columns; of one without a title, its place."""
        return [_key(number, column) for number, column in enumerate(self.columns)]

    def record_at(self, row: int) -> Any:
        """Return the record of a row."""
        return self._records[row]

    def cells(self, record: Any) -> list[str]:
        """Return what the columns show of a record."""
        return [column.text(record) for column in self.columns]

    @property
    def source(self) -> Callable[[int, int], list[Any]]:
        """What gives the present records from an offset on, whether they were scrolled to or not."""
        records = self._records
        return self._fetch or (lambda offset, limit: records[offset : offset + limit])

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
            if column.tooltip:
                return as_it_is(column.tooltip(record))
            text = column.text(record)
            return as_it_is(text) if len(text) > _SHORT_TEXT else None
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


class TableHeader(QHeaderView):
    """A header that knows how wide a section has to be also while it is hidden."""

    def need(self, number: int) -> int:
        """Return the width of a title with what is around it, and its arrow if it is sorted by."""
        self.setSortIndicatorShown(self.sortIndicatorSection() == number)
        width = self.sectionSizeFromContents(number).width()
        self.setSortIndicatorShown(True)
        return width


class RecordTable(QTableView):
    """A table of records with keys, copying, columns that fit, and a sentence while it is empty."""

    record_activated = Signal(object)
    record_selected = Signal(object)
    exported = Signal(str, bool)  # what to say of it, and whether it worked

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
            name: Under which its columns are remembered; no two tables share one.
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
        self._needs: list[tuple[int, int]] | None = None  # of each column: its header, its longest cell
        self._is_fitting = False
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.fit_columns)
        self.header = TableHeader(Qt.Orientation.Horizontal, self)
        self._set_up_header()
        theme.changed.connect(self._set_sizes)
        self._set_sizes()
        self.doubleClicked.connect(
            lambda index: self.record_activated.emit(self.records_model.record_at(index.row()))
        )
        # Not currentRowChanged: it comes before the selection has changed, and listeners ask for that.
        self.selectionModel().selectionChanged.connect(lambda *_: self._emit_selected())
        # What the page does with some records, and what the program knows of them wherever they are listed.
        self.actions_for: Callable[[list[Any]], Entries] | None = None
        self.links_for: Callable[[list[Any]], Links] | None = None
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
        """Activate a record with Enter, copy the selected rows with tabs between their cells, open the menu.

        Qt itself opens it with the menu key, and with Shift+F10 on Windows alone.
        """
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.record_activated.emit(self.records_model.record_at(self.currentIndex().row()))
        elif event.matches(QKeySequence.StandardKey.Copy):
            copy_text(tabbed(map(self.records_model.cells, self.selected_records())))
        elif event.key() == Qt.Key.Key_F10 and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self._show_menu(self.visualRect(self.currentIndex()).center())
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

    # --- columns ------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns into the new width."""
        super().resizeEvent(event)
        self.fit_columns()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the columns: what is hidden is not measured."""
        super().showEvent(event)
        self.fit_columns()

    def selectionCommand(
        self, index: Index, event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        """Leave the selection alone where no row is clicked: its details would stay without a row."""
        if not index.isValid():
            return QItemSelectionModel.SelectionFlag.NoUpdate
        return super().selectionCommand(index, event)

    def fit_columns(self) -> None:
        """Give each column the width that it needs, and leave out the last ones where there is no room."""
        if self._is_fitting or not self.isVisible():
            return
        self._soon.stop()
        if self._needs is None:
            self._needs = [self._measure(number) for number in range(len(self.records_model.columns))]
        choice, columns = self._choice, self.records_model.columns
        numbers = [n for n, column in enumerate(columns) if _key(n, column) not in choice.hidden]
        widths = share_room([self._want(n) for n in numbers], self.viewport().width())
        self._is_fitting = True
        given = dict(zip(numbers, widths, strict=True))
        for number in range(len(columns)):
            width = given.get(number, 0)
            self.setColumnHidden(number, width == 0)
            if width:
                self.setColumnWidth(number, width)
        self._is_fitting = False

    def left_out(self) -> list[str]:
        """Return the titles of the columns that are not shown, by choice or for want of room."""
        columns = self.records_model.columns
        return [column.title for number, column in enumerate(columns) if self.isColumnHidden(number)]

    def choose_column(self, number: int, shown: bool) -> None:
        """Show or hide a column from now on, whatever room there is; the last one stays."""
        title = _key(number, self.records_model.columns[number])
        if not shown and len(self.left_out()) >= len(self.records_model.columns) - 1:
            return
        (self._choice.shown.add if shown else self._choice.shown.discard)(title)
        (self._choice.hidden.discard if shown else self._choice.hidden.add)(title)
        self._remember()

    def reset_columns(self) -> None:
        """Forget which columns were chosen, in which order, and how wide."""
        self._choice = _Choice()
        header = self.horizontalHeader()
        self._is_fitting = True
        for number in range(len(self.records_model.columns)):
            header.moveSection(header.visualIndex(number), number)
        self._is_fitting = False
        self._remember()

    def column_menu(self) -> QMenu:
        """Return a menu with every column, ticked where it is shown."""
        menu = QMenu(self)
        for number, column in enumerate(self.records_model.columns):
            action = menu.addAction(column.title or "Mark")
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.toggled.connect(lambda shown, n=number: self.choose_column(n, shown))
        menu.addSeparator()
        menu.addAction("Columns as at first", self.reset_columns)
        return menu

    def _want(self, number: int) -> Want:
        """Return the room that a column asks for."""
        assert self._needs is not None
        column = self.records_model.columns[number]
        header, cells = self._needs[number]
        wish, usual = max(header, cells), scaled(column.width)
        key = _key(number, column)
        rank = column.priority if column.priority is not None else 0 if column.stretch else number
        if key in self._choice.shown:
            rank = 0
        if key in self._choice.widths:
            chosen = max(scaled(self._choice.widths[key]), scaled(20))
            return Want(chosen, chosen, rank)
        if column.right:
            least = wish
        elif column.stretch:
            least = max(header, min(cells, max(round(0.75 * usual), scaled(_LEAST_STRETCH))))
        else:
            least = wish if wish <= max(1.6 * usual, scaled(_SHORT_COLUMN)) else max(header, usual)
        floor = min(least, max(header, scaled(_LEAST_STRETCH))) if column.stretch else least
        return Want(least, wish, rank, column.stretch, floor)

    def _measure(self, number: int) -> tuple[int, int]:
        """Return the width of a column's header and of its longest cell, with what is around them."""
        model = self.records_model
        header = self.header.need(number)
        count = model.rowCount()
        text = model.columns[number].text
        step = max(count // _MEASURED_ROWS, 1)
        lengths = sorted(((len(text(model.record_at(r))), r) for r in range(0, count, step)), reverse=True)
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.features |= QStyleOptionViewItem.ViewItemFeature.HasDisplay
        delegate = self.itemDelegate()
        widths = [delegate.sizeHint(option, model.index(r, number)).width() for _, r in lengths[:_LONGEST]]
        return header + 2, max(widths, default=0) + 2

    def _measure_again(self) -> None:
        self._needs = None
        self._soon.start()

    def _set_sizes(self) -> None:
        """Follow the text size and the density in force."""
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(self._theme.row_height)
        self._measure_again()

    def _set_up_header(self) -> None:
        header = self.header
        self.setHorizontalHeader(header)
        header.setSectionsClickable(True)
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setMinimumSectionSize(20)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._choice = _Choice.read(QSettings().value(f"tables/{self.objectName()}"))
        columns = self.records_model.columns
        for number, column in enumerate(columns):
            self.setColumnWidth(number, scaled(self._choice.widths.get(_key(number, column), column.width)))
        keys = [_key(number, column) for number, column in enumerate(columns)]
        if sorted(self._choice.order) == sorted(keys):
            for place, key in enumerate(self._choice.order):
                header.moveSection(header.visualIndex(keys.index(key)), place)
        self.setSortingEnabled(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sectionResized.connect(self._resized)
        header.sectionMoved.connect(self._moved)
        header.sortIndicatorChanged.connect(lambda *_: self._measure_again())
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(
            lambda place: self.column_menu().popup(header.mapToGlobal(place))
        )
        header.setToolTip("Right-click to choose columns")
        model = self.records_model
        model.modelReset.connect(self._mind_pages)
        for changed in (model.modelReset, model.rowsInserted, model.dataChanged):
            changed.connect(lambda *_: self._measure_again())

    def _resized(self, number: int, _before: int, width: int) -> None:
        """Remember the width that a person gave a column; the others share what is left."""
        if self._is_fitting or not width:
            return
        key = _key(number, self.records_model.columns[number])
        self._choice.widths[key] = width / max(scaled(100) / 100, 0.1)
        self._remember()

    def _moved(self, *_: int) -> None:
        if not self._is_fitting:
            header, columns = self.horizontalHeader(), self.records_model.columns
            order = [header.logicalIndex(place) for place in range(len(columns))]
            self._choice.order = [_key(number, columns[number]) for number in order]
            self._remember()

    def _remember(self) -> None:
        QSettings().setValue(f"tables/{self.objectName()}", self._choice.text())
        self.fit_columns()

    def _mind_pages(self) -> None:
        """Let nobody sort a paged list, which keeps the order of its query."""
        header = self.horizontalHeader()
        header.setSectionsClickable(not self.records_model.is_paged)
        if self.records_model.is_paged:
            header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def _emit_selected(self) -> None:
        current = self.currentIndex()
        if current.isValid() and self.selectionModel().isRowSelected(current.row()):
            self.record_selected.emit(self.records_model.record_at(current.row()))

    def menu_for(self, position: QPoint) -> QMenu | None:
        """Return the menu for the selected rows and the cell at a position; None: there are no rows."""
        model, records = self.records_model, self.selected_records()
        if not model.records:
            return None
        index = self.indexAt(position)
        return row_menu(
            self,
            Rows(
                lambda: tabbed(map(model.cells, records)),
                lambda: all_as_json(records, model.titles, model.cells),
                index.data() if index.isValid() and records else None,
                len(records),
                None if model.canFetchMore(QModelIndex()) else model.rowCount(),
            ),
            self.actions_for(records) if self.actions_for and records else (),
            self.links_for(records) if self.links_for and records else Links(),
            partial(_ask_where, self),
        )

    def export_to(self, path: Path, form: Form, records: Sequence[Any] | None = None) -> Export:
        """Write records, or all that there are, to a file; `exported` follows."""
        model = self.records_model
        fetch = model.source if records is None else lambda offset, limit: records[offset : offset + limit]
        export = Export(path, form, model.titles, model.cells, fetch, self)
        export.ended.connect(self.exported)
        export.ended.connect(export.deleteLater)
        return export

    def _show_menu(self, position: QPoint) -> None:
        menu = self.menu_for(position)
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.viewport().mapToGlobal(position))


def _ask_where(table: RecordTable, form: Form, selected: bool) -> None:
    """Ask for the file of an export, of the selected records or of all, and write it."""
    records = table.selected_records() if selected else None
    name = f"{table.accessibleName()}.{form}"
    path, _ = QFileDialog.getSaveFileName(table, "Export", name, f"{form.upper()} (*.{form})")
    if path:
        table.export_to(Path(path), form, records)


def _key(number: int, column: Column) -> str:
    """Return the name under which a column is remembered: its title, or its place where it has none."""
    return column.title or f"column {number}"


def _sortable(value: Any) -> tuple[int, Any]:
    """Return a key that sorts None and NaN first, then numbers, then texts without regard to case."""
    if value is None or value != value:
        return (0, 0)
    return (2, value.casefold()) if isinstance(value, str) else (1, value)
