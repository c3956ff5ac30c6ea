"""Checks of form find what they say, and no pattern of a user takes forever."""

import time

import pytest

from rag.errors import RagError
from rag.guardrails.forms import (
    NOT_CHECKED,
    other_language,
    phrases_in,
    refuse_pattern,
    too_long,
    without_citation,
)

GERMAN = "Der Sauerteig braucht vierundzwanzig Stunden und eine warme Ecke in der Küche."


def test_only_what_is_behind_the_limit_is_too_long() -> None:
    assert too_long("abc", 3) == []
    found = too_long("abcdef", 3)
    assert [(f.start, f.end) for f in found] == [(3, 6)]
    assert "6 characters, 3 are allowed" in found[0].reason


@pytest.mark.parametrize("answer", ["Rye needs sourdough [1].", "Both [1, 2].", "  "])
def test_an_answer_with_a_marker_or_none_at_all_misses_no_citation(answer: str) -> None:
    assert without_citation(answer) == []


def test_an_answer_without_a_marker_has_no_citation() -> None:
    assert [f.kind for f in without_citation("Rye needs sourdough.")] == ["no citation"]


def test_another_language_is_found_and_a_short_text_has_none() -> None:
    assert [f.reason for f in other_language(GERMAN, ["en"])] == ["it looks German"]
    assert other_language(GERMAN, ["en", "de"]) == []
    assert other_language("OK", ["de"]) == []


def test_a_phrase_is_found_whatever_its_case_and_spaces_but_not_inside_a_word() -> None:
    text = "Top  Secret. topsecret is another word; TOP\nSECRET again."
    found = list(phrases_in(text, ["top secret"], []))
    assert [text[f.start : f.end] for f in found] == ["Top  Secret", "TOP\nSECRET"]
    assert list(phrases_in("a.b", ["a+b"], [])) == []


def test_a_pattern_is_found_with_its_places() -> None:
    found = list(phrases_in("codes X-12 and x-345", [], [r"x-\d+"]))
    assert [(f.kind, f.start) for f in found] == [("pattern 1", 6), ("pattern 1", 15)]


def test_a_pattern_that_takes_too_long_stands_for_the_whole_text_that_it_could_not_check() -> None:
    text = "a" * 5_000 + "!"
    began = time.monotonic()
    found = list(phrases_in(text, [], [r"(a+)+$"]))
    assert [(f.kind, f.start, f.end) for f in found] == [(NOT_CHECKED, 0, len(text))]
    assert "was stopped" in found[0].reason
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(a+)+$", "takes too long"),
        (r"(\w+\s?)+$", "takes too long"),
        ("(", "is not a regular expression"),
        ("a*", "matches everything"),
    ],
)
def test_a_bad_pattern_is_refused_with_a_sentence(pattern: str, sentence: str) -> None:
    with pytest.raises(RagError, match=sentence):
        refuse_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"\b\d{3}-\d{4}\b", "confidential|secret", r"project\s+\w+"])
def test_a_usual_pattern_is_taken(pattern: str) -> None:
    refuse_pattern(pattern)
