"""Comparing two reports: what changed, in order of importance, and nothing when nothing did."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from evidence import OCTOBER, add_audit_row
from stored_traces import add_traces

from rag.errors import RagError
from rag.governance.report.compare import compare_reports, differences
from rag.governance.report.making import make_report
from rag.governance.report.rows import (
    Block,
    Difference,
    Gap,
    Report,
    ReportComparison,
    Section,
    Statement,
    Value,
)
from rag.workspace import Workspace


def metric(mean: float, low: float, high: float, better: str = "higher") -> Statement:
    values: dict[str, Value] = {"mean": mean, "low": low, "high": high, "better": better}
    cells = ("Token F1", "questions", f"{mean:.2f}", f"{low:.2f} to {high:.2f}")
    return Statement("evaluation.metric", "Token F1", ("evaluationrun:1",), cells, values)


def report(*sections: Section) -> Report:
    return Report("f", "answers@1", "2026-Q4", 0, 10, 1, "0" * 64, (), sections, ())


def section(key: str, *blocks: Block, gaps: tuple[Gap, ...] = ()) -> Section:
    return Section(key, key.title(), (), blocks, gaps)


def measured(one: Statement) -> Report:
    return report(section("evaluation", Block("Metrics", (one,), ("Metric", "Set", "Mean", "95 % interval"))))


def only(found: ReportComparison) -> Difference:
    (one,) = found.differences
    return one


def test_two_reports_on_the_same_say_the_same(report_on: Callable[..., Report]) -> None:
    found = differences(report_on("answers"), report_on("answers"))
    assert found.differences == () and found.warnings == ()
    assert found.first == found.second == "answers@1, 2026-Q4"


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (metric(0.5, 0.4, 0.6), "worse"),
        (metric(0.99, 0.95, 1.0), "better"),
        (metric(0.7, 0.6, 0.8), "changed"),  # the intervals overlap
        (metric(0.5, 0.4, 0.6, "lower"), "better"),
        (metric(0.99, 0.95, 1.0, "lower"), "worse"),
        (metric(0.5, 0.4, 0.6, "none"), "changed"),
    ],
)
def test_a_metric_is_worse_only_where_the_intervals_are_apart(after: Statement, kind: str) -> None:
    one = only(differences(measured(metric(0.8, 0.7, 0.9)), measured(after)))
    assert (one.kind, one.section, one.what) == (kind, "Evaluation", "Token F1, questions")
    assert one.before == "Mean: 0.80; 95 % interval: 0.70 to 0.90"


def test_a_metric_without_an_interval_has_only_changed() -> None:
    bare = replace(metric(0.1, 0, 0), values={"mean": 0.1, "low": None, "high": None, "better": "higher"})
    assert only(differences(measured(metric(0.8, 0.7, 0.9)), measured(bare))).kind == "changed"


def gate(passed: bool) -> Report:
    cells = ("questions", "answers", "passed" if passed else "failed", "what it said")
    said = Statement("gates.decision", "x", ("evaluationgate:1",), cells, {"passed": passed})
    return report(section("gates", Block("Decisions", (said,), ("Set", "Pipeline", "Outcome", "Words"))))


def test_a_gate_that_no_longer_passes_is_worse() -> None:
    assert only(differences(gate(True), gate(False))).kind == "worse"
    assert only(differences(gate(False), gate(True))).kind == "better"


def test_what_is_worse_comes_first_and_models_before_settings() -> None:
    def both(model: str, setting: str, one: Statement) -> Report:
        tables = [
            section(key, Block(key, (Statement(key, key, ("x:1",), (key, text)),), ("Name", "Value")))
            for key, text in (("settings", setting), ("costs", setting), ("models", model))
        ]
        return report(*tables, *measured(one).sections)

    found = differences(both("a", "1", metric(0.9, 0.85, 0.95)), both("b", "2", metric(0.5, 0.4, 0.6)))
    assert [one.section for one in found.differences] == ["Evaluation", "Models", "Settings", "Costs"]
    assert [one.kind for one in found.differences] == ["worse", "changed", "changed", "changed"]


def test_rows_that_came_and_went_and_gaps_are_told() -> None:
    def documents(*names: str) -> Block:
        rows = tuple(Statement(f"documents.{name}", name, ("document:1",), (name, "sha")) for name in names)
        return Block("Documents", rows, ("Document", "sha256"))

    before = report(section("documents", documents("a", "b"), gaps=(Gap("documents.none", "old gap"),)))
    after = report(section("documents", documents("b", "c"), gaps=(Gap("documents.rights", "new gap"),)))
    found = {(one.kind, one.what): (one.before, one.after) for one in differences(before, after).differences}
    assert found == {
        ("worse", "Gap"): ("", "new gap"),
        ("gone", "a"): ("a", ""),
        ("added", "c"): ("", "c"),
        ("better", "Gap closed"): ("old gap", ""),
    }


def test_a_log_is_compared_by_what_is_new_in_it() -> None:
    def log(*ids: int) -> Report:
        rows = tuple(
            Statement(f"changes.{n}", f"row {n}", (f"auditevent:{n}",), (f"row {n}", "x")) for n in ids
        )
        return report(section("changes", Block("Changes", rows, ("What", "Detail"), is_log=True)))

    one = only(differences(log(1, 2), log(2, 3, 4)))
    assert (one.kind, one.before, one.after) == ("changed", "2 rows", "3 rows; new: row 3, row 4")
    assert differences(log(1, 2), log(1, 2)).differences == ()


def test_a_section_that_only_one_report_has_is_not_lost() -> None:
    one = only(differences(report(), measured(metric(0.8, 0.7, 0.9))))
    assert (one.kind, one.after) == ("added", "Token F1")


def test_reports_on_other_things_or_in_the_wrong_order_warn() -> None:
    other = replace(report(), subject="everything", since_ms=20, until_ms=30)
    assert differences(other, report()).warnings == (
        "The first report is about everything, the second about answers@1.",
        "The first report is about a later period than the second.",
    )


def test_two_files_of_a_changing_folder_are_compared(quarter: Workspace, tmp_path: Path) -> None:
    first = make_report(quarter, "answers", "2026-Q4", str(tmp_path / "first")).json_path
    add_traces(quarter, 40, OCTOBER, pipeline="answers", flag_count=1, model="/m/other.gguf", collection_id=1)
    add_audit_row(quarter, "alert fired", OCTOBER)
    second = make_report(quarter, "answers", "2026-Q4", str(tmp_path / "second")).json_path
    found = compare_reports(first, second)
    kinds = {(one.kind, one.section, one.what) for one in found.differences}
    assert ("worse", "Incidents", "How often something went wrong") in kinds
    assert ("added", "Models", "other.gguf, answers on this computer") in kinds
    assert found.differences[0].kind == "worse"
    assert (
        "3 of 30 answers" in found.differences[0].before and "43 of 70 answers" in found.differences[0].after
    )


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(RagError, match="no evidence report"):
        compare_reports(str(tmp_path / "a.json"), str(tmp_path / "a.json"))
