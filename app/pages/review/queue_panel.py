"""The review queue: one answer at a time with its passages, judged from the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.shared.claim_panel import marked
from app.shared.feedback_bar import SetBox, person_name, set_person_name
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import ElidedLabel, label
from app.widgets.layout import EmptyState, Panel, row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.asking.rows import get_trace
from rag.errors import NotFoundError
from rag.grounding.rows import ClaimResult
from rag.index.rows import Hit
from rag.knowledge.rows import list_collections
from rag.operations import Operation
from rag.review.rows import REASONS, SOURCES, Agreement, ReviewItemRow, progress, review_items, review_queues
from rag.text.plurals import counted

R = TypeVar("R")

_QUEUE = "people/queue"
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
    ("Alt+1…9", "passage holds it"),
    ("N  P", "next, previous"),
    ("A", "add to set"),
    ("O", "open trace"),
)


class QueuePanel(QWidget):
    """Queue and reviewer above, the answer at the left, its passages at the right, the keys below."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._items: list[ReviewItemRow] = []
        self._at = 0
        self._verdict = ""
        self._loading = False
        self.queue_box = QComboBox()
        self.queue_box.setAccessibleName("Review queue")
        self.queue_box.setMinimumWidth(150)
        self.reviewer = QLineEdit(person_name())
        self.reviewer.setAccessibleName("Name of the reviewer")
        self.reviewer.setToolTip("Under which name the verdicts are kept")
        self.reviewer.setFixedWidth(130)
        self.progress, self.bar = label("", "small"), QProgressBar()
        self.bar.setAccessibleName("Reviewed")
        self.bar.setFixedWidth(120)
        self.where, self.question = label("", "small"), label("", "section", wrap=True)
        self.answer = AnswerView(console.theme)
        self.verdicts: dict[str, QPushButton] = {}
        self.reason, self.correction = QComboBox(), QPlainTextEdit()
        self.others = label("", "muted", wrap=True)
        self.set_box = SetBox(console, "Reviewed")
        self.passages: list[_Passage] = []
        self._stack = QStackedWidget()
        self._build()
        self._make_shortcuts()
        self.queue_box.currentIndexChanged.connect(lambda _i: self._choose_queue())
        self.reviewer.editingFinished.connect(self._rename)
        console.data_changed.connect(self.refresh)
        self.refresh()

    # --- what is shown ------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Queues and verdicts as they are now; the choice stays."""
        chosen = self.queue or str(QSettings().value(_QUEUE) or "")
        names = [found.name for found in review_queues(self._console.database)]
        self.queue_box.blockSignals(True)
        self.queue_box.clear()
        self.queue_box.addItems(names)
        self.queue_box.setCurrentIndex(max(self.queue_box.findText(chosen), 0) if names else -1)
        self.queue_box.blockSignals(False)
        current = self.item.id if self.item else 0
        self._load()
        self._at = next((n for n, item in enumerate(self._items) if item.id == current), -1)
        if self._at < 0:
            self._at = self._first_open()
            self._show_item()
        else:
            self._show_state()

    @property
    def queue(self) -> str:
        return self.queue_box.currentText()

    @property
    def item(self) -> ReviewItemRow | None:
        return self._items[self._at] if 0 <= self._at < len(self._items) else None

    def _choose_queue(self) -> None:
        QSettings().setValue(_QUEUE, self.queue)
        self._load()
        self._at = self._first_open()
        self._show_item()

    def _rename(self) -> None:
        set_person_name(self.reviewer.text())
        self._choose_queue()

    def _load(self) -> None:
        name = self.reviewer.text().strip()
        self._items = review_items(self._console.database, self.queue, name) if self.queue else []

    def _first_open(self) -> int:
        return next((n for n, item in enumerate(self._items) if item.own is None), 0)

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
        self.answer.set_answer(detail.answer or detail.error or "No answer.", markers)
        self.answer.set_claims(detail.claims, markers)
        own = item.own
        self._loading = True
        self._verdict = own.verdict if own else ""
        self.reason.setCurrentIndex(max(self.reason.findData(own.reason if own else ""), 0))
        self.correction.setPlainText(own.correction if own else "")
        packed = sorted((h for h in detail.hits if h.marker is not None), key=lambda h: h.marker or 0)
        self._show_passages(packed, detail.claims, own.relevant if own else ())
        self._loading = False
        self._show_verdict()

    def _show_state(self) -> None:
        item = self.item
        self._stack.setCurrentIndex(1 if item else 0)
        done = sum(found.own is not None for found in self._items)
        self.progress.setText(progress(self._items) if self._items else "")
        self.bar.setRange(0, max(len(self._items), 1))
        self.bar.setValue(done)
        self.bar.setVisible(bool(self._items))
        for made in (self._agreement_button, self._cases_button, self._export_button):
            made.setEnabled(done > 0)
        if item is None:
            return
        self.where.setText(f"Answer {self._at + 1} of {len(self._items)}   ·   {item.why}")
        said = [
            f"{review.reviewer}: {review.verdict}{f' ({review.reason})' if review.reason else ''}"
            for review in item.others
        ]
        case = f"A case of “{item.own.set_name}”.  " if item.own and item.own.case_key else ""
        self.others.setText(case + ("Others said  " + ";  ".join(said) if said else ""))
        self.others.setVisible(bool(case or said))

    def _show_verdict(self) -> None:
        for verdict, made in self.verdicts.items():
            made.setChecked(verdict == self._verdict)

    def _show_passages(
        self, hits: list[Hit], claims: tuple[ClaimResult, ...], relevant: tuple[int, ...]
    ) -> None:
        for passage in self.passages:
            passage.hide()
            passage.deleteLater()
        self.passages = []
        for number, hit in enumerate(hits):
            evidence = [
                claim.evidence_text
                for claim in claims
                if claim.evidence_marker == hit.marker and claim.evidence_text
            ]
            passage = _Passage(self._console, hit, evidence, hit.marker in relevant)
            passage.box.toggled.connect(lambda _on: self._changed())
            self.passages.append(passage)
            self._passage_list.insertWidget(number, passage)
        self._nothing.setVisible(not hits)

    # --- judging ------------------------------------------------------------------------------------------

    def give(self, verdict: str) -> None:
        """Keep this verdict; "correct" and "skip" go on to the next answer, the others wait for a reason."""
        if self.item is None:
            return
        self._verdict = verdict
        self._show_verdict()
        self._save(lambda: self.step(1, open_only=True) if verdict in ("correct", "skip") else None)

    def step(self, by: int, open_only: bool = False) -> None:
        """To the next or previous answer; open_only: the next that this reviewer has not judged."""
        if not self._items:
            return
        places = range(len(self._items))
        if open_only:
            order = [*places[self._at + 1 :], *places[: self._at]]
            found = next((n for n in order if self._items[n].own is None), None)
            if found is None:
                self._show_item()
                self._console.notice.emit(f"All of “{self.queue}” is reviewed.", "info")
                return
            self._at = found
        else:
            self._at = min(max(self._at + by, 0), len(self._items) - 1)
        self._show_item()
        self.setFocus()

    def add_to_set(self) -> None:
        """Make a case of this answer in the chosen set."""
        item, name = self.item, self.set_box.name
        if item is None:
            return
        if not self._verdict:
            self._console.notice.emit("Give a verdict first: it says what the right answer is.", "bad")
            return
        self.set_box.remember()
        self._save(
            lambda: self._run(
                operations.review_case,
                lambda _key: self._made_case(name),
                item_id=item.id,
                reviewer=self.reviewer.text(),
                set_name=name,
            )
        )

    def open_trace(self) -> None:
        if self.item is not None:
            self.trace_requested.emit(self.item.trace_id)

    def toggle_passage(self, number: int) -> None:
        """Mark the n-th passage, from 1, as one that holds the answer."""
        if number <= len(self.passages):
            self.passages[number - 1].box.toggle()

    def _made_case(self, name: str) -> None:
        self._load()
        self._show_state()
        self._console.notice.emit(f"A case was made in “{name}”.", "info")

    def _changed(self) -> None:
        """A reason, correction or passage belongs to a verdict that is kept already."""
        if not self._loading and self._verdict:
            self._save(lambda: None)

    def _save(self, then: Callable[[], Any]) -> None:
        item = self.item
        if item is None or not self._verdict:
            return
        self._run(
            operations.save_verdict,
            lambda _none: self._saved(then),
            item_id=item.id,
            reviewer=self.reviewer.text(),
            verdict=self._verdict,
            reason=str(self.reason.currentData() or ""),
            correction=self.correction.toPlainText(),
            relevant=tuple(p.hit.marker for p in self.passages if p.box.isChecked()),
        )

    def _saved(self, then: Callable[[], Any]) -> None:
        self._load()
        self._show_state()
        then()

    def _run(self, operation: Operation[R], done: Callable[[R], Any], **arguments: Any) -> None:
        self._console.run(operation, done, **arguments)

    # --- the whole queue ----------------------------------------------------------------------------------

    def fill(self) -> FillDialog:
        """Choose answers by source."""
        dialog = FillDialog(self._console, self.queue, self)
        dialog.accepted.connect(lambda: self._fill(dialog))
        dialog.open()
        return dialog

    def _fill(self, dialog: FillDialog) -> None:
        name = dialog.queue.currentText().strip()
        QSettings().setValue(_QUEUE, name)
        self._run(
            operations.fill_queue,
            lambda added: self._filled(name, added),
            queue=name,
            counts=dialog.counts(),
            collection=str(dialog.collection.currentData() or ""),
        )

    def _filled(self, name: str, added: int) -> None:
        self.refresh()
        self.queue_box.setCurrentIndex(self.queue_box.findText(name))
        none = "; there is none of that source that is not in it already" if not added else ""
        self._console.notice.emit(
            f"{counted(added, 'answer was', 'answers were')} added to “{name}”{none}.", "info"
        )

    def show_agreement(self) -> None:
        self._run(
            operations.measure_agreement,
            self._show_agreement,
            queue=self.queue,
            reviewer=self.reviewer.text(),
        )

    def _show_agreement(self, found: list[Agreement]) -> None:
        self.agreement_dialog = AgreementDialog(self._console, found, self)
        self.agreement_dialog.trace_requested.connect(self.trace_requested)
        self.agreement_dialog.open()

    def make_cases(self) -> None:
        """Cases of all answers whose reviewers agree, in the chosen set."""
        name = self.set_box.name
        self.set_box.remember()
        self._run(
            operations.make_review_cases,
            lambda counts: self._made_cases(name, *counts),
            queue=self.queue,
            set_name=name,
        )

    def _made_cases(self, name: str, made: int, left_out: int) -> None:
        self._load()
        self._show_state()
        more = (
            f" {left_out} were left out: skipped, disagreed on, or without a right answer."
            if left_out
            else ""
        )
        self._console.notice.emit(f"“{name}” has {made} cases of this queue.{more}", "info")
        self.set_box.refresh()

    def _export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Write the verdicts", f"{self.queue}.csv", "CSV (*.csv);;JSON lines (*.jsonl)"
        )
        if path:
            self._run(
                operations.export_reviews,
                lambda count: self._console.notice.emit(
                    f"{count} verdicts are in {Path(path).name}.", "info"
                ),
                queue=self.queue,
                path=Path(path),
            )

    # --- making -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._fill_button = button("Add answers…", self.fill, tip="Choose answers by source")
        self._agreement_button = button(
            "Agreement", self.show_agreement, tip="Cohen's kappa of two reviewers, and where they disagree"
        )
        self._cases_button = button(
            "Make cases", self.make_cases, tip="Of all answers whose reviewers agree, in the set at the left"
        )
        self._export_button = button("Export…", self._export, tip="All verdicts as CSV or JSON lines")
        empty = EmptyState(
            self._console.theme,
            "review",
            "Nothing to review yet",
            "Choose answers by source: flagged ones, those rated down, the lowest scores, or a random sample. "
            "Two reviewers can judge the same answers without seeing each other's verdicts.",
            button("Add answers…", self.fill, primary=True),
        )
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self._make_left())
        splitter.addWidget(self._make_right())
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([640, 520])
        splitter.setStretchFactor(0, 5)
        splitter.setStretchFactor(1, 4)
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(SMALL_SPACE)
        inside.addWidget(splitter, 1)
        inside.addLayout(_key_row())
        self._stack.addWidget(empty)
        self._stack.addWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SPACE)
        layout.addLayout(
            row(
                self.queue_box,
                self._fill_button,
                label("Reviewer", "small"),
                self.reviewer,
                self.bar,
                self.progress,
                1,
                self._agreement_button,
                label("Set", "small"),
                self.set_box,
                self._cases_button,
                self._export_button,
            )
        )
        layout.addWidget(self._stack, 1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _make_left(self) -> QWidget:
        holder = QWidget()
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(0, 0, SMALL_SPACE, 0)
        inside.setSpacing(SPACE)
        inside.addWidget(self.question)
        inside.addWidget(self.answer)
        inside.addStretch(1)
        panel = Panel()
        panel.body.addWidget(self.where)
        panel.body.addWidget(scrolled(holder), 1)
        for verdict, key, title in _VERDICT_KEYS:
            made = button(title, lambda v=verdict: self.give(v), tip=f"{title} ({key})")
            made.setCheckable(True)
            self.verdicts[verdict] = made
        panel.body.addLayout(row(*self.verdicts.values(), 1))
        self.reason.addItem("No reason", "")
        for reason in REASONS:
            self.reason.addItem(reason.capitalize(), reason)
        self.reason.setAccessibleName("Reason")
        self.reason.activated.connect(lambda _i: self._changed())
        self.correction.setAccessibleName("Right answer")
        self.correction.setPlaceholderText("The right answer, where this one is not  (Esc leaves the field)")
        self.correction.setTabChangesFocus(True)
        self.correction.setFixedHeight(64)
        line = row(self.reason, self.correction)
        line.setAlignment(self.reason, Qt.AlignmentFlag.AlignTop)
        panel.body.addLayout(line)
        panel.body.addWidget(self.others)
        self._previous = button("Previous", lambda: self._leave(-1), tip="P")
        self._next = button("Next", lambda: self._leave(1), tip="N")
        panel.body.addLayout(
            row(
                self._previous,
                self._next,
                1,
                button("Add to set", self.add_to_set, tip="A"),
                button("Open trace", self.open_trace, link=True, tip="O"),
            )
        )
        return panel

    def _make_right(self) -> QWidget:
        holder = QWidget()
        self._passage_list = QVBoxLayout(holder)
        self._passage_list.setContentsMargins(0, 0, SMALL_SPACE, 0)
        self._passage_list.setSpacing(SPACE)
        self._nothing = label("No passage was in the prompt.", "muted", wrap=True)
        self._passage_list.addWidget(self._nothing)
        self._passage_list.addStretch(1)
        panel = Panel("Passages it had")
        panel.heading_row.addWidget(label("tick those that hold the answer", "small"))
        panel.body.addWidget(scrolled(holder), 1)
        return panel

    def _leave(self, by: int) -> None:
        """What was typed belongs to the verdict: keep it, then go."""
        own = self.item.own if self.item else None
        if own is not None and self.correction.toPlainText().strip() != own.correction:
            self._save(lambda: self.step(by))
        else:
            self.step(by)

    def _make_shortcuts(self) -> None:
        actions: list[tuple[str, Callable[[], Any]]] = [
            *((key, lambda v=verdict: self.give(v)) for verdict, key, _ in _VERDICT_KEYS),
            ("R", self._ask_reason),
            ("C", self.correction.setFocus),
            ("N", lambda: self._leave(1)),
            ("P", lambda: self._leave(-1)),
            ("A", self.add_to_set),
            ("O", self.open_trace),
            ("Ctrl+Return", lambda: self._leave(1)),
            *((f"Alt+{n}", lambda n=n: self.toggle_passage(n)) for n in range(1, 10)),
        ]
        for keys, action in actions:
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        leave = QShortcut(QKeySequence("Esc"), self.correction)
        leave.setContext(Qt.ShortcutContext.WidgetShortcut)
        leave.activated.connect(self._leave_field)

    def _leave_field(self) -> None:
        self.setFocus()
        self._changed()

    def _ask_reason(self) -> None:
        self.reason.setFocus()
        self.reason.showPopup()


class _Passage(QFrame):
    """One passage with the sentences that were taken as evidence marked in it."""

    def __init__(self, console: Console, hit: Hit, evidence: list[str], is_relevant: bool) -> None:
        super().__init__()
        self.hit = hit
        self._theme, self._evidence = console.theme, evidence
        self.box = QCheckBox(f"[{hit.marker}]")
        self.box.setAccessibleName(f"Passage {hit.marker} holds the answer")
        self.box.setChecked(is_relevant)
        place = ElidedLabel(f"{hit.document}{f', {hit.place}' if hit.place else ''}")
        place.setProperty("role", "small")
        self._text = label("", wrap=True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        head = row(self.box, place)
        head.setStretch(1, 1)
        layout.addLayout(head)
        layout.addWidget(self._text)
        console.theme.changed.connect(self._draw)
        self._draw()

    @property
    def evidence_count(self) -> int:
        return len(self._spans())

    def _spans(self) -> list[tuple[int, int]]:
        found = []
        for part in self._evidence:
            begin = self.hit.text.find(part)
            if begin >= 0:
                found.append((begin, begin + len(part)))
        return found

    def _draw(self) -> None:
        ground = self._theme.colour("highlight").name()
        spans = [(start, end, f"background:{ground}") for start, end in self._spans()]
        html = marked(self.hit.text, spans) if self.hit.text else escape(self.hit.text)
        self._text.setText(html.replace("\n", "<br>"))


class FillDialog(QDialog):
    """How many answers of each source."""

    def __init__(self, console: Console, queue: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add answers to a review queue")
        self.setMinimumWidth(460)
        self.queue, self.collection = QComboBox(), QComboBox()
        self.queue.setEditable(True)
        self.queue.setAccessibleName("Review queue")
        self.queue.addItems([found.name for found in review_queues(console.database)])
        self.queue.setEditText(queue or "Review")
        self.collection.setAccessibleName("Collection")
        self.collection.addItem("All collections", "")
        for found in list_collections(console.database):
            self.collection.addItem(found.name, found.name)
        form = QFormLayout()
        form.addRow("Queue", self.queue)
        form.addRow("Answers of", self.collection)
        self.spins: dict[str, QSpinBox] = {}
        for source, what in SOURCES.items():
            spin = QSpinBox(minimum=0, maximum=10_000, value=10 if source in ("flagged", "random") else 0)
            spin.setAccessibleName(what)
            spin.setFixedWidth(90)
            self.spins[source] = spin
            form.addRow(what, spin)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Add")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(
            label(
                "At most so many of each; an answer that is in the queue already is not added again.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(form)
        layout.addWidget(buttons)

    def counts(self) -> dict[str, int]:
        return {source: spin.value() for source, spin in self.spins.items() if spin.value()}


_DISAGREEMENT_COLUMNS = (
    Column("First", lambda pair: f"{pair[0].first}: {pair[1].first}", 150),
    Column("Second", lambda pair: f"{pair[0].second}: {pair[1].second}", 150),
    Column(
        "Question", lambda pair: pair[1].question, 300, stretch=True, tooltip=lambda pair: pair[1].question
    ),
)


class AgreementDialog(QDialog):
    """How far two reviewers agree, and the answers on which they do not; Enter opens the trace."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, found: list[Agreement], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Agreement of reviewers")
        self.resize(720, 420)
        self.sentences = label(
            "\n".join(f"{agreement.sentence()}." for agreement in found)
            or "It takes two reviewers, you among them; nobody else has judged these answers yet.",
            wrap=True,
        )
        self.table = RecordTable(
            _DISAGREEMENT_COLUMNS,
            console.theme,
            "disagreements",
            "There is no answer on which they disagree.",
        )
        self.table.set_records(
            [(agreement, other) for agreement in found for other in agreement.disagreements]
        )
        self.table.record_activated.connect(self._open)
        note = "Kappa is the agreement beyond chance (Cohen 1960): 1 is full agreement, 0 is what chance gives. Skipped answers do not count."
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(self.sentences)
        layout.addWidget(label(note, "muted", wrap=True))
        layout.addWidget(self.table, 1)
        layout.addLayout(row(1, button("Close", self.accept)))

    def _open(self, pair: Any) -> None:
        self.accept()
        self.trace_requested.emit(pair[1].trace_id)


def _key_row() -> Any:
    """The shortcuts, always in sight."""
    parts: list[QWidget | int] = []
    for keys, what in KEYS:
        shown = label(keys)
        shown.setObjectName("keys")
        parts += [shown, label(what, "small")]
    return row(*parts, 1, spacing=5)
