"""Measures with their control chart, and the dialog for the reference period."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from driving import click, column, notices, open_dialog, press_in_dialog
from PySide6.QtCore import QDateTime
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.monitors.measure_panel import MeasurePanel
from app.pages.monitors.reference_dialog import ReferenceDialog
from rag.monitoring.alerts import set_reference
from rag.monitoring.rows import COUNTED, MeasureSummary, Scope, find_reference
from rag.workspace import Workspace

Settle = Callable[[], None]
DAY_S = 86_400


@pytest.fixture
def panel(qtbot: QtBot, console: Console) -> MeasurePanel:
    made = MeasurePanel(console)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    return made


def show(panel: MeasurePanel, settle: Settle, collection: str = "") -> dict[str, MeasureSummary]:
    """The measures of the last twenty questions, by key."""
    panel.show_scope(Scope(collection), 20)
    settle()
    return {summary.key: summary for summary in panel.table.records_model.records}


def choose_first_days(workspace: Workspace, collection: str = "", note: str = "") -> None:
    """Make everything but the last twenty questions the reference."""
    now = int(time.time() * 1000)
    set_reference(workspace, collection, now - 12 * DAY_S * 1000, now - int(3.4 * DAY_S * 1000), note)


def test_without_questions_each_measure_is_empty(panel: MeasurePanel, settle: Settle) -> None:
    show(panel, settle)
    assert len(column(panel.table, "Measure")) == len(COUNTED)
    assert set(column(panel.table, "Value")) == {"–"}
    assert set(column(panel.table, "n")) == {"0"}
    assert "No reference period is chosen" in panel.reference.text()
    assert panel.clear_button.isHidden()


def test_values_are_shown_in_their_units_without_limits(
    panel: MeasurePanel, history: Workspace, settle: Settle
) -> None:
    found = show(panel, settle)
    latency = column(panel.table, "Measure").index("Latency")
    assert column(panel.table, "Value")[latency] == "9 s"
    assert column(panel.table, "Control limits")[latency] == "–"
    assert column(panel.table, "Reference")[latency] == "–"
    assert not found["latency"].outside


def test_limits_of_a_reference_mark_what_is_beyond_them(
    panel: MeasurePanel, history: Workspace, settle: Settle
) -> None:
    choose_first_days(history, note="before the move")
    found = show(panel, settle)
    assert found["latency"].outside
    assert not found["refusal_rate"].outside
    assert panel.reference.text().startswith("Reference of all collections: ")
    assert panel.reference.text().endswith("before the move")
    assert not panel.clear_button.isHidden()
    place = column(panel.table, "Measure").index("Latency")
    assert ", n 40" in column(panel.table, "Reference")[place]


def test_the_chart_draws_the_chosen_measure(panel: MeasurePanel, history: Workspace, settle: Settle) -> None:
    choose_first_days(history)
    show(panel, settle)
    assert panel.table.choose(lambda summary: summary.key == "latency")
    assert panel.caption.text() == "Latency (s): 3 windows of 20 questions, 1 of them beyond the limits"
    assert panel.chart.outside_count == 1
    assert panel.table.choose(lambda summary: summary.key == "refusal_rate")
    assert panel.chart.title == "Refusals"
    assert panel.caption.text().startswith("Refusals (%)")


def test_the_chosen_measure_stays_when_it_is_measured_again(
    panel: MeasurePanel, history: Workspace, settle: Settle
) -> None:
    show(panel, settle)
    panel.table.choose(lambda summary: summary.key == "latency")
    show(panel, settle, "Notes")
    assert [summary.key for summary in panel.table.selected_records()] == ["latency"]


def test_a_window_of_the_chart_asks_for_its_questions(
    qtbot: QtBot, panel: MeasurePanel, history: Workspace, settle: Settle
) -> None:
    found = show(panel, settle, "Notes")
    point = found["latency"].points[-1]
    with qtbot.waitSignal(panel.traces_requested) as signal:
        panel.chart.point_clicked.emit(f"{point.start_ms} {point.end_ms}")
    assert signal.args == [(point.start_ms, point.end_ms), "Notes"]


def test_only_the_newest_scope_is_shown(panel: MeasurePanel, history: Workspace, settle: Settle) -> None:
    panel.show_scope(Scope(), 20)
    panel.show_scope(Scope("Elsewhere"), 20)
    settle()
    assert set(column(panel.table, "n")) == {"0"}


def test_a_reference_period_is_removed(
    qtbot: QtBot, panel: MeasurePanel, history: Workspace, settle: Settle
) -> None:
    choose_first_days(history, "Notes")
    show(panel, settle, "Notes")
    assert panel.reference.text().startswith("Reference of Notes: ")
    with qtbot.waitSignal(panel.reference_changed):
        click(qtbot, panel, "Remove the reference period")
    settle()
    assert find_reference(history.database, "Notes") is None


# --- Choosing the reference period ------------------------------------------------------------------------


@pytest.fixture
def dialog(qtbot: QtBot, panel: MeasurePanel, history: Workspace, settle: Settle) -> ReferenceDialog:
    show(panel, settle)
    click(qtbot, panel, "Choose the reference period…")
    return open_dialog(panel, ReferenceDialog)


def test_the_dialog_counts_the_questions_of_the_period(dialog: ReferenceDialog) -> None:
    assert dialog.count.text() == "61 questions in this period."
    now = time.time()
    dialog.set_period(now - 12 * DAY_S, now - 3.4 * DAY_S)
    assert dialog.count.text() == "40 questions in this period."
    dialog.set_period(now - 12 * DAY_S, now - 9 * DAY_S)
    assert dialog.count.text().endswith("limits need at least 20.")


def test_dragging_typing_and_presets_choose_the_same_period(dialog: ReferenceDialog) -> None:
    now = time.time()
    dialog.brush.region.setRegion((now - 5 * DAY_S, now - 2 * DAY_S))
    start, end = dialog.period
    assert abs(end - start - 3 * DAY_S * 1000) < 2000
    dialog.start.setDateTime(QDateTime.fromSecsSinceEpoch(int(now - 4 * DAY_S)))
    assert abs(dialog.brush.region.getRegion()[0] - (now - 4 * DAY_S)) < 61
    dialog.presets.setCurrentIndex(dialog.presets.findText("Last 7 days"))
    start, end = dialog.period
    assert abs(end - start - 7 * DAY_S * 1000) < 2000
    dialog.presets.setCurrentIndex(dialog.presets.findText("Everything so far"))
    assert dialog.count.text() == "61 questions in this period."


def test_a_period_that_ends_before_it_begins_cannot_be_saved(dialog: ReferenceDialog) -> None:
    now = time.time()
    dialog.start.setDateTime(QDateTime.fromSecsSinceEpoch(int(now - DAY_S)))
    dialog.end.setDateTime(QDateTime.fromSecsSinceEpoch(int(now - 2 * DAY_S)))
    assert not dialog.save_button.isEnabled()


def test_the_period_is_saved_with_its_note(
    qtbot: QtBot, panel: MeasurePanel, dialog: ReferenceDialog, history: Workspace, settle: Settle
) -> None:
    dialog.note.setText("after the release")
    with qtbot.waitSignal(panel.reference_changed):
        press_in_dialog(dialog, "Use this period")
    settle()
    found = find_reference(history.database, "")
    assert found is not None
    assert found.note == "after the release"


def test_a_period_of_an_unknown_collection_is_refused_in_the_dialog(
    qtbot: QtBot, console: Console, settle: Settle
) -> None:
    dialog = ReferenceDialog(console, "Elsewhere")
    qtbot.addWidget(dialog)
    dialog.open()
    assert "0 questions" in dialog.count.text()
    dialog.save()
    settle()
    assert "Elsewhere" in dialog.count.text()
    assert dialog.isVisible()
    assert notices(console) == []


def test_cancel_saves_nothing(dialog: ReferenceDialog, history: Workspace) -> None:
    press_in_dialog(dialog, "Cancel")
    assert find_reference(history.database, "") is None
