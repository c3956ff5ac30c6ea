"""Moves the data folder to another place.

`move_data` copies everything but the Chroma index, which is rebuilt, into an empty folder, checks the copy
and then writes the pointer file that `rag.storage.data_folder` follows: at that moment the data are in the
new place. The old ones are removed afterwards, by `finish_move`, which runs whenever a folder is opened. Two
notes make that safe against a kill: `moving-out.json` in the old folder and `moving-in.json` in the new one
name each other and the place of the pointer, and the pointer alone decides which of the two is in use.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from rag.errors import DataFolderLockedError, RagError
from rag.storage.backup import (
    RESTORE_DONE,
    RESTORE_NEW,
    check_space,
    copy_database,
    database_bytes,
    disk_errors,
    forget_indexes,
    read_json,
    remove,
    sync_folder,
    write_whole,
)
from rag.storage.data_folder import DATABASE, POINTER, FolderLock, default_place, place_of
from rag.storage.privacy import make_private
from rag.storage.rows import BackupProgress, MoveReport

OUT, IN = "moving-out.json", "moving-in.json"
# Made again in the new place, or of no use there.
_LEFT_BEHIND = {"lock", POINTER, OUT, IN, "index", "chroma-copies", RESTORE_NEW, RESTORE_DONE}
_SCRATCH = tuple(f"{name}.part" for name in (POINTER, OUT, IN))  # what a kill leaves of writing them
_DATABASE_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
_LOGS = ("window.log", "engine.log")
_BLOCK = 1 << 20
_ATTEMPTS = 5  # at copying a database that changes in the meantime

State = dict[Path, tuple[int, int]]  # size and time of every copied file


def move_data(folder: Path, target: str | Path) -> Generator[BackupProgress, None, MoveReport]:
    """Copy the data, check the copy, and make it the one in use. The caller has the folder's lock.

    The old data are removed when the new place is opened (`finish_move`), because the folder may still be
    open here. When it is cancelled or fails, the data are where they were and nothing is left in the target.

    Args:
        folder: The data folder.
        target: An empty folder, or one that does not exist yet.

    Raises:
        RagError: The target is not empty, too small, in the data folder or not writable.
    """
    folder, target = folder.absolute(), Path(target).expanduser().absolute()
    home = _home_of(folder)
    _check_target(folder, target, home)
    existed = target.exists()
    with disk_errors(f"The folder {target}"):
        target.mkdir(parents=True, exist_ok=True)
        make_private(target)
        lock = FolderLock(target)
        lock.acquire("a move of the data to it")
        moved = False
        try:
            check_space(target, _bytes_to_copy(folder), "The data")
            size = yield from _copy_and_switch(folder, target, home)
            moved = True
        finally:
            lock.release()
            if not moved and not _same(place_of(home), target):
                _remove_copy(target, folder)
                (folder / OUT).unlink(missing_ok=True)
                _remove_if_empty(target, not existed)
    return MoveReport(str(folder), str(target), size, followed=home == default_place())


def finish_move(folder: Path) -> list[str]:
    """Finish or clear away a move that this folder took part in; return sentences about what was done.

    The caller has the folder's lock and no file of it open.
    """
    notices: list[str] = []
    with disk_errors(f"The data folder {folder}"):
        for note, finish in ((OUT, _finish_out), (IN, _finish_in)):
            if (folder / note).exists():
                notices += finish(folder)
        elsewhere = _elsewhere(folder)
        if elsewhere is not None and not notices:
            notices.append(f"The data that were in {folder} were moved to {elsewhere}. These are others.")
    return notices


# --- before and during the move ---------------------------------------------------------------------------


def _home_of(source: Path) -> Path:
    """Return the folder whose pointer decides about these data: the default place, if that leads here."""
    default = default_place()
    leads_to = place_of(default)
    if _same(source, default) and not _same(leads_to, source):
        raise RagError(
            f"The data that belong in {default} were moved to {leads_to}. If these are to take their place, "
            f"delete {default / POINTER} first."
        )
    return default if _same(leads_to, source) else source


def _check_target(source: Path, target: Path, home: Path) -> None:
    if target.exists() and not target.is_dir():
        raise RagError(f"{target} is a file. Name an empty or a new folder.")
    if _same(target, source):
        raise RagError(f"The data are already in {target}.")
    if target.resolve().is_relative_to(source.resolve()):
        raise RagError(f"{target} is in the data folder itself. Choose a place outside it.")
    if target.exists():
        leads_back = _same(target, home) or _same(place_of(target), source)
        passed_over = {"lock", POINTER} if leads_back else {"lock"}
        found = sorted(path.name for path in target.iterdir() if path.name not in passed_over)
        if found:
            raise RagError(f"{target} is not empty (it contains {found[0]}). Name an empty or a new folder.")


def _copy_and_switch(source: Path, target: Path, home: Path) -> Generator[BackupProgress, None, int]:
    """Copy until nothing was written in the meantime, then switch; return the bytes that were copied."""
    with closing(sqlite3.connect(source / DATABASE, timeout=30, isolation_level=None)) as watch:
        for _ in range(_ATTEMPTS):
            names = _moved_names(source)
            _write_notes(source, target, home, names)
            before = _version(watch)
            copied = yield from _copy_files(source, target, names)
            yield from copy_database(source / DATABASE, target / DATABASE)
            _check_copy(target / DATABASE)
            forget_indexes(target / DATABASE)
            watch.execute("BEGIN IMMEDIATE")  # from here on nothing can be written to the old file
            unchanged = _version(watch) == before and _moved_names(source) == names
            if unchanged and _state(copied) == copied:
                sync_folder(target)
                _switch(home, target)
                return sum(size for size, _ in copied.values()) + (target / DATABASE).stat().st_size
            watch.execute("ROLLBACK")
            for path in (DATABASE, *names):
                remove(target / path)
    raise RagError("The data kept changing while they were copied. Move them when nothing is running.")


def _write_notes(source: Path, target: Path, home: Path, names: list[str]) -> None:
    note = {"source": str(source), "target": str(target), "home": str(home), "names": names}
    write_whole(source / OUT, json.dumps(note))
    write_whole(target / IN, json.dumps(note))


def _switch(home: Path, target: Path) -> None:
    """Write or remove the pointer: the one step that decides where the data are."""
    (target / POINTER).unlink(missing_ok=True)
    if _same(target, home):
        sync_folder(home)
    else:
        write_whole(home / POINTER, f"{target}\n")


def _moved_names(source: Path) -> list[str]:
    """Return the names of what is copied beside the database."""
    passed_over = {*_LEFT_BEHIND, *_SCRATCH, *_DATABASE_FILES}
    names = (path.name for path in source.iterdir())
    return sorted(n for n in names if n not in passed_over and n[0] != "." and not n.startswith(_LOGS))


def _bytes_to_copy(source: Path) -> int:
    files = (file for name in _moved_names(source) for file in _files_in(source / name))
    return database_bytes(source / DATABASE) + sum(file.stat().st_size for file in files)


def _files_in(path: Path) -> Iterator[Path]:
    if path.is_symlink():
        return  # copied as a link
    if path.is_dir():
        yield from (found for found in sorted(path.rglob("*")) if found.is_file())
    elif path.is_file():
        yield path


def _copy_files(source: Path, target: Path, names: list[str]) -> Generator[BackupProgress, None, State]:
    copied: State = {}
    for name in names:
        if (source / name).is_symlink() and not (target / name).is_symlink():
            (target / name).symlink_to((source / name).readlink())
    files = [file for name in names for file in _files_in(source / name)]
    total, done = sum(file.stat().st_size for file in files), 0
    for file in files:
        stat = file.stat()
        copied[file] = (stat.st_size, stat.st_mtime_ns)
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with file.open("rb") as read, place.open("wb") as written:
            while block := read.read(_BLOCK):
                written.write(block)
                digest.update(block)
                done += len(block)
                yield BackupProgress("copying", done, total)
            written.flush()
            os.fsync(written.fileno())
        shutil.copystat(file, place)
        if _sha256(place) != digest.digest():
            raise RagError(
                f"{place} does not read as it was written. Check that disk; the data are unchanged."
            )
    return copied


def _state(copied: State) -> State:
    found: State = {}
    for path in copied:
        if path.exists():
            stat = path.stat()
            found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that changes whenever another connection writes to the file."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _check_copy(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        raise RagError(f"The copy {database} is damaged ({said}). Check that disk; the data are unchanged.")


# --- afterwards -------------------------------------------------------------------------------------------


def _finish_out(folder: Path) -> list[str]:
    """End a move away from this folder; return sentences about it."""
    note = read_json(folder / OUT)
    target = Path(str(note.get("target", "")))
    if _same(_in_use(note), target):
        if not (target / DATABASE).exists():
            raise RagError(
                f"The data of {folder} were moved to {target}, but they are not there now. Connect that disk "
                f"and start again, or delete {folder / OUT} to use what is left here."
            )
        _remove_old(folder, note)
        return [f"The data of {folder} are now in {target}: open that folder. The old copy was removed."]
    _remove_copy(target, folder)
    (folder / OUT).unlink()
    return [f"A move of the data to {target} was interrupted. They are here, as they were before."]


def _finish_in(folder: Path) -> list[str]:
    """End a move to this folder; return sentences about it."""
    note = read_json(folder / IN)
    source = Path(str(note.get("source", "")))
    if not _same(_in_use(note), folder):
        if not (source / DATABASE).exists():
            raise RagError(
                f"A move of the data from {source} to {folder} was not finished, and {source} is not there "
                f"now. Connect that disk and start again, or delete {folder / IN} to use what is here."
            )
        _remove_copy(folder, source)
        return [f"An unfinished move of the data from {source} was cleared away. The data are there."]
    out = read_json(source / OUT)
    if _same(Path(str(out.get("target", ""))), folder):
        lock = FolderLock(source)
        try:
            lock.acquire("the end of a move")
        except DataFolderLockedError as error:
            return [f"The data were moved here from {source}. The old copy is still there. {error}"]
        try:
            _remove_old(source, out)
        finally:
            lock.release()
        _remove_if_empty(source, source != Path(str(note.get("home", ""))))
    (folder / IN).unlink()
    gone = ", and the old copy was removed" if not (source / DATABASE).exists() else ""
    return [f"The data were moved here from {source}{gone}."]


def _same(one: Path, other: Path) -> bool:
    """Return whether two spellings mean one folder: a link or another case must not look like another."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()


def _in_use(note: dict[str, object]) -> Path:
    return place_of(Path(str(note.get("home", ""))))


def _remove_old(source: Path, note: dict[str, object]) -> None:
    """Remove the database first: what is left without it is not a data folder. The note goes last."""
    logs = [path.name for path in source.iterdir() if path.name.startswith(_LOGS)]
    for name in (
        *_DATABASE_FILES,
        *_SCRATCH,
        *_names(note),
        "index",
        "chroma-copies",
        RESTORE_NEW,
        RESTORE_DONE,
        *logs,
    ):
        try:
            remove(source / name)
        except PermissionError:
            if name not in logs:  # Windows: the window still writes its log
                raise
    (source / OUT).unlink(missing_ok=True)


def _remove_copy(target: Path, source: Path) -> None:
    """Remove what an unfinished move left in the target, if it was a move from this source."""
    note = read_json(target / IN)
    if not note or not _same(Path(str(note.get("source", ""))), source):
        return
    for name in (*_DATABASE_FILES, f"{DATABASE}-journal", *_SCRATCH, *_names(note)):
        remove(target / name)
    (target / IN).unlink()


def _names(note: dict[str, object]) -> list[str]:
    listed = note.get("names")
    found = [str(name) for name in listed] if isinstance(listed, list) else []
    return [name for name in found if Path(name).name == name]


def _remove_if_empty(folder: Path, wanted: bool) -> None:
    if wanted and folder.is_dir() and {path.name for path in folder.iterdir()} <= {"lock"}:
        remove(folder)


def _elsewhere(folder: Path) -> Path | None:
    """Return where the pointer of a folder leads, if it has one; --data, which opened it, follows none."""
    try:
        place = place_of(folder)
    except RagError:
        return None
    return None if _same(place, folder) else place
