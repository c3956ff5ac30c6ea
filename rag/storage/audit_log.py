"""Writes the audit log: who did what to the data, when, each row chained to the one before it by its hash.

A row's facts (time, action, who, fingerprints of what was before and after) are in the chain. Its words,
which name what it was done to, are not: the chain has their salted fingerprint. So an erasure may take words
away, salt included, without breaking the chain, and nobody can find them again by guessing.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlmodel import Session

from rag.errors import RagError, of_sqlite
from rag.storage.rows import AuditAction
from rag.storage.store import now_ms

Action = AuditAction
ERASED = "[erased]"  # the subject of a row whose words were erased
_PATIENCE_S = 30
_actor: ContextVar[str] = ContextVar("actor", default="")


def record(
    session: Session,
    action: AuditAction,
    subject: str,
    detail: str = "",
    *,
    before: str = "",
    after: str = "",
) -> None:
    """Add a row in the caller's transaction: an act and its row are saved together or not at all.

    Args:
        session: An open transaction.
        action: What was done.
        subject: The name of what it was done to.
        detail: What else is worth knowing, in words.
        before: The fingerprint of what was there before, if that says anything.
        after: The fingerprint of what is there now.
    """
    _add(session.connection().exec_driver_sql, action, subject, detail, before, after)


def record_apart(
    database: Path, action: AuditAction, subject: str, detail: str = "", *, before: str = "", after: str = ""
) -> None:
    """Add a row in a transaction of its own: of an access by a process that only reads the data folder.

    Args:
        database: The SQLite file.
        action: What was done; the others are as in record.
        subject: See record.
        detail: See record.
        before: See record.
        after: See record.

    Raises:
        RagError: Another program is writing all the time, or the file cannot be written to.
    """
    try:
        with closing(sqlite3.connect(database, timeout=_PATIENCE_S, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            _add(connection.execute, action, subject, detail, before, after)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise of_sqlite(error, str(database)) or RagError(
            f"What you did could not be written to the audit log ({error}). Try again in a moment."
        ) from error


def _add(
    execute: Callable[[str, tuple[Any, ...]], Any],
    action: AuditAction,
    subject: str,
    detail: str,
    before: str,
    after: str,
) -> None:
    """Write a row with a function that runs SQL in an open transaction and returns a cursor."""
    salt = secrets.token_hex(16)
    row = {
        "created_ms": now_ms(),
        "action": str(action),
        "who": actor(),
        "before": before,
        "after": after,
        "words": words_fingerprint(salt, subject, detail),
    }
    # The INSERT takes SQLite's lock for writing. Only then can no other writer come between this row and the
    # one that it is chained to.
    execute(
        """INSERT INTO auditevent (created_ms, action, who, before, after, words, subject, detail, salt,
               previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')""",
        (*row.values(), subject, detail, salt),
    )
    row_id = execute("SELECT last_insert_rowid()", ()).fetchone()[0]
    last = execute("SELECT hash FROM auditevent WHERE id < ? ORDER BY id DESC LIMIT 1", (row_id,)).fetchone()
    row |= {"id": row_id, "previous": last[0] if last else ""}
    execute(
        "UPDATE auditevent SET previous = ?, hash = ? WHERE id = ?", (row["previous"], row_hash(row), row_id)
    )


def erase_words(session: Session, ids: Sequence[int]) -> None:
    """Take the words of rows away. A row of the chain says whose, so that nobody else can do it unnoticed."""
    if not ids:
        return
    session.connection().exec_driver_sql(
        """UPDATE auditevent SET subject = ?, detail = '', salt = ''
           WHERE id IN (SELECT value FROM json_each(?))""",
        (ERASED, json.dumps(list(ids))),
    )
    record(session, Action.AUDIT_WORDS_ERASED, f"{len(ids)} rows", after=json.dumps(sorted(ids)))


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the canonical JSON of a row's facts, the hash of the row before it included.

    Args:
        row: The facts by name: id, created_ms, action, who, before, after, words, previous.
    """
    return _sha256({name: row[name] for name in CHAINED})


# What is hashed of a row. The step of the schema that chained old rows has a copy of this and of row_hash.
CHAINED = ("action", "after", "before", "created_ms", "id", "previous", "who", "words")


def words_fingerprint(salt: object, subject: object, detail: object) -> str:
    """Return the SHA-256 over the canonical JSON of a row's words and their salt."""
    return _sha256([salt, subject, detail])


def fingerprint(value: object) -> str:
    """Return the SHA-256 over the canonical JSON of a value, for `before` and `after`."""
    return _sha256(value)


def _sha256(value: object) -> str:
    # A damaged file may hold bytes where text should be: they make another hash, and no error.
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(canonical.encode()).hexdigest()


def actor() -> str:
    """Return who acts now: the name that acting() gave, else the operating system's name of the user."""
    return _actor.get() or _user()


@contextmanager
def acting(who: str) -> Iterator[None]:
    """Note somebody else as the one who acts in this block: "token NAME" for a call of the server."""
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user that the system has no name for, as in some containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown user"
