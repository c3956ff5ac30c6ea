"""The tab Documents: documents with their metadata, chunks with their use, excluding, removing and erasing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from driving import ask_once, click, column, notices, open_dialog, press_in_dialog, rows
from fakes import drive
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console, Offer
from app.pages.collections.documents_panel import DocumentsPanel, size_text
from app.pages.collections.page import CollectionsPage
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import DocumentRow, get_collection
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> CollectionsPage:
    made = CollectionsPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    settle()
    return made


@pytest.fixture
def panel(page: CollectionsPage) -> DocumentsPanel:
    return page.documents


def document(panel: DocumentsPanel, name: str) -> DocumentRow:
    """Choose the document with this name, and return it."""
    assert panel.table.choose(lambda found: found.name == name)
    chosen: DocumentRow = panel.table.selected_records()[0]
    return chosen


def actions(panel: DocumentsPanel) -> dict[str, Callable[[], None]]:
    assert panel.table.actions_for is not None
    return dict(panel.table.actions_for(panel.table.selected_records()))


def names(panel: DocumentsPanel) -> list[str]:
    return sorted(column(panel.table, "Name"))


def test_documents_are_listed_with_kind_size_and_counts(panel: DocumentsPanel) -> None:
    assert names(panel) == ["bread.md", "stars.txt", "tides.txt", "winter.txt"]
    document(panel, "tides.txt")
    place = panel.table.currentIndex().row()
    name, kind, size, chunks, tokens, left_out, noted = rows(panel.table)[place]
    assert (name, kind, size, chunks, left_out, noted) == ("tides.txt", "plain", "57 B", "1", "", "")
    assert int(tokens) > 8


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (2**20, "1.0 MB"), (5 * 2**30, "5,120.0 MB")],
)
def test_sizes_are_told_in_the_unit_that_fits(size: int, text: str) -> None:
    assert size_text(size) == text


def test_metadata_are_edited_as_lines(
    panel: DocumentsPanel, console: Console, answer_box: Callable[[object], None], settle: Settle
) -> None:
    document(panel, "bread.md")
    answer_box("author: Ann\n\nstatus : checked: twice\n")
    actions(panel)["Edit metadata…"]()
    settle()
    bread = document(panel, "bread.md")
    assert (
        column(panel.table, "Notes")[panel.table.currentIndex().row()]
        == "author: Ann, status: checked: twice"
    )
    assert notices(console)[-1][0].startswith("Version 3: ")
    panel.edit_metadata(bread, "")
    settle()
    document(panel, "bread.md")
    assert set(column(panel.table, "Notes")) == {""}


def test_a_line_that_is_no_pair_is_refused(
    panel: DocumentsPanel, console: Console, answer_box: Callable[[object], None], settle: Settle
) -> None:
    document(panel, "bread.md")
    answer_box("author: Ann\njust words")
    actions(panel)["Edit metadata…"]()
    settle()
    assert notices(console) == [("“just words” does not read “name: value”, so nothing was changed.", "bad")]
    assert set(column(panel.table, "Notes")) == {""}


def test_the_dialog_for_metadata_shows_what_is_there(
    panel: DocumentsPanel, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    panel.edit_metadata(document(panel, "bread.md"), "author: Ann")
    settle()
    seen = []
    monkeypatch.setattr(
        QInputDialog, "getMultiLineText", lambda *given: (seen.append(given[3]), ("", False))[1]
    )
    document(panel, "bread.md")
    actions(panel)["Edit metadata…"]()
    settle()
    assert seen == ["author: Ann"]
    assert "author: Ann" in column(panel.table, "Notes")


def test_documents_are_removed_and_can_come_back(
    panel: DocumentsPanel, console: Console, settle: Settle
) -> None:
    panel.table.selectAll()
    assert list(actions(panel)) == ["Remove from the collection"]  # the others are for one document
    document(panel, "tides.txt")
    offers: list[Offer] = []
    console.offer.connect(offers.append)
    actions(panel)["Remove from the collection"]()
    settle()
    assert names(panel) == ["bread.md", "stars.txt", "winter.txt"]
    assert (offers[-1].sentence, offers[-1].action) == ("Version 3: Removed “tides.txt”.", "Undo")
    offers[-1].run()
    settle()
    assert names(panel) == ["bread.md", "stars.txt", "tides.txt", "winter.txt"]


def test_a_document_is_erased_only_after_a_yes(
    panel: DocumentsPanel, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    document(panel, "winter.txt")
    actions(panel)["Erase for good…"]()
    box = open_dialog(panel, QMessageBox)
    assert "This cannot be undone." in box.text()
    assert box.defaultButton().text().replace("&", "") == "Cancel"  # Enter must not erase
    press_in_dialog(box, "Cancel")
    settle()
    assert "winter.txt" in names(panel)
    actions(panel)["Erase for good…"]()
    press_in_dialog(open_dialog(panel, QMessageBox), "Erase")
    settle()
    assert names(panel) == ["bread.md", "stars.txt", "tides.txt"]
    sentence, kind = notices(console)[-1]
    assert kind == "info" and "Erased 1 revision" in sentence
    assert open_workspace.database.query("SELECT 1 FROM chunk WHERE text LIKE '%Storms come%'") == []


def test_without_a_collection_nothing_is_done(
    page: CollectionsPage, panel: DocumentsPanel, console: Console, settle: Settle
) -> None:
    bread = document(panel, "bread.md")
    panel.show_collection(None)
    assert rows(panel.table) == []
    panel.remove([bread])
    panel.edit_metadata(bread, "author: Ann")
    panel.erase(bread)
    settle()
    assert notices(console) == []


# --- chunks -----------------------------------------------------------------------------------------------


@pytest.fixture
def long(open_workspace: Workspace, notes: Path, tmp_path: Path) -> None:
    """A document with three chunks."""
    same = "The old pump in the cellar below the garden is opened slowly by two strong people. " * 8
    parts = [f"# Part {number}\n\nValve {number} comes next. {same}" for number in range(1, 4)]
    (tmp_path / "valves.md").write_text("\n\n".join(parts), "utf-8")
    drive(ingest_files(open_workspace, "Notes", [str(tmp_path / "valves.md")]))


def test_a_chunk_is_shown_between_its_neighbours(qtbot: QtBot, long: None, panel: DocumentsPanel) -> None:
    document(panel, "valves.md")
    chunks = panel.chunks
    assert chunks.table.records_model.rowCount() == 3
    assert chunks.current is not None and chunks.current.position == 0
    click(qtbot, chunks, "Next chunk")
    assert chunks.current is not None and chunks.current.position == 1
    assert chunks._heading.text().startswith("Chunk 2 of 3  ·  ")
    assert "Valve 2" in chunks.text.marked_text
    assert "Valve 1" in chunks.text.toPlainText() and "Valve 3" in chunks.text.toPlainText()
    click(qtbot, chunks, "Previous chunk")
    click(qtbot, chunks, "Previous chunk")
    assert chunks.current is not None and chunks.current.position == 0  # there is none before
    qtbot.keyClick(chunks.table, Qt.Key.Key_Down)
    assert chunks.current is not None and chunks.current.position == 1


def test_the_use_of_a_chunk_leads_to_its_traces(
    qtbot: QtBot, page: CollectionsPage, open_workspace: Workspace, console: Console
) -> None:
    trace_id = ask_once(
        open_workspace, "How long does rye bread rest?", "Rye bread needs 14 hours of rest [1]."
    )
    console.data_changed.emit()
    document(page.documents, "tides.txt")
    document(page.documents, "bread.md")
    facts = page.documents.chunks.facts
    assert "Found 1 time, in a prompt 1 time." in facts.toPlainText()
    assert "How long does rye bread rest?" in facts.toPlainText()
    with qtbot.waitSignal(page.trace_requested) as opened:
        facts.anchorClicked.emit(QUrl(trace_id))
    assert opened.args == [trace_id]


def test_similar_chunks_are_found_on_demand(
    qtbot: QtBot, long: None, panel: DocumentsPanel, settle: Settle
) -> None:
    document(panel, "valves.md")
    click(qtbot, panel, "Find similar")
    settle()
    assert "Nearly the same:" in panel.chunks.facts.toPlainText()
    document(panel, "tides.txt")
    click(qtbot, panel, "Find similar")
    settle()
    assert "No other chunk is nearly the same." in panel.chunks.facts.toPlainText()


def test_similar_chunks_of_another_chunk_are_not_shown(
    qtbot: QtBot, long: None, panel: DocumentsPanel, settle: Settle
) -> None:
    document(panel, "valves.md")
    click(qtbot, panel, "Find similar")
    document(panel, "tides.txt")
    settle()
    assert "early the same" not in panel.chunks.facts.toPlainText()


def test_a_chunk_is_excluded_with_a_reason_and_included_again(
    qtbot: QtBot,
    panel: DocumentsPanel,
    console: Console,
    answer_box: Callable[[object], None],
    settle: Settle,
) -> None:
    document(panel, "tides.txt")
    answer_box("outdated <b>")
    click(qtbot, panel, "Exclude…")
    settle()
    assert notices(console)[-1][0].startswith("Version 3: ")
    assert "Excluded from this version: outdated <b>" in panel.chunks.facts.toPlainText()
    assert "1 excluded" in column(panel.table, "Notes")
    click(qtbot, panel, "Include again")
    settle()
    assert notices(console)[-1][0].startswith("Version 4: ")
    assert panel.chunks.exclude_button.text() == "Exclude…"


def test_several_chunks_are_excluded_together(
    long: None, panel: DocumentsPanel, answer_box: Callable[[object], None], settle: Settle
) -> None:
    document(panel, "valves.md")
    panel.chunks.table.selectAll()
    assert panel.chunks.table.actions_for is not None
    ((title, exclude),) = panel.chunks.table.actions_for(panel.chunks.table.selected_records())
    assert title == "Exclude 3 chunks…"
    answer_box("old valves")
    exclude()
    settle()
    assert document(panel, "valves.md").excluded_count == 3


def test_nothing_is_excluded_without_a_choice_or_a_yes(
    panel: DocumentsPanel, console: Console, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("why", False))
    document(panel, "tides.txt")
    panel.chunks._exclude()
    panel.chunks.clear()
    panel.chunks._exclude()
    panel.chunks._find_similar()
    settle()
    assert notices(console) == []
    assert not panel.chunks.exclude_button.isEnabled()


def test_the_same_text_in_two_documents_is_told(
    open_workspace: Workspace, console: Console, panel: DocumentsPanel, tmp_path: Path
) -> None:
    (tmp_path / "copy.txt").write_text(
        "\nThe tide at Bremen rises 3.5 metres. Boats leave at noon.\n", "utf-8"
    )
    drive(ingest_files(open_workspace, "Notes", [str(tmp_path / "copy.txt")]))
    console.data_changed.emit()
    document(panel, "copy.txt")
    assert "The same text is in tides.txt" in panel.chunks.facts.toPlainText()


def test_a_document_says_what_was_left_out_and_a_filter_shows_those_alone(
    panel: DocumentsPanel, page: CollectionsPage, console: Console, workspace: Workspace
) -> None:
    stored = '[["2 footnotes read", 0], ["1 page not read (an image)", 1]]'
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE document SET account = ?, left_out = 1 WHERE name = 'stars.txt'", (stored,)
        )
        session.connection().exec_driver_sql("UPDATE document SET account = '' WHERE name = 'bread.md'")
    page.refresh()
    said = {row[0]: row[5] for row in rows(panel.table)}
    assert said == {"bread.md": "–", "stars.txt": "1", "tides.txt": "", "winter.txt": ""}
    document(panel, "stars.txt")
    assert panel.account.text() == "2 footnotes read\n1 page not read (an image)"
    document(panel, "tides.txt")
    assert panel.account.text() == "Nothing was left out."
    document(panel, "bread.md")
    assert panel.account.text().startswith("This document was added before accounts were kept")
    panel.incomplete_only.click()
    assert names(panel) == ["stars.txt"]
    assert panel.account.text().endswith("1 page not read (an image)")
    stars = panel.table.selected_records()[0]
    panel.open_chunk(document_id_of(panel, workspace, "tides.txt"), 0)
    assert panel.table.selected_records()[0].name == "tides.txt"  # the filter gave way
    assert stars.id != panel.table.selected_records()[0].id


def document_id_of(panel: DocumentsPanel, workspace: Workspace, name: str) -> int:
    found = workspace.database.query("SELECT id FROM document WHERE name = ?", (name,))
    return int(found[0][0])


# --- finding, opening, removing by buttons ----------------------------------------------------------------


def search(panel: DocumentsPanel, words: str) -> None:
    panel.search.setText(words)
    panel.search.searched.emit(words)


def test_documents_are_found_by_name_path_and_metadata(panel: DocumentsPanel, settle: Settle) -> None:
    search(panel, "BREAD")
    assert names(panel) == ["bread.md"]
    search(panel, "zebra")
    assert names(panel) == [] and panel.table._empty.startswith("No document has these words")
    panel.edit_metadata(panel_document(panel, "tides.txt"), "author: Ann")
    settle()
    search(panel, "ann")
    assert names(panel) == ["tides.txt"]
    stars = panel_document(panel, "stars.txt")
    search(panel, "bread")
    panel.open_chunk(stars.id, 0)
    assert panel.search.text() == "" and panel.table.selected_records()[0].name == "stars.txt"


def panel_document(panel: DocumentsPanel, name: str) -> DocumentRow:
    search(panel, "")
    return document(panel, name)


class Desktop(QObject):
    """A desktop that notes what it is told to open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def show_file(self, url: QUrl) -> None:
        self.opened.append(url.toLocalFile())


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    made = Desktop()
    QDesktopServices.setUrlHandler("file", made, "show_file")
    yield made
    QDesktopServices.unsetUrlHandler("file")


def test_the_original_is_opened(
    qtbot: QtBot, panel: DocumentsPanel, desktop: Desktop, notes: Path, console: Console
) -> None:
    document(panel, "bread.md")
    click(qtbot, panel, "Open")
    actions(panel)["Open the original"]()
    assert desktop.opened == [str(notes / "bread.md")] * 2
    assert notices(console) == []


def test_a_file_that_is_gone_is_not_opened(
    qtbot: QtBot, panel: DocumentsPanel, desktop: Desktop, console: Console
) -> None:
    gone = replace(document(panel, "bread.md"), source="/nowhere/bread.md")
    panel.open_original(gone)
    assert desktop.opened == []
    assert notices(console)[-1] == (
        "The file of “bread.md” is not at /nowhere/bread.md any more. Its text is still here.", "bad",
    )  # fmt: skip


def test_a_file_that_would_run_opens_its_folder(
    panel: DocumentsPanel, desktop: Desktop, console: Console, tmp_path: Path
) -> None:
    script = tmp_path / "setup.BAT"
    script.write_text("format c:")
    panel.open_original(replace(document(panel, "bread.md"), source=str(script), name="setup.BAT"))
    assert desktop.opened == [str(tmp_path)]
    assert "might be run instead of shown" in notices(console)[-1][0]


def test_documents_are_removed_by_a_button_and_brought_back(
    qtbot: QtBot, panel: DocumentsPanel, console: Console, settle: Settle
) -> None:
    offers: list[Offer] = []
    console.offer.connect(offers.append)
    document(panel, "bread.md")
    click(qtbot, panel, "Remove")
    settle()
    assert names(panel) == ["stars.txt", "tides.txt", "winter.txt"]
    assert offers[-1].action == "Undo"
    offers[-1].run()
    settle()
    panel.show_collection(get_collection(console.database, "Notes"))
    assert "bread.md" in names(panel)


def test_buttons_without_a_document_say_why_they_wait(panel: DocumentsPanel) -> None:
    panel.table.clearSelection()
    assert not panel.remove_button.isEnabled() and panel.remove_button.toolTip() == "Choose a document first."
    panel.table.selectAll()
    assert panel.remove_button.isEnabled()
    assert not panel.erase_button.isEnabled() and panel.erase_button.toolTip() == "Choose one document only."
