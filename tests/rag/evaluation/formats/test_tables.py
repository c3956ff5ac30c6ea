"""Rows of tables: what cannot be read is named, and the next row is read."""

from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.formats.entries import Options, Problem
from rag.evaluation.formats.tables import csv_headers, guess_delimiter, read_rows, read_table


def table(folder: Path, text: str) -> Path:
    path = folder / "a.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ('"a;b",c\n"1;2",3\n', ","),
        ("a\tb, c\n1\t2, 3\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("alone\nWhat, when?\n", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_one_that_most_rows_agree_on(text: str, delimiter: str) -> None:
    assert guess_delimiter(text.splitlines(keepends=True)) == delimiter


def test_a_quote_that_never_ends_loses_its_own_row_alone(tmp_path: Path) -> None:
    found = list(read_rows(table(tmp_path, 'a,b\n"open,1\nnext,2\n\nlast,"two\nlines"\n')))
    assert [place for place, _ in found] == ["line 1", "line 2", "line 3", "line 5"]
    assert isinstance(found[1][1], Problem) and "not a row of a CSV" in found[1][1].message
    assert found[3][1] == ["last", "two\nlines"]


def test_cells_come_by_their_header(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufeff a ;b\n1;2\n3\n4;5;6\n")
    rows = list(read_table(path, Options()))
    assert rows[:2] == [("line 2", {"a": "1", "b": "2"}), ("line 3", {"a": "3"})]
    assert isinstance(rows[2][1], Problem) and "3 cells under 2 headers" in rows[2][1].message
    assert csv_headers(path) == ["a", "b"]


def test_headers_with_wrong_quotes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RagError, match=r"a\.csv, line 1: this is not a row of a CSV"):
        csv_headers(table(tmp_path, '"a"b,c\n1,2\n'))


def test_a_line_separator_inside_a_cell_ends_no_row(tmp_path: Path) -> None:
    rows = list(read_rows(table(tmp_path, "a,b\none\u2028two,3\n")))
    assert rows[1] == ("line 2", ["one\u2028two", "3"])
