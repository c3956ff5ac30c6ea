"""A stream begins when nothing is refused any more; before that an error has a status."""

from __future__ import annotations

import json

import openai
import pytest
from serving_parts import COLLECTION, QUESTION, Served

from rag.errors import RagError
from rag.serving.openai_api.streams import headers_of, told

MESSAGES = [{"role": "user", "content": QUESTION}]


def test_what_is_refused_before_the_stream_has_a_status(served: Served, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nobody", messages=MESSAGES, stream=True)  # type: ignore[call-overload]
    call = served.server.desk.calls[0]
    assert (call.status, call.what, call.model) == (404, "chat", "nobody")


def test_a_model_that_cannot_be_loaded_is_refused_before_the_stream(
    served: Served, client: openai.OpenAI
) -> None:
    served.workspace.unload_model()
    served.model.load_error = RagError("The file is damaged.")
    try:
        with pytest.raises(openai.BadRequestError, match="damaged"):
            client.responses.create(model=COLLECTION, input=QUESTION, stream=True)
    finally:
        served.model.load_error = None


def test_a_request_in_progress_is_listed_as_that(served: Served, client: openai.OpenAI) -> None:
    served.model.pause_after = 1
    stream = client.chat.completions.create(model=COLLECTION, messages=MESSAGES, stream=True)  # type: ignore[call-overload]
    next(iter(stream))
    desk = served.server.desk
    assert desk.calls[0].outcome == "in progress" and desk.bench.waiting == 1
    served.model.may_go_on.set()
    trace_id = list(stream)[-1].x_ragdeck["trace_id"]
    assert (desk.calls[0].outcome, desk.calls[0].trace_id, desk.bench.waiting) == ("done", trace_id, 0)


def test_events_are_one_line_of_json() -> None:
    event = told({"text": "Zwei\nZeilen – é"}, "response.created")
    assert event["event"] == "response.created" and "\n" not in event["data"]
    assert json.loads(event["data"]) == {"text": "Zwei\nZeilen – é"}
    assert headers_of("ab") == {"x-ragdeck-trace": "ab", "x-request-id": "ab"}
