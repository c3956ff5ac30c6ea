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
