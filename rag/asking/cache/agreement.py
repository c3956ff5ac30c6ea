"""Whether two questions ask the same thing, by rules that each give a reason. Pure functions on texts.

A cosine alone cannot tell: "enable 2FA" is nearer to "disable 2FA" than to most of its paraphrases. So
numbers, dates, identifiers, names, negations, units, the kind of question, tense, words that decide (all,
first, before), content words and who does what to whom must all agree. When in doubt two questions differ:
a missed hit costs an answer, a false one costs trust.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from rag.asking.cache import words
from rag.grounding.numbers import Quantity, quantities
from rag.text.languages import language_of
from rag.text.search_terms import identifiers

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*|\d[\w.,:/-]*\w|\d|[%€$£°]|,")
_QUOTES = str.maketrans("‘’‚“”„«»‐‑–", '\'\'\'"""""---')
_POSSESSIVE = re.compile(r"(?<=\w)'s\b|(?<=s)'(?=\s|$)")
_NUMBER = "#"  # stands for a figure in the order of words: its value is compared apart


@dataclass(frozen=True)
class Difference:
    """Why two questions are not taken for the same."""

    rule: str
    reason: str


@dataclass(frozen=True)
class _Question:
    """A question as the rules see it.

    Attributes:
        text: Without what people put before and after a question.
        tokens: Its words in lower case, without contractions, in one way of asking.
        names: Words with a capital letter inside the question, in lower case, and those of capitals alone.
        acronyms: Words of capitals alone, as typed.
        content: Its content words in their base form, in order.
        phrases: The same, cut at prepositions: (preposition, words), the clause without one first.
    """

    text: str
    tokens: tuple[str, ...]
    names: frozenset[str]
    acronyms: frozenset[str]
    content: tuple[str, ...]
    phrases: tuple[tuple[str, tuple[str, ...]], ...]
    is_lower: bool


def differences(one: str, other: str) -> list[Difference]:
    """Return what two questions differ in, in the order of the rules; nothing when they ask the same."""
    a, b = _read(one), _read(other)
    return [Difference(name, reason) for name, rule in RULES.items() if (reason := rule(a, b))]


# --- rules ------------------------------------------------------------------------------------------------


def _language(a: _Question, b: _Question) -> str:
    for question in (a, b):
        english = not _ENGLISH.isdisjoint(question.tokens) or language_of(question.text) in ("", "en")
        if not english or not question.content:
            return "the rules know English alone"
    return ""


def _numbers(a: _Question, b: _Question) -> str:
    mine, theirs = Counter(map(_value, quantities(a.text))), Counter(map(_value, quantities(b.text)))
    digits, others = _digits(a), _digits(b)
    if mine != theirs and digits != others:
        return _unlike("figures", map(str, digits - others), map(str, others - digits))
    return "" if mine == theirs else "their figures have other units"


def _identifiers(a: _Question, b: _Question) -> str:
    mine, theirs = set(identifiers(a.text)), set(identifiers(b.text))
    return _unlike("identifiers", mine - theirs, theirs - mine)


def _names(a: _Question, b: _Question) -> str:
    missing = {name for name in a.names if name not in _plain_words(b)}
    extra = {name for name in b.names if name not in _plain_words(a)}
    if not missing and not extra and not (a.is_lower or b.is_lower):
        missing, extra = set(a.acronyms - b.acronyms), set(b.acronyms - a.acronyms)
    return _unlike("names", missing, extra)


def _negations(a: _Question, b: _Question) -> str:
    mine, theirs = (Counter(t for t in q.tokens if t in words.NEGATIONS) for q in (a, b))
    if sum(mine.values()) == sum(theirs.values()) and mine.keys() == theirs.keys():
        return ""
    return _unlike("negations", mine - theirs, theirs - mine) or "one negates more often"


def _units(a: _Question, b: _Question) -> str:
    mine, theirs = _unit_words(a), _unit_words(b)
    return _unlike("units", mine - theirs, theirs - mine)


def _kind_of_question(a: _Question, b: _Question) -> str:
    mine, theirs = _asks_for(a), _asks_for(b)
    return _unlike("question words", [" ".join(mine)], [" ".join(theirs)]) if mine != theirs else ""


def _tense(a: _Question, b: _Question) -> str:
    mine, theirs = _tense_of(a), _tense_of(b)
    modal, other = _modals(a), _modals(b)
    if mine != theirs and "" not in (mine, theirs):
        return f"one asks about the {mine}, the other about the {theirs}"
    return _unlike("auxiliary verbs", modal - other, other - modal)


def _deciding(a: _Question, b: _Question) -> str:
    mine, theirs = (Counter(_decides(t) for t in q.tokens if t in words.DECIDING) for q in (a, b))
    return _unlike("words that decide", mine - theirs, theirs - mine)


def _content(a: _Question, b: _Question) -> str:
    left, extra = list(a.content), []
    for word in b.content:
        partner = next((w for w in left if w == word), None) or next(
            (w for w in left if words.means_same(w, word)), None
        )
        if partner is None:
            extra.append(word)
        else:
            left.remove(partner)
    return _unlike("words", left, extra)


def _roles(a: _Question, b: _Question) -> str:
    """Compare the order of words in each phrase: who beat whom, from where to where."""
    mine, theirs = sorted(a.phrases), sorted(b.phrases)
    if [p for p, _ in mine] == [p for p, _ in theirs] and _match_phrases(mine, theirs):
        return "" if _is_passive(a) == _is_passive(b) else "one is passive, the other active"
    return "the same words have other places: who does what to whom may differ"


RULES: dict[str, Callable[[_Question, _Question], str]] = {
    "language": _language,
    "numbers": _numbers,
    "identifiers": _identifiers,
    "names": _names,
    "negations": _negations,
    "units": _units,
    "question": _kind_of_question,
    "tense": _tense,
    "deciding words": _deciding,
    "content words": _content,
    "roles": _roles,
}


# --- parts of the rules -----------------------------------------------------------------------------------


def _unlike(what: str, missing: Iterable[object], extra: Iterable[object]) -> str:
    """Return a sentence that names what only one of two questions has; "" when there is nothing."""
    mine, theirs = (sorted(str(one) for one in found) for found in (missing, extra))
    if not mine and not theirs:
        return ""
    return f"other {what}: {', '.join(mine) or 'none'} and {', '.join(theirs) or 'none'}"


def _value(quantity: Quantity) -> tuple[str, float]:
    kind = "" if quantity.kind == "year" else quantity.kind
    return kind, round(quantity.value, 6)


def _digits(question: _Question) -> Counter[str]:
    return Counter(t.replace(",", "").rstrip(".") for t in question.tokens if t[0].isdigit())


def _plain_words(question: _Question) -> frozenset[str]:
    return frozenset(question.tokens) | question.names


def _unit_words(question: _Question) -> Counter[str]:
    return Counter(_UNIT_NAMES[t] for t in question.tokens if t in _UNIT_NAMES)


def _asks_for(question: _Question) -> tuple[str, ...]:
    """Return the question words, with what is counted or measured: "how many" is not "how"."""
    found: list[str] = []
    for number, token in enumerate(question.tokens):
        if token in words.WH:
            after = question.tokens[number + 1] if number + 1 < len(question.tokens) else ""
            found.append(f"how {after}" if token == "how" and after in _AFTER_HOW else token)
    return tuple(found)


def _tense_of(question: _Question) -> str:
    tokens = set(question.tokens)
    if "will" in tokens:
        return "future"
    past, present = not tokens.isdisjoint(words.PAST), not tokens.isdisjoint(words.PRESENT)
    if past or present:
        return "past" if past else "present"
    if any(t in words.IRREGULAR_PASTS or (t.endswith("ed") and len(t) > 4) for t in tokens):
        return "past"
    return "present" if tokens.isdisjoint(words.MODALS) else ""


def _modals(question: _Question) -> Counter[str]:
    return Counter(m for t in question.tokens if (m := words.MODALS.get(t)) and m != "will")


def _decides(token: str) -> str:
    return {
        "max": "maximum",
        "min": "minimum",
        "fewest": "least",
        "biggest": "largest",
        "latest": "newest",
    }.get(token, token)


def _is_passive(question: _Question) -> bool:
    """Return whether a form of "be" goes before a participle: "Who was elected?" is not "Who elected?"."""
    seen_be = False
    for token in question.tokens:
        if token in words.BE:
            seen_be = True
        elif seen_be and (
            token in words.IRREGULAR_PASTS or (token.endswith(("ed", "en")) and len(token) > 4)
        ):
            return True
    return False


Phrase = tuple[str, tuple[str, ...]]


def _match_phrases(mine: list[Phrase], theirs: list[Phrase]) -> bool:
    left = list(theirs)
    for preposition, found in mine:
        partner = next(
            (
                (p, other)
                for p, other in left
                if p == preposition and len(other) == len(found) and all(map(words.means_same, found, other))
            ),
            None,
        )
        if partner is None:
            return False
        left.remove(partner)
    return not left


# --- reading a question -----------------------------------------------------------------------------------

_AFTER_HOW = frozenset("many much long often soon late early".split())
_UNIT_NAMES = {
    spelling: group.split()[0]
    for group in (
        "kilometre kilometres kilometer kilometers km", "mile miles mi", "metre metres meter meters",
        "foot feet ft", "inch inches", "yard yards", "centimetre centimetres centimeter centimeters cm",
        "millimetre millimetres millimeter millimeters mm", "kilogram kilograms kilo kilos kg",
        "gram grams", "pound pounds lb lbs", "ounce ounces oz", "tonne tonnes", "ton tons",
        "second seconds sec secs", "minute minutes min mins", "hour hours hr hrs", "day days", "week weeks",
        "month months", "year years", "yearasked", "decade decades", "century centuries",
        "litre litres liter liters",
        "gallon gallons", "percent percentage %", "celsius", "fahrenheit", "kelvin", "byte bytes", "bit bits",
        "kilobyte kilobytes kb", "megabyte megabytes mb", "gigabyte gigabytes gb", "terabyte terabytes tb",
        "euro euros eur €", "dollar dollars usd $", "watt watts", "kilowatt kilowatts kw", "volt volts",
        "ampere amperes amp amps", "acre acres", "hectare hectares", "million", "billion", "thousand",
        "hundred",
        "trillion", "dozen", "square", "cubic", "degree degrees", "hertz hz", "calorie calories",
    )
    for spelling in group.split()
}  # fmt: skip


@lru_cache(maxsize=20_000)
def _read(question: str) -> _Question:
    typed = unicodedata.normalize("NFC", question).translate(_QUOTES)
    text = words.FRAMES.sub("", words.AFTERTHOUGHT.sub("", " ".join(typed.split())), count=1)
    text = text.strip(" ?!.,:;") or typed
    capitals = re.findall(r"\b[^\W\d_][\w'-]*", _POSSESSIVE.sub("", text))
    names = frozenset(
        word.lower()
        for number, word in enumerate(capitals)
        if word[:1].isupper() and (number or word.lower() not in _OPENING)
    )
    acronyms = frozenset(word for word in capitals if len(word) > 1 and word.isupper())
    plain = words.expanded(text.lower())
    for pattern, way in words.WAYS:
        plain = pattern.sub(way, plain)
    tokens = tuple(_TOKEN.findall(_POSSESSIVE.sub("", plain)))
    phrases = _phrases(tokens)
    content = tuple(word for _, found in phrases for word in found)
    said = tuple(token for token in tokens if token != ",")
    return _Question(text, said, names, acronyms, content, phrases, not any(c.isupper() for c in text[1:]))


_ENGLISH = words.WH | words.BE | words.DO  # short questions look like many languages
_OPENING = (
    words.WH | words.BE | words.DO | words.HAVE | words.FILLERS | frozenset(words.MODALS)
    | frozenset(words.PREPOSITIONS)
    | frozenset("which whom name list give show describe explain not no according".split())
)  # fmt: skip


def _phrases(tokens: tuple[str, ...]) -> tuple[Phrase, ...]:
    """Return the content words by their prepositions; what belongs to "of" goes before its head.

    "The height of the tower" and "the tower's height" have the same order then. A phrase ends at the next
    preposition, at a comma, and where the clause goes on: at a question word or an auxiliary verb.
    """
    clause: list[str] = []
    phrases: list[tuple[str, list[str]]] = []
    measures: list[str] = []
    here, of_at = clause, -1
    for token in tokens:
        if (
            token == ","
            or token in words.WH
            or token in words.BE | words.DO | words.HAVE
            or token in words.MODALS
        ):
            here, of_at = clause, -1
        elif token == "of" and (here or measures):
            of_at = max(len(here) - 1, 0)
        elif token in words.PREPOSITIONS:
            here, of_at = [], -1
            phrases.append((words.PREPOSITIONS[token], here))
        elif (word := _content_word(token)) is None:
            continue
        elif word.endswith("measure"):
            measures.append(word)
        elif of_at >= 0:
            here.insert(of_at, word)
            of_at += 1
        else:
            here.append(word)
    return (
        ("", tuple(clause)),
        *((preposition, tuple(found)) for preposition, found in phrases),
        *([("measure", tuple(sorted(measures)))] if measures else []),
    )


def _content_word(token: str) -> str | None:
    """Return the base form of a word that carries meaning; None for one that other rules look at."""
    if token[0].isdigit():
        return token.replace(",", "").rstrip(".")
    if token in words.FILLERS or token in words.NEGATIONS or token in words.DECIDING:
        return None
    if token in _UNIT_NAMES:
        return _UNIT_NAMES[token]
    return words.MEASURES.get(token) or (token if token.endswith("measure") else words.base(token))
