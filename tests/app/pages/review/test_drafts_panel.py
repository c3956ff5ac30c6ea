"""Drafts of cases: written by the model, edited, accepted and rejected from the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import button_of, click, column, notices, open_dialog, press_in_dialog
from fakes import ScriptedModel, drive
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.review.drafts_panel import DraftsPanel, GenerateDialog
from app.pages.review.page import ReviewPage
from rag.errors import ModelError
from rag.evaluation.drafts import reject_draft
from rag.evaluation.rows import list_cases, list_drafts
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

Settle = Callable[[], None]
WRITTEN = {"question": "Which star is the brightest one?", "answer": "Sirius is the brightest star."}


@pytest.fixture
def stars(open_workspace: Workspace, documents: Path, model: ScriptedModel) -> Workspace:
    """A collection with one passage, and a model that writes a good question about it."""
    drive(ingest_files(open_workspace, "Stars", [documents / "stars.txt"]))
    model.answer = json.dumps(WRITTEN)
    return open_workspace


@pytest.fixture
def page(qtbot: QtBot, console: Console, stars: Workspace, settle: Settle) -> ReviewPage:
    page = ReviewPage(console)
    qtbot.addWidget(page)
    page.tabs.setCurrentWidget(page.drafts)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    settle()
    return page


@pytest.fixture
def panel(page: ReviewPage) -> DraftsPanel:
    return page.drafts


def write(panel: DraftsPanel, settle: Settle, count: int = 1) -> None:
    dialog = panel.choose()
    dialog.set_box.setEditText("Generated")
    dialog.count.setValue(count)
    dialog.accept()
    settle()


def focus_the_table(qtbot: QtBot, panel: DraftsPanel) -> None:
    """Shortcuts are of the active window; a closed dialog leaves none on some platforms."""
    panel.window().activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.table.setFocus()
    qtbot.waitUntil(panel.table.hasFocus)


def test_without_drafts_the_panel_offers_to_write_some(qtbot: QtBot, panel: DraftsPanel) -> None:
    assert panel._list.is_empty
    click(qtbot, panel, "Write drafts…")
    dialog = open_dialog(panel, GenerateDialog)
    assert [dialog.collection.itemText(n) for n in range(dialog.collection.count())] == ["Stars"]
    press_in_dialog(dialog, "Cancel")


def test_a_draft_is_shown_with_its_passage_and_checks(panel: DraftsPanel, settle: Settle) -> None:
    write(panel, settle)
    assert column(panel.table, "Question") == [WRITTEN["question"]]
    assert column(panel.table, "Document") == ["stars.txt"]
    assert panel.count.text() == "1 draft to review"
    assert panel.question.toPlainText() == WRITTEN["question"]
    assert panel.answer.toPlainText() == WRITTEN["answer"]
    assert panel.passage.marked_text == WRITTEN["answer"]
    assert "written by scripted" in panel.where.text()
    assert panel.marks.text().startswith("Checked:  ")


def test_the_tab_counts_the_drafts(page: ReviewPage, panel: DraftsPanel, settle: Settle) -> None:
    assert page.tabs.tabText(1) == "Drafts"
    write(panel, settle)
    assert page.tabs.tabText(1) == "Drafts (1)"


def test_writing_is_followed_and_reported(panel: DraftsPanel, console: Console, settle: Settle) -> None:
    dialog = panel.choose()
    dialog.set_box.setEditText("Generated")
    dialog.accept()
    assert panel.strip.is_busy
    assert not panel.write_button.isEnabled()
    settle()
    assert not panel.strip.is_busy
    assert panel.write_button.isEnabled()
    ((sentence, kind),) = notices(console)
    assert (kind, sentence != "") == ("info", True)


def test_a_model_that_cannot_be_loaded_is_a_notice(
    panel: DraftsPanel, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.load_error = ModelError("The model file is damaged.")
    write(panel, settle)
    assert notices(console) == [("The model file is damaged.", "bad")]
    assert panel.write_button.isEnabled()
    assert panel._list.is_empty


def test_a_draft_is_edited_and_accepted_by_a_key(
    qtbot: QtBot, panel: DraftsPanel, console: Console, settle: Settle
) -> None:
    write(panel, settle)
    panel.answer.setPlainText("Sirius, of course.")
    focus_the_table(qtbot, panel)
    qtbot.keyClick(panel.table, Qt.Key.Key_A)
    settle()
    (case,) = list_cases(console.database, "Generated")
    assert json.loads(case)["references"] == ["Sirius, of course."]
    assert panel._list.is_empty
    assert list_drafts(console.database) == []


def test_a_draft_is_rejected_by_a_key_and_never_written_again(
    qtbot: QtBot, panel: DraftsPanel, console: Console, settle: Settle
) -> None:
    write(panel, settle)
    focus_the_table(qtbot, panel)
    qtbot.keyClick(panel.table, Qt.Key.Key_X)
    settle()
    assert list_drafts(console.database) == []
    assert list_cases(console.database, "Generated") == []
    write(panel, settle)
    assert notices(console)[-1][1] == "bad"  # there is no passage left


def test_letters_typed_into_the_fields_are_no_commands(
    qtbot: QtBot, panel: DraftsPanel, console: Console, settle: Settle
) -> None:
    write(panel, settle)
    panel.question.setFocus()
    panel.question.clear()
    qtbot.keyClicks(panel.question, "ax")
    assert panel.question.toPlainText() == "ax"
    assert console.engine.tasks == []


def test_an_emptied_field_means_what_the_draft_says(
    qtbot: QtBot, panel: DraftsPanel, console: Console, settle: Settle
) -> None:
    write(panel, settle)
    panel.question.clear()
    click(qtbot, panel, "Accept")
    settle()
    assert json.loads(list_cases(console.database, "Generated")[0])["question"] == WRITTEN["question"]


def test_a_draft_that_was_decided_elsewhere_is_refused(
    qtbot: QtBot, panel: DraftsPanel, console: Console, stars: Workspace, settle: Settle
) -> None:
    write(panel, settle)
    (draft,) = list_drafts(console.database)
    reject_draft(stars, draft.id)
    click(qtbot, panel, "Accept")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert list_cases(console.database, "Generated") == []


def test_the_buttons_reject_too(qtbot: QtBot, panel: DraftsPanel, console: Console, settle: Settle) -> None:
    write(panel, settle)
    click(qtbot, panel, "Reject")
    settle()
    assert list_drafts(console.database) == []


def test_without_a_collection_nothing_can_be_written(qtbot: QtBot, console: Console) -> None:
    panel = DraftsPanel(console)
    qtbot.addWidget(panel)
    dialog = panel.choose()
    assert not button_of(dialog, "Write").isEnabled()
    panel.accept_chosen()
    panel.reject_chosen()
    assert console.engine.tasks == []  # nothing is chosen
