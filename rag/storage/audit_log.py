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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlmodel import Session

from rag.storage.rows import AuditAction
from rag.storage.store import now_ms

Action = AuditAction
ERASED = "[erased]"  # the subject of a row whose words were erased
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
    raw = session.connection()
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
    raw.exec_driver_sql(
        """INSERT INTO auditevent (created_ms, action, who, before, after, words, subject, detail, salt,
               previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '')""",
        (*row.values(), subject, detail, salt),
    )
    row_id = raw.exec_driver_sql("SELECT last_insert_rowid()").scalar_one()
    previous = raw.exec_driver_sql(
        "SELECT hash FROM auditevent WHERE id < ? ORDER BY id DESC LIMIT 1", (row_id,)
    ).scalar()
    row |= {"id": row_id, "previous": previous or ""}
    raw.exec_driver_sql(
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
