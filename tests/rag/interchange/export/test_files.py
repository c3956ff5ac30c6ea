"""A file of traces is whole or not there, and says the same in both of its forms."""

from pathlib import Path

import pytest
from exported_traces import add_trace

from rag.errors import RagError
from rag.interchange.export.files import export_file, lines, write_file
from rag.interchange.export.hiding import REDACTED, Hiding
from rag.interchange.import_traces import read_file
from rag.workspace import Workspace

ONE, TWO = "11" * 16, "22" * 16


@pytest.fixture
def traced(workspace: Workspace) -> Workspace:
    add_trace(workspace, ONE)
    add_trace(workspace, TWO)
    return workspace


def test_both_forms_hold_the_same_spans(traced: Workspace, tmp_path: Path) -> None:
    found = []
    for name in ("a.json", "a.JSONL"):
        count = export_file(traced, [ONE, TWO], tmp_path / name)
        spans = read_file(tmp_path / name).spans
        assert len(spans) == count == 16
        found.append(sorted(spans, key=lambda span: span.span_id))
    assert found[0] == found[1]


def test_what_the_settings_hide_is_in_no_file(traced: Workspace, tmp_path: Path) -> None:
    traced.change_settings({"export": {"hide_inputs": True}})
    export_file(traced, [ONE], tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text("utf-8")
    assert REDACTED in text and "How high" not in text


def test_a_trace_that_is_not_there_leaves_no_file_and_the_old_one_as_it_was(
    traced: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old", "utf-8")
    with pytest.raises(RagError, match="There is no trace"):
        write_file(traced.store, traced.database, [ONE, "f" * 32], path, Hiding())
    assert path.read_text("utf-8") == "old" and [p.name for p in tmp_path.glob("a*")] == ["a.jsonl"]


def test_lines_are_one_for_each_trace(traced: Workspace) -> None:
    written = list(lines(traced.store, traced.database, [TWO, ONE], Hiding()))
    assert [TWO in line for line in written] == [True, False] and all(line.endswith("\n") for line in written)


def test_the_name_of_a_file_says_its_form_and_another_is_refused(traced: Workspace, tmp_path: Path) -> None:
    for name in ("a.txt", "a", "a.json.gz", ".json"):
        with pytest.raises(RagError, match=r"must end with \.json or \.jsonl\."):
            export_file(traced, [ONE], tmp_path / name)
    with pytest.raises(RagError, match=r"nowhere.a\.json cannot be written \(No such file or directory\)\.$"):
        export_file(traced, [ONE], tmp_path / "nowhere" / "a.json")
    (tmp_path / "b.json").mkdir()
    with pytest.raises(RagError, match="cannot be written"):
        export_file(traced, [ONE], tmp_path / "b.json")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "data") == ["b.json"]


def test_no_trace_is_an_empty_file_of_its_form(traced: Workspace, tmp_path: Path) -> None:
    assert export_file(traced, [], tmp_path / "a.jsonl") == 0
    assert (tmp_path / "a.jsonl").read_text("utf-8") == ""
    assert export_file(traced, [], tmp_path / "a.json") == 0
    with pytest.raises(RagError, match="holds no span"):
        read_file(tmp_path / "a.json")


def test_a_file_is_the_same_each_time_and_traces_come_in_the_order_that_was_asked(
    traced: Workspace, tmp_path: Path
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        export_file(traced, [TWO, ONE], tmp_path / name)
    text = (tmp_path / "a.jsonl").read_bytes()
    assert text == (tmp_path / "b.jsonl").read_bytes() and b"\r" not in text
    assert [TWO.encode() in line for line in text.splitlines()] == [True, False]
