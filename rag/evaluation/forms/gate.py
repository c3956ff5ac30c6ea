"""The rules of a gate as YAML and as the values of a form; see rag.evaluation.gates.rules for both."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from rag.errors import RagError
from rag.evaluation.forms.checks import as_yaml
from rag.evaluation.forms.rows import MetricChoice, RuleText
from rag.evaluation.gates.rules import Gate, parse_gate
from rag.evaluation.metrics import METRICS


def list_metrics() -> tuple[MetricChoice, ...]:
    """Return the metrics that a rule may be about."""
    return tuple(MetricChoice(m.name, m.label, m.definition, m.direction, m.unit) for m in METRICS.values())


def read_gate(text: str) -> RuleText:
    """Return the rules of a YAML text."""
    try:
        return RuleText(text, _plain(parse_gate(text, "The gate")))
    except RagError as error:
        return RuleText(text, None, str(error))


def write_gate(values: dict[str, Any]) -> RuleText:
    """Return the YAML of rules."""
    try:
        plain = _plain(Gate.model_validate(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        return RuleText("", values, f"The gate: {place}{': ' if place else ''}{message}.")
    return RuleText(as_yaml(plain), plain)


def _plain(gate: Gate) -> dict[str, Any]:
    """Return a gate as plain values without what is the same when it is not said."""
    values: dict[str, Any] = gate.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for part in ("errors", "stale"):  # said or not is a difference: a gate needs at least one rule
        if part in gate.model_fields_set:
            values[part] = {"at_most": getattr(gate, part).at_most}
    return values
