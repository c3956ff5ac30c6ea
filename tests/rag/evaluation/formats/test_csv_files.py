"""CSV as spreadsheets write it: any delimiter, headers of other tools, several values in a cell."""

import csv
import io
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import read_cases, write_cases
from rag.evaluation.formats.csv_files import CSV_FIELDS, csv_headers
from tests.rag.evaluation.formats.examples import FULL, read_text_as, table


def test_csv_of_a_spreadsheet(tmp_path: Path) -> None:
    path = table(tmp_path)
    found = read_cases(path)
    assert [p.sentence() for p in found.problems] == [
        "line 4: question: String should have at least 1 character."
    ]
    first, second = found.cases
    assert first.references == ("eins", "zwei")
    assert (first.judgements[0].start, first.judgements[0].end, first.weight) == (4, 18, 2.0)
    assert second.should_refuse
    assert csv_headers(path)[0] == "Query"
    swapped = read_cases(path, columns={"question": "Answer", "references": "Query"}).cases
    assert swapped[0].question == "eins\nzwei"
    with pytest.raises(RagError, match="no column “Frage”"):
        read_cases(path, columns={"question": "Frage"})


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_recognised_by_the_first_line(tmp_path: Path, delimiter: str) -> None:
    text = f"question{delimiter}tags\nWhat{delimiter}hard\n"
    (case,) = read_text_as(tmp_path, "a.csv", text).cases
    assert (case.question, case.tags) == ("What", ("hard",))


def test_a_short_row_leaves_its_last_fields_empty(tmp_path: Path) -> None:
    (case,) = read_text_as(tmp_path, "a.csv", "question,answer,tags\nWhat,yes\n").cases
    assert (case.references, case.tags) == (("yes",), ())


def test_a_column_serves_one_field(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("question,answer\nq,a\n", "utf-8")
    (case,) = read_cases(path, columns={"tags": "answer"}).cases
    assert (case.tags, case.references) == (("a",), ())


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("question,weight\nq,much\n", "line 2", "not a number"),
        ("question\nWhat, when?\n", "line 2", "quote the delimiter"),
        ("question,unanswerable\nq,perhaps\n", "line 2", "neither true nor false"),
        ('question,answer\nq,"two\nlines"\n,a\n', "line 4", "question"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, place: str, message: str) -> None:
    found = read_text_as(tmp_path, "a.csv", text, "csv")
    assert found.problems[0].place == place
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "which column"),
        ('question\n"open\n', "not a row of a CSV"),
        ("", "which column"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        read_text_as(tmp_path, "a.csv", text, "csv")


def test_a_mapping_of_an_unknown_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RagError, match=r"no field colour\. Choose one of: key, question"):
        read_cases(table(tmp_path), columns={"colour": "Query"})


def test_an_empty_file_has_no_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n\n", "utf-8")
    assert csv_headers(path) == []


def test_values_of_a_cell_are_lines_and_places_are_in_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    case = Case(
        key="k",
        question="q",
        references=("one", "two"),
        judgements=(Judgement(document="a#b.txt", start=3, end=9), Judgement(quote="quoted")),
        should_refuse=True,
        tags=("x", "y"),
        weight=0.5,
        cluster="c",
    )
    assert write_cases([case], path, "csv") == ()
    assert csv_headers(path) == list(CSV_FIELDS)
    assert "a#b.txt#3-9" in path.read_text("utf-8")
    assert read_cases(path).cases[0].content == case.content


def test_grades_and_checks_are_reported_as_lost(tmp_path: Path) -> None:
    lost = write_cases([FULL], tmp_path / "a.csv", "csv")
    assert set(lost) == {"judgements (of 1 case)", "checks (of 1 case)"}


def test_a_file_for_a_spreadsheet_runs_nothing_and_comes_back(tmp_path: Path) -> None:
    case = Case(
        key="=key", question="=HYPERLINK(\"http://example.invalid\")", references=("-1", "'=x"), tags=("\ta", "@a"),
        judgements=(Judgement(document="+a.md"), Judgement(quote="\u00fcber")),
    )  # fmt: skip
    again = Case(key="b", question="'quoted' and größer", references=("'-x",), cluster="-c")
    assert write_cases([case, again], tmp_path / "a.csv", "csv") == ()
    written = (tmp_path / "a.csv").read_bytes()
    assert written.startswith(b"\xef\xbb\xbfkey,")
    rows = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
    starts = {cell[:1] for row in rows for cell in row if cell}
    assert not starts & set("=+-@\t\r\n")
    found = read_cases(tmp_path / "a.csv").cases
    assert [(c.key, c.question, c.references, c.tags, c.judgements, c.cluster) for c in found] == [
        (c.key, c.question, c.references, c.tags, c.judgements, c.cluster) for c in (case, again)
    ]
    write_cases([case], tmp_path / "a.csv", "csv", byte_order_mark=False)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"key,")
