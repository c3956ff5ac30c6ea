"""The line that follows operations: what the first does, how many wait, and whom Cancel stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import engine_functions as functions
import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.task_strip import TaskStrip
from rag.knowledge.rows import VersionProgress


@pytest.fixture(autouse=True)
def fresh_gates() -> Iterator[None]:
    """Begin each test with closed gates, and open all of them at its end."""
    functions.gates.clear()
    functions.calls.clear()
    yield
    for gate in functions.gates.values():
        gate.set()


@pytest.fixture
def strip(qtbot: QtBot) -> TaskStrip:
    made = TaskStrip()
    qtbot.addWidget(made)
    return made


def test_a_task_is_followed_to_its_end(
    strip: TaskStrip, console: Console, settle: Callable[[], None]
) -> None:
    assert not strip.isVisible()
    assert not strip.is_busy
    task = console.engine.start(functions.gated, gate="one")
    strip.follow(task)
    assert strip.isVisible()
    assert strip.is_busy
    assert strip.text == "Pass one  waiting for the engine"
    task.event.emit(VersionProgress("indexing", 12, 1400))
    assert strip.text == "Pass one  indexing 12 of 1,400"
    assert (strip._bar.value(), strip._bar.maximum()) == (12, 1400)
    task.event.emit(VersionProgress("cleaning", 0, 1))
    assert strip.text == "Pass one  cleaning"
    assert strip._bar.maximum() == 0  # busy, without a measure
    task.event.emit("no progress")
    assert strip.text == "Pass one  cleaning"
    functions.gates["one"].set()
    settle()
    assert not strip.isVisible()


def test_a_second_task_waits_behind_the_first_and_moves_up(
    qtbot: QtBot, strip: TaskStrip, console: Console, settle: Callable[[], None]
) -> None:
    one, two = (console.engine.start(functions.gated, gate=gate) for gate in ("one", "two"))
    strip.follow(one)
    one.event.emit(VersionProgress("indexing", 1, 2))
    strip.follow(two)
    assert strip.text == "Pass one  indexing 1 of 2  +1 waiting"
    two.event.emit(VersionProgress("cleaning", 5, 9))
    assert "cleaning" not in strip.text
    functions.gates["one"].set()
    qtbot.waitUntil(lambda: strip.text.startswith("Pass two  waiting for the engine"))
    assert strip.isVisible()
    functions.gates["two"].set()
    settle()
    assert not strip.is_busy


def test_cancel_stops_the_task_that_is_shown(
    qtbot: QtBot,
    strip: TaskStrip,
    console: Console,
    settle: Callable[[], None],
    heard: Callable[[], None],
) -> None:
    one, two = (console.engine.start(functions.gated, gate=gate) for gate in ("one", "two"))
    strip.follow(one)
    strip.follow(two)
    cancelled = QSignalSpy(one.cancelled)
    qtbot.waitUntil(lambda: functions.calls == ["one begins"])
    strip.cancel()
    heard()
    functions.gates["one"].set()
    qtbot.waitUntil(lambda: cancelled.count() == 1)
    assert strip.text.startswith("Pass two")
    functions.gates["two"].set()
    settle()
    assert functions.calls == ["one begins", "one is closed", "two begins", "two is through"]
