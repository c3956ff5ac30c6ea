"""CSV is read under the delimiter with which its rows agree, and no quote glues rows together."""

import csv
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import check, write

from rag.parsing.formats import parse_file
from rag.parsing.sheets.delimited import guessed_delimiter, parse_csv, table_rows


def test_rows_name_their_columns(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "a.csv", "Part;Price\nFunnel;18,50\nVane;31\n")))
    assert "Part: Funnel; Price: 18,50" in document.text
    assert document.places[0].kind == "sheet"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_table_is_guessed(tmp_path: Path, delimiter: str) -> None:
    lines = [["Part", "Price", "Note"], ["Vane", "31", "steel"], ["Bolt", "2", "brass"]]
    content = "\n".join(delimiter.join(line) for line in lines)
    document = check(parse_file(write(tmp_path, "parts.csv", content)))
    assert document.text.split("\n")[1] == "Part: Vane; Price: 31; Note: steel"
    assert (document.title, document.media_type) == ("parts", "text/csv")


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_table_too_small_to_guess_from_has_the_delimiter_of_its_suffix(
    tmp_path: Path, name: str, delimiter: str
) -> None:
    assert parse_file(write(tmp_path, name, f"left{delimiter}right")).text == "left | right"


def test_a_quoted_cell_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    content = 'Part,Note\nVane,"long, and\nin two lines"\n'
    assert "Note: long, and in two lines" in parse_file(write(tmp_path, "a.csv", content)).text


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.text(alphabet="abcdefgh12 ,;\"'\n", min_size=1, max_size=8), min_size=3, max_size=3),
        min_size=2,
        max_size=8,
    )
)
def test_every_word_of_a_table_is_in_its_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["first", "second", "third"], *rows])
    text = parse_file(path).text
    for word in " ".join(" ".join(row) for row in rows).replace('"', " ").split():
        if word.isalnum():
            assert word in text


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("Artikel;Preis;Menge\nMutter;0,75;1.000\nBolzen;1,50;200\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("id;groups;more\n1;['345'];['10']\n3;['112', '112'];['765', '766']\n", ";"),
        ('id,text\n1,"a; b; c"\n2,"d; e; f"\n', ","),
        ('remark\n"We met, we left"\nno commas\nthe hatch; it leaks\n', ","),
        ("a|b\n1,2|3\n4|5\n", "|"),
        ("a\tb, c\n1\t2\n", "\t"),
        ("one\ntwo\n", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_one_under_which_the_rows_agree(text: str, delimiter: str) -> None:
    assert guessed_delimiter(text, ",") == delimiter


def test_a_declared_delimiter_is_taken_and_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "sep=;\r\nName;City\r\nOle;Odense, Oslo\r\n")
    assert parse_csv(path).text == "Name | City\nName: Ole; City: Odense, Oslo"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('"2"" steel",A1\n', [['2" steel', "A1"]]),
        ('1.5" rubber,A2\n', [['1.5" rubber', "A2"]]),
        ('a,"open,b\nc,d,e\n', [["a", '"open', "b"], ["c", "d", "e"]]),
        ('a,b\nTap,"two inch\nHose,"5 cm\nEnd,x\n', [["a", "b"], ["Tap", '"two inch'], ["Hose", '"5 cm'], ["End", "x"]]),
        ('a,b,c\n1,2,"6\n3,4",5\n', [["a", "b", "c"], ["1", "2", '"6'], ["3", '4"', "5"]]),
        ('"say ""hi""" ,x\r\n,\n', [['say "hi"', "x"], ["", ""]]),
        ('"two\nlines",b\n', [["two\nlines", "b"]]),
        ("a,b", [["a", "b"]]),
        ("a,\n", [["a", ""]]),
    ],
)  # fmt: skip
def test_a_stray_quote_is_a_sign_like_any_other(text: str, rows: list[list[str]]) -> None:
    assert list(table_rows(text, ",")) == rows


def test_a_heading_of_a_megabyte_is_not_repeated_in_full(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", f"name,{'long ' * 200_000}\n" + "x,1\n" * 1000)
    text = parse_csv(path).text
    assert len(text) < 1_300_000
    assert text.endswith(": 1")


def test_quotes_without_an_end_do_not_cost_quadratic_time() -> None:
    began = time.perf_counter()
    assert len(list(table_rows('x,"""y\n' * 20_000 + '"' * 20_000, ","))) == 20_001
    assert time.perf_counter() - began < 5


@given(
    st.lists(
        st.lists(st.text(alphabet='ab,;" \n', max_size=6), min_size=2, max_size=2), min_size=1, max_size=6
    )
)
def test_what_a_csv_writer_quotes_is_read_back(rows: list[list[str]]) -> None:
    text = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    assert list(table_rows(text, ",")) == rows


def test_wrong_bytes_cost_their_own_characters_and_are_named(tmp_path: Path) -> None:
    content = "Artikel,Größe\nTür,9\n".encode() * 20 + b"Fen\xffster,4\n"
    document = parse_csv(write(tmp_path, "a.csv", content))
    assert "Artikel: Tür; Größe: 9" in document.text
    assert document.account[0].left_out == 1
