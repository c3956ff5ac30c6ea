"""The first steps tick themselves by what was really done, are remembered, and go where each is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import ask_once, click
from fakes import ScriptedModel
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from app.console import Console
from app.help.first_steps import STEPS, FirstSteps
from app.main_window import MainWindow
from rag import operations
from rag.evaluation.sets import save_case
from rag.knowledge.rows import get_collection, list_documents
from rag.sample.rows import FLAGGED_QUESTION, SAMPLE_COLLECTION, SAMPLE_PIPELINES
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def steps(qtbot: QtBot, console: Console) -> FirstSteps:
    """The strip as it is opened on an empty data folder."""
    made = FirstSteps(console)
    qtbot.addWidget(made)
    made.open_steps()
    return made


def remove_a_document(console: Console) -> None:
    version = get_collection(console.database, SAMPLE_COLLECTION).active_version_id
    assert version is not None
    document = list_documents(console.database, version)[-1]
    console.run(operations.remove_documents, None, collection=SAMPLE_COLLECTION, document_ids=[document.id])


def wait_for(qtbot: QtBot, steps: FirstSteps, *keys: str) -> None:
    qtbot.waitUntil(lambda: steps.done == set(keys), timeout=120_000)


def test_each_step_is_ticked_when_it_was_really_done_on_the_sample(
    qtbot: QtBot,
    steps: FirstSteps,
    console: Console,
    open_workspace: Workspace,
    model: ScriptedModel,
    settle: Settle,
) -> None:
    assert steps.done == set()
    assert steps.buttons["add"].property("primary")
    console.run(operations.ingest_sample)
    wait_for(qtbot, steps, "add")
    assert not steps.buttons["add"].property("primary")
    assert steps.buttons["add"].accessibleName() == "Add documents, done"

    model.answer = "The battery lasts 40 years in Hamburg [1]."
    console.run(operations.ask, None, question=FLAGGED_QUESTION, collection=SAMPLE_COLLECTION)
    wait_for(qtbot, steps, "add", "ask")

    console.claim_shown.emit("supported")
    assert steps.done == {"add", "ask"}  # a sentence without a flag is none
    console.claim_shown.emit("unsupported")
    assert steps.done == {"add", "ask", "flag"}

    save_case(open_workspace, "One", {"question": FLAGGED_QUESTION})  # the sample's own set has 44 cases
    console.run(operations.start_runs, None, set_name="One", pipelines=[SAMPLE_PIPELINES[0]])
    settle()
    steps.look()
    assert "compare" not in steps.done  # one run compares nothing
    console.run(operations.start_runs, None, set_name="One", pipelines=[SAMPLE_PIPELINES[1]])
    wait_for(qtbot, steps, "add", "ask", "flag", "compare")

    remove_a_document(console)
    settle()
    steps.look()
    assert "back" not in steps.done
    console.run(operations.undo_version, None, collection=SAMPLE_COLLECTION)
    wait_for(qtbot, steps, *(step.key for step in STEPS))
    assert "You have seen the whole of it." in steps._hint.text()


def test_what_was_done_and_whether_it_is_open_is_remembered(
    qtbot: QtBot, steps: FirstSteps, console: Console
) -> None:
    console.claim_shown.emit("check")
    again = FirstSteps(console)
    qtbot.addWidget(again)
    assert not again.isHidden()
    assert again.done == {"flag"}
    click(qtbot, again, "Close the first steps")
    assert again.isHidden()
    third = FirstSteps(console)
    qtbot.addWidget(third)
    assert third.isHidden()
    third.open_steps()
    assert third.done == {"flag"}


def test_nothing_is_read_or_ticked_while_it_is_closed(
    qtbot: QtBot, steps: FirstSteps, console: Console
) -> None:
    steps.close_steps()
    console.claim_shown.emit("check")
    console.data_changed.emit()
    assert not steps._soon.isActive()
    assert steps.done == set()


def test_the_strip_blocks_nothing_and_its_buttons_go_where_each_step_is_done(
    qtbot: QtBot, window: MainWindow, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    steps = window.help.steps
    assert steps.isHidden()  # not the first start: nobody asked for it
    next(command for command in window.commands if command.title == "First steps").run()
    assert steps.isVisible()
    assert not [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    click(qtbot, steps, "Add documents")  # there is no sample yet: it is prepared
    settle()
    assert window.current_page == "collections"
    assert window.pages.collections.collection_name == SAMPLE_COLLECTION
    click(qtbot, steps, "Ask")
    assert window.current_page == "ask"
    assert window.pages.ask.collection_name == SAMPLE_COLLECTION
    click(qtbot, steps, "See a flag")
    assert window.pages.ask.question.toPlainText() == FLAGGED_QUESTION
    ask_once(open_workspace, FLAGGED_QUESTION, "The battery lasts 40 days in winter [1].", SAMPLE_COLLECTION)
    click(qtbot, steps, "See a flag")
    assert window.current_page == "traces"
    click(qtbot, steps, "Compare")
    assert window.current_page == "evaluation"
    click(qtbot, steps, "Roll back")  # there is one version: a second one is made by removing a document
    assert window.current_page == "collections"
    remove_a_document(console)
    settle()
    click(qtbot, steps, "Roll back")
    assert window.current_page == "versions"
    assert window.pages.versions.collection_name == SAMPLE_COLLECTION


def test_the_first_start_opens_it(qtbot: QtBot, window: MainWindow, console: Console, settle: Settle) -> None:
    assert window.help.steps.isHidden()
    console.engine.ready.emit(0, [])
    settle()
    assert window.help.steps.isVisible()
    wait_for(qtbot, window.help.steps, "add")
    assert str(QSettings().value("first_steps/open")) == "yes"
