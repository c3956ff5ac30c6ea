"""What a roll-out has shown so far."""

from pathlib import Path

import pytest
from fakes import drive

from rag.asking.traces import new_trace_id
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.review import rollout_results
from rag.review import rollouts as rollout
from rag.review.feedback import add_feedback
from rag.storage.store import now_ms
from rag.storage.tables.review import RolloutAnswer
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

QUESTION = "How long does rye bread rest?"


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def pipeline(workspace: Workspace, name: str = "short", **values: object) -> None:
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}, **values})
    save_pipeline(workspace, name, config)


def answers(workspace: Workspace, arm: str, flagged: list[int], seconds: float) -> None:
    """Stored answers of an arm, as a month of questions would have left them."""
    with workspace.store.session() as session:
        for number, flag in enumerate(flagged):
            trace_id = new_trace_id()
            session.add(
                Trace(
                    id=trace_id, session_id="s", created_ms=now_ms(), status="done", question="Q", outcome="answered",
                    claim_count=2, flag_count=flag, total_ms=1000 * seconds + number % 10,
                )
            )  # fmt: skip
            session.add(RolloutAnswer(trace_id=trace_id, rollout_id=1, arm=arm))


def test_nothing_is_claimed_before_there_is_enough(notes: Workspace) -> None:
    pipeline(notes)
    rollout.start_rollout(notes, "canary", collection="Notes", staging="short", share=0.5)
    answers(notes, "production", [1] * 20 + [0] * 10, 2.0)
    answers(notes, "staging", [0] * 19, 2.0)
    few = rollout_results.rollout_results(notes, 1)
    assert all(d.p is None and d.low is None for d in few.differences)
    assert few.summary == "30 and 19 answers; at least 20 of each are needed."
    answers(notes, "staging", [0] * 11, 2.0)
    traces = notes.database.cells("SELECT trace_id FROM rolloutanswer WHERE arm = 'staging' LIMIT 1")
    add_feedback(notes, traces[0][0], True)
    found = {d.measure: d for d in rollout_results.rollout_results(notes, 1).differences}
    flagged = found["flagged"]
    assert (flagged.production, flagged.staging) == (pytest.approx(2 / 3), 0.0)
    assert flagged.low is not None and flagged.high is not None and flagged.low < -2 / 3 < flagged.high < 0
    assert flagged.p_holm is not None and flagged.p_holm < 0.001
    assert "staging has 66.7 points less" in flagged.sentence and "better" in flagged.sentence
    assert found["latency"].p_holm is not None and found["latency"].p_holm > 0.05
    assert found["thumbs up"].p is None and found["thumbs up"].staging == 1.0
