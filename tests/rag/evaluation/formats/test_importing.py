"""Files come into a set whole or by their good entries, and what they would do is known before."""

from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation import sets
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import importing
from rag.evaluation.rows import list_set_versions, list_sets
from rag.workspace import Workspace


def test_files_come_in_whole_or_by_their_good_lines(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"question": "good", "documents": ["tides.txt"]}\nbad\n', "utf-8")
    done = importing.import_file(workspace, "new", path)
    assert (done.version, done.good) == (None, 1)
    assert [p.place for p in done.problems] == ["line 2"]
    assert list_sets(workspace.database) == []
    done = importing.import_file(workspace, "new", path, skip_bad=True)
    assert done.version is not None
    assert (done.version.case_count, len(done.problems)) == (1, 1)
    (found,) = sets.set_cases(workspace.database, "new")
    assert found.origin == "file:cases.jsonl"
    assert found.judgements == (Judgement(document="tides.txt"),)
    assert sets.export_set(workspace.database, "new", tmp_path / "out.csv", "csv") == ()
    again = importing.import_file(workspace, "new", tmp_path / "out.csv").version
    assert again is not None
    assert again.number == 1  # the same cases: no new version


def test_the_window_imports_a_file_with_its_problems(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("Frage,weight\nWer?,1\nWas?,viel\n", "utf-8")
    found = importing.import_cases(workspace, "new", str(path), {"question": "Frage"})
    assert (found.good, found.version) == (1, None)
    assert found.problems == ("line 3: weight is “viel”, not a number.",)
    found = importing.import_cases(workspace, "new", str(path), {"question": "Frage"}, skip_bad=True)
    assert (found.good, found.version) == (1, 1)


def test_a_plan_says_what_is_new_replaced_and_the_same(workspace: Workspace, tmp_path: Path) -> None:
    before = [Case(key="1", question="One?"), Case(key="2", question="Two?")]
    sets.ensure_set(workspace, "S")
    sets.change_set(workspace, "S", put=before)
    path = tmp_path / "cases.csv"
    path.write_text("id,question\n1,One?\n2,Another two?\n3,Three?\n", "utf-8")
    plan = importing.plan_import(workspace.database, "S", path)
    assert (plan.added_count, plan.same_count) == (1, 1)
    assert plan.replaced_sentence("S") == (
        "This replaces 1 case of “S” by their keys: 2 (“Two?” → “Another two?”)."
    )
    assert len(sets.set_cases(workspace.database, "S")) == 2, "nothing was stored"
    done = importing.store_import(workspace, "S", plan)
    assert done.version is not None and done.version.message.endswith(", 1 of them replaced")
    again = importing.plan_import(workspace.database, "S", path)
    assert (again.added_count, again.same_count, again.replaced_sentence("S")) == (0, 3, "")
    assert (
        importing.store_import(workspace, "S", again).version == list_set_versions(workspace.database, "S")[0]
    )


def test_a_preview_shows_the_first_rows_and_what_is_left(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("question,answer,colour\n" + "".join(f"Q{n}?,a|b,red\n" for n in range(9)), "utf-8")
    found = importing.preview_import(workspace.database, "S", str(path))
    assert (found.format_name, found.good, found.added, len(found.rows)) == ("csv", 9, 9, 5)
    assert found.headers == ("question", "answer", "colour")
    assert found.rows[0][1:3] == ("Q0?", "a|b")
    assert found.unused[0].startswith("colour (9 times; line 2, line 3, line 4): not used")
    path.write_text("a,b\n1,2\n", "utf-8")
    found = importing.preview_import(workspace.database, "S", str(path))
    assert found.good == 0 and "which column" in found.problems[0], "the columns can be chosen"
    with pytest.raises(RagError, match="does not exist"):
        importing.preview_import(workspace.database, "S", str(tmp_path / "none.jsonl"))
