"""The Monitors page in the real window, on real traces: reference, limits, alerts, drift, regression questions."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import drive
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from sqlmodel import select

from app.main_window import MainWindow
from app.widgets.charts import ControlChart, Series
from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.sample.making import ingest_sample
from rag.sample.rows import SAMPLE_COLLECTION
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

pytestmark = pytest.mark.models
SLOW_MS = 300_000
DAY = 86_400_000
QUESTION = "How long does a fully charged battery last without sunlight?"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One real ask, and 250 copies of its trace over ten days: the last fifty were slow, flagged and cut off."""
    folder = tmp_path_factory.mktemp("monitors") / "data"
    folder.mkdir()
    with Workspace(folder, "a test") as workspace:
        drive(ingest_sample(workspace))
        drive(answer_question(workspace, Question(QUESTION, SAMPLE_COLLECTION)))
        now = int(time.time() * 1000)
        with workspace.store.session() as session:
            real = session.exec(select(Trace)).one()
            asked = real.model_dump()
            real.total_ms = 9500.0  # it is the newest: slow as those before it, however fast this machine is
            session.add(real)
            for number in range(250):
                late = number >= 200
                asked.update(
                    id=secrets.token_hex(16),
                    created_ms=now - 10 * DAY + number * DAY // 26,
                    total_ms=(9000.0 if late else 2000.0) + 7 * (number % 50),
                    flag_count=int(late or number % 20 == 0),
                    silent_failures='["cut off"]' if late and number % 5 == 0 else "[]",
                    question=f"Which invoice is number {number}?" if late else asked["question"],
                )
                session.add(Trace(**asked))
    return folder


@pytest.fixture(scope="module")
def window(make_real_window: Callable[[Path], MainWindow], data: Path) -> MainWindow:
    made = make_real_window(data)
    made.checks.pause_folders()
    return made


def settle(qtbot: QtBot, window: MainWindow) -> None:
    def idle() -> bool:
        return window._console.engine.is_ready and not window._console.engine.tasks

    qtbot.waitUntil(idle, timeout=SLOW_MS)
    qtbot.wait(400)  # pages gather changes before they read
    qtbot.waitUntil(idle, timeout=SLOW_MS)


def click(qtbot: QtBot, widget: object) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_nothing_is_shown_on_overview_while_no_alert_fires(qtbot: QtBot, window: MainWindow) -> None:
    settle(qtbot, window)
    window.show_page("overview")
    settle(qtbot, window)
    assert not window.pages.overview.alert_strip.isVisible()


def test_a_reference_period_is_chosen_and_its_limits_are_drawn(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("monitors")
    settle(qtbot, window)
    page = window.pages.monitors
    panel = page.measures
    records = {s.key: s for s in panel.table.records_model.records}
    assert len(records) == 16
    assert "no limits" in panel.reference.text()
    assert records["latency"].sentence == "no reference period is chosen"
    dialog = panel.choose_reference()
    now = time.time()
    dialog.set_period(now - 11 * 86_400, now - 2.33 * 86_400)  # the last fifty came after it
    assert dialog.count.text() == "200 questions in this period."
    click(qtbot, dialog.save_button)
    qtbot.waitUntil(lambda: "Reference of all collections" in panel.reference.text(), timeout=SLOW_MS)
    settle(qtbot, window)
    records = {s.key: s for s in panel.table.records_model.records}
    assert records["latency"].outside
    assert records["latency"].low is not None
    assert not records["refusal_rate"].outside
    panel.table.choose(lambda s: s.key == "latency")
    assert "1 of them beyond the limits" in panel.caption.text()
    assert panel.chart.outside_count == 1
    assert [series.name for series in panel.chart._series] == ["Latency", "upper limit", "lower limit"]
    assert panel.chart._series[0].y[-1] > 9
    page.window_box.setCurrentIndex(page.window_box.findData(20))
    settle(qtbot, window)
    assert {s.key: s for s in panel.table.records_model.records}["latency"].count == 20
    assert "20 questions" in panel.caption.text()
    page.window_box.setCurrentIndex(page.window_box.findData(50))
    settle(qtbot, window)
    panel.table.choose(lambda s: s.key == "latency")
    panel.chart.point_clicked.emit(panel.chart._series[0].ids[-1])
    assert window.current_page == "traces"
    asks = window.pages.traces.table.records_model.records
    assert len(asks) == 50
    assert all(ask.total_ms > 9000 for ask in asks)
    window.pages.traces.show_only()
    assert window.pages.traces.time_box.currentIndex() == 0


def test_rules_fire_on_overview_and_are_acknowledged(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("overview")
    settle(qtbot, window)
    strip = window.pages.overview.alert_strip
    assert strip.isVisible()
    assert "Slower answers: 9.2 s, above" in strip.text.text() or "more" in strip.text.text()
    before = int(strip.pill.text.split()[0])
    assert before >= 3
    strip.opened.emit()
    assert window.current_page == "monitors"
    page = window.pages.monitors
    settle(qtbot, window)
    assert page.tabs.currentWidget() is page.alerts
    alerts = page.alerts
    rows = alerts.table.records_model.records
    assert [r.state for r in rows][:before] == ["firing"] * before
    assert alerts.table.choose(lambda r: r.name == "Slower answers")
    assert alerts.acknowledge_button.isEnabled()
    alerts.take_note(alerts.chosen, "another process was busy")
    qtbot.waitUntil(
        lambda: alerts.chosen is not None and alerts.chosen.state == "acknowledged", timeout=SLOW_MS
    )
    settle(qtbot, window)
    window.show_page("overview")
    settle(qtbot, window)
    assert strip.pill.text.startswith(str(before - 1))
    assert "Slower" not in strip.text.text()


def test_rules_are_added_changed_refused_and_removed(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("monitors")
    page = window.pages.monitors
    page.show_alerts()
    alerts = page.alerts
    dialog = alerts.add()
    click(qtbot, dialog.save_button)
    qtbot.waitUntil(lambda: "needs a name" in dialog.problem.text(), timeout=SLOW_MS)
    dialog.name.setText("Long answers")
    dialog.measure.setCurrentIndex(dialog.measure.findData("latency"))
    dialog.by_limit.setChecked(False)
    dialog.threshold.setValue(60)
    assert dialog.threshold.suffix() == " s"
    assert dialog.values["threshold"] == 60_000
    click(qtbot, dialog.save_button)
    qtbot.waitUntil(lambda: alerts.table.choose(lambda r: r.name == "Long answers"), timeout=SLOW_MS)
    settle(qtbot, window)
    assert alerts.table.choose(lambda r: r.name == "Long answers")
    assert (alerts.chosen.state, alerts.chosen.threshold) == ("ok", 60_000)
    edited = alerts._open(alerts.chosen)
    assert edited.threshold.value() == 60
    edited.measure.setCurrentIndex(edited.measure.findData("score_drift"))
    assert (edited.by_limit.isEnabled(), edited.values["comparison"], edited.values["threshold"]) == (
        False, "below", 0.01,
    )  # fmt: skip
    edited.measure.setCurrentIndex(edited.measure.findData("latency"))
    edited.by_limit.setChecked(False)
    edited.threshold.setValue(1)
    click(qtbot, edited.save_button)
    qtbot.waitUntil(
        lambda: any(
            r.name == "Long answers" and r.state == "firing" for r in alerts.table.records_model.records
        ),
        timeout=SLOW_MS,
    )
    click(qtbot, alerts.check_button)
    settle(qtbot, window)
    drifted = {r.name: r.state for r in alerts.table.records_model.records}["Other questions than before"]
    assert drifted == "firing"


def test_drift_shows_the_questions_that_are_new(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.monitors
    page.tabs.setCurrentWidget(page.drift)
    settle(qtbot, window)
    click(qtbot, page.drift.test_button)
    qtbot.waitUntil(lambda: page.drift.verdicts["questions"][0].text() == "Drift", timeout=SLOW_MS)
    settle(qtbot, window)
    first = page.drift.questions.records_model.record_at(0)
    assert "invoice" in first.question
    page.drift.questions.record_activated.emit(first)
    assert window.current_page == "traces"
    assert window.pages.traces.view.question.text() == first.question


def test_traces_name_their_silent_failures(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.traces
    window.pages.open_silent()
    records = page.table.records_model.records
    assert len(records) == 10
    assert all(row.silent_failures == ("cut off",) for row in records)
    page.table.selectRow(0)
    assert page.view.silent.text() == "Cut off: the answer ends at the token limit"
    assert page.view.silent.isVisible()
    page.silent_box.setCurrentIndex(page.silent_box.findData("empty answer"))
    assert page.table.records_model.rowCount() == 0
    page.show_only()
    page.table.choose(lambda row: not row.silent_failures)
    assert not page.view.silent.isVisible()


def test_a_trace_becomes_a_regression_question_run_again_and_stale_after_a_change(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.show_page("traces")
    traces = window.pages.traces
    real = max(
        list_traces(window._console.database, TraceFilter(text="battery"), 500), key=lambda t: t.created_ms
    )
    traces.open_trace(real.id)
    click(qtbot, traces.view.regression_button)
    qtbot.waitUntil(lambda: "has 1 regression question now" in window.toasts.text, timeout=SLOW_MS)
    assert not traces.view.regression_button.isEnabled()
    window.show_page("monitors")
    page = window.pages.monitors
    page.tabs.setCurrentWidget(page.regression)
    settle(qtbot, window)
    panel = page.regression
    assert [s.row.question for s in panel.table.records_model.records] == [QUESTION]
    assert "21 days" in panel.before.text()
    click(qtbot, panel.run_button)
    assert page.strip.isVisible()
    qtbot.waitUntil(lambda: panel.table.records_model.record_at(0).row.change == "", timeout=SLOW_MS)
    settle(qtbot, window)
    assert panel.sentence.text() == "All 1 the same in the last run."
    assert not panel.accept_button.isEnabled()
    window._console.change_settings("retrieval", "max_passages", 2)
    qtbot.waitUntil(lambda: "The settings changed since" in panel.sentence.text(), timeout=SLOW_MS)
    assert panel.run_button.isEnabled()
    assert panel.sentence.property("role") == "warning"


def test_regression_questions_run_by_themselves_after_a_change_when_wanted(
    qtbot: QtBot, window: MainWindow
) -> None:
    panel = window.pages.monitors.regression
    before = panel._states[0].run_ms
    click(qtbot, panel.automatic)
    qtbot.waitUntil(lambda: panel._states[0].run_ms != before, timeout=SLOW_MS)
    settle(qtbot, window)
    assert panel._states[0].stale == ""
    click(qtbot, panel.automatic)
    settle(qtbot, window)
    assert not window._console.settings.monitors.run_regression_after_change


def test_every_tab_is_drawn_in_light_and_dark(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.monitors
    for colours in ("dark", "light"):
        window._console.theme.apply(colours)
        for number in range(page.tabs.count()):
            page.tabs.setCurrentIndex(number)
            qtbot.wait(60)
            picture = page.grab().toImage()
            shades = {
                picture.pixel(x, y)
                for x in range(0, picture.width(), 13)
                for y in range(0, picture.height(), 7)
            }
            assert len(shades) > 12
    settle(qtbot, window)


def test_a_control_chart_starts_rates_at_zero_and_draws_anew(qtbot: QtBot, window: MainWindow) -> None:
    chart = ControlChart(window._console.theme, "Control chart")
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.show()
    x = np.array([1_000_000.0, 1_086_400.0, 1_172_800.0])
    nothing, limit = np.full(3, np.nan), np.full(3, 28.0)
    figures = Series("Flagged answers", x, np.array([20.0, 22.0, 35.0]))
    outside = np.array([False, False, True])
    chart.set_windows(figures, nothing, limit, outside, "%", True, (1_000_000.0, 1_050_000.0))
    chart.grab()
    bottom, top = chart.plot.getPlotItem().vb.viewRange()[1]
    assert bottom <= 0
    assert top > 35
    assert chart.outside_count == 1
    assert chart.title == "Flagged answers"
    empty = np.zeros(0)
    chart.set_windows(Series("Refusals", empty, empty), empty, empty, empty.astype(bool), "%", True)
    chart.grab()
    assert chart.outside_count == 0
