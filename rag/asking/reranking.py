"""Orders the first candidates again by a closer look at each: late interaction, or a cross-encoder.

What comes out is fused with the order before by reciprocal ranks: measured, that is better than the
scores alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.index.rows import Hit
from rag.models.embedding import Embedder
from rag.settings import RetrievalSettings
from rag.storage.store import Vectors, chunk_tokens
from rag.workspace import Workspace


def rerank(
    workspace: Workspace,
    embedder: Embedder,
    hits: Sequence[Hit],
    question: str,
    tokens: Sequence[Vectors],
    settings: RetrievalSettings,
) -> list[Hit]:
    """Return the hits with the first ones in a new order, and with what moved them.

    Args:
        workspace: The open data folder.
        embedder: What made the version's vectors.
        hits: Candidates, best first.
        question: What a cross-encoder reads.
        tokens: Vectors of the tokens of each text that was searched for; the best of them counts.
        settings: Which way, and how many are looked at.

    Raises:
        RagError: The cross-encoder is not available.
    """
    head = list(hits[: settings.rerank_count])
    if settings.rerank == "cross-encoder":
        scores = workspace.cross_encoder(settings.cross_encoder).scores(question, [hit.text for hit in head])
    else:
        scores = late_interaction(workspace, embedder, tokens, head)
    by_score = sorted(range(len(head)), key=lambda place: (-scores[place], place))
    rank = {place: number for number, place in enumerate(by_score, 1)}
    k = settings.rrf_k
    fused = [1 / (k + place + 1) + 1 / (k + rank[place]) for place in range(len(head))]
    moved = []
    for after, place in enumerate(sorted(range(len(head)), key=lambda place: (-fused[place], place)), 1):
        hit = replace(head[place], rerank_score=round(scores[place], 6))
        if after != place + 1:
            how = f"{settings.rerank} {scores[place]:.2f}: from {place + 1} to {after}"
            hit = replace(hit, moves=(*hit.moves, how))
        moved.append(hit)
    return [*moved, *hits[len(head) :]]


def late_interaction(
    workspace: Workspace, embedder: Embedder, asked: Sequence[Vectors], hits: Sequence[Hit]
) -> list[float]:
    """Return for each hit the mean over asked tokens (m, d) of the highest cosine with one of its own.

    That is ColBERT's MaxSim (Khattab, Zaharia 2020) divided by the number of tokens, with token vectors of
    the embedder, which was not trained for it. Of several texts the highest counts. Token vectors that are
    not stored are made now.
    """
    with workspace.store.session() as session:
        known = chunk_tokens(session, embedder.fingerprint, [hit.chunk_id for hit in hits])
    missing = [hit for hit in hits if hit.chunk_id not in known]
    if missing:
        _, made = workspace.encode_with_tokens([hit.text for hit in missing], embedder)
        known.update(zip((hit.chunk_id for hit in missing), made, strict=True))
    return [
        max(float((tokens @ known[hit.chunk_id].T).max(axis=1).mean()) for tokens in asked) for hit in hits
    ]
