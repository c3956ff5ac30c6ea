"""Judges the sentences of an answer by a small logistic regression in a JSON file.

A rule about figures, dates and negations names contradictions, with its reason; the regression judges the
rest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import RagError
from rag.grounding.features import (
    ENCODED_CHARACTERS,
    NAMES,
    Alignment,
    Context,
    Unit,
    align,
    content_stems,
    coverage,
    denying_side,
    features,
    prepare,
    tokenize,
    unknown_words,
)
from rag.grounding.numbers import Quantity, same
from rag.grounding.rows import ClaimResult, Verdict
from rag.grounding.second_detector import SecondDetector
from rag.grounding.sentences import Sentence, is_checkable, split_sentences
from rag.text.languages import foreign_parts

Encode = Callable[[list[str]], npt.NDArray[np.float32]]

# The share of a sentence's other words that the evidence must contain before a rule compares figures.
_ALIGNED = 0.6
_WELL_ALIGNED = 0.75  # then one shared word around the figures is enough, else two
_NEGATION_ALIGNED = 0.7  # of the longer of the two
_NO_EVIDENCE_COVERAGE = 0.2
_NO_EVIDENCE_COSINE = 0.3
_NEIGHBOURS = 4  # tokens on either side of a figure that tell what it measures
_LABELS = frozenset(
    "step steps passage passages source option part chapter section figure table page item version".split()
)
_NOT_ASSERTED = frozenset(
    "if unless whether careful avoid unable but only".split()
)  # "if you can't" denies nothing
_FOREIGN = "Not checkable in this language: the detector was trained on English."


@dataclass(frozen=True)
class VerdictLimits:
    """What a collection's owner chose for its verdicts.

    check_from and unsupported_from are the scores from which those flags begin, None as trained. A score is
    calibrated by sigmoid(slope * logit(score) + intercept). second_detector is the folder of a second
    detector, "" for none, with a calibration of its own.
    """

    check_from: float | None = None
    unsupported_from: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    second_detector: str = ""
    second_slope: float = 1.0
    second_intercept: float = 0.0

    def calibrated(self, score: float) -> float:
        """Return the score for this collection's data."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return score
        return sigmoid(self.slope * log_odds(score) + self.intercept)

    def over(self, detector: Detector) -> tuple[float, float]:
        """Return the calibrated scores from which "check" and "unsupported" begin."""
        return (
            detector.check_from if self.check_from is None else self.check_from,
            detector.unsupported_from if self.unsupported_from is None else self.unsupported_from,
        )

    def unsure(self, raw: float, detector: Detector) -> bool:
        """Return whether a second opinion could change the verdict: from half of "check" up to 0.9."""
        return 0.5 * self.over(detector)[0] <= self.calibrated(raw) < 0.9


AS_TRAINED = VerdictLimits()


def log_odds(score: float) -> float:
    """Return the natural log-odds of a probability, which is kept a millionth away from 0 and 1."""
    p = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def sigmoid(logit: float) -> float:
    """Return the probability for log-odds; beyond 30 they count as 30."""
    return 1 / (1 + math.exp(-min(max(logit, -30.0), 30.0)))


@dataclass(frozen=True)
class Detector:
    """A logistic regression over standardised features, with the thresholds of the verdicts.

    A score is the estimated probability that people would call the sentence unsupported. coefficients, mean
    and scale have the shape (len(NAMES),); metrics says how well it did on which data.
    """

    coefficients: npt.NDArray[np.float64]
    intercept: float
    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    check_from: float
    unsupported_from: float
    metrics: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Detector:
        """Read a detector. Raises RagError when the file is missing, damaged or made for other features."""
        try:
            data = json.loads(path.read_text("utf-8"))
            if tuple(data["features"]) != NAMES:
                raise RagError(
                    f"The detector {path.name} was trained for other features; "
                    "run `python -m rag.grounding.train`."
                )
            return cls(
                np.array(data["coefficients"], dtype=np.float64),
                float(data["intercept"]),
                np.array(data["mean"], dtype=np.float64),
                np.array(data["scale"], dtype=np.float64),
                float(data["thresholds"]["check"]),
                float(data["thresholds"]["unsupported"]),
                data["metrics"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RagError(f"The detector {path} cannot be read ({error}); install Ragdeck again.") from error

    def check(
        self,
        question: str,
        answer: str,
        passages: Sequence[str],
        encode: Encode,
        limits: VerdictLimits = AS_TRAINED,
        second: SecondDetector | None = None,
    ) -> list[ClaimResult]:
        """Return a verdict on every sentence of the answer, in order.

        Args:
            question: What was asked; its words are not new in an answer.
            answer: The text to check.
            passages: What the model was given, in the order of their markers.
            encode: Returns L2-normalised vectors (n, d); it is called at most once, with each text once.
            limits: Where flags begin and how scores are calibrated.
            second: Asked about the sentences whose score is neither clearly good nor clearly bad.
        """
        sentences = split_sentences(answer)
        context = prepare(passages)
        prose = " ".join(sentence.text for sentence in sentences if sentence.kind != "code")
        is_foreign = foreign_parts([sentence.text for sentence in sentences], prose)
        alignments = {
            number: align(sentence.text, context)
            for number, sentence in enumerate(sentences)
            if context.units and is_checkable(sentence) and not is_foreign[number]
        }
        cosines = nearness(list(alignments.values()), context, encode)
        scores = [
            self.score(features(alignment, context, question, cosine))
            for alignment, cosine in zip(alignments.values(), cosines, strict=True)
        ]
        if second is not None:
            scores = self._with_second(second, limits, question, list(alignments.values()), passages, scores)
        judged = {
            number: self._judge(sentences[number], alignment, context, question, cosine, score, limits)
            for (number, alignment), cosine, score in zip(alignments.items(), cosines, scores, strict=True)
        }
        results = []
        for number, sentence in enumerate(sentences):
            if number in judged:
                results.append(judged[number])
            elif not is_checkable(sentence):
                results.append(_claim(sentence, Verdict.NOT_CHECKABLE, None))
            elif is_foreign[number]:
                results.append(_claim(sentence, Verdict.NOT_CHECKABLE, None, _FOREIGN))
            else:
                why = "There was no passage to compare with."
                results.append(_claim(sentence, Verdict.NO_EVIDENCE, None, why))
        return results

    def score(self, vector: npt.NDArray[np.float64]) -> float:
        """Return the probability in [0, 1] that a sentence with these features is not supported."""
        return sigmoid(float((vector - self.mean) / self.scale @ self.coefficients + self.intercept))

    def _with_second(
        self,
        second: SecondDetector,
        limits: VerdictLimits,
        question: str,
        alignments: Sequence[Alignment],
        passages: Sequence[str],
        scores: list[float],
    ) -> list[float]:
        """Return the scores; an uncertain one is averaged in log-odds with the second opinion."""
        unsure = [n for n, score in enumerate(scores) if limits.unsure(score, self)]
        found = second.unsupported(question, [alignments[n].text for n in unsure], passages)
        for number, other in zip(unsure, found, strict=True):
            recalibrated = limits.second_slope * log_odds(float(other)) + limits.second_intercept
            scores[number] = sigmoid((log_odds(scores[number]) + recalibrated) / 2)
        return scores

    def _judge(
        self,
        sentence: Sentence,
        alignment: Alignment,
        context: Context,
        question: str,
        cosine: float,
        raw: float,
        limits: VerdictLimits,
    ) -> ClaimResult:
        check_from, unsupported_from = limits.over(self)
        score = limits.calibrated(raw)
        unit: Unit | None = context.units[alignment.candidates[0]]
        found = contradiction(alignment, context)
        if found:
            reason, unit = found
            verdict, score = Verdict.CONTRADICTED, max(score, unsupported_from)
        elif _nothing_near(alignment, context, cosine):
            verdict, unit = Verdict.NO_EVIDENCE, None
            reason = "Nothing in the passages is near this sentence."
        else:
            verdict = Verdict.SUPPORTED
            if score >= check_from:
                verdict = Verdict.UNSUPPORTED if score >= unsupported_from else Verdict.CHECK
            reason = _reason(verdict, alignment, context)
        unknown = [] if verdict is Verdict.SUPPORTED else unknown_words(sentence.text, context, question)
        doubtful = json.dumps(unknown) if unknown else ""
        return replace(_claim(sentence, verdict, score, reason, unit), raw_score=raw, doubtful=doubtful)


def nearness(alignments: Sequence[Alignment], context: Context, encode: Encode) -> list[float]:
    """Return the cosine of each sentence with its first candidate, from one call of encode."""
    pairs = [
        (
            alignment.text[:ENCODED_CHARACTERS],
            context.units[alignment.candidates[0]].text[:ENCODED_CHARACTERS],
        )
        for alignment in alignments
    ]
    rows = {text: row for row, text in enumerate(dict.fromkeys(text for pair in pairs for text in pair))}
    if not rows:
        return []
    vectors = encode(list(rows))
    # Rounded: the last bits depend on the batch that a text was encoded in.
    return [round(float(vectors[rows[one]] @ vectors[rows[other]]), 4) for one, other in pairs]


def contradiction(alignment: Alignment, context: Context) -> tuple[str, Unit] | None:
    """Return why a unit of the evidence says otherwise, and which unit; None when none does.

    Only figures, identifiers, dates and negations are compared.
    """
    for number in alignment.candidates:
        unit = context.units[number]
        reason = (
            _other_figure(alignment, unit, context)
            or _other_identifier(alignment, unit, context)
            or _other_negation(alignment, unit)
        )
        if reason:
            return reason, unit
    return None


_IDENTIFIER = re.compile(r"\b([A-Z]{1,5})[-‑]?(\d{1,6}[A-Za-z]?)\b")
_CLEARLY = 0.15  # of coverage by which another identifier's sentence must be the better one


def _other_identifier(alignment: Alignment, unit: Unit, context: Context) -> str:
    """Return a reason when the source says of one identifier what the answer says of another."""
    mine, theirs = _identifiers(alignment.text), _identifiers(unit.text)
    others = alignment.stems - {stem for name in mine for stem in content_stems(tokenize("".join(name)))}
    if len(mine) != 1 or not theirs or mine & theirs or len(others) < 2:
        return ""
    ((prefix, number),) = mine
    rivals = [name for name in theirs if name[0] == prefix]
    fits = len(others & unit.stems) / len(others)
    own = max(
        (
            len(others & other.stems) / len(others)
            for other in context.units
            if mine & _identifiers(other.text)
        ),
        default=0.0,
    )
    if len(rivals) != 1 or fits < _ALIGNED or own > fits - _CLEARLY:
        return ""
    return f"the source says this of {''.join(rivals[0])}, the answer of {prefix}{number}"


def _identifiers(text: str) -> set[tuple[str, str]]:
    return {(match.group(1), match.group(2)) for match in _IDENTIFIER.finditer(text)}


def _other_figure(alignment: Alignment, unit: Unit, context: Context) -> str:
    others = alignment.stems - _figure_words(alignment.numbers)
    aligned = len(others & unit.stems) / max(len(others), 1)
    if len(others) < 2 or aligned < _ALIGNED:
        return ""
    for quantity in alignment.numbers:
        if context.numbers.contains(quantity) or _is_label(alignment.text, quantity):
            continue
        rival = _rival(quantity, alignment, unit, shared_from=1 if aligned >= _WELL_ALIGNED else 2)
        if rival is not None:
            return f"the source says {rival.text}, the answer {quantity.text}"
    return ""


def _rival(quantity: Quantity, alignment: Alignment, unit: Unit, shared_from: int) -> Quantity | None:
    """Return the figure that the unit has where the answer has another; None when it is not clear."""
    mine = _neighbours(alignment.text, quantity)
    rivals = [
        (len(mine & _neighbours(unit.text, other)), other)
        for other in unit.numbers
        if other.kind == quantity.kind
        and not _is_label(unit.text, other)
        and not any(same(other, own) for own in alignment.numbers)
    ]
    most = max((shared for shared, _ in rivals), default=0)
    best = [other for shared, other in rivals if shared == most]
    return best[0] if most >= shared_from and len({other.value for other in best}) == 1 else None


def _neighbours(text: str, quantity: Quantity) -> set[str]:
    """Return the stems of the words around a figure: what it measures."""
    before = tokenize(text[max(0, quantity.start - 80) : quantity.start])[-_NEIGHBOURS:]
    after = tokenize(text[quantity.end : quantity.end + 80])[:_NEIGHBOURS]
    return {
        stem for stem in (*content_stems(before), *content_stems(after)) if len(stem) > 1 and stem.isalpha()
    }


def _is_label(text: str, quantity: Quantity) -> bool:
    """Return whether the figure only numbers a step or a chapter."""
    before = tokenize(text[max(0, quantity.start - 20) : quantity.start])
    return quantity.kind == "" and (not before or before[-1] in _LABELS)


def _figure_words(numbers: Sequence[Quantity]) -> set[str]:
    return {stem for number in numbers for stem in content_stems(tokenize(number.text))}


def _other_negation(alignment: Alignment, unit: Unit) -> str:
    stems = alignment.stems
    if len(stems) < 3 or len(stems & unit.stems) < _NEGATION_ALIGNED * max(len(stems), len(unit.stems)):
        return ""
    if alignment.content[0] not in unit.stems:  # mostly the subject: the texts are about different things
        return ""
    if not _NOT_ASSERTED.isdisjoint((*alignment.tokens, *unit.tokens)):
        return ""
    side = denying_side(alignment.tokens, unit.tokens)
    if not side:
        return ""
    return (
        "the answer denies what the source says"
        if side == "here"
        else "the source denies what the answer says"
    )


def _nothing_near(alignment: Alignment, context: Context, cosine: float) -> bool:
    covered = max(coverage(alignment, context.units[number]) for number in alignment.candidates)
    return covered < _NO_EVIDENCE_COVERAGE and cosine < _NO_EVIDENCE_COSINE


def _reason(verdict: Verdict, alignment: Alignment, context: Context) -> str:
    """Return the most telling thing that the passages do not contain, "" where there is none."""
    if verdict is Verdict.SUPPORTED:
        return ""
    missing = [number.text for number in alignment.numbers if not context.numbers.contains(number)]
    if missing:
        return f"{missing[0]} is in no passage"
    return ""


def _claim(
    sentence: Sentence, verdict: Verdict, score: float | None, reason: str = "", unit: Unit | None = None
) -> ClaimResult:
    if unit is None:
        return ClaimResult(sentence.text, sentence.start, sentence.end, verdict, score, reason)
    return ClaimResult(
        sentence.text,
        sentence.start,
        sentence.end,
        verdict,
        score,
        reason,
        evidence_marker=unit.passage + 1,
        evidence_start=unit.start,
        evidence_end=unit.end,
        evidence_text=unit.text,
    )
