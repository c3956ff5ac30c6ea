"""Versions, chunks, followed folders and Chroma in the real window, clicked as a person would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.chroma import ExportDialog
from app.pages.versions.trial_dialog import TrialDialog
from rag.asking.rows import get_trace
from rag.knowledge.rows import list_collections, look_up_version

pytestmark = pytest.mark.models
SLOW_MS = 300_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for number in range(1, 5):
        parts = [
            f"# Section {number}.{part}\n\n"
            + f"Part {part} of chapter {number} explains how valve {number * part} is opened. " * 6
            for part in range(1, 5)
        ]
        (folder / f"chapter-{number}.md").write_text("\n\n".join(parts), "utf-8")
    (folder / "noise.txt").write_text("%&/(§$ )(=?{]}[ ~#'* ;:_+ §$%&/ ()=? {[]} a" * 3, "utf-8")
    return folder


@pytest.fixture(scope="module")
def window(
    make_real_window: Callable[[Path], MainWindow], tmp_path_factory: pytest.TempPathFactory, files: Path
) -> MainWindow:
    made = make_real_window(tmp_path_factory.mktemp("knowledge") / "data")
    made.checks.pause_folders()  # a test says when folders are looked at
    return made


def idle(window: MainWindow) -> bool:
    return window._console.engine.is_ready and not window._console.engine.tasks


def settle(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: idle(window) and not window.ingests.is_busy, timeout=SLOW_MS)
    qtbot.wait(60)
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)


def press(qtbot: QtBot, page: Any, text: str) -> None:
    found = [b for b in page.findChildren(QPushButton) if b.text() == text and b.isVisible()]
    assert len(found) == 1, f"{len(found)} buttons “{text}”"
    qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)


def number(window: MainWindow) -> int:
    return look_up_version(window._console.database, "Handbook", "active").number


def test_versions_are_listed_with_what_came_and_went(qtbot: QtBot, window: MainWindow, files: Path) -> None:
    qtbot.waitUntil(lambda: bool(list_collections(window._console.database)), timeout=SLOW_MS)
    settle(qtbot, window)
    window.ingests.start_ingest([str(files)], "Handbook")
    settle(qtbot, window)
    path = files / "chapter-3.md"
    path.write_text(path.read_text("utf-8").replace("valve 6 is opened", "valve 6 is closed", 2), "utf-8")
    (files / "chapter-5.md").write_text(
        "# New\n\nThis chapter is about the winter and its storms.\n", "utf-8"
    )
    window.ingests.start_ingest([str(files)], "Handbook")
    settle(qtbot, window)
    window.show_page("collections")
    window.pages.collections.choose("Handbook")
    press(qtbot, window.pages.collections, "Versions")
    assert window.current_page == "versions"
    page = window.pages.versions
    settle(qtbot, window)
    assert page.history.collection_box.currentText() == "Handbook"
    rows = page.history.table.records_model.records
    assert [(v.number, v.active) for v in rows] == [(2, True), (1, False)]
    assert page.history.table.records_model.index(0, 6).data().startswith("+")
    assert page.history.table.records_model.index(0, 9).data() == "yes"


def test_the_diff_shows_documents_chunks_and_words(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.versions
    page.compare(1, 2)
    settle(qtbot, window)
    assert "1 changed, 1 added; 4 the same" in page.changes.line.text()
    kinds = {c.name: c.kind for c in page.changes.table.records_model.records}
    assert kinds == {"chapter-3.md": "changed", "chapter-5.md": "added"}
    view = page.changes.diff_view
    assert view.summary == "Change 1 of 1"
    assert "unchanged chunk" in view.shown_text
    before = len(view.shown_text)
    view._browser.anchorClicked.emit("fold:2" if "2 unchanged" in view.shown_text else "fold:0")
    assert len(view.shown_text) >= before
    page.changes.table.choose(lambda c: c.kind == "added")
    settle(qtbot, window)
    assert "winter and its storms" in view.shown_text
    page.compare(2, 2)
    settle(qtbot, window)
    assert page.changes.table.records_model.rowCount() == 0


def test_a_version_is_activated_verified_undone_tagged_and_verified(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.versions
    page.history.table.choose(lambda v: v.number == 1)
    press(qtbot, page, "Make active")
    settle(qtbot, window)
    assert number(window) == 1
    assert "Verified: fingerprint as expected" in window.toasts.text
    page.history.table.choose(lambda v: v.number == 2)
    press(qtbot, page, "Make active")
    settle(qtbot, window)
    press(qtbot, page, "Undo")
    settle(qtbot, window)
    assert number(window) == 1
    page.history.table.choose(lambda v: v.number == 2)
    page.history.version_actions.activate(page.history.current)
    settle(qtbot, window)
    page.history.version_actions.tag(page.history.table.records_model.records[-1], "baseline")
    settle(qtbot, window)
    assert page.history.table.records_model.records[-1].tags == ("baseline",)
    press(qtbot, page, "Verify")
    settle(qtbot, window)
    assert "vectors checked are the same" in window.toasts.text
    page.history.version_actions.untag("Handbook", "baseline")
    settle(qtbot, window)
    assert page.history.table.records_model.records[-1].tags == ()


def test_a_verification_query_is_added_by_a_dialog(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("How is valve 6 opened?", True))
    press(qtbot, window.pages.versions, "Add a verification query…")
    settle(qtbot, window)
    found = window._console.database.query("SELECT text FROM verificationquery WHERE by_person")
    assert [row[0] for row in found] == ["How is valve 6 opened?"]


def test_other_settings_are_tried_compared_and_discarded(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.versions
    press(qtbot, page, "Try other settings…")
    dialog = page.findChildren(TrialDialog)[-1]
    assert dialog.max_tokens.value() == 200
    dialog.max_tokens.setValue(64)
    dialog.overlap.setValue(0)
    dialog.accept()
    settle(qtbot, window)
    trial = page.history.table.records_model.records[0]
    assert (trial.number, trial.trial, trial.active) == (3, True, False)
    page.compare(2, 3)
    page.tabs.setCurrentIndex(2)
    page.comparison.questions.setPlainText("How is valve 6 opened?\nWhat happens in winter?")
    press(qtbot, page, "Compare")
    settle(qtbot, window)
    assert page.comparison.queries.records_model.rowCount() == 2
    assert "% of the first 10 passages are in both" in page.comparison.line.text()
    assert page.comparison.ranks.records_model.rowCount() > 0
    page.history.table.choose(lambda v: v.number == 3)
    press(qtbot, page, "Delete…")
    box = page.findChildren(QMessageBox)[-1]
    delete = next(b for b in box.buttons() if b.text() == "Delete")
    qtbot.mouseClick(delete, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert [v.number for v in page.history.table.records_model.records] == [2, 1]


def test_a_version_can_be_asked_from_its_page(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.versions
    window.show_page("versions")
    page.history.table.choose(lambda v: v.number == 1)
    press(qtbot, page, "Ask this version")
    assert window.current_page == "ask"
    ask = window.pages.ask
    ask.ask("How is valve 6 of chapter 3 opened?")
    qtbot.waitUntil(lambda: ask._task is None, timeout=SLOW_MS)
    detail = get_trace(window._console.database, ask.conversation.cards[-1].trace_id)
    assert detail.version_number == 1
    assert all(hit.document != "chapter-5.md" for hit in detail.hits)


def test_chunks_are_browsed_with_their_use_and_excluded(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.show_page("collections")
    page = window.pages.collections
    page.choose("Handbook")
    page.tabs.setCurrentIndex(0)
    assert page.documents.table.choose(lambda d: d.name == "chapter-2.md")
    browser = page.documents.chunks
    assert browser.table.records_model.rowCount() == 4
    browser.step(1)
    assert browser.current.position == 1
    assert "# Section 2.2" in browser.text.marked_text
    assert "# Section 2.1" in browser.text.toPlainText()
    assert "in a prompt" in browser.facts.toPlainText()
    press(qtbot, browser, "Find similar")
    settle(qtbot, window)
    assert "early the same" in browser.facts.toPlainText()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("outdated", True))
    press(qtbot, browser, "Exclude…")
    settle(qtbot, window)
    assert number(window) == 4  # 3 was the deleted trial's
    assert "outdated" in browser.facts.toPlainText()
    assert page.documents.table.selected_records()[0].excluded_count == 1
    press(qtbot, browser, "Include again")
    settle(qtbot, window)
    assert number(window) == 5


def test_metadata_are_edited_and_documents_removed(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.collections
    document = next(d for d in page.documents.table.records_model.records if d.name == "chapter-1.md")
    page.documents.edit_metadata(document, "author: Ann\nstatus: checked")
    settle(qtbot, window)
    row = next(
        n for n, d in enumerate(page.documents.table.records_model.records) if d.name == "chapter-1.md"
    )
    assert page.documents.table.records_model.index(row, 6).data() == "author: Ann, status: checked"
    page.documents.edit_metadata(document, "no colon here")
    assert "nothing was changed" in window.toasts.text
    page.documents.remove([document])
    settle(qtbot, window)
    assert "Removed “chapter-1.md”" in window.toasts.text
    assert "chapter-1.md" not in [d.name for d in page.documents.table.records_model.records]


def test_suspicious_chunks_are_found_and_lead_to_their_place(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.collections
    page.tabs.setCurrentIndex(1)
    press(qtbot, page, "Look for suspicious chunks")
    settle(qtbot, window)
    assert [(s.kind, s.document) for s in page.inspection.suspects.records_model.records] == [
        ("garbled", "noise.txt")
    ]
    assert page.inspection.near.records_model.rowCount() > 0
    page.inspection.suspects.record_activated.emit(page.inspection.suspects.records_model.records[0])
    assert page.tabs.currentIndex() == 0
    assert page.documents.table.selected_records()[0].name == "noise.txt"


def test_the_map_shows_every_chunk_and_the_last_questions_hits(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.collections
    page.tabs.setCurrentIndex(2)
    settle(qtbot, window)
    assert page.map.point_count == page.current.chunk_count
    assert "Ringed" in page.map.note
    chunk = next(iter(page.map._points))
    page.map.chunk_clicked.emit(chunk)
    assert page.tabs.currentIndex() == 0
    assert page.documents.chunks.current.id == chunk


def test_a_followed_folder_is_checked_paused_and_forgotten(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    page = window.pages.collections
    page.tabs.setCurrentIndex(3)
    panel = page.watch
    (tmp_path / "followed.md").write_text("# Followed\n\nThis file is followed by the collection.\n", "utf-8")
    panel.follow(str(tmp_path))
    settle(qtbot, window)
    assert panel.table.records_model.rowCount() == 1
    press(qtbot, panel, "Check now")
    settle(qtbot, window)
    assert panel.table.records_model.records[0].outcome.startswith("Version")
    assert "followed.md" in [d.name for d in page.documents.table.records_model.records]
    before = number(window)
    window.checks.check_folders()
    settle(qtbot, window)
    assert number(window) == before
    panel.table.selectRow(0)
    press(qtbot, panel, "Pause")
    settle(qtbot, window)
    assert panel.table.records_model.records[0].enabled in (0, False)
    assert panel.pause_button.text() == "Resume"
    press(qtbot, panel, "Stop following")
    settle(qtbot, window)
    assert panel.table.records_model.rowCount() == 0


def test_a_document_is_erased_for_good(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.collections
    document = next(d for d in page.documents.table.records_model.records if d.name == "chapter-5.md")
    page.documents._confirm_erasure(document)
    box = page.findChildren(QMessageBox)[-1]
    erase = next(b for b in box.buttons() if b.text() == "Erase")
    qtbot.mouseClick(erase, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert "none of its" in window.toasts.text
    folder = window._console.engine.folder
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"about the winter and its storms" not in path.read_bytes(), path
    page._compact()
    settle(qtbot, window)
    assert "that no version needs were removed" in window.toasts.text


def test_chroma_is_exported_opened_searched_and_imported(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    window.show_page("chroma")
    page = window.pages.chroma
    press(qtbot, page, "Export a version…")
    dialog = page.findChildren(ExportDialog)[-1]
    assert not dialog._export.isEnabled()
    dialog.collection.setCurrentText("Handbook")
    dialog.target.setText(str(tmp_path / "chroma"))
    dialog.name.setText("handbook")
    dialog.accept()
    settle(qtbot, window)
    assert "records were written" in window.toasts.text
    page.source_box.setEditText(str(tmp_path / "chroma"))
    press(qtbot, page, "Open")
    settle(qtbot, window)
    assert page.current.name == "handbook"
    assert page.records.records_model.rowCount() == page.current.count
    assert "ef_search" in page._collection_line.text()
    page.where.setText('document = "chapter-2.md"')
    press(qtbot, page, "Filter")
    settle(qtbot, window)
    assert page.records.records_model.rowCount() == 4
    page.query.setText("How is valve 4 opened?")
    press(qtbot, page, "Search")
    settle(qtbot, window)
    assert page.records.records_model.records[0].distance is not None
    press(qtbot, page, "Similar to this record")
    settle(qtbot, window)
    assert "Nearest to the record" in page._position.text()
    page.where.setText("page >")
    press(qtbot, page, "Filter")
    settle(qtbot, window)
    assert "The filter ends where" in window.toasts.text
    page.import_chosen("Taken over")
    settle(qtbot, window)
    assert window.current_page == "versions"
    assert window.pages.versions.history.collection_box.currentText() == "Taken over"
    page.source_box.setEditText(str(tmp_path))
    page.open()
    settle(qtbot, window)
    assert "not a Chroma folder" in window.toasts.text
