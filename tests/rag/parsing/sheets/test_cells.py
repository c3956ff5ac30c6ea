"""Cells have the text that Excel shows, wherever they stand and however their XML is written."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_files import xlsx

from rag.parsing.sheets.cells import column_letters, column_number
from rag.parsing.sheets.workbook import parse_workbook

STYLES = (
    "<s:styleSheet><s:numFmts><s:numFmt numFmtId='170' formatCode='dd/mm/yyyy'/></s:numFmts>"
    "<s:cellXfs><s:xf numFmtId='0'/><s:xf numFmtId='9'/><s:xf numFmtId='170'/><s:xf numFmtId='46'/></s:cellXfs></s:styleSheet>"
)
TEXTS = "<s:sst><s:si><s:t>plain</s:t></s:si><s:si><s:r><s:t>two </s:t></s:r><s:r><s:t>runs</s:t></s:r><s:rPh><s:t>aid</s:t></s:rPh></s:si></s:sst>"


def read(path: Path, rows: str, more: str = "") -> tuple[list[str], list[str]]:
    parts: dict[str, str | bytes] = {"xl/styles.xml": STYLES, "xl/sharedStrings.xml": TEXTS}
    document = parse_workbook(xlsx(path / "a.xlsx", f"<s:sheetData>{rows}</s:sheetData>{more}", parts))
    return document.text.split("\n"), [line.text for line in document.account]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<s:c t='s'><s:v>0</s:v></s:c>", "plain"),
        ("<s:c t='s'><s:v>1</s:v></s:c>", "two runs"),
        ("<s:c t='inlineStr'><s:is><s:t>in</s:t></s:is></s:c>", "in"),
        ("<s:c t='str'><s:f>A1</s:f><s:v>made</s:v></s:c>", "made"),
        ("<s:c t='b'><s:v>1</s:v></s:c>", "TRUE"),
        ("<s:c t='b'><s:v>0</s:v></s:c>", "FALSE"),
        ("<s:c t='e'><s:v>#DIV/0!</s:v></s:c>", "#DIV/0!"),
        ("<s:c t='d'><s:v>2024-05-01</s:v></s:c>", "2024-05-01"),
        ("<s:c><s:v>4111111111111111</s:v></s:c>", "4111111111111111"),
        ("<s:c><s:v>12345678901234567890123</s:v></s:c>", "12345678901234567890123"),
        ("<s:c s='1'><s:v>0.19</s:v></s:c>", "19%"),
        ("<s:c s='2'><s:v>45716</s:v></s:c>", "28/02/2025"),
        ("<s:c s='3'><s:v>1.5</s:v></s:c>", "36:00:00"),
        ("<s:c s='99'><s:v>0.5</s:v></s:c>", "0.5"),
        ("<s:c t='str'><s:v>a_x000D_b</s:v></s:c>", "a b"),
        ("<s:c><s:v>odd</s:v></s:c>", "odd"),
    ],
)
def test_a_cell_has_the_text_that_excel_shows(tmp_path: Path, cell: str, text: str) -> None:
    assert read(tmp_path, f"<s:row>{cell}</s:row>") == ([text], [])


def test_a_text_that_is_not_there_leaves_the_cell_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "<s:row><s:c t='s'><s:v>77</s:v></s:c><s:c><s:v>1</s:v></s:c></s:row>")[0] == ["1"]


def test_formulas_without_a_stored_value_are_named_with_their_formula(tmp_path: Path) -> None:
    rows = (
        "<s:row r='2'><s:c r='B2'><s:f>SUM( A1:A9 )</s:f><s:v></s:v></s:c>"
        "<s:c r='C2'><s:f t='shared' si='0' ref='C2:C3'>A2*2</s:f></s:c></s:row>"
        "<s:row r='3'><s:c r='C3'><s:f t='shared' si='0'/></s:c><s:c r='D3'><s:f>A1</s:f><s:v>7</s:v></s:c></s:row>"
    )
    assert read(tmp_path, rows) == (
        ["=SUM( A1:A9 ) | =A2*2", "(formula as in C2) | 7"],
        [
            "3 values of formulas not read (the file stores only the formula): "
            "Data B2 =SUM( A1:A9 ), Data C2 =A2*2, Data C3 (formula as in C2)"
        ],
    )


def test_a_formula_whose_value_is_an_empty_text_is_empty(tmp_path: Path) -> None:
    rows = (
        "<s:row><s:c><s:v>1</s:v></s:c><s:c t='str'><s:f>IF(A1,&quot;&quot;)</s:f><s:v></s:v></s:c></s:row>"
    )
    assert read(tmp_path, rows) == (["1"], [])


def test_merged_areas_and_printed_margins_are_read(tmp_path: Path) -> None:
    rows = (
        "<s:row r='1'><s:c r='A1'><s:v>1</s:v></s:c><s:c r='B1'><s:v>2</s:v></s:c></s:row>"
        "<s:row r='2'><s:c r='B2'><s:v>3</s:v></s:c></s:row>"
    )
    more = (
        "<s:mergeCells><s:mergeCell ref='A1:A2'/><s:mergeCell ref='odd'/></s:mergeCells><s:headerFooter>"
        '<s:oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Secret &amp;D</s:oddHeader><s:evenHeader>&amp;LSecret</s:evenHeader>'
        "<s:oddFooter>&amp;P / &amp;N</s:oddFooter></s:headerFooter>"
    )
    assert read(tmp_path, rows, more) == (["1 | 2", "1 | 3", "Header: Secret"], ["1 header read"])


def test_names_of_columns_and_their_numbers() -> None:
    assert [column_letters(n) for n in (1, 26, 27, 16_384)] == ["A", "Z", "AA", "XFD"]
    assert [column_number(name) for name in ("A", "z", "AA", "XFD")] == [1, 26, 27, 16_384]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 1_048_576),
            st.integers(1, 16_384),
            st.text(alphabet="abc<&é", min_size=1, max_size=5),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda cell: (cell[0], cell[1]),
    )
)
def test_every_cell_is_in_the_text_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, int, str]]
) -> None:
    from xml.sax.saxutils import escape

    rows = "".join(
        f"<s:row r='{row}'><s:c r='{column_letters(column)}{row}' t='str'><s:v>{escape(text)}</s:v></s:c></s:row>"
        for row, column, text in sorted(cells)
    )
    lines, account = read(tmp_path_factory.mktemp("cells"), rows)
    for _, _, text in cells:
        assert any(text in line for line in lines)
    assert account == []
