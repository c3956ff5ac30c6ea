"""Ends an answer before the first of some texts, which whoever asked does not want to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.models.chat_model import GenerationEnd, Token
from rag.models.reasoning import AnswerRestarted, WriteEvent, Written


def ending_at(stop: Sequence[str], events: Iterator[WriteEvent], written: Written) -> Iterator[WriteEvent]:
    """Hand on what a model writes until one of the texts would begin in its answer; the model stops there.

    What may be the beginning of such a text is kept back until it is known. Thinking is handed on as it is.

    Args:
        stop: The texts; none: everything is handed on.
        events: Of rag.models.reasoning.write, which fills in `written`.
        written: What the model has written; its answer is cut where it ends.
    """
    told = 0  # characters of the answer
    held: Token | None = None  # the last token that was not told, or not wholly
    try:
        for event in events:
            if isinstance(event, Token) and not event.is_thinking and stop:
                answer = written.answer
                found = [at for text in stop if (at := answer.find(text)) >= 0]
                end = min(found) if found else len(answer) - _begun(answer, stop)
                held = event
                if end > told:
                    yield replace(event, text=answer[told:end])
                    told = end
                if found:
                    written.answer, written.finish_reason = answer[:end], "stop"
                    return
                continue
            if isinstance(event, AnswerRestarted):
                told, held = 0, None
            elif isinstance(event, GenerationEnd) and held is not None and told < len(written.answer):
                yield replace(held, text=written.answer[told:])
            yield event
    finally:
        if hasattr(events, "close"):
            events.close()


def _begun(answer: str, stop: Sequence[str]) -> int:
    """Return how many characters at the end of an answer may be the beginning of one of the texts."""
    longest = max((len(text) - 1 for text in stop), default=0)
    return next(
        (
            size
            for size in range(min(longest, len(answer)), 0, -1)
            if any(text.startswith(answer[-size:]) for text in stop)
        ),
        0,
    )
