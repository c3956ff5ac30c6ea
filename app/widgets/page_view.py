"""A drawn page of a document with marked rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QScrollArea

from app.widgets.labels import label
from app.widgets.theme import Theme


class PageView(QScrollArea):
    """A view of a PDF page as an image, with rectangles over the quoted passage.

    Ctrl and the wheel zoom, and Ctrl+0 fits the width. Page Up and Page Down scroll, and ask for the page
    before or after at the page's edge.
    """

    page_wanted = Signal(int)  # -1 the page before, 1 the one after

    def __init__(self, theme: Theme) -> None:
        """Make an empty view."""
        super().__init__()
        self._theme = theme
        self._image = QImage()
        self._rectangles: Sequence[tuple[float, float, float, float]] = ()
        self._zoom = 1.0
        self._canvas = label()
        self._canvas.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.setWidget(self._canvas)
        self.setWidgetResizable(True)
        self.setAccessibleName("Page of the source")
        theme.changed.connect(self._draw)

    def show_page(self, page: Any) -> None:
        """Show a page with its passage in view. page: rag.parsing.rows.RenderedPage."""
        self._image = QImage(
            page.rgb, page.width, page.height, page.width * 3, QImage.Format.Format_RGB888
        ).copy()
        self._rectangles = page.rectangles
        self._draw()
        if page.rectangles:
            top = min(rectangle[1] for rectangle in page.rectangles) * self._scale()
            QTimer.singleShot(0, lambda: self.verticalScrollBar().setValue(int(top - 60)))

    @property
    def rectangle_count(self) -> int:
        """How many rectangles mark the passage."""
        return len(self._rectangles)

    def zoom(self, factor: float) -> None:
        """Make the page larger by this factor, within bounds."""
        self._zoom = min(max(self._zoom * factor, 0.4), 4.0)
        self._draw()

    def fit_width(self) -> None:
        """Make the page as wide as the view."""
        self._zoom = 1.0
        self._draw()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom when Ctrl is held down, else scroll."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self.zoom(1.15 if event.angleDelta().y() > 0 else 1 / 1.15)
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll; at an edge ask for the page beyond it."""
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_0 and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.fit_width()
        elif event.key() == Qt.Key.Key_PageDown and bar.value() == bar.maximum():
            self.page_wanted.emit(1)
        elif event.key() == Qt.Key.Key_PageUp and bar.value() == bar.minimum():
            self.page_wanted.emit(-1)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the page anew for this width."""
        super().resizeEvent(event)
        self._draw()

    def _scale(self) -> float:
        if self._image.isNull():
            return 1.0
        return max(self.viewport().width() - 4, 100) / self._image.width() * self._zoom

    def _draw(self) -> None:
        if self._image.isNull():
            return
        scale = self._scale()
        ratio = self.devicePixelRatioF()
        picture = QPixmap.fromImage(
            self._image.scaledToWidth(
                int(self._image.width() * scale * ratio), Qt.TransformationMode.SmoothTransformation
            )
        )
        picture.setDevicePixelRatio(ratio)
        painter = QPainter(picture)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("page_mark", 90))
        for x, y, width, height in self._rectangles:
            painter.drawRect(int(x * scale), int(y * scale), int(width * scale) + 1, int(height * scale) + 1)
        painter.end()
        self._canvas.setPixmap(picture)
