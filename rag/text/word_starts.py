"""How well a few typed letters name something: whole beginnings first, scattered letters last."""

from __future__ import annotations

import re

from rag.text.search_terms import comparable

SCATTERED = 5  # the grade of letters that are merely there in this order
_WORD = re.compile(r"\w+")


def grade(typed: str, title: str, words: str = "") -> int | None:
    """Return how well what was typed names something; less is better, None: not at all.

    0: the title itself or its beginning; 1: a run of words that begins at a word's start; 2: every typed word
    begins a word of the title; 3: every typed word begins a word of the title or of the further words;
    4: every typed word is somewhere in the title; SCATTERED: the letters are in the title in this order.

    Args:
        typed: What a person typed; nothing fits everything.
        title: The name of the thing.
        words: Other words that it may be found by.
    """
    wanted, title = comparable(typed), comparable(title)
    if not wanted or title.startswith(wanted):
        return 0
    if re.search(rf"(?<!\w){re.escape(wanted)}", title):
        return 1
    parts = wanted.split()
    if _all_begin(parts, title):
        return 2
    if words and _all_begin(parts, f"{title} {comparable(words)}"):
        return 3
    if all(part in title for part in parts):
        return 4
    return SCATTERED if _in_order(wanted.replace(" ", ""), title) else None


def _all_begin(parts: list[str], text: str) -> bool:
    """Return whether each part begins a word of a text; a part may itself hold signs, as in “a.txt”."""
    starts = [match.start() for match in _WORD.finditer(text)]
    return all(any(text.startswith(part, start) for start in starts) for part in parts)


def _in_order(letters: str, text: str) -> bool:
    remaining = iter(text)
    return all(letter in remaining for letter in letters)
