"""Numbers of things, as sentences say them."""

import pytest

from rag.text.plurals import counted


@pytest.mark.parametrize(
    ("count", "words", "text"),
    [
        (0, ("document",), "0 documents"),
        (1, ("document",), "1 document"),
        (2, ("document",), "2 documents"),
        (2000, ("document",), "2,000 documents"),
        (1, ("query", "queries"), "1 query"),
        (3, ("query", "queries"), "3 queries"),
    ],
)
def test_a_noun_follows_its_number(count: int, words: tuple[str, ...], text: str) -> None:
    assert counted(count, *words) == text
