"""The models on this computer are found, whichever program keeps them, each once and with its problem if it has one."""

import json
import os
from pathlib import Path

import pytest
from fakes import tiny_gguf

from rag.errors import ModelError, NotFoundError
from rag.models.catalogue import (
    add_model,
    find_model,
    forget_model,
    known_models,
    list_models,
    model_sha256,
)
from rag.models.embedding import file_sha256
from rag.models.language_model import starter_model_path
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
    [
        ("model-00001-of-00003.gguf", True),
        ("model-00002-of-00003.gguf", False),
        ("mmproj-model.gguf", False),
        ("one-of-a-kind.gguf", False),
        ("model.gguf.part", False),
        ("model.gguf", True),
    ],
)
def test_projectors_and_the_later_parts_of_a_model_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, listed: bool
) -> None:
    home(tmp_path, monkeypatch)
    folder = tmp_path / "models" / "deep" / "er"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(tiny_gguf())
    found = [entry for entry in known_models([], [str(tmp_path / "models")]) if entry.origin == "folder"]
    assert bool(found) is listed


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
    assert add_model(workspace.store, str(path)).name == "Tiny"
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
