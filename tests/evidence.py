"""A data folder in which everything that an evidence report tells of has happened, without any model."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive
from sqlmodel import SQLModel
from stored_traces import add_traces
from table_rows import row

from rag.evaluation.cases import Case
from rag.evaluation.gates.runs import require_gate
from rag.evaluation.pipelines import PipelineConfig, find_pipeline, move_pipeline_label, save_pipeline
from rag.evaluation.sets import change_set, create_set
from rag.governance.rows import ErasureState
from rag.knowledge.ingest import ingest_files
from rag.storage import audit_log
from rag.storage.data_folder import DATABASE
from rag.storage.tables.costs import Cost
from rag.storage.tables.endpoints import EndpointChange
from rag.storage.tables.evaluation import (
    EvaluationGate,
    EvaluationResult,
    EvaluationRun,
    ResultVerdict,
)
from rag.storage.tables.governance import AuditEvent, Erasure
from rag.storage.tables.review import Feedback, Review, ReviewItem, ReviewQueue, Rollout, RolloutAnswer
from rag.storage.tables.traces import FlagOpinion
from rag.workspace import Workspace

OCTOBER = int(datetime(2026, 10, 5, 9, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
HOSTILE = '<script>alert(1)</script> \u202egnp.exe <img src="http://evil.example/x">'
QUESTIONS = 30


def fill(workspace: Workspace, documents: Path, hostile: str = "") -> list[str]:
    """Let a quarter pass in the collection A; return the ids of the questions.

    Args:
        workspace: An empty one.
        documents: Files to add.
        hostile: A text that a document's name, a question, a note and a comment get besides.
    """
    drive(ingest_files(workspace, "A", [documents]))
    save_pipeline(workspace, "answers", PipelineConfig(collection="A"), "as it is")
    move_pipeline_label(workspace, "answers", "production", 1, note="to begin with")
    ids = [f"{number:032x}" for number in range(QUESTIONS)]
    add_traces(
        workspace, QUESTIONS, OCTOBER, HOUR,
        id=lambda n: ids[n], pipeline="answers", model="/m/qwen2.5-0.5b-instruct-q4_k_m.gguf", model_sha256="ab" * 32,
        question=lambda n: f"What is number {n}? {hostile}", flag_count=lambda n: int(n % 10 == 0),
        worst_verdict=lambda n: "unsupported" if n % 10 == 0 else "", version_id=1, version_number=1,
        collection_id=1, prompt_version_id=1, prompt_version=1, prompt_name="default",
        settings=json.dumps({"retrieval": {"max_passages": 5}}),
    )  # fmt: skip
    _evaluate(workspace)
    _use(workspace, ids, hostile)
    _backdate(workspace)
    return ids


def _add(workspace: Workspace, *rows: SQLModel) -> None:
    with workspace.store.session() as session:
        session.add_all(rows)


def _evaluate(workspace: Workspace) -> None:
    create_set(workspace, "questions")
    change_set(
        workspace, "questions",
        put=[Case(key=f"case-{n:02}", question=f"What is {n}?", references=("bread",)) for n in range(40)],
    )  # fmt: skip
    require_gate(workspace, "pipeline", "answers", "questions", "floors: {token_f1: 0.8}\n")
    pipeline = find_pipeline(workspace, "answers")
    facts: dict[str, Any] = {
        "name": "first", "status": "done", "set_name": "questions", "set_version_id": 1, "set_number": 1,
        "pipeline": "answers", "pipeline_version_id": pipeline.id, "pipeline_number": 1,
        "pipeline_fingerprint": pipeline.fingerprint, "kind": "answer", "config": "{}", "case_count": 40, "repeats": 1,
        "collection": "A", "version_id": 1, "version_number": 1, "model_file": "qwen.gguf", "model_sha256": "cd" * 32,
        "prompt_version_id": 1, "prompt_version": 1, "prompt_name": "default",
    }  # fmt: skip
    _add(
        workspace,
        row(EvaluationRun, id=1, created_ms=OCTOBER + 40 * HOUR, finished_ms=OCTOBER + 41 * HOUR, **facts),
    )
    _add(
        workspace,
        *(
            row(
                EvaluationResult, id=number + 1, run_id=1, case_key=f"case-{number:02}", outcome="ok",
                metrics=json.dumps({"token_f1": float(number % 4 > 0), "latency_ms": 900.0}),
            )
            for number in range(40)
        ),
        row(EvaluationGate, id=1, run_id=1, gate_sha256="ef" * 32, passed=False, sentence="token F1 is 0.75, below 0.8.",
            rows="[]", created_ms=OCTOBER + 42 * HOUR),
        row(ResultVerdict, result_id=1, is_right=True, author="mira", created_ms=OCTOBER + 43 * HOUR),
        row(Rollout, id=1, collection_id=1, collection="A", kind="canary", share=0.1, production="settings",
            production_config="{}", staging="answers 1", staging_config="{}", state="stopped", created_ms=OCTOBER,
            ended_ms=OCTOBER + 90 * HOUR, outcome=""),
    )  # fmt: skip


def _use(workspace: Workspace, ids: list[str], hostile: str) -> None:
    late = OCTOBER + 50 * HOUR
    _add(
        workspace,
        row(RolloutAnswer, trace_id=ids[3], rollout_id=1, arm="staging"),
        row(Feedback, trace_id=ids[0], author="mira", created_ms=late, is_up=False, reason="wrong", note=hostile),
        row(Feedback, trace_id=ids[1], author="mira", created_ms=late, is_up=True),
        row(FlagOpinion, trace_id=ids[0], start=0, collection_id=1, verdict="unsupported", is_right=True, created_ms=late),
        row(ReviewQueue, id=1, name="weekly", created_ms=late),
        *(row(ReviewItem, id=n + 1, queue_id=1, trace_id=ids[n], source="random") for n in range(4)),
        *(row(Review, item_id=n + 1, reviewer="mira", verdict="correct" if n else "wrong", created_ms=late) for n in range(4)),
        *(row(Review, item_id=n + 1, reviewer="tom", verdict="correct" if n > 1 else "wrong", created_ms=late) for n in range(4)),
        row(Cost, trace_id=ids[0], layer="answering", created_ms=late, seconds=2.0, amount=0.002, currency="EUR",
            basis="estimate", input_tokens=900, output_tokens=80),
        row(Cost, trace_id=ids[1], layer="answering", created_ms=late, seconds=2.0, basis="unknown"),
        row(EndpointChange, endpoint="vLLM", created_ms=late, model_before="a", model_after="b"),
        row(Erasure, collection="A", document_ids="[9]", state=ErasureState.DONE, begun_ms=late, done_ms=late + 9,
            found_count=0),
    )  # fmt: skip
    with workspace.store.session() as session:
        audit_log.record(session, "alert fired", "More flagged answers", "Flagged answers are at 10 %.")
        audit_log.record(session, "gate overridden", "answers 1", hostile or "needed for the launch")
        audit_log.record(session, "answer cache cleared", "A", "3 answers")


def _backdate(workspace: Workspace) -> None:
    """Let what was stored with the time of the test have happened in October."""
    with workspace.store.session() as session:
        for table in ("auditevent", "datasetversion", "pipelineversion", "promptversion", "gaterequirement"):
            session.connection().exec_driver_sql(f"UPDATE {table} SET created_ms = ?", (OCTOBER + 60 * HOUR,))
        session.connection().exec_driver_sql(
            "UPDATE pipelinelabelmove SET moved_ms = ?", (OCTOBER + 60 * HOUR,)
        )


def add_audit_row(
    workspace: Workspace, action: str, created_ms: int, subject: str = "A", detail: str = ""
) -> None:
    """Store that something was done at a time, as an older program did: outside of any chain."""
    made = row(AuditEvent, created_ms=created_ms, action=action, subject=subject, detail=detail)
    _add(workspace, made)


def fill_folder(folder: Path, hostile: str = "") -> Path:
    """Make a data folder in which everything has happened, and return it; nothing has it open."""
    documents, data = folder / "documents", folder / "data"
    documents.mkdir()
    data.mkdir()
    (documents / "bread.md").write_text(
        "# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n", "utf-8"
    )
    (documents / "tides.txt").write_text("The tide at Bremen rises 3.5 metres. Boats leave at noon.", "utf-8")
    with open_folder(data) as workspace:
        fill(workspace, documents, hostile)
    return data


def open_folder(data: Path) -> Workspace:
    """Open a data folder with a fast embedder and a scripted model."""
    return Workspace(
        data, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    )


def copy_folder(data: Path, to: Path) -> Path:
    """Copy what a report is made of to another data folder, and return it."""
    to.mkdir()
    with closing(sqlite3.connect(data / DATABASE)) as old, closing(sqlite3.connect(to / DATABASE)) as new:
        old.backup(new)
    return to
