"""Commands that serve other programs, and the tokens by which these are known."""

from __future__ import annotations

import typer

from rag.cli.serving import mcp, serve, tokens

app = typer.Typer()
for _part in (serve, tokens, mcp):
    app.add_typer(_part.app)
