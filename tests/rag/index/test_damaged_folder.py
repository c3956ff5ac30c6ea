"""A damaged index folder is noticed, emptied and made again by itself, whatever of it is damaged."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.search_test import run_search_test
from rag.index.vector_index import IndexPlace, VectorIndex
from rag.knowledge.ingest import ingest_files
from rag.start_up import needs_start_up, start_up
from rag.workspace import Workspace

REBUILT = "The index folder was damaged. The index was made again from the stored vectors; nothing is lost."


def garbage(index: Path) -> None:
    (index / "chroma.sqlite3").write_bytes(b"no database" * 1000)


def cut(index: Path) -> None:
    content = (index / "chroma.sqlite3").read_bytes()
    (index / "chroma.sqlite3").write_bytes(content[: len(content) // 2])


def scribbled(index: Path) -> None:
    """Pages in the middle: Chroma's Rust core panics over them."""
    content = bytearray((index / "chroma.sqlite3").read_bytes())
    content[5 * 4096 : 25 * 4096] = b"\xa5" * (20 * 4096)
    (index / "chroma.sqlite3").write_bytes(bytes(content))


def without_table(index: Path) -> None:
    with sqlite3.connect(index / "chroma.sqlite3") as connection:
        connection.execute("DROP TABLE embeddings")
    connection.close()


def emptied(index: Path) -> None:
    (index / "chroma.sqlite3").write_bytes(b"")


def replaced_by_a_file(index: Path) -> None:
    for path in sorted(index.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    index.rmdir()
    index.write_text("not a folder", "utf-8")


KINDS = [garbage, cut, scribbled, without_table, emptied, replaced_by_a_file]
each_kind = pytest.mark.parametrize("damage", KINDS, ids=lambda kind: kind.__name__)


@pytest.fixture
def filled(folder: Path, documents: Path) -> Path:
    """A data folder with a collection, closed."""
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    return folder


@each_kind
def test_a_command_finds_the_damage_and_makes_the_index_again(
    filled: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    ragdeck = CommandLine(filled, capsys)
    found = ragdeck.done("search", "sourdough", "-c", "A", "--json").document["hits"]
    damage(filled / "index")
    printed = ragdeck.done("search", "sourdough", "-c", "A", "--json")
    assert [hit["text"] for hit in printed.document["hits"]] == [hit["text"] for hit in found]
    assert REBUILT in printed.err
    assert any("exact search" in note for note in printed.document["notes"])
    again = ragdeck.done("search", "sourdough", "-c", "A", "--json")
    assert again.err == ""
    assert not any("exact search" in note for note in again.document["notes"])


@pytest.mark.parametrize(
    "arguments", [("versions", "verify", "-c", "A"), ("compact",), ("versions", "-c", "A")]
)
def test_no_command_ends_in_a_traceback(
    filled: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    garbage(filled / "index")
    assert CommandLine(filled, capsys)(*arguments).code == 0


def test_an_import_into_a_damaged_index_is_complete(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    garbage(filled / "index")
    (tmp_path / "new.txt").write_text("Salt rises with the tide in spring.", "utf-8")
    ragdeck = CommandLine(filled, capsys)
    assert REBUILT in ragdeck.done("ingest", tmp_path / "new.txt", "-c", "A").err
    with ragdeck.open() as workspace:
        assert not needs_start_up(workspace)
        count = workspace.database.cells("SELECT text_count FROM datasetversion ORDER BY id DESC LIMIT 1")[0][
            0
        ]
        key = workspace.database.cells("SELECT index_key FROM collection")[0][0]
        assert workspace.index.count(IndexPlace(key)) == count


def test_the_start_of_the_window_makes_it_again(filled: Path) -> None:
    scribbled(filled / "index")
    with Workspace(filled, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        assert drive(start_up(workspace)) == [REBUILT]
        assert drive(start_up(workspace)) == []


def test_damage_that_was_found_is_remembered_when_the_process_is_killed(filled: Path) -> None:
    garbage(filled / "index")
    with Workspace(filled, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        assert run_search_test(workspace, "A", "sourdough").sides[0].hits
    with Workspace(filled, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        assert needs_start_up(workspace)
        assert drive(start_up(workspace)) == [REBUILT]
        assert not needs_start_up(workspace)


def test_a_folder_that_can_be_read_is_left_alone(filled: Path) -> None:
    index = VectorIndex(filled / "index")
    before = (filled / "index" / "chroma.sqlite3").stat().st_ino
    (name,) = index.collection_names()
    assert index.count(IndexPlace(name)) > 0
    assert not index.was_reset
    index.close()
    assert (filled / "index" / "chroma.sqlite3").stat().st_ino == before
