"""Lists of sessions, and the tree that their questions make."""

from pathlib import Path

import pytest
from data_folders import insert
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import add_traces

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
from rag.knowledge.collections import ensure_collection
from rag.storage.database import Database
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


@st.composite
def trees(draw: st.DrawFn) -> list[TurnRow]:
    """Questions of which each follows nothing or one that was asked before it, oldest first."""
    count = draw(st.integers(1, 12))
    parents = [draw(st.integers(-1, number - 1)) for number in range(count)]
    return [turn(f"t{number}", f"t{at}" if at >= 0 else "") for number, at in enumerate(parents)]


@given(trees())
def test_a_branch_begins_with_a_first_question_and_each_follows_the_one_before(turns: list[TurnRow]) -> None:
    for leaf in turns:
        branch = branch_to(turns, leaf.id)
        assert branch[-1] == leaf
        assert [one.parent_id for one in branch] == ["", *(one.id for one in branch[:-1])]


@given(trees())
def test_the_newest_below_a_question_is_a_leaf_whose_branch_leads_through_it(turns: list[TurnRow]) -> None:
    parents = {one.parent_id for one in turns}
    for one in turns:
        leaf = newest_below(turns, one.id)
        assert leaf not in parents
        assert one in branch_to(turns, leaf)


@given(trees())
def test_each_question_is_among_its_alternatives_and_they_have_the_same_ones(turns: list[TurnRow]) -> None:
    for one in turns:
        same = alternatives(turns, one.id)
        assert one in same
        assert all(alternatives(turns, other.id) == same for other in same)
        assert same == sorted(same, key=turns.index), "oldest first"
    assert alternatives(turns, "nowhere") == []


def test_a_session_has_what_answers_its_questions_under_its_name_of_today(workspace: Workspace) -> None:
    collection = ensure_collection(workspace, "Notes")
    insert(
        workspace, "asksession", id="bound", collection_id=collection.id, collection="Old name", version="tag",
        pipeline="small", model="/m.gguf", prompt_name="default@2",
    )  # fmt: skip
    insert(
        workspace, "asksession", id="lost", collection_id=99, collection="Gone", version="", pipeline="", model="",
        prompt_name="",
    )  # fmt: skip
    for name in ("bound", "lost"):
        add_traces(workspace, 1, 5, session_id=name)
    assert get_session(workspace.database, "bound").binding == Binding(
        "Notes", "tag", "small", "/m.gguf", "default@2"
    )
    assert get_session(workspace.database, "lost").binding == Binding("Gone")


SEARCHES = [
    ("TIDES", ["Tides of May"]),
    ("  tides  ", ["Tides of May"]),
    ("of ma", ["Tides of May"]),
    ("moon", ["Tides of May"]),  # a word of an answer
    ("%", []),
    ("_", []),
    ("'", []),
    ('"', []),
    ("*", []),
    ("moon bread", []),  # of two sessions, and no question has both
    ("   ", ["What is bread?", "Tides of May"]),
]


def test_signs_of_a_query_are_letters_in_a_search(workspace: Workspace) -> None:
    asked(workspace, "one", "Why is it late?", answer="Because of the moon.")
    rename_session(workspace.store, "one", "Tides of May")
    asked(workspace, "two", "What is bread?")
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE asksession SET asked_ms = iif(id = 'two', 2, 1)")
    assert [(text, titles(workspace, text)) for text, _ in SEARCHES] == SEARCHES


def test_the_turns_of_a_session_are_its_own_with_the_length_of_their_answers(workspace: Workspace) -> None:
    asked(workspace, "one", "Why?", answer="Tides.")
    asked(workspace, "two", "What?")
    (row,) = read_turns(workspace.database, "one")
    assert (row.question, row.answer_length, row.parent_id, row.status) == ("Why?", 6, "", "done")
    assert read_turns(workspace.database, "none") == []
    assert read_leaf(workspace.database, "none") == ""
    assert read_leaf(workspace.database, "one") == row.id


def test_before_there_is_a_file_there_are_no_sessions(tmp_path: Path) -> None:
    database = Database(tmp_path / "none.sqlite")
    assert list_sessions(database) == list_sessions(database, "tide") == read_turns(database, "one") == []
    assert read_leaf(database, "one") == ""
    with pytest.raises(NotFoundError, match="ragdeck sessions list"):
        get_session(database, "one")
