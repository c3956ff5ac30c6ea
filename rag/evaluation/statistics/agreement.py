"""Two raters of the same cases: how far they agree, and what a judge's errors do to a rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.monitoring.control_limits import Z_95


@dataclass(frozen=True)
class CorrectedRate:
    """A rate as a judge would have found it without its errors, with its 95 % interval; all 0 to 1."""

    rate: float
    low: float
    high: float


def cohens_kappa(first: Sequence[object], second: Sequence[object]) -> float | None:
    """Return the agreement of two raters beyond chance (Cohen 1960), -1 to 1.

    None without a case, and when both always say the same one thing. Raises ValueError when one rated more
    cases.
    """
    if len(first) != len(second):
        raise ValueError("both raters judge the same cases")
    if not first:
        return None
    count = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    chance = sum(first.count(label) * second.count(label) for label in {*first, *second}) / count**2
    return (agreed - chance) / (1 - chance) if chance < 1 else None


def rogan_gladen(
    positives: int,
    judged: int,
    true_positives: int,
    real_positives: int,
    true_negatives: int,
    real_negatives: int,
) -> CorrectedRate | None:
    """Return the true rate behind a judge's: (rate + specificity - 1) / (sensitivity + specificity - 1).

    The estimate is Rogan and Gladen's (1978), its interval with all three rates uncertain Lang and
    Reiczigel's (2014).

    Args:
        positives: how many of the judged cases the judge called positive.
        judged: how many cases the judge rated.
        true_positives: how many of the real positives the judge called positive: its sensitivity.
        real_positives: how many cases people labelled positive.
        true_negatives: how many of the real negatives the judge called negative: its specificity.
        real_negatives: how many cases people labelled negative.

    Returns:
        None when there is nothing to estimate from or the judge is no better than chance.

    Raises:
        ValueError: where a part is larger than its whole.
    """
    if min(judged, real_positives, real_negatives) < 1:
        return None
    if not (positives <= judged and true_positives <= real_positives and true_negatives <= real_negatives):
        raise ValueError("a part cannot be larger than its whole")
    rate = positives / judged
    sensitivity, specificity = true_positives / real_positives, true_negatives / real_negatives
    if sensitivity + specificity <= 1:
        return None
    corrected = (rate + specificity - 1) / (sensitivity + specificity - 1)
    n, n_se, n_sp = judged + Z_95**2, real_positives + 2, real_negatives + 2
    p = (positives + Z_95**2 / 2) / n
    se, sp = (true_positives + 1) / n_se, (true_negatives + 1) / n_sp
    youden = se + sp - 1
    if youden <= 0:
        return None
    centre = (p + sp - 1) / youden
    se_part, sp_part = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    shift = 2 * Z_95**2 * (centre * se_part - (1 - centre) * sp_part)
    width = Z_95 * math.sqrt(p * (1 - p) / n + centre**2 * se_part + (1 - centre) ** 2 * sp_part) / youden
    return CorrectedRate(_share(corrected), _share(centre + shift - width), _share(centre + shift + width))


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
