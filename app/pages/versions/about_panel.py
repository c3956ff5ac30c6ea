"""The tab "About this version": its facts, and how its index was last verified."""

from __future__ import annotations

import json

from PySide6.QtWidgets import QWidget

from app.pages.versions.words import delta, state_of
from app.widgets.item_models import date_time
from app.widgets.labels import KeyValueGrid
from app.widgets.layout import column, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE
from rag.knowledge.rows import VersionRow


class AboutPanel(QWidget):
    """A list of everything that is stored about one version."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = KeyValueGrid()
        column((scrolled(column(self.facts, 1, top=SPACE, right=SMALL_SPACE)), 1), holder=self)

    def show_version(self, version: VersionRow) -> None:
        """List the facts of a version."""
        self.facts.set_pairs(version_facts(version))

    def clear(self) -> None:
        """Show nothing."""
        self.facts.set_pairs([])


def version_facts(version: VersionRow) -> list[tuple[str, str]]:
    """Return the facts of a version as (name, value), in the order in which they are shown."""
    chunking = json.loads(version.chunking)
    parent = f"version {version.parent_number}" if version.parent_number else "nothing"
    documents = (
        f"{version.document_count:,}   (added {version.added_count:,}, replaced {version.replaced_count:,}, "
        f"removed {version.removed_count:,})"
    )
    return [
        ("Version", f"{version.number}   {state_of(version)}   {', '.join(version.tags)}".strip()),
        ("Created", f"{date_time(version.created_ms)}, from {parent}"),
        ("Change", version.message),
        ("Documents", documents),
        ("Chunks", f"{version.chunk_count:,}   ({delta(version.chunks_added, version.chunks_removed)})"),
        ("Tokens", f"{version.token_count:,}   ({delta(version.tokens_added, version.tokens_removed)})"),
        ("Excluded chunks", f"{version.excluded_count:,}"),
        (
            "Chunk settings",
            f"up to {chunking['max_tokens']} tokens, overlapping by {chunking['overlap_tokens']}",
        ),
        ("Embedder", version.embedder_name),
        ("Embedder id", version.embedder),
        ("Fingerprint", version.fingerprint),
        ("Index", _verification(version)),
    ]


def _verification(version: VersionRow) -> str:
    if version.verified_ms is None:
        return "not verified since it was created"
    outcome = "verified" if version.verification_ok else "verification failed"
    return (
        f"{outcome} on {date_time(version.verified_ms)}: {version.vectors_same:,} of "
        f"{version.vectors_checked:,} vectors checked, {version.queries_same} of {version.query_count} "
        f"verification queries. {version.verification_detail or ''}"
    ).strip()
