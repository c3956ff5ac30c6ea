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
