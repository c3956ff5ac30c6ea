"""Turns words into FTS5 text and FTS5 queries.

The tokenizer unicode61 takes a run of Chinese, Japanese or Korean text for one word, so nothing inside it
is ever found. Text is therefore indexed with a space around every such character, and such a run in a query
becomes the pairs of its neighbouring characters: few questions contain a passage's words in sequence. Every
word that people type is quoted: FTS5's operators never reach the parser.

Text is folded alike where it is indexed, searched for and compared: what a reader cannot see or takes for the
same letter must not decide what is found.
"""

from __future__ import annotations

import re
import unicodedata

CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_CJK_CHARACTER = re.compile(f"([{CJK}])")
_WORD = re.compile(f"[{CJK}]+|[^\\W{CJK}]+")

# Soft hyphens, zero-width characters, joiners, bidi controls, variation selectors, fillers and the byte
# order mark.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0]"
)

# What names one thing and is torn by a search for words: with a digit or between letters and digits
# (4.4.6, XR-2075, E7), an option (--no-ff), a path or a name with underscores, dots or colons inside
# (/etc/fstab, config.toml).
_TOKEN = re.compile(r"[^\s,;!?()\[\]{}<>\"'“”‘’«»|=*`]+")
_SEPARATORS = re.compile(r"[-./\\_:#@+~]")

# Words that match nearly every English passage and say nothing about it.
STOP_WORDS = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in into "
    "is it its may me might my no not of on or our shall should so some such than that the their them "
    "then there these they this those to us was we were what when where which while who whom whose "
    "why will with would you your".split()
)


def folded(text: str) -> str:
    """Return a text without invisible characters, its ligatures and full-width forms in their plain form.

    The plain form is Unicode's NFKC (Unicode Standard Annex 15).
    """
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def comparable(text: str) -> str:
    """Return the form in which texts are the same for a reader: folded, in lower case, evenly spaced."""
    return " ".join(folded(text).lower().split())


def indexed_text(text: str) -> str:
    """Return a text as it is given to FTS5."""
    return _CJK_CHARACTER.sub(r" \1 ", folded(text))


def query_words(text: str) -> list[str]:
    """Return the words of a question that are worth searching for, in lower case and in order, each once.

    Stop words are left out unless there is nothing else. A run of more than two Chinese, Japanese or Korean
    characters becomes its pairs of neighbours.
    """
    found = (word.lower() for run in _WORD.findall(folded(text)) for word in _pairs(run))
    words = list(dict.fromkeys(found))
    return [word for word in words if word not in STOP_WORDS] or words


def _pairs(run: str) -> list[str]:
    if len(run) <= 2 or not _CJK_CHARACTER.match(run):
        return [run]
    return [run[place : place + 2] for place in range(len(run) - 1)]


def identifiers(text: str) -> list[str]:
    """Return the identifiers of a question in order, each once, as they were typed.

    An identifier is a token that names one thing: 4.4.6, XR-2075, CVE-2024-1234, E7, --no-ff, /etc/fstab,
    config.toml, max_tokens. Ordinary words with a hyphen, plain numbers and ordinals are none.
    """
    found = (token.strip(".:-/@#+~") if not token.startswith(("-", "/")) else token.rstrip(".:-/")
             for token in _TOKEN.findall(folded(text)))  # fmt: skip
    return [token for token in dict.fromkeys(found) if _is_identifier(token)]


def _is_identifier(token: str) -> bool:
    if len(token) < 2 or not any(c.isalnum() for c in token):
        return False
    letters, digits = any(c.isalpha() for c in token), any(c.isdigit() for c in token)
    if re.fullmatch(r"--?[A-Za-z][\w-]*", token):
        return True
    if digits and _SEPARATORS.search(token):
        return True
    if letters and digits:
        return not re.fullmatch(r"\d+(st|nd|rd|th|s|k|m|g|x|mm|cm|km|kg|ms|gb|mb|kb|h|am|pm)", token.lower())
    if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", token):  # an abbreviation such as e.g or U.S
        return False
    return letters and bool(re.search(r"\w[_\\.]\w|::|^/\w|\w/\w+/\w", token))


def match_expression(text: str) -> str:
    """Return the FTS5 MATCH expression for texts with every word, the last one as a prefix; "" for none."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(folded(text))))
    terms = ['"' + " ".join(indexed_text(word).split()) + '"' for word in words]
    return " AND ".join(terms) + "*" if terms else ""
