"""Finds national identifiers of people by their form, their checksum and the words near them.

A form that only such a number has ("12.34.56-789.01") is enough together with its checksum. Where the number
is nothing but digits, one in ten or so passes by chance, so a word near it has to name it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.guardrails.context import is_near
from rag.guardrails.rows import Check, Finding, PersonalData


@dataclass(frozen=True)
class Identifier:
    """A kind of national identifier.

    Attributes:
        country: The package of stdnum that holds it.
        module: Its module there, which knows the checksum.
        name: What people call it, and what is shown as the reason.
        shape: How it is written, as a regular expression.
        words: What names it, as a regular expression.
        needs_words: Whether the form and the checksum alone say too little.
    """

    country: str
    module: str
    name: str
    shape: str
    words: str
    needs_words: bool = True


IDENTIFIERS = (
    Identifier("us", "ssn", "US social security number", r"\d{3}-\d{2}-\d{4}", r"ssn|social sec", False),
    Identifier("us", "ssn", "US social security number", r"\d{3} ?\d{2} ?\d{4}", r"ssn|social sec"),
    Identifier("us", "itin", "US taxpayer number", r"9\d{2}-?[5-9]\d-?\d{4}", r"itin|taxpayer"),
    Identifier("gb", "nhs", "NHS number", r"\d{3}[ -]?\d{3}[ -]?\d{4}", r"\bnhs\b"),
    Identifier("ca", "sin", "Canadian social insurance number",
               r"\d{3}[ -]?\d{3}[ -]?\d{3}", r"\bsin\b|social ins"),
    Identifier("au", "tfn", "Australian tax file number", r"\d{3} ?\d{3} ?\d{2,3}", r"\btfn\b|tax file"),
    Identifier("de", "idnr", "German tax identifier",
               r"\d{2} ?\d{3} ?\d{3} ?\d{3}", r"steuer|idnr|tax id|\btin\b"),
    Identifier("at", "vnr", "Austrian insurance number",
               r"\d{4} ?\d{6}", r"versicherung|svnr|\bsv\b|insurance"),
    Identifier("ch", "ssn", "Swiss insurance number",
               r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", r"ahv|avs", False),
    Identifier("fr", "nir", "French social security number",
               r"[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", r"s[ée]curit|\bnir\b|insee", False),
    Identifier("es", "dni", "Spanish DNI", r"\d{8}-?[A-Z]", r"\bdni\b|\bnif\b", False),
    Identifier("es", "nie", "Spanish NIE", r"[XYZ]-?\d{7}-?[A-Z]", r"\bnie\b", False),
    Identifier("it", "codicefiscale", "Italian codice fiscale",
               r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", r"fiscale", False),
    Identifier("pt", "nif", "Portuguese NIF", r"[12356]\d{2} ?\d{3} ?\d{3}", r"\bnif\b|contribuinte"),
    Identifier("pt", "cc", "Portuguese citizen card",
               r"\d{8} ?\d ?[A-Z0-9]{2}\d", r"cidad[ãa]o|citizen", False),
    Identifier("nl", "bsn", "Dutch BSN", r"\d{9}|\d{4}[. ]\d{2}[. ]\d{3}", r"\bbsn\b|burgerservice|sofi"),
    Identifier("be", "nn", "Belgian national number",
               r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", r"national|rijks", False),
    Identifier("be", "nn", "Belgian national number",
               r"\d{11}", r"rijksregister|registre national|national (?:number|reg)"),
    Identifier("se", "personnummer", "Swedish personnummer", r"(?:19|20)?\d{6}[-+]\d{4}", r"person", False),
    Identifier("no", "fodselsnummer", "Norwegian fødselsnummer",
               r"\d{6} ?\d{5}", r"f(?:ø|oe?)dsels|personnummer|national id"),
    Identifier("dk", "cpr", "Danish CPR number", r"\d{6}-?\d{4}", r"\bcpr\b|personnummer"),
    Identifier("fi", "hetu", "Finnish henkilötunnus",
               r"\d{6}[-+A-FYXWVU]\d{3}[0-9A-Z]", r"hetu|henkil", False),
    Identifier("pl", "pesel", "Polish PESEL", r"\d{11}", r"pesel"),
    Identifier("cz", "rc", "Czech birth number", r"\d{6}/\d{4}", r"rodn|\br[čc]\b", False),
    Identifier("ro", "cnp", "Romanian CNP", r"[1-9]\d{12}", r"\bcnp\b|numeric personal"),
    Identifier("bg", "egn", "Bulgarian EGN", r"\d{10}", r"\begn\b|ЕГН"),
    Identifier("ee", "ik", "Estonian isikukood", r"[1-6]\d{10}", r"isikukood|personal code"),
    Identifier("ie", "pps", "Irish PPS number", r"\d{7}[A-W][ABHWTX]?", r"\bpps", False),
    Identifier("br", "cpf", "Brazilian CPF", r"\d{3}\.\d{3}\.\d{3}-\d{2}", r"\bcpf\b", False),
    Identifier("br", "cpf", "Brazilian CPF", r"\d{11}", r"\bcpf\b"),
    Identifier("cl", "rut", "Chilean RUT", r"\d{1,2}\.?\d{3}\.?\d{3}-[\dK]", r"\brut\b|\brun\b"),
    Identifier("mx", "curp", "Mexican CURP", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", r"curp", False),
    Identifier("in_", "aadhaar", "Indian Aadhaar", r"[2-9]\d{3} ?\d{4} ?\d{4}", r"aadhaar|uidai"),
    Identifier("in_", "pan", "Indian PAN",
               r"[A-Z]{3}[ABCFGHLJPTK][A-Z]\d{4}[A-Z]", r"\bpan\b|permanent account"),
    Identifier("cn", "ric", "Chinese resident number",
               r"[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dX]", r"身份证", False),
    Identifier("kr", "rrn", "Korean resident number", r"\d{6}-[1-8]\d{6}", r"주민", False),
    Identifier("za", "idnr", "South African identity number", r"\d{6} ?\d{4} ?\d{2} ?\d", r"\bid\b|identity"),
    Identifier("tr", "tckimlik", "Turkish identity number", r"[1-9]\d{10}", r"kimlik|\btckn?\b"),
    Identifier("il", "idnr", "Israeli identity number", r"\d{8}-?\d", r"teudat|israeli id|identity n"),
)  # fmt: skip

_ANY_WORDS = (
    r"national (?:id|ident|insurance)|identity (?:number|card|no)|personal (?:number|code|id)|id number"
)
_COMPACT = re.compile(r"(?<![\w.,/+-])(?=[A-Z]{0,6}\d)[A-Z0-9]{8,18}(?![\w/]|[.,-]\d)")
_APART = re.compile(
    r"(?<![\w.,/+-])[XYZ]?-?\d{1,8}(?:[ .\-/+]\d{1,7}){0,6}(?:[ -]?[A-Z]{1,2}\d?"
    r"|[A-FYXWVU+-]\d{3}[0-9A-Z]|-K)?"
    r"(?![\w/]|[.,-]\d)"
)


def find(text: str) -> Iterator[Finding]:
    """Yield the national identifiers in a text."""
    for match in (*_COMPACT.finditer(text), *_APART.finditer(text)):
        if sum(map(str.isdigit, match[0])) < 4 or len(match[0]) < 8:
            continue
        for number, identifier in enumerate(IDENTIFIERS):
            shape, words = _patterns(number)
            if shape.fullmatch(match[0]) is None or not _is_valid(identifier, match[0]):
                continue
            named = is_near(text, *match.span(), words, before=50, after=20)
            if named or not identifier.needs_words:
                score = 0.98 if named else 0.9
                kind = PersonalData.NATIONAL_ID
                yield Finding(Check.PERSONAL_DATA, kind, *match.span(), score, _reason(identifier.name))
                break


def _reason(name: str) -> str:
    return f"{'an' if name.startswith(('A', 'E', 'I', 'NHS')) else 'a'} {name}"


@cache
def _patterns(number: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    identifier = IDENTIFIERS[number]
    return re.compile(identifier.shape), re.compile(f"{identifier.words}|{_ANY_WORDS}", re.IGNORECASE)


def _is_valid(identifier: Identifier, value: str) -> bool:
    return bool(_module(identifier.country, identifier.module).is_valid(value))


@cache
def _module(country: str, name: str) -> Any:
    return importlib.import_module(f"stdnum.{country}.{name}")
