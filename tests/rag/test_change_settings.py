"""Settings are changed under one lock: two lanes of the engine that change different ones lose nothing."""

import threading
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.settings import Settings
from rag.workspace import Workspace


def test_two_threads_that_change_different_settings_lose_nothing(workspace: Workspace) -> None:
    begin = threading.Barrier(2)
    errors: list[BaseException] = []

    def change(section: str, key: str, values: range) -> None:
        begin.wait()
        try:
            for value in values:
                workspace.change_settings({section: {key: value}})
                if getattr(getattr(workspace.settings, section), key) != value:
                    errors.append(AssertionError(f"{section}.{key} was {value} and is another"))
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=change, args=("generation", "seed", range(1, 41))),
        threading.Thread(target=change, args=("retrieval", "candidates", range(1, 41))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    stored = Settings.load(workspace.folder / "settings.toml")
    assert stored == workspace.settings
    assert (stored.generation.seed, stored.retrieval.candidates) == (40, 40)


def test_all_values_are_changed_or_none(workspace: Workspace, folder: Path) -> None:
    before = workspace.settings
    with pytest.raises(RagError, match=r"retrieval\.candidates"):
        workspace.change_settings({"generation": {"seed": 9}, "retrieval": {"candidates": 0}})
    assert workspace.settings == before
    assert not (folder / "settings.toml").exists()
    workspace.change_settings({"generation": {"seed": 9}, "retrieval": {"candidates": 7}})
    changed = Settings.load(folder / "settings.toml")
    assert (changed.generation.seed, changed.retrieval.candidates) == (9, 7)


def test_a_change_is_in_the_log(workspace: Workspace) -> None:
    workspace.change_settings({"generation": {"seed": 9}})
    log = workspace.database.cells("SELECT action, subject FROM auditevent ORDER BY id DESC LIMIT 1")
    assert log == [("settings changed", "settings.toml")]
