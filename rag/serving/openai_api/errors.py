"""Says what went wrong as the OpenAI API does: a status, and an object that clients turn into exceptions.

Only what may go better the next time has a status that clients try again on by themselves (429 and 5xx).
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from starlette.responses import JSONResponse

from rag.costs.budgets.limits import BudgetError
from rag.errors import ConsentNeededError, NotFoundError, RagError
from rag.serving.work import BusyError, StoppedError

_REQUEST = "invalid_request_error"


class ApiError(RagError):
    """A refusal with its status, its code and the parameter that it is about."""

    def __init__(
        self, sentence: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        """Say what is wrong with a request."""
        super().__init__(sentence)
        self.param, self.code, self.status = param, code, status


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, ApiError):
        return error.status
    if isinstance(error, BusyError):
        return 429
    if isinstance(error, StoppedError):
        return 503
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, BudgetError | ConsentNeededError):
        return 403
    return 400 if isinstance(error, RagError | ValidationError) else 500


def error_body(error: Exception) -> dict[str, Any]:
    """Return the error object: message, type, param and code."""
    status = status_of(error)
    message, param, code = str(error), None, None
    kind = {401: _REQUEST, 403: "permission_error", 429: "rate_limit_error"}.get(status, _REQUEST)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        message = f"{param or 'The body'}: {str(first['msg']).removeprefix('Value error, ')}."
        code = "invalid_value"
    elif isinstance(error, ApiError):
        param, code = error.param, error.code
    elif isinstance(error, BudgetError):
        code = "budget_exceeded"
    elif isinstance(error, ConsentNeededError):
        code = "consent_needed"
    elif isinstance(error, BusyError):
        code = "rate_limit_exceeded"
    elif status >= 500:
        kind = "server_error"
        if status == 500:
            message = f"Something unexpected went wrong ({message}). It is in Ragdeck's log."
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def error_response(error: Exception) -> JSONResponse:
    """Return an error as a response; one that says when to come again if many wait."""
    headers = {"retry-after": str(error.retry_s)} if isinstance(error, BusyError) else {}
    status = status_of(error)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error_body(error), status, headers)
