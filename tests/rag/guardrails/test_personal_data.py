"""Personal data in texts, and placeholders for it."""

from rag.guardrails import personal_data
from rag.guardrails.personal_data import Masker
from rag.guardrails.rows import Check, Finding, PersonalData


def values(text: str, kind: PersonalData) -> list[str]:
    """Return what is found of a kind."""
    return [text[found.start : found.end] for found in personal_data.find(text, {kind})]


def at(text: str, part: str, kind: PersonalData = PersonalData.PERSON, score: float = 1.0) -> Finding:
    """Return a finding of a part of a text."""
    start = text.index(part)
    return Finding(Check.PERSONAL_DATA, kind, start, start + len(part), score, "a test")


def test_an_email_address_ends_before_the_full_stop() -> None:
    assert values("Write to ann.lee+x@mail.example.org.", PersonalData.EMAIL) == [
        "ann.lee+x@mail.example.org"
    ]
    assert values("user@localhost and @handle are none", PersonalData.EMAIL) == []


def test_kinds_that_are_not_asked_for_are_not_returned() -> None:
    assert personal_data.find("ann@example.org", {PersonalData.CARD}) == []


def test_a_value_has_the_same_placeholder_in_all_texts() -> None:
    masker = Masker()
    first, second = "Ann Lee met Bo Ek.", "BO EK left; Ann Lee stayed."
    assert masker.mask(first, [at(first, "Ann Lee"), at(first, "Bo Ek")]) == "Person 1 met Person 2."
    assert (
        masker.mask(second, [at(second, "BO EK"), at(second, "Ann Lee")]) == "Person 2 left; Person 1 stayed."
    )


def test_masking_can_be_taken_back() -> None:
    masker = Masker()
    text = "Ann Lee met Bo Ek."
    masked = masker.mask(text, [at(text, "Bo Ek"), at(text, "Ann Lee")])
    assert masker.unmask(masked) == text
    assert masker.unmask("Person 12 is nobody.") == "Person 12 is nobody."
    assert Masker().unmask(masked) == masked


def test_a_placeholder_that_the_text_contains_is_not_used() -> None:
    text = "Person 1 of the form is Ann Lee."
    masker = Masker()
    masked = masker.mask(text, [at(text, "Ann Lee")])
    assert masked == "Person 1 of the form is Person 2."
    assert masker.unmask(masked) == text


def test_keys_that_differ_in_case_are_two() -> None:
    text = "abC and abc"
    masker = Masker()
    found = [at(text, "abC", PersonalData.SECRET), at(text, "abc", PersonalData.SECRET)]
    assert masker.mask(text, found) == "Secret 1 and Secret 2"


def test_of_overlapping_findings_the_surer_one_stays() -> None:
    text = "ann@example.org"
    sure, doubtful = at(text, text, PersonalData.EMAIL), at(text, "ann", score=0.6)
    assert Masker().mask(text, [doubtful, sure]) == "E-mail 1"
