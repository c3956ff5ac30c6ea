"""Tables of the answer cache: which answers may be given again, and each time that happened.

No text is stored twice: the question and its answer are those of the trace.
"""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class CachedAnswer(SQLModel, table=True):
    """An answer that may be given again to the same question."""

    id: int | None = Field(default=None, primary_key=True)
    question_key: str = Field(unique=True)  # of the question and everything else that its answer depends on
    space: str = Field(index=True)  # of everything else alone: see rag.asking.cache.keys.Space
    collection_id: int
    version_id: int
    trace_id: str = Field(index=True)  # of the answer
    detector: str = ""  # how its sentences were checked
    embedder: str = ""  # of the vector
    vector: bytes | None = None  # of the question, float32; None when likeness was not asked for
    created_ms: int = Field(index=True)  # when it was answered
    used_ms: int  # when it was last answered or given again


class CacheHit(SQLModel, table=True):
    """A question that was answered from the cache, or could have been, and what a fresh answer said."""

    trace_id: str = Field(primary_key=True)
    source_trace: str = Field(index=True)  # of the first answer
    kind: str  # rag.asking.cache.rows.HitKind
    space: str
    similarity: float | None = None  # cosine of the questions; None for an exact hit
    created_ms: int = Field(index=True)
    prompt_tokens: int = 0  # that were not read again
    completion_tokens: int = 0  # that were not written again, thinking included
    saved_ms: float = 0.0
    checked_ms: int | None = None
    fresh_trace: str = ""  # of the answer that it was compared with
    same_citations: bool | None = None  # None after a check: it could not be compared
    same_meaning: bool | None = None


mark(CachedAnswer, technical="question_key space trace_id detector embedder")
mark(CacheHit, technical="trace_id source_trace kind space fresh_trace")
