"""Writes the certificate of an erasure: what was erased, what was searched afterwards, and what was found.

It outlives the document, so it contains none of its words: neither names nor sentences. The document is known
by the SHA-256 of its file, which whoever has the file can compute. The audit log has the certificate's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from rag.errors import RagError
from rag.governance.audit.heads import current_head
from rag.governance.rows import ErasureReport
from rag.storage.audit_log import actor
from rag.storage.backup import program_version
from rag.storage.store import now_ms
from rag.storage.tables.contents import Content, marked_columns
from rag.workspace import Workspace

FOLDER = "erasures"
_CANNOT_SAY = (
    "Backups and exports that were made earlier, and files outside the data folder, were not searched.",
    "Sentences shorter than 24 bytes, and those that other documents contain as well, were not searched for.",
    "Names of documents in names, paths and labels are not changed by an erasure.",
)


def write_certificate(workspace: Workspace, report: ErasureReport, digests: Sequence[str]) -> tuple[str, str]:
    """Write the certificate of an erasure into the data folder; return its path and its SHA-256.

    Args:
        workspace: The open data folder.
        report: What was erased and found.
        digests: The SHA-256 of the files of the erased revisions.

    Raises:
        RagError: It cannot be written. The document is gone by then.
    """
    with workspace.store.session() as session:
        number = session.connection().exec_driver_sql("SELECT max(id) FROM erasure").scalar_one()
        head = current_head(session)
    columns = {table.name: names for table, names in marked_columns(*Content)}
    content = {
        "kind": "ragdeck erasure certificate",
        "erasure": number,
        "program": program_version(),
        "made_ms": now_ms(),
        "by": actor(),
        "files_sha256": sorted(set(digests)),
        "erased": {
            "revisions": report.revisions,
            "chunks": report.chunks,
            "versions_that_lost_it": report.versions,
            "traces_that_lost_something": report.traces,
        },
        "searched": {
            "files": report.files_searched,
            "bytes": report.bytes_searched,
            "sentences": report.sentences,
            "sentences_of_documents_that_stay": report.shared,
            "tables": columns,
        },
        "found": sorted({place for place, _ in report.found}),
        "is_clean": report.clean,
        "notes": [*report.notes, *_CANNOT_SAY],
        "audit_log_before": {"rows": head.rows, "last_row": head.id, "hash": head.hash},
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path = _free(workspace.folder / FOLDER / f"erasure-{number}.json")
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RagError(
            f"The document is erased, but its certificate {path} could not be written ({error.strerror}). "
            "Free some space on the disk."
        ) from error
    return str(path), hashlib.sha256(text.encode()).hexdigest()


def _free(path: Path) -> Path:
    """Return the path, or the first with a number behind it: an older certificate is never overwritten."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
