"""Amounts are written with the digits that say something, and estimates and unknowns are called so."""

import pytest

from rag.costs.rows import GroupBy, cost_sentence, group_of, money
from rag.errors import RagError


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "0.00 EUR"), (12.4, "12.40 EUR"), (1234.5, "1,234.50 EUR"), (0.0031, "0.0031 EUR"),
        (0.00000042, "0.00000042 EUR"), (0.9, "0.9 EUR"),
    ],
)  # fmt: skip
def test_an_amount_keeps_the_digits_that_say_something(amount: float, text: str) -> None:
    assert money(amount, "EUR") == text


def test_a_sum_says_what_is_estimated_and_what_is_unknown() -> None:
    amounts, estimated = {"USD": 1.2, "EUR": 0.5}, {"EUR": 0.1}
    assert (
        cost_sentence(amounts, estimated, 14) == "about 0.5 EUR and 1.20 USD and 14 answers of unknown cost"
    )
    assert cost_sentence({}, {}, 1) == "1 answer of unknown cost"
    assert cost_sentence({}, {}, 0) == "nothing"


def test_a_wrong_grouping_is_a_sentence_with_the_right_ones() -> None:
    assert group_of("day") is GroupBy.DAY
    with pytest.raises(RagError, match=r"not summed up by “colour”. Choose one of layer, model, collection"):
        group_of("colour")
