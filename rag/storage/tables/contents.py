"""Marks what every text column contains, so that erasing a document finds all places where its words may be.

Each file of tables marks its own at its end; a test holds that no text column is left out. The mark is in the
column's `info`, where rag.governance reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from sqlalchemy import Column, Table
from sqlmodel import SQLModel

_MARK, _BLANK, _SUBJECT = "content", "blank", "subject"


class Content(StrEnum):
    """A kind of content of a text column, as far as erasing a document is concerned."""

    DOCUMENT = "document"
    """Text of a document in rows of its own, which are deleted with it."""

    COPY = "copy"
    """A passage that was copied out of documents."""

    DERIVED = "derived"
    """What a model or a check made of passages: an answer, a claim, a verdict of a judge."""

    WRITTEN = "written"
    """Words of people, or sentences and JSON that may quote them."""

    QUESTION = "question"
    """Words of people without which their row has no use: it goes when they quote an erased document."""

    NAME = "name"
    """Names and paths, by which things are found: not changed by an erasure."""

    TECHNICAL = "technical"
    """Hashes, states, ids and figures."""


def mark(table: type[SQLModel], **columns: str) -> None:
    """Mark a table as one of its file's subject, and its text columns by what they contain.

    Args:
        table: The table.
        columns: For each kind of content, by its value, the names of columns separated by spaces.

    Raises:
        KeyError: The table has no such column.
    """
    _table(table).info[_SUBJECT] = table.__module__.rpartition(".")[2]
    for kind, names in columns.items():
        for name in names.split():
            default = table.model_fields[name].default
            info = _table(table).columns[name].info
            info[_MARK], info[_BLANK] = Content(kind), default if isinstance(default, str) else ""


def content_of(column: Column[object]) -> Content | None:
    """Return what a column is marked to contain; None when it has no mark."""
    return column.info.get(_MARK)


def blank_of(column: Column[object]) -> str:
    """Return what a marked column contains when there is nothing to say: its default, such as "" or "[]"."""
    return str(column.info[_BLANK])


def subjects() -> dict[str, str]:
    """Return the subject of every table by its name: the name of the file in which it is defined."""
    return {table.name: str(table.info[_SUBJECT]) for table in SQLModel.metadata.sorted_tables}


def is_text(column: Column[object]) -> bool:
    """Return whether a column can contain text: everything but numbers, truth values and bytes."""
    return column.type.python_type not in (int, float, bool, bytes)


def marked_columns(*kinds: Content) -> Iterator[tuple[Table, list[str]]]:
    """Yield each table that has columns of these kinds, with their names in the order of the table."""
    for table in SQLModel.metadata.sorted_tables:
        names = [column.name for column in table.columns if content_of(column) in kinds]
        if names:
            yield table, names


def _table(model: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(model.__tablename__)]
