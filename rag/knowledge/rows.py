"""Rows of collections, versions, documents and chunks, and the queries that read them."""

from __future__ import annotations

import json
from dataclasses import dataclass


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


@dataclass(frozen=True)
class VersionProgress:
    """A version is being made or activated: "indexing", "cleaning", "proving" and others."""

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
class ProofResult:
    """What was found when an index was compared with its version.

    The fingerprint covers the texts of all entries; vectors are compared with the stored ones, all or a
    sample; a probe is the same when it finds the passages that it found when the version was first complete.
    """

    ok: bool
    fingerprint_same: bool
    vectors_checked: int
    vectors_same: int
    probe_count: int
    probes_same: int
    embedded_count: int
    milliseconds: float
    detail: str = ""

    def sentence(self) -> str:
        fingerprint = "fingerprint as expected" if self.fingerprint_same else "ANOTHER fingerprint"
        parts = [
            fingerprint,
            f"{self.vectors_same:,} of {self.vectors_checked:,} vectors checked are the same",
            f"{self.probes_same} of {self.probe_count} probes find the same passages",
        ]
        return ", ".join(parts) + "." + (f" {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class ActivationReport:
    """A version became active; added is how many entries the index did not hold yet."""

    collection: str
    number: int
    added: int
    proof: ProofResult
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
    tags: str  # separated by a comma and a space
    trial: bool
    active: bool
    proved_ms: int | None  # when its index was checked last
    proof_ok: bool | None
    proof_detail: str | None
    vectors_checked: int | None
    vectors_same: int | None
    probe_count: int | None
    probes_same: int | None


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
