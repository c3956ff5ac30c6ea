"""Kinds of data that are kept for a time, and what a run removes or would remove."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.text.plurals import counted


class RetentionKind(StrEnum):
    """A kind of data that is kept for a number of days."""

    TRACES = "traces"
    TRACE_TEXTS = "trace texts"
    CACHED_ANSWERS = "cached answers"
    RECEIVED_TRACES = "received traces"
    BACKUPS = "backups"


# What each kind is, and what a run does to it.
MEANING: dict[RetentionKind, str] = {
    RetentionKind.TRACES: "Questions are deleted with their answers and all that was measured on them. Those "
    "that an evaluation run, a review, feedback, a roll-out or a regression question needs stay.",
    RetentionKind.TRACE_TEXTS: "Questions, answers, prompts and passages are blanked, whatever refers to "
    "them; figures and verdicts stay.",
    RetentionKind.CACHED_ANSWERS: "Answers are not given again; their traces stay.",
    RetentionKind.RECEIVED_TRACES: "Traces that other applications sent are deleted with their spans. "
    "Those that a review, feedback or a case of an evaluation needs stay.",
    RetentionKind.BACKUPS: "Copies of before an upgrade or a restore in the data folder are deleted, and "
    "backups (.zip) that this program made in the backup folder.",
}


def setting_of(kind: RetentionKind) -> str:
    """Return the key of the section governance that says how many days a kind is kept."""
    return f"{kind.replace(' ', '_')}_days"


@dataclass(frozen=True)
class RetentionPart:
    """What of one kind goes.

    Attributes:
        kind: The kind.
        days: For how many days it is kept; 0: for good.
        count: How many traces, answers or files go.
        kept: How many are old enough and stay because something needs them.
        oldest_ms: When the oldest of those that go is from; None when none goes.
        bytes: Size of the files that go; 0 of rows.
        names: The files that go.
    """

    kind: RetentionKind
    days: int
    count: int = 0
    kept: int = 0
    oldest_ms: int | None = None
    bytes: int = 0
    names: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return what goes in words, such as "traces: 12 older than 90 days"."""
        if not self.days:
            return f"{self.kind}: kept for good"
        stays = f", {self.kept:,} more stay because they are needed" if self.kept else ""
        return f"{self.kind}: {self.count:,} older than {counted(self.days, 'day')}{stays}"


@dataclass(frozen=True)
class RetentionReport:
    """What a run removed, or a preview says that it would; problems are sentences on what could not be."""

    parts: tuple[RetentionPart, ...]
    problems: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How much goes in all."""
        return sum(part.count for part in self.parts)

    def sentence(self) -> str:
        """Return everything that goes as one sentence."""
        parts = [counted(part.count, part.kind.removesuffix("s")) for part in self.parts if part.count]
        return ", ".join(parts) if parts else "nothing is older than it may be"
