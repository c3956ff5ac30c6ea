"""`ragdeck chroma`: look into a real Chroma folder, search it, import from it, export to it."""

from __future__ import annotations

from pathlib import Path

import chromadb
import numpy as np
import pytest
from chromadb.config import Settings
from command_line import CommandLine
from fakes import FakeEmbedder

TEXTS = {
    "a": "The tide at Bremen rises 3.5 metres.",
    "b": "Rye bread needs sourdough and 12 hours of rest.",
    "c": "Sirius is the brightest star.",
}


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Chroma folder of another program, with three records whose vectors are those of the fake embedder."""
    folder = tmp_path_factory.mktemp("theirs")
    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    collection = client.create_collection("notes", metadata={"hnsw:space": "cosine"}, embedding_function=None)
    vectors = FakeEmbedder().encode(list(TEXTS.values()))
    collection.add(
        ids=list(TEXTS),
        documents=list(TEXTS.values()),
        embeddings=[list(map(float, vector)) for vector in vectors],
        metadatas=[{"source": f"{key}.txt", "page": number} for number, key in enumerate(TEXTS, 1)],
    )
    client.create_collection("empty", embedding_function=None)
    return folder


def test_collections_are_listed_with_their_settings(ragdeck: CommandLine, theirs: Path) -> None:
    rows = {row["name"]: row for row in ragdeck.done("chroma", "list", theirs, "--json").document}
    assert (rows["notes"]["count"], rows["notes"]["dimension"], rows["notes"]["space"]) == (3, 1024, "cosine")
    assert rows["empty"]["count"] == 0
    printed = ragdeck.done("chroma", "list", theirs).out
    assert "notes" in printed and "1024" in printed


def test_records_are_paged_and_filtered(ragdeck: CommandLine, theirs: Path) -> None:
    page = ragdeck.done("chroma", "records", theirs, "notes", "--limit", 2, "--json").document
    assert [record["id"] for record in page["records"]] == ["a", "b"] and page["more"] is True
    rest = ragdeck.done("chroma", "records", theirs, "notes", "--offset", 2, "--json").document
    assert [record["id"] for record in rest["records"]] == ["c"] and rest["more"] is False
    some = ragdeck.done("chroma", "records", theirs, "notes", "--where", "page > 1", "--json").document
    assert [record["id"] for record in some["records"]] == ["b", "c"]
    some = ragdeck.done("chroma", "records", theirs, "notes", "--contains", "Bremen", "--json").document
    assert [record["id"] for record in some["records"]] == ["a"]
    assert "source=a.txt" in ragdeck.done("chroma", "records", theirs, "notes").out


def test_records_are_searched_by_text_and_by_another_record(ragdeck: CommandLine, theirs: Path) -> None:
    found = ragdeck.done("chroma", "search", theirs, "notes", "--like", "b", "--json").document
    assert "c" in {record["id"] for record in found["records"]}
    ragdeck.refused("chroma", "search", theirs, "notes")
    ragdeck.refused("chroma", "search", theirs, "notes", "--text", "x", "--like", "b")
    ragdeck.refused("chroma", "search", theirs, "notes", "--like", "nobody")


@pytest.mark.parametrize("where", ["page >", "page ~ 3", "(page = 1", "and"])
def test_a_filter_that_is_none_is_refused(ragdeck: CommandLine, theirs: Path, where: str) -> None:
    ragdeck.refused("chroma", "records", theirs, "notes", "--where", where)


def test_what_is_no_chroma_is_refused(ragdeck: CommandLine, theirs: Path, tmp_path: Path) -> None:
    ragdeck.refused("chroma", "list", tmp_path)
    ragdeck.refused("chroma", "list", tmp_path / "nowhere")
    ragdeck.refused("chroma", "list", "http://127.0.0.1:9")
    ragdeck.refused("chroma", "records", theirs, "nothing")


def test_looking_changes_nothing_in_their_folder(ragdeck: CommandLine, theirs: Path) -> None:
    before = sorted((p.relative_to(theirs), p.stat().st_size) for p in theirs.rglob("*") if p.is_file())
    ragdeck.done("chroma", "records", theirs, "notes", "--json")
    assert before == sorted(
        (p.relative_to(theirs), p.stat().st_size) for p in theirs.rglob("*") if p.is_file()
    )


def test_a_collection_is_imported_with_its_vectors_and_exported_again(
    ragdeck: CommandLine, theirs: Path, tmp_path: Path
) -> None:
    report = ragdeck.done("chroma", "import", theirs, "notes", "-c", "Notes", "--json").document
    assert report["summary"]
    (row,) = ragdeck.done("collections", "--json").document
    assert (row["name"], row["document_count"], row["chunk_count"]) == ("Notes", 3, 3)
    document = ragdeck.done(
        "chroma", "export", tmp_path / "ours", "-c", "Notes", "--name", "back", "--json"
    ).document
    assert document["records"] == 3
    (back,) = ragdeck.done("chroma", "list", tmp_path / "ours", "--json").document
    assert (back["name"], back["count"], back["dimension"]) == ("back", 3, 1024)
    texts = ragdeck.done("chroma", "records", tmp_path / "ours", "back", "--json").document["records"]
    assert {record["text"] for record in texts} == set(TEXTS.values())


def test_an_import_of_nothing_and_an_export_of_no_collection_are_refused(
    ragdeck: CommandLine, theirs: Path, tmp_path: Path
) -> None:
    ragdeck.refused("chroma", "import", theirs, "empty", "-c", "Notes")
    ragdeck.refused("chroma", "export", tmp_path / "ours", "-c", "Notes")
    assert not (tmp_path / "ours").exists()


def test_vectors_of_an_unknown_embedder_are_imported_and_said_to_be(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    client = chromadb.PersistentClient(
        path=str(tmp_path / "other"), settings=Settings(anonymized_telemetry=False)
    )
    collection = client.create_collection("small", embedding_function=None)
    collection.add(ids=["1"], documents=["A short text."], embeddings=[[1.0, 0.0, 0.0]])
    report = ragdeck.done("chroma", "import", tmp_path / "other", "small", "-c", "Small", "--json").document
    assert (report["known"], report["number"], report["chunks"]) == (False, 1, 1)
    assert report["summary"].startswith("Version 1 of “Small”: 1 chunk in 1 document.")
    assert "can be browsed but not asked" in report["summary"]
    again = ragdeck.done("chroma", "import", tmp_path / "other", "small", "-c", "Small").out
    assert again.startswith("Version 2 of “Small”")


def test_exported_vectors_are_those_of_the_version(
    ragdeck: CommandLine, documents: Path, tmp_path: Path
) -> None:
    ragdeck.done("ingest", documents, "-c", "A")
    printed = ragdeck.done("chroma", "export", tmp_path / "ours", "-c", "A", "--version", "1").out
    assert printed.startswith("3 records written to")
    (row,) = ragdeck.done("chroma", "list", tmp_path / "ours", "--json").document
    assert (row["name"], row["space"]) == ("ragdeck-v1", "cosine")
    client = chromadb.PersistentClient(
        path=str(tmp_path / "ours"), settings=Settings(anonymized_telemetry=False)
    )
    found = client.get_collection("ragdeck-v1", embedding_function=None).get(
        include=["embeddings", "documents"]
    )
    assert np.allclose(np.asarray(found["embeddings"]), FakeEmbedder().encode(found["documents"]), atol=1e-5)
    assert "has no version 9" in ragdeck.refused(
        "chroma", "export", tmp_path / "more", "-c", "A", "--version", 9
    )


def test_what_to_search_for_is_either_words_or_a_record(ragdeck: CommandLine, theirs: Path) -> None:
    sentence = "Say what to search for: either --text WORDS or --like RECORD."
    assert ragdeck.refused("chroma", "search", theirs, "notes") == sentence
    assert ragdeck.refused("chroma", "search", theirs, "notes", "--text", "x", "--like", "b") == sentence
    assert ragdeck.refused("chroma", "import", theirs, "empty", "-c", "Mine") == (
        "“empty” contains no text (0 records). There is nothing to import."
    )
