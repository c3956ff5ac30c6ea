"""Traces are listed by filter, and figures count what people asked."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from data_folders import insert
from fakes import ScriptedModel, drive
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import add_traces

from rag.asking.answer import answer_question
from rag.asking.applications.rows import list_question_times
from rag.asking.rows import (
    ASKED,
    TRAFFIC,
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
    list_trace_models,
    list_traces,
    list_traces_between,
    read_answers,
    read_consistency,
    read_flag_opinion,
    read_flag_state,
    read_overview,
    read_questions,
)
from rag.errors import NotFoundError
from rag.grounding.rows import SilentFailure
from rag.index.rows import Hit, ListRank
from rag.storage.database import Database
from rag.storage.tables.traces import Trace
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


# --- filters, pages and parts of traces -------------------------------------------------------------------


FILTERS: list[tuple[TraceFilter, set[str]]] = [
    (TraceFilter(verdict="flagged"), {"flag"}),
    (TraceFilter(verdict="check"), {"flag"}),
    (TraceFilter(verdict="supported"), set()),
    (TraceFilter(model="other"), {"sent"}),
    (TraceFilter(model="othe"), set()),
    (TraceFilter(application="shop"), {"sent"}),
    (TraceFilter(source="received"), {"sent"}),
    (TraceFilter(collection="B", status="failed"), {"lost"}),
    (TraceFilter(collection="B", status="done"), set()),
    (TraceFilter(since_ms=20, until_ms=30), {"sent"}),
    (TraceFilter(since_ms=30, until_ms=30), set()),
    (TraceFilter(since_ms=0, until_ms=0), set()),  # the beginning of time is a time, too
    (TraceFilter(text="?"), {"flag", "sent", "lost"}),
    (TraceFilter(text=" ! "), {"sent"}),
    (TraceFilter(text="%"), set()),
    (TraceFilter(silent="any"), set()),
    (TraceFilter(silent='"'), set()),
]


def test_conditions_of_a_filter_are_joined_by_and(workspace: Workspace) -> None:
    add_traces(workspace, 1, 10, id="flag", flag_count=1, worst_verdict="check")
    add_traces(workspace, 1, 20, id="sent", model="other", source="received", application="shop", answer="!")
    add_traces(workspace, 1, 30, id="lost", status="failed", collection="B")
    database = workspace.database
    assert [(wanted, {row.id for row in list_traces(database, wanted)}) for wanted, _ in FILTERS] == FILTERS
    assert [count_traces(database, wanted) for wanted, _ in FILTERS] == [len(found) for _, found in FILTERS]


def test_pages_of_traces_are_the_whole_list_once_also_at_one_moment(workspace: Workspace) -> None:
    add_traces(workspace, 7, 5, step_ms=0, id=lambda n: f"t{n}")
    for size in (1, 2, 3, 7, 8):
        pages = [list_traces(workspace.database, TraceFilter(), size, at) for at in range(0, 8, size)]
        assert [row.id for page in pages for row in page] == [f"t{n}" for n in range(7)]
    assert list_traces(workspace.database, TraceFilter(), 0) == []


def test_questions_are_read_by_ids_and_those_of_no_trace_are_left_out(workspace: Workspace) -> None:
    add_traces(workspace, 2, 0, id=lambda n: f"t{n}", question=lambda n: f"Question {n}?")
    assert read_questions(workspace.database, ["t1", "gone", "t1"]) == {"t1": "Question 1?"}
    assert read_questions(workspace.database, []) == read_answers(workspace.database, []) == {}
    assert read_questions(workspace.database, ["'; DROP TABLE trace; --"]) == {}


def claim(workspace: Workspace, trace_id: str, start: int, score: float | None) -> None:
    insert(
        workspace, "claim", trace_id=trace_id, text=f"at {start}", start=start, end=start + 1, verdict="check",
        score=score, reason="", evidence_text="", doubtful="[]",
    )  # fmt: skip


def test_the_parts_of_a_trace_come_in_the_order_of_the_answer(workspace: Workspace) -> None:
    add_traces(workspace, 1, 0, id="t1")
    for start in (20, 0, 10):
        claim(workspace, "t1", start, None)
    claim(workspace, "other", 5, 0.5)
    for name, begun in (("generate", 9.0), ("retrieve", 1.0)):
        insert(
            workspace, "span", trace_id="t1", name=name, kind="CHAIN", start_ms=begun, end_ms=10.0, detail=""
        )
    found = get_trace(workspace.database, "t1")
    assert [one.start for one in found.claims] == [0, 10, 20]
    assert [span.name for span in found.spans] == ["retrieve", "generate"]
    assert found.claims[0].score is None


# --- flags ------------------------------------------------------------------------------------------------


def test_a_person_s_verdict_is_that_on_one_sentence(workspace: Workspace) -> None:
    for start, is_right in ((0, True), (7, False)):
        insert(workspace, "flagopinion", trace_id="t", start=start, verdict="check", is_right=is_right)
    assert read_flag_opinion(workspace.database, "t", 0) is True
    assert read_flag_opinion(workspace.database, "t", 7) is False
    assert read_flag_opinion(workspace.database, "t", 3) is None
    assert read_flag_opinion(workspace.database, "u", 0) is None


def test_the_flags_of_a_collection_nobody_asked_are_as_the_detector_was_trained(workspace: Workspace) -> None:
    state = read_flag_state(workspace.database, 1)
    assert (state.answers, state.flagged_answers, state.opinions, state.right) == ((), 0, 0, 0)
    assert (state.check_from, state.unsupported_from, state.second_detector, state.fitted_on) == (
        None, None, "", 0,
    )  # fmt: skip


def test_flags_count_the_scored_answers_to_people_of_their_collection_newest_first(
    workspace: Workspace,
) -> None:
    add_traces(workspace, 2, 10, id=lambda n: f"a{n}", collection_id=1, flag_count=lambda n: n)
    add_traces(workspace, 1, 99, id="unscored", collection_id=1, flag_count=1)
    add_traces(workspace, 1, 99, id="elsewhere", collection_id=2, flag_count=1)
    add_traces(workspace, 1, 99, id="test", collection_id=1, flag_count=1, source="evaluation")
    for trace_id, score in (("a0", 0.1), ("a1", 0.7), ("a1", 0.9), ("elsewhere", 0.5), ("test", 0.5)):
        claim(workspace, trace_id, int(score * 10), score)
    claim(workspace, "unscored", 0, None)
    insert(
        workspace, "flaglimits", collection_id=1, check_from=0.4, unsupported_from=0.8, fitted_on=60,
        second_detector="/second",
    )  # fmt: skip
    for start, is_right, collection_id in ((0, True, 1), (1, False, 1), (2, True, 2)):
        insert(
            workspace, "flagopinion", trace_id="a1", start=start, collection_id=collection_id, verdict="check",
            is_right=is_right,
        )  # fmt: skip
    state = read_flag_state(workspace.database, 1)
    assert state.answers == ((0.7, 0.9), (0.1,))
    assert (state.flagged_answers, state.opinions, state.right) == (1, 2, 1)
    assert (state.check_from, state.unsupported_from, state.second_detector, state.fitted_on) == (
        0.4, 0.8, "/second", 60,
    )  # fmt: skip
    assert read_flag_state(workspace.database, 1, most=2).answers == ((0.7, 0.9),), "unscored is the newest"


def test_the_last_check_of_consistency_is_the_one_that_is_shown(workspace: Workspace) -> None:
    assert read_consistency(workspace.database, "t") is None
    sample = {"answer": "Rye.", "group": 0, "logprob": None, "differs": ["No rye."]}
    for samples, agreement in (([sample], 1.0), ([sample, {**sample, "group": 1, "logprob": -2.5}], 0.5)):
        insert(
            workspace, "consistencycheck", trace_id="t", temperature=0.7, samples=json.dumps(samples),
            clusters=len(samples), agreement=agreement, semantic_entropy=0.0,
        )  # fmt: skip
    report = read_consistency(workspace.database, "t")
    assert report is not None
    assert (report.agreement, report.clusters, report.highest_entropy) == (0.5, 2, math.log(2))
    assert [(one.group, one.logprob, one.differs) for one in report.samples] == [
        (0, None, ("No rye.",)), (1, -2.5, ("No rye.",)),
    ]  # fmt: skip


@pytest.mark.parametrize(("score", "slope"), [(0.0, 1.0), (1.0, 1.0), (0.0, 5.0), (1.0, 5.0)])
def test_a_calibration_of_certain_scores_stays_a_probability(score: float, slope: float) -> None:
    became = CalibrationFit("A", 50, 25, slope, 0.0, 0.5, 0.5).of(score)
    assert 0 <= became <= 1 and abs(became - score) < 1e-5


def test_a_calibration_that_changes_nothing_does_not_help() -> None:
    assert not CalibrationFit("A", 50, 25, 1.0, 0.0, 0.5, 0.5).helps


def test_before_there_is_a_file_nobody_asked_anything(tmp_path: Path) -> None:
    database = Database(tmp_path / "none.sqlite")
    assert list_traces(database, TraceFilter()) == list_traces_between(database, 0, 9) == []
    assert count_traces(database, TraceFilter()) == 0
    assert list_question_times(database) == list_trace_models(database) == []
    assert read_flag_opinion(database, "t", 0) is None and read_consistency(database, "t") is None
    assert read_flag_state(database, 1).answers == ()
    assert set(vars(read_overview(database, 0)).values()) == {0}
    with pytest.raises(NotFoundError, match="ragdeck traces list"):
        get_trace(database, "abcd")


def test_what_programs_ask_is_traffic_and_what_tests_ask_is_not() -> None:
    traffic = [source for source in TraceSource if source.is_traffic]
    assert traffic == [TraceSource.PERSON, TraceSource.SERVER]
    assert f"({', '.join(repr(str(source)) for source in traffic)})" == TRAFFIC


def test_asked_lists_what_people_and_programs_asked(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        for source in TraceSource:
            session.add(
                Trace(
                    id=source.value,
                    session_id="s",
                    created_ms=1,
                    status="done",
                    source=source,
                    question="Why?",
                )
            )
    found = list_traces(workspace.database, TraceFilter(source=ASKED))
    assert sorted(row.id for row in found) == ["person", "server"]
    assert count_traces(workspace.database, TraceFilter(source="server")) == 1
    assert read_overview(workspace.database, 0).question_count == 2
