"""The candidates of a search with what became of each, for a trace and for a search test."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column
from app.widgets.theme import SMALL_SPACE, Theme
from rag.asking.rows import explain_hit
from rag.index.rows import Hit


def _ranked(rank: int | None, score: float | None) -> str:
    if rank is None:
        return "–" if score is None else f"({score:.3f})"
    return f"{rank}   {score:.3f}" if score is not None else str(rank)


HIT_COLUMNS = (
    Column("#", lambda h: str(h.rank), 44, right=True, sort=lambda h: h.rank),
    Column("In prompt", lambda h: f"[{h.marker}]" if h.marker else (h.dropped or "not packed"), 160,
           sort=lambda h: (h.marker or 9999), tooltip=lambda h: h.dropped or "",
           colour=lambda h: "good" if h.marker else "text_muted"),
    Column("Dense", lambda h: _ranked(h.dense_rank, h.dense_score), 86, right=True,
           sort=lambda h: h.dense_rank or 9999),
    Column("BM25", lambda h: _ranked(h.bm25_rank, h.bm25_score), 92, right=True,
           sort=lambda h: h.bm25_rank or 9999),
    Column("Fused", lambda h: f"{h.fused_rank}   {h.fused_score:.3f}", 84, right=True,
           sort=lambda h: h.fused_rank or 9999),
    Column("Reranked", lambda h: "–" if h.rerank_score is None else f"{h.rerank_score:.3f}", 76, right=True,
           sort=lambda h: -9 if h.rerank_score is None else h.rerank_score),
    Column("Document", lambda h: h.document, 150, tooltip=lambda h: h.path),
    Column("Place", lambda h: h.place, 100, tooltip=lambda h: h.place),
    Column("Text", lambda h: " ".join(h.text.split())[:200], 300, tooltip=lambda h: h.text[:1500]),
)  # fmt: skip


class CandidateTable(QWidget):
    """A table of candidates, and below it how the chosen one, or one with the typed words, came there."""

    find_requested = Signal(str)  # words that no candidate contains

    def __init__(self, theme: Theme, name: str, empty: str) -> None:
        super().__init__()
        self._hits: tuple[Hit, ...] = ()
        self.table = RecordTable(HIT_COLUMNS, theme, name, empty)
        self.find_box = QLineEdit(
            placeholderText="Words of a passage that should be here: what became of it?"
        )
        self.find_box.setAccessibleName("Find a passage")
        self.find_box.setClearButtonEnabled(True)
        self.explanation = label("", "small", wrap=True)
        column((self.table, 1), self.find_box, self.explanation, holder=self, spacing=SMALL_SPACE)
        self.table.record_selected.connect(self._explain)
        self.find_box.returnPressed.connect(self.find_words)

    def show_hits(self, hits: Sequence[Hit], explanation: str = "") -> None:
        """Show these candidates, and what became of the one that was looked for."""
        self._hits = tuple(hits)
        self.table.set_records(self._hits)
        self.explanation.setText(explanation)

    def _explain(self, hit: Hit) -> None:
        self.explanation.setText(explain_hit([hit], hit.text))

    def find_words(self) -> None:
        """Say what became of the candidate that contains the typed words."""
        words = self.find_box.text().strip()
        if not words:
            self.explanation.setText("")
            return
        found = explain_hit(self._hits, words)
        if found:
            self.explanation.setText(found)
            self.table.choose(lambda hit: explain_hit([hit], words) != "")
            self.explanation.setText(found)
        else:
            self.explanation.setText("No candidate contains these words in sequence.")
            self.find_requested.emit(words)
