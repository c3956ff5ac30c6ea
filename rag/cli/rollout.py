"""Commands on roll-outs: a canary or a blind comparison of two pipelines in use."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from rag.asking.rows import AskResult
from rag.cli.asking import show_answer_event
from rag.cli.terminal import (
    Data,
    Json,
    Name,
    clock_time,
    finish,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
)
from rag.review.rows import BlindResult, RolloutKind, list_rollouts

app = typer.Typer()
rollout_app = typer.Typer(help="Another pipeline in use next to the one that answers.", no_args_is_help=True)
app.add_typer(rollout_app, name="rollout")

Number = Annotated[int, typer.Argument(help="Number of the roll-out.", metavar="N")]


@rollout_app.command()
def start(
    kind: Annotated[str, typer.Argument(help="canary or blind.", metavar="KIND")],
    staging: Annotated[str, typer.Option("--staging", help="A pipeline; its newest version.")] = "",
    staging_version: Annotated[int | None, typer.Option(help="Another version of it.")] = None,
    prompt: Annotated[
        str, typer.Option("--prompt", help="Or: what answers now, with this prompt.", metavar="NAME@N")
    ] = "",
    production: Annotated[str, typer.Option(help="A pipeline; default: what answers now.")] = "",
    production_version: Annotated[int | None, typer.Option(help="Another version of it.")] = None,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Default: all collections.")] = "",
    share: Annotated[float, typer.Option(help="Share of the questions for a canary: 0 to 1.")] = 0.1,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Start a roll-out; both configurations are frozen as they are now."""
    from rag.review.rollouts import start_rollout

    with open_workspace(data, "rollout start") as workspace:
        row = start_rollout(
            workspace,
            kind,
            collection=collection,
            staging=staging,
            staging_number=staging_version,
            prompt=prompt,
            production=production,
            production_number=production_version,
            share=share,
            note=note,
        )
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(plain(f"Roll-out {row.id} is running. {row.sentence()}."))


@rollout_app.command()
def status(
    number: Annotated[int | None, typer.Argument(help="Default: list all.", metavar="N")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the roll-outs, or show the results of one."""
    if number is None:
        rows = list_rollouts(open_database(data))
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        table = Table("N", "Kind", "Collection", "Production", "Staging", "State", "Begun", "Answers")
        for row in rows:
            table.add_row(
                str(row.id),
                row.kind,
                plain(row.collection or "all"),
                plain(row.production),
                plain(row.staging),
                row.state,
                clock_time(row.created_ms),
                f"{row.production_count} + {row.staging_count}",
            )
        screen.print(
            table if rows else "There are no roll-outs yet. Run `ragdeck rollout start` to start one."
        )
        return
    from rag.review.rollout_results import rollout_results

    with open_workspace(data, "rollout status") as workspace:
        results = rollout_results(workspace, number)
    if as_json:
        print_json(asdict(results))
        return
    screen.print(plain(results.rollout.sentence() + f". {results.rollout.state.capitalize()}."))
    table = Table("Measure", "Production", "Staging", "Difference (95 %)", "p (Holm)", "n")
    for row_ in results.differences:
        table.add_row(
            row_.measure,
            row_.value_text(row_.production),
            row_.value_text(row_.staging),
            row_.difference_text(),
            "–" if row_.p_holm is None else f"{row_.p_holm:.3f}",
            f"{row_.production_count} + {row_.staging_count}",
        )
    screen.print(table)
    if results.rollout.kind is RolloutKind.BLIND:
        picks = f"staging {results.staging_wins}, production {results.production_wins}"
        screen.print(f"Picked: {picks}, no difference {results.ties}")
    screen.print(plain(results.summary))


@rollout_app.command()
def promote(number: Number, data: Data = None) -> None:
    """Make staging the pipeline that answers."""
    from rag.review.rollouts import promote_rollout

    with open_workspace(data, "rollout promote") as workspace:
        screen.print(plain(promote_rollout(workspace, number)))


@rollout_app.command()
def stop(number: Number, data: Data = None) -> None:
    """End a roll-out; the pipeline in use continues to answer."""
    from rag.review.rollouts import stop_rollout

    with open_workspace(data, "rollout stop") as workspace:
        stop_rollout(workspace, number)
    screen.print(f"Stopped roll-out {number}.")


@rollout_app.command()
def release(
    collection: Annotated[str, typer.Option("--collection", "-c", help="Default: all collections.")] = "",
    data: Data = None,
) -> None:
    """Let the settings answer again instead of a promoted pipeline."""
    from rag.review.rollouts import release_production

    with open_workspace(data, "rollout release") as workspace:
        had = release_production(workspace, collection)
    screen.print("The settings answer again." if had else "No pipeline was promoted there.")


@rollout_app.command("ask")
def ask_both(
    question: Annotated[str, typer.Argument(metavar="Q")],
    collection: Name,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask under the running roll-out; a blind comparison shows both answers, and `rollout pick` decides."""
    from rag.routing import ask

    with open_workspace(data, "rollout ask") as workspace:
        result = finish(ask(workspace, question, collection), None if as_json else show_answer_event)
    if as_json:
        print_json({"kind": type(result).__name__, **asdict(result)})
        return
    sys.stdout.write("\n\n")
    if isinstance(result, BlindResult):
        for name, answer in (("First", result.first), ("Second", result.second)):
            screen.print(f"[bold]{name}[/bold]  {plain(answer.answer)}")
        screen.print(f"rollout pick {result.pair} first|second|none", style="dim", highlight=False)
    elif isinstance(result, AskResult):
        screen.print(f"[dim]trace {result.trace_id[:8]}[/dim]")


@rollout_app.command()
def pick(
    pair: Annotated[str, typer.Argument(metavar="PAIR")],
    choice: Annotated[str, typer.Argument(help="first, second or none.", metavar="CHOICE")],
    data: Data = None,
) -> None:
    """Say which answer of a blind comparison is better; then you see which is which."""
    from rag.review.rollouts import pick_answer

    with open_workspace(data, "rollout pick") as workspace:
        shown = pick_answer(workspace, pair, "no difference" if choice == "none" else choice)
    screen.print(plain(f"The first was “{shown.first}”, the second “{shown.second}”."))
