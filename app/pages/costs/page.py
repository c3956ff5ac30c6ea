"""Costs: what answers cost over time, by what, which were the dearest, and what they would cost elsewhere."""

from __future__ import annotations

import calendar
import time
from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.costs.budget_panel import BudgetPanel
from app.pages.costs.cache_panel import CachePanel
from app.shared.chart_export import save_chart
from app.shared.time_buckets import buckets, sums, zone_text
from app.widgets.buttons import button
from app.widgets.charts import Series, TimeChart
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import Card, label
from app.widgets.layout import EmptyState, Flow, Panel, refill, scrolled
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.asking.rows import read_questions
from rag.costs.budgets.rows import BudgetUse
from rag.costs.rows import (
    CostFilter,
    CostPoint,
    CostSum,
    Forecast,
    GroupBy,
    count_accepted,
    forecast_month,
    has_costs,
    list_cost_points,
    money,
    sum_costs,
    total_cost,
)
from rag.text.plurals import counted

_DAY_S = 86_400
_PERIODS = (("Last 7 days", 7), ("Last 30 days", 30), ("Last 90 days", 90), ("Last year", 365))
_STACKED = (
    GroupBy.LAYER, GroupBy.MODEL, GroupBy.COLLECTION, GroupBy.PROMPT, GroupBy.PIPELINE, GroupBy.SOURCE
)  # fmt: skip
_DEAREST = 10
_MOST_STACKS = 8  # the others are one
_OTHERS = "others"


def _known(row: CostSum) -> float:
    return max(row.amounts.values(), default=0.0)


SUM_COLUMNS = (
    Column("Of", lambda r: r.key or "–", 200, stretch=True),
    Column("Cost", lambda r: r.sentence(), 170, sort=_known),
    Column("Answers", lambda r: f"{r.answers:,}", 80, right=True, sort=lambda r: r.answers),
    Column("Read", lambda r: f"{r.input_tokens:,}", 100, right=True, sort=lambda r: r.input_tokens),
    Column("Written", lambda r: f"{r.output_tokens:,}", 100, right=True, sort=lambda r: r.output_tokens),
    Column("Seconds", lambda r: f"{r.seconds:,.1f}", 80, right=True, sort=lambda r: r.seconds),
)  # fmt: skip
DEAREST_COLUMNS = (
    Column("Question", lambda r: r[1], 320, stretch=True, tooltip=lambda r: r[1]),
    Column("Cost", lambda r: r[0].sentence(), 170, sort=lambda r: _known(r[0])),
    Column("Seconds", lambda r: f"{r[0].seconds:,.1f}", 80, right=True, sort=lambda r: r[0].seconds),
)


class CostsPage(QWidget):
    """Cards of a period, a graph of bars stacked by a choice, sums, and the dearest questions."""

    trace_requested = Signal(str)
    question_wanted = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        theme = console.theme
        self.cards = {
            "total": Card("Cost", clickable=False),
            "accepted": Card("Each accepted answer", clickable=False),
            "elsewhere": Card("The same elsewhere", clickable=False),
            "month": Card("This month", clickable=False),
        }
        self.chart = TimeChart(theme, "Cost", "", empty="No known costs in this period")
        self.sums = RecordTable(SUM_COLUMNS, theme, "cost_sums", "No costs in this period.")
        self.dearest = RecordTable(
            DEAREST_COLUMNS, theme, "dearest_questions", "No questions in this period."
        )
        self.cache = CachePanel(console)
        self.cache.trace_requested.connect(self.trace_requested)
        self.budgets = BudgetPanel(console)
        self.period_box, self.group_box, self.currency_box = QComboBox(), QComboBox(), QComboBox()
        self.zone = label("", "muted")
        self._points: list[CostPoint] = []
        self._stack = QStackedWidget()
        self._stack.addWidget(self._make_empty())
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._soon = QTimer(self, singleShot=True, interval=150)
        self._soon.timeout.connect(self._record_if_visible)
        console.data_changed.connect(self._soon.start)
        self.period_box.currentIndexChanged.connect(lambda _i: self.refresh())
        self.group_box.currentIndexChanged.connect(lambda _i: self.refresh())
        self.currency_box.currentIndexChanged.connect(lambda _i: self._draw())
        self.dearest.record_activated.connect(lambda record: self.trace_requested.emit(record[0].key))
        self.chart.point_clicked.connect(self.trace_requested)

    def showEvent(self, event: QShowEvent) -> None:
        """Work out the costs of what was answered since the page was last seen."""
        super().showEvent(event)
        self._soon.start()

    def refresh(self) -> None:
        """Read the costs of the period again."""
        database, wanted = self._console.database, self._wanted()
        total = total_cost(database, wanted)
        self._stack.setCurrentIndex(1 if total.answers or has_costs(database) else 0)
        group = GroupBy(self.group_box.currentData())
        self.sums.set_records(sum_costs(database, group, wanted))
        self._read_tab()
        self._points = list_cost_points(database, group, wanted)
        refill(self.currency_box, [(one, one) for one in sorted({p.currency for p in self._points})])
        self.currency_box.setVisible(self.currency_box.count() > 1)
        self._show_cards(total, count_accepted(database, wanted))
        self._draw()

    def _read_tab(self) -> None:
        """Read what the tab shows that is open; the others are read when they are opened."""
        database, wanted, shown = self._console.database, self._wanted(), self.tabs.currentWidget()
        if shown is self.dearest:
            dearest = sum_costs(database, GroupBy.ANSWER, wanted, _DEAREST)
            questions = read_questions(database, [row.key for row in dearest])
            self.dearest.set_records([(row, questions.get(row.key, "")) for row in dearest])
        elif shown is self.cache:
            self.cache.refresh(wanted.since_ms or 0)
        elif shown is self.budgets:
            self.budgets.refresh()

    # --- making -------------------------------------------------------------------------------------------

    def _make_empty(self) -> QWidget:
        return EmptyState(
            self._console.theme, "costs", "No costs yet",
            "Ask a question: what each part of its answer cost is shown here. Local models cost the "
            "electricity of their time, at the power and price in Settings.",
            button("Ask a question", self.question_wanted.emit, primary=True),
        )  # fmt: skip

    def _make_content(self) -> QWidget:
        for text, days in _PERIODS:
            self.period_box.addItem(text, days)
        self.period_box.setCurrentIndex(1)
        for group in _STACKED:
            self.group_box.addItem(f"by {group}", group)
        for box, name in (
            (self.period_box, "Period"),
            (self.group_box, "Summed up by"),
            (self.currency_box, "Currency"),
        ):
            box.setAccessibleName(name)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(label("Costs", "title"))
        cards = QGridLayout()
        cards.setSpacing(SPACE)
        for number, card in enumerate(self.cards.values()):
            cards.addWidget(card, number // 2, number % 2)
        layout.addLayout(cards)
        panel = Panel()
        panel.body.addLayout(
            Flow(
                self.period_box, self.group_box, self.currency_box,
                button("PNG…", lambda: self._export("PNG"), tip="Save the graph as a picture"),
                button("CSV…", lambda: self._export("CSV"), tip="Save the values of the graph"), self.zone,
            )
        )  # fmt: skip
        self.chart.setMinimumHeight(210)
        self.chart.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        panel.body.addWidget(self.chart, 1)
        panel.setMinimumHeight(scaled(310))  # a Flow does not tell its height: the axis would be cut
        layout.addWidget(panel, 1)
        self.tabs = tabs = QTabWidget()
        tabs.setDocumentMode(True)
        tabs.addTab(self.sums, "Sums")
        tabs.addTab(self.dearest, f"The {_DEAREST} dearest questions")
        tabs.addTab(self.cache, "Cache")
        tabs.addTab(self.budgets, "Budgets")
        tabs.setMinimumHeight(170)
        tabs.currentChanged.connect(lambda _i: self._read_tab())
        layout.addWidget(tabs, 1)
        return scrolled(content)

    # --- reading and drawing ------------------------------------------------------------------------------

    def _record_if_visible(self) -> None:
        if self.isVisible():
            self._console.run(operations.record_costs, lambda _count: self.refresh())
            self._console.run(operations.budget_news, self._tell_budgets)

    def _tell_budgets(self, news: list[BudgetUse]) -> None:
        for use in news:
            self._console.notice.emit(
                f"The budget “{use.budget.name}” is {use.state}: {use.sentence()}.", "bad"
            )

    def _wanted(self) -> CostFilter:
        """Return the filter of whole days, today included."""
        today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        first = today - timedelta(days=int(self.period_box.currentData()) - 1)
        return CostFilter(since_ms=round(first.timestamp() * 1000))

    def _show_cards(self, total: CostSum, accepted: int) -> None:
        self.cards["total"].set_value(_short(total), f"{counted(total.answers, 'answer')}, {_doubts(total)}")
        each = (
            CostSum("", amounts={c: amount / accepted for c, amount in total.amounts.items()})
            if accepted
            else None
        )
        self.cards["accepted"].set_value(
            _short(each) if each else "–", f"{counted(accepted, 'answer')} with a thumb up or fully supported"
        )
        self.cards["month"].set_value(*self._month())
        model = self._console.settings.costs.compare_with
        if model:
            self._console.run(
                operations.cost_elsewhere,
                lambda found: self.cards["elsewhere"].set_value(_short(found), f"with {found.key}"),
                model=model,
                wanted=self._wanted(),
            )
        else:
            self.cards["elsewhere"].set_value("–", "name a model of the price tables in Settings, Costs")

    def _month(self) -> tuple[str, str]:
        """Return the cost of this month so far, and what it will have been at its end."""
        now = datetime.now()
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        month = total_cost(self._console.database, CostFilter(since_ms=round(first.timestamp() * 1000)))
        found = self._forecast(now, month)
        if found is None:
            return _short(month), "a forecast needs three days"
        low, high = money(found.low, found.currency), money(found.high, found.currency)
        return _short(month), f"about {money(found.expected, found.currency)} at its end ({low} to {high})"

    def _forecast(self, now: datetime, month: CostSum) -> Forecast | None:
        if len(month.amounts) != 1:
            return None
        ((currency, spent),) = month.amounts.items()
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = CostFilter(
            since_ms=round((today - timedelta(days=30)).timestamp() * 1000),
            until_ms=round(today.timestamp() * 1000),
        )
        known = {
            row.key: row.amounts.get(currency, 0.0)
            for row in sum_costs(self._console.database, GroupBy.DAY, wanted)
        }
        if not known:
            return None
        earliest = datetime.fromisoformat(min(known))
        days = [(earliest + timedelta(days=n)).date() for n in range((today - earliest).days)]
        left = calendar.monthrange(now.year, now.month)[1] - now.day + 1 - (now - today) / timedelta(days=1)
        return forecast_month(spent, [known.get(day.isoformat(), 0.0) for day in days], left, currency)

    def _draw(self) -> None:
        currency = str(self.currency_box.currentData() or "")
        points = [point for point in self._points if point.currency == currency]
        self.chart.set_unit(currency)
        end = time.time()
        start = max(
            end - int(self.period_box.currentData()) * _DAY_S,
            min((p.created_ms / 1000 for p in points), default=end) - _DAY_S,
        )
        self.zone.setText(zone_text(start, end))
        names = _biggest(points)
        x = np.array([p.created_ms / 1000 for p in points])
        edges, index = buckets(x, _DAY_S)
        middles = (edges[:-1] + edges[1:]) / 2
        series = [
            Series(
                name,
                middles,
                sums(index, [p.amount * (names.get(p.key, _OTHERS) == name) for p in points], len(middles)),
            )
            for name in dict.fromkeys(names.values())
        ]
        self.chart.set_bars(series if points else [], float(np.diff(edges).min()) if points else _DAY_S)
        self.chart.set_range(start, end)

    def _export(self, kind: str) -> None:
        save_chart(self, self._console, self.chart, kind, "costs")


def _short(found: CostSum) -> str:
    """Return the amounts alone: what is estimated or unknown is said beside them."""
    parts = [money(amount, currency) for currency, amount in sorted(found.amounts.items())]
    return " + ".join(parts) or ("unknown" if found.unknown_answers else "–")


def _doubts(found: CostSum) -> str:
    unknown = f"{found.unknown_answers:,} of unknown cost" if found.unknown_answers else ""
    estimated = "an estimate" if any(found.estimated.values()) else ""
    return ", ".join(part for part in (estimated, unknown) if part) or "by price tables"


def _biggest(points: list[CostPoint]) -> dict[str, str]:
    """Return the name under which each key is drawn: its own for the dearest, one for all others."""
    amounts: dict[str, float] = defaultdict(float)
    for point in points:
        amounts[point.key] += point.amount
    order = sorted(amounts, key=lambda key: (-amounts[key], key))
    most = _MOST_STACKS if len(order) <= _MOST_STACKS else _MOST_STACKS - 1
    return {key: (key or "none") if place < most else _OTHERS for place, key in enumerate(order)}
