"""What pages are given: operations and how their failures show, settings, models, and another data folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import engine_functions as functions
import pytest
from fakes import drive
from PySide6.QtCore import QSettings
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console, Notice, setting_text
from app.engine.client import Engine
from app.widgets.theme import Theme
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import list_collections
from rag.settings import Settings
from rag.storage.database import Database
from rag.workspace import Workspace


def test_done_is_called_with_the_result(console: Console, settle: Callable[[], None]) -> None:
    told: list[str] = []
    task = console.run(functions.echo_text, told.append, text="hello")
    assert task.title == "Echo hello"
    settle()
    assert told == ["hello"]
    assert console.notices == []  # type: ignore[attr-defined]


def test_a_refusal_is_a_notice_and_a_bug_has_details(console: Console, settle: Callable[[], None]) -> None:
    told: list[object] = []
    console.run(functions.refusing, told.append)
    settle()
    assert console.notices == [("Choose a collection first.", "bad")]  # type: ignore[attr-defined]
    console.run(functions.slipping, told.append)
    settle()
    sentence, details = console.notices[-1]  # type: ignore[attr-defined]
    assert sentence == "Something unexpected went wrong (ZeroDivisionError: a slip)."
    assert details.startswith("bug: Traceback")
    assert told == []


def test_kinds_of_notices_are_plain_words_for_signals() -> None:
    assert [str(kind) for kind in Notice] == ["info", "check", "bad"]
    assert Notice.BAD == "bad"


def test_a_setting_is_saved_and_told(
    console: Console, open_workspace: Workspace, settle: Callable[[], None]
) -> None:
    changes = QSignalSpy(console.settings_changed)
    console.change_settings("retrieval", "max_passages", 3)
    settle()
    assert console.settings.retrieval.max_passages == 3
    assert changes.count() == 1
    assert Settings.load(open_workspace.folder / "settings.toml").retrieval.max_passages == 3


def test_a_setting_out_of_bounds_is_refused_and_nothing_changes(
    console: Console, settle: Callable[[], None]
) -> None:
    before, changes = console.settings.retrieval.max_passages, QSignalSpy(console.settings_changed)
    console.change_settings("retrieval", "max_passages", -4)
    settle()
    assert console.settings.retrieval.max_passages == before
    assert changes.count() == 0
    ((sentence, kind),) = console.notices  # type: ignore[attr-defined]
    assert "max_passages" in sentence
    assert kind == "bad"


@pytest.mark.parametrize(("text", "passages"), [("[retrieval]\nmax_passages = 5\n", 5), ("not toml [", None)])
def test_settings_are_read_when_first_needed(
    theme: Theme, folder: Path, text: str, passages: int | None
) -> None:
    (folder / "settings.toml").write_text(text, "utf-8")
    console = Console(theme, Engine(folder), Database(folder / "ragdeck.sqlite"))
    # A file that cannot be read is the engine's to refuse.
    assert console.settings.retrieval.max_passages == (passages or Settings().retrieval.max_passages)
    console.database.close()


def test_models_are_listed_again_and_told(console: Console, settle: Callable[[], None]) -> None:
    changes = QSignalSpy(console.models_changed)
    console.refresh_models()
    settle()
    assert changes.count() == 1
    assert all(entry.path for entry in console.models)


def test_another_folder_is_opened_with_its_data_and_settings(
    qtbot: QtBot, console: Console, tmp_path: Path, documents: Path, settle: Callable[[], None]
) -> None:
    from fakes import FakeEmbedder, ScriptedModel

    other = tmp_path / "other"
    other.mkdir()
    with Workspace(other, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "Kitchen", [str(documents)]))
        workspace.change_settings({"generation": {"seed": 11}})
    assert list_collections(console.database) == []
    states, changes = QSignalSpy(console.model_state_changed), QSignalSpy(console.settings_changed)
    with qtbot.waitSignal(console.engine.ready, timeout=30_000):
        console.reopen(other)
    settle()
    assert [row.name for row in list_collections(console.database)] == ["Kitchen"]
    assert console.settings.generation.seed == 11
    assert changes.count() == 1
    assert states.count() == 1
    assert str(other) in QSettings().fileName()
    console.engine.ready.emit(0, [])  # a later restart is no move
    assert changes.count() == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "on"),
        (False, "off"),
        (0.25, "0.25"),
        (1.0, "1"),
        (4096, "4,096"),
        ("BM25", "“BM25”"),
        ("", "empty"),
    ],
)
def test_a_setting_is_said_as_people_read_it(value: object, text: str) -> None:
    assert setting_text(value) == text


def test_a_setting_that_has_the_value_already_is_not_saved(console: Console) -> None:
    console.change_settings("retrieval", "rrf_k", console.settings.retrieval.rrf_k)
    assert console.engine.tasks == []
