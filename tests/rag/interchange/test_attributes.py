"""Values are read as senders really write them."""

from typing import Any

import pytest

from rag.interchange.attributes import as_float, as_int, as_text, listed, parsed


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        (3, 3, 3.0), ("3", 3, 3.0), (2.5, 2, 2.5), (0, 0, 0.0), (-1, None, -1.0), (True, None, None), ("x", None, None),
        (None, None, None), (float("nan"), None, None), ("inf", None, None), ([1], None, None), (10**400, None, None),
    ],
)  # fmt: skip
def test_figures_that_are_none_are_unknown(value: Any, whole: int | None, number: float | None) -> None:
    assert as_int(value) == whole and as_float(value) == number


def test_texts_and_json_in_texts() -> None:
    assert [as_text(value) for value in (None, "a", 5, ["ü"], {"a": 1})] == [
        "",
        "a",
        "5",
        '["ü"]',
        '{"a": 1}',
    ]
    assert parsed('[1, "a"]') == [1, "a"] and parsed("[broken") == "[broken" and parsed("plain") == "plain"
    assert parsed("[" * 100_000) == "[" * 100_000


def test_a_list_is_flattened_or_whole() -> None:
    flat = {
        "m.1.a": "second",
        "m.0.a": "first",
        "m.0.b.1": "y",
        "m.0.b.0": "x",
        "m.x": 1,
        "m.99999.a": 1,
        "mm.0": 2,
    }
    assert listed(flat, "m") == [{"a": "first", "b": ["x", "y"]}, {"a": "second"}]
    assert listed({"m.0": "a", "m.1": "b"}, "m") == ["a", "b"]
    assert listed({"m": [1, 2]}, "m") == listed({"m": "[1, 2]"}, "m") == [1, 2]
    assert listed({"m": '{"a": 1}'}, "m") == [{"a": 1}] and listed({"m": "text"}, "m") == ["text"]
    assert listed({"m.0.a": 1, "m.0.a.b": 2, "m.0": 3}, "m") == [3] and listed({}, "m") == []
