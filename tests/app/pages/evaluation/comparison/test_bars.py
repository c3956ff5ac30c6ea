"""A bar for each metric: its end, its interval, its colour, and what it says in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.pages.evaluation.comparison.bars import BAR_COLUMNS, BAR_PLACE, DifferenceBars, bar_lines, certainty
from app.pages.evaluation.comparison.figures import MetricLine, better_colour
from app.widgets.theme import Theme
from rag.evaluation.rows import (
    MetricComparison,
    MetricDifference,
    MetricMean,
    PipelineKind,
    RunRow,
    RunStatus,
)

RUN = RunRow(
    2, "", RunStatus.DONE, "", "", (), "Gold", 1, 1, "", "Plain", 1, 1, "", PipelineKind.ANSWER, "{}",
    3, 1, 0, 1, 9.0, "Notes", 1, 1, "", "", "", "", None, None, "", "", "", "", "", "", "", 0, None, None,
    1.0, 3, 0, None, "",
)  # fmt: skip


def line(
    name: str = "MRR", difference: float | None = 0.2, p: float | None = 0.01, unit: str = "share",
    direction: str = "higher",
) -> MetricLine:  # fmt: skip
    half = 0.1 if unit == "share" else 100.0
    low, high = (None, None) if difference is None or p is None else (difference - half, difference + half)
    found = MetricDifference(
        2, 20, 20, 0.5, 0.7, difference, low, high, "", "", p, p, None, "", 5 if difference else 0, 15, 0, "",
        f"{name} differs.",
    )  # fmt: skip
    mean = MetricMean(2, 20, 0, 0.7, 0.6, 0.8)
    return MetricLine(
        MetricComparison(name, name, "", "", direction, unit, "score", (), (found,)), RUN, mean, mean, found
    )


def test_bars_of_one_unit_share_a_scale() -> None:
    small, large, tokens = bar_lines(
        [line(difference=0.1), line(difference=-0.3), line(unit="tokens", difference=50.0)]
    )[:3]
    by_value = {bar.line.difference.difference: bar for bar in (small, large, tokens) if bar.line.difference}
    assert by_value[0.1].value == pytest.approx(0.25) and by_value[-0.3].value == pytest.approx(-0.75)
    assert by_value[-0.3].low == pytest.approx(-1.0) and by_value[50.0].high == pytest.approx(1.0)


def test_the_mean_of_a_single_run_is_a_share_of_the_whole() -> None:
    alone = replace(line(), difference=None)
    (bar,) = bar_lines([alone])
    assert bar.starts_left and bar.value == 0.7 and (bar.low, bar.high) == (0.6, 0.8)
    assert BAR_COLUMNS[5].text(bar) == "0.700" and certainty(alone) == "–"


def test_what_is_certain_comes_first_and_costs_last() -> None:
    lines = [
        line("Time", -900.0, 0.001, "ms", "lower"), line("Same", 0.0, 1.0), line("Maybe", 0.1, 0.4),
        line("Sure", 0.3, 0.001),
    ]  # fmt: skip
    assert [bar.line.metric.name for bar in bar_lines(lines)] == ["Sure", "Maybe", "Same", "Time"]


@pytest.mark.parametrize(
    ("found", "word", "colour"),
    [
        (line(), "better", "good"),
        (line(direction="lower"), "worse", "bad"),
        (line(p=0.4), "not certain", None),
        (line(p=None), "too few (20)", None),
        (line(difference=None), "–", None),
        (line(difference=0.0, p=1.0), "the same", None),
        (line(direction="none"), "certain", None),
    ],
)
def test_a_result_is_a_word_and_only_what_is_certain_has_a_colour(
    found: MetricLine, word: str, colour: str | None
) -> None:
    assert certainty(found) == word and better_colour(found) == colour


def test_a_bar_says_in_words_what_it_shows() -> None:
    (bar,) = bar_lines([line()])
    said = BAR_COLUMNS[BAR_PLACE].tooltip
    assert said is not None
    assert said(bar) == "+0.200, 95 % interval +0.100 to +0.300\nbetter; MRR differs."


def test_the_bar_is_drawn_to_its_side_in_its_colour(qtbot: QtBot, theme: Theme) -> None:
    table = DifferenceBars(theme)
    qtbot.addWidget(table)
    table.resize(900, 200)
    table.show()
    table.show_lines([line(difference=0.3, p=0.001), line("Loss", -0.3, 0.002)])
    image = table.viewport().grab().toImage()
    for row, name, side in ((0, "good", 1), (1, "bad", -1)):
        place = table.visualRect(table.records_model.index(row, BAR_PLACE))
        scale = image.devicePixelRatio()
        middle = place.center()
        y = int((middle.y() - 4) * scale)
        near = image.pixelColor(int((middle.x() + side * 20) * scale), y)
        far = image.pixelColor(int((middle.x() - side * 20) * scale), y)
        assert near == theme.colour(name) and far != theme.colour(name)
