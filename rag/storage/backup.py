"""Writes one file with everything that cannot be made again, and restores it.

A backup is a zip of the SQLite file, settings.toml and manifest.json (sizes, sha256, row counts). The Chroma
index is left out: it is rebuilt from the SQLite file. It is made while the program runs and writes: the copy
reads one snapshot, so what is written in the meantime neither gets into it nor delays it.

A restore has two steps, so that a kill at any moment leaves the old data or the new, never a mixture.
`prepare_restore` checks the backup, unpacks it into `restore.new/` and as its last act writes a marker there.
`finish_restore` runs when the folder is opened next, before anything in it is: it moves the old data into
`before-restore-<time>/` (with their WAL, which must never be applied to the new file), notes that, moves the
new data in and renames `restore.new` to `restore.done`. Each of these can be started again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import queue
import shutil
import sqlite3
import stat
import struct
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from rag.errors import RagError
from rag.settings import Settings
from rag.storage import audit_log
from rag.storage.data_folder import DATABASE
from rag.storage.migration.migrate import STEPS, migrate
from rag.storage.rows import BackupInfo, BackupProgress, BackupReport
from rag.storage.store import fill_new_file, foreign_object

FORMAT = 1
SETTINGS = "settings.toml"
MANIFEST = "manifest.json"
MEMBERS = (DATABASE, SETTINGS)

RESTORE_NEW = "restore.new"
RESTORE_DONE = "restore.done"
BEFORE_RESTORE = "before-restore-"
_MARKER = "complete.json"  # in restore.new: all of it is there and right
_OLD_KEPT = "old-kept"  # in restore.new: the old data have been moved away
_OLD_NAMES = (f"{DATABASE}-wal", f"{DATABASE}-shm", DATABASE, SETTINGS, "index")

_BLOCK = 1 << 20
_PAGES_A_STEP = 256
_SPARE_BYTES = 16 << 20  # what must stay free on the disk
_BIGGEST_MANIFEST = 1 << 20
_YEAR_9999_MS = 253_370_764_800_000  # times beyond it cannot be written as a date
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,  # a way of packing that this Python does not know
    RuntimeError,  # encrypted
    ValueError,
    LookupError,
    OverflowError,
)

Progress = Generator[BackupProgress, None, None]


# --- backup -----------------------------------------------------------------------------------------------


def back_up(folder: Path, target: str | Path) -> Generator[BackupProgress, None, BackupReport]:
    """Write a backup and check it; until it is complete, there is no file of that name.

    Args:
        folder: The data folder, which may be in use.
        target: The file to write; one that is there is replaced.

    Raises:
        RagError: The target cannot be written, or there is not enough space.
    """
    began = time.monotonic()
    target = Path(target).expanduser().absolute()
    _check_target(folder, target)
    scratch = target.parent / f".ragdeck-backup-{_folder_key(folder)}.part"
    with disk_errors(f"The backup {target}"):
        remove(scratch)  # what a killed backup of this data folder left
        check_space(target.parent, 2 * database_bytes(folder / DATABASE), "The backup")
        scratch.mkdir()
        try:
            snapshot = scratch / DATABASE
            yield from copy_database(folder / DATABASE, snapshot)
            files = {DATABASE: snapshot}
            if (folder / SETTINGS).exists():
                files[SETTINGS] = Path(shutil.copy(folder / SETTINGS, scratch / SETTINGS))
            counts = _row_counts(snapshot)
            package = scratch / "backup.zip"
            yield from _pack(package, files, _schema(snapshot), counts)
            yield from _verify(package)
            digest = manifest_sha256(package)
            package.replace(target)
            sync_folder(target.parent)
        finally:
            remove(scratch)
    audit_log.record_apart(
        folder / DATABASE, audit_log.Action.BACKUP_MADE, "the data folder", str(target), after=digest
    )
    return BackupReport(str(target), target.stat().st_size, counts, time.monotonic() - began)


def manifest_sha256(package: Path) -> str:
    """Return the SHA-256 of a backup's manifest, which has those of everything in it."""
    with zipfile.ZipFile(package) as opened:
        return hashlib.sha256(opened.read(MANIFEST)).hexdigest()


def copy_database(source: Path, target: Path) -> Progress:
    """Copy a SQLite file that may be in use; the copy is one file without a WAL, and on the disk.

    A thread does it, because the step function of sqlite3 cannot yield. It holds a read transaction: without
    one, every write elsewhere would make the copy start again.
    """
    reports: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
    stopped = threading.Event()
    errors: list[BaseException] = []

    def step(_status: int, remaining: int, total: int) -> None:
        reports.put((total - remaining, total))
        if stopped.is_set():
            raise InterruptedError

    def copy() -> None:
        try:
            _copy_snapshot(source, target, step)
        except BaseException as error:
            errors.append(error)
        finally:
            reports.put(None)

    thread = threading.Thread(target=copy, daemon=True)
    page_size = _pragma(source, "page_size")
    thread.start()
    try:
        while (report := reports.get()) is not None:
            yield BackupProgress("copying", report[0] * page_size, report[1] * page_size)
    finally:
        stopped.set()
        thread.join()
    if errors:
        raise errors[0]
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def forget_indexes(database: Path) -> None:
    """Note that no Chroma index fits this copy: one on a server may even hold other versions."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("UPDATE collection SET index_version_id = NULL")


def _copy_snapshot(source: Path, target: Path, step: Callable[[int, int, int], None]) -> None:
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.isolation_level = None
        old.execute("BEGIN")
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        new.execute("PRAGMA synchronous = OFF")  # it is synced once, at the end
        old.backup(new, pages=_PAGES_A_STEP, progress=step, sleep=0)
        new.execute("PRAGMA journal_mode = DELETE")


def _pack(
    package: Path, files: dict[str, Path], schema: int, counts: tuple[tuple[str, int], ...]
) -> Progress:
    total = sum(path.stat().st_size for path in files.values())
    done = 0
    members = []
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name, path in files.items():
            digest, size = hashlib.sha256(), 0
            with path.open("rb") as source, made.open(name, "w", force_zip64=True) as member:
                while block := source.read(_BLOCK):
                    member.write(block)
                    digest.update(block)
                    size += len(block)
                    done += len(block)
                    yield BackupProgress("packing", done, total)
            members.append({"name": name, "size": size, "sha256": digest.hexdigest()})
        manifest = {
            "format": FORMAT,
            "program": program_version(),
            "schema": schema,
            "created_ms": time.time_ns() // 1_000_000,
            "members": members,
            "rows": dict(counts),
        }
        made.writestr(MANIFEST, json.dumps(manifest, indent=1))
    with package.open("rb+") as file:
        os.fsync(file.fileno())


def _verify(package: Path) -> Progress:
    """Read all of it again, from the file that was written."""
    with _open_backup(package) as (opened, info):
        yield from _read_members(opened, info, None, "checking")


def program_version() -> str:
    """Return the version of the installed program, "unknown" where it is not installed."""
    try:
        return importlib.metadata.version("ragdeck")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


# --- checking a backup ------------------------------------------------------------------------------------


def look_at_backup(path: str | Path) -> BackupInfo:
    """Return what a backup says about itself, without reading all of it. Raises RagError when it is none."""
    with _open_backup(Path(path)) as (_, info):
        return info


def read_backup(path: str | Path) -> BackupInfo:
    """Check all of a backup without changing anything. Raises RagError with what is wrong."""
    with tempfile.TemporaryDirectory(prefix="ragdeck-check-") as scratch:
        steps = _unpack(Path(path), Path(scratch))
        try:
            while True:
                next(steps)
        except StopIteration as end:
            info: BackupInfo = end.value
            return info


def _unpack(path: Path, folder: Path) -> Generator[BackupProgress, None, BackupInfo]:
    """Check a backup and unpack it into a folder. Raises RagError with what is wrong."""
    with _open_backup(path) as (opened, info), disk_errors(f"{folder}"):
        check_space(folder, info.size_bytes, "The restored data")
        yield from _read_members(opened, info, folder, "unpacking")
        _check_database(path, folder / DATABASE)
        _check_that_it_opens(path, folder)
    return info


@contextmanager
def _open_backup(path: Path) -> Iterator[tuple[zipfile.ZipFile, BackupInfo]]:
    try:
        opened = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise RagError(f"There is no file {path}.") from None
    except OSError as error:
        raise RagError(f"{path} cannot be read ({error.strerror or error}).") from error
    except _DAMAGE as error:
        raise _damaged(path, "it is not a whole zip file") from error
    with opened:
        try:
            info = _read_manifest(path, opened)
        except OSError as error:
            raise RagError(f"{path} cannot be read ({error.strerror or error}).") from error
        except _DAMAGE as error:
            raise _damaged(path, f"its {MANIFEST} cannot be read") from error
        yield opened, info


def _read_manifest(path: Path, opened: zipfile.ZipFile) -> BackupInfo:
    entries = opened.infolist()
    names = [entry.filename for entry in entries]
    if MANIFEST not in names:
        raise RagError(f"{path} is not a Ragdeck backup: it has no {MANIFEST}.")
    for entry in entries:
        if entry.filename not in (*MEMBERS, MANIFEST) or names.count(entry.filename) > 1:
            raise _damaged(path, f"it contains {entry.filename!r}, which a backup never does")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.flag_bits & 1:
            raise _damaged(path, f"{entry.filename} in it is not a plain file")
    if opened.getinfo(MANIFEST).file_size > _BIGGEST_MANIFEST:
        raise _damaged(path, f"its {MANIFEST} is far too large")
    with opened.open(MANIFEST) as member:
        found = json.loads(member.read(_BIGGEST_MANIFEST))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        written = found.get("program", "?") if isinstance(found, dict) else "?"
        raise RagError(
            f"This program does not know the format of {path} (written by Ragdeck {written}). "
            "Use a newer Ragdeck to restore it."
        )
    try:
        info = _info_of(path, found)
    except TypeError as error:
        raise ValueError("a value of the manifest is not of its kind") from error
    if info.schema > len(STEPS):
        raise _newer(path, info.schema)
    if sorted(names) != sorted((*(name for name, _, _ in info.members), MANIFEST)) or DATABASE not in names:
        raise _damaged(path, "its files are not those that its manifest lists")
    for name, size, _ in info.members:
        if opened.getinfo(name).file_size != size:
            raise _damaged(path, f"{name} in it does not have the size that its manifest says")
    return info


def _info_of(path: Path, manifest: dict[str, Any]) -> BackupInfo:
    """Return the values of a manifest. Raises ValueError or LookupError when one is not of its kind."""
    members = tuple((str(m["name"]), int(m["size"]), str(m["sha256"])) for m in _list(manifest["members"]))
    rows = manifest["rows"]
    created_ms = int(manifest["created_ms"])
    sizes_fit = all(size >= 0 for _, size, _ in members)
    if not isinstance(rows, dict) or not sizes_fit or not 0 <= created_ms < _YEAR_9999_MS:
        raise ValueError("rows, sizes or time")
    return BackupInfo(
        path=str(path),
        program=str(manifest["program"]),
        schema=int(manifest["schema"]),
        created_ms=created_ms,
        members=members,
        rows=tuple((str(name), int(count)) for name, count in rows.items()),
    )


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError("not a list of members")
    return value


def _read_members(opened: zipfile.ZipFile, info: BackupInfo, folder: Path | None, stage: str) -> Progress:
    """Read every member to its declared size and not beyond, compare its sha256, write it to the folder."""
    path, done = Path(info.path), 0
    for name, size, sha256 in info.members:
        digest, left = hashlib.sha256(), size
        with (
            _new_file(folder / name if folder is not None else None) as written,
            _member(opened, path, name) as read,
        ):
            while left and (block := read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
                done += len(block)
                if written is not None:
                    written.write(block)
                yield BackupProgress(stage, done, info.size_bytes)
            read(1)  # at its end the member's own checksum is compared
        if left or digest.hexdigest() != sha256:
            raise _damaged(path, f"{name} in it is not what was backed up")


@contextmanager
def _member(opened: zipfile.ZipFile, path: Path, name: str) -> Iterator[Callable[[int], bytes]]:
    """Yield a function that returns the next bytes of a member and raises RagError when it is damaged."""

    def read(count: int) -> bytes:
        try:
            return member.read(count)
        except _DAMAGE as error:
            raise _damaged(path, f"{name} in it cannot be unpacked") from error

    try:
        member = opened.open(name)
    except _DAMAGE as error:
        raise _damaged(path, f"{name} in it cannot be unpacked") from error
    with member:
        yield read


@contextmanager
def _new_file(path: Path | None) -> Iterator[IO[bytes] | None]:
    """Yield a file that is on the disk once it is closed; None for no path."""
    if path is None:
        yield None
        return
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _check_database(path: Path, database: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            foreign = foreign_object(connection)
    except sqlite3.DatabaseError as error:
        raise _damaged(path, f"SQLite cannot read its database ({error})") from error
    if said != "ok":
        raise _damaged(path, f"its database is not sound ({said})")
    if schema > len(STEPS):
        raise _newer(path, schema)
    if schema < 1 or not {"collection", "document", "trace"} <= tables:
        raise _damaged(path, "its database is not one of Ragdeck's")
    if foreign:  # one could change or show other data than are stored, as soon as they are read
        raise _damaged(path, f"its database has the {foreign}, which Ragdeck does not make")


def _check_that_it_opens(path: Path, folder: Path) -> None:
    """Bring an unpacked database up to date. Raises RagError when it or the settings cannot be used."""
    database = folder / DATABASE
    try:
        Settings.load(folder / SETTINGS)
    except RagError as error:
        raise _damaged(
            path, f"this program cannot read its settings. {str(error).removesuffix('.')}"
        ) from error
    try:
        migrate(database, fill_new_file)
    except RagError as error:
        cause = error.__cause__ or error
        raise _damaged(path, f"this program cannot bring its database up to date ({cause})") from error
    for copy in folder.glob("ragdeck.before-*.sqlite"):
        copy.unlink()  # the backup itself is what was there before the upgrade
    with closing(sqlite3.connect(database)) as connection, closing(sqlite3.connect(":memory:")) as new:
        connection.execute("PRAGMA journal_mode = DELETE")
        fill_new_file(new)
        there, wanted = _columns(connection), _columns(new)
    for table, columns in wanted.items():
        if lacking := sorted(columns - there.get(table, set())):
            raise _damaged(path, f"its database lacks {table}.{lacking[0]}, which this program reads")


def _columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the columns of every table."""
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
    ):
        found.setdefault(table, set()).add(column)
    return found


def _damaged(path: Path, what: str) -> RagError:
    return RagError(f"The backup {path} cannot be used: {what}. Nothing was changed; use another backup.")


def _newer(path: Path, schema: int) -> RagError:
    return RagError(
        f"The backup {path} was written by a newer Ragdeck (schema {schema}; this program knows "
        f"{len(STEPS)}). Use the newer program."
    )


# --- restore ----------------------------------------------------------------------------------------------


def prepare_restore(folder: Path, path: str | Path) -> Generator[BackupProgress, None, BackupInfo]:
    """Check a backup and unpack it beside the data; the next start that opens the folder puts it in place.

    The caller has the folder's lock. When it is cancelled or fails, nothing of it is left.

    Args:
        folder: The data folder.
        path: The backup.

    Raises:
        RagError: The backup is damaged or of a newer program, or there is not enough space.
    """
    new = folder / RESTORE_NEW
    finished = False
    with disk_errors(f"The data folder {folder}"):
        _discard(new)
        (new / "data").mkdir(parents=True)
        try:
            info = yield from _unpack(Path(path).expanduser().absolute(), new / "data")
            forget_indexes(new / "data" / DATABASE)
            sync_folder(new / "data")
            keep = _free_name(folder, BEFORE_RESTORE + time.strftime("%Y%m%d-%H%M%S"))
            write_whole(new / _MARKER, json.dumps({"keep": keep, "created_ms": info.created_ms}))
            finished = True
        finally:
            if not finished:
                _discard(new)
    return info


def _discard(new: Path) -> None:
    """Remove a prepared restore, the marker first: a kill must not leave half of it marked as complete."""
    (new / _MARKER).unlink(missing_ok=True)
    remove(new)


def finish_restore(folder: Path) -> list[str]:
    """Put a prepared restore in place, or clear away one that was interrupted; return sentences about it.

    The caller has the folder's lock and no file of it open.
    """
    new, done = folder / RESTORE_NEW, folder / RESTORE_DONE
    notices = []
    with disk_errors(f"The data folder {folder}"):
        if (new / _MARKER).exists():
            _put_in_place(folder, new)
            new.replace(done)
            sync_folder(folder)
        elif new.exists():
            remove(new)
            notices.append(
                "A restore was interrupted before it was complete. The data are as they were before."
            )
        if done.exists():
            notices.append(_restored_sentence(folder, done))
            remove(done)
    return notices


def _put_in_place(folder: Path, new: Path) -> None:
    keep = folder / str(read_json(new / _MARKER).get("keep") or f"{BEFORE_RESTORE}unknown")
    if not (new / _OLD_KEPT).exists():
        for name in _OLD_NAMES:
            if (folder / name).exists():
                keep.mkdir(exist_ok=True)
                (folder / name).replace(keep / name)
        if keep.exists():
            sync_folder(keep)
        write_whole(new / _OLD_KEPT, "")
    for path in sorted((new / "data").iterdir()):
        path.replace(folder / path.name)
    sync_folder(folder)


def _restored_sentence(folder: Path, done: Path) -> str:
    marker = read_json(done / _MARKER)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(int(marker.get("created_ms", 0)) / 1000))
    kept = str(marker.get("keep", ""))
    before = f" What was here before is in {folder / kept}." if kept and (folder / kept).exists() else ""
    return f"The backup of {when} was restored.{before}"


# --- files that survive a kill ----------------------------------------------------------------------------


def write_whole(path: Path, text: str) -> None:
    """Write a text file that has all of the text or is as it was, even if the power fails."""
    scratch = path.with_name(path.name + ".part")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the renames in a folder to the disk. Windows has no such call: NTFS keeps them in order."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file or a folder with everything in it, if it is there; a link goes and its target stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one when the file is missing or says something else."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _free_name(folder: Path, name: str) -> str:
    number, free = 1, name
    while (folder / free).exists():
        number += 1
        free = f"{name}-{number}"
    return free


# --- checks before the work -------------------------------------------------------------------------------


def _check_target(folder: Path, target: Path) -> None:
    if not target.parent.is_dir():
        raise RagError(f"There is no folder {target.parent}. Create it first, or choose another.")
    if target.is_dir():
        raise RagError(f"{target} is a folder. Name a file, such as {target / 'ragdeck-backup.zip'}.")
    if target.parent.resolve().is_relative_to(folder.resolve()):
        raise RagError(
            f"{target} is in the data folder itself. Choose a place outside it, ideally on another disk."
        )


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raise RagError when a disk has too little space.

    Args:
        folder: A folder of the disk.
        needed: How many bytes will be written.
        what: What will be written, as the subject of a sentence.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise RagError(
            f"{what} may need {needed / 2**20:,.0f} MB, and {folder} has {free / 2**20:,.0f} MB free. "
            "Free some space or choose another disk."
        )


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn errors of the disk and of SQLite into a RagError about `what`, the subject of its sentence."""
    try:
        yield
    except OSError as error:
        raise RagError(
            f"{what} cannot be written ({error.strerror or error}). Free some space there or choose another "
            "place. What was there before is unchanged."
        ) from error
    except sqlite3.Error as error:
        raise RagError(
            f"{what} cannot be written ({error}). Check the free space there and on the disk of the data "
            "folder. What was there before is unchanged."
        ) from error


def _folder_key(folder: Path) -> str:
    """Return what tells the unfinished backup of this data folder from those of others."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]


def _pragma(database: Path, name: str) -> int:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _schema(database: Path) -> int:
    return _pragma(database, "user_version")


def database_bytes(database: Path) -> int:
    """Return the size of a SQLite file in bytes, without its write-ahead log."""
    return _pragma(database, "page_count") * _pragma(database, "page_size")


def _row_counts(database: Path) -> tuple[tuple[str, int], ...]:
    """Return (table, rows) of every table except the inner ones of SQLite and the full-text index."""
    with closing(sqlite3.connect(database)) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            if not row[0].startswith("sqlite_") and "_fts" not in row[0]
        ]
        return tuple(
            (name, int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])) for name in names
        )
