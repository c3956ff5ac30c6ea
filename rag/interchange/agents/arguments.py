"""Says whether two calls of a tool were made with the same arguments, however their senders wrote them."""

from __future__ import annotations

import ast
import hashlib
import json
import math
from typing import Any

from rag.interchange.attributes import parsed
from rag.interchange.rows import Step

_HIDDEN = ("", "__REDACTED__")  # what senders write where they hide a text
_LONGEST_LITERAL = 20_000  # characters that are read as a literal of Python
_MOST_NESTING = 40


def fingerprint(step: Step) -> str:
    """Return a fingerprint of a call's arguments; "" when they are not recorded.

    JSON is compared by what it says: the order of keys, blanks and 1 or 1.0 make no difference. Senders put
    the arguments into the input or into an attribute of their own; where both are there, both must be the
    same, because some put the definition of the tool into the second.
    """
    texts = [text for text in (step.input, step.arguments) if text.strip() not in _HIDDEN]
    if not texts:
        return ""
    whole = "\n".join(dict.fromkeys(canonical(text) for text in texts))
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def canonical(text: str) -> str:
    """Return arguments in a form that is equal where they say the same."""
    value = parsed(text)
    if isinstance(value, str):
        value = _literal(value)
    try:
        return json.dumps(_plain(value, 0), ensure_ascii=True, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return text.strip()


def _literal(text: str) -> Any:
    """Return what a dict or list in Python's notation says, as LangChain writes it; else the text."""
    short = text.strip()
    if short[:1] not in ("{", "[", "(") or len(short) > _LONGEST_LITERAL:
        return " ".join(text.split())
    try:
        return ast.literal_eval(short)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return " ".join(text.split())


def _plain(value: Any, depth: int) -> Any:
    """Return a value with equal numbers alike, keys as texts, and JSON in texts read."""
    if depth > _MOST_NESTING:
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        inner = parsed(value)
        return value.strip() if isinstance(inner, str) else _plain(inner, depth + 1)
    return value
