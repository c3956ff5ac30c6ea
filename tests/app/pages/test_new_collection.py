"""A new collection by clicking: name, files, sizes, the first chunks as a preview, and the live list of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import button_of, click, column, notices, open_dialog, rows
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.collections.new_collection_dialog import NewCollectionDialog
from app.pages.collections.page import CollectionsPage
from rag.knowledge.rows import (
    FileOutcome,
    FileStatus,
    IngestProgress,
    IngestReport,
    get_collection,
    list_collections,
)

Settle = Callable[[], None]
Answer = Callable[[Any], None]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    made = tmp_path / "Manuals"
    made.mkdir()
    (made / "long.txt").write_text(" ".join(f"Sentence number {n} ends here." for n in range(80)), "utf-8")
    (made / "picture.raw").write_text("x", "utf-8")
    return made


@pytest.fixture
def dialog(qtbot: QtBot, console: Console) -> NewCollectionDialog:
    made = NewCollectionDialog(console)
    qtbot.addWidget(made)
    made.show()
    return made


def shown(qtbot: QtBot, dialog: NewCollectionDialog, sentence: str) -> None:
    qtbot.waitUntil(lambda: sentence in dialog.status.text(), timeout=60_000)


def test_without_a_name_and_files_there_is_nothing_to_create(dialog: NewCollectionDialog) -> None:
    create = button_of(dialog, "Create")
    assert not create.isEnabled() and create.toolTip() == "Type a name, or choose files."
    dialog.name.setText("Empty")
    assert create.isEnabled() and create.text() == "Create"


def test_the_first_chunks_are_shown_and_follow_the_size(
    qtbot: QtBot, dialog: NewCollectionDialog, files: Path, answer_box: Answer
) -> None:
    answer_box(str(files))
    click(qtbot, dialog, "A folder…")
    shown(qtbot, dialog, "1 file would be added, 1 file is left out.")
    assert "picture.raw: " in dialog.status.text()
    assert dialog.collection == "Manuals"
    few = len(rows(dialog.chunks))
    assert few >= 2 and dialog.text.toPlainText().startswith("Sentence number 0")
    dialog.max_tokens.setValue(40)
    shown(qtbot, dialog, "with at most 40 tokens")
    assert len(rows(dialog.chunks)) > few
    assert all(int(tokens) <= 40 for tokens in column(dialog.chunks, "Tokens"))


def test_a_preview_that_is_out_of_date_is_cancelled(
    qtbot: QtBot, dialog: NewCollectionDialog, console: Console, files: Path, settle: Settle
) -> None:
    dialog.add_paths([str(files)])
    dialog._pause.stop()
    dialog._preview()
    first = dialog._task
    assert first is not None
    dialog.max_tokens.setValue(64)
    assert dialog._task is None, "what it finds is not shown any more"
    shown(qtbot, dialog, "with at most 64 tokens")
    dialog.add_paths([str(files / "long.txt")])
    dialog.reject()
    settle()
    assert dialog._task is None and not dialog._pause.isActive()


def test_an_embedder_that_is_none_is_said_in_the_dialog(
    qtbot: QtBot, dialog: NewCollectionDialog, console: Console, files: Path, settle: Settle
) -> None:
    dialog.add_paths([str(files)])
    dialog.embedder.setText(str(files))
    shown(qtbot, dialog, "no modules.json")
    click(qtbot, dialog, "Create and add")
    settle()
    assert dialog.isVisible() and list_collections(console.database) == []
    assert button_of(dialog, "Create and add").isEnabled()


def test_a_name_that_is_taken_cannot_be_chosen(
    qtbot: QtBot, console: Console, notes: Path, files: Path
) -> None:
    dialog = NewCollectionDialog(console)
    qtbot.addWidget(dialog)
    dialog.name.setText("Notes")
    create = button_of(dialog, "Create")
    assert not create.isEnabled() and "already a collection named “Notes”" in create.toolTip()
    dialog.name.clear()
    (files.parent / "Notes").mkdir()
    dialog.add_paths([str(files.parent / "Notes")])
    assert dialog.collection == "Notes 2"


def test_files_are_dropped_and_never_moved(dialog: NewCollectionDialog, files: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(files / "long.txt"))])
    actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    event = QDropEvent(
        QPointF(5, 5), actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.setDropAction(Qt.DropAction.MoveAction)
    dialog.dropEvent(event)
    assert event.dropAction() == Qt.DropAction.CopyAction
    assert dialog.paths == [str(files / "long.txt")] and dialog.collection == "long"
    dialog.files.setCurrentRow(0)
    button_of(dialog, "Remove").click()
    assert dialog.paths == [] and dialog.collection == ""


def test_a_collection_is_made_and_its_files_are_handed_on(
    qtbot: QtBot, console: Console, notes: Path, files: Path, settle: Settle
) -> None:
    page = CollectionsPage(console)
    qtbot.addWidget(page)
    page.show()
    click(qtbot, page, "New collection…")
    dialog = open_dialog(page, NewCollectionDialog)
    dialog.add_paths([str(files)])
    dialog.max_tokens.setValue(48)
    with qtbot.waitSignal(page.paths_chosen, timeout=60_000) as chosen:
        click(qtbot, dialog, "Create and add")
    assert chosen.args == [[str(files)], "Manuals"]
    settle()
    assert '"max_tokens":48' in get_collection(console.database, "Manuals").chunking
    assert page.collection_name == "Manuals"
    assert button_of(page, "Add files to “Manuals”…").isEnabled()


# --- while files are added --------------------------------------------------------------------------------


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> CollectionsPage:
    made = CollectionsPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    settle()
    return made


def event(stage: str, file: str = "", done: int = 0, *finished: FileOutcome) -> IngestProgress:
    return IngestProgress(file, stage, done, 3, 0, 0, 0, 1, 0.0, None, None, "Notes", finished)


def test_files_are_listed_as_they_are_finished(qtbot: QtBot, page: CollectionsPage) -> None:
    page.progress.show_import(1, "Adding")
    page.progress.update_progress(event("discovering"))
    assert page.tabs.currentWidget() is page.report
    bread = FileOutcome("/d/bread.md", FileStatus.ADDED, "2 footnotes read", 4)
    page.progress.update_progress(event("parsing", "/d/stars.txt", 1, bread))
    assert page.report.line.text() == "Reading stars.txt   ·   1 of 3 files finished   ·   1 waiting"
    failed = FileOutcome("/d/stars.txt", FileStatus.FAILED, "The file contains no text.")
    page.progress.update_progress(event("embedding", "/d/tides.txt", 2, failed))
    qtbot.waitUntil(lambda: len(rows(page.report.table)) == 2)
    assert rows(page.report.table) == [
        ["stars.txt", "failed", "", "The file contains no text."],
        ["bread.md", "added", "4", "2 footnotes read"],
    ]
    page.refresh()
    qtbot.waitUntil(lambda: len(rows(page.report.table)) == 2)
    page.show_report(IngestReport("Notes", 3, 5, 5, (bread, failed), 1.0))
    page.progress.show_import(None, "")
    assert page.report.line.text().startswith("Notes: 1 added, 1 failed")


def test_an_import_that_is_stopped_says_what_was_kept(qtbot: QtBot, page: CollectionsPage) -> None:
    page.progress.show_import(1, "Adding")
    page.progress.update_progress(event("discovering"))
    page.progress.update_progress(event("parsing", "/d/b", 1, FileOutcome("/d/a", FileStatus.ADDED)))
    page.progress.show_import(None, "")
    assert page.report.line.text().startswith("Stopped: 1 file was finished before.")
    page.refresh()
    assert page.report.line.text().startswith("Stopped: 1 file was finished before.")


def test_the_list_of_another_collection_is_not_covered(page: CollectionsPage) -> None:
    other = IngestProgress("/d/x", "parsing", 1, 3, 0, 0, 0, 1, 0.0, None, None, "Elsewhere",
                           (FileOutcome("/d/a", FileStatus.ADDED),))  # fmt: skip
    page.progress.show_import(1, "Adding")
    page.progress.update_progress(other)
    assert page.tabs.currentWidget() is page.documents and page.report.line.text() == ""


def test_a_long_name_is_cut_in_a_button_and_whole_in_its_tooltip(
    qtbot: QtBot, page: CollectionsPage, console: Console, settle: Settle
) -> None:
    assert page.files_button.text() == "Add files to “Notes”…"
    assert page.folder_button.accessibleName() == "Add a folder to “Notes”…"
    name = "Manuals & drawings of all machines"
    dialog = NewCollectionDialog(console, page)
    dialog.name.setText(name)
    dialog.created.connect(page._created)
    click(qtbot, dialog, "Create")
    settle()
    assert page.collection_name == name
    assert page.files_button.text() == "Add files to “Manuals && drawing…”…"
    assert name in page.files_button.toolTip() and name in page.files_button.accessibleName()
    assert notices(console)[-1][0] == f"The collection “{name}” was made. Add files to it."
