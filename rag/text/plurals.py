"""Writes numbers of things in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as "1 document" or "2,000 documents".

    Args:
        count: How many there are.
        one: The noun for one of them.
        many: The noun for several, where that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def named(names: Sequence[str], most: int = 5) -> str:
    """Return the first of some names, and that there are more, such as "a, b, c and 4 more"."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
