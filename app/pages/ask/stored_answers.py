"""Fills cards with stored answers, by the same events by which they came."""

from __future__ import annotations

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.cards.blind_card import BlindCard
from app.shared.source_panel import SourcePanel
from rag.asking.rows import (
    AskResult,
    ClaimsChecked,
    RetrievalDone,
    Stage,
    StageStarted,
    TokenStreamed,
    TraceDetail,
    TraceStatus,
    get_trace,
)
from rag.review.rows import BlindResult, open_pair

_ENDS = {
    TraceStatus.CANCELLED: "Stopped. The trace contains the answer up to here.",
    TraceStatus.INTERRUPTED: "The program ended before the answer was complete.",
    TraceStatus.RUNNING: "This question is still being answered. Open the session again to see its answer.",
}


def stored_card(console: Console, trace_id: str, sources: SourcePanel) -> AnswerCard | BlindCard:
    """Return the card of a question as it was when its answer had come.

    A blind comparison that nobody has decided is a blind card again: which pipeline gave which is not told.
    """
    trace = get_trace(console.database, trace_id)
    pair = open_pair(console.database, trace_id)
    if pair is not None:
        both = [get_trace(console.database, found) for found in pair[1:]]
        blind = BlindCard(console, trace.question, sources)
        for one in both:
            _replay(blind, one)
        if all(one.status.is_complete for one in both):
            blind.finish(BlindResult(pair[0], trace.session_id, _result(both[0]), _result(both[1])))
        else:
            blind.stop("The comparison was not completed.", False)
        return blind
    card = AnswerCard(console, trace.question, sources)
    _replay(card, trace)
    if trace.status.is_complete:
        card.finish(_result(trace), opens_source=False)
    else:
        card.stop(_ENDS.get(trace.status, trace.error), trace.status.is_failure)
    return card


def _replay(card: AnswerCard | BlindCard, trace: TraceDetail) -> None:
    card.handle(StageStarted(trace.id, Stage.SEARCH))
    if trace.version_number is not None:
        card.handle(
            RetrievalDone(
                trace.id, trace.hits, trace.passage_count, trace.passage_documents, trace.searched_chunks,
                trace.searched_documents,
            )
        )  # fmt: skip
    if trace.thinking:
        card.handle(TokenStreamed(trace.id, trace.thinking, trace.thinking_tokens, is_thinking=True))
    if trace.answer:
        card.handle(TokenStreamed(trace.id, trace.answer, trace.completion_tokens))
    if trace.claims or trace.check_error:
        card.handle(
            ClaimsChecked(
                trace.id, trace.claims, trace.check_ms or 0.0, trace.outcome, trace.support_rate,
                trace.check_error,
            )
        )  # fmt: skip


def _result(trace: TraceDetail) -> AskResult:
    return AskResult(trace.id, trace.session_id, trace.status, trace.answer, trace.fallbacks)
