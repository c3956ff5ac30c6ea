"""The models on this computer are found, whichever program keeps them, each once and with its problem if it has one."""

import json
import os
from pathlib import Path

import pytest
from fakes import nested_gguf, small_gguf, split_gguf, tiny_gguf

from rag.errors import ModelError, NotFoundError
from rag.models.catalogue import (
    add_model,
    describe_model,
    find_model,
    forget_model,
    known_models,
    list_models,
    model_sha256,
)
from rag.models.embedding import file_sha256
from rag.models.language_model import starter_model_path
from rag.models.rows import ModelEntry
from rag.settings import ModelSettings
from rag.workspace import Workspace


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


def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, so that the models of this computer's programs are not found."""
    made = tmp_path / "home"
    made.mkdir()
    for name in ("HF_HUB_CACHE", "HF_HOME", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("USERPROFILE", str(made))
    return made


def test_the_starter_comes_first_and_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home(tmp_path, monkeypatch)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "b.GGUF").write_bytes(tiny_gguf())
    (folder / "a.gguf").write_bytes(tiny_gguf())
    (folder / "link.gguf").symlink_to(folder / "a.gguf")
    (folder / "notes.txt").write_text("no model")
    entries = known_models([str(folder / "b.GGUF")], [str(folder), str(folder), str(tmp_path / "none")])
    assert [(entry.origin, entry.name) for entry in entries] == [
        ("starter", starter_model_path().stem),
        ("added", "b"),
        ("folder", "a"),
    ]


@pytest.mark.parametrize(
    ("name", "listed"),
    [("one-of-a-kind.gguf", True), ("mmproj.gguf", True), ("model.gguf.part", False), ("model.gguf", True)],
)
def test_files_are_found_by_their_ending_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, listed: bool
) -> None:
    home(tmp_path, monkeypatch)
    folder = tmp_path / "models" / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(tiny_gguf())
    found = [entry for entry in known_models([], [str(tmp_path / "models")]) if entry.origin == "folder"]
    assert bool(found) is listed
    assert all(entry.can_answer for entry in found)


def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: bytes) -> list[ModelEntry]:
    """Write model files into a searched folder and list what is found there."""
    home(tmp_path, monkeypatch)
    folder = tmp_path / "models"
    folder.mkdir()
    for name, content in files.items():
        (folder / f"{name.replace('_', '-')}.gguf").write_bytes(content)
    return [entry for entry in known_models([], [str(folder)]) if entry.origin == "folder"]


def test_what_cannot_answer_is_listed_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_folder(
        tmp_path, monkeypatch,
        adapter=small_gguf({"general.type": "adapter", "adapter.type": "lora"}),
        broken=b"GGUF",
        embedder=small_gguf({"llama.pooling_type": 1}),
        fine=small_gguf({}),
        projector=small_gguf({"general.type": "mmproj"}, architecture="clip"),
    )  # fmt: skip
    assert {entry.name: (entry.can_answer, bool(entry.problem)) for entry in found} == {
        "adapter": (False, True),
        "broken": (False, True),
        "embedder": (False, True),
        "fine": (True, False),
        "projector": (False, True),
    }


def test_the_parts_of_a_model_are_one_model_as_long_as_the_first_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {f"big_0000{n}_of_00003": split_gguf(n, 3) for n in (1, 2, 3)}
    lone = {"lone_00002_of_00002": split_gguf(2, 2)}
    found = in_folder(tmp_path, monkeypatch, **parts, **lone)
    assert [(entry.name, entry.can_answer) for entry in found] == [
        ("big-00001-of-00003", True),
        ("lone-00002-of-00002", False),
    ]
    assert "lone-00001-of-00002.gguf, which is not beside it" in found[1].problem


def test_a_broken_or_strange_file_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_folder(tmp_path, monkeypatch, nested=nested_gguf(3000), fine=small_gguf({}))
    assert [(entry.name, entry.can_answer) for entry in found] == [("fine", True), ("nested", False)]
    assert "damaged GGUF header (arrays nested too deep)" in found[1].problem
    pipe = tmp_path / "models" / "pipe.gguf"
    os.mkfifo(pipe)
    (tmp_path / "models" / "gone.gguf").symlink_to(tmp_path / "nowhere")
    entries = {entry.name: entry for entry in known_models([], [str(tmp_path / "models")])}
    assert entries["pipe"].problem == f"{pipe} is not a file."
    assert "cannot be read" in entries["gone"].problem


REFUSING = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}{{ messages[-1].content }}"


def test_what_a_chat_template_cannot_do_is_said_in_the_list_and_when_a_model_is_added(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {
        entry.name: entry
        for entry in in_folder(
            tmp_path, monkeypatch,
            loop=small_gguf({"tokenizer.chat_template": "{{ 1 // 0 }}"}),
            folded=small_gguf({"tokenizer.chat_template": REFUSING}),
        )
    }  # fmt: skip
    assert not found["loop"].can_answer
    assert found["loop"].problem.startswith("The chat template of loop.gguf cannot be used: integer division")
    assert "chatml, llama-3, gemma, mistral" in found["loop"].problem
    assert found["folded"].can_answer
    assert found["folded"].note.startswith("The model's chat template has no system role: the instructions")
    added = add_model(workspace.store, found["loop"].path)
    assert added.problem == found["loop"].problem


def test_a_chosen_chat_template_helps_a_model_whose_own_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "a=b.gguf"
    path.write_bytes(small_gguf({"tokenizer.chat_template": "{% for %}"}))
    assert describe_model(path, ModelSettings(), "added").problem
    chosen = ModelSettings(chat_templates=ModelSettings().with_chat_template("a=b", "chatml"))
    entry = describe_model(path, chosen, "added")
    assert (entry.can_answer, entry.chat_template) == (True, "chatml")
    assert entry.note == "It answers by the built-in chat template chatml."
    assert ModelSettings(chat_templates=chosen.with_chat_template("a=b", "")).chat_template_of("a=b") == ""


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"llama.pooling_type": 2}, "is an embedding model"),
        ({"llama.pooling_type": 4}, "is a reranker"),
        ({"general.type": "adapter"}, "is an adapter"),
    ],
)
def test_what_cannot_answer_is_not_added(
    workspace: Workspace, tmp_path: Path, values: dict[str, int | str], reason: str
) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(small_gguf(values))
    with pytest.raises(ModelError, match=rf"x\.gguf {reason}"):
        add_model(workspace.store, str(path))
    assert [
        e.origin for e in list_models(workspace.database, workspace.settings) if e.path == str(path)
    ] == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"layers": 3}', b'{"layers": [{"digest": 5}]}', b"\xff\xfe", b'{"layers": [{}]}'],
)
def test_what_is_no_manifest_of_ollama_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    manifests = home(tmp_path, monkeypatch) / ".ollama" / "models" / "manifests" / "library"
    manifests.mkdir(parents=True)
    (manifests / "broken").write_bytes(content)
    assert [entry.origin for entry in known_models([], [])] == ["starter"]


def test_a_manifest_whose_file_is_gone_names_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = home(tmp_path, monkeypatch) / ".ollama" / "models" / "manifests" / "tiny"
    manifests.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:gone"}
    (manifests / "latest").write_text(json.dumps({"layers": [layer]}))
    assert [entry.origin for entry in known_models([], [])] == ["starter"]


def test_a_model_is_found_by_path_name_or_stem(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(tiny_gguf())
    assert find_model(workspace.database, workspace.settings, str(path)) == path, "it need not be added"
    add_model(workspace.store, str(path))
    for wanted in ("mine", "mine.gguf", str(path)):
        assert find_model(workspace.database, workspace.settings, wanted) == path
    with pytest.raises(NotFoundError, match=r"no model “other”\. Known models: .*mine.*\. You can also"):
        find_model(workspace.database, workspace.settings, "other")


def test_adding_a_model_twice_lists_it_once_and_is_in_the_audit_log(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(tiny_gguf())
    added = add_model(workspace.store, str(path))
    assert (added.name, added.header and added.header.name, added.problem, added.note) == (
        "mine",
        "Tiny",
        "",
        "",
    )
    add_model(workspace.store, str(path))
    entries = [e for e in list_models(workspace.database, workspace.settings) if e.origin == "added"]
    assert [entry.path for entry in entries] == [str(path)]
    logged = workspace.database.cells("SELECT count(*) FROM auditevent WHERE action = 'model added'")
    assert logged == [(1,)]


def test_a_sha256_is_computed_once_until_the_file_changes(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(tiny_gguf())
    add_model(workspace.store, str(path))
    first = model_sha256(workspace.store, str(path))
    assert first == file_sha256(path)
    stat = path.stat()
    path.write_bytes(tiny_gguf()[:-1] + b"\1")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert model_sha256(workspace.store, str(path)) == first, "same size and time: it is not read again"
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 5_000_000_000))
    assert model_sha256(workspace.store, str(path)) == file_sha256(path) != first
    path.unlink()
    with pytest.raises(NotFoundError, match="is gone"):
        model_sha256(workspace.store, str(path))
