"""Functions for an engine in tests to run, and processes that end too soon. Light: a new process imports this."""

from __future__ import annotations

import errno
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.operations import Lane, Operation

gates: dict[str, threading.Event] = defaultdict(threading.Event)  # by name; a test opens them with set()
calls: list[str] = []  # what ran, in order


def echo(text: str) -> str:
    """Return the text."""
    calls.append(text)
    return text


def count_up(count: int) -> Iterator[int]:
    """Yield the numbers below count and return their sum."""
    total = 0
    for number in range(count):
        yield number
        total += number
    return total


def pass_gate(gate: str) -> Iterator[str]:
    """Yield once before and once after a gate that the test opens, and note how it ended."""
    calls.append(f"{gate} begins")
    try:
        yield "before"
        gates[gate].wait(10)
        yield "after"
        calls.append(f"{gate} is through")
    except GeneratorExit:
        calls.append(f"{gate} is closed")
        raise
    return gate


def tick(gate: str) -> Iterator[str]:
    """Yield again and again until it is closed, and note that."""
    calls.append(f"{gate} begins")
    try:
        while True:
            yield "tick"
            gates[gate].wait(0.01)
    finally:
        calls.append(f"{gate} is closed")


def hold(gate: str) -> str:
    """Return when the gate is opened; without events, so it cannot be cancelled."""
    gates[gate].wait(10)
    return gate


def hold_and_fail(gate: str) -> Iterator[str]:
    """Yield, wait for the gate, and refuse."""
    yield "before"
    gates[gate].wait(10)
    raise RagError("The file is gone; choose another.")


def refuse() -> None:
    """Refuse as a feature does."""
    raise RagError("Choose a collection first.")


class OnlyWithYesError(RagError):
    """A refusal that a person may overrule."""

    needs_yes = True


def ask_for_yes(is_confirmed: bool) -> Iterator[str]:
    """Refuse as a budget does, after an event, unless a person has said yes."""
    yield "before"
    if not is_confirmed:
        raise OnlyWithYesError("The budget is used up. Say yes to go on.")


def slip() -> None:
    """Fail as a bug does."""
    raise ZeroDivisionError("a slip")


def fill_the_disk() -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def tell_parts(workspace: Any, store: Any, database: Any, settings: Any, folder: Any, name: str) -> list[str]:
    """Return the types of the parts that the engine filled in."""
    return [type(part).__name__ for part in (workspace, store, database, settings)] + [str(folder), name]


def tell_folder(folder: str) -> str:
    """Return the folder as it was given."""
    return folder


HERE = __name__.rpartition(".")[2]
echo_text: Operation[str] = Operation(f"{HERE}:echo", Lane.MODEL, "Echo {text}")
counting: Operation[int] = Operation(f"{HERE}:count_up", Lane.MODEL, "Count to {count}")
gated: Operation[str] = Operation(f"{HERE}:pass_gate", Lane.INGEST, "Pass {gate}")
gated_model: Operation[str] = Operation(f"{HERE}:pass_gate", Lane.MODEL, "Ask {gate}")
ticking: Operation[None] = Operation(f"{HERE}:tick", Lane.INGEST, "Tick {gate}")
held_read: Operation[str] = Operation(f"{HERE}:hold", Lane.READ, "Read {gate}")
held_write: Operation[str] = Operation(f"{HERE}:hold", Lane.WRITE, "Write {gate}")
failing: Operation[str] = Operation(f"{HERE}:hold_and_fail", Lane.INGEST, "Fail after {gate}")
refusing: Operation[None] = Operation(f"{HERE}:refuse", Lane.WRITE, "Refuse")
asking_for_yes: Operation[None] = Operation(f"{HERE}:ask_for_yes", Lane.MODEL, "Ask for a yes")
slipping: Operation[None] = Operation(f"{HERE}:slip", Lane.WRITE, "Slip")
filling: Operation[None] = Operation(f"{HERE}:fill_the_disk", Lane.WRITE, "Fill the disk")
telling: Operation[list[str]] = Operation(f"{HERE}:tell_parts", Lane.READ, "Tell {name}")
telling_folder: Operation[str] = Operation(f"{HERE}:tell_folder", Lane.READ, "Tell the folder")


def die_at_once(connection: Connection, folder: str) -> None:
    """End as a process does whose libraries abort; note the start in the folder."""
    with (Path(folder) / "starts").open("a", encoding="utf-8") as file:
        file.write("x")
    os._exit(7)


def die_on_a_task(connection: Connection, folder: str) -> None:
    """Report ready, and end when the first task comes."""
    connection.send(("ready", 0, ["prepared"]))
    while connection.recv()[0] != "start":
        pass
    os._exit(3)


def refuse_the_folder(connection: Connection, folder: str) -> None:
    """Refuse the folder as `serve` does."""
    connection.send(("refused", f"{folder} is in use."))


def ignore_stop(connection: Connection, folder: str) -> None:
    """Report ready and never end by itself."""
    connection.send(("ready", 2, []))
    threading.Event().wait()
