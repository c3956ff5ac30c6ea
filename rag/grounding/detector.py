"""The detector: verdicts for the sentences of an answer, from a small logistic regression in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import RagError
from rag.events import ClaimResult
from rag.grounding.features import NAMES, Alignment, Context, align, features, negations, prepare
from rag.grounding.features import CANDIDATES as _CANDIDATES
from rag.grounding.numbers import Quantity, quantities, same
from rag.grounding.sentences import Sentence, is_checkable, split_sentences

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]

_ALIGNED = 0.6  # share of a sentence's other words that the evidence must hold before a rule compares details
_NEGATION_ALIGNED = 0.8
_NO_EVIDENCE_COVERAGE = 0.2
_NO_EVIDENCE_COSINE = 0.25


@dataclass(frozen=True)
class Detector:
    """Coefficients over standardised features, and the thresholds of the verdicts.

    A score is the estimated probability that people would call the sentence unsupported.
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
        """Read the artefact. Raises RagError when it is missing or was made for other features."""
        try:
            data = json.loads(path.read_text("utf-8"))
            if tuple(data["features"]) != NAMES:
                raise RagError(f"{path.name} was trained for other features; run `python -m rag.grounding.train`.")
            return cls(
                np.array(data["coefficients"]),
                float(data["intercept"]),
                np.array(data["mean"]),
                np.array(data["scale"]),
                float(data["thresholds"]["check"]),
                float(data["thresholds"]["unsupported"]),
                data["metrics"],
            )
        except (OSError, ValueError, KeyError) as error:
            raise RagError(f"The detector {path} cannot be used ({error}); install Ragdeck again.") from error

    def check(self, question: str, answer: str, passages: Sequence[str], encode: Encode) -> list[ClaimResult]:
        """A verdict for every sentence of the answer, in order.

        encode gives L2-normalised vectors (n, d); it is called once for all sentences together.
        """
        sentences = split_sentences(answer)
        context = prepare(passages)
        checkable = [index for index, sentence in enumerate(sentences) if is_checkable(sentence)]
        alignments = {index: align(sentences[index].text, context) for index in checkable}
        cosines = candidate_cosines(list(alignments.values()), context, encode)
        results = []
        ranked = iter(cosines)
        for index, sentence in enumerate(sentences):
            if index not in alignments:
                results.append(_claim(sentence, "not checkable", None))
            else:
                results.append(self._judge(sentence, alignments[index], context, question, next(ranked)))
        return results

    def score(self, vector: npt.NDArray[np.float64]) -> float:
        """Probability in [0, 1] for one feature vector."""
        standard = (vector - self.mean) / self.scale
        return float(1.0 / (1.0 + np.exp(-np.clip(standard @ self.coefficients + self.intercept, -30, 30))))

    def _judge(
        self, sentence: Sentence, alignment: Alignment, context: Context, question: str, cosines: Sequence[float]
    ) -> ClaimResult:
        if not context.units:
            return _claim(sentence, "no evidence", None, "There was no passage to compare with.")
        score = self.score(features(alignment, context, question, cosines))
        best = _best_candidate(alignment, cosines)
        coverage = alignment.coverages[best]
        reason = contradiction(alignment, context, best)
        if reason:
            return _claim(sentence, "contradicted", max(score, self.unsupported_from), reason, context, alignment.candidates[best])
        if coverage < _NO_EVIDENCE_COVERAGE and (not cosines or max(cosines) < _NO_EVIDENCE_COSINE):
            return _claim(sentence, "no evidence", score, "Nothing in the passages is near this sentence.")
        if score >= self.unsupported_from:
            verdict = "unsupported"
        elif score >= self.check_from:
            verdict = "check"
        else:
            verdict = "supported"
        return _claim(sentence, verdict, score, "", context, alignment.candidates[best])


def candidate_cosines(
    alignments: Sequence[Alignment], context: Context, encode: Encode
) -> list[tuple[float, ...]]:
    """Cosines of each sentence with its first candidates; every text is embedded once."""
    wanted: dict[str, int] = {}
    for alignment in alignments:
        wanted.setdefault(alignment.text[:1000], len(wanted))
        for index in alignment.candidates[:_CANDIDATES]:
            wanted.setdefault(context.units[index].text[:1000], len(wanted))
    if not wanted or not context.units:
        return [() for _ in alignments]
    vectors = encode(list(wanted))
    return [
        tuple(
            float(vectors[wanted[alignment.text[:1000]]] @ vectors[wanted[context.units[index].text[:1000]]])
            for index in alignment.candidates[:_CANDIDATES]
        )
        for alignment in alignments
    ]


def contradiction(alignment: Alignment, context: Context, best: int) -> str:
    """The reason why the evidence says otherwise, or "": only figures, dates and negations are judged."""
    unit = context.units[alignment.candidates[best]]
    mine = quantities(alignment.text)
    theirs = quantities(unit.text)
    number_words = {word for q in mine for word in q.text.lower().split()}
    others = {stem for stem in alignment.stems if stem not in number_words and not stem.isdigit()}
    covered = len(others & unit.stems) / len(others) if others else 0.0
    if covered >= _ALIGNED and len(others) >= 2:
        for quantity in mine:
            if any(same(quantity, other) for other in context.numbers):
                continue
            rival = _rival(quantity, theirs, mine)
            if rival is not None:
                return f"the source says {rival.text}, the answer {quantity.text}"
    if covered >= _NEGATION_ALIGNED and len(others) >= 3:
        here, there = negations(alignment.text), negations(unit.text)
        if (here % 2) != (there % 2) and max(here, there) == 1 and len(unit.stems) <= 2 * len(alignment.stems):
            return "the answer denies what the source says" if here else "the source denies what the answer says"
    return ""


def _rival(quantity: Quantity, theirs: Sequence[Quantity], mine: Sequence[Quantity]) -> Quantity | None:
    """The one number of the evidence that stands where the answer has another; None when it is not clear."""
    rivals = [q for q in theirs if q.kind == quantity.kind and not any(same(q, other) for other in mine)]
    return rivals[0] if len(rivals) == 1 else None


def _best_candidate(alignment: Alignment, cosines: Sequence[float]) -> int:
    """Position of the candidate that fits best by words and meaning together."""
    pairs = [
        (coverage + (cosines[n] if n < len(cosines) else 0.0), -n) for n, coverage in enumerate(alignment.coverages)
    ]
    return -max(pairs)[1]


def _claim(
    sentence: Sentence,
    verdict: str,
    score: float | None,
    reason: str = "",
    context: Context | None = None,
    unit_index: int | None = None,
) -> ClaimResult:
    if context is None or unit_index is None:
        return ClaimResult(sentence.text, sentence.start, sentence.end, verdict, score, reason)
    unit = context.units[unit_index]
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
