"""The rows of the server say in words how a request ended."""

from __future__ import annotations

import pytest

from rag.serving.rows import ServedCall, ServerState


@pytest.mark.parametrize(
    ("status", "milliseconds", "detail", "outcome"),
    [
        (0, None, "", "in progress"),
        (200, 3.0, "", "done"),
        (499, 3.0, "cancelled", "cancelled"),
        (404, 3.0, "There is no collection.", "There is no collection."),
        (401, 3.0, "", "refused (401)"),
    ],
)
def test_a_request_says_how_it_ended(
    status: int, milliseconds: float | None, detail: str, outcome: str
) -> None:
    call = ServedCall(1, 0, "editor", "chat", status=status, milliseconds=milliseconds, detail=detail)
    assert call.outcome == outcome


def test_a_server_without_an_address_is_off() -> None:
    assert not ServerState().is_on and ServerState("http://127.0.0.1:4318").is_on


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "done"), (204, "done"), (399, "done"), (400, "refused (400)"), (503, "refused (503)")],
)
def test_a_status_alone_says_whether_it_was_refused(status: int, outcome: str) -> None:
    assert ServedCall(1, 0, "editor", "chat", status=status, milliseconds=0.0).outcome == outcome


def test_one_in_progress_says_no_detail_yet() -> None:
    assert ServedCall(1, 0, "editor", "chat", detail="left over").outcome == "in progress"
