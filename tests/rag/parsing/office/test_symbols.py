"""Characters of symbol fonts become the signs that they show."""

import pytest

from rag.parsing.office import symbols
from rag.parsing.office.symbols import sign


@pytest.mark.parametrize(
    ("font", "code", "expected"),
    [
        ("Symbol", 0xF0B1, "±"),
        ("Symbol", 0xB1, "±"),
        ("symbol", 0xF061, "α"),
        ("Symbol", 0xF057, "Ω"),
        ("Symbol", 0xF0AE, "→"),
        ("Symbol", 0xF0B7, "•"),
        ("Symbol", 0xF0A3, "≤"),
        ("Wingdings", 0xF0FC, "✔"),
        ("Wingdings", 0xF0FB, "✗"),
        ("Wingdings", 0xF0FE, "☑"),
        ("Wingdings", 0xF0A8, "☐"),
        ("Wingdings", 0xF0E0, "→"),
        ("Wingdings", 0xF0D8, "➢"),
        ("Wingdings", 0xF04A, "☺"),
        ("Wingdings", 0xF06C, "●"),
        ("Wingdings", 0xF08C, "❶"),
        ("Wingdings 2", 0xF050, "✓"),
        ("Wingdings 3", 0xF067, "→"),
        ("Arial", 0x2192, "→"),
        ("", 0x41, "A"),
        ("Symbol", 0xF090, None),
        ("Wingdings 2", 0xF0F0, None),
        ("Arial", 0xF0B1, None),
        ("Arial", 0xD800, None),
        ("Arial", 0x110000, None),
    ],
)
def test_the_sign_of_a_character(font: str, code: int, expected: str | None) -> None:
    assert sign(font, code) == expected


def test_each_table_holds_all_characters_of_its_font() -> None:
    assert len(symbols._SYMBOL) == len(symbols._WINGDINGS) == 0x100 - 0x20
