"""Roll-outs: started, read, promoted, stopped and refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import button_of, click, column, notices, open_dialog, press_in_dialog
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.review.rollout_panel import RolloutPanel, StartDialog
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.review.rollouts import start_rollout
from rag.review.rows import list_rollouts, production_of
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def short(notes: Workspace) -> Workspace:
    """A pipeline that could be tried."""
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}})
    save_pipeline(notes, "Short", config, "One passage")
    return notes


@pytest.fixture
def panel(qtbot: QtBot, console: Console, short: Workspace, settle: Settle) -> RolloutPanel:
    made = RolloutPanel(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


def choose(dialog: StartDialog, kind: str, staging: str) -> None:
    dialog.kind.setCurrentIndex(dialog.kind.findData(kind))
    dialog.collection.setCurrentIndex(dialog.collection.findText("Notes"))
    titles = [dialog.staging.itemText(number) for number in range(dialog.staging.count())]
    dialog.staging.setCurrentIndex(next(n for n, title in enumerate(titles) if title.startswith(staging)))


@pytest.fixture
def running(panel: RolloutPanel, short: Workspace, settle: Settle) -> RolloutPanel:
    """The panel with a canary that runs, chosen."""
    start_rollout(short, "canary", collection="Notes", staging="Short", share=0.25, note="fewer tokens")
    panel.refresh()
    settle()
    return panel


def test_without_a_rollout_the_panel_offers_to_start_one(qtbot: QtBot, panel: RolloutPanel) -> None:
    assert panel._list.is_empty
    click(qtbot, panel, "Start a roll-out…")
    press_in_dialog(open_dialog(panel, StartDialog), "Cancel")
    assert panel._list.is_empty


def test_a_canary_is_started_and_described(
    qtbot: QtBot, panel: RolloutPanel, console: Console, settle: Settle
) -> None:
    dialog = panel.start()
    choose(dialog, "canary", "Short 1")
    dialog.share.setValue(25)
    dialog.note.setText("fewer tokens")
    with qtbot.waitSignal(console.data_changed):
        press_in_dialog(dialog, "Start")
    settle()
    (found,) = list_rollouts(console.database)
    assert (found.kind, found.share, found.collection) == ("canary", 0.25, "Notes")
    assert column(panel.table, "State") == ["running"]
    assert panel.title.text().startswith("Canary: “Short 1” beside ")
    assert panel.sentence.text().startswith("Running in “Notes”.")
    assert panel.sentence.text().endswith("fewer tokens")
    assert panel.picks.isHidden()


def test_only_a_canary_has_a_share(panel: RolloutPanel) -> None:
    dialog = panel.start()
    dialog.kind.setCurrentIndex(dialog.kind.findData("blind"))
    assert not dialog.share.isEnabled()
    dialog.kind.setCurrentIndex(dialog.kind.findData("canary"))
    assert dialog.share.isEnabled()


def test_a_prompt_version_can_be_tried(panel: RolloutPanel) -> None:
    dialog = panel.start()
    choose(dialog, "canary", "prompt default@1")
    arguments = dialog.arguments()
    assert (arguments["prompt"], arguments["staging"], arguments["staging_number"]) == ("default@1", "", None)
    assert arguments["production"] == ""


def test_a_pipeline_can_be_compared_with_another_one(panel: RolloutPanel) -> None:
    dialog = panel.start()
    choose(dialog, "blind", "Short 1")
    dialog.production.setCurrentIndex(1)
    arguments = dialog.arguments()
    assert (arguments["staging"], arguments["staging_number"]) == ("Short", 1)
    assert (arguments["production"], arguments["production_number"]) == ("Short", 1)


def test_two_equal_pipelines_are_refused(panel: RolloutPanel, console: Console, settle: Settle) -> None:
    dialog = panel.start()
    choose(dialog, "blind", "Short 1")
    dialog.production.setCurrentIndex(1)
    dialog.accept()
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert list_rollouts(console.database) == []


def test_a_blind_comparison_shows_what_was_picked(
    panel: RolloutPanel, short: Workspace, settle: Settle
) -> None:
    start_rollout(short, "blind", collection="Notes", staging="Short")
    panel.refresh()
    settle()
    assert panel.picks.text().startswith("Picked: staging 0, production 0, no difference 0")
    assert not panel.picks.isHidden()
    assert panel.summary.text() != ""


def test_a_rollout_is_stopped_and_production_stays(
    qtbot: QtBot, running: RolloutPanel, console: Console, settle: Settle
) -> None:
    click(qtbot, running, "Stop")
    settle()
    assert column(running.table, "State") == ["stopped"]
    assert production_of(console.database, "Notes") is None
    assert notices(console) == [
        ("The roll-out was stopped. Production answers every question again.", "info")
    ]
    assert not button_of(running, "Stop").isEnabled()
    assert not button_of(running, "Promote…").isEnabled()


def test_a_promotion_says_what_it_changes_and_needs_a_yes(
    qtbot: QtBot, running: RolloutPanel, console: Console, settle: Settle
) -> None:
    click(qtbot, running, "Promote…")
    settle()
    box = open_dialog(running, QMessageBox)
    assert "“Short 1”" in box.text()
    assert box.text().endswith("The roll-out ends.")
    press_in_dialog(box, "Cancel")
    settle()
    assert production_of(console.database, "Notes") is None
    click(qtbot, running, "Promote…")
    settle()
    press_in_dialog(open_dialog(running, QMessageBox), "Promote")
    settle()
    found = production_of(console.database, "Notes")
    assert found is not None
    assert found.name == "Short 1"
    assert column(running.table, "State") == ["promoted"]
    assert notices(console)[-1][1] == "info"


def test_a_second_rollout_in_the_same_collection_is_refused(
    running: RolloutPanel, console: Console, settle: Settle
) -> None:
    dialog = running.start()
    choose(dialog, "canary", "Short 1")
    dialog.accept()
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert len(list_rollouts(console.database)) == 1


def test_an_older_rollout_is_chosen_and_stays_chosen(
    qtbot: QtBot, running: RolloutPanel, short: Workspace, settle: Settle
) -> None:
    running.stop()
    settle()
    start_rollout(short, "blind", collection="Notes", staging="Short")
    running.refresh()
    settle()
    first, second = sorted(found.id for found in running.table.records_model.records)
    running.choose(first)
    settle()
    assert running.title.text().startswith("Canary")
    running.refresh()
    settle()
    assert [found.id for found in running.table.selected_records()] == [first]
    running.choose(second)
    settle()
    assert running.title.text().startswith("Blind")


def test_nothing_is_promoted_or_stopped_without_a_rollout(panel: RolloutPanel, console: Console) -> None:
    panel.promote()
    panel.stop()
    assert console.engine.tasks == []
