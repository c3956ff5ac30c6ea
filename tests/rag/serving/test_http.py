"""A server listens on this computer alone, names its address, and ends."""

import socket
import urllib.request

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

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


@pytest.mark.parametrize("path", ["/", "/open/", "/open/more", "//open", "/OPEN", "/v1/models"])
def test_only_the_open_path_itself_is_open(path: str) -> None:
    inner = Starlette(routes=[Route("/{rest:path}", page)])
    with TestClient(Guard(inner, lambda _: "", ("/open",))) as client:
        assert client.get("/open").status_code == 200
        assert client.get(path).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
def test_no_method_gets_past_the_guard(method: str) -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    refused = TestClient(Guard(inner, lambda _: "", ())).request(method, "/")
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert seen == []


def test_a_request_without_a_header_asks_for_no_token_at_all() -> None:
    asked: list[str] = []

    def name_of(header: str) -> str:
        asked.append(header)
        return "editor"

    with TestClient(Guard(APPLICATION, name_of, ())) as client:
        assert client.get("/").status_code == 401 and asked == []
        assert client.get("/", headers={"authorization": "Bearer x"}).text == "here"
    assert asked == ["Bearer x"]


def test_what_a_request_says_of_itself_is_no_name() -> None:
    assert application_of({"type": "http"}) == ""
    assert application_of({"type": "http", "headers": [(b"ragdeck.application", b"editor")]}) == ""
    assert application_of({"type": "http", "ragdeck.application": "editor"}) == "editor"


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        (b"Bearer secret", True),
        (b"bearer secret", False),
        (b"Bearer  secret", False),
        (b"Bearer secret ", False),
        (b"Bearer Secret", False),
        (b"Bearer secre", False),
        (b"Bearer \xe9", False),
        (b"Basic secret", False),
    ],
)
def test_a_sender_of_traces_names_the_token_as_it_is(header: bytes, allowed: bool) -> None:
    assert is_allowed(Request({"type": "http", "headers": [(b"authorization", header)]}), "secret") is allowed


def test_a_server_that_never_started_can_be_stopped() -> None:
    server = HttpServer(APPLICATION, 0)
    server.stop()
    assert (server.port, server.address) == (0, "http://127.0.0.1:0")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_application_that_cannot_begin_is_a_sentence_and_frees_its_port() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    server = HttpServer(broken, 0)
    with pytest.raises(RagError, match=r"did not start\. Look at the log"):
        server.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", server.port))
