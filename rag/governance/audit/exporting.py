"""Writes the audit log to a file, as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import RagError
from rag.governance.audit.rows import AuditFilter, AuditRow, list_audit
from rag.storage import audit_log
from rag.storage.store import Store, now_ms
from rag.text.plurals import counted
from rag.text.spreadsheets import guarded
from rag.workspace import Workspace

_ALL = 10_000_000


def export_audit(workspace: Workspace, file: str, wanted: AuditFilter | None = None) -> int:
    """Write rows of the log to a .csv or .json file, the first of them first; return how many.

    Raises:
        RagError: The file has another ending, or cannot be written.
    """
    rows = list_audit(workspace.database, wanted, _ALL)[::-1]
    path = Path(file).expanduser().absolute()
    texts = {".csv": _csv, ".json": _json}
    if path.suffix.lower() not in texts:
        raise RagError(f"{path.name} says no format. End the name of the file with .csv or .json.")
    text = texts[path.suffix.lower()](rows)
    write_whole(path, text)
    with workspace.store.session() as session:
        audit_log.record(
            session,
            audit_log.Action.AUDIT_LOG_EXPORTED,
            counted(len(rows), "row"),
            str(path),
            after=audit_log.fingerprint(text),
        )
    return len(rows)


def note_table_export(store: Store, what: str) -> None:
    """Log that the window wrote a table to a file: it does that by itself, without the engine.

    Args:
        store: The store of the data folder.
        what: What the person was told of it, with the place.
    """
    with store.session() as session:
        audit_log.record(session, audit_log.Action.TABLE_EXPORTED, what)


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises RagError when its folder cannot be written to."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, "utf-8", "backslashreplace", newline="")  # half a sign is spelled as in JSON
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RagError(f"{path} cannot be written ({error.strerror}). Choose another place.") from error


def _csv(rows: list[AuditRow]) -> str:
    made = io.StringIO()
    writer = csv.writer(made)
    names = [field.name for field in fields(AuditRow)]
    writer.writerow(["time", *names])
    for row in rows:
        time = datetime.fromtimestamp(row.created_ms / 1000, UTC).isoformat()
        writer.writerow([time, *(guarded(str(value)) for value in asdict(row).values())])
    return made.getvalue()


def _json(rows: list[AuditRow]) -> str:
    content = {"kind": "ragdeck audit log", "exported_ms": now_ms(), "rows": [asdict(row) for row in rows]}
    return json.dumps(content, indent=1, ensure_ascii=False)
