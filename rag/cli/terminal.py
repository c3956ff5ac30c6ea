"""Provides what every command uses: options, opening the data folder, progress, and printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rag.knowledge.rows import IngestProgress, IngestReport, VersionProgress
from rag.storage.data_folder import data_folder

if TYPE_CHECKING:
    from rag.storage.database import Database
    from rag.workspace import Workspace

R = TypeVar("R")

Data = Annotated[
    str | None, typer.Option("--data", help="Data folder; default: the platform's own place.", metavar="DIR")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, everything else on stderr.")
]
Name = Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")]

screen = Console()
log = Console(stderr=True)
# What opens a data folder for a purpose; None: Workspace. See rag.cli.run.
opener: ContextVar[Callable[[Path, str], Workspace] | None] = ContextVar("opener", default=None)


@contextmanager
def open_workspace(data: str | None, purpose: str) -> Iterator[Workspace]:
    """Open the data folder; what a kill interrupted is finished or undone first, and reported on stderr.

    Args:
        data: The folder that a person named; the platform's own place otherwise.
        purpose: The command, for the sentence that others read while the folder is in use.

    Raises:
        RagError: Another process has the folder, or it cannot be written to.
    """
    from rag.start_up import needs_start_up, start_up
    from rag.workspace import Workspace

    open_folder = opener.get() or Workspace
    with open_folder(data_folder(data), f"ragdeck {purpose}") as workspace:
        for sentence in workspace.notices:
            log.print(plain(sentence), highlight=False, soft_wrap=True)
        if needs_start_up(workspace):
            for notice in finish(start_up(workspace), None):
                log.print(plain(notice), highlight=False, soft_wrap=True)
        yield workspace


def open_database(data: str | None) -> Database:
    """Open the SQLite file for reading, which needs no lock: listings work while the window is open."""
    from rag.storage.database import Database

    database = Database(data_folder(data) / "ragdeck.sqlite")
    if not database.is_current():
        with open_workspace(data, "first start"):
            pass  # makes the file, or upgrades an older one
    return database


def finish(events: Generator[Any, None, R], show: Callable[[Any], None] | None) -> R:
    """Run an operation to its end and return its result; it is closed whatever happens.

    Args:
        events: The operation.
        show: What is done with each event, if anything.
    """
    try:
        while True:
            event = next(events)
            if show is not None:
                show(event)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        events.close()


def run_steps(events: Generator[VersionProgress, None, R], quiet: bool) -> R:
    """Run an operation on versions to its end, with a line of progress on a terminal unless it is quiet."""
    if quiet or not log.is_terminal:
        return finish(events, None)
    with log.status("starting") as status:

        def show(event: Any) -> None:
            stage, done, total = event.stage, getattr(event, "done", 0), getattr(event, "total", 0)
            status.update(f"{stage} {done:,} of {total:,}" if total > 1 else stage)

        return finish(events, show)


def with_progress(events: Generator[IngestProgress, None, IngestReport], quiet: bool) -> IngestReport:
    """Run an ingest to its end, with a bar on a terminal unless it is quiet."""
    if quiet or not log.is_terminal:
        return finish(events, None)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=log, transient=True) as progress:
        task = progress.add_task("starting", total=None, rate="")

        def show(event: IngestProgress) -> None:
            rate = f"{event.chunks_per_s:.0f} chunks/s" if event.chunks_per_s else ""
            name = Path(event.file).name if event.file else ""
            progress.update(
                task,
                description=f"{event.stage} {name[:32]} {event.files_done}/{event.files_total}",
                total=max(event.bytes_total, 1),
                completed=event.bytes_done,
                rate=rate,
            )

        return finish(events, show)


def print_json(document: Any) -> None:
    """Print a document as JSON on stdout; what JSON does not know is printed as text."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def plain(text: str) -> str:
    """Return a text of others without what rich would read as markup or the terminal as a command."""
    from rich.markup import escape

    return escape("".join(c if c.isprintable() or c in "\n\t" else "�" for c in text))


def clock_time(milliseconds: int) -> str:
    """Return Unix milliseconds as a local date and time, such as "2029-05-01 14:30"."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M")


def as_plain(value: Any) -> Any:
    """Return dataclasses, tuples and dicts of them as values that JSON can contain."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(value) and not isinstance(value, type):
        return as_plain(asdict(value))
    if isinstance(value, dict):
        return {k: as_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(v) for v in value]
    return value
