"""The graphs: what they say under the mouse, what a click gives, what is written to files."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from app.widgets.charts import Bar, RangeBrush, Series, TimeChart, Waterfall
from app.widgets.theme import Theme

X = np.array([1_000_000.0, 1_000_100.0, 1_000_200.0])


@pytest.fixture
def chart(qtbot: QtBot, theme: Theme) -> TimeChart:
    made = TimeChart(theme, "Latency", "ms", empty="Nothing measured yet")
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    return made


def view_range(chart: TimeChart) -> tuple[float, float]:
    low, high = chart.plot.getPlotItem().vb.viewRange()[0]
    return low, high


def test_the_first_data_come_into_view_by_themselves(chart: TimeChart) -> None:
    assert view_range(chart)[1] < 2
    chart.set_bars([Series("prompt", X, np.array([1.0, 2.0, 3.0]))], 60)
    chart.grab()
    low, high = view_range(chart)
    assert low <= X[0]
    assert high >= X[-1]


def test_a_range_that_was_chosen_is_kept_when_data_are_renewed(chart: TimeChart) -> None:
    chart.set_bars([Series("prompt", X, np.array([1.0, 2.0, 3.0]))], 60)
    chart.set_range(1_000_050, 1_000_150)
    before = view_range(chart)
    chart.set_bars([Series("prompt", X, np.array([4.0, 5.0, 6.0]))], 60)
    chart.grab()
    assert view_range(chart) == before


def test_without_data_it_says_so_and_shows_no_axes(chart: TimeChart) -> None:
    assert chart._empty.toPlainText() == "Nothing measured yet"
    assert chart._empty.isVisible()
    assert not chart.plot.getPlotItem().getAxis("left").isVisible()
    chart.set_range(1_000_050, 1_000_150)
    low, high = view_range(chart)
    assert low <= chart._empty.pos().x() <= high  # it was pushed out of sight
    chart.set_points([Series("first token", X, np.array([1.0, 2.0, 3.0]))])
    assert chart._empty.scene() is None
    assert chart.plot.getPlotItem().getAxis("left").isVisible()


def test_a_bar_without_a_value_leaves_the_others_in_their_place(chart: TimeChart) -> None:
    chart.set_bars(
        [Series("a", X, np.array([10.0, np.nan, 0.0])), Series("b", X, np.array([5.0, 6.0, 7.0]))], 60
    )
    chart.grab()
    assert chart.value_at(QPointF(X[0], 12)).startswith("b: 5 ms")
    assert chart.value_at(QPointF(X[1], 3)).startswith("b: 6 ms")
    assert chart.value_at(QPointF(X[2], 3)).startswith("b: 7 ms")


def test_lines_break_where_a_value_is_missing_and_name_what_is_near(chart: TimeChart) -> None:
    chart.set_lines(
        [Series("p50", X, np.array([10.0, np.nan, 30.0])), Series("p95", X, np.array([90.0, 80.0, 70.0]))]
    )
    chart.grab()
    assert chart.value_at(QPointF(X[0], 10)).startswith("p50: 10 ms")
    assert chart.value_at(QPointF(X[1], 80)).startswith("p95: 80 ms")
    chart.set_lines([Series("p50", X, np.full(3, np.nan))])
    chart.grab()
    assert chart.value_at(QPointF(X[0], 10)) == ""


def test_the_legend_stands_above_the_plot_and_shortens_long_names(qtbot: QtBot, chart: TimeChart) -> None:
    chart.set_bars(
        [Series("a-very-long-model-name-of-2031.Q4_K_M", X, np.ones(3)), Series("b", X, np.ones(3))], 60
    )
    chart.grab()
    names = [label.text for _, label in chart._legend.items]
    assert names[0].endswith("…")
    view = chart.plot.getPlotItem().vb
    swatch, _ = chart._legend.items[-1]
    assert chart._legend.columnCount == 2
    qtbot.waitUntil(lambda: swatch.sceneBoundingRect().center().y() + 5 <= view.sceneBoundingRect().top())
    chart.resize(300, 300)
    assert chart._legend.columnCount == 1
    qtbot.waitUntil(lambda: swatch.sceneBoundingRect().center().y() + 5 <= view.sceneBoundingRect().top())


def test_files_hold_the_numbers_and_the_picture(chart: TimeChart, tmp_path: Path) -> None:
    chart.set_points([Series("first token", X, np.array([1.5, np.nan, 3.0]), ("t1", "t2", "t3"))])
    chart.export_csv(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert lines[0] == "time,series,value (ms),trace"
    assert lines[1].endswith(",first token,1.5,t1")
    assert len(lines) == 4
    chart.export_png(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_change_of_theme_repaints_every_graph(qtbot: QtBot, theme: Theme, chart: TimeChart) -> None:
    chart.set_lines([Series("p50", X, np.array([1.0, 2.0, 3.0]))])
    brush, waterfall = RangeBrush(theme), Waterfall(theme)
    brush.set_data(X, np.ones(3), X[0], X[-1], X[1])
    waterfall.set_bars([Bar("embed", 0, 5, "", 0)])
    for widget in (brush, waterfall):
        qtbot.addWidget(widget)
        widget.resize(300, 60)
    light = [widget.grab().toImage() for widget in (chart, brush, waterfall)]
    theme.apply("dark")
    dark = [widget.grab().toImage() for widget in (chart, brush, waterfall)]
    theme.apply("light")
    assert all(one != other for one, other in zip(light, dark, strict=True))


def test_bars_stack_hover_names_the_value_and_a_click_opens_the_trace(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    chart = TimeChart(theme, "Tokens", "tokens")
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.show()
    x = np.array([1_000_000.0, 1_000_100.0])
    ids = ("t1", "t2")
    chart.set_bars(
        [
            Series("prompt", x, np.array([10.0, 20.0]), ids),
            Series("completion", x, np.array([5.0, 6.0]), ids),
        ],
        60,
    )
    assert chart.value_at(QPointF(1_000_100, 22)).startswith("completion: 6 tokens")
    assert chart.value_at(QPointF(1_000_000, 3)).startswith("prompt: 10 tokens")
    assert chart.value_at(QPointF(1_000_050, 3)) == ""
    chart.set_range(999_900, 1_000_200)
    qtbot.wait(30)
    scene = chart.plot.getPlotItem().vb.mapViewToScene(QPointF(1_000_100, 3))
    with qtbot.waitSignal(chart.point_clicked) as caught:
        position = chart.plot.mapFromScene(scene)
        qtbot.mouseClick(
            chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(position.x(), position.y())
        )
    assert caught.args == ["t2"]
    chart.export_csv(tmp_path / "a.csv")
    assert "completion,6.0,t2" in (tmp_path / "a.csv").read_text("utf-8")
    chart.export_png(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_points_have_percentiles_and_survive_nothing_and_nan(qtbot: QtBot, theme: Theme) -> None:
    chart = TimeChart(theme, "Latency", "ms")
    qtbot.addWidget(chart)
    chart.set_points([])
    x = np.arange(1000.0, 1100.0)
    chart.set_points(
        [Series("first token", x, np.append(np.arange(99.0), np.nan), tuple(map(str, range(100))))]
    )
    assert chart._levels[0] == ("p50", 49.0)
    theme.apply("dark")
    theme.apply("light")


def test_the_brush_says_which_range_was_chosen(qtbot: QtBot, theme: Theme) -> None:
    brush = RangeBrush(theme)
    qtbot.addWidget(brush)
    brush.set_data(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 0.0, 10.0, 0.0)
    with qtbot.waitSignal(brush.range_changed) as caught:
        brush.region.setRegion((2, 5))
    assert caught.args == [pytest.approx(2), pytest.approx(5)]


def test_the_waterfall_speaks_its_spans(qtbot: QtBot, theme: Theme) -> None:
    chart = Waterfall(theme)
    qtbot.addWidget(chart)
    chart.set_bars([Bar("embed", 0, 12, "", 0), Bar("generate", 12, 400, "", 1)])
    chart.resize(400, chart.sizeHint().height())
    chart.grab()
    assert chart.accessibleDescription() == "embed 12 ms; generate 388 ms"
