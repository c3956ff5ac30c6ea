"""Commands on the audit log: list, show, verify, export, and write its head to a file elsewhere."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
    shortened,
)
from rag.errors import RagError
from rag.governance.audit.rows import GROUPS, PROVES, AuditFilter, get_audit_row, list_audit
from rag.text.plurals import counted

app = typer.Typer()
audit_app = typer.Typer(
    help=f"The audit log: who did what, when, each row chained to the one before. {PROVES}",
    no_args_is_help=True,
)
app.add_typer(audit_app, name="audit")

Text = Annotated[str, typer.Option(help="Words in the row.")]
Group = Annotated[str, typer.Option(help=f"One of: {', '.join(GROUPS)}.")]
Who = Annotated[str, typer.Option(help="Who acted.")]
Since = Annotated[str, typer.Option(help="From this day on.", metavar="YYYY-MM-DD")]
Until = Annotated[str, typer.Option(help="Up to this day.", metavar="YYYY-MM-DD")]


@audit_app.command("list")
@with_tables
def list_(
    text: Text = "",
    group: Group = "",
    who: Who = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1_000_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List rows of the log, the latest first."""
    rows = list_audit(open_database(data), wanted(text, group, who, since, until), limit)
    if as_json:
        print_json([as_plain(row) for row in rows])
        return
    table = Table("Row", "When", "Who", "Action", "Of", "Detail")
    for row in rows:
        table.add_row(
            str(row.id), clock_time(row.created_ms), plain(row.who), plain(row.action), plain(row.subject),
            plain(shortened(row.detail, 60)),
        )  # fmt: skip
    screen.print(table if rows else "No row matches.")


@audit_app.command()
def show(
    row: Annotated[int, typer.Argument(help="Number of a row.", metavar="ROW")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Explain one row in plain words."""
    found = get_audit_row(open_database(data), row)
    if as_json:
        print_json({**as_plain(found), "sentence": found.sentence()})
        return
    for sentence in (found.sentence(), *found.more(), f"Before: {found.before or '–'}",
                     f"After: {found.after or '–'}", f"Hash: {found.hash}"):  # fmt: skip
        screen.print(plain(sentence), highlight=False, soft_wrap=True)


@audit_app.command()
def verify(
    head: Annotated[
        str, typer.Option(help="A head that `audit head` wrote, kept elsewhere.", metavar="FILE")
    ] = "",
    trusted_keys: Annotated[
        str, typer.Option(help="Allowed signers of SSH, one of whom must have signed it.", metavar="FILE")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check every row of the chain; exit code 3 and the first broken row if it is not whole."""
    from rag.governance.audit.checking import check_audit

    folder = open_database(data).path.parent
    found = check_audit(folder, head, trusted_keys)
    if as_json:
        print_json({**as_plain(found), "ok": found.ok, "sentence": found.sentence(), "proves": PROVES})
    else:
        for sentence in (found.sentence(), found.signature, PROVES if not head else ""):
            if sentence:
                screen.print(plain(sentence), highlight=False, soft_wrap=True)
    if not found.ok:
        raise typer.Exit(3)


@audit_app.command()
def export(
    file: Annotated[Path, typer.Argument(help="A .csv or .json file to write.", metavar="FILE")],
    text: Text = "",
    group: Group = "",
    who: Who = "",
    since: Since = "",
    until: Until = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write rows of the log to a file. That is a row of the log, too."""
    from rag.governance.audit.exporting import export_audit

    with open_workspace(data, "audit export") as workspace:
        count = export_audit(workspace, str(file), wanted(text, group, who, since, until))
    if as_json:
        print_json({"file": str(file), "rows": count})
    else:
        screen.print(f"{plain(str(file))}: {counted(count, 'row')}", highlight=False, soft_wrap=True)


@audit_app.command()
def head(
    to: Annotated[
        str, typer.Option(help="Folder to write to; default: governance.head_folder.", metavar="DIR")
    ] = "",
    key: Annotated[
        str, typer.Option(help="Private SSH key, or gpg:ID, to sign with; default: governance.sign_key.")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write the head of the log to a file, best on another computer, to check the log against later."""
    from rag.governance.audit.heads import write_head

    with open_workspace(data, "audit head") as workspace:
        path = write_head(workspace, to, key)
    if as_json:
        print_json({"file": path})
    else:
        screen.print(plain(path), highlight=False, soft_wrap=True)


def wanted(text: str, group: str, who: str, since: str, until: str) -> AuditFilter:
    """Return the filter that options name. Raises RagError for a group or a day that there is not."""
    if group and group not in GROUPS:
        raise RagError(f"There is no group “{group}”. The groups are {', '.join(GROUPS)}.")
    return AuditFilter(text, group, who, _day_ms(since), _day_ms(until, after=1))


def _day_ms(day: str, after: int = 0) -> int | None:
    """Return the beginning of a day, or of a day so many days after it, in Unix milliseconds."""
    if not day:
        return None
    try:
        found = date.fromordinal(date.fromisoformat(day).toordinal() + after)
    except (ValueError, OverflowError):
        raise RagError(f"“{day}” is not a day. Write it as YYYY-MM-DD.") from None
    return round(datetime(found.year, found.month, found.day).timestamp() * 1000)
