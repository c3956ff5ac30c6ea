"""Loads the content of a dataset version as arrays, and searches it exactly.

A version never changes, so what was loaded once stays right. Both searches depend on the version alone: the
same question finds the same passages in it whatever was added elsewhere since.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlmodel import Session

from rag.errors import RagError
from rag.storage.store import Store, Vectors, version_texts
from rag.text.search_terms import indexed_text

_KEPT = 3  # versions; vectors are kept of the last one alone: 50,000 of 384 dimensions are 77 MB
_KEPT_WORDS = 200
_K1, _B = 1.2, 0.75
_SHORTEST_CORRECTION = 3  # letters
_MOST_COUNTED = 4095  # occurrences of a word in one chunk

Scored = list[tuple[int, float]]
Rows = npt.NDArray[np.int32]
Counts = npt.NDArray[np.float32]


class VersionContent:
    """The chunks of a version that are not excluded, n of them by ascending id.

    Attributes:
        embedder: Fingerprint of the embedder of the vectors.
        hashes: The text hash of each chunk.
        ids: Chunk ids (n,).
        token_counts: Tokens of each chunk (n,).
    """

    def __init__(self, session: Session, version_id: int, embedder: str) -> None:
        rows = version_texts(session, version_id)
        self.embedder = embedder
        self.hashes = [row[1] for row in rows]
        self.ids = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
        self.token_counts = np.fromiter((row[2] for row in rows), dtype=np.float64, count=len(rows))
        self._vectors: Vectors | None = None
        self._postings: dict[tuple[str, ...], tuple[Rows, Counts]] = {}
        self._vocabulary: dict[str, int] | None = None

    def vectors(self, session: Session) -> Vectors:
        """Return the vectors (n, dimension), loaded when they are first needed.

        Raises RagError when one is missing.
        """
        if self._vectors is None:
            self._vectors = _load_vectors(session, self.hashes, self.embedder)
        return self._vectors

    def forget_vectors(self) -> None:
        """Free the memory of the vectors; they are loaded again when they are needed."""
        self._vectors = None

    def nearest(self, session: Session, vector: Vectors, count: int) -> Scored:
        """Return (chunk id, cosine) of the chunks most similar to a vector (dimension,), best first."""
        return nearest(self.ids, self.vectors(session), vector, count) if len(self.ids) else []

    def search_words(
        self, session: Session, words: Sequence[str], count: int, stemming: bool = False
    ) -> Scored:
        """Return (chunk id, score) of the best chunks by BM25, best first.

        Robertson, Zaragoza 2009; the idf is Lucene's, which is never negative.

        Document frequencies and lengths are those of this version; a length is in the embedder's tokens.
        FTS5's own bm25() counts all versions of all collections: its order would change with every ingest.

        Args:
            session: An open transaction.
            words: What is searched for; a word that FTS5 splits is searched for as a phrase.
            count: The most chunks to return.
            stemming: Whether words of one stem count as one word: see `same_stem`.
        """
        if len(self.ids) == 0:
            return []
        lengths = self.token_counts / max(float(self.token_counts.mean()), 1.0)
        scores = np.zeros(len(self.ids))
        seen: set[str] = set()
        for tokens in fts_tokens(words):
            if stemming and len(tokens) == 1:
                stem = stems([tokens[0]])[0]
                if stem in seen:
                    continue  # "backup" and "backups" in one question are one word
                seen.add(stem)
            rows, counts = self.occurrences(session, tokens, stemming)
            if len(rows) == 0:
                continue
            idf = np.log1p((len(self.ids) - len(rows) + 0.5) / (len(rows) + 0.5))
            norm = _K1 * (1 - _B + _B * lengths[rows])
            scores[rows] += idf * counts * (_K1 + 1) / (counts + norm)
        found = np.flatnonzero(scores)
        if len(found) > count:
            found = found[np.argpartition(-scores[found], count - 1)[:count]]
        return ordered(self.ids[found], scores[found])

    def occurrences(
        self, session: Session, tokens: tuple[str, ...], stemming: bool = False
    ) -> tuple[Rows, Counts]:
        """Return the rows of this version that contain the tokens in sequence, and how often each does.

        With stemming a single token is any word of its stem; a phrase is always searched for as it is.
        """
        if len(self.ids) == 0:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        if not stemming or len(tokens) != 1:
            return self._exact_occurrences(session, tokens)
        counts = np.zeros(len(self.ids), dtype=np.float32)
        for variant in same_stem(session, tokens[0]):
            rows, found = self._exact_occurrences(session, (variant,))
            counts[rows] += found
        rows = np.flatnonzero(counts).astype(np.int32)
        return rows, counts[rows]

    def vocabulary(self, session: Session) -> dict[str, int]:
        """Return the words of the full-text index, and in how many chunks each is: what spelling is held to.

        Those of other versions are among them: ask `occurrences` whether a word is in this one.
        """
        if self._vocabulary is None:
            self._vocabulary = {
                term: count
                for term, count in session.connection().exec_driver_sql("SELECT term, doc FROM chunk_words")
                if term.isalpha() and len(term) >= _SHORTEST_CORRECTION
            }
        return self._vocabulary

    def _exact_occurrences(self, session: Session, tokens: tuple[str, ...]) -> tuple[Rows, Counts]:
        known = self._postings.pop(tokens, None)
        if known is None:
            if len(tokens) == 1:
                chunks, counts = _token_counts(session, tokens[0])
            else:
                places = _token_places(session, tokens[0])
                for step, token in enumerate(tokens[1:], 1):
                    places = np.intersect1d(places, _token_places(session, token) - step, assume_unique=True)
                chunks, counts = np.unique(places >> 24, return_counts=True)
            rows = np.searchsorted(self.ids, chunks)
            rows[rows == len(self.ids)] = 0
            here = self.ids[rows] == chunks
            known = rows[here].astype(np.int32), counts[here].astype(np.float32)
        self._postings[tokens] = known  # words come back, the common ones most
        if len(self._postings) > _KEPT_WORDS:
            self._postings.pop(next(iter(self._postings)))
        return known


class ContentCache:
    """The versions that were used last. Usable from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._contents: OrderedDict[int, VersionContent] = OrderedDict()

    def get(self, version_id: int, embedder: str) -> VersionContent:
        """Return the content of a version; the vectors of other versions are freed."""
        with self._lock:
            content = self._contents.pop(version_id, None)
            if content is None:
                with self._store.session() as session:
                    content = VersionContent(session, version_id, embedder)
            for other in self._contents.values():
                other.forget_vectors()
            self._contents[version_id] = content
            if len(self._contents) > _KEPT:
                self._contents.popitem(last=False)
            return content

    def clear(self) -> None:
        """Forget all contents: rows of versions were deleted."""
        with self._lock:
            self._contents.clear()


def nearest(ids: npt.NDArray[np.int64], vectors: Vectors, vector: Vectors, count: int) -> Scored:
    """Return the ids and cosines of the rows of vectors (n, d) most similar to a vector (d,), best first."""
    scores = vectors @ vector
    count = min(count, len(ids))
    best = np.argpartition(-scores, count - 1)[:count]
    return ordered(ids[best], scores[best])


def ordered(ids: npt.NDArray[np.int64], scores: npt.NDArray[np.floating]) -> Scored:
    """Return pairs by falling score. Scores that differ by rounding alone are equal; then the id decides."""
    rounded = np.round(np.asarray(scores, dtype=np.float64), 6)
    return [(int(ids[i]), float(rounded[i])) for i in np.lexsort((ids, -rounded))]


def fts_tokens(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the tokens that FTS5 makes of each word: folded, and a run of CJK characters one by one."""
    return list(
        dict.fromkeys(tokens for tokens in _tokenized(words, "unicode61 remove_diacritics 2") if tokens)
    )


def stems(words: Sequence[str]) -> list[str]:
    """Return the stem of each word by FTS5's Porter stemmer (Porter 1980); what is no word stays."""
    found = _tokenized(words, "porter unicode61 remove_diacritics 2")
    return [tokens[0] if len(tokens) == 1 else word for word, tokens in zip(words, found, strict=True)]


def same_stem(session: Session, token: str) -> list[str]:
    """Return the words of the full-text index that have the stem of a token, itself included.

    The index keeps words as they are written, so that a phrase or an identifier is found exactly; that makes
    the variants a question for the query. The stem's last letter may differ: "happy" and "happier" share
    "happ".
    """
    if not token.isascii() or not token.isalpha() or len(token) < 3:
        return [token]
    stem = stems([token])[0]
    prefix = stem[:-1] if len(stem) > 3 else stem
    rows = session.connection().exec_driver_sql(
        "SELECT term FROM chunk_words WHERE term >= ? AND term < ?", (prefix, prefix + "{")
    )  # "{" follows "z"
    terms = [row[0] for row in rows if row[0].isalpha() and len(row[0]) <= len(token) + _LONGEST_SUFFIX]
    return [term for term, other in zip(terms, stems(terms), strict=True) if other == stem] or [token]


_LONGEST_SUFFIX = 7


def _tokenized(words: Sequence[str], tokenizer: str) -> list[tuple[str, ...]]:
    """Return what a tokenizer of FTS5 makes of each word."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(
            f"""CREATE VIRTUAL TABLE w USING fts5(text, tokenize='{tokenizer}');
                CREATE VIRTUAL TABLE t USING fts5vocab(w, instance);"""
        )
        connection.executemany(
            "INSERT INTO w (rowid, text) VALUES (?, ?)", [(n, indexed_text(w)) for n, w in enumerate(words)]
        )
        found: dict[int, list[str]] = {}
        for number, term in connection.execute("SELECT doc, term FROM t ORDER BY doc, offset"):
            found.setdefault(number, []).append(term)
    finally:
        connection.close()
    return [tuple(found.get(number, ())) for number in range(len(words))]


def _token_counts(session: Session, token: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the ids of the chunks that contain a token, and how often each does."""
    packed = _integers(
        session,
        f"SELECT (doc << 12) + min(count(*), {_MOST_COUNTED}) FROM chunk_terms WHERE term = ? GROUP BY doc",
        token,
    )
    return packed >> 12, packed & _MOST_COUNTED


def _token_places(session: Session, token: str) -> npt.NDArray[np.int64]:
    """Return the places of a token, ascending, as chunk id * 2^24 + position; no text has more tokens."""
    return np.sort(_integers(session, "SELECT (doc << 24) + offset FROM chunk_terms WHERE term = ?", token))


def _integers(session: Session, statement: str, value: str) -> npt.NDArray[np.int64]:
    """Return one column of numbers, read past SQLAlchemy's rows: a common word has tens of thousands."""
    cursor: Any = session.connection().connection.cursor()
    try:
        cursor.execute(statement, (value,))
        rows = cursor.fetchall()
        return np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    finally:
        cursor.close()


def _load_vectors(session: Session, hashes: Sequence[str], embedder: str) -> Vectors:
    """Return the vectors (n, dimension) in the order of the hashes. Raises RagError when one is missing."""
    if not hashes:
        return np.zeros((0, 0), dtype=np.float32)
    number = {text_hash: row for row, text_hash in enumerate(dict.fromkeys(hashes))}
    found: Vectors | None = None
    seen = 0
    wanted = list(number)
    for begin in range(0, len(wanted), 900):
        part = wanted[begin : begin + 900]
        marks = ",".join("?" * len(part))
        rows = session.connection().exec_driver_sql(
            f"SELECT text_hash, vector FROM embedding WHERE embedder = ? AND text_hash IN ({marks})",
            (embedder, *part),
        )
        for text_hash, blob in rows:
            vector = np.frombuffer(blob, dtype="<f4")
            if found is None:
                found = np.empty((len(number), len(vector)), dtype=np.float32)
            found[number[text_hash]] = vector
            seen += 1
    if found is None or seen < len(number):
        raise RagError("Some chunks of this version have no vector. Add their documents again.")
    return found if len(number) == len(hashes) else found[[number[text_hash] for text_hash in hashes]]
