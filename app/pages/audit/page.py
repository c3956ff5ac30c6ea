"""The page Audit: who did what, for how long data are kept, and everything that mentions a person."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.pages.audit.log_panel import LogPanel
from app.pages.audit.retention_panel import RetentionPanel
from app.pages.audit.subject_panel import SubjectPanel
from app.widgets.labels import label
from app.widgets.theme import SPACE


class AuditPage(QWidget):
    """A page with three tabs: the log, retention, people."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self.log = LogPanel(console)
        self.retention = RetentionPanel(console)
        self.subjects = SubjectPanel(console)
        self.subjects.trace_requested.connect(self.trace_requested)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.log, "Log")
        self.tabs.addTab(self.retention, "Retention")
        self.tabs.addTab(self.subjects, "People")
        self.tabs.currentChanged.connect(lambda _number: self.refresh())  # a search is a row as well
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(label("Audit", "title"))
        layout.addWidget(self.tabs, 1)
        console.data_changed.connect(self._refresh_if_visible)
        console.settings_changed.connect(self._refresh_if_visible)

    def showEvent(self, event: QShowEvent) -> None:
        """Read what was logged since the page was last seen."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Show log and retention as they are now. What was found of a person stays until the next search."""
        self.log.refresh()
        self.retention.refresh()

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()
