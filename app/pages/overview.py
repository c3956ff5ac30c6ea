"""Overview: is it working? Figures of today, graphs of tokens, time and flags, and the last questions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.shared.chart_export import save_chart
from app.shared.time_buckets import bar_width, buckets, sums, zone_text
from app.widgets.buttons import button
from app.widgets.charts import Numbers, RangeBrush, Series, TimeChart
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import Card, StatusPill, label
from app.widgets.layout import EmptyState, Panel, refill, row, scrolled
from app.widgets.theme import SPACE, STATUS_COLOURS, VERDICT_COLOURS, Theme
from rag.asking.applications.rows import application_choices
from rag.asking.rows import TraceFigures, TraceFilter, list_traces, list_traces_between, read_overview
from rag.monitoring.rows import AlertRow, list_alerts
from rag.text.plurals import counted

_PERIODS = (
    ("Last hour", 3600),
    ("Last day", 86_400),
    ("Last 7 days", 7 * 86_400),
    ("Last 30 days", 30 * 86_400),
    ("Last year", 365 * 86_400),
)
_BUCKETS = (("per question", 0), ("per hour", 3600), ("per day", 86_400))
_RECENT = 8
_MOST_ALERTS = 3

RECENT_COLUMNS = (
    Column("Time", lambda t: datetime.fromtimestamp(t.created_ms / 1000).strftime("%d %b %H:%M"), 112),
    Column("Question", lambda t: t.question, 300, stretch=True, tooltip=lambda t: t.question),
    Column("Collection", lambda t: t.collection, 180),
    Column("Status", lambda t: t.state, 116, tooltip=lambda t: t.explained or t.error,
           colour=lambda t: "check" if t.is_suspicious else STATUS_COLOURS.get(t.status)),
    Column("Flags", lambda t: f"{t.flag_count} of {t.claim_count}" if t.claim_count else "–", 70,
           colour=lambda t: VERDICT_COLOURS.get(t.worst_verdict) if t.flag_count else "text_muted"),
)  # fmt: skip


class AlertStrip(QFrame):
    """A line with the alerts that fire, hidden when none does."""

    opened = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.setProperty("kind", "bad")
        self.pill, self.text = StatusPill(theme, "", "bad"), label("", wrap=True)
        layout = row(self.pill, self.text, button("Open the alerts", self.opened.emit, link=True))
        layout.setContentsMargins(SPACE, 5, SPACE, 5)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.hide()

    def show_alerts(self, firing: list[AlertRow]) -> None:
        """Name the first alerts, and count the others."""
        count = len(firing)
        self.pill.set_status(f"{counted(count, 'alert')}", "bad")
        listed = [f"{rule.name}: {rule.sentence}" for rule in firing[:_MOST_ALERTS]]
        more = [f"and {count - _MOST_ALERTS} more"] if count > _MOST_ALERTS else []
        self.text.setText("   ·   ".join([*listed, *more]))
        self.setAccessibleName(self.text.text())
        self.setVisible(count > 0)


class OverviewPage(QWidget):
    """Cards with figures of today, graphs of a period, and the recent questions."""

    page_requested = Signal(str)
    trace_requested = Signal(str)
    flagged_requested = Signal()
    alerts_requested = Signal()
    documents_wanted = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._points: list[TraceFigures] = []
        self._range = (0.0, 1.0)
        self.cards = {
            "collections": Card("Collections"),
            "questions": Card("Questions today"),
            "flags": Card("Flag rate today"),
            "tokens": Card("Tokens today"),
            "failures": Card("Failures today"),
        }
        theme = console.theme
        self.tokens = TimeChart(theme, "Tokens", "tokens")
        self.latency = TimeChart(theme, "Time to first token and stages", "ms")
        self.speed = TimeChart(theme, "Speed", "tokens/s")
        self.flags = TimeChart(theme, "Flag rate", "%")
        self.brush = RangeBrush(theme)
        self.recent = RecordTable(RECENT_COLUMNS, theme, "recent_questions", "No questions yet.")
        self.period_box, self.bucket_box, self.stack_box = QComboBox(), QComboBox(), QComboBox()
        self.scope_box = QComboBox()
        self.scope_box.setAccessibleName("Whose questions")
        self.alert_strip = AlertStrip(theme)
        self.zone = label("", "muted")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._connect()
        # A burst of changes (an ingest, an evaluation) is drawn once.
        self._soon = QTimer(self, singleShot=True, interval=150)
        self._soon.timeout.connect(self._refresh_if_visible)
        console.data_changed.connect(self._soon.start)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Read everything again: it was not followed while it was hidden."""
        super().showEvent(event)
        self._soon.start()

    def refresh(self) -> None:
        """Read figures, alerts, questions and graphs again."""
        database = self._console.database
        midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        refill(self.scope_box, [("Questions asked here", ""), *application_choices(database)])
        self.scope_box.setVisible(self.scope_box.count() > 1)
        figures = read_overview(database, int(midnight.timestamp() * 1000), self.scope)
        anything = figures.collection_count or figures.trace_count or self.scope_box.count() > 1
        self._stack.setCurrentIndex(1 if anything else 0)
        self.cards["collections"].set_value(
            f"{figures.collection_count:,}",
            f"{counted(figures.document_count, 'document')}, {counted(figures.chunk_count, 'chunk')}",
        )
        self.cards["questions"].set_value(
            f"{figures.question_count:,}", f"{counted(figures.trace_count, 'trace')} in all"
        )
        rate = f"{100 * figures.flag_count / figures.claim_count:.0f} %" if figures.claim_count else "–"
        self.cards["flags"].set_value(
            rate, f"{figures.flag_count:,} of {counted(figures.claim_count, 'sentence')}"
        )
        tokens = figures.prompt_tokens + figures.completion_tokens
        share = (
            f"{100 * figures.cached_tokens / figures.prompt_tokens:.0f} %" if figures.prompt_tokens else "0 %"
        )
        self.cards["tokens"].set_value(
            f"{tokens:,}", f"{figures.completion_tokens:,} answered, {share} cached"
        )
        self.cards["failures"].set_value(f"{figures.failed_count:,}", "failed or interrupted questions")
        self.alert_strip.show_alerts(list_alerts(database, firing_only=True))
        self.recent.set_records(
            list_traces(database, TraceFilter(collection=self.scope, source="person"), _RECENT)
        )
        self._load_points()

    @property
    def scope(self) -> str:
        """Whose questions the figures are of: an application's, or "" for those that were asked here."""
        return str(self.scope_box.currentData() or "")

    def charts(self) -> list[TimeChart]:
        """Return the graphs in the order of their tabs."""
        return [self.tokens, self.latency, self.speed, self.flags]

    # --- making -------------------------------------------------------------------------------------------

    def _make_empty(self) -> QWidget:
        return EmptyState(
            self._console.theme, "overview", "Nothing to show yet",
            "Drop files or folders anywhere in this window, then ask about them.",
            button("Add documents…", self.documents_wanted.emit, primary=True),
        )  # fmt: skip

    def _make_content(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(label("Overview", "title"))
        layout.addWidget(self.alert_strip)
        cards = QGridLayout()
        cards.setSpacing(SPACE)
        for column, card in enumerate(self.cards.values()):
            cards.addWidget(card, 0, column)
        layout.addLayout(cards)
        layout.addWidget(self._make_charts(), 1)
        recent = Panel("Recent questions")
        self.recent.setFixedHeight(150)
        recent.body.addWidget(self.recent)
        layout.addWidget(recent)
        return scrolled(content)

    def _make_charts(self) -> QWidget:
        for box, name, choices in (
            (self.period_box, "Period", _PERIODS),
            (self.bucket_box, "Resolution", _BUCKETS),
            (
                self.stack_box,
                "Stacked by",
                (("by kind of token", "kind"), ("by model", "model"), ("by collection", "collection")),
            ),
        ):
            box.setAccessibleName(name)
            for text, value in choices:
                box.addItem(text, value)
        self.period_box.setCurrentIndex(1)
        panel = Panel()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.setMinimumHeight(240)
        self.tabs.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        for chart, title in zip(self.charts(), ("Tokens", "Latency", "Speed", "Flags"), strict=True):
            chart.setMinimumHeight(210)
            chart.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
            self.tabs.addTab(chart, title)
        exports = (
            button("PNG…", lambda: self._export("PNG"), tip="Save the graph as a picture"),
            button("CSV…", lambda: self._export("CSV"), tip="Save the values of the graph"),
        )
        panel.body.addLayout(
            row(
                label("Usage", "section"),
                self.zone,
                1,
                self.scope_box,
                self.period_box,
                self.bucket_box,
                self.stack_box,
                *exports,
            )
        )
        panel.body.addWidget(self.tabs, 1)
        panel.body.addWidget(self.brush)
        return panel

    def _connect(self) -> None:
        self.alert_strip.opened.connect(self.alerts_requested)
        self.cards["collections"].clicked.connect(lambda: self.page_requested.emit("collections"))
        self.cards["questions"].clicked.connect(lambda: self.page_requested.emit("traces"))
        self.cards["tokens"].clicked.connect(lambda: self.tabs.setCurrentWidget(self.tokens))
        self.cards["flags"].clicked.connect(self.flagged_requested)
        self.cards["failures"].clicked.connect(lambda: self.page_requested.emit("traces"))
        self.recent.record_activated.connect(lambda trace: self.trace_requested.emit(trace.id))
        self.period_box.currentIndexChanged.connect(lambda _i: self._load_points())
        self.scope_box.currentIndexChanged.connect(lambda _i: self.refresh())
        for box in (self.bucket_box, self.stack_box):
            box.currentIndexChanged.connect(lambda _i: self._draw())
        self.brush.range_changed.connect(self._set_range)
        for chart in self.charts():
            chart.point_clicked.connect(self.trace_requested)

    # --- drawing ------------------------------------------------------------------------------------------

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _load_points(self) -> None:
        end = time.time() + 1
        start = end - float(self.period_box.currentData())
        self._points = list_traces_between(
            self._console.database, int(start * 1000), int(end * 1000), scope=self.scope
        )
        edges = np.linspace(start, end, 97)
        counts, _ = np.histogram([p.created_ms / 1000 for p in self._points], edges)
        first = self._points[0].created_ms / 1000 if self._points else start
        shown = max(start, first - max((end - first) * 0.05, 30))  # begin where there is something to see
        self._range = (shown, end)
        self.zone.setText(zone_text(shown, end))
        self.brush.set_data((edges[:-1] + edges[1:]) / 2, counts.astype(float), start, end, shown)
        self._draw()

    def _set_range(self, start: float, end: float) -> None:
        self._range = (start, end)
        for chart in self.charts():
            chart.set_range(start, end)

    def _draw(self) -> None:
        points = self._points
        bucket = int(self.bucket_box.currentData())
        self._draw_tokens(points, bucket)
        x = np.array([p.created_ms / 1000 for p in points])
        ids = tuple(p.id for p in points)
        stages: tuple[tuple[str, Callable[[TraceFigures], float | None]], ...] = (
            ("first token", lambda p: p.first_token_ms),
            ("retrieve", lambda p: p.retrieve_ms),
            ("read", lambda p: p.read_ms),
            ("generate", lambda p: p.generate_ms),
            ("check", lambda p: p.check_ms),
        )
        stage_series = [_series(name, x, ids, [of(p) for p in points]) for name, of in stages]
        self.latency.set_points([_with_percentiles(series) for series in stage_series], percentiles=())
        self.speed.set_points([_series("tokens/s", x, ids, [p.tokens_per_s for p in points])])
        self._draw_flags(points, bucket)
        self._set_range(*self._range)

    def _draw_tokens(self, points: list[TraceFigures], bucket: int) -> None:
        by = self.stack_box.currentData()
        if by == "kind":
            groups = {
                "prompt": [p.prompt_tokens - p.cached_tokens for p in points],
                "cached": [p.cached_tokens for p in points],
                "completion": [p.completion_tokens for p in points],
            }
        else:
            names = sorted({getattr(p, by) or "none" for p in points})
            groups = {
                name: [
                    (p.prompt_tokens + p.completion_tokens) * ((getattr(p, by) or "none") == name)
                    for p in points
                ]
                for name in names
            }
        x = np.array([p.created_ms / 1000 for p in points])
        if not bucket:
            width = bar_width(x, self._range[1] - self._range[0])
            ids = tuple(p.id for p in points)
            self.tokens.set_bars(
                [Series(n, x, np.array(v, dtype=float), ids) for n, v in groups.items()] if points else [],
                width,
            )
            return
        edges, index = buckets(x, bucket)
        middles = (edges[:-1] + edges[1:]) / 2
        series = [Series(name, middles, sums(index, values, len(middles))) for name, values in groups.items()]
        # The narrowest: a day has 23 hours when the clocks go forward.
        self.tokens.set_bars(series if points else [], float(np.diff(edges).min()) if points else bucket)

    def _draw_flags(self, points: list[TraceFigures], bucket: int) -> None:
        checked = [p for p in points if p.claim_count]
        x = np.array([p.created_ms / 1000 for p in checked])
        if not bucket or not checked:
            ids = tuple(p.id for p in checked)
            self.flags.set_points(
                [_series("flagged sentences", x, ids, [100 * p.flag_count / p.claim_count for p in checked])]
            )
            return
        edges, index = buckets(x, bucket)
        middles = (edges[:-1] + edges[1:]) / 2
        flags = sums(index, [p.flag_count for p in checked], len(middles))
        claims = sums(index, [p.claim_count for p in checked], len(middles))
        used = claims > 0
        self.flags.set_points([Series("flagged sentences", middles[used], 100 * flags[used] / claims[used])])

    def _export(self, kind: str) -> None:
        chart = self.tabs.currentWidget()
        assert isinstance(chart, TimeChart)
        save_chart(self, self._console, chart, kind, chart.title.lower().replace(" ", "-"))


def _series(name: str, x: Numbers, ids: tuple[str, ...], values: list[float | None]) -> Series:
    """Return a series of the questions that have the value."""
    known = np.array([value is not None for value in values], dtype=bool)
    y = np.array([value for value in values if value is not None], dtype=float)
    return Series(name, x[known] if len(x) else x, y, tuple(i for i, k in zip(ids, known, strict=True) if k))


def _with_percentiles(series: Series) -> Series:
    """Return the series with its p50 and p95 in the name: one level over all stages would mean nothing."""
    if not len(series.y):
        return series
    middle, high = np.percentile(series.y, [50, 95])
    return replace(series, name=f"{series.name}   p50 {middle:,.0f}  p95 {high:,.0f}")
