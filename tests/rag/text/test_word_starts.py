"""Grades of what was typed: beginnings of titles and words before scattered letters."""

import pytest

from rag.text.word_starts import SCATTERED, grade


@pytest.mark.parametrize(
    ("typed", "title", "words", "expected"),
    [
        ("", "Anything", "", 0),
        ("go to tr", "Go to Traces", "", 0),
        ("TRACES", "Go to Traces", "", 1),
        ("to tra", "Go to Traces", "", 1),
        ("tra go", "Go to Traces", "", 2),
        ("halluc", "Show flagged answers", "hallucination", 3),
        ("flagged halluc", "Show flagged answers", "hallucination", 3),
        ("races", "Go to Traces", "", 4),
        ("gtt", "Go to Traces", "", SCATTERED),
        ("zzz", "Go to Traces", "", None),
        ("a.t", "notes a.txt", "", 1),
        ("größe", "Über Größe", "", 1),
    ],
)
def test_the_nearer_to_a_beginning_the_better(
    typed: str, title: str, words: str, expected: int | None
) -> None:
    assert grade(typed, title, words) == expected


def test_scattered_letters_never_come_before_a_word_that_begins_so() -> None:
    scattered, begins = grade("aut", "Back up the data"), grade("aut", "Automatic checks")
    assert scattered is not None
    assert begins is not None
    assert begins < scattered
