"""Downloads against a hub on loopback: resumed, cancelled, damaged, refused, and without a network."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import drive, tiny_gguf
from hub_server import Hub, HubServer

from rag.errors import ModelError
from rag.models.getting.download import Download, DownloadError, find_offer, get_model, named_offer
from rag.models.getting.rows import Purpose, list_offers
from rag.models.rows import list_added_models
from rag.workspace import Workspace

MODEL = tiny_gguf() + bytes(300_000)
FOLDER = {
    "config.json": b"{}",
    "modules.json": b"[]",
    "model.safetensors": bytes(2000),
    "1_Pooling/config.json": b"{}",
    "pytorch_model.bin": bytes(9000),
    "onnx/model.safetensors": bytes(9000),
    "run.py": b"print('no')",
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with HubServer(Hub({"org/small": {"small.gguf": MODEL}, "org/embedder": FOLDER})) as made:
        yield made


def getting(workspace: Workspace, hub: Hub, folder: Path, name: str = "org/small", **values: Any) -> Download:
    values.setdefault("file", "small.gguf" if name == "org/small" else "")
    return get_model(workspace.store, name, str(folder), environment={"HF_ENDPOINT": hub.url}, **values)


def failure(download: Download) -> DownloadError:
    with pytest.raises(DownloadError) as found:
        drive(download)
    return found.value


def test_a_model_is_downloaded_checked_and_added(workspace: Workspace, hub: Hub, tmp_path: Path) -> None:
    found = drive(getting(workspace, hub, tmp_path / "models"))
    path = tmp_path / "models" / "small.gguf"
    assert (found.path, found.purpose, found.size_bytes) == (str(path), Purpose.ANSWERS, len(MODEL))
    assert path.read_bytes() == MODEL and list(path.parent.iterdir()) == [path]
    assert "the hash that the server states" in found.checked and found.licence == "mit"
    assert list_added_models(workspace.database) == [str(path)]


def test_a_folder_has_what_is_needed_and_no_code_or_pickles(
    workspace: Workspace, hub: Hub, tmp_path: Path
) -> None:
    found = drive(getting(workspace, hub, tmp_path, "org/embedder"))
    folder = tmp_path / "embedder"
    assert (found.path, found.purpose) == (str(folder), Purpose.EMBEDS)
    got = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert got == {"config.json", "modules.json", "model.safetensors", "1_Pooling/config.json"}
    assert list_added_models(workspace.database) == []


def test_a_cancelled_download_goes_on_where_it_was(workspace: Workspace, hub: Hub, tmp_path: Path) -> None:
    hub.hold = 200_000
    stream = getting(workspace, hub, tmp_path)
    for _ in stream:  # the server is slow: what is there is told again and again, so that one can cancel
        if hub.reached.is_set() and any(path.stat().st_size > 100_000 for path in tmp_path.rglob("*.part")):
            break
    stream.close()
    hub.may_go_on.set()
    hub.hold = 0
    hub.break_after = 100_000  # and breaks off again and again: the process goes on by itself
    (partial,) = tmp_path.rglob("*.part")
    there = partial.stat().st_size
    drive(getting(workspace, hub, tmp_path))
    assert (tmp_path / "small.gguf").read_bytes() == MODEL
    ranges = [line.rpartition(" ")[2] for line in hub.asked if "bytes=" in line]
    assert ranges[0] == f"bytes={there}-" and len(ranges) == 2


def test_a_file_that_arrives_damaged_is_deleted(workspace: Workspace, hub: Hub, tmp_path: Path) -> None:
    hub.served["small.gguf"] = MODEL[:-1] + b"x"
    error = failure(getting(workspace, hub, tmp_path))
    assert error.kind == "hash" and "arrived damaged" in str(error)
    assert not (tmp_path / "small.gguf").exists() and list_added_models(workspace.database) == []


def test_a_hash_that_is_not_the_catalogues_downloads_nothing(
    workspace: Workspace, hub: Hub, tmp_path: Path
) -> None:
    offer = next(one for one in list_offers() if one.sha256)
    hub.files[offer.repository] = {offer.file: MODEL}
    error = failure(getting(workspace, hub, tmp_path, offer.repository, file=offer.file))
    assert error.kind == "hash" and hashlib.sha256(MODEL).hexdigest()[:12] in str(error)
    assert [line for line in hub.asked if "/resolve/" in line] == []


@pytest.mark.parametrize(
    ("name", "file", "sentence"),
    [
        ("org/none", "m.gguf", "no open repository “org/none”"),
        ("org/small", "other.gguf", "has no file “other.gguf”. Its models: small.gguf."),
        ("no slash at all", "m.gguf", "is not a repository"),
    ],
)
def test_what_is_not_there_is_said(
    workspace: Workspace, hub: Hub, tmp_path: Path, name: str, file: str, sentence: str
) -> None:
    error = failure(getting(workspace, hub, tmp_path, name, file=file))
    assert error.kind == "missing" and sentence in str(error)


def test_a_full_disk_is_said_and_what_has_arrived_stays(
    workspace: Workspace, hub: Hub, tmp_path: Path
) -> None:
    """The limit on the size of files stands in for a full disk: writing fails in the same place."""
    stream = getting(workspace, hub, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        next(stream)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    error = failure(stream)
    assert error.kind == "disk" and "The disk is full" in str(error)
    assert [path.stat().st_size for path in tmp_path.rglob("*.part")] == [100_000]
    drive(getting(workspace, hub, tmp_path))
    assert (tmp_path / "small.gguf").read_bytes() == MODEL


def test_without_a_network_it_is_said_where_to_get_it(workspace: Workspace, tmp_path: Path) -> None:
    with HubServer(Hub({})) as closed:
        url = closed.url
    closed.url = url
    error = failure(getting(workspace, closed, tmp_path))
    assert error.kind == "offline" and "could not be reached" in str(error)
    assert error.url == f"{url}/org/small"


def test_a_server_that_is_broken_is_said(workspace: Workspace, hub: Hub, tmp_path: Path) -> None:
    hub.status = 500
    error = failure(getting(workspace, hub, tmp_path))
    assert error.kind == "server" and "(500)" in str(error)


def test_a_model_is_found_by_its_name_or_its_repository() -> None:
    assert named_offer("qwen2.5 1.5b").file == "qwen2.5-1.5b-instruct-q4_k_m.gguf"
    with pytest.raises(ModelError, match="several models called “Qwen”"):
        named_offer("Qwen")
    with pytest.raises(ModelError, match="no model called “Nothing”"):
        named_offer("Nothing")
    offer = list_offers()[0]
    assert find_offer(offer.repository, offer.file) == offer and find_offer("org/small", "m.gguf") is None
