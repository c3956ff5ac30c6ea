"""The ways back and forward, and the mouse's buttons for them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.history import History, MouseButtons, Visit
from rag.finding.rows import Kind, Place


def visit(name: str) -> Visit:
    return Visit(Place(Kind.COLLECTION, name), name)


def test_going_back_and_forward_leads_through_the_same_places() -> None:
    history = History()
    history.leave(visit("a"))
    history.leave(visit("b"))
    assert (history.back_title, history.forward_title) == ("b", "")
    assert history.go_back(visit("c")) == visit("b").place
    assert history.go_back(visit("b")) == visit("a").place
    assert (history.back_title, history.forward_title) == ("", "b")
    assert history.go_back(visit("a")) is None
    assert history.go_forward(visit("a")) == visit("b").place
    assert history.go_forward(visit("b")) == visit("c").place
    assert history.go_forward(visit("c")) is None


def test_another_way_ends_the_way_forward() -> None:
    history = History()
    history.leave(visit("a"))
    history.go_back(visit("b"))
    history.leave(visit("a"))
    assert history.forward_title == ""
    assert history.back_title == "a"


def test_the_same_place_twice_is_one_visit_and_what_is_in_view_is_passed_over() -> None:
    history = History()
    history.leave(visit("a"))
    history.leave(visit("b"))
    history.leave(visit("b"))
    assert history.go_back(visit("b")) == visit("a").place
    assert history.go_back(visit("a")) is None


def test_only_the_last_hundred_places_are_kept() -> None:
    history = History()
    for number in range(150):
        history.leave(visit(str(number)))
    places = []
    while (place := history.go_back(visit("here" if not places else places[-1]))) is not None:
        places.append(place.key)
    assert places == [str(number) for number in range(149, 49, -1)]


def test_the_mouse_goes_back_and_forward_wherever_it_is(qtbot: QtBot) -> None:
    window, child = QWidget(), QPushButton("Press")
    layout = QVBoxLayout(window)
    layout.addWidget(child)
    qtbot.addWidget(window)
    window.show()
    done: list[str] = []
    child.clicked.connect(lambda: done.append("click"))
    MouseButtons(window.windowHandle(), lambda: done.append("back"), lambda: done.append("forward"))
    place = child.mapTo(window, QPoint(5, 5))
    for pressed in (Qt.MouseButton.BackButton, Qt.MouseButton.ForwardButton, Qt.MouseButton.LeftButton):
        QTest.mouseClick(window.windowHandle(), pressed, Qt.KeyboardModifier.NoModifier, place)
    assert done == ["back", "forward", "click"]
