"""Compares a sentence with the passages: the features of the detector, and the nearest passage sentences.

A passage is cut into units (its sentences, long ones into windows). For each sentence of an answer the units
that share its words are looked up in an inverted index; only the best few are embedded. Everything is linear
in the length of its text: runs are found by n-grams.

Left out on purpose: position and length of the sentence in the answer. They tell which model wrote it, not
whether it is supported.

Tried and left out, by grouped cross-validation on RAGTruth QA. What stayed has AUROC 0.867, average precision
0.336 and example F1 0.48; example F1 moves by 0.04 with the folding. Each of these was tried against the
version of its time, so compare them with that in mind:
- Ten more features (coverage by the best unit, novel token bigrams, longest common subsequence, shares of
  novel numbers and names, figures and names missing near the evidence, negation, antonyms, cosine of the
  second candidate): AUROC 0.862, precision 0.316, F1 0.48.
- Cosine with the question and the better of two candidates: AUROC 0.868, F1 0.47, and four more texts to
  encode.
- Squares and products, means over the other sentences of the answer, document frequencies of novel words, 400
  extremely randomised trees: F1 0.44 to 0.48.
- A longer list of generic words: AUROC 0.850, precision 0.334, F1 0.47.
- Alignment token by token (for each content token the best cosine with a token of the four nearest units,
  MiniLM's layers 2, 4 and 6; mean, minimum, lowest three, lowest fifth, share below a limit): alone AUROC
  0.66 to 0.78; added: layer 2 AUROC 0.866, F1 0.49; layer 4 0.866, 0.47; layer 6 0.865, 0.48; all three
  0.863, 0.48.
- The lift log p(token | passages, question) - log p(token | question), of a small language model that did not
  write the answers (SmolLM2-135M, 951 s for 422 answers): alone AUROC 0.838; added: mean lift AUROC 0.871, F1
  0.48, with the minimum 0.871, 0.48; log-probabilities 0.867, 0.47; entropy 0.868, 0.47; all six 0.871, 0.46.
  That gain is inside the noise and costs two readings of every answer.
- Contradictions stay invisible to all of them: SummEdits has AUROC 0.51 to 0.54.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rag.grounding.numbers import Numbers, Quantity, quantities
from rag.grounding.sentences import plain_text, split_sentences
from rag.text.search_terms import folded

NAMES = (
    "novel_words",
    "novel_word_count",
    "novel_run",
    "novel_beyond_question",
    "best_pair_coverage",
    "best_passage_coverage",
    "novel_content_bigrams",
    "copied_runs",
    "novel_number_count",
    "novel_name_count",
    "cosine",
    "question_overlap",
    "generic_words",
)
CANDIDATES = 2  # units that a sentence is compared with; the first is embedded, too
ENCODED_CHARACTERS = 300  # of a text: a long one makes the whole batch slow

_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:['’][a-z]+)?"
)
_NAME = re.compile(r"(?<!^)(?<![.!?:;\"“(]\s)\b[A-Z][\w&'’-]+")
_REFERENCE = re.compile(
    r"\(?\b(?:passages?|sources?)\s+\d+(?:(?:\s*,|\s*&|\s+and|\s+or)+\s*\d+)*\)?", re.IGNORECASE
)
_GLUED = re.compile(r"(?<=[a-z)]{2}[.!?])(?=[A-Z][a-z]*\s)")  # "the acid.These are": web pages lose spaces
_NEGATIONS = frozenset("not no never none neither nor without cannot nothing nobody hardly".split())
_UNIT_WORDS = 60  # longer units are cut into windows

_STOP_WORDS = frozenset(
    "a an the and or but if then than so as at by for from in into of on onto off out over under up down "
    "to with within through during about between among per via is are was were be been being am do does "
    "did doing have has had having can could may might must shall should will would it its itself he him "
    "his she her hers they them their theirs we us our ours you your yours i me my mine this that these "
    "those there here what which who whom whose when where why how not no nor never none cannot without "
    "also too very just only both each either all any some such same other another more most less least "
    "much many few own s t don’t don't isn't doesn't can't it's".split()
)
# Words of connection and comment: they are in no passage and claim nothing by themselves.
_GENERIC = frozenset(
    "additionally although answer based because certain common commonly consider consult crucial depend "
    "depending described different due e especially essential etc example factor factors finally first "
    "following further furthermore general generally given help helpful however i.e important include "
    "included includes including information instance involve involved involves key known like likely "
    "main mention mentioned moreover need needed note often one overall particular passage passages "
    "possible process provide provided provides recommended refer refers regarding related result second "
    "several similar similarly since source sources specific specifically state stated states step steps "
    "summary text therefore third thus type types typically use used uses using usually various way ways "
    "well while worth".split()
)
_SUFFIXES = (
    "izations", "ization", "ations", "ation", "ingly", "ments", "ment", "ness", "ions", "ings", "edly", "ers",
    "ors", "ies", "ied", "ing", "ion", "est", "er", "or", "ed", "es", "ly", "al", "s", "y", "e",
)  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A sentence of a passage, or a window of a long one. passage counts from 0; offsets are into it."""

    passage: int
    start: int
    end: int
    text: str
    tokens: tuple[str, ...]
    stems: frozenset[str]
    numbers: tuple[Quantity, ...]


@dataclass(frozen=True)
class Context:
    """The passages, prepared once for all sentences of an answer."""

    units: tuple[Unit, ...]
    index: dict[str, tuple[int, ...]]  # stem -> units that contain it
    passage_stems: tuple[frozenset[str], ...]
    words: frozenset[str]
    grams: frozenset[tuple[str, ...]]  # three and five tokens in a row
    stem_bigrams: frozenset[tuple[str, str]]
    numbers: Numbers


@dataclass(frozen=True)
class Alignment:
    """A sentence of the answer with its nearest units, best first by shared words."""

    text: str
    tokens: tuple[str, ...]
    content: tuple[str, ...]  # stems of its content words, in order
    stems: frozenset[str]
    numbers: tuple[Quantity, ...]
    candidates: tuple[int, ...]


def prepare(passages: Sequence[str]) -> Context:
    """Cut the passages into units and index their words."""
    units: list[Unit] = []
    index: dict[str, list[int]] = {}
    passage_stems: list[set[str]] = [set() for _ in passages]
    words: set[str] = set()
    grams: set[tuple[str, ...]] = set()
    bigrams: set[tuple[str, str]] = set()
    for number, passage in enumerate(passages):
        for start, end in _unit_spans(passage):
            text = passage[start:end]
            tokens = tokenize(text)
            content = content_stems(tokens)
            for stem in dict.fromkeys(content):
                index.setdefault(stem, []).append(len(units))
            units.append(Unit(number, start, end, text, tokens, frozenset(content), tuple(quantities(text))))
            passage_stems[number].update(content)
            words.update(tokens)
            bigrams.update(pairwise(content))
        tokens = tokenize(passage)
        for size in (3, 5):
            grams.update(zip(*(tokens[n:] for n in range(size)), strict=False))
    return Context(
        tuple(units),
        {stem: tuple(found) for stem, found in index.items()},
        tuple(frozenset(stems) for stems in passage_stems),
        frozenset(words),
        frozenset(grams),
        frozenset(bigrams),
        Numbers(quantity for unit in units for quantity in unit.numbers),
    )


def align(sentence: str, context: Context) -> Alignment:
    """Find the units that share most words with the sentence, rare words counting more."""
    text = _REFERENCE.sub(" ", plain_text(sentence)).strip()
    tokens = tokenize(text)
    content = content_stems(tokens)
    shared: defaultdict[int, float] = defaultdict(float)
    for stem in dict.fromkeys(content):
        holders = context.index.get(stem, ())
        weight = 1.0 / (1.0 + math.log(len(holders))) if holders else 0.0
        for number in holders:
            shared[number] += weight
    size = max(len(set(content)), 1)
    ranked = sorted(
        shared,
        key=lambda number: (
            -shared[number] / size + 0.01 * math.log1p(len(context.units[number].stems)),
            number,
        ),
    )
    return Alignment(
        text,
        tokens,
        content,
        frozenset(content),
        tuple(quantities(text)),
        tuple(ranked[:CANDIDATES]) or _any_unit(context),
    )


def coverage(alignment: Alignment, unit: Unit) -> float:
    """Return the share of the sentence's content words that the unit contains."""
    return len(alignment.stems & unit.stems) / max(len(alignment.stems), 1)


def features(alignment: Alignment, context: Context, question: str, cosine: float) -> npt.NDArray[np.float64]:
    """Return the features (len(NAMES),) of one sentence.

    Args:
        alignment: The sentence with its candidates.
        context: The passages.
        question: What was asked; its words are not new in an answer.
        cosine: The cosine of the sentence with its first candidate.
    """
    stems = alignment.stems
    size = max(len(stems), 1)
    known = [stem in context.index for stem in alignment.content]
    novel = {stem for stem, is_known in zip(alignment.content, known, strict=True) if not is_known}
    novel -= {  # "twelve hundred" is not new where a passage has 1,200
        stem
        for number in alignment.numbers
        if context.numbers.contains(number)
        for stem in content_stems(tokenize(number.text))
    }
    asked = frozenset(content_stems(tokenize(question)))
    novel_claims = novel - asked - _generic_stems()
    units = [context.units[number] for number in alignment.candidates]
    pair = frozenset().union(*(unit.stems for unit in units)) if units else frozenset()
    content_pairs = list(pairwise(alignment.content))
    names = {name.lower().removesuffix("'s").removesuffix("’s") for name in _NAME.findall(alignment.text)}
    values = (
        len(novel_claims) / size,
        math.log1p(len(novel_claims)),
        math.log1p(_longest_run([stem in novel_claims for stem in alignment.content])),
        len(novel - asked) / size,
        len(stems & pair) / size,
        max((len(stems & other) / size for other in context.passage_stems), default=0.0),
        sum(gram not in context.stem_bigrams for gram in content_pairs) / max(len(content_pairs), 1),
        _copied_share(alignment.tokens, context.grams),
        math.log1p(sum(not context.numbers.contains(number) for number in alignment.numbers)),
        math.log1p(sum(not _known_name(name, context.words) for name in names)),
        cosine,
        len(stems & asked) / size,
        len(stems & _generic_stems()) / size,
    )
    return np.array(values, dtype=np.float64)


def unknown_words(sentence: str, context: Context, question: str) -> list[tuple[int, int]]:
    """Return the spans in the sentence of the content words that neither passages nor question contain."""
    asked = frozenset(content_stems(tokenize(question))) | _generic_stems()
    return [
        match.span()
        for match in _TOKEN.finditer(sentence)
        for stem in content_stems(tokenize(match.group()))
        if stem not in context.index and stem not in asked and not match.group().isdigit()
    ]


def denying_side(here: Sequence[str], there: Sequence[str]) -> str:
    """Return "here" or "there" when only that text denies a word that both contain, else ""."""
    denied_here, denied_there = _denied(here), _denied(there)
    if denied_here and not denied_there:
        return "here" if denied_here & set(content_stems(there)) else ""
    if denied_there and not denied_here:
        return "there" if denied_there & set(content_stems(here)) else ""
    return ""


def tokenize(text: str) -> tuple[str, ...]:
    """Return the words in lower case; Chinese, Japanese and Korean character by character."""
    return tuple(token.lower().replace("’", "'") for token in _TOKEN.findall(folded(text)))


def content_stems(tokens: Sequence[str]) -> tuple[str, ...]:
    """Return the stems of the words that carry meaning, in order."""
    return tuple(_stem(token) for token in tokens if token not in _STOP_WORDS)


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    """Strip a suffix: enough to match the forms of one word, and fast."""
    word = word.split("'")[0] or word
    if len(word) <= 3 or word[0].isdigit():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if word[-1] in "ei" and len(word) > 3:
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word


@lru_cache(maxsize=1)
def _generic_stems() -> frozenset[str]:
    return frozenset(_stem(word) for word in _GENERIC)


def _unit_spans(passage: str) -> list[tuple[int, int]]:
    """Return the spans of a passage's sentences; one too long to compare is cut into windows of words."""
    spans: list[tuple[int, int]] = []
    for sentence in split_sentences(passage):
        cuts = [0, *(match.start() for match in _GLUED.finditer(sentence.text)), len(sentence.text)]
        for begin, end in pairwise(cuts):
            words = [match.span() for match in re.finditer(r"\S+", sentence.text[begin:end])]
            for first in range(0, len(words), _UNIT_WORDS):
                last = words[min(first + _UNIT_WORDS, len(words)) - 1]
                offset = sentence.start + begin
                spans.append((offset + words[first][0], offset + last[1]))
    return [(start, end) for start, end in spans if any(c.isalnum() for c in passage[start:end])]


def _any_unit(context: Context) -> tuple[int, ...]:
    """Return units for a sentence that shares no word with any: meaning alone may relate them."""
    return tuple(range(min(CANDIDATES, len(context.units))))


def _known_name(name: str, words: frozenset[str]) -> bool:
    return all(part in words for part in re.findall(r"[^\W_]+", name))


def _longest_run(flags: Sequence[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def _copied_share(tokens: tuple[str, ...], grams: frozenset[tuple[str, ...]]) -> float:
    """Return the share of tokens in runs of five (three in a short sentence) from a passage."""
    size = 5 if len(tokens) >= 8 else 3
    copied = bytearray(len(tokens))
    for begin in range(len(tokens) - size + 1):
        if tokens[begin : begin + size] in grams:
            copied[begin : begin + size] = b"\x01" * size
    return sum(copied) / max(len(tokens), 1)


def _denied(tokens: Sequence[str]) -> set[str]:
    """Return the stem of the first content word after each negation."""
    denied: set[str] = set()
    for place, token in enumerate(tokens):
        if token in _NEGATIONS or token.endswith("n't"):
            following = [t for t in tokens[place + 1 : place + 5] if t not in _STOP_WORDS]
            denied.update(_stem(t) for t in following[:1])
    return denied
