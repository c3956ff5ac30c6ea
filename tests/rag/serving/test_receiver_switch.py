"""The switch starts one receiver, says what came, and ends with the workspace."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from rag.errors import RagError
from rag.interchange.otlp import JSON, to_json, write_request
from rag.interchange.rows import RawSpan, ReceiverState
from rag.serving.receiver_switch import (
    check_received_answers,
    receiver_state,
    start_receiver,
    stop_receiver,
)
from rag.storage.store import now_ms
from rag.workspace import Workspace


@pytest.fixture
def address(workspace: Workspace) -> Iterator[str]:
    yield f"{start_receiver(workspace, port=0).address}/v1/traces"
    workspace.stop_receiver()


def post(address: str, trace: str = "ab", **headers: str) -> int:
    begin = now_ms() * 10**6
    spans = [
        RawSpan(trace * 16, "01" * 8, "", "chain", begin, begin + 9, {"openinference.span.kind": "CHAIN",
                "input.value": "How high?", "output.value": "It rises 3.5 metres."}, service="bot"),
        RawSpan(trace * 16, "02" * 8, "01" * 8, "find", begin, begin + 5, {"openinference.span.kind": "RETRIEVER",
                "retrieval.documents.0.document.content": "The tide rises 3.5 metres."}, service="bot"),
    ]  # fmt: skip
    body = to_json(write_request(spans)).encode()
    request = urllib.request.Request(address, body, {"Content-Type": JSON, **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_is_off_until_somebody_starts_it_and_counts_what_comes(workspace: Workspace) -> None:
    assert receiver_state(workspace) == ReceiverState() and not ReceiverState().is_on
    state = start_receiver(workspace, port=0)
    assert state.is_on and state.address.startswith("http://127.0.0.1:")
    assert start_receiver(workspace, port=0).address == state.address, "there is one"
    assert post(f"{state.address}/v1/traces") == 200
    state = receiver_state(workspace)
    assert (state.requests, state.spans, state.refused, state.last_error) == (1, 2, 0, "")
    assert state.sentence() == f"Receiving at {state.address}/v1/traces; 2 spans in 1 request."
    assert stop_receiver(workspace) == ReceiverState() == stop_receiver(workspace)
    assert workspace.database.cells("SELECT count(*) FROM receivedspan") == [(2,)], "what waited is written"
    with pytest.raises(OSError):
        urllib.request.urlopen(state.address, timeout=5)


def test_a_port_in_use_is_one_sentence_and_nothing_runs(workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RagError, match=r"Port \d+ is in use by another program"):
            start_receiver(workspace, port=taken.getsockname()[1])
    assert not receiver_state(workspace).is_on


def test_a_token_that_the_settings_name_is_asked_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.change_settings({"receiving": {"token_variable": "RECEIVER_TOKEN"}})
    monkeypatch.delenv("RECEIVER_TOKEN", raising=False)
    with pytest.raises(RagError, match="RECEIVER_TOKEN is not set"):
        start_receiver(workspace, port=0)
    monkeypatch.setenv("RECEIVER_TOKEN", "secret")
    state = start_receiver(workspace, port=0)
    try:
        assert state.needs_token and "with a token" in state.sentence()
        assert post(f"{state.address}/v1/traces") == 401
        assert post(f"{state.address}/v1/traces", Authorization="Bearer secret") == 200
    finally:
        workspace.stop_receiver()


def test_answers_are_checked_as_the_policy_says(workspace: Workspace, address: str) -> None:
    def arrived(trace: str) -> None:
        assert post(address, trace) == 200
        assert workspace.receiver is not None
        workspace.receiver.receiver.stop()  # type: ignore[attr-defined] # writes what waits
        workspace.receiver.receiver.start()  # type: ignore[attr-defined]

    arrived("ab")
    workspace.change_settings({"receiving": {"check": "off"}})
    assert check_received_answers(workspace) == 0
    workspace.change_settings({"receiving": {"check": "new"}})
    assert check_received_answers(workspace) == 1 and check_received_answers(workspace) == 0
    arrived("cd")
    stop_receiver(workspace)
    assert check_received_answers(workspace) == 0, "it came before the receiver is on again"
    workspace.change_settings({"receiving": {"check": "all"}})
    assert check_received_answers(workspace) == 1
    assert workspace.database.cells("SELECT count(*) FROM trace WHERE outcome != ''") == [(2,)]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (ReceiverState(), "The receiver is off."),
        (ReceiverState(spans=9), "The receiver is off."),
        (ReceiverState("http://x"), "Receiving at http://x/v1/traces; 0 spans in 0 requests."),
        (ReceiverState("http://x", 2, 1), "Receiving at http://x/v1/traces; 1 span in 2 requests."),
        (
            ReceiverState("http://x", 2, 1, 3, 1, 4, "The disk is full", True),
            "Receiving at http://x/v1/traces, with a token; 1 span in 2 requests; 3 refused; "
            "1 request told to come again; 4 not written; last error: The disk is full.",
        ),
    ],
)
def test_the_state_is_one_sentence(state: ReceiverState, sentence: str) -> None:
    assert state.sentence() == sentence


@pytest.mark.parametrize("value", ["", "   "])
def test_a_variable_without_a_value_is_no_token(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    workspace.change_settings({"receiving": {"token_variable": "RECEIVER_TOKEN"}})
    monkeypatch.setenv("RECEIVER_TOKEN", value)
    with pytest.raises(RagError, match=r"or clear receiving\.token_variable"):
        start_receiver(workspace, port=0)
    assert receiver_state(workspace) == ReceiverState()


def test_a_token_is_read_without_the_space_around_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.change_settings({"receiving": {"token_variable": "RECEIVER_TOKEN"}})
    monkeypatch.setenv("RECEIVER_TOKEN", " secret\n")
    address = f"{start_receiver(workspace, port=0).address}/v1/traces"
    try:
        assert post(address, Authorization="Bearer secret") == 200
        assert post(address, "cd", Authorization="Bearer other") == 401
        assert receiver_state(workspace).spans == 2, "what was turned away at the door is not counted"
    finally:
        workspace.stop_receiver()


def test_the_port_of_the_settings_is_taken(workspace: Workspace) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    workspace.change_settings({"receiving": {"port": port}})
    try:
        assert start_receiver(workspace).address == f"http://127.0.0.1:{port}"
    finally:
        workspace.stop_receiver()


def test_counts_begin_anew_with_each_start(workspace: Workspace) -> None:
    first = start_receiver(workspace, port=0)
    assert post(f"{first.address}/v1/traces") == 200
    stop_receiver(workspace)
    second = start_receiver(workspace, port=0)
    assert (second.requests, second.spans) == (0, 0)
    stop_receiver(workspace)
    assert workspace.database.cells("SELECT count(*) FROM receivedspan") == [(2,)]


@pytest.mark.parametrize("limit", [0, 1])
def test_no_more_answers_are_checked_at_once_than_asked_for(
    workspace: Workspace, address: str, limit: int
) -> None:
    assert post(address, "ab") == post(address, "cd") == 200
    assert workspace.receiver is not None
    workspace.receiver.receiver.stop()  # type: ignore[attr-defined] # writes what waits
    workspace.receiver.receiver.start()  # type: ignore[attr-defined]
    workspace.change_settings({"receiving": {"check": "all"}})
    assert check_received_answers(workspace, limit) == limit
    assert check_received_answers(workspace) == 2 - limit
