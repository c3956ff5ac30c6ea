"""What an opened data folder needs: interrupted work is finished, and missing models are named."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from agent_spans import handoff
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.governance.erasure import erase_document
from rag.interchange.receiving import receive
from rag.knowledge.ingest import ingest_files
from rag.settings import Settings
from rag.start_up import check_folder, check_starters, needs_start_up, put_settings_aside, start_up
from rag.workspace import Workspace


def test_a_folder_that_was_closed_in_order_needs_nothing(workspace: Workspace, documents: Path) -> None:
    assert not needs_start_up(workspace)
    drive(ingest_files(workspace, "A", [documents]))
    assert not needs_start_up(workspace)
    assert drive(start_up(workspace)) == []


def test_an_index_that_is_behind_is_brought_in_line(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE collection SET index_version_id = NULL")
    assert needs_start_up(workspace)
    drive(start_up(workspace))
    assert not needs_start_up(workspace)


def test_an_erasure_whose_index_is_whole_again_still_needs_its_end(
    workspace: Workspace, documents: Path
) -> None:
    """The command line looked at the indexes alone, and left the bytes of the document in the file."""
    drive(ingest_files(workspace, "A", [documents]))
    for event in (events := erase_document(workspace, "A", "tides.txt")):
        if event.stage == "rewriting":
            break
    events.close()
    assert needs_start_up(workspace)
    (notice,) = drive(start_up(workspace))
    assert "An erasure was interrupted." in notice
    assert not needs_start_up(workspace)


def test_steps_that_an_older_version_did_not_read_are_read(workspace: Workspace) -> None:
    receive(workspace.store, handoff())
    assert not needs_start_up(workspace)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE trace SET step_count = NULL")
    assert needs_start_up(workspace)
    assert drive(start_up(workspace)) == [] and not needs_start_up(workspace)


def test_the_starters_of_this_environment_are_as_they_should_be() -> None:
    assert check_starters() == []


# --- what `doctor` says of a folder -----------------------------------------------------------------------


@pytest.fixture
def closed(folder: Path, documents: Path) -> Path:
    """A data folder with a collection that no process has open."""
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    return folder


def said_of(folder: Path) -> dict[str, str]:
    """Return what is not well in a folder, and assert that looking changes nothing."""
    before = content_of(folder)
    found = {check.name: check.detail for check in check_folder(folder) if not check.ok}
    assert content_of(folder) == before
    return found


def content_of(folder: Path) -> dict[str, bytes]:
    names = ("ragdeck.sqlite", "settings.toml")  # Chroma writes whenever it opens its folder
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def test_a_whole_folder_and_an_empty_one_are_well(closed: Path, tmp_path: Path) -> None:
    assert said_of(closed) == {}
    (tmp_path / "new").mkdir()
    assert said_of(tmp_path / "new") == {}


@pytest.mark.parametrize("beginning", [b"not a database at all", b""])
def test_a_destroyed_database_is_not_well_and_the_repair_is_named(closed: Path, beginning: bytes) -> None:
    database = closed / "ragdeck.sqlite"
    (closed / "ragdeck.before-9.sqlite").write_bytes(database.read_bytes())
    content = database.read_bytes()
    middle = len(content) // 2 if not beginning else 0
    database.write_bytes(content[:middle] + (beginning or b"\xa5" * 40_000) + content[middle + 40_000 :])
    detail = said_of(closed)["database"]
    assert "is damaged" in detail
    assert "`ragdeck restore FILE`" in detail
    assert detail.endswith("ragdeck.before-9.sqlite.")


def test_a_file_of_a_newer_program_is_not_called_damaged(closed: Path) -> None:
    with closing(sqlite3.connect(closed / "ragdeck.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "newer Ragdeck" in said_of(closed)["database"]


def test_a_file_that_another_program_holds_is_not_called_damaged(closed: Path) -> None:
    with closing(sqlite3.connect(closed / "ragdeck.sqlite", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        checks = {check.name: check for check in check_folder(closed, patience_s=0)}
        assert not checks["database"].ok
        assert "in use by another program" in checks["database"].detail
        assert "nothing is damaged" in checks["database"].detail


def test_an_index_that_lacks_texts_or_cannot_be_read_is_not_well(closed: Path) -> None:
    with closing(sqlite3.connect(closed / "ragdeck.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE datasetversion SET text_count = text_count + 1")
    assert "“A”: it has 3 of 4 texts" in said_of(closed)["index"]
    (closed / "index" / "chroma.sqlite3").write_bytes(b"no database" * 1000)
    assert "“A”: it cannot be read" in said_of(closed)["index"]
    assert "doctor --repair" in said_of(closed)["index"]


def test_models_that_are_named_and_gone_are_not_well(closed: Path) -> None:
    Settings().changed("models", "active", "/nowhere/a.gguf").save(closed / "settings.toml")
    assert "/nowhere/a.gguf: not there" in said_of(closed)["models"]


def test_settings_that_cannot_be_read_are_not_well_and_are_put_aside(closed: Path) -> None:
    assert put_settings_aside(closed) == ""
    (closed / "settings.toml").write_text("max_tokens = 3", "utf-8")
    assert "belongs below [chunking]" in said_of(closed)["settings"]
    assert "The defaults are used now." in put_settings_aside(closed)
    assert said_of(closed) == {}
    assert len(list(closed.glob("settings.toml.2*"))) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps people's folders apart itself")
def test_a_folder_that_others_can_read_is_not_well_and_the_next_start_closes_it(closed: Path) -> None:
    def privacy() -> tuple[bool, str]:
        return next((one.ok, one.detail) for one in check_folder(closed) if one.name == "privacy")

    assert privacy() == (True, "nobody else on this computer can read the data folder")
    closed.chmod(0o755)
    (closed / "settings.toml").touch()
    (closed / "settings.toml").chmod(0o644)
    ok, detail = privacy()
    assert not ok
    assert detail.startswith(f"other people on this computer can read {closed} and 1 more.")
    with Workspace(closed, "a test", embedder=FakeEmbedder()):
        pass
    assert privacy()[0]
