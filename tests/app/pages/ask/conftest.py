"""The page Ask with the collection “Notes”, and a model whose answers a test may hold back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import GatedModel
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.page import AskPage

Send = Callable[[AskPage, str], None]


@pytest.fixture
def model() -> Iterator[GatedModel]:
    made = GatedModel("Rye bread needs sourdough and 14 hours of rest [1].")
    yield made
    made.gate.set()  # a test that failed must not hold up the engine's end


@pytest.fixture
def open_page(
    qtbot: QtBot, console: Console, notes: Path, settle: Callable[[], None]
) -> Callable[[], AskPage]:
    """Make the page, as a start of the program does."""

    def make() -> AskPage:
        made = AskPage(console)
        qtbot.addWidget(made)
        made.resize(1600, 800)
        made.show()
        settle()
        return made

    return make


@pytest.fixture
def page(open_page: Callable[[], AskPage]) -> AskPage:
    return open_page()


@pytest.fixture
def send(qtbot: QtBot, console: Console) -> Send:
    """Type a question, press Enter, and wait until nothing is running or queued."""

    def do(page: AskPage, question: str) -> None:
        qtbot.keyClicks(page.question, question)
        qtbot.keyClick(page.question, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: page._task is None and not console.engine.tasks, timeout=60_000)

    return do
