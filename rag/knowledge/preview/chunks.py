"""Shows the first chunks that some files would make, and makes the collection that they are for.

A preview stores nothing. A few files are read at most, and of a long one only the beginning is chunked: it
must answer while a person is still turning the numbers. It has a reader of its own, since the workspace's
may be at work on an import.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rag.errors import DocumentError, RagError
from rag.knowledge.collections import make_collection
from rag.knowledge.ingest import Source, discover
from rag.knowledge.preview.rows import ChunkPreview, PreviewChunk
from rag.knowledge.rows import FileOutcome, FileStatus, VersionProgress
from rag.models.embedding import Embedder
from rag.parsing.chunking import Chunker
from rag.parsing.rows import ParsedDocument
from rag.parsing.worker import Reader
from rag.settings import ChunkingSettings
from rag.workspace import Workspace

MOST_FILES = 3  # that are read
MOST_CHUNKS = 12  # that are shown
_LARGE = 5 << 20  # bytes; smaller files are taken first
_READ_CHARACTERS = 60_000  # of a document that are chunked

Steps = Generator[VersionProgress, None, ChunkPreview]


def preview_chunks(
    workspace: Workspace,
    paths: Sequence[str | Path],
    max_tokens: int | None = None,
    overlap_tokens: int | None = None,
    keep_encoded: bool | None = None,
    embedder_folder: str = "",
    load_embedder: Callable[[Path], Embedder] = Embedder,
) -> Steps:
    """Return the first chunks that files and folders would make.

    Args:
        workspace: The open data folder.
        paths: Files and folders.
        max_tokens: The longest chunk; None: as in the settings.
        overlap_tokens: Tokens that neighbouring chunks share; None: as in the settings.
        keep_encoded: Whether base64 and minified code are chunked too; None: as in the settings.
        embedder_folder: A sentence-transformers folder, whose tokenizer counts; empty: the usual one.
        load_embedder: Opens the folder.

    Raises:
        RagError: The settings are out of bounds, or the folder is not that of an embedder.
    """
    settings = chosen_chunking(workspace, max_tokens, overlap_tokens, keep_encoded)
    embedder = load_embedder(_folder(embedder_folder)) if embedder_folder else workspace.embedder
    chunker = Chunker(embedder.tokenizer, settings, embedder.longest_input)
    sources, refused = discover(paths)
    yield VersionProgress("reading", 0, min(len(sources), MOST_FILES))
    read: list[str] = []
    chunks: list[PreviewChunk] = []
    failed: list[FileOutcome] = []
    with closing(_reader_like(workspace.reader)) as reader:
        for source in sorted(sources, key=lambda s: s.size_bytes > _LARGE)[: 2 * MOST_FILES]:
            if len(read) == MOST_FILES or len(chunks) >= MOST_CHUNKS:
                break
            try:
                chunks += yield from _first_chunks(reader, chunker, source)
                read.append(source.key)
            except DocumentError as error:
                failed.append(FileOutcome(source.key, FileStatus.FAILED, str(error)))
            yield VersionProgress("reading", len(read), min(len(sources), MOST_FILES))
    return ChunkPreview(
        embedder=embedder.name,
        longest=min(settings.max_tokens, embedder.longest_input),
        file_count=len(sources),
        bytes=sum(source.size_bytes for source in sources),
        left_out=(*failed, *refused),
        read=tuple(read),
        chunks=tuple(chunks[:MOST_CHUNKS]),
    )


def create_collection(
    workspace: Workspace,
    name: str,
    max_tokens: int | None = None,
    overlap_tokens: int | None = None,
    keep_encoded: bool | None = None,
    embedder_folder: str = "",
    load_embedder: Callable[[Path], Embedder] = Embedder,
) -> str:
    """Make an empty collection with the settings of a preview, and return its name; see preview_chunks.

    Raises RagError: the name is empty or taken, the sizes are out of bounds, or the embedder does not work.
    """
    settings = chosen_chunking(workspace, max_tokens, overlap_tokens, keep_encoded)
    embedder = None
    if embedder_folder:
        embedder = load_embedder(_folder(embedder_folder))
        try:
            workspace.encode(["A sentence to see whether it works."], embedder)
        except RagError:
            raise
        except Exception as error:  # torch and transformers raise many kinds for a folder that does not fit
            raise RagError(f"The embedder in {embedder_folder} cannot be used: {error}") from error
    return make_collection(workspace, name, settings, embedder)


def chosen_chunking(
    workspace: Workspace, max_tokens: int | None, overlap_tokens: int | None, keep_encoded: bool | None
) -> ChunkingSettings:
    """Return the chunk settings of the data folder with these changes. Raises RagError out of bounds."""
    chosen = {"max_tokens": max_tokens, "overlap_tokens": overlap_tokens, "keep_encoded": keep_encoded}
    values = {name: value for name, value in chosen.items() if value is not None}
    try:
        return ChunkingSettings.model_validate(workspace.settings.chunking.model_dump() | values)
    except ValueError as error:
        raise RagError(
            "A chunk can have 32 to 2,048 tokens and an overlap of 0 to 512. Choose sizes in these ranges."
        ) from error


def _first_chunks(
    reader: Reader, chunker: Chunker, source: Source
) -> Generator[VersionProgress, None, list[PreviewChunk]]:
    """Return the chunks at the beginning of a file. Raises DocumentError."""
    with closing(reader.read(source.path)) as reading:
        while True:
            try:
                next(reading)
            except StopIteration as end:
                parsed: ParsedDocument = end.value
                break
            yield VersionProgress("reading", 0, MOST_FILES)  # a chance to cancel
    beginning = _beginning(parsed)
    found = chunker.split(beginning)
    if len(beginning.text) < len(parsed.text) and len(found) > 1:
        found.pop()  # it ends where the reading did, not where the chunk would
    if not found:
        raise DocumentError("The file contains no text.")
    return [
        PreviewChunk(source.key, chunk.place.label if chunk.place else "", chunk.text, chunk.token_count)
        for chunk in found
    ]


def _beginning(parsed: ParsedDocument) -> ParsedDocument:
    if len(parsed.text) <= _READ_CHARACTERS:
        return parsed
    places = tuple(
        replace(place, end=min(place.end, _READ_CHARACTERS))
        for place in parsed.places
        if place.start < _READ_CHARACTERS
    )
    return replace(parsed, text=parsed.text[:_READ_CHARACTERS], places=places)


def _folder(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _reader_like(reader: Reader) -> Reader:
    """Return another reader of the same kind: one is not for two threads at once."""
    return type(reader)(reader.limits)
