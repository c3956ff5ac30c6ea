"""Turns files into a new dataset version.

The stages: discover the files; for each, compute its sha256 and use the known revision, or parse and split
it; embed the unknown texts; write each document in a short transaction; write the version in one transaction;
fill the index. Files are embedded in groups, because many small files one by one would leave the network
idle. Cancelling at any yield keeps what was finished, and the next ingest continues from there.

A file is parsed by a process of its own (rag.parsing.worker): one that ends that process is reported as
failed, and in a followed folder it is not tried again until it changes.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlmodel import Session

from rag.errors import DocumentError, RagError, UnsupportedDocumentError
from rag.guardrails.policies.acting import InForce
from rag.knowledge.collections import (
    active_documents,
    clear_pending,
    collection_by_id,
    ensure_collection,
    set_pending,
)
from rag.knowledge.edits import drop_documents, replace_document
from rag.knowledge.guarding import document_policies, guard_document, guarded_chunking
from rag.knowledge.rows import FileOutcome, FileStatus, IngestProgress, IngestReport, PendingKind
from rag.knowledge.versions import VersionDraft, draft_of, make_version_of
from rag.models.embedding import Embedder, file_sha256
from rag.parsing.chunking import Chunker, TextChunk, chunking_fingerprint, with_left_out
from rag.parsing.formats import PARSER, why_unsupported
from rag.parsing.rows import ParsedDocument
from rag.parsing.worker import ReaderStoppedError, check_file
from rag.settings import ChunkingSettings
from rag.storage.store import add_chunks, add_embeddings, add_parts, missing_embeddings, now_ms
from rag.storage.tables.knowledge import Chunk, Collection, DatasetVersion, Document
from rag.text.file_keys import key_of, path_of
from rag.text.languages import language_name, language_of
from rag.workspace import Workspace

_GROUP_CHUNKS = 512  # chunks gathered before they are embedded together
_ENCODE_BATCH = 32  # texts between two chances to cancel
_SLOW_S = 2  # a file that takes longer to parse does not keep those before it from being saved

Events = Generator[IngestProgress, None, IngestReport]


@dataclass(frozen=True)
class Source:
    """A file to ingest."""

    path: Path
    size_bytes: int

    @property
    def key(self) -> str:
        """What names it in the database and for people: its path as text."""
        return key_of(self.path)


@dataclass
class _Known:
    """Revisions that the collection has, and what its active version contains."""

    by_revision: dict[tuple[str, str, str], int]
    active: dict[str, tuple[int, str, str]]  # source -> (document id, sha256, chunking)
    active_sources: dict[str, list[str]]  # sha256 -> sources


@dataclass
class _Pending:
    """A parsed file that waits for its vectors."""

    source: Source
    sha256: str
    parsed: ParsedDocument
    chunks: list[TextChunk]


@dataclass
class _Run:
    """The state of one ingest, which every stage is handed."""

    collection_id: int
    settings: str  # JSON of the ChunkingSettings
    embedder: Embedder
    chunking: str  # fingerprint of parser, chunk settings and tokenizer
    known: _Known
    sources: list[Source]
    collection: str = ""  # its name
    policies: tuple[InForce, ...] = ()  # that look at documents
    is_followed: bool = False  # nobody asked for these files one by one
    group: list[_Pending] = field(default_factory=list)  # parsed files that are not saved yet
    gone: list[str] = field(default_factory=list)  # sources whose files no longer exist
    began: float = field(default_factory=time.monotonic)
    outcomes: list[FileOutcome] = field(default_factory=list)
    documents: dict[str, int] = field(default_factory=dict)  # source -> document id, for the new version
    moves: dict[str, str] = field(default_factory=dict)  # where a moved file was -> where it is
    files_done: int = 0
    bytes_done: int = 0
    bytes_known: int = 0
    chunks_done: int = 0
    chunks_total: int = 0
    told: int = 0  # outcomes that an event has told

    def progress(self, file: str, stage: str) -> IngestProgress:
        finished, self.told = tuple(self.outcomes[self.told :]), len(self.outcomes)
        elapsed = time.monotonic() - self.began
        total = sum(s.size_bytes for s in self.sources)
        worked = self.bytes_done - self.bytes_known
        left = total - self.bytes_done
        remaining = elapsed * left / worked if worked > 0 and elapsed > 1 else None
        return IngestProgress(
            file=file,
            stage=stage,
            files_done=self.files_done,
            files_total=len(self.sources),
            chunks_done=self.chunks_done,
            chunks_total=self.chunks_total,
            bytes_done=self.bytes_done,
            bytes_total=total,
            elapsed_s=elapsed,
            remaining_s=remaining,
            chunks_per_s=self.chunks_done / elapsed if elapsed > 0.5 and self.chunks_done else None,
            collection=self.collection,
            finished=finished,
        )

    def finish(
        self,
        source: Source,
        outcome: FileStatus,
        detail: str = "",
        chunk_count: int = 0,
        left_out: int = 0,
    ) -> None:
        self.outcomes.append(FileOutcome(source.key, outcome, detail, chunk_count, left_out))
        self.files_done += 1
        self.bytes_done += source.size_bytes


def ingest_files(
    workspace: Workspace, collection: str, paths: Sequence[str | Path], following: Path | None = None
) -> Events:
    """Add files and folders to a collection and make a new version of it.

    When nothing changed no version is made: the report names the version that stays active.

    Args:
        workspace: The open data folder.
        collection: The name of the collection, which is made if it does not exist.
        paths: Files and folders.
        following: A folder that the collection follows. Documents whose files were deleted from it are
            removed in
            the same version.

    Raises:
        RagError: No path was given, or the data folder cannot be written.
    """
    if not paths:
        raise RagError("No files were given. Name files or folders to add.")
    sources, refused = discover(paths)
    leaving: list[FileOutcome] = []
    if following is not None:
        sources, leaving = keep_inside(sources, following)
    with closing(workspace.reader):
        workspace.reader.start()  # it takes a moment, in which the collection is opened
        run = _open_run(workspace, collection, sources)
        if following is not None:
            run.is_followed = True
            run.gone = _gone_from(run, following)
        run.outcomes.extend(refused + leaving)
        yield run.progress("", "discovering")
        try:
            yield from _read_all(workspace, run)
        except BaseException:
            clear_pending(workspace, run.collection_id)
            raise
    yield run.progress("", "saving")
    if run.documents or run.gone:
        for step in make_version_of(workspace, run.collection_id, lambda s, c: _plan(run, s, c)):
            yield replace(run.progress("", step.stage), chunks_done=step.done, chunks_total=step.total)
    clear_pending(workspace, run.collection_id)
    return _report(workspace, run)


def _read_all(workspace: Workspace, run: _Run) -> Iterator[IngestProgress]:
    """Read, split and embed everything that is new."""
    chunker = _chunker(run)
    for source in run.sources:
        yield run.progress(source.key, "parsing")
        pending = yield from _read_source(workspace, run, source, chunker)
        if pending is not None:
            run.group.append(pending)
            run.chunks_total += len(pending.chunks)
        if sum(len(p.chunks) for p in run.group) >= _GROUP_CHUNKS:
            yield from _embed_and_save(workspace, run)
    yield from _embed_and_save(workspace, run)


def discover(paths: Iterable[str | Path]) -> tuple[list[Source], list[FileOutcome]]:
    """Return the files to ingest, in order and each once, and those left out with the reason.

    Inside a folder, hidden files and unsupported kinds are skipped; a file that is named itself is tried.
    Nothing is opened: a pipe would be waited for, and a device has no end.
    """
    sources: dict[str, Source] = {}
    refused: list[FileOutcome] = []
    for given in paths:
        path = Path(given).expanduser().absolute()
        try:
            if path.is_dir():
                _discover_folder(path, sources, refused)
            elif not os.path.lexists(path):
                refused.append(_refusal(path, FileStatus.FAILED, "There is no such file or folder."))
            elif reason := _not_a_file(path):
                refused.append(_refusal(path, FileStatus.FAILED, f"It is {reason}, so it cannot be added."))
            else:
                _take(path, sources)
        except OSError as error:
            refused.append(_refusal(path, FileStatus.FAILED, f"It cannot be read: {error.strerror}."))
    return list(sources.values()), refused


def _discover_folder(folder: Path, sources: dict[str, Source], refused: list[FileOutcome]) -> None:
    def unreadable(error: OSError) -> None:
        refused.append(
            _refusal(str(error.filename), FileStatus.FAILED, f"It cannot be read: {error.strerror}.")
        )

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if (
                path := Path(parent) / name
            ).is_symlink():  # os.walk does not enter it: it may lead in a circle
                reason = (
                    f"a link to the folder {key_of(path.resolve())}, which is not followed; add that folder"
                )
                refused.append(_refusal(path, FileStatus.SKIPPED, reason))
        for name in sorted(names):
            path = Path(parent) / name
            try:
                if reason := _why_skipped(path):
                    refused.append(_refusal(path, FileStatus.SKIPPED, reason))
                else:
                    _take(path, sources)
            except OSError as error:
                unreadable(error)


def _take(path: Path, sources: dict[str, Source]) -> None:
    source = Source(path, path.stat().st_size)
    sources[source.key] = source


def _refusal(path: Path | str, outcome: FileStatus, reason: str) -> FileOutcome:
    return FileOutcome(key_of(path), outcome, reason)


def _why_skipped(path: Path) -> str:
    """Return why a file in a folder is not worth trying, "" if it is."""
    if path.name.startswith((".", "~$")):
        return "hidden or temporary file"
    if reason := _not_a_file(path):
        return reason
    return why_unsupported(path)


_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _not_a_file(path: Path) -> str:
    """Return what a path leads to when that is no regular file, such as "a named pipe"; "" for a file."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        return "a link to a file that is not there"
    return "" if kind == stat.S_IFREG else _KINDS.get(kind, "not a regular file")


def keep_inside(sources: Sequence[Source], folder: Path) -> tuple[list[Source], list[FileOutcome]]:
    """Return the files that are really in a followed folder, and those to which a link leads out of it.

    Who may write into a followed folder must not be able to hand on what its owner alone may read.
    """
    root = folder.resolve()
    inside: dict[Path, bool] = {}  # of the folders of the files
    kept, leaving = [], []
    for source in sources:
        parent = source.path.parent
        if parent not in inside:
            inside[parent] = parent.resolve().is_relative_to(root)
        is_inside = inside[parent]
        if is_inside and source.path.is_symlink():
            is_inside = source.path.resolve().is_relative_to(root)
        if is_inside:
            kept.append(source)
        else:
            sentence = "a link that leads out of the followed folder"
            leaving.append(_refusal(source.path, FileStatus.SKIPPED, sentence))
    return kept, leaving


def _open_run(workspace: Workspace, collection: str, sources: list[Source]) -> _Run:
    found = ensure_collection(workspace, collection)
    embedder = workspace.embedder_of(found.embedder, found.embedder_name, found.name)
    settings = ChunkingSettings.model_validate_json(found.chunking)
    policies = document_policies(workspace, found.name)
    chunking = guarded_chunking(chunking_fingerprint(settings, PARSER, embedder.fingerprint), policies)
    assert found.id is not None
    with workspace.store.session() as session:
        set_pending(session, collection_by_id(session, found.id), PendingKind.INGEST)
        rows = session.connection().exec_driver_sql(
            "SELECT source, sha256, chunking, id FROM document WHERE collection_id = ? AND complete",
            (found.id,),
        )
        by_revision = {(row[0], row[1], row[2]): int(row[3]) for row in rows}
        active = {source: (i, sha, chunk) for i, source, sha, chunk in active_documents(session, found)}
    by_content: dict[str, list[str]] = {}
    for known_source, (_, sha256, _) in active.items():
        by_content.setdefault(sha256, []).append(known_source)
    return _Run(
        found.id, found.chunking, embedder, chunking, _Known(by_revision, active, by_content), sources,
        found.name, policies,
    )  # fmt: skip


def _gone_from(run: _Run, folder: Path) -> list[str]:
    """Return the documents of the active version whose files no longer exist in the folder."""
    present = {source.key for source in run.sources}
    return [
        source
        for source in run.known.active
        if source not in present and path_of(source).is_relative_to(folder) and not path_of(source).exists()
    ]


Splitter = Callable[[Source, ParsedDocument], Generator[IngestProgress, None, list[TextChunk]]]


def _chunker(run: _Run) -> Splitter:
    """Return a function that loads the tokenizer when it is first called: an unchanged folder needs none."""
    made: list[Chunker] = []

    def split(source: Source, document: ParsedDocument) -> Generator[IngestProgress, None, list[TextChunk]]:
        if not made:
            settings = ChunkingSettings.model_validate_json(run.settings)
            made.append(Chunker(run.embedder.tokenizer, settings, run.embedder.longest_input))
        steps = made[0].split_steps(document)
        while True:
            try:
                share = next(steps) / len(document.text)
            except StopIteration as end:
                chunks: list[TextChunk] = end.value
                return chunks
            done = run.bytes_done + round(share * source.size_bytes)
            yield replace(run.progress(source.key, "parsing"), bytes_done=done)

    return split


def _read_source(
    workspace: Workspace, run: _Run, source: Source, split: Splitter
) -> Generator[IngestProgress, None, _Pending | None]:
    """Decide what a file is; return it parsed and split when it is new, None when nothing is left to do."""
    key = source.key
    try:
        check_file(source.path)
        sha256 = file_sha256(source.path)
        revision = run.known.by_revision.get((key, sha256, run.chunking))
        if revision is not None:
            _use_known(run, source, revision)
            return None
        moved_from = _moved_from(run, source, sha256)
        if moved_from:
            run.moves[moved_from] = key
        parsed = yield from _parse(workspace, run, source, sha256)
        parsed = guard_document(workspace, run.policies, run.collection, key_of(source.path.name), parsed)
        chunks = yield from split(source, parsed)
        if not chunks:
            raise DocumentError("The file contains no text.")
        return _Pending(source, sha256, parsed, chunks)
    except UnsupportedDocumentError as error:
        run.finish(source, FileStatus.SKIPPED, str(error))
    except DocumentError as error:
        run.finish(source, FileStatus.FAILED, str(error))
    except OSError as error:
        run.finish(source, FileStatus.FAILED, f"It cannot be read: {error.strerror or error}.")
    return None


def _parse(
    workspace: Workspace, run: _Run, source: Source, sha256: str
) -> Generator[IngestProgress, None, ParsedDocument]:
    """Return the text of a file, and remember a content that stopped the reader. Raises DocumentError."""
    stopped = workspace.stopped_files
    why = stopped.why(sha256)
    if why and run.is_followed:
        raise DocumentError(
            f"The file was left out because it stopped the reader before ({why}); it is tried again when it "
            "changes, or when you add it by hand."
        )
    began = time.monotonic()
    try:
        with closing(workspace.reader.read(source.path)) as reading:
            while True:
                try:
                    next(reading)
                except StopIteration as end:
                    parsed: ParsedDocument = end.value
                    break
                yield run.progress(source.key, "parsing")
                if run.group and time.monotonic() - began > _SLOW_S:
                    yield from _embed_and_save(workspace, run)
    except ReaderStoppedError as error:
        stopped.remember(sha256, error.why)
        raise
    if why:
        stopped.forget(sha256)
    return parsed


def _use_known(run: _Run, source: Source, revision: int) -> None:
    key = source.key
    current = run.known.active.get(key)
    run.bytes_known += source.size_bytes
    if current is not None and current[0] == revision:
        run.finish(source, FileStatus.UNCHANGED)
        return
    run.documents[key] = revision
    run.finish(source, FileStatus.REPLACED if current else FileStatus.ADDED)


def _moved_from(run: _Run, source: Source, sha256: str) -> str | None:
    """Return the old place of a renamed or moved file: same content, and no file where it was."""
    if source.key in run.known.active:
        return None
    for old in run.known.active_sources.get(sha256, ()):
        if old not in run.moves and not path_of(old).exists():
            return old
    return None


def _embed_and_save(workspace: Workspace, run: _Run) -> Iterator[IngestProgress]:
    """Embed the unknown texts of the group, then write each of its documents in a transaction of its own."""
    group, run.group = run.group, []
    if not group:
        return
    embedder = run.embedder.fingerprint
    texts = {chunk.text_hash: chunk.text for pending in group for chunk in pending.chunks}
    with workspace.store.session() as session:
        missing = missing_embeddings(session, embedder, texts, run.embedder.has_parts)
    run.chunks_done += sum(1 for p in group for c in p.chunks if c.text_hash not in missing)
    counts: dict[str, int] = {}
    for pending in group:
        for chunk in pending.chunks:
            counts[chunk.text_hash] = counts.get(chunk.text_hash, 0) + 1
    # Texts of similar length together: a batch is padded to its longest.
    order = sorted(missing, key=lambda text_hash: (-len(texts[text_hash]), text_hash))
    name = group[-1].source.key
    for begin in range(0, len(order), _ENCODE_BATCH):
        yield run.progress(name, "embedding")
        batch = order[begin : begin + _ENCODE_BATCH]
        vectors, parts = workspace.encode_finely([texts[text_hash] for text_hash in batch], run.embedder)
        with workspace.store.session() as session:
            add_embeddings(session, embedder, batch, vectors)
            add_parts(session, embedder, batch, [(part.pieces, part.tokens) for part in parts])
        run.chunks_done += sum(counts[text_hash] for text_hash in batch)
    for pending in group:
        yield run.progress(pending.source.key, "saving")
        _save_document(workspace, run, pending)


def _save_document(workspace: Workspace, run: _Run, pending: _Pending) -> None:
    key = pending.source.key
    parsed = with_left_out(pending.parsed, ChunkingSettings.model_validate_json(run.settings))
    document = Document(
        collection_id=run.collection_id,
        source=key,
        name=key_of(pending.source.path.name),
        title=parsed.title,
        media_type=parsed.media_type,
        sha256=pending.sha256,
        size_bytes=pending.source.size_bytes,
        text=parsed.text,
        places=json.dumps([[p.kind, p.number, p.label, p.start, p.end] for p in parsed.places]),
        **account_columns(parsed),
        chunking=run.chunking,
        chunk_count=len(pending.chunks),
        token_count=sum(chunk.token_count for chunk in pending.chunks),
        created_ms=now_ms(),
        complete=True,
    )
    with workspace.store.session() as session:
        add_chunks(session, document, chunk_rows_of(pending.chunks))
    assert document.id is not None
    run.documents[key] = document.id
    outcome = FileStatus.REPLACED if key in run.known.active else FileStatus.ADDED
    notes = [*(line.text for line in parsed.account), _language_note(run.embedder, parsed.text)]
    run.finish(pending.source, outcome, "; ".join(filter(None, notes)), len(pending.chunks), parsed.left_out)


def account_columns(parsed: ParsedDocument) -> dict[str, Any]:
    """Return the columns of a document in which its account is stored."""
    return {
        "account": json.dumps([[line.text, line.left_out] for line in parsed.account]),
        "left_out": parsed.left_out,
    }


def _language_note(embedder: Embedder, text: str) -> str:
    """Return what to tell of a document in a language that the embedder was not trained on."""
    language = language_of(text)
    if not embedder.is_english_only or language in ("", "en"):
        return ""
    return (
        f"The text looks {language_name(language)}, and {embedder.name} was trained on English: search by "
        "meaning finds less in it. A trial with a multilingual embedder folder finds more."
    )


def chunk_rows_of(chunks: Sequence[TextChunk]) -> list[Chunk]:
    """Return rows for the chunks of one document; its id is filled in when they are written."""
    return [
        Chunk(
            document_id=0,
            position=position,
            start=chunk.start,
            end=chunk.end,
            text=chunk.text,
            text_hash=chunk.text_hash,
            token_count=chunk.token_count,
            place=chunk.place.label if chunk.place else "",
            place_kind=chunk.place.kind if chunk.place else "",
            place_number=chunk.place.number if chunk.place else None,
        )
        for position, chunk in enumerate(chunks)
    ]


def _plan(run: _Run, session: Session, collection: Collection) -> VersionDraft:
    """Draft the active version with the new revisions, and without documents whose files are gone."""
    draft = draft_of(session, collection)
    # Read again: another change may have been made since this ingest began.
    present = {source: document for document, source, _, _ in active_documents(session, collection)}
    moved = [source for source in run.moves if source in present and run.moves[source] in run.documents]
    leaving = [source for source in run.gone if source in present and source not in moved]
    for old, new in _pairs(run, present, moved):
        replace_document(session, draft, old, new)
    for document in run.documents.values():
        draft.documents.setdefault(document, "")
    drop_documents(session, draft, {present[source] for source in leaving})
    replaced = sum(1 for source in run.documents if source in present)
    draft.added = len(run.documents) - replaced - len(moved)
    draft.replaced, draft.removed = replaced + len(moved), len(leaving)
    counts = (
        ("added", draft.added),
        ("replaced", replaced),
        ("moved", len(moved)),
        ("removed", len(leaving)),
    )
    draft.message = ", ".join(f"{verb} {count}" for verb, count in counts if count).capitalize()
    return draft


def _pairs(run: _Run, present: dict[str, int], moved: Sequence[str]) -> list[tuple[int, int]]:
    """Return (old document, new document) of every source that was replaced, and of every one that moved."""
    pairs = [(present[s], new) for s, new in run.documents.items() if s in present and present[s] != new]
    return pairs + [(present[old], run.documents[run.moves[old]]) for old in moved]


def _report(workspace: Workspace, run: _Run) -> IngestReport:
    with workspace.store.session() as session:
        collection = collection_by_id(session, run.collection_id)
        version = (
            session.get(DatasetVersion, collection.active_version_id)
            if collection.active_version_id
            else None
        )
    return IngestReport(
        collection=collection.name,
        version_number=version.number if version else None,
        document_count=version.document_count if version else 0,
        chunk_count=version.chunk_count if version else 0,
        outcomes=tuple(run.outcomes),
        seconds=time.monotonic() - run.began,
    )


def count_files(paths: list[str]) -> tuple[int, int, int]:
    """Return how many files would be added, their bytes, and how many would be left out."""
    sources, refused = discover(paths)
    return len(sources), sum(source.size_bytes for source in sources), len(refused)
