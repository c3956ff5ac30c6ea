"""Commands on costs: what answers cost, by what they have in common, and the price tables."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from rag.asking.rows import get_trace
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, open_workspace, plain, print_json, screen
from rag.costs.rows import (
    CostFilter,
    CostSum,
    GroupBy,
    cost_sentence,
    count_accepted,
    group_of,
    list_costs,
    money,
    sum_costs,
    total_cost,
)
from rag.errors import RagError
from rag.text.plurals import counted

app = typer.Typer()
costs_app = typer.Typer(help="What answers cost.")
app.add_typer(costs_app, name="costs")

Collection = Annotated[
    str, typer.Option("--collection", "-c", help="Only answers from this collection.", metavar="NAME")
]
Model = Annotated[str, typer.Option("--model", help="Only answers of this model.", metavar="NAME")]
Since = Annotated[
    str, typer.Option("--since", help="Only answers from this day on, as YYYY-MM-DD.", metavar="DAY")
]
Source = Annotated[
    str, typer.Option("--source", help="Only questions of: person, evaluation, regression, replay.")
]


@costs_app.callback(invoke_without_command=True)
@with_tables
def costs(
    context: typer.Context,
    by: Annotated[
        str, typer.Option("--by", help=f"What costs are summed up by: {', '.join(GroupBy)}.")
    ] = "layer",
    collection: Collection = "",
    model: Model = "",
    source: Source = "",
    since: Since = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows to show.")] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what answers cost, the dearest first.

    Costs of models on this computer are estimates: their time, at the power and the price of electricity in
    the settings. Where no price table names a model elsewhere, the cost is unknown and counted apart.
    """
    from rag.costs.usage import cost_elsewhere, record_costs

    if context.invoked_subcommand is not None:
        return
    group = group_of(by)
    wanted = CostFilter(collection, model, source, _day_ms(since))
    with open_workspace(data, "costs") as workspace:
        record_costs(workspace)
        database = workspace.database
        rows, total = sum_costs(database, group, wanted, limit), total_cost(database, wanted)
        accepted = count_accepted(database, wanted)
        compare = workspace.settings.costs.compare_with
        elsewhere = cost_elsewhere(workspace, compare, wanted) if compare else None
    if as_json:
        print_json(
            {
                "by": group, "rows": [asdict(row) for row in rows], "total": asdict(total),
                "accepted_answers": accepted, "elsewhere": asdict(elsewhere) if elsewhere else None,
            }
        )  # fmt: skip
        return
    if not rows:
        screen.print("There are no finished answers with these properties.")
        return
    screen.print(_table(group, rows))
    sentences = [f"Together {total.sentence()} for {counted(total.answers, 'answer')}."]
    if accepted:
        each = {currency: amount / accepted for currency, amount in total.amounts.items()}
        share = cost_sentence(each, total.estimated, 0)
        sentences.append(f"That is {share} for each of {counted(accepted, 'accepted answer')}.")
    if elsewhere:
        sentences.append(f"With {elsewhere.key} their tokens would have cost {elsewhere.sentence()}.")
    for sentence in sentences:
        screen.print(sentence, highlight=False, soft_wrap=True)


@costs_app.command("show")
@with_tables
def show(
    trace: Annotated[str, typer.Argument(help="Id of a trace, or its beginning.", metavar="TRACE")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what the layers of one answer cost, and what each amount rests on."""
    from rag.costs.usage import record_costs

    with open_workspace(data, "costs show") as workspace:
        record_costs(workspace)
        found = get_trace(workspace.database, trace)
        rows = list_costs(workspace.database, found.id)
    if as_json:
        print_json({"trace": found.id, "layers": [asdict(row) for row in rows]})
        return
    table = Table("Layer", "Cost", "Read", "Cached", "Written", "Seconds", "Rests on")
    for row in rows:
        amount = "unknown" if row.amount is None else money(row.amount, row.currency)
        table.add_row(
            row.layer, amount, f"{row.input_tokens:,}", f"{row.cached_tokens:,}", f"{row.output_tokens:,}",
            f"{row.seconds:,.2f}", plain(row.price),
        )  # fmt: skip
    screen.print(table if rows else "The trace has no stages, so nothing is known of its cost.")


@costs_app.command("prices")
@with_tables
def prices(data: Data = None, as_json: Json = False) -> None:
    """List the price tables, a person's own first; they are TOML files in the data folder's “prices”."""
    from rag.costs.prices import read_prices
    from rag.storage.data_folder import data_folder

    found = read_prices(data_folder(data))
    if as_json:
        print_json([asdict(price) for price in found])
        return
    table = Table("Model", "Currency", "Read", "Cached", "Written", "Source", "Day")
    for price in found:
        amounts = (
            "–" if one is None else f"{one:g}" for one in (price.input, price.cached_input, price.output)
        )
        table.add_row(plain(price.model), price.currency, *amounts, plain(price.source), price.day)
    screen.print(table)
    screen.print("Prices are for a million tokens.")


def _table(group: GroupBy, rows: list[CostSum]) -> Table:
    table = Table(group.capitalize(), "Cost", "Answers", "Read", "Cached", "Written", "Seconds")
    for row in rows:
        table.add_row(
            plain(row.key or "–"), row.sentence(), f"{row.answers:,}", f"{row.input_tokens:,}",
            f"{row.cached_tokens:,}", f"{row.output_tokens:,}", f"{row.seconds:,.1f}",
        )  # fmt: skip
    return table


def _day_ms(day: str) -> int | None:
    if not day:
        return None
    try:
        return round(datetime.strptime(day, "%Y-%m-%d").timestamp() * 1000)
    except ValueError as error:
        raise RagError(f"“{day}” is not a day. Write it as YYYY-MM-DD.") from error
