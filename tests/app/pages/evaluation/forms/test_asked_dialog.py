"""Questions from Ask: listed, narrowed, chosen, and made into cases, or refused in the dialog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import ask_once, column, copy_trace
from fakes import drive
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.forms.asked_dialog import AskedDialog
from rag.evaluation.rows import list_cases, list_sets
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def asked(notes: Workspace, documents: Path) -> Workspace:
    """Questions to two collections, and one that an evaluation asked."""
    drive(ingest_files(notes, "Other", [documents]))
    ask_once(notes, "What does rye bread need?")
    ask_once(notes, "How bright is Sirius?", collection="Other")
    run = ask_once(notes, "From a run?")
    copy_trace(notes, run, 1, source="evaluation", question="From a run, again?")
    return notes


@pytest.fixture
def dialog(qtbot: QtBot, console: Console, asked: Workspace) -> AskedDialog:
    made = AskedDialog(console)
    qtbot.addWidget(made)
    made.show()
    return made


def test_only_what_people_asked_is_listed_the_newest_first(dialog: AskedDialog) -> None:
    assert column(dialog.table, "Question") == [
        "From a run?", "How bright is Sirius?", "What does rye bread need?",
    ]  # fmt: skip
    assert dialog.set_box.currentText() == "Questions from Ask", "a name is offered"
    assert dialog.status.text().startswith("Choose questions first")


def test_the_list_is_narrowed_to_a_collection(dialog: AskedDialog) -> None:
    dialog.collection_box.setCurrentIndex(dialog.collection_box.findData("Other"))
    assert column(dialog.table, "Question") == ["How bright is Sirius?"]
    assert dialog.chosen == [], "narrowing chooses nothing by itself"
    dialog.collection_box.setCurrentIndex(0)
    assert len(column(dialog.table, "Question")) == 3


def test_the_button_counts_what_is_chosen(dialog: AskedDialog) -> None:
    dialog.table.selectRow(0)
    assert dialog._ok.text() == "Make 1 case" and dialog.status.text() == "1 question is chosen."
    dialog.table.selectAll()
    assert dialog._ok.text() == "Make 3 cases" and dialog._ok.isEnabled()
    dialog.table.clearSelection()
    assert not dialog._ok.isEnabled()


def test_cases_are_made_and_told(qtbot: QtBot, dialog: AskedDialog, console: Console, settle: Settle) -> None:
    dialog.table.selectAll()
    with qtbot.waitSignal(dialog.added, timeout=60_000) as added:
        dialog._ok.click()
    settle()
    assert not dialog.isVisible()
    assert (added.args[0].set_name, added.args[0].added) == ("Questions from Ask", 3)
    assert len(list_cases(console.database, "Questions from Ask")) == 3


def test_a_refusal_is_said_in_the_dialog_which_stays(
    dialog: AskedDialog, console: Console, settle: Settle
) -> None:
    dialog.table.selectAll()
    dialog.set_box.setEditText("x" * 300)
    dialog._ok.click()
    settle()
    assert dialog.isVisible() and dialog._ok.isEnabled()
    assert dialog.status.text() == "An evaluation set needs a name of at most 200 characters."
    assert list_sets(console.database) == []


def test_a_long_first_question_names_its_session_shortly(
    qtbot: QtBot, console: Console, asked: Workspace
) -> None:
    ask_once(asked, "What is it that rye bread needs before it can be baked in a warm oven?")
    dialog = AskedDialog(console)
    qtbot.addWidget(dialog)
    name = dialog.session_box.itemText(1)
    assert name.startswith("What is it that rye bread needs") and name.endswith("… (1 question)")
