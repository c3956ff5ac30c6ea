"""Removes what no version needs, and rewrites the files that keep deleted data.

SQLite keeps deleted text in free pages and in its write-ahead log, Chroma keeps deleted entries in its files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from sqlmodel import select

from rag.errors import RagError
from rag.governance.rows import CompactReport
from rag.knowledge.collections import delete_documents
from rag.knowledge.index_sync import refill_indexes
from rag.knowledge.rows import VersionProgress
from rag.knowledge.trials import orphan_documents
from rag.storage import audit_log
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.workspace import Workspace


def compact(workspace: Workspace) -> Generator[VersionProgress, None, CompactReport]:
    """Remove what no version needs: documents of cancelled imports, vectors without a text, old indexes."""
    before = _folder_bytes(workspace.folder)
    yield VersionProgress("compacting", 0, 3)
    with workspace.store.session() as session:
        orphans = orphan_documents(session)
        delete_documents(session, orphans)
        raw = session.connection()
        vectors = raw.exec_driver_sql(
            """DELETE FROM embedding
               WHERE NOT EXISTS (SELECT 1 FROM chunk c WHERE c.text_hash = embedding.text_hash)"""
        ).rowcount
        keys = {row.index_key for row in session.exec(select(Collection)).all() if not row.index_server}
        keys |= {v.trial_key for v in session.exec(select(DatasetVersion)).all() if v.trial_key}
        audit_log.record(
            session, audit_log.Action.COMPACTED, "data folder", f"{len(orphans)} documents, {vectors} vectors"
        )
    dropped = [key for key in workspace.index.collection_names() if key not in keys]
    yield VersionProgress("compacting", 1, 3)
    yield from refill_indexes(workspace)
    yield VersionProgress("compacting", 2, 3)
    vacuum(workspace)
    return CompactReport(len(orphans), vectors, len(dropped), before, _folder_bytes(workspace.folder))


def vacuum(workspace: Workspace, patience_s: float = 30) -> None:
    """Rewrite the SQLite file without its free pages and empty its write-ahead log.

    Args:
        workspace: The opened data folder.
        patience_s: How long to wait for another program that is writing, in seconds.

    Raises:
        RagError: The disk is full, or another program has the file open.
    """
    workspace.database.close()
    with closing(
        sqlite3.connect(workspace.store.database, timeout=patience_s, isolation_level=None)
    ) as connection:
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            raise RagError(
                f"The database could not be rewritten ({error}). Free some space, then compact the data "
                "folder."
            ) from error


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
