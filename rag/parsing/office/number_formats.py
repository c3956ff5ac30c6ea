"""Writes numbers as a sheet or a chart shows them: `19%`, `01.03.2025`, `36:30:00`, `€1,250.00`, `00042`.

A file stores 0.19 and 45716 beside a format code; people know, ask for and quote what they see. The language
of codes is described in ECMA-376, part 1, 18.8.30 and 18.8.31. Names of months are written in English.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property, lru_cache

# The codes that files name by a number alone. Those that follow the reader's region are written the ISO way.
_ISO = "yyyy-mm-dd"
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0", 6: "$#,##0", 7: "$#,##0.00",
    8: "$#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: _ISO,
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm",
    21: "h:mm:ss", 22: f"{_ISO} h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    41: "#,##0", 42: "$#,##0", 43: "#,##0.00", 44: "$#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "##0.0E+0", 49: "@", 32: "h:mm", 33: "h:mm:ss",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), _ISO),
}  # fmt: skip
_TOKEN = re.compile(
    r"""
      "(?P<quoted>[^"]*)"? | \\(?P<escaped>.) | _. (?# as wide as a sign) | \*. (?# a sign that fills)
    | \[\$(?P<currency>[^\]-]*)[^\]]*\] | \[(?P<elapsed>h+|m+|s+)\] | \[[^\]]*\] (?# a colour, a condition)
    | (?P<general>General) | (?P<half>AM/PM|A/P) | E(?P<exponent>[+-]) | (?P<date>y+|m+|d+|h+|s+|e+|b+|g+)
    | (?P<digit>[0\#?]) | (?P<point>\.) | (?P<comma>,) | (?P<percent>%) | (?P<text>@) | (?P<literal>.)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_BETWEEN_SECTIONS = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)\]")
_FRACTION = re.compile(r"^([^/]*[#0?]\s+)?[#0?]+\s*/\s*([#0?]+|\d+)")
_LONGEST_CODE = 255  # Excel's own limit
_LARGEST = 1e21  # larger numbers are written with an exponent
_LAST_DAY = 2_958_466  # 9999-12-31 is the day before
_MONTHS = "January February March April May June July August September October November December".split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

Token = tuple[str, str]  # a kind, which is the name of a group of _TOKEN, and its text


@dataclass(frozen=True)
class _Section:
    """A part of a code between semicolons."""

    code: str
    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None

    @cached_property
    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.tokens}

    @cached_property
    def is_date(self) -> bool:
        return not self.kinds.isdisjoint({"date", "elapsed", "half"})


def general(value: float) -> str:
    """Return a number in the format General, but in full: a card number is not shortened to 4.1E+15."""
    if abs(value) < _LARGEST and value == int(value):
        return f"{Decimal(repr(value)):.0f}"
    return f"{value:.15g}".replace("e", "E")


def is_date(code: str) -> bool:
    """Return whether a format shows dates or times."""
    return any(section.is_date for section in _sections(code))


def shown(value: float, code: str, *, from_1904: bool = False) -> str:
    """Return a number as its format shows it.

    Args:
        value: The stored number; for dates and times the days since the first one.
        code: The format code, such as "0.0%" or "dd/mm/yyyy".
        from_1904: Whether the first day of dates is 1904-01-01, as in old files from a Mac.
    """
    if value != value or abs(value) == float("inf"):
        return str(value)
    if code == "General":
        return general(value)
    sections = _sections(code)
    section = _chosen(sections, value)
    if section.is_date:
        return _date(section, value, from_1904)
    loses_sign = section is not sections[0] and len(sections) > 1 and not section.condition
    return _number(section, abs(value) if loses_sign else value)


@lru_cache(maxsize=500)
def _sections(code: str) -> tuple[_Section, ...]:
    return tuple(_section(part) for part in _BETWEEN_SECTIONS.split(code[:_LONGEST_CODE]))


def _section(code: str) -> _Section:
    tokens: list[Token] = []
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup
        if kind in ("quoted", "escaped", "currency"):
            tokens.append(("literal", found[kind]))
        elif kind:
            tokens.append((kind, found[kind].lower() if kind in ("date", "elapsed") else found[kind]))
    condition = _CONDITION.search(code)
    return _Section(code, tuple(tokens), (condition[1], float(condition[2])) if condition else None)


def _chosen(sections: tuple[_Section, ...], value: float) -> _Section:
    """Return the section that is for a number: positive; negative; zero, unless conditions say otherwise."""
    if any(section.condition for section in sections):
        fitting = (s for s in sections if s.condition is None or _holds(value, *s.condition))
        return next(fitting, sections[-1])
    if value < 0 and len(sections) > 1:
        return sections[1]
    return sections[2] if value == 0 and len(sections) > 2 else sections[0]


def _holds(value: float, sign: str, limit: float) -> bool:
    order = (value > limit) - (value < limit)
    return order in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0), "=": (0,), "<>": (-1, 1)}[sign]


def _number(section: _Section, value: float) -> str:
    kinds = section.kinds
    if "general" in kinds or "text" in kinds or not section.code:
        number = general(value)
        return (
            "".join(number if kind in ("general", "text") else text for kind, text in section.tokens)
            or number
        )
    fraction = _FRACTION.search(section.code)
    if fraction:
        return _fraction(value, bool(fraction[1]), fraction[2])
    if "digit" not in kinds:
        return "".join(text for _, text in section.tokens).strip()
    if abs(value) >= _LARGEST:
        return general(value)
    value *= 100 ** sum(kind == "percent" for kind, _ in section.tokens)
    before, after, exponent = _parted(section.tokens)
    power = 0
    if exponent:
        power = _power(value, sum(kind == "digit" for kind, _ in before))
        value /= 10.0**power
    value /= 1000.0 ** _trailing_commas(before + after)
    decimals = sum(kind == "digit" for kind, _ in after)
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    whole, _, rest = f"{abs(rounded):f}".partition(".")
    parts = [_whole_part(before, whole), _decimal_part(after, rest)]
    if exponent:
        parts.append(_exponent_part(exponent, power))
    return ("-" if rounded < 0 else "") + "".join(parts).strip()


def _parted(tokens: tuple[Token, ...]) -> tuple[list[Token], list[Token], list[Token]]:
    """Return the tokens before the decimal point, from the point on, and from the exponent on."""
    kinds = [kind for kind, _ in tokens]
    end = kinds.index("exponent") if "exponent" in kinds else len(kinds)
    point = kinds.index("point") if "point" in kinds[:end] else None
    if point is None:  # what follows the last digit comes after the number
        last = max((n for n, kind in enumerate(kinds[:end]) if kind in ("digit", "comma")), default=end - 1)
        point = last + 1
    return list(tokens[:point]), list(tokens[point:end]), list(tokens[end:])


def _trailing_commas(tokens: list[Token]) -> int:
    """Return how many commas follow the last digit: each hides three digits of the number."""
    kinds = "".join("," if kind == "comma" else "0" for kind, _ in tokens if kind in ("comma", "digit"))
    return len(kinds) - len(kinds.rstrip(","))


def _power(value: float, places: int) -> int:
    """Return the power of ten of a number, a multiple of how many places stand before the point."""
    if not value:
        return 0
    power = Decimal(repr(value)).adjusted()
    return power - power % places if places > 1 else power


def _whole_part(tokens: list[Token], digits: str) -> str:
    """Return the digits before the decimal point, and the signs around and between them."""
    places = [n for n, (kind, _) in enumerate(tokens) if kind == "digit"]
    zeros = sum(tokens[n][1] == "0" for n in places)
    digits = digits.lstrip("0").rjust(zeros, "0")
    inside = tokens[places[0] : places[-1] + 1] if places else []
    if any(kind not in ("digit", "comma") for kind, _ in inside):  # 000-00-0000: signs between the digits
        return _filled(tokens, digits)
    if any(kind == "comma" for kind, _ in inside):
        digits = _grouped(digits)
    first = places[0] if places else len(tokens)
    signs = [text for kind, text in tokens[:first] if kind != "comma"]
    rest = [text for kind, text in tokens[first + len(inside) :] if kind != "comma"]
    return "".join([*signs, digits, *rest])


def _filled(tokens: list[Token], digits: str) -> str:
    left = list(digits)
    parts: list[str] = []
    remaining = sum(kind == "digit" for kind, _ in tokens)
    for kind, text in reversed(tokens):
        if kind != "digit":
            parts.append("" if kind == "comma" else text)
            continue
        remaining -= 1
        taken = left if not remaining else left[-1:]
        parts.append("".join(taken))
        del left[len(left) - len(taken) :]
    return "".join(reversed(parts))


def _grouped(digits: str) -> str:
    head = len(digits) % 3
    groups = [digits[:head]] if head else []
    return ",".join(groups + [digits[n : n + 3] for n in range(head, len(digits), 3)])


def _decimal_part(tokens: list[Token], digits: str) -> str:
    needed = max((n for n, (_, t) in enumerate(t for t in tokens if t[0] == "digit") if t == "0"), default=-1)
    kept = digits[: needed + 1] + digits[needed + 1 :].rstrip("0")
    parts, used = [], 0
    for kind, text in tokens:
        if kind == "point":
            parts.append("." if kept else "")
        elif kind == "digit":
            parts.append(kept[used : used + 1])
            used += 1
        elif kind != "comma":
            parts.append(text)
    return "".join(parts)


def _exponent_part(tokens: list[Token], power: int) -> str:
    sign = "-" if power < 0 else "+" if tokens[0][1] == "+" else ""
    places = sum(kind == "digit" for kind, _ in tokens)
    rest = "".join(text for kind, text in tokens[1:] if kind != "digit")
    return f"E{sign}{abs(power):0{places or 1}}{rest}"


def _fraction(value: float, has_whole: bool, denominator: str) -> str:
    sign, value = ("-" if value < 0 else ""), abs(value)
    if denominator.isdigit() and int(denominator):
        below = int(denominator)
        above = round(value * below)
    else:
        nearest = Fraction(value).limit_denominator(10 ** min(len(denominator), 4) - 1)
        above, below = nearest.numerator, nearest.denominator
    if not has_whole:
        return f"{sign}{above}/{below}"
    whole, above = divmod(above, below)
    if not above:
        return f"{sign}{whole}"
    return f"{sign}{whole} {above}/{below}" if whole else f"{sign}{above}/{below}"


def _date(section: _Section, value: float, from_1904: bool) -> str:
    if not 0 <= value < _LAST_DAY:
        return general(value)  # Excel itself shows "####"
    tokens = list(section.tokens)
    milliseconds = round(value * 86_400_000)
    has_parts = any(kind == "point" for kind, _ in tokens)
    if not has_parts:
        milliseconds = (milliseconds + 500) // 1000 * 1000
    days = milliseconds // 86_400_000
    # Day 60 of the usual calendar is 29 February 1900, which was none: days before it count from one later.
    first = (
        datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 31 if days < 60 else 30)
    )
    try:
        moment = first + datetime.timedelta(milliseconds=milliseconds)
    except OverflowError:
        return general(value)
    has_half = any(kind == "half" for kind, _ in tokens)
    parts: list[str] = []
    for n, (kind, text) in enumerate(tokens):
        if kind == "date":
            parts.append(_date_part(moment, text, has_half, _is_minute(tokens, n)))
        elif kind == "elapsed":
            unit = {"h": 3_600_000, "m": 60_000, "s": 1000}[text[0]]
            parts.append(f"{milliseconds // unit:0{len(text)}}")
        elif kind == "half":
            parts.append("AM" if moment.hour < 12 else "PM")
        elif kind == "digit":  # decimals of a second
            place = sum(k == "digit" for k, _ in tokens[: n + 1])
            parts.append(f"{moment.microsecond:06}"[place - 1 : place])
        else:
            parts.append(text)
    return "".join(parts).strip()


def _is_minute(tokens: list[Token], place: int) -> bool:
    """Return whether an `m` stands for minutes: after an hour, or before a second."""
    if tokens[place][1] not in ("m", "mm"):
        return False
    times = [(n, text[0]) for n, (kind, text) in enumerate(tokens) if kind in ("date", "elapsed")]
    before = [letter for n, letter in times if n < place]
    after = [letter for n, letter in times if n > place]
    return before[-1:] == ["h"] or after[:1] == ["s"]


def _date_part(moment: datetime.datetime, text: str, has_half: bool, is_minute: bool) -> str:
    length = len(text)
    letter = "minute" if is_minute else text[0]
    if letter in "ye":
        return f"{moment.year:04}" if length > 2 or letter == "e" else f"{moment.year % 100:02}"
    if letter == "b":
        return str(moment.year + 543)  # the Buddhist calendar
    if letter == "g":
        return ""  # the name of a Japanese era
    if letter == "m" and length > 2:
        name = _MONTHS[moment.month - 1]
        return name if length == 4 else name[:1] if length == 5 else name[:3]
    if letter == "d" and length > 2:
        name = _WEEKDAYS[moment.weekday()]
        return name if length > 3 else name[:3]
    hour = (moment.hour - 1) % 12 + 1 if has_half else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "minute": moment.minute, "s": moment.second}[
        letter
    ]
    return f"{number:0{min(length, 2)}}"
