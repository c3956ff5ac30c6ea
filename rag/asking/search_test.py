"""Tries a search without a model: stages, candidates, two searches side by side, and why one is missed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rag.asking.packing import pack, packed_tokens
from rag.asking.retrieval import Retrieval, document_reader, retrieve
from rag.asking.rows import SearchSide, SearchTest, SpanRow, explain_hit
from rag.errors import RagError
from rag.index.rows import Hit
from rag.knowledge.collections import open_version
from rag.knowledge.search_settings import retrieval_of
from rag.settings import RetrievalSettings, Settings, preset, preset_of
from rag.storage.tables.knowledge import DatasetVersion
from rag.text.search_terms import comparable, query_words
from rag.workspace import Workspace


def run_search_test(
    workspace: Workspace,
    collection: str,
    query: str,
    versions: Sequence[int | str | None] = (None,),
    presets: Sequence[str] = ("",),
    previous: str = "",
    looking_for: str = "",
    changes: Mapping[str, Any] | None = None,
) -> SearchTest:
    """Search for a question in one or two ways.

    Args:
        workspace: The open data folder.
        collection: The name of the collection.
        query: The question.
        versions: Number or tag of a dataset version for each side; None: the active one.
        presets: For each side the name of a preset; empty: as the collection is searched.
        previous: The question before, when this one is a follow-up.
        looking_for: Words of a passage that should be found; each side says what became of it.
        changes: Values of single retrieval settings for the first side.

    Raises:
        RagError: The question is empty, or there is no such collection, version, preset or setting.
    """
    if not query.strip():
        raise RagError("The question is empty. Type what to search for.")
    count = max(len(versions), len(presets))
    sides = []
    for number in range(count):
        which = versions[min(number, len(versions) - 1)]
        name = presets[min(number, len(presets) - 1)]
        sides.append(
            _side(
                workspace,
                collection,
                query,
                which,
                name,
                previous,
                looking_for,
                changes if number == 0 else None,
            )
        )
    return SearchTest(query, collection, tuple(sides))


def _side(
    workspace: Workspace,
    collection: str,
    query: str,
    which: int | str | None,
    name: str,
    previous: str,
    looking_for: str,
    changes: Mapping[str, Any] | None,
) -> SearchSide:
    found, version = open_version(workspace, collection, which)
    settings = preset(name) if name else retrieval_of(workspace, found)
    for key, value in (changes or {}).items():
        settings = Settings(retrieval=settings).changed("retrieval", key, value).retrieval
    began = time.perf_counter()
    result = retrieve(workspace, found, version, query, settings, previous)
    milliseconds = (time.perf_counter() - began) * 1000
    hits, notes, tokens = _packed(workspace, version, result, settings)
    explanation = explain_hit(hits, looking_for)
    if looking_for.strip() and not explanation:
        explanation = _explain_miss(workspace, collection, version, result, looking_for, settings)
    return SearchSide(
        preset_of(settings), version.number, tuple(hits),
        tuple(SpanRow(s.name, s.kind, s.start_ms, s.end_ms, s.detail) for s in result.stages),
        (*result.fallbacks, *notes), sum(hit.marker is not None for hit in hits), tokens, milliseconds,
        explanation,
    )  # fmt: skip


def _packed(
    workspace: Workspace, version: DatasetVersion, result: Retrieval, settings: RetrievalSettings
) -> tuple[list[Hit], tuple[str, ...], int]:
    """Return the candidates as they would go into a prompt, counted in the embedder's tokens."""
    tokenizer = workspace.embedder_of(version.embedder, version.embedder_name).tokenizer
    costs: dict[str, int] = {}

    def count(text: str) -> int:
        if text not in costs:
            costs[text] = len(tokenizer.encode(text, add_special_tokens=False).ids)
        return costs[text]

    read_document = document_reader(workspace, version.id or 0)
    packed = pack(
        result.hits, settings, count, settings.context_tokens, read_document, result.query.wants_all
    )
    return list(packed.hits), packed.notes, packed_tokens(packed.hits, count)


def _explain_miss(
    workspace: Workspace,
    collection: str,
    version: DatasetVersion,
    result: Retrieval,
    text: str,
    settings: RetrievalSettings,
) -> str:
    """Say where a passage stands that is no candidate, or that no passage contains the words."""
    content = workspace.content(version.id or 0, version.embedder)
    wanted = comparable(text)
    with workspace.store.session() as session:
        rows = session.connection().exec_driver_sql(
            """SELECT c.id, c.text, c.place, d.name FROM versiondocument vd
               JOIN chunk c ON c.document_id = vd.document_id JOIN document d ON d.id = c.document_id
               WHERE vd.version_id = ?""",
            (version.id,),
        )
        known = {int(chunk_id) for chunk_id in content.ids}
        places = {i: (name, place) for i, chunk, place, name in rows if wanted in comparable(chunk)}
        if not places:
            return f"No passage of version {version.number} contains these words in sequence."
        if not known & set(places):
            return "Only passages that are excluded contain these words."
        question = result.query.question
        embedder = workspace.embedder_of(version.embedder, version.embedder_name, collection)
        vector = workspace.encode([question], embedder)[0]
        dense = content.nearest(session, vector, len(content.ids))
        words = content.search_words(session, query_words(question), len(content.ids), settings.stemming)
    ranks = []
    for name, scored in (("by meaning", dense), ("by words", words)):
        place = next((rank for rank, (i, _) in enumerate(scored, 1) if i in places), None)
        ranks.append(f"{name} it is {f'number {place:,}' if place else 'not found at all'}")
    chunk_id = next(i for i, _ in dense if i in places)
    document, where = places[chunk_id]
    return (
        f"The passage is in {document}{', ' + where if where else ''}, and was no candidate: {ranks[0]} and "
        f"{ranks[1]} of {np.size(content.ids):,}, and the first {settings.candidates} of each are candidates."
    )
