"""Bodies become wishes; what is not supported is an error that names its parameter, whatever was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.errors import RagError
from rag.serving.openai_api.errors import ApiError, error_body
from rag.serving.openai_api.requests import Wish, chat_wish, response_wish


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
