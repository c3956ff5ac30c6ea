"""An erasure takes a document out of every marked column, and leaves everything else as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from data_folders import insert
from erasable import SECRET
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.asking.sessions.changes import rename_session
from rag.asking.sessions.rows import list_sessions
from rag.governance.erased_rows import ERASED, MADE_FROM_IT, erase_rows, places_with
from rag.governance.sentence_search import sentences_of
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import look_up_version
from rag.knowledge.verification import add_verification_query
from rag.routing import ask
from rag.storage.store import add_trace_text
from rag.storage.tables.contents import Content, marked_columns
from rag.workspace import Workspace

SENTENCES = sorted(sentences_of(SECRET))
QUOTE = "Her policy number is QX-99812-B."


@pytest.fixture
def filled(workspace: Workspace, files: Path) -> Workspace:
    """A collection with the secret, and an answer that was made from it."""
    drive(ingest_files(workspace, "A", [files]))
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = "Marlene has the policy QX-99812-B. [1]"
    drive(answer_question(workspace, Question("What is the policy number of Marlene Vogelsang?", "A")))
    return workspace


def secret_ids(workspace: Workspace) -> list[int]:
    rows = workspace.database.query("SELECT id FROM document WHERE name LIKE '%secret.txt'")
    return [row[0] for row in rows]


def erase(workspace: Workspace) -> Any:
    with workspace.store.session() as session:
        return erase_rows(session, secret_ids(workspace), SENTENCES)


def test_a_sentence_is_cut_from_every_column_that_may_quote_it(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    text = f"Before. {QUOTE} After."
    # Cases, what is in a version's fingerprint and the chain of the audit log have tests of their own.
    special = {"evaluationcase", "versiondocument", "versionexclusion", "auditevent"}
    quoting = {
        table.name: columns
        for table, columns in marked_columns(Content.COPY, Content.DERIVED, Content.WRITTEN)
        if table.name not in special
    }
    for table, columns in quoting.items():
        key = {"id": "t", "status": "done"} if table == "trace" else {}
        insert(workspace, table, trace_id="t", **key, **dict.fromkeys(columns, text))
    with workspace.store.session() as session:
        add_trace_text(session, "t", f"{text}\n{text}")
    done = erase(workspace)
    left = [
        f"{table}.{column}"
        for table, columns in quoting.items()
        for column in columns
        if (f"Before. {ERASED} After.",) not in workspace.database.cells(f'SELECT "{column}" FROM "{table}"')
    ]
    assert left == []
    assert done.traces == {"t"}
    with workspace.store.session() as session:
        assert places_with(session, SENTENCES) == {}
    assert list_traces(workspace.database, TraceFilter(text="policy")) == []


def test_a_trace_that_is_not_in_the_full_text_index_yet_is_cleaned_as_well(
    workspace: Workspace, files: Path
) -> None:
    """A question that is being answered: its trace is indexed at its end."""
    drive(ingest_files(workspace, "A", [files]))
    insert(workspace, "trace", id="t", status="running", question=QUOTE)
    erase(workspace)
    assert workspace.database.cells("SELECT question FROM trace") == [(ERASED,)]
    assert list_traces(workspace.database, TraceFilter(text="erased")) == []


def test_json_stays_json(filled: Workspace) -> None:
    secret = next(sentence for sentence in SENTENCES if "Marlene" in sentence)
    insert(filled, "feedback", trace_id="t", author="me", tags=json.dumps([f"“{secret}”", "other"]))
    erase(filled)
    (tags,) = filled.database.cells("SELECT tags FROM feedback")[0]
    assert json.loads(tags) == [f"“{ERASED}”", "other"]


def test_an_answer_that_was_made_of_it_goes_whole_and_what_people_wrote_about_it(filled: Workspace) -> None:
    (trace,) = list_traces(filled.database, TraceFilter())
    insert(filled, "feedback", trace_id=trace.id, author="me", is_up=1, note="She has QX.", tags='["a"]')
    insert(filled, "reviewitem", id=5, trace_id=trace.id, queue_id=1)
    insert(filled, "review", item_id=5, reviewer="me", verdict="wrong", correction="It is QX.")
    insert(filled, "evaluationresult", id=6, trace_id=trace.id, judge='{"why": "QX"}', checks='["QX"]')
    insert(filled, "resultverdict", result_id=6, is_right=1, note="QX is right")
    insert(filled, "flagopinion", trace_id=trace.id, start=0, note="QX")
    done = erase(filled)
    assert done.traces == {trace.id}
    cells = filled.database.cells
    assert cells("SELECT answer, prompt FROM trace") == [(MADE_FROM_IT, ERASED)]
    assert cells("SELECT note, tags, is_up FROM feedback") == [("", "[]", 1)]
    assert cells("SELECT correction, verdict FROM review") == [("", "wrong")]
    assert cells("SELECT judge, checks FROM evaluationresult") == [("", "[]")]
    assert cells("SELECT note, is_right FROM resultverdict") == [("", 1)]
    assert cells("SELECT count(*) FROM claim") == cells("SELECT count(*) FROM flagopinion") == [(0,)]
    hits = cells(
        "SELECT DISTINCT document, path, place, text FROM tracehit WHERE text != document AND document = ?",
        (ERASED,),
    )
    assert hits == []
    assert list_traces(filled.database, TraceFilter(text="QX")) == []
    assert [t.id for t in list_traces(filled.database, TraceFilter(text="Marlene"))] == [trace.id]


def test_a_question_of_a_person_that_quotes_it_goes_with_its_results(filled: Workspace) -> None:
    add_verification_query(filled, "A", f"Who said: {QUOTE}")
    add_verification_query(filled, "A", "When does the canteen open?")
    insert(filled, "regressionquestion", id=8, collection_id=1, question=QUOTE)
    insert(filled, "regressionquestion", id=9, collection_id=1, question="Canteen?")
    for question in (8, 9):
        insert(filled, "regressionresult", run_id=1, question_id=question)
    log = filled.database.cells("SELECT detail FROM auditevent WHERE action = 'verification query added'")
    assert len(log) == 2 and not any("QX" in detail for (detail,) in log), "the log outlives an erasure"
    erase(filled)
    cells = filled.database.cells
    assert cells("SELECT text FROM verificationquery") == [("When does the canteen open?",)]
    assert cells("SELECT id FROM regressionquestion") == [(9,)]
    assert cells("SELECT question_id FROM regressionresult") == [(9,)]


def test_what_does_not_quote_it_stays(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    insert(workspace, "feedback", trace_id="t", author="me", note="The canteen is nice.", tags='["food"]')
    insert(workspace, "prompt", name="Marlene", description="About policies.")
    erase(workspace)
    assert workspace.database.cells("SELECT note, tags FROM feedback") == [
        ("The canteen is nice.", '["food"]')
    ]
    assert ("Marlene", "About policies.") in workspace.database.cells("SELECT name, description FROM prompt")
    assert workspace.database.cells("SELECT name FROM document") == [("harmless.txt",)]


def test_a_version_is_counted_again_and_its_fingerprint_fits_its_rows(
    workspace: Workspace, files: Path
) -> None:
    drive(ingest_files(workspace, "A", [files]))
    before = look_up_version(workspace.database, "A", "active")
    done = erase(workspace)
    after = look_up_version(workspace.database, "A", "active")
    assert done.versions == {before.id}
    assert (before.document_count, after.document_count) == (3, 1)
    assert after.fingerprint != before.fingerprint
    assert done.chunks == before.chunk_count - after.chunk_count
    (files / "harmless.txt").rename(files / "alone.txt")
    assert workspace.database.cells("SELECT count(*) FROM embedding") == [(after.chunk_count,)]


def test_an_edited_attribute_that_quotes_it_changes_the_fingerprint_of_its_version(
    workspace: Workspace, files: Path
) -> None:
    drive(ingest_files(workspace, "A", [files / "secret.txt"]))
    drive(ingest_files(workspace, "B", [files / "harmless.txt"]))
    (version,) = [row.id for row in [look_up_version(workspace.database, "B", "active")]]
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE versiondocument SET attributes = ? WHERE version_id = ?",
            (json.dumps({"note": QUOTE}), version),
        )
    before = look_up_version(workspace.database, "B", "active")
    erase(workspace)
    after = look_up_version(workspace.database, "B", "active")
    assert before.fingerprint != after.fingerprint
    assert "erased later" not in after.message, "no document was erased from this version"


def test_the_name_of_a_session_loses_the_sentence_and_its_first_question_is_not_copied(
    filled: Workspace,
) -> None:
    question = f"Is this right? {QUOTE}"
    asked = drive(ask(filled, question, "A"))
    with filled.store.session() as session:
        stored = session.connection().exec_driver_sql("SELECT * FROM asksession").all()
    assert QUOTE not in str(stored)
    rename_session(filled.store, asked.session_id, f"About: {QUOTE}")
    erase(filled)
    (row,) = list_sessions(filled.database)
    assert row.name == row.title == f"About: {ERASED}"
    rename_session(filled.store, asked.session_id, "")
    assert list_sessions(filled.database)[0].title == f"Is this right? {ERASED}"
