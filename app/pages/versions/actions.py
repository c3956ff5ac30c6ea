"""What can be done with a version of a collection: each starts an operation and says how it ended."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.console import Console, Notice, Offer
from app.engine.client import Task
from app.shared.task_strip import TaskStrip
from rag import operations
from rag.knowledge.rows import (
    ActivationReport,
    CollectionRow,
    VerificationReport,
    VersionMade,
    VersionRow,
    list_collections,
)
from rag.text.plurals import counted


class VersionActions(QObject):
    """The operations on versions, followed by a strip; collections are given by name."""

    trial_built = Signal(int)  # its number

    def __init__(self, console: Console, strip: TaskStrip) -> None:
        super().__init__()
        self._console, self._strip = console, strip

    def activate(self, version: VersionRow) -> None:
        """Make a version the active one, and verify its index."""
        self._activate(version.collection, version.number)

    def _activate(self, collection: str, number: int) -> None:
        before = self._find(collection)
        was = before.version_number if before else None

        def done(report: ActivationReport) -> None:
            self._activated(report, collection, was if was != number else None)

        task = self._console.run(operations.activate_version, done, collection=collection, number=number)
        self._follow(collection, task)

    def undo(self, collection: str) -> None:
        """Go back to the version that the active one was made from."""
        self._follow(
            collection,
            self._console.run(operations.undo_version, self._activated, collection=collection),
        )

    def verify(self, collection: str) -> None:
        """Compare the index with the active version, every vector of it."""
        task = self._console.run(operations.verify_index, self._show_verification,
                                 collection=collection, every_vector=True)  # fmt: skip
        self._follow(collection, task)

    def tag(self, version: VersionRow, tag: str) -> None:
        """Give a version a tag; another version that has it loses it."""
        task = self._console.run(operations.tag_version, lambda _result: self._changed(),
                                 collection=version.collection, version=version.number, tag=tag)  # fmt: skip
        self._follow(version.collection, task)

    def untag(self, collection: str, tag: str) -> None:
        """Remove a tag from the version that has it."""
        task = self._console.run(operations.untag_version, lambda _result: self._changed(),
                                 collection=collection, tag=tag)  # fmt: skip
        self._follow(collection, task)

    def delete(self, version: VersionRow) -> None:
        """Delete a version, and the documents that are in no other."""

        def show(count: int) -> None:
            documents = counted(count, "document")
            self._changed(
                f"Version {version.number} was deleted, with {documents} that no other version contains."
            )

        task = self._console.run(operations.discard_version, show,
                                 collection=version.collection, which=version.number)  # fmt: skip
        self._follow(version.collection, task)

    def build_trial(
        self, collection: str, embedder_folder: str, max_tokens: int, overlap_tokens: int, keep_encoded: bool
    ) -> None:
        """Build a trial version of the active one.

        Args:
            collection: The collection.
            embedder_folder: The folder of the embedder; empty: the same as now.
            max_tokens: The maximum chunk size.
            overlap_tokens: How far neighbouring chunks overlap.
            keep_encoded: Whether base64 and minified code are chunked too.
        """
        task = self._console.run(
            operations.build_trial, self._show_trial, collection=collection, embedder_folder=embedder_folder,
            max_tokens=max_tokens, overlap_tokens=overlap_tokens, keep_encoded=keep_encoded,
        )  # fmt: skip
        self._follow(collection, task)

    def add_verification_query(self, collection: str, text: str) -> None:
        """Add a query that every activated version is verified with."""
        task = self._console.run(
            operations.add_verification_query,
            lambda _result: self._changed("The verification query was saved."),
            collection=collection, text=text,
        )  # fmt: skip
        self._follow(collection, task)

    def _find(self, collection: str) -> CollectionRow | None:
        rows = list_collections(self._console.database)
        return next((found for found in rows if found.name == collection), None)

    def _follow(self, collection: str, task: Task) -> None:
        before = self._find(collection)
        self._strip.follow(task)
        task.cancelled.connect(lambda: self._cancelled(before))

    def _cancelled(self, before: CollectionRow | None) -> None:
        """Say whether the active version changed: an activation that is cancelled may have got that far."""
        now = self._find(before.name) if before else None
        if now and before and now.active_version_id != before.active_version_id:
            self._changed(
                f"Cancelled too late: version {now.version_number} is active now. “Undo” goes back."
            )
        else:
            self._changed("Cancelled. The active version did not change.")

    def _activated(self, report: ActivationReport, collection: str = "", was: int | None = None) -> None:
        """Say how an activation ended. was: the version that was active before; None: there is none."""
        sentence = f"Version {report.number} is active after {report.milliseconds / 1000:.1f} s. "
        if was is None:
            self._show_verification(report.verification, sentence)
            return
        self._changed()
        self._console.offer.emit(
            Offer(
                f"{sentence}{_outcome(report.verification)}",
                "Undo",
                lambda: self._activate(collection, was),
                kind=Notice.INFO if report.verification.ok else Notice.BAD,
            )
        )

    def _show_verification(self, verification: VerificationReport, before: str = "") -> None:
        self._changed(f"{before}{_outcome(verification)}", "info" if verification.ok else "bad")

    def _show_trial(self, made: VersionMade) -> None:
        self._changed(
            f"Version {made.number} is a trial: {made.message}. Compare it with the active version, then "
            "make it active or delete it."
        )
        self.trial_built.emit(made.number)

    def _changed(self, sentence: str = "", kind: str = "info") -> None:
        self._console.data_changed.emit()
        if sentence:
            self._console.notice.emit(sentence, kind)


def _outcome(verification: VerificationReport) -> str:
    outcome = "Verified" if verification.ok else "Verification failed"
    return f"{outcome}: {verification.sentence()}"
