"""Figures, dates and written-out numbers are found and compared by what they are worth."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.grounding.numbers import Numbers, Quantity, quantities, same


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1,200", "twelve hundred", True),
        ("twenty-five", "25", True),
        ("$1.5 million", "1500000 dollars", True),
        ("1.5 km", "1500 m", True),
        ("5 km", "5 miles", False),
        ("20%", "20 percent", True),
        ("March 12, 2019", "12 March 2019", True),
        ("March 2019", "2019-03-12", True),
        ("12 March 2019", "13 March 2019", False),
        ("2019", "12 March 2019", True),
        ("2021", "12 March 2019", False),
        ("2 hours", "120 minutes", True),
        ("5", "5 kg", True),
        ("third", "3rd", True),
    ],
)
def test_figures_are_compared_by_value(one: str, other: str, equal: bool) -> None:
    (first,), (second,) = quantities(one), quantities(other)
    assert same(first, second) == equal
    assert Numbers([second]).contains(first) == equal


@given(st.text(alphabet="0123456789.,-/$%° kmMarchJune[]", max_size=40))
def test_any_text_has_quantities_with_true_offsets(text: str) -> None:
    for quantity in quantities(text):
        assert text[quantity.start : quantity.end] == quantity.text


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("1,200", 1200, ""),
        ("3.5 km", 3500, "length"),
        ("5 miles", 8046.72, "length"),
        ("250 g", 250, "mass"),
        ("2 hours", 7200, "time"),
        ("3 years", 36, "months"),
        ("20%", 20, "%"),
        ("20 per cent", 20, "%"),
        ("$1.5 million", 1_500_000, "$"),
        ("€ 18", 18, "€"),
        ("90 °C", 90, "°c"),
        ("90 km/h", 25, "speed"),
        ("16 GB", 16e9, "bytes"),
        ("1 GiB", 2**30, "bytes"),
        ("twenty-five", 25, ""),
        ("two hundred and five", 205, ""),
        ("three million", 3_000_000, ""),
        ("a dozen eggs and four dozen", 48, ""),
        ("twelve metres", 12, "length"),
        ("1995", 1995, "year"),
        ("3000", 3000, ""),
        ("third", 3, "ordinal"),
        ("21st", 21, "ordinal"),
        ("12 March 2019", 20190312, "date"),
        ("March 12th, 2019", 20190312, "date"),
        ("2019-03-12", 20190312, "date"),
        ("Sept. 2019", 20190900, "date"),
        ("4 July", 704, "date"),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, value: float, kind: str) -> None:
    found = quantities(text)[-1]
    assert (found.value, found.kind) == (pytest.approx(value), kind)
    assert text[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no number",
        "one of them",
        "a million reasons",
        "in may 5",
        "on the second hand",
        "abc123",
        "seconds",
        "1.2.3",
    ],
)
def test_what_only_looks_like_a_number_is_none_of_that_kind(text: str) -> None:
    found = quantities(text)
    assert not any(quantity.kind in ("date", "ordinal", "year", "time") for quantity in found)
    assert all(quantity.value < 10 for quantity in found)


def test_numbers_come_in_the_order_of_the_text_and_never_overlap() -> None:
    text = "On 12 March 2019 two of 1,200 cars drove 5 km; the third drove 20%."
    found = quantities(text)
    assert [q.text for q in found] == ["12 March 2019", "two", "1,200", "5 km", "third", "20%"]
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1 mile", "1.609 km", True),
        ("1 mile", "1.7 km", False),
        ("5 kg", "5 litres", False),
        ("5 kg", "5", True),
        ("$5", "€5", False),
        ("12 March", "12 March 2019", True),
        ("March 2019", "April 2019", False),
        ("2019", "2019 cars", True),
        ("3rd", "3", True),
        ("3rd", "3 kg", False),
        ("12 March 2019", "12", False),
    ],
)
def test_a_less_exact_number_agrees_with_an_exact_one_and_another_unit_does_not(
    one: str, other: str, equal: bool
) -> None:
    (first,), (second,) = quantities(one), quantities(other)[:1]
    assert same(first, second) is equal
    assert same(second, first) is equal
    assert Numbers([second]).contains(first) is equal


def test_no_numbers_hold_nothing() -> None:
    (five,) = quantities("5 km")
    assert not Numbers([]).contains(five)


_QUANTITIES = st.sampled_from(
    [q for text in ("5", "5 km", "5,000 m", "3.1 miles", "2019", "12 March 2019", "March 2019", "20%", "third")
     for q in quantities(text)]
)  # fmt: skip


@given(_QUANTITIES, st.lists(_QUANTITIES, max_size=5))
def test_looking_up_finds_what_comparing_with_each_finds(one: Quantity, others: list[Quantity]) -> None:
    others_too = [other for other in others if (one.kind, other.kind) != ("date", "year")]
    assert Numbers(others).contains(one) == any(same(one, other) for other in others_too)


@given(_QUANTITIES, _QUANTITIES)
def test_being_the_same_goes_both_ways(one: Quantity, other: Quantity) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)


@given(st.integers(0, 999_999))
def test_an_integer_is_the_same_with_and_without_its_commas(number: int) -> None:
    (plain,), (grouped,) = quantities(f"{number} kg"), quantities(f"{number:,} kg")
    assert plain.value == grouped.value == number * 1000
    assert same(plain, grouped)


def test_a_year_is_found_in_its_day_and_a_day_not_in_its_year() -> None:
    """Hypothesis found that looking up and comparing with each differ here; measured, looking up is right."""
    day = Quantity(value=20190312.0, kind="date", text="12 March 2019", start=0, end=13)
    year = Quantity(value=2019.0, kind="year", text="2019", start=0, end=4)
    other = Quantity(value=2020.0, kind="year", text="2020", start=0, end=4)
    assert same(day, year) and same(year, day)
    assert Numbers([day]).contains(year)
    assert not Numbers([year]).contains(day)
    assert not Numbers([other]).contains(day)
    assert Numbers([other, year, day]).contains(day)
