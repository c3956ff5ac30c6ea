"""Commands on what is known: ingest, removal, metadata, chunks, inspection, erasing, and followed folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


@pytest.fixture
def filled(ragdeck: CommandLine, documents: Path) -> CommandLine:
    """Three small documents in the collection A, as version 1."""
    ragdeck.done("ingest", documents, "-c", "A")
    return ragdeck


def versions(ragdeck: CommandLine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ragdeck.done("versions", "-c", "A", "--json").document
    return found


def chunks(ragdeck: CommandLine, document: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ragdeck.done("chunks", document, "-c", "A", "--json").document
    return found


# --- ingest and listing -----------------------------------------------------------------------------------


def test_ingest_reports_every_file_and_the_version(ragdeck: CommandLine, documents: Path) -> None:
    (documents / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (documents / "empty.txt").write_text("", "utf-8")
    report = ragdeck.done("ingest", documents, "-c", "A", "--json").document
    assert report["counts"]["added"] == 3
    assert (report["version_number"], report["document_count"]) == (1, 3)
    outcomes = {Path(o["path"]).name: o["outcome"] for o in report["outcomes"]}
    assert outcomes["tides.txt"] == "added"
    assert outcomes["empty.txt"] in ("failed", "skipped")
    assert all(o["detail"] for o in report["outcomes"] if o["outcome"] in ("failed", "skipped"))


def test_the_same_files_again_make_no_version(filled: CommandLine, documents: Path) -> None:
    report = filled.done("ingest", documents, "-c", "A", "--json").document
    assert report["counts"]["unchanged"] == 3
    assert len(versions(filled)) == 1


def test_a_changed_file_is_replaced_in_a_new_version(filled: CommandLine, documents: Path) -> None:
    (documents / "tides.txt").write_text("The tide at Bremen rises 4 metres. Boats leave at dawn.", "utf-8")
    printed = filled.done("ingest", documents, "-c", "A").out
    assert "1 replaced" in printed and "version 2" in printed


def test_ingest_for_people_names_what_failed_and_refuses_when_nothing_was_added(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 and then nothing")
    printed = ragdeck("ingest", broken, "-c", "A")
    assert printed.code == 1
    assert "broken.pdf" in printed.out
    assert ragdeck("ingest", tmp_path / "nowhere", "-c", "A").code == 1


def test_collections_are_listed(ragdeck: CommandLine, documents: Path) -> None:
    assert ragdeck.done("collections", "--json").document == []
    assert "ragdeck ingest" in ragdeck.done("collections").out
    ragdeck.done("ingest", documents, "-c", "A")
    (row,) = ragdeck.done("collections", "--json").document
    assert (row["name"], row["version_number"], row["document_count"]) == ("A", 1, 3)
    assert row["embedder_name"] == "fake"
    assert "A" in ragdeck.done("collections").out


# --- edits ------------------------------------------------------------------------------------------------


def test_removing_documents_makes_a_version_without_them(filled: CommandLine, documents: Path) -> None:
    printed = filled.done("remove", "tides.txt", documents / "stars.txt", "-c", "A").out
    assert "Version 2" in printed and "2 of 3" in printed
    assert [v["document_count"] for v in versions(filled)] == [1, 3]


def test_removing_what_is_not_there_is_refused(filled: CommandLine) -> None:
    filled.refused("remove", "nothing.txt", "-c", "A")
    assert "“B”" in filled.refused("remove", "tides.txt", "-c", "B")
    assert len(versions(filled)) == 1


def test_metadata_is_replaced_and_removed(filled: CommandLine) -> None:
    filled.done("describe", "tides.txt", "author=Ann", "year=2024", "-c", "A")
    filled.done("describe", "tides.txt", "author=Ben", "-c", "A")
    diff = filled.done("versions", "diff", 2, 3, "-c", "A", "--json").document
    assert [(change["kind"], change["name"]) for change in diff["documents"]] == [("metadata", "tides.txt")]
    filled.done("describe", "tides.txt", "-c", "A")
    assert filled.done("versions", "diff", 1, 4, "-c", "A", "--json").document["documents"] == []


@pytest.mark.parametrize("pair", ["author", "=Ann", " = "])
def test_metadata_that_is_no_pair_is_refused(filled: CommandLine, pair: str) -> None:
    assert "name=value" in filled.refused("describe", "tides.txt", pair, "-c", "A").lower()
    assert len(versions(filled)) == 1


def test_a_name_of_several_documents_asks_for_the_path(ragdeck: CommandLine, tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "notes.txt").write_text(f"The {place} ferry leaves at noon.", "utf-8")
    ragdeck.done("ingest", tmp_path / "one", tmp_path / "two", "-c", "A")
    assert "path" in ragdeck.refused("describe", "notes.txt", "x=1", "-c", "A")
    ragdeck.done("describe", tmp_path / "one" / "notes.txt", "x=1", "-c", "A")


def test_chunks_say_how_they_were_used(filled: CommandLine) -> None:
    filled.done("ask", "What does rye bread need?", "-c", "A", "--json")
    (chunk,) = chunks(filled, "bread.md")
    assert "sourdough" in chunk["text"]
    assert (chunk["candidate_count"], chunk["prompt_count"], chunk["excluded"]) == (1, 1, None)
    assert [question for _, question in chunk["cited"]] == ["What does rye bread need?"]
    assert "sourdough" in filled.done("chunks", "bread.md", "-c", "A").out
    assert "nothing.txt" in filled.refused("chunks", "nothing.txt", "-c", "A")


def test_an_excluded_chunk_is_not_searched_until_it_is_included_again(filled: CommandLine) -> None:
    number = chunks(filled, "bread.md")[0]["id"]
    filled.done("exclude", number, "-c", "A", "--reason", "out of date")
    assert chunks(filled, "bread.md")[0]["excluded"] == "out of date"

    def documents_found() -> set[str]:
        hits = filled.done("search", "rye bread sourdough", "-c", "A", "--json").document["hits"]
        return {hit["document"] for hit in hits}

    assert "bread.md" not in documents_found()
    filled.done("include", number, "-c", "A")
    assert "bread.md" in documents_found()
    assert len(versions(filled)) == 3


def test_excluding_needs_a_chunk_that_is_there_and_a_reason(filled: CommandLine) -> None:
    filled.refused("exclude", 999, "-c", "A", "--reason", "x")
    filled.refused("include", chunks(filled, "bread.md")[0]["id"], "-c", "A")
    assert filled("exclude", 1, "-c", "A").code == 2, "wrong usage: the reason is missing"


# --- inspection and erasing -------------------------------------------------------------------------------


def test_suspicious_chunks_and_near_duplicates_are_listed(ragdeck: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    text = "The ferry from Bremen to Helgoland leaves every day at noon and takes two hours in calm weather"
    (folder / "a.txt").write_text(f"{text}.", "utf-8")
    (folder / "b.txt").write_text(f"{text}, mostly.", "utf-8")
    (folder / "c.txt").write_text("� � � � �� � � �� � � �", "utf-8")
    ragdeck.done("ingest", folder, "-c", "A")
    (pair,) = ragdeck.done("inspect", "-c", "A", "--near", "--json").document
    assert {pair["document"], pair["other_document"]} == {"a.txt", "b.txt"}
    assert pair["similarity"] > 0.95
    assert "a.txt" in ragdeck.done("inspect", "-c", "A", "--near").out
    suspects = ragdeck.done("inspect", "-c", "A", "--json").document
    assert "c.txt" in {suspect["document"] for suspect in suspects}
    assert "c.txt" in ragdeck.done("inspect", "-c", "A").out


def test_an_erased_document_is_gone_from_every_version(filled: CommandLine) -> None:
    filled.done("remove", "stars.txt", "-c", "A")
    report = filled.done("erase", "tides.txt", "-c", "A", "--yes", "--json").document
    assert report["clean"] is True and report["found"] == []
    assert all(v["document_count"] <= 2 for v in versions(filled))
    filled.refused("chunks", "tides.txt", "-c", "A")
    hits = filled.done("search", "tide at Bremen", "-c", "A", "--json").document["hits"]
    assert "tides.txt" not in {hit["document"] for hit in hits}


def test_erasing_what_is_not_there_is_refused(filled: CommandLine) -> None:
    filled.refused("erase", "nothing.txt", "-c", "A", "--yes")
    filled.refused("erase", "tides.txt", "-c", "B", "--yes")


def test_compacting_removes_what_no_version_needs(filled: CommandLine) -> None:
    filled.done("remove", "tides.txt", "-c", "A")
    filled.done("versions", "delete", 1, "-c", "A")
    report = filled.done("compact", "--json").document
    assert report["embeddings"] >= 1
    assert report["bytes_after"] > 0
    assert "MB" in filled.done("compact").out


# --- followed folders -------------------------------------------------------------------------------------


def test_a_followed_folder_is_checked_paused_and_let_go(ragdeck: CommandLine, documents: Path) -> None:
    assert ragdeck.done("watch", "list", "--json").document == []
    assert "ragdeck watch add" in ragdeck.done("watch", "list").out
    ragdeck.done("watch", "add", documents, "-c", "A", "--quiet", 1)
    document = ragdeck.done("watch", "check", "--json").document
    assert document["ingests"][0]["document_count"] == 3
    (documents / "stars.txt").unlink()
    ragdeck.done("watch", "check")
    assert [v["document_count"] for v in versions(ragdeck)] == [2, 3]
    ragdeck.done("watch", "pause", documents, "-c", "A")
    assert ragdeck.done("watch", "list", "--json").document[0]["enabled"] in (False, 0)
    (documents / "tides.txt").unlink()
    ragdeck.done("watch", "check")
    assert versions(ragdeck)[0]["document_count"] == 2, "a paused folder is not read"
    ragdeck.done("watch", "resume", documents, "-c", "A")
    ragdeck.done("watch", "check")
    assert versions(ragdeck)[0]["document_count"] == 1
    assert "Version 3" in ragdeck.done("watch", "list").out
    ragdeck.done("watch", "remove", documents, "-c", "A")
    assert ragdeck.done("watch", "list", "--json").document == []


def test_folders_that_cannot_be_followed_are_refused(
    ragdeck: CommandLine, tmp_path: Path, documents: Path
) -> None:
    ragdeck.refused("watch", "add", tmp_path / "nowhere", "-c", "A")
    ragdeck.done("watch", "add", documents, "-c", "A")
    ragdeck.refused("watch", "add", documents, "-c", "A")
    ragdeck.refused("watch", "pause", tmp_path, "-c", "A")
    ragdeck.refused("watch", "remove", tmp_path, "-c", "A")
