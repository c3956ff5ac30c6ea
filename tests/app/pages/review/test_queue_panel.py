"""The review queue: filled, reviewed from the keyboard, compared, exported, made into cases, and refused."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import button_of, click, column, notices, open_dialog, press_in_dialog, texts
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.review.agreement_dialog import AgreementDialog
from app.pages.review.fill_dialog import FillDialog
from app.pages.review.queue_panel import QueuePanel
from rag.evaluation.rows import list_cases
from rag.review.queues import fill_queue, save_verdict
from rag.review.rows import list_review_items
from rag.workspace import Workspace

Settle = Callable[[], None]
Answer = Callable[[object], None]


def opened(qtbot: QtBot, console: Console) -> QueuePanel:
    panel = QueuePanel(console)
    qtbot.addWidget(panel)
    panel.resize(1100, 700)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.setFocus()
    return panel


@pytest.fixture
def empty(qtbot: QtBot, console: Console, notes: Workspace) -> QueuePanel:
    """The panel without a queue."""
    return opened(qtbot, console)


@pytest.fixture
def panel(qtbot: QtBot, console: Console, notes: Workspace, answers: list[str]) -> QueuePanel:
    """The panel with a queue of three answers, of which none is reviewed."""
    fill_queue(notes, "Week 1", {"random": 3})
    return opened(qtbot, console)


def press(qtbot: QtBot, keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key where the keyboard's focus is."""
    qtbot.keyClick(QApplication.focusWidget(), keys, modifier)


# --- Filling a queue --------------------------------------------------------------------------------------


def test_without_a_queue_the_panel_offers_to_add_answers(qtbot: QtBot, empty: QueuePanel) -> None:
    assert "Nothing to review yet" in texts(empty._stack.currentWidget())
    for name in ("Agreement", "Make cases", "Export…"):
        assert not button_of(empty, name).isEnabled()
    assert empty.bar.isHidden()


def test_answers_are_added_by_source(
    qtbot: QtBot, empty: QueuePanel, answers: list[str], console: Console, settle: Settle
) -> None:
    click(qtbot, empty, "Add answers…")
    dialog = open_dialog(empty, FillDialog)
    assert dialog.queue.currentText() == "Review"
    assert dialog.counts() == {"flagged": 10, "random": 10}
    dialog.queue.setEditText("Week 1")
    dialog.spins["flagged"].setValue(0)
    dialog.spins["random"].setValue(2)
    dialog.collection.setCurrentIndex(dialog.collection.findText("Notes"))
    press_in_dialog(dialog, "Add")
    settle()
    assert empty.queue == "Week 1"
    assert empty.progress.text() == "0 of 2 reviewed"
    assert notices(console) == [("2 answers were added to “Week 1”.", "info")]


def test_answers_that_are_in_the_queue_are_skipped(
    panel: QueuePanel, console: Console, settle: Settle
) -> None:
    dialog = panel.fill()
    assert dialog.queue.currentText() == "Week 1"
    dialog.accept()
    settle()
    assert notices(console) == [
        (
            "0 answers were added to “Week 1”; all answers from this source are already in the queue.",
            "info",
        )
    ]


def test_a_queue_without_a_name_is_refused(
    empty: QueuePanel, answers: list[str], console: Console, settle: Settle
) -> None:
    dialog = empty.fill()
    dialog.queue.setEditText("  ")
    dialog.accept()
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert empty.queue == ""


def test_cancel_adds_nothing(empty: QueuePanel, console: Console) -> None:
    press_in_dialog(empty.fill(), "Cancel")
    assert console.engine.tasks == []


# --- Reviewing from the keyboard --------------------------------------------------------------------------


def test_an_answer_is_shown_with_its_passages_and_where_it_is(panel: QueuePanel) -> None:
    view = panel.view
    assert view.item is not None
    assert view.question.text() == view.item.question
    assert view.answer.toPlainText() != ""
    assert view.where.text() == "Answer 1 of 3   ·   random"
    assert len(view.passages.passages) >= 1
    assert panel.progress.text() == "0 of 3 reviewed"


def test_a_right_answer_takes_one_key_and_goes_on_to_the_next(
    qtbot: QtBot, panel: QueuePanel, settle: Settle
) -> None:
    first = panel.view.item
    press(qtbot, Qt.Key.Key_1)
    settle()
    assert panel.view.items[0].own is not None
    assert panel.view.items[0].own.verdict == "correct"
    assert panel.view.item != first
    assert panel.progress.text() == "1 of 3 reviewed"
    assert panel.bar.value() == 1


@pytest.mark.parametrize(("key", "verdict"), [(Qt.Key.Key_2, "partly"), (Qt.Key.Key_3, "wrong")])
def test_an_answer_that_is_not_right_waits_for_its_reason(
    qtbot: QtBot, panel: QueuePanel, settle: Settle, key: Qt.Key, verdict: str
) -> None:
    press(qtbot, key)
    settle()
    view = panel.view
    assert view.item is not None
    assert view.item.own is not None
    assert view.item.own.verdict == verdict
    assert [name for name, made in view.verdicts.items() if made.isChecked()] == [verdict]
    view.reason.setCurrentIndex(view.reason.findData("incomplete"))
    view.reason.activated.emit(view.reason.currentIndex())
    settle()
    assert view.item.own.reason == "incomplete"


def test_the_reason_is_opened_by_its_key(qtbot: QtBot, panel: QueuePanel, settle: Settle) -> None:
    press(qtbot, Qt.Key.Key_R)
    assert panel.view.reason.view().isVisible()
    panel.view.reason.hidePopup()


def test_a_correction_is_typed_and_letters_in_it_are_no_commands(
    qtbot: QtBot, panel: QueuePanel, settle: Settle
) -> None:
    press(qtbot, Qt.Key.Key_3)
    settle()
    press(qtbot, Qt.Key.Key_C)
    assert panel.view.correction.hasFocus()
    qtbot.keyClicks(panel.view.correction, "1 and s")
    press(qtbot, Qt.Key.Key_Escape)
    settle()
    assert panel.view.item is not None
    assert panel.view.item.own is not None
    assert (panel.view.item.own.verdict, panel.view.item.own.correction) == ("wrong", "1 and s")
    assert panel.view.hasFocus()


def test_a_correction_is_stored_when_the_answer_is_left(
    qtbot: QtBot, panel: QueuePanel, settle: Settle
) -> None:
    press(qtbot, Qt.Key.Key_3)
    settle()
    panel.view.correction.setPlainText("Three metres.")
    panel.view.setFocus()
    press(qtbot, Qt.Key.Key_N)
    settle()
    assert panel.view.items[0].own is not None
    assert panel.view.items[0].own.correction == "Three metres."
    assert panel.view.where.text().startswith("Answer 2 of 3")


def test_passages_are_ticked_by_number_and_belong_to_the_verdict(
    qtbot: QtBot, panel: QueuePanel, console: Console, settle: Settle
) -> None:
    press(qtbot, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert console.engine.tasks == []  # there is no verdict yet that it belongs to
    press(qtbot, Qt.Key.Key_3)
    settle()
    assert panel.view.item is not None
    assert panel.view.item.own is not None
    assert panel.view.item.own.relevant == (1,)
    press(qtbot, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    settle()
    assert panel.view.item.own.relevant == ()
    press(qtbot, Qt.Key.Key_9, Qt.KeyboardModifier.AltModifier)  # there is no ninth
    assert console.engine.tasks == []


def test_next_and_previous_stay_within_the_queue(qtbot: QtBot, panel: QueuePanel) -> None:
    press(qtbot, Qt.Key.Key_P)
    assert panel.view.where.text().startswith("Answer 1 of 3")
    for _ in range(5):
        press(qtbot, Qt.Key.Key_N)
    assert panel.view.where.text().startswith("Answer 3 of 3")
    click(qtbot, panel, "Previous")
    assert panel.view.where.text().startswith("Answer 2 of 3")
    click(qtbot, panel, "Next")
    assert panel.view.where.text().startswith("Answer 3 of 3")


def test_the_last_verdict_says_that_everything_is_reviewed(
    qtbot: QtBot, panel: QueuePanel, console: Console, settle: Settle
) -> None:
    for _ in range(3):
        press(qtbot, Qt.Key.Key_S)
        settle()
    assert panel.progress.text() == "3 of 3 reviewed"
    assert notices(console) == [("Every answer in “Week 1” is reviewed.", "info")]


def test_an_answer_becomes_a_case_of_the_chosen_set(
    qtbot: QtBot, panel: QueuePanel, console: Console, settle: Settle
) -> None:
    panel.set_box.setEditText("Gold")
    press(qtbot, Qt.Key.Key_A)
    assert notices(console) == [("Give a verdict first: it says what the right answer is.", "bad")]
    press(qtbot, Qt.Key.Key_3)
    settle()
    panel.view.correction.setPlainText("It rests overnight.")
    press(qtbot, Qt.Key.Key_A)
    settle()
    assert "It rests overnight." in list_cases(console.database, "Gold")[0]
    assert notices(console)[-1] == ("A case was made in “Gold”.", "info")
    assert panel.view.others.text().startswith("A case of “Gold”.")


def test_a_case_without_a_right_answer_is_refused(
    qtbot: QtBot, panel: QueuePanel, console: Console, settle: Settle
) -> None:
    press(qtbot, Qt.Key.Key_3)
    settle()
    press(qtbot, Qt.Key.Key_A)
    settle()
    assert notices(console)[-1][1] == "bad"


def test_the_trace_is_opened_by_its_key(qtbot: QtBot, panel: QueuePanel) -> None:
    assert panel.view.item is not None
    with qtbot.waitSignal(panel.trace_requested) as signal:
        press(qtbot, Qt.Key.Key_O)
    assert signal.args == [panel.view.item.trace_id]


def test_the_buttons_do_what_the_keys_do(qtbot: QtBot, panel: QueuePanel, settle: Settle) -> None:
    click(qtbot, panel, "Partly")
    settle()
    assert panel.view.items[0].own is not None
    assert panel.view.items[0].own.verdict == "partly"
    with qtbot.waitSignal(panel.trace_requested):
        click(qtbot, panel, "Open trace")


def test_evidence_is_marked_in_the_passages(panel: QueuePanel) -> None:
    marked = [passage for passage in panel.view.passages.passages if passage.evidence]
    assert marked
    assert "background:" in marked[0].text.text()


# --- Several reviewers ------------------------------------------------------------------------------------


def name_reviewer(panel: QueuePanel, name: str) -> None:
    panel.reviewer.setText(name)
    panel.reviewer.editingFinished.emit()
    panel.setFocus()


def test_each_reviewer_starts_anew_and_sees_the_others_only_afterwards(
    qtbot: QtBot, panel: QueuePanel, settle: Settle
) -> None:
    press(qtbot, Qt.Key.Key_3)
    settle()
    name_reviewer(panel, "Bob")
    assert panel.progress.text() == "0 of 3 reviewed"
    assert "Ann" not in panel.view.others.text()
    press(qtbot, Qt.Key.Key_2)
    settle()
    assert panel.view.others.text() == "Other reviewers  Ann: wrong"


def test_the_name_of_the_reviewer_is_remembered(qtbot: QtBot, panel: QueuePanel, console: Console) -> None:
    name_reviewer(panel, "Bob")
    assert opened(qtbot, console).reviewer.text() == "Bob"


def test_a_verdict_without_a_name_is_refused(
    qtbot: QtBot, panel: QueuePanel, console: Console, settle: Settle
) -> None:
    name_reviewer(panel, "   ")
    press(qtbot, Qt.Key.Key_1)
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert panel.progress.text() == "0 of 3 reviewed"


def review_all(notes: Workspace, reviewer: str, verdicts: list[str]) -> None:
    for item, verdict in zip(list_review_items(notes.database, "Week 1", reviewer), verdicts, strict=True):
        save_verdict(notes, item.id, reviewer, verdict)


def test_agreement_names_the_answers_on_which_reviewers_differ(
    qtbot: QtBot, panel: QueuePanel, notes: Workspace, settle: Settle
) -> None:
    review_all(notes, "Ann", ["correct", "wrong", "correct"])
    review_all(notes, "Bob", ["correct", "correct", "correct"])
    panel.refresh()
    click(qtbot, panel, "Agreement")
    settle()
    dialog = open_dialog(panel, AgreementDialog)
    assert dialog.sentences.text().startswith("Ann and Bob agree on 2 of 3")
    assert column(dialog.table, "First") == ["Ann: wrong"]
    assert column(dialog.table, "Second") == ["Bob: correct"]
    dialog.table.selectRow(0)
    with qtbot.waitSignal(panel.trace_requested) as signal:
        qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    assert signal.args == [panel.view.items[1].trace_id]
    assert not dialog.isVisible()


def test_agreement_takes_two_reviewers(
    qtbot: QtBot, panel: QueuePanel, notes: Workspace, settle: Settle
) -> None:
    review_all(notes, "Ann", ["correct", "correct", "correct"])
    panel.refresh()
    click(qtbot, panel, "Agreement")
    settle()
    dialog = open_dialog(panel, AgreementDialog)
    assert "takes two reviewers" in dialog.sentences.text()
    press_in_dialog(dialog, "Close")


# --- What is made of the verdicts -------------------------------------------------------------------------


def test_cases_are_made_of_the_answers_that_reviewers_agree_on(
    qtbot: QtBot, panel: QueuePanel, notes: Workspace, console: Console, settle: Settle
) -> None:
    review_all(notes, "Ann", ["correct", "skip", "correct"])
    panel.refresh()
    panel.set_box.setEditText("Gold")
    click(qtbot, panel, "Make cases")
    settle()
    assert len(list_cases(console.database, "Gold")) == 2
    assert notices(console) == [
        (
            "“Gold” contains 2 cases of this queue. "
            "1 left out: skipped, disagreed on, or without a right answer.",
            "info",
        )
    ]


def test_verdicts_are_exported(
    qtbot: QtBot,
    panel: QueuePanel,
    notes: Workspace,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
) -> None:
    review_all(notes, "Ann", ["correct", "wrong", "skip"])
    panel.refresh()
    answer_box(str(tmp_path / "verdicts.csv"))
    click(qtbot, panel, "Export…")
    settle()
    with (tmp_path / "verdicts.csv").open(encoding="utf-8-sig") as file:
        assert [row["verdict"] for row in csv.DictReader(file)] == ["correct", "wrong", "skip"]
    assert notices(console) == [("3 verdicts were written to verdicts.csv.", "info")]


def test_an_export_that_cannot_be_written_is_a_notice(
    qtbot: QtBot,
    panel: QueuePanel,
    notes: Workspace,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
) -> None:
    review_all(notes, "Ann", ["correct", "wrong", "skip"])
    panel.refresh()
    answer_box("")
    click(qtbot, panel, "Export…")
    assert console.engine.tasks == []
    answer_box(str(tmp_path / "missing" / "verdicts.csv"))
    click(qtbot, panel, "Export…")
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]


# --- Staying up to date -----------------------------------------------------------------------------------


def test_the_chosen_queue_is_remembered(
    qtbot: QtBot, panel: QueuePanel, notes: Workspace, console: Console
) -> None:
    fill_queue(notes, "Another", {"random": 1})
    panel.refresh()
    assert panel.queue == "Week 1"
    panel.queue_box.setCurrentIndex(panel.queue_box.findText("Another"))
    assert panel.progress.text() == "0 of 1 reviewed"
    assert QSettings().value("people/queue") == "Another"
    assert opened(qtbot, console).queue == "Another"


def test_what_was_typed_stays_when_the_data_change(
    panel: QueuePanel, notes: Workspace, console: Console
) -> None:
    panel.view.step(1)
    panel.view.correction.setPlainText("half a sentence")
    fill_queue(notes, "Week 1", {"flagged": 10})
    console.data_changed.emit()
    assert panel.view.correction.toPlainText() == "half a sentence"
    assert panel.view.where.text().startswith("Answer 2 of 3")


def test_the_theme_may_change_while_an_answer_is_shown(panel: QueuePanel, console: Console) -> None:
    before = panel.view.passages.passages[0].text.text()
    console.theme.apply("dark")
    assert panel.view.passages.passages[0].text.text() != before or "background" not in before
