"""Connecting endpoints, disconnecting them, and what is stored of them."""

from __future__ import annotations

from typing import Any

import pytest
from endpoint_server import EndpointServer
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import NotFoundError, RagError
from rag.models.chat_model import Served
from rag.models.endpoints.connections import Endpoints, checked_url
from rag.models.endpoints.rows import Endpoint, KeyPlace, MayLeave, list_changes, list_endpoints, may_leave
from rag.settings import GenerationSettings
from rag.storage.tables.endpoints import EndpointRow, RemoteEmbedderRow
from rag.storage.tables.knowledge import Collection


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
        ("https://x.example/openai/v1/chat/completions/", "https://x.example/openai/v1"),
        ("  http://localhost:1234/v1\n", "http://localhost:1234/v1"),
        ("localhost:1234", "http://localhost:1234/v1"),
        ("http://[::1]:8080", "http://[::1]:8080/v1"),
        ("HTTPS://x.example/", "https://x.example/v1"),
        ("https://x.example/api///", "https://x.example/api"),
    ],
)
def test_addresses_are_stored_as_the_base_of_the_api(written: str, stored: str) -> None:
    assert checked_url(written) == stored


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/v1",
        "http://",
        "http://user:key@x/v1",
        "http://user@x/v1",
        "https://x/v1?key=1",
        "https://x/v1#key",
        "http://x:99999/v1",
        "http://x:port/v1",
        "http://:8080/v1",
        "http://[::1/v1",
        "http://[bad]/v1",
        "//",
        "file:///v1",
        " ",
        "",
    ],
)
def test_addresses_that_are_none_or_have_a_key_are_refused(url: str) -> None:
    with pytest.raises(RagError, match=r"address of a server"):
        checked_url(url)


@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{2,4})?", fullmatch=True),
    st.integers(1, 65_535),
    st.lists(st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True), max_size=3),
)
def test_an_address_that_was_stored_is_stored_the_same_again(
    scheme: str, host: str, port: int, path: list[str]
) -> None:
    stored = checked_url("/".join([f"{scheme}://{host}:{port}", *path]))
    assert checked_url(stored) == checked_url(f"{stored}/") == stored


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


def store(
    endpoints: Endpoints, name: str = "near", url: str = "http://127.0.0.1:1/v1", **values: Any
) -> None:
    """Store an endpoint whose server is never asked."""
    with endpoints._store.session() as session:
        session.add(EndpointRow(**{"name": name, "url": url, "model": "m", "created_ms": 1, **values}))


def store_collection(endpoints: Endpoints, name: str) -> None:
    with endpoints._store.session() as session:
        session.add(
            Collection(key=name, name=name, created_ms=1, embedder="e", embedder_name="e", chunking="{}")
        )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": "http://[::1/v1"}, "not the address of a server"),
        ({"name": " near"}, "name of an endpoint"),
        ({"name": "-near"}, "name of an endpoint"),
        ({"name": "near\n"}, "name of an endpoint"),
        ({"name": "“near”"}, "name of an endpoint"),
        ({"key_place": KeyPlace.ENVIRONMENT, "key_name": ""}, "not the key"),
        ({"key_place": KeyPlace.ENVIRONMENT, "key_name": "1KEY"}, "not the key"),
        ({"key_place": KeyPlace.ENVIRONMENT, "key_name": "KEY=1"}, "not the key"),
        ({"context": -1}, "context is a number of tokens"),
        ({"context": 100_000_001}, "context is a number of tokens"),
        ({"at_once": 0}, "1 to 64"),
        ({"at_once": 65}, "1 to 64"),
    ],
)
def test_what_is_wrong_is_told_before_a_server_is_asked(
    endpoints: Endpoints, values: dict[str, Any], said: str
) -> None:
    wanted = Endpoint(**{"name": "near", "url": "http://127.0.0.1:1/v1", "model": "m", **values})
    with pytest.raises(RagError, match=said) as caught:
        drive(endpoints.connect(wanted))
    assert str(caught.value).endswith(".") and list_endpoints(endpoints._database) == []


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        ([Served("a", "1"), Served("a", "1")], []),
        ([Served("a", "1"), Served("", "")], []),
        ([Served("", ""), Served("a", "1")], []),
        ([Served("a", ""), Served("a", "1")], []),
        ([Served("a", "1"), Served("b", "1")], [("a", "b", "1", "1")]),
        ([Served("a", "1"), Served("b", "")], [("a", "b", "1", "1")]),
        ([Served("a", "1"), Served("", "2")], [("a", "a", "1", "2")]),
        (
            [Served("a", "1"), Served("b", "2"), Served("a", "1")],
            [("b", "a", "2", "1"), ("a", "b", "1", "2")],
        ),
    ],
)
def test_only_what_was_known_and_is_another_now_is_a_change(
    endpoints: Endpoints, told: list[Served], changes: list[tuple[str, str, str, str]]
) -> None:
    store(endpoints)
    for number, served in enumerate(told):
        endpoints.note_served("near", served, f"t{number}")
    found = list_changes(endpoints._database)
    assert [
        (c.model_before, c.model_after, c.fingerprint_before, c.fingerprint_after) for c in found
    ] == changes


def test_several_changes_have_one_rule_and_are_in_the_audit_log(endpoints: Endpoints) -> None:
    store(endpoints)
    for model in ("a", "b", "c"):
        endpoints.note_served("near", Served(model, "fp" if model == "c" else ""), "t")
    rules = endpoints._database.cells("SELECT count(*) FROM alertrule WHERE measure = 'endpoint_change'")
    assert [row[0] for row in rules] == [1]
    logged = endpoints._database.cells("SELECT detail FROM auditevent WHERE action = 'endpoint changed'")
    assert [row[0] for row in logged] == ["a -> b", "b -> c (fp)"]


def test_what_an_unknown_endpoint_says_is_refused_by_its_name(endpoints: Endpoints) -> None:
    store(endpoints)
    uses = (
        lambda: endpoints.note_served("far", Served("a", ""), "t"),
        lambda: endpoints.client("far"),
        lambda: endpoints.disconnect("far"),
        lambda: endpoints.set_at_once("far", 2),
        lambda: drive(endpoints.check("far")),
        lambda: endpoints.model("far", GenerationSettings(), None),
        lambda: endpoints.add_embedder("far", "A"),
    )
    for use in uses:
        with pytest.raises(NotFoundError, match=r"no endpoint “far”. Connected endpoints: near"):
            use()


@pytest.mark.parametrize(
    ("values", "is_kept"),
    [
        ({"context": 99}, True),
        ({"served_model": "b"}, True),
        ({"url": "http://127.0.0.1:2/v1"}, False),
        ({"key_place": "keyring"}, False),
        ({"key_name": "OTHER"}, False),
        ({"at_once": 3}, False),
    ],
)
def test_a_connection_is_kept_while_it_leads_to_the_same(
    endpoints: Endpoints, values: dict[str, Any], is_kept: bool
) -> None:
    store(endpoints)
    first = endpoints.client("near")
    with endpoints._store.session() as session:
        row = session.get_one(EndpointRow, "near")
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
    again = endpoints.client("near")
    assert (again is first) is is_kept
    assert again.endpoint == endpoints.find("near")


def test_a_model_is_not_made_for_texts_that_may_not_be_sent(endpoints: Endpoints) -> None:
    store(endpoints, "far", "http://192.0.2.1/v1")
    store_collection(endpoints, "A")
    with pytest.raises(RagError, match="“A” may not leave this computer"):
        endpoints.model("far", GenerationSettings(), "A")
    with pytest.raises(RagError, match="may not leave this computer"):
        endpoints.add_embedder("far", "A")
    endpoints.set_border("A", MayLeave.ALWAYS)
    assert endpoints.model("far", GenerationSettings(), "A").sent_to == "192.0.2.1"
    assert endpoints.model("far", GenerationSettings(), None).endpoint == "far"


def test_a_border_is_of_one_collection_and_in_the_audit_log(endpoints: Endpoints) -> None:
    for name in ("A", "B"):
        store_collection(endpoints, name)
    endpoints.set_border("A", MayLeave.ASK)
    assert [may_leave(endpoints._database, name) for name in "AB"] == [MayLeave.ASK, MayLeave.NEVER]
    logged = endpoints._database.cells(
        "SELECT subject, detail FROM auditevent WHERE action = 'border changed'"
    )
    assert [tuple(row) for row in logged] == [("A", "may leave this computer: ask")]


@pytest.mark.parametrize("values", [{"url": "http://127.0.0.1:2/v1"}, {"model": "other"}])
def test_an_embedder_is_not_taken_from_an_endpoint_that_is_another_now(
    endpoints: Endpoints, values: dict[str, str]
) -> None:
    store(endpoints)
    made = {"fingerprint": "f", "name": "e", "endpoint": "near", "url": "http://127.0.0.1:1/v1", "model": "m",
            "dimension": 1, "sample": bytes(4), "added_ms": 1}  # fmt: skip
    with endpoints._store.session() as session:
        session.add(RemoteEmbedderRow(**made))
        session.add(RemoteEmbedderRow(**{**made, "fingerprint": "g", **values}))
    found = endpoints.embedder("f")
    assert found is not None and found.fingerprint == "f"
    with pytest.raises(RagError, match="“near” is another now"):
        endpoints.embedder("g")
    assert endpoints.embedder("h") is None


def test_a_server_with_many_models_or_none_asks_for_the_name_of_one(
    server: EndpointServer, endpoints: Endpoints
) -> None:
    server.models = [{"id": f"m{n}"} for n in range(23)]
    with pytest.raises(RagError, match=r"23 models: m0, .*m19 and 3 more\. Give the name of one\.") as caught:
        connect(endpoints, server)
    assert "m20" not in str(caught.value)
    server.models = [{"object": "model"}]
    with pytest.raises(RagError, match="does not say which models it has"):
        connect(endpoints, server)
