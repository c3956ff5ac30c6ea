"""The sandbox that prompts and chat templates share: filters and tests count as steps, attributes are guarded."""

from collections.abc import Callable, Iterator

import pytest
from jinja2 import TemplateError

from rag.text.sandbox import (
    MOST_OUTPUT,
    WRONG,
    BoundedEnvironment,
    TooMuch,
    check_size,
    concat,
    reason,
    sized,
)


class Shouting(BoundedEnvironment):
    more_filters = {"shout": lambda text: text.upper() + "!"}
    text_methods = {**BoundedEnvironment.text_methods, "center": lambda text, width: text}


def test_an_environment_may_have_filters_and_bounded_methods_of_its_own() -> None:
    assert Shouting().from_string("{{ 'a'|shout }} {{ 'b'.center(999999999) }}").render() == "A! b"
    with pytest.raises(TemplateError):
        BoundedEnvironment().from_string("{{ 'a'|shout }}")
    with pytest.raises(TemplateError):
        BoundedEnvironment().from_string("{{ 'b'.center(9) }}").render()


@pytest.mark.parametrize(
    "template",
    [
        "{{ range(99999)|select('in', range(99999)|list|reverse|list)|list|length }}",
        "{{ [question]|join(attribute='__class__') }}",
    ],
)
def test_what_a_template_may_not_do_is_an_error_with_a_reason(template: str) -> None:
    with pytest.raises(WRONG) as found:
        BoundedEnvironment().from_string(template).render(question="q")
    assert reason(found.value)
    assert "\n" not in reason(found.value)


def test_a_reason_names_the_line_and_is_short() -> None:
    with pytest.raises(WRONG) as found:
        BoundedEnvironment().from_string("one\n{% for %}")
    assert reason(found.value).startswith("line 2: ")
    assert reason(ValueError("x" * 9999)) == "x" * 300
    assert reason(ValueError("a\n\x1bb.")) == "a  b"
    assert reason(RecursionError()) == "it is nested too deep"


def rendered(template: str, **values: object) -> str:
    return BoundedEnvironment().from_string(template).render(**values)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ 'a'.upper() }}", "A"),
        ("{{ 'a,b'.split(',')[1] }}", "b"),
        ("{{ ' x '.strip() }}", "x"),
        ("{{ 'a b c'|wordcount }}", "3"),
        ("{{ [3, 1, 2]|sort|join('-') }}", "1-2-3"),
        ("{{ [1, 2]|join }}", "12"),
        ("{{ []|join('-') }}", ""),
        ("{{ ['a', 'b']|map('upper')|join(', ') }}", "A, B"),
        ("{{ people|join(', ', attribute='name') }}", "Ada, Bo"),
        ("{{ people|map(attribute='name')|list|length }}", "2"),
        ("{{ 1.26|round(1) }}", "1.3"),
        ("{{ 1|round(99999999) }}", "1.0"),
        ("{{ 7 % 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }}", "1 1024 0.5"),
        ("{{ 'x' * 3 }}{{ 2 * 'y' }}", "xxxyy"),
        ("{{ 'x' ~ 1 ~ none }}", "x1None"),
        ("{{ missing|default('none') }}", "none"),
        ("{{ 'abc'[1:] }}", "bc"),
        ("{{ '<b>'|e }} {{ 'x'|tojson }}", '&lt;b&gt; "x"'),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}", "a=1"),
        ("{% for i in range(3) if i != 1 %}{{ loop.index }}{{ i }} {% else %}none{% endfor %}", "10 22 "),
        ("{% for i in [] %}x{% else %}none{% endfor %}", "none"),
        (
            "{% set n = namespace(x=0) %}{% for i in range(4) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}",
            "6",
        ),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('a') }}", "aa"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ question is defined }} {{ question is string }}", "True True"),
    ],
)
def test_what_prompts_need_is_rendered(template: str, text: str) -> None:
    assert rendered(template, question="q", people=[{"name": "Ada"}, {"name": "Bo"}]) == text


@pytest.mark.parametrize(
    "method",
    [
        "format(1)",
        "format_map({})",
        "center(9)",
        "ljust(9)",
        "rjust(9)",
        "zfill(9)",
        "expandtabs(9)",
        "replace('a', 'b')",
        "join(['x', 'y'])",
        "translate({})",
        "encode()",
        "maketrans('a', 'b')",
    ],
)
def test_methods_that_can_make_a_text_longer_are_left_out(method: str) -> None:
    name = method.split("(")[0]
    for template in (f"{{{{ 'a'.{method} }}}}", f"{{{{ 'a'['{name}']{method.removeprefix(name)} }}}}"):
        with pytest.raises(WRONG) as found:
            rendered(template)
        assert name in reason(found.value)


def test_a_text_is_not_padded_by_its_format() -> None:
    with pytest.raises(WRONG, match="format"):
        rendered("{{ '{:99999999999}'.format(1) }}")


@pytest.mark.parametrize(
    "name", ["replace", "center", "indent", "attr", "format", "batch", "wordwrap", "xmlattr"]
)
def test_filters_without_bounds_do_not_exist(name: str) -> None:
    with pytest.raises(TemplateError) as found:
        rendered(f"{{{{ 'x'|{name} }}}}")
    assert reason(found.value) == f"line 1: No filter named '{name}'"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ 2 ** 99999999 }}", "it makes more than 1,000,000 characters or items"),
        ("{{ (0 - 2) ** 99999999 }}", "it makes more than 1,000,000 characters or items"),
        ("{{ 10 ** 3000 * 10 ** 3000 }}", "it makes more than 1,000,000 characters or items"),
        ("{{ [1] * 9999999 }}", "it makes more than 1,000,000 characters or items"),
        ("{{ 9999999 * 'x' }}", "it makes more than 1,000,000 characters or items"),
        ("{% set x = 'x' * 600000 %}{{ x + x }}", "it makes more than 1,000,000 characters or items"),
        ("{% set x = 'x' * 600000 %}{{ x ~ x }}", "it makes more than 1,000,000 characters or items"),
        ("{% set x = 'x' * 600000 %}{{ x }}{{ x }}", "it makes more than 1,000,000 characters or items"),
        ("{% set x = 'x' * 600000 %}{{ [x, x] }}", "it makes more than 1,000,000 characters or items"),
        (
            "{% set x = 'x' * 600000 %}{{ {'a': x, 'b': x} }}",
            "it makes more than 1,000,000 characters or items",
        ),
        ("{% set x = 'x' * 600000 %}{{ (x, x)|length }}", "it makes more than 1,000,000 characters or items"),
        ("{% set x = 'x' * 600000 %}{{ ['a', 'b']|join(x) }}{{ x }}", "it makes more than 1,000,000"),
        ("{{ 'a' % 1 }}", "texts cannot be formatted with %"),
        (
            "{% for i in range(99999) %}{% for j in [1, 2] %}{% endfor %}{% endfor %}",
            "its loops take more than",
        ),
        ("{{ range(1000000) }}", "Range too big"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 1 is divisibleby 0 }}", "zero"),
        ("{{ nope }}", "'nope' is undefined"),
        ("{{ nope.x }}", "'nope' is undefined"),
        ("{% for a in nope %}{% endfor %}", "'nope' is undefined"),
        ("{% for i in 5 %}{% endfor %}", "not iterable"),
        ("{{ 'a' + 1 }}", "can only concatenate str"),
        ("{{ []|first }}", "No first item"),
        ("{{ [1].append(2) }}", "access to attribute 'append'"),
        ("{{ {}.update(a=1) }}", "access to attribute 'update'"),
        ("{{ (1).bit_length() }}", "access to attribute 'bit_length'"),
        ("{{ (1.5).hex() }}", "access to attribute 'hex'"),
        ("{{ question.__class__ }}", "access to attribute '__class__'"),
        ("{% include 'x' %}", "no loader for this environment"),
        ("{% extends 'x' %}", "no loader for this environment"),
        ("{% import 'x' as y %}", "no loader for this environment"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ cycler('a') }}", "'cycler' is undefined"),
        ("{% macro m(n) %}{{ m(n) }}{% endmacro %}{{ m(1) }}", "it is nested too deep"),
        ("{{ " + "(" * 400 + "1" + ")" * 400 + " }}", "it is nested too deep"),
        ("one\ntwo {{ 1 + }}", "line 2: "),
    ],
    ids=lambda text: text[:40],
)
def test_what_goes_wrong_is_said_in_words(template: str, says: str) -> None:
    with pytest.raises(WRONG) as found:
        rendered(template, question="q")
    assert says in reason(found.value)
    assert reason(found.value)[-1] != "." and len(reason(found.value)) < 330


def test_every_rendering_has_a_budget_of_its_own() -> None:
    long = "{% for i in range(70000) %}{% endfor %}done"
    assert [rendered(long) for _ in range(2)] == ["done", "done"]
    shared = BoundedEnvironment().from_string(long)
    assert shared.render() == "done"
    with pytest.raises(TooMuch, match="steps"):
        shared.render()


@pytest.mark.parametrize(
    "value",
    ["x" * MOST_OUTPUT, ["x" * 9999] * 99, 10**1000, None, 1.5, {"a": [1, (2, {3})]}, object],
    ids=lambda value: type(value).__name__,
)
def test_what_stays_within_the_bound_is_given_back(value: object) -> None:
    assert sized(value) is value


@pytest.mark.parametrize("levels", [2, 12, 40])
def test_lists_that_share_what_they_hold_count_each_time(levels: int) -> None:
    nested: list[object] = ["x" * (MOST_OUTPUT // 20)]
    for _ in range(levels):
        nested = [nested] * 10
    with pytest.raises(TooMuch):
        sized(nested)


@pytest.mark.parametrize(
    "wrapped", [lambda x: {x: 1}, lambda x: {1: x}, lambda x: (x,), lambda x: frozenset([x])]
)
def test_what_a_container_holds_counts(wrapped: Callable[[str], object]) -> None:
    assert sized(wrapped("x" * (MOST_OUTPUT - 3)))
    with pytest.raises(TooMuch):
        sized(wrapped("x" * (MOST_OUTPUT + 1)))


def test_pieces_are_joined_as_long_as_they_are_few() -> None:
    assert concat([]) == "" and concat(iter("abc")) == "abc"
    read = []

    def pieces() -> Iterator[str]:
        for number in range(100):
            read.append(number)
            yield "x" * (MOST_OUTPUT // 4)

    with pytest.raises(TooMuch):
        concat(pieces())
    assert read == [0, 1, 2, 3, 4], "the rest is not even made"
    check_size(MOST_OUTPUT)
    with pytest.raises(TooMuch):
        check_size(MOST_OUTPUT + 1)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyError("x"), "'x'"),
        (ValueError(""), "ValueError"),
        (ValueError("..."), "ValueError"),
        (MemoryError(), "it is nested too deep"),
        (TooMuch("it is big."), "it is big"),
        (SyntaxError("bad", ("f", 3, 1, "t")), "line 3: bad (f, line 3)"),
    ],
)
def test_a_reason_is_never_empty(error: Exception, says: str) -> None:
    assert isinstance(error, WRONG)
    assert reason(error) == says
