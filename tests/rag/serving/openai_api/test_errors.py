"""Errors have the status by which clients know whether to try again, and say what is wrong."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from rag.costs.budgets.limits import BudgetError
from rag.errors import ConsentNeededError, ModelError, NotFoundError
from rag.serving.openai_api.errors import ApiError, error_body, error_response, status_of
from rag.serving.openai_api.requests import ChatRequest, EmbeddingRequest
from rag.serving.work import BusyError, StoppedError, UnexpectedError


@pytest.mark.parametrize(
    ("error", "status", "code", "kind"),
    [
        (
            ApiError("Wrong.", "n", "unsupported_parameter"),
            400,
            "unsupported_parameter",
            "invalid_request_error",
        ),
        (ApiError("Too large.", status=413), 413, None, "invalid_request_error"),
        (NotFoundError("None."), 404, None, "invalid_request_error"),
        (ModelError("Damaged."), 400, None, "invalid_request_error"),
        (BudgetError("Used up.", True), 403, "budget_exceeded", "permission_error"),
        (ConsentNeededError("Notes", "vLLM", "far"), 403, "consent_needed", "permission_error"),
        (BusyError(3, 7), 429, "rate_limit_exceeded", "rate_limit_error"),
        (StoppedError("Stopped."), 503, None, "server_error"),
        (UnexpectedError("KeyError: 1"), 500, None, "server_error"),
        (ValueError("bug"), 500, None, "server_error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_has_its_status_code_and_type(
    error: Exception, status: int, code: str | None, kind: str
) -> None:
    body = error_body(error)["error"]
    assert (status_of(error), body["code"], body["type"]) == (status, code, kind)
    assert str(error) in body["message"]


def test_who_comes_too_often_is_told_when_to_come_again() -> None:
    made = error_response(BusyError(3, 7))
    assert made.status_code == 429 and made.headers["retry-after"] == "7"
    assert "3 questions are waiting" in json.loads(bytes(made.body))["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "model", "model: Field required."),
        ({"model": "m"}, "input", "input: Field required."),
        ({"model": "", "input": "x"}, "model", "model: String should have at least 1 character."),
        ({"model": "m", "input": "x", "dimensions": "many"}, "dimensions",
         "dimensions: Input should be a valid integer, unable to parse string as an integer."),
    ],
)  # fmt: skip
def test_a_value_that_is_wrong_is_named_with_what_is_wrong_with_it(
    body: dict[str, object], param: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        EmbeddingRequest.model_validate(body)
    assert status_of(refused.value) == 400
    assert error_body(refused.value)["error"] == {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": "invalid_value",
    }


def test_a_body_that_is_wrong_as_a_whole_has_no_parameter() -> None:
    with pytest.raises(ValidationError) as refused:
        EmbeddingRequest.model_validate([])
    error = error_body(refused.value)["error"]
    assert error["param"] is None and error["message"].startswith("The body: ")


def test_a_place_inside_of_a_list_is_named_by_its_way() -> None:
    with pytest.raises(ValidationError) as refused:
        ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": 7}]})
    assert error_body(refused.value)["error"]["param"].startswith("messages.0.content")


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (BusyError(1, 4), {"retry-after": "4"}),
        (ApiError("Who are you?", status=401), {"www-authenticate": "Bearer"}),
        (StoppedError("Stopped."), {}),
        (ApiError("Wrong."), {}),
    ],
)
def test_only_what_helps_a_client_is_in_the_headers(error: Exception, headers: dict[str, str]) -> None:
    usual = {"content-length", "content-type"}
    made = error_response(error)
    assert {key: value for key, value in made.headers.items() if key not in usual} == headers


def test_a_bug_says_where_to_look_and_a_refusal_does_not() -> None:
    assert error_body(KeyError("x"))["error"]["message"] == (
        "Something unexpected went wrong ('x'). It is in Ragdeck's log."
    )
    assert (
        error_body(StoppedError("The server was stopped."))["error"]["message"] == "The server was stopped."
    )


@pytest.mark.parametrize(
    ("waiting", "seconds", "sentence"),
    [
        (0, 1, "0 questions are waiting for the model. Ask again in 1 second."),
        (1, 3, "1 question is waiting for the model. Ask again in 3 seconds."),
        (7, 60, "7 questions are waiting for the model. Ask again in 60 seconds."),
    ],
)
def test_a_busy_server_says_how_many_wait(waiting: int, seconds: int, sentence: str) -> None:
    assert str(BusyError(waiting, seconds)) == sentence
