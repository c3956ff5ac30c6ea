"""The vector index: a Chroma folder that can be rebuilt from the SQLite file. The only importer of chromadb.

It holds, per collection, the ids and vectors of the active version and nothing else. Facts that forced the
details: Chroma's writes hold the GIL, so they go in small batches; its default space is l2; its names are
limited, so collections are named by our keys; `get` of everything must be paged.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import RagError

_WRITE_BATCH = 100
_READ_PAGE = 5000


class VectorIndex:
    """Opens the Chroma folder when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client: Any = None

    def sync(
        self,
        key: str,
        wanted: Sequence[int],
        vectors_of: Callable[[list[int]], dict[int, npt.NDArray[np.float32]]],
    ) -> Iterator[tuple[int, int]]:
        """Bring one collection in line with the wanted chunk ids; yields (done, total) after each batch."""
        collection = self._collection(key)
        present = self._present_ids(collection)
        wanted_ids = set(wanted)
        gone = sorted(present - wanted_ids)
        new = sorted(wanted_ids - present)
        total, done = len(gone) + len(new), 0
        for batch in _batches(new):
            found = vectors_of(batch)
            if len(found) != len(batch):
                raise RagError("Some chunks have no vector; add their documents again.")
            collection.add(
                ids=[str(chunk_id) for chunk_id in batch],
                embeddings=np.stack([found[chunk_id] for chunk_id in batch]),
            )
            done += len(batch)
            yield done, total
        for batch in _batches(gone):
            collection.delete(ids=[str(chunk_id) for chunk_id in batch])
            done += len(batch)
            yield done, total

    def query(self, key: str, vector: npt.NDArray[np.float32], count: int) -> list[tuple[int, float]]:
        """Nearest chunk ids with their cosine similarity, best first."""
        collection = self._collection(key)
        size = collection.count()
        if size == 0:
            return []
        found = collection.query(
            query_embeddings=[vector.tolist()], n_results=min(count, size), include=["distances"]
        )
        return [
            (int(chunk_id), 1.0 - float(distance))
            for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def count(self, key: str) -> int:
        return int(self._collection(key).count())

    def drop(self, key: str) -> None:
        from chromadb.errors import NotFoundError

        try:
            self._open().delete_collection(key)
        except (NotFoundError, ValueError):
            return  # it was never filled

    def _present_ids(self, collection: Any) -> set[int]:
        present: set[int] = set()
        size = collection.count()
        for offset in range(0, size, _READ_PAGE):
            page = collection.get(limit=_READ_PAGE, offset=offset, include=[])
            present.update(int(chunk_id) for chunk_id in page["ids"])
        return present

    def _collection(self, key: str) -> Any:
        return self._open().get_or_create_collection(
            key, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
        )

    def _open(self) -> Any:
        if self._client is None:
            os.environ["ANONYMIZED_TELEMETRY"] = "False"
            import chromadb
            from chromadb.config import Settings

            logging.getLogger("chromadb").setLevel(logging.ERROR)
            self._client = chromadb.PersistentClient(
                path=str(self._folder), settings=Settings(anonymized_telemetry=False)
            )
        return self._client


def _batches(ids: list[int]) -> Iterator[list[int]]:
    for begin in range(0, len(ids), _WRITE_BATCH):
        yield ids[begin : begin + _WRITE_BATCH]
