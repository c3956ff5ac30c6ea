"""Two runs compared case by case: what differs, how sure that is, and how many cases it would take.

Repeats of a case are averaged first, cases are paired by key. Cases of one source document are not independent, so
whole documents are resampled (clustered bootstrap) and permuted. Of few documents neither can say much: five have a
smallest p of 0.06. Then cases are resampled and tested, and the result holds for questions about these documents
only (`few_documents`). The bootstrap needs of a cluster only the sum of its differences and their count: one matrix
product serves all metrics and all pipelines at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtr, ndtri, stdtrit

from rag.evaluation.metrics import METRICS
from rag.monitoring.control_limits import wilson_interval

Array = npt.NDArray[np.float64]
# metric -> case key -> the values of its repeats; None: undefined, or the case failed.
RunValues = Mapping[str, Mapping[str, Sequence[float | None]]]

RESAMPLES = 10_000
SEED = 20_240_601
LEAST_PAIRS = 6  # below: nothing is tested; a sign test of five cannot reach 0.05
FEW_PAIRS = 10
LEAST_DOCUMENTS = 10  # 2**-9 is the smallest p of ten: below 0.05 also when 20 metrics are corrected for
_EXACT_DISCORDANT = 25
_EXACT_RANKS = 50
_EXACT_FLIPS = 13  # 2**13 sign patterns are fewer than the resamples
_BLOCK = 250  # resamples at a time: 2,000 clusters take 4 MB


@dataclass(frozen=True)
class Comparison:
    """A metric of two runs, B against A: difference is mean B - mean A over the pairs.

    clusters: source documents, a case without one being its own. low, high: 95 % interval of the difference. p: of the
    test, p_holm: corrected for the metrics of this comparison. effect: Cohen's d_z, or for yes/no the odds of discordance (better : worse); None
    where its denominator is 0. wins, losses: cases that B does better and worse, by the metric's direction.
    warning: "", "insufficient_pairs" (nothing was tested), "few_pairs" or "few_documents" (cases were tested, not
    documents: nothing is said about other documents).
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
    interval: Literal["BCa", "percentile", "none"]
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
        return self.p_holm is not None and self.p_holm < 0.05

    def sentence(self, name: str = "B") -> str:
        """For one metric: "B answers 6 of 110 more, p = 0.03", "MRR 0.08 higher (+0.02 to +0.14) over 36 cases, …"."""
        metric = METRICS.get(self.metric)
        label = metric.label if metric else self.metric
        if self.difference is None:
            return f"{label}: no case has a value in both runs"
        tail = "too few to test" if self.p_holm is None else f"p {_p_text(self.p_holm)}"
        if self.kind == "yes/no" and metric and metric.phrase:
            net = round(self.difference * self.pairs)
            more = "more" if net > 0 else "fewer" if net < 0 else "more or fewer"
            return f"{name} {metric.phrase.format(n=abs(net), pairs=self.pairs, more=more)}, {tail}"
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
        """Time or tokens, not how good an answer is."""
        metric = METRICS.get(self.metric)
        return metric is not None and metric.unit in ("ms", "tokens")


def _amount(value: float, unit: str, sign: str = "") -> str:
    """A difference as a person reads it."""
    if unit == "ms":
        text = f"{value:{sign}.3g} ms" if abs(value) < 1000 else f"{value / 1000:{sign},.2f} s"
    else:
        text = f"{value:{sign},.0f}" if unit == "tokens" else f"{value:{sign}.3g}"
    return text.replace("-", "−")


def _p_text(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def compare_runs(
    a: RunValues, b: RunValues, clusters: Mapping[str, str] | None = None
) -> tuple[Comparison, ...]:
    """Every metric that both runs have. clusters: case key -> source document; a case without one stands alone."""
    return compare_many(a, [b], clusters)[0]


def compare_many(
    baseline: RunValues, others: Sequence[RunValues], clusters: Mapping[str, str] | None = None
) -> tuple[tuple[Comparison, ...], ...]:
    """Each of the others against the baseline, with the same resamples: one tuple of comparisons a run."""
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
    """(pairs, mean B - mean A, low, high) of one metric, at a confidence of choice between 0 and 1."""
    pairing = _pair(metric, a.get(metric, {}), b.get(metric, {}), clusters or {})
    difference = pairing.b - pairing.a
    if not len(difference):
        return 0, None, None, None
    _, rows = np.unique(np.array(pairing.names), return_inverse=True)
    sums = np.bincount(rows, difference)[:, None].astype(np.float64)
    counts = np.bincount(rows).astype(np.float64)[:, None]
    low, high, _how = clustered_intervals(sums, counts, confidence=confidence)[0]
    return len(difference), float(difference.mean()), low, high


def summary(comparisons: Sequence[Comparison], name: str = "B") -> str:
    """What is certain (Holm p < 0.05), the surest first, quality before time and tokens; else that nothing is."""
    tested = [c for c in comparisons if c.p_holm is not None]
    if not tested:
        most = max((c.pairs for c in comparisons), default=0)
        return f"{most} cases have a value in both runs; {LEAST_PAIRS} are the fewest that can be compared."
    tested = [c for c in tested if c.metric not in METRICS or METRICS[c.metric].direction != "none"]
    quality = [c for c in tested if not c.is_cost]
    certain = sorted((c for c in tested if c.certain), key=lambda c: (c.is_cost, c.p_holm or 0.0))
    told = [c.sentence(name) for c in certain]
    if quality and not any(c.certain for c in quality):
        nearest = min(quality, key=lambda c: (c.p or 0.0, -abs(c.difference or 0.0)))
        what = "No difference in quality is certain"
        told.insert(0, f"{what} (the nearest: {nearest.sentence(name)})" if nearest.difference else what)
    return "; ".join(told) + "."


# --- pairing ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pairing:
    metric: str
    a: Array  # (pairs,), repeats averaged
    b: Array
    names: tuple[str, ...]  # (pairs,) what each pair is resampled with
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
        tuple(both) if has_few_documents(names) else names,
        len(set(names)),
        tuple(key for key in first if key not in second),
        tuple(key for key in second if key not in first),
    )


def has_few_documents(names: Sequence[str]) -> bool:
    """Whether cases of these documents (one name a case) must be tested one by one.

    Documents count as many as equally large ones would: (sum of n)^2 / sum of n^2 (Kish 1965), so that a few cases
    that stand alone do not make up for five documents that hold all others.
    """
    sizes = np.array(list(Counter(names).values()), dtype=np.float64)
    if not len(sizes) or sizes.max() == 1:
        return False
    return bool(sizes.sum() ** 2 / np.sum(sizes**2) < LEAST_DOCUMENTS)


def case_means(values: Mapping[str, Sequence[float | None]]) -> dict[str, float]:
    """Repeats of a case are no new cases: their mean. A case without any value is left out."""
    means = {}
    for key, repeats in values.items():
        if len(repeats) == 1:  # nearly always, and many times
            value = repeats[0]
            if value is not None and math.isfinite(value):
                means[key] = value
            continue
        known = [value for value in repeats if value is not None and math.isfinite(value)]
        if known:
            means[key] = sum(known) / len(known)
    return means


# --- the comparison ---------------------------------------------------------------------------------------


def _compare(pairings: Sequence[_Pairing]) -> list[Comparison]:
    """Cluster sums of all pairings side by side, resampled together."""
    names = sorted({name for pairing in pairings for name in pairing.names})
    place = {name: number for number, name in enumerate(names)}
    sums = np.zeros((len(names), len(pairings)))
    counts = np.zeros_like(sums)
    for column, pairing in enumerate(pairings):
        rows = np.array([place[name] for name in pairing.names], dtype=np.intp)
        sums[:, column] = np.bincount(rows, pairing.b - pairing.a, len(names))
        counts[:, column] = np.bincount(rows, minlength=len(names))
    intervals = clustered_intervals(sums, counts)
    flips = _flip_p_values(sums, [_wants_flips(pairing) for pairing in pairings])
    return [
        _comparison(pairing, interval, flip)
        for pairing, interval, flip in zip(pairings, intervals, flips, strict=True)
    ]


def _comparison(
    pairing: _Pairing, interval: tuple[float | None, float | None, str], flip: float
) -> Comparison:
    difference = pairing.b - pairing.a
    pairs = len(difference)
    kind: Literal["yes/no", "score"] = "yes/no" if _is_yes_no(pairing) else "score"
    metric = METRICS.get(pairing.metric)
    better = -difference if metric and metric.direction == "lower" else difference
    wins, losses = int(np.sum(better > 0)), int(np.sum(better < 0))
    enough = pairs >= LEAST_PAIRS
    test, p = _test(pairing, kind, flip) if enough else ("", None)
    low, high, how = interval
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
        low=low if enough else None,
        high=high if enough else None,
        interval=how if enough else "none",  # type: ignore[arg-type]
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
    """By the values: repeats that disagree make a share of a yes/no, which is a score."""
    values = np.concatenate([pairing.a, pairing.b])
    return bool(len(values)) and bool(np.all((values == 0) | (values == 1)))


def _wants_flips(pairing: _Pairing) -> bool:
    return len(pairing.a) >= LEAST_PAIRS and len(set(pairing.names)) < len(pairing.names)


def _test(pairing: _Pairing, kind: str, flip: float) -> tuple[str, float]:
    """McNemar and Wilcoxon take every case for independent; where many documents have several cases, they are not."""
    if _wants_flips(pairing):
        return "sign-flip permutation of documents", flip
    difference = pairing.b - pairing.a
    if kind == "yes/no":
        return "McNemar", mcnemar(int(np.sum(difference > 0)), int(np.sum(difference < 0)))
    return "Wilcoxon signed rank", wilcoxon(difference)


def _with_holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """A metric that is the same in every case could not have been significant: it is no member of the family
    (Tarone 1990).
    """
    corrected = holm([c.p if c.wins + c.losses else None for c in comparisons])
    return tuple(
        replace(c, p_holm=c.p if p is None else p) for c, p in zip(comparisons, corrected, strict=True)
    )


# --- one run alone ----------------------------------------------------------------------------------------


def mean_interval(
    values: Mapping[str, float], clusters: Mapping[str, str] | None = None
) -> tuple[float, float] | None:
    """95 % interval of the mean over the cases (case key -> value); None with fewer than 2 of what is independent.

    The variance is that of the documents' sums of deviations (cluster-robust, arXiv:2411.00640). Scores get Student's
    t with one degree of freedom less than documents, rates Wilson's interval with as many cases as that variance is
    worth, and with as many as there are documents where all cases agree.
    """
    known = clusters or {}
    names = tuple(known.get(key) or f"\0{key}" for key in values)
    units = tuple(values) if has_few_documents(names) else names
    observed = np.array(list(values.values()), dtype=np.float64)
    _, rows = np.unique(np.array(units), return_inverse=True)
    count = int(rows.max()) + 1 if len(rows) else 0
    if count < 2:
        return None
    mean = float(observed.mean())
    sums = np.bincount(rows, observed - mean)
    variance = float(np.sum(sums**2)) / len(observed) ** 2 * count / (count - 1)
    if np.all((observed == 0) | (observed == 1)):
        worth = min(mean * (1 - mean) / variance, float(len(observed))) if variance > 0 else float(count)
        return wilson_interval(mean * worth, worth)
    reach = float(stdtrit(count - 1, 0.975)) * math.sqrt(variance)
    return mean - reach, mean + reach


# --- the clustered bootstrap ------------------------------------------------------------------------------


def clustered_intervals(
    sums: Array, counts: Array, resamples: int = RESAMPLES, confidence: float = 0.95
) -> list[tuple[float | None, float | None, str]]:
    """BCa interval of each column's mean, resampling whole clusters (Efron 1987; DiCiccio and Efron 1996).

    sums, counts: (clusters, columns), the sum of the differences of a cluster and their number; 0 of both where a
    column lacks the cluster. The acceleration comes from leaving out one cluster at a time. Where BCa is undefined
    (all resamples on one side) the percentile interval is given; with fewer than 2 clusters none.
    """
    means = _bootstrap_means(sums, counts, resamples)
    total, number = sums.sum(axis=0), counts.sum(axis=0)
    found: list[tuple[float | None, float | None, str]] = []
    for column in range(sums.shape[1]):
        has = counts[:, column] > 0
        if has.sum() < 2:
            found.append((None, None, "none"))
            continue
        left_out = (total[column] - sums[has, column]) / (number[column] - counts[has, column])
        found.append(_bca(means[:, column], total[column] / number[column], left_out, confidence))
    return found


def _bootstrap_means(sums: Array, counts: Array, resamples: int) -> Array:
    """(resamples, columns); NaN where a resample holds no case of a column."""
    clusters, columns = sums.shape
    both = np.hstack([sums, counts])
    generator = np.random.default_rng(SEED)
    means = np.empty((resamples, columns))
    for begin in range(0, resamples if clusters else 0, _BLOCK):
        size = min(_BLOCK, resamples - begin)
        drawn = generator.integers(0, clusters, (size, clusters), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * np.int32(clusters)
        # How often each cluster was drawn: multinomial weights, without building the resamples.
        weights = np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters)
        products = weights.astype(np.float64) @ both
        with np.errstate(invalid="ignore", divide="ignore"):
            means[begin : begin + size] = products[:, :columns] / products[:, columns:]
    return means


def _bca(means: Array, observed: float, left_out: Array, confidence: float) -> tuple[float, float, str]:
    known = np.sort(means[np.isfinite(means)])
    alpha = (1 - confidence) / 2
    levels, how = np.array([alpha, 1 - alpha]), "percentile"
    near = 1e-12 * max(abs(observed), 1.0)  # equal but for rounding: a tie counts half
    below = np.searchsorted(known, observed - near) + np.searchsorted(known, observed + near)
    share = below / 2 / len(known)
    deviation = left_out.mean() - left_out
    spread = float(np.sum(deviation**2))
    if 0 < share < 1 and spread > 1e-24:
        bias = ndtri(share)
        acceleration = float(np.sum(deviation**3)) / (6 * spread**1.5)
        z = bias + ndtri(levels)
        scale = 1 - acceleration * z
        if np.all(scale > 0):
            levels, how = ndtr(bias + z / scale), "BCa"
    low, high = np.quantile(known, levels)
    return float(low), float(high), how


# --- tests ------------------------------------------------------------------------------------------------


def mcnemar(better: int, worse: int) -> float:
    """Two-sided p of b against c discordant pairs: exact binomial below 25, else chi-squared with continuity
    correction (McNemar 1947; Edwards 1948). 1 when there are none.
    """
    discordant = better + worse
    if discordant == 0:
        return 1.0
    if discordant < _EXACT_DISCORDANT:
        tail = sum(math.comb(discordant, n) for n in range(min(better, worse) + 1))
        return min(1.0, float(2 * tail / 2**discordant))
    statistic = max(abs(better - worse) - 1, 0) ** 2 / discordant
    return math.erfc(math.sqrt(statistic / 2))


def sign_test(better: int, worse: int) -> float:
    """Two-sided exact p that one of two is picked as often as the other (Dixon and Mood 1946); 1 without a pick."""
    picks = better + worse
    tail = sum(math.comb(picks, n) for n in range(min(better, worse) + 1))
    return float(min(1.0, 2 * tail / 2**picks))


def wilcoxon(differences: npt.ArrayLike) -> float:
    """Two-sided p of the signed-rank test (Wilcoxon 1945), zeros dropped, ties with middle ranks.

    Exact up to 50 non-zero differences, ties included (the distribution of the doubled ranks, which are whole
    numbers); beyond that normal, with the variance corrected for ties.
    """
    values = np.asarray(differences, dtype=np.float64)
    # Differences of shares that are equal in truth (0.3 - 0.2, 0.2 - 0.1) must tie.
    values = np.round(values[values != 0], 12)
    values = values[values != 0]
    count = len(values)
    if count == 0:
        return 1.0
    _, inverse, sizes = np.unique(np.abs(values), return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    doubled = (2 * last - sizes + 1)[inverse]  # twice the middle rank
    positive = int(doubled[values > 0].sum())
    whole = int(doubled.sum())
    if count <= _EXACT_RANKS:
        ways = np.zeros(whole + 1)
        ways[0] = 1.0
        for rank in doubled:
            ways[rank:] += ways[: whole + 1 - rank].copy()
        tail = ways[: min(positive, whole - positive) + 1].sum() / 2.0**count
        return float(min(1.0, 2 * tail))
    variance = (count * (count + 1) * (2 * count + 1) - np.sum(sizes**3 - sizes) / 2) / 24
    z = (positive - whole / 2) / 2 / math.sqrt(variance)
    return math.erfc(abs(z) / math.sqrt(2))


def sign_flip(cluster_sums: npt.ArrayLike) -> float:
    """Two-sided p of the sum of the clusters' differences when each cluster's sign might as well be the other
    (Fisher's randomisation of pairs). All patterns up to 13 clusters, else 10,000 with a fixed seed.
    """
    values = np.asarray(cluster_sums, dtype=np.float64)
    return float(_flip_p_values(values[:, None], [True])[0])


def _flip_p_values(sums: Array, wanted: Sequence[bool]) -> list[float]:
    """p of each column that is wanted, NaN for the others. A cluster with sum 0 changes nothing."""
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
    """Step-down correction of one family of tests (Holm 1979), in the given order; None stays None."""
    known = sorted((p, number) for number, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, number) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        found[number] = highest
    return found


def cohens_d_z(differences: npt.ArrayLike) -> float | None:
    """Mean of the differences over their standard deviation (Cohen 1988); None when they do not vary."""
    values = np.asarray(differences, dtype=np.float64)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return float(values.mean()) / deviation if deviation > 1e-12 else None


# --- how many cases it takes ------------------------------------------------------------------------------


def mcnemar_power(cases: int, difference: float, discordant: float) -> float:
    """Probability that McNemar's test at 0.05 finds a difference of two rates, summed over all outcomes.

    difference: of the rates, 0 to 1; discordant: share of cases in which the runs disagree, at least difference.
    """
    if not abs(difference) <= discordant <= 1:
        raise ValueError("the discordant share lies between the difference and 1")
    if cases < 1 or discordant == 0:
        return 0.0
    better_share = (discordant + abs(difference)) / 2 / discordant
    power = 0.0
    for number, weight in enumerate(_binomial(cases, discordant)):
        if number and weight > 1e-9:
            worst = _most_worse(number)
            chances = _binomial(number, better_share)
            found = chances[: worst + 1].sum() + chances[number - worst :].sum() if worst >= 0 else 0.0
            power += float(weight * found)
    return min(power, 1.0)


@lru_cache(maxsize=8192)
def _most_worse(discordant: int) -> int:
    """The most losses of so many discordant pairs at which McNemar's test is below 0.05; -1: none."""
    low, high = -1, discordant // 2
    while low < high:
        middle = (low + high + 1) // 2
        if mcnemar(middle, discordant - middle) < 0.05:
            low = middle
        else:
            high = middle - 1
    return low


def _binomial(number: int, chance: float) -> Array:
    """P(X = 0 … number)."""
    if chance >= 1:
        return np.concatenate([np.zeros(number), [1.0]])
    k = np.arange(number + 1)
    logs = gammaln(number + 1) - gammaln(k + 1) - gammaln(number - k + 1)
    result: Array = np.exp(logs + k * math.log(chance) + (number - k) * math.log1p(-chance))
    return result


def discordant_share(difference: float) -> float:
    """What is assumed where nothing was measured: the difference and 10 points of coming and going."""
    return min(1.0, abs(difference) + 0.10)


def smallest_detectable_difference(cases: int, power: float = 0.8) -> float | None:
    """The smallest difference of two rates that so many independent cases find with this power; None: not even 90
    points. In steps of one point.
    """
    return next(
        (p / 100 for p in range(1, 91) if mcnemar_power(cases, p / 100, discordant_share(p / 100)) >= power),
        None,
    )


def cases_needed(difference: float, power: float = 0.8, discordant: float | None = None) -> int | None:
    """Independent cases that find such a difference of two rates; None when 5,000 are not enough."""
    share = discordant_share(difference) if discordant is None else discordant
    low, high = 1, 5000
    if difference == 0 or mcnemar_power(high, difference, share) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        if mcnemar_power(middle, difference, share) >= power:
            high = middle
        else:
            low = middle + 1
    return low


def score_cases_needed(d_z: float, power: float = 0.8) -> int | None:
    """Independent cases that find a standardised difference of scores at 0.05, by the normal approximation."""
    return math.ceil(((ndtri(0.975) + ndtri(power)) / d_z) ** 2) if d_z else None


def score_detectable_difference(cases: int, deviation: float, power: float = 0.8) -> float:
    """In the metric's unit; deviation: standard deviation of the paired differences."""
    return float((ndtri(0.975) + ndtri(power)) * deviation / math.sqrt(cases))


# --- agreement and judges ---------------------------------------------------------------------------------


def cohens_kappa(first: Sequence[object], second: Sequence[object]) -> float | None:
    """Agreement of two raters beyond chance (Cohen 1960), -1 to 1; None when both always say the same one thing."""
    if len(first) != len(second):
        raise ValueError("both raters judge the same cases")
    if not first:
        return None
    count = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True)) / count
    chance = sum(first.count(label) * second.count(label) for label in {*first, *second}) / count**2
    return (agreed - chance) / (1 - chance) if chance < 1 else None


@dataclass(frozen=True)
class CorrectedRate:
    """A rate as a judge would have found it without its errors, with its 95 % interval; all 0 to 1."""

    rate: float
    low: float
    high: float


def rogan_gladen(
    positives: int,
    judged: int,
    true_positives: int,
    real_positives: int,
    true_negatives: int,
    real_negatives: int,
) -> CorrectedRate | None:
    """The true rate behind a judge's: (rate + specificity - 1) / (sensitivity + specificity - 1).

    positives of judged: what the judge said. Its sensitivity is true_positives / real_positives and its
    specificity true_negatives / real_negatives, measured on cases that people labelled. None when the judge is no
    better than chance. Rogan and Gladen 1978; interval with both uncertain: Lang and Reiczigel 2014.
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
    z = float(ndtri(0.975))
    n, n_se, n_sp = judged + z**2, real_positives + 2, real_negatives + 2
    p = (positives + z**2 / 2) / n
    se, sp = (true_positives + 1) / n_se, (true_negatives + 1) / n_sp
    youden = se + sp - 1
    if youden <= 0:
        return None
    centre = (p + sp - 1) / youden
    se_part, sp_part = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    shift = 2 * z**2 * (centre * se_part - (1 - centre) * sp_part)
    width = z * math.sqrt(p * (1 - p) / n + centre**2 * se_part + (1 - centre) ** 2 * sp_part) / youden
    return CorrectedRate(_share(corrected), _share(centre + shift - width), _share(centre + shift + width))


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
