"""Evaluation runs side by side: what differs, how sure that is, and the questions that changed most."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.pages.evaluation.comparison.bars import DifferenceBars
from app.pages.evaluation.comparison.figures import (
    MetricLine,
    better_colour,
    between,
    definition,
    mean_interval,
    mean_of,
    metric_lines,
    number,
    signed,
)
from app.pages.evaluation.comparison.matrix import CaseMatrix, answer_text, right_answer
from app.pages.evaluation.power import detectable_sentence
from app.shared.diff_view import DiffView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import ElidedLabel, KeyValueGrid, label
from app.widgets.layout import EmptyState, Splitter, column, refill, row, scrolled
from app.widgets.theme import SMALL_SPACE
from rag.asking.rows import get_trace
from rag.errors import NotFoundError
from rag.evaluation.rows import (
    CaseAnswer,
    CaseComparison,
    MetricMean,
    RunComparison,
    RunRow,
)
from rag.evaluation.verdicts.rows import RunChange, outcome_word
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.text.plurals import counted
from rag.text.word_diff import word_diff


def _about_mean(mean: MetricMean | None, unit: str) -> str:
    """Return a mean with everything needed to judge it."""
    if mean is None or mean.mean is None:
        return "No case has a value"
    interval = mean_interval(mean, unit)
    ends = f", 95 % interval {interval}\n{mean.interval}" if interval else ""
    failed = f", {mean.failed:,} of them should have one" if mean.failed else ""
    without = f"{counted(mean.count, 'case')}, {mean.missing:,} without a value{failed}"
    return f"{number(mean.mean, unit)}{ends}\n{without}"


def _p(line: MetricLine) -> str:
    found = line.difference
    if found is None or found.p_holm is None:
        return "–"
    return "< 0.001" if found.p_holm < 0.001 else f"{found.p_holm:.3f}"


def _tested(line: MetricLine) -> str:
    found = line.difference
    if found is None:
        return _about_mean(line.own, line.metric.unit)
    lines = [found.sentence]
    if found.test:
        lines.append(f"{found.test}; {counted(found.clusters, 'source document')}")
    if found.interval:
        lines.append(f"Interval: {found.interval}")
    if found.p is not None and found.p_holm is not None:
        lines.append(
            f"p = {found.p:.3g} for this metric alone, {found.p_holm:.3g} after Holm's correction for all "
            "metrics compared. The interval is not corrected."
        )
    return "\n".join(lines)


def _p_order(line: MetricLine) -> float:
    found = line.difference
    return 2.0 if found is None or found.p_holm is None else found.p_holm


def _difference(line: MetricLine) -> str:
    found = line.difference
    return "–" if found is None else signed(found.difference, line.metric.unit)


def _effect(line: MetricLine) -> str:
    found = line.difference
    return "–" if found is None or found.effect is None else f"{found.effect:.2f}".replace("-", "−")


def _record(line: MetricLine) -> str:
    found = line.difference
    return "–" if found is None else f"{found.wins:,} / {found.ties:,} / {found.losses:,}"


METRIC_COLUMNS = (
    Column("Metric", lambda m: m.metric.label, 150, stretch=True, tooltip=definition),
    Column("Run", lambda m: str(m.run.id), 50, right=True, sort=lambda m: m.run.id,
           tooltip=lambda m: m.run.name),
    Column("First", lambda m: number(mean_of(m.first), m.metric.unit), 66, right=True,
           sort=lambda m: mean_of(m.first) or 0.0, tooltip=lambda m: _about_mean(m.first, m.metric.unit)),
    Column("Mean", lambda m: number(mean_of(m.own), m.metric.unit), 66, right=True,
           sort=lambda m: mean_of(m.own) or 0.0, colour=better_colour,
           tooltip=lambda m: _about_mean(m.own, m.metric.unit)),
    Column("Difference", _difference, 84, right=True, colour=better_colour, tooltip=_tested,
           sort=lambda m: m.difference.difference or 0.0 if m.difference else 0.0),
    Column("95 % interval", between, 164, right=True, tooltip=_tested),
    Column("p (Holm)", _p, 72, right=True, tooltip=_tested, sort=_p_order),
    Column("Effect", _effect, 58, right=True,
           tooltip=lambda m: m.difference.effect_name if m.difference else ""),
    Column("Won / tied / lost", _record, 118, right=True),
    Column("n", lambda m: f"{m.own.count:,}" if m.own else "0", 50, right=True,
           sort=lambda m: m.own.count if m.own else 0),
    Column("Without", lambda m: f"{m.own.missing:,}" if m.own else "–", 76, right=True,
           sort=lambda m: m.own.missing if m.own else 0,
           tooltip=lambda m: "Cases without a value: errors, timeouts, and cases to which it does not apply",
           colour=lambda m: "check" if m.own and m.own.failed else None),
)  # fmt: skip


TAG_COLUMNS = (
    Column("Tag", lambda t: t[0].tag, 110),
    Column("Metric", lambda t: t[1].label, 150, stretch=True, tooltip=lambda t: t[1].definition),
    Column("Run", lambda t: str(t[0].run_id), 50, right=True, sort=lambda t: t[0].run_id),
    Column("Cases", lambda t: f"{t[0].pairs:,}", 60, right=True, sort=lambda t: t[0].pairs),
    Column("First", lambda t: number(t[0].mean_first, t[1].unit), 70, right=True),
    Column("Mean", lambda t: number(t[0].mean, t[1].unit), 70, right=True),
    Column("Won / lost", lambda t: f"{t[0].wins:,} / {t[0].losses:,}", 84, right=True),
)  # fmt: skip


def _prompt(run: RunRow) -> str:
    if run.prompt_version:
        return f"{run.prompt_name}, version {run.prompt_version}"
    return run.prompt_name or "–"


_FACTS = (
    ("Set", lambda r: f"{r.set_name}, version {r.set_number}"),
    ("Pipeline", lambda r: f"{r.pipeline}, version {r.pipeline_number}"),
    ("Collection", lambda r: f"{r.collection}, version {r.version_number}"),
    ("Prompt", _prompt),
    ("Model", lambda r: f"{r.model_file} {r.quantisation}".strip() or "none; search only"),
    ("Cases", lambda r: f"{r.done_count:,} of {r.total:,} answers, {r.failed_count:,} failed"),
    ("Judgements not found", lambda r: f"{r.stale_count:,}"),
    ("Repeats, seed", lambda r: f"{r.repeats}, {r.seed}"),
    ("In parallel", lambda r: "one by one" if r.parallel == 1 else "several; times are not measured"),
    ("Took", lambda r: f"{r.busy_s:,.0f} s"),
    ("Embedder", lambda r: r.embedder),
    ("Model sha256", lambda r: r.model_sha256 or "–"),
    ("Documents fingerprint", lambda r: r.version_fingerprint),
    ("Prompt fingerprint", lambda r: r.prompt_fingerprint or "–"),
    ("Libraries", lambda r: ", ".join(f"{k} {v}" for k, v in json.loads(r.libraries or "{}").items())),
    ("Gate", lambda r: r.gate_sentence or "none yet"),
)  # fmt: skip


_CHANGE_ROLES = {
    RunChange.BETTER: "good",
    RunChange.WORSE: "bad",
    RunChange.MIXED: "warning",
    RunChange.UNCERTAIN: "warning",
    RunChange.SAME: "section",
}


class ComparisonPanel(QWidget):
    """A panel with what one run shows, or how others differ from the first. `show_comparison` fills it."""

    trace_requested = Signal(str)
    baseline_chosen = Signal(int)  # the id of the run that the others are to be compared with

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._found: RunComparison | None = None
        theme = console.theme
        self.verdicts: list[QLabel] = []
        self._verdict_rows = QVBoxLayout()
        self.baseline_box = QComboBox()
        self.baseline_box.setMinimumContentsLength(14)
        self.baseline_box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.baseline_box.setAccessibleName("Baseline: the run that the others are compared with")
        self.swap_button = button("Swap", self.swap, tip="Compare the other way round")
        self.sentence, self.warnings = label("", "muted", wrap=True), label("", "muted", wrap=True)
        self.bars = DifferenceBars(theme)
        self.metrics = RecordTable(METRIC_COLUMNS, theme, "compared_metrics", "No metric has a value yet.")
        self.matrix = CaseMatrix(theme)
        self.tags = RecordTable(
            TAG_COLUMNS, theme, "compared_tags", "Compare two runs of cases that have tags."
        )
        self.facts = KeyValueGrid()
        self.answers = DiffView(theme, lambda chunk: chunk.place, "Answers and passages are the same.", 1)
        self._why, self._values = label("", "", wrap=True), ElidedLabel()
        for shown in (self._why, self.sentence, self.warnings):
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._traces = [
            button("Open the first trace", lambda: self._open_trace(0), link=True),
            button("Open the last trace", lambda: self._open_trace(-1), link=True),
        ]
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                theme,
                "overview",
                "Nothing to compare",
                "Choose one run above to see its figures, or two (Ctrl) to see what changed between them.",
            )
        )
        self._stack.addWidget(self._make_content())
        column(self._stack, holder=self)
        self.matrix.case_selected.connect(self._show_case)
        self.baseline_box.activated.connect(
            lambda _index: self.baseline_chosen.emit(self.baseline_box.currentData())
        )

    @property
    def cases(self) -> RecordTable:
        """The table of the questions."""
        return self.matrix.table

    def _make_content(self) -> QWidget:
        shown = column(self._why, row((self._values, 1), *self._traces), (self.answers, 1))
        questions = Splitter("evaluation/questions", self.matrix, shown, (210, 220), vertical=True)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for title, widget in (
            ("Metrics", self.bars),
            ("Questions", questions),
            ("Statistics", column(self.sentence, (self.metrics, 1), top=SMALL_SPACE)),
            ("By tag", self.tags),
            ("Configuration", scrolled(self.facts)),
        ):
            self.tabs.addTab(widget, title)
        self._against = QWidget()
        self._against.setLayout(row(label("Baseline", "muted"), self.baseline_box, self.swap_button))
        self.tabs.setCornerWidget(self._against)
        return column(self._verdict_rows, self.warnings, (self.tabs, 1))

    def clear(self) -> None:
        """Show no run."""
        self._found = None
        self._stack.setCurrentIndex(0)

    def show_comparison(self, found: RunComparison) -> None:
        """Show a comparison, or the figures of one run; the chosen question stays."""
        self._found = found
        first = found.runs[0]
        alone = f"Run {first.id}: {outcomes(found.failures[0][1])}."
        told = [*found.sentences, detectable_sentence(found.detectable)] if found.sentences else [alone]
        self.sentence.setText("\n".join(told))
        self._show_verdicts(
            [(v.sentence, _CHANGE_ROLES[v.change]) for v in found.verdicts] or [(alone, "section")]
        )
        refill(self.baseline_box, [(_named(run), run.id) for run in found.runs], first.id)
        self._against.setVisible(len(found.runs) > 1)
        self.swap_button.setVisible(len(found.runs) == 2)
        self.warnings.setText("  ".join(found.warnings))
        self.warnings.setVisible(bool(found.warnings))
        lines = metric_lines(found)
        self.bars.show_lines(lines)
        self.metrics.set_records(lines)
        self.matrix.show_comparison(found)
        by_name = {metric.name: metric for metric in found.metrics}
        self.tags.set_records([(tag, by_name[tag.metric]) for tag in found.tags if tag.metric in by_name])
        self.facts.set_pairs(
            [
                (title, "     |     ".join(dict.fromkeys(str(read(run)) for run in found.runs)))
                for title, read in _FACTS
            ]
        )
        self._stack.setCurrentIndex(1)

    def swap(self) -> None:
        """Ask for the comparison the other way round: the last run becomes the baseline."""
        if self._found is not None and len(self._found.runs) > 1:
            self.baseline_chosen.emit(self._found.runs[-1].id)

    def _show_verdicts(self, verdicts: Sequence[tuple[str, str]]) -> None:
        """Show a line for each run, in the colour of what it says."""
        for old in self.verdicts:
            self._verdict_rows.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.verdicts = [label(sentence, role, wrap=True) for sentence, role in verdicts]
        for made in self.verdicts:
            made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._verdict_rows.addWidget(made)

    def _show_case(self, case: CaseComparison) -> None:
        first, last = case.answers[0], case.answers[-1]
        alone = len(case.answers) == 1
        self._traces[1].setVisible(not alone)
        self._traces[0].setText("Open the trace" if alone else "Open the first trace")
        for link, answer in zip(self._traces, (first, last), strict=True):
            link.setEnabled(answer is not None and bool(answer.trace_id))
        why = f"   Why it changed: {'; '.join(case.reasons)}." if case.reasons else ""
        if alone and first is not None:
            why = f"   {str(first.mark).capitalize()}: {first.mark_reason}."
        self._why.setText(f"Right answer: {right_answer(case)}.{why}")
        self._values.setText(self._case_values(first, last))
        self.answers.show_changes(self._pieces(case, first, last))

    def _case_values(self, first: CaseAnswer | None, last: CaseAnswer | None) -> str:
        if self._found is None or first is None or last is None:
            return "One of the runs did not ask this question."
        parts = []
        for metric in self._found.metrics:
            before, after = first.values.get(metric.name), last.values.get(metric.name)
            if before is None and after is None:
                continue
            shown = number(after, metric.unit)
            if first is last:
                parts.append(f"{metric.label} {shown}")
            elif before != after:
                parts.append(f"{metric.label} {number(before, metric.unit)} → {shown}")
        return "   ·   ".join(parts) or "Every metric has the same value in both runs."

    def _pieces(
        self, case: CaseComparison, first: CaseAnswer | None, last: CaseAnswer | None
    ) -> list[ChunkChange]:
        """Return the answers and the passages in the prompts, as the view of differences takes them.

        A single run is shown beside the right answer instead of beside itself.
        """
        old, new = (_piece(answer_text(answer), "Answer") for answer in (first, last))
        if len(case.answers) == 1:
            right = right_answer(case)
            words = word_diff(right, new.text)
            answer = ChunkChange(ChunkChangeKind.CHANGED, _piece(right, "Right answer"), new, words)
            passages = self._passages(first).values()
            return [answer, *(ChunkChange(ChunkChangeKind.SAME, None, passage) for passage in passages)]
        same = old.text == new.text
        pieces = [
            ChunkChange(
                ChunkChangeKind.SAME if same else ChunkChangeKind.CHANGED,
                old,
                new,
                () if same else word_diff(old.text, new.text),
            )
        ]
        before, after = self._passages(first), self._passages(last)
        for key in dict.fromkeys((*before, *after)):
            here, there = before.get(key), after.get(key)
            one_side = ChunkChangeKind.REMOVED if here else ChunkChangeKind.ADDED
            kind = ChunkChangeKind.SAME if here and there else one_side
            pieces.append(ChunkChange(kind, here, there))
        return pieces

    def _passages(self, answer: CaseAnswer | None) -> dict[tuple[str, str], ChunkRow]:
        if answer is None or not answer.trace_id:
            return {}
        try:
            hits = get_trace(self._console.database, answer.trace_id).hits
        except NotFoundError:
            return {}
        return {
            (hit.document, hit.text): _piece(hit.text, f"[{hit.marker}] {hit.document} {hit.place}")
            for hit in hits
            if hit.marker is not None
        }

    def _open_trace(self, place: int) -> None:
        chosen = self.cases.selected_records()
        answer = chosen[0].answers[place] if chosen else None
        if answer is not None and answer.trace_id:
            self.trace_requested.emit(answer.trace_id)


def outcomes(counts: dict[str, int]) -> str:
    """Return counts by outcome as text, such as "40 ran, 3 refused"."""
    return (
        ", ".join(
            f"{count:,} {outcome_word(name)}" for name, count in sorted(counts.items(), key=lambda p: -p[1])
        )
        or "no answer yet"
    )


def _named(run: RunRow) -> str:
    """Return what tells a run from others, for people."""
    tags = f" ({', '.join(run.tags)})" if run.tags else ""
    return f"Run {run.id}: {run.label}{tags}"


def _piece(text: str, head: str) -> ChunkRow:
    return ChunkRow(0, 0, 0, len(text), text, 0, head)
