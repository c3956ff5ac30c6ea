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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ITIN 912-70-1234", "a US taxpayer number"),
        ("NHS number 943 476 5870", "an NHS number"),
        ("TFN 123 456 782", "an Australian tax file number"),
        ("SVNR 1237 010180", "an Austrian insurance number"),
        ("contribuinte 501 964 843", "a Portuguese NIF"),
        ("Cartão de cidadão 00000000 0 ZZ4", "a Portuguese citizen card"),
        ("fødselsnummer 151086 95088", "a Norwegian fødselsnummer"),
        ("CPR 211062-5629", "a Danish CPR number"),
        ("EGN 7523169263", "a Bulgarian EGN"),
        ("isikukood 36805280109", "an Estonian isikukood"),
        ("PPS 6433435F", "an Irish PPS number"),
        ("RUT 12.531.909-2", "a Chilean RUT"),
        ("CURP BOXW310820HNERXN09", "a Mexican CURP"),
        ("PAN ACUPA7085R", "an Indian PAN"),
        ("身份证 360426199101010071", "a Chinese resident number"),
        ("identity 7503305044089", "a South African identity number"),
        ("TC kimlik 17291716060", "a Turkish identity number"),
        ("rijksregister 85.07.30-033.28", "a Belgian national number"),
        ("BSN 111222333", "a Dutch BSN"),
    ],
)
def test_the_reason_names_the_country_and_the_number(text: str, reason: str) -> None:
    assert [why for _, why in found(text)] == [reason]


@pytest.mark.parametrize("value", ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567"])
def test_a_number_that_was_never_given_out_is_no_social_security_number(value: str) -> None:
    assert found(f"My SSN is {value}.") == []


@pytest.mark.parametrize(
    "text",
    [
        "PESEL/44051401359",  # a part of a path
        "PESEL 44051401359/2",
        "PESEL x44051401359",
        "PESEL 44051401359x",
        "PESEL 44051401359.5",
        "PESEL -44051401359",
        "PESEL 4405140135",
        "PESEL 440514013590",
    ],
)
def test_a_number_inside_a_longer_word_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "is_near"),
    [
        ("PESEL" + " " * 45 + "44051401359", True),
        ("PESEL" + " " * 51 + "44051401359", False),
        ("44051401359 (PESEL)", True),
        ("44051401359" + " " * 30 + "PESEL", False),
        ("National ID: 44051401359", True),
        ("My personal code is 44051401359", True),
    ],
)
def test_the_word_for_a_number_stands_near_it_or_is_one_for_any_identifier(text: str, is_near: bool) -> None:
    assert bool(found(text)) is is_near


def test_a_number_that_is_named_is_surer_than_one_by_its_form_alone() -> None:
    named, alone = (
        personal_data.find(text, {PersonalData.NATIONAL_ID})[0].score
        for text in ("SSN 536-90-4399", "No. 536-90-4399")
    )
    assert alone < named < 1


@pytest.mark.parametrize("digits", ["٤٤٠٥١٤٠١٣٥٩", "４４０５１４０１３５９", "²²²²²²²²²²²"])
def test_digits_of_other_scripts_raise_nothing(digits: str) -> None:
    assert len(found(f"PESEL {digits}")) <= 1


def test_an_identifier_is_no_phone_number_as_well() -> None:
    text = "PESEL 44051401359, call me"
    assert [one.kind for one in personal_data.find(text)] == [PersonalData.NATIONAL_ID]
