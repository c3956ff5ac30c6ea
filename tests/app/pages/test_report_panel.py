"""The tab Last ingest: the files of an import while it runs, when it is stopped, and when it is done."""

from __future__ import annotations

import pytest
from driving import column, rows
from pytestqt.qtbot import QtBot

from app.pages.collections.report_panel import ReportPanel
from app.widgets.theme import Theme
from rag.knowledge.rows import FileOutcome, FileStatus, IngestProgress, IngestReport

BREAD = FileOutcome("/d/bread.md", FileStatus.ADDED, "2 footnotes read", 4)
EMPTY = FileOutcome("/d/empty.txt", FileStatus.FAILED, "The file is empty.")
LINK = FileOutcome("C:\\d\\link.lnk", FileStatus.SKIPPED, "not read")


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> ReportPanel:
    made = ReportPanel(theme)
    qtbot.addWidget(made)
    made.resize(800, 300)
    made.show()
    return made


def event(stage: str, file: str, done: int, total: int) -> IngestProgress:
    return IngestProgress(file, stage, done, total, 0, 0, 0, 1, 0.0, None, None, "Notes")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (event("discovering", "", 0, 0), "Looking for files   ·   0 of 0 files finished"),
        (event("parsing", "/d/a.txt", 0, 3), "Reading a.txt   ·   0 of 3 files finished   ·   2 waiting"),
        (event("embedding", "C:\\d\\a.txt", 2, 3), "Embedding a.txt   ·   2 of 3 files finished"),
        (event("indexing", "", 1, 1), "Indexing   ·   1 of 1 file finished"),
    ],
)
def test_the_line_says_which_file_is_worked_on(panel: ReportPanel, given: IngestProgress, said: str) -> None:
    panel.show_progress(given, [])
    assert panel.line.text() == said


def test_finished_files_come_the_newest_first_with_their_account(qtbot: QtBot, panel: ReportPanel) -> None:
    finished = [BREAD]
    panel.show_progress(event("parsing", "/d/empty.txt", 1, 3), finished)
    finished += [EMPTY, LINK]
    panel.show_progress(event("saving", "", 3, 3), finished)
    qtbot.waitUntil(lambda: len(rows(panel.table)) == 3)
    assert rows(panel.table) == [
        ["link.lnk", "skipped", "", "not read"],
        ["empty.txt", "failed", "", "The file is empty."],
        ["bread.md", "added", "4", "2 footnotes read"],
    ]


def test_the_report_replaces_the_live_list_and_puts_trouble_first(qtbot: QtBot, panel: ReportPanel) -> None:
    panel.show_live([BREAD])
    panel.show_report(IngestReport("Notes", 1, 1, 4, (BREAD, LINK, EMPTY), 2.0))
    assert not panel._soon.isActive(), "the live list does not come back over it"
    assert column(panel.table, "Outcome") == ["failed", "skipped", "added"]
    assert panel.line.text().startswith("Notes: 1 added, 1 skipped, 1 failed in 2.0 s; version 1")


def test_a_stopped_import_counts_what_was_finished(qtbot: QtBot, panel: ReportPanel) -> None:
    panel.show_stopped([BREAD, EMPTY])
    assert panel.line.text() == (
        "Stopped: 2 files were finished before. Adding the same files again goes on from there."
    )
    qtbot.waitUntil(lambda: len(rows(panel.table)) == 2)


def test_no_report_is_an_empty_table(qtbot: QtBot, panel: ReportPanel) -> None:
    panel.show_live([BREAD])
    panel.show_report(None)
    assert rows(panel.table) == [] and panel.line.text() == "" and not panel._soon.isActive()
