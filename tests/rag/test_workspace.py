"""A data folder has one workspace, which loads what it needs once and changes settings one at a time."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from data_folders import insert
from fakes import FakeEmbedder, ScriptedModel
from stored_traces import add_traces

from rag.asking.rows import TraceFilter, TraceStatus, list_traces
from rag.errors import ModelError, NotFoundError, RagError
from rag.grounding.detector import VerdictLimits
from rag.models.embedding import starter_embedder_folder
from rag.settings import GenerationSettings, Settings, own_retrieval, preset
from rag.storage.tables.knowledge import EmbedderFolder
from rag.workspace import _MOST_SENTENCES, Workspace, _fits, change_settings, read_settings


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


# --- models and embedders that are not there --------------------------------------------------------------


def test_a_model_behind_an_endpoint_is_no_model_on_this_computer(workspace: Workspace) -> None:
    loaded = workspace.loaded_model
    with pytest.raises(
        ModelError, match="endpoint:far is an endpoint, and this needs a model on this computer"
    ):
        workspace.language_model(Path("endpoint:far"))
    with pytest.raises(NotFoundError, match="far"):
        workspace.chat_model(Path("endpoint:far"))
    workspace.change_settings({"models": {"active": "endpoint:far"}})
    assert workspace.active_model_path() == Path("endpoint:far")
    with pytest.raises(NotFoundError, match="far"):
        workspace.chat_model()
    assert workspace.loaded_model is loaded, "what was loaded stays"


def test_a_model_that_cannot_be_loaded_leaves_none_in_memory(folder: Path, tmp_path: Path) -> None:
    model = ScriptedModel()
    with opened(folder, load_model=model.load) as workspace:
        workspace.language_model(tmp_path / "one.gguf")
        model.load_error = ModelError("Too large.")
        with pytest.raises(ModelError, match="Too large"):
            workspace.language_model(tmp_path / "two.gguf")
        assert workspace.loaded_model is None, "the old one was unloaded to make room"
        model.load_error = None
        assert workspace.chat_model(tmp_path / "two.gguf") is model


@pytest.mark.parametrize(
    ("changed", "is_loaded_again"),
    [
        ({"context": 1024}, True),
        ({"gpu_layers": -1}, True),
        ({"threads": 3}, True),
        ({"temperature": 1.5}, False),
        ({"max_answer_tokens": 9}, False),
        ({"top_p": 0.5, "repeat_penalty": 1.5}, False),
    ],
)
def test_only_what_decides_how_a_model_is_loaded_loads_it_again(
    changed: dict[str, float], is_loaded_again: bool
) -> None:
    loaded = ScriptedModel().load(Path("one.gguf"), GenerationSettings())
    wanted = GenerationSettings.model_validate(changed)
    assert _fits(loaded, Path("one.gguf"), wanted) is not is_loaded_again
    assert not _fits(loaded, Path("two.gguf"), wanted)


def test_a_cross_encoder_that_is_none_is_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"No cross-encoder is chosen\. Set retrieval\.cross_encoder"):
        workspace.cross_encoder("")
    with pytest.raises(ModelError, match=r"it has no config\.json"):
        workspace.cross_encoder(str(tmp_path))
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(ModelError, match="no weights in the safetensors format"):
        workspace.cross_encoder(str(tmp_path))


def test_a_cross_encoder_is_opened_once_until_another_folder_is_chosen(
    workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}", "utf-8")
        (tmp_path / name / "model.safetensors").write_bytes(b"")
    first = workspace.cross_encoder(str(tmp_path / "one"))
    assert workspace.cross_encoder(str(tmp_path / "one")) is first
    assert workspace.cross_encoder(str(tmp_path / "two")).folder == tmp_path / "two"


def test_a_second_detector_that_is_none_is_a_sentence(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        workspace.check("What?", "Rye.", ["Rye."], VerdictLimits(second_detector=str(tmp_path / "none")))


def test_an_embedder_whose_files_were_replaced_is_refused(workspace: Workspace) -> None:
    starter = starter_embedder_folder()
    with workspace.store.session() as session:
        session.add(EmbedderFolder(fingerprint="older", name="mine", path=str(starter), added_ms=0))
    with pytest.raises(RagError, match="no longer the one that made these vectors"):
        workspace.embedder_of("older")
    with pytest.raises(RagError, match="made with the embedder 0123456789ab, which is not installed here"):
        workspace.embedder_of("0123456789abcdef0123")


# --- encoding ---------------------------------------------------------------------------------------------


def test_no_texts_have_no_vectors(workspace: Workspace) -> None:
    assert workspace.encode([]).shape == (0, 1024)
    vectors, tokens = workspace.encode_with_tokens(["rye bread", ""], workspace.embedder)
    assert vectors.shape == (2, 1024) and [len(one) for one in tokens] == [2, 1]


def test_each_text_is_embedded_once_though_it_comes_twice(workspace: Workspace) -> None:
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    before = embedder.embedded_count
    workspace._encode_known(["a", "b", "a"])
    workspace._encode_known(["b", "c"])
    assert embedder.embedded_count - before == 3
    assert np.array_equal(workspace._encode_known(["c", "a"]), workspace.encode(["c", "a"]))
    assert workspace._encode_known([]).shape == (0, 1024)


def test_sentences_that_are_too_many_are_forgotten_and_still_right(workspace: Workspace) -> None:
    many = [f"s{number}" for number in range(_MOST_SENTENCES)]
    workspace._encode_known(["first", *many[:-1]])
    found = workspace._encode_known(["first", "one more", "first"])
    assert np.array_equal(found, workspace.encode(["first", "one more", "first"]))
    assert len(workspace._sentences) == 2


# --- opening and changing ---------------------------------------------------------------------------------


def test_runs_that_were_going_on_when_the_process_died_are_interrupted(folder: Path) -> None:
    states = ("running", "waiting", "done", "failed", "cancelled")
    with opened(folder) as first:
        for number, status in enumerate(states, start=1):
            insert(first, "evaluationrun", id=number, status=status)
    with opened(folder) as second:
        found = second.database.cells("SELECT status FROM evaluationrun ORDER BY id")
        assert [row[0] for row in found] == ["interrupted", "interrupted", "done", "failed", "cancelled"]
        assert second.interrupted_count == 0, "questions are counted alone"


def test_a_collection_of_an_older_program_is_searched_as_it_was(folder: Path) -> None:
    with opened(folder) as first:
        insert(first, "collection", id=1, name="Old", key="o", retrieval="classic")
        insert(first, "collection", id=2, name="New", key="n", retrieval="")
    with opened(folder) as second:
        old, new = (row[0] for row in second.database.cells("SELECT retrieval FROM collection ORDER BY id"))
        assert own_retrieval(old, second.settings) == preset("Classic")
        assert new == ""


def test_a_change_of_nothing_changes_nothing(workspace: Workspace) -> None:
    before = read_settings(workspace)
    assert change_settings(workspace, {}) == before
    assert change_settings(workspace, {"generation": {}}) == before
    for section, key in (("nothing", "x"), ("generation", "x")):
        with pytest.raises(RagError, match=rf"no setting {section}\.{key}"):
            change_settings(workspace, {section: {key: 1}})
    assert read_settings(workspace) == before


def test_changed_settings_are_those_of_the_next_program(folder: Path) -> None:
    with opened(folder) as first:
        after = change_settings(first, {"costs": {"currency": "USD"}, "cache": {"similar": "measure"}})
    with opened(folder) as second:
        assert read_settings(second) == after
        assert (second.settings.costs.currency, second.settings.cache.similar) == ("USD", "measure")


def test_an_endpoint_waits_as_long_as_the_settings_of_now_say(workspace: Workspace) -> None:
    workspace.change_settings({"endpoints": {"timeout_s": 7}})
    assert workspace.endpoints._settings().timeout_s == 7
