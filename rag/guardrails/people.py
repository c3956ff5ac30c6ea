"""Finds names of people by rules: titles, words near them, known first names, and names found before.

No rule knows all names. What is found so is experimental: it helps to see where names are, and does not
promise that a text is free of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

import regex

from rag.guardrails.rows import Check, Finding, PersonalData

# Possessive and without two ways to read a letter: a long token must not cost more than its length.
_WORD = (
    r"(?:\p{Lu}{2,20}+(?![\p{Ll}])|\p{Lu}[\p{Ll}\p{M}]{0,30}+"
    r"(?:(?!['’]s\b)(?:['’\-]\p{Lu}?|\p{Lu})[\p{Ll}\p{M}]{1,30}+){0,4}+)"
)
_PART = (
    rf"(?:{_WORD}|\p{{Lu}}\.|\p{{Lu}}(?=[ ]\p{{Lu}})|(?:van|von|de|da|di|del|der|den|la|le"
    rf"|bin|al|dos)(?=[ ]\p{{Lu}}))"
)
_NAME = rf"{_WORD}(?:[ ]{_PART}){{0,3}}"
_LONE = r"[\p{L}][\p{L}\p{M}'’\-]+(?:[ ][\p{L}][\p{L}\p{M}'’\-.]*){0,3}"

_TITLED = regex.compile(
    r"\b(?:[Mm]rs?|[Mm]s|[Mm]iss|[Dd]r|[Pp]rof|[Hh]err|[Ff]rau|[Mm]me|[Mm]lle|[Mm]onsieur"
    r"|[Mm]adame|[Ss]eñora?|[Ss]ra?"
    rf"|[Ss]ignora?|[Dd]on(?:na)?|[Ss]ir|[Ll]ady|[Pp]an[ií]?|[Ff]ru)\b\.?[ ]+(?:Dr\.[ ])?({_NAME})"
)
# What stands before a name. The name itself must begin with a capital letter.
_BEFORE = regex.compile(
    r"(?:\b(?i:my (?:full )?name is|name is|named|is called|was called|called|calls? me"
    r"|I['’]m|I am|this is|it['’]s under"
    r"|(?:partner|wife|husband|son|daughter|child|kid|brother|sister|mother|father|friend"
    r"|boss|colleague|player|producer"
    r"|director|singer|songwriter|author|actor|actress|commenter|editor|president|minister"
    r"|spokes(?:wo)?man|founders?)(?:['’]s name)?:?"
    r"|dear|hi|hello|hey|signed|sincerely,|regards,|thanks,|directed by:?|written by:?"
    r"|sung by|arranged by|interview with"
    r"|tribute to|follow up with|change it to|correct it to|speak (?:to|with)|contact|ask for|born|c/o|attn:?"
    r"|remove my kid|to add|features?|ring)"
    rf"[ ,]+)({_NAME})"
)
_LABELLED = regex.compile(
    r"(?m)(?:^|[.?!:>\n][ ]*|\byour[ ])(?:(?:full |first |last |sur|maiden |account "
    r")?name(?:[ ]+on[^:\n?]{3,30})?|contact|patient|customer|employee"
    rf"|author|manager|from|to|cc|user|client|applicant|billing address|beneficiary)[ "
    rf"]*[:?][ \t]*(?:user:[ ]*)?({_LONE})",
    regex.IGNORECASE,
)
_MAIDEN = regex.compile(
    rf"\b(?:(?:maiden|last|sur|first|family) ?name (?:is|was)|people call me|my name is)[ ]({_LONE})",
    regex.IGNORECASE,
)
_AFTER = regex.compile(
    rf"(?<!\\b(?:from|at|of|in|the)[ ])({_NAME})(?=(?:,[^,.\n]{{2,40}},)? (?:said|says"
    rf"|asked|replied|told|shouted|explained|added|wrote|lives|lived|was born|is (?:a|the"
    rf"|an|my|very)[ ]"
    r"(?:\w+[ ]){0,2}(?:man|woman|person|ceo|speaker|founder|player|driver|director|doctor"
    r"|teacher|friend)|will be (?:talking|speaking)))"
)
_QUOTED = regex.compile(rf"\b(?:said|says|asked|replied|explains|writes)[ ]({_NAME})")
_KNOWN = regex.compile(rf"(?<![\p{{L}}\d@.\-/])({_WORD})((?:[ ]{_PART}){{0,3}})")
_INITIAL = regex.compile(rf"(?<![\p{{L}}\d@])({_WORD}[ ](?:\p{{Lu}}\.?[ ]){{1,2}}{_WORD})")
_SPEAKER = regex.compile(rf"(?m)^(?!E-)({_WORD}):(?=\s?[\"“\p{{Lu}}])")
_ANY_WORD = regex.compile(r"(?<![\d@])\p{Lu}[\p{L}\p{M}\-]+(?![\d@])")
_NO_NAME = frozenset(
    "The This That These Those There Here What When Where Who Why How Please Thank "
    "Thanks Hello Hi Dear Yes No Not You Your"
    " He She It They We Our His Her Their My Me If In On At For From To With And Or But "
    "So As By Of Is Are Was Were Be Can Could"
    " Will Would Should Do Does Did Have Has Had May Might Must Monday Tuesday Wednesday "
    "Thursday Friday Saturday Sunday"
    " January February March April May June July August September October November "
    "December English French German Spanish Italian"
    " American British European Russian Chinese Japanese Inc Ltd LLC Corp Company "
    "Corporation Group Bank University Institute College"
    " School Street Avenue Road Address Phone Email Mail Fax Date Time Note Notes "
    "Section Chapter Table Figure Page Number Name"
    " Manager Customer Service Support Team All Everyone Sir Madam Info Personal Account "
    "Card Code Bot User Unknown None New Old"
    " North South East West Good Great World Internet Web Linux Windows Debian Python "
    "Java Google Microsoft Apple Data System Chat"
    " Mr Mrs Ms Miss Dr Prof Producer Director President Minister Author Editor Singer "
    "Actor Founder Website Mobile Desk Office"
    " Also After Before Now Then Just Only Some Many Most More One Two Three First "
    "Second Next Last Let See Use".split()
)
_ENDS = (
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Inc",
    "Ltd",
    "LLC",
    "Corp",
    "Company",
    "University",
    "College",
    "Group",
    "Bank",
    "Hotel",
    "Airport",
    "Park",
    "School",
    "Hospital",
    "Award",
    "Prize",
    "Act",
    "Museum",
    "Church",
    "Bridge",
    "Terrace",
    "Point",
    "Trail",
    "Way",
    "Place",
    "Square",
    "Lane",
    "Drive",
    "Court",
    "Island",
    "River",
    "Stanley",
    "County",
)
_LEFT_BEFORE = regex.compile(r"(?:Saint|St|Mount|Lake|Port|Fort|San|Santa|Cape|[Tt]he)\.? $")


def find(text: str) -> list[Finding]:
    """Return the names of people in a text; places may overlap."""
    found = list(_by_rules(text))
    found += _again(text, found)
    return found


@cache
def first_names() -> frozenset[str]:
    """Return the first names that are known, as they are written."""
    lines = files("resources").joinpath("guardrails", "first_names.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _by_rules(text: str) -> Iterator[Finding]:
    for match in _TITLED.finditer(text):
        yield from _name(text, match, 0.9, "a name after a title")
    for match in _BEFORE.finditer(text):
        yield from _name(text, match, 0.75, "a name after a word for a person")
    for match in (*_LABELLED.finditer(text), *_MAIDEN.finditer(text)):
        yield from _name(text, match, 0.8, "a name after its label")
    for match in (*_AFTER.finditer(text), *_QUOTED.finditer(text), *_SPEAKER.finditer(text)):
        yield from _name(text, match, 0.65, "somebody who speaks or acts")
    for match in _INITIAL.finditer(text):
        yield from _name(text, match, 0.7, "a name with an initial")
    known = first_names()
    for match in _KNOWN.finditer(text):
        if match[1] in known:
            full = bool(match[2])
            if _LEFT_BEFORE.search(text, max(0, match.start() - 7), match.start()):
                continue
            yield from _name(text, match, 0.8 if full else 0.6, "a known first name", group=0)


def _name(text: str, match: regex.Match[str], score: float, reason: str, group: int = 1) -> Iterator[Finding]:
    """Yield the name that a rule matched, unless its words are none of a name."""
    start, end = match.span(group)
    words = text[start:end].split(" ")
    while words and words[-1].rstrip(".,") in _NO_NAME:
        end -= len(words.pop()) + 1
    if not words or words[0] in _NO_NAME or words[-1].rstrip(".") in _ENDS:
        return
    value = text[start:end].rstrip(" .-'’")
    for ending in ("'s", "’s"):
        value = value.removesuffix(ending)
    if len(value) > 2 and not (len(value) > 5 and value.isupper() and " " not in value):
        yield Finding(Check.PERSONAL_DATA, PersonalData.PERSON, start, start + len(value), score, reason)


def _again(text: str, found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield where the parts of names stand again: "Yefremova" after "Faina D. Yefremova"."""
    parts = {
        part
        for finding in found
        if finding.score >= 0.65 and text.count(" ", finding.start, finding.end) < 3
        for part in text[finding.start : finding.end].split()
        if len(part) > 3 and part[0].isupper() and part not in _NO_NAME
    }
    for match in _ANY_WORD.finditer(text) if parts else ():
        if match[0] in parts:
            reason = "part of a name that stands in the text"
            yield Finding(Check.PERSONAL_DATA, PersonalData.PERSON, *match.span(), 0.62, reason)
