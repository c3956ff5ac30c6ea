"""Asks a person before texts of a collection leave this computer, where the collection says so."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.console import Console
from app.widgets.layout import confirm
from rag import operations
from rag.asking.sessions.rows import Binding
from rag.models.endpoints.rows import MayLeave, may_leave
from rag.models.rows import ModelEntry


class Leaving:
    """What was agreed to since the window was opened: collections, and endpoints that they may be sent to."""

    def __init__(self, console: Console, parent: QWidget) -> None:
        self._console = console
        self._parent = parent
        self._agreed: set[tuple[str, str]] = set()

    def asks_first(self, chosen: Binding, ask: Callable[[], None]) -> bool:
        """Return whether a person must agree first; `ask` is called once they have."""
        entry = self._model_that_asks(chosen)
        if entry is None:
            return False
        collection = chosen.collection

        def agreed() -> None:
            self._agreed.add((collection, entry.endpoint))
            self._console.run(
                operations.allow_leaving, lambda _none: ask(), collection=collection, endpoint=entry.endpoint
            )

        confirm(
            self._parent,
            "Send to another computer?",
            f"“{entry.endpoint}” is at {entry.sent_to}. Your question and passages of “{collection}” would "
            "leave this computer.",
            "Send",
            agreed,
            more="It is not asked again until Ragdeck is closed. The Models page has the choice for good.",
        )
        return True

    def _model_that_asks(self, chosen: Binding) -> ModelEntry | None:
        """Return the chosen model if a person must agree before the collection's texts are sent to it."""
        if chosen.pipeline:
            return None  # it decides the model; where that may not be sent to, its refusal says so
        found = next((entry for entry in self._console.models if entry.path == chosen.model), None)
        if found is None or not found.sent_to or (chosen.collection, found.endpoint) in self._agreed:
            return None
        asks = may_leave(self._console.database, chosen.collection) is MayLeave.ASK
        return found if asks else None
