"""Rows of collections, versions, documents and chunks, and the queries that read them."""

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


@dataclass(frozen=True)
class IngestProgress:
    """Where an ingest stands. Sizes in bytes, times in seconds."""

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


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file. detail: why it was left out, or what of it could not be read."""

    path: str
    outcome: str  # "added" | "unchanged" | "replaced" | "skipped" | "failed"
    detail: str = ""
    chunk_count: int = 0


@dataclass(frozen=True)
class IngestReport:
    """The end of an ingest: the version that came out of it and every file's outcome."""

    collection: str
    version_number: int | None
    document_count: int
    chunk_count: int
    outcomes: tuple[FileOutcome, ...]
    seconds: float

    def count(self, outcome: str) -> int:
        return sum(1 for o in self.outcomes if o.outcome == outcome)

    @property
    def incomplete(self) -> tuple[FileOutcome, ...]:
        """Files that were taken in without all of their text."""
        return tuple(o for o in self.outcomes if o.detail and o.outcome in ("added", "replaced"))

    def sentence(self) -> str:
        """Return the ingest in one line: what became of the files, the version and its size."""
        words = ("added", "replaced", "unchanged", "skipped", "failed")
        counts = ", ".join(f"{self.count(word):,} {word}" for word in words if self.count(word))
        version = f"version {self.version_number}" if self.version_number else "no version"
        some = len(self.incomplete)
        unread = f" {counted(some, 'file was', 'files were')} not read in full." if some else ""
        return (
            f"{self.collection}: {counts or 'nothing to add'} in {self.seconds:.1f} s; {version}, "
            f"{counted(self.chunk_count, 'chunk')}.{unread}"
        )


@dataclass(frozen=True)
class VersionProgress:
    """A version is being made or activated: "indexing", "cleaning", "verifying" and others."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class VersionMade:
    """A version was written; it is active unless it is a trial."""

    collection: str
    number: int
    kind: str
    message: str
    document_count: int
    chunk_count: int


@dataclass(frozen=True)
class VerificationReport:
    """What was found when an index was compared with its version.

    The fingerprint covers the texts of all entries; vectors are compared with the stored ones, all or a
    sample; a query is the same when it finds the passages that it found when the version was first complete.
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
        fingerprint = "fingerprint as expected" if self.fingerprint_same else "ANOTHER fingerprint"
        parts = [
            fingerprint,
            f"{self.vectors_same:,} of {self.vectors_checked:,} vectors checked are the same",
            f"{self.queries_same} of {self.query_count} verification queries find the same passages",
        ]
        return ", ".join(parts) + "." + (f" {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class ActivationReport:
    """A version became active; added is how many entries the index did not hold yet."""

    collection: str
    number: int
    added: int
    verification: VerificationReport
    milliseconds: float


@dataclass(frozen=True)
class Suspect:
    """A chunk that a person should look at. kind: "garbled" | "nearly empty" | "boilerplate"."""

    chunk_id: int
    document_id: int
    document: str
    place: str
    kind: str
    detail: str
    text: str


@dataclass(frozen=True)
class NearDuplicate:
    """Two chunks with other texts and nearly the same vector; similarity is their cosine."""

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

    x, y: float32 bytes of length 4 n; chunk_ids, document_ids: int64 bytes of length 8 n. explained: share of
    the variance that both components hold, in [0, 1]. total: chunks of the version, more than n when a sample
    is shown.
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
    """What became of an import. embedder: whose vectors they are, by name; known: it can be asked by text."""

    collection: str
    number: int
    documents: int
    chunks: int
    without_text: int
    duplicates: int
    embedder: str
    known: bool

    def sentence(self) -> str:
        parts = [
            f"Version {self.number} of “{self.collection}”: {self.chunks:,} chunks in {self.documents:,} documents"
        ]
        if self.without_text:
            parts.append(f"{self.without_text:,} records without text were left out")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} texts stood there twice")
        asked = "can be asked" if self.known else "can be browsed, not asked: its embedder is not known"
        return f"{'; '.join(parts)}. It {asked} ({self.embedder})."


@dataclass(frozen=True)
class CollectionRow:
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


@dataclass(frozen=True)
class VersionRow:
    id: int
    collection_id: int
    collection: str
    number: int
    created_ms: int
    message: str
    kind: str
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
    verified_ms: int | None  # when its index was checked last
    verification_ok: bool | None
    verification_detail: str | None
    vectors_checked: int | None
    vectors_same: int | None
    query_count: int | None
    queries_same: int | None


@dataclass(frozen=True)
class DocumentRow:
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


@dataclass(frozen=True)
class VersionDocumentRow:
    """A document of a version, as far as versions are compared by it."""

    id: int
    source: str
    name: str
    sha256: str
    chunking: str
    attributes: str


@dataclass(frozen=True)
class ChunkRow:
    id: int
    position: int
    start: int
    end: int
    text: str
    token_count: int
    place: str


@dataclass(frozen=True)
class ChunkUse:
    """What became of a chunk: how often it was a candidate, in a prompt, and where it was cited.

    A duplicate is a chunk of the same version with the same text. cited: (trace id, question).
    """

    candidate_count: int
    prompt_count: int
    cited: tuple[tuple[str, str], ...]
    duplicates: tuple[tuple[int, str, str], ...]  # chunk id, document, place
    excluded: str | None  # the reason


@dataclass(frozen=True)
class WatchedFolderRow:
    id: int
    collection: str
    path: str
    enabled: bool
    quiet_s: int
    last_check_ms: int | None
    last_change_ms: int | None
    outcome: str


# What happened to a document, in the order in which they are listed.
KINDS = ("changed", "recut", "moved", "metadata", "excluded", "added", "removed")


@dataclass(frozen=True)
class DocumentChange:
    """One document that is not the same in both versions; ids are None on the side that does not have it.

    kind: "added" | "removed" | "changed" (other text) | "recut" (same file, cut into other chunks) | "moved" |
    "metadata" | "excluded" (other chunks are left out). Chunks and tokens are counted by text.
    """

    kind: str
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
    old_number: int
    new_number: int
    documents: tuple[DocumentChange, ...]
    unchanged_count: int
    embedder_changed: bool
    chunking_changed: bool

    def count(self, kind: str) -> int:
        return sum(1 for document in self.documents if document.kind == kind)

    def sentence(self) -> str:
        counts = [f"{self.count(kind):,} {kind}" for kind in KINDS if self.count(kind)]
        words = ", ".join(counts) if counts else "no document differs"
        extra = " · another embedder" if self.embedder_changed else ""
        extra += " · other chunk settings" if self.chunking_changed else ""
        return f"{words}; {self.unchanged_count:,} the same{extra}"


@dataclass(frozen=True)
class ChunkChange:
    """A stretch of chunks in both versions; old or new is None where there is no counterpart.

    kind: "same" | "changed" | "added" | "removed" | "excluded" | "included". words: (operation, old words, new
    words) with operation "equal", "replace", "delete" or "insert"; empty unless the kind is "changed".
    """

    kind: str
    old: ChunkRow | None
    new: ChunkRow | None
    words: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""


def attributes_of(text: str) -> dict[str, str]:
    """The attributes of a document as they are stored: a JSON object or nothing."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def list_collections(database: Database) -> list[CollectionRow]:
    return database.rows(
        CollectionRow,
        """SELECT c.id, c.key, c.name, c.created_ms, c.embedder_name, c.chunking, c.active_version_id,
                  v.number AS version_number, coalesce(v.document_count, 0) AS document_count,
                  coalesce(v.chunk_count, 0) AS chunk_count, coalesce(v.token_count, 0) AS token_count,
                  (SELECT count(*) FROM datasetversion w WHERE w.collection_id = c.id) AS version_count,
                  v.created_ms AS updated_ms, c.index_server
           FROM collection c LEFT JOIN datasetversion v ON v.id = c.active_version_id
           ORDER BY c.name COLLATE NOCASE""",
    )


def get_collection(database: Database, name: str) -> CollectionRow:
    for row in list_collections(database):
        if row.name == name:
            return row
    raise NotFoundError(
        f"There is no collection named “{name}”; `ragdeck collections` lists those there are."
    )


def list_versions(database: Database, collection_id: int) -> list[VersionRow]:
    """Newest first."""
    return _version_rows(database, "v.collection_id = ?", collection_id)


def get_version(database: Database, version_id: int) -> VersionRow:
    found = _version_rows(database, "v.id = ?", version_id)
    if not found:
        raise NotFoundError("This version is gone; look at the list of versions again.")
    return found[0]


def look_up_version(database: Database, collection: str, which: str) -> VersionRow:
    """A version by its number or a tag; “active” is the active one."""
    for row in list_versions(database, get_collection(database, collection).id):
        named = which in row.tags or (which == "active" and row.active)
        if named or str(row.number) == which:
            return row
    raise NotFoundError(
        f"The collection “{collection}” has no version {which}; `ragdeck versions -c` lists them."
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
    return [VersionRow(**{**dict(row), "tags": tuple(json.loads(row["tags"]))}) for row in rows]


def list_documents(
    database: Database, version_id: int, limit: int = 1_000_000, offset: int = 0
) -> list[DocumentRow]:
    return database.rows(
        DocumentRow,
        """SELECT d.id, d.name, d.source, d.title, d.media_type, d.size_bytes, d.chunk_count, d.token_count,
                  d.created_ms, vd.attributes, coalesce(x.excluded, 0) AS excluded_count
           FROM versiondocument vd CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
           LEFT JOIN (SELECT c.document_id, count(*) AS excluded FROM versionexclusion e
                      JOIN chunk c ON c.id = e.chunk_id WHERE e.version_id = ?1 GROUP BY c.document_id) x
               ON x.document_id = d.id
           WHERE vd.version_id = ?1 ORDER BY d.name COLLATE NOCASE, d.id LIMIT ?2 OFFSET ?3""",
        (version_id, limit, offset),
    )


def list_version_documents(database: Database, version_id: int) -> list[VersionDocumentRow]:
    return database.rows(
        VersionDocumentRow,
        """SELECT d.id, d.source, d.name, d.sha256, d.chunking, vd.attributes
           FROM versiondocument vd CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
           WHERE vd.version_id = ?""",
        (version_id,),
    )


def read_exclusions(database: Database, version_id: int) -> dict[int, str]:
    """Chunk id -> why the version leaves it out."""
    rows = database.query("SELECT chunk_id, reason FROM versionexclusion WHERE version_id = ?", (version_id,))
    return {row[0]: row[1] for row in rows}


def find_documents_of_chunks(database: Database, chunk_ids: list[int]) -> set[int]:
    rows = database.query(
        "SELECT DISTINCT c.document_id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
        (json.dumps(chunk_ids),),
    )
    return {row[0] for row in rows}


def read_chunk_texts(database: Database, document_ids: list[int]) -> dict[int, list[tuple[int, str, int]]]:
    """Document id -> (chunk id, text hash, tokens) of each of its chunks."""
    found: dict[int, list[tuple[int, str, int]]] = {}
    for row in database.query(
        """SELECT c.document_id, c.id, c.text_hash, c.token_count FROM json_each(?) j
           CROSS JOIN chunk c ON c.document_id = j.value""",
        (json.dumps(document_ids),),
    ):
        found.setdefault(row[0], []).append((row[1], row[2], row[3]))
    return found


def read_chunk_use(database: Database, version_id: int, chunk_id: int, limit: int = 20) -> ChunkUse:
    """How a chunk was used in traces, and where else its text stands in this version."""
    counts = database.query(
        """SELECT count(*), coalesce(sum(h.marker IS NOT NULL), 0) FROM tracehit h
           JOIN trace t ON t.id = h.trace_id AND t.source = 'person' WHERE h.chunk_id = ?""",
        (chunk_id,),
    )
    cited = database.query(
        """SELECT t.id, t.question FROM tracehit h JOIN trace t ON t.id = h.trace_id
           WHERE h.chunk_id = ? AND t.source = 'person' AND h.marker IS NOT NULL AND (instr(t.answer, '[' || h.marker || ']') > 0
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
    return database.rows(
        WatchedFolderRow,
        """SELECT w.id, c.name AS collection, w.path, w.enabled, w.quiet_s, w.last_check_ms,
                  w.last_change_ms, w.outcome
           FROM watchedfolder w JOIN collection c ON c.id = w.collection_id
           WHERE ?1 IS NULL OR w.collection_id = ?1 ORDER BY c.name COLLATE NOCASE, w.path""",
        (collection_id,),
    )


def list_chunks(database: Database, document_id: int) -> list[ChunkRow]:
    return database.rows(
        ChunkRow,
        """SELECT id, position, start, "end", text, token_count, place FROM chunk
           WHERE document_id = ? ORDER BY position""",
        (document_id,),
    )


def read_document_text(database: Database, document_id: int) -> str:
    found = database.query("SELECT text FROM document WHERE id = ?", (document_id,))
    return str(found[0][0]) if found else ""
