"""Rows of collections, versions, documents and chunks: their sentences and the queries that read them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from data_folders import insert
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import add_traces
from versions_of_a import chunk_of, documents_of, version

from rag.errors import NotFoundError
from rag.knowledge.collections import ensure_collection, tag_version
from rag.knowledge.edits import edit_document, exclude_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    ChromaImport,
    DocumentChange,
    DocumentChangeKind,
    DocumentRow,
    FileOutcome,
    FileStatus,
    IngestReport,
    PendingKind,
    VerificationReport,
    VersionDiff,
    VersionKind,
    attributes_of,
    find_documents_of_chunks,
    get_collection,
    get_version,
    list_chunks,
    list_collections,
    list_documents,
    list_version_documents,
    list_versions,
    list_watched_folders,
    look_up_version,
    read_chunk_texts,
    read_chunk_use,
    read_document_text,
    read_exclusions,
)
from rag.knowledge.watched_folders import set_watching, watch_folder
from rag.storage.database import Database
from rag.workspace import Workspace

# --- sentences --------------------------------------------------------------------------------------------

VERIFIED = VerificationReport(True, True, 256, 256, 6, 6, 12.0)


def test_a_verification_says_what_was_compared() -> None:
    assert VERIFIED.sentence() == (
        "fingerprint as expected, 256 of 256 vectors checked are the same, "
        "6 of 6 verification queries find the same passages."
    )
    wrong = replace(VERIFIED, fingerprint_same=False, vectors_same=0, detail="The index was corrected.")
    assert wrong.sentence().startswith("WRONG fingerprint, 0 of 256 vectors")
    assert wrong.sentence().endswith("the same passages. The index was corrected.")


def report(*outcomes: FileOutcome) -> IngestReport:
    return IngestReport("A", 2, 3, 1, outcomes, 1.25)


def test_an_ingest_counts_its_files_by_status() -> None:
    added, partly, failed = (
        FileOutcome("a", FileStatus.ADDED),
        FileOutcome("b", FileStatus.REPLACED, "1 page not read (an image)", left_out=1),
        FileOutcome("c", FileStatus.FAILED, "It cannot be read."),
    )
    found = report(added, partly, failed)
    assert [found.count(status) for status in FileStatus] == [1, 1, 0, 0, 1]
    assert found.incomplete == (partly,)
    assert "1 added, 1 replaced, 1 failed in 1.2 s; version 2, 1 chunk." in found.sentence()
    assert found.sentence().endswith("1 file was not read in full.")


def test_an_ingest_of_nothing_says_so() -> None:
    found = replace(report(), version_number=None, chunk_count=0)
    assert found.sentence() == "A: nothing to add in 1.2 s; no version, 0 chunks."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Version 1 of “A”: 2 chunks in 1 document. It can be asked (fake)."),
        (
            {"without_text": 1, "duplicates": 2},
            "Version 1 of “A”: 2 chunks in 1 document; 1 record without text left out; 2 repeated texts. "
            "It can be asked (fake).",
        ),
        (
            {"known": False, "embedder": "unknown"},
            "Version 1 of “A”: 2 chunks in 1 document. "
            "It can be browsed but not asked: its embedder is unknown (unknown).",
        ),
    ],
)
def test_an_import_says_what_came_and_whether_it_can_be_asked(
    changes: dict[str, object], sentence: str
) -> None:
    found = replace(ChromaImport("A", 1, 1, 2, 0, 0, "fake", True), **changes)  # type: ignore[arg-type]
    assert found.sentence() == sentence


def change(kind: DocumentChangeKind) -> DocumentChange:
    return DocumentChange(kind, "a.txt", "/a.txt", "/a.txt", 1, 2)


def test_a_difference_lists_its_changes_in_their_order() -> None:
    kinds = (DocumentChangeKind.REMOVED, DocumentChangeKind.CHANGED, DocumentChangeKind.REMOVED)
    found = VersionDiff(1, 2, tuple(change(kind) for kind in kinds), 4, False, False)
    assert found.sentence() == "1 changed, 2 removed; 4 the same"
    assert found.count(DocumentChangeKind.ADDED) == 0
    other = replace(found, documents=(), embedder_changed=True, chunking_changed=True)
    assert other.sentence() == (
        "no document differs; 4 the same · another embedder · different chunk settings"
    )


def test_every_pending_change_can_be_said_and_every_change_by_hand_can_be_pending() -> None:
    assert PendingKind.ACTIVATE.sentence(7) == "activating version 7"
    assert PendingKind.ACTIVATE.sentence() == "activating another version"
    assert len({kind.sentence() for kind in PendingKind}) == len(PendingKind)
    trials = {VersionKind.EMBEDDER, VersionKind.RECHUNK}  # they are never pending: they are not active
    assert {PendingKind(kind) for kind in set(VersionKind) - trials} <= set(PendingKind)


# --- collections and versions -----------------------------------------------------------------------------


def test_a_database_that_is_not_there_has_no_collections(tmp_path: Path) -> None:
    database = Database(tmp_path / "none.sqlite")
    assert list_collections(database) == list_versions(database, 1) == list_watched_folders(database) == []
    assert read_document_text(database, 1) == ""
    with pytest.raises(NotFoundError, match="Run `ragdeck collections`"):
        get_collection(database, "A")


def test_collections_are_listed_by_name_with_the_counts_of_their_active_version(ingested: Workspace) -> None:
    for name in ("b", "C"):
        ensure_collection(ingested, name)
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    rows = list_collections(ingested.database)
    assert [row.name for row in rows] == ["A", "b", "C"]
    first, empty = rows[:2]
    assert (first.version_number, first.document_count, first.chunk_count, first.version_count) == (
        2,
        2,
        2,
        2,
    )
    assert (empty.version_number, empty.document_count, empty.updated_ms) == (None, 0, None)
    assert get_collection(ingested.database, "b") == empty


def test_a_version_is_read_with_its_parent_its_tags_and_its_verification(ingested: Workspace) -> None:
    tag_version(ingested, "A", 1, "z first")
    tag_version(ingested, "A", 1, "a second")
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    second, first = list_versions(ingested.database, 1)
    assert (second.number, second.parent_number, second.active, second.kind) == (2, 1, 1, VersionKind.REMOVE)
    assert (first.number, first.parent_number, first.active, first.trial) == (1, None, 0, 0)
    assert first.tags == ("z first", "a second")
    assert second.tags == ()
    assert (first.verification_ok, first.verification_detail, first.vectors_checked) == (1, "", 3)
    assert first.queries_same == first.query_count == 3
    assert get_version(ingested.database, first.id) == first


def test_the_last_verification_is_the_one_that_is_shown(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        session.connection().exec_driver_sql(
            """INSERT INTO verification (collection_id, version_id, created_ms, ok, fingerprint_same,
               vectors_checked, vectors_same, query_count, queries_same, milliseconds, detail)
               VALUES (1, 1, 99, 0, 0, 9, 8, 7, 6, 1.0, 'wrong')"""
        )
    row = version(ingested)
    assert (row.verified_ms, row.verification_ok, row.verification_detail) == (99, 0, "wrong")
    assert (row.vectors_checked, row.vectors_same, row.query_count, row.queries_same) == (9, 8, 7, 6)


def test_a_version_is_looked_up_by_number_tag_and_as_the_active_one(ingested: Workspace) -> None:
    tag_version(ingested, "A", 1, "base")
    database = ingested.database
    assert {look_up_version(database, "A", which).id for which in ("1", "base", "active")} == {1}
    for which in ("2", "bas", "base, ", ""):
        with pytest.raises(NotFoundError, match="Run `ragdeck versions -c NAME`"):
            look_up_version(database, "A", which)
    with pytest.raises(NotFoundError, match="was deleted"):
        get_version(database, 99)


# --- documents and chunks ---------------------------------------------------------------------------------


def test_documents_are_listed_by_name_as_they_are_in_a_version(ingested: Workspace) -> None:
    bread = documents_of(ingested)["bread.md"].id
    drive(edit_document(ingested, "A", bread, {"author": "Ann"}))
    drive(exclude_chunks(ingested, "A", [chunk_of(ingested, "stars.txt")], "old"))
    rows = list_documents(ingested.database, version(ingested).id)
    assert [(row.name, row.excluded_count) for row in rows] == [
        ("bread.md", 0), ("stars.txt", 1), ("tides.txt", 0),
    ]  # fmt: skip
    assert attributes_of(rows[0].attributes) == {"author": "Ann"}
    assert list_documents(ingested.database, 1)[0].attributes == ""
    assert [row.name for row in list_documents(ingested.database, 1, limit=1, offset=1)] == ["stars.txt"]
    assert list_documents(ingested.database, 99) == []


def test_what_versions_are_compared_by_is_read(ingested: Workspace, files: Path) -> None:
    rows = {row.name: row for row in list_version_documents(ingested.database, 1)}
    assert rows["bread.md"].source == str(files / "bread.md")
    assert len(rows["bread.md"].sha256) == 64
    assert read_exclusions(ingested.database, 1) == {}


def test_chunks_belong_to_their_documents(ingested: Workspace) -> None:
    database = ingested.database
    documents = {name: row.id for name, row in documents_of(ingested).items()}
    bread, stars = chunk_of(ingested, "bread.md"), chunk_of(ingested, "stars.txt")
    assert find_documents_of_chunks(database, [bread, stars, 999]) == {
        documents["bread.md"], documents["stars.txt"],
    }  # fmt: skip
    assert find_documents_of_chunks(database, []) == set()
    texts = read_chunk_texts(database, [documents["bread.md"]])
    assert [chunk[0] for chunk in texts[documents["bread.md"]]] == [bread]
    (chunk,) = list_chunks(database, documents["bread.md"])
    text = read_document_text(database, documents["bread.md"])
    assert (chunk.position, text[chunk.start : chunk.end]) == (0, chunk.text)


def test_a_chunk_that_nobody_used_says_so_and_why_it_is_excluded(ingested: Workspace) -> None:
    stars = chunk_of(ingested, "stars.txt")
    drive(exclude_chunks(ingested, "A", [stars], "old"))
    use = read_chunk_use(ingested.database, version(ingested).id, stars)
    assert (use.candidate_count, use.prompt_count, use.cited, use.duplicates) == (0, 0, (), ())
    assert use.excluded == "old"
    assert read_chunk_use(ingested.database, 1, stars).excluded is None


def test_the_duplicates_of_a_chunk_are_those_of_the_version(ingested: Workspace, tmp_path: Path) -> None:
    text = read_document_text(ingested.database, documents_of(ingested)["tides.txt"].id)
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(text, "utf-8")
    drive(ingest_files(ingested, "A", [tmp_path / "one.txt", tmp_path / "two.txt"]))
    tides = chunk_of(ingested, "tides.txt")
    use = read_chunk_use(ingested.database, version(ingested).id, tides)
    assert {name for _, name, _ in use.duplicates} == {"one.txt", "two.txt"}
    assert len(read_chunk_use(ingested.database, version(ingested).id, tides, limit=1).duplicates) == 1
    assert read_chunk_use(ingested.database, 1, tides).duplicates == ()


def test_attributes_are_an_object_or_nothing() -> None:
    assert attributes_of("") == {}
    assert attributes_of(json.dumps({"作者": "Ann"})) == {"作者": "Ann"}


# --- followed folders -------------------------------------------------------------------------------------


def test_followed_folders_are_those_of_a_collection_or_all(ingested: Workspace, tmp_path: Path) -> None:
    for collection, name in (("B", "b"), ("A", "y"), ("A", "x")):
        (tmp_path / name).mkdir()
        watch_folder(ingested, collection, str(tmp_path / name), 5)
    rows = list_watched_folders(ingested.database)
    assert [(row.collection, Path(row.path).name) for row in rows] == [("A", "x"), ("A", "y"), ("B", "b")]
    assert {(row.enabled, row.quiet_s, row.last_check_ms, row.outcome) for row in rows} == {(1, 5, None, "")}
    set_watching(ingested, rows[0].id, False)
    (first, second) = list_watched_folders(ingested.database, 1)
    assert (first.enabled, second.enabled) == (0, 1)


# --- accounts of documents --------------------------------------------------------------------------------


def test_a_document_s_account_is_sentences_whatever_is_stored(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    found = documents_of(workspace)["tides.txt"]
    assert (found.account, found.left_out) == ("[]", 0)
    assert found.account_lines == ("Nothing was left out.",)
    stored = replace(
        found, account='[["2 footnotes read", 0], ["1 chart not read (damaged)", 1]]', left_out=1
    )
    assert stored.account_lines == ("2 footnotes read", "1 chart not read (damaged)")
    assert replace(found, account="").account_lines == (
        "This document was added before accounts were kept; add it again to have one.",
    )


def test_documents_are_listed_by_what_was_left_out_of_them(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE document SET left_out = 3 WHERE name = 'bread.md'")
    version_id = version(workspace).id
    listed = list_documents(workspace.database, version_id, left_out=True)
    assert [(document.name, document.left_out) for document in listed] == [("bread.md", 3)]
    assert len(list_documents(workspace.database, version_id)) == 3


# --- edge cases of sentences ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ok": False, "queries_same": 0}, "0 of 6 verification queries find the same passages."),
        ({"vectors_checked": 20000, "vectors_same": 19999}, "19,999 of 20,000 vectors checked are the same"),
        ({"query_count": 0, "queries_same": 0}, "0 of 0 verification queries"),
        ({"detail": "Entry 5 is missing."}, "passages. Entry 5 is missing."),
    ],
)
def test_a_verification_says_what_it_found_in_numbers(changes: dict[str, object], sentence: str) -> None:
    assert sentence in replace(VERIFIED, **changes).sentence()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "left_out", "is_incomplete"),
    [
        (FileStatus.ADDED, 1, True),
        (FileStatus.REPLACED, 2, True),
        (FileStatus.ADDED, 0, False),
        (FileStatus.UNCHANGED, 1, False),  # its text is not new
        (FileStatus.SKIPPED, 1, False),
        (FileStatus.FAILED, 1, False),
    ],
)
def test_a_file_is_incomplete_when_it_was_added_without_all_of_its_text(
    outcome: FileStatus, left_out: int, is_incomplete: bool
) -> None:
    found = report(FileOutcome("a", outcome, left_out=left_out))
    assert bool(found.incomplete) is is_incomplete
    assert ("not read in full" in found.sentence()) is is_incomplete


def test_many_files_are_counted_with_separators() -> None:
    found = report(*(FileOutcome(str(n), FileStatus.ADDED, left_out=1) for n in range(1200)))
    assert found.sentence() == (
        "A: 1,200 added in 1.2 s; version 2, 1 chunk. 1,200 files were not read in full."
    )


@given(st.lists(st.sampled_from(DocumentChangeKind), max_size=20), st.integers(0, 5000))
def test_a_difference_counts_every_document_once(kinds: list[DocumentChangeKind], same: int) -> None:
    found = VersionDiff(1, 2, tuple(change(kind) for kind in kinds), same, False, False)
    assert sum(found.count(kind) for kind in DocumentChangeKind) == len(kinds)
    named = [kind for kind in DocumentChangeKind if kind in kinds]
    before, _, after = found.sentence().partition("; ")
    assert [part.split(" ", 1)[1] for part in before.split(", ")] == (named or ["document differs"])
    assert after == f"{same:,} the same"


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4))
def test_any_attributes_are_read_as_they_were_stored(attributes: dict[str, str]) -> None:
    assert attributes_of(json.dumps(attributes)) == attributes


# --- rows as they are stored ------------------------------------------------------------------------------


def execute(workspace: Workspace, statement: str) -> None:
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(statement)


def test_a_version_whose_document_was_erased_says_so_and_one_without_a_parent_has_none(
    ingested: Workspace,
) -> None:
    execute(ingested, "UPDATE datasetversion SET was_erased = 1, message = 'First', parent_id = 77")
    row = version(ingested)
    assert (row.message, row.parent_number) == ("First (a document was erased later)", None)


def test_a_version_that_was_never_verified_says_nothing(ingested: Workspace) -> None:
    execute(ingested, "DELETE FROM verification")
    row = version(ingested)
    assert (row.verified_ms, row.verification_ok, row.verification_detail, row.vectors_checked) == (
        None, None, None, None,
    )  # fmt: skip


def test_a_version_is_looked_up_by_its_number_as_it_is_written(ingested: Workspace) -> None:
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    execute(
        ingested, "INSERT INTO versiontag (version_id, collection_id, name, created_ms) VALUES (1, 1, 'x', 0)"
    )
    database = ingested.database
    assert look_up_version(database, "A", "x").number == 1
    assert look_up_version(database, "A", "active").number == 2
    for which in ("01", " 1", "1 ", "Active", "-1", "1.0", "%"):
        with pytest.raises(NotFoundError, match=f"“A” has no version {which}"):
            look_up_version(database, "A", which)
    with pytest.raises(NotFoundError, match="no collection named “a”"):
        look_up_version(database, "a", "1")


def test_collections_whose_names_differ_in_case_are_two(ingested: Workspace) -> None:
    ensure_collection(ingested, "a")
    ensure_collection(ingested, "Äpfel")
    assert {row.name for row in list_collections(ingested.database)} == {"A", "a", "Äpfel"}
    assert get_collection(ingested.database, "A").version_count == 1
    assert get_collection(ingested.database, "a").version_count == 0


def add_use(workspace: Workspace, trace: str, chunk: int, marker: int | None, **values: object) -> None:
    add_traces(workspace, 1, 10, id=trace, question=f"{trace}?", **values)
    insert(
        workspace, "tracehit", trace_id=trace, chunk_id=chunk, document="tides.txt", path="/tides.txt", place="",
        place_kind="", text="t", lists="[]", moves="[]", marker=marker,
    )  # fmt: skip


def test_a_chunk_is_cited_where_an_answer_to_a_person_marks_it_or_rests_on_it(ingested: Workspace) -> None:
    tides = chunk_of(ingested, "tides.txt")
    add_use(ingested, "marked", tides, 2, answer="Yes [2].", created_ms=30)
    add_use(ingested, "rests", tides, 1, answer="Yes.", created_ms=20)
    insert(ingested, "claim", trace_id="rests", text="Yes.", verdict="supported", reason="", evidence_marker=1,
           evidence_text="", doubtful="[]")  # fmt: skip
    add_use(ingested, "another marker", tides, 1, answer="Yes [11].")
    add_use(ingested, "left out", tides, None, answer="Yes [2].")
    add_use(ingested, "a test", tides, 1, answer="Yes [1].", source="evaluation")
    add_use(ingested, "another chunk", tides + 1, 1, answer="Yes [1].")
    use = read_chunk_use(ingested.database, 1, tides)
    assert (use.candidate_count, use.prompt_count) == (4, 3)
    assert use.cited == (("marked", "marked?"), ("rests", "rests?"))
    assert read_chunk_use(ingested.database, 1, tides, limit=1).cited == (("marked", "marked?"),)


def test_documents_come_in_pages_by_name_whatever_their_case(ingested: Workspace) -> None:
    execute(ingested, "UPDATE document SET name = 'STARS.txt' WHERE name = 'stars.txt'")
    whole = [row.name for row in list_documents(ingested.database, 1)]
    assert whole == ["bread.md", "STARS.txt", "tides.txt"]
    for size in (1, 2, 3, 4):
        pages = [list_documents(ingested.database, 1, size, at) for at in range(0, 4, size)]
        assert [row.name for page in pages for row in page] == whole


@pytest.mark.parametrize("account", ["[]", '[["One footnote read", 0]]', '[["作", 1], ["b", 2]]'])
def test_an_account_has_a_line_for_each_thing_or_says_that_nothing_is_missing(account: str) -> None:
    row = DocumentRow(1, "a", "/a", "", "", 0, 1, 1, 0, "", 0, account, 0)
    stored = [text for text, _ in json.loads(account)]
    assert list(row.account_lines) == (stored or ["Nothing was left out."])


def test_rows_of_ids_that_are_not_there_are_empty(ingested: Workspace) -> None:
    database = ingested.database
    assert list_versions(database, 99) == list_documents(database, 99) == list_chunks(database, 99) == []
    assert (
        read_exclusions(database, 99)
        == read_chunk_texts(database, [99])
        == read_chunk_texts(database, [])
        == {}
    )
    assert list_watched_folders(database, 99) == list_version_documents(database, 99) == []
    assert read_document_text(database, 99) == ""
    use = read_chunk_use(database, 99, 99)
    assert (use.candidate_count, use.prompt_count, use.cited, use.duplicates, use.excluded) == (
        0, 0, (), (), None,
    )  # fmt: skip
