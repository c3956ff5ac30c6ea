"""Evaluation: sets of questions, pipelines, runs, and whether a change made it better."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.pages.evaluation.pipelines_panel import PipelinesPanel
from app.pages.evaluation.runs_panel import RunsPanel
from app.pages.evaluation.savings_panel import SavingsPanel
from app.pages.evaluation.sets_panel import SetsPanel
from app.widgets.theme import SPACE


class EvaluationPage(QWidget):
    """A page with tabs; the one that was open is open again."""

    trace_requested = Signal(str)
    report_wanted = Signal(str)  # name of the pipeline that an evidence report is to be about

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self.runs, self.sets, self.pipelines = RunsPanel(console), SetsPanel(console), PipelinesPanel(console)
        self.runs.trace_requested.connect(self.trace_requested)
        self.pipelines.report_wanted.connect(self.report_wanted)
        self.savings = SavingsPanel(console)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for title, panel in (("Runs", self.runs), ("Sets", self.sets), ("Pipelines", self.pipelines)):
            self.tabs.addTab(panel, title)
        self.tabs.addTab(self.savings, "Savings")
        self.tabs.setCurrentIndex(int(str(QSettings().value("evaluation/tab", 0))))
        self.tabs.currentChanged.connect(lambda index: QSettings().setValue("evaluation/tab", index))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(self.tabs)
