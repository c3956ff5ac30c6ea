"""Runs work of the engine on its lanes, and hands its events to the event loop of the server.

Operations on one lane never overlap: the window's and those of other programs wait for each other. A request
whose program has gone away closes its generator, which cancels it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from rag.errors import RagError, of_the_disk
from rag.text.plurals import counted

Put = Callable[[str, Callable[[], None]], None]  # puts a function on the lane with this name

MODEL, READ = "model", "read"
_log = logging.getLogger(__name__)


class BusyError(RagError):
    """A refusal because too many questions wait. retry_s: when it may be worth to ask again."""

    def __init__(self, waiting: int, retry_s: int) -> None:
        """Say how many wait."""
        verb = "is" if waiting == 1 else "are"
        super().__init__(
            f"{counted(waiting, 'question')} {verb} waiting for the model. "
            f"Ask again in {counted(retry_s, 'second')}."
        )
        self.retry_s = retry_s


class UnexpectedError(Exception):
    """A failure that is a bug here: it is in the log."""


class StoppedError(RagError):
    """The end of work because the server was stopped."""


class Lanes:
    """Lanes of its own, where no window has any: one thread for the model, two that read."""

    def __init__(self) -> None:
        """Start the threads."""
        self._queues = {lane: queue.Queue[Callable[[], None] | None]() for lane in (MODEL, READ)}
        self._threads = [
            threading.Thread(target=self._run, args=(self._queues[lane],), name=f"serve {lane}", daemon=True)
            for lane in (MODEL, READ, READ)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, lane: str, function: Callable[[], None]) -> None:
        """Put a function on a lane."""
        self._queues[lane].put(function)

    def close(self) -> None:
        """Run what was put there, and end."""
        for lane in (MODEL, READ, READ):
            self._queues[lane].put(None)
        for thread in self._threads:
            thread.join()

    @staticmethod
    def _run(waiting: queue.Queue[Callable[[], None] | None]) -> None:
        while (function := waiting.get()) is not None:
            function()


class Work:
    """A function of the engine on its way: it is cancelled at its next event."""

    def __init__(self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        """Make it ready. A function that returns a generator yields events and has a result."""
        self._function = function
        self._loop = loop
        self._told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._cancelled = threading.Event()
        self.ended = threading.Event()

    def run(self) -> None:
        """Do the work, on a thread of a lane; nothing that it raises may end that thread."""
        try:
            if self._cancelled.is_set():
                self._tell("failed", StoppedError("The server was stopped."))
                return
            self._tell("result", self._result())
        except RagError as error:
            self._tell("failed", error)
        except Exception as error:
            if refusal := of_the_disk(error):
                self._tell("failed", refusal)
                return
            _log.exception("a request of another program")
            self._tell("failed", UnexpectedError(f"{type(error).__name__}: {error}"))
        finally:
            self.ended.set()

    def cancel(self) -> None:
        """Stop it at its next event, or before it begins."""
        self._cancelled.set()

    async def events(self) -> AsyncGenerator[Any, None]:
        """Yield the events, and last a `Result`. Raises what the work raised."""
        try:
            while True:
                kind, value = await self._told.get()
                if kind == "failed":
                    raise value
                yield Result(value) if kind == "result" else value
                if kind == "result":
                    return
        finally:
            self.cancel()

    def _result(self) -> Any:
        made = self._function()
        if not inspect.isgenerator(made):
            return made
        try:
            while True:
                event = next(made)
                if self._cancelled.is_set():
                    made.close()
                    raise StoppedError("The request was cancelled.")
                self._tell("event", event)
        except StopIteration as end:
            return end.value

    def _tell(self, kind: str, value: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(self._told.put_nowait, (kind, value))
        except RuntimeError:  # the loop was closed: nobody waits for it any more
            self.cancel()


class Result:
    """The end of some work, with what it returned."""

    def __init__(self, value: Any) -> None:
        """Hold it."""
        self.value = value


class Bench:
    """Where the work of a server is put: it is counted, bounded, and stopped with the server."""

    def __init__(self, put: Put, most_waiting: Callable[[], int]) -> None:
        """Use these lanes.

        Args:
            put: See Put.
            most_waiting: Says how many questions may wait besides the one that is being answered.
        """
        self._put = put
        self._most_waiting = most_waiting
        self._open: set[Work] = set()
        self._questions = 0
        self._lock = threading.Lock()
        self._seconds = 5.0  # that a question took, of late
        self._is_stopped = False

    @property
    def waiting(self) -> int:
        """How many questions wait or are being answered."""
        return self._questions

    async def run(self, lane: str, function: Callable[[], Any]) -> Any:
        """Return the result of a function without events."""
        async with aclosing(self.events(lane, function)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.value
        raise StoppedError("The server was stopped.")

    async def events(self, lane: str, function: Callable[[], Any]) -> AsyncGenerator[Any, None]:
        """Yield the events of a function on a lane, and last its Result. Raises BusyError at once.

        Ending the iteration, also by a cancelled task, cancels the work.
        """
        work = self._begin(lane, function)
        begun = time.monotonic()
        try:
            async with aclosing(work.events()) as events:
                async for event in events:
                    yield event
        finally:
            work.cancel()
            with self._lock:
                self._open.discard(work)
                if lane == MODEL:
                    self._questions -= 1
                    self._seconds = 0.7 * self._seconds + 0.3 * (time.monotonic() - begun)

    def stop(self) -> None:
        """Cancel everything, and take nothing more."""
        with self._lock:
            self._is_stopped = True
            works = list(self._open)
        for work in works:
            work.cancel()

    def _begin(self, lane: str, function: Callable[[], Any]) -> Work:
        work = Work(function, asyncio.get_running_loop())
        with self._lock:
            if self._is_stopped:
                raise StoppedError("The server was stopped.")
            if lane == MODEL:
                waiting = self._questions - 1
                if waiting >= self._most_waiting():
                    raise BusyError(max(waiting, 0), max(1, round(self._seconds)))
                self._questions += 1
            self._open.add(work)
        self._put(lane, work.run)
        return work
