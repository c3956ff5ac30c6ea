"""Postal addresses and dates of birth."""

import pytest

from rag.guardrails import personal_data
from rag.guardrails.rows import PersonalData


def values(text: str, kind: PersonalData = PersonalData.ADDRESS) -> list[str]:
    return [text[found.start : found.end] for found in personal_data.find(text, {kind})]


@pytest.mark.parametrize(
    "address",
    [
        "2450 Crown Street",
        "Goethestraße 12",
        "Storgatan 5",
        "12 rue de la Paix",
        "Via Tasso 129",
        "P.O. Box 149",
        "PSC 0413, Box 8144\nAPO AA 42323",
    ],
)
def test_an_address_is_found(address: str) -> None:
    assert values(f"She lives at {address}") == [address]


def test_an_address_goes_on_over_its_lines() -> None:
    text = "Send it to\n45 Hill Road\nApt. 7\nSpringfield 12345\nThank you"
    assert values(text) == ["45 Hill Road\nApt. 7\nSpringfield 12345"]


@pytest.mark.parametrize(
    "text",
    [
        "In 2018 March 2018 came",
        "It took place on April 1",
        "Table 3 shows 12 rows",
        "5 Musicians Of The 70s",
    ],
)
def test_numbers_in_sentences_are_no_addresses(text: str) -> None:
    assert values(text) == []


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("She was born on 8/5/1989.", "8/5/1989"),
        ("Date of birth: 1 March 1970", "1 March 1970"),
        ("geboren am 24.12.1980", "24.12.1980"),
        ("DOB 1990-01-31", "1990-01-31"),
    ],
)
def test_a_date_after_a_word_for_birth_is_found(text: str, date: str) -> None:
    assert values(text, PersonalData.BIRTH_DATE) == [date]


def test_any_other_date_is_not() -> None:
    assert values("The meeting on 8/5/1989 was long.", PersonalData.BIRTH_DATE) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("1 Main St", "1 Main St"),
        ("221B Baker Street", "221B Baker Street"),
        ("10 Downing Street, London SW1A 2AA", "10 Downing Street, London SW1A 2AA"),
        ("Hauptstr. 5, 10115 Berlin", "Hauptstr. 5, 10115"),
        ("Calle Mayor 10", "Calle Mayor 10"),
        ("Piazza Navona 3", "Piazza Navona 3"),
        ("Marktplatz 1", "Marktplatz 1"),
        ("Postfach 12", "Postfach 12"),
        ("Suite 5", "Suite 5"),
        ("Flat 3", "Flat 3"),
        ("28245 Puruntie 82", "28245 Puruntie 82"),
    ],
)
def test_an_address_of_another_country_is_found(text: str, address: str) -> None:
    assert values(text) == [address]


@pytest.mark.parametrize(
    "text",
    ["Main Street", "It is 5 o'clock", "the way 5", "Weg 5", "no digit here", "12 Cats And 3 dogs", ""],
)
def test_a_street_or_a_number_alone_is_no_address(text: str) -> None:
    assert values(text) == []


def test_a_name_between_two_numbers_needs_a_word_for_an_address() -> None:
    assert values("12 Golden Rings 4") == []
    assert values("He lives at 12 Golden Rings 4") == ["12 Golden Rings 4"]
    assert values("He lives at 12 March 4") == [], "a date"


def test_an_address_that_is_named_is_surer() -> None:
    named, alone = (
        personal_data.find(f"{words} 1 Main St", {PersonalData.ADDRESS})[0].score
        for words in ("Deliver to", "We saw")
    )
    assert alone < named


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("born 1 May 1970", "1 May 1970"),
        ("Born on May 1st, 1970", "May 1st, 1970"),
        ("geb. 1.5.1970", "1.5.1970"),
        ("nacida el 1/5/70", "1/5/70"),
        ("birthday: 1970/05/01", "1970/05/01"),
        ("Data di nascita 1/5/1970", "1/5/1970"),
        ("född 1970-05-01", "1970-05-01"),
        ("urodzen 1970-05-01", "1970-05-01"),
    ],
)
def test_a_date_of_birth_is_found_in_other_languages(text: str, date: str) -> None:
    assert values(text, PersonalData.BIRTH_DATE) == [date]


@pytest.mark.parametrize(
    "text",
    [
        "born in 1970",
        "newborn 1/5/1970 stubborn",
        "Born long ago, says the book that we read, and much later, on 1/5/1970, …",
        "1/5/1970 is when she was born",
    ],
)
def test_a_date_without_a_word_for_birth_right_before_it_is_none(text: str) -> None:
    assert values(text, PersonalData.BIRTH_DATE) == []
