"""Toxic wording by a list of words with rules of context, and the tone of an answer.

It is a word list, and is shown as one: it finds insults and slurs of plain English, and neither threats in
polite words nor irony. A word that is quoted, spoken about or denied does not count.
"""

from __future__ import annotations

import re

_INSULTS = (
    r"idiots?|idiotic|morons?|moronic|imbeciles?|stupid|dumb(?:ass)?|retard(?:ed|s)?"
    r"|scum(?:bags?)?|bastards?|bitch(?:es|y)?"
    r"|assholes?|arseholes?|dickheads?|dipshits?|bullshit|shit(?:ty|head)?|fuck(?:ing|ed"
    r"|er|ers|s)?|cunts?|whores?|sluts?|wankers?"
    r"|twats?|pigs|vermin|subhuman|filthy|worthless|pathetic|losers?|freaks?|creeps?"
    r"|degenerates?|savages?|barbarians?"
    r"|disgusting|despicable|hate you|shut up|go to hell|drop dead|kill yourself"
)
_STRONG = re.compile(
    r"\b(?:fuck\w*|cunts?|assholes?|arseholes?|dickheads?|dipshits?|dumbass|scumbags?"
    r"|subhuman|kill yourself|drop dead"
    r"|go to hell|bastards?|bitch(?:es)?|whores?|sluts?|retards?|shitheads?|wankers?|twats?)\b",
    re.IGNORECASE,
)
_WORD = re.compile(rf"\b(?:{_INSULTS})\b", re.IGNORECASE)
# Milder words are insults only when somebody is called so.
_AIMED = re.compile(
    r"\b(?:you(?:['’]re| are)?|your|they(?:['’]re| are)|these|those|such|all|he(?:['’]s| "
    r"is)|she(?:['’]s| is)|people|women|men)"
    r"(?: \w+){0,4} ?$",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|never|no|n['’]t|isn['’]t|aren['’]t|without)\b(?: \w+){0,3} ?$", re.IGNORECASE)
_SPOKEN_OF = re.compile(
    r"\b(?:words?|terms?|slurs?|insults?|phrases?|expressions?|called|calls?|calling|said"
    r"|says|titled|spelled|means?|offensive|guinea"
    r"|written|novel|film|book|song|quote)\b(?:[ :,]+[\"“‘']?\w*){0,3}[ :,\"“‘']*$",
    re.IGNORECASE,
)
_QUOTES = "\"“”«»‘'`"
_WARM = re.compile(
    r"\b(?:please|thanks?|thank you|welcome|glad|happy|great|good|excellent|helpful"
    r"|congratulations|wonderful|sure|certainly|enjoy"
    r"|success(?:ful)?|best|support|recommend(?:ed)?|encourage|able|well)\b",
    re.IGNORECASE,
)
_COLD = re.compile(
    r"\b(?:unfortunately|sorry|cannot|can['’]t|unable|never|bad|poor|wrong|fail(?:s|ed"
    r"|ure)?|risk(?:s|y)?|danger(?:ous)?|problem"
    r"|difficult|unlikely|refuse[ds]?|deny|denied|suspicious|illegal|warning|must not"
    r"|should not|worse|worst)\b",
    re.IGNORECASE,
)


def toxic_words(text: str) -> list[tuple[int, int]]:
    """Return the places of toxic words, without those that are quoted, denied or spoken about."""
    found = []
    for match in _WORD.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        if text[max(0, match.start() - 1) : match.start()] in _QUOTES and match.start():
            continue
        if _SPOKEN_OF.search(before) or _DENIED.search(before):
            continue
        if _STRONG.fullmatch(match[0]) or _AIMED.search(before):
            found.append(match.span())
    return found


def tone(text: str) -> float:
    """Return the tone from -1 (only cold words) to 1 (only warm ones), 0 without any."""
    warm, cold = len(_WARM.findall(text)), len(_COLD.findall(text)) + 2 * len(toxic_words(text))
    return (warm - cold) / (warm + cold) if warm + cold else 0.0
