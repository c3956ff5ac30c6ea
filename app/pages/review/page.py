"""Review: answers that people judge, drafts that wait for a decision, feedback, and roll-outs."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSettings, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.pages.review.drafts_panel import DraftsPanel
from app.pages.review.queue_panel import QueuePanel
from app.pages.review.rollout_panel import RolloutPanel
from app.widgets.item_models import Column, RecordTable
from app.widgets.layout import column
from app.widgets.theme import SPACE
from rag.review.rows import FeedbackRow, list_feedback

_TAB = "review/tab"
FEEDBACK_COLUMNS = (
    Column("When", lambda f: datetime.fromtimestamp(f.created_ms / 1000).strftime("%d %b %H:%M"), 100,
           sort=lambda f: f.created_ms),
    Column("By", lambda f: f.author, 90),
    Column("", lambda f: "up" if f.is_up else "down", 64, colour=lambda f: "good" if f.is_up else "bad"),
    Column("Reason", lambda f: ": ".join(part for part in (f.reason, f.note) if part), 170,
           tooltip=lambda f: f.note),
    Column("Question", lambda f: f.question, 240, stretch=True, tooltip=lambda f: f.question),
    Column("Right answer", lambda f: " ".join(f.correction.split()), 220, tooltip=lambda f: f.correction),
    Column("Tags", lambda f: ", ".join(f.tags), 90),
    Column("Case in", lambda f: f.set_name, 90),
)  # fmt: skip


class ReviewPage(QWidget):
    """A page with four tabs; the chosen one is remembered."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self.queue, self.drafts = QueuePanel(console), DraftsPanel(console)
        self.rollouts = RolloutPanel(console)
        self.feedback = RecordTable(
            FEEDBACK_COLUMNS,
            console.theme,
            "feedback",
            "Nobody has rated an answer yet. Use the thumbs below any answer, on the Ask page or in "
            "its trace.",
        )
        self.feedback.record_activated.connect(self._open)
        self.queue.trace_requested.connect(self.trace_requested)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        holder = column(self.feedback, top=SPACE)
        for widget, title in (
            (self.queue, "Queue"),
            (self.drafts, "Drafts"),
            (holder, "Feedback"),
            (self.rollouts, "Roll-out"),
        ):
            self.tabs.addTab(widget, title)
        self.drafts.count_changed.connect(self._count_drafts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(self.tabs)
        self.tabs.setCurrentIndex(int(str(QSettings().value(_TAB) or 0)) % self.tabs.count())
        self.tabs.currentChanged.connect(self._changed)
        console.data_changed.connect(self.refresh)
        self.refresh()
        self.drafts.refresh()

    def refresh(self) -> None:
        """Show the feedback that is stored now."""
        self.feedback.set_records(list_feedback(self._console.database), keep_sort=True)

    def showEvent(self, event: QShowEvent) -> None:
        """Read again what changed while the page was out of sight."""
        super().showEvent(event)
        self.refresh()
        self.queue.refresh()
        self.tabs.currentWidget().setFocus()

    def show_rollout(self, rollout_id: int) -> None:
        """Show the results of a roll-out; 0 is the newest."""
        self.tabs.setCurrentWidget(self.rollouts)
        if rollout_id:
            self.rollouts.choose(rollout_id)

    def _changed(self, index: int) -> None:
        QSettings().setValue(_TAB, index)
        self.tabs.currentWidget().setFocus()

    def _count_drafts(self, count: int) -> None:
        self.tabs.setTabText(self.tabs.indexOf(self.drafts), f"Drafts ({count})" if count else "Drafts")

    def _open(self, row: FeedbackRow) -> None:
        self.trace_requested.emit(row.trace_id)
