"""Chat completions: the answer as OpenAI's clients read it, whole or piece by piece."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rag.serving.desk import Desk
from rag.serving.openai_api.answering import (
    Answer,
    Begun,
    Events,
    Piece,
    cited,
    document_uri,
    finish_reason,
    x_ragdeck,
)
from rag.serving.openai_api.requests import Wish, chat_wish, read_json
from rag.serving.openai_api.streams import Told, headers_of, noted, stream, told, whole


async def complete_chat(desk: Desk, request: Request, application: str) -> Response:
    """Answer POST /v1/chat/completions. Raises RagError or ValidationError."""
    wish = chat_wish(await read_json(request))
    call = desk.begin(application, "chat")
    if wish.streams:
        return await stream(desk, call, wish, lambda events: _chunks(events, wish))
    answer = await noted(desk, call, request, whole(desk, call, wish))
    return JSONResponse(_completion(answer, wish), headers=headers_of(answer.trace_id))


def _completion(answer: Answer, wish: Wish) -> dict[str, Any]:
    message = {
        "role": "assistant",
        "content": answer.detail.answer,
        "refusal": None,
        "annotations": _annotations(answer),
    }
    if answer.detail.thinking:
        message["reasoning_content"] = answer.detail.thinking
    return {
        **_head("chat.completion", answer.trace_id, wish),
        "choices": [
            {"index": 0, "message": message, "finish_reason": finish_reason(answer), "logprobs": None}
        ],
        "usage": _usage(answer),
        "x_ragdeck": x_ragdeck(answer),
    }


async def _chunks(events: Events, wish: Wish) -> Told:
    head: dict[str, Any] = {}
    answer: Answer | None = None
    async for event in events:
        if not head:
            trace_id = event.trace_id if isinstance(event, Begun | Answer) else ""
            head = _head("chat.completion.chunk", trace_id, wish)
            yield told(_chunk(head, {"role": "assistant", "content": ""}))
        if isinstance(event, Piece):
            yield told(_chunk(head, {"reasoning_content" if event.is_thinking else "content": event.text}))
        elif isinstance(event, Answer):
            answer = event
    if answer is None:
        return
    if answer.rest:
        yield told(_chunk(head, {"content": answer.rest}))
    last = _chunk(head, {"annotations": _annotations(answer)}, finish_reason(answer))
    yield told({**last, "x_ragdeck": x_ragdeck(answer)})
    if wish.has_usage:
        yield told({**head, "choices": [], "usage": _usage(answer)})
    yield {"data": "[DONE]"}


def _head(kind: str, trace_id: str, wish: Wish) -> dict[str, Any]:
    return {"id": f"chatcmpl-{trace_id}", "object": kind, "created": int(time.time()), "model": wish.model}


def _chunk(head: dict[str, Any], delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]}


def _annotations(answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": start,
                "end_index": end,
                "title": f"{hit.document}{', ' + hit.place if hit.place else ''}",
                "url": document_uri(hit.document_id),
            },
        }
        for start, end, hit in cited(answer)
    ]


def _usage(answer: Answer) -> dict[str, Any]:
    detail = answer.detail
    completion = detail.completion_tokens + detail.thinking_tokens
    return {
        "prompt_tokens": detail.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": detail.prompt_tokens + completion,
        "prompt_tokens_details": {"cached_tokens": detail.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": detail.thinking_tokens},
    }
