"""Numbers are written as Excel shows them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.parsing.office.number_formats import BUILT_IN, general, is_date, shown


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.19, "0%", "19%"),
        (0.12345, "0.00%", "12.35%"),
        (45716, "yyyy-mm-dd", "2025-02-28"),
        (45716, "dd.mm.yyyy", "28.02.2025"),
        (45716, "[$-407]d. mmmm yyyy;@", "28. February 2025"),
        (45716, "dddd, d mmm yy", "Friday, 28 Feb 25"),
        (45716.5, "d/m/yy h:mm AM/PM", "28/2/25 12:00 PM"),
        (0.0625, "[hh]:mm:ss", "01:30:00"),
        (1.5, "[h]:mm", "36:00"),
        (1.5, "[mm]", "2160"),
        (0.000012, "mm:ss.000", "00:01.037"),
        (0.5, "h:mm", "12:00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (-5, "yyyy-mm-dd", "-5"),
        (1250, "[$€-407]#,##0.00", "€1,250.00"),
        (-1250.5, '#,##0.00 "€";[Red]-#,##0.00 "€"', "-1,250.50 €"),
        (-3, "0;(0)", "(3)"),
        (0, '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', "-"),
        (42, "00000", "00042"),
        (123456789, "000-00-0000", "123-45-6789"),
        (1234567, "#,##0", "1,234,567"),
        (1234567, '0.0,,"M"', "1.2M"),
        (1500, '[>=1000]0.0,"k";0', "1.5k"),
        (900, '[>=1000]0.0,"k";0', "900"),
        (12345, "0.00E+00", "1.23E+04"),
        (0.00012, "0.0E-0", "1.2E-4"),
        (12345, "##0.0E+0", "12.3E+3"),
        (1.5, "# ?/?", "1 1/2"),
        (0.25, "# ?/?", "1/4"),
        (3, "# ?/?", "3"),
        (0.375, "0/8", "3/8"),
        (5, "0.##", "5"),
        (123.456, "0.0#", "123.46"),
        (0.5, "#.##", ".5"),
        (12, '"No. "0', "No. 12"),
        (1, '"on";;"off"', "on"),
        (7, "@", "7"),
        (7, "", "7"),
        (7, "General", "7"),
        (7.5, 'General" kg"', "7.5 kg"),
        (1e300, "0", "1E+300"),
        (-0.001, "0.00", "0.00"),
        (float("inf"), "0", "inf"),
    ],
)
def test_a_number_is_written_as_its_format_shows_it(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4111111111111111, "4111111111111111"),
        (1.234567890123457e19, "12345678901234570000"),
        (0.1 + 0.2, "0.3"),
        (1e22, "1E+22"),
        (1e-7, "1E-07"),
        (-2.5, "-2.5"),
        (3.0, "3"),
    ],
)
def test_general_keeps_all_digits(value: float, text: str) -> None:
    assert general(value) == text


def test_dates_of_old_macs_begin_in_1904() -> None:
    assert shown(0, "yyyy-mm-dd", from_1904=True) == "1904-01-01"
    assert shown(45716 - 1462, "yyyy-mm-dd", from_1904=True) == "2025-02-28"


def test_what_a_date_is() -> None:
    assert [number for number, code in BUILT_IN.items() if is_date(code) and number < 24] == list(
        range(14, 23)
    )
    assert not is_date('0.00 "days"')
    assert not is_date("0.0E+0")


@given(
    st.floats(allow_nan=True),
    st.text(alphabet='0#?.,%;"\\[]<>=-+ $€_*@/:ymdhsAPMEGeneral', max_size=20),
    st.booleans(),
)
def test_no_code_fails(value: float, code: str, from_1904: bool) -> None:
    assert isinstance(shown(value, code, from_1904=from_1904), str)


@given(st.integers(-(10**15), 10**15))
def test_whole_numbers_keep_their_digits_in_every_plain_format(value: int) -> None:
    assert shown(value, "0") == str(value)
    assert shown(value, "#,##0").replace(",", "") == str(value)
    assert shown(value, "0.00") == f"{value}.00"
