"""Makes evidence reports, compares two of them, and holds one against the data folder."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, note, open_database, open_workspace, plain, print_json, screen

Printer = Callable[[str, str, str], int]
# What prints HTML under a title to a file, and returns how many pages it has. See rag.cli.run.
printer: ContextVar[Printer | None] = ContextVar("printer", default=None)

CHECK_FAILED = 3
MAKE = "make"


class _MakeUnlessNamed(TyperGroup):
    """A group whose first word may be the name of a pipeline: then a report on it is made."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # a Context of Typer's private Click
        """Put the command that makes a report before whatever names no command."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = [MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer()
report_app = typer.Typer(
    cls=_MakeUnlessNamed,
    help="Evidence reports: what was in use, how it was measured and who looked at it, each sentence with "
    "its source. `report PIPELINE` makes one.",
)
app.add_typer(report_app, name="report")


@report_app.command(MAKE)
def make(
    pipeline: Annotated[
        str,
        typer.Argument(help="NAME, NAME@NUMBER or NAME@LABEL; without it: everything.", metavar="[PIPELINE]"),
    ] = "",
    period: Annotated[
        str, typer.Option("--period", "-p", help="2026, 2026-Q4, 2026-11, a day, or FROM..TO, in UTC.")
    ] = "",
    out: Annotated[str, typer.Option("--out", "-o", help="Folder for the files.", metavar="DIR")] = ".",
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Make a PDF besides HTML and JSON.")] = True,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a report on a pipeline or a period: HTML, PDF and JSON."""
    from rag.governance.report.making import make_report, read_report

    with open_workspace(data, "report") as workspace:
        made = make_report(workspace, pipeline, period, out)
    pages = _print(made.print_html, made.subject, made.pdf_path) if pdf else None
    gaps = [gap for section in read_report(made.json_path).sections for gap in section.gaps]
    if as_json:
        values = {name: value for name, value in asdict(made).items() if name != "print_html"}
        values |= {
            "pdf_path": made.pdf_path if pages else "",
            "pages": pages,
            "gaps": [asdict(gap) for gap in gaps],
        }
        print_json(values)
        return
    screen.print(plain(made.sentence()))
    for path in (made.html_path, made.json_path, *([made.pdf_path] if pages else [])):
        screen.print(plain(path), soft_wrap=True)
    for gap in gaps:
        screen.print(plain(f"Gap: {gap.text}"), soft_wrap=True)


def _print(html: str, subject: str, path: str) -> int | None:
    """Print a report to a PDF file; None, with a sentence, where nothing here prints."""
    print_pdf = printer.get()
    if print_pdf is None:
        note("No PDF was made, because nothing here prints one. The HTML file prints well from a browser.")
        return None
    return print_pdf(html, f"Evidence report: {subject}", path)


@report_app.command()
@with_tables
def compare(
    first: Annotated[str, typer.Argument(help="JSON file of the earlier report.", metavar="A.json")],
    second: Annotated[str, typer.Argument(help="JSON file of the later report.", metavar="B.json")],
    as_json: Json = False,
) -> None:
    """Show what changed from one report to another, what matters most first."""
    from rag.governance.report.compare import compare_reports

    found = compare_reports(first, second)
    if as_json:
        print_json(asdict(found))
        return
    for warning in found.warnings:
        note(warning)
    table = Table("Change", "Section", "What", "Before", "After")
    for one in found.differences:
        table.add_row(one.kind, *map(plain, (one.section, one.what, one.before, one.after)))
    screen.print(table if found.differences else "Both reports say the same.")


@report_app.command()
@with_tables
def check(
    file: Annotated[str, typer.Argument(help="JSON file of a report.", metavar="REPORT.json")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check that every row that a report names is still stored as it was; exit code 3 when one is not."""
    from rag.governance.report.making import check_report

    found = check_report(open_database(data), file)
    if as_json:
        print_json({**asdict(found), "sentence": found.sentence()})
    else:
        table = Table("Now", "Source", "Id")
        for state, sources in (("gone", found.gone), ("changed", found.changed)):
            for source_id, title in sources:
                table.add_row(state, plain(title), plain(source_id))
        if found.gone or found.changed:
            screen.print(table)
        note(found.sentence())
    if found.gone or found.changed:
        raise typer.Exit(CHECK_FAILED)


@report_app.command("list")
@with_tables
def list_made(data: Data = None, as_json: Json = False) -> None:
    """List the reports that were made, newest first."""
    from rag.governance.report.period import moment
    from rag.governance.report.rows import list_reports

    found = list_reports(open_database(data))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table("Made (UTC)", "About", "Period", "Fingerprint", "File")
    for one in found:
        cells = (one.subject, one.period, one.fingerprint[:12], one.path)
        table.add_row(moment(one.made_ms), *map(plain, cells))
    screen.print(table if found else "No report was made yet. `ragdeck report` makes one.")
