"""The words for what a check found: verdicts, outcomes, rates, and what people read of them."""

import json
import pickle
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.grounding.rows import (
    ClaimResult,
    Outcome,
    SilentFailure,
    Verdict,
    frequency,
    outcome,
    places,
    shared_words,
    summary,
    support_rate,
    worst_verdict,
)
from rag.index.rows import Hit


def claim(
    verdict: str | Verdict, score: float | None = 0.1, text: str = "A sentence.", **more: Any
) -> ClaimResult:
    return ClaimResult(text, 0, len(text), Verdict(verdict), score, **more)


def test_the_summary_names_what_contradicts_what() -> None:
    claims = [
        *[claim("supported")] * 5,
        claim("check"),
        claim("contradicted", evidence_marker=2),
        claim("not checkable", None),
    ]
    assert (
        summary(claims, {2: "page 4"})
        == "5 of 7 sentences have their words in the sources; 1 to check; 1 contradicts page 4"
    )
    assert (
        summary(claims) == "5 of 7 sentences have their words in the sources; 1 to check; 1 contradicts [2]"
    )
    assert summary([claim("not checkable", None)]) == "No sentence of this answer can be checked"


def test_an_answer_without_claims_has_no_support_rate() -> None:
    assert support_rate([claim("not checkable", None)]) is None
    assert support_rate([]) is None
    assert support_rate([claim("supported"), claim("no evidence")]) == 0.5


def test_outcomes_are_told_apart() -> None:
    some = [claim("supported")]
    assert outcome("It is so.", some, refused=False) == "answered"
    assert outcome("I cannot say.", [claim("not checkable", None)], refused=True) == "refused"
    assert outcome("  ", [], refused=False) == "empty"
    assert outcome("Hello!", [claim("not checkable", None)], refused=False) == "not checkable"
    assert outcome("It is so.", [], refused=False, error="broken") == "check failed"


def test_frequencies_rise_with_the_score_and_stay_close_to_it() -> None:
    said = [frequency(score / 1000) for score in range(1001)]
    assert said[500] == "about half of sentences like this are unsupported"
    assert said[100] == "about 1 in 10 sentences like this is unsupported"
    assert frequency(None) == ""
    changes = [n for n in range(1, 1001) if said[n] != said[n - 1]]
    assert len(changes) == len(set(said)) - 1  # each is said in one run only


def test_shared_words_are_found_in_both() -> None:
    one, other = "The pumps restarted in 2019.", "In 2019 a pump restarts."
    first, second = shared_words(one, other)
    assert [one[a:b] for a, b in first] == ["pumps", "restarted", "2019"]
    assert [other[a:b] for a, b in second] == ["2019", "pump", "restarts"]


def test_the_values_in_the_database_are_these() -> None:
    assert [str(verdict) for verdict in Verdict] == [
        "check", "unsupported", "contradicted", "no evidence", "supported", "not checkable",
    ]  # fmt: skip
    assert [str(each) for each in Outcome] == [
        "answered",
        "refused",
        "empty",
        "not checkable",
        "check failed",
    ]
    assert [str(each) for each in SilentFailure] == [
        "empty answer", "repeated text", "other language", "cut off", "cites nothing",
        "tool loop", "hidden tool error",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "is_flag", "is_claim", "is_doubt"),
    [
        (Verdict.CHECK, True, True, True),
        (Verdict.UNSUPPORTED, True, True, True),
        (Verdict.CONTRADICTED, True, True, True),
        (Verdict.NO_EVIDENCE, False, True, True),
        (Verdict.SUPPORTED, False, True, False),
        (Verdict.NOT_CHECKABLE, False, False, False),
    ],
)
def test_a_verdict_knows_what_it_counts_as(
    verdict: Verdict, is_flag: bool, is_claim: bool, is_doubt: bool
) -> None:
    assert (verdict.is_flag, verdict.is_claim, verdict.is_doubt) == (is_flag, is_claim, is_doubt)


def test_every_silent_failure_says_what_it_means() -> None:
    descriptions = [failure.description for failure in SilentFailure]
    assert all(descriptions) and len(set(descriptions)) == len(SilentFailure)


def test_a_claim_read_as_text_has_a_verdict_and_survives_its_way_to_the_window() -> None:
    read = ClaimResult("A.", 0, 2, "no evidence", None)  # type: ignore[arg-type]
    assert read.verdict is Verdict.NO_EVIDENCE
    assert pickle.loads(pickle.dumps(read)) == read
    assert pickle.loads(pickle.dumps(read)).verdict is Verdict.NO_EVIDENCE
    assert json.dumps(read.verdict) == '"no evidence"'
    with pytest.raises(ValueError, match="perhaps"):
        ClaimResult("A.", 0, 2, "perhaps", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ((), None),
        (("not checkable",), "not checkable"),
        (("supported", "not checkable"), "supported"),
        (("supported", "no evidence"), "no evidence"),
        (("no evidence", "check"), "check"),
        (("check", "unsupported"), "unsupported"),
        (("unsupported", "contradicted", "supported"), "contradicted"),
    ],
)
def test_the_worst_verdict_stands_for_the_answer(verdicts: tuple[str, ...], worst: str | None) -> None:
    assert worst_verdict([claim(verdict) for verdict in verdicts]) == worst
    assert worst_verdict([claim(verdict) for verdict in reversed(verdicts)]) == worst


def test_a_refusal_that_also_claims_something_supported_is_an_answer() -> None:
    assert outcome("No. It is so.", [claim("supported")], refused=True) is Outcome.ANSWERED
    assert outcome("No. It is so.", [claim("check")], refused=True) is Outcome.REFUSED
    assert outcome("", [], refused=True, error="broken") is Outcome.CHECK_FAILED


@given(st.lists(st.sampled_from(Verdict), max_size=8))
def test_a_rate_is_a_share_of_the_claims_and_the_outcome_agrees(verdicts: list[Verdict]) -> None:
    claims = [claim(verdict) for verdict in verdicts]
    rate = support_rate(claims)
    assert (rate is None) == (outcome("Text.", claims, refused=False) is Outcome.NOT_CHECKABLE)
    if rate is not None:
        assert 0 <= rate <= 1
        assert (rate == 1) == all(not verdict.is_doubt for verdict in verdicts)
        assert summary(claims).startswith(f"{verdicts.count(Verdict.SUPPORTED)} of ")


def test_one_sentence_is_spoken_of_in_the_singular() -> None:
    assert summary([claim("supported")]) == "1 of 1 sentence has its words in the sources"
    assert summary([claim("no evidence"), claim("unsupported")]) == (
        "0 of 2 sentences have their words in the sources; 1 unsupported; 1 without evidence"
    )
    assert "2 contradict page 4" in summary([claim("contradicted", evidence_marker=1)] * 2, {1: "page 4"})
    assert "1 contradicts [0]" in summary([claim("contradicted")])


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (None, ""),
        (0.0, "fewer than 1 in 200 sentences like this are unsupported"),
        (0.01, "about 1 in 100 sentences like this is unsupported"),
        (0.5, "about half of sentences like this are unsupported"),
        (1.0, "nearly all sentences like this are unsupported"),
    ],
)
def test_a_score_is_said_as_a_frequency(score: float | None, words: str) -> None:
    assert frequency(score) == words


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("He opened doors", "The door opens", ["opened", "doors"]),
        ("The and of", "the and of", []),
        ("In 2019 it rose", "2019", ["2019"]),
        ("", "anything", []),
        ("Straße", "straße", ["Straße"]),
        ("ab", "ab", []),
    ],
)
def test_shared_words_are_those_with_a_meaning_and_one_stem(one: str, other: str, shared: list[str]) -> None:
    here, there = shared_words(one, other)
    assert [one[start:end] for start, end in here] == shared
    assert len(there) == len(shared)


def test_a_passage_is_called_by_its_place_or_its_document() -> None:
    def hit(marker: int | None, place: str) -> Hit:
        return Hit(1, 1, "a.pdf", "/a.pdf", place, "page", 1, 0, 1, "t", 1, marker=marker)

    assert places([hit(1, "page 3"), hit(2, ""), hit(None, "page 9")]) == {1: "page 3", 2: "a.pdf"}


def test_importing_the_words_loads_no_heavy_library() -> None:
    code = "import sys, rag.grounding.rows; print([m for m in ('numpy', 'torch', 'sqlmodel') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_verdict_says_what_was_measured_and_not_whether_the_sentence_is_right() -> None:
    assert {verdict: verdict.words for verdict in Verdict if verdict.words != verdict} == {
        Verdict.SUPPORTED: "words in source"
    }
    assert "Whether it is right is not measured" in Verdict.SUPPORTED.meaning
    assert all(verdict.meaning.endswith(".") for verdict in Verdict)
