"""The tab "Same questions": what two versions find for the same questions."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPlainTextEdit, QWidget

from app.console import Console
from app.pages.versions.changes_panel import Pair
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, refill, row
from app.widgets.theme import SPACE
from rag import operations
from rag.evaluation.rows import VersionComparison, list_sets

QUERY_COLUMNS = (
    Column("Question", lambda q: q.query, 260, stretch=True, tooltip=lambda q: q.query),
    Column("Left", lambda q: str(q.old_count), 48, right=True, sort=lambda q: q.old_count),
    Column("Right", lambda q: str(q.new_count), 58, right=True, sort=lambda q: q.new_count),
    Column("In both", lambda q: str(q.shared), 70, right=True, sort=lambda q: q.shared),
)  # fmt: skip
RANK_COLUMNS = (
    Column("Document", lambda c: c[0], 160, stretch=True, tooltip=lambda c: c[0]),
    Column("Place", lambda c: c[1], 90),
    Column("Left rank", lambda c: str(c[2] or "–"), 82, right=True, sort=lambda c: c[2] or 999),
    Column("Right rank", lambda c: str(c[3] or "–"), 90, right=True, sort=lambda c: c[3] or 999,
           colour=lambda c: "good" if c[2] is None else "bad" if c[3] is None else None),
)  # fmt: skip


class ComparisonPanel(QWidget):
    """Asks both versions of a pair the same questions, and lists which passages each of them finds."""

    compared = Signal()
    swap_requested = Signal()  # the other version is to be the baseline

    def __init__(self, console: Console, strip: TaskStrip) -> None:
        super().__init__()
        self._console, self._strip = console, strip
        self._pair: Pair | None = None
        self.questions = QPlainTextEdit()
        self.questions.setAccessibleName("Questions, one per line")
        self.questions.setPlaceholderText(
            "Questions, one per line. Leave empty for earlier questions and the verification queries."
        )
        self.questions.setFixedHeight(52)
        self.set_box = QComboBox()
        self.set_box.setAccessibleName("Evaluation set whose questions are asked")
        self.set_box.setMinimumContentsLength(14)
        self.set_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.judged = QLineEdit()
        self.judged.setAccessibleName("File with judgements")
        self.judged.setPlaceholderText("Judged questions, JSONL (optional)")
        self.line = label("", "muted", wrap=True)
        self.compare_button = button("Compare", self.compare, primary=True)
        self.swap_button = button("Swap", self.swap, tip="Compare the other way round")
        self.queries = RecordTable(
            QUERY_COLUMNS, console.theme, "compared_queries",
            "“Compare” asks both versions the same questions and shows what each of them finds.",
        )  # fmt: skip
        self.ranks = RecordTable(RANK_COLUMNS, console.theme, "compared_ranks")
        self.queries.record_selected.connect(lambda query: self.ranks.set_records(query.changes))
        choose = button(
            "Choose…", self._choose_judged, tip='Lines of {"question": …, "documents": [name, …]}'
        )
        column(
            self.questions,
            row(self.set_box, (self.judged, 1), choose, self.swap_button, self.compare_button),
            self.line,
            (Splitter("versions/comparison", self.queries, self.ranks, (560, 560)), 1),
            holder=self,
            top=SPACE,
        )
        self.set_pair(None)

    def set_pair(self, pair: Pair | None) -> None:
        """Compare these versions when the button is pressed; None: there is nothing to compare."""
        self._pair = pair
        names = [found.name for found in list_sets(self._console.database)]
        refill(self.set_box, [("No evaluation set", ""), *((name, name) for name in names)])
        self.swap_button.setEnabled(pair is not None)
        self.compare_button.setEnabled(pair is not None)

    def compare(self) -> None:
        """Ask both versions the questions of the field, or those asked earlier when it is empty."""
        if self._pair is None:
            return
        old, new = self._pair
        lines = (line.strip() for line in self.questions.toPlainText().splitlines())
        task = self._console.run(
            operations.compare_versions, self._show, collection=new.collection, old=old.number,
            new=new.number, queries=[line for line in lines if line], judged=self.judged.text().strip(),
            set_name=str(self.set_box.currentData() or ""),
        )  # fmt: skip
        self._strip.follow(task)

    def swap(self) -> None:
        """Make the other version the baseline; what was compared is compared again."""
        self.swap_requested.emit()
        if self.queries.records_model.records:
            self.compare()

    def _show(self, found: VersionComparison) -> None:
        self.queries.set_records(found.queries)
        parts = [
            f"Left: version {found.old_number}, right: version {found.new_number}.",
            f"Version {found.old_number} is the baseline.",
        ]
        if found.sentence:
            parts.append(found.sentence[0].upper() + found.sentence[1:])
        if found.overlap is not None:
            parts.append(
                f"{100 * found.overlap:.0f} % of the first {found.k} passages are in both, on average over "
                f"{len(found.queries)} questions."
            )
        for name, (before, after, count) in found.metrics.items():
            parts.append(f"{name} {before:.3f} → {after:.3f} (n = {count}).")
        self.line.setText(" ".join(parts))
        self.queries.selectRow(0)
        self.compared.emit()

    def _choose_judged(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Judged questions", "", "JSON lines (*.jsonl);;All files (*)"
        )
        if path:
            self.judged.setText(path)
