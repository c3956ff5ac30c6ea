"""Versions: the history of a collection, what changed between two versions, and what each of them finds."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.pages.versions.about_panel import AboutPanel
from app.pages.versions.changes_panel import ChangesPanel
from app.pages.versions.comparison_panel import ComparisonPanel
from app.pages.versions.history_panel import HistoryPanel
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.layout import EmptyState, Panel, Splitter
from app.widgets.theme import SPACE
from rag.knowledge.rows import VersionRow, list_collections


class VersionsPage(QWidget):
    """The history of one collection above, the chosen versions below."""

    ask_requested = Signal(str, object)  # collection, version number
    collection_changed = Signal()
    documents_wanted = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self.strip = TaskStrip()
        self.history = HistoryPanel(console, self.strip)
        self.changes = ChangesPanel(console)
        self.about = AboutPanel()
        self.comparison = ComparisonPanel(console, self.strip)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.changes, "What changed")
        self.tabs.addTab(self.about, "About this version")
        self.tabs.addTab(self.comparison, "Same questions")
        below = Panel()
        below.body.addWidget(self.tabs)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                console.theme, "versions", "No versions yet",
                "Each change to a collection creates a version: adding, removing or editing documents. "
                "Drop files anywhere in this window to create the first.",
                button("Add documents…", self.documents_wanted.emit, primary=True),
            )
        )  # fmt: skip
        self._stack.addWidget(Splitter("versions/splitter", self.history, below, (280, 460), vertical=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self._console.data_changed.connect(self.refresh)
        self.history.listed.connect(self._show_versions)
        self.history.version_chosen.connect(self._show_version)
        self.history.comparison_requested.connect(self.compare)
        self.history.ask_requested.connect(self.ask_requested)
        self.history.collection_changed.connect(self.collection_changed)
        self.history.trial_built.connect(lambda _number: self.tabs.setCurrentWidget(self.comparison))
        self.changes.pair_changed.connect(self.comparison.set_pair)
        self.comparison.swap_requested.connect(self.changes.swap)
        self.comparison.compared.connect(lambda: self.tabs.setCurrentWidget(self.comparison))

    @property
    def collection_name(self) -> str:
        """The collection whose versions are shown."""
        return str(self.history.collection_box.currentData() or "")

    def refresh(self) -> None:
        """Read everything again; what is chosen stays chosen."""
        rows = list_collections(self._console.database)
        self._stack.setCurrentIndex(1 if any(found.version_count for found in rows) else 0)
        self.history.refresh()

    def choose(self, collection: str) -> None:
        """Show the versions of this collection."""
        self.history.choose(collection)

    def compare(self, old: int, new: int) -> None:
        """Show what changed from one version to another, both by number."""
        self.changes.compare(old, new)
        self.tabs.setCurrentWidget(self.changes)

    def _show_versions(self, versions: list[VersionRow]) -> None:
        self.changes.show_versions(versions)
        if not versions:
            self.about.clear()

    def _show_version(self, version: VersionRow) -> None:
        """Compare a version with the one it was made from, and list its facts."""
        numbers = [found.number for found in self.history.versions]
        parent = version.parent_number
        self.changes.compare(
            parent if parent in numbers and parent is not None else version.number, version.number
        )
        self.about.show_version(version)
