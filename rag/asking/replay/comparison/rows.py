"""Compares two traces, own or received, without any model: passages, sentences, prompt, settings, figures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from rag.asking.replay.rows import SECTIONS
from rag.asking.rows import TraceDetail
from rag.grounding.rows import ClaimResult
from rag.index.rows import Hit
from rag.text.citations import without_citations
from rag.text.plurals import counted
from rag.text.search_terms import comparable
from rag.text.word_diff import word_diff

_ALIKE = 0.6  # share of words from which on two sentences are held to be the same one, changed
_LONGEST = 6_000  # characters of a text that is compared word by word; longer ones are compared whole


class PassageFate(StrEnum):
    """What became of a passage from one prompt to another."""

    SAME = "same"
    MOVED = "moved"  # others were overtaken; a new number alone is no move
    CAME = "came"
    WENT = "went"


@dataclass(frozen=True)
class PassageChange:
    """A passage of either prompt; what the other one does not have is None."""

    fate: PassageFate
    first: Hit | None
    second: Hit | None

    @property
    def hit(self) -> Hit:
        """The passage, of the second prompt where it is there."""
        found = self.second or self.first
        assert found is not None
        return found


@dataclass(frozen=True)
class ClaimChange:
    """A sentence of either answer; what the other one does not say is None."""

    first: ClaimResult | None
    second: ClaimResult | None

    @property
    def is_changed(self) -> bool:
        """Whether its verdict is another one, or only one of the answers says it."""
        return not (self.first and self.second) or self.first.verdict is not self.second.verdict

    def sentence(self) -> str:
        """Return what became of it, for people: “supported → check”, “new: check”."""
        if self.first and self.second:
            before, after = self.first.verdict.words, self.second.verdict.words
            return f"{before} → {after}" if before != after else before
        if self.second:
            return f"new: {self.second.verdict.words}"
        return f"gone: {self.first.verdict.words}" if self.first else ""


@dataclass(frozen=True)
class Piece:
    """A stretch of either text; words is the difference word by word where both have it, changed."""

    first: str | None
    second: str | None
    words: tuple[tuple[str, str, str], ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether both texts have it as it is."""
        return self.first == self.second


@dataclass(frozen=True)
class TraceComparison:
    """What differs from the first trace to the second.

    Attributes:
        first: The earlier one, or the one that was replayed.
        second: The other one.
        passages: Of both prompts, in the order of the second.
        claims: The checked sentences of both answers.
        answer: Of the answers, as one piece.
        prompt: Of the prompts, line by line.
        settings: (SECTION.KEY, first value, second value) of each that differs.
    """

    first: TraceDetail
    second: TraceDetail
    passages: tuple[PassageChange, ...]
    claims: tuple[ClaimChange, ...]
    answer: Piece
    prompt: tuple[Piece, ...]
    settings: tuple[tuple[str, str, str], ...]

    def passages_sentence(self) -> str:
        """Return what became of the passages: “1 came, 2 went”; “the same 4” when nothing did."""
        counts = {fate: sum(one.fate is fate for one in self.passages) for fate in PassageFate}
        parts = [f"{counts[fate]} {fate}" for fate in list(PassageFate)[1:] if counts[fate]]
        return ", ".join(parts) or (f"the same {len(self.passages)}" if self.passages else "none")

    def claims_sentence(self) -> str:
        """Return how many sentences changed: “1 changed its verdict, 2 new, 1 gone”."""
        changed = sum(bool(one.first and one.second) and one.is_changed for one in self.claims)
        new = sum(one.first is None for one in self.claims)
        gone = sum(one.second is None for one in self.claims)
        parts = [f"{changed} with another verdict"] if changed else []
        parts += [f"{new} new"] if new else []
        parts += [f"{gone} gone"] if gone else []
        same = counted(len(self.claims), "sentence")
        return ", ".join(parts) or (f"the same {same}" if self.claims else "none checked")


def compare_traces(first: TraceDetail, second: TraceDetail) -> TraceComparison:
    """Return what differs between two traces. Nothing is searched, asked or checked for it."""
    return TraceComparison(
        first,
        second,
        _passages(_packed(first), _packed(second)),
        _claims(first.claims, second.claims),
        _piece(first.answer, second.answer),
        compare_lines(first.prompt, second.prompt),
        _settings(first.settings, second.settings),
    )


def compare_lines(first: str, second: str) -> tuple[Piece, ...]:
    """Return two texts line by line; a line that was changed is compared word by word."""
    a, b = first.splitlines(), second.splitlines()
    pieces: list[Piece] = []
    for operation, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if operation == "equal":
            pieces.append(Piece("\n".join(a[a0:a1]), "\n".join(b[b0:b1])))
            continue
        paired = min(a1 - a0, b1 - b0)
        pieces += [_piece(a[a0 + n], b[b0 + n]) for n in range(paired)]
        pieces += [Piece("\n".join(a[a0 + paired : a1]), None)] if a0 + paired < a1 else []
        pieces += [Piece(None, "\n".join(b[b0 + paired : b1]))] if b0 + paired < b1 else []
    return tuple(pieces)


def _piece(first: str, second: str) -> Piece:
    if first == second:
        return Piece(first, second)
    if max(len(first), len(second)) > _LONGEST:
        words: tuple[tuple[str, str, str], ...] = (("replace", first, second),)
    else:
        words = word_diff(first, second)
    return Piece(first, second, words)


def _packed(trace: TraceDetail) -> list[Hit]:
    return sorted((hit for hit in trace.hits if hit.marker is not None), key=lambda hit: hit.marker or 0)


def _passages(first: Sequence[Hit], second: Sequence[Hit]) -> tuple[PassageChange, ...]:
    """Match passages by their text, which a received trace has as well; each counts once."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for place, hit in enumerate(first):
        waiting[_words(hit.text)].append(place)
    partners = [places.pop(0) if (places := waiting[_words(hit.text)]) else None for hit in second]
    common = [place for place in partners if place is not None]
    in_order = {
        common[match.b + n]
        for match in SequenceMatcher(None, sorted(common), common, autojunk=False).get_matching_blocks()
        for n in range(match.size)
    }
    changes = []
    for hit, partner in zip(second, partners, strict=True):
        if partner is None:
            changes.append(PassageChange(PassageFate.CAME, None, hit))
        else:
            fate = PassageFate.SAME if partner in in_order else PassageFate.MOVED
            changes.append(PassageChange(fate, first[partner], hit))
    went = (first[place] for place in range(len(first)) if place not in common)
    return (*changes, *(PassageChange(PassageFate.WENT, hit, None) for hit in went))


def _claims(first: Sequence[ClaimResult], second: Sequence[ClaimResult]) -> tuple[ClaimChange, ...]:
    """Match sentences that are equal apart from their markers, then those that share most of their words."""
    old = [claim for claim in first if claim.verdict.is_claim]
    new = [claim for claim in second if claim.verdict.is_claim]
    words = {id(claim): _words(without_citations(claim.text)).split() for claim in (*old, *new)}
    pairs = sorted(
        (-_alike(words[id(a)], words[id(b)]), x, y) for x, a in enumerate(old) for y, b in enumerate(new)
    )
    partner: dict[int, int] = {}
    for likeness, x, y in pairs:
        if -likeness >= _ALIKE and x not in partner.values() and y not in partner:
            partner[y] = x
    matched = [ClaimChange(old[partner[y]] if y in partner else None, b) for y, b in enumerate(new)]
    gone = [ClaimChange(a, None) for x, a in enumerate(old) if x not in partner.values()]
    return (*matched, *gone)


def _alike(first: Sequence[str], second: Sequence[str]) -> float:
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _words(text: str) -> str:
    return " ".join(comparable(text).split())


def _settings(first: str, second: str) -> tuple[tuple[str, str, str], ...]:
    old, new = json.loads(first or "{}"), json.loads(second or "{}")
    found = []
    for section in SECTIONS:
        before, after = old.get(section, {}), new.get(section, {})
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                found.append((f"{section}.{key}", _shown(before.get(key)), _shown(after.get(key))))
    return tuple(found)


def _shown(value: object) -> str:
    return "–" if value is None else str(value)
