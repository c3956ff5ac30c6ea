"""An answer on the page Ask: what can be done with it, what it says about itself, and what stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import shiboken6
from driving import button_of, click, notices
from fakes import ScriptedModel, drive
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QInputDialog, QLabel, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.page import AskPage
from app.pages.overview import RECENT_COLUMNS
from app.pages.traces.page import TRACE_COLUMNS
from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.evaluation.rows import list_sets
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

Settle = Callable[[], None]
QUESTION = "How long does rye bread rest?"
ANSWER = "Rye bread needs **sourdough** and 14 hours of rest [1].\n\n- It needs a linen cloth.\n"


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(ANSWER)


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> AskPage:
    """The page with the collection “Notes”."""
    made = AskPage(console)
    qtbot.addWidget(made)
    made.resize(1600, 800)
    made.show()
    settle()
    return made


def send(qtbot: QtBot, page: AskPage, settle: Settle, question: str = QUESTION) -> AnswerCard:
    page.ask(question)
    settle()
    QApplication.processEvents()
    card = page.findChildren(AnswerCard)[-1]
    return card


def pick(card: AnswerCard, action: str, *path: str) -> None:
    """Choose an entry of the menu of an action, which the button below the answer opens."""
    menu = next(found for found in card.answer_actions.shown if found.text() == action).menu()
    assert menu is not None
    menu.aboutToShow.emit()
    for text in path:
        entry = next(found for found in menu.actions() if found.text() == text)
        if entry.menu() is None:
            assert entry.isEnabled()
            entry.trigger()
            return
        menu = entry.menu()


# --- copying ----------------------------------------------------------------------------------------------


def test_an_answer_is_copied_as_text_and_with_its_sources(
    qtbot: QtBot, page: AskPage, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    click(qtbot, card, "Copy")
    assert QApplication.clipboard().text() == (
        "Rye bread needs sourdough and 14 hours of rest [1].\n\n• It needs a linen cloth."
    )
    click(qtbot, card, "Copy with sources")
    assert QApplication.clipboard().text() == (
        f"**{QUESTION}**\n\n{ANSWER.strip()}\n\nSources:\n\n- [1] bread.md, Bread\n"
    )


# --- asking again -----------------------------------------------------------------------------------------


def test_the_same_question_is_asked_again_beside_the_first_answer(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    model.answer = "Fourteen hours [1]."
    with qtbot.waitSignal(page.asked):
        pick(card, "Ask again", "The same again")
    settle()
    (other,) = card.others
    assert (card.answer_text, other.answer_text) == (ANSWER, "Fourteen hours [1].")
    assert card.trace_id != other.trace_id
    assert {row.question for row in list_traces(console.database, TraceFilter())} == {QUESTION}
    assert card.answer.isVisible() and other.answer.isVisible()
    own = card.columns.layout().itemAt(0).widget()  # type: ignore[union-attr]
    assert card.columns.count == 2 and own.y() == other.y() and own.geometry().right() < other.x()
    assert "Copy" in other.answer_actions.texts and "Open trace" in other.answer_actions.texts
    page.resize(720, 800)  # no room for two
    QApplication.processEvents()
    assert card.columns.count == 1 and own.geometry().bottom() < other.y()


def test_a_question_is_asked_again_of_another_version(
    qtbot: QtBot, page: AskPage, console: Console, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    assert get_trace(console.database, card.trace_id).version_number == 2
    pick(card, "Ask again", "With another version", "Version 1")
    settle()
    (other,) = card.others
    assert get_trace(console.database, other.trace_id).version_number == 1
    assert "Version 1" in [made.text() for made in other.findChildren(QLabel)]


def test_a_question_is_asked_again_of_another_model(
    qtbot: QtBot, page: AskPage, console: Console, settle: Settle
) -> None:
    console.refresh_models()
    qtbot.waitUntil(lambda: bool(console.models))
    card = send(qtbot, page, settle)
    name = next(entry.name for entry in console.models if entry.can_answer)
    offered = next(a for a in card.answer_actions.shown if a.text() == "Ask again").menu()
    assert offered is not None
    offered.aboutToShow.emit()
    models = next(entry for entry in offered.actions() if entry.text() == "With another model")
    used = get_trace(console.database, card.trace_id).model
    listed = [entry.text() for entry in models.menu().actions()]  # type: ignore[union-attr]
    assert listed == [e.name for e in console.models if e.can_answer and e.name != used]
    assert models.isEnabled() == bool(listed)
    card.ask_again(name, {"model": name})
    settle()
    assert card.others[0].answer_text == ANSWER and card.others[0].asked_with["model"] == name


def test_another_answer_is_stopped_by_its_own_button(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    model.pause_after = 2
    pick(card, "Ask again", "The same again")
    (other,) = card.others
    qtbot.waitUntil(lambda: other.answer_text != "")
    assert other.answer_actions.texts == ["Stop"]
    click(qtbot, other, "Stop")
    model.may_go_on.set()
    settle()
    assert other.status.text() == "Stopped"
    assert "Stop" not in other.answer_actions.texts and "Open trace" in other.answer_actions.texts
    assert card.answer_text == ANSWER


def test_a_card_may_go_while_another_answer_comes(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    model.pause_after = 2
    pick(card, "Ask again", "The same again")
    (other,) = card.others
    qtbot.waitUntil(lambda: other.answer_text != "")
    with qtbot.waitSignal(card.edit_wanted) as wanted:
        other.edit_wanted.emit(other.trace_id)
    assert wanted.args == [card.trace_id]  # there is one question
    shiboken6.delete(card)
    model.may_go_on.set()
    settle()
    assert [row.status for row in list_traces(console.database, TraceFilter())] == ["done", "done"]


# --- editing, stopping, cases, trace ----------------------------------------------------------------------


def test_editing_a_question_tells_its_trace(qtbot: QtBot, page: AskPage, settle: Settle) -> None:
    card = send(qtbot, page, settle)
    with qtbot.waitSignal(card.edit_wanted) as wanted:
        click(qtbot, card, "Edit question")
    assert wanted.args == [card.trace_id]


def test_while_an_answer_comes_it_can_be_stopped_and_nothing_else(
    qtbot: QtBot, page: AskPage, model: ScriptedModel, settle: Settle
) -> None:
    model.pause_after = 2
    page.ask(QUESTION)
    card = page.findChildren(AnswerCard)[-1]
    qtbot.waitUntil(lambda: card.answer_text != "")
    assert card.answer_actions.texts == ["Stop"]
    click(qtbot, card, "Stop")
    model.may_go_on.set()
    settle()
    assert card.status.text() == "Stopped"


def test_an_answer_becomes_a_case_of_a_set_from_the_menu(
    qtbot: QtBot, page: AskPage, console: Console, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    card.make_case("Breads")
    settle()
    assert [(found.name, found.case_count) for found in list_sets(console.database)] == [("Breads", 1)]
    assert notices(console)[-1][0].startswith("Added to “Breads”: ")
    other = send(qtbot, page, settle, "What does rye bread need?")
    pick(other, "Make a case", "Breads")
    settle()
    assert list_sets(console.database)[0].case_count == 2


def test_an_answer_becomes_the_first_case_of_a_new_set(
    qtbot: QtBot, page: AskPage, console: Console, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    pick(card, "Make a case", "New set…")
    box = card.findChildren(QInputDialog)[-1]
    box.findChildren(QLineEdit)[0].setText("  Fresh ")
    box.accept()
    settle()
    assert [found.name for found in list_sets(console.database)] == ["Fresh"]


def test_buttons_and_menu_offer_the_same_and_all_have_names(
    qtbot: QtBot, page: AskPage, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    done = ["Copy", "Copy with sources", "Ask again", "Edit question", "Make a case", "Open trace"]
    assert card.answer_actions.texts == done
    for text in done:
        made = button_of(card, text)
        assert made.accessibleName() == text and made.toolTip()
        assert made.focusPolicy() & Qt.FocusPolicy.TabFocus
    card.answer.customContextMenuRequested.emit(QPoint(2, 2))
    menu = card.findChildren(QMenu)[-1]
    assert [entry.text() for entry in menu.actions()] == done
    menu.close()
    card.answer.selectAll()
    card.answer.customContextMenuRequested.emit(QPoint(2, 2))
    menu = next(found for found in reversed(card.findChildren(QMenu)) if found.isVisible())
    assert menu.actions()[0].text() == "Copy the selection"
    menu.actions()[0].trigger()
    assert QApplication.clipboard().text().startswith("Rye bread needs sourdough")
    menu.close()


def test_actions_without_room_are_found_under_more(qtbot: QtBot, page: AskPage, settle: Settle) -> None:
    card = send(qtbot, page, settle)
    page.resize(700, 800)
    QApplication.processEvents()
    bar = card.action_bar
    assert bar.overflowed and bar.more.isVisible()
    assert bar.width() <= card.width()


# --- what it says about itself ----------------------------------------------------------------------------


def test_what_is_of_no_use_is_called_the_same_on_the_card_in_overview_and_in_traces(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "The bread rests for a long time and then it is baked. " * 6
    card = send(qtbot, page, settle)
    row = list_traces(console.database, TraceFilter())[0]
    assert row.states == ("repeated text",)
    assert card.state.isVisible() and card.state.text() == "Repeated text: the same words over and over"
    for columns in (RECENT_COLUMNS, TRACE_COLUMNS):
        status = next(shown for shown in columns if shown.title == "Status")
        assert status.text(row) == "repeated text"
        assert status.colour(row) == "check"  # type: ignore[misc]
        assert status.tooltip(row) == card.state.text()  # type: ignore[misc]


def test_nothing_found_is_called_so_on_the_card(
    qtbot: QtBot, page: AskPage, console: Console, settle: Settle
) -> None:
    card = send(qtbot, page, settle, "Xylophone?")
    row = list_traces(console.database, TraceFilter())[0]
    assert row.state == "nothing found"
    assert card.state.text() == "Nothing found: nothing in the collection is close to the question"


def test_an_ordinary_answer_has_no_warning_and_no_green(
    qtbot: QtBot, page: AskPage, console: Console, settle: Settle
) -> None:
    card = send(qtbot, page, settle)
    assert not card.state.isVisible()
    row = list_traces(console.database, TraceFilter())[0]
    for columns in (RECENT_COLUMNS, TRACE_COLUMNS):
        for shown in columns:
            assert shown.colour is None or shown.colour(row) != "good"
    card.answer.claim_clicked.emit(0)
    panel = page.sources.claim_panel
    assert panel._verdict.text() == "Words in source"
    assert "Whether it is right is not measured" in panel._verdict.toolTip()
    assert console.theme.colour("good").name() not in panel._verdict.styleSheet()


# --- what stays where it is -------------------------------------------------------------------------------


def long_documents(folder: Path) -> list[str]:
    """Make documents with long names, long headings and long texts; return their paths."""
    heading = "Aurora 3 Service and Warranty " * 6
    made = []
    for number in range(2):
        path = folder / f"{'service-and-warranty-of-the-bread-machine-' * 3}{number}.md"
        parts = [
            f"# {heading}\n\n## Part {n}\n\nFiller {n} stands here. " + "More words. " * 40 for n in range(60)
        ]
        parts.insert(
            40, f"# {heading}\n\n## Repairs\n\nRye bread needs sourdough and {number}4 hours of rest."
        )
        path.write_text("\n\n".join(parts), "utf-8")
        made.append(str(path))
    return made


@pytest.fixture
def long_page(
    qtbot: QtBot, open_workspace: Workspace, tmp_path: Path, console: Console, settle: Settle
) -> AskPage:
    drive(ingest_files(open_workspace, "Long", long_documents(tmp_path)))
    made = AskPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


@pytest.mark.parametrize("size", [(760, 560), (860, 620), (1120, 720)])
def test_opening_a_source_changes_the_width_of_nothing(
    qtbot: QtBot, long_page: AskPage, settle: Settle, size: tuple[int, int]
) -> None:
    page = long_page
    page.resize(*size)
    card = send(qtbot, page, settle)
    page.sources.clear()
    QApplication.processEvents()

    def widths() -> dict[QWidget, tuple[int, int]]:
        kept = [card, page.question, page.sources, page._stack, *card.findChildren(QWidget)]
        return {made: (made.x(), made.width()) for made in kept if made.isVisible()}

    before = widths()
    assert page.width() == max(size[0], page.minimumSizeHint().width())
    for number in range(len(card._claims)):
        card.answer.claim_clicked.emit(number)
        settle()
        assert widths() == before
    for hit in card._hits[:4]:
        page.sources.show_hit(hit)
        settle()
        assert widths() == before


def test_a_long_text_is_opened_at_its_mark(qtbot: QtBot, long_page: AskPage, settle: Settle) -> None:
    page = long_page
    page.resize(1100, 700)
    card = send(qtbot, page, settle)
    page.sources.clear()
    settle()
    hit = next(hit for hit in card._hits if "sourdough" in hit.text)
    index = next(n for n, claim in enumerate(card._claims) if claim.verdict.is_claim)
    card.answer.claim_clicked.emit(index)  # the panel about the sentence takes room above
    page.sources.show_hit(hit)
    for _ in range(5):
        QApplication.processEvents()
    view = page.sources.passage_view
    assert view.isVisible()
    seen = view.viewport().rect()
    cursor = view.textCursor()
    assert seen.contains(view.cursorRect(cursor)), "the beginning of the mark"
    assert cursor.position() == view._range[0] > 5000
    page.resize(800, 560)  # what wraps anew keeps its mark
    QApplication.processEvents()
    assert view.viewport().rect().contains(view.cursorRect(view.textCursor()))
    view.verticalScrollBar().triggerAction(view.verticalScrollBar().SliderAction.SliderToMinimum)
    page.resize(1000, 600)
    QApplication.processEvents()
    assert view.verticalScrollBar().value() == 0  # somebody has left the mark


def test_lines_of_one_document_are_told_apart_in_any_room(
    qtbot: QtBot, long_page: AskPage, settle: Settle
) -> None:
    page = long_page
    card = send(qtbot, page, settle)
    for width in (720, 900, 1300):
        page.resize(width, 700)
        QApplication.processEvents()
        lines = card.source_list.lines
        shown = [line.shown_text() for line in lines]
        assert len(lines) > 2 and len({text[4:] for text in shown}) == len(shown), shown
        for line in lines:
            assert line.fontMetrics().horizontalAdvance(line.shown_text()) <= line.width()
            assert "Aurora 3 Service and Warranty" in line.toolTip()


def test_the_first_cited_source_opens_by_itself_where_there_is_room(
    qtbot: QtBot, page: AskPage, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "Boats leave at noon [2]. Rye bread rests [1]."
    card = send(qtbot, page, settle)
    second = next(hit for hit in card._hits if hit.marker == 2)
    assert page.sources.passage_view.isVisible()
    assert page.sources._title.text() == second.document
    focus = QApplication.focusWidget()
    assert focus is None or not page.sources.isAncestorOf(focus)


def test_a_source_that_somebody_opened_stays_open(
    qtbot: QtBot, page: AskPage, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "Boats leave at noon [2]. Rye bread rests [1]."
    model.pause_after = 3
    page.ask(QUESTION)
    card = page.findChildren(AnswerCard)[-1]
    qtbot.waitUntil(lambda: card.answer_text != "")
    first = next(hit for hit in card._hits if hit.marker == 1)
    line = next(
        line for line in card.source_list.lines if line.accessibleName().startswith("Open source [1]")
    )
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton)
    model.may_go_on.set()
    settle()
    assert page.sources._title.text() == first.document


def test_no_source_opens_by_itself_without_room_or_without_a_citation(
    qtbot: QtBot, page: AskPage, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "Boats leave at noon."
    send(qtbot, page, settle)
    assert page.sources._stack.currentWidget() is page.sources._empty
    page.sources.setFixedWidth(240)
    QApplication.processEvents()
    model.answer = ANSWER
    assert page.sources.width() < 280
    send(qtbot, page, settle)
    assert page.sources._stack.currentWidget() is page.sources._empty
