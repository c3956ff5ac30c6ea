"""The border of this computer: the one place that decides whether a text may be sent to an endpoint.

Every request to an endpoint goes through `Client`, and a client cannot be made without a permit from here. A
permit is asked again for every request, because a person may say "never" in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rag.errors import ConsentNeededError, RagError
from rag.models.endpoints.rows import Endpoint, MayLeave, may_leave
from rag.storage.database import Database

TYPED_HERE = None  # instead of a collection: a person typed all of the text for this very request
Permit = Callable[[Endpoint], None]  # raises RagError when the endpoint must not be sent anything
Outgoing = Callable[[str], str]  # what is sent instead of a text: what policies hide is hidden


def as_it_is(text: str) -> str:
    """Return the text: no policy acts on it."""
    return text


@dataclass
class Border:
    """What is known of permission: the collections' settings, and what a person allowed since the start."""

    database: Database
    # Given a collection, a text and whether it leaves this computer, returns what may be sent; see outgoing.
    guard: Callable[[str | None, str, bool], str] = lambda collection, text, leaves: text
    _allowed: set[tuple[str, str]] = field(default_factory=set)  # collections and endpoints

    def permit(self, collection: str | None) -> Permit:
        """Return what decides for the texts of a collection; TYPED_HERE for a text of no collection."""
        return lambda endpoint: self._refuse(endpoint, collection)

    def outgoing(self, collection: str | None, endpoint: Endpoint) -> Outgoing:
        """Return what the texts of a collection go through before they are sent to an endpoint."""
        return lambda text: self.guard(collection, text, not endpoint.is_here)

    def allow(self, collection: str, endpoint: str) -> None:
        """Let a collection's texts go to an endpoint until the program ends, if its setting is "ask".

        endpoint: "" for all of them.
        """
        self._allowed.add((collection, endpoint))

    def is_allowed(self, collection: str, endpoint: str) -> bool:
        """Return whether a person let a collection's texts go to an endpoint since the start."""
        return bool(self._allowed & {(collection, endpoint), (collection, "")})

    def _refuse(self, endpoint: Endpoint, collection: str | None) -> None:
        if endpoint.is_here or collection is TYPED_HERE:
            return
        setting = may_leave(self.database, collection)
        if setting is MayLeave.ALWAYS:
            return
        if setting is MayLeave.ASK:
            if self.is_allowed(collection or "", endpoint.name):
                return
            raise ConsentNeededError(collection, endpoint.name, endpoint.host)
        raise RagError(
            f"“{collection}” may not leave this computer, and “{endpoint.name}” is at {endpoint.host}: "
            "choose a model on this computer, or allow it on the Models page or with `ragdeck models border`."
        )
