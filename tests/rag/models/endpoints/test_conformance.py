"""What a check finds out about servers that do things in their own way, and how endpoints are connected."""

from __future__ import annotations

from typing import Any

from endpoint_server import EndpointServer
from fakes import drive

from rag.models.endpoints.connections import Endpoints
from rag.models.endpoints.rows import (
    Endpoint,
    Finding,
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


def _generation() -> Any:
    from rag.settings import GenerationSettings

    return GenerationSettings(max_answer_tokens=16)
