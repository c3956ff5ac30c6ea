"""Defines `models connect`, `endpoints`, `check`, `disconnect`, `at-once` and `border`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from rag.cli.installation import models_app
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    finish,
    note,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.errors import RagError
from rag.models.endpoints.rows import (
    Endpoint,
    KeyPlace,
    MayLeave,
    list_endpoints,
    list_may_leave,
)

if TYPE_CHECKING:
    from typing import Any

app = typer.Typer()  # empty: all commands belong to `models`
Known = Annotated[str, typer.Argument(help="The name of a connected endpoint.", metavar="NAME")]


@models_app.command()
@with_tables
def connect(
    url: Annotated[str, typer.Argument(help="Base URL of the server, such as http://127.0.0.1:8080/v1.")],
    name: Annotated[str, typer.Option("--name", help="What to call it; default: the host.")] = "",
    model: Annotated[
        str, typer.Option("--model", help="The model's name at the server; not needed if it has one only.")
    ] = "",
    key_env: Annotated[
        str, typer.Option("--key-env", help="The environment variable that has the key.", metavar="VARIABLE")
    ] = "",
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key from stdin and put it into the keyring.")
    ] = False,
    context: Annotated[
        int, typer.Option("--context", min=0, help="Its context in tokens, if the server does not say.")
    ] = 0,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=64, help="Requests that it is sent at the same time.")
    ] = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Connect a model behind an OpenAI-compatible API, and check what its server does.

    A key is never an argument: others could read it in the list of processes.
    """
    from rag.asking.endpoints import connect_endpoint

    if key_env and key_stdin:
        raise RagError("Choose one place for the key: --key-env or --key-stdin.")
    key = sys.stdin.readline().strip() if key_stdin else ""
    if key_stdin and not key:
        raise RagError("There is no key on stdin. Write it as the only line.")
    with open_workspace(data, "models connect") as workspace:
        made = finish(connect_endpoint(workspace, url, name, model, key_env, key, context, at_once), None)
    if not made.is_here:
        note(
            f"“{made.name}” is at {made.host}, not on this computer. No texts of a collection go there until "
            "you allow it with `ragdeck models border COLLECTION always`."
        )
    _show(made, as_json)


@models_app.command()
@with_tables
def endpoints(data: Data = None, as_json: Json = False) -> None:
    """List the connected endpoints."""
    found = list_endpoints(open_database(data))
    if as_json:
        print_json([_document(endpoint) for endpoint in found])
        return
    if not found:
        screen.print("No endpoint is connected. Connect one with `ragdeck models connect URL`.")
        return
    table = Table("Name", "Model", "URL", "Where", "Key", "At once", "Checked")
    for endpoint in found:
        key = "none" if endpoint.key_place is KeyPlace.NONE else f"{endpoint.key_place} {endpoint.key_name}"
        table.add_row(
            plain(endpoint.name), plain(endpoint.model), plain(endpoint.url), _where(endpoint), plain(key),
            str(endpoint.at_once), clock_time(endpoint.checked_ms) if endpoint.checked_ms else "never",
        )  # fmt: skip
    screen.print(table)


@models_app.command()
@with_tables
def check(name: Known, data: Data = None, as_json: Json = False) -> None:
    """Ask an endpoint's server again what it does, and store that."""
    with open_workspace(data, "models check") as workspace:
        found = finish(workspace.endpoints.check(name), None)
    _show(found, as_json)


@models_app.command()
def disconnect(name: Known, data: Data = None) -> None:
    """Forget an endpoint, and its key in the keyring."""
    with open_workspace(data, "models disconnect") as workspace:
        workspace.endpoints.disconnect(name)
    screen.print(f"“{plain(name)}” is no longer connected. Traces keep its name.")


@models_app.command("at-once")
def at_once_of(
    name: Known,
    count: Annotated[int, typer.Argument(min=1, max=64, help="Requests at the same time.", metavar="N")],
    data: Data = None,
) -> None:
    """Choose how many requests an endpoint is sent at the same time."""
    with open_workspace(data, "models at-once") as workspace:
        workspace.endpoints.set_at_once(name, count)
    screen.print(f"“{plain(name)}” is sent {count} at a time.")


@models_app.command()
@with_tables
def border(
    collection: Annotated[str, typer.Argument(help="Name of a collection.", metavar="COLLECTION")] = "",
    setting: Annotated[
        MayLeave | None, typer.Argument(help="Whether its texts may leave this computer.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show or choose whether the texts of a collection may leave this computer: never, ask or always.

    With "ask", every command that would send them needs --may-leave, and the window asks.
    """
    if setting is not None:
        with open_workspace(data, "models border") as workspace:
            workspace.endpoints.set_border(collection, setting)
    found = [row for row in list_may_leave(open_database(data)) if collection in ("", row[0])]
    if collection and not found:
        raise RagError(f"There is no collection named “{collection}”.")
    if as_json:
        print_json([{"collection": name, "may_leave": value} for name, value in found])
        return
    table = Table("Collection", "May leave this computer")
    for name, value in found:
        table.add_row(plain(name), value)
    screen.print(table)


def _show(endpoint: Endpoint, as_json: bool) -> None:
    if as_json:
        print_json(_document(endpoint))
        return
    screen.print(
        f"“{plain(endpoint.name)}” is {plain(endpoint.model)} at {plain(endpoint.url)} ({_where(endpoint)})."
    )
    table = Table("", "Does it", "Found", "What follows")
    for row in endpoint.checks.abilities:
        table.add_row(row.name, row.finding, plain(row.detail), plain(row.follows))
    screen.print(table)


def _where(endpoint: Endpoint) -> str:
    return "on this computer" if endpoint.is_here else "elsewhere"


def _document(endpoint: Endpoint) -> dict[str, Any]:
    return {**as_plain(endpoint), "on_this_computer": endpoint.is_here, "reference": endpoint.reference}
