"""Sources: rows are found by their keys, their hashes change with them, and keys of statements differ."""

from pathlib import Path

import pytest

from rag.errors import NotFoundError
from rag.finding.rows import Kind
from rag.governance.report.headings import AI_ACT, HEADINGS, ISO, NIST
from rag.governance.report.making import SECTIONS
from rag.governance.report.rows import Report, Statement
from rag.governance.report.sources import Book, distinct, row_sha256, selected, stored_row, table_row
from rag.storage.data_folder import DATABASE
from rag.storage.database import Database


@pytest.fixture
def database(stored_quarter: Path) -> Database:
    return Database(stored_quarter / DATABASE)


def test_a_row_is_read_once_and_named_the_same_in_every_report(database: Database) -> None:
    book = Book(database)
    assert book.cite("evaluationrun", id=1) == book.cite("evaluationrun", id=1) == "evaluationrun:1"
    assert list(book.sources) == ["evaluationrun:1"]
    source = book.sources["evaluationrun:1"]
    assert source.title == "run 1" and source.command == "ragdeck runs show 1"
    assert source.place is not None and source.place.kind is Kind.RUN
    assert source.row_sha256 == row_sha256(stored_row(database, "evaluationrun", {"id": 1}) or {})


def test_a_row_that_is_not_stored_cannot_be_cited(database: Database) -> None:
    with pytest.raises(NotFoundError, match="has no evaluationrun"):
        Book(database).cite("evaluationrun", id=99)


@pytest.mark.parametrize(
    ("table", "keys"), [("nothing", {"id": 1}), ("trace", {"x": 1}), ("trace", {}), ('a"b', {"id": 1})]
)
def test_a_table_or_column_that_is_not_there_is_refused(
    database: Database, table: str, keys: dict[str, int]
) -> None:
    with pytest.raises(NotFoundError, match="has no table"):
        stored_row(database, table, keys)  # type: ignore[arg-type]


def test_the_hash_of_a_row_depends_on_each_value_and_not_on_the_order() -> None:
    row = {"id": 1, "text": "a", "vector": b"\x00\xff", "nothing": None}
    assert row_sha256(row) == row_sha256(dict(reversed(row.items())))
    for name in row:
        assert row_sha256({**row, name: "other"}) != row_sha256(row)


def test_places_of_a_report_open_what_they_name(report: Report) -> None:
    kinds = {source.table: source.place.kind for source in report.sources if source.place}
    assert kinds == {
        "trace": Kind.TRACE, "feedback": Kind.TRACE, "flagopinion": Kind.TRACE, "review": Kind.TRACE,
        "cost": Kind.TRACE, "evaluationrun": Kind.RUN, "evaluationgate": Kind.RUN, "resultverdict": Kind.RUN,
        "evaluationsetversion": Kind.SET, "datasetversion": Kind.VERSION, "document": Kind.DOCUMENT,
        "promptversion": Kind.PROMPT_VERSION, "pipelineversion": Kind.PIPELINE_VERSION, "rollout": Kind.ROLLOUT,
    }  # fmt: skip


def test_a_selection_names_all_rows_whatever_their_order() -> None:
    assert selected("trace", ["b", "a"]) == selected("trace", ["a", "b"])
    assert selected("trace", ["a", "b"]) != selected("trace", ["a", "c"])
    assert selected("trace", ["a", "b"]).count == 2


def test_a_row_of_a_table_reads_as_a_sentence_of_its_columns() -> None:
    assert table_row("k", ("A", "B", "C"), ("1", "", "3"), ("x:1",)).text == "A: 1; C: 3"
    assert table_row("k", ("A",), ("1",), ("x:1",), "One.", figure=1).text == "One."


def test_keys_that_come_twice_are_numbered_in_their_order() -> None:
    made = distinct(Statement("k", text, ("x:1",)) for text in ("newest", "older", "oldest"))
    assert [(one.key, one.text) for one in made] == [("k", "newest"), ("k#2", "older"), ("k#3", "oldest")]


def test_every_section_has_headings_of_three_frameworks(report: Report) -> None:
    assert {section.key for section in report.sections} == HEADINGS.keys()
    assert len(HEADINGS) == len(SECTIONS)
    for section in report.sections:
        assert [name for name, _ in section.headings] == [AI_ACT, ISO, NIST]
        assert all(text for _, text in section.headings)
