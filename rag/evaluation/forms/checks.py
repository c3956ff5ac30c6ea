"""Checks of an answer's form as YAML, a list of {type, value}, and as the values of a form."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from rag.evaluation.cases import Check
from rag.evaluation.forms.rows import RuleText

_MOST_CHECKS = 100
_MOST_CHARACTERS = 200_000


def read_checks(text: str) -> RuleText:
    """Return the checks of a YAML text."""
    try:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError("the text is too long for a list of checks")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("aliases (*name) are not read; write the values out")
        values = _checked(yaml.safe_load(text) or [])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return RuleText(text, None, f"This is not a list of checks: {_in_words(error)}.")
    return RuleText(text, values)


def write_checks(values: list[Any]) -> RuleText:
    """Return the YAML of checks."""
    try:
        checked = _checked(values)
    except ValueError as error:
        return RuleText("", values, f"A check cannot be used: {_in_words(error)}.")
    return RuleText(as_yaml(checked) if checked else "", checked)


def _checked(values: Any) -> list[dict[str, Any]]:
    """Return checks as plain values. Raises ValueError."""
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError("each check is a line “- type: …” with a line “value: …” below it")
    if len(values) > _MOST_CHECKS:
        raise ValueError(f"a case has at most {_MOST_CHECKS} checks")
    checks = [Check.model_validate(value) for value in values]
    return [
        {"type": check.type} if check.value is None else {"type": check.type, "value": check.value}
        for check in checks
    ]


def as_yaml(values: Any) -> str:
    """Return values as YAML in the order given, with long lines left whole."""
    text: str = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=10_000)
    return text


def _in_words(error: Exception) -> str:
    """Return what is wrong without the line breaks and prefixes of libraries."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        return f"{place}: {message}" if place else message
    return " ".join(str(error).split()).rstrip(".")
