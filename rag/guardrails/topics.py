"""Topics by examples: a text belongs to a topic when it is close in meaning to one of its examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.guardrails.rows import Finding

Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]  # texts to vectors of length 1
Examples = Mapping[str, Sequence[str]]  # by topic
_LONGEST = 2_000  # characters of a text that an embedder reads; the rest would be dropped silently anyway


@dataclass(frozen=True)
class Topics:
    """Examples of topics as vectors, made once and compared with any number of texts."""

    names: tuple[str, ...]  # of each example's topic
    is_blocked: tuple[bool, ...]
    vectors: npt.NDArray[np.float32]


def learn(blocked: Examples, allowed: Examples, encode: Encode) -> Topics:
    """Return topics by their examples."""
    named = [(topic, text, True) for topic, texts in blocked.items() for text in texts]
    named += [(topic, text, False) for topic, texts in allowed.items() for text in texts]
    vectors = encode([text for _, text, _ in named])
    return Topics(tuple(n for n, _, _ in named), tuple(b for _, _, b in named), vectors)


def find(text: str, topics: Topics, threshold: float, encode: Encode) -> list[Finding]:
    """Return a finding when a text is about a blocked topic, or about none of the allowed ones.

    With blocked topics, the nearest example of all decides, and it must be a blocked one at least as near as
    the threshold. With allowed topics alone, the nearest one must be as near as that. Nearness is a cosine.
    """
    if not text.strip() or not topics.names:
        return []
    cosines = topics.vectors @ encode([text[:_LONGEST]])[0]
    nearest = int(np.argmax(cosines))
    score = float(np.clip(cosines[nearest], 0.0, 1.0))
    if any(topics.is_blocked):
        if not topics.is_blocked[nearest] or score < threshold:
            return []
        reason = f"close to an example of the topic {topics.names[nearest]} (cosine {score:.2f})"
        return [Finding("topics", topics.names[nearest], 0, len(text), score, reason)]
    if score >= threshold:
        return []
    reason = f"the nearest allowed topic is {topics.names[nearest]} (cosine {score:.2f})"
    return [Finding("topics", "off topic", 0, len(text), 1.0 - score, reason)]
