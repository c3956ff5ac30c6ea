"""The source panel: the document at the cited passage, and the evidence of a claim beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.console import Console, Notice
from app.shared.claim_panel import ClaimPanel
from app.widgets.buttons import IconButton
from app.widgets.labels import ElidedLabel
from app.widgets.layout import EmptyState, Panel, column, row
from app.widgets.page_view import PageView
from app.widgets.passage_view import PassageView
from app.widgets.theme import SPACE
from rag import operations
from rag.finding.rows import place_of_document
from rag.grounding.rows import ClaimResult
from rag.index.rows import Hit
from rag.knowledge.rows import read_document_text
from rag.parsing.rows import RenderedPage
from rag.text.file_keys import path_of

_MIDDLE = Qt.TextElideMode.ElideMiddle
_RENDER_SCALE = 1.8  # pixels a point: sharp at the panel's usual width


class SourcePanel(QWidget):
    """A panel that shows one passage: a PDF page with its rectangles, anything else as text with a mark."""

    def __init__(self, console: Console) -> None:
        """Make a panel without a source."""
        super().__init__()
        self._console = console
        self._hit: Hit | None = None
        self._page = self._page_count = 0
        theme = console.theme
        # Elided: opening a source with a long name or path must not widen the page.
        self._title, self._place = (ElidedLabel(text, _MIDDLE) for text in ("Sources", ""))
        self._title.setProperty("role", "section")
        self._place.setProperty("role", "muted")
        self._previous = IconButton(theme, "chevron-left", "Previous page", lambda: self._turn(-1))
        self._next = IconButton(theme, "chevron-right", "Next page", lambda: self._turn(1))
        self._open = IconButton(theme, "collections", "Open the document in Collections", self._open_document)
        self.page_view, self.passage_view = PageView(theme), PassageView(theme)
        self.page_view.page_wanted.connect(self._turn)
        self._zoom = [
            IconButton(theme, "zoom-out", "Zoom out", lambda: self.page_view.zoom(0.8)),
            IconButton(theme, "zoom-in", "Zoom in", lambda: self.page_view.zoom(1.25)),
        ]
        self._empty = EmptyState(
            theme,
            "document",
            "No source open",
            "Click a citation or a marked sentence to see where it comes from.",
        )
        self._stack = QStackedWidget()
        for view in (self._empty, self.page_view, self.passage_view):
            self._stack.addWidget(view)
        self.claim_panel = ClaimPanel(console)
        self.claim_panel.hide()
        panel = Panel()
        panel.body.addLayout(row((self._title, 1), self._previous, self._next, *self._zoom, self._open))
        panel.body.addWidget(self._place)
        panel.body.addWidget(self._stack, 1)
        column(self.claim_panel, (panel, 1), holder=self, spacing=SPACE)
        self._show_tools(False)
        self._open.hide()

    def show_hit(self, hit: Hit, quote: str = "") -> None:
        """Open the document at the passage; quote narrows the mark to a part of it."""
        self._hit = hit
        self._open.show()
        self._title.setText(hit.document)
        marker = f"[{hit.marker}]   " if hit.marker else ""
        self._place.setText(f"{marker}{hit.place or 'text'}   ·   characters {hit.start:,} to {hit.end:,}")
        if hit.place_kind == "page" and hit.path.lower().endswith(".pdf"):
            self._page = hit.place_number or 1
            self._draw_page(quote or hit.text)
        else:
            self._show_text(hit, quote)

    def show_claim(self, claim: ClaimResult, hits: Sequence[Hit], trace_id: str) -> None:
        """Show a claim's verdict, and its best evidence in the document."""
        self.claim_panel.show_claim(claim, trace_id)
        self.claim_panel.show()
        for hit in hits:
            if hit.marker is not None and hit.marker == claim.evidence_marker:
                self.show_hit(hit, claim.evidence_text)

    def clear(self) -> None:
        """Show no source."""
        self._hit = None
        self._open.hide()
        self.claim_panel.hide()
        self._title.setText("Sources")
        self._place.clear()
        self._stack.setCurrentWidget(self._empty)
        self._show_tools(False)

    def _open_document(self) -> None:
        hit = self._hit
        place = hit and place_of_document(self._console.database, hit.document_id, hit.chunk_id)
        if place is not None:
            self._console.place_requested.emit(place)
        else:
            self._console.notice.emit("The document is no longer stored.", Notice.CHECK)

    def _show_tools(self, visible: bool) -> None:
        for tool in (self._previous, self._next, *self._zoom):
            tool.setVisible(visible)

    def _turn(self, step: int) -> None:
        if self._hit is not None and 1 <= self._page + step <= self._page_count:
            self._page += step
            self._draw_page(self._hit.text)

    def _draw_page(self, quote: str) -> None:
        hit = self._hit
        assert hit is not None
        task = self._console.engine.start(
            operations.render_page,
            path=path_of(hit.path),
            number=self._page,
            quote=quote,
            scale=_RENDER_SCALE,
        )
        task.finished.connect(lambda page, wanted=hit: self._page_drawn(wanted, page))
        task.failed.connect(lambda sentence, _details, wanted=hit: self._page_failed(wanted, sentence))

    def _page_drawn(self, wanted: Hit, page: RenderedPage) -> None:
        if self._hit is not wanted:
            return
        self._page, self._page_count = page.page_number, page.page_count
        self._place.setText(
            f"page {page.page_number} of {page.page_count}   ·   passage on page {wanted.place_number}"
        )
        self.page_view.show_page(page)
        self._show_tools(True)
        self._previous.setEnabled(page.page_number > 1)
        self._next.setEnabled(page.page_number < page.page_count)
        self._stack.setCurrentWidget(self.page_view)

    def _page_failed(self, wanted: Hit, sentence: str) -> None:
        if self._hit is wanted:
            self._show_text(wanted, "")
            self._place.setText(sentence)

    def _show_text(self, hit: Hit, quote: str) -> None:
        """Show the text as it was ingested, or the trace's own passage when it is no longer stored."""
        self._show_tools(False)
        text = read_document_text(self._console.database, hit.document_id)
        if text[hit.start : hit.end] != hit.text:
            self.passage_view.show_passage(hit.text, 0, len(hit.text))
            self._place.setText(
                "The document is no longer stored; this is the passage as it was in the prompt."
            )
        else:
            offset = hit.text.find(quote) if quote else -1
            start = hit.start + max(offset, 0)
            end = start + len(quote) if offset >= 0 else hit.end
            self.passage_view.show_passage(text, start, end)
        self._stack.setCurrentWidget(self.passage_view)
