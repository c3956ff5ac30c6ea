"""An answer as it is put on the clipboard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.index.rows import Hit
from rag.text.citations import markers_of
from rag.text.markdown import plain_text

_SYNTAX = re.compile(r"([\\`*_\[\]<>])")


def as_plain_text(answer: str) -> str:
    """Return an answer without Markdown syntax."""
    return plain_text(answer.replace("\r\n", "\n")).strip()


def as_markdown(question: str, answer: str, hits: Sequence[Hit]) -> str:
    """Return question and answer as Markdown, with the sources that the answer cites.

    Where it cites none, all passages of the prompt are listed, and it says so.
    """
    packed = sorted((hit for hit in hits if hit.marker is not None), key=lambda hit: hit.marker or 0)
    cited = markers_of(answer)
    shown = [hit for hit in packed if hit.marker in cited]
    title = "Sources"
    if packed and not shown:
        shown, title = packed, "Passages that were given to the model; the answer cites none of them"
    lines = [f"- [{hit.marker}] {_plain(hit.document)}{_place(hit)}" for hit in shown]
    parts = [f"**{_plain(' '.join(question.split()))}**", answer.replace("\r\n", "\n").strip()]
    if lines:
        parts += [f"{title}:", "\n".join(lines)]
    return "\n\n".join(part for part in parts if part.strip("*")) + "\n"


def _place(hit: Hit) -> str:
    return f", {_plain(hit.place)}" if hit.place else ""


def _plain(text: str) -> str:
    return _SYNTAX.sub(r"\\\1", text)
