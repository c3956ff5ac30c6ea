"""Lists and objects that programs write into the cells of a table."""

import pytest

from rag.evaluation.formats.cells import ANSWER_KEYS, cell_value, text_of, texts_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("[1] is the source", "[1] is the source"),
        ("[1]", "[1]"),
        ("['a', \"it's\"]", ["a", "it's"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a'\n 'b' 'c']", ["a", "b", "c"]),
        ("array(['a', 'b'], dtype=object)", ["a", "b"]),
        ("[]", "[]"),
        ('{"answer": "18 kg"}', {"answer": "18 kg"}),
        ("{braces} are text", "{braces} are text"),
        (r"['a\'b']", ["a'b"]),
    ],
)
def test_a_cell_is_a_list_an_object_or_a_text(text: str, value: object) -> None:
    assert cell_value(text, "cell") == value


@pytest.mark.parametrize("text", ["['a', b]", "['a' ... 'z']", "['open"])
def test_what_begins_like_a_list_and_is_none_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="begins like a list"):
        cell_value(text, "contexts")


def test_the_texts_of_values_and_what_else_they_have() -> None:
    assert texts_of(["a", " ", "b"], ANSWER_KEYS, "x") == (["a", "b"], {})
    assert texts_of(None, ANSWER_KEYS, "x") == ([], {})
    assert text_of({"only": "one"}, ANSWER_KEYS, "x") == ("one", {})
    with pytest.raises(ValueError, match="neither a text nor an object"):
        text_of(5, ANSWER_KEYS, "x")
