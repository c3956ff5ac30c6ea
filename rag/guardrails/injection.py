"""Finds what in a text tries to speak to the model, and takes the power from template tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.guardrails.rows import Check, Finding, Injection

# Tokens by which chat templates separate the roles: in a passage they would end it and begin another turn.
_TEMPLATE_TOKENS = re.compile(
    r"<\|[a-z0-9_ ]{1,40}\|>|</?s>(?=\s|\[|$)|\[/?INST\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|<｜[^｜\n]{1,40}｜>",
    re.IGNORECASE,
)
_ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"


def find(text: str) -> list[Finding]:
    """Return what in a text tries to speak to the model, in order of the text."""
    return sorted(_template_tokens(text), key=lambda finding: finding.start)


def neutralise(text: str) -> str:
    """Return the text with its template tokens broken, so that no tokenizer reads them as ends of a turn.

    People see the same words: an invisible joiner stands after the first character of each token.
    """
    return _TEMPLATE_TOKENS.sub(lambda match: match[0][0] + _ZERO_WIDTH_JOINER + match[0][1:], text)


def _template_tokens(text: str) -> Iterator[Finding]:
    for match in _TEMPLATE_TOKENS.finditer(text):
        reason = "a token that separates the turns of a chat"
        yield Finding(Check.INJECTION, Injection.ROLE_MARKER, *match.span(), 1.0, reason)
