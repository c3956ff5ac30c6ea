"""What an opened data folder needs: interrupted work is finished, and missing models are named."""

from pathlib import Path

from fakes import drive

from rag.governance.erasure import erase_document
from rag.knowledge.ingest import ingest_files
from rag.start_up import check_starters, needs_start_up, start_up
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


def test_the_starters_of_this_environment_are_as_they_should_be() -> None:
    assert check_starters() == []
