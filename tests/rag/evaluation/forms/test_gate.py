"""The rules of a gate say the same as YAML and as values."""

from __future__ import annotations

import pytest

from rag.evaluation.forms.gate import list_metrics, read_gate, write_gate
from rag.evaluation.gates.rules import parse_gate

FULL = """
floors:
  hit_rate: 0.8
  total_ms: {at_most: 8000}
drops:
  exact_match: 0.02
  ndcg_at_k: {allowed: 0.03, confidence: 0.9, must_prove: true}
cases:
- {key: safety-1, metric: checks_passed}
- {tag: critical, metric: token_f1, at_least: 0.5}
errors: {at_most: 0}
min_share: 0.9
"""


def test_a_gate_is_the_same_after_the_form() -> None:
    read = read_gate(FULL)
    assert read.problem == ""
    assert read.values["floors"] == {"hit_rate": {"at_least": 0.8}, "total_ms": {"at_most": 8000.0}}
    assert read.values["drops"]["exact_match"] == {"allowed": 0.02}
    written = write_gate(read.values)
    assert parse_gate(written.text) == parse_gate(FULL)
    assert written.values == read.values, "writing changes nothing more"


def test_a_rule_that_says_the_default_is_kept_where_it_is_the_only_one() -> None:
    written = write_gate({"errors": {"at_most": 0}})
    assert written.problem == ""
    assert parse_gate(written.text) == parse_gate("errors: {at_most: 0}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("floors: {nonsense: 1}", "nonsense is not a metric"),
        ("floors: {hit_rate: {at_least: 1, at_most: 2}}", "say either at_least or at_most"),
        ("", "a gate consists of"),
        ("floors: [", "is not YAML"),
    ],
)
def test_what_is_wrong_is_one_sentence(text: str, says: str) -> None:
    found = read_gate(text)
    assert says in found.problem and "\n" not in found.problem
    assert found.values is None


def test_an_empty_form_says_that_a_rule_is_needed() -> None:
    assert write_gate({}).problem == "The gate: a gate needs at least one rule."


def test_the_metrics_are_offered_with_what_is_better() -> None:
    known = {metric.name: metric for metric in list_metrics()}
    assert known["false_refusal"].direction == "lower"
    assert known["token_f1"].label == "Token F1" and known["token_f1"].definition
