"""Commands that show what agents did in received traces: steps, calls, sessions, the search over steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from rag.asking.rows import get_trace
from rag.cli.asking import Trace, traces_app
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    open_database,
    plain,
    print_json,
    screen,
    shortened,
)
from rag.errors import RagError
from rag.interchange.agents.calls.rows import calls_of
from rag.interchange.agents.rows import (
    StepDetail,
    StepFilter,
    StepRow,
    find_steps,
    list_session,
    list_steps,
    read_step,
    sum_session,
)
from rag.interchange.rows import StepKind

KindOption = Annotated[str, typer.Option("--kind", help=f"One of: {', '.join(StepKind)}.")]
Errors = Annotated[bool, typer.Option("--errors", help="Only steps that failed.")]


@traces_app.command("steps")
@with_tables
def traces_steps(
    trace_id: Trace,
    step: Annotated[
        str, typer.Option(help="Show all of one step: its number, its span id, or the beginning of that.")
    ] = "",
    kind: KindOption = "",
    errors: Errors = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show the steps of a received trace as a tree, or everything that was sent of one of them."""
    _check_kind(kind)
    database = open_database(data)
    found = get_trace(database, trace_id, with_spans=False)
    if step:
        detail = read_step(database, found.id, step)
        print_json(_plain_detail(detail)) if as_json else _print_step(detail)
        return
    steps = [one for one in list_steps(database, found.id) if _is_wanted(one, kind, errors)]
    if as_json:
        print_json([_plain_step(one) for one in steps])
        return
    table = Table("Number", "Step", "Kind", "Starts ms", "Took ms", "Tokens", "Cost USD", "Error")
    for one in steps:
        indent = "" if kind or errors else "  " * min(one.depth, 20)
        table.add_row(
            str(one.position),
            indent + plain(shortened(one.title, 60)),
            one.kind,
            f"{one.start_ms:,.0f}",
            f"{one.took_ms:,.0f}",
            _number(one.tokens),
            "" if one.cost_usd is None else f"{one.cost_usd:.4f}",
            plain(shortened(one.error, 60)),
        )
    screen.print(table if steps else "This trace has no such step.")


@traces_app.command("agents")
@with_tables
def traces_agents(trace_id: Trace, data: Data = None, as_json: Json = False) -> None:
    """Show which agent of a received trace calls which, what each adds up to, and loops with their waste."""
    database = open_database(data)
    found = calls_of(list_steps(database, get_trace(database, trace_id, with_spans=False).id))
    if as_json:
        print_json(as_plain(found))
        return
    if not found.sums:
        screen.print("This trace names no agent and no tool.")
        return
    sums = Table("Name", "Kind", "Calls", "Failed", "Prompt", "Completion", "Cost USD", "ms", title="Totals")
    for one in found.sums:
        sums.add_row(
            plain(shortened(one.party.title, 60)),
            one.party.kind,
            str(one.calls),
            str(one.errors),
            _number(one.prompt_tokens),
            _number(one.completion_tokens),
            "" if one.cost_usd is None else f"{one.cost_usd:.4f}",
            f"{one.took_ms:,.0f}",
        )
    screen.print(sums)
    calls = Table("Caller", "Calls", "Times", "Failed", "ms", title="Calls")
    for call in found.calls:
        names = (plain(shortened(party.title, 60)) for party in (call.caller, call.callee))
        calls.add_row(*names, str(call.count), str(call.errors), f"{call.took_ms:,.0f}")
    screen.print(calls)
    for loop in found.loops:
        screen.print(f"Loop: {plain(loop.sentence)}.")


@traces_app.command("session")
@with_tables
def traces_session(trace_id: Trace, data: Data = None, as_json: Json = False) -> None:
    """List the traces of the session of a received trace in order, with what they add up to."""
    database = open_database(data)
    found = list_session(database, get_trace(database, trace_id, with_spans=False).session_id)
    if not found:
        raise RagError(f"Trace {trace_id} was not received; `ragdeck sessions` lists sessions of our own.")
    total = sum_session(found)
    if as_json:
        print_json({"traces": as_plain(found), "total": as_plain(total)})
        return
    table = Table("Id", "Time", "Question", "Status", "Steps", "Tool errors", "Tokens", "Cost USD", "ms")
    for one in found:
        table.add_row(
            one.id[:8],
            clock_time(one.created_ms),
            plain(shortened(one.question, 60)),
            ", ".join(one.silent_failures) or one.status,
            _number(one.step_count),
            _number(one.tool_errors),
            f"{one.prompt_tokens} + {one.completion_tokens}",
            "" if one.cost_usd is None else f"{one.cost_usd:.4f}",
            f"{one.total_ms or 0:,.0f}",
        )
    table.add_row(
        "all", "", "", f"{total.failed} failed", str(total.steps), str(total.tool_errors),
        f"{total.prompt_tokens} + {total.completion_tokens}",
        "" if total.cost_usd is None else f"{total.cost_usd:.4f}", f"{total.busy_ms:,.0f}",
    )  # fmt: skip
    screen.print(table)


@traces_app.command("find-steps")
@with_tables
def traces_find_steps(
    text: Annotated[str, typer.Argument(help="Part of the input, output or error.")] = "",
    name: Annotated[str, typer.Option(help="Part of the name of step, tool, agent or model.")] = "",
    kind: KindOption = "",
    errors: Errors = False,
    application: Annotated[str, typer.Option(help="Name of the application.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Earliest time of the trace.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find steps of received traces, those of the newest trace first."""
    _check_kind(kind)
    wanted = StepFilter(
        text=text,
        name=name,
        kind=kind,
        errors_only=errors,
        application=application,
        since_ms=int(since.timestamp() * 1000) if since else None,
    )
    found = find_steps(open_database(data), wanted, limit)
    if as_json:
        print_json([_plain_step(one) for one in found])
        return
    table = Table("Trace", "Number", "Step", "Kind", "Time", "Took ms", "Text")
    for one in found:
        said = one.error or one.output_begin or one.input_begin
        table.add_row(
            one.trace_id[:8],
            str(one.position),
            plain(shortened(one.title, 40)),
            f"{one.kind}, failed" if one.error else one.kind,
            clock_time(one.created_ms),
            f"{one.took_ms:,.0f}",
            plain(shortened(" ".join(said.split()), 80)),
        )
    screen.print(table if found else "No step matches.")


def _check_kind(kind: str) -> None:
    if kind and kind not in set(StepKind):
        raise RagError(f"--kind {kind}: write one of {', '.join(StepKind)}.")


def _is_wanted(step: StepRow, kind: str, errors: bool) -> bool:
    return (not kind or step.kind == kind) and (not errors or bool(step.error))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _plain_step(step: StepRow) -> dict[str, Any]:
    return {**as_plain(step), "took_ms": step.took_ms, "tokens": step.tokens}


def _plain_detail(detail: StepDetail) -> dict[str, Any]:
    return {**as_plain(detail), "step": _plain_step(detail.step)}


def _print_step(detail: StepDetail) -> None:
    step = detail.step
    screen.print(f"[bold]{step.position}. {plain(step.title)}[/bold]  {step.kind}")
    facts: Sequence[tuple[str, object]] = (
        ("span", step.span_id), ("error", step.error), ("times", step.clock), ("agent", step.agent),
        ("called from", step.called_from), ("tool", step.tool), ("model", step.model),
        ("prompt tokens", step.prompt_tokens), ("completion tokens", step.completion_tokens),
        ("cost, USD", step.cost_usd), ("took, ms", round(step.took_ms, 1)), ("application", detail.service),
    )  # fmt: skip
    for name, value in facts:
        if value not in ("", None):
            screen.print(f"  {name}: {plain(str(value))}")
    for name, text in (("Input", detail.input), ("Output", detail.output)):
        screen.print(f"{name}:", style="bold")
        screen.print(plain(text) or "(not recorded)")
    screen.print("Attributes:", style="bold")
    for name, value in detail.attributes.items():
        screen.print(plain(f"  {name}: {shortened(str(value), 300)}"), style="dim")
