"""The sandbox that prompts and chat templates share: filters and tests count as steps, attributes are guarded."""

import pytest
from jinja2 import TemplateError

from rag.text.sandbox import WRONG, BoundedEnvironment, reason


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
