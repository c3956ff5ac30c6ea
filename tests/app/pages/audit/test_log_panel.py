"""The tab Log: rows are filtered and explained, the chain is checked, heads and exports are written."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from driving import click, column, notices, texts
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.audit.log_panel import LogPanel
from rag.governance.audit.rows import PROVES, AuditFilter
from rag.storage.audit_log import Action, acting, record
from rag.storage.data_folder import DATABASE
from rag.workspace import Workspace

Settle = Callable[[], None]
AnswerBox = Callable[[object], None]


@pytest.fixture
def panel(qtbot: QtBot, console: Console, open_workspace: Workspace) -> LogPanel:
    with open_workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM auditevent")
        record(session, Action.COLLECTION_MADE, "Notes")
        with acting("token reports"):
            record(session, Action.SETTINGS_CHANGED, "settings.toml", "cache.exact", before="a", after="b")
        record(session, Action.GATE_OVERRIDDEN, "answer 3", "needed today")
    made = LogPanel(console)
    qtbot.addWidget(made)
    made.resize(1000, 600)
    made.show()
    made.refresh()
    return made


def tamper(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as raw, raw:
        raw.execute("UPDATE auditevent SET detail = 'never' WHERE id = 3")


def test_rows_are_listed_the_latest_first_and_one_is_explained(panel: LogPanel) -> None:
    assert column(panel.table, "Action") == ["gate overridden", "settings changed", "collection made"]
    assert panel.count.text() == "3 rows"
    assert "Choose a row" in panel.sentence.text()
    panel.table.selectRow(1)
    assert panel.sentence.text().startswith("token reports changed settings.toml on 20")
    assert "is another than before" in panel.sentence.text()
    assert {"Before", "After", "Row before", "Hash"} <= set(texts(panel.facts).split()) | {"Row before"}
    assert PROVES in texts(panel)


def test_fields_choose_rows(panel: LogPanel, qtbot: QtBot) -> None:
    panel.group_box.setCurrentText("Gates and roll-outs")
    assert column(panel.table, "Of") == ["answer 3"]
    panel.group_box.setCurrentIndex(0)
    panel.who_box.setCurrentText("token reports")
    assert column(panel.table, "Of") == ["settings.toml"]
    panel.who_box.setCurrentIndex(0)
    panel.period_box.setCurrentText("Last 24 hours")
    assert panel.table.records_model.rowCount() == 3
    panel.search.setText("NOTES made")
    qtbot.waitUntil(lambda: column(panel.table, "Of") == ["Notes"])
    panel.search.setText("nothing like it")
    qtbot.waitUntil(lambda: column(panel.table, "Of") == [])
    assert panel._view.currentWidget() is panel._view.splitter  # the fields stay reachable


def test_a_whole_log_is_said_to_be_whole(
    panel: LogPanel, qtbot: QtBot, settle: Settle, console: Console
) -> None:
    click(qtbot, panel, "Verify")
    settle()
    assert panel.result.text() == "All 3 rows of the log are as they were written."
    assert panel.result.isVisible()
    assert notices(console) == []


def test_a_broken_row_is_named_and_chosen(
    panel: LogPanel, qtbot: QtBot, settle: Settle, console: Console, folder: Path
) -> None:
    tamper(folder)
    click(qtbot, panel, "Verify")
    settle()
    assert panel.result.text() == "The log was tampered with: row 3 has other words than were written."
    assert notices(console)[-1][1] == "bad"
    assert [row.id for row in panel.table.selected_records()] == [3]


def test_a_head_is_written_and_verified_against(
    panel: LogPanel, qtbot: QtBot, settle: Settle, answer_box: AnswerBox, tmp_path: Path
) -> None:
    answer_box(str(tmp_path / "elsewhere"))
    panel._choose_heads()
    settle()
    (head,) = (tmp_path / "elsewhere").glob("*.json")
    answer_box(str(head))
    panel._choose_head()
    settle()
    assert "continue the head of" in panel.result.text()
    assert "not signed" in panel.result.text()
    head.write_text("{}")
    panel.verify(str(head))
    settle()
    assert panel.result.text() == ""


def test_rows_that_the_fields_choose_are_exported(
    panel: LogPanel, settle: Settle, answer_box: AnswerBox, tmp_path: Path, console: Console
) -> None:
    panel.group_box.setCurrentText("Knowledge")
    answer_box(str(tmp_path / "log.json"))
    panel._choose_export()
    settle()
    content = json.loads((tmp_path / "log.json").read_text("utf-8"))
    assert [row["action"] for row in content["rows"]] == ["collection made"]
    assert "Exported 1 row to" in notices(console)[-1][0]
    answer_box(str(tmp_path / "log"))
    panel._choose_export()
    settle()
    assert (tmp_path / "log.csv").exists()


def test_an_empty_log_says_what_it_will_hold(panel: LogPanel, open_workspace: Workspace) -> None:
    with open_workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM auditevent")
    panel.refresh()
    assert "Nothing has been done yet" in texts(panel)


@pytest.mark.parametrize(
    ("box", "text", "wanted"),
    [
        ("group_box", "Everything", AuditFilter()),
        ("group_box", "Knowledge", AuditFilter(group="Knowledge")),
        ("group_box", "Audit log", AuditFilter(group="Audit log")),
        ("who_box", "Everybody", AuditFilter()),
        ("who_box", "token reports", AuditFilter(who="token reports")),
        ("period_box", "Any time", AuditFilter()),
    ],
)
def test_what_the_fields_say_is_the_filter(panel: LogPanel, box: str, text: str, wanted: AuditFilter) -> None:
    getattr(panel, box).setCurrentText(text)
    assert panel.wanted == wanted


@pytest.mark.parametrize(("text", "days"), [("Last 24 hours", 1), ("Last 7 days", 7), ("Last 30 days", 30)])
def test_a_period_begins_so_many_days_before_now(panel: LogPanel, text: str, days: int) -> None:
    before = time.time()
    panel.period_box.setCurrentText(text)
    since = panel.wanted.since_ms
    assert since is not None
    assert before * 1000 - 1 <= since + days * 86_400_000 <= time.time() * 1000 + 1


def test_words_are_searched_without_the_spaces_around_them(panel: LogPanel) -> None:
    panel.search.setText("  notes \t")
    assert panel.wanted.text == "notes"


@pytest.mark.parametrize(
    ("row", "sentence", "facts"),
    [
        (0, "let answer 3 through although its gate was not passed", {"Row before", "Hash"}),
        (1, "What was there afterwards is another than before", {"Before", "After", "Row before", "Hash"}),
        (2, "made the collection “Notes”", {"Hash"}),  # the first row has none before it
    ],
)
def test_a_chosen_row_is_explained_with_the_fingerprints_that_it_has(
    panel: LogPanel, row: int, sentence: str, facts: set[str]
) -> None:
    panel.table.selectRow(row)
    assert sentence in panel.sentence.text()
    shown = texts(panel.facts)
    assert {name for name in ("Before", "After", "Row before", "Hash") if name in shown} == facts


def test_the_chosen_row_and_person_stay_when_the_log_grows(
    panel: LogPanel, open_workspace: Workspace
) -> None:
    panel.who_box.setCurrentText("token reports")
    panel.table.selectRow(0)
    with open_workspace.store.session() as session, acting("token reports"):
        record(session, Action.BACKUP_MADE, "the data folder")
    panel.refresh()
    assert panel.who_box.currentText() == "token reports" and panel.count.text() == "2 rows"
    assert [one.subject for one in panel.table.selected_records()] == ["settings.toml"]


def test_filters_that_choose_one_row_count_it_alone(panel: LogPanel) -> None:
    panel.group_box.setCurrentText("Knowledge")
    assert panel.count.text() == "1 row"
    panel.group_box.setCurrentText("Guardrails")
    assert panel.count.text() == "0 rows"


def test_nothing_is_written_where_no_file_is_chosen(
    panel: LogPanel, settle: Settle, answer_box: AnswerBox, console: Console, tmp_path: Path
) -> None:
    answer_box("")
    for choose in (panel._choose_export, panel._choose_heads, panel._choose_head):
        choose()
        settle()
    assert notices(console) == [] and panel.result.text() == ""
    assert column(panel.table, "Action")[0] == "gate overridden"


def test_an_export_that_cannot_be_written_is_a_notice(
    panel: LogPanel, settle: Settle, answer_box: AnswerBox, console: Console, tmp_path: Path
) -> None:
    answer_box(str(tmp_path / "log.pdf"))
    panel._choose_export()
    settle()
    assert notices(console)[-1] == (
        "log.pdf says no format. End the name of the file with .csv or .json.",
        "bad",
    )
