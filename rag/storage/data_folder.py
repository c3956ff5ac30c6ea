"""Finds the data folder and locks it.

The folder is the platform's own place for application data, unless `--data DIR` names one or a file called
`portable` is beside main.py: then it is `ragdeck-data` there. Data that were moved away from such a place
left a text file `moved-to` there, which is followed; `--data` is always taken as it is. One process has the
folder at a time: two processes on one Chroma folder corrupt it.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import IO, Any

import platformdirs

import resources
from rag.errors import DataFolderLockedError, RagError

PROGRAM_FOLDER = Path(__file__).resolve().parents[2]
RESOURCES = Path(resources.__file__).parent
DATABASE = "ragdeck.sqlite"
SCHEMA = 24  # PRAGMA user_version of that file: how many steps rag.storage.migration.steps has
POINTER = "moved-to"  # a text file with the path that the data were moved to


def data_folder(chosen: str | Path | None = None) -> Path:
    """Return the folder to use; it is created where it is missing. Raises RagError when it cannot be written.

    Args:
        chosen: The folder that a person named; the platform's own place otherwise.
    """
    keep_private()
    if chosen:
        folder = Path(chosen).expanduser().absolute()
    else:
        folder = place_of(default_place())
        if folder != default_place() and not (folder / DATABASE).exists():
            raise RagError(
                f"The data were moved from {default_place()} to {folder}, but they are not there now. If "
                f"that disk is unplugged, connect it and start again. If they are elsewhere, name the place "
                f"with --data. To start with empty data, delete {default_place() / POINTER}."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise RagError(
            f"The data folder {folder} cannot be written to ({error.strerror}). Choose another with --data."
        ) from error
    return folder


def keep_private() -> None:
    """Let whatever this process makes from now on be readable by its owner alone: 0700 and 0600."""
    os.umask(0o077)


def default_place() -> Path:
    """Return where the data are unless they were moved or --data names a folder."""
    if (PROGRAM_FOLDER / "portable").exists():
        return PROGRAM_FOLDER / "ragdeck-data"
    return Path(platformdirs.user_data_dir("ragdeck", appauthor=False))


def place_of(home: Path) -> Path:
    """Return where the data of a place are now: what its pointer names, or the place itself.

    Raises:
        RagError: The pointer cannot be read, or does not name a folder.
    """
    pointer = home / POINTER
    try:
        named = pointer.read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return home
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(
            f"{pointer}, which says where the data are, cannot be read ({error}). Correct it or use --data."
        ) from error
    if not named or not Path(named).is_absolute():
        raise RagError(f"{pointer} must name the folder that contains the data. Correct it or use --data.")
    return Path(named)


class FolderLock:
    """A lock of the operating system on the data folder: it goes when its process dies, however it dies.

    The lock is on one byte far behind the text, so that others can read who has it (Windows locks are
    mandatory).
    """

    _BYTE = 1 << 20

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self, purpose: str) -> None:
        """Take the lock.

        Args:
            purpose: What this process does, for the sentence that others read.

        Raises:
            DataFolderLockedError: Another process has it; the sentence says which.
        """
        file = self._path.open("a+", encoding="utf-8")
        if not _try_lock(file, self._BYTE):
            file.close()
            raise DataFolderLockedError(_who_holds(self._path))
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "purpose": purpose, "since": time.strftime("%Y-%m-%d %H:%M:%S")}, file)
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; without one, nothing happens."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.close()
            self._file = None


def lock_holder(folder: Path) -> str | None:
    """Return the sentence that says which process has the folder, or None when none has."""
    path = folder / "lock"
    if not path.exists():
        return None
    with path.open("a+", encoding="utf-8") as file:
        return None if _try_lock(file, FolderLock._BYTE) else _who_holds(path)


def _who_holds(path: Path) -> str:
    try:
        holder: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        holder = {}
    who = f"process {holder.get('pid', '?')} ({holder.get('purpose', 'another Ragdeck')})"
    since = f" since {holder['since']}" if "since" in holder else ""
    return (
        f"The data folder {path.parent} is in use by {who}{since}. Close that one first, "
        "or choose another folder with --data."
    )


if os.name == "nt":  # pragma: no cover - exercised on Windows only
    import msvcrt

    def _try_lock(file: IO[str], byte: int) -> bool:
        try:
            file.seek(byte)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str], byte: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            return False
        return True
