"""Names of what guardrails find."""

import pytest

from rag.guardrails.rows import LEAST_F1, MEASURED, Finding, Measured, PersonalData, is_experimental


def test_every_kind_of_personal_data_has_a_placeholder_of_its_own() -> None:
    words = [kind.placeholder for kind in PersonalData]
    assert len(set(words)) == len(words)
    assert PersonalData.PERSON.placeholder == "Person"


def test_a_finding_compares_by_value() -> None:
    assert Finding("a", "b", 0, 1, 1.0, "c") == Finding("a", "b", 0, 1, 1.0, "c")


@pytest.mark.parametrize(
    ("precision", "recall", "f1"),
    [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (1.0, 0.5, 2 / 3)],
)
def test_f1_is_the_harmonic_mean_and_0_where_nothing_is_found(
    precision: float, recall: float, f1: float
) -> None:
    assert Measured(precision, recall, 1).f1 == pytest.approx(f1)


def test_a_kind_that_was_not_measured_or_not_well_is_experimental() -> None:
    assert all(is_experimental(kind) for kind in PersonalData if kind not in MEASURED)
    assert all(is_experimental(kind) for kind, one in MEASURED.items() if one.f1 < LEAST_F1)
    assert is_experimental(PersonalData.PERSON) and is_experimental(str(PersonalData.ADDRESS))
    assert not is_experimental(PersonalData.EMAIL) and not is_experimental("payment card")


def test_a_kind_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="shoe size"):
        is_experimental("shoe size")


@pytest.mark.parametrize("measured", MEASURED.values(), ids=str)
def test_what_was_measured_are_shares_of_something(measured: Measured) -> None:
    assert 0 <= measured.precision <= 1 and 0 <= measured.recall <= 1 and measured.count > 0
