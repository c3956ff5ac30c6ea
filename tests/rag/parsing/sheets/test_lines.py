"""Rows become lines that say what their cells are."""

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.parsing.account import Account
from rag.parsing.sheets.lines import Area, Sheet, cell_text, joined, row_lines


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Part", "Price"], ["Vane", 31.0], ["Bolt", 0.5]], ["Part | Price", "Part: Vane; Price: 31", "Part: Bolt; Price: 0.5"]),
        ([["Part", "Price"], ["Vane", None]], ["Part | Price", "Part: Vane"]),
        ([["Part", ""], ["Vane", "extra"]], ["Part", "Vane | extra"]),
        ([["Part", "Price"], ["Vane", 1, "more"]], ["Part | Price", "Part: Vane; Price: 1; more"]),
        ([["a", "a"], ["1", "2"]], ["a | a", "1 | 2"]),
        ([[1, 2], [3, 4]], ["1 | 2", "3 | 4"]),
        ([["Item", 2023, 2024], ["Bolt", 7, 8]], ["Item | 2023 | 2024", "Item: Bolt; 2023: 7; 2024: 8"]),
        ([["Item", 12, 13], ["Bolt", 7, 8]], ["Item | 12 | 13", "Bolt | 7 | 8"]),
        ([["Only", "one row"]], ["Only | one row"]),
        ([["Title"], ["", ""], ["A", "B"], ["1", "2"]], ["Title", "A | B", "A: 1; B: 2"]),
        ([], []),
        ([[None, ""], [" "]], []),
    ],
)  # fmt: skip
def test_cells_are_named_where_the_first_row_names_them(rows: list[list[Any]], expected: list[str]) -> None:
    assert list(row_lines(rows)) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (-2.5, "-2.5"),
        (1e20, "100000000000000000000"),
        (True, "True"),
        (datetime.datetime(2024, 5, 1), "2024-05-01"),
        (datetime.datetime(2024, 5, 1, 9, 30), "2024-05-01T09:30:00"),
        (datetime.date(2024, 5, 1), "2024-05-01"),
        (datetime.time(9, 30), "09:30:00"),
        (" two\n lines ", "two lines"),
    ],
)
def test_a_cell_is_written_as_people_write_it(value: Any, text: str) -> None:
    assert list(row_lines([[value, "x"]])) == [f"{text} | x"]


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.text(max_size=5), st.integers(), st.floats()), max_size=5),
        max_size=6,
    )
)
def test_no_filled_cell_is_lost_and_no_line_breaks(rows: list[list[Any]]) -> None:
    lines = list(row_lines(rows))
    assert all("\n" not in line and line for line in lines)
    joined = " ".join(lines)
    for row in rows:
        for value in row:
            if isinstance(value, int):
                assert str(value) in joined


def sheet(rows: list[list[str]], *areas: tuple[int, int, int, int]) -> list[str]:
    filled = {n: {c: text for c, text in enumerate(row) if text} for n, row in enumerate(rows)}
    return list(Sheet("Data", filled, [Area(*area) for area in areas]).lines())


def test_a_merged_area_gives_each_row_its_value() -> None:
    rows = [
        ["Store", "Article", "Pieces"],
        ["Harbour", "Bolt", "410"],
        ["", "Nut", "905"],
        ["Hill", "Bolt", "12"],
    ]
    assert sheet(rows, (1, 0, 2, 0))[2:] == [
        "Store: Harbour; Article: Nut; Pieces: 905",
        "Store: Hill; Article: Bolt; Pieces: 12",
    ]


DOUBLE = [
    ["Plant", "2023", "", "2024", ""],
    ["", "Plan", "Actual", "Plan", "Actual"],
    ["Brno", "20", "19", "22", "25"],
]
JOINED = "Plant: Brno; 2023 Plan: 20; 2023 Actual: 19; 2024 Plan: 22; 2024 Actual: 25"


def test_two_rows_of_a_heading_are_joined() -> None:
    assert sheet(DOUBLE, (0, 1, 0, 2), (0, 3, 0, 4), (0, 0, 1, 0)) == [
        "Plant | 2023 | 2024",
        "Plant | Plan | Actual | Plan | Actual",
        JOINED,
    ]
    assert sheet(DOUBLE)[-1] == JOINED  # as CSV has it


@pytest.mark.parametrize(
    "rows",
    [
        [["Part", "", "Price"], ["Bolt", "steel", "brass"], ["Nut", "tin", "lead"]],
        [["Name", "", "City"], ["Ann", "Lee", "Paris"], ["Bob", "Ray", "Oslo"]],
        [["Part", "Price"], ["Vane", "Vane"], ["Bolt", "7"]],
    ],
)
def test_a_row_of_words_is_not_taken_for_a_second_heading(rows: list[list[str]]) -> None:
    assert rows[1][0] in sheet(rows, (0, 0, 0, 1))[1]
    assert not any(f"{rows[0][0]} {rows[1][0]}" in line for line in sheet(rows))


def test_a_title_over_the_whole_width_stays_one_cell_and_a_heading_may_hold_a_merged_cell() -> None:
    rows = [["Price list", "", ""], ["Name", "", "City"], ["Ann", "Lee", "Paris"]]
    assert sheet(rows, (0, 0, 0, 2), (1, 0, 1, 1)) == [
        "Price list",
        "Name | City",
        "Name: Ann; Name: Lee; City: Paris",
    ]


def test_an_area_over_the_whole_sheet_fills_only_what_is_used() -> None:
    filled = {1: {1: "a", 2: "b"}, 1_048_576: {16_384: "far"}}
    made = Sheet("Data", filled, [Area(1, 1, 1_048_576, 16_384)] * 1000)
    assert list(made.lines()) == ["a | b", "far"]


def test_remarks_and_texts_stand_where_they_belong_and_a_remark_needs_no_cell() -> None:
    made = Sheet("Data", {1: {1: "a"}, 3: {1: "b"}}, remarks={1: ["first"], 2: ["second"]}, texts=["box"])
    assert list(made.lines()) == ["a", "first", "second", "b", "box"]


def test_the_name_of_a_column_is_repeated_only_in_part() -> None:
    lines = list(row_lines([["a", "b" * 5000], ["1", "2"]]))
    assert len(lines[0]) > 5000
    assert len(lines[1]) < 200


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4111111111111111.0, "4111111111111111"),
        (datetime.timedelta(hours=36, minutes=5), "36:05:00"),
        (1e300, "1E+300"),
        (None, ""),
    ],
)
def test_long_numbers_and_durations_are_written_in_full(value: Any, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize("amount", ["19%", "€1,250.00", "01.03.2025", "-5", "1.234,50"])
def test_a_row_with_amounts_is_no_heading(amount: str) -> None:
    assert list(row_lines([["Net", amount], ["Tax", "7"]])) == [f"Net | {amount}", "Tax | 7"]


def test_a_heading_below_an_empty_row_begins_another_table() -> None:
    rows = [
        ["Part", "Price"], ["Bolt", "7"], [], ["Nut", "9"], [],
        ["Staff"], ["Name", "Age"], ["Ann", "41"], [], ["Sum", "of all"], ["words", "alone"],
    ]  # fmt: skip
    assert sheet(rows) == [
        "Part | Price", "Part: Bolt; Price: 7", "Part: Nut; Price: 9",
        "Staff", "Name | Age", "Name: Ann; Age: 41", "Name: Sum; Age: of all", "Name: words; Age: alone",
    ]  # fmt: skip


def test_a_text_that_would_fill_the_memory_ends_and_the_rest_is_counted() -> None:
    account = Account()
    assert joined(["a" * 30, "b" * 30, "c"], account, used=100_000_000 - 40) == "a" * 30
    assert [line.text for line in account.lines] == [
        "2 lines not read (the file has more than 100,000,000 characters)"
    ]


def test_a_long_merged_text_does_not_multiply_without_end() -> None:
    rows = {n: {2: "y"} for n in range(2000)} | {0: {1: "long " * 6000, 2: "y"}}
    assert sum(map(len, Sheet("Data", rows, [Area(0, 1, 1999, 1)]).lines())) < 25_000_000
