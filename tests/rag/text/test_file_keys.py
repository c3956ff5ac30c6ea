"""A file's key is readable text, stands for one file alone, and leads back to it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.file_keys import is_text, key_of, path_of


def test_an_ordinary_path_is_its_own_key() -> None:
    assert key_of(Path("/docs/Prüfung ‹1›.txt")) == "/docs/Prüfung ‹1›.txt"
    assert path_of("/docs/Prüfung ‹1›.txt") == Path("/docs/Prüfung ‹1›.txt")


@pytest.mark.skipif(os.name == "nt", reason="names are bytes only on POSIX")
def test_bytes_that_are_no_utf_8_are_named_one_by_one() -> None:
    path = Path(os.fsdecode(b"/docs/r\xe9sum\xe9.txt"))
    assert key_of(path) == "/docs/r‹E9›sum‹E9›.txt"
    assert path_of(key_of(path)) == path
    assert not is_text(path) and is_text(key_of(path))


def test_a_name_that_looks_like_an_escape_has_a_key_of_its_own() -> None:
    assert key_of("/docs/r‹E9›.txt") == "/docs/r‹2039›E9›.txt"
    assert path_of("/docs/r‹2039›E9›.txt") == Path("/docs/r‹E9›.txt")


PARTS = st.lists(
    st.sampled_from(["a", "‹", "›", "E9", "2039", "‹E9›", "\udce9", "\udc80", "\ud800", "é", "."]), min_size=1
)


@given(PARTS, PARTS)
def test_keys_are_text_and_lead_back_to_one_path(one: list[str], other: list[str]) -> None:
    paths = ["/x" + "".join(parts) for parts in (one, other)]
    keys = [key_of(path) for path in paths]
    assert all(key.encode("utf-8") for key in keys)
    assert [str(path_of(key)) for key in keys] == paths
    assert (keys[0] == keys[1]) == (paths[0] == paths[1])
