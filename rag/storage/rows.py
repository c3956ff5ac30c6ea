"""Defines values of the data folder: progress and reports of backups and moves, and the space in use."""

from __future__ import annotations

from dataclasses import dataclass

from rag.text.plurals import counted


@dataclass(frozen=True)
class BackupProgress:
    """A point that a backup, a restore or a move has reached, in bytes of this stage."""

    stage: str  # "copying" | "packing" | "checking" | "unpacking"
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True)
class BackupReport:
    """A backup that was written: its path and size, and how many rows each table has."""

    path: str
    size_bytes: int
    rows: tuple[tuple[str, int], ...]  # (table, rows)
    seconds: float


@dataclass(frozen=True)
class BackupInfo:
    """A backup, as its manifest describes it. Members are (name, bytes, sha256)."""

    path: str
    program: str
    schema: int
    created_ms: int
    members: tuple[tuple[str, int, str], ...]
    rows: tuple[tuple[str, int], ...]

    @property
    def size_bytes(self) -> int:
        """The size of its files in bytes, unpacked."""
        return sum(size for _, size, _ in self.members)

    @property
    def content(self) -> str:
        """Its content in words, such as "1 collection, 3 documents, 12 traces"."""
        rows = dict(self.rows)
        counts = [(rows.get(name, 0), name) for name in ("collection", "document", "trace")]
        return ", ".join(counted(count, name) for count, name in counts)


@dataclass(frozen=True)
class MoveReport:
    """A move that was made. followed: the program finds the new place by itself; else --data must name it."""

    source: str
    target: str
    size_bytes: int
    followed: bool


@dataclass(frozen=True)
class SpaceUse:
    """A part of the data folder and the space that it takes."""

    what: str
    bytes: int
    detail: str = ""


@dataclass(frozen=True)
class Check:
    """One thing of the installation or the data folder that `doctor` looked at.

    Attributes:
        name: What was looked at.
        ok: Whether it is well.
        detail: What was found; of what is not well, also how it is repaired.
    """

    name: str
    ok: bool
    detail: str
