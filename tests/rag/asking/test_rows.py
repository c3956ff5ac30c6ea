"""Traces are listed by filter, and figures count what people asked."""

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
    get_trace,
    list_question_times,
    list_trace_models,
    list_traces,
    list_traces_between,
    read_answers,
    read_overview,
)
from rag.errors import NotFoundError
from rag.grounding.rows import SilentFailure
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
