"""Finds what is older than the settings keep it, and removes it: at each start, once a day, or when asked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path

from sqlmodel import Session

from rag.asking.traces import delete_traces, forget_trace_texts
from rag.errors import RagError
from rag.governance.compaction import vacuum
from rag.governance.erased_rows import of_traces
from rag.governance.retention.rows import RetentionKind, RetentionPart, RetentionReport, setting_of
from rag.knowledge.rows import VersionProgress
from rag.storage import audit_log
from rag.storage.backup import look_at_backup
from rag.storage.store import add_trace_text, now_ms
from rag.storage.tables.contents import Content, blank_of, marked_columns
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

EXPIRED = "[deleted after its retention time]"
_DAY_MS = 86_400_000
_LISTED = "(SELECT value FROM json_each(?))"
_BATCH = 500  # traces in a transaction
# Traces that something else needs: without them its figures could not be read or computed again.
_NEEDED = """(SELECT trace_id FROM evaluationresult UNION SELECT reused_trace FROM evaluationresult
    UNION SELECT trace_id FROM feedback UNION SELECT trace_id FROM reviewitem
    UNION SELECT trace_id FROM rolloutanswer UNION SELECT reference_trace_id FROM regressionquestion
    UNION SELECT trace_id FROM regressionresult UNION SELECT trace_id FROM flagopinion)"""
_TEXTS = (Content.COPY, Content.DERIVED, Content.WRITTEN)
_FIGURES = ("settings",)  # texts by their mark, and what an answer was made with
_COPIES = ("ragdeck.before-*.sqlite", "before-restore-*")


def preview_retention(workspace: Workspace, now: int | None = None) -> RetentionReport:
    """Return what a run would remove now.

    Args:
        workspace: The open data folder.
        now: Unix milliseconds; None: the time.
    """
    moment = now if now is not None else now_ms()
    return RetentionReport(tuple(_part(workspace, kind, moment) for kind in RetentionKind))


def is_due(workspace: Workspace) -> bool:
    """Return whether a kind is kept for a limited time and something of it is older."""
    days = workspace.settings.governance
    if not any(getattr(days, setting_of(kind)) for kind in RetentionKind):
        return False
    return preview_retention(workspace).count > 0


def run_retention(
    workspace: Workspace, now: int | None = None
) -> Generator[VersionProgress, None, RetentionReport]:
    """Remove what is older than the settings keep it, and log what went; return that."""
    moment = now if now is not None else now_ms()
    parts: list[RetentionPart] = []
    problems: list[str] = []
    for number, kind in enumerate(RetentionKind):
        yield VersionProgress(f"removing old {kind}", number, len(RetentionKind))
        part = _part(workspace, kind, moment)
        if part.count:
            part, problem = _REMOVE[kind](workspace, part, moment)
            problems += problem
        parts.append(part)
    report = RetentionReport(tuple(parts), tuple(problems))
    if report.count:
        with workspace.store.session() as session:
            details = "; ".join(part.sentence() for part in parts if part.count)
            audit_log.record(session, audit_log.Action.RETENTION_RUN, report.sentence(), details)
        yield VersionProgress("rewriting", 0, 1)
        try:
            vacuum(workspace)  # deleted texts stay in free pages until then
        except RagError as error:
            report = replace(report, problems=(*problems, str(error)))
    return report


def _part(workspace: Workspace, kind: RetentionKind, now: int) -> RetentionPart:
    days = int(getattr(workspace.settings.governance, setting_of(kind)))
    if not days:
        return RetentionPart(kind, 0)
    before = now - days * _DAY_MS
    if kind is RetentionKind.BACKUPS:
        files = _old_files(workspace, before)
        return RetentionPart(
            kind,
            days,
            len(files),
            0,
            min((_modified_ms(path) for path in files), default=None),
            sum(_size(path) for path in files),
            tuple(str(path) for path in files),
        )
    with workspace.store.session() as session:
        return _part_of_rows(session, kind, days, before)


def _part_of_rows(session: Session, kind: RetentionKind, days: int, before: int) -> RetentionPart:
    table, where, needed = _ROWS[kind]
    raw = session.connection()
    query = f"SELECT count(*), min(created_ms) FROM {table} WHERE created_ms < ? AND {where}"
    count, oldest = raw.exec_driver_sql(query, (before,)).one()
    kept = 0
    if needed:
        kept = raw.exec_driver_sql(f"{query} AND id IN {_NEEDED}", (before,)).one()[0]
        going = raw.exec_driver_sql(f"{query} AND id NOT IN {_NEEDED}", (before,)).one()
        count, oldest = going
    return RetentionPart(kind, days, count, kept, oldest)


# The table of a kind, which of its rows, and whether those that something needs stay. Steps of cascades go
# with their answer.
_ROWS: dict[RetentionKind, tuple[str, str, bool]] = {
    RetentionKind.TRACES: ("trace", "source NOT IN ('received', 'step') AND status != 'running'", True),
    RetentionKind.TRACE_TEXTS: ("trace", f"status != 'running' AND question != '{EXPIRED}'", False),
    RetentionKind.CACHED_ANSWERS: ("cachedanswer", "1", False),
    RetentionKind.RECEIVED_TRACES: ("trace", "source = 'received'", True),
}

Removed = tuple[RetentionPart, list[str]]


def _delete_traces(workspace: Workspace, part: RetentionPart, now: int) -> Removed:
    return _in_batches(workspace, part, now, delete_traces)


def _blank_traces(workspace: Workspace, part: RetentionPart, now: int) -> Removed:
    return _in_batches(workspace, part, now, blank_texts)


def _in_batches(
    workspace: Workspace, part: RetentionPart, now: int, remove: Callable[[Session, Sequence[str]], None]
) -> Removed:
    """Remove traces some at a time, so that nobody waits long for the lock for writing."""
    _, where, needed = _ROWS[part.kind]
    keep = f"AND id NOT IN {_NEEDED}" if needed else ""
    query = f"SELECT id FROM trace WHERE created_ms < ? AND {where} {keep} ORDER BY created_ms LIMIT {_BATCH}"
    count = 0
    while True:
        with workspace.store.session() as session:
            session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
            rows = session.connection().exec_driver_sql(query, (now - part.days * _DAY_MS,))
            ids = [row[0] for row in rows.all()]
            if not ids:
                return replace(part, count=count), []
            remove(session, ids)
            count += len(ids)


def blank_texts(session: Session, trace_ids: Sequence[str]) -> None:
    """Take the texts of traces away, in the caller's transaction: figures, verdicts and names stay."""
    raw = session.connection()
    listed = (json.dumps(list(trace_ids)),)
    forget_trace_texts(session, trace_ids)
    for table_name in ("cachedanswer", "receivedspan"):
        raw.exec_driver_sql(f"DELETE FROM {table_name} WHERE trace_id IN {_LISTED}", listed)
    raw.exec_driver_sql("DELETE FROM questionvector")  # made again when they are needed
    for table, columns in marked_columns(*_TEXTS):
        is_trace = table.name == Trace.__tablename__
        belongs = f"id IN {_LISTED}" if is_trace else of_traces(table)
        names = [name for name in columns if name not in _FIGURES]
        if not belongs or not names:
            continue
        values = [
            EXPIRED if is_trace and name in ("question", "answer") else blank_of(table.columns[name])
            for name in names
        ]
        blanks = ", ".join(f'"{name}" = ?' for name in names)
        raw.exec_driver_sql(f'UPDATE "{table.name}" SET {blanks} WHERE {belongs}', (*values, *listed))
    for trace_id in trace_ids:
        add_trace_text(session, trace_id, f"{EXPIRED}\n{EXPIRED}")


def _forget_answers(workspace: Workspace, part: RetentionPart, now: int) -> Removed:
    with workspace.store.session() as session:
        gone = session.connection().exec_driver_sql(
            "DELETE FROM cachedanswer WHERE created_ms < ?", (now - part.days * _DAY_MS,)
        )
        return replace(part, count=gone.rowcount), []


def _delete_files(workspace: Workspace, part: RetentionPart, now: int) -> Removed:
    gone, problems = [], []
    for path in _old_files(workspace, now - part.days * _DAY_MS):
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            gone.append(str(path))
        except OSError as error:
            problems.append(f"{path} could not be deleted ({error.strerror}). Delete it by hand.")
    return replace(part, count=len(gone), names=tuple(gone)), problems


_REMOVE: dict[RetentionKind, Callable[[Workspace, RetentionPart, int], Removed]] = {
    RetentionKind.TRACES: _delete_traces,
    RetentionKind.TRACE_TEXTS: _blank_traces,
    RetentionKind.CACHED_ANSWERS: _forget_answers,
    RetentionKind.RECEIVED_TRACES: _delete_traces,
    RetentionKind.BACKUPS: _delete_files,
}


def _old_files(workspace: Workspace, before_ms: int) -> list[Path]:
    """Return copies in the data folder, and backups in the backup folder, that are older than a moment."""
    found = [path for pattern in _COPIES for path in workspace.folder.glob(pattern)]
    chosen = workspace.settings.governance.backup_folder
    if chosen:
        found += [path for path in Path(chosen).expanduser().glob("*.zip") if _is_backup(path)]
    return sorted(path for path in found if _modified_ms(path) < before_ms)


def _is_backup(path: Path) -> bool:
    """Return whether this program made a zip file: nothing else is ever deleted."""
    try:
        look_at_backup(path)
    except RagError:
        return False
    return True


def _modified_ms(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())
