"""Comparing versions: documents, chunks, words."""

from pathlib import Path

import pytest
from fakes import drive
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.knowledge.edits import edit_document, exclude_chunks
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    ChunkChange,
    list_chunks,
    list_documents,
    list_versions,
)
from rag.knowledge.trials import build_trial
from rag.knowledge.version_diff import diff_document, diff_versions
from rag.knowledge.versions import activate_version
from rag.storage.database import Database
from rag.storage.store import Store
from rag.storage.tables.knowledge import Chunk, VersionExclusion
from rag.text.word_diff import word_diff
from rag.workspace import Workspace


def ids(workspace: Workspace) -> dict[int, int]:
    return {v.number: v.id for v in list_versions(workspace.database, 1)}


def long_text(numbers: list[int], changed: int | None = None) -> str:
    parts = []
    for number in numbers:
        weight = "900 kilograms" if number == changed else "12 grams"
        parts.append(f"# Part {number}\n\n" + f"Item {number} of this part weighs {weight} in all. " * 20)
    return "\n\n".join(parts)


@given(st.text(max_size=200), st.text(max_size=200))
def test_joining_either_side_of_a_word_diff_gives_its_text_back(old: str, new: str) -> None:
    words = word_diff(old, new)
    assert "".join(part[1] for part in words) == old
    assert "".join(part[2] for part in words) == new
    assert all((part[0] == "equal") == (part[1] == part[2]) for part in words)


def test_documents_that_came_went_changed_and_moved(workspace: Workspace, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "stays.txt").write_text("This one stays as it is.", "utf-8")
    (files / "changes.md").write_text(long_text([1, 2, 3, 4]), "utf-8")
    (files / "goes.txt").write_text("This one goes away entirely.", "utf-8")
    (files / "moves.txt").write_text("This one moves to another place.", "utf-8")
    drive(ingest_files(workspace, "A", [files], following=files))
    (files / "changes.md").write_text(long_text([1, 3, 4, 5], changed=3), "utf-8")
    (files / "goes.txt").unlink()
    (files / "moves.txt").rename(files / "moved.txt")
    (files / "new.txt").write_text("This one is new here.", "utf-8")
    report = drive(ingest_files(workspace, "A", [files], following=files))
    assert report.version_number == 2
    version = ids(workspace)
    diff = diff_versions(workspace.database, version[1], version[2])
    kinds = {change.name: change.kind for change in diff.documents}
    assert kinds == {"changes.md": "changed", "goes.txt": "removed", "moved.txt": "moved", "new.txt": "added"}
    assert diff.unchanged_count == 1
    assert "1 changed, 1 moved, 1 added, 1 removed; 1 the same" in diff.sentence()
    changed = diff.documents[0]
    chunks = diff_document(workspace.database, version[1], version[2], changed.old_id, changed.new_id)
    by_kind: dict[str, list[str]] = {}
    for chunk in chunks:
        shown = chunk.new or chunk.old
        assert shown is not None
        by_kind.setdefault(chunk.kind, []).append(shown.text.split("\n")[0])
    assert by_kind["added"][0] == "# Part 5"
    assert by_kind["removed"][0] == "# Part 2"
    assert all("3" in line for line in by_kind["changed"])
    words = next(chunk.words for chunk in chunks if chunk.kind == "changed")
    assert ("replace", "12", "900") in words
    assert ("replace", "grams", "kilograms") in words
    back = diff_versions(workspace.database, version[2], version[1])
    assert back.count("added") == diff.count("removed")
    assert diff_versions(workspace.database, version[1], version[1]).documents == ()


def test_metadata_exclusions_and_other_chunks_are_told_apart(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(long_text([1, 2, 3]), "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / "a.md"]))
    document = list_documents(workspace.database, ids(workspace)[1])[0]
    drive(edit_document(workspace, "A", document.id, {"author": "Ann"}))
    chunk = list_chunks(workspace.database, document.id)[0]
    drive(exclude_chunks(workspace, "A", [chunk.id], "old"))
    drive(build_trial(workspace, "A", max_tokens=64, overlap_tokens=0))
    version = ids(workspace)
    database = workspace.database
    metadata = diff_versions(database, version[1], version[2]).documents[0]
    assert (metadata.kind, metadata.old_attributes, metadata.new_attributes) == (
        "metadata",
        "",
        '{"author": "Ann"}',
    )
    excluded = diff_versions(database, version[2], version[3]).documents[0]
    assert (excluded.kind, excluded.chunks_removed, excluded.chunks_added) == ("excluded", 1, 0)
    chunks = diff_document(database, version[2], version[3], document.id, document.id)
    assert chunks[0].kind == "excluded"
    assert chunks[0].reason == "old"
    rechunked = diff_versions(database, version[1], version[4])
    assert rechunked.documents[0].kind == "rechunked"
    assert rechunked.chunking_changed
    assert "different chunk settings" in rechunked.sentence()


@pytest.mark.parametrize("both", [[1, 2], [2, 1]])
def test_a_diff_is_the_same_whatever_version_is_active(
    workspace: Workspace, tmp_path: Path, both: list[int]
) -> None:
    file = tmp_path / "a.md"
    file.write_text(long_text([1, 2]), "utf-8")
    drive(ingest_files(workspace, "A", [file]))
    file.write_text(long_text([1, 2], changed=2), "utf-8")
    drive(ingest_files(workspace, "A", [file]))
    version = ids(workspace)
    results = []
    for active in both:
        drive(activate_version(workspace, "A", active))
        results.append(diff_versions(workspace.database, version[1], version[2]))
    assert results[0] == results[1]


# --- chunks, without a database ---------------------------------------------------------------------------


def database_of(
    tmp_path: Path, old: list[str], new: list[str], excluded: tuple[set[int], set[int]] = (set(), set())
) -> Database:
    """A file with two versions of one document: chunk ids are 1, 2, ... in the old and 1001, ... in the new."""
    store = Store(tmp_path / "ragdeck.sqlite")
    with store.session() as session:
        for document_id, texts in ((1, old), (2, new)):
            for position, text in enumerate(texts):
                session.add(
                    Chunk(
                        id=position + (1 if document_id == 1 else 1001), document_id=document_id, position=position,
                        start=0, end=len(text), text=text, text_hash=text, token_count=len(text.split()),
                        place="", place_kind="",
                    )
                )  # fmt: skip
            for chunk_id in excluded[document_id - 1]:
                session.add(
                    VersionExclusion(version_id=document_id, chunk_id=chunk_id, reason=f"why {chunk_id}")
                )
    store.close()
    return Database(tmp_path / "ragdeck.sqlite")


def kinds(changes: tuple[ChunkChange, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(c.kind, c.old.text if c.old else None, c.new.text if c.new else None) for c in changes]


def test_chunks_are_paired_by_their_words(tmp_path: Path) -> None:
    old = ["first one", "the tide rises three metres", "last one"]
    new = ["first one", "quite another thing here", "the tide rises four metres", "last one"]
    found = diff_document(database_of(tmp_path, old, new), 1, 2, 1, 2)
    assert kinds(found) == [
        ("same", "first one", "first one"),
        ("added", None, "quite another thing here"),
        ("changed", "the tide rises three metres", "the tide rises four metres"),
        ("same", "last one", "last one"),
    ]
    assert ("replace", "three", "four") in found[2].words
    assert found[0].words == ()


@pytest.mark.parametrize(("old", "new", "kind"), [(None, 2, "added"), (1, None, "removed")])
def test_a_document_of_one_side_is_all_of_one_kind(
    tmp_path: Path, old: int | None, new: int | None, kind: str
) -> None:
    found = diff_document(database_of(tmp_path, ["a b", "c d"], ["a b", "c d"]), 1, 2, old, new)
    assert [change.kind for change in found] == [kind, kind]


def test_exclusions_that_came_and_went_are_told_with_their_reason(tmp_path: Path) -> None:
    texts = ["one", "two", "three", "four"]
    found = diff_document(database_of(tmp_path, texts, texts, ({1, 2}, {1002, 1003})), 1, 2, 1, 2)
    assert [(change.kind, change.reason) for change in found] == [
        ("included", "why 1"), ("same", ""), ("excluded", "why 1003"), ("same", ""),
    ]  # fmt: skip


def test_too_many_chunks_to_compare_each_are_paired_in_order(tmp_path: Path) -> None:
    old = [f"old number {n}" for n in range(201)]
    new = [f"new number {n}" for n in range(200)]
    found = diff_document(database_of(tmp_path, old, new), 1, 2, 1, 2)
    assert [change.kind for change in found] == ["changed"] * 200 + ["removed"]


@given(st.lists(st.sampled_from("abcdef"), max_size=8), st.lists(st.sampled_from("abcdef"), max_size=8))
@settings(max_examples=25, deadline=None)
def test_either_side_of_a_diff_is_the_whole_document(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str]
) -> None:
    database = database_of(tmp_path_factory.mktemp("diff"), old, new)
    found = diff_document(database, 1, 2, 1, 2)
    assert [c.old.text for c in found if c.old] == old
    assert [c.new.text for c in found if c.new] == new
    assert all((c.kind == "same") == (c.old is not None and c.new is not None and c.old.text == c.new.text)
               for c in found)  # fmt: skip
    database.close()
