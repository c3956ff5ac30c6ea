"""Sessions that are begun, bound, named, pinned, deleted, and brought back."""

from pathlib import Path

import pytest
from fakes import drive

from rag.asking.rows import AskResult, get_trace
from rag.asking.sessions.changes import (
    bind_session,
    delete_session,
    pin_session,
    rename_session,
    show_branch,
    undelete_session,
)
from rag.asking.sessions.rows import Binding, SessionRow, get_session, list_sessions, read_turns
from rag.asking.traces import delete_traces
from rag.errors import NotFoundError, RagError
from rag.knowledge.collections import delete_collection, rename_collection
from rag.knowledge.ingest import ingest_files
from rag.routing import ask
from rag.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


def asked(workspace: Workspace, question: str = "What does rye bread need?", **values: object) -> AskResult:
    result = drive(ask(workspace, question, "A", session_id="one", **values))  # type: ignore[arg-type]
    assert isinstance(result, AskResult)
    return result


def the_session(workspace: Workspace) -> SessionRow:
    return get_session(workspace.database, "one")


def test_a_question_binds_its_session_to_what_answers_it(filled: Workspace) -> None:
    asked(filled)
    assert the_session(filled).binding == Binding("A")
    asked(filled, version=1, prompt="default@production")
    assert the_session(filled).binding == Binding("A", version="1", prompt="default@production")
    bind_session(filled.store, "one", Binding("A", pipeline="short"))
    assert the_session(filled).binding == Binding("A", pipeline="short")


def test_a_binding_follows_the_name_of_its_collection_and_outlives_it(filled: Workspace) -> None:
    asked(filled)
    rename_collection(filled, "A", "Bakery")
    assert the_session(filled).collection == "Bakery"
    bind_session(filled.store, "one", Binding("Bakery"))
    delete_collection(filled, "Bakery")
    assert the_session(filled).collection == "Bakery"


def test_what_is_asked_in_a_deleted_session_brings_it_back(filled: Workspace) -> None:
    asked(filled)
    delete_session(filled.store, "one")
    assert list_sessions(filled.database) == []
    undelete_session(filled.store, "one")
    assert len(list_sessions(filled.database)) == 1
    delete_session(filled.store, "one")
    asked(filled)
    assert the_session(filled).deleted_ms is None


def test_a_follow_up_reads_the_questions_of_its_own_branch(filled: Workspace) -> None:
    first = asked(filled, "What does rye bread need?")
    second = asked(filled, "When do boats leave Bremen?")
    third = asked(filled, "How long does it rest?", parent_id=first.trace_id)
    prompt = get_trace(filled.database, third.trace_id).prompt
    assert "rye bread need" in prompt and "boats leave" not in prompt
    alone = asked(filled, "How long does it rest?", parent_id="")
    assert "rye bread need" not in get_trace(filled.database, alone.trace_id).prompt
    show_branch(filled.store, "one", second.trace_id)
    last = asked(filled, "How long does it rest?")
    assert get_trace(filled.database, last.trace_id).parent_id == second.trace_id
    assert "boats leave" in get_trace(filled.database, last.trace_id).prompt


def test_what_is_not_there_is_refused_in_words(filled: Workspace) -> None:
    asked(filled)
    with pytest.raises(NotFoundError, match="There is no session “two”"):
        pin_session(filled.store, "two")
    with pytest.raises(NotFoundError, match="does not have that question"):
        show_branch(filled.store, "one", "nowhere")
    with pytest.raises(RagError, match="201 characters"):
        rename_session(filled.store, "one", "x" * 201)


def test_deleting_traces_leaves_a_whole_tree_and_no_empty_session(filled: Workspace) -> None:
    first = asked(filled)
    second = asked(filled, "And then?")
    third = asked(filled, "And later?")
    with filled.store.session() as session:
        delete_traces(session, [second.trace_id])
    turns = read_turns(filled.database, "one")
    assert [(turn.id, turn.parent_id) for turn in turns] == [
        (first.trace_id, ""),
        (third.trace_id, first.trace_id),
    ]
    with filled.store.session() as session:
        delete_traces(session, [third.trace_id])
    assert the_session(filled).leaf == first.trace_id
    with filled.store.session() as session:
        delete_traces(session, [first.trace_id])
    assert filled.database.cells("SELECT count(*) FROM asksession") == [(0,)]


def test_deleting_a_session_is_in_the_audit_log_without_its_words(filled: Workspace) -> None:
    asked(filled)
    rename_session(filled.store, "one", "Marlene")
    delete_session(filled.store, "one")
    undelete_session(filled.store, "one")
    rows = filled.database.cells(
        "SELECT action, subject, detail FROM auditevent WHERE action LIKE 'session%'"
    )
    assert rows == [("session deleted", "one", ""), ("session restored", "one", "")]
