"""Chooses the passages that go into the prompt, within a budget of tokens.

Every candidate that is left out keeps the reason, and what is put in besides the candidates says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.index.rows import Hit
from rag.settings import RetrievalSettings
from rag.text.citations import markers_of

# A document goes in whole when two of the best candidates are of it and it takes no more than a share of the
# budget: measured, a bigger share pushes out the passages of other documents (2 of 80 questions lost).
_BEST = 4
_SHARE = 0.5

CountTokens = Callable[[str], int]
ReadDocument = Callable[[int], Sequence[Hit]]  # all chunks of a document, in order


@dataclass(frozen=True)
class Packed:
    """The candidates with their markers or reasons, and what a person should know of the choice.

    Attributes:
        hits: The candidates, then the chunks that were put in besides them.
        notes: Sentences for the trace.
    """

    hits: tuple[Hit, ...]
    notes: tuple[str, ...] = ()


def pack(
    hits: Sequence[Hit],
    settings: RetrievalSettings,
    count_tokens: CountTokens,
    budget: int,
    read_document: ReadDocument | None = None,
    wants_all: bool = False,
) -> Packed:
    """Number the passages that go into the prompt, best first, and give each other hit its reason.

    Args:
        hits: Candidates, best first.
        settings: How many passages, and what goes in besides the candidates.
        count_tokens: Counts in the model's tokens.
        budget: Tokens of the model for all passages together, headings included.
        read_document: Returns the chunks of a document; without it nothing is put in besides the candidates.
        wants_all: Whether the question asks for everything of a kind.
    """
    order = list(hits)
    if read_document is not None:
        order = _with_context(order, settings, count_tokens, budget, read_document, wants_all)
    packed: list[Hit] = []
    used = 0
    result = []
    for hit in order:
        if hit.dropped is None:
            reason = _overlap(hit, packed)
            if reason is None and len(packed) >= settings.max_passages:
                reason = f"beyond {settings.max_passages} passages"
            if reason is None:
                cost = _cost(hit, len(packed) + 1, count_tokens)
                if used + cost > budget:
                    reason = f"{cost} tokens do not fit into the {budget - used} left"
                else:
                    used += cost
                    hit = replace(hit, marker=len(packed) + 1)
                    packed.append(hit)
            if reason is not None:
                hit = replace(hit, dropped=reason)
        result.append(hit)
    notes = _what_is_missing(packed, read_document) if wants_all and read_document and packed else []
    result.sort(key=lambda hit: hit.rank)
    return Packed(tuple(result), tuple(notes))


def _with_context(
    hits: list[Hit],
    settings: RetrievalSettings,
    count_tokens: CountTokens,
    budget: int,
    read_document: ReadDocument,
    wants_all: bool,
) -> list[Hit]:
    """Return the candidates in the order of packing, with the chunks that belong to them."""
    live = [hit for hit in hits if hit.dropped is None]
    groups: dict[int, list[Hit]] = {}  # by the chunk that brings them
    if settings.whole_documents and live:
        often = Counter(hit.document_id for hit in live[:_BEST])
        for document_id, count in often.items():
            first = next(hit for hit in live if hit.document_id == document_id)
            asked_for = wants_all and document_id == live[0].document_id
            if count < 2 and not asked_for:
                continue
            chunks = read_document(document_id)
            cost = sum(_cost(chunk, 1, count_tokens) for chunk in chunks)
            if cost <= budget * (1 if asked_for else _SHARE):
                # A list is read in its order; otherwise the passage that answers stays the first.
                whole = chunks if asked_for else [first, *(c for c in chunks if c.chunk_id != first.chunk_id)]
                groups[first.chunk_id] = _joined(whole, hits, "the whole document fits")
            elif asked_for:
                groups[first.chunk_id] = _joined(_around(chunks, first), hits, "the question asks for a list")
    if settings.neighbours:
        for hit in live[:_BEST]:
            if hit.chunk_id not in groups:
                near = _near(read_document(hit.document_id), hit, settings.neighbours)
                groups[hit.chunk_id] = _joined(near, hits, f"next to candidate {hit.rank}")
    if not groups:
        return hits
    order: dict[int, Hit] = {}
    for hit in hits:
        for one in groups.get(hit.chunk_id, [hit]):
            order.setdefault(one.chunk_id, one)
    return _ranked(list(order.values()), hits)


def _joined(chunks: Sequence[Hit], hits: Sequence[Hit], why: str) -> list[Hit]:
    """Return chunks as candidates: those that are ones already as they are, the others with the reason."""
    known = {hit.chunk_id: hit for hit in hits}
    return [known.get(chunk.chunk_id) or replace(chunk, moves=(f"put in: {why}",)) for chunk in chunks]


def _ranked(order: list[Hit], hits: Sequence[Hit]) -> list[Hit]:
    """Give the chunks that were no candidates ranks behind those of the candidates."""
    last = max((hit.rank for hit in hits), default=0)
    known = {hit.chunk_id for hit in hits}
    added = {hit.chunk_id: last + n for n, hit in enumerate((h for h in order if h.chunk_id not in known), 1)}
    return [replace(hit, rank=added[hit.chunk_id]) if hit.chunk_id in added else hit for hit in order]


def _around(chunks: Sequence[Hit], first: Hit) -> list[Hit]:
    """Return the chunks of the same place as the first hit, then the others, each in order.

    A table is one place, so that its rows come before the rest of the document.
    """
    own = [
        chunk for chunk in chunks if (chunk.place, chunk.place_number) == (first.place, first.place_number)
    ]
    return [*own, *(chunk for chunk in chunks if chunk not in own)]


def _near(chunks: Sequence[Hit], hit: Hit, count: int) -> list[Hit]:
    place = next((n for n, chunk in enumerate(chunks) if chunk.chunk_id == hit.chunk_id), None)
    return [hit] if place is None else list(chunks[max(0, place - count) : place + count + 1])


def _what_is_missing(packed: Sequence[Hit], read_document: ReadDocument) -> list[str]:
    """Say when a question for a list is answered from a part of the document that it is about."""
    document = packed[0]
    chunks = read_document(document.document_id)
    seen = {hit.chunk_id for hit in packed}
    shown = sum(chunk.chunk_id in seen for chunk in chunks)
    if shown == len(chunks):
        return []
    return [
        f"the question asks for a list, and the model sees {shown} of {len(chunks)} passages of "
        f"{document.document}: the answer may be incomplete"
    ]


def packed_tokens(hits: Sequence[Hit], count_tokens: CountTokens) -> int:
    """Return the tokens of all passages that go into the prompt, with their headings."""
    return sum(_cost(hit, hit.marker, count_tokens) for hit in hits if hit.marker is not None)


def _cost(hit: Hit, marker: int, count_tokens: CountTokens) -> int:
    return count_tokens(f"[{marker}] {hit.document}, {hit.place}\n{hit.text}\n\n")


def _overlap(hit: Hit, packed: Sequence[Hit]) -> str | None:
    for other in packed:
        if other.text == hit.text:
            return f"same text as [{other.marker}]"
        if other.document_id == hit.document_id:
            shared = min(other.end, hit.end) - max(other.start, hit.start)
            if shared * 2 > hit.end - hit.start:
                return f"mostly inside [{other.marker}]"
    return None


def citations(answer: str, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return the passages that were in the prompt, as a reader of the answer may cite them."""
    cited = markers_of(answer)
    return [
        {
            "marker": hit.marker,
            "cited": hit.marker in cited,
            "document": hit.document,
            "path": hit.path,
            "place": hit.place,
            "page": hit.place_number if hit.place_kind == "page" else None,
            "start": hit.start,
            "end": hit.end,
            "text": hit.text,
        }
        for hit in sorted((h for h in hits if h.marker is not None), key=lambda h: h.marker or 0)
    ]
