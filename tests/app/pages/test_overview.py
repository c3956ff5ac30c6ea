"""The page Overview: figures of today, graphs and their exports, recent questions, alerts that fire."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driving import ask_once, button_of, click, column, notices, rows, texts
from fakes import ScriptedModel
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from sqlmodel import select

from app.console import Console
from app.pages.overview import (
    AlertStrip,
    OverviewPage,
    _series,
    _with_percentiles,
)
from app.widgets.charts import Series
from app.widgets.layout import EmptyState
from app.widgets.theme import Theme
from rag.errors import ModelError
from rag.monitoring.rows import AlertRow, list_alerts
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

Settle = Callable[[], None]
HOUR_MS = 3_600_000


@pytest.fixture
def asked(notes: Path, open_workspace: Workspace, model: ScriptedModel) -> list[str]:
    """Three questions of today, the last one failed. Returns the ids of their traces, oldest first."""
    ids = [
        ask_once(open_workspace, "How long does rye bread rest?", "Rye bread needs 14 hours of rest [1]."),
        ask_once(open_workspace, "When do boats leave?", "Boats leave at midnight from Hamburg [1]."),
    ]
    model.error = ModelError("The model file is gone.")
    with pytest.raises(ModelError):
        ask_once(open_workspace, "When do storms come?")
    model.error = None
    with open_workspace.store.session() as session:
        ids.append(session.exec(select(Trace.id).where(Trace.status == "failed")).one())
    return ids


@pytest.fixture
def page(qtbot: QtBot, console: Console, asked: list[str], settle: Settle) -> OverviewPage:
    """The page after three questions."""
    made = OverviewPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    return made


def move(workspace: Workspace, trace_id: str, hours: float) -> None:
    """Let a question be asked so many hours earlier."""
    with workspace.store.session() as session:
        trace = session.get_one(Trace, trace_id)
        trace.created_ms -= int(hours * HOUR_MS)
        session.add(trace)


def values(series: list[Series]) -> dict[str, float]:
    """Return the sum of each series."""
    return {each.name: float(each.y.sum()) for each in series}


# --- empty and filled -------------------------------------------------------------------------------------


def test_without_anything_the_page_says_how_to_begin(qtbot: QtBot, console: Console) -> None:
    page = OverviewPage(console)
    qtbot.addWidget(page)
    page.show()
    (empty,) = [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert "Nothing to show yet" in texts(empty)
    with qtbot.waitSignal(page.documents_wanted):
        click(qtbot, empty, "Add documents…")


def test_documents_without_questions_show_empty_graphs(qtbot: QtBot, notes: Path, console: Console) -> None:
    page = OverviewPage(console)
    qtbot.addWidget(page)
    page.show()
    assert page.cards["collections"].value == "1"
    assert page.cards["questions"].value == "0" and page.cards["flags"].value == "–"
    assert rows(page.recent) == [] and page.recent._empty == "No questions yet."
    assert all(chart._series == [] or not values(chart._series) or sum(values(chart._series).values()) == 0
               for chart in page.charts())  # fmt: skip


def test_the_cards_count_today(page: OverviewPage) -> None:
    names = {key: card.accessibleName() for key, card in page.cards.items()}
    assert names["collections"].startswith("Collections: 1. 4 documents, 4 chunks")
    assert names["questions"] == "Questions today: 3. 3 traces in all"
    assert names["failures"] == "Failures today: 1. failed or interrupted questions"
    assert page.cards["flags"].value.endswith(" %")
    assert int(page.cards["tokens"].value.replace(",", "")) > 20


def test_a_question_of_yesterday_is_not_of_today(
    page: OverviewPage, open_workspace: Workspace, asked: list[str]
) -> None:
    move(open_workspace, asked[0], 25)
    page.refresh()
    assert page.cards["questions"].accessibleName() == "Questions today: 2. 3 traces in all"


def test_recent_questions_are_listed_newest_first(page: OverviewPage) -> None:
    assert column(page.recent, "Question") == [
        "When do storms come?", "When do boats leave?", "How long does rye bread rest?",
    ]  # fmt: skip
    assert column(page.recent, "Status") == ["failed", "done", "done"]
    assert column(page.recent, "Flags")[0] == "–"
    assert column(page.recent, "Flags")[1].endswith(" of 1")


def test_a_page_that_becomes_visible_reads_again(
    qtbot: QtBot, page: OverviewPage, console: Console, open_workspace: Workspace
) -> None:
    page.hide()
    ask_once(open_workspace, "Why?")
    console.data_changed.emit()
    qtbot.wait(200)  # longer than the page gathers changes
    assert page.cards["questions"].value == "3"
    page.show()
    qtbot.waitUntil(lambda: page.cards["questions"].value == "4")


# --- where clicks lead ------------------------------------------------------------------------------------


def test_cards_lead_to_what_they_count(qtbot: QtBot, page: OverviewPage) -> None:
    for key, wanted in (("collections", "collections"), ("questions", "traces"), ("failures", "traces")):
        with qtbot.waitSignal(page.page_requested) as opened:
            qtbot.mouseClick(page.cards[key], Qt.MouseButton.LeftButton)
        assert opened.args == [wanted]
    with qtbot.waitSignal(page.flagged_requested):
        qtbot.keyClick(page.cards["flags"], Qt.Key.Key_Return)
    page.tabs.setCurrentIndex(2)
    qtbot.keyClick(page.cards["tokens"], Qt.Key.Key_Space)
    assert page.tabs.currentWidget() is page.tokens


def test_a_recent_question_and_a_point_open_their_trace(
    qtbot: QtBot, page: OverviewPage, asked: list[str]
) -> None:
    page.recent.selectRow(2)
    with qtbot.waitSignal(page.trace_requested) as opened:
        qtbot.keyClick(page.recent, Qt.Key.Key_Return)
    assert opened.args == [asked[0]]
    with qtbot.waitSignal(page.trace_requested) as clicked:
        page.latency.point_clicked.emit(asked[1])
    assert clicked.args == [asked[1]]


# --- graphs -----------------------------------------------------------------------------------------------


def test_tokens_are_stacked_by_kind_model_or_collection(page: OverviewPage) -> None:
    kinds = values(page.tokens._series)
    assert list(kinds) == ["prompt", "cached", "completion"]
    assert kinds["completion"] == 8 + 7  # words of both answers
    total = sum(kinds.values())
    for number, name in ((1, "scripted"), (2, "Notes")):
        page.stack_box.setCurrentIndex(number)
        shown = values(page.tokens._series)
        assert shown[name] == pytest.approx(total - kinds["cached"], abs=kinds["cached"] + 1)
        assert sum(shown.values()) == pytest.approx(total)


def test_hours_and_days_gather_questions(
    page: OverviewPage, open_workspace: Workspace, asked: list[str]
) -> None:
    before = values(page.tokens._series)
    move(open_workspace, asked[0], 3)
    page.refresh()
    page.bucket_box.setCurrentIndex(page.bucket_box.findText("per hour"))
    gathered = page.tokens._series
    assert values(gathered) == pytest.approx(before)
    assert len(gathered[0].x) == 4  # the hour of the first question to the hour of the last
    assert page.tokens._bar_width == 3600
    assert len(page.flags._series[0].x) == 2  # hours with checked answers
    page.bucket_box.setCurrentIndex(page.bucket_box.findText("per day"))
    assert page.tokens._bar_width == 86_400


def test_flags_are_shares_of_checked_sentences(page: OverviewPage, asked: list[str]) -> None:
    (series,) = page.flags._series
    assert series.ids == tuple(asked[:2])  # the failed answer was not checked
    assert set(series.y) <= {0.0, 100.0}


def test_latency_has_a_series_for_each_stage_with_its_percentiles(page: OverviewPage) -> None:
    names = [series.name for series in page.latency._series]
    assert [name.split("   ")[0] for name in names] == [
        "first token",
        "retrieve",
        "read",
        "generate",
        "check",
    ]
    assert all("p50" in name and "p95" in name for name in names if len(name.split("   ")) > 1)
    assert page.latency._levels == []


def test_a_shorter_period_leaves_older_questions_out(
    page: OverviewPage, open_workspace: Workspace, asked: list[str]
) -> None:
    move(open_workspace, asked[0], 3)
    page.refresh()
    assert len(page._points) == 3
    page.period_box.setCurrentIndex(page.period_box.findText("Last hour"))
    assert [point.id for point in page._points] == asked[1:]
    page.period_box.setCurrentIndex(page.period_box.findText("Last year"))
    assert len(page._points) == 3


def test_the_brush_moves_all_graphs(page: OverviewPage) -> None:
    end = page._range[1]
    page.brush.region.setRegion((end - 20, end - 10))
    low, high = page._range
    assert (low, high) == pytest.approx((end - 20, end - 10))
    for chart in (page.tokens, page.latency, page.speed, page.flags):
        (left, right), _ = chart.plot.getPlotItem().viewRange()
        assert (left, right) == pytest.approx((low, high), abs=1.0)


# --- exports ----------------------------------------------------------------------------------------------


def test_the_values_of_a_graph_are_saved(
    qtbot: QtBot, page: OverviewPage, answer_box: Callable[[object], None], tmp_path: Path, asked: list[str]
) -> None:
    page.tabs.setCurrentWidget(page.flags)
    answer_box(str(tmp_path / "flags.csv"))
    click(qtbot, page, "CSV…")
    with (tmp_path / "flags.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["time", "series", "value (%)", "trace"]
    assert [line[3] for line in lines[1:]] == asked[:2]


def test_the_picture_of_a_graph_is_saved(
    qtbot: QtBot, page: OverviewPage, answer_box: Callable[[object], None], tmp_path: Path
) -> None:
    answer_box(str(tmp_path / "tokens.png"))
    click(qtbot, page, "PNG…")
    assert (tmp_path / "tokens.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["PNG", "CSV"])
def test_a_file_that_cannot_be_written_is_told(
    qtbot: QtBot, page: OverviewPage, console: Console, answer_box: Callable[[object], None], tmp_path: Path,
    kind: str,
) -> None:  # fmt: skip
    path = tmp_path / "nowhere" / "tokens.file"
    answer_box(str(path))
    click(qtbot, page, f"{kind}…")
    assert notices(console) == [(f"{path} could not be written: No such file or directory.", "bad")]


def test_the_name_of_the_graph_is_proposed_and_nothing_is_written_without_a_yes(
    qtbot: QtBot, page: OverviewPage, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *given: (proposed.append(given[2]), ("", ""))[1]
    )
    page.tabs.setCurrentWidget(page.latency)
    click(qtbot, page, "CSV…")
    assert proposed == ["time-to-first-token-and-stages.csv"]
    assert notices(console) == []


# --- alerts -----------------------------------------------------------------------------------------------


def test_the_strip_names_three_alerts_and_counts_the_others(
    qtbot: QtBot, theme: Theme, console: Console
) -> None:
    rule = list_alerts(console.database)[0]
    firing: list[AlertRow] = [replace(rule, name=f"Rule {number}") for number in range(5)]
    strip = AlertStrip(theme)
    qtbot.addWidget(strip)
    strip.show_alerts([])
    assert strip.isHidden()
    strip.show_alerts(firing)
    assert not strip.isHidden()
    assert strip.pill.text == "5 alerts"
    assert "Rule 2" in strip.text.text() and "Rule 3" not in strip.text.text()
    assert strip.text.text().endswith("and 2 more")
    with qtbot.waitSignal(strip.opened):
        click(qtbot, strip, "Open the alerts")


def test_the_strip_leads_to_the_alerts(qtbot: QtBot, page: OverviewPage) -> None:
    assert page.alert_strip.isHidden()
    with qtbot.waitSignal(page.alerts_requested):
        button_of(page.alert_strip, "Open the alerts").click()


# --- figures ----------------------------------------------------------------------------------------------


def test_missing_values_are_left_out_of_a_series() -> None:
    series = _series("ms", np.array([1.0, 2.0, 3.0]), ("a", "b", "c"), [5.0, None, 7.0])
    assert (list(series.x), list(series.y), series.ids) == ([1.0, 3.0], [5.0, 7.0], ("a", "c"))
    assert len(_series("ms", np.zeros(0), (), []).y) == 0


def test_a_series_is_named_with_its_percentiles() -> None:
    series = Series("read", np.arange(3.0), np.array([1000.0, 2000.0, 3000.0]))
    assert _with_percentiles(series).name == "read   p50 2,000  p95 2,900"
    empty = Series("read", np.zeros(0), np.zeros(0))
    assert _with_percentiles(empty) is empty


# --- more of the graphs -----------------------------------------------------------------------------------


def test_graphs_of_other_periods_begin_where_there_is_something_to_see(
    page: OverviewPage, open_workspace: Workspace, asked: list[str]
) -> None:
    page.period_box.setCurrentIndex(page.period_box.findText("Last 30 days"))
    start, end = page._range
    assert end - start < 600  # all questions were asked a moment ago
    move(open_workspace, asked[0], 100)
    page.refresh()
    start, end = page._range
    assert 100 * 3600 < end - start < 120 * 3600


def test_speed_has_a_point_for_each_answer(page: OverviewPage, asked: list[str]) -> None:
    (series,) = page.speed._series
    assert series.name == "tokens/s"
    assert set(series.ids) == set(asked[:2])  # the failed question has no speed
    assert (series.y > 0).all()


def test_questions_without_a_model_are_stacked_as_none(
    page: OverviewPage, open_workspace: Workspace, asked: list[str]
) -> None:
    with open_workspace.store.session() as session:
        trace = session.get_one(Trace, asked[0])
        trace.model = ""
        session.add(trace)
    page.refresh()
    page.stack_box.setCurrentIndex(page.stack_box.findText("by model"))
    assert "none" in values(page.tokens._series)


def test_flags_of_a_day_are_one_share(page: OverviewPage) -> None:
    page.bucket_box.setCurrentIndex(page.bucket_box.findText("per day"))
    (series,) = page.flags._series
    figures = page.cards["flags"].value.removesuffix(" %")
    assert [f"{value:.0f}" for value in series.y] == [figures]
    assert series.ids == ()
