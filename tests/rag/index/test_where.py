"""Filters on metadata are read as they are meant, or refused with a sentence that says what is wrong."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RagError
from rag.index.where import parse_where


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("page > 3", {"page": {"$gt": 3}}),
        ('source = "a b.pdf"', {"source": {"$eq": "a b.pdf"}}),
        ("source == it's", None),
        ("a = 1 and b != x or c <= 2.5", {"$or": [{"$and": [{"a": {"$eq": 1}}, {"b": {"$ne": "x"}}]}, {"c": {"$lte": 2.5}}]}),
        ("a = 1 and (b = true or c in (1, 2))",
         {"$and": [{"a": {"$eq": 1}}, {"$or": [{"b": {"$eq": True}}, {"c": {"$in": [1, 2]}}]}]}),
        ("'my key' in ('x', \"y\")", {"my key": {"$in": ["x", "y"]}}),
    ],
)  # fmt: skip
def test_filters_are_read_as_they_are_meant(text: str, expected: Any) -> None:
    if text.startswith("source == it's"):
        with pytest.raises(RagError, match="cannot be read"):
            parse_where(text)
    else:
        assert parse_where(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "page",
        "page >",
        "> 3",
        "page > x",
        "a = 1 and",
        "(a = 1",
        "a = 1)",
        "a in 3",
        "a in (1, 'x')",
        "a = =",
    ],
)
def test_a_wrong_filter_is_a_sentence(text: str) -> None:
    with pytest.raises(RagError, match=r"filter|Only numbers|of the same kind"):
        parse_where(text)


@given(st.text(alphabet="ab12 =<>!()'\",andor", max_size=40))
def test_any_filter_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(RagError):
        parse_where(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1", 1),
        ("a = -7", -7),
        ("a = 2.50", 2.5),
        ("a = .5", 0.5),
        ("a = TRUE", True),
        ("a = false", False),
        ("a = '1'", "1"),
        ('a = "it\'s"', "it's"),
        (r"a = 'it\'s'", "it's"),
        ("a = 1e5", "1e5"),
        ("a = 12345678901234567890", "12345678901234567890"),
        ("a = straße", "straße"),
        ("a = a-b/c.pdf", "a-b/c.pdf"),
    ],
)
def test_a_value_has_the_type_that_it_looks_like(text: str, expected: Any) -> None:
    value = (parse_where(text) or {})["a"]["$eq"]
    assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    ("sign", "name"),
    [("=", "$eq"), ("==", "$eq"), ("!=", "$ne"), (">", "$gt"), (">=", "$gte"), ("<", "$lt"), ("<=", "$lte")],
)
def test_each_sign_is_chroma_s_comparison_with_or_without_spaces(sign: str, name: str) -> None:
    assert parse_where(f"page {sign} 3") == parse_where(f"page{sign}3") == {"page": {name: 3}}


def test_and_binds_closer_than_or_and_brackets_closer_than_both() -> None:
    a, b, c = ({name: {"$eq": 1}} for name in "abc")
    assert parse_where("a=1 or b=1 and c=1") == {"$or": [a, {"$and": [b, c]}]}
    assert parse_where("(a=1 or b=1) and c=1") == {"$and": [{"$or": [a, b]}, c]}
    assert parse_where("((a=1))") == a
    assert parse_where("a=1 AND b=1 And c=1") == {"$and": [a, b, c]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("page", "ends where a comparison after “page” should be"),
        ("page >", "ends where a value should be"),
        ("> 3", "needs a name instead of “>”"),
        ("page near 3", "needs a comparison after “page”, not “near”"),
        ("page > x", "Only numbers can be compared with >; “x” is not a number"),
        ("page > true", "Only numbers"),
        ("(a = 1", "ends where “[)]” should be"),
        ("a = 1 b = 2", "cannot be read from “b” onwards"),
        ("a in (1 2)", "needs a “[)]”"),
        ("a in (1, 'x')", "of the same kind"),
        ("a = (", "needs a value instead of “[(]”"),
        ("a = 'open", "cannot be read from “'open” onwards"),
    ],
)
def test_a_refusal_says_where_and_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(RagError, match=words):
        parse_where(text)


_NAMES = st.text(alphabet="abcxyz_", min_size=1, max_size=6).filter(lambda n: n not in ("and", "or", "in"))
_VALUES = st.one_of(st.integers(-(10**9), 10**9), st.booleans(), st.text(alphabet="ab'\\ \"ü", max_size=6))


@given(st.lists(st.tuples(_NAMES, _VALUES), min_size=1, max_size=4))
def test_what_is_written_is_what_is_asked_for(conditions: list[tuple[str, Any]]) -> None:
    written = " and ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in conditions)
    expected = [{name: {"$eq": value}} for name, value in conditions]
    assert parse_where(written) == (expected[0] if len(expected) == 1 else {"$and": expected})


Filter = tuple[str, dict[str, Any]]  # as written, as Chroma takes it

_CONDITION: st.SearchStrategy[Filter] = st.builds(
    lambda name, sign, value: (f"{name} {sign[0]} {value}", {name: {sign[1]: value}}),
    _NAMES,
    st.sampled_from(
        [("=", "$eq"), ("!=", "$ne"), (">", "$gt"), (">=", "$gte"), ("<", "$lt"), ("<=", "$lte")]
    ),
    st.integers(-99, 99),
)
_LIST: st.SearchStrategy[Filter] = st.builds(
    lambda name, values: (f"{name} in ({', '.join(map(str, values))})", {name: {"$in": values}}),
    _NAMES,
    st.lists(st.integers(0, 99), min_size=1, max_size=3),
)


def joined(word: str, parts: list[Filter]) -> Filter:
    written = f" {word} ".join(f"({text})" for text, _ in parts)
    return written, {f"${word}": [expected for _, expected in parts]}


_NESTED = st.recursive(
    _CONDITION | _LIST,
    lambda inner: st.builds(joined, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=8,
)


@given(_NESTED)
def test_brackets_may_nest_as_deep_as_anyone_writes_them(made: Filter) -> None:
    written, expected = made
    assert parse_where(written) == expected
    assert parse_where(f"( {written} )") == expected


@given(_NESTED)
def test_a_filter_that_breaks_off_is_refused(made: Filter) -> None:
    for rest in (" and", " or (", " ="):
        with pytest.raises(RagError):
            parse_where(made[0] + rest)
