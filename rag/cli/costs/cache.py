"""Commands on the answer cache: what it saves, how often it is wrong, and forgetting what it has."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from rag.asking.cache.rows import CacheCheckProgress, CacheCheckReport, CacheState, HitKind, threshold_for
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, as_plain, finish, log, open_workspace, print_json, screen
from rag.costs.rows import money
from rag.text.plurals import counted

app = typer.Typer()
cache_app = typer.Typer(help="Answers that are given again.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")

Target = Annotated[
    float, typer.Option("--target", min=0.0, max=1.0, help="Share of false hits that is acceptable.")
]


@cache_app.command("stats")
@with_tables
def stats(target: Target = 0.01, data: Data = None, as_json: Json = False) -> None:
    """Show how many questions were answered from the cache, what that saved, and how often it was wrong."""
    from rag.costs.usage import record_costs
    from rag.monitoring.cache_check import cache_state

    with open_workspace(data, "cache stats") as workspace:
        record_costs(workspace)
        state = cache_state(workspace)
    chosen = threshold_for(state.choices, target)
    if as_json:
        threshold = as_plain(chosen) if chosen else None
        print_json({**as_plain(state), "hit_rate": state.hit_rate, "safe_threshold": threshold})
        return
    for sentence in _sentences(state):
        screen.print(sentence, highlight=False, soft_wrap=True)
    table = Table("Kind of hit", "Compared with a fresh answer")
    for one in state.false_hits:
        table.add_row(_KINDS[one.kind], one.sentence())
    screen.print(table)
    if state.choices:
        said = (
            f"from a similarity of {chosen.threshold:g} on ({chosen.given:,} compared)"
            if chosen
            else "nowhere yet"
        )
        screen.print(f"Surely at most {100 * target:g} % false: {said}. In use: {state.threshold:g}.")


@cache_app.command("clear")
def clear(
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="Only answers from this collection.", metavar="NAME")
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Forget the stored answers. Traces stay, and so does what is known of earlier hits."""
    from rag.asking.cache.answer_cache import clear_cache

    with open_workspace(data, "cache clear") as workspace:
        count = clear_cache(workspace, collection)
    if as_json:
        print_json({"forgotten": count})
    else:
        screen.print(f"Forgot {counted(count, 'answer')}.")


@cache_app.command("check")
def check(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Hits to compare, at most.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Decides which hits, when there are more.")] = 0,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Answer questions that were answered from the cache afresh, and compare meaning and citations."""
    from rag.monitoring.cache_check import cache_state, check_cache

    with open_workspace(data, "cache check") as workspace:
        report = finish(check_cache(workspace, limit, seed=seed), None if as_json else _show_progress)
        assert isinstance(report, CacheCheckReport)
        state = cache_state(workspace)
    if as_json:
        print_json({**as_plain(report), "false_hits": as_plain(list(state.false_hits))})
        return
    screen.print(report.sentence())
    for one in state.false_hits:
        if one.compared:
            screen.print(f"{_KINDS[one.kind]}: {one.sentence()}", highlight=False, soft_wrap=True)


_KINDS = {
    HitKind.EXACT: "Same question",
    HitKind.SIMILAR: "Similar question",
    HitKind.NEAR: "Similar, not given",
}


def _sentences(state: CacheState) -> list[str]:
    saved = " + ".join(money(amount, currency) for currency, amount in sorted(state.amounts.items()))
    tokens = f"{state.prompt_tokens:,} + {state.completion_tokens:,} tokens"
    unknown = f", and {counted(state.unknown_cost, 'hit')} of unknown cost" if state.unknown_cost else ""
    return [
        f"{counted(state.answers, 'answer')} may be given again.",
        f"{state.how_many()}: {state.exact:,} as the same question, {state.similar:,} as a similar one.",
        f"That saved {state.seconds:,.1f} s, {tokens} and {saved or 'no known cost'}{unknown}.",
    ]


def _show_progress(event: Any) -> None:
    if isinstance(event, CacheCheckProgress) and log.is_terminal:
        log.print(f"comparing {event.done + 1} of {event.total}", end="\r", style="dim")
