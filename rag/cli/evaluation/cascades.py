"""Commands on cascades: save one, compare what it costs and how good it is, and find its threshold."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from rag.asking.cascades.rows import Signal
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, open_workspace, plain, print_json, screen
from rag.errors import NotFoundError, RagError
from rag.evaluation.cascades.rows import CostKind

app = typer.Typer()
cascades_app = typer.Typer(
    help="Cascades: pipelines whose next step answers where one is not good enough.", no_args_is_help=True
)
app.add_typer(cascades_app, name="cascades")

Metric = Annotated[str, typer.Option("--metric", help="The quality that is compared.")]
Margin = Annotated[
    float, typer.Option("--margin", help="How much worse it may be, in the metric's unit; 0.02 is 2 points.")
]
Kind = Annotated[CostKind, typer.Option("--by", help="Which cost: money, seconds or tokens.")]


@cascades_app.command("save")
def cascades_save(
    name: Annotated[str, typer.Argument(help="Name of the pipeline.", metavar="NAME")],
    step: Annotated[
        list[str],
        typer.Option("--step", help="model=NAME or pipeline=NAME@NUMBER, in order; at least two."),
    ],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "",
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            help="When the answer of a step before the last is given: supported, or support=0.8, "
            "retrieval=0.4, confidence=0.7; may be repeated. Default: supported.",
        ),
    ] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="What changed.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Save a version of a cascade.

    Rules on the question (language, length, tags, budget) are written in a file; see `pipelines save --file`.
    """
    from rag.evaluation.pipelines import find_pipeline, make_config, present_config, save_pipeline

    condition = _accept(accept or ["supported"])
    steps = [{**_step(text), "accept": condition} for text in step]
    if steps:
        steps[-1]["accept"] = {}
    with open_workspace(data, "cascades save") as workspace:
        try:
            values = find_pipeline(workspace, name).config.model_dump(mode="json")
        except NotFoundError:
            if not collection:
                sentence = f"There is no pipeline “{name}” yet. Name its collection with -c."
                raise RagError(sentence) from None
            values = present_config(workspace, collection).model_dump(mode="json")
        values.update({"steps": steps, **({"collection": collection} if collection else {})})
        row = save_pipeline(workspace, name, make_config(values), message)
    if as_json:
        print_json({**asdict(row), "config": row.config.model_dump(mode="json")})
    else:
        asked = " → ".join(one.name for one in row.config.steps)
        screen.print(plain(f"{name} has version {row.number}: {asked}."))


@cascades_app.command("compare")
def cascades_compare(
    run: Annotated[str, typer.Argument(help="Run of the cascade: a number or a tag.", metavar="RUN")],
    baseline: Annotated[str, typer.Argument(help="Run to compare with.", metavar="BASELINE")],
    metric: Metric = "token_f1",
    margin: Margin = 0.02,
    by: Kind = CostKind.MONEY,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say what a run saves against another one on the same cases, and whether it is as good."""
    from rag.evaluation.cascades.savings import compare_costs
    from rag.evaluation.runs import find_run

    with open_workspace(data, "cascades compare") as workspace:
        ids = [find_run(workspace.database, which).id for which in (run, baseline)]
        found = compare_costs(workspace, *ids, metric=metric, margin=margin, kind=by)
    if as_json:
        print_json({**asdict(found), "sentence": found.sentence()})
    else:
        screen.print(plain(f"{found.name} against {found.baseline}: {found.sentence()}"))


@cascades_app.command("curve")
@with_tables
def cascades_curve(
    small: Annotated[
        str,
        typer.Argument(help="Run of the pipeline asked first: a number or a tag.", metavar="SMALL"),
    ],
    large: Annotated[str, typer.Argument(help="Run of the other one, on the same set.", metavar="LARGE")],
    signal: Annotated[Signal, typer.Option("--signal", help="Which figure of an answer decides.")] = (
        Signal.SUPPORT
    ),
    metric: Metric = "token_f1",
    margin: Margin = 0.02,
    by: Kind = CostKind.MONEY,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show cost and quality over the thresholds of a cascade of two pipelines, without asking anything.

    The threshold is chosen on one half of the cases and judged on the other.
    """
    from rag.evaluation.cascades.savings import threshold_curve
    from rag.evaluation.runs import find_run

    with open_workspace(data, "cascades curve") as workspace:
        ids = [find_run(workspace.database, which).id for which in (small, large)]
        found = threshold_curve(workspace, *ids, signal=signal, metric=metric, margin=margin, kind=by)
    if as_json:
        print_json({**asdict(found), "sentence": found.sentence()})
        return
    table = Table("Threshold", "Answers kept", f"Cost of a case ({found.unit})", found.metric)
    for point in found.points:
        name = "none" if point.threshold is None else f"{point.threshold:.3f}"
        table.add_row(name, f"{100 * point.kept:.0f} %", f"{point.cost:.4g}", f"{point.quality:.3f}")
    screen.print(table)
    screen.print(
        plain(f"{found.large} alone: {found.large_cost:.4g} {found.unit}, {found.large_quality:.3f}.")
    )
    screen.print(plain(found.sentence()))


def _step(text: str) -> dict[str, Any]:
    kind, equals, name = text.partition("=")
    if not equals or kind not in ("model", "pipeline") or not name:
        raise RagError(f"“{text}” is not a step. Write model=NAME or pipeline=NAME@NUMBER.")
    return {kind: name}


def _accept(conditions: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"at_least": {}}
    for text in conditions:
        signal, _, value = text.partition("=")
        if text == "supported":
            found["supported"] = True
            continue
        try:
            found["at_least"][Signal(signal).value] = float(value)
        except ValueError as error:
            known = ", ".join(f"{one}=0.5" for one in Signal)
            raise RagError(f"“{text}” is not a condition. Write supported, or one of {known}.") from error
    return found
