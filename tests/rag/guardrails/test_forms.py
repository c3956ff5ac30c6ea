"""Checks of form find what they say, and no pattern of a user takes forever."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("text", "most", "is_long"),
    [("", 0, False), ("", 1, False), ("a", 0, True), ("äöü", 3, False), ("🦀🦀", 1, True)],
)
def test_length_is_counted_in_characters(text: str, most: int, is_long: bool) -> None:
    assert bool(too_long(text, most)) is is_long


def test_a_great_length_is_said_with_separators() -> None:
    assert too_long("a" * 12_345, 1_000)[0].reason == "it has 12,345 characters, 1,000 are allowed"


@pytest.mark.parametrize(
    ("answer", "cites"),
    [
        ("See [1]", True),
        ("See [1][2]", True),
        ("See [1; 2]", True),
        ("See [12].", True),
        ("See [a]", False),
        ("See (1)", False),
        ("See [1234]", False),
        ("See footnote 1", False),
        ("[]", False),
    ],
)
def test_only_a_number_in_brackets_cites_a_passage(answer: str, cites: bool) -> None:
    assert (without_citation(answer) == []) is cites


@pytest.mark.parametrize(
    ("text", "languages", "reason"),
    [
        (
            "Le levain a besoin de vingt-quatre heures et d'un coin chaud dans la cuisine.",
            ["en"],
            "it looks French",
        ),
        ("Le levain a besoin de vingt-quatre heures et d'un coin chaud dans la cuisine.", ["en", "fr"], ""),
        ("日本語の文章はここにあります。とても長い文章です。", ["en", "de"], "it looks Japanese"),
        ("日本語の文章はここにあります。とても長い文章です。", ["ja"], ""),
        ("1234567890 1234567890 1234567890", ["de"], ""),
        ("", ["de"], ""),
        ("¡! ¿? … 100 % — 3 × 4", ["de"], ""),
    ],
)
def test_a_language_is_named_where_it_is_not_one_of_those_allowed(
    text: str, languages: list[str], reason: str
) -> None:
    assert "".join(f.reason for f in other_language(text, languages)) == reason


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("C++", "We write C++ here", ["C++"]),
        ("C++", "We write C+++", ["C++"]),  # a sign is no letter of a word
        ("a.b", "a.b and axb", ["a.b"]),
        ("(x)", "f(x)", []),
        ("(x)", "f (x)", ["(x)"]),
        ("straße", "Straße, STRASSE", ["Straße"]),
        ("naïve", "NAÏVE", ["NAÏVE"]),
        ("top secret", "top\u00a0secret", ["top\u00a0secret"]),
        ("top secret", "top-secret", []),
        ("one", "one_two one2 one", ["one"]),
        ("   ", "any   text", []),
        ("aa", "aaa aa", ["aa"]),
    ],
)
def test_a_phrase_is_taken_literally_and_as_whole_words(phrase: str, text: str, found: list[str]) -> None:
    assert [text[f.start : f.end] for f in phrases_in(text, [phrase], [])] == found


def test_findings_say_which_phrase_and_which_pattern_it_was() -> None:
    found = list(phrases_in("one two 3", ["two", "none", "one"], ["z", r"\d"]))
    assert [f.kind for f in found] == ["phrase 1", "phrase 3", "pattern 2"]


def test_a_pattern_that_matches_nothing_at_a_place_finds_nothing_there() -> None:
    assert list(phrases_in("aaa", [], ["(?=a)", "b*"])) == []


@given(st.text("~\n", max_size=60), st.text(st.characters(exclude_characters="~"), min_size=1, max_size=8))
def test_a_phrase_is_found_whatever_its_signs_when_it_stands_alone(before: str, phrase: str) -> None:
    wanted = " ".join(phrase.split())
    found = list(phrases_in(f"{before} {wanted} ", [phrase], []))
    assert any(f.start == len(before) + 1 for f in found) or not wanted
    assert all(f.score == 1.0 and f.start < f.end for f in found)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("", "matches everything"),
        ("^", "matches everything"),
        ("x?", "matches everything"),
        (r"^(\d+)*$", "matches everything"),
        ("[a-z", "unterminated character set"),
        ("\\", "bad escape"),
        ("*a", "nothing to repeat"),
        ("(a|aa)+$", "Write it without the inner one"),
        ("(" + "a" * 200, f"“({'a' * 79}” is not"),
    ],
)
def test_why_a_pattern_is_refused_is_said_with_its_beginning(pattern: str, sentence: str) -> None:
    with pytest.raises(RagError) as caught:
        refuse_pattern(pattern)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize("pattern", ["a{1,3}", "(?i)x", "(?P<n>a)(?P=n)", "(a|b|ab)*c", r"\p{Lu}{2,}", "ä|ö"])
def test_patterns_of_all_usual_kinds_are_taken(pattern: str) -> None:
    refuse_pattern(pattern)
