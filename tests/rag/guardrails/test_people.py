"""Names of people by rules."""

import pytest

from rag.guardrails import people, personal_data
from rag.guardrails.rows import PersonalData


def names(text: str) -> list[str]:
    return [text[found.start : found.end] for found in personal_data.find(text, {PersonalData.PERSON})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Leiva flew home.", ["Leiva"]),
        ("Ask Frau Dr. Özdemir.", ["Özdemir"]),
        ("My name is Rubija", ["Rubija"]),
        ("What's your last name? Magnusson", ["Magnusson"]),
        ("Dear Wanjiru, thank you.", ["Wanjiru"]),
        ("verses by Faina D. Yefremova", ["Faina D. Yefremova"]),
        ("Isabella van Dijk signed it.", ["Isabella van Dijk"]),
        ("“We agree,” says Hartvigsson.", ["Hartvigsson"]),
        ("It was Angela's idea.", ["Angela"]),
    ],
)
def test_a_name_is_found(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The Meeting starts on Monday in Room 12.",
        "Dear Customer Service, hello.",
        "I am Not Sure",
        "We use Python and Linux.",
        "The Angela Merkel Institute"[:4] + "University",
        "from the Lake Victoria region",
    ],
)
def test_ordinary_capitals_are_no_names(text: str) -> None:
    assert names(text) == []


def test_a_part_of_a_name_is_found_again() -> None:
    text = "Dr. Kyle Kuefer came. Later Kuefer left, and Kuefers stayed."
    assert names(text) == ["Kyle Kuefer", "Kuefer"]


def test_known_first_names_are_words_with_capitals() -> None:
    known = people.first_names()
    assert len(known) > 5000
    assert {"Angela", "Krisztián"} <= known
    assert not {"Grace", "May", "The", "Said"} & known
    assert all(name[0].isupper() for name in known)
