"""Puts a document together from its parts while keeping the offsets of its places."""

from __future__ import annotations

from pathlib import Path

from rag.parsing.rows import Place

# What programs write when nobody gave a title.
_NO_TITLES = {
    "",
    "anonymous",
    "untitled",
    "unknown",
    "title",
    "presentation",
    "powerpoint presentation",
    "powerpoint-präsentation",
    "word document",
    "document",
    "microsoft word",
}


def title_or_name(title: str | None, path: Path) -> str:
    """The title in a file's properties, or the file's name when it is none."""
    title = (title or "").strip()
    return path.stem if title.strip("() ").lower() in _NO_TITLES else title


class TextBuilder:
    """Collects parts; each becomes a place when it holds text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._places: list[Place] = []

    def add(self, kind: str, number: int | None, label: str, text: str) -> None:
        if not text.strip():
            return
        text = text.strip("\n")
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        self._places.append(Place(kind, number, label, self._length, self._length + len(text)))
        self._parts.append(text)
        self._length += len(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(self._places)


class HeadingPath:
    """The headings above a piece of text: `1 Scope > 1.2 Terms`."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, " ".join(title.split())[:120]))

    @property
    def label(self) -> str:
        return " > ".join(title for _, title in self._headings)
