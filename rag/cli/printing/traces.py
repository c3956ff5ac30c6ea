"""Prints what is stored about one question."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from rag.asking.cascades.rows import CascadeStepRow
from rag.asking.rows import TraceDetail
from rag.cli.terminal import plain, screen
from rag.models.endpoints.rows import Usage
from rag.text.plurals import counted


def print_trace(detail: TraceDetail, steps: Sequence[CascadeStepRow]) -> None:
    """Print a trace: its answer, the steps of its cascade, stages, flags, candidates and the exact prompt."""
    screen.print(f"[bold]{plain(detail.question)}[/bold]")
    if detail.thinking:
        screen.print(f"thinking ({counted(detail.thinking_tokens, 'token')}):", style="dim")
        screen.print(plain(detail.thinking), style="dim")
    screen.print(plain(detail.answer or detail.error))
    screen.print(
        f"\n{detail.state}  {plain(detail.collection)} version {detail.version_number}  "
        f"{plain(detail.model)}  "
        f"{detail.prompt_tokens} prompt ({detail.cached_tokens} cached) + {detail.completion_tokens} tokens"
        + (f", {detail.thinking_tokens} of thinking before" if detail.thinking_tokens else "")
        + (" by our own count: usage unknown" if detail.usage is Usage.UNKNOWN else "")
    )
    if detail.endpoint:
        served = f"{detail.served_model} {detail.system_fingerprint}".strip() or "not told"
        where = f", sent to {detail.sent_to}" if detail.sent_to else ""
        screen.print(f"endpoint {plain(detail.endpoint)}{plain(where)}; served model {plain(served)}")
    if detail.explained:
        screen.print(plain(detail.explained))
    _print_steps(steps)
    for span in detail.spans:
        screen.print(
            f"  {span.start_ms:8.1f} ms  {span.end_ms - span.start_ms:8.1f} ms  {span.name} "
            f"{plain(span.detail)}"
        )
    for claim in detail.claims:
        screen.print(
            f"  {claim.verdict:14} {claim.score if claim.score is not None else '':<6.4} {plain(claim.text)}"
        )
    table = Table("Rank", "Document", "Place", "Dense", "BM25", "Fused", "In the prompt")
    for hit in detail.hits:
        table.add_row(
            str(hit.rank),
            plain(hit.document),
            plain(hit.place),
            rank_text(hit.dense_rank, hit.dense_score),
            rank_text(hit.bm25_rank, hit.bm25_score),
            f"{hit.fused_score:.4f}",
            f"[bold]\\[{hit.marker}][/bold]" if hit.marker else plain(hit.dropped or "not packed"),
        )
    screen.print(table)
    screen.print("Prompt as sent:", style="bold")
    screen.print(plain(detail.prompt), style="dim")


def rank_text(rank: int | None, score: float | None) -> str:
    """Return a rank with its score, as a table shows it."""
    shown = "–" if rank is None else f"#{rank}"
    return shown if score is None else f"{shown} {score:.3f}"


def _print_steps(steps: Sequence[CascadeStepRow]) -> None:
    for step in steps:
        what = "its answer was given" if step.is_given else f"not given: {step.reason}"
        screen.print(plain(f"step {step.position} {step.name}: {what} (trace {step.trace_id[:8]})"))
        if not step.is_given:
            screen.print(plain(step.answer), style="dim")
