"""The measures of the last asks against the limits of their reference period, as a table and as a control chart."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.console import Console
from app.pages.monitors.reference_dialog import ReferenceDialog
from app.widgets.buttons import button
from app.widgets.charts import ControlChart, Series
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import row
from app.widgets.theme import SPACE
from rag import operations
from rag.monitoring.rows import MEASURES, MeasureSummary, ReferenceRow, Scope, find_reference
from rag.text.plurals import counted

_SPLITTER = "monitors/measures"
_ALL_ROWS = 376  # pixels


def _reference(summary: MeasureSummary) -> str:
    if not summary.reference_count:
        return "–"
    return f"{MEASURES[summary.key].shown(summary.reference)}, n {summary.reference_count:,}"


def _colour(summary: MeasureSummary) -> str | None:
    if summary.outside:
        return "bad"
    return "good" if summary.sentence.startswith("within") else "text_muted"


_KINDS = {
    "rate": "Share of the asks that have it, with its 95 % interval (Wilson). Its limits are those a window goes beyond in "
    "0.3 % of cases or fewer when nothing changed: beta-binomial, since the reference rate is an estimate, too.",
    "value": "Median of the asks. Its limits are order statistics of the reference period, good for any distribution: a "
    "window goes beyond them in 0.3 % of cases or fewer when nothing changed.",
}
MEASURE_COLUMNS = (
    Column("Measure", lambda s: MEASURES[s.key].title, 170, tooltip=lambda s: _KINDS[MEASURES[s.key].kind]),
    Column("Value", lambda s: MEASURES[s.key].shown(s.value), 104, right=True, sort=lambda s: s.value,
           colour=lambda s: "bad" if s.outside else None),
    Column("n", lambda s: f"{s.count:,}", 46, right=True, sort=lambda s: s.count,
           tooltip=lambda s: "Asks of the window that have the measure"),
    Column("95 % interval", lambda s: MEASURES[s.key].between(*s.interval) if s.interval else "–", 118, right=True,
           tooltip=lambda s: "Where the rate lies, given so many asks (Wilson)"),
    Column("Control limits", lambda s: MEASURES[s.key].between(s.low, s.high), 150, right=True,
           tooltip=lambda s: _KINDS[MEASURES[s.key].kind]),
    Column("Reference", _reference, 156, right=True, sort=lambda s: s.reference),
    Column("How it stands", lambda s: s.sentence, 200, stretch=True, colour=_colour, tooltip=lambda s: s.sentence),
)  # fmt: skip


class MeasurePanel(QWidget):
    """Shows the scope and window that the page has chosen."""

    reference_changed = Signal()
    asks_requested = Signal(object, str)  # (from, to) in Unix milliseconds, collection

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._scope = Scope()
        self._asked: tuple[Scope, int] | None = None
        self.reference = label("", wrap=True)
        self.choose_button = button(
            "Choose the reference…",
            self.choose_reference,
            tip="The time that limits and drift tests compare with",
        )
        self.clear_button = button("Remove it", self.clear_reference)
        self.table = RecordTable(MEASURE_COLUMNS, console.theme, "measures", "Reading the measures…")
        self.chart = ControlChart(console.theme, "Control chart")
        self.chart.setToolTip("Click a window to list its asks")
        self.chart.point_clicked.connect(self._open_window)
        self.caption = label("", "section")
        self.table.record_selected.connect(self._draw)
        chart = QWidget()
        column = QVBoxLayout(chart)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(self.caption)
        column.addWidget(self.chart, 1)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(chart)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([_ALL_ROWS, _ALL_ROWS])
        state = QSettings().value(_SPLITTER)
        if state is not None:
            self.splitter.restoreState(state)
        self.splitter.splitterMoved.connect(
            lambda *_: QSettings().setValue(_SPLITTER, self.splitter.saveState())
        )
        head = row(self.reference, self.choose_button, self.clear_button)
        head.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addLayout(head)
        layout.addWidget(self.splitter, 1)

    def show_scope(self, scope: Scope, window: int) -> None:
        """Measure the newest asks of this scope."""
        self._scope = scope
        self._show_reference()
        asked = self._asked = (scope, window)
        self._console.run(
            operations.measure_summaries,
            lambda found: asked == self._asked and self._show(found),
            scope=scope,
            window=window,
        )

    def choose_reference(self) -> ReferenceDialog:
        dialog = ReferenceDialog(self._console, self._scope.collection, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(self.reference_changed)
        dialog.open()
        return dialog

    def clear_reference(self) -> None:
        known = self._known_reference()
        if known is not None:
            self._console.run(
                operations.clear_reference,
                lambda _result: self.reference_changed.emit(),
                collection=known.collection,
            )

    def _known_reference(self) -> ReferenceRow | None:
        return find_reference(self._console.database, self._scope.collection)

    def _show_reference(self) -> None:
        known = self._known_reference()
        self.clear_button.setVisible(known is not None)
        if known is None:
            self.reference.setText(
                "No reference period is chosen, so there are no limits: choose a time in which all was well."
            )
            return
        whose = f"of {known.collection}" if known.collection else "of all collections"
        note = f"   ·   {known.note}" if known.note else ""
        self.reference.setText(f"Reference {whose}: {known.sentence()}{note}")

    def _show(self, found: list[MeasureSummary]) -> None:
        chosen = self.table.selected_records()
        key = chosen[0].key if chosen else ""
        self.table.set_records(found, keep_sort=True)
        summary = next((s for s in found if s.key == key), found[0])
        if not self.table.choose(lambda s: s.key == summary.key):
            return
        self._draw(summary)

    def _draw(self, summary: MeasureSummary) -> None:
        measure, points = MEASURES[summary.key], summary.points
        known = self._known_reference()
        outside = sum(point.outside for point in points)
        window = self._asked[1] if self._asked else 0
        beyond = f", {outside} of them beyond the limits" if known else ""
        unit = f" ({measure.unit})" if measure.unit else ""
        self.caption.setText(
            f"{measure.title}{unit}: {counted(len(points), 'window')} of {window} asks{beyond}"
        )

        def values(of: str) -> np.ndarray:
            found = [getattr(point, of) for point in points]
            return np.array([np.nan if v is None else v * measure.scale for v in found], dtype=float)

        self.chart.set_windows(
            Series(
                measure.title,
                np.array([p.end_ms / 1000 for p in points], dtype=float),
                values("value"),
                tuple(f"{p.start_ms} {p.end_ms}" for p in points),
            ),
            values("low"),
            values("high"),
            np.array([p.outside for p in points], dtype=bool),
            measure.unit,
            measure.kind == "rate",
            (known.start_ms / 1000, known.end_ms / 1000) if known else None,
        )

    def _open_window(self, window: str) -> None:
        start, end = map(int, window.split())
        self.asks_requested.emit((start, end), self._scope.collection)
