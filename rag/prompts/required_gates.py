"""Gates that the label production of a prompt or pipeline requires: a run of that version must have passed.

Only the tables are read here; rag.evaluation.gates.runs sets requirements and checks runs against gates.
"""

from __future__ import annotations

from typing import Literal

from sqlmodel import Session

from rag.errors import RagError
from rag.storage import audit_log
from rag.storage.tables.evaluation import GateRequirement

Kind = Literal["prompt", "pipeline"]


def refuse_ungated(
    session: Session,
    kind: Kind,
    subject_id: int,
    name: str,
    version_id: int,
    number: int,
    force: bool,
    note: str,
) -> None:
    """Raise RagError unless a run of this version passed the required gate; force logs the note instead."""
    required = session.get(GateRequirement, (kind, subject_id))
    if required is None:
        return
    column = "prompt_version_id" if kind == "prompt" else "pipeline_version_id"
    passed = session.connection().exec_driver_sql(
        f"""SELECT r.id FROM evaluationgate g JOIN evaluationrun r ON r.id = g.run_id
            WHERE g.passed AND g.gate_sha256 = ? AND r.set_name = ? AND r.status = 'done' AND r.{column} = ?
            ORDER BY g.id DESC LIMIT 1""",
        (required.gate_sha256, required.set_name, version_id),
    )
    if passed.first() is not None:
        return
    if force:
        if not note.strip():
            raise RagError("Moving the label without passing its gate needs a note with the reason.")
        audit_log.record(session, audit_log.Action.GATE_OVERRIDDEN, f"{name} {number}", note)
        return
    pipeline = f"{name}@{number}" if kind == "pipeline" else f"(a pipeline with the prompt {name}@{number})"
    raise RagError(
        f"The label production of the {kind} “{name}” moves only to a version that passed its gate on "
        f'“{required.set_name}”, and version {number} did not: run `ragdeck evaluate "{required.set_name}" '
        f'--pipeline "{pipeline}" --required-gate`, or use --force with a note.'
    )


def forget_requirement(session: Session, kind: Kind, subject_id: int) -> None:
    """Delete the requirement of a prompt or pipeline, in the caller's transaction."""
    found = session.get(GateRequirement, (kind, subject_id))
    if found is not None:
        session.delete(found)
