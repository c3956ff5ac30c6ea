"""What a person writes becomes changes, and what was found becomes a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.asking.replay.rows import (
    Attribution,
    Changes,
    Expected,
    Fate,
    LeftOut,
    ReplayReport,
    Variant,
    changes_of,
    numbers_in,
    read_changes,
)
from rag.errors import RagError
from rag.grounding.rows import ClaimResult, Verdict

CLAIM = ClaimResult("It is so.", 0, 9, Verdict.SUPPORTED, 0.1)
PASSAGES = ((1, "a.txt", ""), (2, "b.txt", ""), (3, "c.txt", ""))


def found(**fates: Fate) -> Attribution:
    """Return an attribution; fates by name: all, one, two, three."""
    names = ("all", "one", "two", "three")
    answers = [LeftOut(n, name, "", {0: fates[name]}) for n, name in enumerate(names) if name in fates]
    return Attribution("t", PASSAGES, (CLAIM,), tuple(answers))


def test_changes_are_read_from_words() -> None:
    changes = read_changes(
        {"model": "small", "without": "3, [4]", "temperature": "0.7", "retrieval.search": "BM25"}
    )
    assert changes == Changes(
        "small", settings=(("generation.temperature", 0.7), ("retrieval.search", "BM25")), without=(3, 4)
    )
    assert changes.searches and changes.moves_passages
    assert changes.sentence() == "model small, temperature 0.7, search BM25, without [3], [4]"
    assert Changes().sentence() == "as it was"
    assert read_changes({"order": "2,1", "version": "3", "prompt": "p@2"}).sentence() == (
        "version 3, prompt p@2, order [2] [1]"
    )


@pytest.mark.parametrize("word", ["colour", "costs.currency", "retrieval", "top_p"])
def test_what_cannot_be_changed_is_refused_by_name(word: str) -> None:
    with pytest.raises(RagError, match=f"“{word}” cannot be changed"):
        read_changes({word: "1"})


@pytest.mark.parametrize("text", ["a", "1;2", "-1", "1.5", "[1"])
def test_what_is_no_number_of_a_passage_is_refused(text: str) -> None:
    with pytest.raises(RagError, match="is not the number of a passage"):
        numbers_in(text)


@settings(max_examples=40)
@given(
    st.builds(
        Changes,
        st.text(max_size=8),
        st.text(max_size=3),
        st.text(max_size=8),
        st.dictionaries(
            st.sampled_from(["generation.seed", "retrieval.search"]), st.integers() | st.text(max_size=5)
        ).map(lambda d: tuple(d.items())),
        st.lists(st.integers(1, 9)).map(tuple),
        st.lists(st.integers(1, 9)).map(tuple),
    )
)
def test_changes_are_stored_and_read_again(changes: Changes) -> None:
    assert changes_of(changes.as_json()) == changes


def test_a_report_names_each_variant_that_was_not_answered() -> None:
    report = ReplayReport("t", (Variant(Changes(), "a"), Variant(Changes(model="m"), "", "It is gone.")))
    assert report.sentence() == "1 variant answered. Not answered, model m: It is gone."


KEPT, FALLEN, UNSUPPORTED = Fate.KEPT, Fate.FALLEN, Fate.UNSUPPORTED


@pytest.mark.parametrize(
    ("fates", "carriers", "sentence"),
    [
        (
            {"all": KEPT, "one": KEPT, "two": FALLEN, "three": KEPT},
            (2,),
            "[2] carries this: without [2] it is not said.",
        ),
        (
            {"all": KEPT, "one": FALLEN, "two": UNSUPPORTED, "three": KEPT},
            (1, 2),
            "[1] and [2] each carry this: without [1] it is not said; without [2] it is said with no support.",
        ),
        ({"all": KEPT, "one": KEPT, "two": KEPT, "three": KEPT}, (), "No single passage carries this"),
        ({"all": UNSUPPORTED, "one": UNSUPPORTED, "two": FALLEN, "three": KEPT}, (2,), "[2] carries this"),
        ({"all": FALLEN, "one": FALLEN, "two": FALLEN, "three": FALLEN}, (), "the model does not say this"),
        ({"one": FALLEN}, (), "not answered again with all passages"),
        ({"all": KEPT, "one": FALLEN}, (1,), "Not tried: without [2] or [3]."),
    ],
)
def test_the_passages_that_carry_a_sentence_are_named(
    fates: dict[str, Fate], carriers: tuple[int, ...], sentence: str
) -> None:
    made = found(**fates)
    assert made.carriers(0) == carriers
    assert sentence in made.sentence(0)


def test_what_a_run_takes_is_said_before() -> None:
    assert Expected(6, 41.2).sentence() == "6 answers, about 41 s"
    assert Expected(6, 0.2).sentence() == "6 answers, about 1 s"
    assert Expected(6, 180).sentence() == "6 answers, about 3 min"
    assert Expected(2).sentence() == "2 answers; how long they take is not known"


@pytest.mark.parametrize(
    ("changes", "searches", "moves"),
    [
        (Changes(), False, False),
        (Changes(model="small"), False, False),
        (Changes(prompt="p@2"), False, False),
        (Changes(version="2"), True, False),
        (Changes(settings=(("generation.seed", 1),)), False, False),
        (Changes(settings=(("generation.seed", 1), ("retrieval.candidates", 9))), True, False),
        (Changes(without=(1,)), False, True),
        (Changes(order=(2, 1)), False, True),
    ],
)
def test_what_is_changed_says_whether_it_is_searched_again(
    changes: Changes, searches: bool, moves: bool
) -> None:
    assert (changes.searches, changes.moves_passages) == (searches, moves)


@pytest.mark.parametrize(
    ("words", "settings_read"),
    [
        ({"temperature": "0"}, (("generation.temperature", 0),)),
        (
            {"temperature": "warm"},
            (("generation.temperature", "warm"),),
        ),  # refused where its settings are made
        ({"generation.seed": "7"}, (("generation.seed", 7),)),
        ({"retrieval.rerank": "true"}, (("retrieval.rerank", True),)),
        ({"retrieval.search": "hybrid"}, (("retrieval.search", "hybrid"),)),
        ({"retrieval.search": '"hybrid"'}, (("retrieval.search", "hybrid"),)),
        (
            {"generation.top_p": "", "generation.seed": "null"},
            (("generation.top_p", ""), ("generation.seed", None)),
        ),
    ],
    ids=str,
)
def test_a_value_is_read_as_json_and_else_as_text(
    words: dict[str, str], settings_read: tuple[tuple[str, object], ...]
) -> None:
    assert read_changes(words).settings == settings_read


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ()),
        ("  ", ()),
        (",", ()),
        ("3", (3,)),
        ("[3]", (3,)),
        ("2,1,3", (2, 1, 3)),
        ("[2] [1], 3", (2, 1, 3)),
        ("2 , 2", (2, 2)),
        ("007", (7,)),
    ],
)
def test_the_numbers_of_passages_are_read_as_people_write_them(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_in(text) == numbers


@given(st.lists(st.integers(0, 99)), st.sampled_from([",", " ", ", ", " ,  "]), st.booleans())
def test_numbers_are_read_with_any_separator_and_brackets(
    numbers: list[int], separator: str, has_brackets: bool
) -> None:
    text = separator.join(f"[{number}]" if has_brackets else str(number) for number in numbers)
    assert numbers_in(text) == tuple(numbers)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (Changes(), "{}"),
        (Changes(without=(2,)), '{"without": [2]}'),
        (Changes(prompt="Größe"), '{"prompt": "Größe"}'),
        (Changes(settings=(("generation.seed", 0),)), '{"settings": {"generation.seed": 0}}'),
    ],
)
def test_what_is_not_changed_is_not_stored(changes: Changes, text: str) -> None:
    assert changes.as_json() == text and changes_of(text) == changes


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        ((), "0 variants answered."),
        ((Variant(Changes(), "a"), Variant(Changes(version="2"), "b")), "2 variants answered."),
        ((Variant(Changes(), "", "It broke."),), "0 variants answered. Not answered, as it was: It broke."),
        (
            (Variant(Changes(without=(1,)), "a", "No."), Variant(Changes(order=(2, 1)), "", "Neither.")),
            "0 variants answered. Not answered, without [1]: No. Not answered, order [2] [1]: Neither.",
        ),
    ],
)
def test_a_report_counts_what_was_answered(variants: tuple[Variant, ...], sentence: str) -> None:
    report = ReplayReport("t", variants)
    assert report.sentence() == sentence
    assert report.failed == tuple(one for one in variants if one.error)


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (0.0, "about 1 s"),
        (1.4, "about 1 s"),
        (119.4, "about 119 s"),
        (120.0, "about 2 min"),
        (3_600.0, "about 60 min"),
        (360_000.0, "about 6,000 min"),
    ],
)
def test_a_time_is_in_seconds_until_two_minutes(seconds: float, sentence: str) -> None:
    assert Expected(1, seconds).sentence() == f"1 answer, {sentence}"


def test_an_answer_that_failed_says_nothing_about_its_passage() -> None:
    answers = (
        LeftOut(0, "all", "", {0: KEPT}),
        LeftOut(1, "one", "It broke.", {0: FALLEN}),
        LeftOut(2, "two", "", {0: KEPT}),
    )
    made = Attribution("t", PASSAGES, (CLAIM,), answers)
    assert made.untried == (1, 3) and made.carriers(0) == ()
    assert made.sentence(0) == (
        "No single passage carries this: it is still said without any one of them. "
        "Not tried: without [1] or [3]."
    )


def test_a_sentence_that_was_never_asked_about_is_carried_by_none() -> None:
    made = found(all=KEPT, one=FALLEN, two=KEPT, three=KEPT)
    assert made.carriers(99) == () and "not answered again" in made.sentence(99)
    assert made.falling(1) == (CLAIM,) and made.falling(2) == made.falling(99) == ()


def test_three_passages_are_listed_with_commas() -> None:
    made = found(all=KEPT, one=FALLEN, two=FALLEN, three=FALLEN)
    assert made.sentence(0) == ("[1], [2] and [3] each carry this: without [1], [2] or [3] it is not said.")


_FATES = st.dictionaries(st.sampled_from(["all", "one", "two", "three"]), st.sampled_from(Fate))


@given(_FATES)
def test_every_outcome_is_one_text_that_names_exactly_the_carriers(fates: dict[str, Fate]) -> None:
    made = found(**fates)
    said = made.sentence(0)
    carriers, untried = made.carriers(0), made.untried
    assert said.endswith(".") and set(carriers).isdisjoint(untried)
    named = {marker for marker, _, _ in PASSAGES if f"[{marker}]" in said}
    is_known = fates.get("all") in (KEPT, UNSUPPORTED)
    assert named == ({*carriers, *untried} if is_known else set())
    for marker in carriers:
        assert made.falling(marker) == (CLAIM,)
