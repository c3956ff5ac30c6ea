"""What differs between two traces, as the view of differences takes it: answer, passages, prompt."""

from __future__ import annotations

from rag.asking.replay.comparison.rows import PassageChange, PassageFate, Piece, TraceComparison
from rag.index.rows import Hit
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow

ANSWER, PASSAGES, PROMPT = "Answer", "Passages", "Prompt"
PARTS = (ANSWER, PASSAGES, PROMPT)


def changes_in(found: TraceComparison, part: str) -> list[ChunkChange]:
    """Return the changes of one part of a comparison, in its order."""
    if part == PASSAGES:
        return [_of_passage(one) for one in found.passages]
    if part == PROMPT:
        return [_of_piece(piece, "") for piece in found.prompt]
    return [_of_piece(found.answer, ANSWER), *_of_claims(found)]


def _of_claims(found: TraceComparison) -> list[ChunkChange]:
    """Return the sentences whose verdict is another one, or that only one answer has."""
    made = []
    for one in found.claims:
        if not one.is_changed:
            continue
        first = one.first and _piece(one.first.text, one.first.verdict.words)
        second = one.second and _piece(one.second.text, one.second.verdict.words)
        if first and second:
            same = (("equal", first.text, first.text),) if first.text == second.text else ()
            words = same or (("replace", first.text, second.text),)
            made.append(ChunkChange(ChunkChangeKind.CHANGED, first, second, words))
        else:
            kind = ChunkChangeKind.REMOVED if first else ChunkChangeKind.ADDED
            made.append(ChunkChange(kind, first or None, second or None))
    return made


def _of_passage(one: PassageChange) -> ChunkChange:
    first, second = (hit and _piece(hit.text, _named(hit)) for hit in (one.first, one.second))
    if one.fate is PassageFate.MOVED and first and second:
        same = ((("equal", first.text, second.text)),)
        return ChunkChange(ChunkChangeKind.CHANGED, first, second, same)
    kinds = {PassageFate.CAME: ChunkChangeKind.ADDED, PassageFate.WENT: ChunkChangeKind.REMOVED}
    return ChunkChange(kinds.get(one.fate, ChunkChangeKind.SAME), first or None, second or None)


def _of_piece(piece: Piece, head: str) -> ChunkChange:
    first = None if piece.first is None else _piece(piece.first, head)
    second = None if piece.second is None else _piece(piece.second, head)
    if piece.is_same:
        return ChunkChange(ChunkChangeKind.SAME, first, second)
    if first is not None and second is not None:
        return ChunkChange(ChunkChangeKind.CHANGED, first, second, piece.words)
    return ChunkChange(ChunkChangeKind.REMOVED if first else ChunkChangeKind.ADDED, first, second)


def _named(hit: Hit) -> str:
    return f"[{hit.marker}] {hit.document} {hit.place}".strip()


def _piece(text: str, head: str) -> ChunkRow:
    return ChunkRow(0, 0, 0, len(text), text, 0, head)
