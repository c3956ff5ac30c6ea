"""Tables: Qt's rules, sorting, paging, keyboard and clipboard."""

import json
import math
import time
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu
from pytestqt.qtbot import QtBot

from app.widgets.item_models import PAGE, Column, RecordTable, RecordTableModel, Want, date_time, share_room
from app.widgets.tables.export import Form
from app.widgets.tables.menu import Links
from app.widgets.theme import Theme

COLUMNS = (
    Column("Name", lambda r: r[0], 120, tooltip=lambda r: f"tip {r[0]}"),
    Column(
        "Count",
        lambda r: str(r[1]),
        60,
        right=True,
        sort=lambda r: r[1],
        colour=lambda r: "bad" if r[1] == 9 else None,
    ),
)


@pytest.fixture
def table(qtbot: QtBot, theme: Theme) -> RecordTable:
    QSettings().remove("tables/item_models_test")
    made = RecordTable(COLUMNS, theme, "item_models_test", "Nothing here yet.")
    qtbot.addWidget(made)
    made.resize(400, 200)
    made.show()
    return made


def names(table: RecordTable) -> list[str]:
    model = table.records_model
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def click_header(qtbot: QtBot, table: RecordTable, section: int) -> None:
    header = table.horizontalHeader()
    position = header.viewport().rect().topLeft()
    position.setX(header.sectionViewportPosition(section) + 20)
    position.setY(header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=position)


def test_the_model_keeps_qts_rules_while_it_sorts_and_pages(theme: Theme) -> None:
    model = RecordTableModel(COLUMNS, theme)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setUseFetchMore(False)  # it would fetch inside its own reset
    model.set_records([("b", 10), ("A", 9), ("c", 100)])
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert [r[1] for r in model.records] == [100, 10, 9]
    model.set_records(model.records)
    rows = [(str(n), n) for n in range(PAGE + 30)]
    model.set_source(lambda offset, limit: rows[offset : offset + limit])
    model.fetchMore(model.index(-1, -1))
    assert model.rowCount() == PAGE + 30


def test_a_cell_has_its_tooltip_colour_and_side(table: RecordTable, theme: Theme) -> None:
    table.set_records([("a", 9), ("b", 1)])
    model = table.records_model
    assert model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) == "tip a"
    assert model.index(0, 1).data(Qt.ItemDataRole.ForegroundRole) == theme.colour("bad")
    assert model.index(1, 1).data(Qt.ItemDataRole.ForegroundRole) is None
    assert model.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole) & int(Qt.AlignmentFlag.AlignRight)


def test_missing_values_and_mixed_kinds_can_be_sorted(theme: Theme) -> None:
    model = RecordTableModel(COLUMNS, theme)
    model.set_records([("a", 3), ("b", None), ("c", math.nan), ("d", "word"), ("e", 1)])
    model.sort(1)
    assert [r[0] for r in model.records] == ["b", "c", "e", "a", "d"]


def test_the_selection_goes_with_its_record_when_the_user_sorts(qtbot: QtBot, table: RecordTable) -> None:
    table.set_records([("b", 1), ("a", 2), ("c", 3)])
    table.selectRow(0)
    click_header(qtbot, table, 0)
    assert names(table) == ["a", "b", "c"]
    assert table.selected_records() == [("b", 1)]


def test_new_records_come_in_their_own_order_unless_the_users_is_to_be_kept(
    qtbot: QtBot, table: RecordTable
) -> None:
    table.set_records([("b", 1), ("a", 2)])
    click_header(qtbot, table, 0)
    table.set_records([("d", 1), ("c", 2)], keep_sort=True)
    assert names(table) == ["c", "d"]
    table.set_records([("z", 1), ("y", 2)])
    assert names(table) == ["z", "y"]
    assert table.horizontalHeader().sortIndicatorSection() not in (0, 1)


def test_the_same_records_again_leave_the_selection_alone(qtbot: QtBot, table: RecordTable) -> None:
    table.set_records([("a", 1), ("b", 2)])
    table.selectRow(1)
    with qtbot.waitSignal(table.records_model.dataChanged):
        table.set_records([("a", 1), ("b", 2)])
    assert table.selected_records() == [("b", 2)]


def test_a_record_is_chosen_wherever_it_stands(table: RecordTable) -> None:
    table.set_records([("a", 1), ("b", 2)])
    assert table.choose(lambda r: r[0] == "b")
    assert table.selected_records() == [("b", 2)]
    assert not table.choose(lambda r: r[0] == "x")


def test_a_hundred_thousand_rows_are_listed_without_a_pause(table: RecordTable) -> None:
    asked: list[int] = []

    def fetch(offset: int, limit: int) -> list[tuple[str, int]]:
        asked.append(offset)
        return [(str(n), n) for n in range(offset, min(offset + limit, 100_000))]

    started = time.perf_counter()
    table.set_source(fetch)
    table.grab()
    assert time.perf_counter() - started < 1.0
    assert len(asked) <= 2
    for _ in range(3):
        table.scrollToBottom()
        table.grab()
    assert table.records_model.rowCount() > 2 * PAGE


def test_the_header_of_a_paged_list_promises_no_sorting(qtbot: QtBot, table: RecordTable) -> None:
    rows = [("b", 1), ("a", 2)]
    table.set_source(lambda offset, limit: rows[offset : offset + limit])
    click_header(qtbot, table, 0)
    assert names(table) == ["b", "a"]
    table.set_records(rows)
    click_header(qtbot, table, 0)
    assert names(table) == ["a", "b"]


def test_enter_opens_a_row_and_ctrl_c_copies_one_line_a_record(qtbot: QtBot, table: RecordTable) -> None:
    table.set_records([("a", 1), ("two\tcells\nand lines", 2)])
    table.selectRow(1)
    with qtbot.waitSignal(table.record_activated) as caught:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert caught.args[0][1] == 2
    table.selectAll()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "a\t1\ntwo cells and lines\t2"


def test_an_empty_table_says_why(table: RecordTable) -> None:
    table.set_records([])
    with_words = table.grab().toImage()
    table.set_empty_text("")
    assert table.grab().toImage() != with_words


def test_widths_are_remembered(qtbot: QtBot, theme: Theme, table: RecordTable) -> None:
    table.setColumnWidth(0, 207)
    again = RecordTable(COLUMNS, theme, "item_models_test")
    qtbot.addWidget(again)
    assert again.columnWidth(0) == 207


def test_who_hears_of_a_selection_finds_it_made(theme: Theme) -> None:
    table = RecordTable((Column("A", str),), theme, "told")
    table.set_records([1, 2, 3])
    heard: list[tuple[int, list[int]]] = []
    table.record_selected.connect(lambda record: heard.append((record, table.selected_records())))
    table.selectRow(0)
    table.choose(lambda record: record == 3)
    assert heard == [(1, [1]), (3, [3])]


# --- the model --------------------------------------------------------------------------------------------


def test_a_cell_outside_the_table_is_empty(theme: Theme) -> None:
    model = RecordTableModel(COLUMNS, theme)
    assert model.data(QModelIndex()) is None
    assert model.rowCount(QModelIndex()) == 0
    model.set_records([("a", 1)])
    assert model.rowCount(model.index(0, 0)) == model.columnCount(model.index(0, 0)) == 0
    assert model.data(model.index(0, 0), Qt.ItemDataRole.DecorationRole) is None


def test_headers_have_titles_at_the_side_of_their_cells(theme: Theme) -> None:
    model = RecordTableModel(COLUMNS, theme)
    across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
    assert [model.headerData(number, across) for number in (0, 1)] == ["Name", "Count"]
    right = model.headerData(1, across, Qt.ItemDataRole.TextAlignmentRole)
    assert right & Qt.AlignmentFlag.AlignRight
    assert model.headerData(0, down) is None
    assert model.headerData(0, across, Qt.ItemDataRole.DecorationRole) is None


def test_pages_are_read_while_there_are_more(theme: Theme) -> None:
    rows = [(str(number), number) for number in range(2 * PAGE)]
    asked: list[tuple[int, int]] = []

    def fetch(offset: int, limit: int) -> list[tuple[str, int]]:
        asked.append((offset, limit))
        return rows[offset : offset + limit]

    model = RecordTableModel(COLUMNS, theme)
    assert not model.is_paged
    model.fetchMore(QModelIndex())  # nothing to read
    model.set_source(fetch)
    assert model.is_paged
    assert model.rowCount() == PAGE
    while model.canFetchMore(QModelIndex()):
        model.fetchMore(QModelIndex())
    assert model.rowCount() == 2 * PAGE
    assert asked == [(0, PAGE), (PAGE, PAGE), (2 * PAGE, PAGE)]
    assert model.record_at(2 * PAGE - 1) == rows[-1]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert model.record_at(0) == rows[0]  # a paged list keeps its order


def test_sorting_by_no_column_changes_nothing(theme: Theme) -> None:
    model = RecordTableModel(COLUMNS, theme)
    model.set_records([("b", 2), ("a", 1)])
    model.sort(-1)
    assert model.records == [("b", 2), ("a", 1)]
    model.sort(0)
    assert model.records == [("a", 1), ("b", 2)]


# --- the table --------------------------------------------------------------------------------------------


def entries(menu: QMenu | None) -> dict[str, QAction]:
    """The entries of a menu and of the menus in it."""
    assert menu is not None
    found = {action.text(): action for action in menu.actions() if action.text()}
    for action in list(found.values()):
        if action.menu():
            found |= entries(action.menu())
    return found


def test_actions_are_offered_for_the_selected_records(table: RecordTable) -> None:
    done: list[object] = []
    table.actions_for = lambda records: [(f"Delete {len(records)}", lambda: done.append(records))]
    assert table.menu_for(QPoint(5, 5)) is None  # there are no rows
    table.set_records([("a", 1), ("b", 2)])
    assert list(entries(table.menu_for(QPoint(5, 5)))) == [
        "Export all rows as CSV…",
        "Export all rows as JSON…",
    ]
    table.selectRow(1)
    offered = entries(table.menu_for(QPoint(5, 5)))
    assert list(offered) == [
        "Delete 1", "Copy", "Copy cell", "Copy as JSON", "Export all rows as CSV…", "Export all rows as JSON…",
    ]  # fmt: skip
    offered["Delete 1"].trigger()
    assert done == [[("b", 2)]]


def test_rows_cells_and_command_lines_are_copied_from_the_menu(table: RecordTable) -> None:
    opened: list[object] = []
    table.set_records([("a & b", 1), ("c", 2)])
    table.links_for = lambda records: Links(
        [("Open “a & b”", lambda: opened.append(records))],
        [("Show it", "ragdeck show a"), ("Ask", "ragdeck ask a")],
    )
    table.selectRow(0)
    offered = entries(table.menu_for(table.visualRect(table.records_model.index(0, 0)).center()))
    assert next(iter(offered)) == "Open “a && b”"  # one "&" would mark a letter
    for title, copied in {
        "Copy": "a & b\t1", "Copy cell": "a & b", "Show it": "ragdeck show a", "Ask": "ragdeck ask a",
    }.items():  # fmt: skip
        offered[title].trigger()
        assert QApplication.clipboard().text() == copied
    offered["Copy as JSON"].trigger()
    assert json.loads(QApplication.clipboard().text()) == {"Name": "a & b", "Count": "1"}
    offered["Open “a && b”"].trigger()
    assert opened == [[("a & b", 1)]]
    table.links_for = lambda records: Links((), [("Show it", "ragdeck show a")])
    one = entries(table.menu_for(QPoint(5, 5)))
    one["Copy as command line"].trigger()  # the only one needs no menu of its own
    assert QApplication.clipboard().text() == "ragdeck show a"


def test_the_keyboard_opens_the_menu(qtbot: QtBot, table: RecordTable) -> None:
    table.set_records([("a", 1), ("b", 2)])
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier)
    (menu,) = table.findChildren(QMenu)
    assert menu.isVisible()
    assert table.visualRect(table.records_model.index(0, 0)).contains(
        table.viewport().mapFromGlobal(menu.pos())
    )
    menu.close()


def test_chosen_rows_are_exported_and_all_of_a_paged_list(
    qtbot: QtBot, table: RecordTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, bool]] = []
    table.exported.connect(lambda sentence, worked: told.append((sentence, worked)))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "chosen.csv"), ""))
    table.set_records([("a", 1), ("=b()", 2), ("c", 3)])
    table.selectAll()
    table.selectionModel().select(
        table.records_model.index(0, 0),
        QItemSelectionModel.SelectionFlag.Deselect | QItemSelectionModel.SelectionFlag.Rows,
    )
    with qtbot.waitSignal(table.exported):
        entries(table.menu_for(QPoint(5, 5)))["Export the selected rows as CSV…"].trigger()
    assert (tmp_path / "chosen.csv").read_text("utf-8") == "\ufeffName,Count\n'=b(),2\nc,3\n"
    assert told == [("2 rows were written to chosen.csv.", True)]
    rows = [(str(number), number) for number in range(2500)]
    table.set_source(lambda offset, limit: rows[offset : offset + limit])
    with qtbot.waitSignal(table.exported):
        table.export_to(tmp_path / "all.json", Form.JSON)
    assert [row["Name"] for row in json.loads((tmp_path / "all.json").read_text("utf-8"))] == [
        n for n, _ in rows
    ]


def test_a_double_click_opens_a_record(qtbot: QtBot, table: RecordTable) -> None:
    table.set_records([("a", 1), ("b", 2)])
    told: list[object] = []
    table.record_activated.connect(told.append)
    place = table.visualRect(table.records_model.index(1, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told == [("b", 2)]


def test_other_keys_move_as_in_any_table(qtbot: QtBot, table: RecordTable) -> None:
    table.set_records([("a", 1), ("b", 2)])
    table.selectRow(0)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert table.selected_records() == [("b", 2)]


def test_the_sentence_of_an_empty_table_can_be_changed(qtbot: QtBot, table: RecordTable) -> None:
    before = table.grab().toImage()
    table.set_empty_text("")
    assert table.grab().toImage() != before


def test_moments_are_shown_in_local_time() -> None:
    moment = datetime(2026, 3, 9, 14, 5)
    assert date_time(int(moment.timestamp() * 1000)) == "09 Mar 2026 14:05"


# --- columns ----------------------------------------------------------------------------------------------

WIDE = (
    Column("Name", lambda r: r["name"], 120),
    Column("Question", lambda r: r["question"], 260, stretch=True),
    Column("Status", lambda r: r["status"], 60),
    Column("Tokens", lambda r: r["tokens"], 60, right=True),
    Column("Tags", lambda r: "a tag", 60, priority=9),
)
ROW = {
    "name": "Retail", "question": "What is the total of the receipt? " * 6,
    "status": "nothing found", "tokens": "1,217 + 1,143",
}  # fmt: skip


@pytest.fixture
def wide(qtbot: QtBot, theme: Theme) -> RecordTable:
    QSettings().remove("tables/wide")
    made = RecordTable(WIDE, theme, "wide")
    made.set_records([ROW])
    qtbot.addWidget(made)
    made.resize(900, 200)
    made.show()
    return made


def whole(table: RecordTable, number: int) -> bool:
    """Whether a column is as wide as its header and its longest cell, by Qt's own measure."""
    cell = table.sizeHintForColumn(number)
    return table.columnWidth(number) >= max(cell, table.header.need(number))


def test_columns_are_as_wide_as_what_they_show(wide: RecordTable) -> None:
    assert all(whole(wide, number) for number in (0, 2, 3, 4))
    assert sum(wide.columnWidth(number) for number in range(5)) == wide.viewport().width()
    wide.set_records([{**ROW, "tokens": "1,217,000 + 1,143,000", "status": "repeated, cut off"}])
    QApplication.processEvents()
    assert whole(wide, 2)
    assert whole(wide, 3)


def test_where_room_is_short_the_least_important_columns_go_first(wide: RecordTable) -> None:
    gone = []
    for width in (900, 500, 380, 240):
        wide.resize(width, 200)
        gone.append(wide.left_out())
        assert all(whole(wide, n) for n in (0, 2, 3, 4) if not wide.isColumnHidden(n))
        assert wide.columnWidth(1) >= 100
    assert gone[0] == []
    assert gone[1] == ["Tags"]
    assert gone[-1] == ["Status", "Tokens", "Tags"]
    assert [len(titles) for titles in gone] == sorted(len(titles) for titles in gone)
    wide.resize(900, 200)
    assert wide.left_out() == []


def test_a_figure_is_whole_also_in_a_page_that_is_read_later(qtbot: QtBot, wide: RecordTable) -> None:
    rows = [{**ROW, "tokens": "1"}] * PAGE + [{**ROW, "tokens": "123,456,789 + 123,456,789"}]
    wide.set_source(lambda offset, limit: rows[offset : offset + limit])
    QApplication.processEvents()
    wide.records_model.fetchMore(QModelIndex())
    QApplication.processEvents()
    wide.scrollToBottom()
    assert whole(wide, 3)


def test_the_header_menu_hides_and_shows_columns_and_that_is_remembered(
    qtbot: QtBot, theme: Theme, wide: RecordTable
) -> None:
    menu = wide.column_menu()
    assert [(a.text(), a.isChecked()) for a in menu.actions() if a.isCheckable()] == [
        (column.title, True) for column in WIDE
    ]
    next(action for action in menu.actions() if action.text() == "Status").trigger()
    assert wide.left_out() == ["Status"]
    wide.resize(420, 200)
    assert wide.left_out() == ["Status", "Tags"] or wide.left_out() == ["Status"]
    wide.choose_column(4, True)
    wide.resize(260, 200)
    assert "Tags" not in wide.left_out()  # who asked for it gets it
    again = RecordTable(WIDE, theme, "wide")
    again.set_records([ROW])
    qtbot.addWidget(again)
    again.resize(900, 200)
    again.show()
    assert again.left_out() == ["Status"]
    again.reset_columns()
    assert again.left_out() == []


def test_the_last_column_cannot_be_hidden(wide: RecordTable) -> None:
    for number in range(5):
        wide.choose_column(number, False)
    assert len(wide.left_out()) == 4


def test_order_and_widths_are_remembered_and_can_be_forgotten(
    qtbot: QtBot, theme: Theme, wide: RecordTable
) -> None:
    wide.horizontalHeader().moveSection(2, 0)
    wide.setColumnWidth(0, 217)
    assert wide.columnWidth(0) == 217
    assert sum(wide.columnWidth(number) for number in range(5)) == wide.viewport().width()
    again = RecordTable(WIDE, theme, "wide")
    again.set_records([ROW])
    qtbot.addWidget(again)
    again.resize(900, 200)
    again.show()
    assert again.horizontalHeader().visualIndex(2) == 0
    assert again.columnWidth(0) == 217
    again.reset_columns()
    assert again.horizontalHeader().visualIndex(2) == 2
    assert again.columnWidth(0) != 217


@pytest.mark.parametrize(
    "written", ["{", "[1]", '{"widths": {"Name": "wide"}}', b"\x00\x01", 5, '{"order": 3}']
)
def test_what_was_remembered_wrongly_is_ignored(qtbot: QtBot, theme: Theme, written: object) -> None:
    QSettings().setValue("tables/wide", written)
    made = RecordTable(WIDE, theme, "wide")
    qtbot.addWidget(made)
    made.resize(900, 200)
    made.show()
    assert made.left_out() == []
    QSettings().remove("tables/wide")


def test_room_is_shared_by_need_and_the_rest_goes_to_what_stretches() -> None:
    a, b, c = Want(50, 50), Want(100, 300, stretch=True), Want(40, 80, rank=2)
    assert share_room([a, b, c], 190) == [50, 100, 40]
    assert share_room([a, b, c], 210) == [50, 110, 50]
    assert share_room([a, b, c], 500) == [50, 370, 80]
    assert share_room([a, b, c], 160) == [50, 110, 0]
    assert share_room([a, b, c], 100) == [50, 100, 0]  # it scrolls sideways
    assert share_room([Want(10, 10), Want(10, 10)], 100) == [10, 90]
    assert share_room([a, Want(200, 300, stretch=True, floor=80)], 150) == [50, 100]
    assert share_room([a, Want(200, 300, stretch=True, floor=80)], 100) == [50, 80]
    assert share_room([], 100) == []


def test_a_click_on_empty_space_keeps_the_selection(qtbot: QtBot, wide: RecordTable) -> None:
    wide.selectRow(0)
    empty = QPoint(20, wide.viewport().height() - 5)
    assert not wide.indexAt(empty).isValid()
    qtbot.mouseClick(wide.viewport(), Qt.MouseButton.LeftButton, pos=empty)
    assert wide.selected_records() == [ROW]
    qtbot.mouseClick(wide.viewport(), Qt.MouseButton.RightButton, pos=empty)
    assert wide.selected_records() == [ROW]


def test_rows_follow_the_text_size_and_the_density(wide: RecordTable, theme: Theme) -> None:
    wide.resize(2000, 200)
    usual, tokens = wide.rowHeight(0), wide.columnWidth(3)
    theme.resize(100, "compact")
    assert wide.rowHeight(0) < usual
    theme.resize(200, "comfortable")
    QApplication.processEvents()
    assert wide.rowHeight(0) > 1.7 * usual
    assert wide.columnWidth(3) > 1.6 * tokens
    theme.resize(100, "comfortable")
    QApplication.processEvents()
    assert (wide.rowHeight(0), wide.columnWidth(3)) == (usual, tokens)
