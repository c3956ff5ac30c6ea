"""The gate: clear errors, and a rule that could not be decided does not pass."""

import json
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from rag.errors import RagError
from rag.evaluation.gates import rules as gate_module
from rag.evaluation.gates.reports import write_json, write_junit
from rag.evaluation.gates.rules import decide, load_gate, parse_gate
from rag.evaluation.pairing import GatheredRun


def results(name: str, **values: list[float | None]) -> GatheredRun:
    count = max(len(column) for column in values.values())
    return GatheredRun(
        name,
        {metric: {f"c{n}": [value] for n, value in enumerate(column)} for metric, column in values.items()},
        {f"c{n}": "ok" for n in range(count)},
        tags={"c0": ("critical",), "c1": ("critical", "x")},
    )


def only(text: str, run: GatheredRun, baseline: GatheredRun | None = None) -> gate_module.GateRow:
    row, *_ = decide(parse_gate(text), run, baseline).rows
    return row


def test_the_documented_example_is_a_gate() -> None:
    example = (gate_module.__doc__ or "").split("at least one rule:")[1].split("A rule that cannot")[0]
    gate = parse_gate(dedent(example.strip("\n")))
    assert gate.floors["hit_rate"].at_least == 0.8
    assert gate.floors["total_ms"].at_most == 8000
    assert gate.drops["ndcg_at_k"].must_prove
    assert gate.not_worse_by["faithfulness"].p == 0.01 and gate.not_worse_by["token_f1"].margin == 0.02
    assert len(gate.cases) == 3


def test_floors_go_by_the_metrics_direction() -> None:
    run = results("b", hit_rate=[1.0, 0.0, None, 1.0], total_ms=[100.0, 300.0])
    assert only("floors: {hit_rate: 0.66}", run).passed
    row = only("floors: {hit_rate: 0.7}", run)
    assert (row.passed, row.reason) == (False, "0.6667 over 3 of 4 cases")
    assert only("floors: {total_ms: 200}", run).passed
    assert not only("floors: {total_ms: {at_most: 199}}", run).passed
    assert only("floors: {total_ms: {at_least: 199}}", run).passed
    assert only("floors: {token_f1: 0.0}", run).reason == "no case has a value"


def test_a_drop_fails_when_it_is_sure_and_must_prove_when_it_is_not_excluded() -> None:
    baseline = results("a", token_f1=[0.8] * 40)
    noisy = results("b", token_f1=[0.8 + (0.3 if n % 2 else -0.4) for n in range(40)])
    assert only("drops: {token_f1: 0.02}", noisy, baseline).passed  # 0.05 worse, but not sure
    assert not only("drops: {token_f1: {allowed: 0.02, must_prove: true}}", noisy, baseline).passed
    assert only("drops: {token_f1: {allowed: 0.5, must_prove: true}}", noisy, baseline).passed
    worse = results("b", token_f1=[0.7] * 40)
    row = only("drops: {token_f1: 0.02}", worse, baseline)
    assert not row.passed
    assert row.value == pytest.approx(0.1)
    assert only("drops: {token_f1: 0.1}", worse, baseline).passed
    better = results("b", token_f1=[0.9] * 40)
    assert only("drops: {token_f1: {allowed: 0, must_prove: true}}", better, baseline).passed


def test_slower_is_a_drop() -> None:
    baseline, slow = results("a", total_ms=[100.0] * 20), results("b", total_ms=[150.0] * 20)
    assert not only("drops: {total_ms: 20}", slow, baseline).passed
    assert only("drops: {total_ms: 20}", baseline, slow).passed


def test_what_cannot_be_compared_does_not_pass() -> None:
    run, few = results("b", token_f1=[1.0] * 5), results("a", token_f1=[0.0] * 5)
    assert only("drops: {token_f1: 0.5}", run).reason == "there is no baseline"
    assert "too few" in only("drops: {token_f1: 0.5}", run, few).reason
    assert not only("drops: {mrr: 0.5}", run, few).passed


def test_single_cases() -> None:
    run = results("b", checks_passed=[1.0, 0.0, 1.0, None])
    assert only("cases: [{key: c0, metric: checks_passed}]", run).passed
    row = only("cases: [{tag: critical, metric: checks_passed}]", run)
    assert (row.passed, row.reason) == (False, "c1 has 0")
    assert only("cases: [{tag: critical, metric: checks_passed, at_least: 0}]", run).passed
    assert not only("cases: [{tag: nobody, metric: checks_passed}]", run).passed
    missing = only("cases: [{key: c3, metric: checks_passed}]", run)
    assert (missing.passed, missing.reason) == (False, "c3 has no value (ok)")
    assert not only("cases: [{key: typo, metric: checks_passed}]", run).passed


def test_errors_are_counted_and_named() -> None:
    run = GatheredRun("b", {}, {"a": "error", "b": "timeout", "c": "refused", "d": "assertion failed"})
    row = only("errors: {at_most: 1}", run)
    assert (row.passed, row.reason) == (False, "2 of 4 cases did: a, b")
    assert only("errors: {at_most: 2}", run).passed
    assert not only("errors: {}", GatheredRun("b", {})).passed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "floors, drops, cases and errors"),
        ("{}", "at least one rule"),
        ("floors: {recall: 0.5}", "recall is not a metric"),
        ("floors: {hit_rate: high}", "floors.hit_rate"),
        ("floors: {hit_rate: {at_least: 1, at_most: 1}}", "either at_least or at_most"),
        ("drops: {hit_rate: -1}", "drops.hit_rate.allowed"),
        ("drops: {hit_rate: {allowed: 0, confidence: 95}}", "confidence"),
        ("cases: [{metric: hit_rate}]", "either key or tag"),
        ("cases: [{metric: hit_rate, key: a, tgas: b}]", "cases.0.tgas"),
        ("foo: 1\nfloors: {hit_rate: 1}", "foo"),
        ("floors: [", "not YAML"),
        ("floors: &a {hit_rate: 1}\ndrops: *a", "aliases"),
        ("floors: {hit_rate: .nan}", "floors.hit_rate"),
    ],
)
def test_a_wrong_gate_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(RagError) as found:
        parse_gate(text)
    assert message in str(found.value)
    assert str(found.value).startswith("gate.yaml")
    assert "\n" not in str(found.value)


def test_reports(tmp_path: Path) -> None:
    text = "floors: {hit_rate: 0.9}\ncases: [{key: 'c\x85<&>\"', metric: hit_rate}]\nerrors: {}"
    path = tmp_path / "gate.yaml"
    path.write_text(text, "utf-8")
    decision = decide(load_gate(path), results("B <new>", hit_rate=[1.0] * 8))
    assert not decision.passed
    assert decision.sentence().startswith("B <new> fails 1 of 3 rules: hit_rate of c")
    write_json(decision, tmp_path / "out" / "gate.json")
    document = json.loads((tmp_path / "out" / "gate.json").read_text("utf-8"))
    assert document["passed"] is False
    assert [row["passed"] for row in document["rows"]] == [True, False, True]
    write_junit([decision], tmp_path / "out" / "gate.xml")
    root = ElementTree.parse(tmp_path / "out" / "gate.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("11", "1", "0")
    failures = [case.find("failure") is not None for case in root[0].iter("testcase")]
    assert failures == [False, True, False]
    with pytest.raises(RagError, match="cannot be read"):
        load_gate(tmp_path / "none.yaml")


def test_the_gate_in_the_readme_is_one() -> None:
    text = (Path(__file__).parents[4] / "README.md").read_text("utf-8")
    blocks = [block.split("```")[0] for block in text.split("```yaml")[1:]]
    gate = parse_gate(next(block for block in blocks if "floors:" in block))
    assert gate.floors and gate.drops and gate.cases and gate.errors


def test_not_worse_by_passes_only_what_is_shown() -> None:
    baseline = results("a", token_f1=[0.5 + n % 5 / 50 for n in range(120)])
    close = results("b", token_f1=[0.5 + n % 5 / 50 + (n % 3 - 1) / 50 for n in range(120)])
    row = only("not_worse_by: {token_f1: 0.02}", close, baseline)
    assert (row.passed, row.kind, row.limit) == (True, "not_worse_by", 0.02)
    assert row.rule == "token_f1 not worse than the baseline by more than 0.02 (p below 0.05)"
    assert "over 120 of 120 cases, p < 0.001" in row.reason
    noisy = results("b", token_f1=[0.8 if n % 2 else 0.2 for n in range(120)])
    assert only("drops: {token_f1: 0.02}", noisy, baseline).passed  # not sure to be worse
    assert not only("not_worse_by: {token_f1: 0.02}", noisy, baseline).passed  # nor sure not to be
    strict = only("not_worse_by: {token_f1: {margin: 0.004, p: 0.001}}", close, baseline)
    assert not strict.passed and "p below 0.001" in strict.rule


def test_not_worse_by_fails_without_a_baseline_or_with_too_few_pairs() -> None:
    run = results("b", token_f1=[0.5] * 5)
    assert only("not_worse_by: {token_f1: 0.5}", run).reason == "there is no baseline"
    assert "5 cases have a value in both runs" in only("not_worse_by: {token_f1: 0.5}", run, run).reason


@pytest.mark.parametrize(
    "rule", ["0", "-0.1", "{margin: .inf}", "{margin: 0.1, p: 0.5}", "{p: 0.01}", "true"]
)
def test_a_margin_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(RagError, match=r"gate\.yaml: not_worse_by\.token_f1"):
        parse_gate(f"not_worse_by: {{token_f1: {rule}}}")
