"""Two texts, word by word."""

from hypothesis import given
from hypothesis import strategies as st

from rag.text.word_diff import word_diff


def test_words_that_were_replaced_added_and_removed_are_told_apart() -> None:
    assert word_diff("the old boat", "the new boat") == (
        ("equal", "the ", "the "),
        ("replace", "old", "new"),
        ("equal", " boat", " boat"),
    )
    assert word_diff("a b", "a b c") == (("equal", "a b", "a b"), ("insert", "", " c"))
    assert word_diff("a b", "a") == (("equal", "a", "a"), ("delete", " b", ""))
    assert word_diff("", "") == ()


@given(st.text(alphabet="ab ,\n.é船", max_size=60), st.text(alphabet="ab ,\n.é船", max_size=60))
def test_either_side_gives_its_text_back(old: str, new: str) -> None:
    parts = word_diff(old, new)
    assert "".join(part[1] for part in parts) == old
    assert "".join(part[2] for part in parts) == new
    assert all((part[0] == "equal") == (part[1] == part[2]) for part in parts)
