"""Responses, by the real client: created, streamed, and going on with an earlier one."""

from __future__ import annotations

import openai
import pytest
from serving_parts import ANSWER, COLLECTION, QUESTION, Served

from rag.asking.rows import get_trace


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
