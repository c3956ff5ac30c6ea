"""Commands on review queues: fill, look, judge, compare reviewers, make cases."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.asking.rows import get_trace
from rag.cli.terminal import Data, Json, open_database, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.review.rows import REASONS, SOURCES, VERDICTS, ReviewItemRow, progress, review_items, review_queues
from rag.storage.database import Database

app = typer.Typer()
review_app = typer.Typer(help="Answers that people judge one by one.", no_args_is_help=True)
app.add_typer(review_app, name="review")

Queue = Annotated[str, typer.Argument(help="Name of the queue.", metavar="QUEUE")]
By = Annotated[str, typer.Option("--by", help="Name of the reviewer; default: the user of this computer.")]


def _reviewer(by: str) -> str:
    from rag.prompts.registry import user_name

    return by.strip() or user_name()


@review_app.command()
def fill(
    queue: Queue,
    source: Annotated[
        list[str], typer.Option("--source", help=f"{', '.join(SOURCES)}; =N takes at most N.", metavar="SOURCE[=N]")
    ],
    collection: Annotated[str, typer.Option("--collection", "-c", help="Answers of this one alone.")] = "",
    seed: Annotated[int, typer.Option(help="Of the random sample.")] = 1,
    data: Data = None,
) -> None:  # fmt: skip
    """Add answers to a queue, made if there is none."""
    from rag.review.queues import fill_queue

    counts = {}
    for text in source:
        name, _, number = text.partition("=")
        if number and not number.isdecimal():
            raise RagError(f"--source {text}: write SOURCE=N, as in random=20.")
        counts[name.strip()] = int(number or 20)
    with open_workspace(data, "review fill") as workspace:
        added = fill_queue(workspace, queue, counts, collection=collection, seed=seed)
    screen.print(f"{added} answers were added to {plain(queue)}.")


@review_app.command("list")
def list_(
    queue: Annotated[str, typer.Argument(help="Default: all queues.", metavar="QUEUE")] = "",
    by: By = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the queues, or the items of one; others' verdicts are shown once you gave yours."""
    database = open_database(data)
    if not queue:
        rows = review_queues(database)
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        table = Table("Queue", "Answers", "Reviewed by")
        for row in rows:
            who = ", ".join(f"{name} {count}" for name, count in row.reviewers)
            table.add_row(plain(row.name), str(row.item_count), plain(who))
        screen.print(table if rows else "There is no review queue; `review fill` makes one.")
        return
    items = review_items(database, queue, _reviewer(by))
    if as_json:
        print_json([asdict(item) for item in items])
        return
    table = Table("Item", "Trace", "Why", "Question", "Yours", "Others")
    for item in items:
        others = ", ".join(f"{review.reviewer}: {review.verdict}" for review in item.others)
        own = item.own.verdict if item.own else ""
        table.add_row(
            str(item.id), item.trace_id[:8], item.why, plain(item.question[:70]), own, plain(others)
        )
    screen.print(table)
    screen.print(progress(items))


@review_app.command("next")
def next_(queue: Queue, by: By = "", data: Data = None, as_json: Json = False) -> None:
    """Show the first answer that you have not judged."""
    database = open_database(data)
    items = review_items(database, queue, _reviewer(by))
    item = next((item for item in items if item.own is None), None)
    if as_json:
        print_json(_document(database, item) if item else None)
        return
    if item is None:
        screen.print(f"All of {plain(queue)} is reviewed: {progress(items)}.")
        return
    detail = get_trace(database, item.trace_id)
    screen.print(f"[bold]Item {item.id}[/bold]  {item.why}  trace {item.trace_id[:8]}  {progress(items)}")
    screen.print(plain(detail.question), style="bold")
    screen.print(plain(detail.answer))
    for claim in detail.claims:
        screen.print(f"  {claim.verdict:14} {plain(claim.text)}", highlight=False)
    for hit in detail.hits:
        if hit.marker is not None:
            screen.print(f"[dim]\\[{hit.marker}] {plain(hit.document)} {plain(hit.place)}[/dim]")
            screen.print(plain(" ".join(hit.text.split())[:600]), style="dim")
    screen.print(f"review judge {item.id} correct|partly|wrong|skip", style="dim", highlight=False)


@review_app.command()
def judge(
    item: Annotated[int, typer.Argument(help="Number of the item.", metavar="ITEM")],
    verdict: Annotated[str, typer.Argument(help=", ".join(VERDICTS), metavar="VERDICT")],
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(REASONS)}.")] = "",
    correction: Annotated[str, typer.Option(help="The right answer.")] = "",
    relevant: Annotated[
        list[int] | None, typer.Option("--relevant", help="Number of a passage that holds the answer.")
    ] = None,
    to_set: Annotated[str, typer.Option("--to-set", help="Make a case of it in this set.")] = "",
    by: By = "",
    data: Data = None,
) -> None:
    """Give a verdict; another one replaces it."""
    from rag.review.queues import judge as store
    from rag.review.queues import make_review_case

    who = _reviewer(by)
    with open_workspace(data, "review judge") as workspace:
        store(workspace, item, who, verdict, reason=reason, correction=correction, relevant=relevant or ())
        if to_set:
            make_review_case(workspace, item, who, to_set)
    screen.print(f"{plain(who)} says of item {item}: {verdict}.")


@review_app.command()
def agreement(queue: Queue, data: Data = None, as_json: Json = False) -> None:
    """How far every two reviewers agree (Cohen's kappa), and where they do not."""
    from rag.review.queues import agreement as measured

    with open_workspace(data, "review agreement") as workspace:
        found = measured(workspace, queue)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    if not found:
        screen.print("It takes two reviewers.")
    for row in found:
        screen.print(plain(row.sentence() + "."))
        for other in row.disagreements:
            screen.print(
                f"  item {other.item_id}  {plain(row.first)}: {other.first}, {plain(row.second)}: {other.second}  "
                f"{plain(other.question[:70])}",
                highlight=False,
            )


@review_app.command("to-set")
def to_set(
    queue: Queue,
    name: Annotated[str, typer.Argument(help="Evaluation set, made if there is none.", metavar="SET")],
    data: Data = None,
) -> None:
    """Make cases of all items whose reviewers agree."""
    from rag.review.queues import make_cases

    with open_workspace(data, "review to-set") as workspace:
        made, left_out = make_cases(workspace, queue, name)
    screen.print(
        f"{made} cases in {plain(name)}; {left_out} left out: skipped, disagreed on, or without the right answer."
    )


@review_app.command()
def export(queue: Queue, file: Annotated[Path, typer.Argument(metavar="FILE")], data: Data = None) -> None:
    """Write all verdicts to a CSV file, or JSON lines when its name ends in .jsonl."""
    from rag.review.queues import export_reviews

    with open_workspace(data, "review export") as workspace:
        count = export_reviews(workspace, queue, file)
    screen.print(f"{count} verdicts are written to {plain(str(file))}.")


@review_app.command()
def delete(queue: Queue, data: Data = None) -> None:
    """Delete a queue with its verdicts; cases made of them stay."""
    from rag.review.queues import delete_queue

    with open_workspace(data, "review delete") as workspace:
        delete_queue(workspace, queue)
    screen.print(f"{plain(queue)} is deleted.")


def _document(database: Database, item: ReviewItemRow) -> dict[str, object]:
    detail = get_trace(database, item.trace_id)
    return {
        "item": item.id,
        "trace_id": item.trace_id,
        "why": item.why,
        "question": item.question,
        "answer": detail.answer,
        "claims": [asdict(claim) for claim in detail.claims],
        "passages": [asdict(hit) for hit in detail.hits if hit.marker is not None],
    }
