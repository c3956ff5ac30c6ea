"""Arguments are the same when they say the same, however they are written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.interchange.agents.arguments import canonical, fingerprint
from rag.interchange.rows import Step, StepKind

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def of(given: str, arguments: str = "") -> str:
    return fingerprint(Step(StepKind.TOOL, input=given, arguments=arguments))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": "x"}', '{"b":"x",  "a":1}'),
        ('{"a": 1}', '{"a": 1.0}'),
        ('{"a": 1}', "{'a': 1}"),  # a dict as Python writes it
        ('{"input": "{\\"a\\": [1, 2]}"}', '{"input": {"a": [1, 2]}}'),
        ("the  same\nwords", "the same words"),
        ('{"q": " tides "}', '{"q": "tides"}'),
    ],
)
def test_what_says_the_same_is_the_same(one: str, other: str) -> None:
    assert of(one) == of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ('{"a": true}', '{"a": 1}'),
        ('{"q": "Tides"}', '{"q": "tides"}'),
        ("{}", "[]"),
    ],
)
def test_what_says_something_else_is_another(one: str, other: str) -> None:
    assert of(one) != of(other)


def test_the_definition_of_a_tool_beside_its_input_does_not_make_calls_the_same() -> None:
    definition = '{"q": {"type": "string"}}'
    assert of('{"q": "a"}', definition) != of('{"q": "b"}', definition)
    assert of('{"q": "a"}', definition) == of('{"q": "a"}', definition)
    assert of("", '{"q": "a"}') == of('{"q": "a"}', '{"q": "a"}') == of('{"q": "a"}')


@pytest.mark.parametrize("hidden", ["", "  ", "__REDACTED__"])
def test_arguments_that_are_not_recorded_have_no_fingerprint(hidden: str) -> None:
    assert of(hidden, hidden) == ""


@pytest.mark.parametrize(
    "odd", ["{" * 5000, "[" * 200 + "]" * 200, "{'a': __import__('os')}", "\ud800", "{1: {2}}"]
)
def test_hostile_arguments_are_compared_as_texts(odd: str) -> None:
    assert of(odd) == of(odd) != of(odd + " ?")


@given(st.lists(values, max_size=3))
def test_json_and_python_notation_say_the_same(value: list[object]) -> None:
    first = canonical(json.dumps(value))
    assert canonical(json.dumps(value, indent=2)) == canonical(repr(value)) == first
