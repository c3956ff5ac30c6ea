"""What a full or read-only disk is called, whichever library noticed it."""

import errno
import sqlite3

import pytest

from rag.errors import (
    DataFolderLockedError,
    DocumentError,
    ModelError,
    NotFoundError,
    RagError,
    UnsupportedDocumentError,
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
