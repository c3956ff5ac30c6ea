"""Evaluation sets in the database: every change makes a numbered version that never changes again.

A version is a list of cases; those that did not change are shared with the version before. The newest version
is the current one; going back makes a new version with the cases of an old one, so that the history is a
line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from rag.asking.rows import TraceStatus, get_trace
from rag.errors import NotFoundError, RagError
from rag.evaluation.cases import Case, Judgement, free_key, make_case
from rag.evaluation.formats import MOST_CASES, write_cases
from rag.evaluation.forms.rows import TracesAdded
from rag.evaluation.rows import (
    CaseChange,
    ChangeKind,
    SetVersionRow,
    list_cases,
    list_sets,
)
from rag.grounding.rows import Verdict
from rag.grounding.sentences import is_refusal
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.evaluation import (
    EvaluationCase,
    EvaluationSet,
    EvaluationSetCase,
    EvaluationSetVersion,
)
from rag.text.citations import markers_of, without_citations
from rag.text.plurals import counted
from rag.workspace import Workspace


@dataclass(frozen=True)
class SetDiff:
    """The cases that differ between two versions; `changed` are pairs (old, new) of one key."""

    old_number: int
    new_number: int
    added: tuple[Case, ...]
    removed: tuple[Case, ...]
    changed: tuple[tuple[Case, Case], ...]
    same_count: int

    def sentence(self) -> str:
        """Return the counts for people."""
        parts = ((self.added, "added"), (self.removed, "removed"), (self.changed, "changed"))
        words = [f"{len(items):,} {what}" for items, what in parts if items]
        return f"{', '.join(words) or 'no differences'}, {self.same_count:,} unchanged"


# --- sets -------------------------------------------------------------------------------------------------


def create_set(workspace: Workspace, name: str, description: str = "") -> None:
    """Make an empty set. Raises RagError for a name that is taken or too long."""
    name = _checked_name(name)
    with workspace.store.session() as session:
        _refuse_taken(session, name)
        made = EvaluationSet(name=name, description=description, created_ms=now_ms())
        session.add(made)
        audit_log.record(session, audit_log.Action.EVALUATION_SET_MADE, name)


def rename_set(workspace: Workspace, name: str, new_name: str) -> None:
    """Rename a set, in its runs and required gates too. Raises RagError."""
    new_name = _checked_name(new_name)
    with workspace.store.session() as session:
        found = find_set(session, name)
        if new_name != found.name:
            _refuse_taken(session, new_name)
            found.name = new_name
            session.add(found)
            for table in ("evaluationrun", "gaterequirement"):
                session.connection().exec_driver_sql(
                    f"UPDATE {table} SET set_name = ? WHERE set_name = ?", (new_name, name)
                )
            audit_log.record(session, audit_log.Action.EVALUATION_SET_RENAMED, new_name, f"before: {name}")


def delete_set(workspace: Workspace, name: str) -> int:
    """Delete a set with its versions and drafts; return how many versions it had. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = find_set(session, name)
        raw = session.connection()
        versions = "SELECT id FROM evaluationsetversion WHERE set_id = ?"
        raw.exec_driver_sql(f"DELETE FROM evaluationsetcase WHERE version_id IN ({versions})", (found.id,))
        raw.exec_driver_sql("DELETE FROM evaluationcase WHERE set_id = ?", (found.id,))
        raw.exec_driver_sql("DELETE FROM draft WHERE set_id = ?", (found.id,))
        count = raw.exec_driver_sql("DELETE FROM evaluationsetversion WHERE set_id = ?", (found.id,)).rowcount
        session.delete(found)
        audit_log.record(session, audit_log.Action.EVALUATION_SET_DELETED, name, f"{count} versions")
        return count


def ensure_set(workspace: Workspace, name: str) -> str:
    """Make a set if there is none of that name; return the name, stripped. Raises RagError."""
    name = name.strip()
    if name not in {row.name for row in list_sets(workspace.database)}:
        create_set(workspace, name)
    return name


def find_set(session: Session, name: str) -> EvaluationSet:
    """Return the row of a set. Raises NotFoundError."""
    found = session.exec(select(EvaluationSet).where(EvaluationSet.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no evaluation set named “{name}”. Run `ragdeck sets` to see all sets.")
    return found


# --- cases ------------------------------------------------------------------------------------------------


def set_cases(database: Database, name: str, number: int | None = None) -> tuple[Case, ...]:
    """Return the cases of a version in order; None: the current one. Raises NotFoundError."""
    return tuple(Case.model_validate_json(content) for content in list_cases(database, name, number))


def change_set(
    workspace: Workspace,
    name: str,
    *,
    put: Sequence[Case] = (),
    remove: Iterable[str] = (),
    message: str = "",
) -> SetVersionRow | None:
    """Make a version with cases added or replaced by their key, and others removed by theirs.

    When nothing differs no version is made, and the current one is returned (None when there is none).

    Args:
        workspace: Where the set is.
        name: Of the set.
        put: Cases to add or replace; one without a key is added under a new one.
        remove: Keys of cases.
        message: What changed, for people.

    Raises:
        RagError: There is no such set or case, or there are too many cases.
    """
    with workspace.store.session() as session:
        found = find_set(session, name)
        cases = {case.key: case for _, case in _stored_cases(session, found, None)}
        for key in remove:
            if cases.pop(key, None) is None:
                raise NotFoundError(f"“{name}” has no case {key}.")
        for case in put:
            keyed = case if case.key else case.model_copy(update={"key": free_key(case, cases)})
            cases[keyed.key] = keyed
        return _save_version(session, found, list(cases.values()), message)


def add_case(workspace: Workspace, name: str, case: Case, message: str = "") -> Case:
    """Add a case by hand; return it with its key. Raises RagError for a key that the set already has."""
    present = {known.key: known for known in set_cases(workspace.database, name)}
    if case.key in present:
        raise RagError(f"“{name}” already has a case {case.key}. Edit that one, or leave the key empty.")
    keyed = case if case.key else case.model_copy(update={"key": free_key(case, present)})
    change_set(workspace, name, put=[keyed], message=message or f"Added “{_short(case.question)}”")
    return keyed


def add_trace(
    workspace: Workspace,
    name: str,
    trace_id: str,
    *,
    reference: str | None = None,
    should_refuse: bool | None = None,
    tags: Sequence[str] = (),
) -> Case:
    """Make a case of a trace: its question, and the passages that its answer cites or that support it.

    A case of the same trace is replaced.

    Args:
        workspace: Where the set and the trace are.
        name: Of the set.
        trace_id: The trace's id, or its beginning.
        reference: The right answer; None: the trace's own, unless a sentence of it is flagged or it declined.
        should_refuse: Whether declining is right; None: what the trace did.
        tags: Of the case.

    Raises:
        NotFoundError: There is no such set or trace.
    """
    case = trace_case(
        workspace.database, trace_id, reference=reference, should_refuse=should_refuse, tags=tags
    )
    message = f"From trace {case.origin.removeprefix('trace:')[:8]}: “{_short(case.question)}”"
    change_set(workspace, name, put=[case], message=message)
    return case


def trace_case(
    database: Database,
    trace_id: str,
    *,
    reference: str | None = None,
    should_refuse: bool | None = None,
    tags: Sequence[str] = (),
) -> Case:
    """Return the case that a trace makes, without storing it; see add_trace. Raises NotFoundError."""
    detail = get_trace(database, trace_id)
    answer = str(detail.answer)
    declined = detail.status == TraceStatus.NOTHING_FOUND or is_refusal(answer)
    refuse = declined if should_refuse is None else should_refuse
    if reference is None and detail.status == TraceStatus.DONE and not declined and not detail.flag_count:
        reference = without_citations(answer)
    cited = markers_of(answer)
    cited |= {
        c.evidence_marker for c in detail.claims if c.verdict is Verdict.SUPPORTED and c.evidence_marker
    }
    relevant = [hit for hit in detail.hits if hit.marker in cited and not refuse]
    return Case(
        key=f"trace-{detail.id[:16]}",
        question=detail.question,
        references=(reference,) if reference and not refuse else (),
        judgements=tuple(
            Judgement(document=hit.path, start=hit.start, end=hit.end, quote=hit.text) for hit in relevant
        ),
        should_refuse=refuse,
        tags=tuple(tags),
        origin=f"trace:{detail.id}",
        cluster=relevant[0].path if relevant else "",
    )


def cases_of_traces(
    workspace: Workspace, set_name: str, trace_ids: Sequence[str], tags: Sequence[str] = ()
) -> TracesAdded:
    """Make cases of traces in one version of a set, which is made if it does not exist; see add_trace.

    A question that was asked several times, word for word, makes one case: of the trace that is given first.

    Raises:
        RagError: No trace was given, or there is no such trace.
    """
    if not trace_ids:
        raise RagError("No question was chosen. Choose some first.")
    cases: dict[str, Case] = {}
    for trace_id in trace_ids:
        case = trace_case(workspace.database, trace_id, tags=tags)
        cases.setdefault(" ".join(case.question.casefold().split()), case)
    name = ensure_set(workspace, set_name)
    count = counted(len(cases), "question")
    change_set(workspace, name, put=list(cases.values()), message=f"From {count} that people asked")
    without = sum(not case.references and not case.should_refuse for case in cases.values())
    return TracesAdded(name, len(cases), len(trace_ids) - len(cases), without)


def export_set(
    database: Database,
    name: str,
    path: Path,
    format_name: str,
    number: int | None = None,
    byte_order_mark: bool = True,
) -> tuple[str, ...]:
    """Write a version to a file or folder; return what the format could not express. See write_cases."""
    cases = set_cases(database, name, number)
    if not cases:
        raise RagError(f"“{name}” has no cases to export.")
    lost = write_cases(cases, path, format_name, byte_order_mark)
    audit_log.record_apart(
        database.path,
        audit_log.Action.EVALUATION_SET_EXPORTED,
        name,
        str(path),
        after=set_fingerprint(case.fingerprint for case in cases),
    )
    return lost


def restore_version(workspace: Workspace, name: str, number: int) -> SetVersionRow | None:
    """Make a version with the cases of an old one. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = find_set(session, name)
        cases = [case for _, case in _stored_cases(session, found, number)]
        return _save_version(session, found, cases, f"Back to version {number}")


def diff_sets(database: Database, name: str, old: int, new: int) -> SetDiff:
    """Return the cases that differ between two versions, paired by key. Raises NotFoundError."""
    before = {case.key: case for case in set_cases(database, name, old)}
    after = {case.key: case for case in set_cases(database, name, new)}
    both = [(before[key], after[key]) for key in before if key in after]
    changed = tuple((a, b) for a, b in both if a.content != b.content)
    return SetDiff(
        old,
        new,
        tuple(case for key, case in after.items() if key not in before),
        tuple(case for key, case in before.items() if key not in after),
        changed,
        len(both) - len(changed),
    )


def redact_cases(
    session: Session,
    clean: Callable[[str], str],
    documents: frozenset[str],
    origins: frozenset[str],
    erased: str,
) -> int:
    """Take an erased document out of all cases of all versions, in the caller's transaction.

    A case that judges the document, or comes from a trace that had it in the prompt, loses its references:
    they were made from it, in whatever words. It is the one change that versions allow.

    Args:
        session: The caller's transaction.
        clean: What removes the document's sentences from a text.
        documents: The document's paths.
        origins: The origins of cases whose trace had it in the prompt.
        erased: What stands for an erased text.

    Returns:
        How many cases contained any of it.
    """
    raw = session.connection()
    changed = 0
    for case_id, set_id, content in raw.exec_driver_sql(
        "SELECT id, set_id, content FROM evaluationcase"
    ).fetchall():
        case = Case.model_validate_json(content)
        bare = _redacted(case, clean, documents, case.origin in origins, erased)
        if bare == case:
            continue
        changed += 1
        same = raw.exec_driver_sql(
            "SELECT id FROM evaluationcase WHERE set_id = ? AND fingerprint = ? AND id != ?",
            (set_id, bare.fingerprint, case_id),
        ).scalar_one_or_none()
        if same is not None:  # two wordings differed only in what is erased
            raw.exec_driver_sql("UPDATE evaluationsetcase SET case_id = ? WHERE case_id = ?", (same, case_id))
            raw.exec_driver_sql("DELETE FROM evaluationcase WHERE id = ?", (case_id,))
            continue
        raw.exec_driver_sql(
            "UPDATE evaluationcase SET question = ?, content = ?, fingerprint = ? WHERE id = ?",
            (bare.question, bare.model_dump_json(), bare.fingerprint, case_id),
        )
    for version_id, message in raw.exec_driver_sql("SELECT id, message FROM evaluationsetversion").fetchall():
        prints = raw.exec_driver_sql(
            """SELECT c.fingerprint FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
               WHERE sc.version_id = ?""",
            (version_id,),
        )
        raw.exec_driver_sql(
            "UPDATE evaluationsetversion SET fingerprint = ?, message = ? WHERE id = ?",
            (set_fingerprint(row[0] for row in prints), clean(message), version_id),
        )
    return changed


def _redacted(
    case: Case, clean: Callable[[str], str], documents: frozenset[str], derived: bool, erased: str
) -> Case:
    judges = derived or any(j.document in documents for j in case.judgements)
    gone = Judgement(document=erased)
    judgements = [
        gone
        if j.document in documents
        else j.model_copy(update={"quote": clean(j.quote), "document": clean(j.document)})
        for j in case.judgements
    ]
    checks = [
        c.model_copy(update={"value": clean(c.value)}) if isinstance(c.value, str) else c for c in case.checks
    ]
    # The question of a generated case was made from the document too; others were asked by a person.
    generated = case.origin == "generated" and any(j.document in documents for j in case.judgements)
    references = (erased,) if judges and case.references else tuple(map(clean, case.references))
    return case.model_copy(
        update={
            "question": erased if generated else clean(case.question),
            "references": references,
            "judgements": tuple(judgements),
            "checks": tuple(checks),
            "cluster": erased if case.cluster in documents else clean(case.cluster),
        }
    )


# --- what a person does in one step -----------------------------------------------------------------------


def save_case(
    workspace: Workspace, set_name: str, values: dict[str, Any], replaced: str = "", message: str = ""
) -> str:
    """Add a case, or replace the one with the key `replaced`; return its key.

    The set is made if it does not exist. `values` are those of rag.evaluation.cases.Case. Raises RagError.
    """
    try:
        case = make_case(values)
    except ValueError as error:
        raise RagError(f"{error}.") from error
    ensure_set(workspace, set_name)
    if not replaced:
        return add_case(workspace, set_name, case, message).key
    remove = [replaced] if case.key != replaced else []
    change_set(workspace, set_name, put=[case], remove=remove, message=message or f"Changed {replaced}")
    return case.key


def remove_cases(workspace: Workspace, set_name: str, keys: list[str]) -> None:
    """Make a version without some cases. Raises NotFoundError."""
    noun = f"{len(keys)} cases" if len(keys) > 1 else keys[0]
    change_set(workspace, set_name, remove=keys, message=f"Removed {noun}")


def case_of_trace(workspace: Workspace, set_name: str, trace_id: str) -> str:
    """Make a case of a trace, in a set that is made if it does not exist; return a sentence about it."""
    ensure_set(workspace, set_name)
    case = add_trace(workspace, set_name, trace_id)
    what = "should be refused" if case.should_refuse else counted(len(case.references), "reference answer")
    passages = counted(len(case.judgements), "relevant passage")
    return f"Added to “{set_name}”: {what}, {passages}. Check it on the Evaluation page."


def diff_set(database: Database, set_name: str, old: int, new: int) -> tuple[str, tuple[CaseChange, ...]]:
    """Return a sentence, and every case that differs with JSON of both sides. Raises NotFoundError."""
    found = diff_sets(database, set_name, old, new)

    def text(case: Case) -> str:
        text: str = json.dumps(json.loads(case.content), indent=1, ensure_ascii=False)
        return text

    changes = [
        *(CaseChange(ChangeKind.ADDED, case.key, case.question, "", text(case)) for case in found.added),
        *(CaseChange(ChangeKind.REMOVED, case.key, case.question, text(case), "") for case in found.removed),
        *(
            CaseChange(ChangeKind.CHANGED, new.key, new.question, text(old), text(new))
            for old, new in found.changed
        ),
    ]
    return found.sentence(), tuple(changes)


# --- helpers ----------------------------------------------------------------------------------------------


def _stored_cases(session: Session, found: EvaluationSet, number: int | None) -> list[tuple[int, Case]]:
    """Return (row id, case) in order."""
    version = _version(session, found, number)
    if version is None:
        return []
    rows = session.connection().exec_driver_sql(
        """SELECT c.id, c.content FROM evaluationsetcase sc JOIN evaluationcase c ON c.id = sc.case_id
           WHERE sc.version_id = ? ORDER BY sc.position""",
        (version.id,),
    )
    return [(row[0], Case.model_validate_json(row[1])) for row in rows.fetchall()]


def _version(session: Session, found: EvaluationSet, number: int | None) -> EvaluationSetVersion | None:
    wanted = found.last_number if number is None else number
    version = session.exec(
        select(EvaluationSetVersion).where(
            EvaluationSetVersion.set_id == found.id, EvaluationSetVersion.number == wanted
        )
    ).first()
    if version is None and number is not None:
        raise NotFoundError(
            f"“{found.name}” has no version {number}. Run `ragdeck sets versions` to see them all."
        )
    return version


def _save_version(
    session: Session, found: EvaluationSet, cases: Sequence[Case], message: str
) -> SetVersionRow | None:
    if len(cases) > MOST_CASES:
        raise RagError(f"An evaluation set has at most {MOST_CASES:,} cases. Make another one.")
    prints = [case.fingerprint for case in cases]
    fingerprint = set_fingerprint(prints)
    current = _version(session, found, None)
    if current is not None and current.fingerprint == fingerprint:
        return _version_row(current)
    if current is None and not cases:
        return None
    known = {
        row[0]: row[1]
        for row in session.connection().exec_driver_sql(
            "SELECT fingerprint, id FROM evaluationcase WHERE set_id = ?", (found.id,)
        )
    }
    missing = [(p, case) for p, case in zip(prints, cases, strict=True) if p not in known]
    for print_, case in missing:
        row = EvaluationCase(
            set_id=found.id or 0,
            key=case.key,
            fingerprint=print_,
            question=case.question,
            content=case.model_dump_json(),
            created_ms=now_ms(),
        )
        session.add(row)
    session.flush()
    if missing:
        known.update(
            (row[0], row[1])
            for row in session.connection().exec_driver_sql(
                "SELECT fingerprint, id FROM evaluationcase WHERE set_id = ?", (found.id,)
            )
        )
    found.last_number += 1
    version = EvaluationSetVersion(
        set_id=found.id or 0,
        number=found.last_number,
        created_ms=now_ms(),
        message=message.strip() or f"{len(cases):,} cases",
        fingerprint=fingerprint,
        case_count=len(cases),
    )
    session.add(version)
    session.add(found)
    session.flush()
    insert_rows(
        session,
        EvaluationSetCase,
        [{"version_id": version.id, "case_id": known[p], "position": n} for n, p in enumerate(prints)],
    )
    _log_change(session, found.name, version, current.fingerprint if current else "")
    return _version_row(version)


def _log_change(session: Session, name: str, version: EvaluationSetVersion, before: str) -> None:
    what = f"version {version.number}: {version.message}"
    changed = audit_log.Action.EVALUATION_SET_CHANGED
    audit_log.record(session, changed, name, what, before=before, after=version.fingerprint)


def set_fingerprint(case_fingerprints: Iterable[str]) -> str:
    """Return the sha256 over the sorted fingerprints of the cases: their order does not matter."""
    return hashlib.sha256("\n".join(sorted(case_fingerprints)).encode()).hexdigest()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 200:
        raise RagError("An evaluation set needs a name of at most 200 characters.")
    return name


def _refuse_taken(session: Session, name: str) -> None:
    if session.exec(select(EvaluationSet).where(EvaluationSet.name == name)).first() is not None:
        raise RagError(f"There is already an evaluation set named “{name}”. Choose another name.")


def _version_row(version: EvaluationSetVersion) -> SetVersionRow:
    return SetVersionRow(
        version.id or 0,
        version.number,
        version.created_ms,
        version.message,
        version.fingerprint,
        version.case_count,
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
