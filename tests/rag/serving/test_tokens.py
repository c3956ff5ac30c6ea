"""Tokens are kept in a file that nobody else can read, and let in whoever names one that holds."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
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


@pytest.mark.parametrize("name", ["a", "x" * 60, "VS Code", "me@work", "Jürgen-2", "v1.0", " padded "])
def test_a_name_may_have_letters_digits_and_some_signs(tmp_path: Path, name: str) -> None:
    assert make_token(tmp_path, name).name == name.strip()
    assert [token.name for token in list_tokens(tmp_path)] == [name.strip()]


def test_a_token_that_is_replaced_is_the_last_one_and_the_others_stay(tmp_path: Path) -> None:
    made = {name: make_token(tmp_path, name) for name in ("a", "b", "c")}
    again = make_token(tmp_path, "a")
    assert list_tokens(tmp_path) == [made["b"], made["c"], again]
    assert ensure_token(tmp_path) == made["b"], "the oldest"


def test_a_name_that_was_revoked_may_come_back_with_another_secret(tmp_path: Path) -> None:
    first = make_token(tmp_path, "editor")
    revoke_token(tmp_path, "editor")
    assert list_tokens(tmp_path) == []
    assert make_token(tmp_path, "editor").secret != first.secret


@pytest.mark.parametrize("name", ["", "Editor", "editor ", "nobody"])
def test_only_the_whole_name_is_revoked(tmp_path: Path, name: str) -> None:
    make_token(tmp_path, "editor")
    with pytest.raises(NotFoundError, match=f"There is no token “{name}”"):
        revoke_token(tmp_path, name)
    assert [token.name for token in list_tokens(tmp_path)] == ["editor"]


def test_what_a_write_that_was_cut_off_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"{FILE}.new").write_text("half of it", "utf-8")
    made = make_token(tmp_path, "editor")
    assert list_tokens(tmp_path) == [made] and not (tmp_path / f"{FILE}.new").exists()


@pytest.mark.parametrize(
    "change", [lambda folder: make_token(folder, "more"), lambda folder: revoke_token(folder, "x")]
)
def test_a_damaged_file_is_left_as_it_is(tmp_path: Path, change: Callable[[Path], object]) -> None:
    (tmp_path / FILE).write_text("{", "utf-8")
    with pytest.raises(RagError, match="Delete it, and make new tokens"):
        change(tmp_path)
    assert (tmp_path / FILE).read_text("utf-8") == "{"


def test_a_file_that_is_deleted_lets_nobody_in_any_more(tmp_path: Path) -> None:
    secret = make_token(tmp_path, "editor").secret
    book = TokenBook(tmp_path)
    assert book.name_of(f"Bearer {secret}") == "editor"
    kept = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).unlink()
    assert book.name_of(f"Bearer {secret}") == ""
    (tmp_path / FILE).write_bytes(kept)
    assert book.name_of(f"Bearer {secret}") == "editor"


def test_tokens_of_many_programs_at_once_are_all_kept(tmp_path: Path) -> None:
    names = [f"program {number}" for number in range(8)]
    threads = [threading.Thread(target=make_token, args=(tmp_path, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(token.name for token in list_tokens(tmp_path)) == names
