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


@pytest.mark.parametrize(
    "number",
    ["4222222222222", "6011000990139424", "3530111333300000", "2223003122003222", "378282246310005"],
)
def test_cards_of_all_issuers_are_found_without_a_word(number: str) -> None:
    assert values(f"It was {number}.", PersonalData.CARD) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111-9",
        "x4111111111111111",
        "-4111111111111111",
        "1.4111111111111111",
        "41111111111111111111",  # twenty digits
        "card 1111 1111 1111 1111",  # one digit only
    ],
)
def test_a_part_of_a_longer_number_is_no_card(text: str) -> None:
    assert values(text, PersonalData.CARD) == []


def test_a_card_that_is_named_is_surer() -> None:
    named, alone = (
        personal_data.find(f"{word} 4111111111111111")[0].score for word in ("my visa", "the number")
    )
    assert (named, alone) == (0.99, 0.8)


@pytest.mark.parametrize(
    "account",
    [
        "FR14 2004 1010 0505 0001 3M02 606",
        "NL91ABNA0417164300",
        "de89370400440532013000",
        "DE89-3704-0044-0532-0130-00",
        "NO9386011117947",
        "CH93 0076 2011 6238 5295 7",
    ],
)
def test_an_iban_is_found_however_it_is_written(account: str) -> None:
    assert values(f"It is {account}.", PersonalData.IBAN) == [account]
    assert values(f"It is {account} next week", PersonalData.IBAN) == [account]


@pytest.mark.parametrize("text", ["XX89 3704 0044 0532 0130 00", "DE89 3704", "RE12 words like these four"])
def test_what_only_looks_like_an_iban_is_none(text: str) -> None:
    assert values(text, PersonalData.IBAN) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("server 8.8.8.8", "8.8.8.8"),
        ("192.168.1.20", "192.168.1.20"),
        ("It is 93.184.216.34.", "93.184.216.34"),
        ("93.184.216.34:80", "93.184.216.34"),
        ("fe80::1", "fe80::1"),
        ("host ::ffff:93.184.216.34", "93.184.216.34"),
    ],
)
def test_an_ip_address_is_found_with_its_port_and_full_stop_left_out(text: str, address: str) -> None:
    assert values(text, PersonalData.IP_ADDRESS) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "8.8.8.8",  # a numbered section, unless something names it
        "version 93.184.216.34",
        "chapter 93.184.216.34",
        "v93.184.216.34",
        "256.1.1.1",
        "host 01.2.3.4",
        "host 1.2.3.4.5",
        "host 0.0.0.0",
        "host 224.0.0.1",
        "host ::1",
        "at 12:34:56",
    ],
)
def test_versions_times_and_addresses_of_nobody_are_no_ip_addresses(text: str) -> None:
    assert values(text, PersonalData.IP_ADDRESS) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 (0)30 901820", "+49 (0)30 901820"),
        ("call 555 1234", "555 1234"),
        ("Tel. 030/901820", "030/901820"),
        ("It is 030 90 18 20 1", "030 90 18 20 1"),
        ("+1 800 555 0199 ext. 12", "+1 800 555 0199 ext. 12"),
        ("fax 9018201", "9018201"),
        ("202.456.1111", "202.456.1111"),
        ("call me on 0171 2345678 tonight", "0171 2345678"),
        ("+999 12345678", "+999 12345678"),
    ],
)
def test_a_phone_number_ends_where_it_does(text: str, number: str) -> None:
    assert values(text, PersonalData.PHONE) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "order 202-456-1111",
        "$2024561111",
        "1,202-456-1111",
        "phone 1111111",  # one digit only
        "tel: 2024-11-28",
        "fax 901820",  # six digits
        "call 1234567890123456789",
        "call 555\n1234",
    ],
)
def test_prices_orders_and_dates_are_no_phones_even_where_one_is_named(text: str) -> None:
    assert values(text, PersonalData.PHONE) == []
