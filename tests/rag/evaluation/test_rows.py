"""Queries of evaluation: rows by name and type, filters, and what does not exist."""

import json

import pytest

from rag.errors import NotFoundError
from rag.evaluation.pipelines import move_pipeline_label
from rag.evaluation.rows import (
    CaseOutcome,
    DraftMark,
    DraftState,
    GenerationReport,
    PipelineKind,
    RunStatus,
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
from rag.storage.tables.evaluation import Draft
from rag.workspace import Workspace
from tests.rag.evaluation.filled import save, start


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
