"""How a sentence relates to the passages: features of a logistic regression, and the sentence that fits best.

Left out on purpose: position and length of the sentence in the answer. They tell which model wrote it, not
whether it is supported.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rag.grounding.numbers import Quantity, quantities, same
from rag.grounding.sentences import plain_text, split_sentences
from rag.matching import CJK, STOP_WORDS

Vectors = npt.NDArray[np.float32]

NAMES = (
    "novel_words",
    "novel_word_count",
    "best_sentence_coverage",
    "best_pair_coverage",
    "best_passage_coverage",
    "novel_bigrams",
    "longest_run",
    "novel_numbers",
    "novel_number_count",
    "novel_names",
    "novel_name_count",
    "cosine_best",
    "cosine_second",
    "question_overlap",
    "novel_beyond_question",
    "negation_differs",
)
CANDIDATES = 2  # sentences of the passages that are embedded for each sentence of the answer

_TOKEN = re.compile(f"[{CJK}]|\\w+(?:['’]\\w+)?")
_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|without|cannot|nothing)\b|n['’]t\b", re.IGNORECASE)
_NAME = re.compile(r"(?<!^)(?<![.!?:]\s)\b[A-Z][\w&'’-]+")
_SUFFIXES = ("ingly", "edly", "ings", "ing", "ies", "ied", "ers", "ed", "ly", "es", "er", "s")
_CONTEXT_LIMIT = 20_000  # tokens of the passages that the longest common run is looked for in


@dataclass(frozen=True)
class Unit:
    """A sentence of a passage: where it is and what it says. Offsets are into its passage."""

    passage: int
    start: int
    end: int
    text: str
    stems: frozenset[str]


@dataclass
class Context:
    """The passages, prepared once for all sentences of an answer."""

    units: list[Unit] = field(default_factory=list)
    passage_stems: list[frozenset[str]] = field(default_factory=list)
    stems: frozenset[str] = frozenset()
    bigrams: frozenset[tuple[str, str]] = frozenset()
    trigrams: frozenset[tuple[str, str, str]] = frozenset()
    five_grams: frozenset[tuple[str, ...]] = frozenset()
    numbers: list[Quantity] = field(default_factory=list)
    lowered: str = ""


@dataclass(frozen=True)
class Alignment:
    """A sentence of the answer with its candidates among the units, best first by shared words."""

    text: str
    stems: frozenset[str]
    tokens: tuple[str, ...]
    candidates: tuple[int, ...]
    coverages: tuple[float, ...]


def prepare(passages: Sequence[str]) -> Context:
    """Split the passages into units and index their words."""
    context = Context()
    tokens: list[str] = []
    for number, passage in enumerate(passages):
        stems_here: set[str] = set()
        for sentence in split_sentences(passage):
            stems = content_stems(sentence.text)
            stems_here |= stems
            if stems:
                context.units.append(Unit(number, sentence.start, sentence.end, sentence.text, stems))
        context.passage_stems.append(frozenset(stems_here))
        tokens.extend(_tokens(passage))
        context.numbers.extend(quantities(passage))
    tokens = tokens[:_CONTEXT_LIMIT]
    context.stems = frozenset().union(*context.passage_stems)
    context.bigrams = frozenset(zip(tokens, tokens[1:], strict=False))
    context.trigrams = frozenset(zip(tokens, tokens[1:], tokens[2:], strict=False))
    context.five_grams = frozenset(zip(*(tokens[n:] for n in range(5)), strict=False))
    context.lowered = "\n".join(passages).lower()
    return context


def align(sentence: str, context: Context) -> Alignment:
    """Find the units that share most words with the sentence."""
    text = plain_text(sentence)
    stems = content_stems(text)
    size = max(len(stems), 1)
    scored = [
        (len(stems & unit.stems) / size - 0.002 * math.log1p(len(unit.stems)), index)
        for index, unit in enumerate(context.units)
    ]
    best = sorted(scored, key=lambda pair: (-pair[0], pair[1]))[: CANDIDATES + 1]
    return Alignment(
        text,
        stems,
        tuple(_tokens(text)),
        tuple(index for _, index in best),
        tuple(len(stems & context.units[index].stems) / size for _, index in best),
    )


def features(
    alignment: Alignment, context: Context, question: str, cosines: Sequence[float]
) -> npt.NDArray[np.float64]:
    """The vector (len(NAMES),) of one sentence; cosines are those of its first candidates, in their order."""
    stems, tokens = alignment.stems, alignment.tokens
    size = max(len(stems), 1)
    novel = stems - context.stems
    asked = content_stems(question)
    best_stems: frozenset[str] = frozenset()
    pair_coverage = 0.0
    if alignment.candidates:
        best_stems = context.units[alignment.candidates[0]].stems
        union = frozenset().union(*(context.units[index].stems for index in alignment.candidates[:2]))
        pair_coverage = len(stems & union) / size
    passage_coverage = max((len(stems & other) / size for other in context.passage_stems), default=0.0)
    bigrams = list(zip(tokens, tokens[1:], strict=False))
    numbers = quantities(alignment.text)
    novel_numbers = [n for n in numbers if not any(same(n, other) for other in context.numbers)]
    names = set(_NAME.findall(alignment.text))
    novel_names = [name for name in names if name.lower() not in context.lowered]
    ranked = sorted(cosines, reverse=True)
    best_text = context.units[alignment.candidates[0]].text if alignment.candidates else ""
    values = (
        len(novel) / size,
        math.log1p(len(novel)),
        len(stems & best_stems) / size,
        pair_coverage,
        passage_coverage,
        sum(pair not in context.bigrams for pair in bigrams) / max(len(bigrams), 1),
        _run_share(tokens, context),
        len(novel_numbers) / max(len(numbers), 1),
        math.log1p(len(novel_numbers)),
        len(novel_names) / max(len(names), 1),
        math.log1p(len(novel_names)),
        ranked[0] if ranked else 0.0,
        ranked[1] if len(ranked) > 1 else (ranked[0] if ranked else 0.0),
        len(stems & asked) / size,
        len(novel - asked) / size,
        float(negations(alignment.text) % 2 != negations(best_text) % 2) if best_text else 0.0,
    )
    return np.array(values, dtype=np.float64)


def content_stems(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    return frozenset(_stem(token) for token in _tokens(text) if token not in STOP_WORDS)


def negations(text: str) -> int:
    return len(_NEGATION.findall(text))


def _tokens(text: str) -> list[str]:
    return [token.lower() for token in _TOKEN.findall(text)]


def _stem(word: str) -> str:
    """A light suffix stripper: enough to match forms of one word, and fast."""
    word = word.removesuffix("'s").removesuffix("’s")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word


def _run_share(tokens: Sequence[str], context: Context) -> float:
    """Share of the sentence's tokens that stand in a run of five or more copied from the passages."""
    if len(tokens) < 5:
        grams: frozenset[tuple[str, ...]] = context.trigrams  # type: ignore[assignment]
        length = 3
    else:
        grams, length = context.five_grams, 5
    covered = [False] * len(tokens)
    for begin in range(len(tokens) - length + 1):
        if tuple(tokens[begin : begin + length]) in grams:
            covered[begin : begin + length] = [True] * length
    return sum(covered) / max(len(tokens), 1)
