"""Connecting endpoints, disconnecting them, and what is stored of them."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint_server import EndpointServer
from fakes import drive

from rag.errors import NotFoundError, RagError
from rag.models.chat_model import Served
from rag.models.endpoints.connections import Endpoints, checked_url
from rag.models.endpoints.rows import Endpoint, KeyPlace, MayLeave, list_changes, list_endpoints


def connect(endpoints: Endpoints, server: EndpointServer, **values: Any) -> Endpoint:
    return drive(endpoints.connect(Endpoint(**{"name": "near", "url": server.url, "model": "", **values})))


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


def test_a_name_is_made_of_the_host_and_a_bad_one_refused(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    assert connect(endpoints, server, name="").name == f"127.0.0.1-{server.port}"
    for name in ("../x", "a/b", "x" * 65, "endpoint:x"):
        with pytest.raises(RagError, match="name of an endpoint"):
            connect(endpoints, server, name=name)


def test_a_key_without_a_place_for_it_is_refused(server: EndpointServer, endpoints: Endpoints) -> None:
    with pytest.raises(RagError, match="keyring alone"):
        drive(endpoints.connect(Endpoint("near", server.url, "tiny"), "secret"))
    with pytest.raises(RagError, match="not the key"):
        connect(endpoints, server, key_place=KeyPlace.ENVIRONMENT, key_name="sk-123 456")
    assert server.requests == []


def test_how_many_at_once_is_bounded_and_takes_effect(server: EndpointServer, endpoints: Endpoints) -> None:
    connect(endpoints, server)
    first = endpoints.client("near")
    assert endpoints.client("near") is first  # connections are kept
    assert endpoints.set_at_once("near", 7).at_once == 7
    assert endpoints.client("near") is not first
    for count in (0, 65):
        with pytest.raises(RagError, match="1 to 64"):
            endpoints.set_at_once("near", count)


def test_a_border_needs_a_collection(endpoints: Endpoints) -> None:
    with pytest.raises(NotFoundError, match="no collection named “B”"):
        endpoints.set_border("B", MayLeave.ALWAYS)


def test_what_an_endpoint_says_of_itself_is_kept_and_a_change_is_told(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    connect(endpoints, server)
    endpoints.note_served("near", Served("m-1", ""), "t1")
    endpoints.note_served("near", Served("", "fp_1"), "t2")  # what is not told stays
    assert list_changes(endpoints._database) == []
    found = endpoints.find("near")
    assert (found.served_model, found.system_fingerprint) == ("m-1", "fp_1")
    endpoints.note_served("near", Served("m-1", "fp_2"), "t3")
    (change,) = list_changes(endpoints._database)
    assert change.trace_id == "t3"
    assert change.sentence() == "“near” changed: the configuration was fp_1 and is fp_2 now"
