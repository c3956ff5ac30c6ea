"""Tables of evaluation: what may be there once, and what a new run begins with."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.evaluation import (
    Draft,
    EvaluationCase,
    EvaluationResult,
    EvaluationRun,
    EvaluationRunTag,
    EvaluationSet,
    EvaluationSetCase,
    EvaluationSetVersion,
    GateRequirement,
    Pipeline,
    PipelineLabel,
    PipelineVersion,
    ResultVerdict,
)


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (EvaluationSet, {"name": "gold"}, {"name": "silver"}),
        (EvaluationSetVersion, {"set_id": 1, "number": 1}, {"number": 2}),
        (EvaluationCase, {"set_id": 1, "fingerprint": "f"}, {"fingerprint": "g"}),
        (EvaluationSetCase, {"version_id": 1, "case_id": 1}, {"case_id": 2}),
        (Pipeline, {"name": "p"}, {"name": "q"}),
        (PipelineVersion, {"pipeline_id": 1, "number": 1}, {"number": 2}),
        (PipelineLabel, {"pipeline_id": 1, "name": "production"}, {"pipeline_id": 2}),
        (EvaluationRunTag, {"run_id": 1, "name": "baseline"}, {"run_id": 2}),
        (EvaluationResult, {"run_id": 1, "case_key": "c", "repeat": 0}, {"repeat": 1}),
        (ResultVerdict, {"result_id": 1}, {"result_id": 2}),
        (GateRequirement, {"kind": "prompt", "subject_id": 1}, {"kind": "pipeline"}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_runs_may_have_one_name() -> None:
    """A run is found by its number: the same evaluation is repeated under its name."""
    assert saves(row(EvaluationRun, name="nightly"), row(EvaluationRun, name="nightly"))


def test_a_new_run_has_not_started_and_took_no_time() -> None:
    found = stored(row(EvaluationRun, name="nightly"))
    assert (found["started_ms"], found["finished_ms"], found["busy_s"]) == (None, None, 0.0)


def test_a_latency_that_was_not_measured_is_unknown_and_not_0() -> None:
    assert stored(row(EvaluationResult, run_id=1))["latency_ms"] is None


def test_a_new_draft_waits_for_a_person() -> None:
    found = stored(row(Draft, question="Why?"))
    assert (found["state"], found["decided_ms"], found["decided_by"]) == ("waiting", None, "")
