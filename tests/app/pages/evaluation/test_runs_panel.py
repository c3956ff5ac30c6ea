"""Runs: started, followed, paused, cancelled, resumed, tagged, checked against a gate, deleted and refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import (
    button_of,
    click,
    column,
    notices,
    open_dialog,
    pick_in_menu,
    press_in_dialog,
    texts,
    when_asked,
)
from fakes import ScriptedModel, drive
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.forms.gate_dialog import GateDialog
from app.pages.evaluation.run_dialog import RunDialog
from app.pages.evaluation.runs_panel import RunsPanel
from rag.errors import ModelError
from rag.evaluation.cases import Case
from rag.evaluation.rows import RunProgress, list_runs
from rag.evaluation.runs import start_runs
from rag.evaluation.sets import change_set
from rag.knowledge.ingest import ingest_files
from rag.sample.making import add_sample_evaluation
from rag.sample.rows import SAMPLE_COLLECTION
from rag.workspace import Workspace

Settle = Callable[[], None]


def opened(qtbot: QtBot, console: Console, settle: Settle) -> RunsPanel:
    panel = RunsPanel(console)
    qtbot.addWidget(panel)
    panel.resize(1100, 700)
    panel.show()
    settle()
    return panel


@pytest.fixture
def panel(qtbot: QtBot, console: Console, gold: Workspace, settle: Settle) -> RunsPanel:
    """The panel with a set and pipelines, but no run."""
    return opened(qtbot, console, settle)


@pytest.fixture
def filled(qtbot: QtBot, console: Console, runs: Workspace, settle: Settle) -> RunsPanel:
    """The panel with two runs; the newest is chosen."""
    return opened(qtbot, console, settle)


def start(panel: RunsPanel, **arguments: Any) -> None:
    panel.start(**{"set_name": "Gold", "pipelines": ["Plain"], "parallel": 1, **arguments})


# --- Starting ---------------------------------------------------------------------------------------------


def test_without_a_run_the_buttons_wait(panel: RunsPanel) -> None:
    for name in ("Resume", "Tag…", "Gate…", "Delete…"):
        assert not button_of(panel, name).isEnabled()
    assert "Nothing to compare" in texts(panel.comparison)
    assert panel.sample_button.isHidden()


def test_a_run_needs_a_set_and_a_pipeline(
    qtbot: QtBot, console: Console, settle: Settle, notes: Workspace
) -> None:
    panel = opened(qtbot, console, settle)
    click(qtbot, panel, "New run…")
    assert notices(console) == [
        ("A run needs an evaluation set. Make one in its tab, or prepare the sample.", "info")
    ]


def test_a_run_is_started_from_the_form(
    qtbot: QtBot, panel: RunsPanel, console: Console, settle: Settle
) -> None:
    def fill(dialog: RunDialog) -> None:
        assert dialog.set_box.currentText() == "Gold   (3 cases)"
        for place in range(dialog.pipelines.count()):
            item = dialog.pipelines.item(place)
            wanted = item.data(Qt.ItemDataRole.UserRole) == "Plain"
            item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
        dialog.parallel.setCurrentIndex(1)
        dialog.name.setText("First try")
        press_in_dialog(dialog, "Run")

    when_asked(fill)
    click(qtbot, panel, "New run…")
    settle()
    (run,) = list_runs(console.database)
    assert (run.name, run.status, run.done_count) == ("First try", "done", 3)
    assert [found.id for found in panel.table.selected_records()] == [run.id]
    assert column(panel.table, "Answers") == ["3"]
    assert "pipelines" in str(QSettings().allKeys())


def test_the_form_needs_a_pipeline_and_says_what_the_set_can_detect(
    qtbot: QtBot, panel: RunsPanel, console: Console, settle: Settle
) -> None:
    dialog = RunDialog(console, panel)
    settle()
    assert dialog.power.text().startswith("3 cases are too few to detect")
    assert dialog.run_button.isEnabled()  # the first two pipelines are ticked
    for place in range(dialog.pipelines.count()):
        dialog.pipelines.item(place).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.run_button.isEnabled()
    assert dialog.arguments()["pipelines"] == []


def test_a_cancelled_form_starts_nothing(
    qtbot: QtBot, panel: RunsPanel, console: Console, settle: Settle
) -> None:
    when_asked(lambda dialog: press_in_dialog(dialog, "Cancel"))
    click(qtbot, panel, "New run…")
    settle()
    assert list_runs(console.database) == []


def test_the_sample_is_offered_until_it_has_run(
    qtbot: QtBot, console: Console, settle: Settle, open_workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(open_workspace, SAMPLE_COLLECTION, [documents]))
    add_sample_evaluation(open_workspace)
    panel = opened(qtbot, console, settle)
    assert not panel.sample_button.isHidden()
    panel.evaluate_sample()
    assert panel.is_busy
    qtbot.waitUntil(lambda: list_runs(console.database) != [], timeout=10_000)
    panel.cancel()
    settle()
    assert panel.sample_button.isHidden()


def test_an_unknown_pipeline_is_refused(panel: RunsPanel, console: Console, settle: Settle) -> None:
    start(panel, pipelines=["Elsewhere"])
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert not panel.is_busy
    assert panel.new_button.isEnabled()


# --- Following --------------------------------------------------------------------------------------------


def test_a_run_is_followed_while_it_works(panel: RunsPanel, settle: Settle) -> None:
    start(panel)
    assert panel.is_busy
    assert panel._progress.isVisible()
    assert not panel.new_button.isEnabled()
    settle()
    assert not panel.is_busy
    assert not panel._progress.isVisible()


def test_progress_names_pipeline_question_and_time_left(panel: RunsPanel) -> None:
    event = RunProgress(run_id=1, pipeline="Plain 1", done=3, total=10, question="w" * 90, seconds_left=200.0)
    panel._show_progress(event)
    assert panel._what.text() == "Plain 1"
    assert panel._where.text().startswith("3 of 10   ·   3 min left   ·   www")
    assert panel._where.text().endswith("w…")
    panel._show_progress(RunProgress(1, "Plain 1", 4, 10, 12.0, "Why?"))
    assert "12 s left" in panel._where.text()


def test_a_run_is_paused_resumed_and_cancelled(
    qtbot: QtBot, panel: RunsPanel, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "word " * 200
    start(panel, repeats=20)
    click(qtbot, panel, "Pause")
    assert panel.pause_button.text() == "Resume"
    qtbot.mouseClick(panel.pause_button, Qt.MouseButton.LeftButton)
    assert panel.pause_button.text() == "Pause"
    qtbot.waitUntil(lambda: bool(list_runs(console.database)))  # cancelled earlier, there is no run to keep
    click(qtbot, panel, "Cancel")
    settle()
    (run,) = list_runs(console.database)
    assert run.status == "cancelled"
    assert run.done_count < 60


def test_a_cancelled_run_is_resumed_where_it_ended(
    qtbot: QtBot, console: Console, gold: Workspace, settle: Settle
) -> None:
    work = start_runs(gold, "Gold", ["Plain"], parallel=1)
    for event in work:
        if event.done == 1:
            work.close()
            break
    panel = opened(qtbot, console, settle)
    assert column(panel.table, "Status") == ["cancelled"]
    click(qtbot, panel, "Resume")
    settle()
    (run,) = list_runs(console.database)
    assert (run.status, run.done_count) == ("done", 3)
    assert not panel.resume_button.isEnabled()


def test_answers_that_fail_are_counted_and_the_run_goes_on(
    panel: RunsPanel, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.error = ModelError("The context is too small.")
    start(panel)
    settle()
    (run,) = list_runs(console.database)
    assert run.failed_count >= 1
    assert column(panel.table, "Failed") == [str(run.failed_count)]


# --- Choosing ---------------------------------------------------------------------------------------------


def test_one_run_shows_its_figures_and_two_are_compared(filled: RunsPanel, settle: Settle) -> None:
    assert filled.comparison.sentence.text().startswith("Run 2: ")
    filled.choose([1, 2])
    settle()
    assert filled.comparison.sentence.text().startswith("Run 2 against run 1")
    filled.table.clearSelection()
    assert "Nothing to compare" in texts(filled.comparison)


def test_the_choice_stays_when_the_data_change(filled: RunsPanel, console: Console, settle: Settle) -> None:
    filled.choose([1])
    settle()
    console.data_changed.emit()
    settle()
    assert [run.id for run in filled.table.selected_records()] == [1]


# --- Changing ---------------------------------------------------------------------------------------------


def test_a_run_is_tagged_from_a_menu_and_untagged(
    qtbot: QtBot, filled: RunsPanel, console: Console, settle: Settle
) -> None:
    for tags in (("baseline",), ()):
        filled.choose([2])
        pick_in_menu("baseline")
        click(qtbot, filled, "Tag…")
        settle()
        assert next(run for run in list_runs(console.database) if run.id == 2).tags == tags


def test_a_tag_that_cannot_be_is_refused(filled: RunsPanel, console: Console, settle: Settle) -> None:
    run = filled.table.selected_records()[0]
    filled.set_tag(run, "  ", True)
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]


def test_runs_are_deleted_after_a_yes(
    qtbot: QtBot, filled: RunsPanel, console: Console, settle: Settle
) -> None:
    filled.choose([1, 2])
    for verb, left in (("Cancel", 2), ("Delete", 0)):
        click(qtbot, filled, "Delete…")
        box = open_dialog(filled, QMessageBox)
        assert box.text() == "Delete runs 2, 1 with 6 answers and their traces? This cannot be undone."
        press_in_dialog(box, verb)
        settle()
        assert len(list_runs(console.database)) == left


# --- Gates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("least", "passed"), [(0.0, True), (1.01, False)])
def test_a_run_is_checked_against_a_gate(
    qtbot: QtBot,
    filled: RunsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Callable[[Any], None],
    least: float,
    passed: bool,
) -> None:
    gate = tmp_path / "gate.yaml"
    gate.write_text(f"floors:\n  hit_rate: {least}\n", "utf-8")
    answer_box(str(gate))
    filled.choose([2])
    click(qtbot, filled, "Gate…")
    settle()
    dialog = open_dialog(filled, GateDialog)
    click(qtbot, dialog, "Open…")
    settle()
    press_in_dialog(dialog, "Check the run")
    settle()
    sentence, kind = notices(console)[-1]
    assert sentence.startswith("PASS." if passed else "FAIL.")
    assert kind == ("info" if passed else "bad")
    assert ("passed" if passed else "failed") in column(filled.table, "Gate")


def test_a_gate_asks_before_it_leaves_out_cases_that_changed(
    filled: RunsPanel, runs: Workspace, console: Console, tmp_path: Path, settle: Settle
) -> None:
    change_set(runs, "Gold", put=[Case(key="moon", question="Which moon?", should_refuse=True)])
    drive(start_runs(runs, "Gold", ["Plain"], parallel=1))
    filled.refresh()
    settle()
    gate = tmp_path / "gate.yaml"
    gate.write_text("floors:\n  hit_rate: 0\n", "utf-8")
    filled.choose([2, 3])
    filled.check_gate(gate.read_text("utf-8"))
    settle()
    box = open_dialog(filled, QMessageBox)
    assert "1 case has changed and cannot be compared: moon" in box.text()
    press_in_dialog(box, "Leave them out")
    settle()
    assert notices(console)[-1][0].startswith("PASS.")


def test_a_gate_that_cannot_be_read_is_refused(filled: RunsPanel, console: Console, settle: Settle) -> None:
    filled.check_gate("floors: [1")
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]


def test_a_gate_takes_one_run_or_two(filled: RunsPanel) -> None:
    filled.choose([1, 2])
    assert filled.gate_button.isEnabled()
    filled.table.clearSelection()
    assert not filled.gate_button.isEnabled()


# --- The baseline -----------------------------------------------------------------------------------------


def compared(panel: RunsPanel) -> list[int]:
    assert panel.comparison._found is not None
    return [run.id for run in panel.comparison._found.runs]


def test_the_baseline_is_named_and_can_be_swapped(qtbot: QtBot, filled: RunsPanel, settle: Settle) -> None:
    filled.choose([1, 2])
    settle()
    assert compared(filled) == [1, 2]
    assert filled.comparison.baseline_box.currentText() == "Run 1: Plain 1"
    click(qtbot, filled.comparison, "Swap")
    settle()
    assert compared(filled) == [2, 1]
    assert filled.comparison.baseline_box.currentText() == "Run 2: Plain 1"
    assert "Run 1 against run 2" in filled.comparison.sentence.text()
    filled.comparison.baseline_box.setCurrentIndex(1)
    filled.comparison.baseline_box.activated.emit(1)
    settle()
    assert compared(filled) == [1, 2]


def test_a_run_with_the_tag_baseline_is_the_baseline(filled: RunsPanel, settle: Settle) -> None:
    filled.set_tag(filled.table.records_model.records[0], "baseline", True)  # run 2, the newer
    settle()
    filled.choose([1, 2])
    settle()
    assert compared(filled) == [2, 1]
    assert filled.comparison.baseline_box.currentText() == "Run 2: Plain 1 (baseline)"
