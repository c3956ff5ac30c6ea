"""What a full or read-only disk is called, whichever library noticed it."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import (
    DataFolderLockedError,
    DocumentError,
    ModelError,
    NotFoundError,
    RagError,
    UnsupportedDocumentError,
    of_sqlite,
    of_the_disk,
)

FULL = "The disk is full."
READ_ONLY = "The data folder cannot be written to."


def caused_by(error: Exception) -> Exception:
    """Return an error of a library that was raised because of another."""
    try:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("the library failed") from cause
    except RuntimeError as outer:
        return outer


def while_handling(error: Exception) -> Exception:
    """Return an error that was raised while another was handled."""
    try:
        try:
            raise error
        except Exception:
            {}["missing"]
    except KeyError as outer:
        return outer
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), FULL),
        (sqlite3.OperationalError("database or disk is full"), FULL),
        (RuntimeError("chroma: No space left on device (os error 28)"), FULL),
        (OSError(errno.EROFS, "Read-only file system"), READ_ONLY),
        (sqlite3.OperationalError("attempt to write a readonly database"), READ_ONLY),
    ],
)
def test_a_disk_that_cannot_be_written_to_is_a_sentence(error: Exception, sentence: str) -> None:
    for seen in (error, caused_by(error), while_handling(error)):
        found = of_the_disk(seen)
        assert found is not None and str(found).startswith(sentence)


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOENT, "No such file"), ValueError("disk"), sqlite3.OperationalError("no such table")],
)
def test_other_errors_are_not_of_the_disk(error: Exception) -> None:
    assert of_the_disk(error) is None
    assert of_the_disk(caused_by(error)) is None


def test_every_refusal_is_a_rag_error() -> None:
    for kind in (DataFolderLockedError, DocumentError, ModelError, NotFoundError):
        assert issubclass(kind, RagError)
    assert issubclass(UnsupportedDocumentError, DocumentError), "a skipped file is a kind of a refused one"


def test_each_cause_in_sqlite_has_its_own_sentence_and_a_bug_has_none(tmp_path: Path) -> None:
    database = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as connection:
        connection.execute("CREATE TABLE t (x)")
        with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert "in use by another program" in said(connection, "INSERT INTO t VALUES (1)")
        connection.execute("PRAGMA max_page_count = 2")
        assert said(connection, "INSERT INTO t VALUES (randomblob(100000))").startswith("The disk is full")
        assert said(connection, "SELECT y FROM t") == ""
    database.write_bytes(b"no database " * 999)
    with closing(sqlite3.connect(database)) as connection:
        assert "not an SQLite file" in said(connection, "SELECT 1 FROM t")


def said(connection: sqlite3.Connection, statement: str) -> str:
    """Return the sentence on what SQLite refuses; nothing for a bug."""
    with pytest.raises(sqlite3.Error) as raised:
        connection.execute(statement)
    assert str(of_the_disk(raised.value) or "") != "" or of_sqlite(raised.value) is None
    return str(of_sqlite(raised.value) or "")
