"""Commands that measure: pipelines, runs of a set through them, comparisons and gates."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.table import Table

from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    finish,
    log,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.errors import NotFoundError, RagError
from rag.evaluation.rows import (
    GateOutcome,
    MetricMean,
    RunComparison,
    RunProgress,
    RunRow,
    list_pipeline_label_moves,
    list_pipeline_versions,
    list_pipelines,
    list_results,
    list_runs,
)

if TYPE_CHECKING:
    from rag.workspace import Workspace

app = typer.Typer()
runs_app = typer.Typer(help="Evaluation runs: what was measured.", no_args_is_help=True)
pipelines_app = typer.Typer(help="Pipelines: named ways to answer, in versions.", no_args_is_help=True)
app.add_typer(runs_app, name="runs")
app.add_typer(pipelines_app, name="pipelines")

FAILED = 3  # exit code of a gate that was not passed
_SHOWN_SECONDS = 1.0

Run = Annotated[str, typer.Argument(help="Number of a run, or a tag.", metavar="RUN")]
Name = Annotated[str, typer.Argument(help="Name of the pipeline.", metavar="NAME")]
Note = Annotated[str, typer.Option("--note", help="Why; it is kept in the log.")]
GateFile = Annotated[Path | None, typer.Option("--gate", help="gate.yaml: rules to pass.", metavar="FILE")]


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(help="Name of the evaluation set.", metavar="SET")],
    pipeline: Annotated[
        list[str], typer.Option("--pipeline", "-p", help="NAME, NAME@NUMBER or NAME@LABEL; may be repeated.")
    ],
    set_version: Annotated[
        int | None, typer.Option("--set-version", help="Number; default: the current one.")
    ] = None,
    baseline: Annotated[
        str, typer.Option("--baseline", help="Run or tag to compare with; default: the first pipeline's run.")
    ] = "",
    gate: GateFile = None,
    required_gate: Annotated[
        bool, typer.Option("--required-gate", help="Also the gates that the pipelines and prompts require.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results and gate as JSON.", metavar="FILE")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the gate as JUnit XML.", metavar="FILE")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Times that each case is asked.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="The same seed samples the same answers.")] = 0,
    parallel: Annotated[
        int | None, typer.Option("--parallel", min=1, help="Questions answered at once; 1 measures times.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Most seconds for a case.")] = 300.0,
    judge: Annotated[str, typer.Option("--judge", help="Model that judges the answers, too.")] = "",
    run_name: Annotated[str, typer.Option("--name", help="Name of the runs.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Tag for the runs, as baseline.")] = None,
    data: Data = None,
) -> int:
    """Ask every case of a set through pipelines, and compare. Exit code 0: passed, 3: a gate failed, 1: an error."""
    from rag.evaluation.comparison import compare
    from rag.evaluation.runs import find_run, start_runs

    if junit and not (gate or required_gate):
        raise RagError("--junit writes the decision of a gate; name one with --gate.")
    gate_text = _gate_text(gate) if gate else ""
    with open_workspace(data, "evaluate") as workspace:
        before = find_run(workspace.database, baseline, name) if baseline else None
        made = follow(
            start_runs(
                workspace,
                name,
                pipeline,
                set_version=set_version,
                repeats=repeats,
                seed=seed,
                name=run_name,
                parallel=parallel,
                timeout_s=timeout,
                judge=judge,
                tags=tag or (),
            )
        )
        decisions = _gate_all(workspace, made, gate_text, required_gate, before, junit)
        ids = [*([before.id] if before else []), *(run.id for run in made)]
        report = compare(workspace.database, ids)
    print_comparison(report)
    for decision in decisions:
        _print_gate(decision)
    if json_file:
        document = {**_summary(report), "gates": as_plain(decisions)}
        _write_text(json_file, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return 0 if all(decision.passed for decision in decisions) else FAILED


def _gate_all(
    workspace: Workspace,
    made: Sequence[RunRow],
    gate_text: str,
    required: bool,
    before: RunRow | None,
    junit: Path | None,
) -> list[GateOutcome]:
    from rag.evaluation.gate_rules import Decision, write_junit
    from rag.evaluation.gate_runs import put_through, requirements_of

    outcomes, rows = [], []
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
            decision, outcome = put_through(workspace, run.id, text, base)
            outcomes.append(outcome)
            rows.append(decision)
    if junit and rows:
        together = tuple(row for decision in rows for row in decision.rows)
        write_junit(Decision(", ".join(d.run for d in rows), rows[0].baseline, together), junit)
    return outcomes


# --- runs -------------------------------------------------------------------------------------------------


@runs_app.command("list")
def runs_list(
    set_name: Annotated[str, typer.Option("--set", help="Of this set alone.")] = "",
    pipeline: Annotated[str, typer.Option("--pipeline", help="Of this pipeline alone.")] = "",
    tag: Annotated[str, typer.Option("--tag", help="With this tag alone.")] = "",
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
        status = "" if row.status == "done" else f", {row.status}"
        failed = f", {row.failed_count} failed" if row.failed_count else ""
        table.add_row(
            str(row.id), clock_time(row.created_ms),
            plain(row.name if row.name == whole else f"{row.name}: {whole}"), answers + status + failed, gate,
            plain(", ".join(row.tags)),
        )  # fmt: skip
    screen.print(table if rows else "There is no run; `ragdeck evaluate SET --pipeline NAME` makes one.")


@runs_app.command("show")
def runs_show(run: Run, data: Data = None, as_json: Json = False) -> None:
    """Show one run: what it stood on, its metrics and its answers."""
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
        table.add_row(plain(result.case_key), result.outcome, plain(text[:100]), result.trace_id[:8])
    screen.print(table)


@runs_app.command("compare")
def runs_compare(
    runs: Annotated[
        list[str], typer.Argument(help="Runs or tags; the first is the baseline.", metavar="RUN…")
    ],
    most: Annotated[int, typer.Option("--cases", min=0, help="Most changed cases shown.")] = 10,
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
        for run, answer in zip(report.runs, case.answers, strict=True):
            if answer is not None:
                text = answer.error or " ".join(answer.answer.split())
                screen.print(
                    plain(f"  {run.label}, {answer.outcome}, trace {answer.trace_id[:8]}: {text[:300]}"),
                    highlight=False,
                )


@runs_app.command("resume")
def runs_resume(run: Run, data: Data = None) -> None:
    """Go on with a run that was cancelled or interrupted; what is done is not asked again."""
    from rag.evaluation.comparison import compare
    from rag.evaluation.runs import find_run, resume_run

    with open_workspace(data, "runs resume") as workspace:
        (row,) = follow(resume_run(workspace, find_run(workspace.database, run).id))
        report = compare(workspace.database, [row.id])
    print_comparison(report)


@runs_app.command("tag")
def runs_tag(
    run: Run,
    tag: Annotated[str, typer.Argument(metavar="TAG")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag away.")] = False,
    data: Data = None,
) -> None:
    """Give a run a tag, such as baseline."""
    from rag.evaluation.runs import find_run, tag_run, untag_run

    with open_workspace(data, "runs tag") as workspace:
        row = find_run(workspace.database, run)
        (untag_run if remove else tag_run)(workspace, row.id, tag)
    screen.print(plain(f"Run {row.id} {'has no tag' if remove else 'has the tag'} {tag}."))


@runs_app.command("rename")
def runs_rename(run: Run, name: Annotated[str, typer.Argument(metavar="NEW")], data: Data = None) -> None:
    """Give a run another name."""
    from rag.evaluation.runs import find_run, rename_run

    with open_workspace(data, "runs rename") as workspace:
        row = find_run(workspace.database, run)
        rename_run(workspace, row.id, name)
    screen.print(plain(f"Run {row.id} is called {name}."))


@runs_app.command("delete")
def runs_delete(run: Run, data: Data = None) -> None:
    """Delete a run with its answers and their traces."""
    from rag.evaluation.runs import delete_run, find_run

    with open_workspace(data, "runs delete") as workspace:
        row = find_run(workspace.database, run)
        count = delete_run(workspace, row.id)
    screen.print(f"Run {row.id} is deleted, with {count} answers.")


@runs_app.command("gate")
def runs_gate(
    run: Run,
    gate: Annotated[Path, typer.Option("--gate", help="gate.yaml", metavar="FILE")],
    baseline: Annotated[str, typer.Option("--baseline", help="Run or tag.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE")] = None,
    data: Data = None,
) -> int:
    """Put a run that is done through a gate; exit code 3 when it fails."""
    from rag.evaluation.gate_rules import write_json, write_junit
    from rag.evaluation.gate_runs import put_through
    from rag.evaluation.runs import find_run

    text = _gate_text(gate)
    with open_workspace(data, "runs gate") as workspace:
        row = find_run(workspace.database, run)
        before = find_run(workspace.database, baseline, row.set_name) if baseline else None
        decision, outcome = put_through(workspace, row.id, text, before.id if before else None)
    if json_file:
        write_json(decision, json_file)
    if junit:
        write_junit(decision, junit)
    _print_gate(outcome)
    return 0 if outcome.passed else FAILED


@runs_app.command("verdict")
def runs_verdict(
    run: Run,
    case: Annotated[str, typer.Argument(help="Key of the case.", metavar="CASE")],
    right: Annotated[bool | None, typer.Option("--right/--wrong", help="What you say of its answer.")] = None,
    note: Note = "",
    data: Data = None,
) -> None:
    """Say whether an answer is right; a judge is measured against that. Without either the verdict is taken back."""
    from rag.evaluation.llm_judge import agreement
    from rag.evaluation.runs import find_run, give_verdict

    with open_workspace(data, "runs verdict") as workspace:
        row = find_run(workspace.database, run)
        found = [r for r in list_results(workspace.database, row.id) if r.case_key == case]
        if not found:
            raise NotFoundError(f"Run {row.id} has no answer to a case {case}.")
        give_verdict(workspace, found[0].id, right, note)
        known = agreement(list_results(workspace.database, row.id))
    screen.print(f"Kept. The judge agrees with people in {known.agreed} of {known.both} answers.")


# --- pipelines --------------------------------------------------------------------------------------------


@pipelines_app.command("list")
def pipelines_list(data: Data = None, as_json: Json = False) -> None:
    """List the pipelines with their newest version."""
    rows = list_pipelines(open_database(data))
    if as_json:
        print_json([{**asdict(row), "config": json.loads(row.config)} for row in rows])
        return
    table = Table("Pipeline", "Version", "Changed", "Kind", "Collection", "Prompt", "Labels", "Message")
    for row in rows:
        config = json.loads(row.config)
        table.add_row(
            plain(row.name), str(row.number), clock_time(row.created_ms), config["kind"], plain(config["collection"]),
            plain(config["prompt"]), plain(", ".join(row.labels)), plain(row.message),
        )  # fmt: skip
    screen.print(
        table if rows else "There is no pipeline; `ragdeck pipelines save NAME -c COLLECTION` makes one."
    )


@pipelines_app.command("show")
def pipelines_show(
    name: Name,
    version: Annotated[int | None, typer.Option("--version", help="Number; default: the newest.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print a version of a pipeline as YAML, and its versions."""
    rows = list_pipeline_versions(open_database(data), name)
    row = next((r for r in rows if version in (None, r.number)), None)
    if row is None:
        raise NotFoundError(f"The pipeline “{name}” has no version {version}.")
    if as_json:
        print_json({**asdict(row), "config": json.loads(row.config)})
        return
    screen.print(plain(_as_yaml(row.config)), highlight=False)
    for one in rows:
        labels = f" ({', '.join(one.labels)})" if one.labels else ""
        screen.print(plain(f"version {one.number}{labels}: {one.message}, {clock_time(one.created_ms)}"))


@pipelines_app.command("save")
def pipelines_save(
    name: Name,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "",
    version: Annotated[str, typer.Option("--version", help="Of the dataset: number, tag or active.")] = "",
    prompt: Annotated[str, typer.Option("--prompt", help="NAME, NAME@LABEL or NAME@NUMBER.")] = "",
    model: Annotated[str, typer.Option("--model", help="Name or path; default: the active one.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="answer, or retrieval: no model is asked.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="retrieval.KEY=VALUE or generation.KEY=VALUE; may be repeated."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="YAML or JSON to begin with.", metavar="FILE")
    ] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="What changed.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Save a version: from a file, else the newest one, else the present settings, with what is said here changed."""
    from rag.evaluation.pipelines import find_pipeline, make_config, present_config, save_pipeline

    with open_workspace(data, "pipelines save") as workspace:
        if file:
            values = _read_mapping(file)
        else:
            try:
                values = find_pipeline(workspace, name).config.model_dump(mode="json")
            except NotFoundError:
                if not collection:
                    raise RagError(
                        f"There is no pipeline “{name}” yet; name its collection with -c."
                    ) from None
                values = present_config(workspace, collection).model_dump(mode="json")
        given = {"collection": collection, "version": version, "prompt": prompt, "model": model, "kind": kind}
        values.update({key: value for key, value in given.items() if value})
        for one in option or []:
            _set_option(values, one)
        row = save_pipeline(workspace, name, make_config(values), message)
    if as_json:
        print_json({**asdict(row), "config": row.config.model_dump(mode="json")})
    else:
        screen.print(plain(f"{name} has version {row.number}, fingerprint {row.fingerprint[:12]}."))


@pipelines_app.command("diff")
def pipelines_diff(
    name: Name,
    old: Annotated[int, typer.Argument(metavar="OLD")],
    new: Annotated[int, typer.Argument(metavar="NEW")],
    other: Annotated[str, typer.Option("--with", help="NEW is of this pipeline.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what differs between two versions."""
    from rag.evaluation.pipelines import diff_configs, find_pipeline

    with open_workspace(data, "pipelines diff") as workspace:
        first, second = find_pipeline(workspace, name, old), find_pipeline(workspace, other or name, new)
    changes = diff_configs(first.config, second.config)
    if as_json:
        print_json([{"key": key, "old": a, "new": b} for key, a, b in changes])
        return
    for key, a, b in changes:
        screen.print(plain(f"{key}: {a} → {b}"), highlight=False)
    if not changes:
        screen.print("Nothing differs.")


@pipelines_app.command("export")
def pipelines_export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="YAML file to write.", metavar="FILE")],
    version: Annotated[int | None, typer.Option("--version", help="Number; default: the newest.")] = None,
    data: Data = None,
) -> None:
    """Write a version as YAML; `pipelines save NAME --file FILE` reads it."""
    rows = list_pipeline_versions(open_database(data), name)
    row = next((r for r in rows if version in (None, r.number)), None)
    if row is None:
        raise NotFoundError(f"The pipeline “{name}” has no version {version}.")
    _write_text(file, _as_yaml(row.config))
    screen.print(plain(f"Version {row.number} of {name} is written to {file}."))


@pipelines_app.command("delete")
def pipelines_delete(name: Name, data: Data = None) -> None:
    """Delete a pipeline with its versions; its runs stay."""
    from rag.evaluation.pipelines import delete_pipeline

    with open_workspace(data, "pipelines delete") as workspace:
        delete_pipeline(workspace, name)
    screen.print(plain(f"{name} is deleted."))


@pipelines_app.command("label")
def pipelines_label(
    name: Name,
    label: Annotated[str, typer.Argument(help="Such as production or staging.", metavar="LABEL")],
    number: Annotated[
        int | None, typer.Argument(help="Of the version; none removes it.", metavar="[N]")
    ] = None,
    note: Note = "",
    force: Annotated[bool, typer.Option("--force", help="Without its gate; needs a note.")] = False,
    data: Data = None,
) -> None:
    """Point a label to a version."""
    from rag.evaluation.pipelines import move_pipeline_label

    with open_workspace(data, "pipelines label") as workspace:
        move = move_pipeline_label(workspace, name, label, number, note=note, force=force)
    screen.print(plain(f"{name}@{label}: {move.from_number or 'none'} → {move.to_number or 'none'}."))


@pipelines_app.command("log")
def pipelines_log(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show every move of a pipeline's labels, newest first."""
    moves = list_pipeline_label_moves(open_database(data), name)
    if as_json:
        print_json([asdict(move) for move in moves])
        return
    for move in moves:
        ends = f"{move.from_number or 'none'} → {move.to_number or 'none'}"
        screen.print(plain(f"{clock_time(move.moved_ms)} {move.label}: {ends} by {move.author}. {move.note}"))


@pipelines_app.command("require")
def pipelines_require(
    name: Name,
    set_name: Annotated[str, typer.Option("--set", help="Evaluation set.")] = "",
    gate: GateFile = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="NAME is a prompt.")] = False,
    none: Annotated[bool, typer.Option("--none", help="Require nothing any more.")] = False,
    note: Note = "",
    data: Data = None,
) -> None:
    """Let the label production move only to a version that passed a gate on a set."""
    from rag.evaluation.gate_runs import drop_requirement, require_gate
    from rag.prompts.required_gates import Kind

    kind: Kind = "prompt" if prompt else "pipeline"
    if not none and (gate is None or not set_name):
        raise RagError("Name the gate with --gate and the evaluation set with --set, or say --none.")
    with open_workspace(data, "pipelines require") as workspace:
        if gate is None or none:
            drop_requirement(workspace, kind, name, note)
            screen.print(plain(f"The {kind} {name} requires no gate."))
        else:
            require_gate(workspace, kind, name, set_name, _gate_text(gate))
            screen.print(plain(f"production of the {kind} {name} waits for its gate on {set_name}."))


# --- printing ---------------------------------------------------------------------------------------------


def follow(events: Generator[RunProgress, None, tuple[RunRow, ...]]) -> tuple[RunRow, ...]:
    """Run to the end, with a line on stderr now and then."""
    shown = [0.0]

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

    return finish(events, show)


def print_comparison(report: RunComparison) -> None:
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
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        screen.print(plain(f"Run {run_id}: {counts}."))
    for sentence in (*report.sentences, *report.warnings):
        screen.print(plain(sentence), highlight=False, soft_wrap=True)
    least = report.detectable.difference
    if least is not None and len(report.runs) > 1:
        screen.print(
            f"{report.detectable.cases} cases can show a difference of {least:.0%} and more (power 80 %)."
        )


def _mean_text(mean: MetricMean, digits: str) -> str:
    if mean.mean is None:
        return plain("–")
    between = "" if mean.low is None or mean.high is None else f" [{mean.low:{digits}}, {mean.high:{digits}}]"
    return plain(f"{mean.mean:{digits}}{between} (n {mean.count})")


def _print_gate(outcome: GateOutcome) -> None:
    for rule, passed, _, reason in outcome.rows:
        screen.print(
            plain(f"{'passed' if passed else 'FAILED'}  {rule}: {reason}"), highlight=False, soft_wrap=True
        )
    screen.print(plain(outcome.sentence), style="bold", highlight=False, soft_wrap=True)


def _summary(report: RunComparison) -> dict[str, Any]:
    """The JSON of a comparison without its cases."""
    document: dict[str, Any] = as_plain(report)
    document.pop("cases")
    return document


def _gate_text(path: Path) -> str:
    from rag.evaluation.gate_rules import load_gate

    load_gate(path)  # says what is wrong before anything is asked
    return path.read_text("utf-8-sig")


def _as_yaml(config: str) -> str:
    return yaml.safe_dump(json.loads(config), allow_unicode=True, sort_keys=False)


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise RagError(f"{path} cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(values, dict):
        raise RagError(f"{path} is not a pipeline: it has keys such as collection and prompt.")
    return values


def _set_option(values: dict[str, Any], option: str) -> None:
    key, equals, text = option.partition("=")
    section, _, name = key.partition(".")
    if not equals or section not in ("retrieval", "generation") or not name:
        raise RagError(f"“{option}” is not retrieval.KEY=VALUE or generation.KEY=VALUE.")
    values.setdefault(section, {})[name] = yaml.safe_load(text)


def _write_text(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RagError(f"{path} cannot be written ({error.strerror or error}).") from error
