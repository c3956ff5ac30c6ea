"""Commands on retention: show, set, preview, run."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    finish,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.errors import RagError
from rag.governance.retention.rows import MEANING, RetentionKind, RetentionReport, setting_of
from rag.text.plurals import counted

app = typer.Typer()
retention_app = typer.Typer(
    help="How long each kind of data is kept; what is older is removed at each start and once a day.",
    no_args_is_help=True,
)
app.add_typer(retention_app, name="retention")


@retention_app.command()
@with_tables
def show(data: Data = None, as_json: Json = False) -> None:
    """Show for how long each kind is kept, and what that means."""
    with open_workspace(data, "retention show") as workspace:
        days = {kind: getattr(workspace.settings.governance, setting_of(kind)) for kind in RetentionKind}
    if as_json:
        print_json(days)
        return
    table = Table("Kind", "Kept", "What then happens")
    for kind, count in days.items():
        table.add_row(kind, counted(count, "day") if count else "for good", MEANING[kind])
    screen.print(table)


@retention_app.command("set")
def set_(
    kind: Annotated[str, typer.Argument(help=f"One of: {', '.join(RetentionKind)}.", metavar="KIND")],
    days: Annotated[int, typer.Argument(help="Days; 0 keeps them for good.", min=0, max=36_500)],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Set for how many days a kind is kept. Nothing goes before the next start, day, or `retention run`."""
    from rag.governance.retention.running import preview_retention

    if kind not in set(RetentionKind):
        raise RagError(f"There is no kind “{kind}”. The kinds are {', '.join(RetentionKind)}.")
    chosen = RetentionKind(kind)
    with open_workspace(data, "retention set") as workspace:
        workspace.change_settings({"governance": {setting_of(chosen): days}})
        report = preview_retention(workspace)
    part = next(one for one in report.parts if one.kind is chosen)
    if as_json:
        print_json(as_plain(part))
    else:
        screen.print(f"{plain(part.sentence())}.", highlight=False, soft_wrap=True)


@retention_app.command()
def preview(data: Data = None, as_json: Json = False) -> None:
    """Show what a run would remove now. Nothing is removed."""
    from rag.governance.retention.running import preview_retention
    from rag.storage.data_folder import data_folder
    from rag.workspace import Workspace

    with Workspace(data_folder(data), "ragdeck retention preview") as workspace:  # no run at this start
        report = preview_retention(workspace)
    _print(report, as_json)


@retention_app.command()
def run(data: Data = None, as_json: Json = False) -> None:
    """Remove what is older than it is kept, rewrite the files, and log it."""
    from rag.governance.retention.running import run_retention
    from rag.storage.data_folder import data_folder
    from rag.workspace import Workspace

    with Workspace(data_folder(data), "ragdeck retention run") as workspace:
        report = finish(run_retention(workspace), None)
    _print(report, as_json)


def _print(report: RetentionReport, as_json: bool) -> None:
    if as_json:
        print_json({**as_plain(report), "sentence": report.sentence()})
        return
    for part in report.parts:
        oldest = f", the oldest from {clock_time(part.oldest_ms)}" if part.oldest_ms else ""
        screen.print(plain(f"{part.sentence()}{oldest}"), highlight=False, soft_wrap=True)
        for name in part.names:
            screen.print(plain(f"  {name}"), highlight=False, soft_wrap=True)
    for problem in report.problems:
        screen.print(plain(problem), highlight=False, soft_wrap=True)
