"""A data folder has one workspace, which loads what it needs once and changes settings one at a time."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeEmbedder, ScriptedModel
from stored_traces import add_traces

from rag.asking.rows import TraceFilter, TraceStatus, list_traces
from rag.errors import RagError
from rag.grounding.detector import VerdictLimits
from rag.settings import GenerationSettings, Settings
from rag.storage.tables.knowledge import EmbedderFolder
from rag.workspace import Workspace, change_settings, read_settings


class OtherEmbedder(FakeEmbedder):
    """An embedder that is not the one of the workspace."""

    fingerprint = "other-embedder"  # type: ignore[assignment]


def opened(folder: Path, **values: object) -> Workspace:
    values.setdefault("embedder", FakeEmbedder())
    values.setdefault("load_model", ScriptedModel().load)
    return Workspace(folder, "a test", **values)  # type: ignore[arg-type]


def test_a_second_program_on_a_folder_is_refused_until_the_first_is_closed(folder: Path) -> None:
    code = (
        "import sys, pathlib; from rag.errors import DataFolderLockedError; from rag.workspace import Workspace\n"
        "try: Workspace(pathlib.Path(sys.argv[1]), 'a second').close()\n"
        "except DataFolderLockedError as error: sys.exit(str(error))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with opened(folder):
        refused = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert refused.returncode == 1 and "a test" in refused.stderr
    assert subprocess.run(command, capture_output=True, timeout=120).returncode == 0


def test_a_folder_that_cannot_be_opened_is_not_left_locked(folder: Path) -> None:
    (folder / "settings.toml").write_text("[nonsense]\nx = 1", "utf-8")
    with pytest.raises(RagError, match="nonsense"):
        opened(folder)
    (folder / "settings.toml").unlink()
    opened(folder).close()


def test_questions_that_were_running_when_the_process_died_are_interrupted(folder: Path) -> None:
    with opened(folder) as first:
        add_traces(first, 2, 0, status="running")
        add_traces(first, 1, 0)
    with opened(folder) as second:
        assert second.interrupted_count == 2
        rows = list_traces(second.database, TraceFilter(status=TraceStatus.INTERRUPTED))
        assert len(rows) == 2 and "ended before the answer was complete" in rows[0].error
    with opened(folder) as third:
        assert third.interrupted_count == 0


def test_settings_changed_from_two_threads_lose_nothing(workspace: Workspace) -> None:
    barrier = threading.Barrier(2)

    def change(section: str, key: str, values: range) -> None:
        barrier.wait()
        for value in values:
            workspace.change_settings({section: {key: value}})

    threads = [
        threading.Thread(target=change, args=("retrieval", "max_passages", range(1, 16))),
        threading.Thread(target=change, args=("generation", "seed", range(1, 16))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = Settings.load(workspace.folder / "settings.toml")
    assert stored == workspace.settings
    assert (stored.retrieval.max_passages, stored.generation.seed) == (15, 15)


def test_of_several_settings_all_are_changed_or_none(workspace: Workspace) -> None:
    before = read_settings(workspace)
    with pytest.raises(RagError, match=r"generation\.temperature"):
        workspace.change_settings({"retrieval": {"max_passages": 3}, "generation": {"temperature": 9}})
    assert read_settings(workspace) == before
    assert not (workspace.folder / "settings.toml").exists()
    after = change_settings(workspace, {"retrieval": {"max_passages": 3}})
    assert after["retrieval"]["max_passages"] == 3 and after == read_settings(workspace)
    assert ("settings changed",) in workspace.database.cells("SELECT action FROM auditevent")


def test_a_model_is_loaded_again_only_when_its_file_or_its_loading_changes(
    folder: Path, tmp_path: Path
) -> None:
    loaded: list[tuple[Path, int]] = []

    def load(path: Path, settings: GenerationSettings) -> ScriptedModel:
        loaded.append((path, settings.context))
        return ScriptedModel().load(path, settings)

    one, two = tmp_path / "one.gguf", tmp_path / "two.gguf"
    with opened(folder, load_model=load) as workspace:
        assert workspace.loaded_model is None
        first = workspace.language_model(one)
        assert workspace.language_model(one, GenerationSettings(temperature=1.0, seed=3)) is first
        assert workspace.language_model(one, GenerationSettings(context=8192)) is not first
        assert workspace.language_model(two).path == two
        workspace.change_settings({"models": {"active": str(one)}})
        assert workspace.active_model_path() == one == workspace.language_model().path
        workspace.unload_model()
        assert workspace.loaded_model is None
    assert loaded == [(one, 4096), (one, 8192), (two, 4096), (one, 4096)]


def test_an_embedder_is_found_by_its_fingerprint_or_said_to_be_missing(
    workspace: Workspace, tmp_path: Path
) -> None:
    other = OtherEmbedder()
    assert workspace.embedder_of("fake-embedder") is workspace.embedder
    with pytest.raises(RagError, match="not installed here"):
        workspace.embedder_of("other-embedder", "other")
    assert workspace.add_embedder(other) is workspace.embedder_of("other-embedder") is other
    assert workspace.add_embedder(FakeEmbedder()) is workspace.embedder
    with workspace.store.session() as session:
        assert session.get_one(EmbedderFolder, "other-embedder").name == "fake"
        session.add(EmbedderFolder(fingerprint="gone", name="gone", path=str(tmp_path / "no"), added_ms=0))
    with pytest.raises(RagError, match=r"its folder .* is gone"):
        workspace.embedder_of("gone")


def test_texts_are_encoded_by_the_starter_or_the_given_embedder(workspace: Workspace) -> None:
    vectors = workspace.encode(["rye bread", "bread rye", "tide"])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[0], vectors[1]) and not np.allclose(vectors[0], vectors[2])
    other = OtherEmbedder()
    workspace.encode(["tide"], other)
    assert other.embedded_count == 1


def test_a_sentence_of_a_passage_is_embedded_once_however_often_it_is_checked(workspace: Workspace) -> None:
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    passages = ["Rye bread needs sourdough and 12 hours of rest."]
    first = workspace.check("What?", "Rye bread needs sourdough.", passages, VerdictLimits())
    count = embedder.embedded_count
    assert count > 0
    assert workspace.check("What?", "Rye bread needs sourdough.", passages, VerdictLimits()) == first
    assert embedder.embedded_count == count
    workspace.forget_contents()
    workspace.check("What?", "Rye bread needs sourdough.", passages, VerdictLimits())
    assert embedder.embedded_count > count
