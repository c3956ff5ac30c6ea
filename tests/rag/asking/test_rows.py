"""Traces are listed by filter, and figures count what people asked."""

from dataclasses import replace

import pytest
from fakes import ScriptedModel, drive
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import add_traces

from rag.asking.answer import answer_question
from rag.asking.rows import (
    CalibrationFit,
    Question,
    TraceFilter,
    TraceRow,
    TraceSource,
    TraceStatus,
    count_traces,
    explain_hit,
    get_trace,
    how_it_came,
    list_question_times,
    list_trace_models,
    list_traces,
    list_traces_between,
    read_answers,
    read_overview,
)
from rag.errors import NotFoundError
from rag.grounding.rows import SilentFailure
from rag.index.rows import Hit, ListRank
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


def model(workspace: Workspace) -> ScriptedModel:
    loaded = workspace.loaded_model
    assert isinstance(loaded, ScriptedModel)
    return loaded


def ask(workspace: Workspace, question: str = QUESTION, **arguments: object) -> object:
    arguments.setdefault("model", None)
    return answer_question(workspace, Question(question, "A", **arguments))  # type: ignore[arg-type]


def test_traces_are_filtered_by_text_collection_model_verdict_and_time(filled: Workspace) -> None:
    drive(ask(filled))
    model(filled).answer = "Sirius is 900 light years away."
    drive(ask(filled, "How far is Sirius in light years?"))
    database = filled.database
    assert [t.question for t in list_traces(database, TraceFilter(text="sirius far"))] == [
        "How far is Sirius in light years?"
    ]
    assert count_traces(database, TraceFilter(text="light yea")) == 1
    assert count_traces(database, TraceFilter(collection="A")) == 2
    assert count_traces(database, TraceFilter(collection="B")) == 0
    assert count_traces(database, TraceFilter(model="scripted")) == 2
    assert count_traces(database, TraceFilter(verdict="flagged")) == 1
    now = list_traces(database, TraceFilter())[0].created_ms
    assert count_traces(database, TraceFilter(since_ms=now + 1)) == 0
    assert count_traces(database, TraceFilter(text='"; DROP TABLE trace; --')) == 0


def test_test_traffic_stays_out_of_the_figures(filled: Workspace) -> None:
    drive(ask(filled, source="evaluation"))
    assert list_traces_between(filled.database, 0, 10**15) == []
    drive(ask(filled))
    assert len(list_traces_between(filled.database, 0, 10**15)) == 1
    assert read_overview(filled.database, 0).question_count == 1


def test_a_row_has_the_figures_of_its_trace_and_the_detail_everything(workspace: Workspace) -> None:
    add_traces(
        workspace, 1, 5, silent_failures='["cut off"]', fallbacks='["one", "two"]', prompt="P", total_ms=None
    )
    (row,) = list_traces(workspace.database, TraceFilter())
    assert isinstance(row, TraceRow)
    assert (row.status, row.source, row.silent_failures) == (
        TraceStatus.DONE, TraceSource.PERSON, (SilentFailure.CUT_OFF,),
    )  # fmt: skip
    assert (row.answer_length, row.total_ms, row.created_ms) == (len("It is bread."), None, 5)
    detail = get_trace(workspace.database, row.id)
    assert (detail.answer, detail.prompt, detail.fallbacks) == ("It is bread.", "P", ("one", "two"))
    assert (detail.hits, detail.claims, detail.spans) == ((), (), ())
    assert {f: getattr(detail, f) for f in row.__dict__} == row.__dict__


def test_a_trace_is_found_by_the_beginning_of_its_id(workspace: Workspace) -> None:
    for trace_id in ("abcd1111", "abcd2222"):
        add_traces(workspace, 1, 0, id=trace_id)
    assert get_trace(workspace.database, "abcd1").id == "abcd1111"
    for wanted, message in (
        ("abcd", "More than one trace"),
        ("zzzz", "There is no trace"),
        ("ab", "no trace"),
    ):
        with pytest.raises(NotFoundError, match=message):
            get_trace(workspace.database, wanted)
    with pytest.raises(NotFoundError):
        get_trace(workspace.database, "%%%%")  # no wildcard of a person's


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TraceFilter(silent="any"), {"cut", "both"}),
        (TraceFilter(silent="cut off"), {"cut", "both"}),
        (TraceFilter(silent="repeated text"), {"both"}),
        (TraceFilter(silent="off"), set()),  # a name as a whole
        (TraceFilter(status="failed"), {"broken"}),
        (TraceFilter(source="regression"), {"again"}),
        (TraceFilter(session_id="other"), {"broken"}),
        (TraceFilter(until_ms=20), {"cut"}),
        (TraceFilter(since_ms=40), {"again"}),
    ],
)
def test_a_filter_lets_through_what_it_names(
    workspace: Workspace, wanted: TraceFilter, found: set[str]
) -> None:
    add_traces(workspace, 1, 10, id="cut", silent_failures='["cut off"]')
    add_traces(workspace, 1, 20, id="both", silent_failures='["cut off", "repeated text"]')
    add_traces(workspace, 1, 30, id="broken", status="failed", session_id="other")
    add_traces(workspace, 1, 40, id="again", source="regression")
    assert {row.id for row in list_traces(workspace.database, wanted)} == found
    assert count_traces(workspace.database, wanted) == len(found)


def test_lists_for_graphs_are_of_finished_questions_of_people_oldest_first(workspace: Workspace) -> None:
    add_traces(workspace, 3, 1000, step_ms=1000, model="b")
    add_traces(workspace, 1, 1500, source="evaluation", model="a")
    add_traces(workspace, 1, 1500, status="running")
    add_traces(workspace, 1, 500, collection="B", status="failed")
    database = workspace.database
    assert [row.created_ms for row in list_traces_between(database, 0, 3000)] == [500, 1000, 2000]
    assert list_question_times(database) == [500, 1000, 2000, 3000]
    assert list_question_times(database, "B") == [500]
    assert set(list_trace_models(database)) == {"a", "b", "m"}
    figures = read_overview(database, 1000)
    assert (figures.question_count, figures.failed_count, figures.trace_count) == (4, 0, 5)
    ids = [row.id for row in list_traces(database, TraceFilter(source="evaluation"))]
    assert read_answers(database, [*ids, "gone"]) == {ids[0]: "It is bread."}


def test_a_status_knows_whether_there_is_an_answer() -> None:
    assert [s for s in TraceStatus if s.is_complete] == [TraceStatus.DONE, TraceStatus.NOTHING_FOUND]
    assert [s for s in TraceStatus if s.is_failure] == [TraceStatus.FAILED, TraceStatus.INTERRUPTED]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 5), st.floats(-5, 5))
def test_a_calibration_keeps_the_order_of_scores(
    one: float, other: float, slope: float, shift: float
) -> None:
    fit = CalibrationFit("A", 50, 25, slope, shift, 0.6, 0.5)
    low, high = sorted((one, other))
    assert 0 <= fit.of(low) <= fit.of(high) <= 1
    assert fit.helps
    assert CalibrationFit("A", 50, 25, 1.0, 0.0, 0.5, 0.5).of(0.25) == pytest.approx(0.25)


# --- what became of a candidate ---------------------------------------------------------------------------

CANDIDATE = Hit(1, 1, "a.txt", "/a.txt", "page 3", "page", 3, 0, 10, "Rye  bread\nneeds soft\u00adware.", 4)


def came(
    *lists: tuple[str, int], fused: int = 1, rank: int = 1, moves: tuple[str, ...] = (), **values: object
) -> Hit:
    """A candidate with these places in lists of candidates."""
    found = tuple(ListRank(name, place, 0.5) for name, place in lists)
    return replace(CANDIDATE, lists=found, fused_rank=fused, rank=rank, moves=moves, **values)  # type: ignore[arg-type]


def test_how_a_candidate_came_is_told_list_by_list() -> None:
    assert how_it_came(came(("dense", 9), ("BM25", 30), fused=23)) == (
        "It was number 9 of dense, number 30 of BM25 and lost 14 places at fusion (23)."
    )
    assert how_it_came(came(("dense", 2), fused=1)) == "It was number 2 of dense and number 1 after fusion."
    assert (
        how_it_came(came(("dense", 1), fused=2)) == "It was number 1 of dense and lost 1 place at fusion (2)."
    )
    moved = came(("dense", 1), fused=1, moves=("late interaction 0.40: from 1 to 7", "put last: an index"))
    assert how_it_came(moved).endswith(
        "fusion; then late interaction 0.40: from 1 to 7; then put last: an index."
    )


def test_a_chunk_that_was_put_in_has_no_lists() -> None:
    assert how_it_came(came(fused=0, moves=("put in: the whole document fits",))) == (
        "It was put in: the whole document fits."
    )
    assert how_it_came(came(fused=0)) == "", "a trace of an older program knows no lists"


def test_a_passage_is_found_by_its_words_as_a_reader_sees_them() -> None:
    shown = came(("dense", 1), marker=2)
    assert explain_hit([shown], "rye BREAD needs software").startswith(
        "[2] is the passage of a.txt, page 3, candidate 1."
    )
    dropped = came(("dense", 4), fused=4, rank=4, dropped="beyond 6 passages")
    assert explain_hit([dropped], "needs software").startswith(
        "Candidate 4 is the passage of a.txt, page 3; it was left out: beyond 6 passages. It was number 4 of dense"
    )
    assert explain_hit([dropped, shown], "bread").startswith("[2]"), "one in the prompt comes first"
    assert explain_hit([shown], "wheat") == ""
    assert explain_hit([shown], "  ") == ""
    assert explain_hit([], "bread") == ""


@pytest.mark.parametrize(
    ("stored", "states", "explained"),
    [
        ({}, ("done",), ""),
        ({"status": "failed"}, ("failed",), ""),
        (
            {"silent_failures": '["repeated text", "cut off"]'},
            ("repeated text", "cut off"),
            "Repeated text: the same words over and over; Cut off: the answer ends at the token limit",
        ),
        (
            {"status": "nothing found"},
            ("nothing found",),
            "Nothing found: nothing in the collection is close to the question",
        ),
        (
            {"passage_count": 0},
            ("without sources",),
            "Without sources: the prompt had no passages, so nothing of it can be looked up",
        ),
        ({"passage_count": 0, "model": ""}, ("done",), ""),  # a search alone has no answer
    ],
)
def test_a_trace_says_in_the_same_words_everywhere_what_is_wrong_with_it(
    workspace: Workspace, stored: dict[str, object], states: tuple[str, ...], explained: str
) -> None:
    add_traces(workspace, 1, 1_000_000, **stored)
    (row,) = list_traces(workspace.database, TraceFilter())
    assert (row.states, row.explained) == (states, explained)
    assert row.state == ", ".join(states)
    assert row.is_suspicious == bool(explained)
