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
    count_answers,
    hit_of,
    list_hits,
    oldest_ms,
    threshold_for,
    waiting_hits,
)
from rag.storage.store import now_ms
from rag.storage.tables.cache import CachedAnswer, CacheHit
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

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


def recalled(workspace: Workspace, trace_id: str, kind: HitKind, created_ms: int, **values: object) -> None:
    """Store a hit and the trace of its question; the first answer's trace is long gone."""
    with workspace.store.session() as session:
        trace = {"id": trace_id, "session_id": "s", "created_ms": created_ms, "status": "done"}
        session.add(
            Trace(**trace, question=f"q of {trace_id[:1]}", collection=str(values.pop("collection", "A")))
        )
        session.add(
            CacheHit(
                trace_id=trace_id, source_trace="gone", kind=kind, space="x", created_ms=created_ms, **values
            )
        )


def test_hits_are_listed_newest_first_since_a_moment_and_of_a_collection(workspace: Workspace) -> None:
    recalled(workspace, "a" * 32, HitKind.EXACT, 1000)
    recalled(workspace, "b" * 32, HitKind.SIMILAR, 3000, similarity=0.9, collection="B")
    recalled(workspace, "c" * 32, HitKind.NEAR, 2000, similarity=0.7)
    database = workspace.database
    assert [hit.trace_id[0] for hit in list_hits(database)] == ["b", "c", "a"]
    assert [hit.trace_id[0] for hit in list_hits(database, since_ms=2000)] == ["b", "c"]
    assert [hit.trace_id[0] for hit in list_hits(database, limit=1)] == ["b"]
    assert [hit.trace_id[0] for hit in list_hits(database, collection="A")] == ["c", "a"]
    assert list_hits(database, collection="none") == []


def test_what_was_only_near_is_no_answer_from_the_cache(workspace: Workspace) -> None:
    recalled(workspace, "a" * 32, HitKind.EXACT, 1000)
    recalled(workspace, "c" * 32, HitKind.NEAR, 2000, similarity=0.7)
    found = hit_of(workspace.database, "a" * 32)
    assert found is not None
    assert (found.kind, found.question, found.is_false) == (HitKind.EXACT, "q of a", None)
    assert hit_of(workspace.database, "c" * 32) is None
    assert hit_of(workspace.database, "f" * 32) is None


def test_a_hit_whose_first_answer_is_gone_says_no_age_and_no_question(workspace: Workspace) -> None:
    recalled(workspace, "a" * 32, HitKind.EXACT, 500_000)
    (found,) = list_hits(workspace.database)
    assert (found.first_question, found.answered_ms) == ("", 500_000)
    assert found.sentence() == "Answered before, a moment ago, same documents"


@pytest.mark.parametrize(
    ("share", "waiting"),
    [(0.0, ""), (0.25, "0"), (0.5, "04"), (0.75, "048"), (1.0, "048f")],
)
def test_a_share_of_hits_is_chosen_by_their_ids(workspace: Workspace, share: float, waiting: str) -> None:
    for number, digit in enumerate("048f"):
        recalled(workspace, digit * 32, HitKind.EXACT, number)
    recalled(workspace, "1" * 32, HitKind.EXACT, 9, checked_ms=10)  # was compared
    assert "".join(hit.trace_id[0] for hit in waiting_hits(workspace.database, share)) == waiting
    assert waiting_hits(workspace.database, share) == waiting_hits(workspace.database, share)


def test_answers_are_counted_since_a_moment(workspace: Workspace) -> None:
    assert count_answers(workspace.database) == 0
    with workspace.store.session() as session:
        for moment in (1000, 2000):
            key = str(moment)
            session.add(
                CachedAnswer(
                    question_key=key, space="x", collection_id=1, version_id=1, trace_id=key, created_ms=moment,
                    used_ms=moment,
                )
            )  # fmt: skip
    assert [count_answers(workspace.database, since) for since in (0, 1000, 1001, 2001)] == [2, 2, 1, 0]


def test_an_age_in_days_begins_so_many_days_before_now() -> None:
    before = now_ms()
    assert abs(oldest_ms(0) - before) < 60_000
    assert abs(before - oldest_ms(2) - 2 * 86_400_000) < 60_000


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (CacheCheckReport(0, 0, 0, 0), "0 hits compared with a fresh answer, 0 false."),
        (CacheCheckReport(1, 0, 0, 0), "1 hit compared with a fresh answer, 0 false."),
        (
            CacheCheckReport(1200, 1000, 0, 3),
            "1,200 hits compared with a fresh answer, 1,000 false; 3 answers removed from the cache.",
        ),
    ],
)
def test_a_report_says_nothing_of_what_did_not_happen(report: CacheCheckReport, sentence: str) -> None:
    assert report.sentence() == sentence


@pytest.mark.parametrize(("exact", "similar", "rate"), [(0, 0, 0.0), (3, 0, 0.3), (3, 2, 0.5), (10, 0, 1.0)])
def test_the_hit_rate_counts_both_kinds_of_hits(exact: int, similar: int, rate: float) -> None:
    assert CacheState(0, 10, exact, similar, 0, 0, 0.0).hit_rate == pytest.approx(rate)


def test_without_choices_there_is_no_threshold() -> None:
    assert threshold_for((), 1.0) is None
