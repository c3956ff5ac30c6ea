"""Commands on other Chroma folders."""

from pathlib import Path

import numpy as np
import pytest
from command_line import CommandLine
from fakes import FakeEmbedder

from rag.index.vector_index import open_client


@pytest.fixture
def ragdeck(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with the collection “A”."""
    return CommandLine(data, capsys)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A Chroma folder with a collection of five records and an empty one."""
    folder = tmp_path / "theirs"
    client = open_client("", str(folder))
    notes = client.create_collection("notes", metadata={"hnsw:space": "cosine"}, embedding_function=None)
    texts = [f"Note {number} is about item {number}." for number in range(5)]
    notes.add(
        ids=[f"n{number}" for number in range(5)],
        documents=texts,
        embeddings=FakeEmbedder().encode(texts),
        metadatas=[{"source": f"{'ab'[number % 2]}.txt", "page": number} for number in range(5)],
    )
    client.create_collection("empty", embedding_function=None)
    client.close()
    return folder


def test_collections_of_a_chroma_are_listed(ragdeck: CommandLine, theirs: Path) -> None:
    rows = {row["name"]: row for row in ragdeck.json("chroma", "list", theirs)}
    assert (rows["notes"]["count"], rows["notes"]["dimension"], rows["notes"]["space"]) == (5, 1024, "cosine")
    assert rows["empty"]["count"] == 0
    assert "notes" in ragdeck("chroma", "list", theirs).text
    assert ragdeck("chroma", "list", theirs / "none").code == 1


def test_records_are_listed_and_filtered(ragdeck: CommandLine, theirs: Path) -> None:
    page = ragdeck.json("chroma", "records", theirs, "notes", "--limit", "2", "--offset", "1")
    assert [record["id"] for record in page["records"]] == ["n1", "n2"]
    assert page["more"]
    assert ragdeck("chroma", "records", theirs, "notes", "-n", "2").text.endswith("There are more.")
    filtered = ragdeck.json("chroma", "records", theirs, "notes", "--where", 'source = "a.txt" and page > 0')
    assert {record["id"] for record in filtered["records"]} == {"n2", "n4"}
    ran = ragdeck("chroma", "records", theirs, "notes", "--contains", "item 3")
    assert "n3" in ran.text and "page=3" in ran.text and ran.text.endswith("1 record.")


def test_a_filter_that_cannot_be_read_is_a_sentence(ragdeck: CommandLine, theirs: Path) -> None:
    assert ragdeck.refused("chroma", "records", theirs, "notes", "--where", "page >")


def test_records_like_a_record_are_found_without_an_embedder(ragdeck: CommandLine, theirs: Path) -> None:
    page = ragdeck.json("chroma", "search", theirs, "notes", "--like", "n3", "-n", "3")
    assert page["records"][0]["id"] == "n3"
    assert len(page["records"]) == 3
    distances = [record["distance"] for record in page["records"]]
    assert distances == sorted(distances) and abs(distances[0]) < 1e-3
    assert "n3" in ragdeck("chroma", "search", theirs, "notes", "--like", "n3").text


@pytest.mark.parametrize("words", [(), ("--text", "item", "--like", "n1")])
def test_a_search_is_either_for_words_or_for_a_record(
    ragdeck: CommandLine, theirs: Path, words: tuple[str, ...]
) -> None:
    sentence = ragdeck.refused("chroma", "search", theirs, "notes", *words)
    assert sentence == "Say what to search for: either --text WORDS or --like RECORD."


def test_a_collection_without_a_text_is_not_imported(ragdeck: CommandLine, theirs: Path) -> None:
    sentence = ragdeck.refused("chroma", "import", theirs, "empty", "-c", "Mine")
    assert sentence == "“empty” contains no text (0 records). There is nothing to import."
    assert [row["name"] for row in ragdeck.json("collections")] == ["A"]


def test_vectors_of_an_unknown_embedder_are_imported_and_said_to_be(
    ragdeck: CommandLine, theirs: Path
) -> None:
    report = ragdeck.json("chroma", "import", theirs, "notes", "-c", "Mine")
    assert (report["number"], report["documents"], report["chunks"], report["known"]) == (1, 2, 5, False)
    assert report["summary"].startswith("Version 1 of “Mine”: 5 chunks in 2 documents.")
    assert "can be browsed but not asked" in report["summary"]
    rows = {row["name"]: row for row in ragdeck.json("collections")}
    assert rows["Mine"]["chunk_count"] == 5
    again = ragdeck("chroma", "import", theirs, "notes", "-c", "Mine")
    assert again.text.startswith("Version 2 of “Mine”: 5 chunks in 2 documents.")


def test_a_version_is_exported_with_its_vectors(ragdeck: CommandLine, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert ragdeck.json("chroma", "export", target, "-c", "A") == {"records": 3, "target": str(target)}
    (row,) = ragdeck.json("chroma", "list", target)
    assert (row["name"], row["count"], row["space"]) == ("ragdeck-v1", 3, "cosine")
    other = ragdeck("chroma", "export", tmp_path / "two", "-c", "A", "--version", "1", "--name", "mine-too")
    assert other.text == f"3 records written to {tmp_path / 'two'}." or "3 records written" in other.text
    assert ragdeck.json("chroma", "list", tmp_path / "two")[0]["name"] == "mine-too"
    assert "has no version 9" in ragdeck.refused(
        "chroma", "export", tmp_path / "three", "-c", "A", "--version", "9"
    )


def test_exported_vectors_are_those_of_the_version(ragdeck: CommandLine, tmp_path: Path) -> None:
    ragdeck("chroma", "export", tmp_path / "out", "-c", "A")
    client = open_client("", str(tmp_path / "out"))
    found = client.get_collection("ragdeck-v1", embedding_function=None).get(
        include=["embeddings", "documents"]
    )
    assert np.allclose(np.asarray(found["embeddings"]), FakeEmbedder().encode(found["documents"]), atol=1e-5)
    client.close()
