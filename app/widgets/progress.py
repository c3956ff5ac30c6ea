"""A panel that shows how far an operation is."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar

from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import Panel, row
from app.widgets.theme import Theme
from rag.text.plurals import counted


class ProgressPanel(Panel):
    """An ingest at work: what it does, how far it is, and how to stop it."""

    cancel_requested = Signal()
    pause_requested = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title, self._detail, self._rate = label("", "section"), label("", "muted"), label("", "small")
        self._files, self._chunks = QProgressBar(), QProgressBar()
        self._files.setAccessibleName("Progress over all files")
        self._chunks.setAccessibleName("Progress over the chunks read so far")
        self._pause = button("Pause", self._toggle)
        self._paused = False
        top = row(self._title, 1, self._rate, self._pause, button("Cancel", self.cancel_requested.emit))
        self.body.addLayout(top)
        self.body.addWidget(self._files)
        self.body.addWidget(self._chunks)
        self.body.addWidget(self._detail)
        self.hide()

    def begin(self, title: str) -> None:
        self._title.setText(title)
        self._detail.setText("Waiting for the engine…")
        self._rate.clear()
        self._files.setRange(0, 0)
        self._chunks.setRange(0, 1)
        self._set_paused(False)
        self.show()

    def update_progress(self, event: Any) -> None:
        """event: rag.knowledge.rows.IngestProgress."""
        self._files.setRange(0, max(event.bytes_total, 1) // 1024 + 1)
        self._files.setValue(event.bytes_done // 1024)
        self._chunks.setRange(0, max(event.chunks_total, 1))
        self._chunks.setValue(min(event.chunks_done, max(event.chunks_total, 1)))
        name = re.split(r"[\\/]", event.file)[-1] if event.file else ""
        self._detail.setText(
            f"{event.stage.capitalize()}  {name}   ·   {event.files_done:,} of {counted(event.files_total, 'file')}"
        )
        parts = [f"{event.chunks_per_s:.0f} chunks/s"] if event.chunks_per_s else []
        if event.remaining_s is not None:
            parts.append(f"about {_duration(event.remaining_s)} left")
        self._rate.setText("   ".join(parts))

    def _toggle(self) -> None:
        self._set_paused(not self._paused)
        self.pause_requested.emit(self._paused)

    def _set_paused(self, paused: bool) -> None:
        self._paused = paused
        self._pause.setText("Resume" if paused else "Pause")
        self._pause.setAccessibleName(self._pause.text())


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
