"""Where keys are: in the keyring or in a variable, and a sentence when they are not."""

from __future__ import annotations

import pytest

from rag.errors import RagError
from rag.models.endpoints.keys import SERVICE, forget_key, keep_key, read_key
from rag.models.endpoints.rows import Endpoint, KeyPlace


def endpoint(place: KeyPlace, name: str = "") -> Endpoint:
    return Endpoint("near", "http://127.0.0.1/v1", "m", place, name)


def test_an_endpoint_without_a_key_has_none() -> None:
    assert read_key(endpoint(KeyPlace.NONE)) == ""


def test_a_variable_is_read_when_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGDECK_TEST_KEY", " secret \n")
    assert read_key(endpoint(KeyPlace.ENVIRONMENT, "RAGDECK_TEST_KEY")) == "secret"
    monkeypatch.setenv("RAGDECK_TEST_KEY", "")
    with pytest.raises(RagError, match="RAGDECK_TEST_KEY is not set"):
        read_key(endpoint(KeyPlace.ENVIRONMENT, "RAGDECK_TEST_KEY"))


def test_a_key_in_the_keyring_is_kept_read_and_forgotten(memory_keyring: dict[tuple[str, str], str]) -> None:
    keep_key("near", "secret")
    assert memory_keyring == {(SERVICE, "near"): "secret"}
    assert read_key(endpoint(KeyPlace.KEYRING, "near")) == "secret"
    forget_key("near")
    forget_key("near")  # that it is gone already is no failure
    with pytest.raises(RagError, match="no such key any more"):
        read_key(endpoint(KeyPlace.KEYRING, "near"))


def test_without_a_keyring_the_variable_is_named_as_the_way(no_keyring: None) -> None:
    for use in (lambda: keep_key("near", "secret"), lambda: read_key(endpoint(KeyPlace.KEYRING, "near"))):
        with pytest.raises(RagError, match="environment variable") as caught:
            use()
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kept", ["", " ", "\n", "\t \r\n"])
def test_a_variable_of_blanks_is_no_key(monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    monkeypatch.setenv("RAGDECK_TEST_KEY", kept)
    with pytest.raises(RagError, match=r"^The key of “near” is missing: .* start Ragdeck again\.$"):
        read_key(endpoint(KeyPlace.ENVIRONMENT, "RAGDECK_TEST_KEY"))


def test_a_variable_that_was_never_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAGDECK_TEST_KEY", raising=False)
    with pytest.raises(RagError, match="RAGDECK_TEST_KEY is not set"):
        read_key(endpoint(KeyPlace.ENVIRONMENT, "RAGDECK_TEST_KEY"))


def test_keys_are_kept_by_the_name_of_their_endpoint(memory_keyring: dict[tuple[str, str], str]) -> None:
    keep_key("near", "one")
    keep_key("far", "two")
    keep_key("near", "three")  # connected again with another key
    assert read_key(endpoint(KeyPlace.KEYRING, "near")) == "three"
    forget_key("near")
    assert memory_keyring == {(SERVICE, "far"): "two"}


def test_an_endpoint_without_a_key_does_not_look_for_one(
    memory_keyring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    memory_keyring[SERVICE, "near"] = "secret"
    monkeypatch.setenv("near", "secret")
    assert read_key(endpoint(KeyPlace.NONE, "near")) == ""


def test_a_key_cannot_be_forgotten_without_a_keyring(no_keyring: None) -> None:
    with pytest.raises(RagError, match="has no keyring that keeps keys") as caught:
        forget_key("near")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
