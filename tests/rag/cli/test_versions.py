"""Commands on dataset versions, on a data folder whose vectors a fake embedder made."""

import json
from pathlib import Path

import pytest
import typer
from command_line import CommandLine
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.cli import app
from rag.knowledge.ingest import ingest_files
from rag.knowledge.trials import build_trial
from rag.workspace import Workspace


@pytest.fixture
def ragdeck(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder where version 2 has another text about tides, and one about rain."""
    (tmp_path / "tides.txt").write_text("The tide at Emden rises 3 metres. Boats leave at noon.", "utf-8")
    (tmp_path / "rain.txt").write_text("Rain falls in April.", "utf-8")
    with fake(data) as workspace:
        drive(ingest_files(workspace, "A", [tmp_path / "tides.txt", tmp_path / "rain.txt"]))
        (tmp_path / "tides.txt").write_text("The tide at Husum rises 3 metres. Boats leave at noon.", "utf-8")
        drive(ingest_files(workspace, "A", [tmp_path / "tides.txt"]))
    return CommandLine(data, capsys)


def fake(data: Path) -> Workspace:
    return Workspace(data, embedder=FakeEmbedder(), load_model=ScriptedModel().load)


def test_versions_are_listed_with_their_state_and_tags(ragdeck: CommandLine) -> None:
    assert (
        ragdeck("versions", "tag", "1", "baseline", "-c", "A").text == "Version 1 of A has the tag baseline."
    )
    rows = ragdeck.json("versions", "-c", "A")
    assert [(row["number"], row["active"], row["tags"]) for row in rows] == [
        (3, 1, []), (2, 0, []), (1, 0, ["baseline"]),
    ]  # fmt: skip
    assert all(row["verification_ok"] for row in rows)
    assert "(active)" in ragdeck("versions", "-c", "A").text
    assert ragdeck.refused("versions") == "Name the collection with -c NAME."


def test_two_versions_are_compared_by_document_and_by_word(ragdeck: CommandLine) -> None:
    found = ragdeck.json("versions", "diff", "2", "3", "-c", "A")
    assert found["summary"] == "1 changed; 4 the same"
    assert [(change["kind"], change["name"]) for change in found["documents"]] == [("changed", "tides.txt")]
    ran = ragdeck("versions", "diff", "2", "active", "-c", "A")
    assert ran.text.startswith("Version 2 to 3: 1 changed; 4 the same")
    chunks = ragdeck.json("versions", "diff", "2", "3", "-c", "A", "--chunks", "tides.txt")["chunks"]
    assert ["Emden", "Husum"] in [word[1:] for word in chunks[0]["words"]]
    text = ragdeck("versions", "diff", "2", "3", "-c", "A", "--chunks", "tides.txt").text
    assert "changed chunk 1" in text and "EmdenHusum" in text
    sentence = ragdeck.refused("versions", "diff", "2", "3", "-c", "A", "--chunks", "rain.txt")
    assert sentence == "“rain.txt” does not differ between versions 2 and 3."
    assert "has no version 9" in ragdeck.refused("versions", "diff", "2", "9", "-c", "A")


def test_a_document_that_came_is_shown_whole(ragdeck: CommandLine) -> None:
    ran = ragdeck("versions", "diff", "1", "2", "-c", "A", "--chunks", "rain.txt")
    assert "added chunk 1" in ran.text and "Rain falls in April." in ran.text


def test_a_tag_is_removed_once(ragdeck: CommandLine) -> None:
    ragdeck("versions", "tag", "2", "released", "-c", "A")
    assert ragdeck("versions", "untag", "released", "-c", "A").text == "The tag released was removed."
    assert "No version of “A” has the tag" in ragdeck.refused("versions", "untag", "released", "-c", "A")
    assert "A tag is a word" in ragdeck.refused("versions", "tag", "2", "7", "-c", "A")


def test_activating_and_undoing_are_verified(ragdeck: CommandLine) -> None:
    report = ragdeck.json("activate", "1", "-c", "A")
    assert (report["number"], report["verification"]["ok"]) == (1, True)
    assert report["verification_sentence"].startswith("fingerprint as expected, 3 of 3 vectors checked")
    ran = ragdeck("activate", "3", "-c", "A")
    assert ran.code == 0
    assert "Version 3 of A is active after" in ran.text and "Verified: fingerprint as expected" in ran.text
    assert "Version 2 of A is active" in ragdeck("undo", "-c", "A").text
    assert "Version 1 of A is active" in ragdeck("undo", "-c", "A").text
    assert "Version 1 is the first one" in ragdeck.refused("undo", "-c", "A")


def test_a_failed_verification_is_exit_code_1(ragdeck: CommandLine) -> None:
    assert ragdeck("versions", "verify", "-c", "A", "--every-vector").text.startswith("Verified: ")
    with fake(ragdeck.data) as workspace, workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE datasetversion SET index_fingerprint = 'wrong'")
    ran = ragdeck("versions", "verify", "-c", "A", "--json")
    assert (ran.code, ran.document["ok"], ran.document["fingerprint_same"]) == (1, False, False)
    ran = ragdeck("activate", "2", "-c", "A")
    assert ran.code == 1
    assert "Verification failed: WRONG fingerprint" in ran.text


def test_a_version_is_deleted_with_what_only_it_contained(ragdeck: CommandLine) -> None:
    ran = ragdeck("versions", "delete", "2", "-c", "A")
    assert ran.text == "Version 2 was deleted, with 1 document that only it contained."
    assert "is active" in ragdeck.refused("versions", "delete", "3", "-c", "A")


def test_an_index_stays_where_it_is_when_a_server_does_not_answer(ragdeck: CommandLine) -> None:
    assert "already served from there" in ragdeck.refused("serve-index", "folder", "-c", "A")
    assert "127.0.0.1:9" in ragdeck.refused("serve-index", "http://127.0.0.1:9", "-c", "A")


@pytest.mark.parametrize("command", [("trial",), ("whatif",)])
def test_a_trial_has_its_old_name_too(ragdeck: CommandLine, command: tuple[str, ...]) -> None:
    sentence = ragdeck.refused(*command, "build", "-c", "A", "--max-tokens", "64")
    assert "not installed" in sentence  # the fake embedder is not there: the command was understood


@pytest.mark.parametrize("command", ["query", "probe"])
def test_a_verification_query_has_its_old_name_too(ragdeck: CommandLine, command: str) -> None:
    assert "not installed" in ragdeck.refused("versions", command, "How high is the tide?", "-c", "A")
    assert "Type one first" in ragdeck.refused("versions", command, " ", "-c", "A")


def test_old_names_are_not_listed() -> None:
    command = typer.main.get_command(app)
    assert command.commands["whatif"].hidden and not command.commands["trial"].hidden
    versions = command.commands["versions"].commands
    assert versions["probe"].hidden and not versions["query"].hidden


def test_a_trial_is_listed_as_one_and_compared(ragdeck: CommandLine) -> None:
    with fake(ragdeck.data) as workspace:
        drive(build_trial(workspace, "A", max_tokens=64))
    row = ragdeck.json("versions", "-c", "A")[0]
    assert (row["number"], row["trial"], row["kind"]) == (4, 1, "rechunk")
    assert "(trial)" in ragdeck("versions", "-c", "A").text
    assert "not installed" in ragdeck.refused("trial", "compare", "3", "4", "-c", "A", "-q", "tide")


def test_json_is_one_document_on_stdout(ragdeck: CommandLine) -> None:
    ran = ragdeck("versions", "-c", "A", "--json")
    assert isinstance(json.loads(ran.out), list)
    assert ran.err == ""
