"""Commands on budgets: what answers of models elsewhere may cost in a day or month."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.costs.sums import costs_app
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, open_workspace, plain, print_json, screen
from rag.costs.budgets.rows import SOURCES, Action, BudgetUse, Period, Scope, budget_uses

budgets_app = typer.Typer(help="What models elsewhere may cost in a day or month.", no_args_is_help=True)
costs_app.add_typer(budgets_app, name="budgets")

Name = Annotated[str, typer.Argument(help="Name of the budget.", metavar="NAME")]


@budgets_app.command("list")
@with_tables
def list_all(data: Data = None, as_json: Json = False) -> None:
    """List all budgets with what is spent of them, and what they lead to."""
    from rag.costs.usage import record_costs

    with open_workspace(data, "costs budgets") as workspace:
        record_costs(workspace)
        uses = budget_uses(workspace.database, datetime.now())
    if as_json:
        print_json([_document(use) for use in uses])
        return
    table = Table("Budget", "Of", "Spent", "State", "Used up", "Price unknown")
    for use in uses:
        row = use.budget
        table.add_row(plain(row.name), plain(row.of()), use.sentence(), use.state, row.action, row.unknown)
    screen.print(table if uses else "There is no budget.")


@budgets_app.command("set")
def set_one(
    name: Name,
    amount: Annotated[float, typer.Argument(help="What may be spent in a period.", metavar="AMOUNT")],
    currency: Annotated[
        str, typer.Option("--currency", help="Such as EUR; default: that of the settings.")
    ] = "",
    period: Annotated[
        str, typer.Option("--per", help=f"How long the amount lasts: {', '.join(Period)}.")
    ] = Period.MONTH.value,
    endpoint: Annotated[str, typer.Option("--endpoint", help="Only this endpoint.", metavar="NAME")] = "",
    pipeline: Annotated[
        str, typer.Option("--pipeline", "-p", help="Only this pipeline.", metavar="NAME")
    ] = "",
    source: Annotated[str, typer.Option("--source", help=f"Only questions of: {', '.join(SOURCES)}.")] = "",
    action: Annotated[
        str, typer.Option("--then", help=f"What happens when it is used up: {', '.join(Action)}.")
    ] = Action.WARN.value,
    unknown: Annotated[
        str, typer.Option("--unknown", help=f"What happens when a price is unknown: {', '.join(Action)}.")
    ] = Action.ASK.value,
    warn_from: Annotated[
        float, typer.Option("--warn-from", help="Share of the amount from which it warns.")
    ] = 0.8,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a budget, or change the one of that name. Models on this computer never count and never stop."""
    from rag.costs.budgets.limits import set_budget
    from rag.errors import RagError

    chosen = [
        (scope, target)
        for scope, target in ((Scope.ENDPOINT, endpoint), (Scope.PIPELINE, pipeline), (Scope.SOURCE, source))
        if target
    ]
    if len(chosen) > 1:
        raise RagError("A budget is for one endpoint, one pipeline or one source. Make a budget for each.")
    scope, target = chosen[0] if chosen else (Scope.ALL, "")
    with open_workspace(data, "costs budgets set") as workspace:
        row = set_budget(
            workspace, name, amount, currency, period, scope, target, action, unknown, warn_from
        )  # fmt: skip
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(
            f"“{plain(row.name)}”: {row.amount:g} {row.currency} a {row.period} for {plain(row.of())}."
        )


@budgets_app.command("remove")
def remove(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Delete a budget."""
    from rag.costs.budgets.limits import remove_budget

    with open_workspace(data, "costs budgets remove") as workspace:
        remove_budget(workspace, name)
    if as_json:
        print_json({"removed": name})
    else:
        screen.print(f"Removed “{plain(name)}”.")


def _document(use: BudgetUse) -> dict[str, object]:
    return {
        **asdict(use.budget), "state": use.state, "spent": use.spent, "answers": use.answers,
        "unknown_answers": use.unknown_answers, "share": use.share,
    }  # fmt: skip
