"""Fills and searches the vector index: Chroma collections that can be rebuilt from the SQLite file.

An entry's id is the hash of its text: two versions that share texts share entries, so going from one to the
other costs what differs, and the ids alone say what the index contains. A collection is served from the
folder next to the SQLite file or from a Chroma server. Facts that forced the details: Chroma's writes hold
the GIL, so they go in small batches; its default space is l2; its names are limited, so collections are named
by our keys; `get` of everything must be paged.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from rag.errors import IndexDamagedError, RagError, of_the_disk

Vector = npt.NDArray[np.float32]
VectorsOf = Callable[[list[str]], dict[str, Vector]]

_WRITE_BATCH = 100
_READ_PAGE = 5000  # vectors
_LIST_PAGE = 100_000  # ids; small pages are slow, as Chroma counts through all before an offset


@dataclass(frozen=True)
class IndexPlace:
    """Where a collection's index is: the name of the Chroma collection, and its server, "" for the folder."""

    key: str
    server: str = ""


class VectorIndex:
    """The index of all collections. It opens the Chroma folder, or a server, when that is first needed.

    A server that does not answer is a RagError with a sentence, whatever is done. A folder that cannot be
    read is emptied, and a file beside it says so until the index is made again: `was_reset`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._damaged = folder.with_name(f"{folder.name}.damaged")  # there until the index is made again
        self._clients: dict[str, Any] = {}
        self._tried: set[str] = set()  # collections of the folder that could be read in this process

    def add(
        self, place: IndexPlace, hashes: Sequence[str], vectors_of: VectorsOf
    ) -> Iterator[tuple[int, int]]:
        """Add entries or replace them, and yield (done, total) after each batch.

        Args:
            place: The collection's index.
            hashes: Hashes of the texts.
            vectors_of: Returns the vectors of some hashes. RagError is raised when one is missing.
        """
        with self._in_words(place):
            collection = self._collection(place)
            done = 0
            for batch in _batches(hashes):
                found = vectors_of(batch)
                if len(found) != len(batch):
                    raise RagError("Some chunks have no vector; add their documents again.")
                collection.upsert(ids=batch, embeddings=np.stack([found[text_hash] for text_hash in batch]))
                done += len(batch)
                yield done, len(hashes)

    def delete(self, place: IndexPlace, hashes: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Delete entries, if they exist, and yield (done, total) after each batch."""
        with self._in_words(place):
            collection = self._collection(place)
            done = 0
            for batch in _batches(hashes):
                collection.delete(ids=batch)
                done += len(batch)
                yield done, len(hashes)

    def query(self, place: IndexPlace, vector: Vector, count: int) -> list[str]:
        """Return the text hashes of the nearest entries by cosine similarity, best first."""
        with self._in_words(place):
            collection = self._collection(place)
            size = collection.count()
            if size == 0:
                return []
            found = collection.query(
                query_embeddings=[vector.tolist()], n_results=min(count, size), include=[]
            )
            return [str(text_hash) for text_hash in found["ids"][0]]

    def hashes(self, place: IndexPlace) -> list[str]:
        """Return the text hashes of all entries."""
        with self._in_words(place):
            return self._ids(self._collection(place))

    def vectors(self, place: IndexPlace, hashes: Sequence[str]) -> dict[str, Vector]:
        """Return the vectors of those texts that have an entry, by text hash."""
        found: dict[str, Vector] = {}
        with self._in_words(place):
            collection = self._collection(place)
            for begin in range(0, len(hashes), _READ_PAGE):
                page = collection.get(ids=list(hashes[begin : begin + _READ_PAGE]), include=["embeddings"])
                found.update(zip(page["ids"], np.asarray(page["embeddings"], dtype=np.float32), strict=True))
        return found

    def count(self, place: IndexPlace) -> int:
        """Return the number of entries."""
        with self._in_words(place):
            return int(self._collection(place).count())

    def drop(self, place: IndexPlace) -> None:
        """Delete the index of a collection, if there is one."""
        from chromadb.errors import NotFoundError

        with self._in_words(place), suppress(NotFoundError, ValueError):  # it was never filled
            self._client(place.server).delete_collection(place.key)

    def collection_names(self) -> list[str]:
        """Return the names of all collections in the folder; a damaged one has none any more."""
        try:
            with self._in_words(IndexPlace("")):
                return [str(collection.name) for collection in self._client("").list_collections()]
        except IndexDamagedError:
            return []

    def problem(self, place: IndexPlace, count: int) -> str:
        """Return why an index cannot be searched, nothing when it can. Nothing of it is changed.

        Args:
            place: The index.
            count: How many entries it must have.
        """
        if count == 0:
            return ""  # it may never have been made
        if not place.server and not self._folder.exists():
            return "its folder is gone"
        try:
            collection = self._client(place.server).get_collection(place.key, embedding_function=None)
            _try(collection)
            found = int(collection.count())
        except RagError as error:  # no server answers
            return str(error).removesuffix(".")
        except BaseException as error:
            if not is_of_chroma(error):
                raise
            return f"it cannot be read ({type(error).__name__})"
        return "" if found == count else f"it has {found:,} of {count:,} texts"

    @property
    def was_reset(self) -> bool:
        """Whether the folder was damaged and is not yet made again."""
        return self._damaged.exists()

    def note_damage(self) -> None:
        """Remember, beyond the end of this process, that the folder must be made again."""
        with suppress(OSError):  # a folder that cannot be written to cannot be made again either
            self._damaged.touch()

    def note_repair(self) -> None:
        """Forget the damage: the index was made again."""
        self._damaged.unlink(missing_ok=True)

    def erase_folder(self) -> None:
        """Delete the folder: Chroma leaves deleted data behind in its files. All of it can be rebuilt."""
        client = self._clients.pop("", None)
        if client is not None:
            client.close()
        self._tried.clear()
        if self._folder.is_dir():
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self._folder.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the folder and all servers; the next use opens them again."""
        self._tried.clear()
        while self._clients:
            self._clients.popitem()[1].close()

    def check_server(self, address: str) -> None:
        """Raise RagError with a sentence when no Chroma server answers at the address."""
        self._client(address)

    def _ids(self, collection: Any) -> list[str]:
        found: list[str] = []
        for offset in range(0, collection.count(), _LIST_PAGE):
            found.extend(collection.get(limit=_LIST_PAGE, offset=offset, include=[])["ids"])
        return found

    def _collection(self, place: IndexPlace) -> Any:
        """Return a collection of Chroma. One of the folder is tried first; if it fails, all begin anew."""
        if place.server or place.key in self._tried:
            return self._open_collection(place)
        try:
            collection = self._open_collection(place)
            _try(collection)
        except BaseException as error:
            if not is_of_chroma(error) or of_the_disk(error):
                raise
            self._reset()
            collection = self._open_collection(place)
        self._tried.add(place.key)
        return collection

    def _open_collection(self, place: IndexPlace) -> Any:
        return self._client(place.server).get_or_create_collection(
            place.key, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
        )

    def _reset(self) -> None:
        """Empty a folder that cannot be read. Everything in it can be made again."""
        from chromadb.api.shared_system_client import SharedSystemClient

        self.note_damage()
        with suppress(Exception):  # a client of a damaged folder may not even close
            self.close()
        self._clients.clear()
        SharedSystemClient.clear_system_cache()  # it would give the one that failed to open once more
        self.erase_folder()

    @contextmanager
    def _in_words(self, place: IndexPlace) -> Iterator[None]:
        """Turn whatever the libraries make of a stopped server or a damaged folder into a sentence."""
        try:
            yield
        except BaseException as error:
            if not is_of_chroma(error):
                raise
            if place.server:
                raise RagError(
                    f"The Chroma server at {place.server} does not answer ({type(error).__name__}); start it "
                    "again, or serve the collection from the folder: `ragdeck serve-index -c NAME folder`."
                ) from error
            if refusal := of_the_disk(error):
                raise refusal from error
            self._reset()
            raise IndexDamagedError(
                f"The index in {self._folder} is damaged ({type(error).__name__}). It is made again from the "
                "stored vectors; nothing is lost. Run the command again."
            ) from error

    def _client(self, server: str) -> Any:
        if server not in self._clients:
            self._clients[server] = open_client(server, str(self._folder))
        return self._clients[server]


def open_client(server: str, folder: str) -> Any:
    """Return a Chroma client of a server, or of a folder when server is "".

    Raises RagError when the address is wrong or no server answers.
    """
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    import chromadb
    from chromadb.config import Settings

    logging.getLogger("chromadb").setLevel(logging.ERROR)
    settings = Settings(anonymized_telemetry=False)
    if not server:
        return chromadb.PersistentClient(path=folder, settings=settings)
    address = urlsplit(server)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise RagError(
            f"“{server}” is not the address of a Chroma server. Write it as http://localhost:8000."
        )
    secure = address.scheme == "https"
    try:
        return chromadb.HttpClient(
            host=address.hostname,
            port=address.port or (443 if secure else 8000),
            ssl=secure,
            settings=settings,
        )
    except Exception as error:  # ValueError, httpx errors and its own, all for "nobody there"
        raise RagError(
            f"No Chroma server answers at {server} ({type(error).__name__}); start it with `chroma run`, or "
            "choose another address."
        ) from error


def is_of_chroma(error: BaseException) -> bool:
    """Return whether an error comes from Chroma or what it uses, rather than being a sentence or a cancel.

    Its Rust core panics over some damaged pages, and a panic is no Exception.
    """
    return type(error).__name__ == "PanicException" or (
        isinstance(error, Exception) and not isinstance(error, RagError)
    )


def _try(collection: Any) -> None:
    """Read each kind of file behind a collection once: a damaged one raises before anything relies on it."""
    if collection.count():
        found = collection.get(limit=1, include=["embeddings"])
        collection.query(query_embeddings=found["embeddings"], n_results=1, include=[])


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    for begin in range(0, len(ids), _WRITE_BATCH):
        yield list(ids[begin : begin + _WRITE_BATCH])
