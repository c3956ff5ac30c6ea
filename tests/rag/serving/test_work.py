"""Work runs on a lane, its events come in order, and it ends when nobody wants it any more."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from rag.errors import RagError
from rag.serving.work import (
    MODEL,
    READ,
    Bench,
    BusyError,
    Lanes,
    Result,
    StoppedError,
    UnexpectedError,
)


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.close()


def counting(count: int) -> Iterator[int]:
    yield from range(count)
    return count * 10  # type: ignore[return-value]


def bench_of(lanes: Lanes, most: int = 8) -> Bench:
    return Bench(lanes.put, lambda: most)


def test_events_come_in_order_and_the_result_last(lanes: Lanes) -> None:
    async def run() -> list[Any]:
        return [event async for event in bench_of(lanes).events(MODEL, lambda: counting(3))]

    *events, last = asyncio.run(run())
    assert events == [0, 1, 2] and isinstance(last, Result) and last.value == 30


def test_a_plain_function_has_a_result_alone(lanes: Lanes) -> None:
    bench = bench_of(lanes)
    assert asyncio.run(bench.run(READ, lambda: "read")) == "read" and bench.waiting == 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [(RagError("No."), RagError), (KeyError("x"), UnexpectedError), (OSError(28, "full"), RagError)],
)
def test_what_it_raises_comes_to_who_asked(lanes: Lanes, error: Exception, kind: type[Exception]) -> None:
    def fail() -> None:
        raise error

    bench = bench_of(lanes)
    with pytest.raises(kind):
        asyncio.run(bench.run(MODEL, fail))
    assert asyncio.run(bench.run(MODEL, lambda: 1)) == 1  # the lane goes on


def test_work_that_is_left_is_closed_at_its_next_event(lanes: Lanes) -> None:
    closed, gate = threading.Event(), threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
                gate.wait(10)
        finally:
            closed.set()

    async def run(bench: Bench) -> None:
        async with aclosing(bench.events(MODEL, endless)) as events:
            async for _ in events:
                break
        assert bench.waiting == 0
        gate.set()

    asyncio.run(run(bench_of(lanes)))
    assert closed.wait(10)


def test_one_question_too_many_is_refused_and_reading_is_not(lanes: Lanes) -> None:
    bench, gate = bench_of(lanes, 1), threading.Event()

    def held() -> bool:
        return gate.wait(10)

    async def run() -> int:
        first = [asyncio.create_task(bench.run(MODEL, held)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="1 question") as refused:
            await bench.run(MODEL, held)
        assert await bench.run(READ, lambda: bench.waiting) == 2
        gate.set()
        assert all(await asyncio.gather(*first))
        return refused.value.retry_s

    assert asyncio.run(run()) >= 1 and bench.waiting == 0


def test_a_bench_that_is_stopped_takes_nothing_and_cancels_what_waits(lanes: Lanes) -> None:
    bench, begun, gate = bench_of(lanes), threading.Event(), threading.Event()
    ran: list[str] = []

    def held() -> bool:
        begun.set()
        return gate.wait(10)

    async def run() -> None:
        first = asyncio.create_task(bench.run(MODEL, held))
        second = asyncio.create_task(bench.run(MODEL, lambda: ran.append("second")))
        assert await asyncio.to_thread(begun.wait, 10)
        bench.stop()
        gate.set()
        assert await first is True
        for late in (second, bench.run(MODEL, lambda: ran.append("third"))):
            with pytest.raises(StoppedError):
                await late

    asyncio.run(run())
    assert ran == []


def test_lanes_run_their_functions_in_order_and_end(lanes: Lanes) -> None:
    ran: list[int] = []

    def note(number: int) -> Callable[[], None]:
        return lambda: ran.append(number)

    for number in range(20):
        lanes.put(MODEL, note(number))
    lanes.close()
    assert ran == list(range(20))
    assert not any(thread.is_alive() for thread in lanes._threads)


def test_a_loop_that_is_closed_is_no_error_of_the_lane(lanes: Lanes) -> None:
    from rag.serving.work import Work

    loop = asyncio.new_event_loop()
    work = Work(lambda: counting(5), loop)
    loop.close()
    work.run()
    assert work.ended.is_set()


@pytest.mark.parametrize(("seconds", "retry_s"), [(0.0, 1), (0.4, 1), (1.4, 1), (2.6, 3), (600.0, 600)])
def test_who_is_refused_comes_again_when_a_question_will_be_done(seconds: float, retry_s: int) -> None:
    bench = Bench(lambda _lane, _function: None, lambda: -1)
    bench._seconds = seconds

    async def run() -> int:
        with pytest.raises(BusyError) as refused:
            await bench.run(MODEL, lambda: 1)
        return refused.value.retry_s

    assert asyncio.run(run()) == retry_s and bench.waiting == 0


@pytest.mark.parametrize("most", [0, 1, 3])
def test_so_many_questions_wait_besides_the_one_that_is_answered(most: int) -> None:
    held: list[Callable[[], None]] = []
    bench = Bench(lambda _lane, function: held.append(function), lambda: most)

    async def run() -> None:
        tasks = [asyncio.create_task(bench.run(MODEL, lambda: 1)) for _ in range(most + 3)]
        await asyncio.sleep(0)
        assert bench.waiting == len(held) == most + 1
        for function in held:
            function()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in ended] == [int] * (most + 1) + [BusyError] * 2

    asyncio.run(run())
    assert bench.waiting == 0


@pytest.mark.parametrize("lane", [MODEL, READ])
def test_a_refusal_is_counted_out_again(lanes: Lanes, lane: str) -> None:
    def refuse() -> None:
        raise RagError("No.")

    bench = bench_of(lanes, 0)
    for _ in range(3):  # each would be refused as busy if one before it were still counted
        with pytest.raises(RagError, match=r"^No\.$"):
            asyncio.run(bench.run(lane, refuse))
    assert bench.waiting == 0


def test_work_that_is_cancelled_before_its_turn_never_begins() -> None:
    held: list[Callable[[], None]] = []
    ran: list[str] = []
    bench = Bench(lambda _lane, function: held.append(function), lambda: 8)

    async def run() -> None:
        task = asyncio.create_task(bench.run(MODEL, lambda: ran.append("it ran")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held[0]()

    asyncio.run(run())
    assert ran == [] and bench.waiting == 0


def test_a_bug_is_told_by_its_name_and_a_full_disk_by_a_sentence(lanes: Lanes) -> None:
    def fail(error: Exception) -> None:
        raise error

    bench = bench_of(lanes)
    with pytest.raises(UnexpectedError, match=r"^KeyError: 'x'$"):
        asyncio.run(bench.run(READ, lambda: fail(KeyError("x"))))
    with pytest.raises(RagError, match="disk is full"):
        asyncio.run(bench.run(READ, lambda: fail(OSError(errno.ENOSPC, "No space left on device"))))
