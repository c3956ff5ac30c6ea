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
from rag.governance.retention.rows import RetentionKind, RetentionPart, RetentionReport, setting_of
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


@pytest.mark.parametrize("kind", list(RetentionKind))
def test_each_field_sets_its_own_kind(
    panel: RetentionPanel, settle: Settle, open_workspace: Workspace, kind: RetentionKind
) -> None:
    set_days(panel, kind, 45, settle)
    governance = open_workspace.settings.governance
    assert {one for one in RetentionKind if getattr(governance, setting_of(one))} == {kind}
    assert panel.fields[kind].text() == "45 days"
    assert column(panel.table, "Kind") == [str(kind)]


@pytest.mark.parametrize("kind", [RetentionKind.TRACES, RetentionKind.BACKUPS])
def test_a_limit_that_nothing_is_older_than_removes_nothing(
    panel: RetentionPanel, settle: Settle, kind: RetentionKind
) -> None:
    set_days(panel, kind, 30, settle)
    assert panel.result.text() == "Nothing is older than it may be."
    assert column(panel.table, "Goes now") == ["0"] and column(panel.table, "Oldest") == ["–"]
    assert not panel.run_button.isEnabled()


def test_days_are_given_back_to_keeping_for_good(panel: RetentionPanel, settle: Settle) -> None:
    set_days(panel, RetentionKind.CACHED_ANSWERS, 30, settle)
    set_days(panel, RetentionKind.CACHED_ANSWERS, 0, settle)
    assert panel.fields[RetentionKind.CACHED_ANSWERS].text() == "for good"
    assert panel.result.text() == "Everything is kept for good."
    assert panel.table.records_model.rowCount() == 0 and not panel.run_button.isEnabled()


@pytest.mark.parametrize(("typed", "kept"), [(-5, 0), (0, 0), (36_500, 36_500), (99_999, 36_500)])
def test_a_field_holds_no_more_days_than_the_setting(panel: RetentionPanel, typed: int, kept: int) -> None:
    field = panel.fields[RetentionKind.TRACES]
    field.setValue(typed)
    assert field.value() == kept


@pytest.mark.parametrize(
    ("report", "kind", "said"),
    [
        (RetentionReport(()), "info", "Removed: nothing is older than it may be."),
        (RetentionReport((RetentionPart(RetentionKind.TRACES, 30, 2),)), "info", "Removed: 2 traces."),
        (
            RetentionReport((RetentionPart(RetentionKind.BACKUPS, 30, 1),), ("b.zip could not be deleted.",)),
            "bad",
            "Removed: 1 backup.  b.zip could not be deleted.",
        ),
    ],
)
def test_what_a_run_removed_and_could_not_is_said(
    panel: RetentionPanel, settle: Settle, console: Console, report: RetentionReport, kind: str, said: str
) -> None:
    panel._done(report)
    settle()
    assert notices(console)[-1] == (said, kind)
