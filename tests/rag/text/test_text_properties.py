"""What holds of every text: searching, citing, counting and comparing never lose or invent words."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.citations import (
    listed_markers_of,
    markers_of,
    without_citations,
    without_listed_markers,
    without_markers,
)
from rag.text.languages import foreign_parts, language_of
from rag.text.plurals import counted
from rag.text.search_terms import STOP_WORDS, indexed_text, match_expression, query_words
from rag.text.word_diff import word_diff

TEXT = st.text(max_size=120)
NUMBERS = st.lists(st.integers(1, 999), max_size=6)


# --- search terms -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fts() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='unicode61 remove_diacritics 2')")
    return connection


@settings(max_examples=150, deadline=None)
@given(text=TEXT)
def test_no_text_of_a_person_is_an_operator_of_fts5(fts: sqlite3.Connection, text: str) -> None:
    expression = match_expression(text)
    if expression:
        fts.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()


@settings(max_examples=80, deadline=None)
@given(
    words=st.lists(
        st.sampled_from("tide Bremen naïve Größe 夜間 装卸 XR-2075 3.5".split()), min_size=1, max_size=5
    )
)
def test_a_text_is_found_by_its_own_words(fts: sqlite3.Connection, words: list[str]) -> None:
    text = " ".join(words)
    fts.execute("DELETE FROM t")
    fts.execute("INSERT INTO t (text) VALUES (?)", (indexed_text(text),))
    (count,) = fts.execute("SELECT count(*) FROM t WHERE t MATCH ?", (match_expression(text),)).fetchone()
    assert count == 1


@settings(max_examples=80, deadline=None)
@given(text=TEXT)
def test_query_words_are_lower_case_and_come_once(text: str) -> None:
    words = query_words(text)
    assert len(words) == len(set(words))
    assert words == [word.lower() for word in words]


def test_stop_words_go_unless_there_is_nothing_else() -> None:
    assert query_words("What is the tide?") == ["tide"]
    assert set(query_words("What is it?")) <= STOP_WORDS
    assert query_words("") == []
    assert match_expression("!?") == ""


def test_characters_without_spaces_between_words_are_indexed_one_by_one() -> None:
    assert indexed_text("夜間").split() == ["夜", "間"]
    assert indexed_text("tide") == "tide"


# --- citations --------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(numbers=NUMBERS)
def test_the_markers_written_are_the_markers_found(numbers: list[int]) -> None:
    text = " ".join(f"Word [{number}]." for number in numbers)
    assert markers_of(text) == set(numbers) == listed_markers_of(text)


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.integers(1, 999), min_size=2, max_size=5),
    separator=st.sampled_from([", ", ",", "; "]),
)
def test_a_list_is_read_by_those_who_take_lists_alone(numbers: list[int], separator: str) -> None:
    text = f"Word [{separator.join(map(str, numbers))}]."
    assert listed_markers_of(text) == set(numbers)
    assert markers_of(text) == set()


@settings(max_examples=100, deadline=None)
@given(text=TEXT)
def test_a_text_without_its_markers_has_none(text: str) -> None:
    marked = f"{text} [1] and [2][3]."
    assert markers_of(without_markers(marked)) <= markers_of(text.replace("[", "").replace("]", ""))
    assert not listed_markers_of(without_listed_markers("A [1, 2]. B [3]."))


def test_the_space_before_a_marker_goes_with_a_citation() -> None:
    assert without_citations("Rye bread [1] needs sourdough [2].") == "Rye bread needs sourdough."
    assert without_markers("Rye bread [1] needs") == "Rye bread  needs"


@pytest.mark.parametrize("text", ["[a]", "[1234]", "[ 1]", "[]", "array[x]", "[-1]"])
def test_what_is_no_marker_is_left_alone(text: str) -> None:
    assert markers_of(text) == set()
    assert without_markers(text) == text


# --- words ------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(old=TEXT, new=TEXT)
def test_a_word_diff_gives_both_texts_back(old: str, new: str) -> None:
    parts = word_diff(old, new)
    assert "".join(before for _, before, _ in parts) == old
    assert "".join(after for _, _, after in parts) == new


@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_equal_texts_have_no_difference(text: str) -> None:
    assert all(operation == "equal" for operation, _, _ in word_diff(text, text))


@pytest.mark.parametrize(
    ("count", "one", "many", "text"),
    [
        (0, "document", "", "0 documents"),
        (1, "document", "", "1 document"),
        (2000, "document", "", "2,000 documents"),
        (1, "draft waits", "drafts wait", "1 draft waits"),
        (3, "draft waits", "drafts wait", "3 drafts wait"),
        (2, "query", "queries", "2 queries"),
    ],
)
def test_things_are_counted_in_words(count: int, one: str, many: str, text: str) -> None:
    assert counted(count, one, many) == text


# --- languages --------------------------------------------------------------------------------------------

SENTENCES = {
    "en": "The tide at Bremen rises three metres and the boats leave at noon for the island.",
    "de": "Die Flut in Bremen steigt um drei Meter, und die Boote fahren am Mittag zu der Insel.",
    "fr": "La marée à Brême monte de trois mètres et les bateaux partent à midi pour une île.",
    "es": "La marea en Bremen sube tres metros y los barcos salen a mediodía para una isla.",
    "ru": "Прилив в Бремене поднимается на три метра, и лодки уходят в полдень.",
    "el": "Η παλίρροια στη Βρέμη ανεβαίνει τρία μέτρα και τα πλοία φεύγουν το μεσημέρι.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_known_by_its_words_or_script(language: str) -> None:
    assert language_of(SENTENCES[language]) == language


@pytest.mark.parametrize("text", ["", "12 345", "XR-2075", "ok", "!?"])
def test_too_little_text_has_no_language(text: str) -> None:
    assert language_of(text) == ""


def test_a_short_sentence_is_as_its_answer_is() -> None:
    german = SENTENCES["de"]
    assert foreign_parts(["Ja.", SENTENCES["en"]], german) == [True, False]
    assert foreign_parts(["Yes."], SENTENCES["en"]) == [False]
    assert foreign_parts([], "") == []


@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_any_text_has_a_code_of_two_letters_other_or_none(text: str) -> None:
    code = language_of(text)
    assert code in ("", "other") or (len(code) == 2 and code.isalpha())


def test_a_long_text_is_as_quick_as_its_beginning() -> None:
    assert language_of(SENTENCES["en"] * 100_000) == "en"
