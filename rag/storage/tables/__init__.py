"""Defines all tables of the SQLite file, the only truth: one file a subject. Importing it registers them all.

Times are Unix milliseconds, sizes bytes, offsets characters.
"""

from rag.storage.tables import (
    cache,
    costs,
    endpoints,
    evaluation,
    governance,
    guardrails,
    interchange,
    knowledge,
    monitoring,
    prompts,
    review,
    traces,
)

__all__ = [
    "cache",
    "costs",
    "endpoints",
    "evaluation",
    "governance",
    "guardrails",
    "interchange",
    "knowledge",
    "monitoring",
    "prompts",
    "review",
    "traces",
]
