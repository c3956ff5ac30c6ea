"""A drawn page: zooming, turning, and the rectangles of its passage."""

from __future__ import annotations

from types import SimpleNamespace

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from pytestqt.qtbot import QtBot

from app.widgets.page_view import PageView
from app.widgets.theme import Theme


def test_a_page_is_zoomed_with_the_wheel_and_turned_at_its_edge(qtbot: QtBot, theme: Theme) -> None:
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(320, 200)
    view.show()
    white = SimpleNamespace(rgb=b"\xff" * (60 * 90 * 3), width=60, height=90, rectangles=[(5, 5, 30, 8)])
    view.show_page(white)
    qtbot.wait(10)
    turned: list[int] = []
    view.page_wanted.connect(turned.append)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    view.verticalScrollBar().setValue(0)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert turned == [-1, 1]
    before = view._scale()
    down, control = QPoint(0, -120), Qt.KeyboardModifier.ControlModifier
    wheel = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), down, Qt.MouseButton.NoButton, control,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(wheel)
    assert view._scale() < before
    qtbot.keyClick(view, Qt.Key.Key_0, control)
    assert view._zoom == 1.0
    image = view._canvas.pixmap().toImage()
    inside = image.pixelColor(int(20 * view._scale()), int(9 * view._scale()))
    assert inside != image.pixelColor(int(50 * view._scale()), int(60 * view._scale()))


def page(
    width: int = 60, height: int = 90, rectangles: tuple[tuple[float, ...], ...] = ()
) -> SimpleNamespace:
    white = b"\xff" * (width * height * 3)
    return SimpleNamespace(rgb=white, width=width, height=height, rectangles=rectangles)


def test_an_empty_view_can_be_zoomed_and_resized(qtbot: QtBot, theme: Theme) -> None:
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(300, 200)
    view.zoom(2)
    assert view._canvas.pixmap().isNull()
    assert view.rectangle_count == 0


def test_zooming_has_bounds_and_fitting_takes_the_width(qtbot: QtBot, theme: Theme) -> None:
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(320, 200)
    view.show()
    view.show_page(page())
    for _ in range(20):
        view.zoom(1.5)
    assert view._zoom == 4.0
    for _ in range(40):
        view.zoom(0.5)
    assert view._zoom == 0.4
    view.fit_width()
    wide = view._canvas.pixmap().width() / view._canvas.pixmap().devicePixelRatio()
    assert abs(wide - view.viewport().width()) < 8
    view.resize(500, 200)
    assert view._canvas.pixmap().width() / view._canvas.pixmap().devicePixelRatio() > wide


def test_the_passage_comes_into_view(qtbot: QtBot, theme: Theme) -> None:
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(320, 200)
    view.show()
    view.show_page(page(60, 400, ((5.0, 300.0, 30.0, 8.0),)))
    qtbot.waitUntil(lambda: view.verticalScrollBar().value() > 0)
    top = 300 * view._scale() - view.verticalScrollBar().value()
    assert 0 < top < view.viewport().height()
    assert view.rectangle_count == 1


def test_the_wheel_scrolls_unless_ctrl_is_held(qtbot: QtBot, theme: Theme) -> None:
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(320, 200)
    view.show()
    view.show_page(page(60, 400))
    wheel = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    qtbot.waitUntil(lambda: view.verticalScrollBar().maximum() > 0)
    view.wheelEvent(wheel)
    assert view._zoom == 1.0
    assert view.verticalScrollBar().value() > 0
