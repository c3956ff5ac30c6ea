"""Sections on what was measured: evaluation with intervals, gates and their overrides, and roll-outs."""

from __future__ import annotations

import json
from typing import Any

from rag.evaluation.metrics import METRICS
from rag.evaluation.pairing import GatheredRun
from rag.evaluation.rows import get_run
from rag.evaluation.runs import run_results
from rag.evaluation.statistics.intervals import has_few_documents, mean_interval
from rag.evaluation.statistics.power import cases_needed, smallest_detectable_difference
from rag.governance.report.period import moment
from rag.governance.report.rows import Block, Gap, Section, Statement
from rag.governance.report.scope import Scope
from rag.governance.report.sources import Book, distinct, section, table_row
from rag.text.plurals import counted

_RUNS = ("Run", "Set", "Pipeline", "Finished (UTC)", "Cases", "Failed", "Model", "Judge")
_METRICS = (
    "Metric",
    "Set",
    "Pipeline",
    "Run",
    "Mean",
    "95 % interval",
    "Cases",
    "Without a value",
    "Interval by",
)
_GATES = ("Run", "Set", "Pipeline", "Decided (UTC)", "Outcome", "What it said")
_REQUIRED = ("Required for", "On the set", "Since (UTC)", "By", "Gate")
EVENTS = ("When (UTC)", "What", "Of what", "Detail")
_ROLLOUTS = ("Roll-out", "In use", "Tried", "Began (UTC)", "Ended (UTC)", "State", "Answers tried", "Outcome")
_MOVES = ("When (UTC)", "Pipeline", "Label", "From", "To", "By", "Note")
_DIFFERENCE = 0.1  # of two rates: what a reader may hope that a set can show
_FEW_CASES = 30
_LATENCY = ("ms", "tokens")


def evaluation_section(scope: Scope, book: Book) -> Section:
    """Return the finished runs, their metrics with intervals, and what their sets cannot show."""
    runs: list[Statement] = []
    metrics: list[Statement] = []
    limits: list[Statement] = []
    for row in scope.runs:
        gathered = run_results(scope.database, get_run(scope.database, row["id"]))
        source = book.cite("evaluationrun", id=row["id"])
        runs.append(_run(row, gathered, source))
        metrics += _metrics(row, gathered, source)
        limits.append(_limit(scope, book, row, gathered, source))
    gaps = []
    if not runs:
        gaps.append(Gap("evaluation.none", "No evaluation was finished in this period."))
    elif not any(row["judge"] for row in scope.runs):
        gaps.append(Gap("evaluation.judge", "No run was judged by a model, so no judge's score is reported."))
    blocks = [
        Block("Metrics", distinct(metrics), _METRICS),
        Block("What the sets cannot show", distinct(limits)),
        Block("Runs", tuple(runs), _RUNS, is_log=True),
    ]
    return section("evaluation", "Evaluation", blocks, gaps)


def _run(row: dict[str, Any], gathered: GatheredRun, source: str) -> Statement:
    failed = sum(outcome in ("error", "timeout") for outcome in gathered.outcomes.values())
    judge = json.loads(row["judge"]).get("model", "yes") if row["judge"] else ""
    cells = (
        str(row["id"]), f"{row['set_name']} {row['set_number']}",
        f"{row['pipeline']} {row['pipeline_number']}",
        moment(row["finished_ms"] or row["created_ms"]), f"{row['case_count']:,} x {row['repeats']}",
        f"{failed:,}", row["model_file"], str(judge),
    )  # fmt: skip
    return table_row(
        f"evaluation.run.{row['id']}", _RUNS, cells, (source,), cases=row["case_count"], failed=failed
    )


def _metrics(row: dict[str, Any], gathered: GatheredRun, source: str) -> list[Statement]:
    made = []
    for metric in METRICS.values():
        known = gathered.means(metric.name)
        if not known:
            continue
        mean = sum(known.values()) / len(known)
        interval = mean_interval(known, gathered.clusters, metric.unit)
        digits = 0 if metric.unit in _LATENCY else 3
        cells = (
            metric.label, row["set_name"], f"{row['pipeline']} {row['pipeline_number']}", str(row["id"]),
            f"{mean:,.{digits}f}",
            f"{interval.low:,.{digits}f} to {interval.high:,.{digits}f}" if interval else "",
            f"{len(known):,}", f"{len(gathered.outcomes) - len(known):,}",
            interval.method if interval else "",
        )  # fmt: skip
        shown = f", 95 % interval {cells[5]}" if interval else ""
        text = f"{cells[0]} of {cells[2]} on “{cells[1]}” (run {cells[3]}): {cells[4]}{shown}, "
        text += f"{counted(len(known), 'case')}."
        key = f"evaluation.metric.{row['set_name']}.{row['pipeline']}.{metric.name}"
        made.append(
            table_row(
                key, _METRICS, cells, (source,), text, mean=round(mean, 6), better=metric.direction,
                low=round(interval.low, 6) if interval else None,
                high=round(interval.high, 6) if interval else None,
                cases=len(known),
            )
        )  # fmt: skip
    return made


def _limit(scope: Scope, book: Book, row: dict[str, Any], gathered: GatheredRun, source: str) -> Statement:
    """Return what a run's set is too small to show."""
    cases = len(gathered.outcomes)
    clusters = [gathered.clusters.get(key, key) for key in gathered.outcomes]
    smallest, needed = smallest_detectable_difference(cases), cases_needed(_DIFFERENCE)
    parts = [
        f"Run {row['id']} has {counted(cases, 'case')}"
        + (f" of {counted(len(set(clusters)), 'document')}" if len(set(clusters)) < cases else "")
        + (f" and its set {counted(row['case_count'], 'case')}" if cases != row["case_count"] else "")
    ]
    if smallest is None:
        parts.append("no difference of two rates can be found with so few, whatever its size")
    else:
        parts.append(
            f"a difference of two rates below {100 * smallest:.0f} points would be missed in more than one "
            "of five comparisons"
        )
    if needed is not None and cases < needed:
        parts.append(f"a difference of {100 * _DIFFERENCE:.0f} points needs {needed:,} cases")
    if has_few_documents(clusters):
        parts.append("the documents are too few to say anything about others")
    if cases < _FEW_CASES:
        parts.append("intervals of so few cases are wide")
    if gathered.stale:
        judged = counted(sum(map(len, gathered.stale.values())), "judgement")
        parts.append(f"{judged} are about what the documents no longer contain")
    sources = [source]
    if scope.database.cells("SELECT 1 FROM evaluationsetversion WHERE id = ?", (row["set_version_id"],)):
        sources.append(book.cite("evaluationsetversion", id=row["set_version_id"]))
    else:
        parts.append("its set was deleted since, so the cases themselves cannot be looked at")
    key = f"evaluation.limit.{row['set_name']}.{row['pipeline']}"
    return Statement(key, "; ".join(parts) + ".", tuple(sources), (), {"cases": cases, "detects": smallest})


# --- gates ------------------------------------------------------------------------------------------------


def gates_section(scope: Scope, book: Book) -> Section:
    """Return decisions of gates, what is required, and every time that a gate was overridden."""
    decisions = distinct(_decisions(scope, book))
    required = tuple(_required(scope, book))
    overridden = tuple(
        audit_rows(
            scope,
            book,
            "gates.override",
            "action IN ('gate overridden', 'gate no longer required')",
            _names(scope),
        )
    )
    gaps = []
    if not decisions:
        gaps.append(Gap("gates.none", "No run was checked against a gate in this period."))
    if not required:
        gaps.append(
            Gap("gates.required", "No gate is required before a version answers, so any version may.")
        )
    blocks = [
        Block("Decisions", decisions, _GATES),
        Block("Overridden or no longer required", overridden, EVENTS, is_log=True),
        Block("Required", required, _REQUIRED),
    ]
    return section("gates", "Gates", blocks, gaps)


def _decisions(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.rows(
        """SELECT g.*, r.set_name, r.pipeline, r.pipeline_number, r.pipeline_version_id FROM evaluationgate g
           JOIN evaluationrun r ON r.id = g.run_id WHERE {period} ORDER BY g.id DESC""",
        at="g.created_ms",
    )
    made = []
    for row in rows:
        if not scope.covers_version(row["pipeline_version_id"]):
            continue
        cells = (
            str(row["run_id"]), row["set_name"], f"{row['pipeline']} {row['pipeline_number']}",
            moment(row["created_ms"]), "passed" if row["passed"] else "failed", row["sentence"],
        )  # fmt: skip
        sources = (book.cite("evaluationgate", id=row["id"]), book.cite("evaluationrun", id=row["run_id"]))
        key = f"gates.decision.{row['set_name']}.{row['pipeline']}"
        text = f"{cells[2]} {cells[4]} its gate on “{cells[1]}” (run {cells[0]}): {cells[5]}"
        made.append(
            table_row(
                key, _GATES, cells, sources, text, passed=bool(row["passed"]), gate_sha256=row["gate_sha256"]
            )
        )
    return made


def _required(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.database.query(
        """SELECT g.*, coalesce(p.name, q.name) AS name FROM gaterequirement g
           LEFT JOIN pipeline p ON g.kind = 'pipeline' AND p.id = g.subject_id
           LEFT JOIN prompt q ON g.kind = 'prompt' AND q.id = g.subject_id
           WHERE g.created_ms < ? ORDER BY g.kind, name""",
        (scope.period.bounds[1],),
    )
    made = []
    for row in rows:
        if scope.pipeline and row["name"] not in _names(scope):
            continue
        about = f"{row['kind']} {row['name']}"
        cells = (about, row["set_name"], moment(row["created_ms"]), row["author"], row["gate_sha256"])
        sources = (book.cite("gaterequirement", kind=row["kind"], subject_id=row["subject_id"]),)
        made.append(
            table_row(f"gates.required.{about}", _REQUIRED, cells, sources, gate_sha256=row["gate_sha256"])
        )
    return made


def _names(scope: Scope) -> tuple[str, ...]:
    """Return the pipeline and the prompt that a report is about; nothing for everything."""
    if scope.pipeline is None:
        return ()
    return scope.pipeline.name, str(scope.config.get("prompt", "")).partition("@")[0]


def audit_rows(
    scope: Scope, book: Book, key: str, condition: str, names: tuple[str, ...] = ()
) -> list[Statement]:
    """Return what the audit log says in the period, oldest first.

    Args:
        scope: Of the report.
        book: Of the report.
        key: Before that of each statement.
        condition: In SQL, of `auditevent`.
        names: What its subject must begin with or name as one word; nothing: anything.
    """
    made = []
    for row in scope.rows(f"SELECT * FROM auditevent WHERE {condition} AND {{period}} ORDER BY id"):
        words = {row["subject"], row["subject"].rpartition(" ")[0], row["subject"].partition(" ")[2]}
        if names and not words & set(names):
            continue
        cells = (moment(row["created_ms"]), row["action"], row["subject"], row["detail"])
        made.append(table_row(f"{key}.{row['id']}", EVENTS, cells, (book.cite("auditevent", id=row["id"]),)))
    return made


# --- roll-outs --------------------------------------------------------------------------------------------


def rollouts_section(scope: Scope, book: Book) -> Section:
    """Return the roll-outs that ran, and the moves of the labels of pipelines."""
    since, until = scope.period.bounds
    rows = scope.database.query(
        """SELECT r.*, (SELECT count(*) FROM rolloutanswer a
                        WHERE a.rollout_id = r.id AND a.arm = 'staging') AS tried
           FROM rollout r WHERE r.created_ms < ? AND coalesce(r.ended_ms, ?) >= ? ORDER BY r.id""",
        (until, until, since),
    )
    called = f"{scope.pipeline.name} {scope.pipeline.number}" if scope.pipeline else ""
    made = []
    for row in rows:
        if called and called not in (row["staging"], row["production"]):
            continue
        ended = moment(row["ended_ms"]) if row["ended_ms"] is not None and row["ended_ms"] < until else ""
        cells = (
            str(row["id"]), row["production"], row["staging"], moment(row["created_ms"]), ended,
            row["state"] if ended or row["state"] == "running" else "running", f"{row['tried']:,}",
            row["outcome"],
        )  # fmt: skip
        key = f"rollouts.{row['id']}"
        made.append(
            table_row(key, _ROLLOUTS, cells, (book.cite("rollout", id=row["id"]),), state=row["state"])
        )
    moves = tuple(_label_moves(scope, book))
    gaps = [] if made else [Gap("rollouts.none", "No roll-out ran in this period.")]
    blocks = [Block("Roll-outs", tuple(made), _ROLLOUTS), Block("Labels moved", moves, _MOVES, is_log=True)]
    return section("rollouts", "Roll-outs", blocks, gaps)


def _label_moves(scope: Scope, book: Book) -> list[Statement]:
    rows = scope.rows(
        """SELECT m.*, p.name AS pipeline FROM pipelinelabelmove m JOIN pipeline p ON p.id = m.pipeline_id
           WHERE {period} ORDER BY m.id""",
        at="m.moved_ms",
    )
    made = []
    for row in rows:
        if scope.pipeline is not None and row["pipeline"] != scope.pipeline.name:
            continue
        numbers = [str(row[name]) if row[name] is not None else "–" for name in ("from_number", "to_number")]
        cells = (moment(row["moved_ms"]), row["pipeline"], row["label"], *numbers, row["author"], row["note"])
        sources = (book.cite("pipelinelabelmove", id=row["id"]),)
        made.append(table_row(f"rollouts.label.{row['id']}", _MOVES, cells, sources))
    return made
