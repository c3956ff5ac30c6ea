"""What is due at a start and once a day is done, and a folder that is not there keeps nobody from starting."""

from pathlib import Path

from data_folders import insert
from fakes import drive

from rag.governance.upkeep import keep_up
from rag.start_up import needs_start_up, start_up
from rag.workspace import Workspace


def test_nothing_is_done_unless_a_setting_says_so(workspace: Workspace) -> None:
    assert drive(keep_up(workspace)) == []


def test_a_start_removes_what_is_old_and_writes_a_head(workspace: Workspace, tmp_path: Path) -> None:
    insert(workspace, "cachedanswer", question_key="old", trace_id="t", created_ms=1)
    heads = tmp_path / "heads"
    workspace.change_settings({"governance": {"cached_answers_days": 1, "head_folder": str(heads)}})
    assert needs_start_up(workspace)
    assert drive(start_up(workspace)) == ["Removed what was kept long enough: 1 cached answer."]
    assert len(list(heads.glob("*.json"))) == 1
    assert not needs_start_up(workspace)
    assert drive(start_up(workspace)) == []
    assert len(list(heads.glob("*.json"))) == 1


def test_a_folder_for_heads_that_is_not_there_is_told_of(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    workspace.change_settings({"governance": {"head_folder": str(tmp_path / "file")}})
    (said,) = drive(keep_up(workspace))
    assert "cannot be written to" in said
