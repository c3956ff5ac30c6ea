"""`ragdeck models catalogue` and `models get`: what is offered, and a download that is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from fakes import tiny_gguf
from hub_server import Hub, HubServer


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with HubServer(Hub({"org/small": {"small.gguf": tiny_gguf()}})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        yield made


def test_the_catalogue_says_what_each_model_needs(ragdeck: CommandLine) -> None:
    document = ragdeck.done("models", "catalogue", "--json").document
    assert {entry["purpose"] for entry in document} == {"answers", "embeds", "reranks", "checks"}
    assert all(entry["memory_bytes"] > 0 and entry["fit"] for entry in document)
    long = ragdeck.done("models", "catalogue", "--json", "--context", "32768").document
    assert long[0]["memory_bytes"] > document[0]["memory_bytes"]
    printed = ragdeck.done("models", "catalogue", "--for", "reranks").out
    assert "reranks" in printed and "embeds" not in printed


def test_a_model_is_downloaded_and_listed(ragdeck: CommandLine, hub: Hub, tmp_path: Path) -> None:
    found = ragdeck.done(
        "models", "get", "org/small", "--file", "small.gguf", "--to", tmp_path, "--yes", "--json"
    ).document
    assert found["path"] == str(tmp_path / "small.gguf") and "the server states" in found["checked"]
    assert str(tmp_path / "small.gguf") in [
        m["path"] for m in ragdeck.done("models", "list", "--json").document
    ]


def test_without_a_yes_nothing_is_asked_of_the_server(
    ragdeck: CommandLine, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    printed = ragdeck("models", "get", "org/small", "--file", "small.gguf", "--to", tmp_path)
    assert printed.code == 1 and hub.asked == []


def test_what_is_not_in_the_catalogue_is_named(ragdeck: CommandLine, tmp_path: Path) -> None:
    printed = ragdeck("models", "get", "nothing", "--to", tmp_path, "--yes")
    assert printed.code == 1 and "no model called “nothing”" in printed.err


def test_without_a_network_it_is_said_where_to_get_it(
    ragdeck: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HubServer(Hub({})) as closed:
        url = closed.url
    monkeypatch.setenv("HF_ENDPOINT", url)
    printed = ragdeck("models", "get", "org/small", "--file", "small.gguf", "--to", tmp_path, "--yes")
    assert printed.code == 1
    assert f"get it on another computer from {url}/org/small and run" in " ".join(printed.err.split())
