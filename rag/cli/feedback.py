"""Commands on what people say of answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.terminal import (
    Data,
    Json,
    clock_time,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.errors import RagError
from rag.review.rows import REASONS

app = typer.Typer()
feedback_app = typer.Typer(help="Thumbs, reasons and corrections of answers.", no_args_is_help=True)
app.add_typer(feedback_app, name="feedback")

Trace = Annotated[str, typer.Argument(help="Id of a trace, or its beginning.", metavar="TRACE")]
By = Annotated[str, typer.Option("--by", help="Who says it; default: the user of this computer.")]


@feedback_app.command()
def add(
    trace: Trace,
    up: Annotated[bool | None, typer.Option("--up/--down", help="Whether the answer is good.")] = None,
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(REASONS)}.")] = "",
    note: Annotated[str, typer.Option(help="In words of your own.")] = "",
    correction: Annotated[str, typer.Option(help="The right answer.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag")] = None,
    by: By = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Rate an answer; rating it again replaces what you said."""
    from rag.review.feedback import add_feedback

    if up is None:
        raise RagError("Say --up or --down.")
    with open_workspace(data, "feedback add") as workspace:
        row = add_feedback(
            workspace, trace, up, reason=reason, note=note, correction=correction, tags=tag or (), author=by
        )
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(f"{plain(row.author)} rated {row.trace_id[:8]} {'up' if row.is_up else 'down'}.")


@feedback_app.command("list")
def list_(
    up: Annotated[bool | None, typer.Option("--up/--down", help="Only these; default: both.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List feedback, newest first."""
    from rag.review.rows import feedback_rows

    rows = feedback_rows(open_database(data), is_up=up, limit=limit)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Trace", "When", "By", "", "Reason", "Question", "Correction", "Case")
    for row in rows:
        table.add_row(
            row.trace_id[:8],
            clock_time(row.created_ms),
            plain(row.author),
            "up" if row.is_up else "down",
            plain(": ".join(part for part in (row.reason, row.note) if part)),
            plain(row.question[:60]),
            plain(row.correction[:60]),
            plain(row.set_name),
        )
    screen.print(table if rows else "Nobody has rated an answer yet.")


@feedback_app.command()
def remove(trace: Trace, by: By = "", data: Data = None) -> None:
    """Take a rating back."""
    from rag.review.feedback import feedback_of, remove_feedback

    with open_workspace(data, "feedback remove") as workspace:
        row = feedback_of(workspace, trace, by)
        remove_feedback(workspace, row.trace_id, row.author)
    screen.print(f"The rating of {row.trace_id[:8]} by {plain(row.author)} is gone.")


@feedback_app.command("to-case")
def to_case(
    trace: Trace,
    name: Annotated[str, typer.Argument(help="Evaluation set, made if there is none.", metavar="SET")],
    relevant: Annotated[
        list[int] | None, typer.Option("--relevant", help="Number of a passage that holds the answer.")
    ] = None,
    by: By = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make an evaluation case of a rated answer: its correction is the reference."""
    from rag.review.feedback import make_feedback_case

    with open_workspace(data, "feedback to-case") as workspace:
        case = make_feedback_case(workspace, trace, name, relevant=relevant or (), author=by)
    if as_json:
        print_json(case.model_dump(mode="json"))
    else:
        screen.print(f"{plain(name)} has the case {plain(case.key)}.")
