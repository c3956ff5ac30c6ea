"""Commands on costs: sums and price tables, budgets, and the answer cache that saves some of them."""

from __future__ import annotations

import typer

from rag.cli.costs import budgets, cache, sums

app = typer.Typer()
for part in (sums, cache):
    app.add_typer(part.app)

__all__ = ["app", "budgets"]  # its commands are below `costs`
