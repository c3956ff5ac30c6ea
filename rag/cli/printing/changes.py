"""Shows what changed between two texts so that it can be read without colour, white space included."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.text import Text

_VISIBLE = {" ": "·", "\t": "→", "\n": "⏎\n", "\u00a0": "⍽"}


def marked_changes(words: Sequence[tuple[str, str, str]]) -> Text:
    """Return a text with what was removed as [-words-] and what was added as {+words+}.

    Args:
        words: (operation, old words, new words) in order, as rag.text.word_diff returns them.
    """
    shown = Text()
    for operation, before, after in words:
        if operation == "equal":
            shown.append("".join(sign if sign.isprintable() or sign in "\t\n" else "�" for sign in before))
            continue
        # Where both sides look the same, what differs is a sign that does not show: it is spelt out.
        alike = _looks(before) == _looks(after)
        if before:
            shown.append(f"[-{_visible(before, alike)}-]", style="red")
        if after:
            shown.append(f"{{+{_visible(after, alike)}+}}", style="green")
    return shown


def _visible(text: str, spell_out: bool) -> str:
    """Return a changed text with its white space and hidden signs made visible, or all that is not ASCII."""

    def shows(sign: str) -> bool:
        return sign.isprintable() and (sign.isascii() or not spell_out)

    return "".join(_VISIBLE.get(sign) or (sign if shows(sign) else _escaped(sign)) for sign in text)


def _looks(text: str) -> str:
    """Return what of a text people see: composed, without hidden signs."""
    return "".join(sign for sign in unicodedata.normalize("NFC", text) if sign.isprintable())


def _escaped(sign: str) -> str:
    return ascii(sign)[1:-1]
