"""Runs are started with what exists, found, named, tagged and deleted."""

from pathlib import Path
from typing import Any

import pytest
from fakes import drive

from rag.asking.rows import TraceFilter, count_traces
from rag.errors import NotFoundError, RagError
from rag.evaluation import pipelines, runs
from rag.evaluation.rows import get_run, list_runs
from rag.evaluation.sets import create_set, delete_set
from rag.storage.tables.evaluation import EvaluationRun
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start


def test_what_is_missing_is_said_before_anything_is_asked(filled: Workspace) -> None:
    for arguments, message in (
        (("missing", ["P"]), "no evaluation set"),
        (("S", ["nobody"]), "no pipeline named"),
        (("S", []), "at least one pipeline"),
        (("S", ["P@9"]), "no version 9"),
        (("S", ["P@production"]), "no version of the pipeline"),
    ):
        with pytest.raises(RagError, match=f"(?i){message}"):
            drive(runs.start_runs(filled, *arguments))
    assert list_runs(filled.database) == []


def test_runs_are_named_tagged_and_deleted_with_their_traces(filled: Workspace) -> None:
    first, second = (*start(filled), *start(filled))
    runs.rename_run(filled, first.id, "before", "a note")
    runs.tag_run(filled, first.id, "baseline")
    assert runs.find_run(filled.database, "baseline", "S").id == first.id
    runs.tag_run(filled, second.id, "baseline")
    assert runs.find_run(filled.database, "baseline").id == second.id
    assert runs.find_run(filled.database, str(first.id)).name == "before"
    runs.untag_run(filled, second.id, "baseline")
    with pytest.raises(RagError, match="not a number"):
        runs.tag_run(filled, first.id, "12")
    assert runs.delete_run(filled, first.id) == 3
    with pytest.raises(NotFoundError):
        runs.get_run(filled.database, first.id)
    assert count_traces(filled.database, TraceFilter()) == 3
    assert (
        count_traces(filled.database, TraceFilter(text="rye bread")) == 2
    )  # one question, one that was answered so


def test_options_out_of_bounds_are_refused(filled: Workspace) -> None:
    for values, message in (
        ({"repeats": 0}, "1 to 100 times"),
        ({"repeats": 101}, "1 to 100 times"),
        ({"timeout_s": 0.5}, "between 1 second and a day"),
        ({"parallel": 65}, "1 to 64 questions"),
        ({"set_version": 9}, "no version 9"),
        ({"tags": ["12"]}, "not a number"),
        ({"tags": ["x" * 61]}, "at most 60 characters"),
    ):
        with pytest.raises(RagError, match=message):
            drive(runs.start_runs(filled, "S", ["P"], **values))
    assert list_runs(filled.database) == []


def test_an_empty_set_has_nothing_to_ask(filled: Workspace) -> None:
    create_set(filled, "empty")
    with pytest.raises(RagError, match="has no cases yet"):
        drive(runs.start_runs(filled, "empty", ["P"]))


def test_runs_that_start_together_are_named_and_tagged(filled: Workspace) -> None:
    first, second = start(filled, "P", "R", tags=["a", "a", "b"], seed=7, repeats=2)
    assert (first.name, second.name) == ("S · P 1", "S · R 1")
    assert first.tags == second.tags == ("a", "b")
    assert (first.seed, first.repeats, first.total) == (7, 2, 6)
    (named,) = start(filled, name=" mine ")
    assert named.name == "mine"


def test_a_processor_answers_one_by_one_and_a_gpu_many_at_once() -> None:
    def config(**values: Any) -> pipelines.PipelineConfig:
        return pipelines.make_config({"collection": "A", **values})

    assert runs.default_parallel(config(generation={"gpu_layers": 0})) == 1
    assert runs.default_parallel(config(generation={"gpu_layers": 99})) == 16
    assert runs.default_parallel(config(generation={"gpu_layers": 99}, kind="retrieval")) == 1


def test_a_run_whose_parts_changed_is_not_resumed(filled: Workspace, documents: Path) -> None:
    events = runs.start_runs(filled, "S", ["R", "P"], parallel=1)
    next(events)
    events.close()
    second, first = list_runs(filled.database)
    with filled.store.session() as session:
        row = session.get_one(EvaluationRun, first.id)
        row.version_fingerprint = "another"
        session.get_one(EvaluationRun, second.id).prompt_fingerprint = "another"
    with pytest.raises(RagError, match=f"The dataset version of run {first.id} has changed since"):
        drive(runs.resume_run(filled, first.id))
    with pytest.raises(RagError, match=r"has changed since|is missing"):
        drive(runs.resume_run(filled, second.id))


def test_a_deleted_set_ends_its_run(filled: Workspace) -> None:
    events = runs.start_runs(filled, "S", ["R", "R"], parallel=1)
    next(events)
    events.close()
    delete_set(filled, "S")
    second, first = list_runs(filled.database)
    with pytest.raises(RagError, match="was deleted, so its run cannot continue"):
        drive(runs.resume_run(filled, first.id))
    failed = get_run(filled.database, first.id)
    assert failed.status == "failed" and "was deleted" in failed.error
    assert get_run(filled.database, second.id).status == "cancelled"


def test_a_run_that_works_cannot_be_deleted(filled: Workspace) -> None:
    events = runs.start_runs(filled, "S", ["P"], parallel=1)
    next(events)
    (run,) = list_runs(filled.database)
    with pytest.raises(RagError, match=r"is running\. Cancel it first"):
        runs.delete_run(filled, run.id)
    events.close()
    runs.delete_run(filled, run.id)
    with pytest.raises(NotFoundError, match=f"no run {run.id}"):
        runs.rename_run(filled, run.id, "x")


def test_names_tags_and_verdicts_that_cannot_be_are_refused(filled: Workspace) -> None:
    (run,) = start(filled, "R")
    with pytest.raises(RagError, match="needs a name"):
        runs.rename_run(filled, run.id, "  ")
    with pytest.raises(NotFoundError, match=f"Run {run.id} has no tag “x”"):
        runs.untag_run(filled, run.id, "x")
    with pytest.raises(NotFoundError, match=r"No run of the set “S” has the tag “x”\. Run `ragdeck runs tag"):
        runs.find_run(filled.database, "x", "S")
    with pytest.raises(NotFoundError, match="no longer exists"):
        runs.give_verdict(filled, 999, True)


def test_repeats_are_gathered_and_the_worst_outcome_counts(filled: Workspace) -> None:
    (run,) = start(filled, repeats=2)
    with filled.store.session() as session:
        rows = session.connection().exec_driver_sql
        rows(
            "UPDATE evaluationresult SET outcome = 'timeout', metrics = '{}' WHERE case_key = 'bread' AND repeat = 1"
        )
        rows("UPDATE evaluationresult SET outcome = 'error', metrics = '{}' WHERE case_key = 'moon'")
    found = runs.run_results(filled.database, run.id)
    assert found.name == f"P 1 (run {run.id})"
    assert found.outcomes == {"bread": "timeout", "tide": "assertion failed", "moon": "error"}
    assert len(found.values["token_f1"]["tide"]) == 2
    assert "moon" not in found.values["token_f1"]
    assert "correct_refusal" not in found.values, "a metric that no case has is none of the run"
    assert found.tags["bread"] == ("food",)
    assert found.clusters["bread"] == "bread.md"


def test_the_versions_of_libraries_are_known() -> None:
    found = runs.library_versions()
    assert found["python"].count(".") == 2
    assert found["numpy"] and "no such library" not in found
