"""Notices that float over a page: they push nothing, wait while they are read, and belong to their page."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.widgets.buttons import IconButton, button
from app.widgets.labels import label
from app.widgets.layout import on_escape, row
from app.widgets.theme import SMALL_SPACE, SPACE, Theme, scaled

_NOTICE_MS = 9000  # how long a notice stays that asks for nothing
_OFFER_MS = 20_000  # how long one stays that offers something
_MOST_SHOWN = 3
_WIDTH = 420


class Notice(StrEnum):
    """A kind of notice, which decides its colour and whether it goes away by itself."""

    INFO = "info"  # something was done; gone after a while
    CHECK = "check"  # something to look at; stays until it is closed
    BAD = "bad"  # something was refused or failed; stays until it is closed


class Toast(QFrame):
    """One notice: a sentence, what can be done about it, and a cross."""

    closed = Signal()

    def __init__(self, theme: Theme, page: str, topic: str, parent: QWidget) -> None:
        """Make an empty toast.

        Args:
            theme: The colours.
            page: The key of the page that it belongs to; empty: it is shown on every page.
            topic: What it is about: the next one on the same topic takes its place. May be empty.
            parent: What it floats over.
        """
        super().__init__(parent)
        self.setObjectName("toast")
        self.page, self.topic, self.text, self.kind = page, topic, "", Notice.INFO
        self._run: Callable[[], Any] | None = None
        self._sentence = label("", wrap=True)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action = button("", self._act, link=True)
        self.cross = IconButton(theme, "cancel", "Close this notice", self.close_now)
        self.timer = QTimer(self, singleShot=True)
        self.timer.timeout.connect(self.close_now)
        layout = row((self._sentence, 1), self.action, self.cross)
        layout.setContentsMargins(SPACE, SMALL_SPACE, SMALL_SPACE, SMALL_SPACE)
        layout.setAlignment(self.cross, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)
        on_escape(self, self.close_now)

    def say(self, text: str, kind: str, action: str, run: Callable[[], Any] | None) -> None:
        """Show a sentence, and a link that does something where `run` is given."""
        self.text, self.kind = text, Notice(kind)
        self._sentence.setText(text)
        self._run = run
        self.action.setText(action)
        self.action.setAccessibleName(action)
        self.action.setVisible(run is not None)
        self.setProperty("kind", str(self.kind))
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self._wait()

    @property
    def run(self) -> Callable[[], Any] | None:
        """What its link does."""
        return self._run

    def close_now(self) -> None:
        """Go away."""
        self.timer.stop()
        self.closed.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer rests on it."""
        self.timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Count its time anew."""
        self._wait()
        super().leaveEvent(event)

    def _wait(self) -> None:
        self.timer.stop()
        if self.kind == Notice.INFO:
            self.timer.start(_NOTICE_MS if self._run is None else _OFFER_MS)

    def _act(self) -> None:
        run = self._run
        self.close_now()
        if run is not None:
            run()


class Toasts(QWidget):
    """The notices at the lower right of what they float over, the newest at the bottom.

    A notice belongs to the page that was shown when it came. On another page it is not seen: what was only
    said is over, what was refused or failed is there again when the page is.
    """

    def __init__(self, theme: Theme, over: QWidget) -> None:
        """Float over a widget, with no notice yet."""
        super().__init__(over)
        self._theme, self._over = theme, over
        self._page = ""
        self._last = ""
        self._shown: list[Toast] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(SMALL_SPACE)
        over.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """The sentence that came last, whether it is still shown or not."""
        return self._last

    @property
    def seen(self) -> list[Toast]:
        """The notices that are in sight, the newest last."""
        return [toast for toast in self._shown if not toast.isHidden()]

    def show_notice(
        self,
        text: str,
        kind: str = Notice.INFO,
        action: str = "",
        run: Callable[[], Any] | None = None,
        *,
        topic: str = "",
        everywhere: bool = False,
    ) -> None:
        """Show a notice below those that are there.

        Args:
            text: The sentence.
            kind: A Notice.
            action: What the link beside it says, such as "Undo".
            run: What the link does.
            topic: What it is about. One on the same topic is replaced, and what its link did stays if it
                says the same: Undo then goes back to before the first of several changes.
            everywhere: Whether it belongs to every page.
        """
        self._last = text
        page = "" if everywhere else self._page
        same = next((t for t in self._shown if (topic and t.topic == topic) or t.text == text), None)
        if same is not None:
            if same.topic and same.action.text() == action:
                run = same.run
            self._shown.remove(same)
            self._shown.append(same)
            self._layout.removeWidget(same)
            same.page = page
        else:
            same = Toast(self._theme, page, topic, self)
            same.closed.connect(lambda toast=same: self._remove(toast))
            self._shown.append(same)
        self._layout.addWidget(same)
        same.say(text, kind, action, run)
        for old in [t for t in self._shown if t.kind == Notice.INFO and t.page in ("", page)][:-_MOST_SHOWN]:
            self._remove(old)
        self._show_own()

    def set_page(self, page: str) -> None:
        """Show the notices of this page: another one is in sight."""
        if page == self._page:
            return
        if self._page:
            for toast in [t for t in self._shown if t.page and t.page != page and t.kind == Notice.INFO]:
                self._remove(toast)
        self._page = page
        self._show_own()

    def clear(self) -> None:
        """Close every notice."""
        for toast in list(self._shown):
            self._remove(toast)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay at the lower right corner."""
        if watched is self._over and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place()
        return super().eventFilter(watched, event)

    def _remove(self, toast: Toast) -> None:
        if toast in self._shown:
            self._shown.remove(toast)
            self._layout.removeWidget(toast)
            toast.timer.stop()
            toast.hide()  # it lives until the event loop is idle
            toast.deleteLater()
            self._place()

    def _show_own(self) -> None:
        for toast in self._shown:
            toast.setVisible(toast.page in ("", self._page))
        self._place()

    def _place(self) -> None:
        seen = self.seen
        self.setVisible(bool(seen))
        if not seen:
            return
        self._layout.activate()
        room = self._over.rect().adjusted(SPACE, SPACE, -SPACE, -SPACE)
        width = min(scaled(_WIDTH), room.width())
        height = min(self._layout.heightForWidth(width), room.height())
        self.setGeometry(room.right() + 1 - width, room.bottom() + 1 - height, width, height)
        self.raise_()
