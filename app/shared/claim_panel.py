"""One checked sentence: its verdict, the evidence with the words both share, and the user's own verdict."""

from __future__ import annotations

import json
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from app.console import Console, Notice
from app.widgets.buttons import IconButton, button
from app.widgets.labels import ElidedLabel, label, set_tip
from app.widgets.layout import Flow, Item, Panel, row
from app.widgets.theme import SMALL_SPACE, VERDICT_COLOURS
from rag import operations
from rag.asking.rows import read_flag_opinion
from rag.grounding.rows import ClaimResult, Verdict, frequency, shared_words
from rag.text.markdown import shown


class ClaimPanel(Panel):
    """A panel about one ClaimResult. "Right" and "wrong" are stored with the trace and can be taken back."""

    closed = Signal()

    def __init__(self, console: Console, closable: bool = True) -> None:
        """Make an empty panel. closable: whether it has a button that hides it."""
        super().__init__()
        self._console = console
        self._trace_id = ""
        self._claim: ClaimResult | None = None
        # Nothing here asks for width: opening a sentence must not move what is beside the panel.
        self._verdict, self._score = ElidedLabel(), label("", "small", wrap=True)
        self._verdict.setProperty("role", "section")
        self._claim_text, self._reason, self._evidence = (
            label("", wrap=True),
            label("", wrap=True),
            label("", "muted", wrap=True),
        )
        self._claim_text.setTextFormat(Qt.TextFormat.RichText)
        self._evidence.setTextFormat(Qt.TextFormat.RichText)
        self.right = self._opinion_button("Right", True, "This verdict is right")
        self.wrong = self._opinion_button("Wrong", False, "This verdict is wrong")
        self.said = label("", "small")
        self.body.setSpacing(SMALL_SPACE)
        head: list[Item] = [(self._verdict, 1)]
        if closable:
            head.append(IconButton(console.theme, "cancel", "Close the evidence", self._close))
        self.body.addLayout(row(*head))
        for widget in (self._score, self._claim_text, self._reason, self._evidence):
            self.body.addWidget(widget)
        self.body.addLayout(Flow(label("Is this verdict right?", "small"), self.right, self.wrong, self.said))
        console.theme.changed.connect(self._draw)

    def show_claim(self, claim: ClaimResult, trace_id: str) -> None:
        """Show a claim of this trace."""
        self._claim, self._trace_id = claim, trace_id
        self._draw()
        self._show_opinion()
        self._console.claim_shown.emit(claim.verdict)

    def _draw(self) -> None:
        claim = self._claim
        if claim is None:
            return
        theme = self._console.theme
        self._verdict.setText(claim.verdict.words.capitalize())
        set_tip(self._verdict, claim.verdict.meaning)
        self._verdict.setStyleSheet(
            f"color: {theme.colour(VERDICT_COLOURS[claim.verdict]).name()}; font-weight: 600;"
        )
        self._score.setText(frequency(claim.score))
        self._score.setVisible(bool(self._score.text()))
        set_tip(self._score, "" if claim.score is None else f"Score {claim.score:.3f}")
        evidence = " ".join(claim.evidence_text.split())
        sentence, offsets = shown(claim.text)
        in_claim, in_evidence = shared_words(sentence, evidence)
        doubtful = [
            (place, place + 1)
            for start, end in json.loads(claim.doubtful or "[]")
            for place, offset in enumerate(offsets)
            if start <= offset < end
        ]
        alarm = f"color:{theme.colour(VERDICT_COLOURS[Verdict.UNSUPPORTED]).name()};text-decoration:underline"
        shared = [(start, end, "font-weight:600") for start, end in in_claim]
        unknown = [(start, end, alarm) for start, end in doubtful]
        self._claim_text.setText(f"“{marked(sentence, shared, unknown)}”")
        self._reason.setText(claim.reason[:1].upper() + claim.reason[1:] if claim.reason else "")
        self._reason.setVisible(bool(claim.reason))
        bold = [
            (start, end, f"font-weight:600;color:{theme.colour('text').name()}") for start, end in in_evidence
        ]
        self._evidence.setText(
            f"Nearest in the passages, [{claim.evidence_marker}]:&nbsp; {marked(evidence, bold)}"
            if claim.evidence_marker is not None
            else "No passage is near this sentence."
        )

    def _opinion_button(self, text: str, is_right: bool, tip: str) -> QPushButton:
        made = button(text, lambda: self._say(is_right), tip=tip)
        made.setCheckable(True)
        return made

    def _say(self, is_right: bool) -> None:
        claim = self._claim
        if claim is None or not self._trace_id:
            return
        pressed = self.right if is_right else self.wrong
        where = {"trace_id": self._trace_id, "start": claim.start}
        task = (
            self._console.engine.start(operations.set_opinion, **where, is_right=is_right)
            if pressed.isChecked()
            else self._console.engine.start(operations.remove_opinion, **where)
        )
        task.finished.connect(lambda _result: self._show_opinion())
        task.failed.connect(self._refused)

    def _refused(self, sentence: str, _details: str) -> None:
        self._show_opinion()
        self._console.notice.emit(sentence, Notice.BAD)

    def _show_opinion(self) -> None:
        claim = self._claim
        can_say = claim is not None and claim.verdict.is_claim and bool(self._trace_id)
        opinion = (
            read_flag_opinion(self._console.database, self._trace_id, claim.start)
            if claim and can_say
            else None
        )
        for made, means_right in ((self.right, True), (self.wrong, False)):
            made.setEnabled(can_say)
            made.setChecked(opinion is means_right)
        self.said.setText("" if opinion is None else "saved; click again to take it back")

    def _close(self) -> None:
        self.hide()
        self.closed.emit()


def marked(text: str, *layers: list[tuple[int, int, str]]) -> str:
    """Return a plain text as HTML with styled spans; a later layer is drawn over an earlier one."""
    style = [""] * len(text)
    for spans in layers:
        for start, end, css in spans:
            for place in range(max(start, 0), min(end, len(text))):
                style[place] = css
    parts, begin = [], 0
    for place in range(1, len(text) + 1):
        if place == len(text) or style[place] != style[begin]:
            piece = escape(text[begin:place])
            parts.append(f'<span style="{style[begin]}">{piece}</span>' if style[begin] else piece)
            begin = place
    return "".join(parts)
