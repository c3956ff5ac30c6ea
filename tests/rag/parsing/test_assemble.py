"""A document is put together from parts whose places are exact."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.parsing.assemble import HeadingPath, TextBuilder, table_lines, title_or_name


def test_parts_are_set_apart_by_a_blank_line_and_keep_their_names() -> None:
    builder = TextBuilder()
    builder.add("page", 1, "page 1", "\nFirst\nline\n")
    builder.add("page", 2, "page 2", "Second")
    assert builder.text == "First\nline\n\nSecond"
    assert [(p.kind, p.number, p.label, p.start, p.end) for p in builder.places] == [
        ("page", 1, "page 1", 0, 10),
        ("page", 2, "page 2", 12, 18),
    ]


@pytest.mark.parametrize("empty", ["", "  ", "\n\t\n"])
def test_a_part_without_words_leaves_no_trace(empty: str) -> None:
    builder = TextBuilder()
    builder.add("sheet", 1, "a", empty)
    builder.add("sheet", 2, "b", "text")
    builder.add("sheet", 3, "c", empty)
    assert builder.text == "text"
    assert [place.label for place in builder.places] == ["b"]


def test_spaces_at_the_ends_of_a_part_belong_to_it() -> None:
    builder = TextBuilder()
    builder.add("section", None, "", "  indented")
    assert builder.text == "  indented"
    assert builder.places[0].end == len("  indented")


@given(st.lists(st.text(alphabet=" \nab€🙂", max_size=12), max_size=6))
def test_every_place_holds_its_part_whatever_the_parts_are(parts: list[str]) -> None:
    builder = TextBuilder()
    for number, part in enumerate(parts):
        builder.add("page", number, str(number), part)
    kept = [part.strip("\n") for part in parts if part.strip()]
    assert [builder.text[place.start : place.end] for place in builder.places] == kept
    assert builder.text == "\n\n".join(kept)


def test_a_heading_ends_those_of_its_own_and_of_deeper_levels() -> None:
    path = HeadingPath()
    assert path.label == ""
    path.enter(1, "Scope")
    path.enter(3, "Detail")
    assert path.label == "Scope > Detail"
    path.enter(2, "Terms")
    assert path.label == "Scope > Terms"
    path.enter(2, "Signs")
    assert path.label == "Scope > Signs"
    path.enter(1, "Annex")
    assert path.label == "Annex"


def test_a_heading_over_several_lines_becomes_one_and_a_long_one_is_cut() -> None:
    path = HeadingPath()
    path.enter(1, " two \n  lines ")
    assert path.label == "two lines"
    path.enter(1, "x" * 500)
    assert path.label == "x" * 120


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Annual Report", "Annual Report"),
        ("  Annual Report ", "Annual Report"),
        (None, "minutes"),
        ("", "minutes"),
        ("(Untitled)", "minutes"),
        ("PowerPoint-Präsentation", "minutes"),
        ("Microsoft Word", "minutes"),
        ("Document of the year", "Document of the year"),
    ],
)
def test_a_title_that_says_nothing_gives_way_to_the_name_of_the_file(
    title: str | None, expected: str
) -> None:
    assert title_or_name(title, Path("folder/minutes.docx")) == expected


def test_a_short_table_is_a_line_for_each_row_as_people_quote_it() -> None:
    rows = [["Article", "Pieces"], ["Nut  M8", "905"], ["", "7"], ["", ""], ["Bolt", ""]]
    assert table_lines(rows, True) == ["Article | Pieces", "Nut M8 | 905", " | 7", "Bolt"]
    assert table_lines(rows, False) == table_lines(rows, True)
    assert table_lines([], True) == []
    assert table_lines([["", " "]], True) == []


def test_a_long_table_repeats_the_names_of_its_columns_between_its_rows() -> None:
    rows = [["Article", "Pieces"], *([f"Nut {number}", str(number)] for number in range(30))]
    lines = table_lines(rows, True)
    assert [n for n, line in enumerate(lines) if line == "Columns: Article | Pieces"] == [13, 26]
    assert [line for line in lines if not line.startswith("Columns")] == [" | ".join(row) for row in rows]
    assert not any(line.startswith("Columns") for line in table_lines(rows, False))


def test_long_rows_repeat_the_names_sooner_and_long_names_are_cut() -> None:
    rows = [["Name " + "x" * 1000, *["c" * 100] * 50], *([["word " * 150, "1"]] * 3)]
    lines = table_lines(rows, True)
    assert [len(line) for line in lines if line.startswith("Columns: Name")] == [309, 309]
