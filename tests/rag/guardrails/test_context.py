"""Words near a place."""

import re

import pytest

from rag.guardrails.context import is_near

WORDS = re.compile("card")


def test_words_are_searched_before_and_after_a_place() -> None:
    text = "card 123 and 456 card"
    assert is_near(text, 5, 8, WORDS, before=5)
    assert not is_near(text, 5, 8, WORDS, before=3)
    assert is_near(text, 13, 16, WORDS, before=2, after=6)
    assert not is_near(text, 13, 16, WORDS, before=2)


@pytest.mark.parametrize(
    ("text", "start", "end", "before", "after", "is_found"),
    [
        ("card", 0, 4, 10, 10, False),  # the place itself is not near itself
        ("card 1", 5, 6, 5, 0, True),
        ("card 1", 5, 6, 4, 0, False),  # a part of a word is none
        ("1 card", 0, 1, 5, 0, False),
        ("1 card", 0, 1, 0, 5, True),
        ("1 card", 0, 1, 0, 4, False),
        ("", 0, 0, 5, 5, False),
        ("card 1", 5, 6, 10_000, 10_000, True),
        ("1 card", 0, 1, 0, 10_000, True),
    ],
)
def test_as_many_characters_are_searched_as_is_said(
    text: str, start: int, end: int, before: int, after: int, is_found: bool
) -> None:
    assert is_near(text, start, end, WORDS, before=before, after=after) is is_found
