"""Words near a place in a text: they decide where a number or a name alone says too little."""

from __future__ import annotations

import re


def is_near(text: str, start: int, end: int, words: re.Pattern[str], *, before: int, after: int = 0) -> bool:
    """Return whether one of the words stands near a place.

    Args:
        text: The text.
        start: The character at which the place starts.
        end: The character after its last one.
        words: What is searched for.
        before: How many characters before the place are searched.
        after: How many characters after it are searched.
    """
    if words.search(text[max(0, start - before) : start]):
        return True
    return after > 0 and words.search(text[end : end + after]) is not None
