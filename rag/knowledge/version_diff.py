"""Compares two dataset versions: documents, then the chunks of a document, then the words of a chunk.

Reads through rag.storage.database alone, so that the window and the command line use the same. A document is
known by its source; one whose file moved is known by its content.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence

from rag.knowledge.rows import (
    ChunkChange,
    ChunkChangeKind,
    ChunkRow,
    DocumentChange,
    DocumentChangeKind,
    VersionDiff,
    VersionDocumentRow,
    find_documents_of_chunks,
    get_version,
    list_chunks,
    list_version_documents,
    read_chunk_texts,
    read_exclusions,
)
from rag.storage.database import Database
from rag.text.word_diff import word_diff

_SIMILAR = 0.25  # share of words that two chunks have in common to be shown as one that changed
_MOST_PAIRS = 40_000


def diff_versions(database: Database, old_version_id: int, new_version_id: int) -> VersionDiff:
    """Return what came, went and changed from the old version to the new one."""
    old_version, new_version = get_version(database, old_version_id), get_version(database, new_version_id)
    old = {row.id: row for row in list_version_documents(database, old_version_id)}
    new = {row.id: row for row in list_version_documents(database, new_version_id)}
    old_excluded = read_exclusions(database, old_version_id)
    new_excluded = read_exclusions(database, new_version_id)
    toggled = find_documents_of_chunks(
        database, [i for i in {*old_excluded, *new_excluded} if old_excluded.get(i) != new_excluded.get(i)]
    )
    pairs = _pair([d for i, d in old.items() if i not in new], [d for i, d in new.items() if i not in old])
    same = [(old[i], new[i]) for i in old if i in new]
    differing = [(a, b) for a, b in same if a.attributes != b.attributes or a.id in toggled]
    touched = [row.id for pair in (*pairs, *differing) for row in pair if row is not None]
    texts = read_chunk_texts(database, list(dict.fromkeys(touched)))
    changes = [_document_change(a, b, texts, old_excluded, new_excluded) for a, b in (*pairs, *differing)]
    order = list(DocumentChangeKind)
    changes.sort(key=lambda c: (order.index(c.kind), c.name.casefold(), c.source))
    return VersionDiff(
        old_version.number,
        new_version.number,
        tuple(changes),
        len(same) - len(differing),
        old_version.embedder != new_version.embedder,
        old_version.chunking != new_version.chunking,
    )


def diff_document(
    database: Database, old_version_id: int, new_version_id: int, old_id: int | None, new_id: int | None
) -> tuple[ChunkChange, ...]:
    """Return the chunks of one document in both versions, in order, with the words of those that changed.

    Args:
        database: The file.
        old_version_id: The version to compare with.
        new_version_id: The version to compare.
        old_id: The document in the old version; None when that does not have it.
        new_id: The document in the new version; None when that does not have it.
    """
    old_excluded = read_exclusions(database, old_version_id)
    new_excluded = read_exclusions(database, new_version_id)
    old = list_chunks(database, old_id) if old_id is not None else []
    new = list_chunks(database, new_id) if new_id is not None else []
    matcher = difflib.SequenceMatcher(None, [c.text for c in old], [c.text for c in new], autojunk=False)
    found: list[ChunkChange] = []
    for operation, a0, a1, b0, b1 in matcher.get_opcodes():
        if operation == "equal":
            found.extend(
                _same_chunk(a, b, old_excluded.get(a.id), new_excluded.get(b.id))
                for a, b in zip(old[a0:a1], new[b0:b1], strict=True)
            )
        else:
            found.extend(_align(old[a0:a1], new[b0:b1]))
    return tuple(found)


def _pair(
    old: Sequence[VersionDocumentRow], new: Sequence[VersionDocumentRow]
) -> list[tuple[VersionDocumentRow | None, VersionDocumentRow | None]]:
    """Pair revisions of one source, then the same contents; what is left has no counterpart."""
    pairs: list[tuple[VersionDocumentRow | None, VersionDocumentRow | None]] = []
    left_new = {row.source: row for row in new}
    left_old = []
    for row in old:
        match = left_new.pop(row.source, None)
        if match is None:
            left_old.append(row)
        else:
            pairs.append((row, match))
    by_content: dict[str, list[VersionDocumentRow]] = {}
    for row in left_new.values():
        by_content.setdefault(row.sha256, []).append(row)
    for row in left_old:
        candidates = by_content.get(row.sha256)
        pairs.append((row, candidates.pop(0) if candidates else None))
    pairs.extend((None, row) for rows in by_content.values() for row in rows)
    return pairs


def _document_change(
    old: VersionDocumentRow | None,
    new: VersionDocumentRow | None,
    texts: dict[int, list[tuple[int, str, int]]],
    old_excluded: dict[int, str],
    new_excluded: dict[int, str],
) -> DocumentChange:
    """Return what happened to a document, with the counts of its chunks."""
    before = _counted(texts.get(old.id, []) if old else [], old_excluded)
    after = _counted(texts.get(new.id, []) if new else [], new_excluded)
    tokens = {text_hash: count for row in (old, new) if row for _, text_hash, count in texts.get(row.id, [])}
    came, went = after - before, before - after
    shown = new or old
    assert shown is not None
    return DocumentChange(
        kind=_kind(old, new),
        name=shown.name,
        source=shown.source,
        old_source=old.source if old else "",
        old_id=old.id if old else None,
        new_id=new.id if new else None,
        chunks_added=sum(came.values()),
        chunks_removed=sum(went.values()),
        tokens_added=sum(tokens[h] * n for h, n in came.items()),
        tokens_removed=sum(tokens[h] * n for h, n in went.items()),
        old_attributes=old.attributes if old else "",
        new_attributes=new.attributes if new else "",
    )


def _kind(old: VersionDocumentRow | None, new: VersionDocumentRow | None) -> DocumentChangeKind:
    if old is None:
        return DocumentChangeKind.ADDED
    if new is None:
        return DocumentChangeKind.REMOVED
    if old.id == new.id:
        metadata = old.attributes != new.attributes
        return DocumentChangeKind.METADATA if metadata else DocumentChangeKind.EXCLUDED
    if old.sha256 != new.sha256:
        return DocumentChangeKind.CHANGED
    moved = old.source != new.source
    return DocumentChangeKind.MOVED if moved else DocumentChangeKind.RECHUNKED


def _counted(chunks: Iterable[tuple[int, str, int]], excluded: dict[int, str]) -> Counter[str]:
    return Counter(text_hash for chunk_id, text_hash, _ in chunks if chunk_id not in excluded)


def _same_chunk(old: ChunkRow, new: ChunkRow, was: str | None, now: str | None) -> ChunkChange:
    if (was is None) == (now is None):
        return ChunkChange(ChunkChangeKind.SAME, old, new)
    if now is None:
        return ChunkChange(ChunkChangeKind.INCLUDED, old, new, reason=was or "")
    return ChunkChange(ChunkChangeKind.EXCLUDED, old, new, reason=now)


def _align(old: Sequence[ChunkRow], new: Sequence[ChunkRow]) -> list[ChunkChange]:
    """Pair similar chunks in order, so that the sum of their similarities is greatest."""
    found: list[ChunkChange] = []
    a = b = 0
    for x, y in _best_pairs(old, new):
        found.extend(ChunkChange(ChunkChangeKind.REMOVED, chunk, None) for chunk in old[a:x])
        found.extend(ChunkChange(ChunkChangeKind.ADDED, None, chunk) for chunk in new[b:y])
        found.append(
            ChunkChange(ChunkChangeKind.CHANGED, old[x], new[y], word_diff(old[x].text, new[y].text))
        )
        a, b = x + 1, y + 1
    found.extend(ChunkChange(ChunkChangeKind.REMOVED, chunk, None) for chunk in old[a:])
    found.extend(ChunkChange(ChunkChangeKind.ADDED, None, chunk) for chunk in new[b:])
    return found


def _best_pairs(old: Sequence[ChunkRow], new: Sequence[ChunkRow]) -> list[tuple[int, int]]:
    """Return the places of paired chunks, by dynamic programming over both sides."""
    if not old or not new:
        return []
    if len(old) * len(new) > _MOST_PAIRS:  # too many to compare each with each: go by the order
        return [(n, n) for n in range(min(len(old), len(new)))]
    words = [[set(chunk.text.lower().split()) for chunk in side] for side in (old, new)]
    width = len(new) + 1
    best = [[0.0] * width for _ in range(len(old) + 1)]
    for x in range(len(old) - 1, -1, -1):
        for y in range(len(new) - 1, -1, -1):
            paired = _similarity(words[0][x], words[1][y])
            together = best[x + 1][y + 1] + paired if paired >= _SIMILAR else 0.0
            best[x][y] = max(together, best[x + 1][y], best[x][y + 1])
    pairs, x, y = [], 0, 0
    while x < len(old) and y < len(new):
        paired = _similarity(words[0][x], words[1][y])
        if paired >= _SIMILAR and best[x][y] == best[x + 1][y + 1] + paired:
            pairs.append((x, y))
            x, y = x + 1, y + 1
        elif best[x][y] == best[x + 1][y]:
            x += 1
        else:
            y += 1
    return pairs


def _similarity(a: set[str], b: set[str]) -> float:
    """Return the Jaccard index of two sets of words."""
    return len(a & b) / max(len(a | b), 1)
