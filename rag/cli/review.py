"""Commands on what people say of answers, feedback and review queues, and on roll-outs to them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.asking.rows import AskResult, get_trace
from rag.cli.asking import cancelled_ask, show_answer_event
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Bom,
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
    shortened,
)
from rag.errors import RagError
from rag.review.rows import (
    BlindResult,
    Reason,
    ReviewItemRow,
    ReviewSource,
    ReviewVerdict,
    RolloutKind,
    list_feedback,
    list_queues,
    list_review_items,
    list_rollouts,
    progress_sentence,
)
from rag.storage.database import Database
from rag.text.plurals import counted

app = typer.Typer()
feedback_app = typer.Typer(help="Thumbs, reasons and corrections of answers.", no_args_is_help=True)
review_app = typer.Typer(help="Answers that people judge one by one.", no_args_is_help=True)
app.add_typer(feedback_app, name="feedback")
app.add_typer(review_app, name="review")
rollout_app = typer.Typer(help="Another pipeline in use next to the one that answers.", no_args_is_help=True)
app.add_typer(rollout_app, name="rollout")

Trace = Annotated[str, typer.Argument(help="Id of a trace, or its beginning.", metavar="TRACE")]
Author = Annotated[str, typer.Option("--by", help="Who says it; default: the user of this computer.")]
Queue = Annotated[str, typer.Argument(help="Name of the queue.", metavar="QUEUE")]
_SOURCES = f"{', '.join(ReviewSource)}; =N sets a maximum."
By = Annotated[str, typer.Option("--by", help="Name of the reviewer; default: the user of this computer.")]


# --- feedback ---------------------------------------------------------------------------------------------


@feedback_app.command("add")
def feedback_add(
    trace: Trace,
    up: Annotated[bool | None, typer.Option("--up/--down", help="Whether the answer is good.")] = None,
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(Reason)}.")] = "",
    note: Annotated[str, typer.Option(help="In your own words.")] = "",
    correction: Annotated[str, typer.Option(help="The right answer.")] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag")] = None,
    by: Author = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Rate an answer; rating it again replaces your earlier rating."""
    from rag.review.feedback import add_feedback

    if up is None:
        raise RagError("Choose --up or --down.")
    with open_workspace(data, "feedback add") as workspace:
        row = add_feedback(
            workspace, trace, up, reason=reason, note=note, correction=correction, tags=tag or (), author=by
        )
    if as_json:
        print_json(asdict(row))
    else:
        screen.print(f"{plain(row.author)} rated {row.trace_id[:8]} {'up' if row.is_up else 'down'}.")


@feedback_app.command("list")
@with_tables
def feedback_list(
    up: Annotated[bool | None, typer.Option("--up/--down", help="Only these; default: both.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List feedback, newest first."""
    rows = list_feedback(open_database(data), is_up=up, limit=limit)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Trace", "When", "By", "", "Reason", "Question", "Correction", "Case")
    for row in rows:
        table.add_row(
            row.trace_id[:8],
            clock_time(row.created_ms),
            plain(row.author),
            "up" if row.is_up else "down",
            plain(": ".join(part for part in (row.reason, row.note) if part)),
            plain(shortened(row.question, 60)),
            plain(shortened(row.correction, 60)),
            plain(row.set_name),
        )
    nothing = "Nobody has rated an answer yet." if up is None else "No rating matches."
    screen.print(table if rows else nothing)


@feedback_app.command("remove")
def feedback_remove(trace: Trace, by: Author = "", data: Data = None) -> None:
    """Remove a rating."""
    from rag.review.feedback import feedback_of, remove_feedback

    with open_workspace(data, "feedback remove") as workspace:
        row = feedback_of(workspace, trace, by)
        remove_feedback(workspace, row.trace_id, row.author)
    screen.print(f"Removed the rating of {row.trace_id[:8]} by {plain(row.author)}.")


@feedback_app.command("to-case")
def feedback_to_case(
    trace: Trace,
    name: Annotated[
        str, typer.Argument(help="Evaluation set; it is made if it does not exist.", metavar="SET")
    ],
    relevant: Annotated[
        list[int] | None, typer.Option("--relevant", help="Number of a passage that contains the answer.")
    ] = None,
    by: Author = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make an evaluation case of a rated answer; its correction is the reference."""
    from rag.review.feedback import make_feedback_case

    with open_workspace(data, "feedback to-case") as workspace:
        case = make_feedback_case(workspace, trace, name, relevant=relevant or (), author=by)
    if as_json:
        print_json(case.model_dump(mode="json"))
    else:
        screen.print(f"{plain(name)} has the case {plain(case.key)}.")


# --- review queues ----------------------------------------------------------------------------------------


def _reviewer(by: str) -> str:
    from rag.prompts.registry import user_name

    return by.strip() or user_name()


@review_app.command("fill")
def review_fill(
    queue: Queue,
    source: Annotated[list[str], typer.Option("--source", help=_SOURCES, metavar="SOURCE[=N]")],
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="Only answers of this collection, or application:NAME.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of the random sample.")] = 1,
    data: Data = None,
) -> None:
    """Add answers to a queue, which is made if it does not exist."""
    from rag.review.queues import fill_queue

    counts = {}
    for text in source:
        name, _, number = text.partition("=")
        if number and not number.isdecimal():
            raise RagError(f"--source {text}: write SOURCE=N, as in random=20.")
        counts[name.strip()] = int(number or 20)
    with open_workspace(data, "review fill") as workspace:
        added = fill_queue(workspace, queue, counts, collection=collection, seed=seed)
    screen.print(f"Added {counted(added, 'answer')} to {plain(queue)}.")


@review_app.command("list")
@with_tables
def review_list(
    queue: Annotated[str, typer.Argument(help="Default: all queues.", metavar="QUEUE")] = "",
    by: By = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the queues, or the items of one; you see others' verdicts after giving yours."""
    database = open_database(data)
    if not queue:
        rows = list_queues(database)
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        table = Table("Queue", "Answers", "Reviewed by")
        for row in rows:
            who = ", ".join(f"{name} {count}" for name, count in row.reviewers)
            table.add_row(plain(row.name), str(row.item_count), plain(who))
        screen.print(
            table if rows else "There are no review queues yet. Run `ragdeck review fill` to make one."
        )
        return
    items = list_review_items(database, queue, _reviewer(by))
    if as_json:
        print_json([asdict(item) for item in items])
        return
    table = Table("Item", "Trace", "Why", "Question", "Yours", "Others")
    for item in items:
        others = ", ".join(f"{review.reviewer}: {review.verdict}" for review in item.others)
        own = item.own.verdict if item.own else ""
        table.add_row(
            str(item.id), item.trace_id[:8], item.why, plain(shortened(item.question, 70)), own, plain(others)
        )
    screen.print(table)
    screen.print(progress_sentence(items))


@review_app.command("next")
def review_next(queue: Queue, by: By = "", data: Data = None, as_json: Json = False) -> None:
    """Show the first answer that you have not judged."""
    database = open_database(data)
    items = list_review_items(database, queue, _reviewer(by))
    item = next((item for item in items if item.own is None), None)
    if as_json:
        print_json(_document(database, item) if item else None)
        return
    if item is None:
        screen.print(f"You have reviewed all of {plain(queue)}: {progress_sentence(items)}.")
        return
    detail = get_trace(database, item.trace_id)
    about = f"{item.why}  trace {item.trace_id[:8]}  {progress_sentence(items)}"
    screen.print(f"[bold]Item {item.id}[/bold]  {about}")
    screen.print(plain(detail.question), style="bold")
    screen.print(plain(detail.answer))
    for claim in detail.claims:
        screen.print(f"  {claim.verdict:14} {plain(claim.text)}", highlight=False)
    for hit in detail.hits:
        if hit.marker is not None:
            screen.print(f"[dim]\\[{hit.marker}] {plain(hit.document)} {plain(hit.place)}[/dim]")
            screen.print(plain(" ".join(hit.text.split())[:600]), style="dim")
    screen.print(f"review judge {item.id} correct|partly|wrong|skip", style="dim", highlight=False)


@review_app.command("judge")
def review_judge(
    item: Annotated[int, typer.Argument(help="Number of the item.", metavar="ITEM")],
    verdict: Annotated[str, typer.Argument(help=", ".join(ReviewVerdict), metavar="VERDICT")],
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(Reason)}.")] = "",
    correction: Annotated[str, typer.Option(help="The right answer.")] = "",
    relevant: Annotated[
        list[int] | None, typer.Option("--relevant", help="Number of a passage that contains the answer.")
    ] = None,
    to_set: Annotated[str, typer.Option("--to-set", help="Make a case of it in this set.")] = "",
    by: By = "",
    data: Data = None,
) -> None:
    """Give a verdict; it replaces your earlier one."""
    from rag.review.queues import make_review_case, save_verdict

    who = _reviewer(by)
    with open_workspace(data, "review judge") as workspace:
        save_verdict(
            workspace, item, who, verdict, reason=reason, correction=correction, relevant=relevant or ()
        )
        if to_set:
            make_review_case(workspace, item, who, to_set)
    screen.print(f"{plain(who)} judged item {item}: {verdict}.")


@review_app.command("agreement")
def review_agreement(queue: Queue, data: Data = None, as_json: Json = False) -> None:
    """Show how far every two reviewers agree (Cohen's kappa), and where they do not."""
    from rag.review.queues import reviewer_agreement

    found = reviewer_agreement(open_database(data), queue)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    if not found:
        screen.print("Agreement needs two reviewers.")
    for row in found:
        screen.print(plain(row.sentence() + "."))
        for other in row.disagreements:
            verdicts = f"{plain(row.first)}: {other.first}, {plain(row.second)}: {other.second}"
            question = plain(other.question[:70])
            screen.print(f"  item {other.item_id}  {verdicts}  {question}", highlight=False)


@review_app.command("to-set")
def review_to_set(
    queue: Queue,
    name: Annotated[
        str, typer.Argument(help="Evaluation set; it is made if it does not exist.", metavar="SET")
    ],
    data: Data = None,
) -> None:
    """Make cases of all items whose reviewers agree."""
    from rag.review.queues import make_cases

    with open_workspace(data, "review to-set") as workspace:
        made, left_out = make_cases(workspace, queue, name)
    screen.print(f"Made {counted(made, 'case')} in {plain(name)}.")
    if left_out:
        why = "skipped, disagreed on, or without the right answer"
        screen.print(f"Left out {counted(left_out, 'answer')}: {why}.")


@review_app.command("export")
def review_export(
    queue: Queue,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    bom: Bom = True,
    data: Data = None,
) -> None:
    """Write all verdicts to a CSV file, or JSON lines when its name ends in .jsonl."""
    from rag.review.queues import export_reviews

    count = export_reviews(open_database(data), queue, file, bom)
    screen.print(f"Wrote {counted(count, 'verdict')} to {plain(str(file))}.")


@review_app.command("delete")
def review_delete(queue: Queue, data: Data = None) -> None:
    """Delete a queue with its verdicts; cases made of them stay."""
    from rag.review.queues import delete_queue

    with open_workspace(data, "review delete") as workspace:
        delete_queue(workspace, queue)
    screen.print(f"Deleted {plain(queue)}.")


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


# --- roll-outs ---------------------------------------------------------------------------------------------

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
@with_tables
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
        result = finish(
            ask(workspace, question, collection), None if as_json else show_answer_event, cancelled_ask
        )
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
