"""Figures and dates by value: 1,200 and "twelve hundred" may differ in letters, 5 km and 5 miles in meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_MONTHS = (
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
).split()
# unit -> (dimension, factor): 24 months and two years are the same, 5 km and 5 miles are not
_UNITS: dict[str, tuple[str, float]] = {
    "%": ("%", 1), "percent": ("%", 1), "$": ("$", 1), "usd": ("$", 1), "dollar": ("$", 1), "€": ("€", 1),
    "eur": ("€", 1), "euro": ("€", 1), "£": ("£", 1), "°c": ("°c", 1), "°f": ("°f", 1), "kg": ("mass", 1000),
    "g": ("mass", 1), "mg": ("mass", 0.001), "km": ("length", 1000), "m": ("length", 1), "metre": ("length", 1),
    "meter": ("length", 1), "cm": ("length", 0.01), "mm": ("length", 0.001), "mile": ("length", 1609.344),
    "foot": ("length", 0.3048), "feet": ("length", 0.3048), "second": ("time", 1), "minute": ("time", 60),
    "hour": ("time", 3600), "day": ("time", 86400), "week": ("time", 604800), "month": ("time", 2629800),
    "year": ("time", 31557600), "volt": ("volt", 1), "v": ("volt", 1), "w": ("watt", 1), "kb": ("data", 1e3),
    "mb": ("data", 1e6), "gb": ("data", 1e9), "tb": ("data", 1e12), "hz": ("hz", 1), "khz": ("hz", 1e3),
    "mhz": ("hz", 1e6), "ghz": ("hz", 1e9), "hpa": ("hpa", 1), "m/s": ("speed", 1), "km/h": ("speed", 1 / 3.6),
    "mph": ("speed", 0.44704),
}  # fmt: skip
_FIGURE = re.compile(
    r"(?<![\w.])(?P<sign>[$€£])?\s?(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:\s?(?P<scale>hundred|thousand|million|billion|trillion)\b)?"
    r"(?:\s?-?(?P<unit>%|percent|per cent|°[CF]|m/s|km/h|[A-Za-z]+)(?![\w/]))?",
    re.IGNORECASE,
)
_WRITTEN = re.compile(
    r"\b(?:" + "|".join([*_WORDS, *_SCALES]) + r")(?:[\s-]+(?:and\s+)?(?:" + "|".join([*_WORDS, *_SCALES]) + r"))*\b",
    re.IGNORECASE,
)
_MONTH = re.compile(r"\b(" + "|".join(_MONTHS) + r")\b\.?", re.IGNORECASE)


@dataclass(frozen=True)
class Quantity:
    """A number by value in its dimension's base unit. kind: a dimension, "calendar year", "month" (1-12), or ""."""

    value: float
    kind: str
    text: str


def quantities(text: str) -> list[Quantity]:
    """Every figure, written-out number and month name, in order of kind."""
    found = [_figure(match) for match in _FIGURE.finditer(text)]
    found += [quantity for match in _WRITTEN.finditer(text) if (quantity := _written(text, match)) is not None]
    for match in _MONTH.finditer(text):
        name = match.group(1)
        if name[0].isupper():  # "may" and "march" are words, too
            found.append(Quantity(_month_number(name), "month", name))
    return found


def same(one: Quantity, other: Quantity) -> bool:
    """Same value; a missing unit matches any unit but no month."""
    if abs(one.value - other.value) > 0.002 * abs(one.value):  # 24 months are 730.5 days
        return False
    if "month" in (one.kind, other.kind):
        return one.kind == other.kind
    return one.kind == other.kind or "" in (one.kind, other.kind) or "calendar year" in (one.kind, other.kind)


def _figure(match: re.Match[str]) -> Quantity:
    raw = match["value"].replace(",", "")
    value = float(raw) * _SCALES.get((match["scale"] or "").lower(), 1)
    dimension, factor = _unit(match["sign"] or match["unit"] or "")
    is_year = not dimension and "," not in match["value"] and raw.isdigit() and 1000 <= value <= 2100 and len(raw) == 4
    if is_year:
        dimension = "calendar year"
    end = match.end("unit") if match["unit"] and dimension and not is_year else match.end("scale" if match["scale"] else "value")
    return Quantity(value * factor, dimension, match.string[match.start() : end].strip())


def _unit(word: str) -> tuple[str, float]:
    word = word.lower()
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s")) or ("", 1.0)


def _written(text: str, match: re.Match[str]) -> Quantity | None:
    value = _written_value(match.group())
    if value is None or match.group().lower() == "one":  # mostly a pronoun
        return None
    following = re.match(r"[\s-]+([A-Za-z/°%]+)", text[match.end() : match.end() + 16])
    dimension, factor = _unit(following.group(1)) if following else ("", 1.0)
    shown = match.group() + (following.group() if following and dimension else "")
    return Quantity(value * factor, dimension, shown)


def _written_value(words: str) -> float | None:
    total, current, seen = 0.0, 0.0, False
    for word in re.split(r"[\s-]+", words.lower()):
        if word == "and":
            continue
        seen = True
        if word in _WORDS:
            current += _WORDS[word]
        elif word == "hundred":
            current = (current or 1) * 100
        else:
            total += (current or 1) * _SCALES[word]
            current = 0
    return total + current if seen else None


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS[:12], 1) if month.startswith(name.lower()[:3]))
