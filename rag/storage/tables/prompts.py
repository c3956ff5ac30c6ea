"""Tables of prompts: versions that never change and labels that move."""

from __future__ import annotations

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class Prompt(SQLModel, table=True):
    """A prompt, whose texts are its versions."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    description: str = ""
    created_ms: int
    last_number: int = 0  # of a version; numbers are not given again


class PromptVersion(SQLModel, table=True):
    """An immutable text of a prompt."""

    __table_args__ = (UniqueConstraint("prompt_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    prompt_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    author: str
    system: str  # Jinja2
    user: str
    variables: str  # JSON list of names, sorted
    fingerprint: str = Field(index=True)  # of system and user
    notes: str = ""


class PromptLabel(SQLModel, table=True):
    """A name that points to one version of a prompt and can be moved; `production` is what answers."""

    prompt_id: int = Field(primary_key=True)
    name: str = Field(primary_key=True)
    version_id: int
    moved_ms: int


class PromptLabelMove(SQLModel, table=True):
    """The log of a label. from_number None: it was made; to_number None: it was removed."""

    id: int | None = Field(default=None, primary_key=True)
    prompt_id: int = Field(index=True)
    label: str
    from_number: int | None = None
    to_number: int | None = None
    moved_ms: int
    author: str
    note: str = ""


mark(Prompt, name="name", written="description")
mark(PromptVersion, written="message system user notes", name="author", technical="variables fingerprint")
mark(PromptLabel, name="name")
mark(PromptLabelMove, written="note", name="label author")
