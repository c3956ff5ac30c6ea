"""Prepares an opened data folder for use: what a kill interrupted is finished or undone."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path

from rag.errors import RagError
from rag.governance.erasure import finish_erasure, is_erasing
from rag.governance.retention.running import is_due
from rag.governance.upkeep import keep_up
from rag.index.vector_index import IndexPlace, VectorIndex
from rag.interchange.receiving import renew_traces, without_steps
from rag.knowledge.index_sync import needs_repair, repair_indexes
from rag.knowledge.rows import VersionProgress
from rag.models.embedding import check_starter_embedder, file_sha256, starter_embedder_folder
from rag.models.endpoints.rows import endpoint_named_by
from rag.models.language_model import (
    HOW_TO_GET_LLAMA,
    STARTER_PACKAGE,
    STARTER_SHA256,
    llama_available,
    starter_model_path,
)
from rag.settings import Settings
from rag.storage.backup import BEFORE_RESTORE, SETTINGS
from rag.storage.data_folder import DATABASE, SCHEMA, FolderLock, lock_holder
from rag.storage.database import Database
from rag.storage.privacy import open_paths
from rag.storage.rows import Check
from rag.text.plurals import counted
from rag.workspace import INDEX, Workspace


def needs_start_up(workspace: Workspace) -> bool:
    """Return whether anything was interrupted, an index is behind, or data are older than they may be."""
    steps_missing = bool(without_steps(workspace.database))
    return is_erasing(workspace) or needs_repair(workspace) or steps_missing or is_due(workspace)


def start_up(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Finish or undo what a kill interrupted, and do what is done at each start; return what to say of it."""
    notices = yield from finish_erasure(workspace)
    notices += yield from repair_indexes(workspace)
    renew_traces(workspace.store, without_steps(workspace.database))
    notices += yield from keep_up(workspace)
    return notices


def check_folder(folder: Path, patience_s: float = 10) -> Iterator[Check]:
    """Open everything in a data folder, without changing it, and yield what was found.

    The index is left out while another process has the folder: two processes on one Chroma folder corrupt it.

    Args:
        folder: The data folder.
        patience_s: How long to wait for a program that holds the whole database, in seconds.
    """
    holder = lock_holder(folder)
    yield Check("data folder", True, f"{folder}; {holder}" if holder else str(folder))
    yield _check_privacy(folder)
    settings = _settings_of(folder)
    if isinstance(settings, RagError):
        repair = "`ragdeck doctor --repair` puts it aside and uses the defaults"
        yield Check("settings", False, f"{str(settings).removesuffix('.')}; {repair}.")
    else:
        yield Check("settings", True, "settings.toml can be read")
    database = Database(folder / DATABASE, patience_s)
    if not database.path.exists():
        yield Check("database", True, "there is none yet; it is made when it is first needed")
        return
    try:
        checked = _check_database(database)
        yield checked
        if checked.ok and database.is_current():
            yield _check_models(database, Settings() if isinstance(settings, RagError) else settings)
            yield _check_indexes(folder, database, holder)
    except RagError as error:
        yield Check("database", False, f"{error}{_copies(folder)}")
    finally:
        database.close()


def _check_privacy(folder: Path) -> Check:
    """Check that nobody but the owner of the folder can read what is in it."""
    found = open_paths(folder)
    if found:
        others = f" and {len(found) - 1} more" if len(found) > 1 else ""
        detail = (
            f"other people on this computer can read {found[0]}{others}. `ragdeck doctor --repair`, or the "
            "next start, closes what is yours."
        )
        return Check("privacy", False, detail)
    return Check("privacy", True, "nobody else on this computer can read the data folder")


def _settings_of(folder: Path) -> Settings | RagError:
    try:
        return Settings.load(folder / SETTINGS)
    except RagError as error:
        return error


def _check_database(database: Database) -> Check:
    """Read all of the file. Raises RagError when it cannot be read at all."""
    schema = database.schema()
    if schema > SCHEMA:
        return Check("database", False, f"{database.path} was written by a newer Ragdeck; use that one.")
    problem = database.problem()
    if problem:
        detail = (
            f"{database.path} is damaged ({problem}). Put a backup in its place with `ragdeck restore FILE`; "
            f"what is there now is kept.{_copies(database.path.parent)}"
        )
        return Check("database", False, detail)
    if schema < SCHEMA:
        return Check("database", True, f"{database.path} is sound; it is upgraded when it is opened next")
    return Check("database", True, f"{database.path} is sound")


def _copies(folder: Path) -> str:
    """Return a sentence that names older copies of the database in the folder; nothing when there is none."""
    found = sorted(
        [*folder.glob("ragdeck.before-*.sqlite"), *folder.glob(f"{BEFORE_RESTORE}*/{DATABASE}")],
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    return f" The newest older copy here is {found[0]}." if found else ""


def _check_models(database: Database, settings: Settings) -> Check:
    """Check that every file and folder of a model that is named is still there."""
    active = "" if endpoint_named_by(settings.models.active) else settings.models.active
    named = [active, *settings.models.folders, settings.retrieval.cross_encoder]
    named += [path for (path,) in database.cells("SELECT path FROM embedderfolder")]
    gone = [path for path in named if path and not Path(path).exists()]
    if gone:
        return Check("models", False, f"{', '.join(gone)}: not there. Put it back, or choose another.")
    return Check("models", True, "all files and folders of models that are named are there")


def _check_indexes(folder: Path, database: Database, holder: str | None) -> Check:
    """Check that the index of each collection can be read and has the texts of its version."""
    if holder:
        return Check("index", True, "not checked while another process uses the data folder")
    wanted = database.cells(
        """SELECT c.name, c.index_key, c.index_server, v.text_count FROM collection c
           JOIN datasetversion v ON v.id = c.active_version_id ORDER BY c.name"""
    )
    index, lock = VectorIndex(folder / INDEX), FolderLock(folder)
    lock.acquire("ragdeck doctor")
    problems = []
    try:
        for name, key, server, count in wanted:
            if problem := index.problem(IndexPlace(key, server), count):
                problems.append(f"“{name}”: {problem}")
    finally:
        index.close()
        lock.release()
    if problems or index.was_reset:
        how = "It is made again when the data folder is opened next, or now with `ragdeck doctor --repair`."
        return Check("index", False, f"{'; '.join(problems) or 'it was damaged'}. {how}")
    return Check("index", True, f"{counted(len(wanted), 'collection')} searched and complete")


def put_settings_aside(folder: Path) -> str:
    """Rename a settings.toml that cannot be read, so that the defaults are used; return what was done."""
    if not isinstance(_settings_of(folder), RagError):
        return ""
    aside = folder / f"{SETTINGS}.{time.strftime('%Y%m%d-%H%M%S')}"
    (folder / SETTINGS).rename(aside)
    return f"{SETTINGS} could not be read and was renamed to {aside.name}. The defaults are used now."


def check_starters() -> list[str]:
    """Return a sentence for each starter model that is missing or damaged, and for a missing llama.cpp."""
    problems = []
    try:
        check_starter_embedder(starter_embedder_folder())
    except RagError as error:
        problems.append(str(error))
    try:
        if file_sha256(starter_model_path()) != STARTER_SHA256:
            problems.append(f"The starter model is damaged; install {STARTER_PACKAGE} again.")
    except RagError as error:
        problems.append(str(error))
    if not llama_available():
        problems.append(HOW_TO_GET_LLAMA)
    return problems
