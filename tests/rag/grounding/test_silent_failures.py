"""Answers that came without an error and are of no use are found; a sound answer is never called one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.grounding.rows import SilentFailure
from rag.grounding.silent_failures import (
    cites_nothing,
    hides_errors,
    is_empty,
    is_other_language,
    repeats_itself,
    silent_failures,
)
from rag.text.languages import language_of

LOOP = "The battery lasts long. " * 8


@pytest.mark.parametrize(
    ("question", "answer", "finish", "passages", "expected"),
    [
        ("Why?", "", "stop", 3, (SilentFailure.EMPTY,)),
        ("Why?", " [1] \n.", "stop", 3, (SilentFailure.EMPTY,)),
        ("Why?", "…", "length", 3, (SilentFailure.EMPTY, SilentFailure.CUT_OFF)),
        ("What is it?", LOOP, "stop", 3, (SilentFailure.REPEATED,)),
        ("How long does it last?", "Das Gerät hält 21 Tage, und die Sonne wird nicht gebraucht.", "stop", 1, (SilentFailure.OTHER_LANGUAGE,)),
        ("How long does it last?", "It lasts 21 days and is", "length", 1, (SilentFailure.CUT_OFF,)),
        ("How long does it last?", "It lasts 21 days [4].", "stop", 3, (SilentFailure.CITES_NOTHING,)),
        ("How long does it last?", "It lasts 21 days [1, 7].", "stop", 3, (SilentFailure.CITES_NOTHING,)),
        # what is none
        ("How long does it last?", "It lasts 21 days [1][3].", "stop", 3, ()),
        ("How many?", "42", "stop", 1, ()),
        ("What does it mean in German?", "Das Gerät hält 21 Tage, und die Sonne wird nicht gebraucht.", "stop", 1, ()),
        ("Show me the code", "Use `a[7]` as in\n```\nx = a[9]\n```\nand it works.", "stop", 1, ()),
        ("List them", "| 0 | 0 | 0 |\n" * 9 + "No row has a value.", "stop", 1, ()),
        ("Steps?", "Open the lid. Take the battery out. Open the box. Take the manual out. Close the lid.", "stop", 1, ()),
        ("Was steht in [2019]?", "Im Bericht [2019] steht, dass die Anlage nicht mehr läuft.", "stop", 1, ()),
    ],
)  # fmt: skip
def test_silent_failures_are_found_and_sound_answers_are_not(
    question: str, answer: str, finish: str, passages: int, expected: tuple[str, ...]
) -> None:
    assert silent_failures(question, answer, finish, passages) == expected
    assert set(expected) <= set(SilentFailure)


def test_a_language_that_cannot_be_told_is_none() -> None:
    assert language_of("ok") == ""
    assert not silent_failures("Wie hoch ist der Druck?", "990 hPa", "stop", 1)


def test_several_failures_come_in_the_order_of_the_enum() -> None:
    answer = "Das Gerät hält lange und die Sonne scheint [9]. " * 4
    found = silent_failures("How long does the battery of the device last?", answer, "length", 2)
    assert found == (
        SilentFailure.REPEATED,
        SilentFailure.OTHER_LANGUAGE,
        SilentFailure.CUT_OFF,
        SilentFailure.CITES_NOTHING,
    )
    order = list(SilentFailure)
    assert sorted(found, key=order.index) == list(found)


@pytest.mark.parametrize("answer", ["", " \n", "[1]", "...", "[1, 2] – !", "**"])
def test_signs_alone_are_an_empty_answer(answer: str) -> None:
    assert is_empty(answer)
    assert silent_failures("Why?", answer) == (SilentFailure.EMPTY,)


@pytest.mark.parametrize("answer", ["No", "42", "京", "[a]", "x [1]"])
def test_a_word_or_a_figure_is_an_answer(answer: str) -> None:
    assert not is_empty(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "so " * 12,
        "one two three four " * 3,
        "1. Open the lid and wait. 2. Open the lid and wait. 3. Open the lid and wait.",
        "我们在这里。" * 3,
        "The lid is open all day long. Close it. The lid is open all day long. Wait. The lid is open all day long.",
    ],
)
def test_a_loop_is_noticed(answer: str) -> None:
    assert repeats_itself(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "so " * 11,
        "one two three four " * 2,
        "```\n" + "x = x\n" * 40 + "```",
        "0 " * 100,
        "Yes. No. Yes. No. Yes. No.",
        "The lid is open. The door is shut. The lid is open.",
    ],
)
def test_short_repetitions_code_and_figures_are_no_loop(answer: str) -> None:
    assert not repeats_itself(answer)


@given(
    st.text(max_size=200), st.text(max_size=200), st.sampled_from(["", "stop", "length"]), st.integers(0, 5)
)
def test_any_answer_is_judged_and_empty_stands_alone(
    question: str, answer: str, finish: str, passages: int
) -> None:
    found = silent_failures(question, answer, finish, passages)
    assert len(set(found)) == len(found)
    assert (SilentFailure.CUT_OFF in found) == (finish == "length")
    if SilentFailure.EMPTY in found:
        assert set(found) <= {SilentFailure.EMPTY, SilentFailure.CUT_OFF}


@pytest.mark.parametrize(
    ("answer", "passages", "expected"),
    [
        ("So it is [3].", 3, False),
        ("So it is [4].", 3, True),
        ("So it is [1; 4].", 3, True),
        ("So it is [0].", 3, False),
        ("So it is [1].", 0, True),
        ("Use `a[9]`.", 3, False),
        ("In [2019] it was.", 3, False),
        ("No marker at all.", 0, False),
    ],
)
def test_a_marker_must_refer_to_a_passage(answer: str, passages: int, expected: bool) -> None:
    assert cites_nothing(answer, passages) is expected


def test_a_question_that_names_a_language_may_be_answered_in_it() -> None:
    german = "Das Gerät hält einundzwanzig Tage, und die Sonne wird dafür nicht gebraucht."
    assert is_other_language("How long does the battery of the device last?", german)
    assert not is_other_language("How long does the battery last? Answer in German.", german)
    assert not is_other_language("Wie lange hält der Akku, wenn die Sonne nicht scheint?", german)


@pytest.mark.parametrize(
    ("answer", "hides"),
    [
        ("The tide rises 3.5 metres.", True),
        ("Der Hafen öffnet um acht.", True),
        ("The search failed, but the tide rises 3.5 metres.", False),
        ("I couldn’t reach the weather service.", False),
        ("Unfortunately there is no data for Bern.", False),
        ("Das Wetter konnte nicht abgerufen werden.", False),
        ("La recherche est impossible.", False),
        ("No pude abrir la página.", False),
        ("天気は晴れです。", False),  # nothing is known of its words
        ("", False),  # an empty answer is a failure of its own
    ],
)
def test_an_answer_hides_an_error_when_it_has_no_word_of_trouble(answer: str, hides: bool) -> None:
    assert hides_errors(answer) is hides
