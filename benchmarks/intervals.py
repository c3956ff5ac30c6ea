"""How often the intervals of evaluation hold the truth, by simulation. Run `python -m benchmarks.intervals`.

Each line draws many evaluation sets of which the truth is known, makes the 95 % interval of each as a comparison
does, and prints the share of intervals that hold the truth: 93 to 97 % is what is wanted, since the shares
themselves vary by about half a point. Cases of a document have something in common. With fewer than 10 documents
the cases are taken one by one, and the truth is that of other questions about the same documents. Where two runs
differ in hardly any case (the last part) no interval can know by how much others would: they err on the careful
side.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rag.evaluation.statistics.intervals import Array, difference_interval, mean_interval

_ROUNDS = 1500
_TRUTH_CASES = 400_000
_SEED = 20_261_127
# (documents, cases of each)
_DESIGNS = ((6, 1), (10, 1), (20, 1), (60, 1), (3, 12), (6, 6), (10, 4), (15, 3), (25, 4))
_LEAST_DOCUMENTS = 10

# Draws the values of cases, given the quality of each case's document on a scale from 0 to 1.
Draw = Callable[[np.random.Generator, Array], Array]


@dataclass(frozen=True)
class Kind:
    """What is simulated: a metric of one run, or its difference between two runs."""

    name: str
    unit: str
    is_difference: bool
    draw: Draw

    @property
    def is_rate(self) -> bool:
        """Whether its values, or those that it is the difference of, are 0 and 1 alone."""
        return "rate" in self.name


def _rate(generator: np.random.Generator, quality: Array) -> Array:
    return (generator.random(len(quality)) < 0.5 + 0.5 * quality).astype(float)


def _recall(generator: np.random.Generator, quality: Array) -> Array:
    """Return shares of three relevant passages that were found."""
    return generator.binomial(3, 0.3 + 0.6 * quality) / 3


def _reciprocal_rank(generator: np.random.Generator, quality: Array) -> Array:
    first = generator.random(len(quality)) < 0.3 + 0.6 * quality
    ranks = generator.integers(2, 11, len(quality))
    return np.where(first, 1.0, np.where(generator.random(len(quality)) < 0.2, 0.0, 1 / ranks))


def _word_f1(generator: np.random.Generator, quality: Array) -> Array:
    return generator.beta(1 + 6 * quality, 1 + 6 * (1 - quality))


def _cosine(generator: np.random.Generator, quality: Array) -> Array:
    return np.clip(generator.normal(0.3 + 0.4 * quality, 0.15), -1, 1)


def _milliseconds(generator: np.random.Generator, quality: Array) -> Array:
    return np.exp(8 + 0.6 * quality + generator.normal(0, 0.3, len(quality)))


def _difference_of(draw: Draw, gain: float, share: float) -> Draw:
    """Return what draws B - A, where B answers that share of the cases anew, from a better quality."""

    def differ(generator: np.random.Generator, quality: Array) -> Array:
        before, again = draw(generator, quality), draw(generator, np.clip(quality + gain, 0, 1))
        return np.where(generator.random(len(quality)) < share, again - before, 0.0)

    return differ


_MEANS = (
    Kind("rate (hit rate)", "share", False, _rate),
    Kind("share (recall)", "share", False, _recall),
    Kind("MRR", "share", False, _reciprocal_rank),
    Kind("word F1", "share", False, _word_f1),
    Kind("cosine", "cosine", False, _cosine),
    Kind("milliseconds", "ms", False, _milliseconds),
)
_DIFFERENCES = (
    Kind("difference of rates", "share", True, _difference_of(_rate, 0.2, 1.0)),
    Kind("difference of recall", "share", True, _difference_of(_recall, 0.2, 0.6)),
    Kind("difference of F1", "share", True, _difference_of(_word_f1, 0.2, 0.6)),
    Kind("difference of ms", "ms", True, _difference_of(_milliseconds, -0.2, 1.0)),
)
_NEARLY_EQUAL = (
    Kind("rates, 10 % anew", "share", True, _difference_of(_rate, 0.2, 0.1)),
    Kind("recall, 10 % anew", "share", True, _difference_of(_recall, 0.2, 0.1)),
)


def main() -> None:
    """Print the coverage of every kind and design, and of each kind over all designs."""
    begin = time.perf_counter()
    generator = np.random.default_rng(_SEED)
    designs = "".join(f"{documents} x {each}".rjust(9) for documents, each in _DESIGNS)
    print(
        f"Coverage in %, {_ROUNDS} sets each; columns: documents x cases of each\n{'':24}{designs}      all"
    )
    for title, kinds in (("means", _MEANS), ("differences", _DIFFERENCES), ("nearly equal", _NEARLY_EQUAL)):
        print(title)
        for kind in kinds:
            found = [coverage(kind, documents, each, generator) for documents, each in _DESIGNS]
            cells = "".join(f"{100 * share:9.1f}" for share in (*found, sum(found) / len(found)))
            print(f"  {kind.name:22}{cells}", flush=True)
    print(f"{time.perf_counter() - begin:.0f} s")


def coverage(
    kind: Kind, documents: int, each: int, generator: np.random.Generator, rounds: int = _ROUNDS
) -> float:
    """Return the share of simulated sets whose interval holds the truth."""
    few = each > 1 and documents < _LEAST_DOCUMENTS
    fixed = generator.beta(3, 2, documents) if few else None
    truth = _truth(kind, fixed, generator)
    names = {f"c{n}": f"d{n // each}" for n in range(documents * each)}
    held = 0
    for _ in range(rounds):
        if fixed is None:
            quality = np.repeat(generator.beta(3, 2, documents), each)
        else:  # other questions about the same documents
            quality = fixed[generator.integers(0, documents, documents * each)]
        values = dict(zip(names, kind.draw(generator, quality).tolist(), strict=True))
        if kind.is_difference:
            whole = all(value in (-1.0, 0.0, 1.0) for value in values.values())
            interval = difference_interval(values, names, kind.unit, is_yes_no=whole and kind.is_rate)
        else:
            interval = mean_interval(values, names, kind.unit)
        held += interval is not None and interval.low - 1e-12 <= truth <= interval.high + 1e-12
    return held / rounds


def _truth(kind: Kind, fixed: Array | None, generator: np.random.Generator) -> float:
    if fixed is None:
        quality = generator.beta(3, 2, _TRUTH_CASES)
    else:
        quality = fixed[generator.integers(0, len(fixed), _TRUTH_CASES)]
    return math.fsum(kind.draw(generator, quality)) / _TRUTH_CASES


if __name__ == "__main__":
    main()
