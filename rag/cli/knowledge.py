"""Commands on collections: adding and removing documents, versions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.terminal import (
    Data,
    Json,
    Name,
    clock_time,
    open_reader,
    open_workspace,
    plain,
    print_json,
    screen,
    with_progress,
)
from rag.errors import RagError
from rag.events import IngestReport, as_plain

app = typer.Typer()


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders to add.", metavar="PATH...")],
    collection: Name,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add files and folders to a collection and make a new version of it."""
    from rag.ingest import ingest_files

    with open_workspace(data, "ingest") as workspace:
        report = with_progress(ingest_files(workspace, collection, paths), as_json)
    if as_json:
        print_json({**as_plain(report), "counts": _counts(report)})
    else:
        _print_report(report)
    if report.version_number is None:
        raise RagError("Nothing could be added; the reasons are above.")


@app.command()
def collections(data: Data = None, as_json: Json = False) -> None:
    """List the collections."""
    rows = open_reader(data).collections()
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Name", "Version", "Documents", "Chunks", "Tokens", "Embedder")
    for row in rows:
        table.add_row(
            plain(row.name),
            str(row.version_number or "–"),
            f"{row.document_count:,}",
            f"{row.chunk_count:,}",
            f"{row.token_count:,}",
            row.embedder_name,
        )
    screen.print(table if rows else "There is no collection yet; `ragdeck ingest PATH... -c NAME` makes one.")


@app.command()
def versions(collection: Name, data: Data = None, as_json: Json = False) -> None:
    """List the dataset versions of a collection, newest first."""
    reader = open_reader(data)
    rows = reader.versions(reader.collection(collection).id)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Version", "Made", "Message", "Documents", "Chunks", "Fingerprint")
    for row in rows:
        table.add_row(
            f"{row.number}{' (active)' if row.active else ''}",
            clock_time(row.created_ms),
            row.message,
            f"{row.document_count:,}",
            f"{row.chunk_count:,}",
            row.fingerprint[:12],
        )
    screen.print(table)


@app.command()
def activate(
    number: Annotated[int, typer.Argument(min=1, help="The version to activate.")],
    collection: Name,
    data: Data = None,
) -> None:
    """Make an existing version the active one."""
    from rag.versions import activate_version

    with open_workspace(data, "activate") as workspace:
        for _ in activate_version(workspace, collection, number):
            pass
    screen.print(f"Version {number} of {plain(collection)} is active.")


@app.command()
def remove(
    documents: Annotated[
        list[str], typer.Argument(help="Names or paths of documents.", metavar="DOCUMENT...")
    ],
    collection: Name,
    data: Data = None,
) -> None:
    """Make a version without these documents; older versions keep them."""
    from rag.changes import remove_documents

    with open_workspace(data, "remove") as workspace:
        row = workspace.reader.collection(collection)
        wanted = set(documents)
        present = workspace.reader.documents(row.active_version_id) if row.active_version_id else []
        ids = [d.id for d in present if d.name in wanted or d.source in wanted]
        for _ in remove_documents(workspace, collection, ids):
            pass
    screen.print(f"Removed {len(ids)} of {len(present)} documents.")


def _counts(report: IngestReport) -> dict[str, int]:
    return {name: report.count(name) for name in ("added", "replaced", "unchanged", "skipped", "failed")}


def _print_report(report: IngestReport) -> None:
    for outcome in report.outcomes:
        if outcome.outcome in ("failed", "skipped"):
            screen.print(f"{outcome.outcome}: {plain(outcome.path)}: {plain(outcome.detail)}", soft_wrap=True)
    counts = (
        ", ".join(f"{count} {name}" for name, count in _counts(report).items() if count) or "nothing to do"
    )
    screen.print(f"{counts} in {report.seconds:.1f} s")
    if report.version_number is not None:
        screen.print(
            f"{plain(report.collection)}: version {report.version_number}, "
            f"{report.document_count:,} documents, {report.chunk_count:,} chunks"
        )
