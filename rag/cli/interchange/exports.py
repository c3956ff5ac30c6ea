"""Commands that give traces to other tools: into files, to an endpoint, and the queue of what waits."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from rag.asking.rows import TraceFilter, TraceSource, get_trace, list_traces
from rag.cli.asking import traces_app
from rag.cli.terminal import Data, Json, open_database, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.interchange.rows import read_export_queue
from rag.storage.database import Database
from rag.text.plurals import counted

queue_app = typer.Typer(help="What waits to be sent to the endpoint.", no_args_is_help=True)
traces_app.add_typer(queue_app, name="export-queue")

Ids = Annotated[
    list[str] | None, typer.Argument(help="Their ids or the beginnings of them.", metavar="TRACE...")
]
Last = Annotated[int, typer.Option("--last", min=0, help="The last N that the other options let through.")]
Collection = Annotated[str, typer.Option("--collection", "-c", help="Only questions to it.")]
Application = Annotated[str, typer.Option("--application", help="Only traces that it sent.")]
Session = Annotated[str, typer.Option("--session", help="All questions of a session.")]
Since = Annotated[datetime | None, typer.Option(help="Earliest time.")]
Hide = Annotated[
    list[str] | None,
    typer.Option("--hide", help="Leave out more than the settings say: inputs, outputs, …", metavar="NAME"),
]


@traces_app.command("export")
def traces_export(
    traces: Ids = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The file: .json, or .jsonl with a line for each trace.")
    ] = None,
    last: Last = 0,
    collection: Collection = "",
    application: Application = "",
    session: Session = "",
    since: Since = None,
    hide: Hide = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write traces as OTLP JSON, in OpenInference's words and the GenAI conventions' at once.

    What the settings of the export hide is hidden here, too. --out - writes to stdout.
    """
    from rag.interchange.export.files import lines, write_file
    from rag.interchange.export.hiding import NAMES, hiding_of

    if out is None:
        raise RagError("Say where to write them: --out FILE.json, --out FILE.jsonl, or --out - for stdout.")
    names = [name.strip().lower().replace("-", "_").removeprefix("hide_") for name in hide or ()]
    if unknown := next((name for name in names if name not in NAMES), ""):
        raise RagError(f"--hide {unknown}: write one of {', '.join(NAMES)}.")
    with open_workspace(data, "traces export") as workspace:
        ids = chosen(workspace.database, traces, last, _filter(collection, application, session, since))
        hiding = replace(hiding_of(workspace.settings.export), **dict.fromkeys(names, True))
        if str(out) == "-":
            for line in lines(workspace.store, workspace.database, ids, hiding):
                sys.stdout.write(line)
            return
        written = write_file(workspace.store, workspace.database, ids, out, hiding)
    if as_json:
        print_json({"file": str(out), "traces": len(ids), "spans": written})
    else:
        said = f"{counted(len(ids), 'trace')} with {counted(written, 'span')} written to {out}."
        screen.print(plain(said), highlight=False, soft_wrap=True)


@traces_app.command("send")
def traces_send(
    traces: Ids = None,
    last: Last = 0,
    collection: Collection = "",
    application: Application = "",
    session: Session = "",
    since: Since = None,
    may_leave: Annotated[
        bool, typer.Option("--may-leave", help="Agree that the texts of these traces leave this computer.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send traces to the endpoint of the settings (export.endpoint); what it does not take now waits."""
    from rag.interchange.export.queue import send_traces

    with open_workspace(data, "traces send") as workspace:
        database = workspace.database
        ids = chosen(database, traces, last, _filter(collection, application, session, since))
        allowed = {get_trace(database, trace_id).collection for trace_id in ids} if may_leave else set()
        report = send_traces(workspace, ids, sorted(allowed))
        queue = read_export_queue(database)
    if as_json:
        print_json({"endpoint": workspace.settings.export.endpoint, **asdict(report)})
    else:
        screen.print(plain(report.sentence()), highlight=False, soft_wrap=True)
    if report.refused and not as_json:
        screen.print(plain(queue.last_error), highlight=False, soft_wrap=True)
    if report.sent < len(ids):
        raise typer.Exit(1)


@queue_app.command("show")
def queue_show(data: Data = None, as_json: Json = False) -> None:
    """Say how many traces wait, were sent, refused or dropped."""
    found = read_export_queue(open_database(data))
    if as_json:
        print_json(asdict(found))
    else:
        screen.print(plain(found.sentence()), highlight=False, soft_wrap=True)


@queue_app.command("flush")
def queue_flush(data: Data = None, as_json: Json = False) -> None:
    """Send what waits now, whatever its time. Exit code 1 when something still waits."""
    from rag.interchange.export.queue import follow_traces, send_waiting

    with open_workspace(data, "traces export-queue flush") as workspace:
        follow_traces(workspace)
        report = send_waiting(workspace, force=True)
        while report.waiting and report.sent and not report.error:
            more = send_waiting(workspace, force=True)
            report = replace(more, sent=report.sent + more.sent, refused=report.refused + more.refused)
    if as_json:
        print_json(asdict(report))
    else:
        screen.print(plain(report.sentence()), highlight=False, soft_wrap=True)
    if report.waiting:
        raise typer.Exit(1)


@queue_app.command("clear")
def queue_clear(data: Data = None, as_json: Json = False) -> None:
    """Forget what waits, was refused or dropped. The traces themselves stay."""
    from rag.interchange.export.queue import clear_queue

    with open_workspace(data, "traces export-queue clear") as workspace:
        count = clear_queue(workspace)
    if as_json:
        print_json({"cleared": count})
    else:
        screen.print(f"{counted(count, 'trace')} taken out of the queue.")


def chosen(database: Database, given: Sequence[str] | None, last: int, wanted: TraceFilter) -> list[str]:
    """Return the ids of the traces that are named, and of those that the options choose. Raises RagError."""
    ids = [get_trace(database, trace_id).id for trace_id in given or ()]
    if last or wanted != TraceFilter(source=wanted.source):
        ids += [row.id for row in list_traces(database, wanted, last or 100_000)]
    if not ids:
        raise RagError(
            "No trace was chosen. Name some, or use --last, --collection, --application, --session, --since."
        )
    return list(dict.fromkeys(ids))


def _filter(collection: str, application: str, session: str, since: datetime | None) -> TraceFilter:
    return TraceFilter(
        collection=collection,
        application=application,
        session_id=session,
        since_ms=int(since.timestamp() * 1000) if since else None,
        source=TraceSource.RECEIVED if application else TraceSource.PERSON,
    )
