"""Checks runs against gates, and stores which gate a prompt or pipeline requires before it goes live."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from sqlmodel import Session, select

from rag.errors import NotFoundError, RagError
from rag.evaluation.gates.rows import GateOutcome
from rag.evaluation.gates.rules import Decision, Gate, decide, parse_gate
from rag.evaluation.rows import RunStatus, get_run
from rag.evaluation.runs import run_results
from rag.evaluation.sets import find_set
from rag.prompts.registry import user_name
from rag.prompts.required_gates import Kind, forget_requirement
from rag.prompts.rows import RequiredGate, find_required_gate
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import EvaluationGate, GateRequirement, Pipeline
from rag.storage.tables.prompts import Prompt
from rag.workspace import Workspace


def put_through(
    workspace: Workspace,
    run_id: int,
    gate_text: str,
    baseline_run_id: int | None = None,
    allow_changed: bool = False,
) -> tuple[Decision, GateOutcome]:
    """Check a finished run against a gate and store the decision.

    Args:
        workspace: Where the run is.
        run_id: The run.
        gate_text: YAML, see rag.evaluation.gates.rules.
        baseline_run_id: The run that drops are measured from; None: there is none.
        allow_changed: Whether a run passes although some of its cases have changed since the baseline.

    Raises:
        RagError: The gate is wrong, or the run is not done.
    """
    gate: Gate = parse_gate(gate_text)
    row = get_run(workspace.database, run_id)
    if row.status is not RunStatus.DONE:
        raise RagError(f"Run {run_id} is {row.status}. Resume it before you check it against a gate.")
    baseline = None if baseline_run_id is None else run_results(workspace.database, baseline_run_id)
    decision = decide(gate, run_results(workspace.database, row), baseline, allow_changed)
    with workspace.store.session() as session:
        session.add(
            EvaluationGate(
                run_id=run_id,
                baseline_run_id=baseline_run_id,
                gate_sha256=gate_sha256(gate_text),
                passed=decision.passed,
                sentence=decision.sentence(),
                rows=json.dumps([asdict(one) for one in decision.rows]),
                created_ms=now_ms(),
            )
        )
        audit_log.record(
            session,
            audit_log.Action(f"gate {'passed' if decision.passed else 'failed'}"),
            row.name,
            decision.sentence(),
        )
    return decision, GateOutcome(
        run_id,
        baseline_run_id,
        decision.passed,
        decision.sentence(),
        tuple((one.rule, one.passed, one.value, one.reason) for one in decision.rows),
        {one.kind for one in decision.rows if not one.passed} == {"changed"},
    )


def gate_run(
    workspace: Workspace,
    run_id: int,
    gate_text: str,
    baseline_run_id: int | None = None,
    allow_changed: bool = False,
) -> GateOutcome:
    """Check a run against a gate for the window; see put_through."""
    return put_through(workspace, run_id, gate_text, baseline_run_id, allow_changed)[1]


def gate_sha256(text: str) -> str:
    """Return the sha256 of a gate's text, whatever its line ends and outer white space, 64 hex digits."""
    plain = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def require_gate(workspace: Workspace, kind: Kind, name: str, set_name: str, gate_text: str) -> RequiredGate:
    """Let the label production move only to versions that passed this gate on this set. Raises RagError."""
    parse_gate(gate_text)
    with workspace.store.session() as session:
        find_set(session, set_name)
        subject = _subject(session, kind, name)
        session.merge(
            GateRequirement(
                kind=kind,
                subject_id=subject,
                set_name=set_name,
                gate=gate_text,
                gate_sha256=gate_sha256(gate_text),
                author=user_name(),
                created_ms=now_ms(),
            )
        )
        audit_log.record(session, audit_log.Action.GATE_REQUIRED, f"{kind} {name}", f"on “{set_name}”")
    found = find_required_gate(workspace.database, kind, name)
    assert found is not None
    return found


def drop_requirement(workspace: Workspace, kind: Kind, name: str, note: str = "") -> None:
    """Require no gate any more. Raises NotFoundError."""
    with workspace.store.session() as session:
        forget_requirement(session, kind, _subject(session, kind, name))
        audit_log.record(session, audit_log.Action.GATE_NO_LONGER_REQUIRED, f"{kind} {name}", note)


def requirements_of(workspace: Workspace, run_id: int) -> list[RequiredGate]:
    """Return the gates that the pipeline and the prompt of a run require, where they are on the run's set."""
    row = get_run(workspace.database, run_id)
    found = [
        find_required_gate(workspace.database, kind, name)
        for kind, name in (("pipeline", row.pipeline), ("prompt", row.prompt_name))
    ]
    return [required for required in found if required is not None and required.set_name == row.set_name]


def _subject(session: Session, kind: Kind, name: str) -> int:
    table = Prompt if kind == "prompt" else Pipeline
    found = session.exec(select(table.id).where(table.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no {kind} named “{name}”.")
    return found
