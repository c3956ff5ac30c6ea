"""Begins a stream only when what may be refused has not been: an error before has a status of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.responses import Response

from rag.serving.desk import Call, Desk
from rag.serving.openai_api.answering import Answer, Begun, Piece, answers
from rag.serving.openai_api.errors import error_body
from rag.serving.openai_api.requests import Wish

TRACE_HEADER = "x-ragdeck-trace"
_PING_S = 15

Events = AsyncIterator[Begun | Piece | Answer]
Told = AsyncIterator[dict[str, str]]


def headers_of(trace_id: str) -> dict[str, str]:
    """Return the headers that name the trace of an answer."""
    return {TRACE_HEADER: trace_id, "x-request-id": trace_id}


def told(value: dict[str, Any], event: str = "") -> dict[str, str]:
    """Return an event of a stream."""
    named = {"event": event} if event else {}
    return {**named, "data": json.dumps(value, ensure_ascii=False)}


async def stream(
    desk: Desk, application: str, what: str, wish: Wish, tell: Callable[[Call, Events], Told]
) -> Response:
    """Return a stream of an answer.

    Args:
        desk: See Desk.
        application: Who asks.
        what: The path.
        wish: What is asked.
        tell: Makes the events of the stream from those of the answer.
    """
    noted = desk.noted(application, what)
    call = await noted.__aenter__()
    events = answers(desk, call, wish)
    try:
        first = await anext(events)
    except BaseException as error:
        await _end(noted, call, error)
        raise

    async def rest() -> Events:
        yield first
        async for event in events:
            yield event

    async def body() -> Told:
        failure: BaseException | None = None
        try:
            async for event in tell(call, rest()):
                yield event
        except Exception as error:  # the stream has begun: its end says what happened
            failure = error
            yield told(error_body(error))
        except BaseException as error:
            failure = error
            raise
        finally:
            await events.aclose()  # type: ignore[attr-defined]
            await _end(noted, call, failure)

    trace_id = first.trace_id if isinstance(first, Begun | Answer) else ""
    return EventSourceResponse(body(), headers=headers_of(trace_id), ping=_PING_S, sep="\n")


async def _end(noted: Any, call: Call, error: BaseException | None) -> None:
    """End the entry of a request in the list."""
    if error is None:
        await noted.__aexit__(None, None, None)
        return
    call.status = 500 if isinstance(error, Exception) else 499
    try:
        await noted.__aexit__(type(error), error, error.__traceback__)
    except BaseException as raised:
        if raised is not error:
            raise
