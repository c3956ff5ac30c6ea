"""The rules of a gate say the same as YAML and as values."""

from __future__ import annotations

import pytest

from rag.evaluation.forms.gate import list_metrics, read_gate, write_gate
from rag.evaluation.forms.rows import MetricChoice
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
        ("floors: []", "floors: Input should be a valid dictionary"),
        ("floors: {}", "a gate needs at least one rule"),
        ("floors: {hit_rate: x}", "floors.hit_rate: "),
        ("drops: {hit_rate: -1}", "drops.hit_rate.allowed: Input should be greater than or equal to 0"),
        ("errors: 1", "errors: "),
        ("errors: {at_most: -1}", "errors.at_most: Input should be greater than or equal to 0"),
        ("cases: [{key: a}]", "cases.0.metric: Field required"),
        ("cases: [{metric: judge}]", "cases.0: say either key or tag"),
        ("min_share: 2", "min_share: Input should be less than or equal to 1"),
        ("nonsense: 1", "nonsense: Extra inputs are not permitted"),
        ("- a", "a gate consists of"),
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


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"errors": {"at_most": -1}},
            "The gate: errors.at_most: Input should be greater than or equal to 0.",
        ),
        ({"x": 1}, "The gate: x: Extra inputs are not permitted."),
        ({"cases": [{"key": "a"}]}, "The gate: cases.0.metric: Field required."),
    ],
)
def test_wrong_values_are_given_back_with_their_place(values: dict[str, object], problem: str) -> None:
    found = write_gate(values)
    assert (found.text, found.values, found.problem) == ("", values, problem)


def test_a_metric_that_does_not_exist_is_told_with_those_that_do() -> None:
    problem = write_gate({"floors": {"nonsense": 1}}).problem
    assert problem.startswith("The gate: nonsense is not a metric. Choose one of: recall_at_k, ")
    assert all(metric.name in problem for metric in list_metrics())


@pytest.mark.parametrize("part", ["errors", "stale"])
def test_a_part_that_is_only_named_is_a_rule(part: str) -> None:
    assert write_gate({part: {}}).text == f"{part}:\n  at_most: 0\n"


@pytest.mark.parametrize("metric", list_metrics(), ids=lambda metric: metric.name)
def test_every_metric_can_have_a_floor_and_a_drop(metric: MetricChoice) -> None:
    text = f"floors: {{{metric.name}: 0.5}}\ndrops: {{{metric.name}: 0.1}}"
    if metric.direction == "lower":
        text = text.replace(": 0.5", ": {at_most: 0.5}")
    read = read_gate(text)
    assert read.problem == ""
    assert parse_gate(write_gate(read.values).text) == parse_gate(text)
