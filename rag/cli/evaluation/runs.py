"""Commands that measure: runs of a set through pipelines, comparisons and gates."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    command_line,
    finish,
    json_text,
    log,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
    shortened,
)
from rag.costs.budgets.rows import Expected
from rag.errors import NotFoundError, RagError
from rag.evaluation.gates.rows import GateOutcome
from rag.evaluation.rows import (
    NO_ANSWER,
    MetricMean,
    RunComparison,
    RunProgress,
    RunRow,
    RunStatus,
    list_results,
    list_runs,
)
from rag.evaluation.verdicts.rows import RunChange, outcome_word
from rag.text.plurals import counted, named

if TYPE_CHECKING:
    from rag.storage.database import Database
    from rag.workspace import Workspace

app = typer.Typer()
runs_app = typer.Typer(help="Evaluation runs: what was measured.", no_args_is_help=True)
app.add_typer(runs_app, name="runs")

FAILED = 3  # exit code of a gate that was not passed
_SHOWN_SECONDS = 1.0

Run = Annotated[str, typer.Argument(help="Number of a run, or a tag.", metavar="RUN")]
Note = Annotated[str, typer.Option("--note", help="Why; it is stored in the log.")]
GateFile = Annotated[
    Path | None, typer.Option("--gate", help="gate.yaml: the rules to pass.", metavar="FILE")
]


Pipelines = Annotated[
    list[str], typer.Option("--pipeline", "-p", help="NAME, NAME@NUMBER or NAME@LABEL; may be repeated.")
]
SetVersion = Annotated[int | None, typer.Option("--set-version", help="Number; default: the current one.")]
Baseline = Annotated[
    str, typer.Option("--baseline", help="Run or tag to compare with; default: the first pipeline's run.")
]
RequiredGates = Annotated[
    bool, typer.Option("--required-gate", help="Also check the gates that the pipelines and prompts require.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json-file", help="Write the document of --json to a file.", metavar="FILE")
]
JunitFile = Annotated[
    Path | None, typer.Option("--junit", help="Write the gate as JUnit XML.", metavar="FILE")
]
Repeats = Annotated[int, typer.Option("--repeats", min=1, help="How often each case is asked.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed samples the same answers.")]
Parallel = Annotated[
    int | None, typer.Option("--parallel", min=1, help="Questions answered at once; 1 measures times.")
]
Timeout = Annotated[float, typer.Option("--timeout", help="Maximum seconds per case.")]
JudgeModel = Annotated[str, typer.Option("--judge", help="A model that also judges the answers.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Exit code 1 when any case ended in an error or a timeout.")
]
AllowChanged = Annotated[
    bool,
    typer.Option(
        "--allow-changed",
        help="Let a gate pass although cases have changed since the baseline; they are left out.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Ask even if a budget asks before it does.")]
RunName = Annotated[str, typer.Option("--name", help="Name of the runs.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Tag for the runs, e.g. baseline.")]


@app.command()
@with_tables
def evaluate(
    name: Annotated[str, typer.Argument(help="Name of the evaluation set.", metavar="SET")],
    pipeline: Pipelines,
    set_version: SetVersion = None,
    baseline: Baseline = "",
    gate: GateFile = None,
    required_gate: RequiredGates = False,
    json_file: JsonFile = None,
    junit: JunitFile = None,
    repeats: Repeats = 1,
    seed: Seed = 0,
    parallel: Parallel = None,
    timeout: Timeout = 300.0,
    judge: JudgeModel = "",
    run_name: RunName = "",
    tag: Tags = None,
    strict: Strict = False,
    allow_changed: AllowChanged = False,
    yes: Yes = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Ask every case of a set through pipelines and compare.

    Exit code 1 when every case of a run ended in an error or a timeout, 3 when a gate failed.
    """
    from rag.evaluation.comparison import compare
    from rag.evaluation.runs import expected_costs, find_run, start_runs

    if junit and not (gate or required_gate):
        raise RagError("--junit writes the decision of a gate. Name one with --gate.")
    gate_text = read_gate(gate) if gate else ""
    with open_workspace(data, "evaluate") as workspace:
        before = find_run(workspace.database, baseline, name) if baseline else None
        _say_costs(expected_costs(workspace, name, pipeline, set_version=set_version, repeats=repeats))
        steps = start_runs(
            workspace, name, pipeline, set_version=set_version, repeats=repeats, seed=seed, name=run_name,
            parallel=parallel, timeout_s=timeout, judge=judge, tags=tag or (), is_confirmed=yes,
        )  # fmt: skip
        made = follow(steps, workspace.database, data)
        decisions = _gate_all(workspace, made, gate_text, required_gate, before, junit, allow_changed)
        ids = [*([before.id] if before else []), *(run.id for run in made)]
        report = compare(workspace.database, ids)
        errored = _print_errors(workspace.database, made)
    _show_outcome(report, decisions, json_file, as_json)
    if any(count and (strict or count == total) for count, total in errored):
        return 1
    return 0 if all(decision.passed for decision in decisions) else FAILED


def _say_costs(costs: dict[str, Expected]) -> None:
    for label, expected in costs.items():
        log.print(plain(f"{label}: {expected.sentence()}"), highlight=False, soft_wrap=True)


def _show_outcome(
    report: RunComparison, decisions: Sequence[GateOutcome], json_file: Path | None, as_json: bool
) -> None:
    document = {**_summary(report), "gates": as_plain(decisions)}
    if json_file:
        write_file(json_file, json_text(document) + "\n")
    if as_json:
        print_json(document)
        return
    print_comparison(report)
    for decision in decisions:
        _print_gate(decision)


def _print_errors(database: Database, runs: Sequence[RunRow]) -> list[tuple[int, int]]:
    """Say on stderr why cases ended in an error; return of each run how many did, and of how many."""
    from rag.evaluation.runs import run_results

    found = []
    for run in runs:
        results = run_results(database, run)
        keys: dict[str, list[str]] = {}
        for key, outcome in results.outcomes.items():
            if outcome in NO_ANSWER:
                keys.setdefault(results.reasons.get(key) or str(outcome), []).append(key)
        count, total = sum(map(len, keys.values())), len(results.outcomes)
        found.append((count, total))
        if count:
            reasons = "; ".join(f"{reason.rstrip('.')} ({named(cases)})" for reason, cases in keys.items())
            ended = f"{count} of {counted(total, 'case')} ended in an error or a timeout"
            log.print(plain(f"Run {run.id}: {ended}: {reasons}."), highlight=False, soft_wrap=True)
    return found


def _gate_all(
    workspace: Workspace,
    made: Sequence[RunRow],
    gate_text: str,
    required: bool,
    before: RunRow | None,
    junit: Path | None,
    allow_changed: bool,
) -> list[GateOutcome]:
    from rag.evaluation.gates.reports import write_junit
    from rag.evaluation.gates.runs import put_through, requirements_of

    outcomes, decisions = [], []
    for number, run in enumerate(made):
        # Drops are against the named baseline, else against the first pipeline of this call.
        base = before.id if before else made[0].id if number else None
        texts = [gate_text] if gate_text else []
        if required:
            texts += [one.gate for one in requirements_of(workspace, run.id)]
        if required and not texts:
            raise RagError(
                f"Neither the pipeline nor the prompt of run {run.id} requires a gate on this set."
            )
        for text in dict.fromkeys(texts):
            decision, outcome = put_through(workspace, run.id, text, base, allow_changed)
            outcomes.append(outcome)
            decisions.append(decision)
    if junit:
        write_junit(decisions, junit)
    return outcomes


# --- runs -------------------------------------------------------------------------------------------------


@runs_app.command("list")
@with_tables
def runs_list(
    set_name: Annotated[str, typer.Option("--set", help="Only runs of this set.")] = "",
    pipeline: Annotated[str, typer.Option("--pipeline", help="Only runs of this pipeline.")] = "",
    tag: Annotated[str, typer.Option("--tag", help="Only runs with this tag.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the runs, newest first."""
    rows = list_runs(open_database(data), set_name, pipeline, tag)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Run", "When", "Name: set, pipeline", "Answers", "Gate", "Tags")
    for row in rows:
        gate = {None: "", True: "passed", False: "failed"}[row.gate_passed]
        whole = f"{row.set_name} · {row.label}"
        answers = f"{row.done_count} of {row.total}"
        status = "" if row.status is RunStatus.DONE else f", {row.status}"
        failed = f", {row.failed_count} failed" if row.failed_count else ""
        failed += f", {counted(row.stale_count, 'stale judgement')}" if row.stale_count else ""
        table.add_row(
            str(row.id),
            clock_time(row.created_ms),
            plain(row.name if row.name == whole else f"{row.name}: {whole}"),
            answers + status + failed,
            gate,
            plain(", ".join(row.tags)),
        )
    nothing = (
        "No run matches."
        if set_name or pipeline or tag
        else "There are no runs yet. Run `ragdeck evaluate SET --pipeline NAME` to make one."
    )
    screen.print(table if rows else nothing)


@runs_app.command("show")
@with_tables
def runs_show(run: Run, data: Data = None, as_json: Json = False) -> None:
    """Show one run: what it was made with, its metrics and its answers."""
    from rag.evaluation.comparison import compare
    from rag.evaluation.runs import find_run

    database = open_database(data)
    row = find_run(database, run)
    report = compare(database, [row.id])
    results = list_results(database, row.id)
    if as_json:
        print_json({**_summary(report), "results": as_plain(results)})
        return
    screen.print(plain(f"{row.name}: run {row.id}, {row.status}, {row.done_count} of {row.total} answers"))
    facts = {
        "set": f"{row.set_name} version {row.set_number}, {row.set_fingerprint[:12]}",
        "pipeline": f"{row.label}, {row.pipeline_fingerprint[:12]}",
        "dataset": f"{row.collection} version {row.version_number}, {row.version_fingerprint[:12]}, "
        f"index {row.index_fingerprint[:12]}",
        "prompt": f"{row.prompt_name} version {row.prompt_version}, {row.prompt_fingerprint}",
        "model": f"{row.model_file} {row.quantisation}, {row.model_sha256[:12]}",
        "sampling": row.sampling,
        "seed": f"{row.seed}, {row.repeats} repeats, {row.parallel} at once",
        "libraries": row.libraries,
    }
    for what, value in facts.items():
        screen.print(plain(f"  {what:10} {value}"), highlight=False, soft_wrap=True)
    print_comparison(report)
    table = Table("Case", "Outcome", "Answer", "Trace")
    for result in results:
        text = result.error or " ".join(result.answer.split())
        table.add_row(
            plain(result.case_key),
            outcome_word(result.outcome),
            plain(shortened(text, 100)),
            result.trace_id[:8],
        )
    screen.print(table)


@runs_app.command("compare")
@with_tables
def runs_compare(
    runs: Annotated[
        list[str], typer.Argument(help="Runs or tags; the first is the baseline.", metavar="RUN…")
    ],
    most: Annotated[int, typer.Option("--cases", min=0, help="How many changed cases are shown.")] = 10,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare runs with the first of them."""
    from rag.evaluation.comparison import compare
    from rag.evaluation.runs import find_run

    database = open_database(data)
    report = compare(database, [find_run(database, run).id for run in runs])
    if as_json:
        print_json(as_plain(report))
        return
    print_comparison(report)
    for case in [c for c in report.cases if c.size > 0][:most]:
        screen.print(plain(f"\n{case.key}: {case.question}"), style="bold", highlight=False)
        right = "should decline" if case.should_refuse else " | ".join(case.references)
        screen.print(plain(f"  right answer: {right or 'none given'}"), highlight=False)
        if case.reasons:
            why = "; ".join(case.reasons)
            screen.print(plain(f"  why it changed: {why}"), highlight=False, soft_wrap=True)
        for run, answer in zip(report.runs, case.answers, strict=True):
            if answer is not None:
                text = answer.error or " ".join(answer.answer.split())
                screen.print(
                    plain(f"  {run.label}, {answer.mark}, trace {answer.trace_id[:8]}: {text[:300]}"),
                    highlight=False,
                )


@runs_app.command("resume")
@with_tables
def runs_resume(run: Run, yes: Yes = False, data: Data = None, as_json: Json = False) -> None:
    """Continue a run that was cancelled or interrupted; answered cases are not asked again."""
    from rag.evaluation.comparison import compare
    from rag.evaluation.runs import find_run, resume_run

    with open_workspace(data, "runs resume") as workspace:
        found = find_run(workspace.database, run)
        (row,) = follow(resume_run(workspace, found.id, yes), workspace.database, data, found.id)
        report = compare(workspace.database, [row.id])
    if as_json:
        print_json(_summary(report))
    else:
        print_comparison(report)


@runs_app.command("tag")
def runs_tag(
    run: Run,
    tag: Annotated[str, typer.Argument(metavar="TAG")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the tag.")] = False,
    data: Data = None,
) -> None:
    """Give a run a tag, such as baseline."""
    from rag.evaluation.runs import find_run, tag_run, untag_run

    with open_workspace(data, "runs tag") as workspace:
        row = find_run(workspace.database, run)
        (untag_run if remove else tag_run)(workspace, row.id, tag)
    screen.print(plain(f"Run {row.id} {'no longer has' if remove else 'now has'} the tag {tag}."))


@runs_app.command("rename")
def runs_rename(run: Run, name: Annotated[str, typer.Argument(metavar="NEW")], data: Data = None) -> None:
    """Give a run another name."""
    from rag.evaluation.runs import find_run, rename_run

    with open_workspace(data, "runs rename") as workspace:
        row = find_run(workspace.database, run)
        rename_run(workspace, row.id, name)
    screen.print(plain(f"Run {row.id} is now called {name}."))


@runs_app.command("delete")
def runs_delete(run: Run, data: Data = None) -> None:
    """Delete a run with its answers and their traces."""
    from rag.evaluation.runs import delete_run, find_run

    with open_workspace(data, "runs delete") as workspace:
        row = find_run(workspace.database, run)
        count = delete_run(workspace, row.id)
    screen.print(f"Deleted run {row.id} with {counted(count, 'answer')}.")


@runs_app.command("gate")
def runs_gate(
    run: Run,
    gate: Annotated[Path, typer.Option("--gate", help="gate.yaml", metavar="FILE")],
    baseline: Annotated[str, typer.Option("--baseline", help="Run or tag.")] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json-file", help="Write the decision as JSON.", metavar="FILE")
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE")] = None,
    allow_changed: AllowChanged = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Check a finished run against a gate; exit code 3 when it fails."""
    from rag.evaluation.gates.reports import write_json, write_junit
    from rag.evaluation.gates.runs import put_through
    from rag.evaluation.runs import find_run

    text = read_gate(gate)
    with open_workspace(data, "runs gate") as workspace:
        row = find_run(workspace.database, run)
        before = find_run(workspace.database, baseline, row.set_name) if baseline else None
        base = before.id if before else None
        decision, outcome = put_through(workspace, row.id, text, base, allow_changed)
    if json_file:
        write_json(decision, json_file)
    if junit:
        write_junit([decision], junit)
    if as_json:
        print_json(as_plain(outcome))
    else:
        _print_gate(outcome)
    return 0 if outcome.passed else FAILED


@runs_app.command("verdict")
def runs_verdict(
    run: Run,
    case: Annotated[str, typer.Argument(help="Key of the case.", metavar="CASE")],
    right: Annotated[
        bool | None, typer.Option("--right/--wrong", help="Whether its answer is right.")
    ] = None,
    note: Note = "",
    data: Data = None,
) -> None:
    """Say whether an answer is right, or, without either option, remove what you said."""
    from rag.evaluation.llm_judge import judge_agreement
    from rag.evaluation.runs import find_run, give_verdict

    with open_workspace(data, "runs verdict") as workspace:
        row = find_run(workspace.database, run)
        found = [r for r in list_results(workspace.database, row.id) if r.case_key == case]
        if not found:
            raise NotFoundError(f"Run {row.id} has no answer to the case {case}.")
        give_verdict(workspace, found[0].id, right, note)
        known = judge_agreement(list_results(workspace.database, row.id))
    screen.print(f"Saved. The judge agrees with people on {known.agreed} of {known.both} answers.")


# --- printing ---------------------------------------------------------------------------------------------


def follow(
    events: Generator[RunProgress, None, tuple[RunRow, ...]],
    database: Database,
    data: str | None,
    resumed: int = 0,
) -> tuple[RunRow, ...]:
    """Run to the end, with a line of progress on stderr now and then; return the runs.

    Args:
        events: The runs.
        database: Where they are stored.
        data: The data folder that a person named, for the command that continues a cancelled run.
        resumed: The run that is continued; 0: new ones are made.
    """
    shown = [0.0]
    newest = max((row.id for row in list_runs(database)), default=0)

    def show(event: RunProgress) -> None:
        now = datetime.now().timestamp()
        if now - shown[0] < _SHOWN_SECONDS and event.done:
            return
        shown[0] = now
        left = "" if event.seconds_left is None else f", {event.seconds_left:,.0f} s left"
        text = (
            f"{event.pipeline}: {event.done} of {event.total}{left}: {' '.join(event.question.split())[:80]}"
        )
        log.print(plain(text), highlight=False, soft_wrap=True, end="\r" if log.is_terminal else "\n")

    def cancelled(_event: RunProgress | None) -> str:
        runs = [row for row in list_runs(database) if row.id > newest or row.id == resumed]
        return _cancelled_sentence(runs, data)

    return finish(events, show, cancelled)


def _cancelled_sentence(runs: Sequence[RunRow], data: str | None) -> str:
    """Return how much of some cancelled runs is stored, and the commands that continue them."""
    left = sorted((row for row in runs if row.status is RunStatus.CANCELLED), key=lambda row: row.id)
    if not left:
        return "Cancelled. No run had begun."
    what = "cases" if all(row.repeats == 1 for row in left) else "answers"
    stored = " and ".join(f"{row.done_count} of {row.total} {what} of run {row.id}" for row in left)
    commands = "\n".join(f"  {command_line(f'runs resume {row.id}', data)}" for row in left)
    return f"Cancelled; {stored} are stored. Continue with:\n{commands}"


def print_comparison(report: RunComparison) -> None:
    """Print what the comparison says in one sentence, a table of the metrics, and the details."""
    for verdict in report.verdicts:
        style = {RunChange.BETTER: "bold green", RunChange.WORSE: "bold red"}.get(verdict.change, "bold")
        screen.print(plain(verdict.sentence), style=style, highlight=False, soft_wrap=True)
    table = Table(
        "Metric", *(plain(f"{run.label} (run {run.id})") for run in report.runs), "Difference", "p (Holm)"
    )
    for metric in report.metrics:
        digits = ".0f" if metric.unit in ("ms", "tokens") else ".3f"
        means = [_mean_text(mean, digits) for mean in metric.means]
        difference, p = "", ""
        for one in metric.differences:
            between = (
                "" if one.low is None or one.high is None else f" [{one.low:+{digits}}, {one.high:+{digits}}]"
            )
            difference += "–\n" if one.difference is None else f"{one.difference:+{digits}}{between}\n"
            p += "too few\n" if one.p_holm is None else f"{one.p_holm:.2g}\n"
        table.add_row(metric.label, *means, plain(difference.strip()), p.strip())
    screen.print(table)
    for run_id, outcomes in report.failures:
        counts = ", ".join(f"{count} {outcome_word(name)}" for name, count in sorted(outcomes.items()))
        screen.print(plain(f"Run {run_id}: {counts}."))
    for sentence in (*report.sentences, *report.warnings):
        screen.print(plain(sentence), highlight=False, soft_wrap=True)
    least = report.detectable.difference
    if least is not None and len(report.runs) > 1:
        screen.print(
            f"{report.detectable.cases} cases can show a difference of {least:.0%} or more (power 80 %)."
        )


def _mean_text(mean: MetricMean, digits: str) -> str:
    if mean.mean is None:
        return plain("–")
    between = "" if mean.low is None or mean.high is None else f" [{mean.low:{digits}}, {mean.high:{digits}}]"
    failed = f", {mean.failed} missing" if mean.failed else ""
    return plain(f"{mean.mean:{digits}}{between} (n {mean.count}{failed})")


def _print_gate(outcome: GateOutcome) -> None:
    for rule, passed, _, reason in outcome.rows:
        screen.print(
            plain(f"{'passed' if passed else 'FAILED'}  {rule}: {reason}"), highlight=False, soft_wrap=True
        )
    screen.print(plain(outcome.sentence), style="bold", highlight=False, soft_wrap=True)


def _summary(report: RunComparison) -> dict[str, Any]:
    """Return the JSON of a comparison without its cases."""
    document: dict[str, Any] = as_plain(report)
    document.pop("cases")
    return document


def read_gate(path: Path) -> str:
    """Return the text of a gate.yaml. Raises RagError with what is wrong with it."""
    from rag.evaluation.gates.rules import load_gate

    load_gate(path)
    return path.read_text("utf-8-sig")


def write_file(path: Path, text: str) -> None:
    """Write a text file; its folder is made. Raises RagError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RagError(f"{path} cannot be written ({error.strerror or error}).") from error
