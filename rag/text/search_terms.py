"""Turns words into FTS5 text and FTS5 queries.

The tokenizer unicode61 takes a run of Chinese, Japanese or Korean text for one word, so nothing inside it
is ever found. Text is therefore indexed with a space around every such character, and such a run in a query
becomes a phrase of its characters. Every word that people type is quoted: FTS5's operators never reach the
parser.
"""

from __future__ import annotations

import re

CJK = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_CJK_CHARACTER = re.compile(f"([{CJK}])")
_WORD = re.compile(f"[{CJK}]+|[^\\W{CJK}]+")

# Words that match nearly every English passage and say nothing about it.
STOP_WORDS = frozenset(
    "a an and are as at be been but by can could did do does for from had has have how i if in into "
    "is it its may me might my no not of on or our shall should so some such than that the their them "
    "then there these they this those to us was we were what when where which while who whom whose "
    "why will with would you your".split()
)


def indexed_text(text: str) -> str:
    """Return a text as it is given to FTS5."""
    return _CJK_CHARACTER.sub(r" \1 ", text)


def query_words(text: str) -> list[str]:
    """Return the words of a question that are worth searching for, in lower case and in order, each once.

    Stop words are left out unless there is nothing else.
    """
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    return [word for word in words if word not in STOP_WORDS] or words


def match_expression(text: str) -> str:
    """Return the FTS5 MATCH expression for texts with every word, the last one as a prefix; "" for none."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    terms = ['"' + " ".join(indexed_text(word).split()) + '"' for word in words]
    return " AND ".join(terms) + "*" if terms else ""
