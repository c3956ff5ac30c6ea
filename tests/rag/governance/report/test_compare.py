"""Comparing two reports: what changed, in order of importance, and nothing when nothing did."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from evidence import OCTOBER, add_audit_row
from hypothesis import given
from hypothesis import strategies as st
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


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ({}, {}, "changed"),
        ({"passed": True}, {"passed": True}, "changed"),  # its words differ, and no more
        ({"passed": True}, {}, "worse"),
        ({"passed": False}, {"passed": True}, "better"),
        ({"passed": None}, {"passed": False}, "changed"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.3, "high": 0.4, "better": "higher"}, "better"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.3, "high": 0.4, "better": "lower"}, "worse"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.2, "high": 0.4, "better": "higher"}, "changed"),  # they touch
        ({"low": 0.1, "high": 0.2}, {"low": 0.0, "high": 0.1, "better": "higher"}, "changed"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.0, "high": 0.05, "better": "higher"}, "worse"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.0, "high": 0.05, "better": "lower"}, "better"),
        ({"low": 1, "high": 2}, {"low": 5, "high": 9, "better": "lower"}, "worse"),  # whole numbers
        ({"low": 0.1, "high": 0.2}, {"low": 0.3, "high": None, "better": "higher"}, "changed"),
        ({"low": "0.1", "high": 0.2}, {"low": 0.3, "high": 0.4, "better": "higher"}, "changed"),
        ({"low": 0.1}, {"low": 0.3, "high": 0.4, "better": "higher"}, "changed"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.3, "high": 0.4}, "changed"),
        ({"low": 0.1, "high": 0.2}, {"low": 0.3, "high": 0.4, "better": True}, "changed"),
    ],
)
def test_which_way_a_figure_went(was: dict[str, Value], now: dict[str, Value], kind: str) -> None:
    def rate(values: dict[str, Value], text: str) -> Report:
        return report(section("incidents", Block("Rates", (Statement("k", text, ("x:1",), (), values),))))

    one = only(differences(rate(was, "before"), rate(now, "after")))
    assert (one.kind, one.what, one.before, one.after) == (kind, "Rates", "before", "after")


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["higher", "lower"])
)
def test_what_is_worse_one_way_is_better_the_other_way(
    a: float, b: float, c: float, d: float, better: str
) -> None:
    def rate(one: float, other: float, text: str) -> Report:
        values: dict[str, Value] = {"low": min(one, other), "high": max(one, other), "better": better}
        return report(section("incidents", Block("Rates", (Statement("k", text, ("x:1",), (), values),))))

    before, after = rate(a, b, "before"), rate(c, d, "after")
    turned = {"worse": "better", "better": "worse", "changed": "changed"}
    assert only(differences(after, before)).kind == turned[only(differences(before, after)).kind]


def row_of(*cells: str, key: str = "k") -> Statement:
    return Statement(key, "a row", ("x:1",), cells)


@pytest.mark.parametrize(
    ("columns", "cells", "what"),
    [
        (("Setting", "Value"), ("retrieval.max_passages", "5"), "retrieval.max_passages"),
        (("A", "B", "C"), ("one", "two", "three"), "one"),
        (("A", "B", "C", "D"), ("one", "two", "three", "four"), "one, two"),
        (("A", "B", "C", "D"), ("one", "", "three", "four"), "one"),
        (("A", "B", "C", "D"), ("", "two", "three", "four"), "two"),
        (("A", "B", "C", "D"), ("", "", "three", "four"), "Table"),
        (("A",), ("",), "Table"),
    ],
)
def test_a_row_is_called_by_its_first_cells(
    columns: tuple[str, ...], cells: tuple[str, ...], what: str
) -> None:
    table = report(section("settings", Block("Table", (row_of(*cells),), columns)))
    assert only(differences(report(), table)).what == what


def test_only_the_cells_that_changed_are_told() -> None:
    columns = ("Model", "sha256", "Licence", "Runs")

    def models(*cells: str) -> Report:
        return report(section("models", Block("Models", (row_of(*cells),), columns)))

    one = only(differences(models("qwen", "ab", "MIT", "3"), models("qwen", "cd", "MIT", "4")))
    assert (one.what, one.before, one.after) == ("qwen, cd", "sha256: ab; Runs: 3", "sha256: cd; Runs: 4")
    assert differences(models("qwen", "ab", "MIT", "3"), models("qwen", "ab", "MIT", "3")).differences == ()


def test_gaps_are_told_in_the_same_order_in_every_run() -> None:
    gaps = tuple(Gap(f"models.hash.{name}", f"No hash of {name}.") for name in "qwertzuiopasdfgh")
    with_gaps, without = report(section("models", gaps=gaps)), report(section("models"))
    closed = differences(with_gaps, without).differences
    assert [one.before for one in closed] == [gap.text for gap in gaps]
    opened = differences(without, with_gaps).differences
    assert [one.after for one in opened] == sorted(gap.text for gap in gaps)
    assert {one.kind for one in opened} == {"worse"}


def test_a_gap_whose_words_change_is_no_difference() -> None:
    one, other = (report(section("costs", gaps=(Gap("costs.unknown", f"For {n} answers."),))) for n in (1, 2))
    assert differences(one, other).differences == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ((), (), None),
        ((1,), (1,), None),
        ((1,), (), ("1 row", "0 rows")),
        ((), (1,), ("0 rows", "1 row; new: row 1")),
        ((1,), (2,), ("1 row", "1 row; new: row 2")),
        ((1, 2, 3), (2,), ("3 rows", "1 row")),
        ((), tuple(range(8)), ("0 rows", "8 rows; new: " + ", ".join(f"row {n}" for n in range(8)))),
        ((), tuple(range(11)), ("0 rows", "11 rows; new: " + ", ".join(f"row {n}" for n in range(8)) + " and 3 more")),
    ],
)  # fmt: skip
def test_logs_are_compared_by_their_rows(
    before: tuple[int, ...], after: tuple[int, ...], told: tuple[str, str] | None
) -> None:
    def log(ids: tuple[int, ...]) -> Report:
        rows = tuple(row_of(f"row {n}", "x", key=f"changes.{n}") for n in ids)
        return report(section("changes", Block("Changes", rows, ("What", "Detail"), is_log=True)))

    found = [(one.before, one.after) for one in differences(log(before), log(after)).differences]
    assert found == ([told] if told else [])


@pytest.mark.parametrize(
    ("key", "earlier"),
    [
        ("evaluation", "incidents"),
        ("gates", "evaluation"),
        ("models", "guardrails"),
        ("documents", "prompts"),
        ("settings", "documents"),
        ("costs", "system"),
        ("changes", "costs"),
        ("something new", "changes"),  # a section that this program does not know comes last
    ],
)
def test_sections_come_by_what_matters_most(key: str, earlier: str) -> None:
    both = report(*(section(one, Block("B", (row_of("x", "y"),), ("A", "B"))) for one in (key, earlier)))
    found = differences(report(), both).differences
    assert [one.section for one in found] == [earlier.title(), key.title()]
    assert found[0].rank < found[1].rank


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        ((0, 10), (10, 20), False),
        ((0, 10), (0, 10), False),
        ((0, 10), (5, None), False),  # until now
        ((0, 20), (0, 10), True),
    ],
)
def test_the_order_of_two_periods_is_told_where_it_is_wrong(
    first: tuple[int, int], second: tuple[int, int | None], warned: bool
) -> None:
    one, other = (replace(report(), since_ms=a, until_ms=b) for a, b in (first, second))
    assert bool(differences(one, other).warnings) == warned
