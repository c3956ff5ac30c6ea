"""Cards, accounts, phones and IP addresses, and the numbers that are none."""

import pytest

from rag.guardrails import personal_data
from rag.guardrails.rows import PersonalData


def values(text: str, kind: PersonalData) -> list[str]:
    return [text[found.start : found.end] for found in personal_data.find(text, {kind})]


@pytest.mark.parametrize(
    "number", ["4111 1111 1111 1111", "5500000000000004", "3782-822463-10005", "30569309025904"]
)
def test_a_card_is_found_by_its_checksum(number: str) -> None:
    assert values(f"My card {number} was lost.", PersonalData.CARD) == [number]


@pytest.mark.parametrize(
    "text", ["card 4111 1111 1111 1112", "the value 1234567812345670", "card 0000000000000000"]
)
def test_a_number_with_another_checksum_or_issuer_is_no_card(text: str) -> None:
    assert values(text, PersonalData.CARD) == []


def test_a_word_near_an_unknown_issuer_makes_it_a_card() -> None:
    assert values("Credit card 1234567812345670 please", PersonalData.CARD) == ["1234567812345670"]


def test_an_iban_ends_where_its_checksum_does() -> None:
    text = "Pay to DE89 3704 0044 0532 0130 00 by May or GB82WEST12345698765432."
    assert values(text, PersonalData.IBAN) == ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"]
    assert values("DE88 3704 0044 0532 0130 00", PersonalData.IBAN) == []


@pytest.mark.parametrize(
    "number", ["+49 30 901820", "+1-212-555-0123", "(202) 456-1111", "0044 20 7946 0018", "202-456-1111 x42"]
)
def test_a_phone_number_is_found_by_its_form(number: str) -> None:
    assert values(f"It is {number}, thanks.", PersonalData.PHONE) == [number]


def test_a_word_near_a_number_makes_it_a_phone() -> None:
    assert values("Phone: 72 128 827", PersonalData.PHONE) == ["72 128 827"]
    assert values("It weighs 72 128 827 grams", PersonalData.PHONE) == []


@pytest.mark.parametrize(
    "text",
    [
        "from 2019-04-12 to 2020-05-13",
        "ISBN 978-3-16-148410-0",
        "costs 1 234 567 890 euros",
        "the years 1939-1945",
        "Tel. since 2001-2003",
        "version 10.15.7 build 19H2",
    ],
)
def test_dates_and_other_numbers_are_no_phones(text: str) -> None:
    assert values(text, PersonalData.PHONE) == []


def test_ip_addresses_are_found_and_versions_are_not() -> None:
    text = "Host 203.0.113.77 and 2001:db8::8a2e:370:7334; version 10.2.3.4, section 1.2.3.4, 127.0.0.1, 999.1.1.1"
    assert values(text, PersonalData.IP_ADDRESS) == ["203.0.113.77", "2001:db8::8a2e:370:7334"]


def test_a_card_is_not_also_a_phone() -> None:
    text = "Call me about card 4111 1111 1111 1111"
    assert [found.kind for found in personal_data.find(text)] == [PersonalData.CARD]
    assert values(text, PersonalData.PHONE) == []


def test_a_text_without_digits_has_no_numbers() -> None:
    assert personal_data.find("No number is here, call me.", {PersonalData.PHONE, PersonalData.CARD}) == []
