"""Where the data lives and who holds it.

The folder is the platform's own place for application data, unless `--data DIR` names one or a file called
`portable` lies beside main.py: then it is `ragdeck-data` there. One process holds it at a time: two
processes on one Chroma folder corrupt it.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import IO, Any

import platformdirs

from rag.errors import DataFolderLockedError, RagError

PROGRAM_FOLDER = Path(__file__).resolve().parent.parent
RESOURCES = PROGRAM_FOLDER / "resources"


def data_folder(chosen: str | Path | None = None) -> Path:
    """The folder to use, created. Raises RagError when it cannot be written."""
    if chosen:
        folder = Path(chosen).expanduser().absolute()
    elif (PROGRAM_FOLDER / "portable").exists():
        folder = PROGRAM_FOLDER / "ragdeck-data"
    else:
        folder = Path(platformdirs.user_data_dir("ragdeck", appauthor=False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise RagError(
            f"The data folder {folder} cannot be written ({error.strerror}); choose another with --data."
        ) from error
    return folder


class FolderLock:
    """An operating-system lock on the data folder: it goes when its process dies, however it dies.

    The lock is on one byte far behind the text, so that others can read who holds it (Windows locks are
    mandatory).
    """

    _BYTE = 1 << 20

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: IO[str] | None = None

    def acquire(self, purpose: str) -> None:
        """Raises DataFolderLockedError with a sentence that names the holder."""
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
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
            self._file.close()
            self._file = None


def lock_holder(folder: Path) -> str | None:
    """The sentence that says who holds the folder, or None when nobody does."""
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
        f"The data folder {path.parent} is in use by {who}{since}; close that one first, "
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
