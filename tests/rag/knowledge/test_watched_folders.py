"""Folders that a collection follows."""

import os
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive
from versions_of_a import log

from rag.errors import NotFoundError, RagError
from rag.knowledge.rows import (
    get_collection,
    list_documents,
    list_versions,
    list_watched_folders,
    look_up_version,
)
from rag.knowledge.watched_folders import (
    check_folders,
    find_watch,
    set_watching,
    signature,
    unwatch_folder,
    watch_folder,
)
from rag.workspace import Workspace


def check(workspace: Workspace, second: float, at_once: bool = False) -> list[int | None]:
    reports = drive(check_folders(workspace, at_once, now=lambda: second))
    return [report.version_number for report in reports]


def outcome(workspace: Workspace) -> str:
    return list_watched_folders(workspace.database)[0].outcome


def names(workspace: Workspace) -> set[str]:
    row = get_collection(workspace.database, "A")
    return {d.name for d in list_documents(workspace.database, row.active_version_id or 0)}


def test_changed_new_and_deleted_files_become_one_version_after_quiet(
    workspace: Workspace, documents: Path
) -> None:
    watch_folder(workspace, "A", str(documents), quiet_s=10)
    assert check(workspace, 100) == []
    assert "waiting for quiet" in outcome(workspace)
    assert check(workspace, 105) == []
    assert check(workspace, 111) == [1]
    assert check(workspace, 200) == []
    assert outcome(workspace) == "Nothing new"
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    (documents / "stars.txt").unlink()
    (documents / "new.txt").write_text("Rain falls in April.", "utf-8")
    assert check(workspace, 300) == []
    (documents / "new.txt").write_text("Rain falls in April and in May.", "utf-8")
    assert check(workspace, 309) == []  # it changed again: quiet begins anew
    assert check(workspace, 312) == []
    assert check(workspace, 320) == [2]
    assert names(workspace) == {"tides.txt", "bread.md", "new.txt"}
    row = look_up_version(workspace.database, "A", "2")
    assert (row.added_count, row.replaced_count, row.removed_count) == (1, 1, 1)
    assert row.message == "Added 1, replaced 1, removed 1"
    assert outcome(workspace) == "Version 2"


def test_touching_a_file_makes_no_version(workspace: Workspace, documents: Path) -> None:
    watch_folder(workspace, "A", str(documents), quiet_s=0)
    assert check(workspace, 1) == [1]
    (documents / "tides.txt").touch()
    assert check(workspace, 2) == []
    assert outcome(workspace) == "Nothing new"
    assert len(list_versions(workspace.database, 1)) == 1


def test_it_goes_on_after_a_restart_and_stops_when_paused(folder: Path, documents: Path) -> None:
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        watch_folder(workspace, "A", str(documents), quiet_s=10)
        check(workspace, 100)
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        assert check(workspace, 111) == [1]
        watch_id = find_watch(workspace, "A", str(documents))
        set_watching(workspace, watch_id, False)
        (documents / "stars.txt").unlink()
        assert check(workspace, 500, at_once=True) == []
        set_watching(workspace, watch_id, True)
        assert check(workspace, 600, at_once=True) == [2]
        unwatch_folder(workspace, watch_id)
        assert list_watched_folders(workspace.database) == []
        assert names(workspace) == {"tides.txt", "bread.md"}
        with pytest.raises(NotFoundError):
            set_watching(workspace, watch_id, True)
        with pytest.raises(NotFoundError):
            find_watch(workspace, "A", str(documents))


def test_a_folder_that_is_gone_removes_nothing(workspace: Workspace, documents: Path) -> None:
    watch_folder(workspace, "A", str(documents), quiet_s=0)
    check(workspace, 1)
    documents.rename(documents.with_name("unplugged"))
    assert check(workspace, 2) == []
    assert "does not exist" in outcome(workspace)
    assert len(names(workspace)) == 3
    documents.with_name("unplugged").rename(documents)
    assert check(workspace, 3) == []
    assert outcome(workspace) == "Nothing new"


def test_what_cannot_be_followed_is_refused(workspace: Workspace, documents: Path) -> None:
    with pytest.raises(RagError, match="not a readable folder"):
        watch_folder(workspace, "A", str(documents / "tides.txt"))
    with pytest.raises(RagError, match="data folder"):
        watch_folder(workspace, "A", str(workspace.folder.parent))
    with pytest.raises(RagError, match="quiet"):
        watch_folder(workspace, "A", str(documents), quiet_s=-1)
    watch_folder(workspace, "A", str(documents))
    with pytest.raises(RagError, match="already"):
        watch_folder(workspace, "A", str(documents))


def test_a_broken_file_is_told_and_the_others_come(workspace: Workspace, documents: Path) -> None:
    (documents / "broken.docx").write_bytes(b"PK no")
    watch_folder(workspace, "A", str(documents), quiet_s=0)
    assert check(workspace, 1) == [1]
    assert outcome(workspace) == "Version 1; 1 file could not be read"


# --- without a clock and without changes ------------------------------------------------------------------


def test_a_signature_changes_with_names_sizes_and_times_alone(documents: Path) -> None:
    before = signature(documents)
    assert signature(documents) == before
    (documents / ".hidden").write_text("x", "utf-8")
    (documents / "picture.png").write_bytes(b"x")
    assert signature(documents) == before  # what is not ingested does not count
    path = documents / "tides.txt"
    stat = path.stat()
    path.write_text(path.read_text("utf-8").replace("noon", "dawn"), "utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert signature(documents) == before
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    touched = signature(documents)
    assert touched != before
    path.rename(documents / "renamed.txt")
    assert signature(documents) not in (before, touched)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_what_a_link_leads_to_outside_of_the_folder_does_not_count(documents: Path, tmp_path: Path) -> None:
    before = signature(documents)
    (documents / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    (tmp_path / "elsewhere.txt").write_text("x", "utf-8")
    assert signature(documents) == before


def test_a_folder_is_followed_for_one_collection_once_and_for_another_too(
    ingested: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "followed"
    folder.mkdir()
    first = watch_folder(ingested, "A", str(folder), 5)
    second = watch_folder(ingested, "B", str(folder), 5)
    assert first != second
    assert find_watch(ingested, "B", str(folder)) == second
    with pytest.raises(RagError, match="already follows"):
        watch_folder(ingested, "A", f"{folder}/", 5)
    with pytest.raises(NotFoundError, match="Run `ragdeck watch list`"):
        find_watch(ingested, "A", str(tmp_path))
    assert ("folder watched", "A", str(folder)) in log(ingested)


@pytest.mark.parametrize("quiet_s", [-1, 86_401])
def test_the_quiet_time_is_at_most_a_day(ingested: Workspace, tmp_path: Path, quiet_s: int) -> None:
    (tmp_path / "followed").mkdir()
    with pytest.raises(RagError, match="0 to 86,400 seconds"):
        watch_folder(ingested, "A", str(tmp_path / "followed"), quiet_s)
    assert list_watched_folders(ingested.database) == []


def test_a_binding_that_was_removed_is_a_sentence(ingested: Workspace) -> None:
    for change in (lambda: set_watching(ingested, 9, True), lambda: unwatch_folder(ingested, 9)):
        with pytest.raises(NotFoundError, match="no longer followed"):
            change()


def test_a_check_at_once_waits_for_nothing_and_skips_what_is_paused(
    ingested: Workspace, documents: Path
) -> None:
    watch = watch_folder(ingested, "A", str(documents), quiet_s=3600)
    set_watching(ingested, watch, False)
    assert check(ingested, 1, at_once=True) == []
    set_watching(ingested, watch, True)
    assert check(ingested, 1) == []
    assert check(ingested, 1, at_once=True) == [2]
    assert check(ingested, 2, at_once=True) == []
    (row,) = list_watched_folders(ingested.database)
    assert (row.last_check_ms, row.last_change_ms) == (2000, 1000)
    actions = [action for action, *_ in log(ingested)]
    assert actions.index("watching paused") < actions.index("watching resumed")


def test_one_folder_that_is_gone_does_not_stop_the_others(
    ingested: Workspace, documents: Path, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    watch_folder(ingested, "A", str(tmp_path / "gone"), 0)
    watch_folder(ingested, "B", str(documents), 0)
    (tmp_path / "gone").rmdir()
    assert check(ingested, 1) == [1]
    outcomes = {row.collection: row.outcome for row in list_watched_folders(ingested.database)}
    assert outcomes["B"] == "Version 1"
    assert outcomes["A"].startswith("The folder does not exist.")


def test_a_folder_that_is_forgotten_during_its_check_is_forgotten(
    ingested: Workspace, documents: Path
) -> None:
    watch = watch_folder(ingested, "A", str(documents), 0)
    events = check_folders(ingested, at_once=True, now=lambda: 1)
    next(events)
    unwatch_folder(ingested, watch)
    assert [report.version_number for report in drive(events)] == [2]
    assert list_watched_folders(ingested.database) == []


@pytest.mark.skipif(os.name == "nt", reason="names are bytes only on POSIX")
def test_a_folder_whose_name_is_no_utf_8_is_followed(workspace: Workspace, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    (folder / "menu.txt").write_text("Soup and bread.", "utf-8")
    watch_folder(workspace, "A", str(folder))
    assert check(workspace, 1, at_once=True) == [1]
    (folder / "menu.txt").unlink()
    assert check(workspace, 2, at_once=True) == [2]
    unwatch_folder(workspace, find_watch(workspace, "A", str(folder)))
