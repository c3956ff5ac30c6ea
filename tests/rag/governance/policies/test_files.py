"""Policies as files: what is exported can be imported, and a file that is wrong is left out with a sentence."""

from pathlib import Path

import pytest

from rag.errors import NotFoundError, RagError
from rag.governance.policies.files import export_policies, import_policies
from rag.governance.policies.registry import delete_policy, save_policy
from rag.guardrails.policies.rows import list_policies, list_policy_versions
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


def test_all_policies_are_written_or_the_one_that_is_named(
    workspace: Workspace, exported: Path, tmp_path: Path
) -> None:
    rule = {"check": "citation", "where": "answer", "action": "note"}
    save_policy(workspace.store, workspace.database, "Inside", [rule], message="Two\nlines", author="ann")
    written = export_policies(workspace.database, tmp_path / "all")
    assert [path.relative_to(tmp_path / "all").as_posix() for path in written] == [
        "Inside/1.yaml", "Outside/2.yaml", "Outside/1.yaml",
    ]  # fmt: skip
    assert written[0].read_text("utf-8").splitlines()[:3] == ["# Two", "# lines (ann)", "rules:"]
    assert len(export_policies(workspace.database, tmp_path / "one", "Inside")) == 1
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["Inside"]
    with pytest.raises(NotFoundError, match="no policy named “Nobody”"):
        export_policies(workspace.database, tmp_path / "none", "Nobody")
    assert not (tmp_path / "none").exists()


def test_what_was_written_before_is_written_over(workspace: Workspace, exported: Path) -> None:
    path = exported / "Outside" / "1.yaml"
    before = path.read_text("utf-8")
    path.write_text("spoiled", "utf-8")
    export_policies(workspace.database, exported)
    assert path.read_text("utf-8") == before


def test_each_file_that_is_wrong_is_named_and_the_others_are_taken(
    workspace: Workspace, exported: Path
) -> None:
    good = (exported / "Outside" / "1.yaml").read_text("utf-8").replace("most: 1", "most: 5")
    for name, content in (
        ("New/2.yml", good.encode()),
        ("New/1.yaml", b"\xff\xfe rules"),
        ("bad@name/1.yaml", good.encode()),
        ("outside/7.yaml", good.encode()),
        ("Empty/1.yaml", b""),
        ("New/notes.txt", b"rules: ["),
        ("New/1234567.yaml", b"rules: ["),
    ):
        (exported / name).parent.mkdir(exist_ok=True)
        (exported / name).write_bytes(content)
    (exported / "New" / "3.yaml").mkdir()
    found = import_policies(workspace.store, exported)
    assert (found.policies, found.versions_added, found.versions_same) == (2, 1, 2)
    said = " | ".join(sorted(found.problems))
    for part in (
        "Empty/1.yaml: 1.yaml needs a list of rules", "New/1.yaml: ", "New/3.yaml: ",
        "bad@name/1.yaml: “bad@name” cannot be the name of a policy",
        "outside/7.yaml: There already is a policy “Outside”",
    ):  # fmt: skip
        assert part in said
    assert len(found.problems) == 5
    (row,) = list_policy_versions(workspace.database, "New")
    assert (row.number, row.message, row.rules[0]["most"]) == (2, "From 2.yml", 5)


def test_the_next_version_comes_after_the_highest_that_was_imported(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "New").mkdir()
    for number in (12, 3):
        text = f"rules: [{{check: length, where: answer, action: warn, most: {number}}}]"
        (tmp_path / "New" / f"{number}.yaml").write_text(text, "utf-8")
    import_policies(workspace.store, tmp_path)
    rule = {"check": "length", "where": "answer", "action": "warn", "most": 1}
    assert save_policy(workspace.store, workspace.database, "New", [rule]).number == 13
    assert [row.number for row in list_policy_versions(workspace.database, "New")] == [13, 12, 3]


def test_a_policy_whose_files_are_all_wrong_is_not_made(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "New").mkdir()
    (tmp_path / "New" / "1.yaml").write_text("rules: [{check: telepathy}]", "utf-8")
    found = import_policies(workspace.store, tmp_path)
    assert (found.policies, found.versions_added, len(found.problems)) == (0, 0, 1)
    assert list_policies(workspace.database) == []
