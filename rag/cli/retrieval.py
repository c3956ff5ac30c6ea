"""Commands on how a collection is searched: presets, settings of its own, and the upgrade of an older one."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    Name,
    as_plain,
    open_database,
    open_workspace,
    plain,
    print_json,
    run_steps,
    screen,
    shortened,
)
from rag.errors import RagError
from rag.evaluation.rows import SearchComparison
from rag.knowledge.rows import get_collection
from rag.settings import PRESET_FACTS, PRESETS, RetrievalSettings, Settings, own_retrieval, preset, preset_of
from rag.text.plurals import counted

app = typer.Typer()
retrieval_app = typer.Typer(help="How a collection is searched.", no_args_is_help=True)
app.add_typer(retrieval_app, name="retrieval")

Preset = Annotated[str, typer.Option("--preset", help=f"One of: {', '.join(PRESETS)}.")]


@retrieval_app.command()
@with_tables
def presets(data: Data = None, as_json: Json = False) -> None:
    """List the presets, and what each does and costs."""
    del data  # every command takes it; the presets are the same in every data folder
    if as_json:
        print_json(
            [
                {"name": name, "about": PRESET_FACTS[name], "settings": preset(name).model_dump(mode="json")}
                for name in PRESETS
            ]
        )
        return
    table = Table("Preset", "What it does, costs and gained", show_lines=True)
    for name in PRESETS:
        table.add_row(name, PRESET_FACTS[name])
    screen.print(table)


@retrieval_app.command()
@with_tables
def show(collection: Name, data: Data = None, as_json: Json = False) -> None:
    """Show how a collection is searched."""
    database = open_database(data)
    own = get_collection(database, collection).retrieval
    settings = own_retrieval(own, Settings.load(database.path.parent / "settings.toml"))
    if as_json:
        values = settings.model_dump(mode="json")
        print_json({"preset": preset_of(settings), "own": bool(own), "settings": values})
        return
    whose = "of its own" if own else "of the data folder"
    screen.print(f"“{plain(collection)}” is searched with the settings {whose}: {preset_of(settings)}.")
    table = Table("Setting", "Value", "Balanced")
    for key, value in settings.model_dump().items():
        usual = getattr(RetrievalSettings(), key)
        table.add_row(key, str(value), "" if value == usual else str(usual))
    screen.print(table)


@retrieval_app.command("set")
def set_(
    collection: Name,
    preset_name: Preset = "",
    values: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, as KEY=VALUE.", metavar="KEY=VALUE")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Search as the data folder's settings say, whatever they become.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Give a collection a search of its own, by a preset and single values."""
    from rag.knowledge.search_settings import follow_settings, set_retrieval

    if follow == bool(preset_name or values):
        raise RagError("Give either --follow, or --preset and --set.")
    with open_workspace(data, "retrieval set") as workspace:
        if follow:
            settings = follow_settings(workspace, collection)
        else:
            settings = set_retrieval(workspace, collection, preset_name, dict(map(_pair, values or [])))
    if as_json:
        print_json({"preset": preset_of(settings), "settings": settings.model_dump(mode="json")})
    else:
        screen.print(f"“{plain(collection)}” is searched with {preset_of(settings)} settings from now on.")


@retrieval_app.command()
@with_tables
def upgrade(
    collection: Name,
    preset_name: Preset = "Balanced",
    compare: Annotated[
        bool, typer.Option("--compare", help="Only compare: the collection is searched as before.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make what a preset needs, compare it with the present search on known questions, and change to it."""
    from rag.evaluation.version_comparison import upgrade_search

    with open_workspace(data, "retrieval upgrade") as workspace:
        found = run_steps(upgrade_search(workspace, collection, preset_name, not compare), as_json)
    if as_json:
        print_json({**as_plain(found), "kept": not compare})
        return
    print_search_comparison(found)
    if not compare:
        screen.print(f"“{plain(collection)}” is searched with {preset_name} settings from now on.")


def print_search_comparison(found: SearchComparison) -> None:
    """Print what two searches find for the same questions."""
    if not found.queries:
        screen.print("Nobody has asked this collection anything yet, so there is nothing to compare.")
        return
    changed = found.changed
    screen.print(
        f"{found.old} against {found.new}, {counted(len(found.queries), 'question')}: the first {found.k} "
        f"passages share {100 * (found.overlap or 0):.0f} %, {counted(len(changed), 'question')} "
        f"{'gets' if len(changed) == 1 else 'get'} others; {found.old_ms:,.0f} and {found.new_ms:,.0f} ms a "
        "search."
    )
    table = Table("Question", f"{found.old}", f"{found.new}", "Shared")
    for query in changed[:20]:
        table.add_row(
            plain(shortened(query.query, 70)), str(query.old_count), str(query.new_count), str(query.shared)
        )
    if changed:
        screen.print(table)


def _pair(text: str) -> tuple[str, object]:
    """Return KEY=VALUE as key and value; a value is JSON, else a text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise RagError(f"“{text}” is not KEY=VALUE.")
    try:
        return key.strip(), json.loads(value)
    except ValueError:
        return key.strip(), value
