"""Rows of tables with as little as they need, in a database in memory."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, create_engine

from rag.storage import tables  # noqa: F401 - registers every table


def row(model: type[SQLModel], **values: Any) -> SQLModel:
    """Make a row; fields that it needs and that are not given contain 0 or nothing."""
    empty = {int: 0, float: 0.0, bool: False, bytes: b""}
    needed = {
        column.name: empty.get(column.type.python_type, "")
        for column in SQLModel.metadata.tables[str(model.__tablename__)].columns
        if not column.nullable and model.model_fields[column.name].is_required()
    }
    return model(**{**needed, **values})


def saves(*rows: SQLModel) -> bool:
    """Return whether a new database takes these rows together."""
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(rows)
        try:
            session.commit()
        except IntegrityError:
            return False
    return True


def stored(model_row: SQLModel) -> dict[str, Any]:
    """Return the columns of a row after it was written and read again."""
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(model_row)
        session.commit()
        session.refresh(model_row)
        return model_row.model_dump()
