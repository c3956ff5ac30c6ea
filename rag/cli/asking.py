"""Commands that search, ask, and show stored traces."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, astuple, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rag.asking.cache.rows import CacheHitRow, hit_of
from rag.asking.cascades.rows import StepRejected, list_cascade_steps
from rag.asking.replay.rows import find_replay
from rag.asking.rows import (
    AnswerRestarted,
    AskResult,
    PromptProgress,
    RetrievalDone,
    SampleProgress,
    TokenStreamed,
    TraceSource,
    TraceStatus,
    get_trace,
    how_it_came,
    list_traces,
    read_answers,
)
from rag.asking.sessions.rows import Binding, get_session
from rag.cli.printing.answers import ask_document
from rag.cli.printing.screen import with_tables
from rag.cli.printing.traces import print_trace, rank_text
from rag.cli.terminal import (
    Data,
    Json,
    Name,
    as_plain,
    clock_time,
    finish,
    log,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
    shortened,
    write_text,
)
from rag.errors import RagError
from rag.index.rows import Hit
from rag.text.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.asking.rows import SearchSide, TraceDetail, TraceRow
    from rag.storage.database import Database

app = typer.Typer()
traces_app = typer.Typer(help="Stored traces of all questions.", no_args_is_help=True)
app.add_typer(traces_app, name="traces")

Trace = Annotated[str, typer.Argument(help="Id of a trace, or its beginning.", metavar="TRACE")]
Version = Annotated[
    str | None, typer.Option("--version", help="Number or tag of a dataset version; default: the active one.")
]


@app.command()
@with_tables
def search(
    query: Annotated[str, typer.Argument(help="What to look for.", metavar="Q")],
    collection: Name,
    version: Version = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="Maximum number of hits.")] = 10,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the stages, and how each candidate came to its place.")
    ] = False,
    preset: Annotated[
        str, typer.Option("--preset", help="Search as this preset does; see `ragdeck retrieval presets`.")
    ] = "",
    against: Annotated[
        str, typer.Option("--against", help="Search also as this preset does, or in this version (@NUMBER).")
    ] = "",
    find: Annotated[
        str, typer.Option("--find", help="Words of a passage: say what became of it.", metavar="TEXT")
    ] = "",
    previous: Annotated[
        str, typer.Option("--previous", help="The question before, when this one is a follow-up.")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find passages without asking a model."""
    from rag.asking.search_test import run_search_test

    versions: list[int | str | None] = [version]
    presets = [preset]
    if against.startswith("@"):
        versions.append(against[1:])
    elif against:
        presets.append(against)
    with open_workspace(data, "search") as workspace:
        test = run_search_test(workspace, collection, query, versions, presets, previous, find)
    sides = [{**as_plain(side), "hits": as_plain(_shown(side, limit, explain))} for side in test.sides]
    if as_json:
        first = sides[0]
        more = {"sides": sides} if explain or against else {}
        print_json(
            {
                "query": query, "collection": collection, "version": first["version_number"],
                "hits": first["hits"], "notes": first["notes"], "explanation": first["explanation"], **more,
            }
        )  # fmt: skip
        return
    for side in test.sides:
        if len(test.sides) > 1:
            screen.print(f"{side.preset}, version {side.version_number}", style="bold")
        _print_side(side, limit, explain)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question.", metavar="Q")],
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="Name of the collection; with --session: what it asks.")
    ] = "",
    version: Version = None,
    model: Annotated[str | None, typer.Option(help="A model's name or the path of a GGUF file.")] = None,
    session: Annotated[
        str,
        typer.Option(
            "--session",
            help="Id of a session, or its beginning, to go on with. It answers as it is bound; what else is "
            "given here binds it anew.",
        ),
    ] = "",
    pipeline: Annotated[
        str,
        typer.Option("--pipeline", "-p", help="Answer with this pipeline: NAME, NAME@NUMBER or NAME@LABEL."),
    ] = "",
    prompt: Annotated[
        str, typer.Option("--prompt", help="Use this prompt: NAME, NAME@NUMBER or NAME@LABEL.")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="A word that rules of a cascade go by; may be repeated.")
    ] = None,
    show_thinking: Annotated[
        bool, typer.Option("--show-thinking", help="Show what a reasoning model thinks before it answers.")
    ] = False,
    may_leave: Annotated[
        bool, typer.Option("--may-leave", help="Agree that passages leave this computer for this question.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the model, not the cache.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask even if a budget asks before it does.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Ask a question. The answer is streamed, checked and traced. A canary takes its share; see `rollout`."""
    from rag.routing import ask as ask_as_rolled_out

    with open_workspace(data, "ask") as workspace:
        wanted = Binding(collection, version or "", pipeline, model or "", prompt)
        session, chosen = _bound(workspace.database, session, wanted)
        if may_leave:
            workspace.endpoints.border.allow(chosen.collection, "")
        events = ask_as_rolled_out(
            workspace, question, chosen.collection, version=chosen.version or None,
            model=chosen.model or None, session_id=session, alone=True, pipeline=chosen.pipeline,
            prompt=chosen.prompt, fresh=fresh, is_confirmed=yes, tags=tuple(tag or ()),
        )  # fmt: skip
        show = None if as_json else partial(show_answer_event, show_thinking=show_thinking)
        result = finish(events, show, cancelled_ask)
        assert isinstance(result, AskResult)
        detail = get_trace(workspace.database, result.trace_id)
        hit = hit_of(workspace.database, result.trace_id)
    if as_json:
        print_json({**ask_document(detail, result), "cache": as_plain(hit) if hit else None})
    else:
        _print_answer_end(detail, result, hit)


def _bound(database: Database, session: str, given: Binding) -> tuple[str, Binding]:
    """Return the whole id of a session, and what answers a question in it: what is given, else its own.

    Raises RagError when there is no such session, or nothing says which collection is asked.
    """
    if not session:
        if not given.collection:
            raise RagError("Say which collection to ask, with --collection NAME, or go on with a --session.")
        return "", given
    row = get_session(database, session)
    return row.id, binding_with(row.binding, given)


def binding_with(own: Binding, given: Binding) -> Binding:
    """Return what a session is bound to once something else is given."""
    if given.collection not in ("", own.collection):  # versions and pipelines belong to a collection
        own = Binding(given.collection, model=own.model, prompt=own.prompt)
    if given.pipeline:
        own = Binding(own.collection)
    elif given.version or given.model or given.prompt:
        own = replace(own, pipeline="")
    return Binding(*(new or old for new, old in zip(astuple(given), astuple(own), strict=True)))


@traces_app.command("list")
@with_tables
def traces_list(
    text: Annotated[str, typer.Option(help="Words in the question or answer.")] = "",
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")] = "",
    model: Annotated[str, typer.Option(help="Name of the model.")] = "",
    verdict: Annotated[str, typer.Option(help="Worst verdict, or “flagged”.")] = "",
    status: Annotated[str, typer.Option(help=f"One of: {', '.join(TraceStatus)}.")] = "",
    source: Annotated[
        str, typer.Option(help=f"Who asked: {', '.join(TraceSource)} or all.")
    ] = TraceSource.PERSON.value,
    application: Annotated[str, typer.Option(help="Only traces that this application sent.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Earliest time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Latest time.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000)] = 50,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List traces, newest first."""
    from rag.asking.rows import TraceFilter

    _check_choice("--status", status, TraceStatus)
    _check_choice("--source", source, (*TraceSource, "all"))
    wanted = TraceFilter(
        text=text,
        collection=collection,
        model=model,
        verdict=verdict,
        status=status,
        source="" if source == "all" or application else source,
        application=application,
        since_ms=int(since.timestamp() * 1000) if since else None,
        until_ms=int(until.timestamp() * 1000) if until else None,
    )
    database = open_database(data)
    rows = list_traces(database, wanted, limit)
    if as_json:
        print_json(with_answers(database, rows))
        return
    table = Table("Id", "Time", "Status", "Question", "Flags", "Tokens", "ms")
    for row in rows:
        table.add_row(
            row.id[:8],
            clock_time(row.created_ms),
            row.state,
            plain(shortened(row.question, 60)),
            f"{row.flag_count} of {row.claim_count}",
            f"{row.prompt_tokens} + {row.completion_tokens}",
            f"{row.total_ms or 0:,.0f}",
        )
    screen.print(table if rows else "No trace matches.")


@traces_app.command("show")
@with_tables
def traces_show(
    trace_id: Annotated[str, typer.Argument(help="The id, or its beginning.", metavar="ID")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show one trace: its answer, flags, candidates with ranks and reasons, and the exact prompt."""
    database = open_database(data)
    detail = get_trace(database, trace_id)
    steps = list_cascade_steps(database, detail.id)
    origin = find_replay(database, detail.id)
    if as_json:
        more = {"steps": as_plain(steps), "replay_of": origin and origin.parent_id}
        print_json({**as_plain(detail), "settings": json.loads(detail.settings), **more})
        return
    if origin is not None:
        screen.print(plain(f"A replay of trace {origin.parent_id[:8]}: {origin.what}."), style="dim")
    print_trace(detail, steps)


def _check_choice(option: str, text: str, known: Iterable[str]) -> None:
    """Refuse a word that nothing could match. Raises RagError."""
    if text and text not in (words := [str(word) for word in known]):
        raise RagError(f"{option} {text}: write one of {', '.join(words)}.")


def with_answers(database: Database, rows: Sequence[TraceRow]) -> list[dict[str, Any]]:
    """Return traces as JSON-ready values, with the answers that a row leaves out."""
    answers = read_answers(database, [row.id for row in rows])
    return [{**as_plain(row), "answer": answers[row.id]} for row in rows]


def cancelled_ask(event: Any) -> str:
    """Return what is stored of a question that Ctrl+C ended."""
    if event is None:
        return "Cancelled before the question was asked."
    seen = f"`ragdeck traces show {event.trace_id[:8]}`"
    return f"Cancelled; what was answered so far is stored. See it with {seen}, or ask again."


def show_answer_event(event: Any, show_thinking: bool = False) -> None:
    """Print an event of answering: the passages found, how far the prompt is read, the answer itself."""
    if isinstance(event, RetrievalDone):
        log.print(_packed_sentence(event), style="dim")
    elif isinstance(event, PromptProgress) and log.is_terminal:
        log.print(f"reading {event.tokens_done}/{event.tokens_total} tokens", end="\r", style="dim")
    elif isinstance(event, TokenStreamed) and event.is_thinking:
        if show_thinking:
            log.print(plain(event.text), end="", style="dim", highlight=False, soft_wrap=True)
        elif log.is_terminal:
            log.print(f"thinking, {event.token_count} tokens", end="\r", style="dim")
    elif isinstance(event, StepRejected):
        sys.stdout.write("\n")
        log.print(plain(event.sentence), style="yellow", soft_wrap=True)
    elif isinstance(event, AnswerRestarted):
        sys.stdout.write("\n")
        log.print("That was thinking. The answer:", style="dim")
    elif isinstance(event, TokenStreamed):
        if show_thinking and event.token_count == 1:
            log.print()  # the thinking ends without a line of its own
        write_text(event.text)


def _packed_sentence(event: RetrievalDone) -> str:
    return (
        f"{event.packed_count} of {event.chunk_count} chunks from "
        f"{event.packed_documents} of {event.document_count} documents"
    )


def _print_answer_end(detail: TraceDetail, result: AskResult, recalled: CacheHitRow | None) -> None:
    if result.status == TraceStatus.NOTHING_FOUND:
        screen.print(plain(detail.answer))
    sys.stdout.write("\n\n")
    if detail.thinking_tokens:
        tokens = counted(detail.thinking_tokens, "token")
        screen.print(f"thought for {tokens} before; `traces show` has what", style="dim")
    for claim in detail.claims:
        if claim.verdict.is_doubt:
            score = "" if claim.score is None else f" ({claim.score:.2f})"
            reason = f": {claim.reason}" if claim.reason else ""
            screen.print(f"{claim.verdict}{score}: {plain(claim.text)}{plain(reason)}", style="yellow")
    for hit in detail.hits:
        if hit.marker is not None:
            screen.print(f"[dim]\\[{hit.marker}] {plain(hit.document)} {plain(hit.place)}[/dim]")
    if detail.sent_to:
        screen.print(f"Sent to {plain(detail.sent_to)}: the question and its passages left this computer.")
    for notice in filter(None, (detail.explained, *result.notices)):
        screen.print(f"[dim]note: {plain(notice)}[/dim]")
    screen.print(f"[dim]trace {result.trace_id[:8]}[/dim]")
    if recalled:
        said = f"{recalled.sentence()} (trace {recalled.source_trace[:8]}); --fresh asks the model"
        screen.print(said, style="dim", highlight=False, soft_wrap=True)


def _shown(side: SearchSide, limit: int, explain: bool) -> list[Hit]:
    """Return the hits to print: those that a prompt would contain; when they are explained, all."""
    return [hit for hit in side.hits if explain or hit.marker is not None][:limit]


def _print_side(side: SearchSide, limit: int, explain: bool) -> None:
    hits = _shown(side, limit, explain)
    if not hits:
        screen.print("Nothing in this version is close to that.")
    if explain:
        table = Table("Stage", "Detail", "ms")
        for stage in side.stages:
            table.add_row(stage.name, plain(stage.detail), f"{stage.end_ms - stage.start_ms:,.1f}")
        screen.print(table)
    for note in side.notes:
        screen.print(plain(f"Note: {note}"), style="dim")
    for hit in hits:
        marker = f"\\[{hit.marker}] " if hit.marker is not None else ""
        screen.print(
            f"[bold]{hit.rank}. {marker}{plain(hit.document)}[/bold] {plain(hit.place)}  {_scores(hit)}"
        )
        if explain:
            screen.print(plain(how_it_came(hit)))
            if hit.marker is None:
                screen.print(plain(f"Left out: {hit.dropped}."))
        screen.print(plain(" ".join(hit.text.split())[:300]), style="dim")
    if explain:
        screen.print(
            f"{counted(side.passage_count, 'passage')} with {counted(side.tokens, 'token')} would be in the "
            f"prompt; the search took {side.milliseconds:,.0f} ms."
        )
    if side.explanation:
        screen.print(plain(side.explanation))


def _scores(hit: Hit) -> str:
    return (
        f"dense {rank_text(hit.dense_rank, hit.dense_score)}  BM25 {rank_text(hit.bm25_rank, hit.bm25_score)}"
    )


@app.command()
@with_tables
def consistency(
    trace: Trace,
    samples: Annotated[int, typer.Option("--samples", "-n", min=2, max=50, help="Number of answers.")] = 5,
    temperature: Annotated[float, typer.Option(min=0.05, max=2.0, help="Temperature of the sampling.")] = 0.7,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Answer the prompt of a trace several times and show how far the answers agree."""
    from rag.asking.consistency import check_consistency

    with open_workspace(data, "consistency") as workspace:
        detail = get_trace(workspace.database, trace)

        def show(event: object) -> None:
            if isinstance(event, SampleProgress) and log.is_terminal:
                log.print(f"{event.done} of {event.total}", end="\r")

        report = finish(check_consistency(workspace, detail.id, samples, temperature), show)
    if as_json:
        print_json(asdict(report))
        return
    table = Table("Meaning", "Answer", "What the others do not say")
    for sample in report.samples:
        table.add_row(chr(65 + sample.group % 26), plain(sample.answer), plain("\n".join(sample.differs)))
    screen.print(table)
    screen.print(
        f"{report.agreement:.0%} of {len(report.samples)} answers mean the same; semantic entropy "
        f"{report.semantic_entropy:.2f} of at most {report.highest_entropy:.2f} nats"
    )
