"""Bodies become wishes; what is not supported is an error that names its parameter, whatever was sent."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.requests import Request

from rag.errors import RagError
from rag.serving.openai_api.errors import ApiError, error_body
from rag.serving.openai_api.requests import MOST_BODY_BYTES, Wish, chat_wish, read_json, response_wish


def chat(**more: Any) -> Wish:
    return chat_wish({"model": "m", "messages": [{"role": "user", "content": "Why?"}], **more})


def test_the_last_user_message_is_the_question_and_the_others_the_history() -> None:
    turns = [
        ("user", "A?"),
        ("assistant", "A."),
        ("user", "B?"),
        ("user", "Or C?"),
        ("assistant", "C."),
        ("user", "D?"),
    ]
    wish = chat(messages=[{"role": role, "content": text} for role, text in turns])
    assert wish.question == "D?" and wish.history == (("A?", "A."), ("B?\nOr C?", "C."))


def test_an_answer_without_a_question_before_is_passed_over() -> None:
    wish = chat(messages=[{"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Why?"}])
    assert wish.history == () and wish.question == "Why?"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{}]}, "functions"),
        ({"logprobs": True}, "logprobs"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"stop": list("abcde")}, "stop"),
        ({"response_format": {"type": "yaml"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": "x"}}, "response_format"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
    ],
    ids=str,
)
def test_what_is_not_supported_names_its_parameter(more: dict[str, Any], param: str) -> None:
    with pytest.raises(ApiError) as refused:
        chat(**more)
    assert refused.value.param == param and refused.value.status == 400


@pytest.mark.parametrize(
    ("more", "param"),
    [({"temperature": 3}, "temperature"), ({"max_tokens": 0}, "max_tokens"), ({"messages": []}, "messages"),
     ({"model": ""}, "model"), ({"top_p": -1}, "top_p")],
    ids=str,
)  # fmt: skip
def test_what_is_out_of_range_names_its_parameter(more: dict[str, Any], param: str) -> None:
    with pytest.raises(ValidationError) as refused:
        chat(**more)
    assert error_body(refused.value)["error"]["param"].startswith(param)


def test_what_makes_no_difference_is_accepted() -> None:
    wish = chat(
        n=1, tools=[], logprobs=False, presence_penalty=0, modalities=["text"], user="u", store=True, top_p=0
    )
    assert wish.generation == {} and wish.stop == () and wish.schema == ""


def test_max_completion_tokens_goes_before_max_tokens() -> None:
    assert chat(max_tokens=5, max_completion_tokens=7).generation == {"max_answer_tokens": 7}


def test_formats_become_schemas() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    named = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    assert json.loads(chat(response_format=named).schema) == schema
    flat = {"format": {"type": "json_schema", "name": "a", "schema": schema}}
    assert json.loads(response_wish({"model": "m", "input": "Why?", "text": flat}).schema) == schema
    assert json.loads(chat(response_format={"type": "json_object"}).schema) == {"type": "object"}


def test_a_response_that_follows_another_brings_no_history_of_its_own() -> None:
    body = {"model": "m", "input": "Why?", "previous_response_id": "resp_1"}
    assert response_wish(body).history is None
    assert response_wish({"model": "m", "input": "Why?"}).history == ()
    with pytest.raises(ApiError, match="background"):
        response_wish({**body, "background": True})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
_KEYS = (
    "model",
    "messages",
    "input",
    "stop",
    "stream",
    "response_format",
    "tools",
    "temperature",
    "text",
    "n",
)
_MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "x"]), "content": _JSON}),
    max_size=3,
)


@given(st.dictionaries(st.sampled_from(_KEYS), _JSON), _MESSAGES, st.booleans())
def test_any_body_is_a_wish_or_a_refusal(body: dict[str, Any], messages: list[Any], whole: bool) -> None:
    if whole:
        body = {**body, "model": "m", "messages": messages, "input": messages}
    for read in (chat_wish, response_wish):
        try:
            wish = read(body)
        except (RagError, ValidationError) as error:
            assert error_body(error)["error"]["message"]
        else:
            assert wish.question.strip() and wish.model


def ask(**more: Any) -> Wish:
    return response_wish({"model": "m", "input": "Why?", **more})


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"temperature": None}, {}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"top_p": 1}, {"top_p": 1.0}),
        ({"seed": 0}, {"seed": 0}),
        ({"seed": 2**31}, {"seed": 0}),
        ({"seed": -1}, {"seed": 2**31 - 1}),
        ({"seed": 10**30}, {"seed": 10**30 % 2**31}),
        ({"max_tokens": 5}, {"max_answer_tokens": 5}),
        ({"max_completion_tokens": 1, "max_tokens": None}, {"max_answer_tokens": 1}),
    ],
    ids=str,
)
def test_sampling_is_what_the_client_says(more: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert chat(**more).generation == wanted


@pytest.mark.parametrize(
    ("stop", "texts"),
    [
        (None, ()),
        ("", ()),
        ("END", ("END",)),
        (["a", "", "b"], ("a", "b")),
        (list("abcd"), ("a", "b", "c", "d")),
        ([], ()),
    ],
)
def test_stop_texts_are_at_most_four_and_none_is_empty(stop: Any, texts: tuple[str, ...]) -> None:
    assert chat(stop=stop).stop == texts


@pytest.mark.parametrize(
    ("content", "question"),
    [
        (" Why? \n", "Why?"),
        ([{"type": "text", "text": "Why"}, {"type": "text", "text": "so?"}], "Why\nso?"),
        ([{"type": "input_text", "text": "Why?"}], "Why?"),
        ([{"type": "text", "text": "Why?"}, {"type": "refusal"}], "Why?"),
    ],
)
def test_the_parts_of_a_message_are_one_text(content: Any, question: str) -> None:
    assert chat(messages=[{"role": "user", "content": content}]).question == question
    assert ask(input=[{"role": "user", "content": content}]).question == question


@pytest.mark.parametrize("kind", ["image_url", "input_image", "input_audio", "file", ""])
def test_a_part_that_is_no_text_is_refused_by_its_name(kind: str) -> None:
    content = [{"type": "text", "text": "What is this?"}, {"type": kind}]
    for read, key in ((chat, "messages"), (ask, "input")):
        with pytest.raises(ApiError, match=f"“{kind}” are not supported: only text is") as refused:
            read(**{key: [{"role": "user", "content": content}]})
        assert refused.value.param == key


@pytest.mark.parametrize(("role", "is_said"), [("system", True), ("developer", True), ("assistant", False)])
def test_messages_of_the_system_are_left_out_with_one_notice(role: str, is_said: bool) -> None:
    before = [{"role": role, "content": "Be brief."}] * 2
    wish = chat(messages=[*before, {"role": "user", "content": "Why?"}])
    assert wish.question == "Why?" and wish.history == ()
    said = "The system message was left out: the prompt of the collection decides."
    assert wish.notices == ((said,) if is_said else ())


@pytest.mark.parametrize(
    ("options", "has_usage"),
    [(None, False), ({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True)],
)
def test_usage_in_a_stream_is_for_who_wants_it(options: Any, has_usage: bool) -> None:
    assert chat(stream=True, stream_options=options).has_usage is has_usage
    assert ask(stream=True).has_usage  # a response always says it


@pytest.mark.parametrize("value", [None, False, True])
def test_a_stream_is_a_wish(value: bool | None) -> None:
    assert chat(stream=value).streams is ask(stream=value).streams is (value is True)


@pytest.mark.parametrize(
    ("more", "notices"),
    [
        ({}, ()),
        ({"instructions": ""}, ()),
        ({"instructions": "Be brief."}, ("The instructions were left out: the prompt of the collection decides.",)),
        ({"tools": []}, ()),
        ({"tools": [{"type": "web"}, {"type": "file"}, {"type": "web"}]}, ("The tools were left out: file, web.",)),
        ({"tools": [{}]}, ("The tools were left out: ?.",)),
        ({"input": [{"role": "system", "content": "x"}, {"type": "reasoning"}, {"role": "user", "content": "Why?"}]},
         ("Items were left out: reasoning, system.",)),
        ({"input": [{"type": "function_call_output"}, {"role": "user", "content": "Why?"}]},
         ("Items were left out: function_call_output.",)),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_response_leaves_out_is_a_notice(more: dict[str, Any], notices: tuple[str, ...]) -> None:
    wish = ask(**more)
    assert wish.notices == notices and wish.question == "Why?"


@pytest.mark.parametrize(
    "more",
    [
        {"input": ""},
        {"input": " \n "},
        {"input": [{"role": "user", "content": None}]},
        {"input": [{"role": "assistant", "content": "It is so."}]},
        {"input": [{"type": "reasoning"}]},
        {"input": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
        {"text": {"format": {"type": "grammar"}}},
        {"text": {"format": {"type": "json_schema", "name": "x"}}},
    ],
    ids=str,
)
def test_a_response_without_a_question_or_format_names_its_parameter(more: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        ask(**more)
    assert refused.value.param == ("text.format" if "text" in more else "input")


def test_a_response_that_follows_another_may_bring_a_history_all_the_same() -> None:
    items = [
        {"role": "user", "content": "A?"},
        {"role": "assistant", "content": [{"type": "output_text", "text": "A."}]},
        {"role": "user", "content": "B?"},
    ]
    wish = ask(input=items, previous_response_id="resp_1")
    assert (wish.history, wish.previous) == ((("A?", "A."),), "resp_1")


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text("abc ?", min_size=1, max_size=5))),
    st.text("abc?", min_size=1),
)
def test_no_question_is_lost_and_none_is_answered_twice(turns: list[tuple[str, str]], last: str) -> None:
    messages = [{"role": role, "content": text} for role, text in (*turns, ("user", last))]
    wish = chat(messages=messages)
    asked = [*(question for question, _ in wish.history or ()), wish.question]
    said = [text for role, text in turns if role == "user"]
    assert "".join("\n".join(asked).split()) == "".join("\n".join([*said, last]).split())
    answers = [text for role, text in turns if role == "assistant"]
    assert [answer for _, answer in wish.history or () if answer not in answers] == []
    assert len(wish.history or ()) <= len(answers)


async def _pieces(*pieces: bytes) -> Any:
    for piece in pieces:
        yield {"type": "http.request", "body": piece, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}


def read(*pieces: bytes) -> dict[str, Any]:
    """Return the body of a request that came in these pieces."""
    told = _pieces(*pieces)
    return asyncio.run(read_json(Request({"type": "http", "headers": []}, told.__anext__)))


def test_a_body_that_comes_in_pieces_is_one() -> None:
    whole = json.dumps({"input": "Zwölf Stunden?"}, ensure_ascii=False).encode()
    assert read(*(whole[n : n + 1] for n in range(len(whole)))) == {"input": "Zwölf Stunden?"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is not JSON. Send a JSON object."),
        (b"{", "The body is not JSON. Send a JSON object."),
        (b"\xff{}", "The body is not JSON. Send a JSON object."),
        (b'{"a": "\\ud800"}', "The body is not JSON. Send a JSON object."),
        (b"[" * 200_000, "The body is not JSON. Send a JSON object."),
        (b"[]", "The body is not a JSON object."),
        (b"null", "The body is not a JSON object."),
        (b'"text"', "The body is not a JSON object."),
        (b"7", "The body is not a JSON object."),
    ],
    ids=lambda value: str(value[:12]),
)
def test_a_body_that_is_no_object_is_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(body)
    assert (str(refused.value), refused.value.code, refused.value.status) == (sentence, "invalid_json", 400)


def test_a_body_is_read_no_further_than_its_limit() -> None:
    pieces = iter(range(100))

    async def endless() -> dict[str, Any]:
        next(pieces)
        return {"type": "http.request", "body": b" " * 1_000_000, "more_body": True}

    with pytest.raises(ApiError, match="larger than 16,000,000 bytes") as refused:
        asyncio.run(read_json(Request({"type": "http", "headers": []}, endless)))
    assert refused.value.status == 413 and next(pieces) == MOST_BODY_BYTES // 1_000_000 + 1
