"""Values of endpoints: what is on this computer, and what survives storing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import NotFoundError
from rag.models.endpoints.connections import Endpoints
from rag.models.endpoints.rows import (
    Ability,
    ChangeRow,
    Conformance,
    Endpoint,
    Finding,
    KeyPlace,
    MayLeave,
    endpoint_named_by,
    find_endpoint,
    is_on_this_computer,
    list_changes,
    list_endpoints,
    list_may_leave,
    may_leave,
)
from rag.storage.tables.endpoints import EndpointChange, EndpointRow
from rag.storage.tables.knowledge import Collection

WORDS = st.text(max_size=12)
ABILITIES = st.builds(Ability, WORDS, st.sampled_from(Finding), WORDS, WORDS)
CHECKS = st.builds(
    Conformance,
    abilities=st.lists(ABILITIES, max_size=3).map(tuple),
    refused=st.lists(WORDS, max_size=3).map(tuple),
    limit=st.sampled_from(["max_tokens", "max_completion_tokens"]),
    usage=st.booleans(),
    logprobs=st.booleans(),
    json_form=st.sampled_from(["", "json_object", "json_schema"]),
    thinks=st.booleans(),
    context=st.integers(0, 2**40),
    bytes_per_token=st.floats(0, 10),
)


def test_only_loopback_is_this_computer() -> None:
    here = ["http://127.0.0.1/v1", "http://127.9.9.9:1/v1", "http://localhost:1234/v1", "http://[::1]:8/v1"]
    there = ["http://0.0.0.0/v1", "http://192.168.1.5/v1", "https://localhost.example.com/v1", "http://box/v1",
             "http://127.0.0.1.example.com/v1", "http://[fe80::1]/v1"]  # fmt: skip
    assert all(is_on_this_computer(url) for url in here)
    assert not any(is_on_this_computer(url) for url in there)
    for odd in ("", "localhost", "http://", "http://[x/v1", "http://[::1/v1", "http://]:80/", "nonsense"):
        assert not is_on_this_computer(odd), odd


def test_what_a_check_found_survives_storing() -> None:
    assert Conformance.from_json("") == Conformance()
    checks = Conformance(refused=("seed",), limit="max_completion_tokens", context=5, bytes_per_token=2.5)
    assert Conformance.from_json(checks.as_json()) == checks


def test_an_endpoint_that_only_embeds_does_not_chat() -> None:
    assert Conformance().chats
    assert not Conformance((Ability("chat", Finding.NO, "", ""),)).chats
    assert Conformance((Ability("chat", Finding.YES, "", ""),)).chats


def test_a_reference_names_an_endpoint_and_a_path_does_not() -> None:
    endpoint = Endpoint("My server", "https://api.example.com:8443/v1", "m")
    assert endpoint_named_by(endpoint.reference) == endpoint_named_by(Path(endpoint.reference)) == "My server"
    assert endpoint_named_by("/models/endpoint.gguf") == endpoint_named_by("") == ""
    assert (endpoint.host, endpoint.sent_to) == ("api.example.com:8443", "api.example.com:8443")
    assert Endpoint("x", "http://localhost:1/v1", "m").sent_to == ""


def test_another_model_or_address_is_another_identity() -> None:
    one, other, third = (Endpoint("x", url, m).identity for url, m in (("a", "m"), ("a", "n"), ("b", "m")))
    assert len({one, other, third}) == 3 and len(one) == 64
    assert Endpoint("renamed", "a", "m").identity == one


@given(CHECKS)
def test_any_check_is_the_same_after_storing(checks: Conformance) -> None:
    assert Conformance.from_json(checks.as_json()) == checks


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/v1",
        "http://127.0.0.1:8080/v1",
        "http://127.255.255.254/v1",
        "https://127.0.0.1/v1",
        "http://localhost/v1",
        "http://LocalHost:1/v1",
        "http://[::1]/v1",
        "http://[0:0:0:0:0:0:0:1]:1/v1",
    ],
)
def test_what_is_sent_to_this_computer_leaves_nothing(url: str) -> None:
    endpoint = Endpoint("near", url, "m")
    assert endpoint.is_here and endpoint.sent_to == ""


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://0.0.0.0:8080/v1", "0.0.0.0:8080"),
        ("http://128.0.0.1/v1", "128.0.0.1"),
        ("http://10.0.0.1/v1", "10.0.0.1"),
        ("http://[::2]:1/v1", "[::2]:1"),
        ("http://[::]/v1", "[::]"),
        ("http://localhost.localdomain/v1", "localhost.localdomain"),
        ("http://my-localhost/v1", "my-localhost"),
        ("http://127.1/v1", "127.1"),  # a resolver may take it for another
        ("http://2130706433/v1", "2130706433"),
        ("http://127.0.0.1.nip.io/v1", "127.0.0.1.nip.io"),
        ("", ""),
    ],
)
def test_what_is_not_certainly_this_computer_is_elsewhere(url: str, host: str) -> None:
    endpoint = Endpoint("far", url, "m")
    assert not endpoint.is_here and endpoint.sent_to == host


@given(st.text(st.characters(categories=["L", "N"], include_characters=" .+-_"), min_size=1, max_size=64))
def test_a_reference_gives_the_name_back(name: str) -> None:
    assert endpoint_named_by(Endpoint(name, "http://x/v1", "m").reference) == name


@pytest.mark.parametrize(
    "model", ["m.gguf", "/a/endpoint:far", "Endpoint:far", " endpoint:far", "endpoint", "endpoints:far"]
)
def test_a_file_is_no_endpoint_whatever_its_name(model: str) -> None:
    assert endpoint_named_by(model) == endpoint_named_by(Path(model)) == ""


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (("a", ""), ("b", ""), "the model was a and is b now"),
        (("a", "1"), ("a", "2"), "the configuration was 1 and is 2 now"),
        (
            ("a", "1"),
            ("b", "2"),
            "the model was a and is b now; the configuration was 1 and is 2 now",
        ),
        (("a", ""), ("b", "2"), "the model was a and is b now"),  # nothing was known of the other
        (("", "1"), ("b", "2"), "the configuration was 1 and is 2 now"),
    ],
)
def test_a_change_is_told_with_before_and_after(
    before: tuple[str, str], after: tuple[str, str], said: str
) -> None:
    change = ChangeRow("far", 1, "t", before[0], after[0], before[1], after[1])
    assert change.sentence() == f"“far” changed: {said}"


def test_endpoints_are_listed_oldest_first_with_all_that_is_stored(endpoints: Endpoints) -> None:
    checks = Conformance((Ability("chat", Finding.YES, "d", "f"),), ("seed",))
    with endpoints._store.session() as session:
        for name, moment in (("z", 1), ("b", 2), ("a", 2)):
            session.add(
                EndpointRow(
                    name=name, url="http://x/v1", model="m", key_place="environment", key_name="KEY",
                    created_ms=moment, checks=checks.as_json(),
                )
            )  # fmt: skip
    found = list_endpoints(endpoints._database)
    assert [endpoint.name for endpoint in found] == ["z", "a", "b"]
    assert {endpoint.checks for endpoint in found} == {checks}
    assert all(endpoint.key_place is KeyPlace.ENVIRONMENT for endpoint in found)
    assert find_endpoint(endpoints._database, "b") == found[2]
    with pytest.raises(NotFoundError, match=r"no endpoint “B”. Connected endpoints: z, a, b\.$"):
        find_endpoint(endpoints._database, "B")


def test_changes_are_listed_newest_first_after_a_moment(endpoints: Endpoints) -> None:
    with endpoints._store.session() as session:
        for moment, trace in ((1, "t1"), (3, "t2"), (3, "t3"), (2, "t4")):
            session.add(
                EndpointChange(
                    endpoint="far", created_ms=moment, trace_id=trace, model_before="a", model_after="b",
                    fingerprint_before="", fingerprint_after="",
                )
            )  # fmt: skip
    assert [c.trace_id for c in list_changes(endpoints._database)] == ["t3", "t2", "t4", "t1"]
    assert [c.trace_id for c in list_changes(endpoints._database, 2)] == ["t3", "t2"]
    assert list_changes(endpoints._database, 3) == []


def test_a_collection_that_nobody_set_or_knows_may_not_leave(endpoints: Endpoints) -> None:
    with endpoints._store.session() as session:
        for name, setting in (("B", None), ("A", "ask"), ("C", "always")):
            made = Collection(
                key=name, name=name, created_ms=1, embedder="e", embedder_name="e", chunking="{}"
            )
            made.may_leave = setting or made.may_leave
            session.add(made)
    database = endpoints._database
    assert list_may_leave(database) == [
        ("A", MayLeave.ASK),
        ("B", MayLeave.NEVER),
        ("C", MayLeave.ALWAYS),
    ]
    assert [may_leave(database, name) for name in ("A", "B", "C")] == ["ask", "never", "always"]
    for unknown in ("D", "a", "", "A "):
        assert may_leave(database, unknown) is MayLeave.NEVER
