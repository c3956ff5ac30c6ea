"""The tab Retention: days are set, what would go is listed, and it goes after a question."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from data_folders import insert
from driving import click, column, notices, open_dialog, press_in_dialog
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.audit.retention_panel import RetentionPanel
from rag.governance.retention.rows import RetentionKind
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def panel(qtbot: QtBot, console: Console, open_workspace: Workspace, settle: Settle) -> RetentionPanel:
    insert(open_workspace, "cachedanswer", question_key="old", trace_id="t", created_ms=1)
    made = RetentionPanel(console)
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    console.settings_changed.connect(made.refresh)
    made.refresh()
    settle()
    return made


def set_days(panel: RetentionPanel, kind: RetentionKind, days: int, settle: Settle) -> None:
    panel.fields[kind].setValue(days)
    panel.fields[kind].editingFinished.emit()
    settle()


def test_everything_is_kept_for_good_at_first(panel: RetentionPanel) -> None:
    assert [field.text() for field in panel.fields.values()] == ["for good"] * 5
    assert panel.result.text() == "Everything is kept for good."
    assert not panel.run_button.isEnabled()


def test_days_are_saved_and_what_would_go_is_listed(
    panel: RetentionPanel, settle: Settle, open_workspace: Workspace
) -> None:
    set_days(panel, RetentionKind.CACHED_ANSWERS, 30, settle)
    assert open_workspace.settings.governance.cached_answers_days == 30
    assert panel.result.text() == "Would go now: 1 cached answer."
    assert column(panel.table, "Goes now") == ["1"]
    assert panel.run_button.isEnabled()
    assert open_workspace.database.cells("SELECT count(*) FROM cachedanswer") == [(1,)]


def test_what_is_listed_goes_after_a_question(
    panel: RetentionPanel, settle: Settle, open_workspace: Workspace, qtbot: QtBot, console: Console
) -> None:
    set_days(panel, RetentionKind.CACHED_ANSWERS, 30, settle)
    click(qtbot, panel, "Remove now…")
    press_in_dialog(open_dialog(panel, QMessageBox), "Cancel")
    settle()
    assert open_workspace.database.cells("SELECT count(*) FROM cachedanswer") == [(1,)]
    click(qtbot, panel, "Remove now…")
    press_in_dialog(open_dialog(panel, QMessageBox), "Remove")
    settle()
    assert open_workspace.database.cells("SELECT count(*) FROM cachedanswer") == [(0,)]
    assert ("Removed: 1 cached answer.", "info") in notices(console)
    assert not panel.run_button.isEnabled()
