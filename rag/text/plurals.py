"""Numbers in sentences."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 document", "2,000 documents"; many: the plural where it is not one with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
