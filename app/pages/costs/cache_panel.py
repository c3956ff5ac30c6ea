"""The answer cache: what it saved, how often a fresh answer was another, and the threshold that is safe."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.console import Console
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, column, confirm
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.asking.cache.rows import (
    CacheCheckReport,
    CacheHitRow,
    CacheState,
    HitKind,
    ago,
    list_hits,
    threshold_for,
)
from rag.costs.rows import money
from rag.text.plurals import counted

_TARGETS = (0.005, 0.01, 0.02, 0.05)
_KINDS = {HitKind.EXACT: "same question", HitKind.SIMILAR: "similar", HitKind.NEAR: "similar, not given"}
_SHOWN = 500


def _compared(hit: CacheHitRow) -> str:
    """Say what a fresh answer was like."""
    if hit.checked_ms is None:
        return "not yet"
    if hit.is_false is None:
        return "no longer possible"
    if not hit.is_false:
        return "the same"
    return "other meaning" if not hit.same_meaning else "other citations"


def _similarity(hit: CacheHitRow) -> str:
    return "–" if hit.similarity is None else f"{hit.similarity:.2f}"


HIT_COLUMNS = (
    Column("Question", lambda h: h.question, 300, stretch=True, tooltip=lambda h: h.first_question),
    Column("Found as", lambda h: _KINDS[h.kind], 130),
    Column("Similarity", _similarity, 80, right=True, sort=lambda h: h.similarity or 1.0),
    Column("Answered", lambda h: ago(h.created_ms - h.answered_ms), 120, sort=lambda h: h.answered_ms),
    Column("Saved", lambda h: f"{h.saved_ms / 1000:,.1f} s", 80, right=True, sort=lambda h: h.saved_ms),
    Column("Fresh answer", _compared, 120, colour=lambda h: "bad" if h.is_false else None),
)


class CachePanel(QWidget):
    """A panel with what the cache saved, a choice of threshold, and every hit."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._state: CacheState | None = None
        self.saved, self.wrong, self.safe = label("", wrap=True), label("", wrap=True), label("", "small")
        self.target_box = QComboBox()
        self.target_box.setAccessibleName("Acceptable share of false hits")
        for target in _TARGETS:
            self.target_box.addItem(f"at most {100 * target:g} % false", target)
        self.target_box.setCurrentIndex(1)
        self.target_box.currentIndexChanged.connect(lambda _i: self._show_threshold())
        self.use_button = button("Use this threshold", self._use, tip="Change cache.threshold in Settings")
        self.check_button = button(
            "Compare now", self._check, tip="Answer hits afresh, and compare meaning and citations"
        )
        self.clear_button = button("Clear…", self._clear, tip="Forget the stored answers")
        self.hits = RecordTable(HIT_COLUMNS, console.theme, "cache_hits", "No answer was given again yet.")
        self.hits.record_activated.connect(lambda hit: self.trace_requested.emit(hit.trace_id))
        flow = Flow(self.target_box, self.safe, self.use_button, self.check_button, self.clear_button)
        column(self.saved, self.wrong, flow, (self.hits, 1), holder=self, top=SMALL_SPACE)

    def refresh(self, since_ms: int) -> None:
        """Read what the cache did since a moment, in Unix milliseconds."""
        self.hits.set_records(list_hits(self._console.database, since_ms, _SHOWN))
        self._console.run(operations.cache_state, self._show, since_ms=since_ms)

    def _show(self, state: CacheState) -> None:
        self._state = state
        self.saved.setText(_what_was_saved(state))
        self.wrong.setText(_how_often_wrong(state))
        allow(self.check_button, "" if state.waiting else "Every hit has been compared with a fresh answer.")
        allow(self.clear_button, "" if state.answers else "No answer is stored.")
        self._show_threshold()

    def _show_threshold(self) -> None:
        if self._state is None:
            return
        found = threshold_for(self._state.choices, float(self.target_box.currentData()))
        in_use = self._state.threshold
        if found is None:
            self.safe.setText(f"Similarity from {in_use:g} on is in use; too few comparisons to choose.")
            allow(self.use_button, "Compare more hits first: cache.similar set to “measure” collects them.")
        else:
            compared = f"{found.false} of {found.given:,} false"
            self.safe.setText(f"Similarity from {found.threshold:g} on ({compared}); in use: {in_use:g}")
            allow(self.use_button, "" if found.threshold != in_use else "This threshold is in use.")

    def _use(self) -> None:
        assert self._state is not None
        found = threshold_for(self._state.choices, float(self.target_box.currentData()))
        if found is not None:
            self._console.change_settings("cache", "threshold", found.threshold, "The threshold")

    def _check(self) -> None:
        self._console.run(operations.check_cache, self._checked)

    def _checked(self, report: CacheCheckReport) -> None:
        self._console.notice.emit(report.sentence(), "bad" if report.false else "good")
        self._console.data_changed.emit()

    def _clear(self) -> None:
        confirm(
            self, "Clear the answer cache",
            "The model is asked again for every question. Traces and what is known of earlier hits stay.",
            "Clear", lambda: self._console.run(operations.clear_cache, self._cleared),
            destructive=True,
        )  # fmt: skip

    def _cleared(self, count: int) -> None:
        self._console.notice.emit(f"Forgot {counted(count, 'answer')}.", "good")
        self._console.data_changed.emit()


def _what_was_saved(state: CacheState) -> str:
    saved = " + ".join(money(amount, currency) for currency, amount in sorted(state.amounts.items()))
    unknown = f", {counted(state.unknown_cost, 'hit')} of unknown cost" if state.unknown_cost else ""
    return (
        f"{state.how_many()}, {state.similar:,} of them a similar one. Saved: {state.seconds:,.1f} s, "
        f"{state.prompt_tokens + state.completion_tokens:,} tokens, {saved or 'no known cost'}{unknown}."
    )


def _how_often_wrong(state: CacheState) -> str:
    known = [f"{_KINDS[one.kind]}: {one.sentence()}" for one in state.false_hits if one.compared]
    if not known:
        return "False hits: none was compared with a fresh answer yet."
    return "False hits. " + ". ".join(part[:1].upper() + part[1:] for part in known) + "."
