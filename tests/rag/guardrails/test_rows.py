"""Names of what guardrails find."""

from rag.guardrails.rows import Finding, PersonalData


def test_every_kind_of_personal_data_has_a_placeholder_of_its_own() -> None:
    words = [kind.placeholder for kind in PersonalData]
    assert len(set(words)) == len(words)
    assert PersonalData.PERSON.placeholder == "Person"


def test_a_finding_compares_by_value() -> None:
    assert Finding("a", "b", 0, 1, 1.0, "c") == Finding("a", "b", 0, 1, 1.0, "c")
