"""Commands on what is known: ingest, removal, metadata, chunks, inspection, erasing, and followed folders."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine, Printed


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


# --- what people read -------------------------------------------------------------------------------------


def text(printed: Printed) -> str:
    return " ".join(printed.out.split())


def test_sentences_say_what_was_done_and_how_to_begin(ragdeck: CommandLine, documents: Path) -> None:
    assert text(ragdeck.done("collections")) == (
        "There are no collections yet. Make one with `ragdeck ingest PATH... -c NAME`."
    )
    assert text(ragdeck.done("watch", "list")) == (
        "No folders are followed. Follow one with `ragdeck watch add DIR -c NAME`."
    )
    shown = text(ragdeck.done("ingest", documents, "-c", "A"))
    assert shown.startswith("3 added in ") and shown.endswith("A: version 1, 3 documents, 3 chunks")
    assert text(ragdeck.done("remove", "bread.md", "-c", "A")) == "Version 2: removed 1 of 3 documents."
    assert text(ragdeck.done("describe", "tides.txt", "author=Ann", "-c", "A")) == (
        "Version 3: Edited metadata of “tides.txt”"
    )
    number = chunks(ragdeck, "tides.txt")[0]["id"]
    excluded = ragdeck.done("exclude", number, "-c", "A", "--reason", "out of date")
    assert text(excluded) == "Version 4: Excluded 1 chunk: out of date"
    assert text(ragdeck.done("include", number, "-c", "A")) == "Version 5: Included 1 chunk again"
    assert text(ragdeck.done("inspect", "-c", "A")) == "0 chunks to look at"
    assert text(ragdeck.done("inspect", "-c", "A", "--near")) == "0 pairs"


def test_refusals_say_what_to_do(filled: CommandLine, tmp_path: Path) -> None:
    sentence = "There is no collection named “B”. Run `ragdeck collections` to see all collections."
    assert filled.refused("chunks", "tides.txt", "-c", "B") == sentence
    (tmp_path / "bread.md").write_text("White bread needs yeast and butter.", "utf-8")
    filled.done("ingest", tmp_path / "bread.md", "-c", "A")
    assert filled.refused("describe", "bread.md", "a=b", "-c", "A") == (
        "“bread.md” is the name of 2 documents in “A”. Give the path of one."
    )
    assert filled.refused("describe", "tides.txt", "a", "-c", "A") == "Metadata must be given as NAME=VALUE."
    broken = filled("ingest", tmp_path / "gone", "-c", "New")
    assert "There is no such file or folder." in broken.out
    assert text(Printed(1, broken.err, "")) == "Nothing could be added. The reasons are above."


def test_markup_in_a_document_is_text(ragdeck: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "[bold]x.txt").write_text("[red]plum[/red] is the word", "utf-8")
    ragdeck.done("ingest", tmp_path / "[bold]x.txt", "-c", "A")
    printed = ragdeck.done("chunks", "[bold]x.txt", "-c", "A")
    assert "[red]" in printed.out
    assert chunks(ragdeck, "[bold]x.txt")[0]["text"] == "[red]plum[/red] is the word"


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_erasing_asks_first_and_is_aborted_without_a_yes(
    filled: CommandLine, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    printed = filled("erase", "bread.md", "-c", "A")
    assert printed.code == 1
    assert "This cannot be undone." in printed.out
    assert [v["document_count"] for v in versions(filled)] == [3]


def test_a_folder_that_is_gone_is_told_by_the_check(ragdeck: CommandLine, documents: Path) -> None:
    ragdeck.done("watch", "add", documents, "-c", "A")
    documents.rename(documents.with_name("unplugged"))
    printed = text(ragdeck.done("watch", "check"))
    assert printed.endswith("The folder does not exist. Nothing was changed; it will be checked again.")


# --- the account of each document -------------------------------------------------------------------------


@pytest.fixture
def incomplete(filled: CommandLine, tmp_path: Path) -> CommandLine:
    """The documents of `filled`, and one of which half could not be read."""
    encoded = "".join(chr(65 + (7 * n) % 26) + chr(97 + (11 * n) % 26) + str(n % 10) for n in range(1000))
    (tmp_path / "key.txt").write_text(f"The key of the harbour:\n{encoded}\n", "utf-8")
    filled.done("ingest", tmp_path / "key.txt", "-c", "A")
    return filled


def test_documents_are_listed_with_what_was_left_out(incomplete: CommandLine) -> None:
    listed = incomplete.done("documents", "list", "-c", "A", "--json").document
    assert {d["name"]: d["left_out"] for d in listed} == {
        "bread.md": 0, "key.txt": 1, "stars.txt": 0, "tides.txt": 0,
    }  # fmt: skip
    (found,) = incomplete.done("documents", "list", "-c", "A", "--left-out", "--json").document
    assert found["name"] == "key.txt"
    assert found["account"][0].startswith("1 stretch of encoded text not read (")
    assert "key.txt" in incomplete.done("documents", "list", "-c", "A", "--left-out").out
    incomplete.done("remove", "key.txt", "-c", "A")
    assert "Nothing was left out" in incomplete.done("documents", "list", "-c", "A", "--left-out").out


def test_a_document_is_shown_with_its_account(incomplete: CommandLine) -> None:
    assert (
        "1 stretch of encoded text not read" in incomplete.done("documents", "show", "key.txt", "-c", "A").out
    )
    assert "- Nothing was left out." in incomplete.done("documents", "show", "tides.txt", "-c", "A").out
    assert "has no document" in incomplete.refused("documents", "show", "gone.txt", "-c", "A")


def test_a_document_from_before_accounts_says_so(filled: CommandLine, folder: Path) -> None:
    with sqlite3.connect(folder / "ragdeck.sqlite") as raw:
        raw.execute("UPDATE document SET account = ''")
    raw.close()
    assert "added before accounts were kept; add it again" in filled.done(
        "documents", "show", "tides.txt", "-c", "A"
    ).out.replace("\n", " ")
    (found, *_) = filled.done("documents", "list", "-c", "A", "--json").document
    assert found["account"] == [
        "This document was added before accounts were kept; add it again to have one."
    ]


# --- new collections --------------------------------------------------------------------------------------


def test_chunks_are_previewed_and_a_collection_is_made_with_these_sizes(
    ragdeck: CommandLine, documents: Path
) -> None:
    long = documents / "long.txt"
    long.write_text(" ".join(f"Sentence number {n} ends here." for n in range(80)), "utf-8")
    sizes = ("--max-tokens", 40, "--overlap-tokens", 0)
    found = ragdeck.done("collections", "preview", long, *sizes, "--json").document
    assert found["file_count"] == 1 and all(chunk["token_count"] <= 40 for chunk in found["chunks"])
    printed = ragdeck.done("collections", "preview", long).out
    assert "Sentence number 0" in printed and "1 file would be added." in " ".join(printed.split())
    assert ragdeck.done("collections", "--json").document == []
    made = ragdeck.done("collections", "create", "Small", *sizes, "--json").document
    assert made["name"] == "Small" and made["document_count"] == 0
    ragdeck.done("ingest", long, "-c", "Small")
    texts = [chunk["text"] for chunk in ragdeck.done("chunks", "long.txt", "-c", "Small", "--json").document]
    assert texts[: len(found["chunks"])] == [chunk["text"] for chunk in found["chunks"]]
    assert "already a collection named “Small”" in ragdeck.refused("collections", "create", "Small")
    assert "32 to 2,048 tokens" in ragdeck.refused("collections", "preview", long, "--max-tokens", 5)


# --- what cannot be ---------------------------------------------------------------------------------------


@pytest.fixture
def a(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The collection A with three documents of one chunk each."""
    return CommandLine(data, capsys)


HERE = Path(__file__).parent  # a folder that does not contain the data folder
RANGES = "A chunk can have 32 to 2,048 tokens and an overlap of 0 to 512."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("collections", "create", ""), "A collection needs a name. Type one."),
        (("collections", "create", "A"), "already a collection named “A”"),
        (("collections", "create", "B", "--max-tokens", 31), RANGES),
        (("collections", "create", "B", "--max-tokens", 2049), RANGES),
        (("collections", "create", "B", "--overlap-tokens", 513), RANGES),
        (("collections", "create", "B", "--overlap-tokens", -1), RANGES),
        (("collections", "create", "B", "--embedder", "/nowhere"), "it has no modules.json"),
        (("collections", "preview", "/nowhere", "--max-tokens", 5), RANGES),
        (("ingest", "/nowhere", "-c", ""), "A collection needs a name. Give one with -c NAME."),
        (("documents", "list", "-c", "B"), "There is no collection named “B”."),
        (("documents", "show", "bread.md", "-c", "B"), "There is no collection named “B”."),
        (
            ("documents", "show", "Bread.md", "-c", "A"),
            "The active version of “A” has no document “Bread.md”.",
        ),
        (("chunks", "none", "-c", "A"), "The active version of “A” has no document “none”."),
        (("remove", "none", "-c", "A"), "None of these documents is in the active version."),
        (("describe", "none", "a=b", "-c", "A"), "“none” is the name of 0 documents in “A”."),
        (("describe", "bread.md", "a=b", "c", "-c", "A"), "Metadata must be given as NAME=VALUE."),
        (("exclude", 1, "-c", "A", "--reason", ""), "Say why the chunk is excluded."),
        (("exclude", 1, "-c", "A", "--reason", "  "), "Say why the chunk is excluded."),
        (("include", 1, "-c", "A"), "None of these chunks is excluded from the active version."),
        (("inspect", "-c", "B"), "There is no collection named “B”."),
        (("inspect", "-c", "B", "--near"), "There is no collection named “B”."),
        (("erase", "none", "-c", "A", "--yes"), "No version of “A” contains a document “none”."),
        (("watch", "add", "/nowhere", "-c", "A"), "/nowhere"),
        (("watch", "add", HERE, "-c", "A", "--quiet", -1), "The quiet time must be 0 to 86,400 seconds."),
        (
            ("watch", "add", HERE, "-c", "A", "--quiet", 86_401),
            "The quiet time must be 0 to 86,400 seconds.",
        ),
        (("watch", "add", HERE, "-c", ""), "A collection needs a name."),
        (("watch", "pause", "/tmp", "-c", "A"), "“A” does not follow /tmp."),
        (("watch", "resume", "/tmp", "-c", "A"), "Run `ragdeck watch list` to see what it follows."),
        (("watch", "remove", "/tmp", "-c", "B"), "“B”"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_one_sentence_and_makes_no_version(
    a: CommandLine, arguments: tuple[object, ...], sentence: str
) -> None:
    assert sentence in a.refused(*arguments)
    (row,) = a.done("collections", "--json").document
    assert (row["name"], row["version_number"], row["document_count"]) == ("A", 1, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest", "-c", "A"),
        ("ingest", "x.txt"),
        ("remove", "-c", "A"),
        ("chunks", "bread.md"),
        ("exclude", "one", "-c", "A", "--reason", "x"),
        ("include", "-c", "A"),
        ("documents", "show", "-c", "A"),
        ("collections", "create"),
        ("collections", "preview"),
        ("watch", "add", "-c", "A"),
        ("watch", "add", ".", "-c", "A", "--quiet", "soon"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_missing_word_or_a_number_that_is_none_is_wrong_usage(
    ragdeck: CommandLine, arguments: tuple[str, ...]
) -> None:
    printed = ragdeck(*arguments)
    assert (printed.code, printed.out) == (2, "") and "--help" in printed.err


# --- sentences for people ---------------------------------------------------------------------------------


def test_a_new_collection_names_its_embedder_and_is_empty(ragdeck: CommandLine) -> None:
    made = text(ragdeck.done("collections", "create", "[b]B"))
    assert made == "Made the collection [b]B with the embedder fake."
    assert text(ragdeck.done("documents", "list", "-c", "[b]B")) == "This collection contains no documents."
    assert ragdeck.done("collections", "--plain").out.splitlines()[1] == "[b]B\t–\t0\t0\t0\tfake"
    assert ragdeck.refused("inspect", "-c", "[b]B") == (
        "The collection “[b]B” is empty. Add documents to it first."
    )


def test_a_preview_of_nothing_says_why(ragdeck: CommandLine, tmp_path: Path) -> None:
    shown = text(ragdeck.done("collections", "preview", tmp_path / "gone"))
    assert f"{tmp_path / 'gone'}: There is no such file or folder." in shown
    assert shown.endswith("0 files would be added, 1 file is left out.")
    document = ragdeck.done("collections", "preview", tmp_path / "gone", "--json").document
    assert (document["chunks"], document["file_count"]) == ([], 0)


def test_a_preview_says_of_how_many_files_the_chunks_are(ragdeck: CommandLine, files: Path) -> None:
    shown = text(ragdeck.done("collections", "preview", files, "--max-tokens", 64, "--overlap-tokens", 8))
    assert "3 files would be added." in shown
    assert "the first 3 chunks of 3 files, with at most 64 tokens of fake each." in shown
    lines = ragdeck.done("collections", "preview", files, "--plain").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["File", "bread.md", "stars.txt", "tides.txt"]


def test_a_document_is_shown_with_its_size_and_where_it_is_from(a: CommandLine) -> None:
    shown = text(a.done("documents", "show", "bread.md", "-c", "A"))
    assert shown.startswith("Bread /") and "text/markdown, 57 bytes, 1 chunk, added 2" in shown
    (found,) = a.done("documents", "show", "bread.md", "-c", "A", "--json").document
    assert a.done("documents", "show", found["source"], "-c", "A", "--json").document == [found]
    listed = a.done("documents", "list", "-c", "A", "--plain").out.splitlines()
    assert listed[1] == "bread.md\ttext/markdown\t1\t0\tNothing was left out."


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        (("author=Ann",), {"author": "Ann"}),
        (("a=b=c",), {"a": "b=c"}),
        (("a=1", "a=2"), {"a": "2"}),
        (("a=",), {}),
        (("Ort=Köln", "Jahr=2024"), {"Ort": "Köln", "Jahr": "2024"}),
        ((), {}),
    ],
)
def test_metadata_is_kept_as_it_was_given(
    a: CommandLine, pairs: tuple[str, ...], kept: dict[str, str]
) -> None:
    a.done("describe", "bread.md", "old=1", "-c", "A")
    a.done("describe", "bread.md", *pairs, "-c", "A")
    (found,) = a.done("documents", "show", "bread.md", "-c", "A", "--json").document
    assert found["attributes"] == kept


def test_watching_is_said_in_sentences(ragdeck: CommandLine, documents: Path) -> None:
    place = " ".join(str(documents).split())
    assert text(ragdeck.done("watch", "add", documents, "-c", "[b]A")).startswith(
        f"[b]A now follows {place},"
    )
    assert ragdeck.done("watch", "list", "--plain").out.splitlines()[1] == f"[b]A\t{documents}\ton\t–\t"
    assert text(ragdeck.done("watch", "pause", documents, "-c", "[b]A")) == f"{place} is paused."
    assert "\tpaused\t" in ragdeck.done("watch", "list", "--plain").out
    assert text(ragdeck.done("watch", "resume", documents, "-c", "[b]A")) == f"{place} is followed again."
    assert text(ragdeck.done("watch", "remove", documents, "-c", "[b]A")) == f"{place} is no longer followed."


def test_an_erased_document_is_said_with_what_was_searched(filled: CommandLine) -> None:
    shown = text(filled.done("erase", "tides.txt", "-c", "A", "--yes"))
    assert shown.startswith("Erased 1 revision from 1 version") and "found none of its" in shown
    assert "backups that were made earlier still contain the document" in shown


def test_chunks_are_a_table_of_one_line_each(a: CommandLine) -> None:
    head, row = a.done("chunks", "bread.md", "-c", "A", "--plain").out.splitlines()
    assert head.split("\t") == ["Chunk", "Place", "Tokens", "Candidate", "In prompts", "Excluded", "Text"]
    assert row.split("\t")[1:6] == ["Bread", "14", "0", "0", ""]
