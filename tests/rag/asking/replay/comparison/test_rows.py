"""Two traces are compared without a model: passages, sentences, prompts and settings."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.replay.comparison.rows import (
    ClaimChange,
    PassageChange,
    PassageFate,
    TraceComparison,
    compare_lines,
    compare_traces,
)
from rag.asking.rows import TraceDetail, TraceSource, TraceStatus
from rag.grounding.rows import ClaimResult, Verdict
from rag.index.rows import Hit


def trace(**values: Any) -> TraceDetail:
    """Return a trace with no figures but those that are given."""
    empty: dict[str, Any] = {f.name: 0 if str(f.type).startswith("int") else "" for f in fields(TraceDetail)}
    tuples = {f.name: () for f in fields(TraceDetail) if str(f.type).startswith("tuple")}
    given = {"status": TraceStatus.DONE, "source": TraceSource.PERSON, **values}
    return TraceDetail(**{**empty, **tuples, **given})


def passages(*texts: str) -> tuple[Hit, ...]:
    return tuple(
        Hit(n, n, f"{text}.txt", "", "", "", None, 0, len(text), text, 1, marker=n)
        for n, text in enumerate(texts, 1)
    )


def claims(*pairs: tuple[str, Verdict]) -> tuple[ClaimResult, ...]:
    return tuple(ClaimResult(text, n, n + 1, verdict, 0.1) for n, (text, verdict) in enumerate(pairs))


def fates(found: TraceComparison) -> dict[str, str]:
    return {one.hit.text: one.fate.value for one in found.passages}


def test_passages_come_go_and_move() -> None:
    found = compare_traces(trace(hits=passages("a", "b", "c", "d")), trace(hits=passages("c", "a", "d", "e")))
    assert fates(found) == {"a": "same", "c": "moved", "d": "same", "e": "came", "b": "went"}
    assert found.passages_sentence() == "1 moved, 1 came, 1 went"
    moved = next(one for one in found.passages if one.fate is PassageFate.MOVED)
    assert moved.first is not None and moved.second is not None
    assert (moved.first.marker, moved.second.marker) == (3, 1)


def test_a_new_number_alone_is_no_move() -> None:
    found = compare_traces(trace(hits=passages("a", "b", "c")), trace(hits=passages("b", "c")))
    assert fates(found) == {"b": "same", "c": "same", "a": "went"}


def test_the_same_text_twice_is_two_passages() -> None:
    found = compare_traces(trace(hits=passages("a", "a", "b")), trace(hits=passages("a", "b")))
    assert [one.fate.value for one in found.passages] == ["same", "same", "went"]


def test_candidates_that_were_not_in_a_prompt_are_none_of_its_passages() -> None:
    dropped = Hit(9, 9, "x", "", "", "", None, 0, 1, "x", 1, dropped="too long")
    found = compare_traces(trace(hits=(*passages("a"), dropped)), trace(hits=passages("a")))
    assert fates(found) == {"a": "same"} and found.passages_sentence() == "the same 1"
    assert compare_traces(trace(), trace()).passages_sentence() == "none"


def test_sentences_with_another_verdict_are_told_from_new_ones_and_those_that_are_gone() -> None:
    first = claims(
        ("Rye bread needs sourdough [1].", Verdict.SUPPORTED),
        ("The tide at Bremen rises 3.5 metres [2].", Verdict.SUPPORTED),
        ("Storms come in winter.", Verdict.CHECK),
    )
    second = claims(
        ("The tide at Bremen rises 9.5 metres [1].", Verdict.CONTRADICTED),
        ("Rye bread needs sourdough [2].", Verdict.SUPPORTED),
        ("Sirius is a star.", Verdict.NO_EVIDENCE),
        ("I hope this helps.", Verdict.NOT_CHECKABLE),
    )
    found = compare_traces(trace(claims=first), trace(claims=second))
    assert [(one.sentence(), one.is_changed) for one in found.claims] == [
        ("words in source → contradicted", True),
        ("words in source", False),
        ("new: no evidence", True),
        ("gone: check", True),
    ]
    assert found.claims_sentence() == "1 with another verdict, 1 new, 1 gone"
    same = compare_traces(trace(claims=first), trace(claims=first))
    assert same.claims_sentence() == "the same 3 sentences"
    assert compare_traces(trace(), trace()).claims_sentence() == "none checked"
    assert ClaimChange(None, None).sentence() == ""


def test_answers_are_compared_word_by_word() -> None:
    found = compare_traces(trace(answer="It rises 3 metres."), trace(answer="It rises 9 metres."))
    assert ("replace", "3", "9") in found.answer.words and not found.answer.is_same
    long = compare_traces(trace(answer="a " * 4000), trace(answer="b " * 4000))
    assert [operation for operation, _, _ in long.answer.words] == ["replace"]


def test_prompts_are_compared_line_by_line() -> None:
    pieces = compare_lines("one\ntwo\nthree\nfour", "one\n2\nfour\nfive")
    assert [(p.first, p.second) for p in pieces] == [
        ("one", "one"), ("two", "2"), ("three", None), ("four", "four"), (None, "five"),
    ]  # fmt: skip
    assert pieces[1].words == (("replace", "two", "2"),)


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_the_pieces_of_two_prompts_are_the_prompts(one: list[str], other: list[str]) -> None:
    pieces = compare_lines("\n".join(one), "\n".join(other))
    assert "\n".join(p.first for p in pieces if p.first is not None).split() == one
    assert "\n".join(p.second for p in pieces if p.second is not None).split() == other


def test_settings_that_decide_about_an_answer_are_compared() -> None:
    def settings(**generation: Any) -> str:
        return json.dumps({"generation": generation, "costs": {"power_watts": generation["seed"]}})

    found = compare_traces(trace(settings=settings(seed=1)), trace(settings=settings(seed=2, top_p=0.5)))
    assert found.settings == (("generation.seed", "1", "2"), ("generation.top_p", "–", "0.5"))
    assert compare_traces(trace(settings=""), trace(settings="{}")).settings == ()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "", {}),
        ("ab", "ab", {"a": "same", "b": "same"}),
        ("ab", "ba", {"b": "moved", "a": "same"}),
        ("abc", "bca", {"b": "same", "c": "same", "a": "moved"}),
        ("abc", "", {"a": "went", "b": "went", "c": "went"}),
        ("", "ab", {"a": "came", "b": "came"}),
        ("abcd", "ad", {"a": "same", "d": "same", "b": "went", "c": "went"}),
        ("ab", "xab", {"x": "came", "a": "same", "b": "same"}),
    ],
)
def test_passages_are_matched_by_their_text(first: str, second: str, expected: dict[str, str]) -> None:
    found = compare_traces(trace(hits=passages(*first)), trace(hits=passages(*second)))
    assert fates(found) == expected


@pytest.mark.parametrize(("one", "other"), [("Rye bread", "rye  BREAD"), ("a\nb", "a b")])
def test_case_and_space_make_no_other_passage(one: str, other: str) -> None:
    found = compare_traces(trace(hits=passages(one)), trace(hits=passages(other)))
    assert found.passages_sentence() == "the same 1"


@given(st.text("abcd", max_size=8), st.text("abcd", max_size=8))
def test_every_passage_of_both_prompts_is_there_once(first: str, second: str) -> None:
    found = compare_traces(trace(hits=passages(*first)), trace(hits=passages(*second)))
    assert "".join(one.second.text for one in found.passages if one.second) == second
    assert sorted(one.first.text for one in found.passages if one.first) == sorted(first)
    for one in found.passages:
        kinds = {(True, False): PassageFate.WENT, (False, True): PassageFate.CAME}
        kind = kinds.get((one.first is not None, one.second is not None))
        assert one.fate is kind if kind else one.fate in (PassageFate.SAME, PassageFate.MOVED)


@given(st.text("abcd", max_size=8))
def test_a_prompt_that_is_compared_with_itself_is_the_same(texts: str) -> None:
    found = compare_traces(trace(hits=passages(*texts)), trace(hits=passages(*texts)))
    assert all(one.fate is PassageFate.SAME for one in found.passages)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("It is so.", "It is so.", "the same 1 sentence"),
        ("It is so [1].", "It is so [2][3].", "the same 1 sentence"),
        ("The tide rises three metres.", "The tide rises nine metres.", "the same 1 sentence"),
        ("The tide rises three metres.", "Bread needs rest.", "1 new, 1 gone"),
    ],
)
def test_a_sentence_is_found_again_by_most_of_its_words(first: str, second: str, sentence: str) -> None:
    found = compare_traces(
        trace(claims=claims((first, Verdict.SUPPORTED))), trace(claims=claims((second, Verdict.SUPPORTED)))
    )
    assert found.claims_sentence() == sentence


def test_each_sentence_has_one_partner_and_the_likest_one() -> None:
    first = claims(
        ("Rye bread needs sourdough.", Verdict.SUPPORTED), ("Rye bread needs salt.", Verdict.CHECK)
    )
    second = claims(
        ("Rye bread needs salt.", Verdict.CHECK), ("Rye bread needs sourdough.", Verdict.SUPPORTED)
    )
    found = compare_traces(trace(claims=first), trace(claims=second))
    assert [(one.first.text, one.second.text) for one in found.claims if one.first and one.second] == [
        ("Rye bread needs salt.", "Rye bread needs salt."),
        ("Rye bread needs sourdough.", "Rye bread needs sourdough."),
    ]
    doubled = compare_traces(
        trace(claims=first[:1]), trace(claims=claims(*[(first[0].text, Verdict.CHECK)] * 2))
    )
    assert [one.sentence() for one in doubled.claims] == ["words in source → check", "new: check"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("{}", "{}", ()),
        ('{"generation": {"seed": 1}}', '{"generation": {"seed": 1}}', ()),
        ('{"generation": {"seed": 1}}', "", (("generation.seed", "1", "–"),)),
        ('{"retrieval": {"rerank": false}}', '{"retrieval": {"rerank": true}}', (("retrieval.rerank", "False", "True"),)),
        ('{"generation": {"seed": null}}', '{"generation": {}}', ()),
        ('{"appearance": {"theme": "a"}}', '{"appearance": {"theme": "b"}}', ()),
        ('{"generation": {"seed": 1}, "retrieval": {"k": 1}}', '{"generation": {"seed": 2}, "retrieval": {"k": 2}}',
         (("retrieval.k", "1", "2"), ("generation.seed", "1", "2"))),
    ],
)  # fmt: skip
def test_each_setting_that_differs_is_named_once(
    first: str, second: str, expected: tuple[tuple[str, str, str], ...]
) -> None:
    assert compare_traces(trace(settings=first), trace(settings=second)).settings == expected


@pytest.mark.parametrize(
    ("first", "second", "pieces"),
    [
        ("", "", []),
        ("a", "", [("a", None)]),
        ("", "a", [(None, "a")]),
        ("a\nb", "a\nb", [("a\nb", "a\nb")]),
        ("a\n\nb", "a\nb", [("a", "a"), ("", None), ("b", "b")]),
        ("a", "x\ny", [("a", "x"), (None, "y")]),
        ("a\r\nb", "a\nb", [("a\nb", "a\nb")]),  # line ends of another system are no change
    ],
)
def test_lines_are_paired_as_they_stand(
    first: str, second: str, pieces: list[tuple[str | None, str | None]]
) -> None:
    assert [(piece.first, piece.second) for piece in compare_lines(first, second)] == pieces


def test_a_passage_change_shows_the_newer_text() -> None:
    old, new = passages("Old", "New")
    assert PassageChange(PassageFate.MOVED, old, new).hit is new
    assert PassageChange(PassageFate.WENT, old, None).hit is old
    assert PassageChange(PassageFate.CAME, None, new).hit is new
