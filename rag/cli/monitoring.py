"""Commands of the monitors: measures, alert rules, drift, disagreements and regression questions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rag.asking.applications.rows import application_named_by, list_applications
from rag.asking.rows import list_trace_models, list_traces, read_answers
from rag.cli.asking import with_answers
from rag.cli.printing.screen import with_tables
from rag.cli.regression_questions import FIRING, regression_app
from rag.cli.terminal import (
    Data,
    Json,
    clock_time,
    log,
    open_database,
    open_workspace,
    plain,
    print_json,
    run_steps,
    screen,
    shortened,
)
from rag.errors import DataFolderLockedError, RagError
from rag.grounding.rows import SilentFailure
from rag.knowledge.rows import get_collection
from rag.monitoring.rows import (
    MEASURES,
    AlertRow,
    AlertState,
    Member,
    ReferenceRow,
    Scope,
    find_reference,
    list_alerts,
    list_asked_prompts,
    list_measured,
    list_reference_periods,
)

if TYPE_CHECKING:
    from rag.storage.database import Database


app = typer.Typer()
monitor_app = typer.Typer(
    help="Measures of what is asked, their limits, alerts, drift and regression questions."
)
rules_app = typer.Typer(help="Alert rules: a measure, a threshold, a window, a minimum count.")
reference_app = typer.Typer(help="The period that limits and drift tests compare with.")
app.add_typer(monitor_app, name="monitor")
monitor_app.add_typer(rules_app, name="rules")
monitor_app.add_typer(reference_app, name="reference")
monitor_app.add_typer(regression_app, name="regression")
monitor_app.add_typer(regression_app, name="frozen", hidden=True)  # its name before 0.2

Collection = Annotated[
    str,
    typer.Option(
        "--collection", "-c", help="Only questions to this collection, or application:NAME.", metavar="NAME"
    ),
]
Model = Annotated[str, typer.Option("--model", help="Only questions answered by this model.", metavar="NAME")]
Prompt = Annotated[
    str, typer.Option("--prompt", help="Only questions with this prompt version: NAME@N or its fingerprint.")
]
RuleName = Annotated[str, typer.Argument(help="Name of a rule.", metavar="RULE")]
Measure = Annotated[str | None, typer.Option("--measure", help=f"One of {', '.join(MEASURES)}.")]
Comparison = Annotated[str | None, typer.Option("--comparison", help="above or below.")]
Threshold = Annotated[
    str | None,
    typer.Option(
        "--threshold",
        help="A number (a rate as a share such as 0.05, times in milliseconds, drift as a p value), or "
        "“limit” for the control limit of the reference period.",
        metavar="X",
    ),
]
Window = Annotated[int | None, typer.Option("--window", help="Number of most recent questions.")]
Minimum = Annotated[int | None, typer.Option("--minimum", help="Fewest questions that are judged.")]
Note = Annotated[str | None, typer.Option("--note", help="Why the rule is there.")]


# --- measures and the check -------------------------------------------------------------------------------


@monitor_app.callback(invoke_without_command=True)
@with_tables
def monitor(
    context: typer.Context,
    check: Annotated[
        bool,
        typer.Option("--check", help=f"Judge every alert rule; exit code {FIRING} when one fires."),
    ] = False,
    collection: Collection = "",
    model: Model = "",
    prompt: Prompt = "",
    window: Annotated[
        int, typer.Option("--window", min=5, max=1000, help="Number of most recent questions.")
    ] = 50,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Show every measure of the last questions against the limits of the reference period."""
    if context.invoked_subcommand is not None:
        return 0
    if check:
        return _check(data, as_json)
    from rag.monitoring.measuring import summaries

    database = open_database(data)
    scope = _scope(database, collection, model, prompt)
    found = summaries(database, scope, window)
    reference = find_reference(database, collection)
    if as_json:
        print_json(
            {
                "scope": asdict(scope),
                "window": window,
                "reference": asdict(reference) if reference else None,
                "measures": [asdict(summary) | {"outside": summary.outside} for summary in found],
            }
        )
        return 0
    table = Table("Measure", "Value", "n", "95 % interval", "Limits", "Reference", "")
    for summary in found:
        measure = MEASURES[summary.key]
        table.add_row(
            measure.title,
            measure.shown(summary.value),
            str(summary.count),
            measure.between(*summary.interval) if summary.interval else "",
            measure.between(summary.low, summary.high),
            f"{measure.shown(summary.reference)} (n = {summary.reference_count})"
            if summary.reference_count
            else "",
            f"[red]{plain(summary.sentence)}[/red]" if summary.outside else plain(summary.sentence),
        )
    screen.print(plain(f"The last {window} questions: {scope.sentence()}."))
    screen.print(table)
    screen.print(
        plain(f"Reference period: {reference.sentence()}.")
        if reference
        else "No reference period is chosen. `monitor reference set 14d 7d` chooses the week before last."
    )
    return 0


def _check(data: str | None, as_json: bool) -> int:
    """Judge the rules and say which fire. While another process has the data folder, nothing is stored."""
    from rag.monitoring.alerts import check_alerts, judged_now

    try:
        with open_workspace(data, "monitor --check") as workspace:
            rules = run_steps(check_alerts(workspace), as_json)
    except DataFolderLockedError as error:
        log.print(
            plain(
                f"{error} The rules are judged without storing anything; drift stays as it was last judged."
            ),
            highlight=False,
            soft_wrap=True,
        )
        rules = judged_now(open_database(data))
    rules = [rule for rule in rules if rule.enabled]
    firing = [rule for rule in rules if rule.state == AlertState.FIRING]
    if as_json:
        print_json({"firing": [rule.name for rule in firing], "rules": [asdict(rule) for rule in rules]})
    else:
        for rule in firing:
            screen.print(plain(f"FIRING: {rule.name}: {rule.sentence}"), highlight=False, soft_wrap=True)
        for rule in rules:
            if rule.state == AlertState.ACKNOWLEDGED:
                screen.print(
                    plain(f"acknowledged: {rule.name}: {rule.sentence} ({rule.acknowledged})"),
                    highlight=False,
                    soft_wrap=True,
                )
        counts = {state: sum(rule.state == state for rule in rules) for state in AlertState}
        screen.print(
            f"{len(firing)} of {len(rules)} rules fire; {counts[AlertState.OK]} are ok, "
            f"{counts[AlertState.NOT_ENOUGH_DATA]} do not have enough data.",
            highlight=False,
            soft_wrap=True,
        )
    return FIRING if firing else 0


@monitor_app.command()
def drift(
    collection: Collection = "",
    model: Model = "",
    prompt: Prompt = "",
    window: Annotated[
        int, typer.Option("--window", min=20, max=500, help="Number of most recent questions.")
    ] = 100,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Test whether the last questions and their best scores are like those of the reference period."""
    from rag.monitoring.drift import drift as test_drift

    with open_workspace(data, "monitor drift") as workspace:
        scope = _scope(workspace.database, collection, model, prompt)
        results = run_steps(test_drift(workspace, scope, window), as_json)
    if as_json:
        print_json([asdict(result) for result in results])
        return
    for result in results:
        screen.print(
            plain(f"{result.what.capitalize()}: {result.sentence}."), highlight=False, soft_wrap=True
        )
        for new in result.least_alike if result.p is not None and result.p < 0.05 else ():
            line = f"  {new.trace_id[:8]}  {new.cosine:.2f}  {new.question}"
            screen.print(plain(line), highlight=False, soft_wrap=True)


@monitor_app.command()
def disagreements(
    collection: Collection = "",
    model: Model = "",
    prompt: Prompt = "",
    limit: Annotated[
        int, typer.Option("--limit", min=2, max=500, help="Number of most recent questions.")
    ] = 500,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List groups of similar questions whose answers disagree."""
    from rag.monitoring.drift import disagreements as find_disagreements

    with open_workspace(data, "monitor disagreements") as workspace:
        scope = _scope(workspace.database, collection, model, prompt)
        groups = run_steps(find_disagreements(workspace, scope, limit), as_json)
    if as_json:
        print_json([asdict(group) for group in groups])
        return
    if not groups:
        screen.print("No similar questions have answers that disagree.")
    for group in groups:
        cause = f"; {group.cause}" if group.cause else ""
        screen.print(
            plain(f"{group.question}  ({', '.join(group.reasons)}{cause})"), style="bold", highlight=False
        )
        answers: dict[str, list[Member]] = {}
        for member in group.members:
            answers.setdefault(" ".join(member.answer.split()), []).append(member)
        for answer, members in answers.items():
            times = f"{len(members)} ×" if len(members) > 1 else "   "
            screen.print(
                plain(
                    f"  {times:>5} {members[0].trace_id[:8]}  {clock_time(members[0].created_ms)}  "
                    f"{answer[:200]}"
                ),
                highlight=False,
                soft_wrap=True,
            )


@monitor_app.command()
@with_tables
def silent(
    collection: Collection = "",
    kind: Annotated[str, typer.Option("--kind", help=f"One of: {', '.join(SilentFailure)}.")] = "any",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Maximum number of rows.")] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List answers that came without an error and are of no use, newest first."""
    from rag.asking.rows import TraceFilter

    if kind not in ("any", *SilentFailure):
        raise RagError(f"There is no silent failure “{kind}”. Choose one of: {', '.join(SilentFailure)}.")
    database = open_database(data)
    rows = list_traces(database, TraceFilter(collection=collection, silent=kind), limit)
    if as_json:
        print_json(with_answers(database, rows))
        return
    answers = read_answers(database, [row.id for row in rows])
    table = Table("Trace", "When", "What", "Question", "Answer")
    for row in rows:
        answer = " ".join(answers[row.id].split())
        table.add_row(
            row.id[:8],
            clock_time(row.created_ms),
            ", ".join(row.silent_failures),
            plain(shortened(row.question, 60)),
            plain(shortened(answer, 80)),
        )
    screen.print(table if rows else "There are no silent failures.")


# --- rules ------------------------------------------------------------------------------------------------


@rules_app.callback(invoke_without_command=True)
@with_tables
def rules(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """List the rules with their states."""
    if context.invoked_subcommand is None:
        list_rules(data, as_json)


@rules_app.command("list")
@with_tables
def list_rules(data: Data = None, as_json: Json = False) -> None:
    """List the rules with their states."""
    rows = list_alerts(open_database(data))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Rule", "State", "Measure", "Condition", "Scope", "Figures")
    for row in rows:
        colour = {"firing": "red", "acknowledged": "yellow", "ok": "green"}.get(row.state, "")
        state = row.state if row.enabled else "off"
        table.add_row(
            plain(row.name),
            f"[{colour}]{state}[/]" if colour and row.enabled else state,
            row.measure,
            row.condition,
            plain(row.scope.sentence()),
            plain(row.sentence + (f" ({row.acknowledged})" if row.acknowledged else "")),
        )
    screen.print(table if rows else "There are no alert rules. Add one with `monitor rules add`.")


@rules_app.command("add")
def add_rule(
    name: RuleName,
    measure: Annotated[str, typer.Option("--measure", help=f"One of {', '.join(MEASURES)}.")],
    comparison: Comparison = None,
    threshold: Threshold = None,
    window: Window = None,
    minimum: Minimum = None,
    collection: Collection = "",
    model: Model = "",
    prompt: Prompt = "",
    note: Note = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a rule. Without a threshold it fires beyond the control limit of the reference period."""
    from rag.monitoring.alerts import add_rule as make_rule

    with open_workspace(data, "monitor rules add") as workspace:
        scope = _scope(workspace.database, collection, model, prompt)
        values = _values(
            measure=measure,
            comparison=comparison,
            threshold=threshold,
            window=window,
            minimum=minimum,
            note=note,
        )
        given = {"collection": scope.collection, "model": scope.model, "prompt": scope.prompt}
        row = make_rule(workspace, {"name": name, **values, **given})
    _show_rule(row, as_json)


@rules_app.command("change")
def change_rule(
    name: RuleName,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    measure: Measure = None,
    comparison: Comparison = None,
    threshold: Threshold = None,
    window: Window = None,
    minimum: Minimum = None,
    collection: Annotated[str | None, typer.Option("--collection", "-c", metavar="NAME")] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME")] = None,
    prompt: Annotated[str | None, typer.Option("--prompt", help="NAME@N or a fingerprint.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is judged.")] = None,
    note: Note = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Change a rule. It is judged again, whatever its state was."""
    from rag.monitoring.alerts import change_rule as alter_rule

    with open_workspace(data, "monitor rules change") as workspace:
        values = _values(
            name=new_name, measure=measure, comparison=comparison, threshold=threshold, window=window,
            minimum=minimum, collection=collection, model=model, enabled=enabled, note=note,
            prompt=_prompt(workspace.database, prompt) if prompt else prompt,
        )  # fmt: skip
        if not values:
            raise RagError("Name at least one thing to change; --help lists them.")
        row = alter_rule(workspace, name, values)
    _show_rule(row, as_json)


@rules_app.command("remove")
def remove_rule(name: RuleName, data: Data = None) -> None:
    """Remove a rule."""
    from rag.monitoring.alerts import remove_rule as delete_rule

    with open_workspace(data, "monitor rules remove") as workspace:
        delete_rule(workspace, name)
    screen.print(f"The rule {plain(name)} was removed.")


@rules_app.command("acknowledge")
def acknowledge(
    name: RuleName,
    note: Annotated[str, typer.Option("--note", help="What is known or done about it.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what is done about a firing alert: it fails no check until it was calm again."""
    from rag.monitoring.alerts import acknowledge as take_note

    with open_workspace(data, "monitor rules acknowledge") as workspace:
        row = take_note(workspace, name, note)
    _show_rule(row, as_json)


def _show_rule(row: AlertRow, as_json: bool) -> None:
    if as_json:
        print_json(asdict(row))
        return
    state = row.state if row.enabled else "off"
    screen.print(
        plain(
            f"{row.name}: {row.measure} {row.condition}, {row.scope.sentence()}; "
            f"{state} {row.sentence}".strip()
        ),
        highlight=False,
        soft_wrap=True,
    )


def _values(threshold: str | None, **values: Any) -> dict[str, Any]:
    """Return what was given, by name; the threshold as a number, None for the control limit."""
    given = {key: value for key, value in values.items() if value is not None}
    if threshold is not None:
        try:
            given["threshold"] = None if threshold == "limit" else float(threshold)
        except ValueError:
            raise RagError(f"“{threshold}” is not a threshold. Write a number, or “limit”.") from None
    return given


# --- the reference period ---------------------------------------------------------------------------------


@reference_app.callback(invoke_without_command=True)
@with_tables
def reference(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """Show the reference periods."""
    if context.invoked_subcommand is None:
        show_references(data, as_json)


@reference_app.command("show")
@with_tables
def show_references(data: Data = None, as_json: Json = False) -> None:
    """Show the reference periods: the one for all collections, and those of single collections."""
    database = open_database(data)
    rows = list_reference_periods(database)
    counts = [len(list_measured(database, _period(row), 100_000)) for row in rows]
    if as_json:
        print_json([asdict(row) | {"questions": count} for row, count in zip(rows, counts, strict=True)])
        return
    table = Table("Collection", "From", "To", "Questions", "Note")
    for row, count in zip(rows, counts, strict=True):
        times = clock_time(row.start_ms), clock_time(row.end_ms)
        table.add_row(plain(row.collection or "all"), *times, f"{count:,}", plain(row.note))
    screen.print(table if rows else "No reference period is chosen. Choose one with `monitor reference set`.")


@reference_app.command("set")
def set_reference(
    start: Annotated[str, typer.Argument(help="2026-03-01, “2026-03-01 12:00”, or 14d ago (h, d, w).")],
    end: Annotated[
        str, typer.Argument(help="Same format; a date includes the whole day. Default: now.")
    ] = "",
    collection: Annotated[
        str,
        typer.Option("--collection", "-c", help="Only for this collection; default: all.", metavar="NAME"),
    ] = "",
    note: Annotated[str, typer.Option("--note", help="Why this time.")] = "",
    data: Data = None,
) -> None:
    """Choose the period in which everything was as it should be. Limits need at least 20 questions."""
    from rag.monitoring.alerts import set_reference as choose_reference

    with open_workspace(data, "monitor reference set") as workspace:
        count = choose_reference(workspace, collection, start, end, note)
    few = "" if count >= 20 else " That is too few for limits: 20 are needed."
    screen.print(f"The reference period has {count:,} questions.{few}")


@reference_app.command("clear")
def clear_reference(
    collection: Annotated[str, typer.Option("--collection", "-c", metavar="NAME")] = "", data: Data = None
) -> None:
    """Remove the reference period. Rules that need one are no longer judged."""
    from rag.monitoring.alerts import clear_reference as forget_reference

    with open_workspace(data, "monitor reference clear") as workspace:
        forget_reference(workspace, collection)
    screen.print("The reference period is removed.")


def _period(row: ReferenceRow) -> Scope:
    return Scope(row.collection, since_ms=row.start_ms, until_ms=row.end_ms)


# --- scope ------------------------------------------------------------------------------------------------


def _scope(database: Database, collection: str, model: str, prompt: str) -> Scope:
    """Return a scope. Raises RagError for a name that no question has: a typing error is not “no data”."""
    application = application_named_by(collection)
    if application and application not in list_applications(database):
        raise RagError(
            f"No trace of an application named “{application}” was received. Choose one of: "
            f"{', '.join(list_applications(database)) or 'none yet'}."
        )
    if collection and not application:
        get_collection(database, collection)
    if model and model not in list_trace_models(database):
        raise RagError(
            f"No question was answered by “{model}”. Choose one of: "
            f"{', '.join(list_trace_models(database)) or 'none yet'}."
        )
    return Scope(collection, model, _prompt(database, prompt) if prompt else "")


def _prompt(database: Database, wanted: str) -> str:
    """Return the fingerprint of a prompt version that was used. Raises RagError."""
    known = list_asked_prompts(database)
    found = {
        fingerprint
        for fingerprint, name in known
        if wanted == name or (len(wanted) >= 4 and fingerprint.startswith(wanted))
    }
    if len(found) != 1:
        names = ", ".join(name for _, name in known) or "none"
        raise RagError(f"No question used the prompt “{wanted}”. Choose one of: {names}.")
    return found.pop()
