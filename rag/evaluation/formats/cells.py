"""Values in the cells of a table: lists and objects that other programs write as text.

pandas and RAGAS write a list as Python shows it, numpy without commas, Langfuse and LangSmith write JSON.
Taken for a text, a list of three passages is one passage that no document contains.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LITERAL = re.compile(_STRING, re.DOTALL)
# A list of texts with commas (Python) or with white space alone (numpy) between them.
_TEXTS = re.compile(rf"\[\s*(?:{_STRING}\s*(?:,\s*)?)*\]", re.DOTALL)
_ARRAY = re.compile(r"array\((?P<list>\[.*\])\s*(?:,\s*dtype=\w+)?\s*\)", re.DOTALL)
_LOOKS_LIKE_A_LIST = re.compile(r"""\[\s*(?:['"]|\.\.\.)""")

QUESTION_KEYS = ("question", "query", "user_input", "input", "prompt", "text", "content")
ANSWER_KEYS = (
    "answer",
    "expected_output",
    "expectedOutput",
    "reference",
    "output",
    "response",
    "text",
    "content",
)


def cell_value(text: str, what: str) -> Any:
    """Return the list or the object that a cell contains as text, else the text.

    Raises ValueError where it begins like a list or an object and is none.
    """
    plain = text.strip()
    array = _ARRAY.fullmatch(plain)
    if array:
        plain = array["list"]
    if (plain[:1] == "[" and plain[-1:] == "]") or (plain[:1] == "{" and plain[-1:] == "}"):
        try:
            value = json.loads(plain)
        except (ValueError, RecursionError):
            pass
        else:
            return value if isinstance(value, dict) or not _is_text_in_brackets(value) else text
        if _TEXTS.fullmatch(plain):
            # Not literal_eval of the whole: it would join the texts of numpy, which have no commas.
            return [ast.literal_eval(one) for one in _LITERAL.findall(plain)]
    if _LOOKS_LIKE_A_LIST.match(plain):
        raise ValueError(f"{what} begins like a list and is none; write it as JSON")
    return text


def _is_text_in_brackets(value: Any) -> bool:
    """Return whether a JSON list is what people write in texts, such as [1]."""
    return isinstance(value, list) and not any(isinstance(one, str | dict | list) for one in value)


def text_of(value: Any, names: Sequence[str], what: str) -> tuple[str, Mapping[str, Any]]:
    """Return the text of a value, and what else an object has.

    A list of messages has the text of the last one of a user, an object that under the first of these names.
    Raises ValueError when there is none.
    """
    if isinstance(value, str):
        return value, {}
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        asked = [one for one in value if one.get("role", one.get("type")) in ("user", "human")]
        if asked and isinstance(asked[-1].get("content"), str):
            return asked[-1]["content"], {"earlier messages": value[:-1]} if len(value) > 1 else {}
    if isinstance(value, dict):
        if isinstance(value.get("messages"), list):
            text, rest = text_of(value["messages"], names, what)
            return text, {**{k: v for k, v in value.items() if k != "messages"}, **rest}
        name = next((name for name in names if isinstance(value.get(name), str)), None)
        if name is None and len(value) == 1 and isinstance(next(iter(value.values())), str):
            name = next(iter(value))
        if name is not None:
            return value[name], {key: one for key, one in value.items() if key != name}
    raise ValueError(f"{what} is neither a text nor an object with one of {', '.join(names)}")


def texts_of(value: Any, names: Sequence[str], what: str) -> tuple[list[str], Mapping[str, Any]]:
    """Return the texts of a list or of one value, without blank ones, and what else objects have."""
    if value is None:
        return [], {}
    items = value if isinstance(value, list) and not all(isinstance(one, dict) for one in value) else [value]
    texts, others = [], dict[str, Any]()
    for one in items:
        if value == [] or one is None:
            continue
        text, rest = text_of(one, names, what)
        others.update(rest)
        if text.strip():
            texts.append(text)
    return texts, others
