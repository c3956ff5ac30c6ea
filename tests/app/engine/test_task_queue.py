"""A queue of tasks: the first is shown, paused and cancelled; what waits moves up when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import engine_functions as functions
import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.engine.task_queue import TaskQueue


@pytest.fixture(autouse=True)
def fresh_gates() -> Iterator[None]:
    """Begin each test with closed gates, and open all of them at its end."""
    functions.gates.clear()
    functions.calls.clear()
    yield
    for gate in functions.gates.values():
        gate.set()


def test_the_first_is_shown_and_the_next_moves_up(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    queue = TaskQueue()
    changes = QSignalSpy(queue.changed)
    assert queue.first is None
    one, two = (console.engine.start(functions.gated, gate=gate) for gate in ("one", "two"))
    queue.add(one)
    queue.add(two)
    assert (queue.first, queue.waiting) == (one, [two])
    functions.gates["one"].set()
    qtbot.waitUntil(lambda: queue.first is two)
    assert queue.waiting == []
    functions.gates["two"].set()
    settle()
    assert queue.first is None
    assert changes.count() == 4


def test_only_events_of_the_first_are_handed_on(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    queue = TaskQueue()
    told: list[object] = []
    queue.progressed.connect(told.append)
    queue.add(console.engine.start(functions.gated, gate="one"))
    other = console.engine.start(functions.counting, count=5)  # on another lane, so it runs at once
    queue.add(other)
    qtbot.waitUntil(lambda: other.done)
    qtbot.waitUntil(lambda: told == ["before"])
    functions.gates["one"].set()
    settle()
    assert told == ["before", "after"]


def test_cancel_and_pause_act_on_the_first(
    qtbot: QtBot, console: Console, settle: Callable[[], None], heard: Callable[[], None]
) -> None:
    queue = TaskQueue()
    one, two = (console.engine.start(functions.gated, gate=gate) for gate in ("one", "two"))
    queue.add(one)
    queue.add(two)
    queue.set_paused(True)
    assert (one.paused, two.paused) == (True, False)
    queue.set_paused(False)
    assert not one.paused
    cancelled = QSignalSpy(one.cancelled)
    qtbot.waitUntil(lambda: functions.calls == ["one begins"])
    queue.cancel()
    heard()
    functions.gates["one"].set()
    qtbot.waitUntil(lambda: cancelled.count() == 1)
    qtbot.waitUntil(lambda: "two begins" in functions.calls)
    assert queue.first is two
    functions.gates["two"].set()
    settle()
    assert functions.calls[-1] == "two is through"


def test_an_empty_queue_can_be_cancelled_and_paused(qtbot: QtBot) -> None:
    queue = TaskQueue()
    changes = QSignalSpy(queue.changed)
    queue.cancel()
    queue.set_paused(True)
    queue.set_paused(False)
    assert queue.first is None
    assert changes.count() == 0
