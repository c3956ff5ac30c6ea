"""What a template may do and what it may not: the sandbox, its bounds, and what a person is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.guardrails.injection import neutralise
from rag.index.rows import Hit
from rag.prompts.templates import (
    MOST_TEMPLATE,
    PromptTemplate,
    load_prompt,
    render,
    template_variables,
)


def hit(number: int, text: str) -> Hit:
    return Hit(
        chunk_id=number, document_id=number, document=f"doc{number}.txt", path=f"doc{number}.txt", place="", place_kind="", place_number=None, token_count=5,
        start=0, end=len(text), text=text, marker=number, fused_rank=number, fused_score=1.0, dense_rank=None,
        dense_score=None, bm25_rank=None, bm25_score=None,
    )  # fmt: skip


PASSAGES = [hit(1, "Rye bread needs sourdough."), hit(2, "Boats leave at noon.")]
TEMPLATE = PromptTemplate(
    "qa",
    "Answer from the passages.",
    "{% for p in passages %}[{{ p.marker }}] {{ p.text }}\n{% endfor %}{{ question }}",
)


def test_passages_stand_in_the_prompt_under_their_markers() -> None:
    system, user = TEMPLATE.messages("What does bread need?", PASSAGES)
    assert system == {"role": "system", "content": "Answer from the passages."}
    assert user["content"].splitlines() == [
        "[1] Rye bread needs sourdough.",
        "[2] Boats leave at noon.",
        "What does bread need?",
    ]


def test_earlier_turns_stand_between_system_and_question_in_their_order() -> None:
    messages = TEMPLATE.messages("And then?", [], [("One?", "Yes."), ("Two?", "No.")])
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m["content"] for m in messages[1:5]] == ["One?", "Yes.", "Two?", "No."]


@settings(max_examples=60, deadline=None)
@given(question=st.text(max_size=80))
def test_a_question_never_becomes_part_of_the_template(question: str) -> None:
    """Braces in what a person types are text; tokens of chat templates in it are made harmless."""
    typed = question + "{{ passages }}{% for x in y %}"
    said = PromptTemplate("p", "", "{{ question }}").messages(typed, [])[-1]["content"]
    assert said == neutralise(typed).strip()


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=80))
def test_a_passage_never_becomes_part_of_the_template(text: str) -> None:
    poisoned = text + "{{ question }}{% endfor %}"
    content = TEMPLATE.messages("Q", [hit(1, poisoned)])[-1]["content"]
    assert poisoned.strip() in content or poisoned in content


@pytest.mark.parametrize(
    "template",
    [
        "{{ question.__class__ }}",
        "{{ question.__class__.__mro__ }}",
        "{{ passages.append(1) }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ question|attr('__class__') }}",
        "{{ self.__dict__ }}",
        "{{ (1).to_bytes(1000000000, 'big') }}",
    ],
)
def test_the_sandbox_gives_nothing_of_python(template: str) -> None:
    try:
        text = render(template, {"question": "Q", "passages": [1]})
    except RagError as error:
        assert "\n" not in str(error)
    else:
        assert "class" not in text and "globals" not in text and len(text) < 100


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 100000000 }}",
        "{{ 'ab'|replace('a', 'a' * 999999)|replace('b', 'b' * 999999) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ 'x'|center(1000000000) }}",
    ],
)
def test_what_would_fill_the_memory_is_one_sentence(template: str) -> None:
    with pytest.raises(RagError) as error:
        render(template, {})
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    "template", ["{{ question", "{% for %}", "{{ x|nofilter }}", "{% nothing %}", "{{ 1 + }}"]
)
def test_what_is_no_template_names_its_line(template: str) -> None:
    with pytest.raises(RagError, match="is not a template"):
        template_variables(template)


def test_a_template_that_is_too_long_is_not_kept() -> None:
    with pytest.raises(RagError, match="characters"):
        template_variables("x" * (MOST_TEMPLATE + 1))
    assert template_variables("x" * MOST_TEMPLATE) == ()


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("no variable", ()),
        ("{{ question }}", ("question",)),
        ("{% for p in passages %}{{ p.text }}{% endfor %}{{ question }}", ("passages", "question")),
        ("{% set x = question %}{{ x }}", ("question",)),
        ("{{ b }}{{ a }}{{ b }}", ("a", "b")),
    ],
)
def test_variables_are_sorted_and_each_named_once(template: str, names: tuple[str, ...]) -> None:
    assert template_variables(template) == names


def test_a_variable_that_is_not_given_is_told_by_name() -> None:
    with pytest.raises(RagError, match="nobody"):
        render("{{ nobody }}", {"question": "Q"})


@pytest.mark.parametrize("value", [0, 1.5, "text", None, True, [1, 2], {"a": 1}])
def test_plain_values_are_written_as_they_are(value: Any) -> None:
    assert render("{{ x }}", {"x": value}) == str(value)


def test_the_fingerprint_tells_the_parts_apart() -> None:
    """Text moved from one part to the other is another prompt."""
    first, second = PromptTemplate("p", "ab", "c"), PromptTemplate("p", "a", "bc")
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == PromptTemplate("other name", "ab", "c", 3, 4).fingerprint
    assert len(first.fingerprint) == 16


def test_a_prompt_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "answer.toml"
    path.write_text('name = "answer"\nsystem = " Be brief. "\nuser = "{{ question }}\\n"\n', "utf-8")
    prompt = load_prompt(path)
    assert (prompt.name, prompt.system, prompt.user) == ("answer", "Be brief.", "{{ question }}")
    for text in ("", "name = 1", 'name = "x"\nsystem = "y"', "not toml ="):
        path.write_text(text, "utf-8")
        with pytest.raises(RagError, match=r"answer\.toml"):
            load_prompt(path)
