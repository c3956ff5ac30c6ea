"""Parses filters on metadata for Chroma: `page > 3 and (source = "a.pdf" or draft != true)`."""

from __future__ import annotations

import re
from typing import Any

from rag.errors import RagError

_OPERATORS = {"=": "$eq", "==": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<operator>==|!=|>=|<=|=|>|<)|(?P<mark>[(),])"""
    r"""|(?P<word>[^\s"'()=<>!,]+))"""
)
_HOW = 'Write it as page > 3 and source = "a.pdf"; also or, in (…), and brackets.'


def parse_where(text: str) -> dict[str, Any] | None:
    """Return the `where` argument for a filter, None for an empty text.

    Raises RagError, which says what is wrong with the filter.
    """
    tokens = _tokens(text)
    if not tokens:
        return None
    parser = _Parser(tokens)
    found = parser.alternatives()
    if parser.left:
        raise RagError(f"The filter cannot be read from “{parser.left[0][1]}” onwards. {_HOW}")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise RagError(f"The filter cannot be read from “{text[position:].strip()[:20]}” onwards. {_HOW}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class _Parser:
    """A recursive descent parser; what it has not read yet is in `left`.

    alternatives := terms ("or" terms)*; terms := factor ("and" factor)*; factor := "(" … ")" | condition.
    """

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens

    def alternatives(self) -> dict[str, Any]:
        return self._joined("or", "$or", self._terms)

    def _terms(self) -> dict[str, Any]:
        return self._joined("and", "$and", self._factor)

    def _joined(self, word: str, name: str, part: Any) -> dict[str, Any]:
        parts = [part()]
        while self.left and self.left[0][0] == "word" and self.left[0][1].lower() == word:
            self.left = self.left[1:]
            parts.append(part())
        return parts[0] if len(parts) == 1 else {name: parts}

    def _factor(self) -> dict[str, Any]:
        if self.left and self.left[0] == ("mark", "("):
            self.left = self.left[1:]
            found = self.alternatives()
            self._take("mark", ")")
            return found
        return self._condition()

    def _condition(self) -> dict[str, Any]:
        kind, key = self._next("a name")
        if kind not in ("word", "text"):
            raise RagError(f"The filter needs a name instead of “{key}”. {_HOW}")
        name = _unquoted(key) if kind == "text" else key
        kind, operator = self._next(f"a comparison after “{name}”")
        if kind == "word" and operator.lower() == "in":
            return {name: {"$in": self._list()}}
        if kind != "operator":
            raise RagError(f"The filter needs a comparison after “{name}”, not “{operator}”. {_HOW}")
        value = self._value()
        if isinstance(value, str | bool) and operator in (">", ">=", "<", "<="):
            raise RagError(f"Only numbers can be compared with {operator}; “{value}” is not a number.")
        return {name: {_OPERATORS[operator]: value}}

    def _list(self) -> list[Any]:
        self._take("mark", "(")
        values = [self._value()]
        while self.left and self.left[0] == ("mark", ","):
            self.left = self.left[1:]
            values.append(self._value())
        self._take("mark", ")")
        if len({type(value) for value in values}) > 1:
            raise RagError("The values of “in (…)” must be of the same kind: all texts or all numbers.")
        return values

    def _value(self) -> Any:
        kind, text = self._next("a value")
        if kind == "text":
            return _unquoted(text)
        if kind != "word":
            raise RagError(f"The filter needs a value instead of “{text}”. {_HOW}")
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        if re.fullmatch(r"[+-]?\d{1,18}", text):
            return int(text)
        if re.fullmatch(r"[+-]?\d+\.\d*|[+-]?\.\d+", text):
            return float(text)
        return text

    def _next(self, wanted: str) -> tuple[str, str]:
        if not self.left:
            raise RagError(f"The filter ends where {wanted} should be. {_HOW}")
        token, self.left = self.left[0], self.left[1:]
        return token

    def _take(self, kind: str, text: str) -> None:
        if self._next(f"“{text}”") != (kind, text):
            raise RagError(f"The filter needs a “{text}”. {_HOW}")


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
