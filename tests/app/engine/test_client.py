"""The window's side of the engine: tasks and their ends, lanes, pausing, restarts, and a process that dies."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import engine_functions as functions
import pytest
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.engine.client import Engine, Task
from rag.operations import Lane


@pytest.fixture(autouse=True)
def fresh_gates() -> Iterator[None]:
    """Begin each test with closed gates, and open all of them at its end."""
    functions.gates.clear()
    functions.calls.clear()
    yield
    for gate in functions.gates.values():
        gate.set()


def record(task: Task) -> list[object]:
    """Return a list that the signals of a task are written into."""
    told: list[object] = []
    task.event.connect(lambda value: told.append(("event", value)))
    task.finished.connect(lambda value: told.append(("finished", value)))
    task.failed.connect(lambda sentence, details: told.append(("failed", sentence, details)))
    task.cancelled.connect(lambda: told.append("cancelled"))
    task.ended.connect(lambda: told.append("ended"))
    return told


# --- how a task ends --------------------------------------------------------------------------------------


def test_a_task_reports_its_events_and_its_result_last(console: Console, settle: Callable[[], None]) -> None:
    task = console.engine.start(functions.counting, count=3)
    told = record(task)
    assert (task.title, task.lane, task.done) == ("Count to 3", Lane.MODEL, False)
    settle()
    assert told == [("event", 0), ("event", 1), ("event", 2), ("finished", 3), "ended"]


def test_a_refusal_fails_with_its_sentence_alone(console: Console, settle: Callable[[], None]) -> None:
    told = record(console.engine.start(functions.refusing))
    settle()
    assert told == [("failed", "Choose a collection first.", ""), "ended"]


def test_a_bug_fails_with_details(console: Console, settle: Callable[[], None]) -> None:
    told = record(console.engine.start(functions.slipping))
    settle()
    (_, sentence, details), end = told
    assert sentence == "Something unexpected went wrong (ZeroDivisionError: a slip)."
    assert "in slip" in details
    assert end == "ended"


def test_a_full_disk_is_a_refusal_and_no_bug(console: Console, settle: Callable[[], None]) -> None:
    told = record(console.engine.start(functions.filling))
    settle()
    assert told[0][0] == "failed"
    assert "disk" in told[0][1]
    assert told[0][2] == ""


def test_a_function_that_does_not_exist_is_a_bug_and_the_lane_goes_on(
    console: Console, settle: Callable[[], None]
) -> None:
    missing = dataclasses.replace(functions.echo_text, function="engine_functions:nothing", title="Nothing")
    told = record(console.engine.start(missing))
    after = record(console.engine.start(functions.echo_text, text="still here"))
    settle()
    assert "nothing" in told[0][1]
    assert after == [("finished", "still here"), "ended"]


def test_a_running_task_is_cancelled_at_its_next_event(
    qtbot: QtBot, console: Console, settle: Callable[[], None], heard: Callable[[], None]
) -> None:
    task = console.engine.start(functions.gated, gate="one")
    told = record(task)
    qtbot.waitUntil(lambda: told == [("event", "before")])
    task.cancel()
    heard()
    functions.gates["one"].set()
    settle()
    assert told[-2:] == ["cancelled", "ended"]
    assert functions.calls == ["one begins", "one is closed"]


def test_a_queued_task_is_cancelled_at_once_and_never_begins(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    first = console.engine.start(functions.gated, gate="first")
    second = console.engine.start(functions.gated, gate="second")
    told_first, told_second = record(first), record(second)
    qtbot.waitUntil(lambda: told_first == [("event", "before")])
    second.cancel()
    qtbot.waitUntil(lambda: told_second == ["cancelled", "ended"])
    assert console.engine.tasks == [first]
    functions.gates["first"].set()
    settle()
    assert told_first[-2:] == [("finished", "first"), "ended"]
    assert functions.calls == ["first begins", "first is through"]


def test_cancelling_twice_is_told_once(
    qtbot: QtBot, console: Console, settle: Callable[[], None], heard: Callable[[], None]
) -> None:
    console.engine.start(functions.gated, gate="first")
    second = console.engine.start(functions.gated, gate="second")
    told = record(second)
    second.cancel()
    second.cancel()
    heard()
    functions.gates["first"].set()
    settle()
    assert told == ["cancelled", "ended"]


def test_a_paused_task_waits_at_its_next_event_until_it_is_resumed(
    qtbot: QtBot, console: Console, settle: Callable[[], None], heard: Callable[[], None]
) -> None:
    task = console.engine.start(functions.gated, gate="one")
    told, paused = record(task), QSignalSpy(task.paused_changed)
    qtbot.waitUntil(lambda: told == [("event", "before")])
    task.pause()
    task.pause()
    heard()
    functions.gates["one"].set()
    qtbot.waitUntil(lambda: told == [("event", "before"), ("event", "after")])
    other = record(console.engine.start(functions.echo_text, text="another lane"))
    qtbot.waitUntil(lambda: other == [("finished", "another lane"), "ended"])
    assert task.paused
    assert not task.done
    task.resume()
    settle()
    assert told[-2:] == [("finished", "one"), "ended"]
    assert [paused.at(number)[0] for number in range(paused.count())] == [True, False]


def test_a_paused_task_can_be_cancelled(
    qtbot: QtBot, console: Console, settle: Callable[[], None], heard: Callable[[], None]
) -> None:
    task = console.engine.start(functions.gated, gate="one")
    told = record(task)
    qtbot.waitUntil(lambda: told == [("event", "before")])
    task.pause()
    task.cancel()
    heard()
    functions.gates["one"].set()
    settle()
    assert told[-2:] == ["cancelled", "ended"]


def test_a_task_that_is_over_cannot_be_paused(console: Console, settle: Callable[[], None]) -> None:
    task = console.engine.start(functions.echo_text, text="x")
    task.ended.connect(task.pause)
    settle()
    assert not task.paused


# --- lanes ------------------------------------------------------------------------------------------------


def test_one_lane_runs_in_order_and_another_beside_it(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    console.engine.start(functions.gated, gate="first")
    console.engine.start(functions.gated, gate="second")
    beside = record(console.engine.start(functions.gated_model, gate="third"))
    functions.gates["third"].set()
    qtbot.waitUntil(lambda: "ended" in beside)
    assert "second begins" not in functions.calls
    functions.gates["second"].set()
    functions.gates["first"].set()
    settle()
    assert functions.calls.index("first is through") < functions.calls.index("second begins")


def test_two_reads_run_at_the_same_time_but_two_writes_do_not(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    console.engine.start(functions.held_read, gate="slow")
    quick = record(console.engine.start(functions.held_read, gate="quick"))
    functions.gates["quick"].set()
    qtbot.waitUntil(lambda: quick == [("finished", "quick"), "ended"])
    console.engine.start(functions.held_write, gate="slow")
    behind = record(console.engine.start(functions.held_write, gate="quick"))
    read = record(console.engine.start(functions.held_read, gate="quick"))
    qtbot.waitUntil(lambda: read != [])
    assert behind == []
    functions.gates["slow"].set()
    settle()
    assert behind == [("finished", "quick"), "ended"]


def test_the_engine_lists_what_has_not_ended(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    changes = QSignalSpy(console.engine.tasks_changed)
    first = console.engine.start(functions.gated, gate="one")
    second = console.engine.start(functions.gated, gate="two")
    assert console.engine.tasks == [first, second]
    assert changes.count() == 2
    assert 0 <= second.age_s <= first.age_s
    for gate in ("one", "two"):
        functions.gates[gate].set()
    settle()
    assert console.engine.tasks == []
    assert changes.count() == 4


# --- before it is ready, restarts -------------------------------------------------------------------------


def test_what_is_started_too_early_runs_once_the_engine_is_ready(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    console.engine.restart()
    assert not console.engine.is_ready
    told = record(console.engine.start(functions.echo_text, text="early"))
    assert functions.calls == []
    settle()
    assert told == [("finished", "early"), "ended"]


def test_a_restart_fails_what_was_under_way_and_hears_no_late_message(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    running = record(console.engine.start(functions.gated, gate="one"))
    queued = record(console.engine.start(functions.gated, gate="two"))
    qtbot.waitUntil(lambda: running == [("event", "before")])
    functions.gates["one"].set()
    console.engine.restart()
    for told in (running, queued):
        assert told[-2:] == [
            ("failed", "The engine was restarted before this was done; do it again.", ""),
            "ended",
        ]
    settle()
    qtbot.waitUntil(lambda: console.engine.is_ready)
    assert running.count("ended") == queued.count("ended") == 1


def test_a_restart_may_open_another_folder(
    qtbot: QtBot, console: Console, tmp_path: Path, settle: Callable[[], None]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with qtbot.waitSignal(console.engine.ready):
        console.engine.restart(other)
    assert console.engine.folder == other
    told = record(console.engine.start(functions.telling, name="x"))
    settle()
    assert str(other) in told[0][1]


# --- a process of its own ---------------------------------------------------------------------------------


def make_engine(folder: Path, target: Callable[..., None]) -> tuple[Engine, list[object]]:
    engine = Engine(folder, target=target)
    told: list[object] = []
    engine.ready.connect(lambda interrupted, notices: told.append(("ready", interrupted, notices)))
    engine.refused.connect(lambda sentence: told.append(("refused", sentence)))
    engine.restarted.connect(lambda sentence: told.append(("restarted", sentence)))
    return engine, told


def test_three_quick_deaths_are_started_again_twice_and_then_refused(qtbot: QtBot, folder: Path) -> None:
    engine, told = make_engine(folder, functions.die_at_once)
    engine.start_process()
    task = record(engine.start(functions.echo_text, text="never"))
    qtbot.waitUntil(lambda: bool(told) and told[-1][0] == "refused", timeout=30_000)
    assert [kind for kind, *_ in told] == ["restarted", "restarted", "refused"]
    sentence = "The engine process ended unexpectedly (exit 7)."
    assert told[0][1] == f"{sentence} It was started again; what was reported as done is kept."
    assert told[2][1] == f"{sentence} It died 3 times in a row; engine.log may say why."
    assert (folder / "starts").read_text("utf-8") == "xxx"
    assert task == [("failed", told[0][1], ""), "ended"]
    assert not engine.is_ready
    assert engine.tasks == []


def test_a_death_fails_the_tasks_and_the_next_process_takes_new_ones(qtbot: QtBot, folder: Path) -> None:
    engine, told = make_engine(folder, functions.die_on_a_task)
    engine.start_process()
    qtbot.waitUntil(lambda: told == [("ready", 0, ["prepared"])], timeout=30_000)
    first_id = engine.process_id
    task = record(engine.start(functions.echo_text, text="x"))
    qtbot.waitUntil(lambda: len(told) == 3, timeout=30_000)
    assert [kind for kind, *_ in told] == ["ready", "restarted", "ready"]
    assert "(exit 3)" in told[1][1]
    assert task == [("failed", told[1][1], ""), "ended"]
    assert engine.process_id != first_id
    engine.stop()
    assert len(told) == 3


def test_a_refused_folder_is_told_and_not_tried_again(qtbot: QtBot, folder: Path) -> None:
    engine, told = make_engine(folder, functions.refuse_the_folder)
    engine.start_process()
    task = record(engine.start(functions.echo_text, text="x"))
    qtbot.waitUntil(lambda: bool(told), timeout=30_000)
    assert told == [("refused", f"{folder} is in use.")]
    assert task == [("failed", f"{folder} is in use.", ""), "ended"]
    engine.stop()
    assert len(told) == 1


def test_a_process_that_does_not_stop_is_killed(qtbot: QtBot, folder: Path) -> None:
    engine, told = make_engine(folder, functions.ignore_stop)
    assert engine.process_id is None
    engine.start_process()
    qtbot.waitUntil(lambda: told == [("ready", 2, [])], timeout=30_000)
    process, receiver = engine._process, engine._receiver
    engine.stop(timeout_s=0.1)
    assert process is not None
    assert not process.is_alive()
    assert receiver is not None
    assert not receiver.is_alive()  # it holds the engine, whose last holder must not be another thread
