"""No text of a document, a model or a file name is read as HTML, anywhere in the window."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pyqtgraph as pg
import pytest
from fakes import ScriptedModel, drive
from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QAction, QTextDocument
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QGraphicsTextItem,
    QLabel,
    QMessageBox,
    QTabWidget,
    QTextEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.console import Console
from app.main_window import MainWindow
from app.routes import PAGES
from app.widgets.charts import add_legend
from app.widgets.item_models import RecordTable
from app.widgets.labels import ElidedLabel, as_it_is, label, set_tip
from app.widgets.layout import confirm
from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.evaluation import sets
from rag.evaluation.cases import Case
from rag.knowledge.edits import edit_document
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import list_documents, look_up_version
from rag.knowledge.watched_folders import watch_folder
from rag.review.feedback import add_feedback
from rag.workspace import Workspace

APP = Path(__file__).resolve().parents[2] / "app"
HOSTILE = "<img src='opened.png'><s>STRUCK</s> & more"  # a file may be called so
SENTENCE = f"The tide at Bremen rises 3.5 metres {HOSTILE} and boats leave at noon."


# --- what reads a text as HTML ----------------------------------------------------------------------------


def is_read(html: str) -> bool:
    """Return whether the hostile text is obeyed where this text is shown as HTML."""
    document = QTextDocument()
    document.setHtml(html)
    return is_obeyed(document)


def is_obeyed(document: QTextDocument) -> bool:
    block = document.begin()
    while block.isValid():
        parts = block.begin()
        while not parts.atEnd():
            style = parts.fragment().charFormat()
            if style.isImageFormat() or style.fontStrikeOut():
                return True
            parts += 1
        block = block.next()
    return False


def is_guessed_wrong(text: str) -> bool:
    """Return whether Qt, left to guess, obeys the hostile text."""
    return bool(GuiQt.mightBeRichText(text)) and is_read(text)


def texts_of(widget: QWidget) -> Iterator[tuple[str, str, bool]]:
    """Yield (what it is, text, whether it is obeyed) of everything that a widget shows or would show."""
    for kind, tip in (("tooltip", widget.toolTip()), ("help", widget.whatsThis())):
        yield kind, tip, is_guessed_wrong(tip)
    for action in widget.actions():
        yield "tooltip of an action", action.toolTip(), is_guessed_wrong(action.toolTip())
    if isinstance(widget, QLabel):
        rich = widget.textFormat() in (Qt.TextFormat.RichText, Qt.TextFormat.MarkdownText)
        guessed = widget.textFormat() == Qt.TextFormat.AutoText
        wrong = is_read(widget.text()) if rich else guessed and is_guessed_wrong(widget.text())
        yield "label", widget.text(), wrong
    if isinstance(widget, QTextEdit):
        yield "text", widget.toPlainText(), is_obeyed(widget.document())
    if isinstance(widget, QTabWidget):
        for number in range(widget.count()):
            yield "tab", widget.tabToolTip(number), is_guessed_wrong(widget.tabToolTip(number))
    if isinstance(widget, QComboBox | QAbstractItemView) and (model := widget.model()) is not None:
        for row in range(min(model.rowCount(), 50)):
            columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
            for column in range(columns):  # that of a list is private
                index = model.index(row, column)
                yield "cell", str(index.data() or ""), False  # a delegate draws it as plain text
                tip = str(index.data(Qt.ItemDataRole.ToolTipRole) or "")
                yield "tooltip of a cell", tip, is_guessed_wrong(tip)
    if isinstance(widget, pg.GraphicsView):
        for item in widget.scene().items():
            if isinstance(item, QGraphicsTextItem):
                yield "text of a plot", item.toPlainText(), is_obeyed(item.document())


def walk(top: QWidget) -> tuple[list[str], int]:
    """Return what is obeyed below a widget, and how often the hostile text is shown there."""
    wrong, seen = [], 0
    for widget in (top, *top.findChildren(QWidget)):
        for kind, text, is_wrong in texts_of(widget):
            seen += "STRUCK" in text
            if is_wrong:
                wrong.append(f"{kind} of {type(widget).__name__} {widget.accessibleName()!r}: {text[:80]!r}")
    return wrong, seen


def test_the_walk_finds_what_qt_would_obey(qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    QLabel(HOSTILE, top)
    QWidget(top).setToolTip(HOSTILE)
    QWidget(top).addAction(QAction(HOSTILE, top, toolTip=HOSTILE))
    QTextEdit(top).setHtml(HOSTILE)
    box = QComboBox(top)
    box.addItem("a")
    box.setItemData(0, HOSTILE, Qt.ItemDataRole.ToolTipRole)
    plot = pg.PlotWidget(top)
    plot.addLegend()
    plot.plot([1, 2], [1, 2], name=HOSTILE)
    wrong, _ = walk(top)
    kinds = {line.split(" of ")[0] for line in wrong}
    assert kinds == {"label", "tooltip", "text"}
    assert len(wrong) >= 6


# --- what shows it as it is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [HOSTILE, "a < b\n  and c > d", "<qt>x</qt>", "x<br>y", "&lt;b&gt; <", "plain & simple", ""]
)
def test_a_text_is_shown_as_it_is_where_qt_guesses(text: str) -> None:
    shown = as_it_is(text)
    assert not is_guessed_wrong(shown)
    document = QTextDocument()
    if GuiQt.mightBeRichText(shown):
        document.setHtml(shown)
    else:
        document.setPlainText(shown)
    assert document.toPlainText().replace("\u2028", "\n") == text


def test_a_text_without_a_bracket_is_left_alone() -> None:
    assert as_it_is("Adds files & folders") == "Adds files & folders"


def test_widgets_show_a_hostile_text_as_it_is(qtbot: QtBot) -> None:
    top = QWidget()
    qtbot.addWidget(top)
    for made in (label(HOSTILE), ElidedLabel(HOSTILE)):
        made.setParent(top)
    set_tip(QWidget(top), HOSTILE)
    wrong, seen = walk(top)
    assert (wrong, seen) == ([], 4)
    box = confirm(top, "Delete", f"Delete {HOSTILE}?", "Delete", lambda: None, more=f"It is {HOSTILE}.")
    assert isinstance(box, QMessageBox)
    wrong, seen = walk(box)
    assert wrong == []
    assert seen >= 2
    box.close()


def test_a_legend_shows_a_document_name_as_it_is(qtbot: QtBot) -> None:
    plot = pg.PlotWidget()
    qtbot.addWidget(plot)
    legend = add_legend(plot, offset=(1, 1))
    plot.plot([1, 2], [1, 2], name=HOSTILE)
    assert [walked for walked in texts_of(plot) if walked[2]] == []
    assert legend.items[0][1].item.toPlainText() == HOSTILE
    assert plot.addLegend() is legend


# --- the whole window -------------------------------------------------------------------------------------


@pytest.fixture
def filled(open_workspace: Workspace, model: ScriptedModel, tmp_path: Path) -> Workspace:
    """A data folder in which everything that others name or write is hostile."""
    workspace = open_workspace
    folder = tmp_path / f"folder {HOSTILE.replace('/', ' ')}"
    folder.mkdir()
    (folder / f"{HOSTILE.replace('/', ' ')}.md").write_text(f"# {HOSTILE}\n\n{SENTENCE}\n", "utf-8")
    (folder / "plain.txt").write_text(f"{SENTENCE} Sirius is the brightest star.", "utf-8")
    (folder / "<img src='broken.png'><s>STRUCK.pdf").write_bytes(b"%PDF-1.4 nothing")
    drive(ingest_files(workspace, HOSTILE, [str(folder)]))
    watch_folder(workspace, HOSTILE, str(folder))
    version = look_up_version(workspace.database, HOSTILE, "active")
    document = list_documents(workspace.database, version.id)[0]
    drive(edit_document(workspace, HOSTILE, document.id, {"author": HOSTILE}))
    model.answer = f"{SENTENCE} [1] It is unheard of in Peru {HOSTILE}."
    for question in (f"When does the tide rise at Bremen? {HOSTILE}", f"Who is {HOSTILE}?"):
        result = drive(answer_question(workspace, Question(question, HOSTILE)))
        add_feedback(workspace, result.trace_id, False, note=HOSTILE, correction=HOSTILE)
    sets.create_set(workspace, HOSTILE)
    sets.add_case(workspace, HOSTILE, Case(question=HOSTILE, references=(HOSTILE,), tags=(HOSTILE,)))
    return workspace


@pytest.mark.usefixtures("filled")
def test_nothing_in_the_window_obeys_a_hostile_text(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    window = MainWindow(console)
    qtbot.addWidget(window)
    window.checks.pause_folders()
    window.show()
    qtbot.waitUntil(lambda: window.current_page != "")
    seen_on: dict[str, int] = {}
    for key in (page.key for page in PAGES):
        window.show_page(key)
        settle()
        page = window.pages.currentWidget()
        for table in page.findChildren(RecordTable):
            if table.records_model.rowCount():
                table.selectRow(0)
                settle()
        wrong, seen_on[key] = walk(page)
        assert wrong == [], f"on the page {key}"
    console.notice.emit(f"A notice {HOSTILE}", "info")
    for dialog in QApplication.topLevelWidgets():
        assert walk(dialog)[0] == []
    shown = {key for key, count in seen_on.items() if count}
    assert shown >= {"overview", "ask", "collections", "versions", "traces", "evaluation", "review"}, seen_on
    assert sum(seen_on.values()) > 60
    QToolTip.hideText()
    settle()
    window.close()


# --- the source -------------------------------------------------------------------------------------------


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Yield (place, call, the name of what is called) for the window's code."""
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.relative_to(APP).as_posix()}:{node.lineno}", node, ast.unparse(node.func)


def is_safe(argument: ast.expr) -> bool:
    """Return whether an argument is a text of the program, or one that is shown as it is."""
    return isinstance(argument, ast.Constant) or (
        isinstance(argument, ast.Call) and ast.unparse(argument.func) == "as_it_is"
    )


def test_no_code_leaves_it_to_qt_to_guess() -> None:
    guessed = []
    for place, call, name in calls():
        last = name.rpartition(".")[2]
        texts: list[ast.expr] = []
        if last in ("setToolTip", "setWhatsThis", "setStatusTip", "setLabelText", "setInformativeText"):
            texts = call.args[:1]
        elif (last == "setItemData" and "ToolTipRole" in ast.unparse(call)) or name.startswith(
            "QToolTip.showText"
        ):
            texts = call.args[1:2]
        elif name.startswith(("QInputDialog.get", "QMessageBox.")):
            texts = call.args[2:3]
        elif last in ("QLabel", "addLegend") and not place.startswith(
            ("widgets/labels.py", "widgets/charts.py")
        ):
            guessed.append(f"{place}: {last}: use label() or add_legend()")
        if not place.startswith(("widgets/labels.py", "widgets/charts.py")):
            guessed += [
                f"{place}: {last}: use set_tip() or as_it_is()" for text in texts if not is_safe(text)
            ]
    assert guessed == []


def test_every_message_box_is_of_plain_text() -> None:
    for path in sorted(APP.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and "QMessageBox(" in (source := ast.unparse(function)):
                assert "setTextFormat(Qt.TextFormat.PlainText)" in source, f"{path.name}: {function.name}"
