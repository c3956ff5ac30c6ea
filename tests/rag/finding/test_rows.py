"""Objects of every kind are found by words, names and ids, and only as many as were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data_folders import insert
from stored_traces import add_traces

from rag.finding.rows import FINDERS, Found, Kind, Place, file_name, find_objects, place_of_document
from rag.storage.database import Database
from rag.workspace import Workspace


@pytest.fixture
def database(workspace: Workspace) -> Database:
    """A database with one object of each kind."""
    insert(workspace, "collection", id=1, name="Über Harbours", key="k", active_version_id=2, last_number=2)
    for number in (1, 2):
        insert(
            workspace, "datasetversion", id=number, collection_id=1, number=number, message=f"change {number}",
            document_count=1,
        )  # fmt: skip
    insert(workspace, "versiontag", version_id=1, collection_id=1, name="released")
    insert(
        workspace,
        "document",
        id=5,
        collection_id=1,
        source="/files/tides.txt",
        name="tides.txt",
        title="The sea",
    )
    insert(workspace, "document", id=6, collection_id=1, source="/files/gone.txt", name="gone.txt", title="")
    insert(workspace, "versiondocument", version_id=2, document_id=5)
    insert(workspace, "versiondocument", version_id=1, document_id=6)
    insert(workspace, "prompt", id=50, name="short answers", last_number=1)
    insert(workspace, "promptversion", id=50, prompt_id=50, number=1, message="two sentences")
    insert(workspace, "promptlabel", prompt_id=50, name="staging", version_id=50)
    insert(workspace, "evaluationset", id=1, name="Harbour questions", last_number=1)
    insert(workspace, "evaluationsetversion", id=1, set_id=1, number=1)
    insert(
        workspace,
        "evaluationcase",
        id=1,
        set_id=1,
        content=json.dumps({"key": "q1", "question": "How high is it?"}),
    )
    insert(workspace, "evaluationsetcase", version_id=1, case_id=1)
    insert(
        workspace,
        "evaluationrun",
        id=7,
        name="night",
        set_name="Harbour questions",
        pipeline="small",
        status="done",
    )
    insert(workspace, "evaluationruntag", run_id=7, name="baseline")
    insert(workspace, "asksession", id="s1", name="Ferries", asked_ms=1)
    insert(workspace, "asksession", id="s2", name="Ferries of old", asked_ms=2, deleted_ms=3)
    insert(workspace, "asksession", id="s3", name="", asked_ms=3)
    insert(workspace, "trace", id="t3", session_id="s3", question="Where is the beacon?")
    insert(workspace, "pipeline", id=1, name="small", last_number=3)
    insert(workspace, "reviewqueue", id=50, name="flagged first")
    insert(workspace, "alertrule", id=50, name="Too many flags", measure="flag rate", state="ok")
    return Database(workspace.folder / "ragdeck.sqlite")


def places(found: list[Found]) -> list[Place]:
    return [each.place for each in found]


FINDABLE = [
    ("über", Place(Kind.COLLECTION, "Über Harbours")),
    ("ÜBER har", Place(Kind.COLLECTION, "Über Harbours")),
    ("tides", Place(Kind.DOCUMENT, "/files/tides.txt", "Über Harbours")),
    ("the sea", Place(Kind.DOCUMENT, "/files/tides.txt", "Über Harbours")),
    ("version 2", Place(Kind.VERSION, "2", "Über Harbours")),
    ("released", Place(Kind.VERSION, "1", "Über Harbours")),
    ("ferr", Place(Kind.SESSION, "s1")),
    ("beacon", Place(Kind.SESSION, "s3")),
    ("short", Place(Kind.PROMPT, "short answers")),
    ("two sent", Place(Kind.PROMPT_VERSION, "1", "short answers")),
    ("staging", Place(Kind.PROMPT_VERSION, "1", "short answers")),
    ("harbour q", Place(Kind.SET, "Harbour questions")),
    ("how high", Place(Kind.CASE, "q1", "Harbour questions")),
    ("run 7", Place(Kind.RUN, "7")),
    ("baseline", Place(Kind.RUN, "7")),
    ("small", Place(Kind.PIPELINE, "small")),
    ("flagged", Place(Kind.QUEUE, "flagged first")),
    ("too many", Place(Kind.ALERT, "Too many flags")),
]


def test_an_object_of_each_kind_is_found(database: Database) -> None:
    missed = [text for text, place in FINDABLE if place not in places(find_objects(database, text))]
    assert missed == []
    assert {place.kind for _, place in FINDABLE} == set(Kind) - {
        Kind.PAGE, Kind.TRACE, Kind.PIPELINE_VERSION, Kind.ROLLOUT, Kind.SETTING, Kind.MODEL
    }  # fmt: skip


def test_deleted_sessions_are_not_found(database: Database) -> None:
    assert places(find_objects(database, "ferries")) == [Place(Kind.SESSION, "s1")]


def test_only_documents_of_the_active_version_are_found(database: Database) -> None:
    assert find_objects(database, "gone.txt") == []


def test_nothing_typed_finds_nothing_and_signs_of_a_query_are_letters(database: Database) -> None:
    for text in ("", "   ", "%", "_", "!", "'", '"', "*", "NOT", "zzz"):
        assert find_objects(database, text) == []


def test_traces_are_found_by_words_of_the_question_and_by_their_ids(workspace: Workspace) -> None:
    ids = [f"{number:04x}" + "a" * 28 for number in range(9)]
    add_traces(
        workspace, 9, 1_000_000, id=lambda n: ids[n], question=lambda n: f"When does ferry {n} leave?",
        answer="It leaves at noon with a lighthouse.",
    )  # fmt: skip
    database = Database(workspace.folder / "ragdeck.sqlite")
    with workspace.store.session() as session:
        for trace_id in ids:
            number = int(trace_id[:4], 16)
            session.connection().exec_driver_sql(
                "INSERT INTO trace_fts (rowid, text) SELECT rowid, ? FROM trace WHERE id = ?",
                (f"When does ferry {number} leave?\nIt leaves at noon with a lighthouse.", trace_id),
            )
    found = find_objects(database, "ferry lea", limit=3)
    assert [each.place.key for each in found] == ids[:-4:-1]  # the newest first
    assert places(find_objects(database, "0004aaaa")) == [Place(Kind.TRACE, ids[4])]
    assert places(find_objects(database, "FERRY 4")) == [Place(Kind.TRACE, ids[4])]
    assert Kind.TRACE not in {
        each.place.kind for each in find_objects(database, "000")
    }  # too short for an id
    assert find_objects(database, "lighthouse") == []  # a word of the answer


def test_every_finder_reads_a_bounded_number_of_rows(database: Database, workspace: Workspace) -> None:
    for number in range(100):
        insert(workspace, "pipeline", id=100 + number, name=f"copy {number:03}")
    assert max(len(finder(database, "copy")) for finder in FINDERS) == 40
    assert [each.title for each in find_objects(database, "copy", limit=2)] == ["copy 000", "copy 001"]


def test_the_place_of_a_document_is_known_by_its_id(database: Database) -> None:
    assert place_of_document(database, 5) == Place(Kind.DOCUMENT, "/files/tides.txt", "Über Harbours")
    assert place_of_document(database, 5, 9) == Place(Kind.DOCUMENT, "/files/tides.txt", "Über Harbours", "9")
    assert place_of_document(database, 99) is None


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (Place(Kind.VERSION, "3", "Notes"), "version 3 of “Notes”"),
        (Place(Kind.DOCUMENT, "C:\\files\\a.txt", "Notes"), "document “a.txt”"),
        (Place(Kind.TRACE, "0123456789abcdef"), "trace 01234567"),
        (Place(Kind.RUN, "7"), "run 7"),
        (Place(Kind.COLLECTION, "Notes"), "collection “Notes”"),
    ],
)
def test_a_place_says_what_it_is(place: Place, sentence: str) -> None:
    assert place.sentence() == sentence


def test_an_address_has_a_last_part() -> None:
    assert file_name("https://example.org/a/b/") == "b"


def test_a_file_that_is_not_there_yet_finds_nothing(tmp_path: Path) -> None:
    assert find_objects(Database(tmp_path / "none.sqlite"), "anything") == []


SENTENCES = [
    (Place(Kind.PAGE, "ask"), "page “ask”"),
    (Place(Kind.PROMPT_VERSION, "2", "default"), "version 2 of “default”"),
    (Place(Kind.PIPELINE_VERSION, "1", "small"), "version 1 of “small”"),
    (Place(Kind.SESSION, "0123456789abcdef"), "session 01234567"),
    (Place(Kind.ROLLOUT, "3"), "roll-out 3"),
    (Place(Kind.DOCUMENT, "https://example.org/a/b.html"), "document “b.html”"),
    (Place(Kind.PROMPT, "default"), "prompt “default”"),
    (Place(Kind.SET, "S"), "evaluation set “S”"),
    (Place(Kind.CASE, "q1", "S"), "case “q1”"),
    (Place(Kind.PIPELINE, "small"), "pipeline “small”"),
    (Place(Kind.QUEUE, "Q"), "review queue “Q”"),
    (Place(Kind.ALERT, "Many"), "alert rule “Many”"),
    (Place(Kind.SETTING, "costs.currency"), "setting “costs.currency”"),
    (Place(Kind.MODEL, "tiny"), "model “tiny”"),
]


@pytest.mark.parametrize(("place", "sentence"), SENTENCES)
def test_a_place_of_each_kind_is_named_for_people(place: Place, sentence: str) -> None:
    assert place.sentence() == sentence


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("", ""),
        ("/", ""),
        ("a.txt", "a.txt"),
        ("/a.txt", "a.txt"),
        ("C:\\files\\", "files"),
        ("https://example.org", "example.org"),
        ("a\\b/c.txt", "c.txt"),
        ("mail.eml/attachment 1.pdf", "attachment 1.pdf"),
    ],
)
def test_a_source_has_a_name_whatever_separates_its_parts(source: str, name: str) -> None:
    assert file_name(source) == name


NAMED = [
    ("100%", ["100% rye"]),
    ("100", ["100 years", "100% rye"]),
    ("a_b", ["a_b"]),
    ("a!b", ["a!b"]),
    ("ÄPFEL", ["Äpfel"]),
    ("äpf", ["Äpfel"]),
    ("apfel", []),  # another letter is another word
    ("rye 100", ["100% rye"]),  # in any order
    ("100 rye 7", []),  # every word
    ("日本", ["日本の山"]),
]


def test_names_are_found_as_they_are_written(workspace: Workspace) -> None:
    for name in ("100% rye", "100 years", "a_b", "axb", "a!b", "Äpfel", "日本の山"):
        insert(workspace, "pipeline", name=name, last_number=1)
    database = Database(workspace.folder / "ragdeck.sqlite")
    found = {
        text: {each.title for each in find_objects(database, text) if each.place.kind is Kind.PIPELINE}
        for text, _ in NAMED
    }
    assert found == {text: set(titles) for text, titles in NAMED}


def test_what_begins_with_the_words_comes_before_what_contains_them(workspace: Workspace) -> None:
    for name in ("old small", "dwarfsmall", "small"):
        insert(workspace, "pipeline", name=name, last_number=1)
    found = find_objects(Database(workspace.folder / "ragdeck.sqlite"), "small")
    assert [each.title for each in found] == ["small", "old small", "dwarfsmall"]
    assert find_objects(Database(workspace.folder / "ragdeck.sqlite"), "small", limit=0) == []


def test_letters_that_are_merely_scattered_find_nothing(database: Database) -> None:
    assert find_objects(database, "sml") == []


def test_the_newest_version_and_run_are_found_first(database: Database, workspace: Workspace) -> None:
    insert(workspace, "evaluationrun", id=8, name="", set_name="Harbour questions", pipeline="small",
           status="done")  # fmt: skip
    found = places(find_objects(database, "version"))
    assert [place.key for place in found if place.kind is Kind.VERSION] == ["2", "1"]
    runs = [each for each in find_objects(database, "run") if each.place.kind is Kind.RUN]
    assert [each.title for each in runs] == ["Run 8", "Run 7 night"]


def test_a_case_that_the_newest_version_of_its_set_lost_is_not_found(
    database: Database, workspace: Workspace
) -> None:
    insert(workspace, "evaluationsetversion", id=2, set_id=1, number=2)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE evaluationset SET last_number = 2")
    assert find_objects(database, "how high") == []


def test_a_session_is_titled_in_one_line_that_is_not_too_long(
    database: Database, workspace: Workspace
) -> None:
    insert(workspace, "asksession", id="long", name="Lighthouse\n  keepers " + "x" * 200, asked_ms=4)
    (found,) = find_objects(database, "lighthouse")
    assert found.title.startswith("Lighthouse keepers xxx") and len(found.title) == 120


def test_a_received_trace_without_a_question_is_found_by_its_id(workspace: Workspace) -> None:
    add_traces(workspace, 1, 1_000_000, id="beef" + "0" * 28, question="")
    add_traces(workspace, 1, 1_000_000, id="bee0" + "0" * 28, question="Why?")
    database = Database(workspace.folder / "ragdeck.sqlite")
    (found,) = find_objects(database, "BEEF")
    assert (found.title, found.place.key[:4]) == ("(no question)", "beef")
    assert found.detail.endswith("beef0000")


def test_a_collection_without_a_version_has_no_documents_yet(workspace: Workspace) -> None:
    insert(workspace, "collection", id=3, name="Unfilled", key="e", active_version_id=None)
    (found,) = find_objects(Database(workspace.folder / "ragdeck.sqlite"), "unfilled")
    assert (found.place, found.detail) == (Place(Kind.COLLECTION, "Unfilled"), "0 documents")
