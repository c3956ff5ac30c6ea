"""Values of the data folder: progress and reports of backups and moves, and the space that is used."""

from __future__ import annotations

from dataclasses import dataclass

from rag.text.plurals import counted


@dataclass(frozen=True)
class BackupProgress:
    """Where a backup, a restore or a move stands, in bytes of this stage."""

    stage: str  # "copying" | "packing" | "checking" | "unpacking"
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True)
class BackupReport:
    path: str
    size_bytes: int
    rows: tuple[tuple[str, int], ...]  # (table, rows)
    seconds: float


@dataclass(frozen=True)
class BackupInfo:
    """What the manifest of a backup says. Members are (name, bytes, sha256)."""

    path: str
    program: str
    schema: int
    created_ms: int
    members: tuple[tuple[str, int, str], ...]
    rows: tuple[tuple[str, int], ...]

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size, _ in self.members)

    @property
    def content(self) -> str:
        """What is in it, in words: "1 collection, 3 documents, 12 traces"."""
        rows = dict(self.rows)
        counts = [(rows.get(name, 0), name) for name in ("collection", "document", "trace")]
        return ", ".join(counted(count, name) for count, name in counts)


@dataclass(frozen=True)
class MoveReport:
    """followed: the program finds the new place by itself; else it must be named with --data."""

    source: str
    target: str
    size_bytes: int
    followed: bool


@dataclass(frozen=True)
class SpaceUse:
    """How much space one part of the data folder takes."""

    what: str
    bytes: int
    detail: str = ""
