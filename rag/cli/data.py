"""Defines the commands that back up, restore, measure and move the data folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    finish,
    log,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.storage.data_folder import DATABASE, FolderLock, data_folder
from rag.storage.rows import BackupInfo, BackupProgress

R = TypeVar("R")
app = typer.Typer()


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", metavar="FILE")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write everything that cannot be made again into one checked file."""
    from rag.storage.backup import back_up

    with open_workspace(data, "backup") as workspace:
        report = _with_progress(back_up(workspace.folder, file), as_json)
    if as_json:
        print_json({**as_plain(report), "rows": dict(report.rows)})
        return
    screen.print(
        f"{plain(report.path)}: {size(report.size_bytes)}, written and checked in {report.seconds:.1f} s",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.", metavar="FILE")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace the data without asking.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the file without changing anything.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Replace the current data with a backup; they are moved to a folder beside the new ones."""
    from rag.storage import audit_log
    from rag.storage.backup import finish_restore, look_at_backup, prepare_restore, read_backup

    info = read_backup(file) if check else look_at_backup(file)
    if not check:
        folder = data_folder(data)
        with _locked(folder, "ragdeck restore"):
            if not yes and (folder / DATABASE).exists():
                typer.confirm(
                    f"Restore {_content(info)} into {folder}? "
                    "The current data are moved to before-restore-….",
                    abort=True,
                    err=True,
                )
            _with_progress(prepare_restore(folder, file), as_json)
            said = finish_restore(folder)
        for sentence in said:
            log.print(plain(sentence), highlight=False, soft_wrap=True)
        # This also brings an older schema up to date now, while somebody is looking.
        with open_workspace(data, "restore") as workspace, workspace.store.session() as session:
            for sentence in said:
                audit_log.record(session, audit_log.Action.DATA_RESTORED, "the data folder", sentence)
    if as_json:
        print_json({**as_plain(info), "rows": dict(info.rows)})
    elif check:
        screen.print(f"{plain(info.path)} is whole: {_content(info)}", highlight=False, soft_wrap=True)


@app.command()
@with_tables
def space(data: Data = None, as_json: Json = False) -> None:
    """Show how much space each part of the data folder takes."""
    from rag.storage.disk_usage import folder_usage

    folder = data_folder(data)
    parts = folder_usage(folder)
    if as_json:
        print_json({"folder": str(folder), "parts": as_plain(parts), "bytes": sum(p.bytes for p in parts)})
        return
    table = Table("What", "Size", "", title=plain(str(folder)), title_justify="left")
    table.columns[1].justify = "right"
    for part in parts:
        table.add_row(part.what, size(part.bytes), part.detail)
    table.add_section()
    table.add_row("Total", size(sum(part.bytes for part in parts)), "")
    screen.print(table)


@app.command(name="move-data")
def move_data(
    target: Annotated[Path, typer.Argument(help="An empty or new folder.", metavar="DIR")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Move the data folder to another place, which the program finds by itself from then on."""
    from rag.storage import relocation as moving
    from rag.workspace import Workspace

    folder = data_folder(data)
    with open_workspace(data, "move-data"):
        pass  # finishes what was interrupted, and writes the WAL into the file
    with _locked(folder, "ragdeck move-data"):
        report = _with_progress(moving.move_data(folder, target), as_json)
    with Workspace(Path(report.target), "ragdeck move-data") as workspace:
        notices = workspace.notices
    if as_json:
        print_json(as_plain(report))
        return
    for sentence in notices:
        screen.print(plain(sentence), highlight=False, soft_wrap=True)
    if not report.followed:
        screen.print(f"From now on, name it: --data {plain(report.target)}", highlight=False, soft_wrap=True)


@contextmanager
def _locked(folder: Path, purpose: str) -> Iterator[None]:
    lock = FolderLock(folder)
    lock.acquire(purpose)
    try:
        yield
    finally:
        lock.release()


def _content(info: BackupInfo) -> str:
    return f"the backup of {clock_time(info.created_ms)} ({info.content})"


def _with_progress(events: Generator[BackupProgress, None, R], quiet: bool) -> R:
    if quiet or not log.is_terminal:
        return finish(events, None)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=log, transient=True
    ) as bar:
        task = bar.add_task("starting", total=None)

        def show(event: Any) -> None:
            bar.update(
                task, description=event.stage, total=max(event.bytes_total, 1), completed=event.bytes_done
            )

        return finish(events, show)


def size(count: int) -> str:
    """Return a number of bytes as people read it, such as "1.5 MB"."""
    if count < 1 << 20:
        return f"{count / 1024:,.0f} kB"
    return f"{count / 2**20:,.1f} MB" if count < 1 << 30 else f"{count / 2**30:,.2f} GB"
