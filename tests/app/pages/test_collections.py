"""The page Collections: the list, facts, renaming, moving, compacting, deleting, the map and the last ingest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from driving import ask_once, button_of, click, column, notices, open_dialog, press_in_dialog, rows, texts
from fakes import drive
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.collections.limits_dialog import LimitsDialog
from app.pages.collections.map_view import MapView
from app.pages.collections.page import CollectionsPage
from app.widgets.layout import EmptyState
from app.widgets.theme import Theme
from rag.knowledge.edits import remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    EmbeddingMap,
    FileOutcome,
    IngestReport,
    list_collections,
    list_documents,
    list_versions,
)
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> CollectionsPage:
    """The page with the collection “Notes”."""
    made = CollectionsPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    settle()
    return made


@pytest.fixture
def weather(open_workspace: Workspace, notes: Path) -> None:
    """A second collection with one document."""
    drive(ingest_files(open_workspace, "Weather", [str(notes / "winter.txt")]))


def act(page: CollectionsPage, title: str) -> None:
    """Pick an entry of the menu “More”."""
    next(action for action in page.menu.actions() if action.text() == title).trigger()


# --- the list and the chosen collection -------------------------------------------------------------------


def test_without_collections_the_page_offers_to_add_files(qtbot: QtBot, console: Console) -> None:
    page = CollectionsPage(console)
    qtbot.addWidget(page)
    page.show()
    (empty,) = [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert "No collections yet" in texts(empty)
    with qtbot.waitSignal(page.files_wanted) as files:
        click(qtbot, empty, "Add files…")
    with qtbot.waitSignal(page.folder_wanted) as folder:
        click(qtbot, empty, "Add a folder…")
    assert files.args == folder.args == [""]
    assert page.current is None


def test_without_a_chosen_collection_nothing_in_the_menu_does_anything(
    qtbot: QtBot, console: Console, answer_box: Callable[[object], None], settle: Settle
) -> None:
    page = CollectionsPage(console)
    qtbot.addWidget(page)
    answer_box("Something")
    for title in ("Rename…", "Flags…", "Serve the index from…", "Delete…"):
        act(page, title)
    page.inspection.look()
    click(qtbot, page, "Ask")
    settle()
    assert console.engine.tasks == [] and notices(console) == []


def test_the_first_ingest_fills_the_empty_page(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path, settle: Settle
) -> None:
    page = CollectionsPage(console)
    qtbot.addWidget(page)
    page.show()
    report = drive(ingest_files(open_workspace, "Notes", [str(documents)]))
    console.data_changed.emit()
    settle()
    assert page.title.text() == "Notes" and page.table.isVisible()
    page.show_report(report)
    assert page.tabs.currentWidget() is page.report


def test_the_last_ingest_is_that_of_the_chosen_collection(
    qtbot: QtBot, page: CollectionsPage, console: Console, open_workspace: Workspace, documents: Path,
    settle: Settle,
) -> None:  # fmt: skip
    report = drive(ingest_files(open_workspace, "Bakery", [str(documents)]))
    console.data_changed.emit()
    settle()
    page.choose("Bakery")
    page.show_report(report)
    assert len(rows(page.report.table)) == 3
    page.choose("Notes")
    assert rows(page.report.table) == []
    assert page.report.line.text() == ""
    page.choose("Bakery")
    assert len(rows(page.report.table)) == 3


def test_the_chosen_collection_is_described(page: CollectionsPage) -> None:
    assert rows(page.table) == [["Notes", "2", "4", "4"]]
    assert page.title.text() == "Notes"
    assert page.facts.text().startswith("Version 2 of 2   ·   4 documents, 4 chunks, ")
    assert page.facts.text().endswith("tokens   ·   fake")


def test_another_collection_is_chosen(
    qtbot: QtBot, page: CollectionsPage, console: Console, weather: None, settle: Settle
) -> None:
    console.data_changed.emit()
    settle()
    assert column(page.table, "Name") == ["Notes", "Weather"]
    assert page.current is not None and page.current.name == "Notes"  # the choice stays
    page.choose("Weather")
    assert page.title.text() == "Weather"
    assert column(page.documents.table, "Name") == ["winter.txt"]


def test_the_buttons_name_the_chosen_collection(qtbot: QtBot, page: CollectionsPage) -> None:
    with qtbot.waitSignal(page.files_wanted) as files:
        click(qtbot, page, "Add files to “Notes”…")
    with qtbot.waitSignal(page.folder_wanted) as folder:
        click(qtbot, page, "Add a folder to “Notes”…")
    with qtbot.waitSignal(page.ask_requested) as ask:
        click(qtbot, page, "Ask")
    with qtbot.waitSignal(page.versions_requested) as versions:
        click(qtbot, page, "Versions")
    assert (files.args, folder.args) == (["Notes"], ["Notes"])
    assert (ask.args, versions.args) == (["Notes", None], ["Notes"])


# --- the menu ---------------------------------------------------------------------------------------------


def test_a_collection_is_renamed(
    page: CollectionsPage, console: Console, answer_box: Callable[[object], None], settle: Settle
) -> None:
    answer_box("  Bread and tides  ")
    act(page, "Rename…")
    settle()
    assert page.title.text() == "Bread and tides"
    assert notices(console) == []


def test_a_name_that_is_taken_or_empty_changes_nothing(
    page: CollectionsPage,
    console: Console,
    weather: None,
    answer_box: Callable[[object], None],
    settle: Settle,
) -> None:
    for name in ("", "Notes"):
        answer_box(name)
        act(page, "Rename…")
        settle()
    assert notices(console) == []
    answer_box("Weather")
    act(page, "Rename…")
    settle()
    ((sentence, kind),) = notices(console)
    assert "Weather" in sentence and kind == "bad"
    assert page.title.text() == "Notes"


def test_the_flags_of_a_collection_are_opened(page: CollectionsPage, settle: Settle) -> None:
    act(page, "Flags…")
    settle()
    dialog = open_dialog(page, LimitsDialog)
    assert dialog.windowTitle() == "Flags of Notes"
    press_in_dialog(dialog, "Cancel")
    assert not dialog.isVisible()


def test_moving_the_index_to_a_server_that_does_not_answer_is_refused(
    page: CollectionsPage, console: Console, answer_box: Callable[[object], None], settle: Settle
) -> None:
    answer_box("not an address")
    act(page, "Serve the index from…")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert page.current is not None and page.current.index_server == ""


def test_a_served_collection_names_its_server(
    page: CollectionsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    from rag.storage.tables.knowledge import Collection

    with open_workspace.store.session() as session:
        found = session.get(Collection, 1)
        assert found is not None
        found.index_server = "http://localhost:8000"
        session.add(found)
    console.data_changed.emit()
    assert page.facts.text().endswith("index on http://localhost:8000")


def test_compacting_says_what_was_removed(page: CollectionsPage, console: Console, settle: Settle) -> None:
    act(page, "Compact the data folder")
    settle()
    sentence, kind = notices(console)[-1]
    assert sentence.startswith("0 documents and 0 vectors that no version needs were removed; ")
    assert "→" in sentence and kind == "info"


def test_a_collection_is_deleted_only_after_a_yes(
    page: CollectionsPage, console: Console, settle: Settle
) -> None:
    act(page, "Delete…")
    box = open_dialog(page, QMessageBox)
    assert box.text().startswith("Delete “Notes” and its 2 versions?")
    press_in_dialog(box, "Cancel")
    settle()
    assert column(page.table, "Name") == ["Notes"]
    act(page, "Delete…")
    press_in_dialog(open_dialog(page, QMessageBox), "Delete")
    settle()
    assert list_collections(console.database) == []
    assert notices(console) == [("“Notes” was deleted.", "info")]
    assert [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert page.title.text() == "" and rows(page.documents.table) == []


# --- suspicious chunks ------------------------------------------------------------------------------------


@pytest.fixture
def odd(open_workspace: Workspace, notes: Path, tmp_path: Path) -> None:
    """Documents with a garbled chunk and two that are nearly the same."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "noise.txt").write_text("%&/(§$ )(=?{]}[ ~#'* ;:_+ §$%&/ ()=? {[]} a" * 3, "utf-8")
    words = " ".join(f"word{number}" for number in range(60))
    (folder / "one.txt").write_text(f"{words} first.", "utf-8")
    (folder / "two.txt").write_text(f"{words} second.", "utf-8")
    drive(ingest_files(open_workspace, "Notes", [str(folder)]))


def test_suspicious_chunks_are_found_and_lead_to_their_place(
    qtbot: QtBot, odd: None, page: CollectionsPage
) -> None:
    page.tabs.setCurrentWidget(page.inspection)
    assert rows(page.inspection.suspects) == []
    click(qtbot, page, "Look for suspicious chunks")
    qtbot.waitUntil(lambda: page.inspection.near.records_model.rowCount() > 0)
    qtbot.waitUntil(lambda: page.inspection.suspects.records_model.rowCount() > 0)
    assert [row[:2] for row in rows(page.inspection.suspects)] == [["garbled", "noise.txt"]]
    ((cosine, document, _text, other, _other_text),) = rows(page.inspection.near)
    assert float(cosine) >= 0.95 and {document, other} == {"one.txt", "two.txt"}
    page.inspection.suspects.record_activated.emit(page.inspection.suspects.records_model.records[0])
    assert page.tabs.currentWidget() is page.documents
    assert page.documents.table.selected_records()[0].name == "noise.txt"
    assert "%&/(" in page.documents.chunks.text.marked_text


def test_found_chunks_are_excluded_from_the_menus(
    qtbot: QtBot, odd: None, page: CollectionsPage, console: Console, answer_box: Callable[[object], None],
    settle: Settle,
) -> None:  # fmt: skip
    page.inspection.look()
    settle()
    answer_box("not a text")
    suspects = page.inspection.suspects
    actions = dict(suspects.actions_for(suspects.records_model.records))
    assert list(actions) == ["Show the chunk", "Exclude…"]
    actions["Show the chunk"]()
    assert page.documents.table.selected_records()[0].name == "noise.txt"
    actions["Exclude…"]()
    settle()
    assert notices(console)[-1][0].startswith("Version 4: ")
    assert rows(suspects) == []  # they were found in another version
    page.inspection.look()
    settle()
    assert [row[:2] for row in rows(suspects)] == []
    near = page.inspection.near
    dict(near.actions_for(near.records_model.records))["Exclude the right one…"]()
    settle()
    assert notices(console)[-1][0].startswith("Version 5: ")


def test_what_is_found_for_another_collection_is_not_shown(
    qtbot: QtBot, odd: None, weather: None, page: CollectionsPage, settle: Settle
) -> None:
    page.inspection.look()
    page.choose("Weather")
    settle()
    assert rows(page.inspection.suspects) == [] and rows(page.inspection.near) == []


# --- the map ----------------------------------------------------------------------------------------------


def test_the_map_shows_every_chunk_and_rings_what_the_last_question_found(
    qtbot: QtBot, open_workspace: Workspace, page: CollectionsPage, settle: Settle
) -> None:
    ask_once(open_workspace, "How long does rye bread rest?")
    page.tabs.setCurrentIndex(2)
    settle()
    assert page.map.point_count == 4
    assert page.map.note.startswith("4 chunks of version 2 on the first two principal components")
    assert "Points that are close here are not always close in meaning." in page.map.note
    assert "found for “How long does rye bread rest?”" in page.map.note
    chunk = next(iter(page.map._points))
    page.map.chunk_clicked.emit(chunk)
    assert page.tabs.currentWidget() is page.documents
    assert page.documents.chunks.current is not None and page.documents.chunks.current.id == chunk


def test_a_version_without_chunks_has_no_map(
    qtbot: QtBot, page: CollectionsPage, open_workspace: Workspace, console: Console, settle: Settle
) -> None:
    version = list_versions(open_workspace.database, 1)[0]
    ids = [document.id for document in list_documents(open_workspace.database, version.id)]
    drive(remove_documents(open_workspace, "Notes", ids))
    page.tabs.setCurrentIndex(2)
    settle()
    console.data_changed.emit()
    settle()
    assert page.map.note == "This version contains no chunks, so there is nothing to map."
    assert page.map.point_count == 0


def map_of(points: int, documents: int, total: int = 0) -> EmbeddingMap:
    """Return points on a line, in turn from each of so many documents."""
    x = np.arange(points, dtype=np.float32)
    ids = np.arange(1, points + 1, dtype=np.int64)
    return EmbeddingMap(
        3, x.tobytes(), x.tobytes(), ids.tobytes(), ((ids - 1) % documents + 1).tobytes(),
        {number: f"document {number} with a name that is far too long" for number in range(1, documents + 1)},
        0.41, total or points,
    )  # fmt: skip


def test_a_map_of_a_sample_says_so_and_gathers_small_documents(qtbot: QtBot, theme: Theme) -> None:
    view = MapView(theme)
    qtbot.addWidget(view)
    view.show_map(map_of(30, 10, total=4000), [1, 2, 999], "Why?")
    assert view.note.startswith("30 of 4,000 chunks (an even sample) of version 3")
    assert "explain 41 % of the variance" in view.note
    assert "Ringed: the 2 passages found for “Why?”." in view.note
    names = [item.name() for item in view.plot.getPlotItem().listDataItems() if item.name()]
    assert len(names) == 8 and names[-1] == "3 other documents"
    assert all(len(name) <= 32 for name in names)
    theme.apply("dark")  # drawn again in other colours
    assert view.point_count == 30
    theme.apply("light")
    view.clear("Gone.")
    assert (view.point_count, view.note) == (0, "Gone.")


def test_the_pointer_over_a_point_names_its_document_and_a_click_asks_for_the_chunk(
    qtbot: QtBot, theme: Theme
) -> None:
    view = MapView(theme)
    qtbot.addWidget(view)
    view.resize(500, 400)
    view.show()
    view._show_name(QPointF(10, 10))
    assert view._hover.toPlainText() == ""  # without a map there is nothing to name
    view.show_map(map_of(3, 1), [], "")
    box = view.plot.getPlotItem().vb
    view._show_name(box.mapViewToScene(QPointF(1, 1)))
    assert view._hover.toPlainText().startswith("document 1")
    view._show_name(box.mapViewToScene(QPointF(1, 0)))
    assert view._hover.toPlainText() == ""
    scatter = view.plot.getPlotItem().listDataItems()[0]
    with qtbot.waitSignal(view.chunk_clicked) as clicked:
        scatter.sigClicked.emit(scatter, scatter.points()[1:2], None)
    assert clicked.args == [2]


# --- the last ingest --------------------------------------------------------------------------------------


def test_the_report_lists_what_needs_attention_first(page: CollectionsPage) -> None:
    assert page.report.table._empty.startswith("Nothing was added to this collection")
    outcomes = (
        FileOutcome("/files/same.txt", "unchanged"),
        FileOutcome("/files/new.txt", "added", chunk_count=1200),
        FileOutcome("C:\\files\\half.pdf", "added", "2 pages could not be read.", 3, 2),
        FileOutcome("/files/video.mp4", "skipped", "Files of this kind are not read."),
        FileOutcome("/files/broken.docx", "failed", "It is not a Word file."),
    )
    page.show_report(IngestReport("Notes", 3, 5, 1203, outcomes, 1.25))
    assert page.tabs.currentWidget() is page.report
    assert column(page.report.table, "File") == [
        "broken.docx",
        "video.mp4",
        "half.pdf",
        "new.txt",
        "same.txt",
    ]
    assert column(page.report.table, "Chunks") == ["", "", "3", "1,200", ""]
    assert page.report.line.text() == (
        "Notes: 2 added, 1 unchanged, 1 skipped, 1 failed in 1.2 s; version 3, 1,203 chunks. "
        "1 file was not read in full."
    )


def test_a_rename_that_is_not_accepted_changes_nothing(
    page: CollectionsPage, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("Other", False))
    act(page, "Rename…")
    act(page, "Serve the index from…")
    settle()
    assert page.title.text() == "Notes"
    assert button_of(page, "More").isEnabled()
