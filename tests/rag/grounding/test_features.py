"""A sentence finds the passage sentences that share its words, and its features say how far they carry it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.grounding.features import (
    CANDIDATES,
    NAMES,
    Context,
    align,
    content_stems,
    coverage,
    denying_side,
    features,
    prepare,
    tokenize,
    unknown_words,
)

PASSAGES = [
    "The Alder bridge was opened in 2019. It carries 1,200 cars a day over the river.",
    "Visitors may take photographs in the main hall. The museum is closed in winter.",
]
CONTEXT = prepare(PASSAGES)


def feature(
    name: str, sentence: str, question: str = "", cosine: float = 0.5, context: Context = CONTEXT
) -> float:
    vector = features(align(sentence, context), context, question, cosine)
    assert vector.shape == (len(NAMES),)
    return float(vector[NAMES.index(name)])


def test_passages_are_cut_into_their_sentences_with_exact_places() -> None:
    assert [unit.passage for unit in CONTEXT.units] == [0, 0, 1, 1]
    for unit in CONTEXT.units:
        assert PASSAGES[unit.passage][unit.start : unit.end] == unit.text
    assert CONTEXT.units[0].text == "The Alder bridge was opened in 2019."


def test_a_long_sentence_is_cut_into_windows_that_hold_all_its_words() -> None:
    text = " ".join(f"word{n}" for n in range(150)) + "."
    units = prepare([text]).units
    assert [len(unit.text.split()) for unit in units] == [60, 60, 30]
    assert " ".join(unit.text for unit in units) == text


def test_sentences_that_a_web_page_glued_together_are_apart() -> None:
    units = prepare(["Mix the acid slowly.These are dangerous fumes."]).units
    assert [unit.text for unit in units] == ["Mix the acid slowly.", "These are dangerous fumes."]


def test_a_passage_without_words_has_no_units() -> None:
    assert prepare(["", "...", "  \n"]).units == ()
    assert prepare([]).units == ()
    assert align("Any sentence.", prepare([])).candidates == ()


def test_the_nearest_units_come_first_and_rare_words_count_more() -> None:
    passages = ["The pump moves water. The pump has a lid. The pump runs. The valve hisses."]
    context = prepare(passages)
    found = align("The pump valve opens.", context)
    assert len(found.candidates) == CANDIDATES
    assert context.units[found.candidates[0]].text == "The valve hisses."


def test_a_sentence_that_shares_no_word_is_compared_with_the_first_units() -> None:
    assert align("Penguins hatch.", CONTEXT).candidates == (0, 1)


def test_a_reference_to_a_passage_is_no_word_of_the_sentence() -> None:
    plain = align("The bridge was opened in 2019.", CONTEXT)
    for text in ("The bridge was opened in 2019 (passage 1).", "The bridge was opened in 2019 [1]."):
        assert align(text, CONTEXT).content == plain.content


def test_coverage_is_the_share_of_the_words_that_a_unit_holds() -> None:
    unit = CONTEXT.units[0]
    assert coverage(align("The Alder bridge opened in 2019.", CONTEXT), unit) == 1.0
    assert coverage(align("The Alder bridge collapsed.", CONTEXT), unit) == pytest.approx(2 / 3)
    assert coverage(align("", CONTEXT), unit) == 0.0


def test_a_copied_sentence_brings_nothing_new() -> None:
    copied = PASSAGES[0].split(". ")[0] + "."
    for name in ("novel_words", "novel_word_count", "novel_run", "novel_number_count", "novel_name_count"):
        assert feature(name, copied) == 0.0, name
    for name in ("best_pair_coverage", "best_passage_coverage", "copied_runs"):
        assert feature(name, copied) == 1.0, name


def test_an_invented_sentence_is_new_in_every_way() -> None:
    invented = "Swedish architects designed gracious marble arches for Queen Margareta in 1987."
    assert feature("novel_words", invented) > 0.8
    assert feature("novel_run", invented) > 1.5
    assert feature("copied_runs", invented) == 0.0
    assert feature("novel_content_bigrams", invented) == 1.0
    assert feature("novel_number_count", invented) == pytest.approx(np.log1p(1))
    assert feature("novel_name_count", invented) == pytest.approx(np.log1p(2)), "Queen and Margareta"


def test_words_of_the_question_are_not_new() -> None:
    sentence = "The architects opened the bridge."
    assert feature("novel_words", sentence) > 0
    assert feature("novel_words", sentence, question="Which architects?") == 0.0
    assert feature("question_overlap", sentence, question="Which architects?") > 0
    assert feature("question_overlap", sentence) == 0.0


def test_a_number_in_words_is_known_when_its_value_is() -> None:
    assert feature("novel_number_count", "It carries twelve hundred cars a day.") == 0.0
    assert feature("novel_words", "It carries twelve hundred cars a day.") == 0.0
    assert feature("novel_number_count", "It carries thirteen hundred cars a day.") > 0


def test_words_of_connection_are_counted_apart() -> None:
    assert feature("generic_words", "Additionally, the passage mentions the bridge.") > 0.4
    assert feature("novel_words", "Additionally, the passage mentions the bridge.") == 0.0


def test_the_cosine_is_passed_on() -> None:
    assert feature("cosine", "The bridge.", cosine=0.25) == 0.25


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab The.1 京é-[]'\n", max_size=60),
    st.lists(st.text(alphabet="ab The.1 京é-\n", max_size=60), max_size=3),
)
def test_features_of_any_text_are_finite(sentence: str, passages: list[str]) -> None:
    context = prepare(passages)
    vector = features(align(sentence, context), context, "a b?", 0.1)
    assert np.isfinite(vector).all()
    assert (vector >= 0).all()


def test_unknown_words_are_marked_where_they_are() -> None:
    sentence = "The Alder bridge has marble arches since 1987."
    spans = unknown_words(sentence, CONTEXT, "Who built the arches?")
    assert [sentence[start:end] for start, end in spans] == ["marble"]


@pytest.mark.parametrize(
    ("here", "there", "side"),
    [
        ("You may not enter the hall", "You may enter the hall", "here"),
        ("You may enter the hall", "You can't enter the hall", "there"),
        ("You may not enter the hall", "You must never enter the hall", ""),
        ("You may enter the hall", "You may enter the hall", ""),
        ("It is not red", "You may enter", ""),
    ],
)
def test_a_denial_counts_on_the_side_where_it_is(here: str, there: str, side: str) -> None:
    assert denying_side(tokenize(here), tokenize(there)) == side


def test_words_are_lower_case_and_characters_of_east_asia_stand_alone() -> None:
    assert tokenize("The PUMP’s 桥是 e-mail") == ("the", "pump's", "桥", "是", "e", "mail")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("opened", "opens"),
        ("bridges", "bridge"),
        ("running", "runs"),
        ("carries", "carried"),
        ("measurement", "measuring"),
    ],
)
def test_forms_of_a_word_share_a_stem(one: str, other: str) -> None:
    assert content_stems([one]) == content_stems([other])


def test_stop_words_have_no_stem_and_short_words_stay() -> None:
    assert content_stems(tokenize("It is not the car")) == ("car",)
    assert content_stems(["bus", "gas"]) == ("bus", "gas")


def test_words_are_the_same_whatever_a_reader_cannot_see() -> None:
    assert tokenize("The com\u00adpressor\u200b \ufb01lter of \uff21\uff22") == (
        "the",
        "compressor",
        "filter",
        "of",
        "ab",
    )
