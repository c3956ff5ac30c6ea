"""Commands on costs: sums and price tables, and the answer cache that saves some of them."""

from __future__ import annotations

import typer

from rag.cli.costs import cache, sums

app = typer.Typer()
for part in (sums, cache):
    app.add_typer(part.app)
