"""The base form of a word joins its inflections and keeps apart the other words of its family."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.cache.words import (
    AFTERTHOUGHT,
    DECIDING,
    FILLERS,
    FRAMES,
    MEASURES,
    NEGATIONS,
    WAYS,
    base,
    expanded,
    means_same,
)


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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("founded", "found"),
        ("founding", "found"),
        ("planned", "plan"),
        ("running", "run"),
        ("selling", "sell"),
        ("passed", "pass"),
        ("boxes", "box"),
        ("wishes", "wish"),
        ("matches", "match"),
        ("carries", "carry"),
        ("carried", "carry"),
        ("organisation", "organization"),
        ("people", "person"),
        ("feet", "foot"),
        ("taught", "teach"),
        ("frozen", "frozen"),
        ("metre", "meter"),
        ("neighbour", "neighbor"),
    ],
)
def test_more_inflections_come_to_the_base_form(one: str, other: str) -> None:
    assert base(one) == base(other)


@pytest.mark.parametrize(
    ("word", "kept"),
    [
        ("series", "series"),
        ("species", "species"),
        ("news", "news"),
        ("process", "process"),
        ("status", "status"),
        ("glass", "glass"),
        ("ring", "ring"),
        ("string", "string"),
        ("bring", "bring"),
        ("bus", "bus"),
        ("its", "its"),
        ("red", "red"),
        ("hour", "hour"),
        ("well-known", "well-known"),
        ("x86s", "x86s"),
        ("", ""),
    ],
)
def test_a_word_that_only_looks_inflected_is_kept(word: str, kept: str) -> None:
    assert base(word) == kept


@given(st.text("abcdefginorstuy", max_size=12))
def test_a_base_form_is_never_longer_than_the_word_and_a_letter(word: str) -> None:
    assert len(base(word)) <= len(word) + 1
    assert bool(base(word)) == bool(word)


WORDS = st.sampled_from(
    "begin start main principal chief rule reign show display demonstrate road cat".split()
)


@given(WORDS, WORDS)
def test_meaning_the_same_is_mutual_and_holds_for_a_word_itself(one: str, other: str) -> None:
    assert means_same(base(one), base(one))
    assert means_same(base(one), base(other)) == means_same(base(other), base(one))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("began", "commenced", True),
        ("cars", "automobiles", True),
        ("movies", "films", True),
        ("movie", "movies", True),
        ("students", "pupils", True),
        ("setup", "configure", True),
        ("phones", "telephone", True),
        ("increased", "risen", True),
        ("doctor", "physicians", True),
        ("increase", "decrease", False),
        ("win", "lose", False),
        ("forbid", "allow", False),
        ("reject", "accept", False),
        ("country", "area", False),
        ("shop", "company", False),
        ("unheard", "", False),
    ],
)
def test_synonyms_are_compared_in_any_inflection(one: str, other: str, same: bool) -> None:
    assert means_same(base(one), base(other)) is same


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("won't open", "will not open"),
        ("cannot open", "can not open"),
        ("who's there", "who is there"),
        ("it's late", "it is late"),
        ("they're late", "they are late"),
        ("we've won", "we have won"),
        ("doesn't it", "does not it"),
        ("the tower's height", "the tower's height"),
        ("o'clock", "o'clock"),
        ("plain words", "plain words"),
    ],
)
def test_more_contractions_and_what_is_none(short: str, whole: str) -> None:
    assert expanded(short) == whole


@pytest.mark.parametrize(
    "frame",
    [
        "Hello, can you tell me ",
        "Hi, could someone explain to us ",
        "Would you please show me ",
        "Tell me ",
        "Please remind us ",
        "Does anyone happen to know ",
        "We want to find out ",
        "I just need to ask ",
        "I'm wondering ",
        "I was curious about ",
        "Do you have any idea ",
        "I wonder ",
        "May I ask ",
        "What I'd like to know is, ",
        "Question: ",
    ],
)
def test_a_frame_of_any_kind_is_taken_off(frame: str) -> None:
    assert FRAMES.sub("", f"{frame}when it opens", count=1) == "when it opens"


@pytest.mark.parametrize(
    "text",
    [
        "Can you swim?",
        "Do you sell it?",
        "Questionable, is it?",
        "Pleased to meet you",
        "Who can tell me apart?",
        "I want bread",
    ],
)
def test_what_only_begins_like_a_frame_stays(text: str) -> None:
    assert FRAMES.sub("", text, count=1) == text


@pytest.mark.parametrize(
    "end",
    [
        ", please",
        " please?",
        ", thanks!",
        " thank you.",
        ", if you know?",
        " by any chance?",
        " do you know?",
    ],
)
def test_an_afterthought_is_taken_off(end: str) -> None:
    assert AFTERTHOUGHT.sub("", f"when does it open{end}") == "when does it open"


def one_way(text: str) -> str:
    """Return a question in one way of asking."""
    for pattern, way in WAYS:
        text = pattern.sub(way, text)
    return text


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("in which year did it open", "what yearasked did it open"),
        ("on what date did it open", "when did it open"),
        ("for which reason did it open", "why did it open"),
        ("how come it opened", "why it opened"),
        ("in what place is it", "where is it"),
        ("what is the number of boats", "how many boats"),
        ("what amount of flour", "how much flour"),
        ("by what means is it done", "how is it done"),
        ("by whom was it built", "by who was it built"),
        ("which person built it", "who built it"),
        ("what are the names of the stars", "what is nameof the stars"),
        ("which type of bread", "what kindof bread"),
        ("how old is it", "what agemeasure is it"),
        ("how deep is it", "what depthmeasure is it"),
        ("how far is it", "what distancemeasure is it"),
        ("how fast is it", "what speedmeasure is it"),
        ("how much does bread cost", "what pricemeasure does bread cost"),
        ("how much did it cost", "what pricemeasure did it cost"),
        ("what was the number of boats", "what was the number of boats"),
        ("what were the names of the stars", "what was nameof the stars"),
        ("who had to go", "who had to go"),
        ("how much does it weigh", "how much does it weigh"),
        ("which bread rises", "what bread rises"),
        ("the bread which rises", "the bread which rises"),
        ("prior to the war", "before the war"),
        ("owing to rain", "through rain"),
        ("he has to go", "he must go"),
        ("they are allowed to go", "they may go"),
        ("it is able to go", "it can go"),
        ("it needs to rest", "it must rest"),
    ],
)
def test_ways_of_asking_come_to_one(text: str, way: str) -> None:
    assert one_way(text) == way


@pytest.mark.parametrize("word", ["often", "usually", "always", "sometimes", "per", "all", "first"])
def test_a_word_of_order_or_degree_decides(word: str) -> None:
    assert word in DECIDING


@pytest.mark.parametrize("word", ["had", "whether", "if", "the", "please"])
def test_a_word_that_says_nothing_is_a_filler(word: str) -> None:
    assert word in FILLERS


def test_a_word_cannot_both_decide_and_say_nothing_or_negate() -> None:
    assert not DECIDING & (FILLERS | NEGATIONS)
    assert set(MEASURES.values()) <= {way.split()[-1] for _, way in WAYS}
