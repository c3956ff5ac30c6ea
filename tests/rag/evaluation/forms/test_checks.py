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
