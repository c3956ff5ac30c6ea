"""The guide's text: one Markdown file a section, found by words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import resources

GUIDE = Path(resources.__file__).parent / "guide"
# In the order in which the guide lists them: first what everybody needs, then a section for each page.
ORDER = (
    "first-steps", "ask", "collections", "versions", "chroma", "overview", "traces", "monitors", "costs",
    "prompts", "evaluation", "review", "models", "guardrails", "server", "reports", "audit",
    "settings", "command-line",
)  # fmt: skip
_AROUND = 60  # characters shown on each side of a word that was found


@dataclass(frozen=True)
class Section:
    """A section of the guide: the key of its page or its own, its title, and its Markdown."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class Hit:
    """A section that has every word that was searched for, and the words around the first of them."""

    section: Section
    excerpt: str


def read_sections() -> list[Section]:
    """Return every section of the guide, in its order."""
    return [read_section(key) for key in ORDER]


def read_section(key: str) -> Section:
    """Return a section. Raises KeyError for a key that there is not."""
    if key not in ORDER:
        raise KeyError(key)
    text = (GUIDE / f"{key}.md").read_text("utf-8")
    return Section(key, text.splitlines()[0].removeprefix("# "), text)


def find(sections: Sequence[Section], words: str) -> list[Hit]:
    """Return the sections that contain all of some words, those with one in their title first."""
    wanted = words.lower().split()
    hits = []
    for section in sections:
        plain = plain_text(section.text)
        lowered = plain.lower()
        if all(word in lowered for word in wanted):
            place = min((lowered.find(word) for word in wanted), default=0)
            hits.append(Hit(section, _excerpt(plain, place)))
    return sorted(hits, key=lambda hit: not any(word in hit.section.title.lower() for word in wanted))


def plain_text(markdown: str) -> str:
    """Return a section's words as they are read, without marks, pictures and the addresses of links."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", markdown)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[*`#|]|^-+ |-{3,}", "", text, flags=re.MULTILINE)


def _excerpt(plain: str, place: int) -> str:
    start, end = max(place - _AROUND, 0), min(place + _AROUND, len(plain))
    words = " ".join(plain[start:end].split())
    return f"{'…' if start else ''}{words}{'…' if end < len(plain) else ''}"
