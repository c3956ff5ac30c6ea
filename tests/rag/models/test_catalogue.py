"""GGUF headers, memory forecasts and the models of other programs. No mutation of a header is ever a crash."""

import json
from pathlib import Path

import pytest
from fakes import tiny_gguf
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import ModelError, NotFoundError
from rag.models.catalogue import add_model, find_model, forget_model, known_models
from rag.models.embedding import check_starter_embedder, file_sha256, starter_embedder_folder
from rag.models.gguf import read_header
from rag.models.language_model import (
    STARTER_SHA256,
    GenerationEnd,
    LanguageModel,
    PromptRead,
    Token,
    starter_model_path,
)
from rag.models.rows import forecast_memory
from rag.settings import GenerationSettings
from rag.workspace import Workspace

STARTER = starter_model_path()


def test_the_starter_model_is_the_expected_file_and_its_header_is_read() -> None:
    header = read_header(STARTER)
    assert file_sha256(STARTER) == STARTER_SHA256
    assert (header.architecture, header.quantisation, header.context_length) == ("llama", "Q4_1", 8192)
    assert "im_start" in header.chat_template
    check_starter_embedder(starter_embedder_folder())


def test_a_small_header_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.gguf").write_bytes(tiny_gguf())
    header = read_header(tmp_path / "t.gguf")
    assert (header.name, header.layer_count, header.vocabulary_size, header.parameter_count) == (
        "Tiny",
        2,
        3,
        192,
    )


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\3\4 not a model", b"GGUF" + bytes(20)])
def test_what_is_no_gguf_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gguf").write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.gguf"):
        read_header(tmp_path / "x.gguf")


def test_a_truncated_file_is_a_sentence_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(tiny_gguf()[:-100])
    with pytest.raises(ModelError, match="truncated"):
        read_header(tmp_path / "x.gguf")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(tiny_gguf())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, 420))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("m") / "x.gguf"
    path.write_bytes(bytes(content))
    try:
        header = read_header(path)
    except ModelError as error:
        assert str(error).endswith(".")
    else:
        assert forecast_memory(header, 512).total > 0


def test_the_memory_grows_with_the_context() -> None:
    header = read_header(STARTER)
    small, large = forecast_memory(header, 2048), forecast_memory(header, 8192)
    assert large.kv_cache == 4 * small.kv_cache == 8192 * 30 * 3 * 128 * 2
    assert large.weights == small.weights


def test_models_of_other_programs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    places = {
        "LM Studio": tmp_path / ".lmstudio" / "models" / "a" / "one.gguf",
        "Hugging Face": tmp_path / "hub" / "models--b" / "snapshots" / "1" / "two.gguf",
        "Ollama": tmp_path / "ollama" / "blobs" / "sha256-abc",
        "folder": tmp_path / "mine" / "three.gguf",
    }
    for path in places.values():
        path.parent.mkdir(parents=True)
        path.write_bytes(tiny_gguf())
    (places["folder"].parent / "mmproj-three.gguf").write_bytes(tiny_gguf())
    manifest = tmp_path / "ollama" / "manifests" / "registry" / "library" / "tiny" / "latest"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:abc"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    entries = {entry.origin: entry for entry in known_models([str(broken)], [str(tmp_path / "mine")])}
    for origin, path in places.items():
        assert entries[origin].path == str(path), origin
        assert entries[origin].header is not None
    assert entries["Ollama"].name == "tiny:latest"
    assert entries["added"].header is None
    assert "damaged" in entries["added"].problem


def test_a_model_is_added_found_and_taken_off_the_list(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(tiny_gguf())
    add_model(workspace.store, str(path))
    assert find_model(workspace.database, workspace.settings, "mine") == path
    forget_model(workspace.store, str(path))
    assert path.exists()
    with pytest.raises(NotFoundError, match="no model “mine”"):
        find_model(workspace.database, workspace.settings, "mine")
    with pytest.raises(ModelError):
        add_model(workspace.store, str(tmp_path / "none.gguf"))


@pytest.fixture(scope="module")
def starter() -> LanguageModel:
    return LanguageModel(STARTER, GenerationSettings(context=2048, max_answer_tokens=24))


def run(model: LanguageModel, question: str) -> tuple[str, list[PromptRead], GenerationEnd]:
    prompt = model.render_chat([{"role": "user", "content": question}])
    events = list(model.generate(model.tokenize_prompt(prompt), model.settings))
    text = "".join(e.text for e in events if isinstance(e, Token))
    end = events[-1]
    assert isinstance(end, GenerationEnd)
    return text, [e for e in events if isinstance(e, PromptRead)], end


@pytest.mark.models
def test_the_starter_model_answers_the_same_at_temperature_zero_and_reuses_the_prompt(
    starter: LanguageModel,
) -> None:
    first, _, _ = run(starter, "What is the capital of France?")
    second, reads, end = run(starter, "What is the capital of France?")
    assert first == second
    assert len(first.split()) > 3
    assert reads[0].tokens_cached == reads[0].tokens_total - 1
    assert 0 < end.completion_tokens <= 24


@pytest.mark.models
def test_a_prompt_is_read_in_steps_and_stopping_leaves_the_model_usable(starter: LanguageModel) -> None:
    before, _, _ = run(starter, "What is the capital of France?")
    long = "The station measures wind. " * 120
    prompt = starter.tokenize_prompt(starter.render_chat([{"role": "user", "content": long}]))
    stream = starter.generate(prompt, starter.settings)
    reads = [next(stream) for _ in range(3)]
    assert all(isinstance(event, PromptRead) for event in reads)
    stream.close()
    after, _, _ = run(starter, "What is the capital of France?")
    assert after == before


@pytest.mark.models
def test_a_prompt_longer_than_the_context_is_a_sentence(starter: LanguageModel) -> None:
    from rag.errors import RagError

    with pytest.raises(RagError, match="2048"):
        list(starter.generate(list(range(3000)), starter.settings))


@pytest.mark.models
def test_characters_of_several_tokens_arrive_whole(starter: LanguageModel) -> None:
    text, _, _ = run(starter, "Repeat exactly: 🙂 über 東京")
    assert "\ufffd" not in text.rstrip("\ufffd")
