"""Monitors: measures of every question with limits, drift, disagreements, regression questions and alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QSettings, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.engine.client import Task
from app.pages.monitors.alert_panel import AlertPanel
from app.pages.monitors.drift_panel import DisagreementPanel, DriftPanel
from app.pages.monitors.measure_panel import MeasurePanel
from app.pages.monitors.regression_panel import RegressionPanel
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import EmptyState, Flow, Panel, refill
from app.widgets.theme import SPACE
from rag.asking.applications.rows import application_choices
from rag.asking.rows import TraceFilter, count_traces, list_trace_models
from rag.knowledge.rows import list_collections
from rag.monitoring.rows import Scope, list_asked_prompts
from rag.operations import Operation

R = TypeVar("R")

_WINDOWS = (20, 50, 100, 200)
_WINDOW, _TAB = "monitors/window", "monitors/tab"


class MonitorsPage(QWidget):
    """A page with filters above, and one tab for each kind of monitor below."""

    trace_requested = Signal(str)
    traces_requested = Signal(object, str)  # (from, to) in Unix milliseconds, collection
    ask_requested = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self.collection_box, self.model_box, self.prompt_box = QComboBox(), QComboBox(), QComboBox()
        self.window_box = QComboBox()
        self.strip = TaskStrip()
        self.measures = MeasurePanel(console)
        self.drift = DriftPanel(console, self.run)
        self.disagreements = DisagreementPanel(console, self.run)
        self.regression = RegressionPanel(console, self.run)
        self.alerts = AlertPanel(console, self.run)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for panel, title in (
            (self.measures, "Measures"),
            (self.drift, "Drift"),
            (self.disagreements, "Disagreements"),
            (self.regression, "Regression questions"),
            (self.alerts, "Alerts"),
        ):
            self.tabs.addTab(panel, title)
        self.tabs.setCurrentIndex(int(QSettings().value(_TAB) or 0))
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                console.theme,
                "monitors",
                "Nothing to watch yet",
                "Every question is measured: flags, refusals, scores, latency, tokens. "
                "Choose a reference period later, and be told when something changes.",
                button("Ask a question", self.ask_requested.emit, primary=True),
            )
        )
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)
        # A burst of changes (an ingest, an evaluation) is measured once.
        self._soon = QTimer(self, singleShot=True, interval=200)
        self._soon.timeout.connect(self._refresh_if_visible)
        self._connect()
        self._fill_filters()

    @property
    def scope(self) -> Scope:
        """Which questions the page is about now."""
        return Scope(
            self.collection_box.currentData() or "",
            self.model_box.currentData() or "",
            self.prompt_box.currentData() or "",
        )

    def showEvent(self, event: QShowEvent) -> None:
        """Read everything again that changed while the page was out of sight."""
        super().showEvent(event)
        self._soon.start()

    def refresh(self) -> None:
        """Read again what is in view."""
        self._fill_filters()
        self._stack.setCurrentIndex(1 if count_traces(self._console.database, TraceFilter()) else 0)
        self._show_filters()
        scope = self.scope
        self.drift.show_scope(scope)
        self.disagreements.show_scope(scope)
        self.alerts.refresh()
        current = self.tabs.currentWidget()
        if current is self.measures:
            self.measures.show_scope(scope, int(self.window_box.currentData()))
        elif current is self.regression:
            self.regression.show_collection(scope.collection)

    def show_alerts(self) -> None:
        """Bring the alert rules into view."""
        self.tabs.setCurrentWidget(self.alerts)

    def run(
        self, operation: Operation[R], done: Callable[[R], Any] | None = None, **arguments: Any
    ) -> Task | None:
        """Start a task that is followed at the top of the page; one at a time."""
        if self.strip.is_busy:
            self._console.notice.emit("Another task is running. Wait for it, or cancel it.", "info")
            return None
        task = self._console.run(operation, done, **arguments)
        self.strip.follow(task)
        return task

    def _make_content(self) -> QWidget:
        for box, name in (
            (self.collection_box, "Collection"),
            (self.model_box, "Model"),
            (self.prompt_box, "Prompt version"),
            (self.window_box, "Window"),
        ):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        kept = self.collection_box.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # the tabs stay where they are
        self.collection_box.setSizePolicy(kept)
        for window in _WINDOWS:
            self.window_box.addItem(f"Last {window} questions", window)
        self.window_box.setToolTip("How many questions each figure summarises")
        chosen = int(QSettings().value(_WINDOW) or 50)
        self.window_box.setCurrentIndex(max(self.window_box.findData(chosen), 0))
        panel = Panel()
        panel.body.addLayout(
            Flow(
                label("Monitors", "title"),
                self.collection_box,
                self.model_box,
                self.prompt_box,
                self.window_box,
            )
        )
        panel.body.addWidget(self.tabs, 1)
        return panel

    def _connect(self) -> None:
        for box in (self.collection_box, self.model_box, self.prompt_box, self.window_box):
            box.currentIndexChanged.connect(lambda _i: self._filter_changed())
        self.tabs.currentChanged.connect(self._tab_changed)
        self.measures.reference_changed.connect(self._changed)
        self.measures.traces_requested.connect(self.traces_requested)
        self.alerts.changed.connect(self._changed)
        self.drift.trace_requested.connect(self.trace_requested)
        self.disagreements.trace_requested.connect(self.trace_requested)
        self.regression.trace_requested.connect(self.trace_requested)
        self._console.data_changed.connect(self._soon.start)
        self._console.settings_changed.connect(self._soon.start)

    def _changed(self) -> None:
        self._console.data_changed.emit()

    def _filter_changed(self) -> None:
        QSettings().setValue(_WINDOW, self.window_box.currentData())
        self.refresh()

    def _tab_changed(self, index: int) -> None:
        QSettings().setValue(_TAB, index)
        self.refresh()

    def _show_filters(self) -> None:
        """Show the filters that the tab in view uses: rules have scopes of their own."""
        current = self.tabs.currentWidget()
        self.collection_box.setVisible(current is not self.alerts)
        for box in (self.model_box, self.prompt_box):
            box.setVisible(current not in (self.alerts, self.regression))
        self.window_box.setVisible(current is self.measures)

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _fill_filters(self) -> None:
        database = self._console.database
        for box, anything, pairs in (
            (
                self.collection_box,
                "All collections",
                [*((c.name, c.name) for c in list_collections(database)), *application_choices(database)],
            ),
            (self.model_box, "All models", [(name, name) for name in sorted(list_trace_models(database))]),
            (
                self.prompt_box,
                "All prompts",
                [(name, fingerprint) for fingerprint, name in list_asked_prompts(database)],
            ),
        ):
            refill(box, [(anything, ""), *pairs])
