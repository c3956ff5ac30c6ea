"""What is searched for besides the question, and when a question needs the one before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.query import (
    Query,
    Spelling,
    TextName,
    close_words,
    is_self_contained,
    misspelt,
    points_back,
    understand,
)
from rag.settings import RetrievalSettings, preset
from rag.workspace import Workspace

SETTINGS = RetrievalSettings()
KNOWN = [("debian", 40), ("repository", 12), ("survive", 3), ("service", 90), ("tide", 5)]


def correct(word: str) -> str | None:
    if word in dict(KNOWN):
        return None
    return next((other for _, other in close_words(word, KNOWN)), None)


def texts(query: Query) -> dict[TextName, str]:
    return dict(query.texts)


def test_a_question_alone_is_searched_for_as_it_is() -> None:
    query = understand("What is the tide?", SETTINGS, correct=correct)
    assert query.texts == ((TextName.QUESTION, "What is the tide?"),)
    assert query.notes() == []


def test_a_misspelt_word_is_searched_for_as_it_was_meant_too() -> None:
    query = understand("a debain repositry", SETTINGS, correct=correct)
    assert texts(query) == {
        TextName.QUESTION: "a debain repositry",
        TextName.SPELLING: "a debian repository",
    }
    assert query.corrections == (("debain", "debian"), ("repositry", "repository"))
    assert query.notes() == ["also searched for: a debian repository (spelling)"]
    assert understand("a debain", preset("Classic"), correct=correct).corrections == ()


def test_what_is_no_misspelt_english_word_is_left_alone() -> None:
    assert misspelt("where is it XR-2075-debain", correct) == {}, "a part of an identifier"
    assert misspelt("Wie kann ich ein Paket von der Aktualisierung ausnehmen und debain", correct) == {}
    assert misspelt("tid", correct) == {}, "too short to tell"


def test_a_follow_up_is_searched_for_alone_and_with_the_question_before() -> None:
    query = understand("And how long?", SETTINGS, "How is bread baked?", correct)
    assert texts(query) == {
        TextName.QUESTION: "And how long?",
        TextName.FOLLOW_UP: "How is bread baked? And how long?",
    }
    joined = understand("And how long?", preset("Classic"), "How is bread baked?")
    assert texts(joined) == {TextName.FOLLOW_UP: "How is bread baked? And how long?"}


def test_a_misspelt_follow_up_is_corrected_together_with_the_question_before() -> None:
    query = understand("its repositry?", SETTINGS, "What is Debian?", correct)
    assert texts(query)[TextName.SPELLING] == "What is Debian? its repository?"


@pytest.mark.parametrize(
    "question",
    ["How long does it take?", "Why?", "what's the default?", "And in Bremen, when do boats leave the harbour?",
     "does he say so in the other letter about the harbour", "What about the price of spare sensors?"],
)  # fmt: skip
def test_these_may_point_back(question: str) -> None:
    assert points_back(question)


@pytest.mark.parametrize(
    "question",
    ["How many sensor heads can one console receive?", "When do boats leave Bremen?", "What does 4.4.6 say?"],
)
def test_these_stand_alone(question: str) -> None:
    assert not points_back(question)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("List all spare parts", True),
        ("How many sensors are there?", True),
        ("Which parts cost more than 20 euros?", True),
        ("What are the options of the console?", True),
        ("What is the tide?", False),
        ("How long does it take?", False),
        ("How many euros does a wind vane cost?", False),
        ("How many minutes does it take?", False),
    ],
)
def test_questions_for_a_list_are_recognised(question: str, wanted: bool) -> None:
    assert understand(question, SETTINGS).wants_all == wanted


def test_close_words_are_ordered_by_slips_first_letter_and_weight() -> None:
    known = [("abdc", 1), ("abcc", 9), ("xbcd", 99), ("abcd", 50)]
    assert close_words("abcd", known) == [(1, "abcc"), (1, "abdc"), (1, "xbcd")]
    assert close_words("survive", [("service", 9)]) == [], "two slips need a word of eight letters"
    assert close_words("hallucinaton", [("hallucination", 1)]) == [(1, "hallucination")]


def test_spelling_knows_the_words_of_the_version_and_of_the_embedder(filled: Workspace) -> None:
    from rag.knowledge.collections import open_version

    _, version = open_version(filled, "A", None)
    content = filled.content(version.id or 0, version.embedder)
    with filled.store.session() as session:
        spelling = Spelling(content, session, filled.embedder.tokenizer)
        assert spelling.correct("sourdoug") == "sourdough"
        assert spelling.correct("sourdough") is None
        assert spelling.correct("survive") is None, "the embedder knows it, though no document has it"
        assert spelling.correct("qqqqqqqq") is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_question_itself_is_always_searched_for(question: str, previous: str) -> None:
    query = understand(question, SETTINGS, previous, lambda word: word[::-1])
    assert query.texts[0] == (TextName.QUESTION, query.question)
    assert len({text for _, text in query.texts}) == len(query.texts)


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("When was the harbour opened?", True),
        ("How many sensors are there in the box?", True),
        ("What does it say about harbours?", False),
        ("Why did he open that harbour?", False),
        ("Why?", False),
        ("The harbour?", False),
    ],
)
def test_a_question_is_self_contained_without_pronouns_and_with_words_of_its_own(
    question: str, alone: bool
) -> None:
    assert is_self_contained(question) is alone
    if not alone:
        assert points_back(question), "what is surely not self-contained may point back"


@given(st.text(max_size=80))
def test_whatever_is_typed_is_understood(text: str) -> None:
    query = understand(text, SETTINGS)
    assert query.question == query.texts[0][1]
    assert isinstance(points_back(text), bool)
    assert isinstance(is_self_contained(text), bool)
    assert all(token in query.question for token in query.identifiers)
