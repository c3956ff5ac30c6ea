"""The chunks of a document: their text between its neighbours, where they were used, and similar ones."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QInputDialog, QTextBrowser, QWidget

from app.console import Console
from app.widgets.buttons import IconButton, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import ElidedLabel
from app.widgets.layout import Splitter, column, row
from app.widgets.passage_view import PassageView
from rag import operations
from rag.knowledge.rows import (
    ChunkRow,
    NearDuplicate,
    VersionMade,
    get_version,
    list_chunks,
    read_chunk_use,
)
from rag.text.plurals import counted

CHUNK_COLUMNS = (
    Column("#", lambda c: str(c.position + 1), 40, right=True, sort=lambda c: c.position),
    Column("Place", lambda c: c.place, 90, tooltip=lambda c: c.place),
    Column("Tokens", lambda c: str(c.token_count), 56, right=True, sort=lambda c: c.token_count),
    Column("Text", lambda c: " ".join(c.text.split())[:200], 200, stretch=True,
           tooltip=lambda c: c.text[:1500]),
)  # fmt: skip


class ChunkBrowser(QWidget):
    """A table of the chunks of one document, and the chosen chunk with its neighbours and its use."""

    trace_requested = Signal(str)
    changed = Signal(str)  # a version was made; what to say

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._collection = ""
        self._version_id = 0
        self.table = RecordTable(
            CHUNK_COLUMNS, console.theme, "chunks", "Choose a document to see its chunks."
        )
        self.text = PassageView(console.theme)
        self.facts = QTextBrowser()
        self.facts.setOpenLinks(False)
        self.facts.setAccessibleName("How the chunk was used")
        self.facts.anchorClicked.connect(lambda link: self.trace_requested.emit(link.toString()))
        self.exclude_button = button(
            "Exclude…", self._exclude, tip="Leave this chunk out of search and answers"
        )
        self._heading = ElidedLabel()
        self._heading.setProperty("role", "muted")
        tools = row(
            (self._heading, 1),
            IconButton(console.theme, "chevron-up", "Previous chunk", lambda: self.step(-1)),
            IconButton(console.theme, "chevron-down", "Next chunk", lambda: self.step(1)),
            button("Find similar", self._find_similar, tip="Other chunks with nearly the same vector"),
            self.exclude_button,
        )  # fmt: skip
        chunk = column(tools, (self.text, 3), (self.facts, 2))
        column(
            (Splitter("collections/chunks", self.table, chunk, (500, 500), stretch=(1, 1)), 1), holder=self
        )
        self.table.record_selected.connect(self._show_chunk)
        self.table.actions_for = lambda records: [
            (f"Exclude {len(records)} chunks…" if len(records) > 1 else "Exclude…", self._exclude)
        ]
        self.clear()

    def clear(self) -> None:
        """Show no document."""
        self.table.set_records([])
        self.text.clear()
        self.facts.clear()
        self._heading.clear()
        self.exclude_button.setEnabled(False)

    def show_document(self, collection: str, version_id: int, document_id: int, chunk_id: int = 0) -> None:
        """List the chunks of a document.

        Args:
            collection: The name of its collection.
            version_id: The version that is looked at: exclusions and uses are those of this version.
            document_id: The document.
            chunk_id: The chunk to choose; the first one if the document does not have it.
        """
        self._collection, self._version_id = collection, version_id
        with QSignalBlocker(self.table):  # shown once, below: the use of the same chunk may have changed
            self.table.set_records(list_chunks(self._console.database, document_id))
            if not self.table.choose(lambda chunk: chunk.id == chunk_id):
                self.table.selectRow(0)
        if (chunk := self.current) is not None:
            self._show_chunk(chunk)

    def step(self, by: int) -> None:
        """Go this many chunks forward, or back when it is negative."""
        current = self.table.currentIndex().row()
        target = current + by
        if 0 <= target < self.table.records_model.rowCount():
            self.table.selectRow(target)

    @property
    def current(self) -> ChunkRow | None:
        """The chosen chunk."""
        records = self.table.selected_records()
        return records[0] if records else None

    def _show_chunk(self, chunk: ChunkRow) -> None:
        """Show the chunk between its neighbours, and how it was used."""
        rows: list[ChunkRow] = self.table.records_model.records
        by_position = {found.position: found for found in rows}
        before, after = by_position.get(chunk.position - 1), by_position.get(chunk.position + 1)
        head = f"{before.text}\n\n" if before else ""
        tail = f"\n\n{after.text}" if after else ""
        self.text.show_passage(head + chunk.text + tail, len(head), len(head) + len(chunk.text))
        self._heading.setText(
            f"Chunk {chunk.position + 1} of {len(rows)}  ·  {chunk.token_count} tokens  {chunk.place}"
        )
        self._show_use(chunk)

    def _show_use(self, chunk: ChunkRow, similar: list[NearDuplicate] | None = None) -> None:
        use = read_chunk_use(self._console.database, self._version_id, chunk.id)
        self.exclude_button.setEnabled(True)
        self.exclude_button.setText("Include again" if use.excluded is not None else "Exclude…")
        colour = self._console.theme.colour("accent").name()
        lines = []
        if use.excluded is not None:
            lines.append(f"<b>Excluded from this version:</b> {escape(use.excluded)}")
        lines.append(
            f"Found {counted(use.candidate_count, 'time')}, in a prompt {counted(use.prompt_count, 'time')}."
        )
        if use.cited:
            links = "".join(
                f'<li><a href="{trace}" style="color:{colour}">{escape(question[:90])}</a></li>'
                for trace, question in use.cited[:8]
            )
            lines.append(f"Cited, or evidence, in:<ul>{links}</ul>")
        if use.duplicates:
            names = ", ".join(escape(f"{name} {place}".strip()) for _, name, place in use.duplicates[:6])
            lines.append(f"<b>The same text</b> is in {names}.")
        if similar is not None:
            found = "".join(
                f"<li>{s.similarity:.3f} {escape(s.other_document)} {escape(s.other_place)}: "
                f"{escape(' '.join(s.other_text.split())[:140])}</li>"
                for s in similar[:10]
            )
            lines.append(
                f"<b>Nearly the same:</b><ul>{found}</ul>" if found else "No other chunk is nearly the same."
            )
        self.facts.setHtml("".join(f"<p>{line}</p>" for line in lines))

    def _find_similar(self) -> None:
        chunk = self.current
        if chunk is None:
            return

        def show(found: list[NearDuplicate]) -> None:
            if self.current == chunk:
                self._show_use(chunk, found)

        number = get_version(self._console.database, self._version_id).number
        self._console.run(
            operations.find_similar_chunks, show,
            collection=self._collection, chunk_id=chunk.id, which=number,
        )  # fmt: skip

    def _exclude(self) -> None:
        """Exclude the chosen chunks, or include the one that is excluded."""
        chunks: list[ChunkRow] = self.table.selected_records()
        if not chunks:
            return
        ids = [chunk.id for chunk in chunks]
        if self.exclude_button.text() == "Include again" and len(chunks) == 1:
            self._console.run(operations.include_chunks, self._version_made,
                              collection=self._collection, chunk_ids=ids)  # fmt: skip
        else:
            self.ask_to_exclude(ids)

    def ask_to_exclude(self, ids: list[int]) -> None:
        """Ask for a reason, and make a version without these chunks."""
        reason, accepted = QInputDialog.getText(
            self, "Exclude from the collection", "Reason (saved with the version)"
        )
        if accepted:
            self._console.run(operations.exclude_chunks, self._version_made,
                              collection=self._collection, chunk_ids=ids, reason=reason)  # fmt: skip

    def _version_made(self, made: VersionMade) -> None:
        self.changed.emit(f"Version {made.number}: {made.message}.")
