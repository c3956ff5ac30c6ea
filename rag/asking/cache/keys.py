"""What an answer depends on: the question, and everything else, which is its space.

A cached answer is found by the hash of both, so a change of anything makes another key: nothing has to be
invalidated. Two questions share a key only if a reader would call them the same text.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass

_PIPELINE = 1  # raise it when the program itself answers in another way than before
_SPACE = re.compile(r"\s+")
_QUOTES = str.maketrans("‘’‚“”„«»‐‑", '\'\'\'"""""--')
# Words that begin a question. A capital letter there says nothing; elsewhere it may: "who" and "WHO".
_OPENERS = frozenset(
    "what which who whom whose when where why how is are was were does did has have had can could should "
    "would the please tell list name show give explain describe in on at for of from to".split()
)


@dataclass(frozen=True)
class Space:
    """Everything besides the question that its answer depends on. Texts are compared as they are.

    Attributes:
        collection_id: The collection: its passages are found by ids of its own.
        version: Fingerprint of the dataset version's content, which names the embedder as well.
        retrieval: JSON of how passages are found.
        prompt: Fingerprint of the prompt template.
        model: Which file or which endpoint's model answers, and its chat template.
        generation: JSON of the sampling and limits of an answer.
        guardrails: Fingerprint of the policies that act; empty as long as nothing does.
    """

    collection_id: int
    version: str
    retrieval: str
    prompt: str
    model: str
    generation: str
    guardrails: str = ""

    def key(self) -> str:
        """Return the sha256 of all of it, in hex."""
        return _digest([_PIPELINE, asdict(self)])

    def key_of(self, question: str) -> str:
        """Return the sha256 of a question in this space, in hex."""
        return _digest([self.key(), normalised(question)])


def normalised(question: str) -> str:
    """Return the form in which questions are the same text for a reader.

    Space, the kind of quotation marks, the mark at the end and the capital letter of an opening word do not
    count. Everything else does: the case of names and identifiers, digits and their exponents.
    """
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", question).translate(_QUOTES)).strip()
    text = text.rstrip("?!. ") or text
    first, space, rest = text.partition(" ")
    if first.istitle() and first.lower() in _OPENERS:
        first = first.lower()
    return f"{first}{space}{rest}"


def _digest(value: object) -> str:
    plain = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
