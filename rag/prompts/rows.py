"""Rows of prompts, their versions and labels, and the queries that read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rag.storage.database import Database
from rag.text.plurals import counted


@dataclass(frozen=True)
class RequiredGate:
    """The gate that the label production of a prompt or pipeline requires."""

    kind: str  # prompt | pipeline
    name: str
    set_name: str
    gate: str  # YAML
    author: str
    created_ms: int


def unused_passages(variables: Iterable[str]) -> str:
    """Return what a person must know about a prompt with these variables; empty when it uses the passages."""
    if "passages" in variables:
        return ""
    return (
        "This prompt does not use the passages. The model does not see them, so its answers show no sources "
        "and are not checked."
    )


@dataclass(frozen=True)
class PromptPreview:
    """A template that was filled in."""

    text: str
    tokens: int | None  # in the loaded model; None without one
    model: str
    variables: tuple[str, ...]
    passages: int
    error: str  # what is wrong with the template


@dataclass(frozen=True)
class PromptRow:
    """A prompt with its labels."""

    name: str
    description: str
    created_ms: int
    version_count: int
    latest: int  # number of the newest version
    labels: tuple[tuple[str, int], ...]  # label, number


@dataclass(frozen=True)
class PromptVersionRow:
    """A version of a prompt, with the labels that point to it."""

    id: int
    prompt: str
    number: int
    created_ms: int
    message: str
    author: str
    system: str
    user: str
    variables: tuple[str, ...]
    fingerprint: str
    notes: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelMove:
    """A move of a label. from_number None: it was made; to_number None: it was removed."""

    label: str
    from_number: int | None
    to_number: int | None
    moved_ms: int
    author: str
    note: str


def list_prompts(database: Database) -> list[PromptRow]:
    """Return all prompts by name."""
    rows = database.query(
        """SELECT p.*, (SELECT count(*) FROM promptversion v WHERE v.prompt_id = p.id) AS version_count
           FROM prompt p ORDER BY p.name"""
    )
    return [
        PromptRow(
            row["name"],
            row["description"],
            row["created_ms"],
            row["version_count"],
            row["last_number"],
            tuple(_labels(database, row["id"]).items()),
        )
        for row in rows
    ]


def list_prompt_versions(database: Database, name: str) -> list[PromptVersionRow]:
    """Return the versions of a prompt, newest first. Raises NotFoundError."""
    prompt_id = database.id_of(
        "prompt", name, f"There is no prompt named “{name}”. Run `ragdeck prompts` to see all prompts."
    )
    labels = _labels(database, prompt_id)
    rows = database.rows(
        PromptVersionRow,
        "SELECT *, ? AS prompt FROM promptversion WHERE prompt_id = ? ORDER BY number DESC",
        (name, prompt_id),
    )
    return [
        replace(row, labels=tuple(label for label, number in labels.items() if number == row.number))
        for row in rows
    ]


def list_label_moves(database: Database, name: str, label: str = "") -> list[LabelMove]:
    """Return the moves of a prompt's label, or of all its labels, newest first. Raises NotFoundError."""
    prompt_id = database.id_of(
        "prompt", name, f"There is no prompt named “{name}”. Run `ragdeck prompts` to see all prompts."
    )
    return database.rows(
        LabelMove,
        """SELECT label, from_number, to_number, moved_ms, author, note FROM promptlabelmove
           WHERE prompt_id = ? AND (? = '' OR label = ?) ORDER BY id DESC""",
        (prompt_id, label, label),
    )


def find_required_gate(database: Database, kind: str, name: str) -> RequiredGate | None:
    """Return the gate that the label production of a prompt or pipeline requires; None: none."""
    table = "prompt" if kind == "prompt" else "pipeline"
    found = database.rows(
        RequiredGate,
        f"""SELECT g.*, s.name FROM gaterequirement g JOIN {table} s ON s.id = g.subject_id
            WHERE g.kind = ? AND s.name = ?""",
        (table, name),
    )
    return found[0] if found else None


def _labels(database: Database, prompt_id: int) -> dict[str, int]:
    """Return the number of the version that each label points to."""
    rows = database.query(
        """SELECT l.name, v.number FROM promptlabel l JOIN promptversion v ON v.id = l.version_id
           WHERE l.prompt_id = ? ORDER BY l.name""",
        (prompt_id,),
    )
    return {row["name"]: row["number"] for row in rows}


@dataclass(frozen=True)
class PromptImport:
    """What was imported of a folder. moved: labels as NAME@LABEL; problems: a sentence a file left out."""

    prompts: int
    versions_added: int
    versions_same: int
    moved: tuple[str, ...]
    problems: tuple[str, ...]

    def sentence(self) -> str:
        """Return what was imported, without the problems."""
        versions = counted(self.versions_added, "version")
        labels = f" Labels moved: {', '.join(self.moved)}." if self.moved else ""
        return (
            f"Imported {versions} of {counted(self.prompts, 'prompt')}; {self.versions_same:,} were already "
            f"here.{labels}"
        )
