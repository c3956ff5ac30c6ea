"""Measures of the last questions against limits of the reference period: a table and a control chart."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.console import Console
from app.pages.monitors.reference_dialog import ReferenceDialog
from app.widgets.buttons import Toolbar, button
from app.widgets.charts import ControlChart, Series
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column
from app.widgets.theme import SPACE
from rag import operations
from rag.monitoring.rows import MEASURES, MeasureSummary, ReferenceRow, Scope, find_reference
from rag.text.plurals import counted

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
    "rate": "Share of the questions, with its 95 % interval (Wilson). If nothing changed, a window goes "
    "beyond the limits in at most 0.3 % of cases (beta-binomial, because the reference rate is an "
    "estimate, too).",
    "value": "Median of the questions. The limits are order statistics of the reference period and hold for "
    "any distribution: if nothing changed, a window goes beyond them in at most 0.3 % of cases.",
}
MEASURE_COLUMNS = (
    Column("Measure", lambda s: MEASURES[s.key].title, 170, tooltip=lambda s: _KINDS[MEASURES[s.key].kind]),
    Column("Value", lambda s: MEASURES[s.key].shown(s.value), 104, right=True, sort=lambda s: s.value,
           colour=lambda s: "bad" if s.outside else None),
    Column("n", lambda s: f"{s.count:,}", 46, right=True, sort=lambda s: s.count,
           tooltip=lambda s: "Questions of the window that have this measure"),
    Column("95 % interval", lambda s: MEASURES[s.key].between(*s.interval) if s.interval else "–", 118,
           right=True, tooltip=lambda s: "Where the true rate lies, given this many questions (Wilson)"),
    Column("Control limits", lambda s: MEASURES[s.key].between(s.low, s.high), 150, right=True,
           tooltip=lambda s: _KINDS[MEASURES[s.key].kind]),
    Column("Reference", _reference, 156, right=True, sort=lambda s: s.reference),
    Column("Status", lambda s: s.sentence, 200, stretch=True, colour=_colour,
           tooltip=lambda s: s.sentence),
)  # fmt: skip


class MeasurePanel(QWidget):
    """A panel with the measures of the scope and window that the page has chosen."""

    reference_changed = Signal()
    traces_requested = Signal(object, str)  # (from, to) in Unix milliseconds, collection

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._scope = Scope()
        self._asked: tuple[Scope, int] | None = None
        self.reference = label("", wrap=True)
        self.choose_button = button(
            "Choose the reference period…",
            self.choose_reference,
            tip="The period that limits and drift tests compare with",
        )
        self.clear_button = button("Remove the reference period", self.clear_reference)
        self.table = RecordTable(MEASURE_COLUMNS, console.theme, "measures", "Reading the measures…")
        self.chart = ControlChart(console.theme, "Control chart")
        self.chart.setToolTip("Click a window to list its questions")
        self.chart.point_clicked.connect(self._open_window)
        self.caption = label("", "section")
        self.table.record_selected.connect(self._draw)
        self.splitter = Splitter(
            "monitors/measures",
            self.table,
            column(self.caption, (self.chart, 1), top=4),
            (_ALL_ROWS, _ALL_ROWS),
            vertical=True,
            stretch=(0, 1),
        )
        column(
            self.reference,
            Toolbar(self.choose_button, self.clear_button, 1),
            (self.splitter, 1),
            holder=self,
            top=SPACE,
        )

    def show_scope(self, scope: Scope, window: int) -> None:
        """Measure the newest questions of this scope."""
        self._scope = scope
        self._show_reference()
        asked = self._asked = (scope, window)
        self._console.run(
            operations.measure_summaries,
            lambda found: self._show(found) if asked == self._asked else None,
            scope=scope,
            window=window,
        )

    def choose_reference(self) -> ReferenceDialog:
        """Open the dialog for the reference period of the chosen collection, or of all."""
        dialog = ReferenceDialog(self._console, self._scope.collection, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(self.reference_changed)
        dialog.open()
        return dialog

    def clear_reference(self) -> None:
        """Remove the reference period in use, and with it the limits."""
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
                "No reference period is chosen, so there are no limits. Choose a time when all was well."
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
            f"{measure.title}{unit}: {counted(len(points), 'window')} of {window} questions{beyond}"
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
        self.traces_requested.emit((start, end), self._scope.collection)
