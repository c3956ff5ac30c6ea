"""Amounts are written with the digits that say something, and estimates and unknowns are called so."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.costs.rows import CostSum, GroupBy, cost_sentence, forecast_month, group_of, money
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


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1.0, "1.00 EUR"),
        (0.999, "1.00 EUR"),
        (0.996, "1.00 EUR"),
        (0.994, "0.99 EUR"),
        (0.5, "0.5 EUR"),
        (0.105, "0.1 EUR"),
        (0.00999, "0.01 EUR"),
        (-0.25, "-0.25 EUR"),
        (-0.999, "-1.00 EUR"),
        (-3, "-3.00 EUR"),
        (0.00000000000042, "0.00000000000042 EUR"),
        (1e-15, "0.000000000000001 EUR"),
        (1_234_567.891, "1,234,567.89 EUR"),
    ],
)
def test_an_amount_near_a_whole_one_or_near_nothing_is_a_number(amount: float, text: str) -> None:
    assert money(amount, "EUR") == text


@given(st.floats(1e-15, 1e9))
def test_an_amount_is_never_shown_as_nothing_nor_far_from_itself(amount: float) -> None:
    number = money(amount, "EUR").removesuffix(" EUR")
    assert not number.endswith(".")
    assert float(number.replace(",", "")) == pytest.approx(amount, rel=0.06)


@pytest.mark.parametrize(
    ("amounts", "estimated", "unknown", "sentence"),
    [
        ({"EUR": 1.0}, {}, 0, "1.00 EUR"),
        ({"EUR": 1.0}, {"EUR": 0.0}, 0, "1.00 EUR"),
        ({"EUR": 1.0}, {"USD": 1.0}, 0, "1.00 EUR"),
        ({"EUR": 1.0}, {"EUR": 1.0}, 0, "about 1.00 EUR"),
        ({"USD": 2.0, "CHF": 1.0}, {}, 0, "1.00 CHF and 2.00 USD"),
        ({"EUR": 0.0}, {}, 0, "0.00 EUR"),
        ({"EUR": 1.0}, {}, 1, "1.00 EUR and 1 answer of unknown cost"),
        ({}, {}, 2000, "2,000 answers of unknown cost"),
    ],
)
def test_a_sum_of_any_currencies_is_a_sentence(
    amounts: dict[str, float], estimated: dict[str, float], unknown: int, sentence: str
) -> None:
    assert cost_sentence(amounts, estimated, unknown) == sentence
    found = CostSum("k", amounts=amounts, estimated=estimated, unknown_answers=unknown)
    assert found.sentence() == sentence


@pytest.mark.parametrize("group", list(GroupBy))
def test_every_grouping_is_found_by_its_name(group: GroupBy) -> None:
    assert group_of(str(group)) is group


@pytest.mark.parametrize("name", ["", "Day", "days", " day"])
def test_a_grouping_is_named_exactly(name: str) -> None:
    with pytest.raises(RagError, match="Choose one of"):
        group_of(name)


def test_a_month_that_is_over_costs_what_was_spent() -> None:
    found = forecast_month(7.0, [1.0, 5.0, 2.0], 0, "EUR")
    assert found is not None
    assert (found.low, found.expected, found.high, found.currency) == (7.0, 7.0, 7.0, "EUR")


DAYS = st.lists(st.floats(0, 1e4), min_size=3, max_size=40)


@given(st.floats(0, 1e4), DAYS, st.floats(0, 31))
def test_a_forecast_lies_within_its_bounds_and_above_what_is_spent(
    spent: float, days: list[float], left: float
) -> None:
    found = forecast_month(spent, days, left, "EUR")
    assert found is not None
    assert spent <= found.low <= found.expected + 1e-6
    assert found.expected <= found.high
    assert found.days == len(days)
