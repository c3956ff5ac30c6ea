"""National identifiers: their forms, checksums and words."""

import pytest

from rag.guardrails import personal_data
from rag.guardrails.identifiers import IDENTIFIERS
from rag.guardrails.rows import PersonalData


def found(text: str) -> list[tuple[str, str]]:
    return [(text[f.start : f.end], f.reason) for f in personal_data.find(text, {PersonalData.NATIONAL_ID})]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("My SSN is 536-90-4399.", "536-90-4399"),
        ("NHS number 943 476 5870", "943 476 5870"),
        ("SIN: 123-456-782", "123-456-782"),
        ("Steuer-ID 36 574 261 809", "36 574 261 809"),
        ("AHV 756.9217.0769.85", "756.9217.0769.85"),
        ("NIR 2 95 10 99 126 111 93", "2 95 10 99 126 111 93"),
        ("DNI 54362315K", "54362315K"),
        ("NIE X-5253868-R", "X-5253868-R"),
        ("codice fiscale RCCMNL83S18D969H", "RCCMNL83S18D969H"),
        ("BSN 1112.22.333", "1112.22.333"),
        ("personnummer 880320-0016", "880320-0016"),
        ("hetu 131052-308T", "131052-308T"),
        ("PESEL 44051401359", "44051401359"),
        ("rodné číslo 710319/2745", "710319/2745"),
        ("CPF 390.533.447-05", "390.533.447-05"),
        ("CNP 1630615123457", "1630615123457"),
        ("Aadhaar 2341 2341 2346", "2341 2341 2346"),
    ],
)
def test_an_identifier_is_found_where_it_is_named(text: str, value: str) -> None:
    assert [one for one, _ in found(text)] == [value]


def test_digits_with_a_checksum_need_a_word_near_them() -> None:
    assert found("The part 44051401359 is sold out.") == []
    assert found("Order 123456782 arrived.") == []


def test_a_form_of_its_own_needs_no_word() -> None:
    assert found("His number: 390.533.447-05")[0][1] == "a Brazilian CPF"
    assert found("His number: 390.533.447-06") == []


def test_a_wrong_checksum_is_not_found_even_when_it_is_named() -> None:
    assert found("PESEL 44051401358, NHS number 943 476 5871") == []


def test_at_least_ten_countries_are_known_and_all_their_modules_exist() -> None:
    assert len({one.country for one in IDENTIFIERS}) >= 10
    for one in IDENTIFIERS:
        __import__(f"stdnum.{one.country}.{one.module}")
