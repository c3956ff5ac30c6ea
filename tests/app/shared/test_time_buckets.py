"""Hours and days of graphs begin when the clocks of their time say so."""

import datetime
from zoneinfo import ZoneInfo

import numpy as np

from app.shared.time_buckets import bar_width, buckets, sums, zone_text


def test_bars_are_visible_and_apart() -> None:
    assert bar_width(np.array([0.0]), 4000) == 100  # a fortieth of the period
    assert bar_width(np.array([0.0, 10.0, 70.0]), 4000) == 10  # as wide as the smallest gap
    assert bar_width(np.array([0.0, 0.001]), 3000) == 2  # as wide as can be seen
    assert bar_width(np.zeros(0), 40) == 1


def test_buckets_begin_at_full_hours_of_local_time() -> None:
    noon = datetime.datetime(2026, 5, 4, 12, 0).timestamp()
    edges, index = buckets(np.array([noon + 60, noon + 3500, noon + 2 * 3600]), 3600)
    assert list(edges - noon) == [0, 3600, 7200, 10800]
    assert list(index) == [0, 0, 2]
    edges, index = buckets(np.zeros(0), 3600)
    assert len(edges) == len(index) == 0


def test_days_are_those_of_the_clocks_of_their_time() -> None:
    """In winter, a question of a summer night stood on the wrong day."""
    zone = ZoneInfo("America/New_York")

    def at(*parts: int) -> float:
        return datetime.datetime(*parts, tzinfo=zone).timestamp()  # type: ignore[arg-type]

    x = np.array([at(2025, 10, 20, 23, 30), at(2025, 10, 21, 0, 30), at(2025, 12, 1, 23, 59)])
    edges, index = buckets(x, 86_400, zone)
    assert list(index[:2]) == [0, 1], "half an hour before and after midnight are two days"
    assert edges[0] == at(2025, 10, 20) and edges[1] == at(2025, 10, 21) and edges[-1] == at(2025, 12, 2)
    hours = np.diff(edges) / 3600
    assert set(hours) == {24.0, 25.0} and list(hours).count(25.0) == 1, "the clocks go back on 2 November"
    assert hours[13] == 25.0


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime.datetime(2025, 10, 26, 2, 30, tzinfo=zone).timestamp()
    edges, index = buckets(np.array([first, first + 3600]), 3600, zone)
    assert list(index) == [0, 1] and list(np.diff(edges)) == [3600, 3600]
    half = ZoneInfo("Asia/Kolkata")
    noon = datetime.datetime(2025, 5, 4, 12, 0, tzinfo=half).timestamp()
    edges, _ = buckets(np.array([noon + 1]), 3600, half)
    assert edges[0] == noon


def test_the_zone_of_a_graph_is_told() -> None:
    zone = ZoneInfo("Europe/Berlin")
    winter, summer = (datetime.datetime(2025, month, 1, tzinfo=zone).timestamp() for month in (1, 7))
    assert zone_text(winter, summer, zone) == "Local time: CET (UTC+01:00), CEST (UTC+02:00)"
    assert zone_text(winter, winter, zone) == "Local time: CET (UTC+01:00)"


def test_values_are_summed_up_in_their_buckets() -> None:
    assert list(sums(np.array([0, 2, 2]), [1.0, 2.0, 3.5], 4)) == [1.0, 0.0, 5.5, 0.0]
