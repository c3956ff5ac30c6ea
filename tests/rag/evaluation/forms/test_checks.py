"""Checks say the same as YAML and as values, and what is wrong is one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.cases import Check
from rag.evaluation.forms.checks import read_checks, write_checks
from rag.evaluation.forms.rows import CHECK_TYPES

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
CHECKS = st.one_of(
    st.builds(
        lambda kind, value: {"type": kind, "value": value},
        st.sampled_from(["contains", "not-contains", "equals", "regex", "not-regex", "language"]),
        TEXTS,
    ),
    st.just({"type": "is-json"}),
    st.builds(lambda n: {"type": "length", "value": {"min": n, "max": n + 5}}, st.integers(0, 999)),
)


@given(st.lists(CHECKS, max_size=5))
def test_what_is_written_is_read_again(checks: list[dict[str, Any]]) -> None:
    written = write_checks(checks)
    assert written.problem == ""
    again = read_checks(written.text)
    assert (again.values, again.problem) == (checks, "")


def test_the_yaml_is_as_people_write_it() -> None:
    assert (
        write_checks([{"type": "contains", "value": "21 days"}]).text
        == "- type: contains\n  value: 21 days\n"
    )
    assert write_checks([]).text == "" and read_checks("").values == read_checks("# none\n").values == []


def test_json_is_read_as_well() -> None:
    assert read_checks('[{"type": "contains", "value": "x"}]').values == [{"type": "contains", "value": "x"}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- type: shouts\n  value: x", "type: Input should be 'contains'"),
        ("- type: contains", "the check contains cannot have the value null"),
        ("contains: x", "each check is a line “- type: …”"),
        ("- contains", "each check is a line “- type: …”"),
        ("- {type: [", "not a list of checks"),
        ("- &a {type: contains, value: x}\n- *a", "aliases (*name) are not read"),
        ("- type: contains\n  value: x\n" * 101, "at most 100 checks"),
        ("- 1", "each check is a line “- type: …”"),
        ("- value: x", "type: Field required"),
        ("- type: contains\n  value: 5", "the check contains cannot have the value 5"),
        ("- type: contains\n  value: 2024-01-01", "value: input was not a valid JSON value"),
        ("- type: contains\n  value: x\n  extra: 1", "extra: Extra inputs are not permitted"),
        ("- type: length\n  value: 5", "the check length cannot have the value 5"),
        ("- type: length\n  value: {min: -1}", 'the check length cannot have the value {"min": -1}'),
        ("- type: length\n  value: {least: 1}", 'the check length cannot have the value {"least": 1}'),
        ("- type: is-json\n  value: [1]", "the check is-json cannot have the value [1]"),
        ("- {type: language, value: no}", "the check language cannot have the value false"),
        ("- !!python/object:os.system x", "could not determine a constructor"),
        ("--- 1\n--- 2", "expected a single document"),
        ("\t- x", "cannot start any token"),
        ("- type: contains\n  value: \x00", "special characters are not allowed"),
        ("[" * 200, "not a list of checks"),
        ("x" * 200_001, "the text is too long for a list of checks"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, says: str) -> None:
    found = read_checks(text)
    assert says in found.problem
    assert "\n" not in found.problem and found.problem.endswith(".")
    assert (found.text, found.values) == (text, None)


def test_wrong_values_of_a_form_are_said_too() -> None:
    found = write_checks([{"type": "contains", "value": ""}])
    assert found.problem.startswith("A check cannot be used: ")


def test_a_form_offers_every_type() -> None:
    known = Check.model_fields["type"].annotation
    assert set(CHECK_TYPES) == set(known.__args__)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([{"type": "shouts", "value": "x"}], "type: Input should be 'contains'"),
        ([{"value": "x"}], "type: Field required"),
        (["contains"], "each check is a line “- type: …”"),
        ("contains", "each check is a line “- type: …”"),
        ([{"type": "contains", "value": "x" * 10_001}], "the check contains cannot have the value"),
        ([{"type": "is-json"}] * 101, "a case has at most 100 checks"),
        ([{"type": "length", "value": {"min": True}}], "the check length cannot have the value"),
    ],
)
def test_values_that_are_no_checks_are_given_back_with_one_sentence(values: Any, says: str) -> None:
    found = write_checks(values)
    assert found.problem.startswith("A check cannot be used: ") and says in found.problem
    assert found.problem.endswith(".") and "\n" not in found.problem
    assert (found.text, found.values) == ("", values)


def test_a_long_value_stays_on_its_line_and_letters_stay_letters() -> None:
    long = "Größe " * 200 + "日本"
    text = write_checks([{"type": "contains", "value": long}]).text
    assert text == f"- type: contains\n  value: {long}\n"


@pytest.mark.parametrize(
    "value", ["yes", "12", "null", "1e3", "2024-01-01", "~", "a: b", "- x", "#x", " x ", "*a"]
)
def test_a_text_that_looks_like_something_else_is_quoted(value: str) -> None:
    checks = [{"type": "contains", "value": value}]
    assert read_checks(write_checks(checks).text).values == checks
