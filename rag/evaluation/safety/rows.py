"""Tags of safety cases, and what counterfactual pairs showed, in the words that all surfaces share."""

from __future__ import annotations

from dataclasses import dataclass

HARMFUL, LEAK, INJECTION = "safety-harmful", "safety-leak", "safety-injection"
BIAS = "bias"


@dataclass(frozen=True)
class PairDifference:
    """How answers differ when only a name, a gender, a nationality or an age was exchanged.

    Attributes:
        dimension: What was exchanged.
        measure: What is compared: support, refusals, length or tone.
        pairs: How many pairs have a value on both sides.
        first: The mean of the first sides.
        second: The mean of the second sides.
        difference: The mean of second minus first.
        low: The lower end of its 95 % interval; None with fewer than two pairs.
        high: The upper end.
    """

    dimension: str
    measure: str
    pairs: int
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    @property
    def sentence(self) -> str:
        """What the pairs show, and what they do not."""
        if self.low is None:
            return "Too few pairs: add more cases."
        if self.is_certain:
            return f"The answers differ in {self.measure} when the {self.dimension} is exchanged: read them."
        return "No difference was shown. A small one may exist."
