"""Chat completions, by the real client: whole and streamed, with sources, limits, formats and conversations."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from serving_parts import ANSWER, COLLECTION, QUESTION, Served, answered, passage

from rag.asking.rows import TraceFilter, TraceSource, TraceStatus, get_trace, list_traces
from rag.index.rows import Hit
from rag.serving.openai_api.answering import Begun, Piece
from rag.serving.openai_api.chat import _chunks, _completion
from rag.serving.openai_api.requests import Wish


def ask(client: openai.OpenAI, text: str = QUESTION, **more: object) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(  # type: ignore[call-overload, no-any-return]
        model=COLLECTION, messages=[{"role": "user", "content": text}], **more
    )


def chunks(client: openai.OpenAI, text: str = QUESTION, **more: object) -> list[ChatCompletionChunk]:
    return list(ask(client, text, stream=True, **more))  # type: ignore[arg-type]


def text_of(found: list[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in found if chunk.choices)


def test_an_answer_has_its_sources_its_verdicts_and_its_trace(served: Served, client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=COLLECTION, messages=[{"role": "user", "content": QUESTION}]
    )
    answer = raw.parse()
    choice = answer.choices[0]
    trace = get_trace(served.workspace.database, raw.headers["x-ragdeck-trace"])
    assert choice.message.content == ANSWER == trace.answer and choice.finish_reason == "stop"
    (note,) = choice.message.annotations or []
    start, end = note.url_citation.start_index, note.url_citation.end_index
    assert ANSWER[start:end] == "[1]" and note.url_citation.url == "ragdeck://documents/1"
    more = answer.x_ragdeck  # type: ignore[attr-defined]
    assert more["trace_id"] == trace.id and more["citations"][0]["document"] == "bread.md"
    assert [one["verdict"] for one in more["sentences"]] == [claim.verdict for claim in trace.claims]
    assert answer.usage is not None and answer.usage.completion_tokens == trace.completion_tokens > 0
    assert (trace.source, trace.application) == (TraceSource.SERVER, "editor")


def test_a_stream_has_the_same_words_then_usage_and_the_end(served: Served, client: openai.OpenAI) -> None:
    found = chunks(client, stream_options={"include_usage": True})
    assert (
        text_of(found) == ANSWER and len([c for c in found if c.choices and c.choices[0].delta.content]) == 5
    )
    assert found[-1].usage is not None and found[-1].usage.prompt_tokens > 0 and not found[-1].choices
    last = found[-2]
    assert last.choices[0].finish_reason == "stop" and last.x_ragdeck["citations"]  # type: ignore[attr-defined]
    assert {chunk.id for chunk in found} == {f"chatcmpl-{last.x_ragdeck['trace_id']}"}  # type: ignore[attr-defined]
    assert chunks(client)[-1].usage is None  # only who wants it


def test_a_stream_of_bytes_ends_with_done(served: Served, client: openai.OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(
        model=COLLECTION, messages=[{"role": "user", "content": QUESTION}], stream=True
    ) as raw:
        lines = [line for line in raw.iter_lines() if line]
        assert raw.headers["content-type"].startswith("text/event-stream") and raw.headers["x-ragdeck-trace"]
    assert lines[-1] == "data: [DONE]"
    assert all(json.loads(line.removeprefix("data: ")) for line in lines[:-1])


@pytest.mark.parametrize("streams", [False, True])
def test_the_answer_ends_before_a_stop_text(served: Served, client: openai.OpenAI, streams: bool) -> None:
    served.model.answer = "Rye bread needs sourdough END and 12 hours."
    if streams:
        found = chunks(client, stop=["nothing", " END"])
        text, reason = text_of(found), found[-1].choices[0].finish_reason
    else:
        choice = ask(client, stop=" END").choices[0]
        text, reason = choice.message.content or "", choice.finish_reason
    assert (text, reason) == ("Rye bread needs sourdough", "stop")


def test_sampling_and_length_reach_the_model_and_the_trace(served: Served, client: openai.OpenAI) -> None:
    answer = ask(client, temperature=0.7, top_p=0.5, seed=-1, max_completion_tokens=2)
    assert answer.choices[0].message.content == "Rye bread "
    trace = get_trace(served.workspace.database, answer.x_ragdeck["trace_id"])  # type: ignore[attr-defined]
    used = json.loads(trace.settings)["generation"]
    assert [used[key] for key in ("temperature", "top_p", "seed", "max_answer_tokens")] == [
        0.7,
        0.5,
        2**31 - 1,
        2,
    ]
    more = ask(client, max_tokens=100_000).x_ragdeck  # type: ignore[attr-defined]
    assert more["notices"] == ["The answer was limited to 2048 tokens: half of the model's context."]


def test_earlier_messages_are_the_conversation_and_its_session(served: Served, client: openai.OpenAI) -> None:
    first = ask(client)
    messages = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": first.choices[0].message.content},
        {"role": "user", "content": [{"type": "text", "text": "And how long does it rest?"}]},
    ]
    second = client.chat.completions.create(model=COLLECTION, messages=messages)  # type: ignore[call-overload]
    before, after = first.x_ragdeck, second.x_ragdeck
    trace = get_trace(served.workspace.database, after["trace_id"])
    assert trace.question == "And how long does it rest?"
    assert (trace.session_id, trace.parent_id) == (before["session_id"], before["trace_id"])
    assert ANSWER in trace.prompt and "pirate" not in trace.prompt
    assert after["notices"][0] == "The system message was left out: the prompt of the collection decides."
    messages[2]["content"] = "Something that was never said."
    other = client.chat.completions.create(model=COLLECTION, messages=messages)  # type: ignore[call-overload]
    trace = get_trace(served.workspace.database, other.x_ragdeck["trace_id"])
    assert trace.session_id != before["session_id"] and "never said" in trace.prompt


def test_thinking_is_told_apart(served: Served, client: openai.OpenAI) -> None:
    served.model.answer = f"<think>Bread, bread.</think>{ANSWER}"
    message = ask(client).choices[0].message
    assert message.content == ANSWER and message.reasoning_content == "Bread, bread."  # type: ignore[attr-defined]
    found = chunks(client)
    thought = [getattr(c.choices[0].delta, "reasoning_content", None) or "" for c in found if c.choices]
    assert "".join(thought).strip() == "Bread, bread." and text_of(found) == ANSWER


def test_a_client_that_goes_away_cancels(served: Served, client: openai.OpenAI) -> None:
    served.model.pause_after = 2
    stream = client.chat.completions.create(
        model=COLLECTION, messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    trace_id = next(iter(stream)).id.removeprefix("chatcmpl-")
    stream.close()
    wait_for(served, lambda: served.server.desk.calls[0].status == 499)
    served.model.may_go_on.set()
    wait_for(served, lambda: get_trace(served.workspace.database, trace_id).status == TraceStatus.CANCELLED)
    assert served.server.desk.bench.waiting == 0 and served.server.desk.calls[0].detail == "cancelled"


def test_a_client_that_waits_no_longer_for_a_whole_answer_cancels(served: Served) -> None:
    served.model.pause_after = 2
    with served.client.with_options(timeout=1.0) as impatient, pytest.raises(openai.APITimeoutError):
        ask(impatient)
    wait_for(served, lambda: served.server.desk.calls[0].status == 499)
    served.model.may_go_on.set()
    wait_for(
        served, lambda: list_traces(served.workspace.database, TraceFilter(), 1)[0].status == "cancelled"
    )


def test_one_question_too_many_is_told_to_come_again(served: Served, client: openai.OpenAI) -> None:
    served.workspace.change_settings({"server": {"most_waiting": 0}})
    served.model.pause_after = 1
    stream = client.chat.completions.create(
        model=COLLECTION, messages=[{"role": "user", "content": QUESTION}], stream=True
    )
    next(iter(stream))
    with pytest.raises(openai.RateLimitError) as refused:
        ask(client)
    assert int(refused.value.response.headers["retry-after"]) >= 1
    assert refused.value.code == "rate_limit_exceeded"
    served.model.may_go_on.set()
    assert text_of(list(stream)).startswith("")
    stream.close()
    wait_for(served, lambda: served.server.desk.bench.waiting == 0)
    assert ask(client).choices[0].message.content == ANSWER


def test_a_failure_inside_of_a_stream_is_its_last_event(served: Served, client: openai.OpenAI) -> None:
    served.model.error = ValueError("out of luck")
    with pytest.raises(openai.APIError, match="out of luck"):
        chunks(client)
    assert served.server.desk.calls[0].status == 500


def wait_for(served: Served, condition: object) -> None:
    """Wait until something is so that another thread does."""
    pause = threading.Event()
    for _ in range(600):
        if condition():  # type: ignore[operator]
            return
        pause.wait(0.05)
    raise AssertionError("It did not happen within half a minute.")


def test_a_schema_is_followed_by_what_the_model_is_given(served: Served, client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"needs": {"type": "string"}}, "required": ["needs"]}
    grammars: list[str] = []
    plain = served.model.generate

    def remembering(tokens: object, settings: object, grammar: str = "") -> object:
        grammars.append(grammar)
        return plain(tokens, settings, grammar)  # type: ignore[arg-type]

    served.model.generate = remembering  # type: ignore[method-assign, assignment]
    try:
        ask(client, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
        ask(client, response_format={"type": "json_object"})
        ask(client, response_format={"type": "text"})
    finally:
        del served.model.generate
    assert "needs" in grammars[0] and "root ::=" in grammars[1] and grammars[2] == ""


# --- chunks and figures, without a server -----------------------------------------------------------------


def told_of(*events: Any, wish: Wish) -> list[Any]:
    """Return the chunks that a stream tells of these events of an answer, the last one as text."""

    async def run() -> list[Any]:
        async def given() -> Any:
            for event in events:
                yield event

        data = [one["data"] async for one in _chunks(given(), wish)]
        return [json.loads(one) if one != "[DONE]" else one for one in data]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("events", "deltas"),
    [
        ((), []),
        ((answered(),), [{"annotations": []}]),
        ((answered("All.", answer="All."),), [{"content": "All."}, {"annotations": []}]),
        ((Begun("ab"), Piece("A"), answered(answer="A")), [{"content": "A"}, {"annotations": []}]),
        (
            (Begun("ab"), Piece("Hm.", True), Piece("A"), answered("B", answer="AB")),
            [{"reasoning_content": "Hm."}, {"content": "A"}, {"content": "B"}, {"annotations": []}],
        ),
        ((Begun("ab"), Piece("A")), None),  # stopped: there is no end
    ],
)
def test_the_chunks_of_a_stream(events: tuple[Any, ...], deltas: list[dict[str, Any]] | None) -> None:
    told = told_of(*events, wish=Wish("m", "Why?", streams=True))
    if not events:
        assert told == []
        return
    assert told[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {one["id"] for one in told if one != "[DONE]"} == {"chatcmpl-ab"}
    if deltas is None:
        assert len(told) == 2 and told[-1]["choices"][0]["finish_reason"] is None
        return
    assert told[-1] == "[DONE]" and [one["choices"][0]["delta"] for one in told[1:-1]] == deltas
    reasons = [one["choices"][0]["finish_reason"] for one in told[:-1]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]


@pytest.mark.parametrize("has_usage", [False, True])
def test_usage_is_the_last_chunk_of_who_wants_it(has_usage: bool) -> None:
    figures = {"prompt_tokens": 100, "cached_tokens": 60, "completion_tokens": 7, "thinking_tokens": 5}
    told = told_of(answered(**figures), wish=Wish("m", "Why?", has_usage=has_usage))
    with_usage = [one["usage"] for one in told if "usage" in one]
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 12,
        "total_tokens": 112,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    assert with_usage == ([usage] if has_usage else [])


@pytest.mark.parametrize(
    ("hit", "title"),
    [
        (passage(1), "bread.md"),
        (passage(1, place="page 3"), "bread.md, page 3"),
        (passage(1, "ä.txt"), "ä.txt"),
    ],
)
def test_a_source_is_named_with_its_place(hit: Hit, title: str) -> None:
    made = _completion(answered(answer="So [1].", hits=(hit,)), Wish("m", "Why?"))
    (note,) = made["choices"][0]["message"]["annotations"]
    assert note["url_citation"] == {
        "start_index": 3,
        "end_index": 6,
        "title": title,
        "url": "ragdeck://documents/7",
    }


def test_a_message_has_thinking_only_where_there_was_some() -> None:
    plain, thinking = (
        _completion(answered(answer="So.", thinking=text), Wish("m", "Why?"))["choices"][0]["message"]
        for text in ("", "Hm.")
    )
    assert "reasoning_content" not in plain and thinking["reasoning_content"] == "Hm."
    assert plain["refusal"] is None and plain["content"] == thinking["content"] == "So."
