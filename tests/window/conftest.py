"""The real window with its real engine process, once for all tests of the walk through it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.application import make_application, make_window
from app.main_window import MainWindow
from rag.settings import Settings


@pytest.fixture(scope="module")
def make_real_window(qapp: QApplication) -> Iterator[Callable[[Path], MainWindow]]:
    """Makes the window on a data folder, as the program does."""
    made: list[MainWindow] = []

    def make(folder: Path, theme: str = "light") -> MainWindow:
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings().changed("appearance", "theme", theme)
        settings.save(folder / "settings.toml")
        window = make_window(make_application(folder), folder)
        window.resize(1280, 800)
        window.show()
        made.append(window)
        return window

    yield make
    for window in made:
        window.close()
