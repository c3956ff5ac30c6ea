"""Values of endpoints: what is on this computer, and what survives storing."""

from __future__ import annotations

from pathlib import Path

from rag.models.endpoints.rows import (
    Ability,
    Conformance,
    Endpoint,
    Finding,
    endpoint_named_by,
    is_on_this_computer,
)


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
