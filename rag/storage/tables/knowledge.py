"""Tables of collections, documents, versions and models.

Times are Unix milliseconds, sizes bytes, offsets characters.

Values that are read as a whole and never searched are JSON text. Rows of Document, Chunk, Embedding and
DatasetVersion never change after they were written; Collection contains what moves (the active version).
"""

from __future__ import annotations

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class Collection(SQLModel, table=True):
    """A named set of documents with one history of versions."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)  # names the Chroma collection: a person's name may be any text
    name: str = Field(unique=True)
    created_ms: int
    embedder: str  # fingerprint of the embedder that this collection uses
    embedder_name: str
    chunking: str  # JSON of ChunkingSettings
    active_version_id: int | None = None
    # The version whose texts the index contains, and perhaps more; None: the index must not be used.
    index_version_id: int | None = None
    index_key: str = ""  # the Chroma collection that serves the active version
    index_server: str = ""  # address of a Chroma server; empty: the folder next to the SQLite file
    retrieval: str = (
        ""  # JSON of what its RetrievalSettings have instead of the data folder's; empty: nothing
    )
    last_number: int = 0  # of a version; the number of a deleted one is never used again
    # What is being changed, a PendingKind, and the version that it makes active, once that one is written.
    # Both are empty again when the change has ended: what a start finds here was interrupted by a kill.
    pending_kind: str = ""
    pending_version_id: int | None = None
    may_leave: str = "never"  # whether its texts may be sent to an endpoint elsewhere: a MayLeave


class Document(SQLModel, table=True):
    """One immutable parsed and chunked revision of a source file."""

    __table_args__ = (
        Index("document_source", "collection_id", "source", "sha256", "chunking"),
        Index("document_content", "collection_id", "sha256"),
    )
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    source: str  # absolute path as it was given
    name: str
    title: str
    media_type: str
    sha256: str
    size_bytes: int
    text: str
    places: str  # JSON list of [kind, number, label, start, end]
    account: str = ""  # JSON list of [line, how many things it left out]; "" before schema 9
    left_out: int = 0  # the sum of the above
    chunking: str  # fingerprint of parser version, chunk settings and tokenizer
    chunk_count: int
    token_count: int
    created_ms: int
    complete: bool = False  # every chunk has its embedding


class Chunk(SQLModel, table=True):
    """A piece of a document that is searched and cited as a whole."""

    id: int | None = Field(default=None, primary_key=True)
    document_id: int = Field(index=True)
    position: int
    start: int
    end: int
    text: str
    text_hash: str = Field(index=True)
    token_count: int
    place: str
    place_kind: str
    place_number: int | None = None


class Embedding(SQLModel, table=True):
    """A vector, keyed by what was embedded and by whom: nothing is embedded twice."""

    text_hash: str = Field(primary_key=True)
    embedder: str = Field(primary_key=True)
    vector: bytes = Field(sa_type=LargeBinary)  # float32, little endian, L2-normalised


class PartEmbedding(SQLModel, table=True):
    """The vectors of a text's parts; a text that an older program embedded has none until they are made."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["text_hash", "embedder"], ["embedding.text_hash", "embedding.embedder"], ondelete="CASCADE"
        ),
    )
    text_hash: str = Field(primary_key=True)
    embedder: str = Field(primary_key=True)
    pieces: bytes = Field(sa_type=LargeBinary)  # (m, dimension) float16, little endian, L2-normalised
    tokens: bytes = Field(sa_type=LargeBinary)  # (t, 64) int8, see rag.models.embedding


class DatasetVersion(SQLModel, table=True):
    """A numbered, never-changed state of a collection."""

    __table_args__ = (UniqueConstraint("collection_id", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    number: int
    created_ms: int
    message: str
    embedder: str
    embedder_name: str
    chunking: str  # JSON of ChunkingSettings
    fingerprint: str
    document_count: int
    chunk_count: int
    token_count: int
    added_count: int
    replaced_count: int
    removed_count: int
    kind: str = "ingest"  # a VersionKind
    parent_id: int | None = None  # the version that was active when this one was made
    chunks_added: int = 0  # against the parent, by text
    chunks_removed: int = 0
    tokens_added: int = 0
    tokens_removed: int = 0
    excluded_count: int = 0
    text_count: int = 0  # distinct texts: what the index contains
    index_fingerprint: str = ""  # sha256 over embedder and sorted text hashes
    trial_key: str = ""  # of a trial that was never active: its own Chroma collection
    was_erased: bool = False  # a document was erased from it after it was made


class VersionDocument(SQLModel, table=True):
    """A document that a version contains."""

    version_id: int = Field(primary_key=True)
    document_id: int = Field(primary_key=True, index=True)
    attributes: str = ""  # JSON object of what a person wrote about the document; empty: nothing


class VersionExclusion(SQLModel, table=True):
    """A chunk that a version leaves out although it contains the chunk's document."""

    version_id: int = Field(primary_key=True)
    chunk_id: int = Field(primary_key=True)
    reason: str


class VersionTag(SQLModel, table=True):
    """A name for a version, like a tag in git; a collection has each name once."""

    __table_args__ = (UniqueConstraint("collection_id", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    version_id: int = Field(index=True)
    name: str
    created_ms: int


class VerificationQuery(SQLModel, table=True):
    """A stored query whose hits verify that an activated version answers as before."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    embedder: str
    text: str
    vector: bytes = Field(sa_type=LargeBinary)
    by_person: bool = False
    created_ms: int


class VerificationResult(SQLModel, table=True):
    """The hits of a verification query when the version was first complete.

    JSON object of two lists of text hashes, best first: "dense" by meaning, "words" by BM25.
    """

    version_id: int = Field(primary_key=True)
    query_id: int = Field(primary_key=True)
    hits: str


class Verification(SQLModel, table=True):
    """The outcome of checking the index of a version."""

    id: int | None = Field(default=None, primary_key=True)
    collection_id: int = Field(index=True)
    version_id: int = Field(index=True)
    created_ms: int
    ok: bool
    fingerprint_same: bool
    vectors_checked: int
    vectors_same: int
    query_count: int
    queries_same: int
    milliseconds: float
    detail: str = ""


class EmbedderFolder(SQLModel, table=True):
    """A sentence-transformers folder that made vectors here, besides the starter."""

    fingerprint: str = Field(primary_key=True)
    name: str
    path: str
    added_ms: int


class WatchedFolder(SQLModel, table=True):
    """A folder whose files a collection follows. A signature is a hash over names, sizes and times."""

    __table_args__ = (UniqueConstraint("collection_id", "path"),)
    id: int | None = Field(default=None, primary_key=True)
    collection_id: int
    path: str
    enabled: bool = True
    quiet_s: int
    created_ms: int
    last_check_ms: int | None = None
    last_change_ms: int | None = None
    seen_signature: str = ""
    seen_since_ms: int = 0
    done_signature: str = ""
    outcome: str = ""


class Model(SQLModel, table=True):
    """A GGUF file that the person added. Its header is read again from the file."""

    id: int | None = Field(default=None, primary_key=True)
    path: str = Field(unique=True)
    sha256: str | None = None
    size_bytes: int
    modified_ms: int
    added_ms: int


mark(Collection, name="name embedder_name index_server",
     technical="key embedder chunking retrieval index_key pending_kind may_leave")  # fmt: skip
mark(
    Document, document="text title places account", name="source name", technical="media_type sha256 chunking"
)
mark(Chunk, document="text place", technical="text_hash place_kind")
mark(Embedding, technical="text_hash embedder")
mark(PartEmbedding, technical="text_hash embedder")
mark(DatasetVersion, written="message", name="embedder_name",
     technical="embedder chunking fingerprint kind index_fingerprint trial_key")  # fmt: skip
mark(VersionDocument, written="attributes")
mark(VersionExclusion, written="reason")
mark(VersionTag, name="name")
mark(VerificationQuery, question="text", technical="embedder")
mark(VerificationResult, technical="hits")
mark(Verification, written="detail")
mark(EmbedderFolder, name="name path", technical="fingerprint")
mark(WatchedFolder, name="path", written="outcome", technical="seen_signature done_signature")
mark(Model, name="path", technical="sha256")
