"""Follows folders for collections: changed, new and deleted files become one version.

A check looks at names, sizes and times alone. What it sees must stay the same for a while (a copy may still
be running, an editor may save twice) before it is ingested. All state is in the database, so following
continues after a restart; the window calls `check_folders` from time to time, and so does `ragdeck watch
check`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from sqlmodel import select

from rag.errors import NotFoundError, RagError
from rag.knowledge.collections import ensure_collection, find_collection
from rag.knowledge.ingest import discover, ingest_files, keep_inside
from rag.knowledge.rows import FileStatus, IngestReport, get_collection, list_watched_folders
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection, WatchedFolder
from rag.text.file_keys import key_of, path_of
from rag.text.plurals import counted
from rag.workspace import Workspace

QUIET_S = 10


def watch_folder(workspace: Workspace, collection: str, folder: str, quiet_s: int = QUIET_S) -> int:
    """Let a collection, which is made if it does not exist, follow a folder; return the id of the binding.

    Args:
        workspace: The open data folder.
        collection: The name of the collection.
        folder: The folder's path.
        quiet_s: Seconds without a change before files are ingested, 0 to 86,400.

    Raises:
        RagError: The folder cannot be read, contains the data folder, or is followed already.
    """
    path = Path(folder).expanduser().absolute()
    key = key_of(path)
    if not path.is_dir():
        raise RagError(f"{key} is not a readable folder. Choose another one.")
    if workspace.folder.is_relative_to(path):
        raise RagError(
            f"{key} contains Ragdeck's own data folder. Choose a folder that contains only documents."
        )
    if not 0 <= quiet_s <= 86_400:
        raise RagError("The quiet time must be 0 to 86,400 seconds.")
    found = ensure_collection(workspace, collection)
    with workspace.store.session() as session:
        same = select(WatchedFolder).where(WatchedFolder.collection_id == found.id, WatchedFolder.path == key)
        if session.exec(same).first() is not None:
            raise RagError(f"“{collection}” already follows {key}.")
        made = WatchedFolder(collection_id=found.id or 0, path=key, quiet_s=quiet_s, created_ms=now_ms())
        session.add(made)
        audit_log.record(session, audit_log.Action.FOLDER_WATCHED, collection, key)
        session.flush()
        return made.id or 0


def set_watching(workspace: Workspace, watch_id: int, enabled: bool) -> None:
    """Pause or resume a binding. Raises NotFoundError when it was removed."""
    with workspace.store.session() as session:
        found = _find(session.get(WatchedFolder, watch_id))
        found.enabled = enabled
        session.add(found)
        audit_log.record(
            session,
            audit_log.Action.WATCHING_RESUMED if enabled else audit_log.Action.WATCHING_PAUSED,
            found.path,
        )


def unwatch_folder(workspace: Workspace, watch_id: int) -> None:
    """Remove a binding; documents that came from the folder stay. Raises NotFoundError when it is gone."""
    with workspace.store.session() as session:
        found = _find(session.get(WatchedFolder, watch_id))
        session.delete(found)
        audit_log.record(session, audit_log.Action.FOLDER_NO_LONGER_WATCHED, found.path)


def find_watch(workspace: Workspace, collection: str, folder: str) -> int:
    """Return the id of the binding of a folder. Raises NotFoundError."""
    key = key_of(Path(folder).expanduser().absolute())
    for row in list_watched_folders(workspace.database, get_collection(workspace.database, collection).id):
        if row.path == key:
            return row.id
    raise NotFoundError(
        f"“{collection}” does not follow {key}. Run `ragdeck watch list` to see what it follows."
    )


def check_folders(
    workspace: Workspace, at_once: bool = False, now: Callable[[], float] = time.time
) -> Generator[Any, None, list[IngestReport]]:
    """Look at every folder that is not paused and ingest what has been quiet for long enough.

    Return the report of each ingest that made a version. A folder that fails says so in its outcome; the
    others are still checked.

    Args:
        workspace: The open data folder.
        at_once: Do not wait for quiet.
        now: Returns Unix seconds.
    """
    with workspace.store.session() as session:
        watched = [w.id or 0 for w in session.exec(select(WatchedFolder)).all() if w.enabled]
    reports = []
    for watch_id in watched:
        try:
            report = yield from _check(workspace, watch_id, at_once, int(now() * 1000))
        except RagError as error:
            _note(workspace, watch_id, outcome=str(error))
            continue
        if report is not None:
            reports.append(report)
    return reports


def _check(
    workspace: Workspace, watch_id: int, at_once: bool, now: int
) -> Generator[Any, None, IngestReport | None]:
    with workspace.store.session() as session:
        watch = _find(session.get(WatchedFolder, watch_id))
        collection = session.get(Collection, watch.collection_id)
        assert collection is not None
    path = path_of(watch.path)
    if not path.is_dir():
        # An unplugged disk must not look like a thousand deleted files.
        raise RagError("The folder does not exist. Nothing was changed; it will be checked again.")
    seen = signature(path)
    if seen == watch.done_signature:
        _note(workspace, watch_id, last_check_ms=now, seen_signature=seen, outcome="Nothing new")
        return None
    if seen != watch.seen_signature and not at_once:
        _note(
            workspace,
            watch_id,
            last_check_ms=now,
            seen_signature=seen,
            seen_since_ms=now,
            outcome="Files changed; waiting for quiet",
        )
        if watch.quiet_s > 0:
            return None
    elif not at_once and now - watch.seen_since_ms < watch.quiet_s * 1000:
        _note(workspace, watch_id, last_check_ms=now)
        return None
    before = collection.active_version_id
    report = yield from ingest_files(workspace, collection.name, [path], following=path)
    with workspace.store.session() as session:
        changed = find_collection(session, collection.name).active_version_id != before
    failed = report.count(FileStatus.FAILED)
    outcome = f"Version {report.version_number}" if changed else "Nothing new"
    _note(
        workspace,
        watch_id,
        last_check_ms=now,
        last_change_ms=now if changed else watch.last_change_ms,
        done_signature=seen,
        seen_signature=seen,
        outcome=outcome + (f"; {counted(failed, 'file')} could not be read" if failed else ""),
    )
    return report if changed else None


def signature(folder: Path) -> str:
    """Return a hash over the path, size and time of every file that would be ingested."""
    digest = hashlib.sha256()
    for source in keep_inside(discover([folder])[0], folder)[0]:
        try:
            stat = source.path.stat()
        except OSError:
            continue  # it was deleted between listing and looking
        digest.update(f"{source.key}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _find(found: WatchedFolder | None) -> WatchedFolder:
    if found is None:
        raise NotFoundError("This folder is no longer followed. Look at the list again.")
    return found


def _note(workspace: Workspace, watch_id: int, **values: Any) -> None:
    with workspace.store.session() as session:
        found = session.get(WatchedFolder, watch_id)
        if found is None:
            return  # it was removed during the check
        for name, value in values.items():
            setattr(found, name, value)
        session.add(found)
