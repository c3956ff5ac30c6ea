"""Words in FTS5: whatever is typed becomes a query that FTS5 accepts, and text in any script is found."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.search_terms import comparable, folded, identifiers, indexed_text, match_expression, query_words


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
    assert indexed_text(text).replace(" ", "") == folded(text).replace(" ", "")


def test_without_a_word_there_is_no_expression() -> None:
    assert match_expression("?! …") == ""
    assert match_expression("Bread, rye") == '"bread" AND "rye"*'


@pytest.mark.parametrize(
    ("seen", "plain"),
    [
        ("soft\u00adware", "software"),
        ("zero\u200bwidth", "zerowidth"),
        ("\u202eabc\u202c", "abc"),
        ("o\ufb03ce", "office"),
        ("ＡＢＣ１２", "ABC12"),
        ("\ufeffbyte", "byte"),
        ("m²", "m2"),
        ("e\u0301", "é"),
    ],
)
def test_what_a_reader_takes_for_the_same_is_folded(seen: str, plain: str) -> None:
    assert folded(seen) == plain
    assert indexed_text(seen) == indexed_text(plain)
    assert query_words(seen) == query_words(plain)
    assert comparable(seen) == comparable(plain)


def test_a_chinese_question_becomes_pairs_of_neighbours() -> None:
    assert query_words("什么是富士山") == ["什么", "么是", "是富", "富士", "士山"]
    assert query_words("東京") == ["東京"]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What does section 4.4.6 say about XR-2075?", ["4.4.6", "XR-2075"]),
        ("Is CVE-2024-1234 fixed in 2.3?", ["CVE-2024-1234", "2.3"]),
        ("git merge --no-ff and -v", ["--no-ff", "-v"]),
        ("edit /etc/fstab or (config.toml), max_tokens: std::vector", ["/etc/fstab", "config.toml", "max_tokens", "std::vector"]),
        ("Error E7 on A3-106.", ["E7", "A3-106"]),
        ("and/or a well-known 3rd thing of 100km, e.g. in the U.S.", []),
        ("What is the tide in 2024?", []),
    ],
)  # fmt: skip
def test_identifiers_are_what_names_one_thing(question: str, found: list[str]) -> None:
    assert identifiers(question) == found


@given(st.text(max_size=80))
def test_an_identifier_stands_in_the_question(text: str) -> None:
    assert all(token in folded(text) for token in identifiers(text))
