"""Finds which policies act: those bound to a collection, and those that a pipeline names."""

from __future__ import annotations

from collections.abc import Iterable

from rag.guardrails.policies.acting import InForce
from rag.guardrails.policies.rows import find_policy_version
from rag.guardrails.policies.rules import read_stored
from rag.storage.database import Database

_BOUND = """
SELECT DISTINCT p.name, v.number, v.fingerprint, v.content FROM guardpolicybinding b
JOIN guardpolicy p ON p.id = b.policy_id
JOIN guardpolicylabel l ON l.policy_id = p.id AND l.name = 'production'
JOIN guardpolicyversion v ON v.id = l.version_id
WHERE b.collection_id = 0 OR b.collection_id = (SELECT id FROM collection WHERE name = ?)
ORDER BY p.name
"""


def policies_for(database: Database, collection: str, references: Iterable[str] = ()) -> tuple[InForce, ...]:
    """Return the policies that act on a collection's texts.

    Args:
        database: The data folder's.
        collection: Its name; "" for texts that belong to none.
        references: Policies that a pipeline names besides, such as "NAME@3". One that is bound as well acts
            in the version that the pipeline names, once.

    Raises NotFoundError for a reference to a policy that there is not.
    """
    found = {
        name: InForce(name, number, fingerprint, read_stored(content))
        for name, number, fingerprint, content in database.cells(_BOUND, (collection,))
    }
    for reference in references:
        row = find_policy_version(database, reference)
        found[row.policy] = InForce(row.policy, row.number, row.fingerprint, read_stored(row.content))
    return tuple(found[name] for name in sorted(found))


def pinned(database: Database, references: Iterable[str]) -> tuple[str, ...]:
    """Return references that name a version and its fingerprint, so that nothing can move.

    Raises NotFoundError.
    """
    rows = [find_policy_version(database, reference) for reference in references]
    return tuple(f"{row.policy}@{row.number}:{row.fingerprint}" for row in rows)
