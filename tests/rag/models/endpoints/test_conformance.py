"""What a check finds out about servers that do things in their own way, and how endpoints are connected."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint_server import EndpointServer
from fakes import drive

from rag.errors import NotFoundError, RagError
from rag.models.endpoints.connections import Endpoints, checked_url
from rag.models.endpoints.rows import (
    Conformance,
    Endpoint,
    Finding,
    KeyPlace,
    is_on_this_computer,
    list_endpoints,
)


def connect(endpoints: Endpoints, server: EndpointServer, **values: Any) -> Endpoint:
    return drive(endpoints.connect(Endpoint(**{"name": "near", "url": server.url, "model": "", **values})))


def found(endpoint: Endpoint) -> dict[str, Finding]:
    return {row.name: row.finding for row in endpoint.checks.abilities}


def test_a_server_that_does_everything(server: EndpointServer, endpoints: Endpoints) -> None:
    server.logprobs, server.vector = True, [0.6, 0.8]
    server.models = [{"id": "tiny", "max_model_len": 4096}]
    made = connect(endpoints, server)
    assert set(found(made).values()) == {Finding.YES}
    assert (made.model, made.checks.context, made.checks.json_form) == ("tiny", 4096, "json_schema")
    assert made.checks.logprobs and made.checks.usage and made.checks.refused == ()
    assert list_endpoints(endpoints._database) == [made]  # all of it is stored


def test_a_server_with_quirks_is_used_in_the_way_it_takes(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    server.refuses = ("stream_options", "max_tokens", "temperature", "logprobs", "response_format")
    server.usage = None
    server.models = [{"name": "tiny"}]  # "name" where "id" belongs
    server.empty_chunks = True
    made = connect(endpoints, server)
    assert made.model == "tiny"
    assert made.checks.limit == "max_completion_tokens"
    assert set(made.checks.refused) == {"stream_options", "temperature"}
    assert found(made) == {
        "chat": Finding.YES, "streaming": Finding.YES, "usage in streams": Finding.NO,
        "log-probabilities": Finding.NO, "JSON schema": Finding.NO, "context length": Finding.UNKNOWN,
        "embeddings": Finding.NO,
    }  # fmt: skip
    before = len(server.chats())
    model = endpoints.model("near", _generation(), None)
    answer = list(model.stream(model.render_chat([{"role": "user", "content": "?"}]), _generation()))
    assert answer and len(server.chats()) == before + 1  # taken at once
    assert model.notes == ("near does not take temperature: its own is used",)


def test_a_server_that_knows_json_objects_alone(server: EndpointServer, endpoints: Endpoints) -> None:
    server.json_answer = '{"color": 1}'
    assert connect(endpoints, server).checks.json_form == "json_object"


def test_thoughts_beside_the_answer_are_noticed(server: EndpointServer, endpoints: Endpoints) -> None:
    server.extra = {"reasoning_content": "Two and two."}
    assert connect(endpoints, server).checks.thinks


def test_the_model_must_be_named_when_a_server_has_several(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    server.models = [{"id": "one"}, {"id": "two"}]
    with pytest.raises(RagError, match="2 models: one, two"):
        connect(endpoints, server)
    assert connect(endpoints, server, model="two").model == "two"


def test_nothing_is_stored_when_the_server_does_not_answer(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    server.fails = [401]
    with pytest.raises(RagError, match="refuses the key"):
        connect(endpoints, server, model="tiny")
    assert list_endpoints(endpoints._database) == []


def test_connecting_again_keeps_the_name_and_checks_anew(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    first = connect(endpoints, server)
    server.models = [{"id": "tiny", "max_model_len": 512}]
    again = drive(endpoints.check("near"))
    assert (first.checks.context, again.checks.context, again.created_ms) == (0, 512, first.created_ms)
    endpoints.disconnect("near")
    with pytest.raises(NotFoundError, match="Connected endpoints: none"):
        endpoints.find("near")


def test_a_key_in_the_keyring_is_read_from_there_and_goes_with_the_endpoint(
    server: EndpointServer, endpoints: Endpoints, memory_keyring: dict[tuple[str, str], str]
) -> None:
    wanted = Endpoint("near", server.url, "tiny", KeyPlace.KEYRING)
    drive(endpoints.connect(wanted, "secret-1"))
    assert list(memory_keyring.values()) == ["secret-1"]
    assert "Bearer secret-1" in server.requests[-1][1].values()
    endpoints.disconnect("near")
    assert memory_keyring == {}
    server.fails = [401]
    with pytest.raises(RagError):
        drive(endpoints.connect(wanted, "secret-2"))
    assert memory_keyring == {}  # a key that did not work is not kept


def test_a_system_without_a_keyring_says_what_to_do_instead(
    server: EndpointServer, endpoints: Endpoints, no_keyring: None
) -> None:
    with pytest.raises(RagError, match="environment variable") as caught:
        drive(endpoints.connect(Endpoint("near", server.url, "tiny", KeyPlace.KEYRING), "secret-1"))
    assert "secret-1" not in str(caught.value) and server.requests == []


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1"),
        ("https://x.example/openai/v1/chat/completions", "https://x.example/openai/v1"),
    ],
)
def test_addresses_are_stored_as_the_base_of_the_api(written: str, stored: str) -> None:
    assert checked_url(written) == stored


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "http://", "http://user:key@x/v1", "https://x/v1?key=1", "http://x:99999/v1", ""]
)
def test_addresses_that_are_none_or_have_a_key_are_refused(url: str) -> None:
    with pytest.raises(RagError):
        checked_url(url)


def test_only_loopback_is_this_computer() -> None:
    here = ["http://127.0.0.1/v1", "http://127.9.9.9:1/v1", "http://localhost:1234/v1", "http://[::1]:8/v1"]
    there = ["http://0.0.0.0/v1", "http://192.168.1.5/v1", "https://localhost.example.com/v1", "http://box/v1",
             "http://127.0.0.1.example.com/v1", "http://[fe80::1]/v1"]  # fmt: skip
    assert all(is_on_this_computer(url) for url in here)
    assert not any(is_on_this_computer(url) for url in there)


def test_what_a_check_found_survives_storing() -> None:
    assert Conformance.from_json("") == Conformance()
    checks = Conformance(refused=("seed",), limit="max_completion_tokens", context=5, bytes_per_token=2.5)
    assert Conformance.from_json(checks.as_json()) == checks


def _generation() -> Any:
    from rag.settings import GenerationSettings

    return GenerationSettings(max_answer_tokens=16)
