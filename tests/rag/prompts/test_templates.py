"""Templates do what Jinja2 does, and cannot run away."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RagError
from rag.index.rows import Hit
from rag.prompts.templates import PromptTemplate, load_prompt, render, template_variables


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{{ q|upper }} {{ q|length }}", {"q": "ab"}, "AB 2"),
        ("{% for x in xs %}{{ loop.index }}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}", {"xs": "ab"}, "1a,2b"),
        ("{% for x in [] %}{{ x }}{% else %}none{% endfor %}", {}, "none"),
        ("{{ xs|join(', ', attribute='a.b') }} {{ ys|join(attribute=1) }}", {"xs": [{"a": {"b": 1}}], "ys": ["ab"]}, "1 b"),
        ("{{ xs|select('in', [1, 2])|list|length }}", {"xs": [2, 3]}, "1"),
        ("{{ xs|map(attribute='a')|join(', ') }}", {"xs": [{"a": 1}, {"a": 2}]}, "1, 2"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) ~ m('b') }}", {}, "<1><b>"),
        ("{% set n = namespace(t=0) %}{% for x in range(5) %}{% set n.t = n.t + x * 2 %}{% endfor %}{{ n.t }}", {}, "20"),
        ("{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", {"d": {"a": 1}}, "a=1"),
        ("{{ 2.567|round(1) }} {{ 2 ** 10 }} {{ 'a' * 3 }} {{ 7 % 4 }}", {}, "2.6 1024 aaa 3"),
        ("{{ {'a': [1, (2, 3)]}|tojson }}", {}, '{"a": [1, [2, 3]]}'),
        ("{% for x in xs recursive %}{{ x.n }}{{ loop(x.c) }}{% endfor %}", {"xs": [{"n": 1, "c": [{"n": 2, "c": []}]}]}, "12"),
        ("{{ ' x '.strip() }}{% if 'a' in 'abc' and q is defined %}!{% endif %}", {"q": 1}, "x!"),
        ("{{ q|default('d') }}", {}, "d"),
        ("{{ xs|sort|unique|list|reverse|join }}", {"xs": [2, 1, 2]}, "21"),
    ],
)  # fmt: skip
def test_templates_do_what_jinja2_does(template: str, values: dict[str, object], text: str) -> None:
    assert render(template, values) == text


BOMBS = {
    "range": "{% for a in range(10**9) %}{% endfor %}",
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    "silent work": "{% for a in range(99999) %}{% set x = range(99999)|list|length %}{% endfor %}",
    "output": "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
    "macro": "{% macro m() %}{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}{% endmacro %}{% set y = m() %}",
    "block": "{% set y %}{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}{% endset %}",
    "doubling": "{% set n = namespace(t='xx') %}{% for a in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
    "adding": "{% set n = namespace(t='xx') %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}",
    "multiplying": "{{ 'x' * 10**9 }}",
    "multiplying twice": "{% set x = ('x' * 1000) * 100000 %}",
    "lists": "{% set x = [0] * 10**9 %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "power in steps": "{% set n = namespace(t=9) %}{% for a in range(99) %}{% set n.t = n.t * n.t %}{% endfor %}",
    "format": "{{ '%999999999d' % 1 }}",
    "format filter": "{{ '%999999999d'|format(1) }}",
    "format method": "{{ '{:999999999}'.format(1) }}",
    "center": "{{ 'x'|center(999999999) }}",
    "center method": "{{ 'x'.center(999999999) }}",
    "replace": "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
    "replace filter": "{{ ('x' * 99999)|replace('x', 'y' * 99999) }}",
    "join": "{{ ('x' * 99999)|join('y' * 99999) }}",
    "join method": "{{ ('y' * 99999).join(['x'] * 99999) }}",
    "join attribute": "{{ [question]|join(attribute='__class__') }}",
    "join attribute of an attribute": "{{ [question]|join(', ', 'upper.__self__.__class__') }}",
    "select in": "{{ range(99999)|select('in', range(99999)|list|reverse|list)|list|length }}",
    "reject equal": "{{ range(99999)|map('default', 'x' * 99999, true)|reject('eq', 'x' * 99998 ~ 'y')|list|length }}",
    "map": "{{ range(99999)|map('default', 'x' * 999999)|map('string')|map('upper')|map('upper')|map('length')|sum }}",
    "bytes": "{{ (1).to_bytes(999999999) }}",
    "batch": "{{ [1]|batch(999999999, 0)|list }}",
    "shared lists": "".join(f"{{% set a{n + 1} = [{', '.join([f'a{n}'] * 10)}] %}}" for n in range(30)).replace("a0", "1") + "{{ a30 }}",
    "shared tuples": "".join(f"{{% set a{n + 1} = ({', '.join([f'a{n}'] * 10)}) %}}" for n in range(30)).replace("a0", "1") + "{{ {a30: 1} }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "fork": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "lipsum": "{{ lipsum(n=99999999) }}",
    "python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ question.__init__.__globals__ }}",
    "files": "{% include '/etc/passwd' %}",
    "undefined": "{{ nothing }}",
    "undefined loop": "{% for a in nothing %}{% endfor %}",
    "division": "{{ 1 / 0 }}",
    "types": "{{ 1 + 'a' }}",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_runs_away_is_one_clear_sentence_quickly(name: str) -> None:
    began = time.process_time()
    with pytest.raises(RagError) as found:
        render(BOMBS[name], {"question": "q"}, "user part")
    assert time.process_time() - began < 4
    sentence = str(found.value)
    assert sentence.startswith("The user part cannot be rendered: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400


def test_variables_are_found_and_own_names_are_not() -> None:
    assert template_variables("{% set a = b %}{% for c in d %}{{ a }}{{ c }}{{ range(3) }}{% endfor %}") == (
        "b",
        "d",
    )


def test_a_template_is_known_by_its_texts() -> None:
    one, same = PromptTemplate("a", "s", "u"), PromptTemplate("b", "s", "u", 7, 2)
    assert one.fingerprint == same.fingerprint
    assert (
        PromptTemplate("a", "su", "").fingerprint
        != one.fingerprint
        != PromptTemplate("a", "u", "s").fingerprint
    )


def test_messages_have_the_history_between_system_and_question() -> None:
    hit = Hit(1, 1, "a.txt", "/a.txt", "page 1", "page", 1, 0, 10, "some words", 2, marker=1)
    template = PromptTemplate("t", "Be {{ 'brief' }}.", "{% for p in passages %}[{{ p.marker }}] {{ p.text }} {% endfor %}"
                              "{{ question }}")  # fmt: skip
    messages = template.messages("Why?", [hit], [("Who?", "Ada.")])
    assert [(m["role"], m["content"]) for m in messages] == [
        ("system", "Be brief."),
        ("user", "Who?"),
        ("assistant", "Ada."),
        ("user", "[1] some words Why?"),
    ]


@given(st.text(max_size=200))
def test_any_text_renders_or_is_one_sentence(text: str) -> None:
    try:
        assert isinstance(render(text, {"question": "q"}), str)
        template_variables(text)
    except RagError as error:
        assert "\n" not in str(error)


def test_a_file_that_is_no_prompt_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("name = 3", "utf-8")
    with pytest.raises(RagError, match=r"x\.toml"):
        load_prompt(path)
    with pytest.raises(RagError, match=r"gone\.toml"):
        load_prompt(tmp_path / "gone.toml")
