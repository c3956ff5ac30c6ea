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
from rag.governance.subjects.rows import SubjectHit
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


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        (" ; ;", []),
        ("Quill", ["Quill"]),
        (" Ms  Quill ", ["Ms  Quill"]),
        ("Quill;QX-1", ["Quill", "QX-1"]),
        ("Quill, QX-1", ["Quill, QX-1"]),  # a comma stands between surname and name
        (";;Quill;", ["Quill"]),
    ],
)
def test_spellings_are_parted_by_semicolons(panel: SubjectPanel, text: str, terms: list[str]) -> None:
    panel.terms.setText(text)
    assert panel._terms() == terms
    assert panel.search_button.isEnabled() == bool(terms)
    assert not panel.export_button.isEnabled()  # nothing was searched yet


def test_an_export_has_what_was_searched_and_not_what_was_typed_since(
    panel: SubjectPanel, qtbot: QtBot, settle: Settle, tmp_path: Path
) -> None:
    panel.terms.setText("Quill")
    click(qtbot, panel, "Search")
    settle()
    panel.terms.setText("Zebedee")
    panel.export(str(tmp_path / "found.json"))
    settle()
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["terms"] == ["Quill"]


def test_the_key_return_searches_and_an_empty_field_does_not(panel: SubjectPanel, settle: Settle) -> None:
    panel.terms.returnPressed.emit()
    settle()
    assert panel.result.text() == ""
    panel.terms.setText("Quill")
    panel.terms.returnPressed.emit()
    settle()
    assert column(panel.table, "Text") == ["Ms Quill rang up."]


@pytest.mark.parametrize(("key", "opens"), [(TRACE, [[TRACE]]), ("7", []), ("Notes", []), ("", [])])
def test_only_a_trace_is_opened(panel: SubjectPanel, key: str, opens: list[list[str]]) -> None:
    opened = QSignalSpy(panel.trace_requested)
    panel.table.record_activated.emit(SubjectHit("t", "c", 1, key, "written", "Quill", "Quill"))
    assert [opened.at(place) for place in range(opened.count())] == opens


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("found.txt", "found.txt says no format."), ("missing/found.csv", "cannot be written")],
)
def test_an_export_that_cannot_be_written_is_a_notice(
    panel: SubjectPanel,
    qtbot: QtBot,
    settle: Settle,
    console: Console,
    tmp_path: Path,
    name: str,
    sentence: str,
) -> None:
    panel.terms.setText("Quill")
    click(qtbot, panel, "Search")
    settle()
    panel.export(str(tmp_path / name))
    settle()
    said, kind = notices(console)[-1]
    assert sentence in said and kind == "bad"
