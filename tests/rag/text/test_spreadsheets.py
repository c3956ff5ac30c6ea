"""Cells that a spreadsheet would run are guarded, and come back as they were."""

import pytest

from rag.text.spreadsheets import guarded, is_number, unguarded


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_a_cell_that_would_run_begins_with_an_apostrophe(sign: str) -> None:
    assert guarded(f"{sign}1+1") == f"'{sign}1+1"
    assert unguarded(guarded(f"{sign}1+1")) == f"{sign}1+1"


@pytest.mark.parametrize("text", ["", "a=1", "'tis", "''", "'=1", "''+x", "1-2", " =1", "'", "x\n=1"])
def test_every_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "'tis the season", "1-2", "'quoted'"])
def test_ordinary_cells_stay_as_they_are(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


def test_a_plain_number_is_told_from_a_formula() -> None:
    assert all(map(is_number, ("-0.05", "+3", "1,234", "2e-5")))
    assert not any(map(is_number, ("-1+2", "=1", "+0.1 [0, 1]", "-", "")))
