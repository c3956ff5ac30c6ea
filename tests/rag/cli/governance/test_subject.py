"""`subject search|export`: everything that mentions a person, listed and written to a file."""

import json
from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def ragdeck(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with a document that names somebody."""
    made = CommandLine(folder, capsys)
    (tmp_path / "letter.txt").write_text("Renée Quill keeps the seventh key.", "utf-8")
    made.done("ingest", tmp_path / "letter.txt", "-c", "A")
    return made


def test_a_person_is_found_and_exported(ragdeck: CommandLine, tmp_path: Path) -> None:
    found = ragdeck.done("subject", "search", "RENEE quill", "--json").document
    assert {(hit["table"], hit["column"]) for hit in found["hits"]} >= {
        ("chunk", "text"),
        ("document", "text"),
    }
    said = ragdeck.done("subject", "search", "Renée Quill").out
    assert found["sentence"].split(";")[0] in said
    assert "seventh key" in " ".join(said.split())
    written = ragdeck.done(
        "subject", "export", "Renée Quill", "--out", tmp_path / "r.json", "--json"
    ).document
    content = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert written["texts"] == len(content["found"]) == len(found["hits"])
    log = ragdeck.done("audit", "list", "--text", "subject", "--json").document
    assert [row["action"] for row in log] == ["subject exported", "subject searched", "subject searched"]
    assert "Quill" not in json.dumps(log)


def test_nobody_is_said(ragdeck: CommandLine) -> None:
    assert ragdeck.done("subject", "search", "Zebedee").out.startswith("Nothing mentions it; ")
    assert "everywhere" in ragdeck.refused("subject", "search", "ab")


@pytest.mark.parametrize("term", ["renée quill", "RENÉE", "Rene\u0301e Quill", "𝐑𝐞𝐧é𝐞", "Quill"])
def test_any_spelling_finds_the_same_texts(ragdeck: CommandLine, term: str) -> None:
    hits = ragdeck.done("subject", "search", term, "--json").document["hits"]
    assert {(hit["table"], hit["column"]) for hit in hits} >= {("chunk", "text"), ("document", "text")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("search", " "), "Name the person or the identifier to search for."),
        (("search", "Quill", "xy"), "“xy” would be found everywhere."),
        (("export", "Quill", "--out", "found.txt"), "found.txt says no format."),
        (("export", "xy", "--out", "found.json"), "“xy” would be found everywhere."),
        (("export", "Quill", "--out", "/nowhere/found.json"), "/nowhere/found.json cannot be written"),
    ],
)
def test_what_cannot_be_searched_or_written_is_a_sentence(
    ragdeck: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in ragdeck.refused("subject", *arguments)


def test_several_spellings_are_one_search(ragdeck: CommandLine) -> None:
    one = ragdeck.done("subject", "search", "Quill", "--json").document["hits"]
    both = ragdeck.done("subject", "search", "Zebedee", "Quill", "--json").document["hits"]
    assert [hit["key"] for hit in both] == [hit["key"] for hit in one]
    assert {hit["term"] for hit in both} == {"Quill"}
