"""The desk lists the last requests, and leaves a record of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fakes import drive

from rag.errors import RagError
from rag.serving.desk import Desk
from rag.serving.work import MODEL, BusyError
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


def test_two_requests_end_in_any_order(workspace: Workspace) -> None:
    desk = Desk(workspace, nowhere)
    first, second = desk.begin("editor", "chat"), desk.begin("agent", "mcp ask")
    desk.end(first, 429, "Too many.")
    assert [(call.application, call.outcome) for call in desk.calls] == [
        ("agent", "in progress"),
        ("editor", "Too many."),
    ]
    desk.end(second)
    assert [call.outcome for call in desk.calls] == ["done", "Too many."]
    assert [call.number for call in desk.calls] == [2, 1]


def test_a_request_takes_the_time_until_its_end(workspace: Workspace) -> None:
    desk = Desk(workspace, nowhere)
    call = desk.begin("editor", "chat")
    began = desk.calls[0]
    desk.end(call)
    ended = desk.calls[0]
    assert began.milliseconds is None and ended.milliseconds is not None and ended.milliseconds >= 0
    assert ended.at_ms == began.at_ms and desk.total == 1


def test_the_trace_of_an_answer_that_is_an_object_is_noted(workspace: Workspace) -> None:
    desk = Desk(workspace, nowhere)
    call = desk.begin("editor", "chat")

    class Answer:
        trace_id = "cd"

    made = drive(desk.audited(call, Answer)())
    assert isinstance(made, Answer) and call.trace_id == "cd"
    assert records(workspace)[-1][3] == "trace cd"


@pytest.mark.parametrize("value", [None, 7, "text", {}, {"trace_id": ""}, {"trace_id": None}, []])
def test_a_result_without_a_trace_is_done_and_given_as_it_is(workspace: Workspace, value: object) -> None:
    desk = Desk(workspace, nowhere)
    call = desk.begin("editor", "chat")
    assert drive(desk.audited(call, lambda: value)()) is value
    assert (call.trace_id, records(workspace)[-1][3]) == ("", "done")


def test_a_record_never_quotes_what_was_asked(workspace: Workspace) -> None:
    desk = Desk(workspace, nowhere)

    def refused() -> None:
        raise RagError("“Who is Ann Smith?” cannot be answered.")

    with pytest.raises(RagError):
        drive(desk.audited(desk.begin("editor", "chat"), refused)())
    assert "Ann" not in str(records(workspace)) and records(workspace)[0][3] == "failed: RagError"


def test_the_bound_of_questions_that_wait_is_the_one_of_the_settings_now(workspace: Workspace) -> None:
    ran: list[Callable[[], None]] = []
    desk = Desk(workspace, lambda lane, function: ran.append(function))
    workspace.change_settings({"server": {"most_waiting": 0}})

    async def ask() -> None:
        task = asyncio.create_task(desk.bench.run(MODEL, lambda: 1))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await desk.bench.run(MODEL, lambda: 2)
        workspace.change_settings({"server": {"most_waiting": 1}})
        second = asyncio.create_task(desk.bench.run(MODEL, lambda: 2))
        await asyncio.sleep(0)
        assert desk.bench.waiting == len(ran) == 2
        for function in ran:
            function()
        assert await asyncio.gather(task, second) == [1, 2]

    asyncio.run(ask())
    assert desk.bench.waiting == 0
