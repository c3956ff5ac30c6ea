"""Tokens are made, listed and revoked; they are shown only where somebody asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

from rag.serving.tokens import FILE, TokenBook, list_tokens


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


def test_the_first_one_is_made_and_hidden(ragdeck: CommandLine, folder: Path) -> None:
    (row,) = ragdeck.done("tokens", "list", "--json").document
    assert (row["name"], row["token"]) == ("default", None) and row["created_ms"] > 0
    assert "--show" in ragdeck.done("tokens", "list").out
    (shown,) = ragdeck.done("tokens", "list", "--show", "--json").document
    assert TokenBook(folder).name_of(f"Bearer {shown['token']}") == "default"


def test_one_is_made_for_a_program_and_revoked(ragdeck: CommandLine, folder: Path) -> None:
    secret = ragdeck.done("tokens", "new", "editor").out.strip()
    book = TokenBook(folder)
    assert book.name_of(f"Bearer {secret}") == "editor"
    renewed = ragdeck.done("tokens", "new", "editor", "--json").document
    assert renewed["token"] != secret and book.name_of(f"Bearer {secret}") == ""
    assert "“editor” holds no more" in ragdeck.done("tokens", "revoke", "editor").out
    assert book.name_of(f"Bearer {renewed['token']}") == ""
    assert ragdeck.refused("tokens", "revoke", "editor") == "There is no token “editor”."
    assert "needs a name" in ragdeck.refused("tokens", "new", "a/b")
    ragdeck.done("tokens", "new", "agent")
    assert ragdeck.done("tokens", "revoke", "agent", "--json").document == {"revoked": "agent"}


@pytest.mark.parametrize("name", ["", " ", "a/b", "x" * 61, "<b>"])
def test_a_name_that_is_none_is_refused_and_makes_nothing(
    ragdeck: CommandLine, folder: Path, name: str
) -> None:
    said = ragdeck.refused("tokens", "new", name)
    assert said == "A token needs a name: at most 60 letters, digits, spaces and signs such as @ and -."
    assert list_tokens(folder) == []


def test_they_are_listed_oldest_first_and_never_with_their_secrets(
    ragdeck: CommandLine, folder: Path
) -> None:
    secrets = [ragdeck.done("tokens", "new", name).out.strip() for name in ("b", "a", "c")]
    for printed in (ragdeck.done("tokens", "list"), ragdeck.done("tokens", "list", "--json")):
        assert not any(secret in printed.out for secret in secrets)
    listed = ragdeck.done("tokens", "list", "--show", "--json").document
    assert [row["name"] for row in listed] == ["b", "a", "c"]
    assert [row["token"] for row in listed] == secrets


def test_a_list_makes_one_token_and_no_second(ragdeck: CommandLine, folder: Path) -> None:
    for _ in range(2):
        ragdeck.done("tokens", "list")
    assert [token.name for token in list_tokens(folder)] == ["default"]


def test_a_damaged_file_is_a_sentence_for_every_command(ragdeck: CommandLine, folder: Path) -> None:
    (folder / FILE).write_text("{", "utf-8")
    for command in (("list",), ("new", "editor"), ("revoke", "editor")):
        assert "Delete it, and make new tokens." in ragdeck.refused("tokens", *command)
    assert (folder / FILE).read_text("utf-8") == "{"


def test_a_name_with_markup_is_shown_as_it_is(ragdeck: CommandLine) -> None:
    assert "“[bold]”" in ragdeck.refused("tokens", "revoke", "[bold]")
