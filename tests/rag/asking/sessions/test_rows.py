"""Lists of sessions, and the tree that their questions make."""

import pytest

from rag.asking.rows import TraceSource, TraceStatus
from rag.asking.sessions.changes import delete_session, go_on, pin_session, rename_session
from rag.asking.sessions.rows import (
    Binding,
    TurnRow,
    alternatives,
    branch_to,
    get_session,
    list_sessions,
    newest_below,
    read_leaf,
    read_turns,
)
from rag.asking.traces import TraceRecorder
from rag.errors import NotFoundError
from rag.workspace import Workspace


def asked(
    workspace: Workspace, session_id: str, question: str, parent: str | None = None, answer: str = "Yes."
) -> str:
    """Store a question of a session; return its trace."""
    session_id = go_on(workspace.store, session_id, Binding("A"))
    made = TraceRecorder(workspace.store, question=question, session_id=session_id, source=TraceSource.PERSON)
    made.begin(parent)
    made.trace.answer = answer
    made.finish(TraceStatus.DONE)
    return made.id


def titles(workspace: Workspace, text: str = "", **values: bool) -> list[str]:
    return [row.title for row in list_sessions(workspace.database, text, **values)]


def test_a_session_is_named_by_its_first_question_until_it_has_a_name(workspace: Workspace) -> None:
    asked(workspace, "one", "Why is the tide late?")
    asked(workspace, "one", "And tomorrow?")
    (row,) = list_sessions(workspace.database)
    assert (row.title, row.name, row.question_count) == ("Why is the tide late?", "", 2)
    rename_session(workspace.store, "one", "  Tides \n of May ")
    assert titles(workspace) == ["Tides of May"]
    rename_session(workspace.store, "one", "")
    assert titles(workspace) == ["Why is the tide late?"]


def test_pinned_sessions_come_first_then_the_one_asked_last(workspace: Workspace) -> None:
    for name in ("one", "two", "three"):
        asked(workspace, name, f"Question of {name}?")
    with workspace.store.session() as session:
        for moment, name in enumerate(("two", "three", "one")):
            session.connection().exec_driver_sql(
                "UPDATE asksession SET asked_ms = ? WHERE id = ?", (moment, name)
            )
    assert titles(workspace) == ["Question of one?", "Question of three?", "Question of two?"]
    pin_session(workspace.store, "two")
    assert titles(workspace)[0] == "Question of two?"
    assert list_sessions(workspace.database, limit=1)[0].is_pinned


def test_a_search_finds_names_questions_and_answers(workspace: Workspace) -> None:
    asked(workspace, "one", "Why is the tide late?", answer="Because of the moon.")
    asked(workspace, "two", "What is bread?")
    rename_session(workspace.store, "two", "Bakery & co")
    assert titles(workspace, "moon") == ["Why is the tide late?"]
    assert (
        titles(workspace, "bread") == titles(workspace, "bakery") == titles(workspace, "&") == ["Bakery & co"]
    )
    assert titles(workspace, "?") == titles(workspace)  # no word to look up, but a sign that both have
    assert titles(workspace, "sun") == []


def test_a_session_without_questions_is_not_listed(workspace: Workspace) -> None:
    go_on(workspace.store, "empty", Binding("A"))
    assert titles(workspace) == []
    with pytest.raises(NotFoundError, match="There is no session “empty”"):
        get_session(workspace.database, "empty")


def test_deleted_sessions_are_listed_apart(workspace: Workspace) -> None:
    asked(workspace, "one", "Why?")
    delete_session(workspace.store, "one")
    assert titles(workspace) == []
    assert titles(workspace, deleted=True) == ["Why?"]
    assert get_session(workspace.database, "one").deleted_ms is not None


def test_a_session_is_found_by_the_beginning_of_its_id_if_only_one_has_it(workspace: Workspace) -> None:
    for name in ("abcd1", "abcd2", "abcd"):
        asked(workspace, name, f"Question of {name}?")
    assert get_session(workspace.database, "abcd").title == "Question of abcd?"
    assert get_session(workspace.database, "abcd2").id == "abcd2"
    asked(workspace, "efgh99", "Alone?")
    assert get_session(workspace.database, "efgh").id == "efgh99"
    for wrong, why in (("abc", "There is no"), ("zzzz", "There is no"), ("%", "There is no")):
        with pytest.raises(NotFoundError, match=why):
            get_session(workspace.database, wrong)
    asked(workspace, "efgh88", "Another?")
    with pytest.raises(NotFoundError, match="More than one session begins with “efgh”"):
        get_session(workspace.database, "efgh")


def test_questions_follow_the_branch_that_is_shown_unless_they_say_which(workspace: Workspace) -> None:
    first = asked(workspace, "one", "First?")
    second = asked(workspace, "one", "Second?")
    other = asked(workspace, "one", "Second, reworded?", parent=first)
    third = asked(workspace, "one", "Third?")
    again = asked(workspace, "one", "First, reworded?", parent="")
    turns = read_turns(workspace.database, "one")
    assert [(turn.id, turn.parent_id) for turn in turns] == [
        (first, ""), (second, first), (other, first), (third, other), (again, ""),
    ]  # fmt: skip
    assert read_leaf(workspace.database, "one") == again
    assert [turn.id for turn in branch_to(turns, third)] == [first, other, third]
    assert [turn.id for turn in branch_to(turns, again)] == [again]
    assert [turn.id for turn in alternatives(turns, second)] == [second, other]
    assert [turn.id for turn in alternatives(turns, first)] == [first, again]
    assert newest_below(turns, first) == third
    assert newest_below(turns, second) == second


def turn(trace_id: str, parent: str) -> TurnRow:
    return TurnRow(trace_id, parent, 1, "?", 0, "done", "A", 1, "m", "default", 1)


def test_a_tree_that_is_damaged_ends_instead_of_going_round() -> None:
    ring = [turn("a", "b"), turn("b", "a")]
    assert [found.id for found in branch_to(ring, "a")] == ["b", "a"]
    assert newest_below(ring, "a") == "b"
    lost = [turn("c", "gone")]
    assert [found.id for found in branch_to(lost, "nowhere")] == ["c"]
    assert branch_to([], "a") == [] and alternatives([], "a") == []
