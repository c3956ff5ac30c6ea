"""The sentence about what a set can detect."""

from __future__ import annotations

from app.pages.evaluation.power import detectable_sentence
from rag.evaluation.rows import Detectable

NEEDED = ((0.05, 501), (0.02, None))


def test_a_set_that_is_large_enough_names_its_difference() -> None:
    assert detectable_sentence(Detectable(44, 44, False, 0.26, NEEDED)) == (
        "44 cases detect a difference of 26 points in four of five comparisons.  "
        "501 cases would detect 5 points."
    )


def test_cases_of_few_documents_count_for_less() -> None:
    sentence = detectable_sentence(Detectable(1200, 30, False, 0.1, ()))
    assert sentence.startswith("1,200 cases detect a difference of 10 points")
    assert "They come from 30 documents, and cases of one document count for less." in sentence
    assert "They come from" not in detectable_sentence(Detectable(1200, 3, True, 0.1, ()))


def test_a_set_that_is_too_small_says_how_many_cases_are_enough() -> None:
    assert detectable_sentence(Detectable(3, 3, True, None, NEEDED)) == (
        "3 cases are too few to detect any difference reliably.  501 cases would detect 5 points."
    )
    assert detectable_sentence(Detectable(1, 1, True, None, ())).startswith("1 case is too few")
