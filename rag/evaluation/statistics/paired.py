"""Two runs compared case by case: what differs, and how sure that is.

Repeats of a case are averaged first, cases are paired by key. Cases of one source document are not
independent, so whole documents are what intervals count and tests permute. Of few documents neither can say
much: five have a smallest p of 0.06. Then cases are counted and tested, and the result holds for questions
about these documents only (`few_documents`). All metrics of all runs are permuted together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from rag.evaluation.metrics import METRICS
from rag.evaluation.statistics import intervals
from rag.evaluation.statistics.intervals import Array, case_means, has_few_documents
from rag.text.plurals import counted

# metric -> case key -> the values of its repeats; None: undefined, or the case failed.
RunValues = Mapping[str, Mapping[str, Sequence[float | None]]]

LEAST_PAIRS = 6  # below: nothing is tested; a sign test of five cannot reach 0.05
FEW_PAIRS = 10
RESAMPLES = 10_000
SEED = 20_240_601
_EXACT_DISCORDANT = 25
_EXACT_RANKS = 50
_EXACT_FLIPS = 13  # 2**13 sign patterns are fewer than the resamples
_LEAST_TAIL = 1e-6  # of the smallest p that is told
_HALVINGS = 24  # of the range of p: it is exact to 1e-7
_BLOCK = 250  # sign patterns at a time: 2,000 clusters take 4 MB


@dataclass(frozen=True)
class Comparison:
    """A metric of two runs, B against A, over the cases that have a value in both.

    Attributes:
        only_a: keys of the cases that have a value in A alone.
        only_b: keys of the cases that have a value in B alone.
        clusters: how many source documents, a case without one being its own.
        difference: mean B - mean A.
        low: lower end of the 95 % interval of the difference.
        high: upper end of it.
        interval: how it was made, for people; empty: there is none.
        p: of the test, two-sided.
        p_holm: p corrected for the metrics of this comparison.
        effect: Cohen's d_z, or for yes/no the odds of discordance (better : worse); None over 0.
        wins: cases that B does better, by the metric's direction.
        losses: cases that B does worse.
        warning: "", "insufficient_pairs" (nothing was tested), "few_pairs" or "few_documents" (cases were
            tested, not documents: nothing is said about other documents).
    """

    metric: str
    kind: Literal["yes/no", "score"]
    pairs: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    clusters: int
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    interval: str
    p: float | None
    p_holm: float | None
    test: str
    effect: float | None
    effect_name: str
    wins: int
    ties: int
    losses: int
    warning: str

    @property
    def certain(self) -> bool:
        """Whether the difference stays significant after the correction for all metrics."""
        return self.p_holm is not None and self.p_holm < 0.05

    def sentence(self, name: str = "B") -> str:
        """Return the comparison in words; name is what run B is called.

        "B answers 6 of 110 more, p = 0.03" or "MRR 0.08 higher (+0.02 to +0.14) over 36 cases, p = 0.01".
        """
        metric = METRICS.get(self.metric)
        label = metric.label if metric else self.metric
        if self.difference is None:
            return f"{label}: no case has a value in both runs"
        tail = "too few to test" if self.p_holm is None else f"p {p_text(self.p_holm)}"
        if self.kind == "yes/no" and metric and metric.phrase:
            net = round(self.difference * self.pairs)
            more = "more" if net > 0 else "fewer" if net < 0 else "more or fewer"
            return f"{name} {metric.phrase.format(n=abs(net), pairs=self.pairs, more=more)}, {tail}"
        if self.difference == 0:
            return f"{label} unchanged over {self.pairs} cases, {tail}"
        sign = "higher" if self.difference > 0 else "lower"
        unit = metric.unit if metric else "share"
        between = (
            ""
            if self.low is None or self.high is None
            else f" ({_amount(self.low, unit, '+')} to {_amount(self.high, unit, '+')})"
        )
        amount = _amount(abs(self.difference), unit)
        return f"{label} {amount} {sign}{between} over {self.pairs} cases, {tail}"

    @property
    def is_cost(self) -> bool:
        """Whether the metric is time or tokens, not how good an answer is."""
        metric = METRICS.get(self.metric)
        return metric is not None and metric.unit in ("ms", "tokens")


def _amount(value: float, unit: str, sign: str = "") -> str:
    """Return a difference as a person reads it."""
    if unit == "ms":
        text = f"{value:{sign}.3g} ms" if abs(value) < 1000 else f"{value / 1000:{sign},.2f} s"
    else:
        text = f"{value:{sign},.0f}" if unit == "tokens" else f"{value:{sign}.3g}"
    return text.replace("-", "−")


def p_text(p: float) -> str:
    """Return a p with its sign, as it is read after "p"."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def compare_runs(
    a: RunValues, b: RunValues, clusters: Mapping[str, str] | None = None
) -> tuple[Comparison, ...]:
    """Compare every metric that both runs have.

    clusters: case key -> source document; a case without one stands alone.
    """
    return compare_many(a, [b], clusters)[0]


def compare_many(
    baseline: RunValues, others: Sequence[RunValues], clusters: Mapping[str, str] | None = None
) -> tuple[tuple[Comparison, ...], ...]:
    """Compare each of the others with the baseline, on the same resamples: one tuple of comparisons a run."""
    known = clusters or {}
    pairings = [
        (number, _pair(metric, values, other[metric], known))
        for number, other in enumerate(others)
        for metric, values in baseline.items()
        if metric in other
    ]
    done = _compare([pairing for _, pairing in pairings])
    return tuple(
        _with_holm([result for (number, _), result in zip(pairings, done, strict=True) if number == wanted])
        for wanted in range(len(others))
    )


def difference_interval(
    metric: str, a: RunValues, b: RunValues, clusters: Mapping[str, str] | None, confidence: float
) -> tuple[int, float | None, float | None, float | None]:
    """Return (pairs, mean B - mean A, low, high) of one metric; confidence: between 0 and 1."""
    pairing = _pair(metric, a.get(metric, {}), b.get(metric, {}), clusters or {})
    difference = pairing.b - pairing.a
    if not len(difference):
        return 0, None, None, None
    if not difference.any():  # nothing got worse in any case, which is what a gate asks
        return len(difference), 0.0, 0.0, 0.0
    found = _interval(pairing, confidence)
    ends = (None, None) if found is None else (found.low, found.high)
    return len(difference), float(difference.mean()), *ends


@dataclass(frozen=True)
class NotWorse:
    """Whether run B is not worse than run A by more than a margin (a test of non-inferiority).

    Attributes:
        metric: Its name.
        margin: In the metric's unit.
        pairs: Cases that have a value in both.
        difference: mean B - mean A; None without a pair.
        low: Lower end of the 95 % interval of the difference; None with too few pairs.
        high: Upper end of it.
        p: One-sided, of "B is worse by the margin or more"; None with too few pairs.
    """

    metric: str
    margin: float
    pairs: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def worse(self) -> float | None:
        """By how much B is worse than A; negative: it is better."""
        if self.difference is None:
            return None
        lower = self.metric in METRICS and METRICS[self.metric].direction == "lower"
        return self.difference if lower else -self.difference


def not_worse(
    metric: str, a: RunValues, b: RunValues, clusters: Mapping[str, str] | None, margin: float
) -> NotWorse:
    """Test whether B is not worse than A by more than a margin, in the metric's unit.

    p comes from the same interval that is shown: it is the smallest share to leave out on one side with which
    the interval still excludes the margin, so that the two never contradict each other.
    """
    pairing = _pair(metric, a.get(metric, {}), b.get(metric, {}), clusters or {})
    difference = pairing.b - pairing.a
    mean = float(difference.mean()) if len(difference) else None
    shown = _interval(pairing) if len(difference) >= LEAST_PAIRS else None
    if shown is None or mean is None:
        return NotWorse(metric, margin, len(difference), mean)
    lower = metric in METRICS and METRICS[metric].direction == "lower"

    def bound(tail: float) -> float:
        """Return by how much B is at most worse when `tail` is left out on each side."""
        found = _interval(pairing, 1 - 2 * min(tail, 1 - tail))
        assert found is not None
        most, least = (found.high, found.low) if lower else (-found.low, -found.high)
        return most if tail <= 0.5 else least

    low, high = _LEAST_TAIL, 1 - _LEAST_TAIL
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if bound(middle) < margin else (middle, high)
    return NotWorse(metric, margin, len(difference), mean, shown.low, shown.high, high)


def summary(comparisons: Sequence[Comparison], name: str = "B") -> str:
    """Say what is certain (Holm p < 0.05), quality before costs and the surest first, or that nothing is."""
    tested = [c for c in comparisons if c.p_holm is not None]
    if not tested:
        most = max((c.pairs for c in comparisons), default=0)
        have = counted(most, "case has", "cases have")
        return f"{have} a value in both runs; a comparison needs at least {LEAST_PAIRS}."
    tested = [c for c in tested if c.metric not in METRICS or METRICS[c.metric].direction != "none"]
    quality = [c for c in tested if not c.is_cost]
    certain = sorted((c for c in tested if c.certain), key=lambda c: (c.is_cost, c.p_holm or 0.0))
    told = [c.sentence(name) for c in certain]
    if quality and not any(c.certain for c in quality):
        nearest = min(quality, key=lambda c: (c.p or 0.0, -abs(c.difference or 0.0)))
        what = "No difference in quality is certain"
        told.insert(0, f"{what} (the nearest: {nearest.sentence(name)})" if nearest.difference else what)
    return "; ".join(told or ["No difference is certain"]) + "."


# --- pairing ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pairing:
    metric: str
    a: Array  # (pairs,), repeats averaged
    b: Array
    keys: tuple[str, ...]  # (pairs,)
    names: tuple[str, ...]  # (pairs,) what each pair is permuted with
    documents: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def _pair(
    metric: str,
    a: Mapping[str, Sequence[float | None]],
    b: Mapping[str, Sequence[float | None]],
    clusters: Mapping[str, str],
) -> _Pairing:
    first, second = case_means(a), case_means(b)
    both = [key for key in first if key in second]
    names = tuple(clusters.get(key) or f"\0{key}" for key in both)
    return _Pairing(
        metric,
        np.array([first[key] for key in both], dtype=np.float64),
        np.array([second[key] for key in both], dtype=np.float64),
        tuple(both),
        tuple(both) if has_few_documents(names) else names,
        len(set(names)),
        tuple(key for key in first if key not in second),
        tuple(key for key in second if key not in first),
    )


# --- the comparison ---------------------------------------------------------------------------------------


def _interval(pairing: _Pairing, confidence: float = 0.95) -> intervals.Interval | None:
    """Return the interval of the mean difference; its pairs are counted with what they are permuted with."""
    metric = METRICS.get(pairing.metric)
    values = dict(zip(pairing.keys, (pairing.b - pairing.a).tolist(), strict=True))
    clusters = dict(zip(pairing.keys, pairing.names, strict=True))
    unit = metric.unit if metric else "share"
    return intervals.difference_interval(values, clusters, unit, confidence, _is_yes_no(pairing))


def _compare(pairings: Sequence[_Pairing]) -> list[Comparison]:
    """Put the cluster sums of all pairings side by side and permute them together."""
    names = sorted({name for pairing in pairings for name in pairing.names})
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), len(pairings)))
    for column, pairing in enumerate(pairings):
        rows = np.array([place[name] for name in pairing.names], dtype=np.intp)
        sums[:, column] = np.bincount(rows, pairing.b - pairing.a, len(names))
    flips = _flip_p_values(sums, [_wants_flips(pairing) for pairing in pairings])
    return [_comparison(pairing, flip) for pairing, flip in zip(pairings, flips, strict=True)]


def _comparison(pairing: _Pairing, flip: float) -> Comparison:
    difference = pairing.b - pairing.a
    pairs = len(difference)
    kind: Literal["yes/no", "score"] = "yes/no" if _is_yes_no(pairing) else "score"
    metric = METRICS.get(pairing.metric)
    better = -difference if metric and metric.direction == "lower" else difference
    wins, losses = int(np.sum(better > 0)), int(np.sum(better < 0))
    enough = pairs >= LEAST_PAIRS
    test, p = _test(pairing, kind, flip) if enough else ("", None)
    interval = _interval(pairing) if enough else None
    effect_name = "odds of discordance" if kind == "yes/no" else "Cohen's d_z"
    return Comparison(
        metric=pairing.metric,
        kind=kind,
        pairs=pairs,
        only_a=pairing.only_a,
        only_b=pairing.only_b,
        clusters=pairing.documents,
        mean_a=float(pairing.a.mean()) if pairs else None,
        mean_b=float(pairing.b.mean()) if pairs else None,
        difference=float(difference.mean()) if pairs else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.method if interval else "",
        p=p,
        p_holm=p,
        test=test,
        effect=(wins / losses if losses else None) if kind == "yes/no" else cohens_d_z(difference),
        effect_name=effect_name,
        wins=wins,
        ties=pairs - wins - losses,
        losses=losses,
        warning=_warning(pairing),
    )


def _warning(pairing: _Pairing) -> str:
    pairs = len(pairing.names)
    if pairs < LEAST_PAIRS:
        return "insufficient_pairs"
    if pairs < FEW_PAIRS:
        return "few_pairs"
    return "few_documents" if pairing.documents < len(set(pairing.names)) else ""


def _is_yes_no(pairing: _Pairing) -> bool:
    """Judge by the values: repeats that disagree make a share of a yes/no, which is a score."""
    values = np.concatenate([pairing.a, pairing.b])
    return bool(len(values)) and bool(np.all((values == 0) | (values == 1)))


def _wants_flips(pairing: _Pairing) -> bool:
    return len(pairing.a) >= LEAST_PAIRS and len(set(pairing.names)) < len(pairing.names)


def _test(pairing: _Pairing, kind: str, flip: float) -> tuple[str, float]:
    """Return the test's name and p.

    McNemar and Wilcoxon take every case for independent; where many documents have several cases, they are
    not.
    """
    if _wants_flips(pairing):
        return "sign-flip permutation of documents", flip
    difference = pairing.b - pairing.a
    if kind == "yes/no":
        return "McNemar", mcnemar(int(np.sum(difference > 0)), int(np.sum(difference < 0)))
    return "Wilcoxon signed rank", wilcoxon(difference)


def _with_holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Correct each p for the family of metrics.

    A metric that is the same in every case could not have been significant: it is no member of the family
    (Tarone 1990).
    """
    corrected = holm([c.p if c.wins + c.losses else None for c in comparisons])
    return tuple(
        replace(c, p_holm=c.p if p is None else p) for c, p in zip(comparisons, corrected, strict=True)
    )


# --- tests ------------------------------------------------------------------------------------------------


def mcnemar(better: int, worse: int) -> float:
    """Return the two-sided p of so many better against so many worse pairs; 1 when there are none.

    Exact binomial below 25 pairs, else chi-squared with continuity correction (McNemar 1947; Edwards 1948).
    """
    discordant = better + worse
    if discordant < _EXACT_DISCORDANT:
        return sign_test(better, worse)
    statistic = max(abs(better - worse) - 1, 0) ** 2 / discordant
    return math.erfc(math.sqrt(statistic / 2))


def sign_test(better: int, worse: int) -> float:
    """Return the exact two-sided p that one of two is picked as often as the other; 1 without a pick.

    Dixon and Mood 1946.
    """
    from scipy.stats import binomtest  # more than half a second to import, and only a test needs it

    picks = better + worse
    return float(binomtest(better, picks).pvalue) if picks else 1.0


def wilcoxon(differences: npt.ArrayLike) -> float:
    """Return the two-sided p of the signed-rank test (Wilcoxon 1945), zeros dropped, ties with middle ranks.

    Exact up to 50 non-zero differences, ties included; beyond that normal, with the variance corrected for
    ties.
    """
    values = np.asarray(differences, dtype=np.float64)
    # Differences of shares that are equal in truth (0.3 - 0.2, 0.2 - 0.1) must tie.
    values = np.round(values, 12)
    values = values[values != 0]
    if not len(values):
        return 1.0
    if len(values) <= _EXACT_RANKS:
        return _exact_signed_ranks(values)
    from scipy.stats import wilcoxon as signed_ranks

    return float(signed_ranks(values, method="asymptotic", correction=False).pvalue)


def _exact_signed_ranks(values: Array) -> float:
    """Return p from the distribution of the doubled ranks, which are whole numbers.

    SciPy's exact distribution is one without ties, and shares tie all the time; its permutations end at 13
    values.
    """
    _, inverse, sizes = np.unique(np.abs(values), return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(sizes) - sizes + 1)[inverse]  # twice the middle rank
    positive, whole = int(doubled[values > 0].sum()), int(doubled.sum())
    ways = np.zeros(whole + 1)
    ways[0] = 1.0
    for rank in doubled:
        ways[rank:] += ways[: whole + 1 - rank].copy()
    tail = ways[: min(positive, whole - positive) + 1].sum() / 2.0 ** len(values)
    return float(min(1.0, 2 * tail))


def _flip_p_values(sums: Array, wanted: Sequence[bool]) -> list[float]:
    """Return the two-sided p of each wanted column's sum when each cluster's sign might as well be the other.

    Fisher's randomisation of pairs: all patterns up to 13 clusters that are not 0, else 10,000 with a fixed
    seed. One matrix product serves all columns, which SciPy's permutation test cannot. NaN for a column that
    is not wanted.
    """
    found = [math.nan] * sums.shape[1]
    columns = [number for number, want in enumerate(wanted) if want]
    small = [c for c in columns if np.count_nonzero(sums[:, c]) <= _EXACT_FLIPS]
    for column in small:
        own = sums[sums[:, column] != 0, column]
        patterns = (np.arange(2 ** len(own))[:, None] >> np.arange(len(own))) & 1
        found[column] = float(np.mean(_as_far((1 - 2 * patterns) @ own, own.sum())))
    large = [c for c in columns if c not in small]
    if not large:
        return found
    generator = np.random.default_rng(SEED)
    own, reached = sums[:, large], np.zeros(len(large))
    for begin in range(0, RESAMPLES, _BLOCK):
        size = min(_BLOCK, RESAMPLES - begin)
        bits = np.frombuffer(generator.bytes(size * (-(-len(own) // 8))), np.uint8).reshape(size, -1)
        signs = 1.0 - 2.0 * np.unpackbits(bits, axis=1)[:, : len(own)]
        reached += np.sum(_as_far(signs @ own, own.sum(axis=0)), axis=0)
    for column, count in zip(large, reached, strict=True):
        found[column] = float((count + 1) / (RESAMPLES + 1))  # the observed one is a permutation, too
    return found


def _as_far(sums: Array, observed: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    far = np.abs(np.asarray(observed, dtype=np.float64))
    result: npt.NDArray[np.bool_] = np.abs(sums) >= far - 1e-9 * np.maximum(far, 1.0)
    return result


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the p values of one family of tests corrected step by step (Holm 1979); None stays None."""
    known = sorted((p, number) for number, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, number) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        found[number] = highest
    return found


def cohens_d_z(differences: npt.ArrayLike) -> float | None:
    """Return the mean difference over the standard deviation (Cohen 1988); None where nothing varies."""
    values = np.asarray(differences, dtype=np.float64)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return float(values.mean()) / deviation if deviation > 1e-12 else None
