"""What a check finds out about servers that do things in their own way, and how endpoints are connected."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from endpoint_server import EndpointServer, ScriptedClient, as_attributes, chunk
from fakes import drive

from rag.errors import ModelError, RagError
from rag.models.endpoints.client import RefusedRequestError
from rag.models.endpoints.conformance import check_endpoint, model_names
from rag.models.endpoints.connections import Endpoints
from rag.models.endpoints.rows import (
    Ability,
    Conformance,
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


# --- by a client without a server -----------------------------------------------------------------------------

NEAR = Endpoint("near", "http://127.0.0.1/v1", "tiny")
JSON = '{"colour": "red"}'
STEPS = [
    "chat",
    "streaming",
    "usage in streams",
    "log-probabilities",
    "JSON schema",
    "context length",
    "embeddings",
]


def reply(content: str | None = "Four", prompt_tokens: Any = 20, **message: Any) -> Any:
    """Return a whole answer as the library reads it."""
    usage = SimpleNamespace(prompt_tokens=prompt_tokens)
    return SimpleNamespace(
        choices=[SimpleNamespace(message=SimpleNamespace(content=content, **message))], usage=usage
    )


def refusal(reason: str) -> RefusedRequestError:
    return RefusedRequestError(f"“near” refuses the request. It says: {reason}", reason)


def client(endpoint: Endpoint = NEAR, *, chunks: Any = None, **scripted: Any) -> ScriptedClient:
    """Return a client of a server that does everything, but for what is given."""
    told = [chunk("Four", logprobs=[("Four", -0.1)]), chunk(finish="stop", usage={"prompt_tokens": 270})]
    scripted.setdefault("replies", [reply(), reply(JSON)])
    return ScriptedClient(endpoint, told if chunks is None else chunks, **scripted)


def check(of: ScriptedClient) -> Conformance:
    return drive(check_endpoint(of, lambda _endpoint: None))  # type: ignore[arg-type]


def line(checks: Conformance, name: str) -> Ability:
    return next(row for row in checks.abilities if row.name == name)


def test_each_step_is_told_before_its_line_is_in_the_table() -> None:
    steps = check_endpoint(client(), lambda _endpoint: None)  # type: ignore[arg-type]
    told = list(steps)
    assert [step.what for step in told] == STEPS
    assert [(step.done, step.total) for step in told] == [(n, 7) for n in range(7)]
    assert [row.name for row in check(client()).abilities] == STEPS


def test_nothing_is_asked_where_nothing_may_be_sent() -> None:
    def refuse(_endpoint: Endpoint) -> None:
        raise RagError("It may not.")

    asked = client()
    for ask in (lambda: drive(check_endpoint(asked, refuse)), lambda: model_names(asked, refuse)):  # type: ignore[arg-type]
        with pytest.raises(RagError, match="It may not"):
            ask()
    assert asked.sent == []


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ([], []),
        ([{"id": "a"}, {"name": "b"}], ["a", "b"]),
        ([{"id": "", "name": "b"}, {"id": None}, {}], ["b"]),
        ([{"id": 7}], ["7"]),
    ],
)
def test_models_are_named_by_id_or_name(listed: list[dict[str, Any]], names: list[str]) -> None:
    assert model_names(client(listed=listed), lambda _endpoint: None) == names  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "context"),
    [
        ({"max_model_len": 4096}, 4096),
        ({"max_context_length": 4096}, 4096),
        ({"context_length": 4096}, 4096),
        ({"meta": {"n_ctx": 4096}}, 4096),
        ({"meta": {"n_ctx_train": 4096}}, 4096),
        ({"meta": {"n_ctx": 512, "n_ctx_train": 4096}}, 512),
        ({"max_model_len": 8, "meta": {"n_ctx": 512}}, 8),
        ({"max_model_len": 0}, 0),
        ({"max_model_len": -1}, 0),
        ({"max_model_len": "4096"}, 0),
        ({"max_model_len": None, "context_length": 4096}, 4096),
        ({"max_model_len": True}, 0),
        ({"meta": None}, 0),
        ({"meta": [4096]}, 0),
        ({}, 0),
    ],
)
def test_the_context_is_read_where_servers_write_it(values: dict[str, Any], context: int) -> None:
    checks = check(client(listed=[{"id": "other", "max_model_len": 1}, {"id": "tiny", **values}]))
    assert checks.context == context
    assert line(checks, "context length").finding is (Finding.YES if context else Finding.UNKNOWN)


@pytest.mark.parametrize(
    ("own", "follows"),
    [(0, "generation.context in the settings is taken"), (8192, "8,192 tokens, as you said")],
)
def test_a_server_that_lists_no_models_has_the_context_that_was_given(own: int, follows: str) -> None:
    near = Endpoint("near", NEAR.url, "tiny", context=own)
    checks = check(client(near, listed=ModelError("It has no list.")))
    assert line(checks, "context length") == Ability(
        "context length", Finding.UNKNOWN, "it does not say", follows
    )


@pytest.mark.parametrize(
    ("replies", "form", "detail"),
    [
        ([reply(JSON)], "json_schema", "followed"),
        ([reply('{"colour": "blue"}')], "json_schema", "followed"),
        ([refusal("no"), reply("{}")], "json_object", "only any JSON object"),
        ([reply('{"colour": "green"}'), reply(JSON)], "json_object", "only any JSON object"),
        ([reply('{"colour": ["red"]}'), reply("{}")], "json_object", "only any JSON object"),
        ([reply("red"), reply("{}")], "json_object", "only any JSON object"),
        ([reply(None), reply("{}")], "json_object", "only any JSON object"),
        ([reply("[]")], "", "refused or not followed"),
        ([reply('"red"')], "", "refused or not followed"),
        ([reply("```json\n{}\n```")], "", "refused or not followed"),
        ([refusal("no"), ModelError("It is gone.")], "", "refused or not followed"),
        ([as_attributes({"choices": None})], "", "refused or not followed"),
        ([as_attributes({"choices": []})], "", "refused or not followed"),
        ([SimpleNamespace(choices=[SimpleNamespace(message=None)])], "", "refused or not followed"),
    ],
)
def test_json_is_asked_for_by_a_schema_then_as_any_object(replies: list[Any], form: str, detail: str) -> None:
    checks = check(client(replies=[reply(), *replies]))
    assert (checks.json_form, line(checks, "JSON schema").detail) == (form, detail)


@pytest.mark.parametrize(
    ("reasons", "limit", "refused"),
    [
        ([], "max_tokens", ()),
        (["use max_completion_tokens instead"], "max_completion_tokens", ()),
        (["max_tokens is too large"], "max_completion_tokens", ()),
        (["unknown: top_p"], "max_tokens", ("top_p",)),
        (["temperature and top_p"], "max_tokens", ("top_p",)),
        (["bad request"], "max_tokens", ("seed",)),
        (["bad request"] * 3, "max_tokens", ("seed", "top_p", "temperature")),
        (["max_tokens", "seed", "temperature"], "max_completion_tokens", ("seed", "temperature")),
        (["max_tokens", "max_completion_tokens"], "max_completion_tokens", ("seed",)),
    ],
)
def test_what_a_server_refuses_is_left_out_one_after_the_other(
    reasons: list[str], limit: str, refused: tuple[str, ...]
) -> None:
    asked = client(replies=[*map(refusal, reasons), reply(), reply(JSON)])
    checks = check(asked)
    assert (checks.limit, checks.refused) == (limit, refused)
    taken = asked.sent[len(reasons)]
    assert limit in taken and not set(refused) & set(taken)
    said = line(checks, "chat").follows
    assert said == (f"{', '.join(refused)} not sent: its own is used" if refused else "it answers questions")


def test_a_server_that_refuses_whatever_is_left_out_is_given_up() -> None:
    asked = client(replies=[refusal("no")], vectors=ModelError("It has none."))
    with pytest.raises(RefusedRequestError, match="It says: no"):
        check(asked)
    assert len(asked.sent) == 4  # with all, and without seed, top_p and temperature


@pytest.mark.parametrize("choices", [None, [], [SimpleNamespace(message=None)]])
def test_an_answer_without_a_message_is_none(choices: Any) -> None:
    silent = SimpleNamespace(choices=choices, usage=None)
    with pytest.raises(ModelError, match="answered without a message: it does not chat"):
        check(client(replies=[silent], vectors=ModelError("It has none.")))


def test_a_server_that_only_embeds_has_two_lines() -> None:
    checks = check(client(replies=[ModelError("It does not chat.")], vectors=[[1.0] * 384]))
    assert [(row.name, row.finding) for row in checks.abilities] == [
        ("chat", Finding.NO),
        ("embeddings", Finding.YES),
    ]
    assert not checks.chats and line(checks, "embeddings").detail == "384 dimensions"


@pytest.mark.parametrize(
    ("vectors", "finding", "detail"),
    [
        ([[0.0, 1.0]], Finding.YES, "2 dimensions"),
        ([], Finding.NO, "its vectors are empty"),
        ([[]], Finding.NO, "its vectors are empty"),
        (ModelError("It has none."), Finding.NO, "it has none, or not with this model"),
        (refusal("not an embedder"), Finding.NO, "not an embedder"),
    ],
)
def test_embeddings_are_asked_for_beside_a_chat(vectors: Any, finding: Finding, detail: str) -> None:
    found = line(check(client(vectors=vectors)), "embeddings")
    assert (found.finding, found.detail) == (finding, detail)


@pytest.mark.parametrize(
    ("short", "long", "expected"),
    [
        (20, 270, 3.5),  # never more than is usual
        (20, 520, pytest.approx(1.97, abs=0.01)),
        (20, 5_000, 1.0),  # never less than a byte
        (20, 20, 0.0),
        (270, 20, 0.0),
        (0, 270, 0.0),
        (None, 270, 0.0),
        ("20", 270, 0.0),
        (20, None, 0.0),
    ],
)
def test_the_length_of_tokens_is_learned_from_two_prompts(short: Any, long: Any, expected: float) -> None:
    told = [chunk("Four"), None, chunk(finish="stop", usage={"prompt_tokens": long})]
    assert check(client(chunks=told, replies=[reply("4", short), reply(JSON)])).bytes_per_token == expected


def test_a_server_that_does_not_stream_is_not_used_for_answers() -> None:
    found = line(check(client(chunks=[ModelError("It has no streams.")])), "streaming")
    assert (found.finding, found.detail) == (Finding.NO, "It has no streams.")
    assert found.follows == "it cannot be used: answers are streamed"


@pytest.mark.parametrize(
    ("message", "thinks"),
    [
        ({}, False),
        ({"reasoning": "Hm."}, True),
        ({"reasoning_content": "Hm."}, True),
        ({"reasoning_content": "", "reasoning": None}, False),
    ],
)
def test_a_model_thinks_when_it_sends_thoughts(message: dict[str, Any], thinks: bool) -> None:
    checks = check(client(replies=[reply("Four", **message), reply(JSON)]))
    assert checks.thinks is thinks
    assert line(checks, "chat").detail.startswith("it thinks before" if thinks else "it answers;")
