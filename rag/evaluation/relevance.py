"""Finds the chunks of a dataset version that the judgements of a case are about.

A judgement is about characters of a document. Documents change, and files of other tools name them
differently, so a quoted passage is looked for where it should be, then in its document, then everywhere. One
that is found nowhere is stale: it is reported, and not counted as missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.evaluation.cases import Judgement
from rag.evaluation.metrics import Passage, project
from rag.storage.store import VERSION_CHUNKS, Store


@dataclass(frozen=True)
class Relevance:
    """The judgements of one case, found in one dataset version.

    Attributes:
        grades: The grade of each chunk, by its id.
        judgements: Those that were found, with the source path and the place in this version.
        stale: Those that were not.
    """

    grades: dict[int, int]
    judgements: tuple[Judgement, ...]
    stale: tuple[Judgement, ...]


@dataclass(frozen=True)
class JudgedDocument:
    """A document of a dataset version."""

    id: int
    source: str
    name: str


class JudgedVersion:
    """A dataset version that is read once for the judgements of many cases."""

    def __init__(self, store: Store, version_id: int) -> None:
        self._store = store
        with store.session() as session:
            raw = session.connection()
            documents = raw.exec_driver_sql(
                """SELECT d.id, d.source, d.name FROM versiondocument vd
                   JOIN document d ON d.id = vd.document_id WHERE vd.version_id = ? ORDER BY d.id""",
                (version_id,),
            ).fetchall()
            chunks = raw.exec_driver_sql(
                f'SELECT c.id, c.document_id, c.start, c."end" {VERSION_CHUNKS} ORDER BY c.id', (version_id,)
            ).fetchall()
        self.documents = [JudgedDocument(*row) for row in documents]
        named = {document.id: document for document in self.documents}
        self._chunks: dict[int, list[Passage]] = {document.id: [] for document in self.documents}
        for chunk_id, document_id, start, end in chunks:
            document = named[document_id]
            passage = Passage(chunk_id, document.name, document.source, start, end)
            self._chunks[document_id].append(passage)
        self._texts: dict[int, str] = {}

    def relevance(self, judgements: Iterable[Judgement]) -> Relevance:
        """Return the grades of all chunks that the judgements are about, retrieved or not."""
        grades: dict[int, int] = {}
        found: list[Judgement] = []
        stale: list[Judgement] = []
        for judgement in judgements:
            places = self._places(judgement)
            if not places:
                stale.append(judgement)
            for document, place in places:
                found.append(place)
                for chunk_id, grade in project([place], self._chunks[document.id]).items():
                    grades[chunk_id] = max(grade, grades.get(chunk_id, grade))
        return Relevance(grades, tuple(found), tuple(stale))

    def text(self, document: JudgedDocument) -> str:
        """Return the text of a document, which is read once."""
        if document.id not in self._texts:
            with self._store.session() as session:
                row = session.connection().exec_driver_sql(
                    "SELECT text FROM document WHERE id = ?", (document.id,)
                )
                self._texts[document.id] = str(row.scalar_one())
        return self._texts[document.id]

    def _places(self, judgement: Judgement) -> list[tuple[JudgedDocument, Judgement]]:
        """Return where it is in this version: all documents of its name, or the first with its quote."""
        own = [d for d in self.documents if judgement.document and judgement.document in (d.source, d.name)]
        here = [(d, place) for d in own if (place := self._in_document(judgement, d)) is not None]
        if here or not judgement.quote:
            return here
        for document in self.documents:
            place = self._quoted(judgement, document)
            if place is not None:
                return [(document, place)]
        return []

    def _in_document(self, judgement: Judgement, document: JudgedDocument) -> Judgement | None:
        if judgement.start is None or judgement.end is None:
            if judgement.quote:
                return self._quoted(judgement, document)
            return judgement.model_copy(update={"document": document.source})
        text = self.text(document)
        there = text[judgement.start : judgement.end]
        if not judgement.quote:
            inside = judgement.end <= len(text)
            return judgement.model_copy(update={"document": document.source}) if inside else None
        if there.split() == judgement.quote.split():
            return judgement.model_copy(update={"document": document.source})
        return self._quoted(judgement, document)

    def _quoted(self, judgement: Judgement, document: JudgedDocument) -> Judgement | None:
        span = find_quote(self.text(document), judgement.quote)
        if span is None:
            return None
        return judgement.model_copy(update={"document": document.source, "start": span[0], "end": span[1]})


def find_quote(text: str, quote: str) -> tuple[int, int] | None:
    """Return the characters [start, end) of a text that are the quote, whatever the white space."""
    words: Sequence[str] = quote.split()
    if not words:
        return None
    begin = text.find(quote.strip())
    if begin >= 0:
        return begin, begin + len(quote.strip())
    if words[0] not in text or words[-1] not in text:  # most documents: not worth a pattern
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), text)
    return match.span() if match else None
