"""Sorts moments into hours and days of local time, for graphs of bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from datetime import time as clock

import numpy as np
import numpy.typing as npt

from app.widgets.charts import Numbers

_DAY_S = 86_400


def bar_width(x: Numbers, length: float) -> float:
    """Return a width in seconds: wide enough to be seen, narrow enough to keep questions apart."""
    gaps = np.diff(np.sort(x))
    gaps = gaps[gaps > 0]
    return float(max(min(length / 40, gaps.min() if len(gaps) else length), length / 1500, 0.2))


def buckets(x: Numbers, width: int, zone: tzinfo | None = None) -> tuple[Numbers, npt.NDArray[np.int_]]:
    """Sort moments into hours or days, as the clocks stood at each moment.

    The offset from UTC of today would put what was asked in the other half of the year an hour off, and so on
    another day.

    Args:
        x: Numbers in Unix seconds, shape (n,).
        width: Seconds of an hour or of a day, which has 23 or 25 hours when the clocks change.
        zone: Whose clocks; None: this computer's.

    Returns:
        The edges of all buckets between the first and the last moment, one more than there are buckets, and
        each moment's bucket, shape (n,).
    """
    if not len(x):
        return np.zeros(0), np.zeros(0, dtype=int)
    first = datetime.fromtimestamp(float(x.min()), zone)
    if width < _DAY_S:
        start = first.replace(minute=0, second=0, microsecond=0).timestamp()
        edges = start + width * np.arange((x.max() - start) // width + 2)
    else:
        days = (datetime.fromtimestamp(float(x.max()), zone).date() - first.date()).days + 2
        midnight = datetime.combine(first.date(), clock.min, zone)
        edges = np.array([(midnight + timedelta(days=day)).timestamp() for day in range(days)])
    return edges, np.searchsorted(edges, x, side="right") - 1


def zone_text(start: float, end: float, zone: tzinfo | None = None) -> str:
    """Return what the clocks of a period say, such as "Local time: CEST (UTC+02:00), CET (UTC+01:00)"."""
    names = []
    for moment in (start, end):
        local = datetime.fromtimestamp(moment, zone).astimezone(zone)
        names.append(f"{local.tzname()} (UTC{local.strftime('%z')[:3]}:{local.strftime('%z')[3:5]})")
    return f"Local time: {', '.join(dict.fromkeys(names))}"


def sums(index: npt.NDArray[np.int_], values: Sequence[float], count: int) -> Numbers:
    """Return the sum of the values in each of so many buckets, given the bucket of each value."""
    return np.bincount(index, weights=np.asarray(values, dtype=np.float64), minlength=count).astype(float)
