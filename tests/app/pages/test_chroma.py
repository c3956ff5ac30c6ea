"""The page Chroma: opening a folder, browsing, filtering, searching, importing and exporting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromadb
import pytest
from chromadb.config import Settings as ChromaSettings
from driving import button_of, click, column, notices, open_dialog, press_in_dialog, rows, texts
from fakes import FakeEmbedder
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.chroma import ChromaConsolePage, ExportDialog
from app.widgets.layout import EmptyState
from rag.knowledge.rows import list_collections

Settle = Callable[[], None]
Say = Callable[[object], None]


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A Chroma folder of another program: “letters” with 250 records of four kinds, and an empty collection."""
    folder = tmp_path / "foreign"
    client = chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))
    letters = client.create_collection(
        "letters", metadata={"hnsw:space": "cosine", "owner": "Ann"}, embedding_function=None
    )
    texts = [f"Letter {number} is about {topic(number)}." for number in range(250)]
    letters.add(
        ids=[f"id-{number:03d}" for number in range(250)],
        documents=texts,
        embeddings=FakeEmbedder().encode(texts),
        metadatas=[{"topic": topic(number), "page": number % 10} for number in range(250)],
    )
    client.create_collection("empty", embedding_function=None)
    chromadb.api.shared_system_client.SharedSystemClient.clear_system_cache()
    return folder


def topic(number: int) -> str:
    return ("bread", "tides", "stars", "winter")[number % 4]


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> ChromaConsolePage:
    """The page before anything is opened."""
    made = ChromaConsolePage(console)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    return made


@pytest.fixture
def opened(qtbot: QtBot, page: ChromaConsolePage, foreign: Path, settle: Settle) -> ChromaConsolePage:
    """The page with “letters” of the foreign folder."""
    page.source_box.setEditText(str(foreign))
    click(qtbot, page, "Open")
    settle()
    assert page.collections.choose(lambda found: found.name == "letters")
    settle()
    return page


def position(page: ChromaConsolePage) -> str:
    return page._position.text()


# --- opening ----------------------------------------------------------------------------------------------


def test_before_anything_is_opened_the_page_says_what_it_is_for(
    qtbot: QtBot, page: ChromaConsolePage, console: Console
) -> None:
    (empty,) = [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert "nothing in it changes and its own program can keep using it" in texts(empty)
    click(qtbot, page, "Open")  # nothing is in the field
    page.browse()
    page.search_text()
    page.search_like()
    page.import_chosen("Letters")
    assert console.engine.tasks == [] and page.current is None


def test_a_folder_is_opened_from_the_keyboard_and_remembered(
    qtbot: QtBot, page: ChromaConsolePage, console: Console, foreign: Path, settle: Settle
) -> None:
    field = page.source_box.lineEdit()
    qtbot.keyClicks(field, str(foreign))
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert len(console.engine.tasks) == 1
    settle()
    assert notices(console) == []
    assert sorted(column(page.collections, "Name")) == ["empty", "letters"]
    again = ChromaConsolePage(console)
    qtbot.addWidget(again)
    assert again.source_box.itemText(0) == str(foreign)
    assert again.source_box.currentText() == ""


def test_a_chosen_folder_is_opened(
    qtbot: QtBot, page: ChromaConsolePage, foreign: Path, answer_box: Say, settle: Settle
) -> None:
    answer_box(str(foreign))
    click(qtbot, page, "Open a folder…")
    settle()
    assert page.source_box.currentText() == str(foreign)
    assert len(rows(page.collections)) == 2


@pytest.mark.parametrize("source", ["nowhere", "http://localhost:1"])
def test_what_is_no_chroma_is_refused(
    qtbot: QtBot, page: ChromaConsolePage, console: Console, tmp_path: Path, settle: Settle, source: str
) -> None:
    page.source_box.setEditText(source if source.startswith("http") else str(tmp_path / source))
    click(qtbot, page, "Open")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert not page.collections.isVisible()
    assert not page.strip.isVisible()


# --- browsing ---------------------------------------------------------------------------------------------


def test_a_collection_is_described(opened: ChromaConsolePage) -> None:
    assert dict(zip(column(opened.collections, "Name"), column(opened.collections, "Records"), strict=True)) == {
        "empty": "0", "letters": "250",
    }  # fmt: skip
    assert "owner: Ann" in opened._collection_line.text()
    assert opened.current is not None and (opened.current.space, opened.current.dimension) == ("cosine", 1024)


def test_records_are_paged(qtbot: QtBot, opened: ChromaConsolePage, settle: Settle) -> None:
    assert position(opened) == "Records 1 to 100 of 250"
    assert not button_of(opened, "Previous").isEnabled()
    click(qtbot, opened, "Next")
    settle()
    click(qtbot, opened, "Next")
    settle()
    assert position(opened) == "Records 201 to 250 of 250"
    assert not button_of(opened, "Next").isEnabled()
    click(qtbot, opened, "Previous")
    settle()
    assert position(opened) == "Records 101 to 200 of 250"


def test_a_record_is_shown_with_its_metadata(opened: ChromaConsolePage) -> None:
    assert opened.records.choose(lambda record: record.id == "id-001")
    assert opened.text.toPlainText() == "Letter 1 is about tides."
    assert "topic\ntides" in texts(opened.facts) and "id-001" in texts(opened.facts)


def test_an_empty_collection_shows_nothing(opened: ChromaConsolePage, settle: Settle) -> None:
    opened.collections.choose(lambda found: found.name == "empty")
    settle()
    assert position(opened) == "Records 0 to 0 of 0"
    assert rows(opened.records) == [] and opened.text.toPlainText() == ""


def test_filters_narrow_the_records(qtbot: QtBot, opened: ChromaConsolePage, settle: Settle) -> None:
    opened.where.setText('topic = "bread" and page > 6')
    click(qtbot, opened, "Filter")
    settle()
    assert {frozenset(record.metadata) for record in opened.records.records_model.records} == {
        frozenset({("topic", "bread"), ("page", "8")})
    }
    assert position(opened).startswith("Records 1 to ") and " of " not in position(opened)
    opened.where.clear()
    qtbot.keyClicks(opened.contains, "Letter 171")
    qtbot.keyClick(opened.contains, Qt.Key.Key_Return)
    settle()
    assert column(opened.records, "Id") == ["id-171"]


def test_a_filter_with_a_mistake_is_refused(
    qtbot: QtBot, opened: ChromaConsolePage, console: Console, settle: Settle
) -> None:
    opened.where.setText("page >")
    qtbot.keyClick(opened.where, Qt.Key.Key_Return)
    settle()
    sentence, kind = notices(console)[-1]
    assert "The filter ends where" in sentence and kind == "bad"
    assert position(opened) == "Records 1 to 100 of 250"  # what was shown stays


# --- searching --------------------------------------------------------------------------------------------


def test_records_are_searched_by_text(
    qtbot: QtBot, notes: Path, opened: ChromaConsolePage, console: Console, settle: Settle
) -> None:
    opened.query.setText("Letter 42 is about stars")
    qtbot.keyClick(opened.query, Qt.Key.Key_Return)
    settle()
    assert notices(console) == []
    assert (
        "stars" in column(opened.records, "Text")[0]
    )  # the index is approximate: not always the very letter
    assert position(opened).startswith("Nearest to “Letter 42 is about stars”: ")


def test_records_like_a_record_are_found(qtbot: QtBot, opened: ChromaConsolePage, settle: Settle) -> None:
    opened.records.choose(lambda record: record.id == "id-001")
    click(qtbot, opened, "Similar to this record")
    settle()
    assert position(opened).startswith("Nearest to the record id-001: ")
    distances = [float(shown) for shown in column(opened.records, "Distance")]
    assert distances == sorted(distances)
    assert all("tides" in shown for shown in column(opened.records, "Text")[:10])
    assert not button_of(opened, "Next").isEnabled() and not button_of(opened, "Previous").isEnabled()
    ((title, search),) = opened.records.actions_for(opened.records.selected_records())
    assert title == "Similar to this record"
    search()
    settle()
    assert position(opened).startswith("Nearest to the record ")


def test_an_empty_search_searches_nothing(qtbot: QtBot, opened: ChromaConsolePage, console: Console) -> None:
    opened.query.setText("  ")
    click(qtbot, opened, "Search")
    assert console.engine.tasks == []
    assert position(opened) == "Records 1 to 100 of 250"


# --- importing and exporting ------------------------------------------------------------------------------


def test_a_collection_is_imported_and_its_versions_are_opened(
    qtbot: QtBot, opened: ChromaConsolePage, console: Console, answer_box: Say, settle: Settle
) -> None:
    answer_box("My letters")
    with qtbot.waitSignal(opened.versions_requested, timeout=10_000) as wanted:
        click(qtbot, opened, "Import as a collection…")
    settle()
    assert wanted.args == ["My letters"]
    (made,) = list_collections(console.database)
    assert (made.name, made.chunk_count) == ("My letters", 250)
    assert notices(console)[-1][0].startswith("Version 1 of “My letters”: 250 chunks")


def test_an_import_without_a_name_is_not_begun(
    qtbot: QtBot, opened: ChromaConsolePage, console: Console, answer_box: Say, settle: Settle
) -> None:
    answer_box("  ")
    click(qtbot, opened, "Import as a collection…")
    settle()
    assert list_collections(console.database) == [] and notices(console) == []


def test_without_documents_there_is_nothing_to_export(
    qtbot: QtBot, page: ChromaConsolePage, console: Console
) -> None:
    click(qtbot, page, "Export a version…")
    assert notices(console) == [("There is no collection with documents to export yet.", "info")]


def test_a_version_is_exported_and_can_be_opened(
    qtbot: QtBot, notes: Path, page: ChromaConsolePage, console: Console, answer_box: Say, tmp_path: Path,
    settle: Settle,
) -> None:  # fmt: skip
    click(qtbot, page, "Export a version…")
    dialog = open_dialog(page, ExportDialog)
    export = button_of(dialog, "Export")
    assert dialog.collection.currentText() == "Notes" and not export.isEnabled()
    answer_box(str(tmp_path / "out"))
    click(qtbot, dialog, "Choose…")
    assert dialog.target.text() == str(tmp_path / "out") and export.isEnabled()
    dialog.name.setText("notes-out")
    press_in_dialog(dialog, "Export")
    settle()
    assert notices(console)[-1] == (f"4 records were written to {tmp_path / 'out'}.", "info")
    page.source_box.setEditText(str(tmp_path / "out"))
    page.open()
    settle()
    assert column(page.collections, "Name") == ["notes-out"]
    assert len(rows(page.records)) == 4


def test_an_export_into_a_folder_that_is_in_use_is_refused(
    qtbot: QtBot, notes: Path, page: ChromaConsolePage, console: Console, settle: Settle
) -> None:
    page.export("Notes", str(notes), "notes")
    settle()
    assert notices(console)[-1][1] == "bad"


def test_dialogs_that_are_left_change_nothing(
    qtbot: QtBot, notes: Path, page: ChromaConsolePage, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_given: Any, **_named: Any) -> str:
        return ""

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", nothing)
    click(qtbot, page, "Open a folder…")
    click(qtbot, page, "Export a version…")
    dialog = open_dialog(page, ExportDialog)
    click(qtbot, dialog, "Choose…")
    assert dialog.target.text() == ""
    press_in_dialog(dialog, "Cancel")
    assert console.engine.tasks == [] and notices(console) == []
