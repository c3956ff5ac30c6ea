"""Records of other programs are read the same from JSON Lines and from a table, and bad ones are named."""

from pathlib import Path

import pytest

from rag.evaluation.formats.entries import Options, Problem
from rag.evaluation.formats.records import read_records


def test_a_table_gives_the_same_records_as_json_lines(tmp_path: Path) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    lines.write_text('{"question": "Why?", "contexts": ["one", "two"]}\n', "utf-8")
    table.write_text("question,contexts\nWhy?,\"['one', 'two']\"\n", "utf-8")
    (from_lines,), (from_table,) = (list(read_records(path, Options())) for path in (lines, table))
    assert from_lines[1] == {"question": "Why?", "contexts": ["one", "two"]}
    assert from_table == ("line 2", from_lines[1])


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_a_bad_row_is_named_and_the_next_one_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("question;id\nWhy?;1;too much\nHow?;2\n", "utf-8")
    (_, bad), (place, good) = read_records(path, Options())
    assert isinstance(bad, Problem)
    assert "3 cells under 2 headers" in bad.message
    assert (place, good) == ("line 3", {"question": "How?", "id": "2"})
