"""Makes contradictions to learn from: small edits of sentences that their passages support.

A changed figure, another name, a negation put in or taken out, an opposite, a word of the same form from elsewhere in
the passages, two figures or names exchanged, a clause that stands in another source. What changed is known to the
character, so that a network can learn from it word by word. Used in training alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.grounding.numbers import quantities

_OPPOSITES = """
increase/decrease increases/decreases increased/decreased increasing/decreasing increase/reduce rise/fall rises/falls
rose/fell rising/falling raise/lower raises/lowers raised/lowered raising/lowering grow/shrink grew/shrank more/less
more/fewer higher/lower highest/lowest high/low larger/smaller largest/smallest large/small big/small bigger/smaller
greater/smaller long/short longer/shorter longest/shortest before/after earlier/later early/late first/last
above/below over/under inside/outside include/exclude includes/excludes included/excluded including/excluding
accept/reject accepts/rejects accepted/rejected allow/forbid allows/forbids allowed/forbidden always/never
often/rarely usually/rarely begin/end begins/ends began/ended start/stop starts/stops started/stopped starting/ending
open/close opens/closes opened/closed buy/sell buys/sells bought/sold win/lose wins/loses won/lost gain/loss
gains/losses profit/loss profits/losses positive/negative strong/weak stronger/weaker strength/weakness good/bad
better/worse best/worst easy/difficult easier/harder hard/soft hot/cold warm/cool warmer/cooler wet/dry fast/slow
faster/slower quick/slow quickly/slowly rapid/slow old/new older/younger oldest/youngest young/old rich/poor
cheap/expensive safe/dangerous healthy/unhealthy necessary/unnecessary possible/impossible likely/unlikely
able/unable happy/unhappy legal/illegal common/rare public/private internal/external domestic/foreign male/female
man/woman men/women boy/girl brother/sister father/mother son/daughter husband/wife husband/ex-husband he/she his/her
north/south northern/southern east/west eastern/western left/right up/down top/bottom upper/lower front/back
maximum/minimum most/least many/few majority/minority full/empty heavy/light thick/thin deep/shallow wide/narrow
active/passive agree/disagree agrees/disagrees agreed/disagreed approve/disapprove approved/rejected support/oppose
supports/opposes supported/opposed confirm/deny confirms/denies confirmed/denied praise/criticise praised/criticised
love/hate loves/hates loved/hated arrive/leave arrives/leaves arrived/left enter/leave entered/left remember/forget
remembers/forgets succeed/fail succeeds/fails succeeded/failed success/failure advantage/disadvantage
improve/worsen improves/worsens improved/worsened strengthen/weaken strengthened/weakened expand/reduce expanded/reduced
add/remove adds/removes added/removed attach/detach enable/disable enabled/disabled connect/disconnect
connected/disconnected hire/fire hired/fired guilty/innocent alive/dead ally/enemy friend/enemy day/night
morning/evening summer/winter spring/autumn today/tomorrow yesterday/tomorrow monthly/yearly weekly/daily
quarterly/annual annually/monthly permanent/temporary temporarily/permanently voluntary/compulsory optional/mandatory
simple/complex natural/artificial organic/synthetic liquid/solid raw/cooked fresh/stale sweet/sour sharp/blunt
clean/dirty quiet/loud calm/angry brave/afraid polite/rude honest/dishonest generous/greedy trust/distrust
""".split()
_OPPOSITE: dict[str, tuple[str, ...]] = {}
for _pair in _OPPOSITES:
    _one, _other = _pair.split("/")
    _OPPOSITE[_one] = (*_OPPOSITE.get(_one, ()), _other)
    _OPPOSITE[_other] = (*_OPPOSITE.get(_other, ()), _one)

_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|can|could|will|would|should|must|may|might|has|have|had|does|do|did)\b(?! not\b|n't)",
    re.I,
)
_NOT = re.compile(r"\b(?:not|never|no longer)\s+", re.I)
_NAME = re.compile(r"(?<![.!?:;]\s)(?<!^)\b[A-Z][\w&'’.-]*[\w](?:\s+[A-Z][\w&'’.-]*[\w]){0,3}")
_WORD = re.compile(r"\b[a-z]{5,}\b")
_ENDINGS = (
    "ations",
    "ation",
    "ings",
    "ing",
    "ments",
    "ment",
    "ness",
    "ity",
    "ies",
    "ers",
    "er",
    "ed",
    "ly",
    "al",
    "ous",
    "es",
    "s",
)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")

Spans = list[tuple[int, int]]


@dataclass(frozen=True)
class Edited:
    """A sentence that its passages no longer support, and the characters that make it so."""

    text: str
    spans: tuple[tuple[int, int], ...]
    kind: str


@dataclass(frozen=True)
class Pool:
    """What edits take their material from: names and words of the same source, clauses of others."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    clauses: tuple[str, ...]


def pool_of(passages: Sequence[str], others: Sequence[str]) -> Pool:
    """The material of a source; others are sentences of other sources."""
    text = "\n".join(passages)
    names = dict.fromkeys(match.group() for match in _NAME.finditer(text))
    words = dict.fromkeys(_WORD.findall(text))
    clauses = [
        match.group(1)
        for sentence in others
        if (match := re.search(r"((?:,| and| because| after| when| with) [^,.;:]{12,70})[.]$", sentence))
    ]
    return Pool(tuple(names), tuple(words), tuple(clauses))


def edit(sentence: str, pool: Pool, rng: random.Random) -> Edited | None:
    """One edit of a kind chosen at random among those that the sentence allows; None when none does."""
    kinds = list(_KINDS.items())
    rng.shuffle(kinds)
    for kind, make in kinds:
        made = make(sentence, pool, rng)
        if made is not None:
            text, spans = made
            return Edited(text, tuple(spans), kind)
    return None


def _figure(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    found = [match for match in _DIGITS.finditer(sentence)]
    if not found:
        return None
    match = rng.choice(found)
    return _replaced(sentence, match.start(), match.end(), _other_number(match.group(), rng))


def _other_number(text: str, rng: random.Random) -> str:
    digits = text.replace(",", "")
    try:
        value = float(digits)
    except ValueError:
        return str(rng.randint(2, 90))
    if digits.isdigit() and 1500 <= value <= 2100:
        return str(int(value) + rng.choice([-20, -10, -5, -3, -2, -1, 1, 2, 3, 5, 10]))
    factor = rng.choice([0.1, 0.5, 0.8, 0.9, 1.1, 1.2, 1.5, 2.0, 3.0, 10.0])
    if "." in digits:
        made = f"{value * factor:.{len(digits.split('.')[1])}f}"
    else:
        made = str(max(round(value * factor), 0))
        if "," in text and int(made) >= 1000:
            made = f"{int(made):,}"
    return made if made != text else str(round(value) + rng.randint(1, 9))


def _name(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    found = [match for match in _NAME.finditer(sentence)]
    others = [name for name in pool.names if name not in sentence and sentence.find(name.split()[0]) < 0]
    if not found or not others:
        return None
    match = rng.choice(found)
    like = [name for name in others if len(name.split()) == len(match.group().split())] or others
    return _replaced(sentence, match.start(), match.end(), rng.choice(like))


def _negation(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    present = _NOT.search(sentence)
    if present:
        text = sentence[: present.start()] + sentence[present.end() :]
        word = re.compile(r"\w+").search(text, present.start())
        return (text, [(word.start(), word.end())]) if word else None
    found = list(_AUXILIARY.finditer(sentence))
    if not found:
        return None
    match = rng.choice(found)
    text = f"{sentence[: match.end()]} not{sentence[match.end() :]}"
    return text, [(match.end() + 1, match.end() + 4)]


def _opposite(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    found = [match for match in re.finditer(r"[A-Za-z-]+", sentence) if match.group().lower() in _OPPOSITE]
    if not found:
        return None
    match = rng.choice(found)
    other = rng.choice(_OPPOSITE[match.group().lower()])
    return _replaced(
        sentence, match.start(), match.end(), other.capitalize() if match.group()[0].isupper() else other
    )


def _word(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    found = list(_WORD.finditer(sentence))
    rng.shuffle(found)
    for match in found[:6]:
        ending = next((e for e in _ENDINGS if match.group().endswith(e)), "")
        like = [
            word for word in pool.words
            if word not in sentence and word[:4] != match.group()[:4]
            and (word.endswith(ending) if ending else not word.endswith(_ENDINGS))
        ]  # fmt: skip
        if like:
            return _replaced(sentence, match.start(), match.end(), rng.choice(like))
    return None


def _exchange(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    for found in (
        [(q.start, q.end) for q in quantities(sentence)],
        [m.span() for m in _NAME.finditer(sentence)],
    ):
        pairs = [
            (a, b) for n, a in enumerate(found) for b in found[n + 1 :]
            if b[0] >= a[1] and sentence[slice(*a)] != sentence[slice(*b)]
        ]  # fmt: skip
        if pairs:
            (a, b), (c, d) = rng.choice(pairs)
            first, second = sentence[a:b], sentence[c:d]
            text = sentence[:a] + second + sentence[b:c] + first + sentence[d:]
            moved = len(second) - len(first)
            return text, [(a, a + len(second)), (c + moved, c + moved + len(first))]
    return None


def _clause(sentence: str, pool: Pool, rng: random.Random) -> tuple[str, Spans] | None:
    if not pool.clauses or not sentence.rstrip().endswith("."):
        return None
    body = sentence.rstrip()[:-1]
    added = rng.choice(pool.clauses)
    return f"{body}{added}.", [(len(body), len(body) + len(added))]


def _replaced(sentence: str, start: int, end: int, new: str) -> tuple[str, Spans]:
    return sentence[:start] + new + sentence[end:], [(start, start + len(new))]


_KINDS: dict[str, Callable[[str, Pool, random.Random], tuple[str, Spans] | None]] = {
    "figure": _figure,
    "name": _name,
    "negation": _negation,
    "opposite": _opposite,
    "word": _word,
    "exchange": _exchange,
    "clause": _clause,
}
