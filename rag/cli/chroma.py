"""Commands that look into other Chroma folders and servers, import from them and export to them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, Name, as_plain, open_workspace, plain, print_json, run_steps, screen
from rag.errors import RagError
from rag.index.rows import ChromaPage
from rag.text.plurals import counted

app = typer.Typer()
chroma_app = typer.Typer(help="Look into any Chroma, import from it, and export to it.", no_args_is_help=True)
app.add_typer(chroma_app, name="chroma")

Source = Annotated[
    str, typer.Argument(help="A Chroma folder (a copy is opened) or http://host:port.", metavar="SOURCE")
]
Theirs = Annotated[str, typer.Argument(help="Name of a collection there.", metavar="COLLECTION")]
Where = Annotated[str, typer.Option("--where", help='A filter, as in: page > 3 and source = "a.pdf".')]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000)]
EmbedderFolder = Annotated[
    str,
    typer.Option("--embedder", help="The sentence-transformers folder that made the vectors.", metavar="DIR"),
]


@chroma_app.command("list")
@with_tables
def list_collections(source: Source, data: Data = None, as_json: Json = False) -> None:
    """List the collections with count, dimension, distance and HNSW settings."""
    from rag.knowledge import chroma_exchange as chroma

    with open_workspace(data, "chroma") as workspace:
        rows = chroma.list_collections(workspace, source)
    if as_json:
        print_json(as_plain(rows))
        return
    table = Table("Name", "Records", "Dimension", "Distance", "HNSW")
    for row in rows:
        settings = ", ".join(f"{key} {value}" for key, value in row.hnsw if key != "space")
        table.add_row(
            plain(row.name), f"{row.count:,}", str(row.dimension or "–"), plain(row.space), plain(settings)
        )
    screen.print(table if rows else "It contains no collections.")


@chroma_app.command()
def records(
    source: Source,
    collection: Theirs,
    where: Where = "",
    contains: Annotated[str, typer.Option(help="Text that records must contain.")] = "",
    limit: Limit = 20,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the records of a collection."""
    from rag.knowledge import chroma_exchange as chroma

    with open_workspace(data, "chroma") as workspace:
        page = chroma.list_records(workspace, source, collection, where, contains, limit, offset)
    _print_page(page, as_json)


@chroma_app.command()
def search(
    source: Source,
    collection: Theirs,
    text: Annotated[str, typer.Option("--text", help="Words to search for.")] = "",
    like: Annotated[
        str, typer.Option("--like", help="Id of a record; finds those with similar vectors.")
    ] = "",
    where: Where = "",
    limit: Limit = 10,
    embedder: EmbedderFolder = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find the records nearest to a text or to a record."""
    from rag.knowledge import chroma_exchange as chroma

    if bool(text) == bool(like):
        raise RagError("Say what to search for: either --text WORDS or --like RECORD.")
    with open_workspace(data, "chroma") as workspace:
        if text:
            page = chroma.search_text(workspace, source, collection, text, where, embedder, limit)
        else:
            page = chroma.search_like(workspace, source, collection, like, where, limit)
    _print_page(page, as_json)


@chroma_app.command("import")
def import_collection(
    source: Source,
    theirs: Theirs,
    collection: Name,
    embedder: EmbedderFolder = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import a collection as a dataset version, with its own vectors."""
    from rag.knowledge import chroma_exchange as chroma

    with open_workspace(data, "chroma import") as workspace:
        events = chroma.import_collection(workspace, source, theirs, collection, embedder)
        report = run_steps(events, as_json)
    if as_json:
        print_json({**as_plain(report), "summary": report.sentence()})
    else:
        screen.print(plain(report.sentence()))


@chroma_app.command("export")
def export_version(
    target: Annotated[str, typer.Argument(help="A new folder, or http://host:port.", metavar="TARGET")],
    collection: Name,
    version: Annotated[
        str | None, typer.Option("--version", help="Number or tag; by default the active version.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the collection there.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Write a version's chunks with their vectors to a new Chroma folder or to a server."""
    from rag.knowledge import chroma_exchange as chroma

    with open_workspace(data, "chroma export") as workspace:
        count = run_steps(chroma.export_version(workspace, collection, target, name, version), as_json)
    if as_json:
        print_json({"records": count, "target": target})
    else:
        screen.print(f"{counted(count, 'record')} written to {plain(target)}.")


def _print_page(page: ChromaPage, as_json: bool) -> None:
    if as_json:
        print_json(as_plain(page))
        return
    for record in page.records:
        distance = "" if record.distance is None else f"  {record.distance:.4f}"
        metadata = ", ".join(f"{key}={value}" for key, value in record.metadata)
        screen.print(f"[bold]{plain(record.id)}[/bold]{distance}  [dim]{plain(metadata)}[/dim]")
        screen.print(plain(" ".join(record.text.split())[:300]))
    screen.print("There are more." if page.more else f"{counted(len(page.records), 'record')}.", style="dim")
