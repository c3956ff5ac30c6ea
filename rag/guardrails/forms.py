"""Checks of a text's form: its length and language, citations, and phrases that it must not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import regex

from rag.errors import RagError
from rag.guardrails.rows import Finding
from rag.text.citations import listed_markers_of
from rag.text.languages import language_name, language_of

NOT_CHECKED = "not checked"  # kind of a finding that stands for a pattern that took too long
_TIMEOUT_S = 0.25
_SECONDS_A_CHARACTER = 2e-6
_WITHOUT_LETTERS = 20  # a text with fewer letters has no language
# Texts on which patterns that backtrack without end show it: long runs that almost match.
_TRIALS = (
    "a" * 30_000,
    "1" * 20_000 + "!",
    "a b " * 5_000 + "!",
    "ab" * 10_000 + "\n",
    "<" * 5_000,
    " " * 20_000,
)


def too_long(text: str, most: int) -> list[Finding]:
    """Return a finding for what is behind the most characters that a text may have."""
    if len(text) <= most:
        return []
    reason = f"it has {len(text):,} characters, {most:,} are allowed"
    return [Finding("length", "too long", most, len(text), 1.0, reason)]


def without_citation(text: str) -> list[Finding]:
    """Return a finding for an answer that cites no passage."""
    if not text.strip() or listed_markers_of(text):
        return []
    return [Finding("citation", "no citation", 0, len(text), 1.0, "it cites no passage, such as [1]")]


def other_language(text: str, languages: Sequence[str]) -> list[Finding]:
    """Return a finding for a text in another language than these (ISO 639-1); a short text has none."""
    found = language_of(text)
    if not found or found in languages or sum(c.isalpha() for c in text) < _WITHOUT_LETTERS:
        return []
    reason = f"it looks {language_name(found)}"
    return [Finding("language", "other language", 0, len(text), 0.9, reason)]


def phrases_in(text: str, phrases: Iterable[str], patterns: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each place of a forbidden phrase or pattern, whatever the case of its letters.

    A phrase begins and ends where a word does. A pattern that takes too long is stopped, and stands for the
    whole text: what could not be checked is not called free of it.
    """
    for number, phrase in enumerate(phrases, 1):
        words = r"\s+".join(map(regex.escape, phrase.split()))
        pattern = rf"(?<!\w){words}(?!\w)"
        yield from _matches(text, pattern, f"phrase {number}", "a forbidden phrase")
    for number, pattern in enumerate(patterns, 1):
        yield from _matches(text, pattern, f"pattern {number}", "it matches a forbidden pattern")


def _matches(text: str, pattern: str, kind: str, reason: str) -> Iterator[Finding]:
    limit = max(_TIMEOUT_S, len(text) * _SECONDS_A_CHARACTER)
    try:
        for match in _compiled(pattern).finditer(text, timeout=limit):
            if match.end() > match.start():
                yield Finding("phrases", kind, match.start(), match.end(), 1.0, reason)
    except TimeoutError:
        why = f"{kind} took longer than {limit:.2g} s and was stopped"
        yield Finding("phrases", NOT_CHECKED, 0, len(text), 1.0, why)


def refuse_pattern(pattern: str) -> None:
    """Raise RagError with a sentence when a pattern is none, is empty, or takes too long on some text."""
    try:
        compiled = _compiled(pattern)
    except regex.error as error:
        raise RagError(f"“{pattern[:80]}” is not a regular expression: {error.msg}.") from error
    if compiled.search("") is not None:
        raise RagError(f"“{pattern[:80]}” matches everything, even an empty text. Make it more exact.")
    for trial in (*_TRIALS, *_like(pattern)):
        try:
            compiled.search(trial, timeout=_TIMEOUT_S)
        except TimeoutError as error:
            raise RagError(
                f"“{pattern[:80]}” takes too long on some texts: a repetition inside a repetition, such as "
                "(a+)+, has no end. Write it without the inner one."
            ) from error


def _like(pattern: str) -> Iterator[str]:
    """Yield long texts of the letters of a pattern, without the end that it wants."""
    letters = "".join(dict.fromkeys(c for c in pattern if c.isalnum()))[:12]
    for one in letters:
        yield one * 5_000 + "\0"
    yield letters * 1_000 + "\0"


def _compiled(pattern: str) -> regex.Pattern:
    return regex.compile(pattern, regex.IGNORECASE | regex.VERSION0)  # kept in the library's own cache
