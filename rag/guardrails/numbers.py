"""Finds numbers that lead to a person or a machine: payment cards, bank accounts, phones and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import phonenumbers
from stdnum import iban, luhn

from rag.guardrails.context import is_near
from rag.guardrails.rows import Check, Finding, PersonalData

# The first digits of the issuers that there are; any other number of this length is only a number.
_ISSUERS = re.compile(
    r"4|5[0-8]|2(?:2[2-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-5]|[689])|35|6(?:011|2|4[4-9]|[57])|1800|2131"
)
_CARD = re.compile(
    r"(?<![\w.,+-])(?:\d{12,19}|\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,4})?|\d{4}[ -]\d{6}[ -]\d{4,5})(?![\w-])"
)
_CARD_WORDS = re.compile(
    r"\bcards?\b|\bcc\b|credit|debit|visa|master ?card|amex|karte|kredit|tarjeta|carte|carta|cart[ãa]o|karta",
    re.IGNORECASE,
)
_IBAN = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?(?!\w)")
_IP_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IP_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_IP_WORDS = re.compile(
    r"\bip(?:v[46])?\b|address|host|server|client|\bping\b|subnet|gateway|login|\bdns\b", re.IGNORECASE
)
_NUMBERED = re.compile(r"(?:version|\bv|release|section|chapter|§|clause|rev(?:ision)?)\.? ?$", re.IGNORECASE)

_PHONE = re.compile(
    (
        r"(?<![\w./:=#+$€£-])(?<!\d,)(?:\+|00)?\(?\d(?:[\d().\- /]|\(0\)){4,20}\d(?: ?(?:x"
        r"|ext\.?|#) ?\d{1,6})?(?![\w%°])"
    ),
    re.IGNORECASE,
)
_PHONE_WORDS = re.compile(
    r"\b(?:tele)?phone|\bfon\b|\btel\b|mobile?\b|\bcell|\bcall|\bfax\b|\bdesk\b|\boffice\b"
    r"|\bsms\b|whats ?app|hotline"
    r"|\bdial|\breach\b|\bring\b|text(?:ed|ing)? me|messages? (?:to|on|at|from)|answer\w* (?:at|on)"
    r"|telefon|\bhandy\b|t[ée]l[ée]phone|tel[ée]fono|cellulare|puhelin|m[óo]vil|rufnummer"
    r"|\bregistered (?:number|on|with|\d|\()|contact (?:number|no|at|on|us|me)|(?:my|his"
    r"|her|their|your) number",
    re.IGNORECASE,
)
_NOT_A_PHONE = re.compile(
    r"\b(?:isbn|issn|doi|order|invoice|receipt|ref(?:erence)?|serial|account|acct|version|rfc|pmid|arxiv|iso"
    r"|article|pages?|pp|sku|part|model|id|ssn|iban|vat|patent|case|claim|policy"
    r"|licen[cs]e)\b[\w .:#-]{0,14}$",
    re.IGNORECASE,
)
_DATE_LIKE = re.compile(
    r"(?:1[5-9]|20)\d\d-\d\d\b.*|(?:19|20)\d\d[-/. ][01]?\d[-/. ][0-3]?\d\b.*"
    r"|[0-3]?\d[-/.][0-3]?\d[-/.](?:19|20)?\d\d\b.*"
    r"|(?:1[5-9]|20)\d\d ?[-/–] ?(?:1[5-9]|20)?\d\d"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .]\d{3})+")
_EXTENSION = re.compile(r"\s*(?:x|ext\.?|#)\s*\d+$", re.IGNORECASE)
# Where a number without a country code may come from; each has its own rules of length and prefix.
_REGIONS = (
    "US",
    "GB",
    "DE",
    "FR",
    "IT",
    "ES",
    "NL",
    "BE",
    "CH",
    "AT",
    "SE",
    "NO",
    "DK",
    "FI",
    "PL",
    "CZ",
    "PT",
    "AU",
    "ZA",
)


def find(text: str) -> Iterator[Finding]:
    """Yield what is found; a text without digits costs nothing."""
    if not any(map(str.isdigit, text)):
        return
    yield from _cards(text)
    yield from _accounts(text)
    yield from _ip_addresses(text)
    yield from _phones(text)


def _cards(text: str) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if not luhn.is_valid(digits) or len(set(digits)) < 2:
            continue
        named = is_near(text, *match.span(), _CARD_WORDS, before=60, after=30)
        issued = _ISSUERS.match(digits) is not None and len(digits) >= 13
        # One number in ten has the right checksum by chance: alone it is not enough.
        if named or issued:
            reason = "a card number with its checksum" + ("" if issued else ", named as one")
            yield _finding(PersonalData.CARD, match.start(), match.end(), 0.99 if named else 0.8, reason)


def _accounts(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        end = match.end()
        # A word may follow that looks like the last group: shorten by groups until the checksum holds.
        while end - match.start() >= 15:
            if iban.is_valid(text[match.start() : end]):
                reason = "an IBAN with its checksum"
                yield _finding(PersonalData.IBAN, match.start(), end, 1.0, reason)
                break
            cut = max(text.rfind(" ", match.start(), end), text.rfind("-", match.start(), end))
            end = cut if cut > match.start() else 0


def _ip_addresses(text: str) -> Iterator[Finding]:
    for match in (*_IP_V4.finditer(text), *_IP_V6.finditer(text)):
        try:
            address = ipaddress.ip_address(match[0])
        except ValueError:
            continue
        # These name no machine of anybody's.
        if address.is_loopback or address.is_unspecified or address.is_multicast or len(match[0]) < 6:
            continue
        named = is_near(text, *match.span(), _IP_WORDS, before=40, after=20)
        small = address.version == 4 and max(address.packed) < 32
        if _NUMBERED.search(text, max(0, match.start() - 12), match.start()) or (small and not named):
            continue
        score = 0.95 if named else 0.6 if address.is_private else 0.9
        yield _finding(PersonalData.IP_ADDRESS, *match.span(), score, "an IP address")


def _phones(text: str) -> Iterator[Finding]:
    for match in _PHONE.finditer(text):
        start, end = match.span()
        found = match[0]
        while found.count("(") > found.count(")") and found.startswith("("):
            start, found = start + 1, found[1:]
        number = _EXTENSION.sub("", found)
        digits = re.sub(r"\D", "", number)
        if not 7 <= len(digits) <= 15 or len(set(digits)) < 3 or "\n" in found:
            continue
        named = is_near(text, start, end, _PHONE_WORDS, before=40, after=12)
        score = _phone_score(number, digits, named=named, has_extension=number != found)
        refuted = not named and _NOT_A_PHONE.search(text, max(0, start - 30), start)
        if score and not refuted:
            reason = "a phone number" + (", named as one" if named else " by its form")
            yield _finding(PersonalData.PHONE, start, end, score, reason)


def _phone_score(number: str, digits: str, *, named: bool, has_extension: bool) -> float:
    """Return how sure it is that a number is one of a phone; 0 when it is not taken for one."""
    if number.startswith("+") or (number.startswith("00") and len(digits) >= 11):
        known = _is_valid(number, None) or _is_valid("+" + digits.lstrip("0"), None)
        return 0.99 if known else 0.85 if named or number.startswith("+") else 0.6
    if _DATE_LIKE.fullmatch(number.strip(" -.")):
        return 0.0
    if named:
        return 0.85
    if _THOUSANDS.fullmatch(number.strip()):
        return 0.0
    groups = re.split(r"[^\d]+", number.strip("() "))
    grouped = len(groups) >= 3 or "(" in number
    american = re.fullmatch(r"(?:1[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}", number) is not None
    if (american and grouped) or has_extension:
        return 0.75
    # A leading zero is the prefix of a national number nearly everywhere.
    if grouped and number.startswith(("0", "(0")) and 9 <= len(digits) <= 12:
        return 0.7 if any(_is_valid(number, region) for region in _REGIONS) else 0.0
    return 0.0


def _is_valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _finding(kind: PersonalData, start: int, end: int, score: float, reason: str) -> Finding:
    return Finding(Check.PERSONAL_DATA, kind, start, end, score, reason)
