"""Decides what is searched for: the question, its spelling, its identifiers, and what it points back to.

Everything found here is an addition: the question as it was typed is always searched for, so a wrong
guess can only add candidates. What was added is told in the trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from sqlmodel import Session

from rag.settings import RetrievalSettings
from rag.storage.version_content import VersionContent, fts_tokens
from rag.text.languages import language_of
from rag.text.search_terms import STOP_WORDS, folded, identifiers, query_words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_POINTING_BACK = frozenset(
    "it its it's itself they them their theirs that that's this those these he he's him his she she's her "
    "hers there ones other others instead same such former latter else another both either "
    "neither".split()
)
_GOING_ON = re.compile(r"(?:and|but|or|so|then|also|what about|how about)\b", re.IGNORECASE)
_THERE_IS = re.compile(r"\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were)\b", re.IGNORECASE)
_FEW_WORDS = 2  # of its own: "What's the default?" is about something that was said before
_LISTING = re.compile(
    r"^\W*(?:(?:please\s+)?(?:list|enumerate|name|show|give)\b(?:\s+me)?.*\b(?:all|every|each|the)\b"
    r"|how many (?!(?:euro|dollar|pound|cent|second|minute|hour|day|week|month|year|met|mile|kilo|degree|volt"
    r"|watt|percent|token|byte)\w*\b)"
    r"|(?:what|which)\b.{0,60}?\b(?:are there|exist|are available|are listed|are supported)\b"
    r"|(?:what|which) (?:are|were) (?:all )?the\b.*s\b"
    r"|which \w+s\b|count\b|(?:what|which) (?:kinds|types|sorts|parts|items|options|values)\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_COMMON_WORDS = 12_000  # of the embedder's vocabulary; later ones are names and rare words
_SHORTEST = 4  # letters of a word whose spelling is looked at: of shorter ones too many are one letter apart
_FAR_FROM = 8  # letters from which two slips are allowed, else one: Lucene's "AUTO" allows as much or more


class TextName(StrEnum):
    """Why a text is searched for."""

    QUESTION = "question"
    SPELLING = "spelling"
    FOLLOW_UP = "follow-up"


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Attributes:
        question: The question, folded.
        texts: What dense and BM25 search look for, with the reason; the question comes first.
        identifiers: Tokens that name one thing, as they were typed.
        corrections: (as typed, as searched for) of words that look misspelt.
        wants_all: Whether the question asks for a list or a number of things.
    """

    question: str
    texts: tuple[tuple[TextName, str], ...]
    identifiers: tuple[str, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    wants_all: bool = False

    def notes(self) -> list[str]:
        """Return what was searched for besides the question, in sentences."""
        return [f"also searched for: {text} ({name})" for name, text in self.texts[1:]]


def understand(
    question: str,
    settings: RetrievalSettings,
    previous: str = "",
    correct: Callable[[str], str | None] | None = None,
) -> Query:
    """Return what is searched for.

    Args:
        question: As it was typed.
        settings: Which additions are wanted.
        previous: The question before a follow-up; empty for one that stands alone.
        correct: Returns the correct spelling of a word in lower case; None: it is known, or nothing is close.
    """
    plain = folded(question)
    found: dict[str, TextName] = {}
    joined = f"{folded(previous)} {plain}"
    if not previous or settings.follow_ups == "both":
        found[plain] = TextName.QUESTION
    if previous:
        found.setdefault(joined, TextName.FOLLOW_UP)
    corrections: dict[str, str] = {}
    if settings.spelling and correct is not None:
        corrections = misspelt(plain, correct)
        if corrections:
            found.setdefault(_corrected(joined if previous else plain, corrections), TextName.SPELLING)
    return Query(
        plain,
        tuple((name, text) for text, name in found.items()),
        tuple(identifiers(plain)) if settings.identifiers else (),
        tuple(corrections.items()),
        wants_all(plain),
    )


def wants_all(question: str) -> bool:
    """Return whether a question asks for a list or a number of things."""
    return bool(_LISTING.search(folded(question)))


def points_back(question: str) -> bool:
    """Return whether a question may need the one before it: it has a pronoun, goes on, or says little."""
    text = folded(question)
    if _has_pronoun(text) or _GOING_ON.match(text.strip()):
        return True
    return len([word for word in query_words(text) if len(word) > 1]) <= _FEW_WORDS and not identifiers(text)


def is_self_contained(question: str) -> bool:
    """Return whether a question surely needs no other: it has no pronoun and words of its own."""
    text = folded(question)
    return not _has_pronoun(text) and len(query_words(text)) > 1


def _has_pronoun(text: str) -> bool:
    plain = _THERE_IS.sub(" ", text.replace("’", "'"))
    return not _POINTING_BACK.isdisjoint(word.lower() for word in re.findall(r"\w+(?:'\w+)?", plain))


def misspelt(text: str, correct: Callable[[str], str | None]) -> dict[str, str]:
    """Return the words of a text that look misspelt, with what they are to be."""
    if language_of(text) not in ("", "en"):
        return {}  # its words are no misspelt English
    torn = {word for token in identifiers(text) for word in _WORD.findall(token.lower())}
    words = dict.fromkeys(word.lower() for word in _WORD.findall(text))
    candidates = (w for w in words if len(w) >= _SHORTEST and w not in STOP_WORDS and w not in torn)
    return {word: right for word in candidates if (right := correct(word))}


def close_words(word: str, known: Iterable[tuple[str, int]]) -> list[tuple[int, str]]:
    """Return (distance, word) of the words that may have been meant, the likeliest first.

    The distance is the optimal string alignment distance, in which swapped neighbours are one slip. A
    first letter is rarely wrong. Of equally close words the one with the higher weight comes first.
    """
    from rapidfuzz.distance import OSA

    most = 2 if len(word) >= _FAR_FROM else 1
    found: list[tuple[float, int, int, str]] = []
    for other, weight in known:
        if abs(len(other) - len(word)) > most or other == word:
            continue
        distance = OSA.distance(word, other, score_cutoff=most)
        if distance <= most:
            found.append((distance + 0.5 * (other[0] != word[0]), -weight, distance, other))
    return [(distance, other) for _, _, distance, other in sorted(found)]


def _corrected(text: str, corrections: dict[str, str]) -> str:
    return _WORD.sub(lambda found: corrections.get(found[0].lower(), found[0]), text)


class Spelling:
    """Finds what a misspelt word was meant to be, among a version's words and those the embedder knows.

    A word that either of them knows is right: otherwise "survive" would become "service" where it is missing.
    """

    def __init__(self, content: VersionContent, session: Session, tokenizer: Tokenizer) -> None:
        self._content, self._session, self._tokenizer = content, session, tokenizer

    def correct(self, word: str) -> str | None:
        """Return the word that was probably meant; None when this one is known or nothing is close enough."""
        tokens = fts_tokens([word])
        if len(tokens) != 1 or len(tokens[0]) != 1:
            return None
        plain = tokens[0][0]
        if self._tokenizer.token_to_id(plain) is not None or self._occurs(plain):
            return None
        own = close_words(plain, self._content.vocabulary(self._session).items())
        own = next(([pair] for pair in own if self._occurs(pair[1])), [])
        likely = min(own + close_words(plain, self._common)[:1], key=lambda pair: pair[0], default=None)
        return likely[1] if likely else None

    def _occurs(self, word: str) -> bool:
        return len(self._content.occurrences(self._session, (word,), stemming=True)[0]) > 0

    @cached_property
    def _common(self) -> list[tuple[str, int]]:
        """The commonest words of the embedder's vocabulary: WordPiece's is ordered by frequency."""
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=False)
        return [
            (word, -number)
            for word, number in vocabulary.items()
            if number < _COMMON_WORDS and len(word) >= _SHORTEST and word.isalpha()
        ]
