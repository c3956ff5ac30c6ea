"""Values of the vector index: passages that were found, and what a Chroma folder or server contains."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ListRank:
    """A candidate's place in one list of candidates. The score is a cosine similarity, of BM25, or an idf."""

    list: str
    rank: int  # from 1
    score: float


@dataclass(frozen=True)
class Hit:
    """One candidate chunk of a query, with every rank it got and why it was left out, if it was.

    dense_score is a cosine similarity in [-1, 1] and bm25_score that of Okapi BM25, both of the question
    itself; fused_score is the sum of 1/(k + rank) (Cormack, Clarke, Buettcher 2009) over all lists;
    rerank_score is the mean over the question's tokens of the highest cosine in the passage, or what a
    cross-encoder says.
    """

    chunk_id: int
    document_id: int
    document: str
    path: str
    place: str
    place_kind: str
    place_number: int | None
    start: int
    end: int
    text: str
    token_count: int
    dense_rank: int | None = None
    dense_score: float | None = None
    bm25_rank: int | None = None
    bm25_score: float | None = None
    fused_rank: int = 0
    fused_score: float = 0.0
    rerank_score: float | None = None
    rank: int = 0  # after everything that moved it, from 1
    lists: tuple[ListRank, ...] = ()
    moves: tuple[str, ...] = ()  # what moved it after fusion
    marker: int | None = None  # its number [n] in the prompt
    dropped: str | None = None


@dataclass(frozen=True)
class ChromaCollection:
    """A collection of some Chroma.

    dimension is None while it is empty; hnsw and metadata are pairs of name and value, as shown.
    """

    name: str
    count: int
    dimension: int | None
    space: str  # "cosine" | "l2" | "ip"
    hnsw: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...]
    embedding_function: str


@dataclass(frozen=True)
class ChromaRecord:
    """A record of a collection. distance is in its space, None when the record was not searched for."""

    id: str
    text: str
    metadata: tuple[tuple[str, str], ...]
    distance: float | None = None


@dataclass(frozen=True)
class ChromaPage:
    """Some records of a collection from offset on; more says whether others follow."""

    records: tuple[ChromaRecord, ...]
    offset: int
    more: bool
