"""Runs put through a gate, and what a prompt or pipeline requires before it goes live."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from sqlmodel import Session, col, select

from rag.errors import NotFoundError, RagError
from rag.evaluation.gate_rules import Decision, Gate, decide, parse_gate
from rag.evaluation.rows import GateOutcome, get_run
from rag.evaluation.runs import run_results
from rag.evaluation.sets import find_set
from rag.prompts.registry import user_name
from rag.prompts.required_gates import Kind, forget_requirement
from rag.prompts.rows import RequiredGate
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import EvaluationGate, EvaluationRun, GateRequirement, Pipeline
from rag.storage.tables.prompts import Prompt
from rag.workspace import Workspace


def put_through(
    workspace: Workspace, run_id: int, gate_text: str, baseline_run_id: int | None = None
) -> tuple[Decision, GateOutcome]:
    """Decide on a run and keep the decision. gate_text: YAML as in gate.py. Raises RagError for a run that is not done."""
    gate: Gate = parse_gate(gate_text)
    row = get_run(workspace.database, run_id)
    if row.status != "done":
        raise RagError(f"Run {run_id} is {row.status}; resume it before it is put through a gate.")
    baseline = None if baseline_run_id is None else run_results(workspace.database, baseline_run_id)
    decision = decide(gate, run_results(workspace.database, row), baseline)
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
            session, f"gate {'passed' if decision.passed else 'failed'}", row.name, decision.sentence()
        )
    return decision, GateOutcome(
        run_id,
        baseline_run_id,
        decision.passed,
        decision.sentence(),
        tuple((one.rule, one.passed, one.value, one.reason) for one in decision.rows),
    )


def gate_run(
    workspace: Workspace, run_id: int, gate_text: str, baseline_run_id: int | None = None
) -> GateOutcome:
    """For the window's engine."""
    return put_through(workspace, run_id, gate_text, baseline_run_id)[1]


def gate_sha256(text: str) -> str:
    """Of the text without differences of line ends and outer white space."""
    plain = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def require_gate(workspace: Workspace, kind: Kind, name: str, set_name: str, gate_text: str) -> RequiredGate:
    """From now on the label production moves only to a version that passed this gate on this set."""
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
        audit_log.record(session, "gate required", f"{kind} {name}", f"on “{set_name}”")
    found = required_gate(workspace, kind, name)
    assert found is not None
    return found


def drop_requirement(workspace: Workspace, kind: Kind, name: str, note: str = "") -> None:
    with workspace.store.session() as session:
        forget_requirement(session, kind, _subject(session, kind, name))
        audit_log.record(session, "gate no longer required", f"{kind} {name}", note)


def required_gate(workspace: Workspace, kind: Kind, name: str) -> RequiredGate | None:
    with workspace.store.session() as session:
        found = session.get(GateRequirement, (kind, _subject(session, kind, name)))
        if found is None:
            return None
        return RequiredGate(kind, name, found.set_name, found.gate, found.author, found.created_ms)


def requirements_of(workspace: Workspace, run_id: int) -> list[RequiredGate]:
    """The gates that the pipeline and the prompt of a run wait for, where the run is on their set."""
    row = get_run(workspace.database, run_id)
    found = [
        required
        for kind, name in (("pipeline", row.pipeline), ("prompt", row.prompt_name))
        if name and (required := _known(workspace, kind, name)) is not None  # type: ignore[arg-type]
    ]
    return [required for required in found if required.set_name == row.set_name]


def _known(workspace: Workspace, kind: Kind, name: str) -> RequiredGate | None:
    try:
        return required_gate(workspace, kind, name)
    except NotFoundError:  # deleted since
        return None


def last_gate(workspace: Workspace, run_id: int) -> GateOutcome | None:
    with workspace.store.session() as session:
        found = session.exec(
            select(EvaluationGate)
            .where(EvaluationGate.run_id == run_id)
            .order_by(col(EvaluationGate.id).desc())
        ).first()
        if found is None or session.get(EvaluationRun, run_id) is None:
            return None
        rows = tuple((r["rule"], r["passed"], r["value"], r["reason"]) for r in json.loads(found.rows))
        return GateOutcome(run_id, found.baseline_run_id, found.passed, found.sentence, rows)


def _subject(session: Session, kind: Kind, name: str) -> int:
    table = Prompt if kind == "prompt" else Pipeline
    found = session.exec(select(table.id).where(table.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no {kind} named “{name}”.")
    return found
