"""Defines errors that carry a sentence for the person in front of the program.

Anything that is not a RagError is a bug: it is logged with its traceback.
"""

from __future__ import annotations

import errno
import sqlite3


class RagError(Exception):
    """A refusal or failure whose text says what happened and what to do about it.

    needs_yes: it is allowed if a person says so.
    """

    needs_yes = False


class DataFolderLockedError(RagError):
    """A refusal because another process uses the data folder."""


class DocumentError(RagError):
    """A failure to turn a file into text; the message says why in one sentence."""


class UnsupportedDocumentError(DocumentError):
    """A refusal of a kind of file that Ragdeck does not read: such a file is skipped, not failed."""


class ModelError(RagError):
    """A refusal of a model file that is missing, damaged, unsuitable or too large for the memory."""


class IndexDamagedError(RagError):
    """A failure to read the index folder, which is made again from the stored vectors."""


class OutOfTimeError(RagError):
    """A failure because the time for it is used up: nothing else may be tried instead."""


class NotFoundError(RagError):
    """A refusal because a named collection, version, model or trace does not exist."""


class ConsentNeededError(RagError):
    """A refusal to send a collection's texts to another computer before a person has agreed."""

    def __init__(self, collection: str, endpoint: str, host: str) -> None:
        super().__init__(
            f"“{collection}” asks before its texts leave this computer: allow “{endpoint}” at {host} on the "
            "Models page, or repeat the command with --may-leave."
        )
        self.collection, self.endpoint, self.host = collection, endpoint, host


_IN_USE = "{file} is in use by another program. Close that program and start again; nothing is damaged."
_NOT_WRITABLE = "{file} cannot be written to ({error}). Check its permissions and start again."
_OF_SQLITE = {
    sqlite3.SQLITE_NOTADB: "{file} is damaged or is not an SQLite file. Put a backup in its place with "
    "`ragdeck restore FILE`, or move it away to start anew.",
    sqlite3.SQLITE_CORRUPT: "{file} is damaged ({error}). Put a backup in its place with "
    "`ragdeck restore FILE`, or move it away to start anew.",
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_FULL: "The disk is full, so {file} cannot be written to. Free some space and start again; "
    "nothing is lost.",
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: "{file} cannot be opened ({error}). Check the permissions of the file and of "
    "its folder, and start again.",
    sqlite3.SQLITE_IOERR: "The disk of {file} reports an error ({error}). Check the disk and start again; "
    "leave the file where it is.",
}


def of_sqlite(error: BaseException, file: str = "The database of the data folder") -> RagError | None:
    """Return what an error of SQLite means for the person: each cause has a sentence of its own.

    Args:
        error: By its result code, never by its text.
        file: The SQLite file, as the subject of a sentence.

    Returns:
        None for a bug, such as a wrong statement, and for errors of others.
    """
    sentence = _OF_SQLITE.get(sqlite_code(error))
    return RagError(sentence.format(file=file, error=error)) if sentence else None


def is_full(error: BaseException) -> bool:
    """Return whether an error of SQLite or of the system says that the disk is full."""
    number = getattr(error, "errno", 0)
    return sqlite_code(error) == sqlite3.SQLITE_FULL or number in (errno.ENOSPC, errno.EDQUOT)


def sqlite_code(error: BaseException) -> int:
    """Return SQLite's primary result code of an error; 0 when it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def of_the_disk(error: BaseException) -> RagError | None:
    """Return what to say when the disk or the database is the cause, whichever library noticed; else None."""
    seen: BaseException | None = error
    while seen is not None:
        number = seen.errno if isinstance(seen, OSError) else None
        text = str(seen)
        if is_full(seen) or "disk is full" in text or "No space left" in text:
            return RagError(
                "The disk is full. Free some space and try again; what was reported as done is saved."
            )
        if number == errno.EROFS or "readonly database" in text:
            return RagError("The data folder cannot be written to. Check its permissions and try again.")
        if refusal := of_sqlite(seen):
            return refusal
        seen = seen.__cause__ or seen.__context__
    return None
