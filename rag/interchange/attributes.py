"""Values of attributes as senders really write them: flattened lists, JSON in texts, figures as texts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_MOST_ITEMS = 10_000  # an index past it is no list of documents or messages
_MOST_NESTING = 12


def as_text(value: Any) -> str:
    """Return a value as a person reads it: a text as it is, anything else as JSON, nothing as ""."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def first_text(attributes: Mapping[str, Any], *keys: str) -> str:
    """Return the text of the first of these attributes that has one; "" without one."""
    return next((text for key in keys if (text := as_text(attributes.get(key)))), "")


def as_int(value: Any) -> int | None:
    """Return a count; None when it is not told, or is no count."""
    number = as_float(value)
    return int(number) if number is not None and number >= 0 else None


def as_float(value: Any) -> float | None:
    """Return a finite number, which some senders write as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def parsed(value: Any) -> Any:
    """Return what a text of JSON holds; a text that is no JSON, and any other value, as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def listed(attributes: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list that is flattened in keys (`key.0.a.b`), or written as a list or as JSON.

    Items that are missing in between are left out.
    """
    whole = parsed(attributes.get(key))
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict):
        return [whole]
    prefix = f"{key}."
    items: dict[int, Any] = {}
    for name, value in attributes.items():
        if not name.startswith(prefix):
            continue
        first, *rest = name[len(prefix) :].split(".", _MOST_NESTING)
        if first.isascii() and first.isdigit() and len(first) <= 5 and int(first) < _MOST_ITEMS:
            if rest:
                item = items.setdefault(int(first), {})
                if isinstance(item, dict):
                    _put(item, rest, value)
            else:
                items[int(first)] = value
    if not items and isinstance(whole, str) and whole:
        return [whole]
    return [_without_indices(items[number]) for number in sorted(items)]


def _put(item: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        inner = item.setdefault(part, {})
        if not isinstance(inner, dict):
            return
        item = inner
    item[path[-1]] = value


def _without_indices(value: Any) -> Any:
    """Return a nested value with each dict of nothing but indices as a list."""
    if not isinstance(value, dict):
        return value
    inner = {key: _without_indices(item) for key, item in value.items()}
    if inner and all(key.isascii() and key.isdigit() and len(key) <= 5 for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
