"""Tokens are made, listed and revoked; they are shown only where somebody asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

from rag.serving.tokens import TokenBook


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
