"""A folder of YAML files carries prompts, for version control."""

import shutil
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.prompts.files import export_prompts, import_prompts
from rag.prompts.registry import (
    find_prompt,
    move_label,
    save_prompt,
)
from rag.prompts.rows import list_prompt_versions, list_prompts
from rag.storage.database import Database
from rag.storage.store import Store
from rag.workspace import Workspace

USER = "{% for p in passages %}{{ p.text }}\n{% endfor %}Question: {{ question }}"


def fill(store: Store) -> None:
    save_prompt(store, "qa", "Line one\nLine “two”", USER, message="Start", author="ada", notes="n: 1")
    save_prompt(store, "qa", "ends in a space \nhere: yes\n\tand a tab", USER, author="ada")
    move_label(store, "qa", "staging", 1)


def test_a_folder_carries_prompts_with_their_fingerprints_and_is_stable(
    store: Store, database: Database, tmp_path: Path
) -> None:
    fill(store)
    first = export_prompts(database, tmp_path / "a")
    assert [path.name for path in first] == ["default.yaml", "qa.yaml"]
    data = first[1].read_bytes()
    assert b"\r" not in data
    assert b"  system: |-\n    Line one\n" in data
    other = tmp_path / "other"
    other.mkdir()
    with Workspace(other) as opened:
        report = import_prompts(opened.store, tmp_path / "a")
        assert (report.versions_added, report.versions_same, report.problems) == (2, 1, ())
        assert report.moved == ("qa@staging",)
        theirs, ours = list_prompt_versions(opened.database, "qa"), list_prompt_versions(database, "qa")
        assert [(v.number, v.fingerprint, v.author, v.message) for v in theirs] == [
            (v.number, v.fingerprint, v.author, v.message) for v in ours
        ]
        export_prompts(opened.database, tmp_path / "b")
        again = import_prompts(opened.store, tmp_path / "b")
        assert (again.versions_added, again.moved) == (0, ())
    assert (tmp_path / "b" / "qa.yaml").read_bytes() == data


def test_an_edited_file_is_a_new_version(store: Store, database: Database, tmp_path: Path) -> None:
    fill(store)
    export_prompts(database, tmp_path)
    path = tmp_path / "qa.yaml"
    path.write_text(path.read_text("utf-8").replace("here: yes", "here: no").replace("\n", "\r\n"), "utf-8")
    report = import_prompts(store, tmp_path, author="eve")
    assert (report.versions_added, report.problems) == (1, ())
    newest = list_prompt_versions(database, "qa")[0]
    assert (newest.number, newest.author) == (3, "eve")
    assert newest.message.startswith("Edited in its file")
    assert "here: no" in newest.system
    assert import_prompts(store, tmp_path).versions_added == 0  # the same edit again


def test_labels_move_only_when_asked(store: Store, database: Database, tmp_path: Path) -> None:
    fill(store)
    export_prompts(database, tmp_path)
    move_label(store, "qa", "staging", 2)
    assert import_prompts(store, tmp_path).moved == ()
    assert import_prompts(store, tmp_path, move_labels=True).moved == ("qa@staging",)
    assert find_prompt(store, "qa@staging").version == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "cannot be read"),
        ("name: x\n", "versions: Field required"),
        ("name: x\nversions: [{number: 1, user: u, extra: 1}]\n", "versions.0.extra"),
        ("name: x\nversions: [{number: 1, user: u}, {number: 1, user: v}]\n", "same number"),
        ("name: ../x\nversions: [{number: 1, user: u}]\n", "cannot be the name"),
        ("name: x\nlabels: {a: 3}\nversions: [{number: 1, user: u}]\n", "points to version 3"),
        ("name: x\nversions: [{number: 1, user: '{% if %}'}]\n", "not a template"),
        ("a: &a {number: 1, user: u}\nname: x\nversions: [*a]\n", "aliases"),
        ("!!python/object/apply:os.getcwd []\n", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named_and_the_others_come_in(
    store: Store, database: Database, tmp_path: Path, text: str, message: str
) -> None:
    fill(store)
    export_prompts(database, tmp_path)
    shutil.copy(tmp_path / "qa.yaml", tmp_path / "z.yaml")
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    report = import_prompts(store, tmp_path)
    assert report.prompts == 3
    (problem,) = report.problems
    assert problem.startswith("bad.yaml: ")
    assert message in problem
    assert "x" not in {row.name for row in list_prompts(database)}


def test_a_folder_without_files_or_that_cannot_be_written_is_refused(
    store: Store, database: Database, tmp_path: Path
) -> None:
    with pytest.raises(RagError, match="There is no"):
        import_prompts(store, tmp_path)
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(RagError, match="cannot be written"):
        export_prompts(database, tmp_path / "file")
