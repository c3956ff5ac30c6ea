"""JUnit for CI: rules and cases, what was wrong apart from what was not measured."""

from pathlib import Path
from xml.etree import ElementTree

from rag.evaluation.cases import Case
from rag.evaluation.gates.reports import write_junit
from rag.evaluation.gates.rules import decide, parse_gate
from rag.evaluation.pairing import GatheredRun
from rag.evaluation.rows import CaseOutcome

ODD = "k\x01<&\"'>\ufffe 日本"
OUTCOMES = {
    ODD: CaseOutcome.ERROR,
    "late": CaseOutcome.TIMEOUT,
    "wrong": CaseOutcome.ASSERTION_FAILED,
    "shy": CaseOutcome.REFUSED,
    "good": CaseOutcome.OK,
}
RUN = GatheredRun(
    "P 1 (run 1)",
    {"exact_match": {"good": [1.0]}},
    OUTCOMES,
    cases={key: Case(key=key, question=f"Question of {key}?") for key in OUTCOMES},
    reasons={ODD: "The model\x02 gave up.", "late": "It took longer than 1 s.", "wrong": "Not “18 kg”."},
)


def test_cases_have_errors_apart_from_failures_each_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    decision = decide(parse_gate("floors: {exact_match: 1}\n"), RUN)
    write_junit([decision, decision], path)
    root = ElementTree.parse(path).getroot()
    assert [suite.get("name") for suite in root] == [
        "gate P 1 (run 1)",
        "gate P 1 (run 1)",
        "cases of P 1 (run 1)",
    ], "the cases of a run are listed once, however many gates it has"
    cases = root[2]
    assert (cases.get("tests"), cases.get("failures"), cases.get("errors")) == ("5", "2", "2")
    assert (root.get("tests"), root.get("errors")) == ("9", "2")
    found = {}
    for case in cases:
        (problem, *_) = [*case, None]
        kind = None if problem is None else (problem.tag, problem.get("type"), problem.get("message"))
        found[str(case.get("name")).split(":")[0]] = kind
    assert found["late"] == ("error", "timeout", "It took longer than 1 s.")
    assert found["wrong"] == ("failure", "assertion failed", "Not “18 kg”.")
    assert found["shy"] == ("failure", "refused", "refused")
    assert found["good"] is None
    assert found["k�<&\"'>� 日本"] == ("error", "error", "The model� gave up.")


def test_a_gate_counts_errors_although_it_has_floors_alone() -> None:
    """Three of four timed out, and the one that was left was right: that passed before."""
    outcomes = {"a": CaseOutcome.OK, **dict.fromkeys("bcd", CaseOutcome.TIMEOUT)}
    run = GatheredRun("run", {"exact_match": {"a": [1.0]}}, outcomes)
    decision = decide(parse_gate("floors: {exact_match: 0.5}\n"), run)
    assert not decision.passed
    floor, errors = decision.rows
    assert floor.reason == (
        "1 over 1 of 4 cases; without 3 cases that should have one: b (timeout), c (timeout), d (timeout)"
    )
    assert errors.reason == "3 of 4 cases did: b, c, d"
    allowed = "floors: {exact_match: 0.5}\nerrors: {at_most: 3}\n"
    assert not decide(parse_gate(allowed), run).passed, "the floor saw a quarter of the cases"
    assert decide(parse_gate(f"{allowed}min_share: 0.25\n"), run).passed
