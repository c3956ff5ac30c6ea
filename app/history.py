"""Where a person was before, for the ways back and forward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWindow

from rag.finding.rows import Place

_MOST = 100  # visits that are remembered


@dataclass(frozen=True)
class Visit:
    """A place that was looked at, and what the window was called then."""

    place: Place
    title: str


class History(QObject):
    """The visits before and after the present one, as in a web browser."""

    changed = Signal()

    def __init__(self) -> None:
        """Begin without a past."""
        super().__init__()
        self._past: list[Visit] = []
        self._future: list[Visit] = []

    @property
    def back_title(self) -> str:
        """Where the way back leads; empty if it leads nowhere."""
        return self._past[-1].title if self._past else ""

    @property
    def forward_title(self) -> str:
        """Where the way forward leads; empty if it leads nowhere."""
        return self._future[-1].title if self._future else ""

    def leave(self, visit: Visit) -> None:
        """Remember a place that is left for another one; the way forward is gone with that."""
        if not self._past or self._past[-1].place != visit.place:
            self._past.append(visit)
        del self._past[:-_MOST]
        self._future.clear()
        self.changed.emit()

    def go_back(self, here: Visit) -> Place | None:
        """Return the place before the one that is left now; None: there is none."""
        return self._go(self._past, self._future, here)

    def go_forward(self, here: Visit) -> Place | None:
        """Return the place from which somebody went back to the one that is left now; None: there is none."""
        return self._go(self._future, self._past, here)

    def _go(self, source: list[Visit], other: list[Visit], here: Visit) -> Place | None:
        while source and source[-1].place == here.place:
            source.pop()  # a visit to what is in view leads nowhere
        if not source:
            self.changed.emit()
            return None
        other.append(here)
        place = source.pop().place
        self.changed.emit()
        return place


class MouseButtons(QObject):
    """A filter that takes the mouse's buttons for back and forward, wherever in a window they are pressed.

    It filters the window and not the application, through which far more events go.
    """

    def __init__(self, window: QWindow, back: Callable[[], object], forward: Callable[[], object]) -> None:
        """Call these when the buttons are pressed in a window, which owns the filter."""
        super().__init__(window)
        self._actions = {Qt.MouseButton.BackButton: back, Qt.MouseButton.ForwardButton: forward}
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Act when one of the two is pressed; no widget gets it, whose row it would select."""
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            assert isinstance(event, QMouseEvent)
            action = self._actions.get(event.button())
            if action is not None:
                action()
                return True
        return False
