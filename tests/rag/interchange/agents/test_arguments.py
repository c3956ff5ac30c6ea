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


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("(1, 2)", "[1, 2]"),
        ('{"a":"[1]"}', '{"a": [1]}'),
        ("{'a': None, 'b': True}", '{"a": null, "b": true}'),
        ("{1: 2}", '{"1": 2}'),
        ('{"a": -0.0}', '{"a": 0}'),
        ('{"a": 1e3}', '{"a": 1000}'),
        ('{"a": 1.5}', '{"a": 1.5}'),
        ('{"a": "1"}', '{"a": "1"}'),
        ('{"a": "{no json"}', '{"a": "{no json"}'),
        ("{'a': {1}}", '{"a": "{1}"}'),  # a set, which JSON has not
        ("1.0", '"1.0"'),
        ("  a\n b ", '"a b"'),
        ('{"ä": "ö"}', '{"\\u00e4": "\\u00f6"}'),
        ("{'a': 1", "\"{'a': 1\""),
        ("", '""'),
    ],
)
def test_the_form_that_is_compared(text: str, form: str) -> None:
    assert canonical(text) == form


@given(st.dictionaries(st.text(max_size=4), values, max_size=4))
def test_the_order_of_keys_makes_no_difference(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical(json.dumps(value)) == canonical(json.dumps(backwards))


@given(st.text(max_size=200))
def test_any_text_has_a_form_and_blanks_around_it_change_nothing(text: str) -> None:
    assert canonical(f"  {text}\n") == canonical(text)
    assert of(text) == of(f" {text} ")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_json_written_into_json_again_and_again_says_the_same(count: int) -> None:
    text = inner = '{"a": [1, {"b": 2}]}'
    for _ in range(count):
        text = json.dumps({"in": text})
    expected: object = json.loads(inner)
    for _ in range(count):
        expected = {"in": expected}
    assert canonical(text) == canonical(json.dumps(expected))


def test_a_fingerprint_is_short_and_the_same_each_time() -> None:
    assert of('{"q": "tides"}') == of('{"q": "tides"}')
    assert len(of("x")) == 16 and int(of("x"), 16) >= 0


def test_the_input_and_the_arguments_are_two_things_where_they_differ() -> None:
    assert len({of("a", "b"), of("b", "a"), of("a"), of("b")}) == 4
    assert of("__REDACTED__", "b") == of("b") == of("b", "__REDACTED__")
