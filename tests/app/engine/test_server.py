"""The engine's process: which parts of the workspace a function gets, its log, and how it ends."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import engine_functions as functions
import pytest
from pytestqt.qtbot import QtBot

from app.console import Console
from app.engine.client import Engine
from app.engine.server import THREADS, run_lanes
from rag.operations import Lane, Operation
from rag.workspace import Workspace


def test_the_parts_of_the_workspace_are_filled_in_by_name(
    console: Console, open_workspace: Workspace, settle: Callable[[], None]
) -> None:
    told: list[list[str]] = []
    console.engine.start(functions.telling, name="given").finished.connect(told.append)
    settle()
    assert told == [["Workspace", "Store", "Database", "Settings", str(open_workspace.folder), "given"]]


def test_a_part_that_the_window_gives_is_not_replaced(console: Console, settle: Callable[[], None]) -> None:
    told: list[str] = []
    console.engine.start(functions.telling_folder, folder="/elsewhere").finished.connect(told.append)
    settle()
    assert told == ["/elsewhere"]


def test_settings_are_those_of_the_moment(
    console: Console, open_workspace: Workspace, settle: Callable[[], None]
) -> None:
    console.change_settings("generation", "seed", 7)
    settle()
    assert open_workspace.settings.generation.seed == 7
    assert console.settings.generation.seed == 7


def test_only_reading_has_two_threads() -> None:
    assert {lane for lane, count in THREADS.items() if count != 1} == {Lane.READ}
    assert set(THREADS) == set(Lane)


@pytest.mark.parametrize("goodbye", ["stop", "window gone"])
def test_the_workspace_is_closed_when_the_window_says_stop_or_goes(
    workspace: Workspace, goodbye: str
) -> None:
    functions.gates.clear()
    functions.calls.clear()
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=run_lanes, args=(theirs, workspace), daemon=True)
    thread.start()
    assert ours.recv() == ("ready", workspace.interrupted_count, workspace.notices)
    for number in (1, 2):
        message = ("start", number, "ingest", functions.ticking.function, {"gate": f"gate {number}"})
        ours.send(message)
    assert ours.recv() == ("event", 1, "tick")
    if goodbye == "stop":
        ours.send(("stop",))
    else:
        ours.close()
    thread.join(10)
    assert not thread.is_alive()
    assert functions.calls == ["gate 1 begins", "gate 1 is closed"]  # the queued one never begins
    again = Workspace(workspace.folder, "another test")  # the lock is free
    again.close()


def test_messages_for_an_unknown_task_are_passed_over(console: Console, settle: Callable[[], None]) -> None:
    for kind in ("cancel", "pause", "resume"):
        console.engine.send(kind, 4711)
    told: list[str] = []
    console.engine.start(functions.echo_text, text="still here").finished.connect(told.append)
    settle()
    assert told == ["still here"]


def test_the_real_process_refuses_settings_it_cannot_read(qtbot: QtBot, folder: Path) -> None:
    (folder / "settings.toml").write_text("[search]\nno_such_setting = 1\n", "utf-8")
    engine = Engine(folder)
    with qtbot.waitSignal(engine.refused, timeout=60_000) as caught:
        engine.start_process()
    assert "settings.toml" in caught.args[0]
    engine.stop()


def test_a_bug_is_logged_in_the_data_folder(qtbot: QtBot, folder: Path) -> None:
    engine = Engine(folder)
    engine.start_process()
    task = engine.start(functions.slipping)
    with qtbot.waitSignal(task.failed, timeout=60_000) as caught:
        pass
    assert caught.args[0] == "Something unexpected went wrong (ZeroDivisionError: a slip)."
    engine.stop(timeout_s=20)
    log = (folder / "engine.log").read_text("utf-8")
    assert "ERROR ragdeck.engine: task engine_functions:slip" in log
    assert "ZeroDivisionError: a slip" in log


# --- what a person has to say yes to ----------------------------------------------------------------------


def messages_of(
    workspace: Workspace, *starts: tuple[str, str, dict[str, object]]
) -> list[tuple[object, ...]]:
    """Return what the lanes tell of these functions, each as (lane, function, arguments), until all ended."""
    ours, theirs = multiprocessing.Pipe()
    thread = threading.Thread(target=run_lanes, args=(theirs, workspace), daemon=True)
    thread.start()
    told: list[tuple[object, ...]] = [ours.recv()]
    for number, start in enumerate(starts, 1):
        ours.send(("start", number, *start))
        while told[-1][0] not in ("finished", "failed", "cancelled") or told[-1][1] != number:
            assert ours.poll(10), "nothing more was told"
            told.append(ours.recv())
    ours.send(("stop",))
    thread.join(10)
    return told[1:]


def test_a_refusal_that_may_be_overruled_says_so_before_it_fails(workspace: Workspace) -> None:
    function = functions.asking_for_yes.function
    told = messages_of(workspace, ("model", function, {"is_confirmed": False}))
    assert told == [
        ("event", 1, "before"),
        ("asks", 1),
        ("failed", 1, "The budget is used up. Say yes to go on.", ""),
    ]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        (functions.asking_for_yes, {"is_confirmed": True}),
        (functions.refusing, {}),
        (functions.slipping, {}),
        (functions.filling, {}),
        (functions.echo_text, {"text": "x"}),
    ],
    ids=["a yes", "a refusal", "a bug", "a full disk", "a result"],
)
def test_nothing_else_asks(
    workspace: Workspace, operation: Operation[object], arguments: dict[str, object]
) -> None:
    told = messages_of(workspace, (str(operation.lane), operation.function, arguments))
    assert "asks" not in [message[0] for message in told]


def test_only_the_task_that_asks_is_told_that_it_needs_a_yes(
    console: Console, settle: Callable[[], None]
) -> None:
    seen: list[tuple[str, bool]] = []
    asking = console.engine.start(functions.asking_for_yes, is_confirmed=False)
    refused = console.engine.start(functions.refusing)
    for task in (asking, refused):  # it is known when the failure is told
        task.failed.connect(lambda sentence, _details, task=task: seen.append((sentence, task.needs_yes)))
    settle()
    assert sorted(seen) == [
        ("Choose a collection first.", False),
        ("The budget is used up. Say yes to go on.", True),
    ]
    again = console.engine.start(functions.asking_for_yes, is_confirmed=True)
    ended: list[bool] = []
    again.finished.connect(lambda _value: ended.append(again.needs_yes))
    settle()
    assert ended == [False]


def test_a_question_that_nobody_waits_for_is_passed_over(
    console: Console, settle: Callable[[], None]
) -> None:
    console.engine._handle("asks", 4711)
    told: list[str] = []
    console.engine.start(functions.echo_text, text="still here").finished.connect(told.append)
    settle()
    assert told == ["still here"]
