"""The page Audit: its tabs, what it reads when it is shown, and where its signals lead."""

from __future__ import annotations

from collections.abc import Callable

from driving import column
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.audit.page import AuditPage
from rag.storage.audit_log import Action, record
from rag.workspace import Workspace


def test_the_page_shows_what_was_logged_since_it_was_last_seen(
    qtbot: QtBot, console: Console, open_workspace: Workspace, settle: Callable[[], None]
) -> None:
    page = AuditPage(console)
    qtbot.addWidget(page)
    assert [page.tabs.tabText(n) for n in range(page.tabs.count())] == ["Log", "Retention", "People"]
    page.show()
    settle()
    with open_workspace.store.session() as session:
        record(session, Action.COLLECTION_MADE, "Kitchen")
    console.data_changed.emit()
    assert column(page.log.table, "Of")[0] == "Kitchen"
    settle()
    assert page.retention.result.text() == "Everything is kept for good."
    page.hide()
    with open_workspace.store.session() as session:
        record(session, Action.COLLECTION_MADE, "Cellar")
    console.data_changed.emit()
    assert column(page.log.table, "Of")[0] == "Kitchen"
    page.show()
    assert column(page.log.table, "Of")[0] == "Cellar"
    opened = QSignalSpy(page.trace_requested)
    page.subjects.trace_requested.emit("t")
    assert opened.at(0) == ["t"]
    settle()
