"""`ragdeck find`: every stored object by a few words, as in the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

QUESTION = "How long does rye bread rest?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with the collection "Bakery", in which one question was asked."""
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "Bakery")
    made.done("ask", QUESTION, "-c", "Bakery")
    return made


def test_objects_are_found_with_what_other_commands_call_them_by(
    ragdeck: CommandLine, documents: Path
) -> None:
    (collection, version) = ragdeck.done("find", "bak", "--json").document
    assert (collection["kind"], collection["key"]) == ("collection", "Bakery")
    assert (version["kind"], version["key"], version["within"]) == ("version", "1", "Bakery")
    (document,) = ragdeck.done("find", "bread.md", "--json").document
    assert document["key"] == str(documents / "bread.md")
    assert ragdeck.done("documents", "show", document["key"], "-c", document["within"]).out
    found = {one["kind"]: one for one in ragdeck.done("find", "how", "long", "--json").document}
    assert set(found) == {"trace", "session"}  # a session is named by its first question
    trace = found["trace"]
    assert trace["title"] == QUESTION
    assert QUESTION in ragdeck.done("traces", "show", trace["key"]).out


def test_the_table_has_a_line_for_each_and_nothing_found_is_said(ragdeck: CommandLine) -> None:
    printed = ragdeck.done("find", "bak", "--plain").out
    assert [line.split("\t")[:2] for line in printed.splitlines()[1:]] == [
        ["collection", "Bakery"],
        ["version", "Bakery version 1"],
    ]
    assert "Nothing is called that" in ragdeck.done("find", "zzz").out
    assert ragdeck.done("find", "zzz", "--json").document == []
