"""The [n] marker of answers: what counts as a citation, and what a text is without them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.citations import (
    MARKER,
    MARKER_GROUP,
    listed_markers_of,
    markers_of,
    without_citations,
    without_listed_markers,
    without_markers,
)


@pytest.mark.parametrize(
    ("text", "plain", "listed"),
    [
        ("", set(), set()),
        ("No marker, only 3 and (4).", set(), set()),
        ("Oslo [1]. Bergen [2][13], again [2].", {1, 2, 13}, {1, 2, 13}),
        ("Both [1, 2] and [3;4] and [5].", {5}, {1, 2, 3, 4, 5}),
        ("A range [1-3] or [1–3] is neither.", set(), set()),
        ("A year [2024] has four digits.", set(), set()),
        ("Zero [0] is a number like any other.", {0}, {0}),
        ("Half open [1 or 2] says nothing.", set(), set()),
    ],
)
def test_markers_are_found_alone_and_in_lists(text: str, plain: set[int], listed: set[int]) -> None:
    assert markers_of(text) == plain
    assert listed_markers_of(text) == listed


@pytest.mark.parametrize("text", ["[3]", "[1, 2]", "[1;2]", "[1-4]", "[1 – 4]", "[12, 13 ,14]"])
def test_a_group_is_a_marker_a_list_or_a_range(text: str) -> None:
    assert re.fullmatch(MARKER_GROUP, text)


@pytest.mark.parametrize("text", ["[]", "[a]", "[1,]", "[1234]", "(1)", "[1 2]"])
def test_other_brackets_are_no_group(text: str) -> None:
    assert re.fullmatch(MARKER_GROUP, text) is None


def test_each_way_to_remove_markers_leaves_what_it_promises() -> None:
    text = "Open at 9 [1]. Closed on Sunday [1, 2]. [3]"
    assert without_markers(text) == "Open at 9 . Closed on Sunday [1, 2]. "
    assert without_listed_markers(text) == "Open at 9 . Closed on Sunday . "
    assert without_citations(text) == "Open at 9. Closed on Sunday [1, 2]."


@given(st.lists(st.one_of(st.integers(0, 999), st.text(alphabet="ab c.\n", max_size=8)), max_size=12))
def test_numbers_that_were_written_are_the_numbers_that_are_read(parts: list[int | str]) -> None:
    text = "".join(f"[{part}]" if isinstance(part, int) else part for part in parts)
    numbers = {part for part in parts if isinstance(part, int)}
    assert markers_of(text) == listed_markers_of(text) == numbers
    bare = "".join(part for part in parts if isinstance(part, str))
    assert without_markers(text) == without_listed_markers(text) == bare
    assert "".join(without_citations(text).split()) == "".join(bare.split())
    assert not MARKER.search(without_citations(text))
