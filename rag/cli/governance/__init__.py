"""Commands of governance: guardrail policies."""

from __future__ import annotations

import typer

from rag.cli.governance import policies

app = typer.Typer()
app.add_typer(policies.policies_app, name="policies")
