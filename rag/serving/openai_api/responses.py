"""Responses: the newer form of the same answers, which go on with an earlier one by its id."""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rag.serving.desk import Desk
from rag.serving.openai_api.answering import Answer, Events, Piece, cited, finish_reason, x_ragdeck
from rag.serving.openai_api.requests import Wish, read_json, response_wish
from rag.serving.openai_api.streams import Told, headers_of, noted, stream, told, whole


async def create_response(desk: Desk, request: Request, application: str) -> Response:
    """Answer POST /v1/responses. Raises RagError or ValidationError."""
    wish = response_wish(await read_json(request))
    call = desk.begin(application, "responses")
    if wish.streams:
        return await stream(desk, call, wish, lambda events: _events(events, wish))
    answer = await noted(desk, call, request, whole(desk, call, wish))
    return JSONResponse(_response(answer, wish), headers=headers_of(answer.trace_id))


def _response(answer: Answer, wish: Wish) -> dict[str, Any]:
    is_cut = finish_reason(answer) == "length"
    status = "incomplete" if is_cut else "completed"
    made = _begun(answer.trace_id, wish, status)
    made["output"] = [_message(answer.trace_id, status, [_text(answer)])]
    made["incomplete_details"] = {"reason": "max_output_tokens"} if is_cut else None
    made["usage"] = _usage(answer)
    made["x_ragdeck"] = x_ragdeck(answer)
    return made


async def _events(events: Events, wish: Wish) -> Told:
    teller = _Teller(wish)
    async for event in events:
        if isinstance(event, Piece):
            if not event.is_thinking:
                yield teller.delta(event.text)
        elif isinstance(event, Answer):
            for one in (*teller.begin(event.trace_id), *teller.end(event)):
                yield one
        else:
            for one in teller.begin(event.trace_id):
                yield one


class _Teller:
    """What a stream of a response has told so far."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self._number = -1
        self._id = ""
        self._place: dict[str, Any] = {}

    def begin(self, trace_id: str) -> list[dict[str, str]]:
        """Return the events before the text, once."""
        if self._number >= 0:
            return []
        begun = _begun(trace_id, self._wish, "in_progress")
        item = _message(trace_id, "in_progress", [])
        self._place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return [
            self._tell("response.created", response=begun),
            self._tell("response.in_progress", response=begun),
            self._tell("response.output_item.added", output_index=0, item=item),
            self._tell("response.content_part.added", part=part, **self._place),
        ]

    def delta(self, text: str) -> dict[str, str]:
        """Return the event of a piece of text."""
        return self._tell("response.output_text.delta", delta=text, logprobs=[], **self._place)

    def end(self, answer: Answer) -> list[dict[str, str]]:
        """Return the events after the text."""
        made = _response(answer, self._wish)
        item = made["output"][0]
        part = item["content"][0]
        rest = [self.delta(answer.rest)] if answer.rest else []  # numbered before what follows it
        notes = [
            self._tell(
                "response.output_text.annotation.added",
                annotation_index=number,
                annotation=one,
                **self._place,
            )
            for number, one in enumerate(part["annotations"])
        ]
        last = "response.incomplete" if made["status"] == "incomplete" else "response.completed"
        return [
            *rest,
            *notes,
            self._tell("response.output_text.done", text=part["text"], logprobs=[], **self._place),
            self._tell("response.content_part.done", part=part, **self._place),
            self._tell("response.output_item.done", output_index=0, item=item),
            self._tell(last, response=made),
        ]

    def _tell(self, kind: str, **values: Any) -> dict[str, str]:
        self._number += 1
        return told({"type": kind, "sequence_number": self._number, **values}, kind)


def _begun(trace_id: str, wish: Wish, status: str) -> dict[str, Any]:
    return {
        "id": f"resp_{trace_id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "model": wish.model,
        "previous_response_id": wish.previous or None,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": False,
        "temperature": wish.generation.get("temperature"),
        "tool_choice": "none",
        "tools": [],
        "top_p": wish.generation.get("top_p"),
    }


def _message(trace_id: str, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{trace_id}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _text(answer: Answer) -> dict[str, Any]:
    annotations = [
        {
            "type": "file_citation",
            "file_id": f"document-{hit.document_id}",
            "filename": hit.document,
            "index": start,
        }
        for start, _, hit in cited(answer)
    ]
    return {
        "type": "output_text",
        "text": answer.detail.answer,
        "annotations": annotations,
        "logprobs": [],
    }


def _usage(answer: Answer) -> dict[str, Any]:
    detail = answer.detail
    output = detail.completion_tokens + detail.thinking_tokens
    return {
        "input_tokens": detail.prompt_tokens,
        "input_tokens_details": {"cached_tokens": detail.cached_tokens},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": detail.thinking_tokens},
        "total_tokens": detail.prompt_tokens + output,
    }
