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
