"""Rows of prompts, their versions and labels, and the queries that read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RequiredGate:
    """What the label production of a prompt or pipeline waits for."""

    kind: str  # prompt | pipeline
    name: str
    set_name: str
    gate: str  # YAML
    author: str
    created_ms: int


@dataclass(frozen=True)
class PromptPreview:
    """A template filled in. tokens: in the loaded model, None without one; error: what is wrong with the template."""

    text: str
    tokens: int | None
    model: str
    variables: tuple[str, ...]
    passages: int
    error: str


@dataclass(frozen=True)
class PromptRow:
    name: str
    description: str
    created_ms: int
    version_count: int
    latest: int  # number of the newest version
    labels: tuple[tuple[str, int], ...]  # label, number


@dataclass(frozen=True)
class PromptVersionRow:
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
    labels: tuple[str, ...]


@dataclass(frozen=True)
class LabelMove:
    """from_number None: the label was made; to_number None: it was removed."""

    label: str
    from_number: int | None
    to_number: int | None
    moved_ms: int
    author: str
    note: str
