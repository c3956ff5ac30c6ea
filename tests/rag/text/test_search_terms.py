"""Words in FTS5: whatever is typed becomes a query that FTS5 accepts, and text in any script is found."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.search_terms import indexed_text, match_expression, query_words


def finds(text: str, typed: str) -> bool:
    """Return whether FTS5 finds a text by what a person types, as traces and chunks are searched."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE t USING fts5(text, tokenize='unicode61 remove_diacritics 2')"
        )
        connection.execute("INSERT INTO t VALUES (?)", (indexed_text(text),))
        query = "SELECT count(*) FROM t WHERE t MATCH ?"
        return bool(connection.execute(query, (match_expression(typed),)).fetchone()[0])


def test_stop_words_are_left_out_unless_there_is_nothing_else() -> None:
    assert query_words("What is the height of the Tide, and the tide?") == ["height", "tide"]
    assert query_words("what is it") == ["what", "is", "it"]
    assert query_words("?!") == []


@pytest.mark.parametrize(
    ("text", "typed", "found"),
    [
        ("Rye bread needs sourdough.", "bread rye", True),
        ("Rye bread needs sourdough.", "bread sourd", True),
        ("Rye bread needs sourdough.", "sourd bread", False),
        ("Rye bread needs sourdough.", "wheat", False),
        ("Größe in Metern", "grosse", False),
        ("Größe in Metern", "größe", True),
        ("Café", "cafe", True),
        ("船は正午に出ます", "正午", True),
        ("船は正午に出ます", "午正", False),
        ("ABC船は", "船", True),
    ],
)
def test_a_text_is_found_by_all_of_its_words_and_the_beginning_of_the_last(
    text: str, typed: str, found: bool
) -> None:
    assert finds(text, typed) == found


@given(st.text(min_size=1))
@example('"')
@example("NEAR(a b) OR c* -d ^e")
@example("a AND NOT b")
def test_no_typed_text_reaches_the_parser_of_fts5(typed: str) -> None:
    if match_expression(typed):
        finds("Some text.", typed)


@given(st.text())
def test_indexed_text_differs_in_spaces_only(text: str) -> None:
    assert indexed_text(text).replace(" ", "") == text.replace(" ", "")


def test_without_a_word_there_is_no_expression() -> None:
    assert match_expression("?! …") == ""
    assert match_expression("Bread, rye") == '"bread" AND "rye"*'
