"""Commands on collections, on a data folder whose vectors a fake embedder made."""

import io
import json
from pathlib import Path

import pytest
import typer
from command_line import CommandLine
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


@pytest.fixture
def ragdeck(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with the collection “A”."""
    return CommandLine(data, capsys)


def fake(data: Path) -> Workspace:
    return Workspace(data, embedder=FakeEmbedder(), load_model=ScriptedModel().load)


def names(ragdeck: CommandLine) -> set[str]:
    return {Path(name).name for name in documents(ragdeck)}


def documents(ragdeck: CommandLine) -> list[str]:
    with fake(ragdeck.data) as workspace:
        return [
            row[0]
            for row in workspace.database.cells(
                """SELECT d.source FROM collection c JOIN versiondocument v ON v.version_id = c.active_version_id
                   JOIN document d ON d.id = v.document_id WHERE c.name = 'A'"""
            )
        ]


def chunk(ragdeck: CommandLine, name: str) -> int:
    return int(ragdeck.json("chunks", name, "-c", "A")[0]["id"])


# --- listing ----------------------------------------------------------------------------------------------


def test_collections_are_listed_with_their_counts(ragdeck: CommandLine) -> None:
    (row,) = ragdeck.json("collections")
    assert (row["name"], row["version_number"], row["document_count"], row["chunk_count"]) == ("A", 1, 3, 3)
    assert ragdeck("collections").text.endswith(
        "fake │ └──────┴─────────┴───────────┴────────┴────────┴──────────┘"
    )


def test_without_a_collection_the_way_to_one_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ragdeck = CommandLine(tmp_path / "empty", capsys)
    (tmp_path / "empty").mkdir()
    assert ragdeck("collections").text == (
        "There are no collections yet. Make one with `ragdeck ingest PATH... -c NAME`."
    )
    assert ragdeck.json("collections") == []


def test_chunks_are_listed_with_their_use(ragdeck: CommandLine) -> None:
    (item,) = ragdeck.json("chunks", "bread.md", "-c", "A")
    assert item["text"].startswith("# Bread")
    assert (item["candidate_count"], item["prompt_count"], item["excluded"]) == (0, 0, None)
    assert "Rye bread" in ragdeck("chunks", "bread.md", "-c", "A").text
    assert "has no document “wine.md”" in ragdeck.refused("chunks", "wine.md", "-c", "A")
    assert "Run `ragdeck collections`" in ragdeck.refused("chunks", "bread.md", "-c", "Z")


def test_markup_in_a_document_is_text(ragdeck: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "[bold]x.txt").write_text("[red]plum[/red] is the word here", "utf-8")
    with fake(ragdeck.data) as workspace:
        drive(ingest_files(workspace, "A", [tmp_path / "[bold]x.txt"]))
    assert "[red]plum" in ragdeck("chunks", "[bold]x.txt", "-c", "A").text


# --- changing ---------------------------------------------------------------------------------------------


def test_documents_are_removed_by_name_or_path(ragdeck: CommandLine) -> None:
    path = next(source for source in documents(ragdeck) if source.endswith("tides.txt"))
    ran = ragdeck("remove", "bread.md", path, "-c", "A")
    assert (ran.code, ran.text) == (0, "Version 2: removed 2 of 3 documents.")
    assert names(ragdeck) == {"stars.txt"}
    assert "None of these documents" in ragdeck.refused("remove", "wine.md", "-c", "A")


def test_metadata_is_written_and_removed(ragdeck: CommandLine) -> None:
    ran = ragdeck("describe", "bread.md", "author=Ann", "note=a=b", "-c", "A")
    assert ran.text == "Version 2: Edited metadata of “bread.md”"
    with fake(ragdeck.data) as workspace:
        stored = workspace.database.cells("SELECT attributes FROM versiondocument WHERE attributes != ''")
    assert [json.loads(text) for (text,) in stored] == [{"author": "Ann", "note": "a=b"}]
    assert ragdeck("describe", "bread.md", "-c", "A").code == 0
    assert "the same as before" in ragdeck.refused("describe", "bread.md", "-c", "A")


@pytest.mark.parametrize("wrong", ["author", "=Ann", " =Ann"])
def test_metadata_that_is_no_pair_is_refused(ragdeck: CommandLine, wrong: str) -> None:
    assert (
        ragdeck.refused("describe", "bread.md", wrong, "-c", "A") == "Metadata must be given as NAME=VALUE."
    )


def test_a_name_that_two_documents_have_is_refused(ragdeck: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bread.md").write_text("White bread needs yeast and butter.", "utf-8")
    with fake(ragdeck.data) as workspace:
        drive(ingest_files(workspace, "A", [tmp_path / "bread.md"]))
    sentence = ragdeck.refused("describe", "bread.md", "a=b", "-c", "A")
    assert sentence == "“bread.md” is the name of 2 documents in “A”. Give the path of one."
    assert ragdeck("describe", tmp_path / "bread.md", "a=b", "-c", "A").code == 0
    assert "is the name of 0 documents" in ragdeck.refused("describe", "wine.md", "a=b", "-c", "A")


def test_chunks_are_excluded_with_a_reason_and_included_again(ragdeck: CommandLine) -> None:
    bread = chunk(ragdeck, "bread.md")
    assert ragdeck("exclude", bread, "-c", "A", "--reason", "old").text == "Version 2: Excluded 1 chunk: old"
    assert ragdeck.json("chunks", "bread.md", "-c", "A")[0]["excluded"] == "old"
    assert "already excluded" in ragdeck.refused("exclude", bread, "-c", "A", "--reason", "older")
    assert ragdeck("include", bread, "-c", "A").text == "Version 3: Included 1 chunk again"
    assert "None of these chunks" in ragdeck.refused("include", bread, "-c", "A")


def test_suspicious_chunks_and_near_duplicates_are_listed(ragdeck: CommandLine, tmp_path: Path) -> None:
    assert ragdeck("inspect", "-c", "A").text == "0 chunks to look at"
    (tmp_path / "noise.txt").write_text("%&/(§$ )(=?{]}[ ~#'* ;:_+ §$%&/ ()=? {[]} a", "utf-8")
    text = "The harbour of Bremen is open every day from six until ten and has nine cranes for heavy goods"
    (tmp_path / "one.txt").write_text(text, "utf-8")
    (tmp_path / "two.txt").write_text(text + " today", "utf-8")
    with fake(ragdeck.data) as workspace:
        drive(ingest_files(workspace, "A", [tmp_path / name for name in ("noise.txt", "one.txt", "two.txt")]))
    (suspect,) = ragdeck.json("inspect", "-c", "A")
    assert (suspect["kind"], suspect["document"]) == ("garbled", "noise.txt")
    assert "garbled: noise.txt" in ragdeck("inspect", "-c", "A").text
    assert ragdeck("inspect", "-c", "A").text.endswith("1 chunk to look at")
    (pair,) = ragdeck.json("inspect", "-c", "A", "--near")
    assert {pair["document"], pair["other_document"]} == {"one.txt", "two.txt"}
    assert ragdeck("inspect", "-c", "A", "--near").text.endswith("1 pair")


# --- files ------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_added_are_named_and_the_command_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    ran = CommandLine(tmp_path / "empty", capsys)(
        "ingest", tmp_path / "broken.pdf", tmp_path / "gone", "-c", "A"
    )
    assert ran.code == 1
    assert "There is no such file or folder." in ran.text
    assert "2 failed in" in ran.text
    assert "Nothing could be added. The reasons are above." in ran.err


def test_vectors_of_another_embedder_are_not_mixed_with_those_of_the_starter(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "rain.txt").write_text("Rain falls in April.", "utf-8")
    assert "not installed" in ragdeck.refused("ingest", tmp_path / "rain.txt", "-c", "A")
    assert len(documents(ragdeck)) == 3


# --- followed folders -------------------------------------------------------------------------------------


def test_a_folder_is_followed_paused_resumed_and_forgotten(ragdeck: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    assert ragdeck("watch", "list").text == (
        "No folders are followed. Follow one with `ragdeck watch add DIR -c NAME`."
    )
    with fake(ragdeck.data) as workspace:
        from rag.knowledge.watched_folders import watch_folder

        watch_folder(workspace, "A", str(folder), 0)
    (row,) = ragdeck.json("watch", "list")
    assert (row["collection"], row["path"], row["enabled"], row["quiet_s"]) == ("A", str(folder), 1, 0)
    assert ragdeck("watch", "pause", folder, "-c", "A").text.endswith("is paused.")
    assert ragdeck.json("watch", "list")[0]["enabled"] == 0
    assert ragdeck.json("watch", "check") == {"folders": ragdeck.json("watch", "list"), "ingests": []}
    assert ragdeck("watch", "resume", folder, "-c", "A").text.endswith("is followed again.")
    assert ragdeck("watch", "remove", folder, "-c", "A").text.endswith("is no longer followed.")
    assert "does not follow" in ragdeck.refused("watch", "pause", folder, "-c", "A")


def test_a_check_says_what_became_of_each_folder(ragdeck: CommandLine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with fake(ragdeck.data) as workspace:
        from rag.knowledge.watched_folders import watch_folder

        watch_folder(workspace, "A", str(gone), 0)
    gone.rmdir()
    ran = ragdeck("watch", "check")
    assert ran.code == 0
    assert ran.text.endswith("The folder does not exist. Nothing was changed; it will be checked again.")


def test_a_folder_that_cannot_be_followed_is_refused(ragdeck: CommandLine, tmp_path: Path) -> None:
    assert "not a readable folder" in ragdeck.refused("watch", "add", tmp_path / "none", "-c", "A")
    assert "only documents" in ragdeck.refused("watch", "add", tmp_path, "-c", "A")


# --- erasing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_erasing_asks_first_and_is_aborted_without_a_yes(
    ragdeck: CommandLine, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    ran = ragdeck("erase", "bread.md", "-c", "A")
    assert "This cannot be undone." in ran.out
    assert ran.code == 1
    assert len(documents(ragdeck)) == 3


def test_erasing_and_compacting_say_what_they_removed(ragdeck: CommandLine) -> None:
    report = ragdeck.json("erase", "bread.md", "-c", "A", "--yes")
    assert (report["clean"], report["documents"], report["versions"]) == (True, ["bread.md"], 1)
    assert names(ragdeck) == {"tides.txt", "stars.txt"}
    assert ragdeck.json("compact")["documents"] == 0
    assert "0 documents and 0 vectors removed" in ragdeck("compact").text
    assert "a document “bread.md”" in ragdeck.refused("erase", "bread.md", "-c", "A", "--yes")


def test_every_command_says_what_it_does() -> None:
    from rag.cli import knowledge

    for command in typer.main.get_command(knowledge.app).commands.values():
        assert command.help or command.commands, command.name
