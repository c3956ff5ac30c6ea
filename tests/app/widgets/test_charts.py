"""The graphs: what they say under the mouse, what a click gives, what is written to files."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetrics, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from app.widgets.charts import Bar, ControlChart, RangeBrush, Series, TimeChart, Waterfall, _number
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
    points = ("first token", X, np.array([1.5, np.nan, -3.0]), ("t1", "t2", "t3"))
    chart.set_points([Series(*points), Series("=model", *points[1:])])
    chart.export_csv(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert lines[0] == "\ufefftime,series,value (ms),trace", "Excel knows UTF-8 by the mark"
    assert lines[1].endswith(",first token,1.5,t1")
    assert lines[6].endswith(",'=model,-3.0,t3"), "a name is never run as a formula, a number stays one"
    assert len(lines) == 7
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


def test_the_waterfall_grows_with_its_spans_and_shows_their_details(qtbot: QtBot, theme: Theme) -> None:
    chart = Waterfall(theme)
    qtbot.addWidget(chart)
    empty = chart.sizeHint().height()
    chart.grab()  # nothing to draw is no error
    chart.set_bars([Bar("embed", 0, 12, "", 0), Bar("generate", 12, 1400, "prompt 300 tokens", 1)])
    assert chart.sizeHint().height() > empty
    assert chart.minimumSizeHint().height() == chart.sizeHint().height()
    chart.resize(400, chart.sizeHint().height())
    chart.show()
    for row, text in ((0, "embed: 0.0 to 12.0 ms"), (1, "generate: 12.0 to 1,400.0 ms\nprompt 300 tokens")):
        place = QPoint(200, 3 + row * chart._row_height + chart._row_height // 2)
        QApplication.sendEvent(chart, QHelpEvent(QEvent.Type.ToolTip, place, chart.mapToGlobal(place)))
        assert QToolTip.text() == text
    below = QPoint(200, chart.height() + 50)
    QApplication.sendEvent(chart, QHelpEvent(QEvent.Type.ToolTip, below, chart.mapToGlobal(below)))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


# --- control charts ---------------------------------------------------------------------------------------

FIGURES = Series("Latency", X, np.array([100.0, 900.0, 120.0]), ("t1", "t2", "t3"))
LIMIT = np.array([500.0, 500.0, 500.0])
NONE = np.full(3, np.nan)
OUTSIDE = np.array([False, True, False])


@pytest.fixture
def control(qtbot: QtBot, theme: Theme) -> ControlChart:
    made = ControlChart(theme, "Control chart")
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.show()
    return made


def test_figures_beyond_their_limits_are_counted_and_named(control: ControlChart) -> None:
    assert control.outside_count == 0
    control.set_windows(FIGURES, NONE, LIMIT, OUTSIDE, "ms", from_zero=False)
    assert control.outside_count == 1
    assert control.title == "Latency"
    assert control.accessibleName() == "Control chart: Latency"
    assert [series.name for series in control._series] == ["Latency", "upper limit"]
    assert control.value_at(QPointF(float(X[1]), 900.0)).startswith("Latency: 900 ms")


def test_limits_that_are_missing_are_not_drawn(control: ControlChart) -> None:
    control.set_windows(FIGURES, NONE, NONE, np.zeros(3, dtype=bool), "ms", from_zero=False)
    assert [series.name for series in control._series] == ["Latency"]
    control.set_windows(FIGURES, LIMIT / 10, LIMIT, OUTSIDE, "ms", from_zero=False)
    assert [series.name for series in control._series] == ["Latency", "upper limit", "lower limit"]


def test_the_axis_begins_at_zero_where_that_is_wanted(qtbot: QtBot, control: ControlChart) -> None:
    def lowest() -> float:
        return float(control.plot.getPlotItem().vb.childrenBounds()[1][0])

    near = Series("Score", X, np.array([0.8, 0.9, 0.85]))
    control.set_windows(near, NONE, NONE, np.zeros(3, dtype=bool), "", from_zero=False)
    assert lowest() > 0.5
    control.set_windows(near, NONE, NONE, np.zeros(3, dtype=bool), "", from_zero=True)
    assert lowest() <= 0.0


def test_the_reference_period_is_shaded(control: ControlChart) -> None:
    def shades() -> int:
        return sum(isinstance(item, pg.LinearRegionItem) for item in control.plot.getPlotItem().items)

    control.set_windows(FIGURES, NONE, LIMIT, OUTSIDE, "ms", from_zero=False)
    assert shades() == 0
    control.set_windows(FIGURES, NONE, LIMIT, OUTSIDE, "ms", False, (float(X[0]), float(X[1])))
    assert shades() == 1


def test_another_figure_comes_into_view_whatever_range_was_chosen(
    qtbot: QtBot, control: ControlChart
) -> None:
    control.set_windows(FIGURES, NONE, LIMIT, OUTSIDE, "ms", from_zero=False)
    control.set_range(float(X[0]) - 9000, float(X[0]) - 8000)
    later = Series("Flags", X + 500_000, np.array([1.0, 2.0, 3.0]))
    control.set_windows(later, NONE, NONE, np.zeros(3, dtype=bool), "", from_zero=True)
    qtbot.waitUntil(lambda: view_range(control)[0] <= later.x[0] <= later.x[-1] <= view_range(control)[1])


def test_no_window_yet_is_said(control: ControlChart) -> None:
    empty = Series("Latency", np.zeros(0), np.zeros(0))
    control.set_windows(empty, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool), "ms", from_zero=False)
    assert control._is_empty
    assert control._empty.toPlainText() == "Not enough questions for a window yet"


# --- hovering ---------------------------------------------------------------------------------------------


def test_the_label_follows_the_mouse_and_goes_away(qtbot: QtBot, chart: TimeChart) -> None:
    chart.set_points([Series("first token", X, np.array([1.0, 2.0, 3.0]), ("a", "b", "c"))])
    chart.set_range(float(X[0]) - 50, float(X[-1]) + 50)
    qtbot.wait(30)
    view = chart.plot.getPlotItem().vb
    chart._hover(view.mapViewToScene(QPointF(float(X[1]), 2.0)))
    assert chart._label.isVisible()
    assert chart._label.toPlainText().startswith("first token: 2 ms")
    chart._hover(view.mapViewToScene(QPointF(float(X[0]) + 50, 2.9)))
    assert not chart._label.isVisible()
    chart._hover(QPointF(-100, -100))
    assert not chart._label.isVisible()


def test_a_click_beside_a_point_opens_nothing(qtbot: QtBot, chart: TimeChart) -> None:
    chart.set_points([Series("first token", X, np.array([1.0, 2.0, 3.0]))])  # without ids
    told: list[str] = []
    chart.point_clicked.connect(told.append)
    view = chart.plot.getPlotItem().vb
    for place in (QPointF(float(X[1]), 2.0), QPointF(float(X[1]) + 40, 2.9)):
        chart._click(SimpleNamespace(scenePos=lambda place=place: view.mapViewToScene(place)))
    assert told == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.1234, "0.12"),
        (3.0, "3"),
        (1234.5, "1,234"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (-0.5, "-0.50"),
    ],
)
def test_numbers_are_as_long_as_they_are_telling(value: float, shown: str) -> None:
    assert _number(value) == shown


def test_the_legend_cannot_hide_a_part_of_a_stack(chart: TimeChart) -> None:
    chart.set_bars([Series("prompt", X, np.ones(3)), Series("completion", X, np.ones(3))], 60)
    (swatch, _label), *_ = chart._legend.items
    swatch.mouseClickEvent(object())
    assert swatch.item.isVisible()


def test_every_digit_of_a_duration_has_room(qtbot: QtBot, theme: Theme) -> None:
    chart = Waterfall(theme)
    qtbot.addWidget(chart)
    long = "45,738.2 ms"
    chart.set_bars([Bar("read prompt", 0, 45_738.2, "", 0), Bar("check", 45_738.2, 45_740, "", 1)])
    chart.resize(chart.minimumSizeHint())
    chart.show()
    metrics = QFontMetrics(chart.font())
    names, values = chart.column_widths()
    assert values - 2 >= metrics.horizontalAdvance(long)
    assert names >= metrics.horizontalAdvance("read prompt")
    short = Waterfall(theme)
    qtbot.addWidget(short)
    short.set_bars([Bar("check", 0, 5, "", 0)])
    assert short.column_widths()[1] < values


def test_the_axis_writes_figures_out_and_takes_the_room_that_they_need(qtbot: QtBot, theme: Theme) -> None:
    chart = TimeChart(theme, "Time", "ms")
    qtbot.addWidget(chart)
    chart.resize(400, 240)
    chart.show()
    x = np.array([1.0, 2.0, 3.0])
    widths = []
    for top in (5.0, 5_000_000.0):
        chart.set_points([Series("total", x, np.array([0.0, top / 2, top]))], percentiles=())
        chart.grab()
        QApplication.processEvents()
        axis = chart.plot.getPlotItem().getAxis("left")
        widths.append(axis.width())
    assert axis.tickStrings([0.0, 45_738.0], 1.0, 1000.0) == ["0", "45,738"]
    assert axis.tickStrings([0.5, 1.0], 1.0, 0.5) == ["0.5", "1.0"]
    assert widths[1] > QFontMetrics(chart.font()).horizontalAdvance("5,000,000") * 0.8
    assert widths[1] > widths[0]


def test_the_axis_names_its_unit(chart: TimeChart) -> None:
    chart.set_points([Series("total", X, np.array([1.0, 2.0, 3.0]))])
    axis = chart.plot.getPlotItem().getAxis("left")
    assert axis.labelText == "ms"
    assert axis.label.isVisible()


def test_an_axis_never_scales_its_figures_by_a_prefix(qtbot: QtBot, theme: Theme) -> None:
    chart = TimeChart(theme, "Cost", "EUR")
    qtbot.addWidget(chart)
    chart.set_bars([Series("reading", np.array([1000.0]), np.array([0.00001]))], 60.0)
    axis = chart.plot.getAxis("left")
    axis.setRange(0.0, 0.00001)
    chart._draw()  # as after a change of the theme
    assert axis.autoSIPrefixScale == 1.0
    assert not axis.autoSIPrefix
