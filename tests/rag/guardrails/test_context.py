"""Words near a place."""

import re

from rag.guardrails.context import is_near

WORDS = re.compile("card")


def test_words_are_searched_before_and_after_a_place() -> None:
    text = "card 123 and 456 card"
    assert is_near(text, 5, 8, WORDS, before=5)
    assert not is_near(text, 5, 8, WORDS, before=3)
    assert is_near(text, 13, 16, WORDS, before=2, after=6)
    assert not is_near(text, 13, 16, WORDS, before=2)
