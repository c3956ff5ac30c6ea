"""CSV as spreadsheets write it: any delimiter, headers of other tools, several values in a cell."""

import csv
import io
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.cases import Case, Check, Judgement
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
        ('question\n"open\n', "line 2", "not a row of a CSV"),
        ("question,references\nq,\"['open, 'x']\"\n", "line 2", "begins like a list and is none"),
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
        ('"open\n', "not a row of a CSV"),
        ("", "which column"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        read_text_as(tmp_path, "a.csv", text, "csv")


def test_a_row_with_wrong_quotes_does_not_stop_the_others(tmp_path: Path) -> None:
    text = (
        'question,expected_output,metadata\nOne,a,{"x":"y"}\nTwo,b,{"x":"y","page":2}\nWhat is "small"?,c\n'
        '"The "large" one?",d\nLast,e,\n'
    )
    found = read_text_as(tmp_path, "a.csv", text)
    assert [case.question for case in found.cases] == ["One", 'What is "small"?', "Last"]
    assert [problem.place for problem in found.problems] == ["line 3", "line 5"]


@pytest.mark.parametrize(
    "text",
    ['"question, as asked";answer\n"one, two; three";yes\n', "question;answer\nWho, when, why?;I, now\n"],
)
def test_the_delimiter_is_counted_outside_quotes_and_over_rows(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text.replace("question, as asked", "question"), "utf-8")
    (case,) = read_cases(path).cases
    assert "," in case.question and len(case.references) == 1


def test_a_delimiter_of_choice_is_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("question^answer\nWho?^I\n", "utf-8")
    with pytest.raises(RagError, match="which column"):
        read_cases(path)
    (case,) = read_cases(path, delimiter="^").cases
    assert (case.question, case.references) == ("Who?", ("I",))


def test_every_column_that_was_not_used_is_told_with_its_reason(tmp_path: Path) -> None:
    text = "id,question,expectedOutput,colour,empty\n1,One?,a,red,\n2,Two?,b,red, \n"
    found = read_text_as(tmp_path, "a.csv", text)
    assert [case.references for case in found.cases] == [("a",), ("b",)]
    (unused,) = found.unused
    assert (unused.name, unused.count, unused.places) == ("colour", 2, ("line 2", "line 3"))
    assert unused.sentence() == (
        "colour (2 times; line 2, line 3): not used, no field of a case is called so; map it with --column."
    )


def test_what_a_system_answered_and_retrieved_is_no_truth(tmp_path: Path) -> None:
    log = "question,answer,contexts,ground_truth\nWho?,the cook,\"['a', 'b']\",the baker\n"
    for name in ("", "csv", "ragas"):
        found = read_text_as(tmp_path, "log.csv", log, name)
        (case,) = found.cases
        assert (case.references, case.judgements) == (("the baker",), ())
        assert {one.name: one.why for one in found.unused} == {
            "answer": "it is what a system answered, not what is right",
            "contexts": "it is what a system retrieved, not what is relevant",
        }
    made = "question,contexts,ground_truth,evolution_type\nWho?,\"['a', 'b']\",the baker,simple\n"
    for name in ("csv", "ragas"):
        (case,) = read_text_as(tmp_path, "made.csv", made, name).cases
        assert [j.quote for j in case.judgements] == ["a", "b"], "a test set was made from its contexts"
    (plain,) = read_text_as(tmp_path, "plain.csv", "question,answer\nWho?,the baker\n").cases
    assert plain.references == ("the baker",), "without a log the answer is what is right"


def test_assertions_of_promptfoo_in_a_table_of_cases_are_checks(tmp_path: Path) -> None:
    text = "question,__expected\nWho?,contains: baker\n"
    for name in ("", "csv", "promptfoo"):
        (case,) = read_text_as(tmp_path, "a.csv", text, name).cases
        assert case.checks == (Check(type="contains", value="baker"),)


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
