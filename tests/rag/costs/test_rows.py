"""Amounts are written with the digits that say something, and estimates and unknowns are called so."""

import random

import pytest

from rag.costs.rows import GroupBy, cost_sentence, forecast_month, group_of, money
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


def test_a_forecast_adds_the_days_to_come_and_never_falls_below_what_is_spent() -> None:
    found = forecast_month(10.0, [1.0, 2.0, 3.0, 2.0], 5, "EUR")
    assert found is not None
    assert found.expected == pytest.approx(20.0)
    assert 10.0 <= found.low < 20.0 < found.high
    assert found.high - 20.0 == pytest.approx(20.0 - found.low)
    even = forecast_month(10.0, [2.0] * 10, 5, "EUR")
    assert even is not None
    assert (even.low, even.expected, even.high, even.days) == (20.0, 20.0, 20.0, 10)
    wild = forecast_month(10.0, [0.0, 0.0, 30.0], 1, "EUR")
    assert wild is not None
    assert wild.low == 10.0


def test_a_forecast_needs_three_days() -> None:
    assert forecast_month(10.0, [1.0, 2.0], 5, "EUR") is None


def test_a_forecast_covers_months_to_come_as_often_as_it_says() -> None:
    chance = random.Random(1)
    covered = 0
    for _ in range(2000):
        days = [chance.gammavariate(4.0, 0.5) for _ in range(24)]
        found = forecast_month(0.0, days[:14], 10, "EUR")
        assert found is not None
        covered += found.low <= sum(days[14:]) <= found.high
    assert 0.86 <= covered / 2000 <= 0.94
