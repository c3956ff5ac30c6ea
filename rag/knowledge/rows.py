"""Rows and states of collections, versions, documents and chunks, and the queries that read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from rag.errors import NotFoundError
from rag.storage.database import Database
from rag.text.plurals import counted


class VersionKind(StrEnum):
    """A kind of change that made a version."""

    INGEST = "ingest"
    REMOVE = "remove"
    METADATA = "metadata"
    EXCLUDE = "exclude"
    IMPORT = "import"
    EMBEDDER = "embedder"
    RECHUNK = "rechunk"


class PendingKind(StrEnum):
    """A kind of change that a collection is in the middle of, and that a kill may interrupt."""

    INGEST = "ingest"
    REMOVE = "remove"
    METADATA = "metadata"
    EXCLUDE = "exclude"
    IMPORT = "import"
    ACTIVATE = "activate"
    OTHER = "other"  # begun by a program up to schema 6, which did not store the kind

    def sentence(self, version_number: int | None = None) -> str:
        """Return what was being done, as the subject of a sentence."""
        if self is PendingKind.ACTIVATE:
            return (
                "activating another version"
                if version_number is None
                else f"activating version {version_number}"
            )
        return _PENDING[self]


_PENDING = {
    PendingKind.INGEST: "adding files",
    PendingKind.REMOVE: "removing documents",
    PendingKind.METADATA: "editing metadata",
    PendingKind.EXCLUDE: "excluding or including chunks",
    PendingKind.IMPORT: "importing from Chroma",
    PendingKind.OTHER: "a change",
}


class FileStatus(StrEnum):
    """What became of a file that was to be added."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


class SuspectKind(StrEnum):
    """What is wrong with a chunk."""

    GARBLED = "garbled"
    NEARLY_EMPTY = "nearly empty"
    BOILERPLATE = "boilerplate"


class DocumentChangeKind(StrEnum):
    """What happened to a document between two versions, in the order in which changes are listed."""

    CHANGED = "changed"  # another text
    RECHUNKED = "rechunked"  # the same file in other chunks
    MOVED = "moved"
    METADATA = "metadata"
    EXCLUDED = "excluded"  # other chunks are left out
    ADDED = "added"
    REMOVED = "removed"


class ChunkChangeKind(StrEnum):
    """What happened to a chunk between two versions."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    EXCLUDED = "excluded"
    INCLUDED = "included"


@dataclass(frozen=True)
class IngestProgress:
    """How far an ingest is. Sizes are bytes, times seconds."""

    file: str
    stage: str  # "discovering" | "parsing" | "embedding" | "saving" | "indexing"
    files_done: int
    files_total: int
    chunks_done: int
    chunks_total: int  # of the files parsed so far
    bytes_done: int
    bytes_total: int
    elapsed_s: float
    remaining_s: float | None
    chunks_per_s: float | None
    collection: str = ""  # its name
    finished: tuple[FileOutcome, ...] = ()  # the files that were finished since the event before


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file."""

    path: str
    outcome: FileStatus
    detail: str = ""  # why it was left out, or its account: what of it was read and what was not
    chunk_count: int = 0
    left_out: int = 0  # how many things of the file are not in its text


@dataclass(frozen=True)
class IngestReport:
    """The end of an ingest: the version that came out of it and every file's outcome."""

    collection: str
    version_number: int | None
    document_count: int
    chunk_count: int
    outcomes: tuple[FileOutcome, ...]
    seconds: float

    def count(self, outcome: FileStatus) -> int:
        """Return the number of files with this outcome."""
        return sum(1 for o in self.outcomes if o.outcome == outcome)

    @property
    def incomplete(self) -> tuple[FileOutcome, ...]:
        """The files that were added without all of their text."""
        added = (FileStatus.ADDED, FileStatus.REPLACED)
        return tuple(o for o in self.outcomes if o.left_out and o.outcome in added)

    def sentence(self) -> str:
        """Return the ingest in one line: what became of the files, the version and its size."""
        counts = ", ".join(f"{self.count(s):,} {s}" for s in FileStatus if self.count(s))
        version = f"version {self.version_number}" if self.version_number else "no version"
        some = len(self.incomplete)
        unread = f" {counted(some, 'file was', 'files were')} not read in full." if some else ""
        return (
            f"{self.collection}: {counts or 'nothing to add'} in {self.seconds:.1f} s; {version}, "
            f"{counted(self.chunk_count, 'chunk')}.{unread}"
        )


@dataclass(frozen=True)
class VersionProgress:
    """How far a change of versions is."""

    stage: str  # "indexing" | "cleaning" | "verifying" and others, to be shown
    done: int
    total: int


@dataclass(frozen=True)
class VersionMade:
    """A version that was written. It is active unless it is a trial."""

    collection: str
    number: int
    kind: VersionKind
    message: str
    document_count: int
    chunk_count: int


@dataclass(frozen=True)
class VerificationReport:
    """What was found when an index was compared with its version.

    The fingerprint covers the texts of all entries. All vectors or a sample are compared with the stored
    ones. A query is the same when it finds the passages that it found when the version was first complete.
    """

    ok: bool
    fingerprint_same: bool
    vectors_checked: int
    vectors_same: int
    query_count: int
    queries_same: int
    milliseconds: float
    detail: str = ""

    def sentence(self) -> str:
        """Return what was compared and found."""
        fingerprint = "fingerprint as expected" if self.fingerprint_same else "WRONG fingerprint"
        parts = [
            fingerprint,
            f"{self.vectors_same:,} of {self.vectors_checked:,} vectors checked are the same",
            f"{self.queries_same} of {self.query_count} verification queries find the same passages",
        ]
        return ", ".join(parts) + "." + (f" {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class ActivationReport:
    """A version that became active."""

    collection: str
    number: int
    added: int  # entries that the index did not contain yet
    verification: VerificationReport
    milliseconds: float


@dataclass(frozen=True)
class Suspect:
    """A chunk that a person should look at."""

    chunk_id: int
    document_id: int
    document: str
    place: str
    kind: SuspectKind
    detail: str
    text: str


@dataclass(frozen=True)
class NearDuplicate:
    """Two chunks with different texts and nearly the same vector; similarity is their cosine."""

    chunk_id: int
    document: str
    place: str
    text: str
    other_id: int
    other_document: str
    other_place: str
    other_text: str
    similarity: float


@dataclass(frozen=True)
class EmbeddingMap:
    """Chunks of a version on the plane: the first two principal components of their vectors.

    Attributes:
        number: The version.
        x: float32 bytes of length 4 n.
        y: float32 bytes of length 4 n.
        chunk_ids: int64 bytes of length 8 n.
        document_ids: int64 bytes of length 8 n.
        documents: Document id -> name.
        explained: The share of the variance that both components explain, in [0, 1].
        total: The chunks of the version, more than n when a sample is shown.
    """

    number: int
    x: bytes
    y: bytes
    chunk_ids: bytes
    document_ids: bytes
    documents: dict[int, str]
    explained: float
    total: int


@dataclass(frozen=True)
class ChromaImport:
    """What became of an import from Chroma.

    Attributes:
        collection: Our collection.
        number: Its new version.
        documents: Documents that were imported.
        chunks: Records that were imported.
        without_text: Records that were left out.
        duplicates: Texts that are in a document more than once.
        embedder: The name of the embedder that made the vectors.
        known: Whether that embedder is available, so that questions can be asked.
    """

    collection: str
    number: int
    documents: int
    chunks: int
    without_text: int
    duplicates: int
    embedder: str
    known: bool

    def sentence(self) -> str:
        """Return what was imported, and whether it can be asked."""
        parts = [
            f"Version {self.number} of “{self.collection}”: {counted(self.chunks, 'chunk')} in "
            f"{counted(self.documents, 'document')}"
        ]
        if self.without_text:
            parts.append(f"{counted(self.without_text, 'record')} without text left out")
        if self.duplicates:
            parts.append(f"{counted(self.duplicates, 'repeated text')}")
        asked = "can be asked" if self.known else "can be browsed but not asked: its embedder is unknown"
        return f"{'; '.join(parts)}. It {asked} ({self.embedder})."


@dataclass(frozen=True)
class CollectionRow:
    """A collection, with the counts of its active version."""

    id: int
    key: str
    name: str
    created_ms: int
    embedder_name: str
    chunking: str
    active_version_id: int | None
    version_number: int | None
    document_count: int
    chunk_count: int
    token_count: int
    version_count: int
    updated_ms: int | None
    index_server: str
    retrieval: str  # JSON of its own RetrievalSettings; empty: those of the data folder


@dataclass(frozen=True)
class VersionRow:
    """A dataset version, with its tags and its last verification."""

    id: int
    collection_id: int
    collection: str
    number: int
    created_ms: int
    message: str
    kind: VersionKind
    parent_number: int | None
    embedder: str
    embedder_name: str
    chunking: str
    fingerprint: str
    document_count: int
    chunk_count: int
    token_count: int
    added_count: int
    replaced_count: int
    removed_count: int
    chunks_added: int
    chunks_removed: int
    tokens_added: int
    tokens_removed: int
    excluded_count: int
    tags: tuple[str, ...]
    trial: bool
    active: bool
    verified_ms: int | None  # when its index was last verified
    verification_ok: bool | None
    verification_detail: str | None
    vectors_checked: int | None
    vectors_same: int | None
    query_count: int | None
    queries_same: int | None


@dataclass(frozen=True)
class DocumentRow:
    """A document of a version."""

    id: int
    name: str
    source: str
    title: str
    media_type: str
    size_bytes: int
    chunk_count: int
    token_count: int
    created_ms: int
    attributes: str  # JSON object, or empty
    excluded_count: int
    account: str  # JSON list of [line, how many things it left out]; empty: see account_lines
    left_out: int  # how many things of the file are not in its text

    @property
    def account_lines(self) -> tuple[str, ...]:
        """What was read beside the plain text, and what was not and why; sentences where there is no line."""
        if not self.account:
            return ("This document was added before accounts were kept; add it again to have one.",)
        return tuple(text for text, _ in json.loads(self.account)) or ("Nothing was left out.",)


@dataclass(frozen=True)
class VersionDocumentRow:
    """A document of a version, with what versions are compared by."""

    id: int
    source: str
    name: str
    sha256: str
    chunking: str
    attributes: str


@dataclass(frozen=True)
class ChunkRow:
    """A chunk of a document. Offsets are characters of the document's text."""

    id: int
    position: int
    start: int
    end: int
    text: str
    token_count: int
    place: str


@dataclass(frozen=True)
class ChunkUse:
    """How a chunk was used: how often it was a candidate, how often in a prompt, and where it was cited."""

    candidate_count: int
    prompt_count: int
    cited: tuple[tuple[str, str], ...]  # trace id, question
    duplicates: tuple[tuple[int, str, str], ...]  # of the same text: chunk id, document, place
    excluded: str | None  # the reason


@dataclass(frozen=True)
class WatchedFolderRow:
    """A folder that a collection follows, with the outcome of the last check."""

    id: int
    collection: str
    path: str
    enabled: bool
    quiet_s: int
    last_check_ms: int | None
    last_change_ms: int | None
    outcome: str


@dataclass(frozen=True)
class DocumentChange:
    """One document that is not the same in both versions; ids are None on the side that does not have it.

    Chunks and tokens are counted by text.
    """

    kind: DocumentChangeKind
    name: str
    source: str
    old_source: str
    old_id: int | None
    new_id: int | None
    chunks_added: int = 0
    chunks_removed: int = 0
    tokens_added: int = 0
    tokens_removed: int = 0
    old_attributes: str = ""
    new_attributes: str = ""


@dataclass(frozen=True)
class VersionDiff:
    """What differs between two versions."""

    old_number: int
    new_number: int
    documents: tuple[DocumentChange, ...]
    unchanged_count: int
    embedder_changed: bool
    chunking_changed: bool

    def count(self, kind: DocumentChangeKind) -> int:
        """Return the number of documents with this change."""
        return sum(1 for document in self.documents if document.kind == kind)

    def sentence(self) -> str:
        """Return the difference in one line."""
        counts = [f"{self.count(kind):,} {kind}" for kind in DocumentChangeKind if self.count(kind)]
        words = ", ".join(counts) if counts else "no document differs"
        extra = " · another embedder" if self.embedder_changed else ""
        extra += " · different chunk settings" if self.chunking_changed else ""
        return f"{words}; {self.unchanged_count:,} the same{extra}"


@dataclass(frozen=True)
class ChunkChange:
    """A chunk in both versions; old or new is None where there is no counterpart.

    Attributes:
        kind: What happened to it.
        old: The chunk of the old version.
        new: The chunk of the new version.
        words: (operation, old words, new words) of a changed one; the operation is "equal", "replace",
            "delete" or "insert".
        reason: Why it is excluded, or was.
    """

    kind: ChunkChangeKind
    old: ChunkRow | None
    new: ChunkRow | None
    words: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a document from their stored form, a JSON object or an empty text."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def list_collections(database: Database) -> list[CollectionRow]:
    """Return all collections by name."""
    return database.rows(
        CollectionRow,
        """SELECT c.id, c.key, c.name, c.created_ms, c.embedder_name, c.chunking, c.active_version_id,
                  v.number AS version_number, coalesce(v.document_count, 0) AS document_count,
                  coalesce(v.chunk_count, 0) AS chunk_count, coalesce(v.token_count, 0) AS token_count,
                  (SELECT count(*) FROM datasetversion w WHERE w.collection_id = c.id) AS version_count,
                  v.created_ms AS updated_ms, c.index_server, c.retrieval
           FROM collection c LEFT JOIN datasetversion v ON v.id = c.active_version_id
           ORDER BY c.name COLLATE NOCASE""",
    )


def get_collection(database: Database, name: str) -> CollectionRow:
    """Return the collection with this name. Raises NotFoundError."""
    for row in list_collections(database):
        if row.name == name:
            return row
    raise NotFoundError(
        f"There is no collection named “{name}”. Run `ragdeck collections` to see all collections."
    )


def list_versions(database: Database, collection_id: int) -> list[VersionRow]:
    """Return the versions of a collection, the newest first."""
    return _version_rows(database, "v.collection_id = ?", collection_id)


def get_version(database: Database, version_id: int) -> VersionRow:
    """Return a version. Raises NotFoundError when it was deleted."""
    found = _version_rows(database, "v.id = ?", version_id)
    if not found:
        raise NotFoundError("This version was deleted. Look at the list of versions again.")
    return found[0]


def look_up_version(database: Database, collection: str, which: str) -> VersionRow:
    """Return a version by its number or a tag; “active” is the active one. Raises NotFoundError."""
    for row in list_versions(database, get_collection(database, collection).id):
        named = which in row.tags or (which == "active" and row.active)
        if named or str(row.number) == which:
            return row
    raise NotFoundError(
        f"The collection “{collection}” has no version {which}. "
        "Run `ragdeck versions -c NAME` to see all versions."
    )


def _version_rows(database: Database, condition: str, value: int) -> list[VersionRow]:
    rows = database.query(
        f"""SELECT v.id, v.collection_id, c.name AS collection, v.number, v.created_ms,
                  v.message || iif(v.was_erased, ' (a document was erased later)', '') AS message, v.kind,
                  (SELECT p.number FROM datasetversion p WHERE p.id = v.parent_id) AS parent_number,
                  v.embedder, v.embedder_name, v.chunking, v.fingerprint, v.document_count, v.chunk_count,
                  v.token_count, v.added_count, v.replaced_count, v.removed_count, v.chunks_added,
                  v.chunks_removed, v.tokens_added, v.tokens_removed, v.excluded_count,
                  (SELECT json_group_array(name) FROM (SELECT t.name FROM versiontag t
                      WHERE t.version_id = v.id ORDER BY t.id)) AS tags,
                  v.trial_key != '' AS trial, v.id IS c.active_version_id AS active,
                  p.created_ms AS verified_ms, p.ok AS verification_ok, p.detail AS verification_detail,
                  p.vectors_checked, p.vectors_same, p.query_count, p.queries_same
           FROM datasetversion v JOIN collection c ON c.id = v.collection_id
           LEFT JOIN verification p ON p.id = (SELECT max(q.id) FROM verification q WHERE q.version_id = v.id)
           WHERE {condition} ORDER BY v.number DESC""",
        (value,),
    )
    return [
        VersionRow(**{**dict(row), "kind": VersionKind(row["kind"]), "tags": tuple(json.loads(row["tags"]))})
        for row in rows
    ]


def list_documents(
    database: Database, version_id: int, limit: int = 1_000_000, offset: int = 0, left_out: bool = False
) -> list[DocumentRow]:
    """Return documents of a version by name, as they are in that version.

    Args:
        database: The database.
        version_id: The version.
        limit: The most documents to return.
        offset: How many to pass over first.
        left_out: Return those alone whose file has something that is not in their text.
    """
    return database.rows(
        DocumentRow,
        """SELECT d.id, d.name, d.source, d.title, d.media_type, d.size_bytes, d.chunk_count, d.token_count,
                  d.created_ms, vd.attributes, coalesce(x.excluded, 0) AS excluded_count,
                  d.account, d.left_out
           FROM versiondocument vd CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
           LEFT JOIN (SELECT c.document_id, count(*) AS excluded FROM versionexclusion e
                      JOIN chunk c ON c.id = e.chunk_id WHERE e.version_id = ?1 GROUP BY c.document_id) x
               ON x.document_id = d.id
           WHERE vd.version_id = ?1 AND d.left_out >= ?4
           ORDER BY d.name COLLATE NOCASE, d.id LIMIT ?2 OFFSET ?3""",
        (version_id, limit, offset, int(left_out)),
    )


def list_version_documents(database: Database, version_id: int) -> list[VersionDocumentRow]:
    """Return the documents of a version with what versions are compared by."""
    return database.rows(
        VersionDocumentRow,
        """SELECT d.id, d.source, d.name, d.sha256, d.chunking, vd.attributes
           FROM versiondocument vd CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
           WHERE vd.version_id = ?""",
        (version_id,),
    )


def read_exclusions(database: Database, version_id: int) -> dict[int, str]:
    """Return chunk id -> why the version leaves it out."""
    rows = database.query("SELECT chunk_id, reason FROM versionexclusion WHERE version_id = ?", (version_id,))
    return {row[0]: row[1] for row in rows}


def find_documents_of_chunks(database: Database, chunk_ids: list[int]) -> set[int]:
    """Return the ids of the documents that some chunks belong to."""
    rows = database.query(
        "SELECT DISTINCT c.document_id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
        (json.dumps(chunk_ids),),
    )
    return {row[0] for row in rows}


def read_chunk_texts(database: Database, document_ids: list[int]) -> dict[int, list[tuple[int, str, int]]]:
    """Return document id -> (chunk id, text hash, tokens) of each of its chunks."""
    found: dict[int, list[tuple[int, str, int]]] = {}
    for row in database.query(
        """SELECT c.document_id, c.id, c.text_hash, c.token_count FROM json_each(?) j
           CROSS JOIN chunk c ON c.document_id = j.value""",
        (json.dumps(document_ids),),
    ):
        found.setdefault(row[0], []).append((row[1], row[2], row[3]))
    return found


def read_chunk_use(database: Database, version_id: int, chunk_id: int, limit: int = 20) -> ChunkUse:
    """Return how a chunk was used to answer people, and where else its text is in this version.

    Args:
        database: The file.
        version_id: The version whose duplicates and exclusions are meant.
        chunk_id: The chunk.
        limit: The most citations and duplicates to list.
    """
    counts = database.query(
        """SELECT count(*), coalesce(sum(h.marker IS NOT NULL), 0) FROM tracehit h
           JOIN trace t ON t.id = h.trace_id AND t.source IN ('person', 'server') WHERE h.chunk_id = ?""",
        (chunk_id,),
    )
    cited = database.query(
        """SELECT t.id, t.question FROM tracehit h JOIN trace t ON t.id = h.trace_id
           WHERE h.chunk_id = ? AND t.source IN ('person', 'server') AND h.marker IS NOT NULL
               AND (instr(t.answer, '[' || h.marker || ']') > 0
               OR EXISTS (SELECT 1 FROM claim k WHERE k.trace_id = t.id AND k.evidence_marker = h.marker))
           ORDER BY t.created_ms DESC LIMIT ?""",
        (chunk_id, limit),
    )
    twins = database.query(
        """SELECT c.id, d.name, c.place FROM chunk c JOIN document d ON d.id = c.document_id
           JOIN versiondocument vd ON vd.document_id = d.id AND vd.version_id = ?1
           WHERE c.text_hash = (SELECT text_hash FROM chunk WHERE id = ?2) AND c.id != ?2 LIMIT ?3""",
        (version_id, chunk_id, limit),
    )
    reason = database.query(
        "SELECT reason FROM versionexclusion WHERE version_id = ? AND chunk_id = ?",
        (version_id, chunk_id),
    )
    candidates, prompts = (counts[0][0], counts[0][1]) if counts else (0, 0)
    return ChunkUse(
        candidate_count=candidates,
        prompt_count=prompts,
        cited=tuple((row[0], row[1]) for row in cited),
        duplicates=tuple((row[0], row[1], row[2]) for row in twins),
        excluded=reason[0][0] if reason else None,
    )


def list_watched_folders(database: Database, collection_id: int | None = None) -> list[WatchedFolderRow]:
    """Return the followed folders of a collection, or of all."""
    return database.rows(
        WatchedFolderRow,
        """SELECT w.id, c.name AS collection, w.path, w.enabled, w.quiet_s, w.last_check_ms,
                  w.last_change_ms, w.outcome
           FROM watchedfolder w JOIN collection c ON c.id = w.collection_id
           WHERE ?1 IS NULL OR w.collection_id = ?1 ORDER BY c.name COLLATE NOCASE, w.path""",
        (collection_id,),
    )


def list_chunks(database: Database, document_id: int) -> list[ChunkRow]:
    """Return the chunks of a document in their order."""
    return database.rows(
        ChunkRow,
        """SELECT id, position, start, "end", text, token_count, place FROM chunk
           WHERE document_id = ? ORDER BY position""",
        (document_id,),
    )


def read_document_text(database: Database, document_id: int) -> str:
    """Return the text of a document; an empty one when there is no such document."""
    found = database.query("SELECT text FROM document WHERE id = ?", (document_id,))
    return str(found[0][0]) if found else ""
