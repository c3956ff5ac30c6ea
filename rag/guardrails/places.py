"""Finds postal addresses and dates of birth by rules; both are experimental."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from rag.guardrails.context import is_near
from rag.guardrails.rows import Check, Finding, PersonalData

_BIRTH_WORDS = regex.compile(
    r"\bborn\b|birth ?(?:day|date)?\b|\bdob\b|d\.o\.b|geboren|geburtsdatum|\bgeb\."
    r"|naissance|\bnée?\b|nacid[oa]|nacimiento"
    r"|nascita|\bnat[oa]\b|nascimento|född|født|urodzen|syntynyt",
    regex.IGNORECASE,
)
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|januar|februar|märz|mai|juni|juli"
    r"|okt|dez|janvier|février|mars|avril"
    r"|juin|juillet|août|enero|febrero|marzo|abril|mayo|junio|julio|agosto)\p{L}*\.?"
)
_DATE = regex.compile(
    rf"\b(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?[ ](?:of[ ])?{_MONTH},?[ ]\d{{4}}|{_MONTH}[ "
    rf"]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]\d{{4}})\b",
    regex.IGNORECASE,
)

# A number and a word for a street, in either order, or words that only an address has.
_STREET_WORD = (
    r"(?:Street|Str(?:eet|asse|aße)?|St|Ave(?:nue)?|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct"
    r"|Boulevard|Blvd|Place|Pl|Square|Sq|Terrace"
    r"|Way|Close|Crescent|Parkway|Pkwy|Highway|Hwy|Circle|Trail|Alley|Grove|Loop|Point|Mews|Walk|Quay)\b\.?"
)
_WORDS = r"(?:[\p{L}\d][\p{L}\p{M}\d.'’\-]*[ ]){0,4}?"
_ENDING = (
    r"(?:stra(?:ß|ss)e|str\.|gasse|weg|platz|allee|gatan|gata|vägen|vej(?:en)?|vegen|katu"
    r"|tie|gade|laan|straat|plein|utca)"
)
_ROMANCE = (
    r"(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Aa]venida|[Cc]alle|[Vv]ia|[Vv]iale|[Pp]iazza"
    r"|[Rr]ua|[Cc]orso|[Aa]llée|[Uu]l\.|[Uu]lica|Λεωφόρος|[Pp]laza)"
)
_OF = r"(?:(?:d[aeiou]s?|del(?:la)?|l[aeo]s?)[ ]){0,2}"
_STREETS = (
    rf"\d{{1,5}}[A-Za-z]?,?[ ]{_WORDS}[\p{{L}}.'’\-]+[ ]{_STREET_WORD}",
    rf"(?:\d{{1,6}}[ ])?(?:\p{{Lu}}[\p{{L}}.'’\-]*[ ]){{0,3}}\p{{L}}*{_ENDING}[ ]\d{{1,5}}\w?\b",
    rf"(?:\d{{1,6}},?[ ]){{1,2}}{_ROMANCE}[ ]{_OF}[\p{{L}}.'’\-]+(?:[ ]\p{{Lu}}[\p{{L}}.'’\-]*){{0,3}}"
    rf"|{_ROMANCE}[ ]{_WORDS}[\p{{L}}.'’\-]+,?[ ]\d{{1,5}}\b",
)
_BOX = r"(?i:P\.?[ ]?O\.?[ ]?Box|Postfach|PSC|Unit|Box)[ ]\d{1,6},?(?:[ ]Box[ ]\d{1,6})?"
_DOOR = r"(?i:Apt|Suite|Apartment|Flat|Unit|Floor|Ste)\b\.?[ ]\#?\d{1,5}\w?"
# "28245 Puruntie 82": a name between two numbers, the house and the postal or street number.
_BETWEEN = r"(?P<between>\b\d{1,6},?[ ](?:\p{Lu}[\p{L}\p{M}.'’\-]*[ ]){1,5}\d{1,5}[A-Za-rt-z]?\b)"
_DOOR_AFTER = regex.compile(_DOOR)
_A_MONTH = regex.compile(rf"[ ]{_MONTH}[ ]", regex.IGNORECASE)
_CORNER = r"the corner of [^\n.?!]{5,60}? and [\p{L}\d .'’\-]{3,40}?(?=[,.?!\n]|$)"
_MILITARY = r"\b[ADF]PO[ ]A[AEP][ ]\d{5}"
_ADDRESS = regex.compile(
    r"(?<![\p{L}\p{M}\d])(?:" + "|".join((*_STREETS, _BOX, _DOOR, _BETWEEN, _CORNER, _MILITARY)) + ")"
)
# What may follow a street: the door, the town, the region, the country and the postal code, line by line.
_REST = regex.compile(
    rf"[,]?(?:[ \n>?]{{1,6}}{_DOOR}|(?:,?[ ]|\s*\n[ >?|*]*,?[ "
    rf"]*)(?:\p{{Lu}}[\p{{L}}\p{{M}}∆.()'’\-]*[ ,]*){{0,4}}(?:\d{{4,6}}(?:-\d{{3,4}})?"
    rf"|[A-Z]{{1,2}}\d[\dA-Z]?[ ]\d[A-Z]{{2}})\b"
    rf"|\s*\n[ >?|*]*,?[ ]*(?:\p{{Lu}}[\p{{L}}\p{{M}}∆.()'’\-]*[ ]*){{1,4}}(?=\n)|\s*\n[ "
    rf"]*,[ ]\w{{2,3}}(?=\n)|\n{_MILITARY})"
)
_ADDRESS_WORDS = regex.compile(
    (
        r"address|lives? (?:at|on|in)|located|street|deliver|ship|sent? (?:it )?to|return to"
        r"|adresse|wohnt|meet (?:me|you)? ?at|corner|offices? (?:is|are)"
    ),
    regex.IGNORECASE,
)


def find(text: str) -> Iterator[Finding]:
    """Yield the addresses and the dates of birth in a text."""
    if not any(map(str.isdigit, text)):
        return
    for match in _DATE.finditer(text):
        if is_near(text, *match.span(), _BIRTH_WORDS, before=45):  # type: ignore[arg-type]
            kind, reason = PersonalData.BIRTH_DATE, "a date after a word for birth"
            yield Finding(Check.PERSONAL_DATA, kind, *match.span(), 0.9, reason)
    end = 0
    for match in _ADDRESS.finditer(text):
        if match.start() < end:
            continue
        end = match.end()
        for _ in range(6):
            rest = _REST.match(text, end)
            if rest is None or rest.end() == end:
                break
            end = rest.end()
        named = is_near(text, *match.span(), _ADDRESS_WORDS, before=50)  # type: ignore[arg-type]
        # A heading may look like a name between two numbers: something else has to speak for it.
        door = _DOOR_AFTER.search(text, match.end(), end)
        if match["between"] and (_A_MONTH.search(match[0]) or not (named or door)):
            continue
        kind, reason = PersonalData.ADDRESS, "words and numbers as in an address"
        yield Finding(Check.PERSONAL_DATA, kind, match.start(), end, 0.9 if named else 0.82, reason)
