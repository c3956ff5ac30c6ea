"""Tokens are kept in a file that nobody else can read, and let in whoever names one that holds."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import NotFoundError, RagError
from rag.serving.tokens import FILE, TokenBook, ensure_token, list_tokens, make_token, revoke_token


def test_the_first_token_is_made_when_it_is_needed_and_kept(tmp_path: Path) -> None:
    assert list_tokens(tmp_path) == []
    first = ensure_token(tmp_path)
    assert ensure_token(tmp_path) == first and [token.name for token in list_tokens(tmp_path)] == ["default"]
    assert len(first.secret) > 40 and first.secret not in make_token(tmp_path, "other").secret


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps people's folders apart itself")
def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)  # even where everybody may read what is made
    try:
        make_token(tmp_path, "editor")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_token_holds_until_it_is_revoked_or_replaced(tmp_path: Path) -> None:
    book = TokenBook(tmp_path)
    assert book.name_of("Bearer x") == ""
    editor, agent = make_token(tmp_path, "editor"), make_token(tmp_path, " agent ")
    assert book.name_of(f"Bearer {editor.secret}") == "editor"
    assert book.name_of(f"bearer  {agent.secret} ") == "agent"
    renewed = make_token(tmp_path, "editor")
    assert (
        book.name_of(f"Bearer {editor.secret}") == "" and book.name_of(f"Bearer {renewed.secret}") == "editor"
    )
    revoke_token(tmp_path, "editor")
    assert (
        book.name_of(f"Bearer {renewed.secret}") == "" and book.name_of(f"Bearer {agent.secret}") == "agent"
    )
    with pytest.raises(NotFoundError, match="no token “editor”"):
        revoke_token(tmp_path, "editor")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer \ud800"])
def test_what_is_no_bearer_token_lets_nobody_in(tmp_path: Path, header: str) -> None:
    secret = make_token(tmp_path, "editor").secret
    assert TokenBook(tmp_path).name_of(header.format(secret)) == ""


@given(st.text())
def test_no_other_text_is_a_token(text: str) -> None:
    book = TokenBook(Path("/nowhere"))
    assert book.name_of(text) == "" and book.name_of(f"Bearer {text}") == ""


@pytest.mark.parametrize("name", ["", " ", "a/b", "x" * 61, "new\nline", "<b>"])
def test_a_name_is_a_short_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(RagError, match="needs a name"):
        make_token(tmp_path, name)


@pytest.mark.parametrize("content", ["{", "[1]", '[{"name": "x"}]', '"text"'])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, "utf-8")
    with pytest.raises(RagError, match="cannot be read"):
        list_tokens(tmp_path)


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    made = make_token(tmp_path, "editor")
    assert json.loads((tmp_path / FILE).read_text("utf-8"))[0]["secret"] == made.secret
