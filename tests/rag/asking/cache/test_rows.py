"""What rows of the cache say: ages, rates with their interval, and the share of hits that is compared."""

from dataclasses import replace

import pytest

from rag.asking.cache.rows import (
    CacheCheckReport,
    CacheHitRow,
    CacheState,
    FalseHits,
    HitKind,
    ThresholdChoice,
    ago,
    threshold_for,
)

HIT = CacheHitRow("a", "b", HitKind.EXACT, None, 720_000, 0, "", "", 0, 0, 0.0, None, "", None, None)


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (-5, "a moment ago"), (59_000, "a moment ago"), (60_000, "1 minute ago"), (3_599_000, "59 minutes ago"),
        (7_200_000, "2 hours ago"), (86_400_000 * 3, "3 days ago"),
    ],
)  # fmt: skip
def test_an_age_is_said_in_its_largest_unit(milliseconds: int, said: str) -> None:
    assert ago(milliseconds) == said


def test_a_hit_says_how_old_its_answer_is_and_how_similar_its_question() -> None:
    assert HIT.sentence() == "Answered before, 12 minutes ago, same documents"
    similar = replace(HIT, kind=HitKind.SIMILAR, similarity=0.912)
    assert (
        similar.sentence() == "Answered before, to a similar question (0.91), 12 minutes ago, same documents"
    )


@pytest.mark.parametrize(
    ("meaning", "citations", "false"),
    [(True, True, False), (False, True, True), (True, False, True), (None, None, None)],
)
def test_a_hit_is_false_when_a_fresh_answer_means_or_cites_something_else(
    meaning: bool | None, citations: bool | None, false: bool | None
) -> None:
    assert replace(HIT, same_meaning=meaning, same_citations=citations).is_false is false


def test_a_rate_without_a_comparison_is_not_nought() -> None:
    none = FalseHits(HitKind.EXACT, 0, 0, 0, 0, None, None)
    assert none.rate is None
    assert none.sentence() == "none was compared with a fresh answer yet"
    some = FalseHits(HitKind.EXACT, 200, 1, 1, 0, 0.001, 0.028)
    assert some.sentence() == (
        "1 of 200 were false: 0.5 % (0.1 to 2.8 %); 1 meant something else, 0 cited something else"
    )
    assert CacheState(0, 0, 0, 0, 0, 0, 0.0).hit_rate is None


def test_the_lowest_safe_threshold_is_chosen() -> None:
    choices = (
        ThresholdChoice(0.6, 9, 3, 0.5),
        ThresholdChoice(0.8, 9, 0, 0.02),
        ThresholdChoice(0.9, 9, 0, 0.01),
    )
    assert threshold_for(choices, 0.02) == choices[1]
    assert threshold_for(choices, 0.001) is None


def test_a_report_names_what_could_not_be_compared_and_what_was_removed() -> None:
    assert CacheCheckReport(2, 1, 1, 1).sentence() == (
        "2 hits compared with a fresh answer, 1 false; 1 hit cannot be compared: documents or settings have "
        "changed; 1 answer removed from the cache."
    )
