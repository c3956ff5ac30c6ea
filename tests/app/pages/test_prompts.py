"""The page Prompts: versions, the editor with its preview, labels, files, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import (
    ask_once,
    button_of,
    click,
    column,
    notices,
    open_dialog,
    pick_in_menu,
    press_in_dialog,
    rows,
)
from fakes import drive
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.prompts import PromptsPage
from rag.knowledge.ingest import ingest_files
from rag.prompts.rows import list_prompt_versions, list_prompts
from rag.workspace import Workspace

Settle = Callable[[], None]
Answer = Callable[[object], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> PromptsPage:
    """The page on a new data folder: the built-in prompt and no question."""
    made = PromptsPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


def save(page: PromptsPage, qtbot: QtBot, settle: Settle, user: str, message: str = "") -> None:
    """Change the user part and save."""
    page.user.setPlainText(user)
    page.message.setText(message)
    click(qtbot, page, "Save as a new version")
    settle()


def wait_for_preview(qtbot: QtBot, page: PromptsPage, settle: Settle, text: str) -> None:
    """Wait until the pause after typing is over and the preview contains this."""
    qtbot.waitUntil(lambda: text in page.preview.toPlainText() or text in page.wrong.text(), timeout=10_000)
    settle()


# --- What is shown ----------------------------------------------------------------------------------------


def test_the_built_in_prompt_is_shown_with_its_label(page: PromptsPage) -> None:
    assert rows(page.prompts) == [["default", "1", "production 1"]]
    assert column(page.versions, "Message") == ["Built in"]
    assert column(page.versions, "Labels") == ["production"]
    assert "{{ question }}" in page.user.toPlainText()
    assert not button_of(page, "Save as a new version").isEnabled()
    assert not button_of(page, "Revert").isEnabled()


def test_the_preview_follows_what_is_typed(qtbot: QtBot, page: PromptsPage, settle: Settle) -> None:
    page.question.setEditText("How long does rye bread rest?")
    page.user.setPlainText("Please answer: {{ question }}")
    wait_for_preview(qtbot, page, settle, "Please answer: How long does rye bread rest?")
    assert "Variables: question" in page.facts.text()
    assert "load a model to count tokens" in page.facts.text()
    assert "without passages" in page.facts.text()
    assert page.wrong.isHidden()


def test_a_template_that_cannot_be_read_says_why_and_the_preview_stays(
    qtbot: QtBot, page: PromptsPage, settle: Settle
) -> None:
    page.user.setPlainText("Answer {{ question }}")
    wait_for_preview(qtbot, page, settle, "Answer")
    before = page.preview.toPlainText()
    page.user.setPlainText("Answer {{ question")
    wait_for_preview(qtbot, page, settle, "user part")
    assert page.wrong.isVisible()
    assert page.preview.toPlainText() == before
    page.user.setPlainText("Reply to {{ question }}")
    wait_for_preview(qtbot, page, settle, "Reply to")
    assert page.wrong.isHidden()


def test_the_preview_uses_the_passages_of_an_earlier_answer_and_counts_tokens(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path, settle: Settle
) -> None:
    drive(ingest_files(open_workspace, "Notes", [documents]))
    ask_once(open_workspace, "How long does rye bread rest?")
    page = PromptsPage(console)
    qtbot.addWidget(page)
    assert page.question.currentText() == "How long does rye bread rest?"
    wait_for_preview(qtbot, page, settle, "sourdough")
    assert "of an earlier answer" in page.facts.text()
    assert "tokens in scripted" in page.facts.text()
    page.question.setEditText("And wheat bread?")
    wait_for_preview(qtbot, page, settle, "And wheat bread?")
    console.data_changed.emit()
    assert page.question.currentText() == "And wheat bread?"  # what was typed is no entry, and stays


# --- Versions ---------------------------------------------------------------------------------------------


def test_a_changed_text_becomes_a_version_and_the_label_stays(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle
) -> None:
    page.user.setPlainText("Shorter: {{ question }}")
    assert page.is_changed
    page.message.setText("Shorter")
    qtbot.keyClick(page.message, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    settle()
    assert column(page.versions, "Message") == ["Shorter", "Built in"]
    assert column(page.versions, "Labels") == ["", "production"]
    assert page.message.text() == ""
    assert not page.is_changed
    assert notices(console) == [
        (
            "Version 2 of “default” was saved. The version labelled “production” stays in use. This prompt does "
            "not use the passages. The model does not see them, so its answers show no sources and are not checked.",
            "info",
        )
    ]


def test_reverting_brings_the_saved_text_back(qtbot: QtBot, page: PromptsPage) -> None:
    before = page.system.toPlainText()
    page.system.setPlainText("You are a pirate.")
    click(qtbot, page, "Revert")
    assert page.system.toPlainText() == before
    assert not page.is_changed


def test_a_version_that_cannot_be_read_is_refused(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle
) -> None:
    save(page, qtbot, settle, "Answer {{ question")
    ((_sentence, kind),) = notices(console)
    assert kind == "bad"
    assert len(list_prompt_versions(console.database, "default")) == 1
    assert page.user.toPlainText() == "Answer {{ question"  # nothing that was typed is lost


def test_a_version_is_compared_with_the_one_before_and_two_with_each_other(
    qtbot: QtBot, page: PromptsPage, settle: Settle
) -> None:
    save(page, qtbot, settle, "Second {{ question }}")
    save(page, qtbot, settle, "Third {{ question }}")
    assert "User part, version 2" in page.diff.shown_text
    assert "User part, version 3" in page.diff.shown_text
    page.versions.selectAll()
    assert "User part, version 1" in page.diff.shown_text
    assert page.versions.choose(lambda version: version.number == 1)
    assert page.diff.summary == "No chunk of this document differs."


def test_unsaved_text_is_not_lost_without_a_yes(
    qtbot: QtBot, page: PromptsPage, settle: Settle, answer_box: Answer
) -> None:
    save(page, qtbot, settle, "Second {{ question }}")
    page.user.setPlainText("Unsaved {{ question }}")
    answer_box(QMessageBox.StandardButton.No)
    page.versions.choose(lambda version: version.number == 1)
    assert page.user.toPlainText() == "Unsaved {{ question }}"
    answer_box(QMessageBox.StandardButton.Yes)
    page.versions.choose(lambda version: version.number == 2)
    page.versions.choose(lambda version: version.number == 1)
    assert "Unsaved" not in page.user.toPlainText()


# --- Prompts ----------------------------------------------------------------------------------------------


def test_a_new_prompt_begins_as_a_copy(
    qtbot: QtBot, page: PromptsPage, settle: Settle, answer_box: Answer
) -> None:
    answer_box("Short answers")
    click(qtbot, page, "New…")
    settle()
    assert sorted(column(page.prompts, "Prompt")) == ["Short answers", "default"]
    assert page.prompt is not None
    assert page.prompt.name == "Short answers"
    assert column(page.versions, "Message") == ["Copy of default 1"]


def test_a_name_that_cannot_be_is_refused(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle, answer_box: Answer
) -> None:
    answer_box("***")
    click(qtbot, page, "New…")
    settle()
    ((sentence, kind),) = notices(console)
    assert (kind, "cannot be the name of a prompt" in sentence) == ("bad", True)
    assert len(rows(page.prompts)) == 1


def test_no_name_makes_no_prompt(
    qtbot: QtBot, page: PromptsPage, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("Other", False))
    click(qtbot, page, "New…")
    assert console.engine.tasks == []


def test_changed_text_keeps_its_prompt_chosen_after_a_no(
    qtbot: QtBot, page: PromptsPage, settle: Settle, answer_box: Answer
) -> None:
    answer_box("Other")
    click(qtbot, page, "New…")
    settle()
    page.user.setPlainText("Unsaved {{ question }}")
    answer_box(QMessageBox.StandardButton.No)
    page.prompts.choose(lambda prompt: prompt.name == "default")
    assert page.prompt is not None
    assert page.prompt.name == "Other"
    assert page.user.toPlainText() == "Unsaved {{ question }}"


def test_a_prompt_is_deleted_after_a_yes(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle, answer_box: Answer
) -> None:
    answer_box("Other")
    click(qtbot, page, "New…")
    settle()
    for verb, left in (("Cancel", ["Other", "default"]), ("Delete", ["default"])):
        pick_in_menu("Delete this prompt…")
        click(qtbot, page, "More")
        box = open_dialog(page, QMessageBox)
        assert box.text() == "Delete “Other” with 1 version? This cannot be undone."
        press_in_dialog(box, verb)
        settle()
        assert sorted(prompt.name for prompt in list_prompts(console.database)) == left


# --- Labels -----------------------------------------------------------------------------------------------


def test_a_label_is_given_logged_and_rolled_back(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle, answer_box: Answer
) -> None:
    save(page, qtbot, settle, "Second {{ question }}")
    answer_box("It is shorter")
    pick_in_menu("production")
    click(qtbot, page, "Label…")
    settle()
    assert [*rows(page.moves)[0][1:4], rows(page.moves)[0][5]] == ["production", "1", "2", "It is shorter"]
    assert notices(console)[-1] == ("The label “production” is now at version 2.", "info")
    click(qtbot, page, "Roll back")
    settle()
    assert column(page.prompts, "Labels") == ["production 1"]
    assert notices(console)[-1] == ("The label “production” is now at version 1.", "info")


def test_a_label_that_a_version_has_is_taken_away(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle, answer_box: Answer
) -> None:
    answer_box("unused")
    for said in ("is now at version 1", "was removed"):
        pick_in_menu("staging")
        click(qtbot, page, "Label…")
        settle()
        assert notices(console)[-1] == (f"The label “staging” {said}.", "info")
    assert column(page.moves, "To")[0] == "removed"


def test_a_label_needs_one_chosen_version(
    qtbot: QtBot, page: PromptsPage, console: Console, settle: Settle
) -> None:
    save(page, qtbot, settle, "Second {{ question }}")
    assert page.label_button.isEnabled()
    page.versions.selectAll()
    assert not page.label_button.isEnabled()
    assert page.label_button.toolTip() == "Choose one version first."


def test_a_label_that_never_moved_cannot_be_rolled_back(page: PromptsPage) -> None:
    assert not page.back_button.isEnabled()
    assert page.back_button.toolTip() == "The label “production” was never moved."
    assert column(page.prompts, "Labels") == ["production 1"]


# --- Files ------------------------------------------------------------------------------------------------


def test_prompts_are_exported_and_imported_again(
    qtbot: QtBot, page: PromptsPage, console: Console, tmp_path: Path, settle: Settle, answer_box: Answer
) -> None:
    answer_box(str(tmp_path / "prompts"))
    pick_in_menu("Export all to a folder…")
    click(qtbot, page, "More")
    settle()
    (file,) = (tmp_path / "prompts").iterdir()
    assert notices(console) == [(f"1 prompt was written to {tmp_path / 'prompts'}.", "info")]
    file.write_text(file.read_text("utf-8").replace("{{ question }}", "{{ question }} In one word."), "utf-8")
    pick_in_menu("Import from a folder…")
    click(qtbot, page, "More")
    settle()
    assert notices(console)[-1][1] == "info"
    assert [version.number for version in list_prompt_versions(console.database, "default")] == [2, 1]


def test_a_folder_without_prompts_is_refused(
    page: PromptsPage, console: Console, tmp_path: Path, settle: Settle
) -> None:
    page.import_from(str(tmp_path / "missing"))
    settle()
    ((_sentence, kind),) = notices(console)
    assert kind == "bad"
