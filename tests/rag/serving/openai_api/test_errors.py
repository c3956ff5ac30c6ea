"""Errors have the status by which clients know whether to try again, and say what is wrong."""

from __future__ import annotations

import json

import pytest

from rag.costs.budgets.limits import BudgetError
from rag.errors import ConsentNeededError, ModelError, NotFoundError
from rag.serving.openai_api.errors import ApiError, error_body, error_response, status_of
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
