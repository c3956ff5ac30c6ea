"""Reads any Chroma folder or server, and writes collections for other programs.

Two processes on one Chroma folder corrupt it, and its own program may have it open. So a folder is copied,
and the copy is opened.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import NotFoundError, RagError
from rag.index.rows import ChromaCollection, ChromaPage, ChromaRecord
from rag.index.vector_index import is_of_chroma, open_client

Vectors = npt.NDArray[np.float32]
_PAGE = 1000
# Several operations may read at once: two would write the same copy, and chromadb shares one client a folder,
# so that closing one would close the other's.
_one_at_a_time = threading.Lock()
_HNSW = (
    "space",
    "ef_construction",
    "ef_search",
    "max_neighbors",
    "resize_factor",
    "sync_threshold",
    "batch_size",
)

Batch = tuple[list[str], list[str], list[dict[str, Any]], Vectors]


class ChromaBrowser:
    """A reader of one Chroma folder or server. Every failure is a RagError with a sentence."""

    def __init__(self, source: str, copies: Path) -> None:
        """Open a Chroma.

        Args:
            source: http(s)://host:port or a folder.
            copies: The folder for copies of Chroma folders; an unchanged one is not copied again.
        """
        self.source = source.strip()
        self.is_server = self.source.startswith(("http://", "https://"))
        _one_at_a_time.acquire()
        try:
            with self._in_words():
                path = (
                    "" if self.is_server else str(_copied(Path(self.source).expanduser().absolute(), copies))
                )
                self._client = open_client(self.source if self.is_server else "", path)
        except BaseException:
            _one_at_a_time.release()
            raise

    def close(self) -> None:
        """Close the connection or the copy."""
        try:
            self._client.close()
        finally:
            _one_at_a_time.release()

    def __enter__(self) -> ChromaBrowser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def collections(self) -> list[ChromaCollection]:
        """Return all collections by name."""
        with self._in_words():
            return sorted((_describe(c) for c in self._client.list_collections()), key=lambda c: c.name)

    def describe(self, name: str) -> ChromaCollection:
        """Return one collection. Raises NotFoundError when there is none of that name."""
        with self._in_words():
            return _describe(self._collection(name))

    def page(
        self, name: str, limit: int, offset: int, where: dict[str, Any] | None = None, contains: str = ""
    ) -> ChromaPage:
        """Return records in Chroma's own order.

        Args:
            name: The collection.
            limit: The most records to return.
            offset: How many to skip.
            where: A metadata filter as Chroma takes it, see rag.index.where.
            contains: A part of the text, "" for any.
        """
        with self._in_words():
            found = self._collection(name).get(
                limit=limit + 1,
                offset=offset,
                where=where,
                where_document={"$contains": contains} if contains else None,
                include=["documents", "metadatas"],
            )
        records = _records(found["ids"], found["documents"], found["metadatas"])
        return ChromaPage(tuple(records[:limit]), offset, len(records) > limit)

    def search(
        self, name: str, vector: Sequence[float], count: int, where: dict[str, Any] | None = None
    ) -> ChromaPage:
        """Return the records nearest to a vector, best first; where is a metadata filter."""
        with self._in_words():
            collection = self._collection(name)
            total = collection.count()
            if total == 0:
                return ChromaPage((), 0, False)
            found = collection.query(
                query_embeddings=[list(map(float, vector))],
                n_results=min(count, total),
                where=where,
                include=["documents", "metadatas", "distances"],
            )
        records = _records(
            found["ids"][0], found["documents"][0], found["metadatas"][0], found["distances"][0]
        )
        return ChromaPage(tuple(records), 0, False)

    def vector_of(self, name: str, record_id: str) -> Vectors:
        """Return the vector (dimension,) of a record. Raises NotFoundError when there is no such record."""
        with self._in_words():
            found = self._collection(name).get(ids=[record_id], include=["embeddings"])
        if not found["ids"]:
            raise NotFoundError(f"“{name}” has no record “{record_id}”.")
        return np.asarray(found["embeddings"][0], dtype=np.float32)

    def batches(self, name: str) -> Iterator[Batch]:
        """Yield all records: ids, texts ("" where there is none), metadata and vectors (n, dimension)."""
        with self._in_words():
            collection = self._collection(name)
            for offset in range(0, collection.count(), _PAGE):
                found = collection.get(
                    limit=_PAGE, offset=offset, include=["documents", "metadatas", "embeddings"]
                )
                texts = [text or "" for text in found["documents"] or [""] * len(found["ids"])]
                metadata = [dict(item or {}) for item in found["metadatas"] or [{}] * len(found["ids"])]
                yield found["ids"], texts, metadata, np.asarray(found["embeddings"], dtype=np.float32)

    def _collection(self, name: str) -> Any:
        from chromadb.errors import NotFoundError as Missing

        try:
            return self._client.get_collection(name, embedding_function=None)
        except (Missing, ValueError) as error:
            raise NotFoundError(f"There is no collection “{name}” in {self.source}.") from error

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:  # Chroma, httpx and its Rust core raise some twenty kinds between them
            if not is_of_chroma(error):
                raise
            if self.is_server:
                raise RagError(
                    f"The Chroma server at {self.source} does not answer as expected "
                    f"({type(error).__name__}: {error}); make sure that it is running, then try again."
                ) from error
            raise RagError(
                f"{self.source} cannot be read as a Chroma folder ({type(error).__name__}: {error}); "
                "it may be damaged, or written by another version."
            ) from error


def export_batches(
    target: str, name: str, batches: Iterator[Batch], metadata: dict[str, Any]
) -> Iterator[int]:
    """Write records to a new collection in a fresh folder or on a server, and yield how many are done.

    When it is cancelled or fails, nothing stays: a folder gets its name when it is complete.

    Args:
        target: http(s)://host:port or a folder that does not exist or is empty.
        name: The collection.
        batches: Ids, texts, metadata and vectors of the records.
        metadata: Of the collection.
    """
    if target.startswith(("http://", "https://")):
        yield from _export_to_server(target, name, batches, metadata)
        return
    folder = Path(target).expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RagError(f"{folder} is not empty; choose a new folder for the export.")
    scratch = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir(parents=True)
        client = open_client("", str(scratch))
        try:
            yield from _write(client, name, batches, metadata)
        finally:
            client.close()
        if folder.exists():
            folder.rmdir()
        scratch.rename(folder)
    except OSError as error:
        raise RagError(f"{folder} cannot be written ({error.strerror or error}); choose another.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _export_to_server(
    target: str, name: str, batches: Iterator[Batch], metadata: dict[str, Any]
) -> Iterator[int]:
    client = open_client(target, "")
    try:
        if name in {collection.name for collection in client.list_collections()}:
            raise RagError(f"The server at {target} already has a collection “{name}”; choose another name.")
        whole = False
        try:
            yield from _write(client, name, batches, metadata)
            whole = True
        finally:
            if not whole:
                _try_delete(client, name)
    except RagError:
        raise
    except Exception as error:
        raise RagError(
            f"The Chroma server at {target} stopped taking records ({type(error).__name__}: {error})."
        ) from error
    finally:
        client.close()


def _write(client: Any, name: str, batches: Iterator[Batch], metadata: dict[str, Any]) -> Iterator[int]:
    try:
        collection = client.create_collection(
            name, embedding_function=None, metadata=metadata, configuration={"hnsw": {"space": "cosine"}}
        )
    except Exception as error:
        raise RagError(
            f"Chroma refuses the name “{name}”: 3 to 512 letters, digits, dots, dashes and underscores, "
            "a letter or digit first and last."
        ) from error
    done = 0
    for ids, texts, metadatas, vectors in batches:
        collection.add(ids=ids, documents=texts, metadatas=metadatas, embeddings=vectors)
        done += len(ids)
        yield done


def _try_delete(client: Any, name: str) -> None:
    try:
        client.delete_collection(name)
    except Exception:  # the server is gone: nothing can be tidied up there
        return


def _describe(collection: Any) -> ChromaCollection:
    configuration = collection.configuration_json or {}
    hnsw = configuration.get("hnsw") or configuration.get("spann") or {}
    function = configuration.get("embedding_function") or {}
    peeked = collection.get(limit=1, include=["embeddings"])["embeddings"]
    known = peeked is not None and len(peeked) > 0
    return ChromaCollection(
        name=collection.name,
        count=collection.count(),
        dimension=len(peeked[0]) if known else None,
        space=str(hnsw.get("space") or "l2"),
        hnsw=tuple((key, str(hnsw[key])) for key in _HNSW if hnsw.get(key) is not None),
        metadata=tuple((str(k), str(v)) for k, v in (collection.metadata or {}).items()),
        embedding_function=str(function.get("name") or ""),
    )


def _records(
    ids: Sequence[str], texts: Any, metadatas: Any, distances: Sequence[float] | None = None
) -> list[ChromaRecord]:
    return [
        ChromaRecord(
            id=record_id,
            text=(texts[row] if texts else "") or "",
            metadata=tuple(
                (str(k), str(v)) for k, v in sorted(((metadatas[row] if metadatas else None) or {}).items())
            ),
            distance=float(distances[row]) if distances is not None else None,
        )
        for row, record_id in enumerate(ids)
    ]


def _copied(folder: Path, copies: Path) -> Path:
    """Return a copy of a Chroma folder, made again when it changed. Raises RagError when it is not one."""
    database = folder / "chroma.sqlite3"
    if not database.is_file():
        raise RagError(
            f"{folder} is not a Chroma folder: it contains no chroma.sqlite3. Choose the folder that does."
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    state = "\n".join(f"{p}\0{p.stat().st_size}\0{p.stat().st_mtime_ns}" for p in files)
    place = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    copy = copies / f"{place}-{hashlib.sha256(state.encode()).hexdigest()[:12]}"
    if copy.exists():
        return copy
    for older in copies.glob(f"{place}-*"):
        shutil.rmtree(older, ignore_errors=True)
    size = sum(path.stat().st_size for path in files)
    copies.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(copies).free < size * 1.1:
        raise RagError(
            f"{folder} has to be copied before it is opened, which needs {size / 2**20:,.0f} MB of "
            "free space."
        )
    scratch = copy.with_name(f"{copy.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(folder, scratch)
    scratch.rename(copy)
    return copy
