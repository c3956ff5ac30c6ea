"""Says of an answer that question and passages have left this computer, and to whom."""

from __future__ import annotations

from app.widgets.labels import StatusPill, set_tip
from app.widgets.theme import Theme
from rag.asking.rows import TraceDetail

_LONGEST = 32  # characters of a host that are shown


class BorderPill(StatusPill):
    """A badge that is hidden while everything stays on this computer."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.hide()

    def show_trace(self, trace: TraceDetail) -> None:
        """Show where a question was sent."""
        if trace.sent_to:
            is_long = len(trace.sent_to) > _LONGEST
            host = f"{trace.sent_to[: _LONGEST - 1]}…" if is_long else trace.sent_to
            self.set_status(f"Sent to {host}", "check")
            set_tip(self, f"The question and its passages left this computer, for “{trace.endpoint}”.")
        self.setVisible(bool(trace.sent_to))
