"""Alert rules: which fire, how they are added, changed, acknowledged and removed, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import button_of, click, column, notices, open_dialog, press_in_dialog
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.monitors.alert_panel import AlertPanel, RuleDialog
from app.pages.monitors.page import MonitorsPage
from rag.monitoring.alerts import add_rule, check_quickly
from rag.monitoring.rows import MEASURES, AlertRow, list_alerts
from rag.workspace import Workspace

Settle = Callable[[], None]
SLOW = {"name": "Too slow", "measure": "latency", "threshold": 5000.0, "window": 20, "minimum": 10}


@pytest.fixture
def panel(qtbot: QtBot, console: Console, settle: Settle) -> AlertPanel:
    page = MonitorsPage(console)
    qtbot.addWidget(page)
    settle()
    page.alerts.refresh()
    return page.alerts


@pytest.fixture
def firing(panel: AlertPanel, history: Workspace) -> AlertRow:
    """A rule that fires, chosen."""
    rule = add_rule(history, SLOW)
    panel.refresh()
    assert panel.table.choose(lambda found: found.name == "Too slow")
    return rule


def by_name(console: Console, name: str) -> AlertRow:
    return next(rule for rule in list_alerts(console.database) if rule.name == name)


def remove_all(qtbot: QtBot, panel: AlertPanel, settle: Settle) -> None:
    while panel.table.records_model.rowCount():
        panel.table.selectRow(0)
        click(qtbot, panel, "Remove")
        press_in_dialog(open_dialog(panel, QMessageBox), "Remove")
        settle()


# --- The list ---------------------------------------------------------------------------------------------


def test_a_new_data_folder_has_rules_that_lack_data(panel: AlertPanel) -> None:
    assert set(column(panel.table, "State")) <= {"not enough data", "off"}
    count = panel.table.records_model.rowCount()
    assert panel.count.text() == f"0 of {count} rules firing"
    for name in ("Edit…", "Acknowledge…", "Remove"):
        assert not button_of(panel, name).isEnabled()


def test_the_count_is_empty_without_rules(qtbot: QtBot, panel: AlertPanel, settle: Settle) -> None:
    remove_all(qtbot, panel, settle)
    assert panel.count.text() == ""
    assert not panel.edit_button.isEnabled()


def test_a_firing_rule_comes_first_and_can_be_acknowledged(panel: AlertPanel, firing: AlertRow) -> None:
    assert column(panel.table, "State")[0] == "firing"
    assert column(panel.table, "Rule")[0] == "Too slow"
    assert column(panel.table, "Measure")[0] == "Latency"
    assert column(panel.table, "Fires when")[0] == "above 5 s, last 20"
    assert column(panel.table, "Since")[0] != "–"
    assert panel.count.text().startswith("1 of ")
    assert panel.acknowledge_button.isEnabled()


def test_the_note_of_the_chosen_rule_is_shown(panel: AlertPanel, history: Workspace) -> None:
    add_rule(history, {**SLOW, "note": "Look at the disk first."})
    panel.refresh()
    panel.table.choose(lambda rule: rule.name == "Too slow")
    assert panel.note.text() == "Look at the disk first."


def test_checking_evaluates_every_rule(
    qtbot: QtBot, panel: AlertPanel, console: Console, firing: AlertRow, settle: Settle
) -> None:
    before = by_name(console, "Too slow").checked_ms
    with qtbot.waitSignal(panel.changed):
        click(qtbot, panel, "Check now")
    settle()
    assert by_name(console, "Too slow").checked_ms >= before
    assert panel.chosen is not None
    assert panel.chosen.name == "Too slow"  # the choice stays


# --- Acknowledging ----------------------------------------------------------------------------------------


def test_a_rule_is_acknowledged_with_a_note(
    qtbot: QtBot,
    panel: AlertPanel,
    firing: AlertRow,
    settle: Settle,
    answer_box: Callable[[object], None],
) -> None:
    answer_box("another process was busy")
    click(qtbot, panel, "Acknowledge…")
    settle()
    assert panel.chosen is not None
    assert panel.chosen.state == "acknowledged"
    assert column(panel.table, "Status")[0].endswith("“another process was busy”")
    assert panel.count.text().startswith("0 of ")


def test_an_empty_note_is_refused_and_a_cancelled_one_changes_nothing(
    qtbot: QtBot,
    panel: AlertPanel,
    console: Console,
    firing: AlertRow,
    settle: Settle,
    answer_box: Callable[[object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_box("  ")
    click(qtbot, panel, "Acknowledge…")
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("busy", False))
    click(qtbot, panel, "Acknowledge…")
    assert console.engine.tasks == []
    assert by_name(console, "Too slow").state == "firing"


# --- Removing ---------------------------------------------------------------------------------------------


def test_a_rule_is_removed_after_a_yes(
    qtbot: QtBot, panel: AlertPanel, console: Console, firing: AlertRow, settle: Settle
) -> None:
    click(qtbot, panel, "Remove")
    box = open_dialog(panel, QMessageBox)
    assert box.text() == "Remove the rule “Too slow”?"
    press_in_dialog(box, "Cancel")
    settle()
    assert by_name(console, "Too slow")
    click(qtbot, panel, "Remove")
    press_in_dialog(open_dialog(panel, QMessageBox), "Remove")
    settle()
    assert "Too slow" not in [rule.name for rule in list_alerts(console.database)]
    assert panel.chosen is None
    assert not panel.remove_button.isEnabled()


def test_a_rule_that_is_gone_cannot_be_changed(
    panel: AlertPanel, console: Console, firing: AlertRow, settle: Settle
) -> None:
    panel.remove()
    press_in_dialog(open_dialog(panel, QMessageBox), "Remove")
    settle()
    panel.take_note(firing, "too late")
    settle()
    assert notices(console)[-1][1] == "bad"


# --- The form ---------------------------------------------------------------------------------------------


def choose(dialog: RuleDialog, measure: str) -> None:
    dialog.measure.setCurrentIndex(dialog.measure.findData(measure))


def test_a_rule_without_a_name_is_refused_in_the_dialog_and_then_saved(
    qtbot: QtBot, panel: AlertPanel, console: Console, history: Workspace, settle: Settle
) -> None:
    click(qtbot, panel, "Add…")
    dialog = open_dialog(panel, RuleDialog)
    press_in_dialog(dialog, "Save")
    settle()
    assert dialog.isVisible()
    assert "needs a name" in dialog.problem.text()
    dialog.name.setText("Slow answers of Notes")
    choose(dialog, "latency")
    dialog.by_limit.setChecked(False)
    dialog.threshold.setValue(60)
    dialog.collection.setCurrentIndex(dialog.collection.findData("Notes"))
    dialog.note.setPlainText(" Restart the machine. ")
    with qtbot.waitSignal(panel.changed):
        press_in_dialog(dialog, "Save")
    rule = by_name(console, "Slow answers of Notes")
    assert (rule.threshold, rule.comparison, rule.collection) == (60_000, "above", "Notes")
    assert (rule.window, rule.minimum, rule.enabled, rule.note) == (50, 20, True, "Restart the machine.")


def test_the_threshold_is_in_the_unit_of_the_measure(panel: AlertPanel) -> None:
    dialog = panel.add()
    for key, suffix, stored in (
        ("latency", " s", 3000.0),
        ("flag_rate", " %", 0.03),
        ("best_score", "", 3.0),
    ):
        choose(dialog, key)
        dialog.by_limit.setChecked(False)
        dialog.threshold.setValue(3)
        assert dialog.threshold.suffix() == suffix
        assert dialog.values["threshold"] == pytest.approx(stored)
    dialog.by_limit.setChecked(True)
    assert dialog.values["threshold"] is None
    assert not dialog.threshold.isEnabled()


def test_each_measure_begins_with_the_comparison_that_means_worse(panel: AlertPanel) -> None:
    dialog = panel.add()
    for key, measure in MEASURES.items():
        choose(dialog, key)
        assert dialog.comparison.currentData() == measure.worse


def test_a_drift_rule_has_a_p_value_and_no_control_limit(panel: AlertPanel) -> None:
    dialog = panel.add()
    choose(dialog, "question_drift")
    assert not dialog.by_limit.isEnabled()
    assert not dialog.comparison.isEnabled()
    assert (dialog.values["comparison"], dialog.values["threshold"]) == ("below", 0.01)


def test_a_rule_is_edited_by_double_click_or_enter_and_judged_anew(
    qtbot: QtBot, panel: AlertPanel, console: Console, firing: AlertRow, settle: Settle
) -> None:
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    dialog = open_dialog(panel, RuleDialog)
    assert dialog.windowTitle() == "Edit a rule"
    assert (dialog.name.text(), dialog.threshold.value(), dialog.window_box.value()) == ("Too slow", 5.0, 20)
    dialog.threshold.setValue(100)
    press_in_dialog(dialog, "Save")
    settle()
    assert by_name(console, "Too slow").state == "ok"


def test_a_name_that_another_rule_has_is_refused_in_the_dialog(
    qtbot: QtBot, panel: AlertPanel, console: Console, firing: AlertRow, settle: Settle
) -> None:
    other = next(rule for rule in list_alerts(console.database) if rule.name != "Too slow")
    click(qtbot, panel, "Edit…")
    dialog = open_dialog(panel, RuleDialog)
    dialog.name.setText(other.name)
    dialog.save()
    settle()
    assert other.name in dialog.problem.text()
    assert dialog.isVisible()
    press_in_dialog(dialog, "Cancel")
    assert by_name(console, "Too slow") == firing


def test_a_rule_that_is_switched_off_is_listed_as_off(
    panel: AlertPanel, console: Console, firing: AlertRow, history: Workspace, settle: Settle
) -> None:
    panel.edit()
    dialog = open_dialog(panel, RuleDialog)
    dialog.enabled.setChecked(False)
    dialog.save()
    settle()
    check_quickly(history)
    panel.refresh()
    place = column(panel.table, "Rule").index("Too slow")
    assert column(panel.table, "State")[place] == "off"
    panel.table.choose(lambda rule: rule.name == "Too slow")
    assert not panel.acknowledge_button.isEnabled()


def test_a_scope_that_nothing_matches_any_more_stays_in_the_form(
    panel: AlertPanel, history: Workspace
) -> None:
    add_rule(history, {**SLOW, "model": "a model that was removed"})
    panel.refresh()
    panel.table.choose(lambda rule: rule.name == "Too slow")
    panel.edit()
    assert open_dialog(panel, RuleDialog).values["model"] == "a model that was removed"
