"""Commands on the tokens by which other programs are let in."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, clock_time, open_workspace, plain, print_json, screen
from rag.storage.data_folder import data_folder

app = typer.Typer()
tokens_app = typer.Typer(
    help="Tokens by which other programs are let in to the server.", no_args_is_help=True
)
app.add_typer(tokens_app, name="tokens")

TokenName = Annotated[
    str, typer.Argument(help="What the questions of a program are listed under.", metavar="NAME")
]
HIDDEN = "hidden; --show shows it"


@tokens_app.command("list")
@with_tables
def list_(
    show: Annotated[bool, typer.Option("--show", help="Show the tokens themselves.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the tokens, oldest first. Without any, the first one is made."""
    from rag.serving.tokens import ensure_token, list_tokens

    folder = data_folder(data)
    if not list_tokens(folder):
        with open_workspace(data, "tokens") as workspace:
            ensure_token(workspace.folder)
    found = [(row.name, row.created_ms, row.secret if show else HIDDEN) for row in list_tokens(folder)]
    if as_json:
        print_json(
            [
                {"name": name, "created_ms": made, "token": text if show else None}
                for name, made, text in found
            ]
        )
        return
    table = Table("Name", "Made", "Token")
    for name, made, text in found:
        table.add_row(plain(name), clock_time(made), text)
    screen.print(table)


@tokens_app.command("new")
def new(name: TokenName, data: Data = None, as_json: Json = False) -> None:
    """Make a token for a program, and print it. One of the same name is replaced and holds no more."""
    from rag.serving.running import add_token

    with open_workspace(data, "tokens new") as workspace:
        made = add_token(workspace, name)
    if as_json:
        print_json({"name": made.name, "created_ms": made.created_ms, "token": made.secret})
    else:
        screen.print(made.secret, soft_wrap=True, highlight=False)


@tokens_app.command("revoke")
def revoke(name: TokenName, data: Data = None, as_json: Json = False) -> None:
    """Let a token hold no more."""
    from rag.serving.running import remove_token

    with open_workspace(data, "tokens revoke") as workspace:
        remove_token(workspace, name)
    if as_json:
        print_json({"revoked": name})
    else:
        screen.print(plain(f"The token “{name}” holds no more."))
