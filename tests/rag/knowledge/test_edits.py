"""Changes by hand: each is a version, says what it did, and refuses to do nothing."""

import json
from pathlib import Path

import pytest
from fakes import drive
from versions_of_a import chunk_of, documents_of, found, pending, version

from rag.errors import NotFoundError, RagError
from rag.knowledge.edits import edit_document, exclude_chunks, include_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    attributes_of,
    list_chunks,
    list_documents,
    list_versions,
    read_exclusions,
)
from rag.workspace import Workspace


def test_changes_that_change_nothing_are_refused(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    row = list_documents(workspace.database, version(workspace).id)[0]
    chunk = list_chunks(workspace.database, row.id)[0]
    for generator in (
        remove_documents(workspace, "A", [999]),
        edit_document(workspace, "A", row.id, {}),
        edit_document(workspace, "A", 999, {"a": "b"}),
        exclude_chunks(workspace, "A", [999], "why"),
        include_chunks(workspace, "A", [chunk.id]),
    ):
        with pytest.raises(RagError):
            drive(generator)
    with pytest.raises(RagError, match="Say why"):
        exclude_chunks(workspace, "A", [chunk.id], "  ")
    assert len(list_versions(workspace.database, 1)) == 1
    assert workspace.database.query("SELECT pending_kind FROM collection")[0][0] == ""


def test_attributes_and_exclusions_go_with_a_new_revision(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "long.md"
    parts = [f"# Part {n}\n\n" + f"Fact {n} is about item {n}. " * 30 for n in range(4)]
    file.write_text("\n\n".join(parts), "utf-8")
    drive(ingest_files(workspace, "A", [file]))
    document = list_documents(workspace.database, version(workspace).id)[0]
    drive(edit_document(workspace, "A", document.id, {"author": "Ann"}))
    chunks = list_chunks(workspace.database, document.id)
    drive(exclude_chunks(workspace, "A", [chunks[-1].id, chunks[0].id], "wrong"))
    file.write_text("\n\n".join(["# Part 0\n\nNow all is different here.", *parts[1:]]), "utf-8")
    drive(ingest_files(workspace, "A", [file]))
    row = list_documents(workspace.database, version(workspace).id)[0]
    assert json.loads(row.attributes) == {"author": "Ann"}
    assert row.excluded_count == 1  # the last chunk's text is still there, the first one's is not
    assert list(read_exclusions(workspace.database, version(workspace).id).values()) == ["wrong"]


def test_removed_documents_leave_the_version_and_stay_in_the_old_one(ingested: Workspace) -> None:
    ids = [documents_of(ingested)[name].id for name in ("tides.txt", "stars.txt")]
    made = drive(remove_documents(ingested, "A", [*ids, 999]))
    assert (made.number, made.kind, made.document_count, made.chunk_count) == (2, "remove", 1, 1)
    assert made.message == "Removed “stars.txt”, “tides.txt”"
    assert set(documents_of(ingested)) == {"bread.md"}
    assert set(documents_of(ingested, "1")) == {"tides.txt", "bread.md", "stars.txt"}
    row = version(ingested)
    assert (row.removed_count, row.chunks_removed, row.chunks_added) == (2, 2, 0)
    assert found(ingested, "tide at Bremen") != found(ingested, "tide at Bremen", 1)


def test_more_than_three_documents_are_counted_in_the_message(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(f"Fact {number} is about item {number}.", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / f"{n}.txt" for n in range(5)]))
    ids = [row.id for row in documents_of(workspace).values()]
    assert drive(remove_documents(workspace, "A", ids[:4])).message == "Removed 4 documents"


def test_the_exclusions_of_a_removed_document_go_with_it(ingested: Workspace) -> None:
    drive(
        exclude_chunks(ingested, "A", [chunk_of(ingested, "bread.md"), chunk_of(ingested, "stars.txt")], "no")
    )
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    assert set(read_exclusions(ingested.database, version(ingested).id)) == {chunk_of(ingested, "stars.txt")}


def test_attributes_replace_those_before_and_are_cleaned(ingested: Workspace) -> None:
    bread = documents_of(ingested)["bread.md"].id
    drive(edit_document(ingested, "A", bread, {" author ": " Ann ", "year": "2019", "empty": "  ", " ": "x"}))
    assert attributes_of(documents_of(ingested)["bread.md"].attributes) == {"author": "Ann", "year": "2019"}
    assert version(ingested).message == "Edited metadata of “bread.md”"
    drive(edit_document(ingested, "A", bread, {"year": "2020"}))
    assert attributes_of(documents_of(ingested)["bread.md"].attributes) == {"year": "2020"}
    drive(edit_document(ingested, "A", bread, {}))
    assert documents_of(ingested)["bread.md"].attributes == ""
    assert attributes_of(documents_of(ingested, "2")["bread.md"].attributes)["author"] == "Ann"


def test_attributes_may_be_in_any_script_and_are_stored_as_they_are(ingested: Workspace) -> None:
    bread = documents_of(ingested)["bread.md"].id
    drive(edit_document(ingested, "A", bread, {"作者": "富士山 “Ann”"}))
    assert documents_of(ingested)["bread.md"].attributes == '{"作者": "富士山 “Ann”"}'


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({f"name {n}": "x" for n in range(51)}, "at most 50 metadata fields"),
        ({"n" * 101: "x"}, "at most 100 characters"),
        ({"name": "x" * 2001}, "at most 2,000"),
    ],
)
def test_too_many_or_too_long_attributes_are_refused_at_once(
    ingested: Workspace, attributes: dict[str, str], sentence: str
) -> None:
    with pytest.raises(RagError, match=sentence):
        edit_document(ingested, "A", documents_of(ingested)["bread.md"].id, attributes)


def test_the_longest_attributes_are_accepted(ingested: Workspace) -> None:
    longest = {"n" * 100: "x" * 2000, **{f"name {n}": "x" for n in range(49)}}
    drive(edit_document(ingested, "A", documents_of(ingested)["bread.md"].id, longest))
    assert attributes_of(documents_of(ingested)["bread.md"].attributes) == longest


def test_an_excluded_chunk_is_not_found_until_it_is_included_again(ingested: Workspace) -> None:
    chunk = chunk_of(ingested, "bread.md")
    made = drive(exclude_chunks(ingested, "A", [chunk], "  out \n of date "))
    assert (made.message, made.chunk_count) == ("Excluded 1 chunk: out of date", 2)
    assert read_exclusions(ingested.database, version(ingested).id) == {chunk: "out of date"}
    assert chunk not in [chunk_id for chunk_id, _ in found(ingested, "rye bread sourdough")]
    assert documents_of(ingested)["bread.md"].excluded_count == 1
    back = drive(include_chunks(ingested, "A", [chunk, 999]))
    assert (back.message, back.chunk_count) == ("Included 1 chunk again", 3)
    assert found(ingested, "rye bread sourdough")[0][0] == chunk


def test_a_chunk_that_is_excluded_already_keeps_its_reason(ingested: Workspace) -> None:
    bread, stars = chunk_of(ingested, "bread.md"), chunk_of(ingested, "stars.txt")
    drive(exclude_chunks(ingested, "A", [bread], "first"))
    assert (
        drive(exclude_chunks(ingested, "A", [bread, stars], "second")).message == "Excluded 1 chunk: second"
    )
    assert read_exclusions(ingested.database, version(ingested).id) == {bread: "first", stars: "second"}
    with pytest.raises(RagError, match="already excluded"):
        drive(exclude_chunks(ingested, "A", [bread], "third"))


def test_a_refused_change_leaves_nothing_pending(ingested: Workspace) -> None:
    with pytest.raises(RagError, match="not in the active version"):
        drive(edit_document(ingested, "A", 999, {"a": "b"}))
    assert pending(ingested) == ("", None)
    assert version(ingested).number == 1


def test_a_collection_that_does_not_exist_is_a_sentence(ingested: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no collection named “Z”"):
        drive(remove_documents(ingested, "Z", [1]))
