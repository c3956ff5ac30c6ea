"""Feedback, the review queue, drafts and roll-outs in the real window, from the keyboard where it is meant so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.ask.cards.blind_card import BlindCard
from rag import operations
from rag.evaluation.pipelines import make_config
from rag.evaluation.rows import list_cases, list_drafts
from rag.knowledge.rows import list_collections
from rag.review import rows as people
from rag.sample.rows import SAMPLE_COLLECTION

pytestmark = pytest.mark.models
SLOW_MS = 180_000
QUESTIONS = (
    "How long does a charged battery last without sunlight?",
    "How much does the calibration service cost?",
    "Does snow count as rain?",
)


@pytest.fixture(scope="module")
def window(
    make_real_window: Callable[[Path], MainWindow], tmp_path_factory: pytest.TempPathFactory
) -> MainWindow:
    made = make_real_window(tmp_path_factory.mktemp("review") / "data")
    made.checks.pause_folders()
    QSettings().setValue("people/name", "Ann")
    return made


def settle(qtbot: QtBot, window: MainWindow) -> None:
    def idle() -> bool:
        return (
            window._console.engine.is_ready
            and not window._console.engine.tasks
            and not window.ingests.is_busy
        )

    qtbot.waitUntil(idle, timeout=SLOW_MS)
    qtbot.wait(60)
    qtbot.waitUntil(idle, timeout=SLOW_MS)


def activate(qtbot: QtBot, window: MainWindow) -> None:
    """Shortcuts are of the active window; a closed dialog leaves none on some platforms."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5000)


def press(qtbot: QtBot, page: Any, text: str) -> None:
    found = [b for b in page.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    assert len(found) == 1, f"{len(found)} buttons “{text}”"
    qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)


def test_a_thumb_down_with_its_correction_becomes_a_case(qtbot: QtBot, window: MainWindow) -> None:
    database = window._console.database
    qtbot.waitUntil(lambda: bool(list_collections(database)), timeout=SLOW_MS)
    settle(qtbot, window)
    window.show_page("ask")
    ask = window.pages.ask
    ask.choose_collection(SAMPLE_COLLECTION)
    for question in QUESTIONS:
        ask.ask(question)
        settle(qtbot, window)
    card = ask.conversation.cards[-1]
    qtbot.mouseClick(card.feedback.down, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert people.list_feedback(database)[0].is_up is False
    form = card.feedback
    assert form.correction.isVisible()
    form.reason.setCurrentIndex(form.reason.findData("wrong"))
    form.correction.setPlainText("Yes: the heated gauge melts it.")
    form._passages[0][1].setChecked(True)
    form.set_box.setEditText("From feedback")
    qtbot.mouseClick(form.case_button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    (row,) = people.list_feedback(database)
    assert (row.author, row.reason, row.set_name) == ("Ann", "wrong", "From feedback")
    assert "Yes: the heated gauge melts it." in list_cases(database, "From feedback")[0]
    window.pages.open_trace(card.trace_id)
    view = window.pages.traces.view.feedback
    assert view.down.isChecked() and "From feedback" in view.said.text()
    up = ask.conversation.cards[0].feedback
    qtbot.mouseClick(up.up, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert len(people.list_feedback(database)) == 2
    qtbot.mouseClick(up.up, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert len(people.list_feedback(database)) == 1 and not up.up.isChecked()


def test_answers_are_reviewed_from_the_keyboard(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("review")
    page = window.pages.review
    panel = page.queue
    page.tabs.setCurrentWidget(panel)
    dialog = panel.fill()
    dialog.queue.setEditText("Week 1")
    for source, spin in dialog.spins.items():
        spin.setValue(10 if source in ("thumbs-down", "random") else 0)
    dialog.accept()
    settle(qtbot, window)
    assert panel.progress.text() == "0 of 3 reviewed"
    assert panel.view.item.why == "thumbs-down"
    assert panel.view.passages.passages and panel.view.answer.toPlainText()
    activate(qtbot, window)
    panel.setFocus()
    qtbot.keyClick(panel, Qt.Key.Key_3)
    settle(qtbot, window)
    first = panel.view.item
    assert first.own.verdict == "wrong", "a wrong answer waits for its reason"
    qtbot.keyClick(panel, Qt.Key.Key_C)
    assert panel.view.correction.hasFocus()
    qtbot.keyClicks(panel.view.correction, "1 and s")
    assert panel.view.item.own.verdict == "wrong", "letters typed into the field are no commands"
    qtbot.keyClick(panel.view.correction, Qt.Key.Key_Escape)
    settle(qtbot, window)
    qtbot.keyClick(panel, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    settle(qtbot, window)
    assert (panel.view.item.own.correction, panel.view.item.own.relevant) == ("1 and s", (1,))
    panel.set_box.setEditText("Reviewed")
    qtbot.keyClick(panel, Qt.Key.Key_A)
    settle(qtbot, window)
    assert "1 and s" in list_cases(window._console.database, "Reviewed")[0]
    qtbot.keyClick(panel, Qt.Key.Key_N)
    assert panel.view.item.id != first.id
    qtbot.keyClick(panel, Qt.Key.Key_1)
    settle(qtbot, window)
    qtbot.keyClick(panel, Qt.Key.Key_S)
    settle(qtbot, window)
    assert panel.progress.text() == "3 of 3 reviewed"
    panel.reviewer.setText("Bob")
    panel.reviewer.editingFinished.emit()
    assert panel.progress.text() == "0 of 3 reviewed"
    assert not panel.view.others.isVisible(), "what Ann said stays hidden until Bob has said something"
    qtbot.keyClick(panel, Qt.Key.Key_2)
    settle(qtbot, window)
    assert "Ann: wrong" in panel.view.others.text()
    qtbot.keyClick(panel, Qt.Key.Key_N)
    qtbot.keyClick(panel, Qt.Key.Key_1)
    settle(qtbot, window)
    press(qtbot, panel, "Agreement")
    settle(qtbot, window)
    assert panel.agreement_dialog.sentences.text().startswith("Ann and Bob agree on 1 of 2 items")
    assert panel.agreement_dialog.table.records_model.rowCount() == 1
    panel.agreement_dialog.accept()
    activate(qtbot, window)
    panel.setFocus()
    qtbot.keyClick(panel, Qt.Key.Key_O)
    assert window.current_page == "traces"


def test_drafts_are_written_by_the_model_edited_and_accepted(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("review")
    page = window.pages.review
    page.tabs.setCurrentWidget(page.drafts)
    dialog = page.drafts.choose()
    dialog.set_box.setEditText("Generated")
    dialog.collection.setCurrentText(SAMPLE_COLLECTION)
    dialog.count.setValue(2)
    dialog.accept()
    settle(qtbot, window)
    waiting = page.drafts.table.records_model.rowCount()
    assert waiting > 0, window.toasts.text
    assert f"Drafts ({waiting})" in [page.tabs.tabText(n) for n in range(page.tabs.count())]
    draft = page.drafts.draft
    assert page.drafts.passage.toPlainText() == draft.passage
    page.drafts.answer.setPlainText("As a person would say it.")
    activate(qtbot, window)
    page.drafts.table.setFocus()
    qtbot.keyClick(page.drafts.table, Qt.Key.Key_A)
    settle(qtbot, window)
    (case,) = list_cases(window._console.database, "Generated")
    assert "As a person would say it." in case and '"generated"' in case
    for _ in range(waiting - 1):
        qtbot.keyClick(page.drafts.table, Qt.Key.Key_X)
        settle(qtbot, window)
    assert list_drafts(window._console.database) == []


def test_two_pipelines_answer_blind_and_the_better_one_is_promoted(qtbot: QtBot, window: MainWindow) -> None:
    database = window._console.database
    config = make_config({"collection": SAMPLE_COLLECTION, "retrieval": {"max_passages": 1}})
    window._console.run(operations.store_pipeline, name="Short", values=config.model_dump(mode="json"))
    settle(qtbot, window)
    window.show_page("review")
    page = window.pages.review
    page.show_rollout(0)
    dialog = page.rollouts.start()
    dialog.kind.setCurrentIndex(dialog.kind.findData("blind"))
    dialog.collection.setCurrentIndex(dialog.collection.findData(SAMPLE_COLLECTION))
    index = next(n for n in range(dialog.staging.count()) if dialog.staging.itemText(n).startswith("Short 1"))
    dialog.staging.setCurrentIndex(index)
    dialog.accept()
    settle(qtbot, window)
    assert page.rollouts.table.records_model.rowCount() == 1
    window.show_page("ask")
    ask = window.pages.ask
    ask.choose_collection(SAMPLE_COLLECTION)
    assert ask.strip.isVisible() and ask.strip.text.startswith("Blind comparison")
    assert not ask.model_box.isEnabled()
    ask.ask(QUESTIONS[1])
    settle(qtbot, window)
    card = ask.conversation.cards[-1]
    assert isinstance(card, BlindCard)
    assert card.first.answer_text and card.second.answer_text
    for answer in (card.first, card.second):
        assert not answer.arm.isVisible() and not answer.feedback.isVisible() and not answer.status.text()
    press(qtbot, card, "The left one")
    settle(qtbot, window)
    assert {card.first.arm.text(), card.second.arm.text()} == {"Short 1", "what answers now"}
    assert card.first.feedback.isVisible()
    assert people.list_rollouts(database)[0].picked_count == 1
    press(qtbot, ask.strip, "Results")
    settle(qtbot, window)
    assert window.current_page == "review"
    assert "at least 6 are needed" in page.rollouts.summary.text()
    press(qtbot, page.rollouts, "Promote…")
    settle(qtbot, window)
    box = page.rollouts.findChildren(QMessageBox)[-1]
    assert "“Short 1” becomes the pipeline" in box.text()
    yes = next(b for b in box.buttons() if b.text() == "Promote")
    qtbot.mouseClick(yes, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert people.production_of(database, SAMPLE_COLLECTION).name == "Short 1"
    assert not page.rollouts.promote_button.isEnabled()
    window.show_page("ask")
    assert "“Short 1” answers here" in ask.strip.text
