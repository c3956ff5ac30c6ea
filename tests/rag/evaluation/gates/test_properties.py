"""What holds of every gate: better results never turn a pass into a fail, and nothing passes without evidence."""

from __future__ import annotations

import json
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.evaluation.gates.reports import write_json, write_junit
from rag.evaluation.gates.rules import (
    Decision,
    decide,
    load_gate,
    parse_gate,
)
from rag.evaluation.pairing import GatheredRun
from rag.evaluation.rows import CaseOutcome

SHARES = st.lists(st.floats(0, 1), min_size=8, max_size=20)


def run_of(values: list[float], metric: str = "token_f1", name: str = "run") -> GatheredRun:
    """A run whose cases have these values, each from a document of its own."""
    keys = [f"c{number}" for number in range(len(values))]
    return GatheredRun(
        name,
        {metric: {key: [value] for key, value in zip(keys, values, strict=True)}},
        dict.fromkeys(keys, CaseOutcome.OK),
        {key: f"document {key}" for key in keys},
        dict.fromkeys(keys, ("all",)),
    )


def passes(text: str, run: GatheredRun, baseline: GatheredRun | None = None) -> bool:
    return decide(parse_gate(text), run, baseline).passed


@settings(max_examples=60, deadline=None)
@given(values=SHARES, floor=st.floats(0, 1), gain=st.floats(0, 1))
def test_better_values_never_fail_a_floor_that_held(values: list[float], floor: float, gain: float) -> None:
    text = f"floors: {{token_f1: {{at_least: {floor!r}}}}}"
    better = [min(value + gain, 1.0) for value in values]
    assert passes(text, run_of(values)) <= passes(text, run_of(better))


@settings(max_examples=60, deadline=None)
@given(values=SHARES, floor=st.floats(0, 1))
def test_a_floor_is_the_mean_over_the_cases(values: list[float], floor: float) -> None:
    row, *_ = decide(parse_gate(f"floors: {{token_f1: {{at_least: {floor!r}}}}}"), run_of(values)).rows
    assert row.value == pytest.approx(sum(values) / len(values))
    assert row.passed == (row.value is not None and row.value >= floor - 1e-12)


@settings(max_examples=40, deadline=None)
@given(values=SHARES, allowed=st.floats(0, 1))
def test_a_run_is_never_worse_than_itself(values: list[float], allowed: float) -> None:
    text = f"drops: {{token_f1: {{allowed: {allowed!r}, must_prove: true}}}}"
    assert passes(text, run_of(values), run_of(values, name="baseline"))


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.floats(0.3, 1), min_size=8, max_size=20), loss=st.floats(0.01, 0.3))
def test_what_must_be_excluded_is_the_stricter_rule(values: list[float], loss: float) -> None:
    baseline, worse = run_of(values, name="baseline"), run_of([value - loss for value in values])
    strict = passes("drops: {token_f1: {allowed: 0.1, must_prove: true}}", worse, baseline)
    lax = passes("drops: {token_f1: {allowed: 0.1}}", worse, baseline)
    assert strict <= lax


@pytest.mark.parametrize("limit", ["at_least: 0.5", "at_most: 0.5"])
def test_values_that_are_no_numbers_are_no_evidence(limit: str) -> None:
    run = run_of([math.nan, math.inf, -math.inf])
    row, *_ = decide(parse_gate(f"floors: {{token_f1: {{{limit}}}}}"), run).rows
    assert (row.passed, row.value, row.reason) == (False, None, "no case has a value")


def test_repeats_of_a_case_count_as_one() -> None:
    """Ten repeats of a good case must not outvote a bad case."""
    run = GatheredRun("run", {"token_f1": {"good": [1.0] * 10, "bad": [0.0]}})
    row, *_ = decide(parse_gate("floors: {token_f1: 0.6}"), run).rows
    assert (row.passed, row.value) == (False, 0.5)


def test_a_repeat_without_a_value_leaves_the_others() -> None:
    run = GatheredRun("run", {"token_f1": {"c": [1.0, None, 0.0]}})
    row, *_ = decide(parse_gate("floors: {token_f1: 0.5}"), run).rows
    assert row.value == 0.5


@pytest.mark.parametrize("pairs", [0, 1, 5])
def test_a_drop_of_few_pairs_does_not_pass(pairs: int) -> None:
    values = [0.5] * pairs
    row, *_ = decide(
        parse_gate("drops: {token_f1: 0.9}"), run_of([*values, 1.0]), run_of(values, name="baseline")
    ).rows
    assert not row.passed
    assert f"{pairs} cases" in row.reason


def test_only_cases_of_both_runs_are_compared() -> None:
    baseline = run_of([0.9] * 12, name="baseline")
    run = run_of([0.9] * 12)
    values = {"token_f1": {**run.values["token_f1"], "new": [0.0]}}
    row, *_ = decide(parse_gate("drops: {token_f1: 0.01}"), GatheredRun("run", values), baseline).rows
    assert row.passed
    assert "over 12 of 13 cases" in row.reason


def test_rules_are_decided_in_the_order_of_the_file() -> None:
    text = """
floors: {token_f1: 0.1, exact_match: 0.1}
drops: {token_f1: 0.1}
cases: [{tag: all, metric: token_f1, at_least: 0.1}]
errors: {at_most: 0}
"""
    decision = decide(parse_gate(text), run_of([1.0] * 8), run_of([1.0] * 8, name="baseline"))
    assert [(row.kind, row.metric, row.passed) for row in decision.rows] == [
        ("floor", "token_f1", True),
        ("floor", "exact_match", False),
        ("drop", "token_f1", True),
        ("case", "token_f1", True),
        ("errors", "", True),
    ]
    assert not decision.passed
    assert decision.baseline == "baseline"
    assert decision.sentence().startswith("run fails 1 of 5 rules: exact_match at least 0.1")


def test_a_gate_that_passes_says_how_many_rules_held() -> None:
    decision = decide(parse_gate("floors: {token_f1: 0.1}"), run_of([1.0]))
    assert decision.sentence() == "run passes all 2 rules."
    assert decision.passed


@pytest.mark.parametrize("outcome", [CaseOutcome.ERROR, CaseOutcome.TIMEOUT])
def test_cases_without_an_answer_are_counted_and_named(outcome: CaseOutcome) -> None:
    outcomes = {f"c{n}": outcome if n < 7 else CaseOutcome.OK for n in range(9)}
    row, *_ = decide(parse_gate("errors: {at_most: 6}"), GatheredRun("run", {}, outcomes)).rows
    assert (row.passed, row.value, row.limit) == (False, 7.0, 6.0)
    assert row.reason == "7 of 9 cases did: c0, c1, c2, c3, c4 and 2 more"
    assert passes("errors: {at_most: 7}", GatheredRun("run", {}, outcomes))


def test_a_run_of_no_case_has_no_errors_and_does_not_pass() -> None:
    assert not passes("errors: {at_most: 0}", GatheredRun("run", {}))


def test_the_worst_case_of_a_tag_decides() -> None:
    run = GatheredRun(
        "run",
        {"token_f1": {"a": [0.9], "b": [0.4]}},
        tags={"a": ("critical",), "b": ("critical",), "c": ("x",)},
    )
    gate = "cases: [{{tag: critical, metric: token_f1, at_least: {}}}]"
    row, *_ = decide(parse_gate(gate.format(0.4)), run).rows
    assert (row.passed, row.value) == (True, 0.4)
    row, *_ = decide(parse_gate(gate.format(0.5)), run).rows
    assert (row.passed, row.value, row.reason) == (False, 0.4, "b has 0.4")
    row, *_ = decide(parse_gate("cases: [{tag: x, metric: token_f1}]"), run).rows
    assert (row.passed, row.reason) == (False, "c has no value")
    row, *_ = decide(parse_gate("cases: [{tag: nobody, metric: token_f1}]"), run).rows
    assert (row.passed, row.reason) == (False, "no case has this tag")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "floors: {token_f1: .nan}",
        "floors: {token_f1: .inf}",
        "floors: {token_f1: {at_least: 0.1, at_most: 0.9}}",
        "floors: {token_f1: {}}",
        "floors: {nonsense: 0.1}",
        "drops: {token_f1: -0.1}",
        "drops: {token_f1: {allowed: 0.1, confidence: 0.5}}",
        "drops: {token_f1: {allowed: 0.1, confidence: 1}}",
        "cases: [{metric: token_f1}]",
        "cases: [{metric: token_f1, key: a, tag: b}]",
        "errors: {at_most: -1}",
        "other: 1",
        "a: &x 1\nb: *x",
        "floors: {token_f1: true}",
    ],
)
def test_a_gate_that_is_none_is_one_sentence_with_its_name(text: str) -> None:
    with pytest.raises(RagError) as error:
        parse_gate(text, "mine.yaml")
    assert str(error.value).startswith("mine.yaml")
    assert "\n" not in str(error.value)


def test_a_gate_is_read_with_a_byte_order_mark_and_a_huge_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_bytes(b"\xef\xbb\xbffloors: {token_f1: 0.5}\n")
    assert load_gate(path).floors["token_f1"].at_least == 0.5
    path.write_bytes(b"# " + b"x" * 2_000_000)
    with pytest.raises(RagError, match="larger"):
        load_gate(path)
    with pytest.raises(RagError, match="cannot be read"):
        load_gate(tmp_path / "none.yaml")
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(RagError, match="cannot be read"):
        load_gate(path)


@pytest.fixture
def decision() -> Decision:
    run = run_of([1.0, 0.0])
    return decide(parse_gate("floors: {token_f1: 0.9, exact_match: 0.1}\nerrors: {at_most: 0}"), run)


def test_the_json_report_holds_every_rule(decision: Decision, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    write_json(decision, path)
    document = json.loads(path.read_text("utf-8"))
    assert (document["run"], document["passed"]) == ("run", False)
    assert [row["passed"] for row in document["rows"]] == [False, False, True]
    assert document["sentence"] == decision.sentence()


def test_the_junit_report_has_a_failure_for_each_rule_that_failed(decision: Decision, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    write_junit([decision], path)
    root = ElementTree.parse(path).getroot()
    suite = root if root.tag == "testsuite" else root[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    cases = suite.findall("testcase")
    assert [case.find("failure") is not None for case in cases] == [True, True, False]


def test_a_report_that_cannot_be_written_is_a_sentence(decision: Decision, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x", "utf-8")
    with pytest.raises(RagError):
        write_json(decision, blocked / "report")
    with pytest.raises(RagError):
        write_junit([decision], blocked / "report")
