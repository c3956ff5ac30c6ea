"""The desk lists the last requests, and leaves a record of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fakes import drive

from rag.serving.desk import Desk
from rag.workspace import Workspace


def nowhere(lane: str, function: Callable[[], None]) -> None:
    raise AssertionError("nothing is put on a lane here")


def records(workspace: Workspace) -> list[tuple[str, str, str]]:
    found = workspace.database.cells(
        "SELECT action, who, subject, detail FROM auditevent WHERE action = 'server called' ORDER BY id"
    )
    return [tuple(row) for row in found]  # type: ignore[misc]


def test_requests_are_listed_newest_first_and_the_last_ones_alone(workspace: Workspace) -> None:
    desk = Desk(workspace, nowhere)
    first = desk.begin("editor", "chat")
    assert desk.calls[0].outcome == "in progress" and desk.calls[0].milliseconds is None
    first.model, first.trace_id = "Notes", "ab"
    desk.end(first, 404, "There is none.")
    assert (desk.calls[0].outcome, desk.calls[0].model, desk.calls[0].trace_id) == (
        "There is none.",
        "Notes",
        "ab",
    )
    for number in range(250):
        desk.end(desk.begin("agent", f"mcp {number}"))
    assert desk.total == 251 and len(desk.calls) == 200
    assert [call.what for call in desk.calls[:2]] == ["mcp 249", "mcp 248"]
    desk.end(first)  # long gone from the list
    assert len(desk.calls) == 200


def test_each_call_is_recorded_however_it_ends(workspace: Workspace) -> None:
    desk = Desk(workspace, nowhere)
    call = desk.begin("editor", "chat")

    def asked() -> Iterator[int]:
        yield 1
        return {"trace_id": "ab"}  # type: ignore[return-value]

    def refused() -> None:
        raise ValueError("a question of somebody")

    assert drive(desk.audited(call, asked)()) == {"trace_id": "ab"} and call.trace_id == "ab"
    assert drive(desk.audited(call, lambda: [1])()) == [1]
    with pytest.raises(ValueError, match="somebody"):
        drive(desk.audited(call, refused)())
    left: Any = desk.audited(call, asked)()
    next(left)
    left.close()
    assert records(workspace) == [
        ("server called", "token editor", "chat", "trace ab"),
        ("server called", "token editor", "chat", "done"),
        ("server called", "token editor", "chat", "failed: ValueError"),
        ("server called", "token editor", "chat", "cancelled"),
    ]
