"""Puts a document together from its parts and keeps track of where its places are."""

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
    """Return the title in a file's properties, or the file's name where that is not a real title."""
    title = (title or "").strip()
    return path.stem if title.strip("() ").lower() in _NO_TITLES else title


class TextBuilder:
    """A text under construction: each part that contains words becomes a place, parted by blank lines."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._places: list[Place] = []

    def add(self, kind: str, number: int | None, label: str, text: str) -> None:
        """Append a part. One without words is left out, and so is its place.

        Args:
            kind: What the place is, see Place.
            number: Its number from 1, None where it has none.
            label: What is shown as its name.
            text: Its text; line breaks around it are dropped.
        """
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
        """All parts so far."""
        return "".join(self._parts)

    @property
    def places(self) -> tuple[Place, ...]:
        """The places of the parts, in order, with exact offsets into the text."""
        return tuple(self._places)


class HeadingPath:
    """A trail of the headings above a piece of text: `1 Scope > 1.2 Terms`."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        """Go on below a heading of this level; it ends every heading of the same or a deeper level."""
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, " ".join(title.split())[:120]))

    @property
    def label(self) -> str:
        """The headings from the outermost to the innermost, "" before the first."""
        return " > ".join(title for _, title in self._headings)
