"""What differs between two traces becomes rows of the view of differences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.pages.traces.replay.differences import ANSWER, PARTS, PASSAGES, PROMPT, changes_in
from rag.asking.replay.comparison.rows import (
    ClaimChange,
    PassageChange,
    PassageFate,
    Piece,
    TraceComparison,
    compare_lines,
)
from rag.grounding.rows import ClaimResult, Verdict
from rag.index.rows import Hit
from rag.knowledge.rows import ChunkChangeKind


def hit(marker: int, text: str) -> Hit:
    return Hit(marker, 1, "a.txt", "", "page 2", "", None, 0, len(text), text, 1, marker=marker)


def claim(text: str, verdict: Verdict) -> ClaimResult:
    return ClaimResult(text, 0, len(text), verdict, 0.2)


def found(**values: object) -> TraceComparison:
    empty = {
        "first": None,
        "second": None,
        "passages": (),
        "claims": (),
        "answer": Piece("a", "a"),
        "prompt": (),
    }
    return TraceComparison(**{**empty, "settings": (), **values})  # type: ignore[arg-type]


def test_passages_that_came_went_and_moved_are_told_apart() -> None:
    made = changes_in(
        found(
            passages=(
                PassageChange(PassageFate.SAME, hit(1, "same"), hit(1, "same")),
                PassageChange(PassageFate.MOVED, hit(3, "moved"), hit(2, "moved")),
                PassageChange(PassageFate.CAME, None, hit(3, "new")),
                PassageChange(PassageFate.WENT, hit(2, "old"), None),
            )
        ),
        PASSAGES,
    )
    assert [one.kind for one in made] == [
        ChunkChangeKind.SAME, ChunkChangeKind.CHANGED, ChunkChangeKind.ADDED, ChunkChangeKind.REMOVED,
    ]  # fmt: skip
    assert made[1].old is not None and made[1].old.place == "[3] a.txt page 2"
    assert made[1].new is not None and made[1].new.place == "[2] a.txt page 2"
    assert made[1].words == (("equal", "moved", "moved"),)


def test_sentences_whose_verdict_is_the_same_are_left_out() -> None:
    same = claim("It is so.", Verdict.SUPPORTED)
    doubt = claim("It is so.", Verdict.CHECK)
    made = changes_in(
        found(
            claims=(
                ClaimChange(same, same),
                ClaimChange(same, doubt),
                ClaimChange(None, doubt),
                ClaimChange(same, None),
            )
        ),
        ANSWER,
    )
    assert [one.kind for one in made] == [
        ChunkChangeKind.SAME, ChunkChangeKind.CHANGED, ChunkChangeKind.ADDED, ChunkChangeKind.REMOVED,
    ]  # fmt: skip
    assert made[1].old is not None and made[1].new is not None
    assert (made[1].old.place, made[1].new.place) == ("words in source", "check")


def test_the_lines_of_a_prompt_are_rows() -> None:
    made = changes_in(found(prompt=compare_lines("a\nb\nc", "a\nB\nc\nd")), PROMPT)
    assert [one.kind for one in made] == [
        ChunkChangeKind.SAME, ChunkChangeKind.CHANGED, ChunkChangeKind.SAME, ChunkChangeKind.ADDED,
    ]  # fmt: skip
    assert made[1].words == (("replace", "b", "B"),)
    (gone,) = changes_in(found(prompt=(Piece("x", None),)), PROMPT)
    assert gone.kind is ChunkChangeKind.REMOVED and gone.new is None


@pytest.mark.parametrize("part", PARTS)
def test_of_two_traces_that_say_nothing_nothing_differs(part: str) -> None:
    made = changes_in(found(answer=Piece("", "")), part)
    assert [one.kind for one in made] == ([ChunkChangeKind.SAME] if part == ANSWER else [])


def test_an_answer_that_was_changed_is_shown_word_by_word() -> None:
    piece = Piece(
        "It rises 3.", "It rises 9.", (("equal", "It rises ", "It rises "), ("replace", "3.", "9."))
    )
    (made,) = changes_in(found(answer=piece), ANSWER)
    assert (made.kind, made.words) == (ChunkChangeKind.CHANGED, piece.words)
    assert made.old is not None and made.new is not None
    assert (made.old.text, made.new.text, made.new.place) == ("It rises 3.", "It rises 9.", "Answer")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("It is so.", "It is so.", (("equal", "It is so.", "It is so."),)),
        ("It is so.", "It is so [1].", (("replace", "It is so.", "It is so [1]."),)),
    ],
)
def test_a_sentence_with_another_verdict_is_one_change(
    first: str, second: str, words: tuple[tuple[str, str, str], ...]
) -> None:
    change = ClaimChange(claim(first, Verdict.SUPPORTED), claim(second, Verdict.CONTRADICTED))
    _, made = changes_in(found(claims=(change,)), ANSWER)
    assert (made.kind, made.words) == (ChunkChangeKind.CHANGED, words)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("a", "a", ChunkChangeKind.SAME),
        ("", "", ChunkChangeKind.SAME),
        ("", None, ChunkChangeKind.REMOVED),
        (None, "", ChunkChangeKind.ADDED),
        ("", "a", ChunkChangeKind.CHANGED),
    ],
)
def test_an_empty_line_is_a_line(first: str | None, second: str | None, kind: ChunkChangeKind) -> None:
    (made,) = changes_in(found(prompt=(Piece(first, second),)), PROMPT)
    assert made.kind is kind
    assert (made.old is None, made.new is None) == (first is None, second is None)


def test_a_passage_without_a_place_is_named_by_its_document() -> None:
    plain = replace(hit(1, "x"), place="")
    (made,) = changes_in(found(passages=(PassageChange(PassageFate.WENT, plain, None),)), PASSAGES)
    assert made.old is not None and made.old.place == "[1] a.txt"
