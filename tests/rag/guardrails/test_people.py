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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sir Arthur Conan Doyle came", "Arthur Conan Doyle"),
        ("Señora García came", "García"),
        ("Signor Rossi came", "Rossi"),
        ("Prof. Dr. Müller", "Müller"),
        ("Mr. O'Brien", "O'Brien"),
        ("Ms. Jean-Luc", "Jean-Luc"),
        ("Dear Ms. Okonkwo:", "Okonkwo"),
        ("From: Ann Lee", "Ann Lee"),
        ("“Yes,” replied Okafor", "Okafor"),
        ("the author Nwosu", "Nwosu"),
        ("My son Kwame sleeps", "Kwame"),
        ("an interview with Ngozi Adichie.", "Ngozi Adichie"),
        ("It is Anna's", "Anna"),
        ("It is Anna’s", "Anna"),
    ],
)
def test_a_name_is_found_whole_and_without_what_is_around_it(text: str, name: str) -> None:
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. No",
        "St. Peter",
        "Lake Angela",
        "Saint Angela",
        "NASA",
        "Dear All,",
        "Hi Team",
        "called IT",
        "",
        "x",
    ],
)
def test_places_companies_and_greetings_are_no_names(text: str) -> None:
    assert names(text) == []


def test_a_title_is_surer_than_a_first_name_alone() -> None:
    titled, known = (people.find(text)[0].score for text in ("Mrs. Angela came", "and Angela came"))
    assert titled > known


def test_a_doubtful_name_is_not_looked_for_again() -> None:
    assert [one.reason for one in people.find("It was Angela. Angela left.")] == ["a known first name"] * 2


def test_a_very_long_word_costs_no_more_than_its_length() -> None:
    assert names("Mr. " + "Aa" * 20_000) is not None


def test_every_finding_is_a_name_of_a_person_inside_the_text() -> None:
    text = "Dear Wanjiru, Mr. O'Brien said that Anna's friend Kwame D. Mensah lives here."
    for one in people.find(text):
        assert one.kind == PersonalData.PERSON and 0 <= one.start < one.end <= len(text)
        assert text[one.start].isupper() and not text[one.end - 1].isspace()
