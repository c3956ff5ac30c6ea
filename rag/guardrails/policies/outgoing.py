"""The last look at a text before it leaves for an endpoint, whatever sends it: judges, drafts, embedders."""

from __future__ import annotations

from rag.guardrails.policies.acting import Guard, PolicyRefusedError
from rag.guardrails.policies.in_force import policies_for
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import Action, Place
from rag.storage.database import Database
from rag.storage.store import Store


def guard_outgoing(store: Store, database: Database, collection: str | None, text: str, leaves: bool) -> str:
    """Return a text as the policies on prompts let it be sent.

    What is asked through rag.asking was looked at before and is as it may be; then nothing is found here. A
    rule that only asks or notes has nobody to ask here, and does nothing.

    Args:
        store: Where what was found is recorded.
        database: The same, for reading.
        collection: Whose texts are sent; None: a person typed all of it.
        text: The text.
        leaves: Whether the endpoint is on another computer.

    Raises PolicyRefusedError.
    """
    guard = Guard(policies_for(database, collection or ""))
    if not guard.acts_at(Place.PROMPT, actions=(Action.MASK, Action.REFUSE)):
        return text
    found = guard.check(Place.PROMPT, text, leaves=leaves)
    acted = [one for one in found.results if one.action in (Action.MASK, Action.REFUSE)]
    if acted:
        with store.session() as session:
            store_results(session, acted, collection=collection or "")
    if found.refusal:
        raise PolicyRefusedError(found.refusal)
    return found.text
