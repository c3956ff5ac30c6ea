"""A key changes with everything that an answer depends on, and is the same only for the same question."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.cache.keys import Space, normalised

SPACE = Space(1, "v1", "{}", "p1", "/m.gguf:5:6:", "{}", "")


@pytest.mark.parametrize("name", [field.name for field in fields(Space)])
def test_a_change_of_any_ingredient_is_another_space_and_another_key(name: str) -> None:
    value = getattr(SPACE, name)
    other = replace(SPACE, **{name: value + 1 if isinstance(value, int) else value + "x"})
    assert other.key() != SPACE.key()
    assert other.key_of("When?") != SPACE.key_of("When?")


def test_ingredients_cannot_run_into_each_other() -> None:
    assert (
        replace(SPACE, version="a", retrieval="b").key() != replace(SPACE, version="ab", retrieval="").key()
    )


@pytest.mark.parametrize(
    "same",
    [
        "What does rye bread need?", "what does rye bread need", "  What  does rye\tbread need ?",
        "What does rye bread need??", "What does rye bread need.",
    ],
)  # fmt: skip
def test_space_the_opening_capital_and_the_mark_at_the_end_do_not_count(same: str) -> None:
    assert SPACE.key_of(same) == SPACE.key_of("What does rye bread need?")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is XR-2075?", "What is xr-2075?"),
        ("Who is WHO?", "Who is who?"),
        ("Is it 10² m?", "Is it 102 m?"),
        ("How far is 1.5 km?", "How far is 15 km?"),
        ("May 5 people come?", "may 5 people come?"),
        ("Where is Polish?", "Where is polish?"),
        ("What is C?", "What is C++"),
        ("What costs -5?", "What costs 5?"),
    ],
)
def test_the_case_of_names_and_the_digits_of_figures_count(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("", ""),
        ("???", "???"),
        ("What?", "what"),
        ("WHAT is it?", "WHAT is it"),
        ("The tide", "the tide"),
        ("Rye bread?", "Rye bread"),
        ("Is “it” there", 'is "it" there'),
        ("What’s up?", "What's up"),
        ("well‑known", "well-known"),
        ("Cafe\u0301?", "Caf\u00e9"),
        ("What\u00a0is\nit ?!", "what is it"),
        ("What is 5...", "what is 5"),
        ("what is it!?.", "what is it"),
    ],
)
def test_a_question_has_one_form(typed: str, form: str) -> None:
    assert normalised(typed) == form


@given(st.text(max_size=30), st.sampled_from(["", " ", "?", " ?!", "\n"]), st.sampled_from(["", "  ", "\t"]))
def test_space_around_and_marks_at_the_end_never_make_another_key(text: str, end: str, begin: str) -> None:
    plain = f"bread {text} rye"
    assert SPACE.key_of(f"{begin}{plain}{end}") == SPACE.key_of(plain)


def test_keys_are_sha256_in_hex_and_do_not_change_with_the_program() -> None:
    assert len(SPACE.key()) == len(SPACE.key_of("")) == 64
    assert int(SPACE.key(), 16) >= 0
    assert SPACE.key() == replace(SPACE).key() != SPACE.key_of("")
