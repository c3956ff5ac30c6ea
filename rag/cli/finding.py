"""Finds any stored object by a few words, as Ctrl+K does in the window."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, open_database, plain, print_json, screen
from rag.finding.rows import Kind, find_objects

app = typer.Typer()


@app.command()
@with_tables
def find(
    words: Annotated[list[str], typer.Argument(help="Beginnings of words in its name.", metavar="WORD...")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most objects of a kind.")] = 10,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find collections, documents, versions, traces, prompts, sets, cases, runs and more by their names."""
    found = find_objects(open_database(data), " ".join(words), limit)
    if as_json:
        print_json([{**asdict(each.place), "title": each.title, "detail": each.detail} for each in found])
        return
    table = Table("Kind", "Name", "Detail", "Key", "Within")
    for each in found:
        key = each.place.key[:8] if each.place.kind is Kind.TRACE else each.place.key
        cells = (each.title, each.detail, key, each.place.within)
        table.add_row(each.place.kind, *map(plain, cells))
    screen.print(table if found else "Nothing is called that. Try fewer letters.")
