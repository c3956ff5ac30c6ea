"""Queries of evaluation: rows by name and type, filters, and what does not exist."""

import json
from dataclasses import replace

import pytest
from data_folders import insert

from rag.errors import NotFoundError
from rag.evaluation.pipelines import move_pipeline_label
from rag.evaluation.rows import (
    NO_ANSWER,
    CaseOutcome,
    DraftMark,
    DraftState,
    GenerationReport,
    JudgementCheck,
    MetricDifference,
    PipelineKind,
    PipelineVersionRow,
    QueryComparison,
    RunStatus,
    SearchComparison,
    StaleJudgement,
    get_run,
    list_cases,
    list_drafts,
    list_pipeline_label_moves,
    list_pipeline_versions,
    list_pipelines,
    list_results,
    list_runs,
    list_set_versions,
    list_sets,
    list_version_cases,
)
from rag.evaluation.runs import give_verdict, tag_run
from rag.evaluation.sets import delete_set
from rag.storage.database import Database
from rag.storage.tables.evaluation import Draft, EvaluationRun
from rag.workspace import Workspace
from tests.rag.evaluation.filled import run_row, save, start


def test_a_run_is_read_with_its_states_tags_and_counts(filled: Workspace) -> None:
    (made,) = start(filled)
    for tag in ("with, comma", "a", "two\ttabs"):
        tag_run(filled, made.id, tag)
    run = get_run(filled.database, made.id)
    assert run.status is RunStatus.DONE
    assert run.kind is PipelineKind.ANSWER
    assert run.tags == ("a", "two\ttabs", "with, comma")
    assert (run.done_count, run.failed_count, run.gate_passed, run.gate_sentence) == (3, 0, None, "")
    assert (run.total, run.label) == (3, "P 1")


def test_runs_are_filtered_newest_first(filled: Workspace) -> None:
    first, second = *start(filled), *start(filled, "R")
    tag_run(filled, first.id, "baseline")
    assert [run.id for run in list_runs(filled.database)] == [second.id, first.id]
    assert [run.id for run in list_runs(filled.database, pipeline="R")] == [second.id]
    assert [run.id for run in list_runs(filled.database, tag="baseline")] == [first.id]
    assert list_runs(filled.database, set_name="other") == []
    with pytest.raises(NotFoundError, match="no run 99"):
        get_run(filled.database, 99)


def test_results_have_types_and_the_verdict_of_a_person(filled: Workspace) -> None:
    (run,) = start(filled)
    bread, tide, moon = list_results(filled.database, run.id)
    assert bread.outcome is CaseOutcome.OK
    assert bread.checks == (("contains", True, ""),)
    assert tide.checks[0][:2] == ("contains", False)
    assert "does not contain" in tide.checks[0][2]
    assert moon.checks == ()
    assert bread.metrics["exact_match"] == 0.0 and bread.metrics["judged_at_k"] is not None
    assert (bread.question, bread.verdict) == ("What does rye bread need?", None)
    give_verdict(filled, bread.id, True)
    give_verdict(filled, tide.id, False)
    assert [r.verdict for r in list_results(filled.database, run.id)] == [True, False, None]
    give_verdict(filled, tide.id, None)
    assert list_results(filled.database, run.id)[1].verdict is None


def test_pipelines_come_with_their_labels(filled: Workspace) -> None:
    save(filled, "P", prompt="default@1")
    for label in ("staging", "candidate"):
        move_pipeline_label(filled, "P", label, 1)
    newest, oldest = list_pipeline_versions(filled.database, "P")
    assert (newest.number, newest.latest, newest.labels) == (2, 2, ())
    assert oldest.labels == ("candidate", "staging")
    assert json.loads(oldest.config)["collection"] == "A"
    assert [(row.name, row.number) for row in list_pipelines(filled.database)] == [("P", 2), ("R", 1)]
    moves = list_pipeline_label_moves(filled.database, "P")
    assert [(move.label, move.from_number, move.to_number) for move in moves] == [
        ("candidate", None, 1),
        ("staging", None, 1),
    ]
    assert [move.label for move in list_pipeline_label_moves(filled.database, "P", "staging")] == ["staging"]
    for query in (list_pipeline_versions, list_pipeline_label_moves):
        with pytest.raises(NotFoundError, match="no pipeline named “X”"):
            query(filled.database, "X")


def test_sets_their_versions_and_cases(filled: Workspace) -> None:
    (row,) = list_sets(filled.database)
    assert (row.name, row.number, row.case_count) == ("S", 1, 3)
    (version,) = list_set_versions(filled.database, "S")
    assert version.fingerprint == row.fingerprint
    cases = list_cases(filled.database, "S")
    assert cases == list_cases(filled.database, "S", 1) == list_version_cases(filled.database, version.id)
    assert [json.loads(case)["key"] for case in cases] == ["bread", "tide", "moon"]
    with pytest.raises(NotFoundError, match=r"no version 7\. Run `ragdeck sets versions`"):
        list_cases(filled.database, "S", 7)
    with pytest.raises(NotFoundError, match=r"no evaluation set named “X”\. Run `ragdeck sets`"):
        list_set_versions(filled.database, "X")
    delete_set(filled, "S")
    assert list_version_cases(filled.database, version.id) == []


def test_drafts_are_filtered_by_set_and_state(filled: Workspace) -> None:
    with filled.store.session() as session:
        for number, state in enumerate(DraftState):
            session.add(
                Draft(
                    set_id=1, collection_id=1, version_id=1, document_id=1, document="a.txt", place="", chunk_id=number,
                    start=0, end=1, passage="p", question=f"q{number}", answer="a", model="m", state=state,
                    marks='[["asked before", true, "cosine 0.20"]]', created_ms=1,
                )
            )  # fmt: skip
    assert [row.question for row in list_drafts(filled.database)] == ["q0"]
    everything = list_drafts(filled.database, "S", None)
    assert [row.state for row in everything] == list(DraftState)
    assert everything[0].marks == (DraftMark("asked before", True, "cosine 0.20"),)
    assert everything[0].collection == "A"
    assert list_drafts(filled.database, "other", None) == []


def test_a_report_says_what_was_dropped() -> None:
    report = GenerationReport("S", 5, 7, 1, (("asked before", 6),), 3.2)
    assert (
        report.sentence()
        == "1 draft is waiting for review in “S”; 7 written in 3 s. Dropped: 6 asked before."
    )
    none = GenerationReport("S", 5, 5, 5, (), 3.2)
    assert none.sentence() == "5 drafts are waiting for review in “S”; 5 written in 3 s."


def test_before_there_is_a_file_there_is_nothing(filled: Workspace) -> None:
    missing = Database(filled.folder / "none.sqlite")
    assert list_runs(missing) == list_sets(missing) == list_pipelines(missing) == list_drafts(missing) == []


# --- sentences and figures --------------------------------------------------------------------------------

STALE = StaleJudgement("k", "q", "a.txt", "")


@pytest.mark.parametrize(
    ("judged", "stale", "sentence"),
    [
        (0, (), "“S” has no judgements to find in version 2 of A."),
        (1, (), "The judgement of “S” is found in version 2 of A."),
        (1200, (), "All 1,200 judgements of “S” are found in version 2 of A."),
        (
            1200,
            (STALE,) * 1000,
            "1,000 of 1,200 judgements of “S” are not found in version 2 of A; 0 of them can be corrected.",
        ),
        (
            3,
            (STALE, replace(STALE, proposal="Now in b.txt.")),
            "2 of 3 judgements of “S” are not found in version 2 of A; 1 of them can be corrected.",
        ),
    ],
)
def test_a_check_of_judgements_counts_what_is_not_found(
    judged: int, stale: tuple[StaleJudgement, ...], sentence: str
) -> None:
    assert JudgementCheck("S", 1, "A", 2, judged, stale).sentence() == sentence


@pytest.mark.parametrize(
    ("stored", "dropped", "seconds", "sentence"),
    [
        (0, (), 0.4, "0 drafts are waiting for review in “S”; 9 written in 0 s."),
        (1, (), 59.6, "1 draft is waiting for review in “S”; 9 written in 60 s."),
        (
            2,
            (("asked before", 4), ("not in the passage", 3)),
            1.0,
            "2 drafts are waiting for review in “S”; 9 written in 1 s. "
            "Dropped: 4 asked before, 3 not in the passage.",
        ),
    ],
)
def test_a_generation_says_what_came_of_it(
    stored: int, dropped: tuple[tuple[str, int], ...], seconds: float, sentence: str
) -> None:
    assert GenerationReport("S", 9, 9, stored, dropped, seconds).sentence() == sentence


@pytest.mark.parametrize(
    ("old", "new", "shared", "is_changed"),
    [(3, 3, 3, False), (3, 3, 2, True), (3, 2, 2, True), (2, 3, 2, True), (0, 0, 0, False), (0, 1, 0, True)],
)
def test_a_query_is_changed_unless_both_find_the_same(
    old: int, new: int, shared: int, is_changed: bool
) -> None:
    query = QueryComparison("q", old, new, shared, ())
    same = QueryComparison("same", 1, 1, 1, ())
    found = SearchComparison("Fast", "Balanced", 3, (same, query), None, 1.0, 2.0)
    assert found.changed == ((query,) if is_changed else ())


@pytest.mark.parametrize(
    ("p", "p_holm", "certain"),
    [(0.01, 0.049, True), (0.01, 0.05, False), (0.01, None, False), (0.9, 0.0, True), (None, 1.0, False)],
)
def test_a_difference_is_certain_by_its_corrected_p(
    p: float | None, p_holm: float | None, certain: bool
) -> None:
    found = MetricDifference(
        2, 9, 3, 0.5, 0.6, 0.1, None, None, "", "t", p, p_holm, None, "", 5, 0, 4, "", ""
    )
    assert found.certain is certain


@pytest.mark.parametrize(
    ("cases", "repeats", "total"), [(3, 1, 3), (3, 4, 12), (0, 5, 0)], ids=("once", "four times", "empty")
)
def test_a_run_has_an_answer_for_each_case_and_repeat(cases: int, repeats: int, total: int) -> None:
    row = run_row(1, "P", case_count=cases, repeats=repeats, pipeline_number=3)
    assert (row.total, row.label) == (total, "P 3")


@pytest.mark.parametrize(
    ("config", "is_cascade"),
    [("{}", False), ('{"steps": []}', False), ('{"steps": null}', False), ('{"steps": [{}]}', True)],
)
def test_a_pipeline_with_steps_is_a_cascade(config: str, is_cascade: bool) -> None:
    assert PipelineVersionRow(1, "P", 1, 1, 0, "", "", config, ()).is_cascade is is_cascade


def test_a_case_without_an_answer_has_ended_in_one_of_two_ways() -> None:
    assert set(NO_ANSWER) == {CaseOutcome.ERROR, CaseOutcome.TIMEOUT}


# --- runs and results as they are stored ------------------------------------------------------------------


def add_run(workspace: Workspace, number: int, **values: object) -> None:
    texts = {
        column.name: ""
        for column in EvaluationRun.__table__.columns  # type: ignore[attr-defined]
        if not column.nullable
    }
    usual = {
        "status": "done",
        "kind": "answer",
        "set_name": "S",
        "pipeline": "P",
        "case_count": 2,
        "repeats": 2,
    }
    insert(workspace, "evaluationrun", **{**texts, **usual, "id": number, **values})


def add_result(workspace: Workspace, run: int, key: str, **values: object) -> None:
    usual = {"outcome": "ok", "metrics": "{}", "checks": "[]", "stale": "[]", "trace_id": "", "error": ""}
    insert(workspace, "evaluationresult", **{**usual, "run_id": run, "case_key": key, **values})


def test_a_run_counts_its_answers_failures_and_the_stale_judgements_of_each_case_once(
    workspace: Workspace,
) -> None:
    add_run(workspace, 1)
    add_run(workspace, 2)
    for repeat in (0, 1):
        add_result(workspace, 1, "a", repeat=repeat, stale='["a.txt", "b.txt"]', outcome="error")
        add_result(workspace, 1, "b", repeat=repeat, outcome=("timeout", "refused")[repeat])
    run = get_run(workspace.database, 1)
    assert (run.done_count, run.failed_count, run.stale_count) == (4, 3, 2)
    empty = get_run(workspace.database, 2)
    assert (empty.done_count, empty.failed_count, empty.stale_count, empty.tags) == (0, 0, 0, ())


def test_a_run_shows_the_newest_gate_it_was_checked_against(workspace: Workspace) -> None:
    add_run(workspace, 1)
    for passed, sentence in ((True, "All good."), (False, "Recall fell.")):
        insert(workspace, "evaluationgate", run_id=1, passed=passed, sentence=sentence, rows="[]")
    run = get_run(workspace.database, 1)
    assert (run.gate_passed, run.gate_sentence) == (False, "Recall fell.")


def test_filters_of_runs_are_joined_by_and(workspace: Workspace) -> None:
    add_run(workspace, 1)
    add_run(workspace, 2, set_name="T")
    add_run(workspace, 3, pipeline="Q")
    for run in (1, 2):
        insert(workspace, "evaluationruntag", run_id=run, name="base")
    database = workspace.database
    assert [
        [run.id for run in list_runs(database, *wanted)]
        for wanted in (
            ("S",),
            ("S", "P"),
            ("", "P"),
            ("T", "Q"),
            ("", "", "base"),
            ("S", "", "base"),
            ("", "", "bas"),
        )
    ] == [[3, 1], [1], [2, 1], [], [2, 1], [1], []]


def test_a_result_whose_trace_was_erased_keeps_its_figures(workspace: Workspace) -> None:
    add_run(workspace, 1)
    checks = [{"type": "contains", "passed": 1, "reason": '“x”, "y"'}, {"type": "json", "passed": False}]
    add_result(
        workspace, 1, "a", trace_id="gone", metrics='{"recall": 0.5, "mrr": null}', checks=json.dumps(checks),
        stale='["a.txt"]', latency_ms=None, error="late", outcome="timeout",
    )  # fmt: skip
    (found,) = list_results(workspace.database, 1)
    assert (found.question, found.answer, found.verdict, found.latency_ms) == ("", "", None, None)
    assert found.metrics == {"recall": 0.5, "mrr": None}
    assert found.checks[0] == ("contains", True, '“x”, "y"')
    assert found.checks[1][:2] == ("json", False)
    assert (found.stale, found.outcome, found.error) == (("a.txt",), CaseOutcome.TIMEOUT, "late")
    assert list_results(workspace.database, 2) == []


def test_a_set_without_a_version_has_no_cases_yet(workspace: Workspace) -> None:
    insert(workspace, "evaluationset", name="Empty", description="", created_ms=7, last_number=0)
    (row,) = list_sets(workspace.database)
    assert (row.number, row.case_count, row.fingerprint, row.changed_ms) == (0, 0, "", 7)
    assert list_cases(workspace.database, "Empty") == list_set_versions(workspace.database, "Empty") == []
    with pytest.raises(NotFoundError, match="“Empty” has no version 1"):
        list_cases(workspace.database, "Empty", 1)


def test_a_draft_outlives_its_collection_under_no_name(workspace: Workspace) -> None:
    insert(workspace, "evaluationset", id=1, name="S", description="", last_number=0)
    texts = dict.fromkeys(
        ("document", "place", "passage", "question", "answer", "model", "decided_by", "case_key"), ""
    )
    for state in ("accepted", "rejected"):
        insert(workspace, "draft", **texts, set_id=1, collection_id=99, marks="[]", state=state)
    assert list_drafts(workspace.database, "S") == []
    rejected = list_drafts(workspace.database, state=DraftState.REJECTED)
    assert [(row.state, row.collection, row.marks) for row in rejected] == [(DraftState.REJECTED, "", ())]
