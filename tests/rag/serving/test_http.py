"""A server listens on this computer alone, names its address, and ends."""

import socket
import urllib.request

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.errors import RagError
from rag.serving.http import Guard, HttpServer, application_of, is_allowed


def page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


APPLICATION = Starlette(routes=[Route("/", page)])


def test_it_answers_until_it_is_stopped_and_can_start_again() -> None:
    server = HttpServer(APPLICATION, 0)
    server.start()
    with urllib.request.urlopen(server.address, timeout=60) as answer:
        assert answer.read() == b"here" and "server" not in {name.lower() for name in answer.headers}
    port = server.port
    server.stop()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    server.start()
    server.stop()
    server.stop()


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RagError, match="in use by another program"):
            HttpServer(APPLICATION, taken.getsockname()[1]).start()


@pytest.mark.parametrize(
    ("header", "token", "allowed"),
    [("", "", True), ("Bearer x", "", True), ("", "x", False), ("Bearer x", "x", True), ("x", "x", False)],
)
def test_the_token_is_compared_whole(header: str, token: str, allowed: bool) -> None:
    headers = [(b"authorization", header.encode())] if header else []
    assert is_allowed(Request({"type": "http", "headers": headers}), token) is allowed


def test_a_guard_lets_in_who_has_a_token_and_tells_whose_it_is() -> None:
    def name(request: Request) -> PlainTextResponse:
        return PlainTextResponse(application_of(request.scope))

    inner = Starlette(routes=[Route("/", name), Route("/open", name)])
    guard = Guard(inner, lambda header: {"Bearer x": "editor"}.get(header, ""), ("/open",))
    with TestClient(guard) as client:
        assert client.get("/", headers={"authorization": "Bearer x"}).text == "editor"
        assert client.get("/open").text == ""
        for headers in ({}, {"authorization": "Bearer y"}):
            refused = client.get("/", headers=headers)
            assert refused.status_code == 401 and "tokens list" in refused.json()["error"]["message"]
