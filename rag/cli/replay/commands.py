"""Commands on replays: answer a trace again, list replays, compare traces, find what carries a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rag.asking.replay.comparison.rows import compare_traces
from rag.asking.replay.rows import (
    VariantStarted,
    changes_of,
    expected,
    find_replay,
    list_replays,
    read_attribution,
    read_changes,
)
from rag.asking.rows import get_trace
from rag.cli.asking import Trace, traces_app
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    finish,
    log,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
    shortened,
)
from rag.costs.rows import answer_costs
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.asking.replay.comparison.rows import TraceComparison
    from rag.asking.replay.rows import Attribution, ReplayReport
    from rag.asking.rows import TraceDetail
    from rag.storage.database import Database


@traces_app.command("replay")
@with_tables
def traces_replay(
    trace: Trace,
    model: Annotated[str, typer.Option(help="Another model: its name or the path of a GGUF file.")] = "",
    prompt: Annotated[
        str, typer.Option("--prompt", help="Another prompt: NAME, NAME@NUMBER or NAME@LABEL.")
    ] = "",
    version: Annotated[
        str, typer.Option("--version", help="Search another dataset version: its number or tag.")
    ] = "",
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another setting, such as retrieval.candidates=50.", metavar="KEY=VALUE"),
    ] = None,
    without: Annotated[
        str, typer.Option("--without", help="Leave these passages out, by their numbers: 3 or 2,5.")
    ] = "",
    order: Annotated[str, typer.Option("--order", help="Put the passages in this order: 2,1,3.")] = "",
    temperature: Annotated[float | None, typer.Option(min=0.0, max=2.0, help="Another temperature.")] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            help="One more variant: “model=NAME; temperature=0.7; without=2,3”. May be repeated.",
            metavar="CHANGES",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Answer even if a budget asks before it does.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Answer a trace again with something changed, and compare; without any change as it was.

    The stored passages are used unless the version or a setting of the search is changed. --variant makes
    several variants. Exit code 1 when one could not be answered.
    """
    from rag.interchange.replay.running import replay_trace

    words = {"model": model, "version": version, "prompt": prompt, "without": without, "order": order}
    words["temperature"] = "" if temperature is None else str(temperature)
    words = {key: value for key, value in words.items() if value} | _pairs(setting or [], "--set")
    variants = [read_changes(_pairs(text.split(";"), "--variant")) for text in variant or []]
    if words or not variants:
        variants.insert(0, read_changes(words))
    with open_workspace(data, "replay") as workspace:
        parent = get_trace(workspace.database, trace)
        events = replay_trace(workspace, parent.id, variants, is_confirmed=yes)
        report = finish(events, _show_variant, _cancelled)
        _book_costs(workspace)
        _show_report(workspace.database, parent, report, as_json)
    if report.failed:
        raise typer.Exit(1)


def _show_report(database: Database, parent: TraceDetail, report: ReplayReport, as_json: bool) -> None:
    made = [(one, get_trace(database, one.trace_id) if one.trace_id else None) for one in report.variants]
    if as_json:
        variants = [
            {
                "changes": as_plain(one.changes),
                "trace": one.trace_id,
                "error": one.error,
                "answer": found.answer if found else "",
                "comparison": _comparison(database, parent, found) if found else None,
            }
            for one, found in made
        ]
        print_json({"parent": parent.id, "variants": variants})
        return
    for one, found in made:
        screen.print(plain(f"\n{one.changes.sentence()}"), style="bold")
        if found is not None and not one.error:
            _print_comparison(database, compare_traces(parent, found))
            screen.print(f"trace {found.id[:8]}", style="dim")
    screen.print(plain(report.sentence()))


@traces_app.command("replays")
@with_tables
def traces_replays(
    trace: Trace,
    all_: Annotated[
        bool, typer.Option("--all", help="List the answers of `traces attribute` as well.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the replays of a trace, and name the trace that it is a replay of."""
    database = open_database(data)
    found = get_trace(database, trace)
    origin = find_replay(database, found.id)
    rows = list_replays(database, found.id, all_)
    if as_json:
        replays = [{**as_plain(row), "changes": as_plain(changes_of(row.changes))} for row in rows]
        print_json({"trace": found.id, "replay_of": origin and origin.parent_id, "replays": replays})
        return
    if origin is not None:
        screen.print(plain(f"A replay of trace {origin.parent_id[:8]}: {origin.what}."))
    table = Table("Id", "What was changed", "Status", "Model", "Flags", "Tokens", "ms")
    for row in rows:
        table.add_row(
            row.trace_id[:8], plain(row.what), row.status, plain(row.model),
            f"{row.flag_count} of {row.claim_count}", f"{row.prompt_tokens} + {row.completion_tokens}",
            f"{row.total_ms or 0:,.0f}",
        )  # fmt: skip
    screen.print(table if rows else "This trace has no replays.")


@traces_app.command("compare")
@with_tables
def traces_compare(
    first: Trace,
    second: Annotated[str, typer.Argument(help="Id of another trace, or its beginning.", metavar="TRACE")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare two traces, own or received: passages, sentences, prompts, settings, tokens, time and cost.

    Nothing is asked for it.
    """
    database = open_database(data)
    one, other = get_trace(database, first), get_trace(database, second)
    if as_json:
        print_json(_comparison(database, one, other))
        return
    _print_comparison(database, compare_traces(one, other), prompt=True)


@traces_app.command("attribute")
@with_tables
def traces_attribute(
    trace: Trace,
    again: Annotated[
        bool, typer.Option("--again", help="Answer again, even if all answers are stored already.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer even if a budget asks before it does.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Find out which passage carries which sentence: answer with all passages, and without each of them.

    Stored answers of an earlier complete run are shown again; --again makes new ones.
    """
    from rag.interchange.replay.running import attribute_trace

    with open_workspace(data, "attribute") as workspace:
        parent = get_trace(workspace.database, trace)
        found = read_attribution(workspace.database, parent.id)
        if again or found is None or found.untried or not found.answers or found.answers[0].error:
            log.print(plain(f"This takes {expected(parent).sentence()}. Ctrl+C stops it."), style="dim")
            found = finish(attribute_trace(workspace, parent.id, is_confirmed=yes), _show_variant, _cancelled)
            _book_costs(workspace)
    if as_json:
        print_json(attribution_document(found))
        return
    _print_attribution(found)


def attribution_document(found: Attribution) -> dict[str, Any]:
    """Return what each passage carries, as JSON-ready values."""
    return {
        "trace": found.parent_id,
        "answers": as_plain(found.answers),
        "not_tried": list(found.untried),
        "sentences": [
            {"text": claim.text, "carriers": list(found.carriers(claim.start)),
             "sentence": found.sentence(claim.start)}
            for claim in found.claims
        ],
        "passages": [
            {"marker": marker, "document": document, "place": place,
             "falling": [claim.text for claim in found.falling(marker)]}
            for marker, document, place in found.passages
        ],
    }  # fmt: skip


def _pairs(texts: list[str], option: str) -> dict[str, str]:
    """Return KEY=VALUE texts as a dict. Raises RagError for one that is none."""
    pairs = {}
    for text in texts:
        if not text.strip():
            continue
        key, equals, value = text.partition("=")
        if not (equals and key.strip() and value.strip()):
            raise RagError(f"{option} {text.strip()}: write KEY=VALUE, such as temperature=0.7.")
        pairs[key.strip()] = value.strip()
    return pairs


def _show_variant(event: object) -> None:
    if isinstance(event, VariantStarted):
        log.print(plain(f"{event.number} of {event.total}: {event.changes.sentence()}"), style="dim")


def _cancelled(event: Any) -> str:
    if event is None:
        return "Cancelled before anything was asked."
    return "Cancelled; the answers so far are stored. `ragdeck traces replays ID --all` lists them."


def _book_costs(workspace: Any) -> None:
    from rag.costs.usage import record_costs

    record_costs(workspace)


def _comparison(database: Database, first: TraceDetail, second: TraceDetail) -> dict[str, Any]:
    """Return what differs between two traces, as JSON-ready values."""
    found = compare_traces(first, second)
    costs = answer_costs(database, [first.id, second.id])
    return {
        "first": first.id,
        "second": second.id,
        "passages": [
            {"fate": one.fate, "document": one.hit.document, "place": one.hit.place, "text": one.hit.text,
             "first": one.first and one.first.marker, "second": one.second and one.second.marker}
            for one in found.passages
        ],
        "claims": [
            {"first": one.first and one.first.text, "second": one.second and one.second.text,
             "verdicts": [one.first and one.first.verdict, one.second and one.second.verdict],
             "changed": one.is_changed}
            for one in found.claims
        ],
        "answer": as_plain(found.answer),
        "prompt": [as_plain(piece) for piece in found.prompt if not piece.is_same],
        "settings": [{"key": key, "first": old, "second": new} for key, old, new in found.settings],
        "figures": [
            {"trace": one.id, "model": one.model, "prompt_tokens": one.prompt_tokens,
             "cached_tokens": one.cached_tokens, "completion_tokens": one.completion_tokens,
             "total_ms": one.total_ms, "flags": one.flag_count, "claims": one.claim_count,
             "cost": as_plain(costs.get(one.id))}
            for one in (first, second)
        ],
    }  # fmt: skip


def _print_comparison(database: Database, found: TraceComparison, prompt: bool = False) -> None:
    traces = (found.first, found.second)
    costs = answer_costs(database, [one.id for one in traces])
    table = Table("", *(one.id[:8] for one in traces))
    table.add_row("Question", *(plain(shortened(one.question, 60)) for one in traces))
    table.add_row("Model", *(plain(one.model or "–") for one in traces))
    table.add_row("Flags", *(f"{one.flag_count} of {one.claim_count}" for one in traces))
    table.add_row("Tokens", *(f"{one.prompt_tokens} + {one.completion_tokens}" for one in traces))
    table.add_row("Time", *("–" if one.total_ms is None else f"{one.total_ms:,.0f} ms" for one in traces))
    table.add_row("Cost", *(plain(costs[one.id].sentence() if one.id in costs else "–") for one in traces))
    for key, old, new in found.settings:
        table.add_row(plain(key), plain(old), plain(new))
    screen.print(table)
    screen.print(f"Passages: {found.passages_sentence()}")
    for one in found.passages:
        if one.fate != "same":
            old, new = (f"[{hit.marker}]" if hit else "–" for hit in (one.first, one.second))
            screen.print(plain(f"  {one.fate:5} {old} → {new}  {one.hit.document} {one.hit.place}"))
    screen.print(f"Sentences: {found.claims_sentence()}")
    for change in found.claims:
        claim = change.second or change.first
        if change.is_changed and claim is not None:
            screen.print(plain(f"  {change.sentence()}: {claim.text}"))
    screen.print("Answer:" if not found.answer.is_same else "Answer: the same", style="bold")
    for mark, text in (("-", found.first.answer), ("+", found.second.answer)):
        if not found.answer.is_same:
            screen.print(plain(f"{mark} {text}"))
    if prompt:
        screen.print("Prompt:", style="bold")
        for piece in found.prompt:
            for mark, part in (("-", piece.first), ("+", piece.second)):
                if part is not None and not piece.is_same:
                    screen.print(plain(f"{mark} {part}"))


def _print_attribution(found: Attribution) -> None:
    for claim in found.claims:
        screen.print(plain(claim.text), style="bold")
        screen.print(plain(f"  {found.sentence(claim.start)}"))
    table = Table("Left out", "Document", "Place", "Sentences that fall")
    for marker, document, place in found.passages:
        fallen = "\n".join(claim.text for claim in found.falling(marker))
        table.add_row(f"\\[{marker}]", plain(document), plain(place), plain(fallen) or "none")
    screen.print(table)
    for one in found.answers:
        if one.error:
            screen.print(plain(f"Not answered without [{one.marker}]: {one.error}"))
