"""A cascade of two sizes on the sample's set, with a real model: it answers, escalates, and its savings are told.

There is one starter model, so the sizes are two settings of it: few passages and a short answer, and more of both.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import drive

from rag.asking.cascades.rows import list_cascade_steps
from rag.evaluation.cascades.savings import compare_costs
from rag.evaluation.cases import Case
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.evaluation.rows import RunStatus, list_results
from rag.evaluation.runs import start_runs
from rag.evaluation.sets import change_set, create_set, set_cases
from rag.sample.making import ingest_sample
from rag.sample.rows import SAMPLE_COLLECTION, SAMPLE_SET
from rag.workspace import Workspace

CASES = 6  # the fewest that are tested


def size(passages: int, tokens: int, answer: int) -> dict[str, object]:
    retrieval = {"max_passages": passages, "context_tokens": tokens, "small_model_tokens": 0}
    return {
        "collection": SAMPLE_COLLECTION,
        "retrieval": retrieval,
        "generation": {"max_answer_tokens": answer, "temperature": 0},
    }


@pytest.mark.models
def test_a_cascade_of_two_sizes_runs_on_the_sample(folder: Path) -> None:
    with Workspace(folder, "a test") as workspace:
        drive(ingest_sample(workspace))
        cases: list[Case] = [c for c in set_cases(workspace.database, SAMPLE_SET) if c.right_answers][:CASES]
        create_set(workspace, "Short")
        change_set(workspace, "Short", put=cases)
        save_pipeline(workspace, "small", make_config(size(1, 64, 8)))
        save_pipeline(workspace, "large", make_config(size(1, 160, 16)))
        steps = [{"pipeline": "small", "accept": {"supported": True}}, {"pipeline": "large"}]
        save_pipeline(workspace, "both", make_config({**size(1, 160, 16), "steps": steps}))
        large, both = drive(start_runs(workspace, "Short", ["large", "both"], parallel=1))
        assert [run.status for run in (large, both)] == [RunStatus.DONE] * 2
        by_large = {r.case_key: r for r in list_results(workspace.database, large.id)}
        for result in list_results(workspace.database, both.id):
            *earlier, given = list_cascade_steps(workspace.database, result.trace_id)
            assert all(step.name == "small" and step.reason for step in earlier)
            assert given.name == ("large" if earlier else "small")
            if earlier:
                assert result.answer == by_large[result.case_key].answer, (
                    "a step answers as its pipeline does"
                )
        found = compare_costs(workspace, both.id, large.id)
        assert (found.pairs, found.unknown, found.unit) == (CASES, 0, "EUR") and found.cost
        assert " of the cost; " in found.sentence() or " more; " in found.sentence()
        assert found.p is not None and found.quality_pairs == CASES
