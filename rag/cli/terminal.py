"""Provides what every command uses: options, opening the data folder, progress, and printing."""

from __future__ import annotations

import inspect
import json
import math
import re
import shlex
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rag.cli.printing.screen import Screen, carries_every_sign, collected_sentences, visible
from rag.errors import DataFolderLockedError
from rag.knowledge.rows import IngestProgress, IngestReport, VersionProgress
from rag.storage.data_folder import data_folder, lock_holder

if TYPE_CHECKING:
    from rag.storage.database import Database
    from rag.workspace import Workspace

R = TypeVar("R")


def _data_option(context: typer.Context, value: str | None) -> str | None:
    """Return the data folder that was named here or before the subcommand: it holds for all of the line."""
    named: str | None = context.meta.get("rag.data")
    if value is None:
        return named
    if named not in (None, value):
        raise typer.BadParameter(f"two data folders are named, {named} and {value}.")
    context.meta["rag.data"] = value
    return value


Data = Annotated[
    str | None,
    typer.Option(
        "--data", help="Data folder; default: the platform's own place.", metavar="DIR", callback=_data_option
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, everything else on stderr.")
]
Bom = Annotated[
    bool, typer.Option("--bom/--no-bom", help="Begin a CSV with the mark by which Excel knows UTF-8.")
]
Name = Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")]

screen = Screen()
log = Screen(stderr=True)
# What opens a data folder for a purpose; None: Workspace. See rag.cli.run.
opener: ContextVar[Callable[[Path, str], Workspace] | None] = ContextVar("opener", default=None)


CANCELLED = "Cancelled. What was reported as done is saved. Run the same command again to continue."


class CancelledError(Exception):
    """A stop by Ctrl+C; its text says what is stored and how to go on."""


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
            note(sentence)
        if needs_start_up(workspace):
            for sentence in finish(start_up(workspace), None):
                note(sentence)
        try:
            yield workspace
        finally:  # the command may have found the index damaged
            if workspace.index.was_reset:
                for sentence in finish(start_up(workspace), None):
                    note(sentence)


def note(sentence: str) -> None:
    """Print a sentence beside a command's result, on stderr."""
    log.print(plain(sentence), highlight=False, soft_wrap=True)


def open_database(data: str | None) -> Database:
    """Open the SQLite file for reading, which needs no lock: listings work while the window is open.

    What a killed process left as running is marked as interrupted first: nothing runs while the lock is free.
    """
    from rag.storage.database import Database

    folder = data_folder(data)
    database = Database(folder / "ragdeck.sqlite")
    if not database.is_current():
        with open_workspace(data, "first start"):
            pass  # makes the file, or upgrades an older one
    elif _says_running(database) and lock_holder(folder) is None:
        with suppress(DataFolderLockedError), open_workspace(data, "reading"):
            pass
    return database


def _says_running(database: Database) -> bool:
    """Return whether a question or an evaluation is stored as running; its process may be dead."""
    found = database.cells(
        """SELECT EXISTS (SELECT 1 FROM trace WHERE status = 'running')
           OR EXISTS (SELECT 1 FROM evaluationrun WHERE status IN ('running', 'waiting'))"""
    )
    return bool(found[0][0])


def finish(
    events: Generator[Any, None, R],
    show: Callable[[Any], None] | None,
    cancelled: Callable[[Any], str] | None = None,
) -> R:
    """Run an operation to its end and return its result; it is closed whatever happens.

    Args:
        events: The operation.
        show: What is done with each event, if anything.
        cancelled: Says after Ctrl+C what is stored and how to go on, given the last event or None; it is
            asked once the operation is closed.

    Raises:
        CancelledError: Ctrl+C was pressed.
    """
    event = None
    try:
        while True:
            event = next(events)
            if show is not None:
                show(event)
    except StopIteration as end:
        result: R = end.value
        return result
    except KeyboardInterrupt as stop:
        events.close()
        raise CancelledError(cancelled(event) if cancelled else CANCELLED) from stop
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
        return finish(events, None, _cancelled_ingest)
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

        return finish(events, show, _cancelled_ingest)


def _cancelled_ingest(event: IngestProgress | None) -> str:
    done = (
        f"{event.files_done} of {event.files_total} files are done and stored" if event else "No file is done"
    )
    return (
        f"Cancelled; {done}, and the collection's active version is unchanged. Run the same command again to "
        "continue: what is done is not read again."
    )


def command_line(words: str, data: str | None) -> str:
    """Return a command to copy: with the data folder, if one was named."""
    return f"ragdeck {words}" + (f" --data {shlex.quote(data)}" if data else "")


def give_json(app: typer.Typer) -> None:
    """Give --json to every command that has none: what it prints are sentences, which become one document."""
    for group in app.registered_groups:
        if group.typer_instance is not None:
            give_json(group.typer_instance)
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _with_json(command.callback)


def _with_json(command: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(command, eval_str=True)
    if "as_json" in signature.parameters:
        return command

    @wraps(command)
    def run(*arguments: Any, as_json: bool = False, **options: Any) -> Any:
        if not as_json:
            return command(*arguments, **options)
        with collected_sentences() as sentences:
            result = command(*arguments, **options)
        print_json({"message": "\n".join(sentences)})
        return result

    option = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), option]
    )
    return run


# Signs that a terminal obeys or that change the direction of what follows: JSON can spell them out.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


_HALF_PAIR = re.compile("[\ud800-\udfff]")


def print_json(document: Any) -> None:
    """Print a document as JSON on stdout; what JSON does not know is printed as text.

    It is UTF-8 or, on a stream that is not, ASCII with escapes: valid whatever the console is. A number that
    is not finite is null, for JSON has no sign for it.
    """
    text = json_text(document)
    if not carries_every_sign(screen.file, text):
        text = json_text(document, ascii_only=True)
    screen.file.write(_STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text) + "\n")


def json_text(document: Any, ascii_only: bool = False) -> str:
    """Return a document as JSON; what JSON does not know is text in it, and null what is not finite.

    Half of a surrogate pair, as in a file name of another character set, is escaped: UTF-8 lacks it.
    """
    dump = partial(json.dumps, ensure_ascii=ascii_only, indent=2, default=str, allow_nan=False)
    try:
        text = dump(document)
    except ValueError:  # raised for NaN and infinity alone
        text = dump(_without_nan(as_plain(document)))
    return _HALF_PAIR.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, list) else value


def write_text(text: str) -> None:
    """Write a piece of an answer on stdout at once."""
    screen.file.write(visible(text))
    screen.file.flush()


def plain(text: str) -> str:
    """Return a text of others without what rich would read as markup or the terminal as a command."""
    from rich.markup import escape

    return escape(visible(text))


def shortened(text: str, most: int) -> str:
    """Return the beginning of a text that would fill a terminal; in a pipe or a file, all of it."""
    return text[:most] if screen.is_screen else text


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
