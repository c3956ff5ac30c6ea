"""The tab People: a person is searched for, what was found is listed, opened and exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from data_folders import insert
from driving import click, column, notices, texts
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.audit.subject_panel import SubjectPanel
from rag.workspace import Workspace

Settle = Callable[[], None]
TRACE = "a" * 32


@pytest.fixture
def panel(qtbot: QtBot, console: Console, open_workspace: Workspace) -> SubjectPanel:
    insert(open_workspace, "feedback", trace_id=TRACE, author="a", tags="[]", note="Ms Quill rang up.")
    made = SubjectPanel(console)
    qtbot.addWidget(made)
    made.resize(1000, 500)
    made.show()
    return made


def test_nothing_is_searched_before_a_name_is_given(panel: SubjectPanel) -> None:
    assert "Find everything that mentions a person" in texts(panel)
    assert not panel.search_button.isEnabled()
    assert not panel.export_button.isEnabled()


def test_what_mentions_a_person_is_listed_and_opens_its_trace(
    panel: SubjectPanel, qtbot: QtBot, settle: Settle
) -> None:
    panel.terms.setText(" ms quill ; QX-1;")
    click(qtbot, panel, "Search")
    settle()
    assert column(panel.table, "Text") == ["Ms Quill rang up."]
    assert panel.result.text().startswith("1 text in 1 table mentions it; ")
    opened = QSignalSpy(panel.trace_requested)
    panel.table.record_activated.emit(panel.table.records_model.records[0])
    assert opened.at(0) == [TRACE]


def test_nothing_found_and_a_refusal_are_said(
    panel: SubjectPanel, qtbot: QtBot, settle: Settle, console: Console
) -> None:
    panel.terms.setText("Zebedee")
    click(qtbot, panel, "Search")
    settle()
    assert panel.result.text().startswith("Nothing mentions it; ")
    panel.terms.setText("ab")
    click(qtbot, panel, "Search")
    settle()
    assert panel.result.text() == ""
    assert "would be found everywhere" in notices(console)[-1][0]


def test_what_was_found_is_exported_whole(
    panel: SubjectPanel, qtbot: QtBot, settle: Settle, console: Console, tmp_path: Path,
    answer_box: Callable[[object], None],
) -> None:  # fmt: skip
    panel.terms.setText("Quill")
    click(qtbot, panel, "Search")
    settle()
    answer_box(str(tmp_path / "quill"))
    click(qtbot, panel, "Export…")
    settle()
    content = json.loads((tmp_path / "quill.json").read_text("utf-8"))
    assert [hit["text"] for hit in content["found"]] == ["Ms Quill rang up."]
    assert notices(console)[-1][0].startswith(f"Wrote {tmp_path / 'quill.json'}: 1 text")
