"""Writes numbers of things in sentences."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as "1 document" or "2,000 documents".

    Args:
        count: How many there are.
        one: The noun for one of them.
        many: The noun for several, where that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
