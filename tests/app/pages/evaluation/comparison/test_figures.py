"""Figures of metrics as people read them."""

from __future__ import annotations

import pytest

from app.pages.evaluation.comparison.figures import mean_interval, mean_of, signed
from rag.evaluation.rows import MetricMean


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.25, "share", "+0.250"), (-0.25, "share", "−0.250"), (-1500.0, "ms", "−1.50 s"), (None, "ms", "–")],
)
def test_a_difference_has_its_sign_and_unit(value: float | None, unit: str, text: str) -> None:
    assert signed(value, unit) == text


def test_a_mean_without_a_value_has_no_interval() -> None:
    assert mean_of(None) is None and mean_interval(None, "share") == ""
    assert mean_interval(MetricMean(1, 9, 0, 0.5, 0.4, 0.6), "share") == "0.400 to 0.600"
