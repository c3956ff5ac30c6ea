"""The loop that requests run on, and what becomes of errors and keys."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from endpoint_server import EndpointServer

from rag.errors import ModelError, RagError
from rag.models.endpoints.client import BackgroundLoop, Client, RefusedRequestError
from rag.models.endpoints.rows import Endpoint, KeyPlace
from rag.settings import EndpointSettings

KEY = "sk-never-shown"


@pytest.fixture
def loop() -> Iterator[BackgroundLoop]:
    made = BackgroundLoop()
    yield made
    made.close()


def client_of(url: str, loop: BackgroundLoop, **values: object) -> Client:
    return Client(Endpoint("near", url, "tiny", **values), loop, EndpointSettings(timeout_s=5, retries=0))  # type: ignore[arg-type]


def allow(_endpoint: Endpoint) -> None:
    return


def test_closing_the_loop_cancels_what_runs_and_ends_its_thread(loop: BackgroundLoop) -> None:
    was_cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            was_cancelled.set()
            raise

    async def answer() -> int:
        return 4

    assert loop.start(answer()).result(5) == 4
    started = threading.Event()

    async def mark_and_wait() -> None:
        started.set()
        await wait()

    loop.start(mark_and_wait())
    assert started.wait(5)
    loop.close()
    assert was_cancelled.wait(5)
    assert all(thread.name != "endpoints" for thread in threading.enumerate())
    loop.close()  # twice does no harm


def test_a_permit_is_asked_before_anything_is_opened(server: EndpointServer, loop: BackgroundLoop) -> None:
    client = client_of(server.url, loop)

    def refuse(_endpoint: Endpoint) -> None:
        raise RagError("no")

    for send in (
        lambda: list(client.chat(refuse, {"model": "tiny", "messages": []})),
        lambda: client.complete(refuse, {"model": "tiny", "messages": []}),
        lambda: client.embed(refuse, ["a text"]),
        lambda: client.models(refuse),
    ):
        with pytest.raises(RagError, match="no"):
            send()
    assert server.requests == [] and "_api" not in vars(client)


def test_a_reason_is_told_without_the_key_and_not_at_length(
    server: EndpointServer, loop: BackgroundLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAGDECK_TEST_KEY", KEY)
    client = client_of(server.url, loop, key_place=KeyPlace.ENVIRONMENT, key_name="RAGDECK_TEST_KEY")
    server.fails, server.error_text = [422], f"you sent {KEY} " + "and so on " * 100
    with pytest.raises(RefusedRequestError) as caught:
        client.complete(allow, {"model": "tiny", "messages": []})
    assert "you sent [key] and so on" in caught.value.reason and KEY not in str(caught.value)
    assert len(caught.value.reason) <= 301
    client.close()


def test_keys_and_organisations_of_the_environment_are_not_sent(
    server: EndpointServer, loop: BackgroundLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, KEY)
    client = client_of(server.url, loop)
    client.complete(allow, {"model": "tiny", "messages": []})
    client.close()
    ((_, headers, _),) = server.requests
    assert not [name for name, value in headers.items() if KEY in value]


def test_a_server_that_sends_no_json_is_a_sentence(server: EndpointServer, loop: BackgroundLoop) -> None:
    client = client_of(server.url, loop)
    server.models = "not a list"  # type: ignore[assignment]
    with pytest.raises(ModelError):
        client.models(allow)
    client.close()


MESSAGES = {"model": "tiny", "messages": [{"role": "user", "content": "Why?"}]}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "refuses the request. It says: busy"),
        (422, "refuses the request. It says: busy"),
        (401, "refuses the key. Connect it again with a key that is valid."),
        (403, "The key of “near” does not allow this. It says: busy"),
        (404, "has no model “tiny”, or its URL is not the base of an API (most end with /v1). It says: busy"),
        (429, "takes no more requests now. Wait a while, or check your limits there. It says: busy"),
        (302, "points to another address, which is not followed. Connect it by that address."),
        (405, "has a problem of its own (HTTP 405). Try again later. It says: busy"),
        (502, "has a problem of its own (HTTP 502). Try again later. It says: busy"),
    ],
)
def test_each_refusal_says_who_refuses_and_what_to_do(
    server: EndpointServer, loop: BackgroundLoop, status: int, said: str
) -> None:
    client = client_of(server.url, loop)
    server.fails, server.error_text = [status] * 2, "busy\n "
    with pytest.raises(ModelError) as caught:
        client.complete(allow, MESSAGES)
    assert said in str(caught.value) and "“near”" in str(caught.value) and "\n" not in str(caught.value)
    assert isinstance(caught.value, RefusedRequestError) is (status in (400, 422))
    assert caught.value.__suppress_context__, "what the library says may quote the key"
    client.close()


def test_vectors_are_in_the_order_of_their_texts(server: EndpointServer, loop: BackgroundLoop) -> None:
    server.vector = [0.5, -1.0]
    client = client_of(server.url, loop)
    assert client.embed(allow, ["a", "b", "c"]) == [[0.5, -1.0]] * 3
    ((path, _, body),) = server.requests
    assert path == "/v1/embeddings"
    assert (body["input"], body["model"], body["encoding_format"]) == (["a", "b", "c"], "tiny", "float")
    client.close()


def test_all_that_a_server_says_of_a_model_is_brought(server: EndpointServer, loop: BackgroundLoop) -> None:
    server.models = [{"id": "tiny", "meta": {"n_ctx": 512}}, {"name": "other", "max_model_len": 7}]
    client = client_of(server.url, loop)
    first, second = client.models(allow)
    assert (first["id"], first["meta"], second["name"], second["max_model_len"]) == (
        "tiny",
        {"n_ctx": 512},
        "other",
        7,
    )
    client.close()


def test_a_missing_key_is_told_before_anything_is_sent(
    server: EndpointServer, loop: BackgroundLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAGDECK_TEST_KEY", raising=False)
    client = client_of(server.url, loop, key_place=KeyPlace.ENVIRONMENT, key_name="RAGDECK_TEST_KEY")
    with pytest.raises(RagError, match="RAGDECK_TEST_KEY is not set"):
        client.models(allow)
    assert server.requests == []
    monkeypatch.setenv("RAGDECK_TEST_KEY", KEY)
    assert client.models(allow)  # it is looked for again
    assert f"Bearer {KEY}" in server.requests[0][1].values()
    client.close()


def test_a_closed_client_opens_itself_again(server: EndpointServer, loop: BackgroundLoop) -> None:
    client = client_of(server.url, loop)
    client.close()  # nothing is open yet
    for _ in range(2):
        assert client.models(allow)
        client.close()
    client.close()


def test_work_that_fails_on_the_loop_leaves_the_loop_as_it_was(loop: BackgroundLoop) -> None:
    async def fail() -> None:
        raise ValueError("wrong")

    async def answer() -> int:
        return 4

    with pytest.raises(ValueError, match="wrong"):
        loop.start(fail()).result(5)
    assert loop.start(answer()).result(5) == 4
    loop.close()
    assert loop.start(answer()).result(5) == 4  # it is started again when it is used again


def test_a_loop_that_was_never_used_has_no_thread(loop: BackgroundLoop) -> None:
    before = threading.active_count()
    BackgroundLoop().close()
    assert threading.active_count() == before


@pytest.mark.parametrize("length", [0, 1, 300, 301, 5_000])
def test_a_reason_is_told_whole_up_to_its_bound(
    server: EndpointServer, loop: BackgroundLoop, length: int
) -> None:
    client = client_of(server.url, loop)
    server.fails, server.error_text = [400], "x" * length
    with pytest.raises(RefusedRequestError) as caught:
        client.complete(allow, MESSAGES)
    reason = f"{'x' * length} Bearer none".strip()
    assert caught.value.reason == (reason if len(reason) <= 300 else f"{reason[:300]}…")
    client.close()
