"""Commands on people: find and export everything that mentions a person or an identifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    finish,
    open_workspace,
    plain,
    print_json,
    screen,
    shortened,
)

app = typer.Typer()
subject_app = typer.Typer(
    help="Everything that mentions a person or an identifier, over all tables.", no_args_is_help=True
)
app.add_typer(subject_app, name="subject")
Terms = Annotated[
    list[str], typer.Argument(help="A name, an address, a number; several spellings.", metavar="TERM...")
]


@subject_app.command()
@with_tables
def search(terms: Terms, data: Data = None, as_json: Json = False) -> None:
    """List every text that mentions one of the terms; case, accents and spaces do not matter."""
    from rag.governance.subjects.searching import search_subject

    with open_workspace(data, "subject search") as workspace:
        report = finish(search_subject(workspace, terms), None)
    if as_json:
        print_json({**as_plain(report), "sentence": report.sentence()})
        return
    if report.hits:
        table = Table("Table", "Column", "Row", "Text")
        for hit in report.hits:
            table.add_row(hit.table, hit.column, plain(shortened(hit.key, 12)), plain(hit.excerpt))
        screen.print(table)
    screen.print(plain(report.sentence()), highlight=False, soft_wrap=True)


@subject_app.command()
def export(
    terms: Terms,
    out: Annotated[Path, typer.Option(help="A .json or .csv file to write.", metavar="FILE")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write every text that mentions one of the terms, whole, to a file."""
    from rag.governance.subjects.searching import export_subject

    with open_workspace(data, "subject export") as workspace:
        report = finish(export_subject(workspace, terms, str(out)), None)
    if as_json:
        print_json({"file": report.path, "texts": len(report.hits) + report.left_out,
                    "sentence": report.sentence()})  # fmt: skip
    else:
        screen.print(plain(f"{report.path}: {report.sentence()}"), highlight=False, soft_wrap=True)
