"""The base form of a word joins its inflections and keeps apart the other words of its family."""

import pytest

from rag.asking.cache.words import FRAMES, base, expanded, means_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("boats", "boat"), ("cities", "city"), ("classes", "class"), ("stopped", "stop"), ("making", "make"),
        ("won", "win"), ("built", "build"), ("children", "child"), ("colour", "color"), ("organise", "organize"),
        ("centre", "center"), ("used", "use"), ("tried", "try"),
    ],
)  # fmt: skip
def test_inflections_and_spellings_of_a_word_are_one(one: str, other: str) -> None:
    assert base(one) == base(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("employer", "employee"), ("enable", "disable"), ("left", "leave"), ("news", "new"), ("four", "for")],
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert base(one) != base(other)
    assert not means_same(base(one), base(other))


def test_words_of_one_group_mean_the_same_and_groups_are_not_chained() -> None:
    assert means_same(base("bought"), base("purchased"))
    assert means_same(base("main"), base("principal"))
    assert not means_same(base("find"), base("ruled"))
    # "defeat" is what one does to others and what one suffers: those two do not become one by it.
    assert means_same("beat", base("defeat"))
    assert means_same(base("loss"), base("defeat"))
    assert not means_same("beat", base("loss"))


@pytest.mark.parametrize(
    ("short", "whole"),
    [("what's new", "what is new"), ("can't start", "can not start"), ("isn't it", "is not it"),
     ("they'll go", "they will go"), ("who'd win", "who did win")],
)  # fmt: skip
def test_contractions_are_written_out(short: str, whole: str) -> None:
    assert expanded(short) == whole


@pytest.mark.parametrize(
    "frame",
    [
        "Can you tell me ",
        "Please, ",
        "I would like to know ",
        "I'd like to know ",
        "Do you know ",
        "Any idea ",
    ],
)
def test_what_is_said_before_a_question_is_taken_off(frame: str) -> None:
    assert FRAMES.sub("", f"{frame}when it opens", count=1) == "when it opens"
