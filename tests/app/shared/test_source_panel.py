"""The document at a cited passage: as a drawn page, as text, and when it is no longer there."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import drive
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.source_panel import SourcePanel
from rag.finding.rows import Kind, Place
from rag.grounding.rows import ClaimResult, Verdict
from rag.index.rows import Hit
from rag.knowledge.ingest import ingest_files
from rag.storage.data_folder import RESOURCES
from rag.text.file_keys import key_of
from rag.workspace import Workspace


@pytest.fixture
def panel(qtbot: QtBot, console: Console) -> SourcePanel:
    made = SourcePanel(console)
    qtbot.addWidget(made)
    made.resize(500, 600)
    made.show()
    return made


@pytest.fixture
def hit(open_workspace: Workspace, documents: Path) -> Hit:
    """A hit in a text document that is stored."""
    drive(ingest_files(open_workspace, "Bread", [str(documents / "bread.md")]))
    ((identifier, text),) = open_workspace.database.query("SELECT id, text FROM document")
    start = text.index("Rye")
    return Hit(
        7, identifier, "bread.md", str(documents / "bread.md"), "Bread", "heading", None, start, len(text.rstrip()),
        text[start:].rstrip(), 10, marker=1,
    )  # fmt: skip


def pdf_hit(page: int = 2) -> Hit:
    path = next((RESOURCES / "samples").rglob("aurora-3-manual.pdf"))
    return Hit(
        7, 1, "aurora-3-manual.pdf", str(path), f"page {page}", "page", page, 0, 10, "sunlight", 10, marker=2
    )


def test_without_a_source_it_says_how_to_open_one(panel: SourcePanel) -> None:
    assert panel._stack.currentWidget() is panel._empty
    assert not panel._next.isVisible()


def test_a_text_is_opened_at_the_passage(panel: SourcePanel, hit: Hit) -> None:
    panel.show_hit(hit)
    assert panel._stack.currentWidget() is panel.passage_view
    assert panel.passage_view.marked_text == hit.text
    assert panel._title.text() == "bread.md"
    assert panel._place.text() == f"[1]   Bread   ·   characters {hit.start} to {hit.end}"


def test_a_quote_narrows_the_mark(panel: SourcePanel, hit: Hit) -> None:
    panel.show_hit(hit, "12 hours")
    assert panel.passage_view.marked_text == "12 hours"
    panel.show_hit(hit, "not in it")
    assert panel.passage_view.marked_text == hit.text


def test_a_document_that_is_gone_is_replaced_by_the_traces_passage(panel: SourcePanel, hit: Hit) -> None:
    panel.show_hit(dataclasses.replace(hit, document_id=4711))
    assert panel.passage_view.toPlainText() == hit.text
    assert panel.passage_view.marked_text == hit.text
    assert panel._place.text() == (
        "The document is no longer stored; this is the passage as it was in the prompt."
    )


def test_a_page_is_drawn_turned_and_zoomed(
    qtbot: QtBot, panel: SourcePanel, settle: Callable[[], None]
) -> None:
    panel.show_hit(pdf_hit())
    settle()
    assert panel._stack.currentWidget() is panel.page_view
    assert panel._place.text() == "page 2 of 3   ·   passage on page 2"
    assert panel._next.isVisible()
    qtbot.mouseClick(panel._next, Qt.MouseButton.LeftButton)
    settle()
    assert panel._place.text() == "page 3 of 3   ·   passage on page 2"
    assert not panel._next.isEnabled()
    panel.page_view.page_wanted.emit(1)  # there is no page 4
    settle()
    assert panel._place.text().startswith("page 3")
    panel.page_view.page_wanted.emit(-1)
    settle()
    assert panel._place.text().startswith("page 2")
    before = panel.page_view._zoom
    qtbot.mouseClick(panel._zoom[1], Qt.MouseButton.LeftButton)
    assert panel.page_view._zoom > before
    qtbot.mouseClick(panel._zoom[0], Qt.MouseButton.LeftButton)
    assert panel.page_view._zoom == pytest.approx(before)


def test_a_page_is_drawn_whatever_bytes_the_name_of_its_file_has(
    panel: SourcePanel, tmp_path: Path, settle: Callable[[], None]
) -> None:
    found = pdf_hit()
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xe9sum\xe9.pdf"))
    try:
        path.write_bytes(Path(found.path).read_bytes())
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    panel.show_hit(dataclasses.replace(found, path=key_of(path)))
    settle()
    assert panel._stack.currentWidget() is panel.page_view


def test_a_page_that_cannot_be_drawn_is_shown_as_text_with_the_reason(
    panel: SourcePanel, hit: Hit, tmp_path: Path, settle: Callable[[], None]
) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"not a PDF")
    panel.show_hit(dataclasses.replace(hit, path=str(broken), place_kind="page", place_number=1))
    settle()
    assert panel._stack.currentWidget() is panel.passage_view
    assert panel.passage_view.marked_text == hit.text
    assert panel._place.text().startswith("The PDF is damaged or not a PDF")


def test_a_page_that_is_drawn_too_late_is_not_shown(
    panel: SourcePanel, hit: Hit, settle: Callable[[], None]
) -> None:
    panel.show_hit(pdf_hit())
    panel.show_hit(hit)
    settle()
    assert panel._stack.currentWidget() is panel.passage_view
    assert panel._title.text() == "bread.md"


def test_a_claim_opens_its_evidence_and_clear_closes_everything(panel: SourcePanel, hit: Hit) -> None:
    claim = ClaimResult(
        "It rests.", 0, 9, Verdict.SUPPORTED, 0.1, evidence_marker=1, evidence_text="12 hours of rest"
    )
    other = dataclasses.replace(hit, marker=2, document="other.md")
    panel.show_claim(claim, [other, hit], "")
    assert panel.claim_panel.isVisible()
    assert panel._title.text() == "bread.md"
    assert panel.passage_view.marked_text == "12 hours of rest"
    panel.clear()
    assert not panel.claim_panel.isVisible()
    assert panel._stack.currentWidget() is panel._empty
    assert panel._title.text() == "Sources"


def test_a_long_name_or_place_never_widens_the_panel(panel: SourcePanel) -> None:
    before = panel.minimumSizeHint().width()
    panel._title.setText("a" * 400)
    panel._place.setText("/home/" + "long/" * 80 + "paper.pdf is no longer there.")
    assert panel.minimumSizeHint().width() == before
    assert panel._place.toolTip().endswith("is no longer there.")


def test_the_document_of_a_source_is_opened_where_it_belongs(
    panel: SourcePanel, hit: Hit, console: Console, documents: Path
) -> None:
    assert panel._open.isHidden()
    panel.show_hit(hit)
    assert not panel._open.isHidden()
    spy = QSignalSpy(console.place_requested)
    panel._open.click()
    assert spy.at(0)[0] == Place(Kind.DOCUMENT, str(documents / "bread.md"), "Bread", "7")
    panel.show_hit(dataclasses.replace(hit, document_id=99))
    panel._open.click()
    assert spy.count() == 1
    assert console.notices[-1] == ("The document is no longer stored.", "check")  # type: ignore[attr-defined]
    panel.clear()
    assert panel._open.isHidden()
