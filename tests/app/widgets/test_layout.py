"""Rows, columns, splitters, lists with a detail, boxes that are refilled, and questions before something is done."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QWheelEvent
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

import app
from app.widgets.layout import (
    EmptyState,
    Flow,
    ListDetail,
    Panel,
    Splitter,
    _Side,
    column,
    confirm,
    dialog_buttons,
    guard_wheel,
    on_escape,
    refill,
    row,
    scrolled,
)
from app.widgets.theme import Theme

APP = Path(app.__file__).parent


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> None:
    """Remember places in a folder of the test's own."""
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "window"))


@dataclass(frozen=True)
class Row:
    """Data of an entry that is equal to another made from the same values."""

    name: str


# --- rows and columns -------------------------------------------------------------------------------------


def test_a_row_takes_widgets_layouts_and_stretches(qapp: QApplication) -> None:
    first, second = QLabel("first"), QLabel("second")
    made = row(first, 2, (second, 3), row(QLabel("inner")), margins=4, spacing=7)
    assert made.count() == 4
    assert [made.stretch(number) for number in range(4)] == [0, 2, 3, 0]
    assert made.itemAt(0).widget() is first
    assert made.itemAt(1).spacerItem() is not None
    assert made.itemAt(3).layout() is not None
    assert made.contentsMargins().left() == made.contentsMargins().bottom() == 4
    assert made.spacing() == 7


def test_a_column_has_no_margins_unless_they_are_given(qtbot: QtBot) -> None:
    bare, padded = column(QLabel("a"), (QLabel("b"), 1)), column(row(QLabel("c")), top=12, right=6)
    for widget in (bare, padded):
        qtbot.addWidget(widget)
    margins = bare.layout().contentsMargins()
    assert (margins.left(), margins.top(), margins.right(), margins.bottom()) == (0, 0, 0, 0)
    margins = padded.layout().contentsMargins()
    assert (margins.left(), margins.top(), margins.right(), margins.bottom()) == (0, 12, 6, 0)


def test_a_column_is_laid_out_in_the_holder_that_is_given(qtbot: QtBot) -> None:
    holder, above, below = QWidget(), QLabel("above"), QLabel("below")
    qtbot.addWidget(holder)
    assert column(above, (below, 1), holder=holder) is holder
    holder.resize(200, 300)
    holder.show()
    assert above.parentWidget() is below.parentWidget() is holder
    assert below.y() > above.y()
    assert below.height() > above.height()


def test_what_is_scrolled_gets_the_width_of_its_area(qtbot: QtBot) -> None:
    content = column(*(QLabel(str(number)) for number in range(80)))
    area = scrolled(content)
    qtbot.addWidget(area)
    area.resize(180, 120)
    area.show()
    assert content.objectName() == "content"
    assert content.width() == area.viewport().width()
    assert area.verticalScrollBar().maximum() > 0


# --- boxes ------------------------------------------------------------------------------------------------


def test_refilling_keeps_the_choice_and_says_nothing(qtbot: QtBot) -> None:
    box = QComboBox()
    qtbot.addWidget(box)
    refill(box, [("All", ""), ("Rye", "rye"), ("Wheat", "wheat")])
    assert box.currentData() == ""
    box.setCurrentIndex(2)
    told = QSignalSpy(box.currentIndexChanged)
    refill(box, [("All", ""), ("Oats", "oats"), ("Rye", "rye"), ("Wheat flour", "wheat")])
    assert (box.currentText(), box.currentData()) == ("Wheat flour", "wheat")
    assert told.count() == 0
    box.setCurrentIndex(0)
    assert told.count() == 1  # the box speaks again


def test_a_choice_that_is_gone_falls_back_to_the_first_or_to_none(qtbot: QtBot) -> None:
    box = QComboBox()
    qtbot.addWidget(box)
    refill(box, [("One", 1), ("Two", 2)], keep=2)
    assert box.currentData() == 2
    refill(box, [("One", 1)])
    assert box.currentData() == 1
    refill(box, [("Three", 3)], otherwise=-1)
    assert box.currentIndex() == -1
    refill(box, [])
    assert box.currentIndex() == -1
    assert box.count() == 0


def test_entries_are_compared_by_value(qtbot: QtBot) -> None:
    box = QComboBox()
    qtbot.addWidget(box)
    refill(box, [("First", Row("first")), ("Second", Row("second"))])
    box.setCurrentIndex(1)
    refill(box, [("First", Row("first")), ("Second", Row("second"))])
    assert box.currentIndex() == 1
    refill(box, [("First", Row("first")), ("Second", Row("second"))], keep=Row("first"))
    assert box.currentIndex() == 0


def test_an_editable_box_keeps_what_was_typed(qtbot: QtBot) -> None:
    box = QComboBox()
    qtbot.addWidget(box)
    box.setEditable(True)
    refill(box, [("What is rye?", "t1")])
    box.setEditText("How long does dough re")
    told = QSignalSpy(box.editTextChanged)
    refill(box, [("What is rye?", "t1"), ("What is wheat?", "t2")], keep="How long does dough re")
    assert box.currentText() == "How long does dough re"
    assert told.count() == 0
    refill(box, [("What is wheat?", "t2")], keep="t2")
    assert box.currentText() == "What is wheat?"


# --- questions before something is done -------------------------------------------------------------------


def named(box: QMessageBox, text: str) -> QPushButton:
    return next(made for made in box.findChildren(QPushButton) if made.text().replace("&", "") == text)


def test_the_action_runs_only_after_the_verb_was_clicked(qtbot: QtBot) -> None:
    parent, done = QWidget(), []
    qtbot.addWidget(parent)
    box = confirm(parent, "Promote", "Promote <b>it</b>?", "Promote", lambda: done.append(1), more="It ends.")
    assert box.text() == "Promote <b>it</b>?"
    assert box.textFormat() == Qt.TextFormat.PlainText
    assert box.informativeText() == "It ends."
    assert box.defaultButton().text() == "Promote"
    qtbot.mouseClick(named(box, "Cancel"), Qt.MouseButton.LeftButton)
    assert done == []
    box = confirm(parent, "Promote", "Promote it?", "Promote", lambda: done.append(2))
    qtbot.mouseClick(named(box, "Promote"), Qt.MouseButton.LeftButton)
    assert done == [2]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_enter_and_esc_cancel_what_would_lose_something(qtbot: QtBot, key: Qt.Key) -> None:
    parent, done = QWidget(), []
    qtbot.addWidget(parent)
    box = confirm(parent, "Erase", "Erase it?", "Erase", lambda: done.append(1), destructive=True)
    assert box.icon() == QMessageBox.Icon.Warning
    assert box.defaultButton() is named(box, "Cancel")
    with qtbot.waitSignal(box.finished):
        qtbot.keyClick(box, key)
    assert done == []


def test_the_button_that_loses_nothing_has_the_focus(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    for destructive, name in ((True, "Cancel"), (False, "Erase")):
        box = confirm(parent, "Erase", "Erase it?", "Erase", lambda: None, destructive=destructive)
        assert box.focusWidget() is named(box, name)
        box.close()


LOSING = ("Delete", "Erase", "Remove", "Restore", "Discard", "Clear", "Forget", "Reset", "Overwrite")


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Return the calls of a function anywhere in the window, each with where it is."""
    found = []
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                found.append((f"{path.relative_to(APP)}:{node.lineno}", node))
    return found


def test_every_question_before_something_is_lost_means_cancel_by_enter() -> None:
    asked = [(where, call) for where, call in calls("confirm") if len(call.args) > 3]
    losing = [(where, call) for where, call in asked if ast.unparse(call.args[3]).strip("'") in LOSING]
    assert len(losing) >= 8
    for where, call in losing:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given.get("destructive") == "True", where


def test_no_other_box_asks_for_a_yes_without_a_safe_default() -> None:
    boxes = [where for where, _ in calls("QMessageBox")]
    assert sorted(where.split(":")[0] for where in boxes) == ["application.py", "widgets/layout.py"]
    for where, call in calls("question"):
        assert ast.unparse(call.args[-1]) == "QMessageBox.StandardButton.No", where


def test_a_destructive_action_runs_after_its_button_was_clicked(qtbot: QtBot) -> None:
    parent, done = QWidget(), []
    qtbot.addWidget(parent)
    box = confirm(parent, "Erase", "Erase it?", "Erase", lambda: done.append(1), destructive=True)
    qtbot.mouseClick(named(box, "Erase"), Qt.MouseButton.LeftButton)
    assert done == [1]


# --- splitters and lists with a detail --------------------------------------------------------------------


def split(qtbot: QtBot, name: str, vertical: bool = False) -> Splitter:
    made = Splitter(
        name, QLabel("one"), QLabel("two"), (300, 100), vertical=vertical, stretch=(1, 1), least=(40, 40)
    )
    qtbot.addWidget(made)
    made.resize(404, 404)
    made.show()
    return made


def test_a_splitter_begins_with_its_sizes_and_remembers_where_it_was_moved(qtbot: QtBot) -> None:
    first = split(qtbot, "test/one")
    assert abs(first.sizes()[0] - 300) < 8
    assert not first.is_remembered
    first.moveSplitter(120, 1)
    assert first.is_remembered
    again, other = split(qtbot, "test/one"), split(qtbot, "test/other")
    assert abs(again.sizes()[0] - 120) < 8
    assert abs(other.sizes()[0] - 300) < 8


def test_a_splitter_cannot_lose_a_side_and_keeps_its_direction(qtbot: QtBot) -> None:
    split(qtbot, "test/turned").moveSplitter(200, 1)
    turned = split(qtbot, "test/turned", vertical=True)
    assert turned.orientation() == Qt.Orientation.Vertical
    assert not turned.childrenCollapsible()
    turned.moveSplitter(0, 1)
    assert min(turned.sizes()) > 0


def test_both_sides_of_a_splitter_keep_a_least_width_and_what_they_need(qtbot: QtBot) -> None:
    wide = QLabel("w" * 60)
    made = Splitter("test/least", QWidget(), wide, (300, 300), least=(150, 90))
    qtbot.addWidget(made)
    made.resize(700, 100)
    made.show()
    for end in (0, 700):
        made.moveSplitter(end, 1)
        assert made.sizes()[0] >= 150
        assert made.sizes()[1] >= wide.minimumSizeHint().width() > 90
    assert made.minimumSizeHint().width() >= 150 + wide.minimumSizeHint().width()


@pytest.mark.parametrize("written", ["not a state", b"broken", 7, ["a", "b"], "10:390", "1:2:3", "-5:9"])
def test_a_bad_saved_place_is_ignored(qtbot: QtBot, written: object) -> None:
    QSettings().setValue("test/bad", written)
    made = split(qtbot, "test/bad")
    assert abs(made.sizes()[0] - 300) < 8
    assert made.count() == 2


def test_a_hidden_side_gives_its_room_to_the_other(qtbot: QtBot) -> None:
    first, second = QLabel("one"), QLabel("two")
    made = Splitter("test/hidden", first, second, (300, 100))
    qtbot.addWidget(made)
    made.resize(600, 100)
    made.show()
    second.hide()
    QApplication.processEvents()
    assert made.sizes() == [600, 0]
    second.show()
    QApplication.processEvents()
    assert min(made.sizes()) >= 220


def test_a_list_without_rows_shows_its_empty_state(qtbot: QtBot, theme: Theme) -> None:
    rows, detail = QLabel("rows"), QLabel("detail")
    empty = EmptyState(theme, "traces", "No traces yet", "Ask something.")
    made = ListDetail("test/list", rows, detail, (200, 100), empty)
    qtbot.addWidget(made)
    made.show()
    assert made.is_empty
    assert empty.isVisible()
    assert not rows.isVisible()
    made.show_rows(["a row"])
    assert not made.is_empty
    assert rows.isVisible()
    assert detail.isVisible()
    assert not empty.isVisible()
    made.show_rows([])
    assert made.is_empty


# --- panels -----------------------------------------------------------------------------------------------


def test_a_panel_has_a_heading_only_where_one_is_given(qtbot: QtBot) -> None:
    with_heading, without = Panel("Sources"), Panel()
    for made in (with_heading, without):
        qtbot.addWidget(made)
    assert [shown.text() for shown in with_heading.findChildren(QLabel)] == ["Sources"]
    assert without.body.count() == 0


def test_an_empty_state_says_and_offers_and_follows_the_theme(qtbot: QtBot, theme: Theme) -> None:
    done: list[str] = []
    offer = QPushButton("Ask a question")
    offer.clicked.connect(lambda: done.append("asked"))
    made = EmptyState(theme, "ask", "Nothing yet", "Ask something.", offer)
    qtbot.addWidget(made)
    made.show()
    words = [shown.text() for shown in made.findChildren(QLabel)]
    assert "Nothing yet" in words
    assert "Ask something." in words
    qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert done == ["asked"]
    light = made._picture.pixmap().toImage()
    theme.apply("dark")
    assert made._picture.pixmap().toImage() != light
    theme.apply("light")


def test_the_heights_of_a_vertical_splitter_do_not_depend_on_widths(qtbot: QtBot) -> None:
    above, below = QWidget(), QWidget()
    above.setMinimumWidth(900)
    made = Splitter("tests/vertical", above, below, (280, 460), vertical=True)
    qtbot.addWidget(made)
    made.resize(1000, 740 + made.handleWidth())
    made.show()
    assert made.sizes() == [280, 460]


def test_the_last_row_of_a_dialog_does_its_verb_or_cancels(qtbot: QtBot) -> None:
    dialog = QDialog()
    qtbot.addWidget(dialog)
    done: list[str] = []
    buttons = dialog_buttons(dialog, "Build", lambda: done.append("built"))
    yes = buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert yes.text() == "Build"
    qtbot.mouseClick(yes, Qt.MouseButton.LeftButton)
    assert done == ["built"]
    rejected = QSignalSpy(dialog.rejected)
    qtbot.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Cancel), Qt.MouseButton.LeftButton)
    assert rejected.count() == 1
    assert done == ["built"]


# --- the wheel --------------------------------------------------------------------------------------------


def turn_wheel(field: QWidget) -> None:
    """Turn the wheel over a field. As Qt does for a mouse, hand it to the parent of what does not take it."""
    widget: QWidget | None = field
    while widget is not None:
        place = QPointF(widget.rect().center())
        event = QWheelEvent(
            place, QPointF(widget.mapToGlobal(widget.rect().center())), QPoint(0, -120), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)
        if event.isAccepted():
            return
        widget = widget.parentWidget()


def test_a_field_takes_the_wheel_only_with_the_focus_and_a_box_never(qtbot: QtBot) -> None:
    number, choice, slider, line = QSpinBox(value=42), QComboBox(), QSlider(), QLineEdit()
    choice.addItems(["one", "two", "three"])
    page = column(line, number, choice, slider, QLabel("below\n" * 60))
    guard_wheel(page)
    area = scrolled(page)
    qtbot.addWidget(area)
    area.resize(200, 150)
    area.show()
    line.setFocus()
    scrolled_to = []
    for field in (number, choice, slider):
        turn_wheel(field)
        scrolled_to.append(area.verticalScrollBar().value())
        assert not field.hasFocus()
    assert (number.value(), choice.currentIndex(), slider.value()) == (42, 0, 0)
    assert 0 < scrolled_to[0] < scrolled_to[1] < scrolled_to[2]  # the page scrolls instead
    number.setFocus()
    qtbot.waitUntil(number.hasFocus)
    turn_wheel(number)
    assert number.value() == 41
    choice.setFocus()
    qtbot.waitUntil(choice.hasFocus)
    turn_wheel(choice)
    assert choice.currentIndex() == 0


def test_a_field_that_comes_later_is_guarded_when_its_page_is_shown_again(qtbot: QtBot) -> None:
    page = QWidget()
    guard_wheel(page)
    qtbot.addWidget(page)
    page.show()
    page.hide()
    late = QSpinBox(page, value=5)
    page.show()
    turn_wheel(late)
    assert late.value() == 5


def test_the_fields_of_a_dialog_are_guarded_by_its_last_row(qtbot: QtBot) -> None:
    dialog, number = QDialog(), QSpinBox(value=5)
    qtbot.addWidget(dialog)
    column(number, QLineEdit(), dialog_buttons(dialog, "Save", dialog.accept), holder=dialog)
    dialog.open()
    number.clearFocus()
    turn_wheel(number)
    assert number.value() == 5
    dialog.reject()


def test_every_dialog_with_fields_guards_them() -> None:
    fields = ("QComboBox", "QSpinBox", "QDoubleSpinBox", "QDateTimeEdit", "QSlider")
    found = []
    for path in sorted((APP / "pages").rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and "QDialog" in [ast.unparse(base) for base in node.bases]:
                found.append(node.name)
                made = ast.unparse(node)
                guarded = "dialog_buttons(self" in made or "guard_wheel(self)" in made
                assert guarded or not any(f"{field}(" in made for field in fields), path
    assert len(found) > 10


def test_esc_is_the_fields_although_the_window_has_a_shortcut_for_it(qtbot: QtBot) -> None:
    window, field, other = QWidget(), QLineEdit(), QLineEdit()
    done: list[str] = []
    column(field, other, holder=window)
    QShortcut(QKeySequence("Esc"), window).activated.connect(lambda: done.append("window"))
    on_escape(field, lambda: done.append("field"))
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    for target, name in ((field, "field"), (other, "window")):
        target.setFocus()
        qtbot.waitUntil(target.hasFocus)
        qtbot.keyClick(target, Qt.Key.Key_Escape)
        assert done[-1] == name
    assert len(done) == 2


# --- lines that break -------------------------------------------------------------------------------------


def test_a_flow_breaks_into_lines_and_the_last_field_takes_what_is_left(qtbot: QtBot) -> None:
    holder = QWidget()
    made = [QPushButton(f"A button {number}") for number in range(5)]
    field = QLineEdit()
    holder.setLayout(Flow(*made, field))
    qtbot.addWidget(holder)
    wide = holder.layout().sizeHint().width()
    for width in (wide + 80, wide // 2, 150):
        holder.resize(width, holder.heightForWidth(width))
        holder.show()
        QApplication.processEvents()
        for child in (*made, field):
            assert holder.rect().contains(child.geometry()), (width, child.geometry())
            assert child.width() >= min(child.sizeHint().width(), width)
        assert field.geometry().right() >= width - 2
    assert len({child.y() for child in made}) == 5


def test_a_hidden_item_takes_no_room_in_a_flow(qtbot: QtBot) -> None:
    holder, first, second = QWidget(), QPushButton("one"), QPushButton("two")
    holder.setLayout(Flow(first, second))
    qtbot.addWidget(holder)
    holder.show()
    both = holder.sizeHint().width()
    first.hide()
    QApplication.processEvents()
    assert holder.sizeHint().width() < both
    assert second.x() == 0


def test_the_sides_of_a_splitter_are_no_windows_of_their_own(qtbot: QtBot) -> None:
    alone = _Side(QWidget(), 10, True)
    qtbot.addWidget(alone)
    assert not alone.isVisible()  # it would flash before its splitter takes it
    QSettings().remove("flash")
    hidden, last = QWidget(), QWidget()
    hidden.hide()
    splitter = Splitter("flash", hidden, last, (100, 100))
    qtbot.addWidget(splitter)
    splitter.show()
    assert last.isVisible()
    assert not hidden.parentWidget().isVisible()
    hidden.show()
    assert hidden.isVisible()
