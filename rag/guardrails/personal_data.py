"""Finds personal data and secrets in a text, and masks them with placeholders that can be taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from rag.guardrails import identifiers, numbers, people, places, secrets
from rag.guardrails.rows import Check, Finding, PersonalData

_EMAIL = re.compile(r"(?<![\w.+-])[\w][\w.+%-]{0,63}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")


def find(text: str, kinds: Collection[str] | None = None) -> list[Finding]:
    """Return the personal data in a text, in order and without overlaps.

    Args:
        text: Any text.
        kinds: The values of PersonalData that are looked for; None means all of them.
    """
    wanted = frozenset(PersonalData) if kinds is None else frozenset(kinds)
    found = [finding for finder, found_kinds in _FINDERS if wanted & found_kinds for finding in finder(text)]
    # Kinds are left out after overlaps: a card that nobody asked for is still no phone.
    return [finding for finding in without_overlaps(found) if finding.kind in wanted]


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in order; of those that overlap, the surer one stays, then the longer one."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (-f.score, f.start - f.end, f.start)):
        if all(finding.end <= other.start or other.end <= finding.start for other in kept):
            kept.append(finding)
    return sorted(kept, key=lambda f: f.start)


class Masker:
    """A masker that gives each value one placeholder, the same in all texts that it masks.

    It keeps what it masked in memory only, so that the window can show an answer with its values.
    """

    def __init__(self) -> None:
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}

    def mask(self, text: str, findings: Iterable[Finding]) -> str:
        """Return the text with a placeholder such as "Person 1" for each finding of personal data."""
        parts, end = [], 0
        chosen = [finding for finding in findings if finding.check == Check.PERSONAL_DATA]
        for finding in without_overlaps(chosen):
            parts += [text[end : finding.start], self._placeholder(finding, text)]
            end = finding.end
        return "".join([*parts, text[end:]])

    def unmask(self, text: str) -> str:
        """Return the text with the values for the placeholders that this masker gave."""
        if not self._values:
            return text
        names = "|".join(map(re.escape, sorted(self._values, key=len, reverse=True)))
        return re.sub(rf"(?<!\w)(?:{names})(?!\w)", lambda match: self._values[match[0]], text)

    def _placeholder(self, finding: Finding, text: str) -> str:
        """Return the placeholder of a value; a new one is a name that the text does not contain itself."""
        kind, value = PersonalData(finding.kind), text[finding.start : finding.end]
        # A name is the same name in capitals; a key is not.
        same = " ".join(value.casefold().split()) if kind in _IN_ANY_CASE else value
        known = self._placeholders.get((kind, same))
        if known is None:
            known = next(name for name in _names(kind.placeholder) if self._is_free(name, text))
            self._placeholders[kind, same] = known
            self._values[known] = value
        return known

    def _is_free(self, name: str, text: str) -> bool:
        return name not in self._values and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is None


_IN_ANY_CASE = (PersonalData.PERSON, PersonalData.ADDRESS, PersonalData.EMAIL)


def _names(word: str) -> Iterator[str]:
    """Yield "Person 1", "Person 2", …."""
    number = 0
    while True:
        number += 1
        yield f"{word} {number}"


def _emails(text: str) -> Iterator[Finding]:
    for match in _EMAIL.finditer(text):
        yield Finding(Check.PERSONAL_DATA, PersonalData.EMAIL, *match.span(), 1.0, "an e-mail address")


_NUMBERS = {
    PersonalData.PHONE,
    PersonalData.IBAN,
    PersonalData.CARD,
    PersonalData.IP_ADDRESS,
    PersonalData.NATIONAL_ID,
}
_WRITTEN = {PersonalData.EMAIL, PersonalData.SECRET, PersonalData.URL_CREDENTIALS}
# Each finder with the kinds among which it decides: those that look alike are found together.
_FINDERS: tuple[tuple[Callable[[str], Iterable[Finding]], frozenset[str]], ...] = (
    (_emails, frozenset(_WRITTEN)),
    (secrets.find, frozenset(_WRITTEN)),
    (numbers.find, frozenset(_NUMBERS)),
    (identifiers.find, frozenset(_NUMBERS)),
    (places.find, frozenset({PersonalData.ADDRESS, PersonalData.BIRTH_DATE})),
    (people.find, frozenset({PersonalData.PERSON})),
)
