"""Personal data in texts, and placeholders for it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.guardrails import personal_data
from rag.guardrails.personal_data import Masker, without_overlaps
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


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("<ann@example.org>", "ann@example.org"),
        ("mailto:ann@example.org?subject=x", "ann@example.org"),
        ("a.b@c-d.example.co.uk,", "a.b@c-d.example.co.uk"),
        ("ÄNN@example.org", "ÄNN@example.org"),
        ("“ann@example.org”", "ann@example.org"),
        ("(ann%lists@example.org)", "ann%lists@example.org"),
    ],
)
def test_an_email_address_is_found_without_the_signs_around_it(text: str, address: str) -> None:
    assert values(text, PersonalData.EMAIL) == [address]


@pytest.mark.parametrize(
    "text",
    ["ann@example", "ann@@example.org", "ann@example.org-x", "@example.org", "x" * 70 + "@example.org", ""],
)
def test_what_only_looks_like_an_email_address_is_none(text: str) -> None:
    assert values(text, PersonalData.EMAIL) == []


def test_an_address_in_a_link_with_a_password_is_the_link() -> None:
    text = "https://ann:s3cret@mail.example.org/inbox"
    assert [one.kind for one in personal_data.find(text)] == [PersonalData.URL_CREDENTIALS]


def test_an_unknown_kind_or_none_finds_nothing() -> None:
    assert personal_data.find("ann@example.org", ()) == []
    assert personal_data.find("ann@example.org", {"shoe size"}) == []
    assert personal_data.find("", None) == []


FINDINGS = st.lists(
    st.builds(
        lambda start, length, score, kind: Finding(
            Check.PERSONAL_DATA, kind, start, start + length, score, "r"
        ),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from([0.5, 0.8, 1.0]),
        st.sampled_from([PersonalData.PERSON, PersonalData.SECRET, PersonalData.EMAIL]),
    ),
    max_size=8,
)


@given(FINDINGS)
def test_what_is_kept_is_in_order_and_apart_and_nothing_surer_was_given_up(findings: list[Finding]) -> None:
    kept = without_overlaps(findings)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    for lost in set(findings) - set(kept):
        assert any(one.start < lost.end and lost.start < one.end and one.score >= lost.score for one in kept)
    assert without_overlaps(kept) == kept


@given(
    st.lists(
        st.tuples(st.sampled_from(["Ann", "Bo", "ek-7", "Person", "1", "2"]), st.booleans()), max_size=12
    )
)
def test_masked_words_come_back_whatever_else_the_text_says(words: list[tuple[str, bool]]) -> None:
    text, findings = "", []
    for word, is_found in words:
        if is_found:
            end = len(text) + len(word)
            findings.append(Finding(Check.PERSONAL_DATA, PersonalData.PERSON, len(text), end, 1.0, "a test"))
        text += f"{word}, "
    masker = Masker()
    assert masker.unmask(masker.mask(text, findings)) == text


@given(st.text(max_size=200))
def test_whatever_a_text_holds_findings_are_apart_inside_it_and_masked(text: str) -> None:
    found = personal_data.find(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert (Masker().mask(text, found) == text) is (not found)


def test_what_is_no_personal_data_is_not_masked() -> None:
    text = "obey me"
    finding = Finding(Check.INJECTION, "instruction to the model", 0, 4, 1.0, "a test")
    assert Masker().mask(text, [finding]) == text


def test_each_kind_counts_for_itself() -> None:
    text = "Ann Lee: ann@example.org, bo@example.org"
    found = [at(text, "Ann Lee"), *(at(text, name, PersonalData.EMAIL) for name in
                                    ("ann@example.org", "bo@example.org"))]  # fmt: skip
    assert Masker().mask(text, found) == "Person 1: E-mail 1, E-mail 2"


def test_placeholders_inside_longer_words_and_numbers_stay() -> None:
    masker = Masker()
    masker.mask("Ann Lee", [at("Ann Lee", "Ann Lee")])
    assert (
        masker.unmask("Person 1, Person 10, aPerson 1, Person 1s")
        == "Ann Lee, Person 10, aPerson 1, Person 1s"
    )


def test_many_values_are_told_apart_when_they_come_back() -> None:
    names = [f"Name{chr(65 + n)}" for n in range(12)]
    text = ", ".join(names)
    masker = Masker()
    masked = masker.mask(text, [at(text, name) for name in names])
    assert masked.endswith("Person 12") and masker.unmask(masked) == text
