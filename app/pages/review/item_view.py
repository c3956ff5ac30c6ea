"""One answer of a review queue at a time: read, judged and marked, all of it from the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QPushButton, QWidget

from app.console import Console
from app.pages.review.passages import PassageList
from app.shared.feedback_bar import SetBox
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import Flow, Panel, Splitter, column, on_escape, row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, scaled
from rag import operations
from rag.asking.rows import get_trace
from rag.errors import NotFoundError
from rag.review.rows import Reason, ReviewItemRow, list_review_items

_VERDICT_KEYS = (
    ("correct", "1", "Correct"),
    ("partly", "2", "Partly"),
    ("wrong", "3", "Wrong"),
    ("skip", "S", "Skip"),
)
KEYS = (
    ("1", "correct"),
    ("2", "partly"),
    ("3", "wrong"),
    ("S", "skip"),
    ("R", "reason"),
    ("C", "correction"),
    ("Alt+1…9", "passage contains it"),
    ("N  P", "next, previous"),
    ("A", "add to set"),
    ("O", "open trace"),
)


class ItemView(QWidget):
    """The answer at the left, its passages at the right, the keys below; for these see `add_shortcuts`."""

    trace_requested = Signal(str)
    changed = Signal()  # another answer is shown, or a verdict was stored

    def __init__(self, console: Console, set_box: SetBox) -> None:
        super().__init__()
        self._console, self._set_box = console, set_box
        self.queue, self.reviewer = "", ""
        self.items: list[ReviewItemRow] = []
        self._at = 0
        self._verdict = ""
        self._loading = False
        self.where, self.question = label("", "small"), label("", "section", wrap=True)
        self.answer = AnswerView(console.theme)
        self.verdicts: dict[str, QPushButton] = {}
        self.reason, self.correction = QComboBox(), QPlainTextEdit()
        self.others = label("", "muted", wrap=True)
        self.passages = PassageList(console.theme)
        self.passages.changed.connect(self._marked)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Answer under review")
        splitter = Splitter("review/splitter", self._make_answer(), self.passages, (640, 520), stretch=(5, 4))
        column((splitter, 1), _key_row(), holder=self)

    # --- which answer is shown ----------------------------------------------------------------------------

    @property
    def item(self) -> ReviewItemRow | None:
        """The answer shown."""
        return self.items[self._at] if 0 <= self._at < len(self.items) else None

    @property
    def done_count(self) -> int:
        """How many answers of the queue this reviewer has judged."""
        return sum(found.own is not None for found in self.items)

    def show_queue(self, queue: str, reviewer: str) -> None:
        """Show the first answer of a queue that this reviewer has not judged."""
        self.queue, self.reviewer = queue, reviewer
        self._load()
        self._at = self._first_open()
        self._show_item()

    def refresh(self) -> None:
        """Read the queue again. The answer shown stays, with what was typed about it."""
        current = self.item.id if self.item else 0
        self._load()
        self._at = next((n for n, item in enumerate(self.items) if item.id == current), -1)
        if self._at < 0:
            self._at = self._first_open()
            self._show_item()
        else:
            self._show_state()

    def step(self, by: int, open_only: bool = False) -> None:
        """Show the next or previous answer.

        Args:
            by: 1 for the next answer, -1 for the previous one.
            open_only: Go to the next answer that this reviewer has not judged, instead.
        """
        if not self.items:
            return
        if open_only:
            order = [*range(self._at + 1, len(self.items)), *range(self._at)]
            found = next((n for n in order if self.items[n].own is None), None)
            if found is None:
                self._show_item()
                self._console.notice.emit(f"Every answer in “{self.queue}” is reviewed.", "info")
                return
            self._at = found
        else:
            self._at = min(max(self._at + by, 0), len(self.items) - 1)
        self._show_item()
        self.setFocus()

    def leave(self, by: int) -> None:
        """Store a correction that was typed, then go to the next or previous answer."""
        own = self.item.own if self.item else None
        if own is not None and self.correction.toPlainText().strip() != own.correction:
            self._save(lambda: self.step(by))
        else:
            self.step(by)

    # --- judging ------------------------------------------------------------------------------------------

    def give(self, verdict: str) -> None:
        """Store a verdict. "correct" and "skip" go on to the next answer, the others wait for a reason."""
        if self.item is None:
            return
        self._verdict = verdict
        self._show_verdict()
        self._save(lambda: self.step(1, open_only=True) if verdict in ("correct", "skip") else None)

    def add_to_set(self) -> None:
        """Make a case of this answer in the chosen set."""
        item, name = self.item, self._set_box.name
        if item is None:
            return
        if not self._verdict:
            self._console.notice.emit("Give a verdict first: it says what the right answer is.", "bad")
            return
        self._set_box.remember()
        self._save(
            lambda: self._console.run(
                operations.review_case,
                lambda _key: self._made_case(name),
                item_id=item.id,
                reviewer=self.reviewer,
                set_name=name,
            )
        )

    def open_trace(self) -> None:
        """Ask for the trace of the answer shown."""
        if self.item is not None:
            self.trace_requested.emit(self.item.trace_id)

    def add_shortcuts(self, owner: QWidget) -> None:
        """Make the keys work while `owner` or a widget in it has the focus."""
        actions: list[tuple[str, Callable[[], Any]]] = [
            *((key, partial(self.give, verdict)) for verdict, key, _ in _VERDICT_KEYS),
            ("R", self._ask_reason),
            ("C", self.correction.setFocus),
            ("N", lambda: self.leave(1)),
            ("P", lambda: self.leave(-1)),
            ("A", self.add_to_set),
            ("O", self.open_trace),
            ("Ctrl+Return", lambda: self.leave(1)),
            *((f"Alt+{n}", partial(self.passages.toggle, n)) for n in range(1, 10)),
        ]
        for keys, action in actions:
            shortcut = QShortcut(QKeySequence(keys), owner)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        on_escape(self.correction, self._leave_field)

    def _save(self, then: Callable[[], object]) -> None:
        item = self.item
        if item is None or not self._verdict:
            return
        self._console.run(
            operations.save_verdict,
            lambda _none: self._saved(then),
            item_id=item.id,
            reviewer=self.reviewer,
            verdict=self._verdict,
            reason=str(self.reason.currentData() or ""),
            correction=self.correction.toPlainText(),
            relevant=self.passages.relevant,
        )

    def _saved(self, then: Callable[[], object]) -> None:
        self._load()
        self._show_state()
        then()

    def _made_case(self, name: str) -> None:
        self._load()
        self._show_state()
        self._console.notice.emit(f"A case was made in “{name}”.", "info")

    def _marked(self) -> None:
        """Store a reason, correction or passage, if there is a verdict that it belongs to."""
        if not self._loading and self._verdict:
            self._save(lambda: None)

    def _leave_field(self) -> None:
        self.setFocus()
        self._marked()

    def _ask_reason(self) -> None:
        self.reason.setFocus()
        self.reason.showPopup()

    # --- what is shown of it ------------------------------------------------------------------------------

    def _load(self) -> None:
        self.items = (
            list_review_items(self._console.database, self.queue, self.reviewer) if self.queue else []
        )

    def _first_open(self) -> int:
        return next((n for n, item in enumerate(self.items) if item.own is None), 0)

    def _show_item(self) -> None:
        item = self.item
        self._show_state()
        if item is None:
            return
        try:
            detail = get_trace(self._console.database, item.trace_id)
        except NotFoundError as error:
            self._console.notice.emit(str(error), "bad")
            return
        markers = [hit.marker for hit in detail.hits if hit.marker is not None]
        self.question.setText(item.question)
        self.answer.set_answer(detail.answer or detail.error or "No answer.", markers, detail.claims)
        own = item.own
        self._loading = True
        self._verdict = own.verdict if own else ""
        self.reason.setCurrentIndex(max(self.reason.findData(own.reason if own else ""), 0))
        self.correction.setPlainText(own.correction if own else "")
        self.passages.show_passages(detail.hits, detail.claims, own.relevant if own else ())
        self._loading = False
        self._show_verdict()

    def _show_state(self) -> None:
        """Show where the answer is in the queue, and what others said about it."""
        item = self.item
        if item is not None:
            self.where.setText(f"Answer {self._at + 1} of {len(self.items)}   ·   {item.why}")
            said = [
                f"{review.reviewer}: {review.verdict}{f' ({review.reason})' if review.reason else ''}"
                for review in item.others
            ]
            case = f"A case of “{item.own.set_name}”.  " if item.own and item.own.case_key else ""
            self.others.setText(case + (f"Other reviewers  {';  '.join(said)}" if said else ""))
            self.others.setVisible(bool(case or said))
        self.changed.emit()

    def _show_verdict(self) -> None:
        for verdict, made in self.verdicts.items():
            made.setChecked(verdict == self._verdict)

    def _make_answer(self) -> QWidget:
        text = column(self.question, self.answer, 1, right=SMALL_SPACE, spacing=SPACE)
        for verdict, key, title in _VERDICT_KEYS:
            made = button(title, partial(self.give, verdict), tip=f"{title} ({key})")
            made.setCheckable(True)
            self.verdicts[verdict] = made
        self.reason.addItem("No reason", "")
        for reason in Reason:
            self.reason.addItem(reason.capitalize(), reason)
        self.reason.setAccessibleName("Reason")
        self.reason.activated.connect(lambda _i: self._marked())
        self.correction.setAccessibleName("Right answer")
        self.correction.setPlaceholderText("The right answer, if this one is not  (Esc leaves the field)")
        self.correction.setTabChangesFocus(True)
        self.correction.setFixedHeight(scaled(64))
        why = row(self.reason, self.correction)
        why.setAlignment(self.reason, Qt.AlignmentFlag.AlignTop)
        panel = Panel()
        panel.body.addWidget(self.where)
        panel.body.addWidget(scrolled(text), 1)
        panel.body.addLayout(Flow(*self.verdicts.values()))
        panel.body.addLayout(why)
        panel.body.addWidget(self.others)
        panel.body.addLayout(
            Flow(
                button("Previous", lambda: self.leave(-1), tip="P"),
                button("Next", lambda: self.leave(1), tip="N"),
                button("Add to set", self.add_to_set, tip="A"),
                button("Open trace", self.open_trace, link=True, tip="O"),
            )
        )
        return panel


def _key_row() -> Flow:
    """Return the keys, so that they are always in sight, in as many lines as they need."""
    parts: list[QWidget] = []
    for keys, what in KEYS:
        shown = label(keys)
        shown.setObjectName("keys")
        part = QWidget()
        part.setLayout(row(shown, label(what, "small"), spacing=5))
        parts.append(part)
    return Flow(*parts, spacing=8)
