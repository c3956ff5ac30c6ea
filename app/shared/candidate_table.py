"""The candidates of a search with what became of each, for a trace and for a search test."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label, set_tip
from app.widgets.layout import column
from app.widgets.theme import SMALL_SPACE, Theme
from rag.asking.rows import explain_hit
from rag.index.rows import Hit


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"


HIT_COLUMNS = (
    Column("#", lambda h: str(h.rank), 44, right=True, sort=lambda h: h.rank),
    Column("In prompt", lambda h: f"[{h.marker}]" if h.marker else (h.dropped or "not packed"), 90,
           sort=lambda h: (h.marker or 9999), tooltip=lambda h: h.dropped or "",
           colour=lambda h: "accent" if h.marker else "text_muted", priority=0),
    Column("Document", lambda h: h.document, 130, tooltip=lambda h: h.path, priority=0),
    Column("Text", lambda h: " ".join(h.text.split())[:200], 200, tooltip=lambda h: h.text[:1500],
           stretch=True),
    Column("Place", lambda h: h.place, 100, tooltip=lambda h: h.place, priority=8),
    Column("Reranked", lambda h: _score(h.rerank_score), 76, right=True, priority=1,
           sort=lambda h: -9 if h.rerank_score is None else h.rerank_score),
    Column("Cosine", lambda h: _score(h.dense_score), 62, right=True, priority=2,
           sort=lambda h: -9 if h.dense_score is None else h.dense_score),
    Column("Dense rank", lambda h: _rank(h.dense_rank), 80, right=True, priority=5,
           sort=lambda h: h.dense_rank or 9999),
    Column("BM25", lambda h: _score(h.bm25_score), 62, right=True, priority=3,
           sort=lambda h: -9 if h.bm25_score is None else h.bm25_score),
    Column("BM25 rank", lambda h: _rank(h.bm25_rank), 80, right=True, priority=6,
           sort=lambda h: h.bm25_rank or 9999),
    Column("Fused", lambda h: _score(h.fused_score), 62, right=True, priority=4,
           sort=lambda h: -9 if h.fused_score is None else h.fused_score),
    Column("Fused rank", lambda h: _rank(h.fused_rank), 80, right=True, priority=7,
           sort=lambda h: h.fused_rank or 9999),
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
        set_tip(self.find_box, self.find_box.placeholderText())  # there may be no room for it
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
