"""A column says in lines what an answer was made of, and what differs from the first."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from driving import button_of, click, texts
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.replay.columns import ColumnStrip, PlannedColumn, ReplayColumn, Shown, _figures
from rag.asking.replay.comparison.rows import compare_traces
from rag.asking.rows import TraceDetail, TraceSource, TraceStatus


def trace(**values: Any) -> TraceDetail:
    """Return a trace with no figures but those that are given."""
    empty: dict[str, Any] = {one.name: "" for one in fields(TraceDetail)}
    numbers = {one.name: 0 for one in fields(TraceDetail) if str(one.type).startswith(("int", "float"))}
    tuples = {one.name: () for one in fields(TraceDetail) if str(one.type).startswith("tuple")}
    usual = {"id": "ab", "status": TraceStatus.DONE, "source": TraceSource.PERSON}
    return TraceDetail(**{**empty, **numbers, **tuples, **usual, **values})


FIRST = trace(model="small", passage_count=3, claim_count=2, flag_count=1)


def lines_of(shown: TraceDetail, *, is_first: bool = False) -> dict[str, str]:
    """Return the figures of a column by their names; the one without a name is its state."""
    found = Shown("x", shown, None if is_first else compare_traces(FIRST, shown))
    state, *lines = _figures(found, None)
    return {"state": state} | dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize(
    ("values", "line", "text"),
    [
        ({"model": ""}, "Model", "none"),
        ({"model": "small"}, "Model", "small"),
        ({"total_ms": None}, "Time", "–"),
        ({"total_ms": 0.0}, "Time", "0.0 s"),
        ({"total_ms": 1_234_560.0}, "Time", "1,234.6 s"),
        ({"prompt_tokens": 1_200, "completion_tokens": 30}, "Tokens", "1,200 + 30"),
        ({"prompt_tokens": 1_200, "cached_tokens": 1_100}, "Tokens", "1,200 + 0, 1,100 cached"),
        ({}, "Cost", "not worked out yet"),
        ({}, "Passages", "none"),
        ({}, "Sentences", "none checked"),
        ({"status": TraceStatus.FAILED}, "state", "failed"),
        ({"status": TraceStatus.CANCELLED}, "state", "cancelled"),
    ],
)
def test_a_figure_is_a_line(values: dict[str, Any], line: str, text: str) -> None:
    assert lines_of(trace(**values))[line] == text


def test_the_first_column_says_what_it_has_and_not_what_differs() -> None:
    lines = lines_of(FIRST, is_first=True)
    assert lines["state"] == "as it was answered" and lines["Passages"] == "3"
    assert lines["Sentences"] == "2 checked, 1 flagged"


def links(column: QWidget) -> list[str]:
    """Return what can be done with the answer of a column."""
    known = ("Differences", "Open the trace", "Save as a pipeline…", "Save as a case…")
    return [found.text() for found in column.findChildren(QAbstractButton) if found.text() in known]


@pytest.mark.parametrize(
    ("status", "can_save"),
    [(TraceStatus.DONE, True), (TraceStatus.FAILED, False), (TraceStatus.CANCELLED, False)],
)
def test_only_an_answer_can_be_saved(
    qtbot: QtBot, console: Console, status: TraceStatus, can_save: bool
) -> None:
    replayed = trace(id="cd", status=status)
    made = ReplayColumn(console, Shown("x", replayed, compare_traces(FIRST, replayed)), None)
    qtbot.addWidget(made)
    saving = ["Save as a pipeline…", "Save as a case…"] if can_save else []
    assert links(made) == ["Differences", "Open the trace", *saving]


def test_with_the_trace_itself_nothing_can_be_done(qtbot: QtBot, console: Console) -> None:
    made = ReplayColumn(console, Shown("This trace", FIRST), None)
    qtbot.addWidget(made)
    assert links(made) == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"answer": "It is so."}, "It is so."),
        ({"answer": "", "error": "The model file is gone."}, "The model file is gone."),
        ({"answer": "", "error": ""}, "No answer."),
    ],
)
def test_a_column_without_an_answer_says_why(
    qtbot: QtBot, console: Console, values: dict[str, str], text: str
) -> None:
    made = ReplayColumn(console, Shown("x", trace(**values)), None)
    qtbot.addWidget(made)
    assert made.answer.toPlainText() == text


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("Differences", "chosen"),
        ("Open the trace", "opened"),
        ("Save as a pipeline…", "pipeline_wanted"),
        ("Save as a case…", "case_wanted"),
    ],
)
def test_what_is_done_with_a_column_names_its_trace(
    qtbot: QtBot, console: Console, text: str, signal: str
) -> None:
    replayed = trace(id="cd")
    made = ReplayColumn(console, Shown("x", replayed, compare_traces(FIRST, replayed)), None)
    qtbot.addWidget(made)
    made.show()
    told = QSignalSpy(getattr(made, signal))
    click(qtbot, made, text)
    assert [told.at(number) for number in range(told.count())] == [["cd"]]


def test_a_title_from_a_document_is_no_markup(qtbot: QtBot, console: Console) -> None:
    made = PlannedColumn(console, "model <b>x</b>", "<i>Not asked yet</i>")
    qtbot.addWidget(made)
    assert made.title.text() == "model <b>x</b>" and "<i>Not asked yet</i>" in texts(made)


def test_a_planned_column_can_be_taken_out(qtbot: QtBot, console: Console) -> None:
    made = PlannedColumn(console, "temperature 0.7", "Not asked yet")
    qtbot.addWidget(made)
    made.show()
    told = QSignalSpy(made.removed)
    button_of(made, "Take this variant out").click()
    assert told.count() == 1


def test_columns_are_replaced_and_stand_in_their_order(qtbot: QtBot, console: Console) -> None:
    strip = ColumnStrip()
    qtbot.addWidget(strip)
    strip.show()
    old: list[QWidget] = [PlannedColumn(console, name, "") for name in ("a", "b")]
    strip.show_columns(old)
    assert [each.isVisible() for each in old] == [True, True]
    new: list[QWidget] = [PlannedColumn(console, name, "") for name in ("c", "d", "e")]
    strip.show_columns(new)
    assert strip.columns == new and not any(each.isVisible() for each in old)
    layout = strip.layout()
    assert layout is not None and [layout.indexOf(each) for each in new] == [0, 1, 2]
    strip.show_columns([])
    assert strip.columns == [] and layout.count() == 1
