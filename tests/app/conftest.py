"""Pages and panels driven without a process and without models: an engine on a thread, a fake embedder and model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import engine_functions as functions
import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel
from in_process import InProcessEngine
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console import Console
from app.main_window import MainWindow
from app.widgets.theme import Theme
from rag.storage.database import Database
from rag.workspace import Workspace

_MOST_MS = 60_000  # for a machine that does other things as well


@pytest.fixture(scope="session")
def one_theme(qapp: QApplication) -> Theme:
    """The theme of all tests: a style sheet that is set anew styles every widget that was ever made."""
    return Theme(qapp, "light")


@pytest.fixture
def theme(one_theme: Theme) -> Theme:
    """The theme, in light colours and at the usual size at the beginning."""
    one_theme.apply("light")
    one_theme.resize(100, "comfortable")
    return one_theme


@pytest.fixture
def model() -> ScriptedModel:
    """The model that answers; a test may change what it says."""
    return ScriptedModel()


@pytest.fixture
def console(qtbot: QtBot, theme: Theme, folder: Path, model: ScriptedModel) -> Iterator[Console]:
    """What every page is given, with the engine ready on an empty data folder.

    Notices and bugs are collected in console.notices as (sentence, kind).
    """
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "window"))
    engine = InProcessEngine(
        folder,
        lambda opened: Workspace(
            opened, "a test", embedder=FakeEmbedder(), load_model=model.load, reader=DirectReader()
        ),
    )
    made = Console(theme, engine, Database(folder / "ragdeck.sqlite"))
    notices: list[tuple[str, str]] = []
    made.notice.connect(lambda sentence, kind: notices.append((sentence, kind)))
    made.offer.connect(lambda offer: notices.append((offer.sentence, str(offer.kind))))
    made.bug.connect(lambda sentence, details: notices.append((sentence, f"bug: {details}")))
    made.notices = notices  # type: ignore[attr-defined]
    with qtbot.waitSignal(engine.ready, timeout=_MOST_MS):
        engine.start_process()
    yield made
    engine.stop()
    made.database.close()


@pytest.fixture
def open_workspace(console: Console) -> Workspace:
    """The workspace behind the engine, to prepare or look at what a page shows."""
    assert isinstance(console.engine, InProcessEngine)
    assert console.engine.workspace is not None
    return console.engine.workspace


@pytest.fixture
def settle(qtbot: QtBot, console: Console) -> Callable[[], None]:
    """Wait until no operation is running or queued."""

    def wait() -> None:
        qtbot.waitUntil(lambda: not console.engine.tasks, timeout=_MOST_MS)

    return wait


@pytest.fixture
def heard(qtbot: QtBot, console: Console) -> Callable[[], None]:
    """Wait until the engine has read all that was sent so far: it reads messages in order, a task the last."""

    def wait() -> None:
        marker = console.engine.start(functions.telling_folder, folder="")
        qtbot.waitUntil(lambda: marker.done, timeout=_MOST_MS)

    return wait


@pytest.fixture
def answer_box(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Replace Qt's own blocking dialogs with an answer; see the tests of pages for its use."""
    from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox

    def say(answer: Any) -> None:
        monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: (answer, True))
        monkeypatch.setattr(QInputDialog, "getMultiLineText", lambda *_a, **_k: (answer, True))
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: answer)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a, **_k: (answer, ""))
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (answer, ""))
        monkeypatch.setattr(QMessageBox, "question", lambda *_a, **_k: answer)

    return say


@pytest.fixture
def window(qtbot: QtBot, console: Console) -> MainWindow:
    """The window on an empty data folder, whose engine was ready before it was made."""
    made = MainWindow(console)
    qtbot.addWidget(made)
    made.checks.pause_folders()
    made.show()
    qtbot.waitUntil(lambda: made.current_page != "")
    return made
