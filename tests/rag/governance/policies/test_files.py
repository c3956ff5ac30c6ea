"""Policies as files: what is exported can be imported, and a file that is wrong is left out with a sentence."""

from pathlib import Path

import pytest

from rag.errors import RagError
from rag.governance.policies.files import export_policies, import_policies
from rag.governance.policies.registry import delete_policy, save_policy
from rag.guardrails.policies.rows import list_policy_versions
from rag.workspace import Workspace


@pytest.fixture
def exported(workspace: Workspace, tmp_path: Path) -> Path:
    for most in (1, 2):
        rule = {"check": "length", "where": "answer", "action": "warn", "most": most}
        save_policy(workspace.store, workspace.database, "Outside", [rule], message=f"Most {most}")
    export_policies(workspace.database, tmp_path / "files")
    return tmp_path / "files"


def test_exported_versions_are_known_and_deleted_ones_come_back(workspace: Workspace, exported: Path) -> None:
    before = list_policy_versions(workspace.database, "Outside")
    found = import_policies(workspace.store, exported)
    assert (found.policies, found.versions_added, found.versions_same) == (1, 0, 2)
    delete_policy(workspace.store, "Outside")
    assert import_policies(workspace.store, exported).sentence() == (
        "Imported 2 versions of 1 policy; 0 were already here."
    )
    after = list_policy_versions(workspace.database, "Outside")
    assert [(v.number, v.fingerprint) for v in after] == [(v.number, v.fingerprint) for v in before]


def test_a_version_never_changes_and_a_wrong_file_is_left_out(workspace: Workspace, exported: Path) -> None:
    changed = exported / "Outside" / "1.yaml"
    changed.write_text(changed.read_text("utf-8").replace("most: 1", "most: 7"), "utf-8")
    (exported / "Outside" / "3.yaml").write_text("rules: [{check: telepathy}]", "utf-8")
    found = import_policies(workspace.store, exported)
    assert found.versions_added == 0
    assert "it never changes" in found.problems[0]
    assert "Outside/3.yaml" in found.problems[1] and "“telepathy” is not known" in found.problems[1]


def test_a_folder_without_policies_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="holds no policy"):
        import_policies(workspace.store, tmp_path)
    with pytest.raises(RagError, match="is not a folder"):
        import_policies(workspace.store, tmp_path / "no")


def test_a_policy_that_cannot_be_written_is_a_sentence(workspace: Workspace, exported: Path) -> None:
    (exported / "file").write_text("x", "utf-8")
    with pytest.raises(RagError, match="cannot be written"):
        export_policies(workspace.database, exported / "file", "Outside")
