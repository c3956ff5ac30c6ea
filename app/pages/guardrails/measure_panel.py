"""Measures a version on the user's own chunks and questions, before it goes live."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QComboBox, QWidget

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, refill, row
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.guardrails.policies.rows import MeasureProgress, MeasureReport, PolicyVersionRow, read_measurements
from rag.knowledge.rows import list_collections

RATE_COLUMNS = (
    Column("Rule", lambda r: r.rule, 170, stretch=True, tooltip=lambda r: r.rule),
    Column("Check", lambda r: r.check_name, 120),
    Column("Texts", lambda r: r.texts, 84),
    Column("Read", lambda r: f"{r.total:,}", 70, right=True, sort=lambda r: r.total),
    Column("Alarms", lambda r: f"{r.alarms:,}", 70, right=True, sort=lambda r: r.alarms),
    Column("Per 1,000 (95 %)", lambda r: r.said, 190, right=True, sort=lambda r: r.per_thousand or 0),
)
EXAMPLE_COLUMNS = (
    Column("Rule", lambda e: e[0], 130),
    Column("What", lambda e: e[1], 130),
    Column("Text", lambda e: e[2], 300, stretch=True, tooltip=lambda e: e[2]),
)


class MeasurePanel(QWidget):
    """A panel that counts how often each rule acts, with intervals, and shows examples to judge."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._version: PolicyVersionRow | None = None
        self._task: Task | None = None
        self.collection = QComboBox()
        self.collection.setAccessibleName("Collection to measure on")
        self.measure_button = button("Measure on my documents", self.measure, primary=True)
        self.stop_button = button("Stop", self.stop, tip="Nothing of a stopped measurement is stored")
        self.said = label(
            "Your documents and the questions that were asked are rarely attacks: what a rule finds in them "
            "is nearly always a false alarm. Judge the examples.", "small", wrap=True,
        )  # fmt: skip
        self.state = label("", "small", wrap=True)
        self.rates = RecordTable(
            RATE_COLUMNS, console.theme, "guard_rates", "Not measured in this window yet."
        )
        self.examples = RecordTable(EXAMPLE_COLUMNS, console.theme, "guard_examples", "No alarm.")
        column(
            row(self.collection, self.measure_button, self.stop_button, 1), self.said, self.state,
            (Splitter("guardrails/measured", self.rates, self.examples, (200, 200), vertical=True), 1),
            holder=self, top=SMALL_SPACE,
        )  # fmt: skip
        self.refresh()

    def refresh(self) -> None:
        """Read the names of the collections again."""
        names = [row.name for row in list_collections(self._console.database)]
        refill(self.collection, [(name, name) for name in names])
        self._enable()

    def show_version(self, version: PolicyVersionRow | None) -> None:
        """Say what was measured of a version before."""
        if self._version is not None and version is not None and version.id == self._version.id:
            return
        self._version = version
        self.rates.set_records([])
        self.examples.set_records([])
        found = read_measurements(self._console.database, version.id) if version else []
        self.state.setText(
            "\n".join(
                f"{datetime.fromtimestamp(when / 1000):%d %b %Y}: {rule} acted on {alarms:,} of {total:,} "
                f"{texts} of {collection}"
                for collection, rule, _, texts, total, alarms, when in found
            )
        )
        self._enable()

    def measure(self) -> None:
        """Start to measure the version shown."""
        if self._version is None:
            return
        self._task = self._console.run(
            operations.measure_policy, self._show, reference=f"{self._version.policy}@{self._version.number}",
            collection=self.collection.currentData(),
        )  # fmt: skip
        self._task.event.connect(self._tell)
        self._task.cancelled.connect(lambda: self.state.setText("The measurement was stopped."))
        self._task.ended.connect(self._end)
        self._enable()

    def stop(self) -> None:
        """Stop the measurement that runs."""
        if self._task is not None:
            self._task.cancel()

    def _tell(self, event: MeasureProgress) -> None:
        self.state.setText(f"{event.texts.capitalize()}: {event.done:,} of {event.total:,}")

    def _end(self) -> None:
        self._task = None
        self._enable()

    def _show(self, report: MeasureReport) -> None:
        self.rates.set_records(report.rates)
        self.examples.set_records(report.examples)
        self.state.setText(
            f"Version {report.number} on {report.collection}: {report.milliseconds_a_chunk:.2f} ms a chunk"
        )

    def _enable(self) -> None:
        running = "" if self._task is None else "A measurement is running."
        missing = (
            "" if self._version and self.collection.count() else "Save a version and a collection first."
        )
        allow(self.measure_button, running or missing)
        allow(self.stop_button, "" if running else "Nothing is being measured.")
