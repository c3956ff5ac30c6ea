"""Sources: rows are found by their keys, their hashes change with them, and keys of statements differ."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import NotFoundError
from rag.finding.rows import Kind
from rag.governance.report.headings import AI_ACT, HEADINGS, ISO, NIST
from rag.governance.report.making import SECTIONS
from rag.governance.report.rows import Block, Gap, Report, Statement
from rag.governance.report.sources import (
    Book,
    counting,
    distinct,
    row_sha256,
    section,
    selected,
    stored_row,
    table_row,
)
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
    assert {one.key for one in report.sections} == HEADINGS.keys()
    assert len(HEADINGS) == len(SECTIONS)
    for one in report.sections:
        assert [name for name, _ in one.headings] == [AI_ACT, ISO, NIST]
        assert all(text for _, text in one.headings)


@pytest.mark.parametrize(
    ("source_id", "title", "command"),
    [
        ("trace:" + "0" * 32, "trace 00000000", "ragdeck traces show " + "0" * 32),
        ("evaluationrun:1", "run 1", "ragdeck runs show 1"),
        ("evaluationgate:1", "gate decision 1", "ragdeck runs show 1"),
        ("resultverdict:1", "verdict on result 1", "ragdeck runs show 1"),
        ("evaluationsetversion:1", "set questions version 1", "ragdeck sets show questions"),
        ("datasetversion:1", "A version 1", "ragdeck versions -c A"),
        ("promptversion:1", "default version 1", "ragdeck prompts show default --version 1"),
        ("pipelineversion:1", "answers version 1", "ragdeck pipelines show answers --version 1"),
        ("rollout:1", "roll-out 1", "ragdeck rollout status 1"),
        ("erasure:1", "erasure 1", ""),
        ("endpointchange:1", "change of an endpoint 1", ""),
        ("pipelinelabelmove:1", "label move 1", ""),
        ("review:1,mira", "review by mira of trace 00000000", "ragdeck traces show " + "0" * 32),
        (f"feedback:{'0' * 32},mira", "feedback of trace 00000000", "ragdeck traces show " + "0" * 32),
        (f"cost:{'0' * 32},answering", "cost of answering of trace 00000000", "ragdeck traces show " + "0" * 32),
        (f"flagopinion:{'0' * 32},0", "verdict on a flag of trace 00000000", "ragdeck traces show " + "0" * 32),
    ],
)  # fmt: skip
def test_a_source_has_a_name_for_people_and_a_command_that_shows_it(
    report: Report, source_id: str, title: str, command: str
) -> None:
    (source,) = [one for one in report.sources if one.id == source_id]
    assert (source.title, source.command) == (title, command)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": None}, False),
        ({"a": ""}, {"a": None}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": b"\x00\xff"}, {"a": b"\x00\xfe"}, False),
        ({"a": b""}, {"a": ""}, True),  # the columns of a table have one type each
        ({"a": "é"}, {"a": "e\u0301"}, False),
        ({"a": "x", "b": "y"}, {"b": "y", "a": "x"}, True),
        ({"a": "x", "b": "y"}, {"a": "y", "b": "x"}, False),
        ({"a": 0.1 + 0.2}, {"a": 0.3}, False),
    ],
)
def test_rows_that_differ_in_anything_have_other_hashes(
    one: dict[str, object], other: dict[str, object], same: bool
) -> None:
    assert (row_sha256(one) == row_sha256(other)) == same


@given(st.dictionaries(st.text(max_size=4), st.none() | st.integers() | st.text(max_size=4), max_size=4))
def test_a_hash_is_64_hex_digits_whatever_a_row_holds(row: dict[str, object]) -> None:
    assert len(bytes.fromhex(row_sha256(row))) == 32


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_selection_counts_every_id_and_knows_no_order(ids: list[str], chance: Random) -> None:
    mixed = ids.copy()
    chance.shuffle(mixed)
    assert selected("trace", mixed) == selected("trace", ids)
    assert selected("trace", [*ids, "one more"]).sha256 != selected("trace", ids).sha256
    assert selected("trace", ids).count == len(ids)


@pytest.mark.parametrize(
    ("columns", "cells", "text"),
    [
        (("A",), ("1",), "A: 1"),
        (("A", "B"), ("1", "2"), "A: 1; B: 2"),
        (("A", "B"), ("", "2"), "B: 2"),
        (("A", "B"), ("", ""), ""),
        (("A", "B"), ("0", "–"), "A: 0; B: –"),
    ],
)
def test_empty_cells_are_left_out_of_a_sentence(
    columns: tuple[str, ...], cells: tuple[str, ...], text: str
) -> None:
    made = table_row("k", columns, cells, ("x:1",))
    assert (made.text, made.cells) == (text, cells)


def test_a_row_with_a_cell_too_many_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="longer"):
        table_row("k", ("A",), ("1", "2"), ("x:1",))


@pytest.mark.parametrize(
    ("keys", "made"),
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("aba", ["a", "b", "a#2"]),
        ("aaa", ["a", "a#2", "a#3"]),
        ("abab", ["a", "b", "a#2", "b#2"]),
    ],
)
def test_keys_that_differ_stay_as_they_are(keys: str, made: list[str]) -> None:
    assert [one.key for one in distinct(Statement(key, key, ("x:1",)) for key in keys)] == made


def test_a_figure_names_the_first_and_the_last_of_the_rows_that_it_counts(database: Database) -> None:
    book = Book(database)
    ids = [f"{number:032x}" for number in (4, 2, 7)]
    made = counting(book, "k", "Three.", "trace", ids, questions=3)
    assert made.sources == (f"trace:{ids[0]}", f"trace:{ids[-1]}")
    assert made.selection == selected("trace", ids) and made.values == {"questions": 3}
    assert counting(book, "k", "One.", "trace", ids[:1]).sources == (f"trace:{ids[0]}",)


def test_blocks_that_say_nothing_are_left_out_of_a_section() -> None:
    empty, full = Block("Empty", ()), Block("Full", (Statement("k", "One.", ("x:1",)),))
    made = section("costs", "Costs", [empty, full], [Gap("costs.none", "None.")])
    assert made.blocks == (full,) and made.gaps == (Gap("costs.none", "None."),)
    assert made.headings == HEADINGS["costs"]
