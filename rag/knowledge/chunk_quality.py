"""Finds chunks that a person should look at: near-duplicates, and garbled, nearly empty or repeated texts."""

from __future__ import annotations

import json
import re
from collections.abc import Generator

import numpy as np
import numpy.typing as npt
from sqlmodel import Session

from rag.knowledge.collections import content_of, named_version
from rag.knowledge.rows import NearDuplicate, Suspect, SuspectKind, VersionProgress
from rag.storage.store import VERSION_CHUNKS
from rag.storage.tables.knowledge import DatasetVersion
from rag.text.plurals import counted
from rag.workspace import Workspace

NEAR = 0.95  # cosine similarity from which two different texts are called near-duplicates
_BLOCK = 1024
_MOST_PAIRS = 2000
_FEW_WORDS = 4
_BOILERPLATE_DOCUMENTS = 3
_WORD = re.compile(r"\w+")
_RULES = frozenset("|-=_*#+.")  # what tables, lines and tables of contents are drawn with
_ODD = re.compile(r"[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\ue000-\uf8ff]")


def suspicious_chunks(
    workspace: Workspace, collection: str, which: int | str | None = None
) -> Generator[VersionProgress, None, list[Suspect]]:
    """Return the chunks of a version with garbled, hardly any, or repeated text."""
    version = named_version(workspace, collection, which)
    with workspace.store.session() as session:
        repeated = _repeated(session, version)
        rows = (
            session.connection()
            .exec_driver_sql(
                f"""SELECT c.id, c.document_id, d.name, c.place, c.text, c.text_hash {_with_documents()}
                    ORDER BY c.id""",
                (version.id,),
            )
            .fetchall()
        )
    found = []
    for number, row in enumerate(rows):
        if number % 5000 == 0:
            yield VersionProgress("looking", number, len(rows))
        kind, detail = judge_text(row[4])
        if kind is None and row[5] in repeated:
            kind, detail = SuspectKind.BOILERPLATE, f"the same text in {repeated[row[5]]} documents"
        if kind:
            found.append(Suspect(row[0], row[1], row[2], row[3], kind, detail, row[4][:400]))
    return found


def judge_text(text: str) -> tuple[SuspectKind | None, str]:
    """Return what is wrong with a text, and by which figures; (None, "") when nothing is."""
    words = _WORD.findall(text)
    letters = sum(c.isalnum() for c in text)
    odd = len(_ODD.findall(text))
    if odd > 1 and odd * 50 > len(text):
        return SuspectKind.GARBLED, f"{odd} characters that are not text"
    dense = [c for c in text if not c.isspace() and c not in _RULES]
    if len(dense) > 12 and letters < 0.5 * len(dense):
        return SuspectKind.GARBLED, f"{100 * letters / len(dense):.0f} % letters and digits"
    if len(words) < _FEW_WORDS and letters < 20:
        return SuspectKind.NEARLY_EMPTY, counted(len(words), "word")
    latin = [w for w in words if w.isascii() and w.isalpha() and len(w) > 3]
    voiceless = [w for w in latin if not re.search("[aeiouyAEIOUY]", w) and not w.isupper()]
    if len(latin) >= 8 and len(voiceless) > 0.3 * len(latin):
        return SuspectKind.GARBLED, f"{len(voiceless)} of {len(latin)} words without a vowel"
    single = [w for w in words if len(w) == 1 and w.isalpha() and w.isascii()]
    if len(words) >= 12 and len(single) > 0.6 * len(words):
        return SuspectKind.GARBLED, "letters with spaces between them"
    return None, ""


def near_duplicates_of(
    workspace: Workspace, collection: str, chunk_id: int, which: int | str | None = None
) -> list[NearDuplicate]:
    """Return the chunks of a version that are nearly the same as one of them, most similar first."""
    version = named_version(workspace, collection, which)
    content = content_of(workspace, version)
    rows = np.flatnonzero(content.ids == chunk_id)
    if len(rows) == 0:
        return []
    row = int(rows[0])
    with workspace.store.session() as session:
        vectors = content.vectors(session)
        scores = vectors @ vectors[row]
        others = [
            int(i)
            for i in np.argsort(-scores)[:50]
            if scores[i] >= NEAR and content.hashes[i] != content.hashes[row]
        ]
        return _describe(session, [(row, i, float(scores[i])) for i in others], content.ids)


def near_duplicates(
    workspace: Workspace, collection: str, which: int | str | None = None, threshold: float = NEAR
) -> Generator[VersionProgress, None, list[NearDuplicate]]:
    """Return the pairs of different texts with at least this cosine similarity; at most 2,000, best first."""
    version = named_version(workspace, collection, which)
    content = content_of(workspace, version)
    with workspace.store.session() as session:
        vectors = content.vectors(session)
    hashes = np.unique(np.array(content.hashes), return_index=True)[1]  # one row for each distinct text
    pairs: list[tuple[int, int, float]] = []
    for begin in range(0, len(hashes), _BLOCK):
        yield VersionProgress("comparing", begin, len(hashes))
        block = vectors[hashes[begin : begin + _BLOCK]] @ vectors[hashes[begin:]].T
        a, b = np.nonzero(block >= threshold)
        pairs.extend(
            (int(hashes[begin + i]), int(hashes[begin + j]), float(block[i, j]))
            for i, j in zip(a, b, strict=True)
            if j > i
        )
        pairs = sorted(pairs, key=lambda p: -p[2])[:_MOST_PAIRS]
    with workspace.store.session() as session:
        return _describe(session, pairs, content.ids)


def _with_documents() -> str:
    return VERSION_CHUNKS.replace("WHERE", "JOIN document d ON d.id = c.document_id WHERE", 1)


def _repeated(session: Session, version: DatasetVersion) -> dict[str, int]:
    """Return text hash -> number of documents that contain it, from three on."""
    rows = session.connection().exec_driver_sql(
        f"""SELECT c.text_hash, count(DISTINCT c.document_id) AS documents {VERSION_CHUNKS}
            GROUP BY c.text_hash HAVING documents >= ?""",
        (version.id, _BOILERPLATE_DOCUMENTS),
    )
    return {row[0]: row[1] for row in rows}


def _describe(
    session: Session, pairs: list[tuple[int, int, float]], ids: npt.NDArray[np.int64]
) -> list[NearDuplicate]:
    wanted = sorted({int(ids[i]) for a, b, _ in pairs for i in (a, b)})
    rows = session.connection().exec_driver_sql(
        """SELECT c.id, d.name, c.place, c.text FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value
           JOIN document d ON d.id = c.document_id""",
        (json.dumps(wanted),),
    )
    facts = {row[0]: (row[1], row[2], row[3]) for row in rows}
    return [
        NearDuplicate(int(ids[a]), *facts[int(ids[a])], int(ids[b]), *facts[int(ids[b])], score)
        for a, b, score in pairs
    ]
