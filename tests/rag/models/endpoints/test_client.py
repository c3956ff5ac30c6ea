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
