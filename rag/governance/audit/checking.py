"""Checks the chain of the audit log, by itself and against a head that was kept elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from rag.errors import RagError, of_sqlite
from rag.governance.audit.heads import check_signature, read_head
from rag.governance.audit.rows import AuditCheck, AuditHead, Break
from rag.storage.audit_log import ERASED, Action, row_hash, words_fingerprint
from rag.storage.data_folder import DATABASE

Row = Mapping[str, Any]
_COLUMNS = ("id", "created_ms", "action", "who", "subject", "detail", "before", "after", "salt", "words",
            "previous", "hash")  # fmt: skip


def check_audit(folder: Path, head_file: str = "", trusted_keys: str = "") -> AuditCheck:
    """Check every row of the log of a data folder; return the first that is not as it was written.

    Args:
        folder: The data folder, which may be in use.
        head_file: A head that was written earlier and kept elsewhere.
        trusted_keys: Of SSH: a file of allowed signers, to know whose key signed the head.

    Raises:
        RagError: The head file cannot be read, or its signature is not good.
    """
    signature = ""
    head = None
    if head_file:
        head = read_head(Path(head_file))
        signature = check_signature(Path(head_file), trusted_keys)
    rows = list(_rows(folder / DATABASE))
    erased = _erased_rows(rows)
    found = first_break(rows) or (_against(rows, head) if head else None)
    return AuditCheck(
        rows=len(rows),
        erased=len(erased),
        old=sum(1 for row in rows if not row["who"]),
        first_break=found,
        head=head_file,
        head_ms=head.written_ms if head else 0,
        signature=signature,
    )


def first_break(rows: Iterable[Row]) -> Break | None:
    """Return the first row of a log at which it is not what was written; None when all of it is whole.

    Args:
        rows: All rows, ordered by their number, with the columns of the table.
    """
    found = list(rows)
    broken = _first_broken_link(found)
    erased = _erased_rows(found)
    for row in found:
        if broken is not None and row["id"] == broken.row:
            return broken
        if words_fingerprint(row["salt"], row["subject"], row["detail"]) == row["words"]:
            continue
        if (row["subject"], row["detail"], row["salt"]) != (ERASED, "", ""):
            return Break(row["id"], "has other words than were written")
        if row["id"] not in erased and broken is None:  # else the row that says so may be the broken one
            return Break(row["id"], "lost its words, and no erasure took them")
    return broken


def _first_broken_link(rows: Iterable[Row]) -> Break | None:
    """Return the first row that does not follow the one before it, or is not what its own hash says."""
    previous = ""
    for row in rows:
        if row["previous"] != previous:
            why = "rows were removed, added, reordered or changed there"
            return Break(row["id"], f"does not follow the row before it: {why}")
        if row["hash"] != row_hash(row):
            why = "its time, action, name or fingerprints were changed"
            return Break(row["id"], f"is not what its hash says: {why}")
        previous = row["hash"]
    return None


def _erased_rows(rows: Iterable[Row]) -> set[int]:
    """Return the rows whose words were erased, as the rows of erasures say, which are in the chain."""
    found: set[int] = set()
    for row in rows:
        if row["action"] == Action.AUDIT_WORDS_ERASED:
            try:
                found.update(json.loads(row["after"]))
            except (ValueError, TypeError, RecursionError):
                continue  # it was changed, which its own hash shows
    return found


def _against(rows: list[Row], head: AuditHead) -> Break | None:
    """Return where the rows are not those that the head was written for."""
    place = next((number for number, row in enumerate(rows, start=1) if row["id"] == head.id), None)
    if head.id == 0:
        return None
    if place is None:
        return Break(head.id, "is missing, which was the last one when the head was written")
    if rows[place - 1]["hash"] != head.hash:
        return Break(head.id, "has another hash than the head says: the log was rewritten up to there")
    if place != head.rows:
        return Break(head.id, f"is row {place} of the log, and was row {head.rows} when the head was written")
    return None


def _rows(database: Path) -> Iterator[Row]:
    """Yield the rows as they are in the file, whatever bytes somebody put there."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            names = ", ".join(_COLUMNS)
            for values in connection.execute(f"SELECT {names} FROM auditevent ORDER BY id"):
                yield dict(zip(_COLUMNS, values, strict=True))
    except sqlite3.Error as error:
        raise of_sqlite(error, str(database)) or RagError(
            f"The audit log cannot be read ({error}). Open the data folder once with this program first."
        ) from error
