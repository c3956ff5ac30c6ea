"""The tab "Search test": a query, its stages and candidates, beside another preset or version."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from app.console import Console
from app.shared.candidate_table import CandidateTable
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.labels import as_it_is, label
from app.widgets.layout import Flow, Splitter, column, confirm, refill, row
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import SearchSide, SearchTest
from rag.evaluation.rows import SearchComparison
from rag.knowledge.rows import CollectionRow, list_versions
from rag.settings import PRESET_FACTS, PRESETS, RetrievalSettings, own_retrieval, preset_of
from rag.text.plurals import counted

_EMPTY = "Type a question above: nothing is asked of a model, and no trace is written."
_NOW = "As searched now"


class SearchPanel(QWidget):
    """A panel that searches a collection in one or two ways, and changes how it is searched."""

    def __init__(self, console: Console, strip: TaskStrip) -> None:
        super().__init__()
        self._console, self._strip = console, strip
        self._collection: CollectionRow | None = None
        self.query = QLineEdit(placeholderText="A question, as people ask it")
        self.query.setAccessibleName("Question to search for")
        self.query.setClearButtonEnabled(True)
        self.first_box, self.second_box, self.preset_box = QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.first_box, "First search"), (self.second_box, "Second search"),
                          (self.preset_box, "Preset of this collection")):  # fmt: skip
            box.setAccessibleName(name)
        refill(self.first_box, [(_NOW, ""), *((name, name) for name in PRESETS)])
        for place, name in enumerate(PRESETS):
            self.preset_box.addItem(name, name)
            self.preset_box.setItemData(place, as_it_is(PRESET_FACTS[name]), Qt.ItemDataRole.ToolTipRole)
        self.search_button = button("Search", lambda: self.search(), primary=True)
        self.apply_button = button(
            "Change to it…", self.ask_to_upgrade, tip="Makes what the preset needs, and compares both first"
        )
        self.follow_button = button(
            "Follow the settings",
            self.follow,
            link=True,
            tip="Search as the Settings page says, whatever it says",
        )
        self.searched, self.facts = (
            label("", "small", wrap=True),
            (label("", "small", wrap=True), label("", "small", wrap=True)),
        )
        self.sides = tuple(
            CandidateTable(console.theme, f"search_test_{number}", _EMPTY) for number in ("first", "second")
        )
        self._second = column(self.facts[1], (self.sides[1], 1))
        self._second.hide()
        column(
            self.searched,
            Flow(self.preset_box, self.apply_button, self.follow_button),
            row((self.query, 1), self.search_button),
            Flow(label("Search"), self.first_box, label("beside"), self.second_box),
            (
                Splitter(
                    "collections/search", column(self.facts[0], (self.sides[0], 1)), self._second, (400, 400)
                ),
                1,
            ),
            holder=self,
            top=SPACE,
        )
        self.query.returnPressed.connect(lambda: self.search())
        for side in self.sides:
            side.find_requested.connect(self.search)

    def show_collection(self, collection: CollectionRow | None) -> None:
        """Turn to a collection. What was found in another one disappears."""
        before = self._collection
        self._collection = collection
        self.setEnabled(bool(collection and collection.chunk_count))
        if collection is None:
            return
        versions = [
            (f"Version {version.number}", version.number)
            for version in list_versions(self._console.database, collection.id)
            if not version.active
        ]
        refill(
            self.second_box,
            [("Nothing", None), *((name, name) for name in PRESETS), *versions],
            self.second_box.currentData(),
        )
        name = preset_of(self._settings())
        self.follow_button.setVisible(bool(collection.retrieval))
        whose = "of its own" if collection.retrieval else "of the data folder"
        self.searched.setText(f"Searched with the settings {whose}: {name}")
        self.preset_box.setCurrentIndex(self.preset_box.findData("Balanced" if name == "Custom" else name))
        if before is None or before.active_version_id != collection.active_version_id:
            for side, facts in zip(self.sides, self.facts, strict=True):
                side.show_hits([])
                facts.setText("")
            self._second.hide()

    def search(self, looking_for: str = "") -> None:
        """Search for the question, and say what became of a passage with these words."""
        collection, query = self._collection, self.query.text().strip()
        if collection is None or not query:
            return
        other = self.second_box.currentData()
        versions: list[int | str | None] = [None, other] if isinstance(other, int) else [None]
        presets = [self.first_box.currentData()] + ([other] if isinstance(other, str) else [])

        def show(test: SearchTest) -> None:
            if self._collection is not None and self._collection.id == collection.id:
                self._show(test)

        self.search_button.setEnabled(False)
        task = self._console.run(
            operations.run_search_test, show, collection=collection.name, query=query, versions=versions,
            presets=presets, looking_for=looking_for,
        )  # fmt: skip
        task.ended.connect(lambda: self.search_button.setEnabled(True))

    def ask_to_upgrade(self) -> None:
        """Ask whether the collection is to be searched as the chosen preset does."""
        collection = self._collection
        if collection is None:
            return
        name = str(self.preset_box.currentData())
        confirm(
            self, "Change the search",
            f"Search “{collection.name}” as {name} does? {PRESET_FACTS[name]} The answers of this collection "
            "may change; the evaluation of your pipelines shows how. You can change back at any time.",
            "Change", lambda: self.upgrade(name),
        )  # fmt: skip

    def upgrade(self, name: str) -> None:
        """Search the collection as a preset does from now on."""
        if self._collection is None:
            return
        task = self._console.run(
            operations.upgrade_search, self._upgraded, collection=self._collection.name, preset_name=name
        )
        self._strip.follow(task)

    def follow(self) -> None:
        """Search the collection as the data folder's settings say from now on."""
        if self._collection is not None:
            self._console.run(
                operations.follow_settings, lambda _settings: self._console.data_changed.emit(),
                collection=self._collection.name,
            )  # fmt: skip

    def _upgraded(self, found: SearchComparison) -> None:
        self._console.data_changed.emit()
        compared = (
            f"{len(found.changed)} of {counted(len(found.queries), 'known question')} get other passages."
            if found.queries
            else "Nobody has asked this collection anything yet, so nothing was compared."
        )
        self._console.notice.emit(
            f"Searched as {found.new} from now on, instead of {found.old}. {compared}", "info"
        )

    def _settings(self) -> RetrievalSettings:
        own = self._collection.retrieval if self._collection else ""
        return own_retrieval(own, self._console.settings)

    def _show(self, test: SearchTest) -> None:
        for number, side in enumerate(test.sides):
            self.facts[number].setText(_facts(side))
            self.sides[number].show_hits(side.hits, side.explanation)
        self._second.setVisible(len(test.sides) > 1)


def _facts(side: SearchSide) -> str:
    """Return the lines above a side: what it is, what would be in the prompt, and where the time went."""
    stages = ", ".join(f"{stage.name} {stage.end_ms - stage.start_ms:,.0f}" for stage in side.stages)
    lines = [
        f"{side.preset}, version {side.version_number}: {counted(side.passage_count, 'passage')} with "
        f"{counted(side.tokens, 'token')} would be in the prompt. {side.milliseconds:,.0f} ms ({stages}).",
        *(f"Note: {note}." for note in side.notes),
    ]
    return "\n".join(lines)
