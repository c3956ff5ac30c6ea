"""Responses, by the real client: created, streamed, and going on with an earlier one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest
from serving_parts import ANSWER, COLLECTION, QUESTION, Served, answered, passage

from rag.asking.rows import get_trace
from rag.serving.openai_api.answering import Begun, Piece
from rag.serving.openai_api.requests import Wish
from rag.serving.openai_api.responses import _events

WISH = Wish("m", "Why?", streams=True)


def test_a_response_has_its_text_its_sources_and_its_usage(served: Served, client: openai.OpenAI) -> None:
    made = client.responses.create(model=COLLECTION, input=QUESTION)
    trace = get_trace(served.workspace.database, made.id.removeprefix("resp_"))
    assert made.output_text == ANSWER == trace.answer and made.status == "completed"
    (note,) = made.output[0].content[0].annotations  # type: ignore[union-attr]
    assert (note.type, note.filename) == ("file_citation", "bread.md")  # type: ignore[union-attr]
    assert made.usage is not None and made.usage.output_tokens == trace.completion_tokens
    assert made.x_ragdeck["trace_id"] == trace.id  # type: ignore[attr-defined]


def test_a_stream_has_all_events_in_order(served: Served, client: openai.OpenAI) -> None:
    with client.responses.stream(model=COLLECTION, input=QUESTION) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = list(dict.fromkeys(event.type for event in events))
    assert kinds == [
        "response.created", "response.in_progress", "response.output_item.added",
        "response.content_part.added", "response.output_text.delta",
        "response.output_text.annotation.added", "response.output_text.done", "response.content_part.done",
        "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert final.output_text == ANSWER
    assert [event.sequence_number for event in events] == list(range(len(events)))  # type: ignore[union-attr]


def test_one_that_follows_another_is_in_its_session(served: Served, client: openai.OpenAI) -> None:
    first = client.responses.create(model=COLLECTION, input=QUESTION)
    second = client.responses.create(model=COLLECTION, input="And it?", previous_response_id=first.id)
    one, other = (get_trace(served.workspace.database, made.id[5:]) for made in (first, second))
    assert (other.session_id, other.parent_id) == (one.session_id, one.id) and ANSWER in other.prompt
    assert second.previous_response_id == first.id
    with pytest.raises(openai.NotFoundError, match="no response") as refused:
        client.responses.create(model=COLLECTION, input="And?", previous_response_id="resp_never")
    assert refused.value.code == "previous_response_not_found"


def test_what_is_left_out_is_named(served: Served, client: openai.OpenAI) -> None:
    made = client.responses.create(
        model=COLLECTION, instructions="Be brief.", tools=[{"type": "web_search"}],
        input=[
            {"type": "reasoning", "id": "r", "summary": []},
            {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        ],
    )  # fmt: skip
    assert made.output_text == ANSWER
    assert made.x_ragdeck["notices"] == [  # type: ignore[attr-defined]
        "The instructions were left out: the prompt of the collection decides.",
        "The tools were left out: web_search.",
        "Items were left out: reasoning.",
    ]


def test_one_that_was_cut_off_is_incomplete(served: Served, client: openai.OpenAI) -> None:
    served.model.answer = "Rye bread needs sourdough and a lot of time."
    made = client.responses.create(model=COLLECTION, input=QUESTION, max_output_tokens=3)
    assert made.output_text.strip() == "Rye bread needs" and made.status == "incomplete"
    assert made.incomplete_details is not None and made.incomplete_details.reason == "max_output_tokens"


# --- the events of a stream, without a server -------------------------------------------------------------


def events_of(*events: Any, wish: Wish = WISH) -> list[dict[str, Any]]:
    """Return what a stream tells of these events of an answer."""

    async def run() -> list[dict[str, Any]]:
        async def given() -> Any:
            for event in events:
                yield event

        return [json.loads(one["data"]) async for one in _events(given(), wish)]

    return asyncio.run(run())


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in told]


BEGIN = ["created", "in_progress", "output_item.added", "content_part.added"]
END = ["output_text.done", "content_part.done", "output_item.done", "completed"]


@pytest.mark.parametrize(
    ("events", "between"),
    [
        ((answered(),), []),  # from the cache, and empty
        ((answered("All of it.", answer="All of it."),), ["output_text.delta"]),
        ((Begun("ab"), answered("It.", answer="It.")), ["output_text.delta"]),
        ((Begun("ab"), Piece("A"), Piece("B"), answered(answer="AB")), ["output_text.delta"] * 2),
        ((Begun("ab"), Piece("Hm.", True), Piece("A"), answered(answer="A")), ["output_text.delta"]),
        ((Begun("ab"), Piece("Hm.", True), answered(answer="")), []),
        (
            (answered("A [1].", answer="A [1].", hits=(passage(1),)),),
            ["output_text.delta", "output_text.annotation.added"],
        ),
    ],
)
def test_a_stream_begins_once_and_ends_once(events: tuple[Any, ...], between: list[str]) -> None:
    told = events_of(*events)
    assert kinds(told) == [*BEGIN, *between, *END]
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    deltas = "".join(event["delta"] for event in told if event["type"] == "response.output_text.delta")
    assert deltas == told[-1]["response"]["output"][0]["content"][0]["text"]


def test_every_event_of_the_text_names_the_same_item() -> None:
    told = events_of(Begun("ab"), Piece("A"), answered(answer="A"))
    assert {event["item_id"] for event in told if "item_id" in event} == {"msg_ab"}
    assert told[0]["response"]["id"] == told[-1]["response"]["id"] == "resp_ab"
    assert [told[0]["response"]["status"], told[-1]["response"]["status"]] == ["in_progress", "completed"]
    assert told[0]["response"]["output"] == [] and len(told[-1]["response"]["output"]) == 1


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "completed", None),
    ],
)
def test_an_end_has_its_status(reason: str, status: str, details: object) -> None:
    *_, last = events_of(answered(finish_reason=reason))
    assert last["type"] == f"response.{status}" and last["response"]["incomplete_details"] == details
    assert last["response"]["output"][0]["status"] == status


def test_a_stream_of_nothing_tells_nothing() -> None:
    assert events_of() == []


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        (Wish("m", "Why?"), (None, None, None)),
        (Wish("m", "Why?", generation={"temperature": 0.0, "top_p": 0.5}), (0.0, 0.5, None)),
        (Wish("m", "Why?", previous="resp_1"), (None, None, "resp_1")),
    ],
)
def test_a_response_repeats_what_was_wished(wish: Wish, shown: tuple[object, ...]) -> None:
    made = events_of(answered(), wish=wish)[-1]["response"]
    assert (made["temperature"], made["top_p"], made["previous_response_id"]) == shown
    assert made["model"] == "m" and made["error"] is None and made["tools"] == []


def test_thinking_is_paid_for_as_output() -> None:
    figures = {"prompt_tokens": 100, "cached_tokens": 60, "completion_tokens": 7, "thinking_tokens": 5}
    assert events_of(answered(**figures))[-1]["response"]["usage"] == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 112,
    }
