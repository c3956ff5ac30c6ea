"""Runs a request to its end: whole, or as a stream that begins when what may be refused has not been.

An error before a stream has a status of its own; one inside of it is its last event. A program that goes away
cancels what it asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from rag.serving.desk import Call, Desk
from rag.serving.openai_api.answering import Answer, Begun, Events, answers
from rag.serving.openai_api.errors import error_body, status_of
from rag.serving.openai_api.requests import Wish
from rag.serving.work import StoppedError

TRACE_HEADER = "x-ragdeck-trace"
GONE = 499  # what servers note of a request whose program went away
_PING_S = 15

Told = AsyncGenerator[dict[str, str], None]
R = TypeVar("R")


def headers_of(trace_id: str) -> dict[str, str]:
    """Return the headers that name the trace of an answer."""
    return {TRACE_HEADER: trace_id, "x-request-id": trace_id}


def told(value: dict[str, Any], event: str = "") -> dict[str, str]:
    """Return an event of a stream."""
    named = {"event": event} if event else {}
    return {**named, "data": json.dumps(value, ensure_ascii=False)}


async def noted(desk: Desk, call: Call, request: Request, work: Coroutine[Any, Any, R]) -> R:
    """Return what some work returns, and list how it ended; it is cancelled when its program goes away."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StoppedError("The program that asked has gone away.")
        result = await task
    except Exception as error:
        desk.end(call, status_of(error) if task.done() else GONE, str(error))
        raise
    except BaseException:
        desk.end(call, GONE, "cancelled")
        raise
    else:
        desk.end(call)
        return result
    finally:
        for each in (task, gone):
            each.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await each


async def whole(desk: Desk, call: Call, wish: Wish) -> Answer:
    """Return an answer at once, when it is complete. Raises RagError."""
    async with aclosing(answers(desk, call, wish)) as events:
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise StoppedError("The server was stopped.")


async def stream(desk: Desk, call: Call, wish: Wish, tell: Callable[[Events], Told]) -> Response:
    """Return a stream of an answer. Raises RagError before it begins.

    Args:
        desk: See Desk.
        call: The request, which is listed until the stream ends.
        wish: What is asked.
        tell: Makes the events of the stream from those of the answer.
    """
    events = answers(desk, call, wish)
    try:
        first = await anext(events)
    except BaseException as error:
        desk.end(call, status_of(error) if isinstance(error, Exception) else GONE, str(error) or "cancelled")
        raise

    async def all_of_it() -> Events:
        yield first
        async for event in events:
            yield event

    async def body() -> Told:
        status, detail = GONE, "cancelled"
        try:
            async with aclosing(events), aclosing(tell(all_of_it())) as telling:
                async for event in telling:
                    yield event
            status, detail = 200, ""
        except Exception as error:
            status, detail = status_of(error), str(error)
            yield told(error_body(error))
        finally:
            desk.end(call, status, detail)

    trace_id = first.trace_id if isinstance(first, Begun | Answer) else ""
    return EventSourceResponse(body(), headers=headers_of(trace_id), ping=_PING_S, sep="\n")


async def _gone(request: Request) -> None:
    """Return when the program that sent a request is no longer there."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
