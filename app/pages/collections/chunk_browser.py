"""The chunks of a document: text, place, tokens, neighbours, where they were used, and what is like them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QInputDialog, QSplitter, QTextBrowser, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import IconButton, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import ElidedLabel
from app.widgets.layout import row
from app.widgets.passage_view import PassageView
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.knowledge.rows import ChunkRow, get_version, list_chunks, read_chunk_use
from rag.text.plurals import counted

CHUNK_COLUMNS = (
    Column("#", lambda c: str(c.position + 1), 40, right=True, sort=lambda c: c.position),
    Column("Place", lambda c: c.place, 90, tooltip=lambda c: c.place),
    Column("Tokens", lambda c: str(c.token_count), 56, right=True, sort=lambda c: c.token_count),
    Column("Text", lambda c: " ".join(c.text.split())[:200], 200, stretch=True, tooltip=lambda c: c.text[:1500]),
)  # fmt: skip


class ChunkBrowser(QWidget):
    """Shows the chunks of one document of a version."""

    trace_requested = Signal(str)
    changed = Signal(str)  # a version was made; what to say

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._collection = ""
        self._version_id = 0
        self._editable = False
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
            self._heading,
            IconButton(console.theme, "chevron-up", "Previous chunk", lambda: self.step(-1)),
            IconButton(console.theme, "chevron-down", "Next chunk", lambda: self.step(1)),
            button("Find similar", self._find_similar, tip="Other chunks with nearly the same vector"),
            self.exclude_button,
        )  # fmt: skip
        tools.setStretch(0, 1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(SMALL_SPACE, 0, 0, 0)
        column.setSpacing(SMALL_SPACE)
        column.addLayout(tools)
        column.addWidget(self.text, 3)
        column.addWidget(self.facts, 2)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.table)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([500, 500])
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        self.table.record_selected.connect(self._show_chunk)
        self.table.actions_for = lambda records: [
            (f"Exclude {len(records)} chunks…" if len(records) > 1 else "Exclude…", self._exclude)
        ]
        self.clear()

    def clear(self) -> None:
        self.table.set_records([])
        self.text.clear()
        self.facts.clear()
        self._heading.clear()
        self.exclude_button.setEnabled(False)

    def show_document(self, collection: str, version_id: int, document_id: int, chunk_id: int = 0) -> None:
        """List the chunks of a document, and choose one of them."""
        self._collection, self._version_id = collection, version_id
        self.table.blockSignals(True)  # shown once, below: the same chunk may be used otherwise now
        self.table.set_records(list_chunks(self._console.database, document_id))
        if not self.table.choose(lambda chunk: chunk.id == chunk_id):
            self.table.selectRow(0)
        self.table.blockSignals(False)
        if (chunk := self.current) is not None:
            self._show_chunk(chunk)

    def step(self, by: int) -> None:
        current = self.table.currentIndex().row()
        target = current + by
        if 0 <= target < self.table.records_model.rowCount():
            self.table.selectRow(target)

    @property
    def current(self) -> ChunkRow | None:
        records = self.table.selected_records()
        return records[0] if records else None

    def _show_chunk(self, chunk: ChunkRow) -> None:
        """The chunk between its neighbours, and how it was used."""
        rows = self.table.records_model.records
        by_position = {row_.position: row_ for row_ in rows}
        before, after = by_position.get(chunk.position - 1), by_position.get(chunk.position + 1)
        head = f"{before.text}\n\n" if before else ""
        tail = f"\n\n{after.text}" if after else ""
        self.text.show_passage(head + chunk.text + tail, len(head), len(head) + len(chunk.text))
        self._heading.setText(
            f"Chunk {chunk.position + 1} of {len(rows)}  ·  {chunk.token_count} tokens  {chunk.place}"
        )
        self._show_use(chunk)

    def _show_use(self, chunk: ChunkRow, similar: list[Any] | None = None) -> None:
        from html import escape

        use = read_chunk_use(self._console.database, self._version_id, chunk.id)
        self.exclude_button.setEnabled(True)
        self.exclude_button.setText("Include again" if use.excluded is not None else "Exclude…")
        colour = self._console.theme.colour("accent").name()
        lines = []
        if use.excluded is not None:
            lines.append(f"<b>Left out of this version:</b> {escape(use.excluded)}")
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
            lines.append(f"<b>The same text</b> stands in {names}.")
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
        if chunk is not None:
            number = get_version(self._console.database, self._version_id).number
            self._console.run(
                operations.find_similar_chunks,
                lambda found: self.current == chunk and self._show_use(chunk, found),
                collection=self._collection, chunk_id=chunk.id, which=number,
            )  # fmt: skip

    def _exclude(self) -> None:
        chunks = self.table.selected_records()
        if not chunks:
            return
        ids = [chunk.id for chunk in chunks]
        if self.exclude_button.text() == "Include again" and len(chunks) == 1:
            self._console.run(
                operations.include_chunks,
                lambda version: self.changed.emit(f"Version {version.number}: {version.message}."),
                collection=self._collection, chunk_ids=ids,
            )  # fmt: skip
            return
        reason, accepted = QInputDialog.getText(
            self, "Exclude from the collection", "Why? The reason stays in the version."
        )
        if accepted:
            self.exclude(ids, reason)

    def exclude(self, ids: list[int], reason: str) -> None:
        self._console.run(
            operations.exclude_chunks,
            lambda version: self.changed.emit(f"Version {version.number}: {version.message}."),
            collection=self._collection, chunk_ids=ids, reason=reason,
        )  # fmt: skip
