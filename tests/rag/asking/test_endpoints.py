"""What a person does with endpoints, as the window and the command line start it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from endpoint_server import EndpointServer
from fakes import drive

from rag.asking.endpoints import (
    allow_leaving,
    check_endpoint,
    connect_endpoint,
    disconnect_endpoint,
    set_at_once,
    set_border,
)
from rag.errors import RagError
from rag.models.endpoints.rows import KeyPlace, list_endpoints
from rag.workspace import Workspace


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


def test_an_endpoint_is_connected_changed_checked_and_disconnected(
    workspace: Workspace, server: EndpointServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAGDECK_TEST_KEY", "secret")
    made = drive(connect_endpoint(workspace, server.url, " near ", "", "RAGDECK_TEST_KEY", context=1000))
    assert (made.name, made.model, made.key_place, made.context) == (
        "near",
        "tiny",
        KeyPlace.ENVIRONMENT,
        1000,
    )
    assert set_at_once(workspace, "near", 2).at_once == 2
    server.logprobs = True
    assert drive(check_endpoint(workspace, "near")).checks.logprobs
    disconnect_endpoint(workspace, "near")
    assert list_endpoints(workspace.database) == []


def test_a_border_that_is_no_word_of_it_and_a_collection_that_is_not_there(workspace: Workspace) -> None:
    with pytest.raises(RagError):
        set_border(workspace, "A", "always")
    with pytest.raises(ValueError):
        set_border(workspace, "A", "perhaps")
    allow_leaving(workspace, "A", "far")  # counts when the collection asks, and never before
