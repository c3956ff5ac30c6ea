"""The command that reads traces of other applications from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rag.cli.asking import traces_app
from rag.cli.terminal import Data, Json, log, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.text.plurals import counted


@traces_app.command("import")
def traces_import(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="OTLP as JSON or JSONL, or JSON exported from Phoenix or Langfuse.", metavar="FILE…"
        ),
    ],
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Check the answers against the documents in their traces."),
    ] = True,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Read traces of other applications; they are listed with --source received.

    A trace that is imported again is renewed. Exit code 1 when a file could not be read; the others are.
    """
    from rag.interchange.import_traces import read_file
    from rag.interchange.receiving import check_received, receive
    from rag.storage import audit_log

    results: list[dict[str, Any]] = []
    failed = False
    with open_workspace(data, "an import of traces") as workspace:
        for path in files:
            try:
                found = read_file(path)
            except RagError as error:
                failed = True
                results.append({"file": str(path), "error": str(error)})
                log.print(plain(str(error)))
                continue
            arrival = receive(workspace.store, found.spans)
            with workspace.store.session() as session:
                brought = f"{counted(len(arrival.added), 'trace')} added"
                audit_log.record(session, audit_log.Action.TRACES_IMPORTED, str(path), brought)
            ids = (*arrival.added, *arrival.changed)
            checked = sum(check_received(workspace, trace_id) for trace_id in ids) if check else 0
            results.append(
                {
                    "file": str(path),
                    "added": list(arrival.added),
                    "renewed": list(arrival.changed),
                    "own": list(arrival.own),
                    "spans": arrival.spans,
                    "refused": found.refused,
                    "reason": found.reason,
                    "checked": checked,
                }
            )
            if not as_json:
                screen.print(plain(_sentence(path, results[-1])))
    if as_json:
        print_json(results)
    if failed:
        raise typer.Exit(1)


def _sentence(path: Path, result: dict[str, Any]) -> str:
    added, renewed, own = (len(result[key]) for key in ("added", "renewed", "own"))
    parts = [f"{counted(added, 'trace')} added"]
    parts += [f"{counted(renewed, 'trace')} renewed"] if renewed else []
    parts += [f"{counted(own, 'trace')} left out, made by this program"] if own else []
    if result["refused"]:
        parts.append(f"{counted(result['refused'], 'span')} refused ({result['reason']})")
    parts.append(f"{counted(result['checked'], 'answer')} checked")
    return f"{path.name}: {', '.join(parts)}."
