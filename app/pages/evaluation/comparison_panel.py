"""Evaluation runs side by side: what differs, how sure that is, and the questions that changed most."""

from __future__ import annotations

import json
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabWidget, QWidget

from app.console import Console
from app.pages.evaluation.power import detectable_sentence
from app.shared.diff_view import DiffView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import EmptyState, Splitter, column, row, scrolled
from rag.asking.rows import get_trace
from rag.errors import NotFoundError
from rag.evaluation.rows import (
    CaseAnswer,
    CaseComparison,
    MetricComparison,
    MetricDifference,
    MetricMean,
    RunComparison,
    RunRow,
)
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.text.plurals import counted
from rag.text.word_diff import word_diff

_OUTCOME_COLOURS = {
    "ok": "good",
    "refused": "check",
    "assertion failed": "bad",
    "error": "bad",
    "timeout": "bad",
}


@dataclass(frozen=True)
class MetricLine:
    """A metric of the first run, or of another run against the first."""

    metric: MetricComparison
    run: RunRow
    first: MetricMean | None
    own: MetricMean | None
    difference: MetricDifference | None


def number(value: float | None, unit: str = "") -> str:
    """Return a metric's value as people read it."""
    if value is None:
        return "–"
    if unit == "ms":
        return f"{value / 1000:,.2f} s"
    if unit in ("tokens", "characters", "count"):
        return f"{value:,.0f}"
    return f"{value:.3f}"


def _between(line: MetricLine) -> str:
    """Return the interval of the difference, or of the mean where there is one run only."""
    found = line.difference
    if found is None:
        return _mean_interval(line.own, line.metric.unit) or "–"
    if found.low is None or found.high is None:
        return "–"
    return f"{_signed(found.low, line.metric.unit)} to {_signed(found.high, line.metric.unit)}"


def _mean_interval(mean: MetricMean | None, unit: str) -> str:
    if mean is None or mean.low is None or mean.high is None:
        return ""
    return f"{number(mean.low, unit)} to {number(mean.high, unit)}"


def _value(mean: MetricMean | None) -> float | None:
    return None if mean is None else mean.mean


def _about_mean(mean: MetricMean | None, unit: str) -> str:
    """Return a mean with everything needed to judge it."""
    if mean is None or mean.mean is None:
        return "No case has a value"
    between = _mean_interval(mean, unit)
    ends = f", 95 % interval {between}\n{mean.interval}" if between else ""
    failed = f", {mean.failed:,} of them should have one" if mean.failed else ""
    without = f"{counted(mean.count, 'case')}, {mean.missing:,} without a value{failed}"
    return f"{number(mean.mean, unit)}{ends}\n{without}"


def _signed(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return ("+" if value >= 0 else "−") + number(abs(value), unit)


def _p(line: MetricLine) -> str:
    found = line.difference
    if found is None or found.p_holm is None:
        return "–"
    return "< 0.001" if found.p_holm < 0.001 else f"{found.p_holm:.3f}"


def _better(line: MetricLine) -> str | None:
    """Return a colour for a difference that is certain."""
    found = line.difference
    if found is None or not found.certain or not found.difference or line.metric.direction == "none":
        return None
    good = (found.difference > 0) == (line.metric.direction != "lower")
    return "good" if good else "bad"


def _definition(line: MetricLine) -> str:
    metric = line.metric
    better = {"higher": "Higher is better.", "lower": "Lower is better."}.get(metric.direction, "")
    return f"{metric.definition}\n{better}\nSource: {metric.source}".replace("\n\n", "\n")


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
    return "–" if found is None else _signed(found.difference, line.metric.unit)


def _effect(line: MetricLine) -> str:
    found = line.difference
    return "–" if found is None or found.effect is None else f"{found.effect:.2f}".replace("-", "−")


def _record(line: MetricLine) -> str:
    found = line.difference
    return "–" if found is None else f"{found.wins:,} / {found.ties:,} / {found.losses:,}"


METRIC_COLUMNS = (
    Column("Metric", lambda m: m.metric.label, 150, stretch=True, tooltip=_definition),
    Column("Run", lambda m: str(m.run.id), 50, right=True, sort=lambda m: m.run.id,
           tooltip=lambda m: m.run.name),
    Column("First", lambda m: number(_value(m.first), m.metric.unit), 66, right=True,
           sort=lambda m: _value(m.first) or 0.0, tooltip=lambda m: _about_mean(m.first, m.metric.unit)),
    Column("Mean", lambda m: number(_value(m.own), m.metric.unit), 66, right=True,
           sort=lambda m: _value(m.own) or 0.0, colour=_better,
           tooltip=lambda m: _about_mean(m.own, m.metric.unit)),
    Column("Difference", _difference, 84, right=True, colour=_better, tooltip=_tested,
           sort=lambda m: m.difference.difference or 0.0 if m.difference else 0.0),
    Column("95 % interval", _between, 164, right=True, tooltip=_tested),
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


def _change(case: CaseComparison) -> str:
    return "edited" if case.is_changed else f"{case.change:+.2f}".replace("-", "−")


def _outcome(case: CaseComparison, place: int) -> str:
    answer = case.answers[place]
    return "–" if answer is None else answer.outcome


CASE_COLUMNS = (
    Column("Change", lambda c: _change(c), 66, right=True, sort=lambda c: c.change,
           colour=lambda c: "check" if c.is_changed else "good" if c.change > 0.005 else
           "bad" if c.change < -0.005 else "text_muted",
           tooltip=lambda c: "The case was edited between the runs, so its answers are not compared"
           if c.is_changed else
           "Mean difference of all metrics that are shares, from −1 (worse) to 1 (better)"),
    Column("Question", lambda c: c.question, 260, stretch=True, tooltip=lambda c: c.question),
    Column("First", lambda c: _outcome(c, 0), 112, colour=lambda c: _OUTCOME_COLOURS.get(_outcome(c, 0))),
    Column("Last", lambda c: _outcome(c, -1), 112, colour=lambda c: _OUTCOME_COLOURS.get(_outcome(c, -1))),
    Column("Tags", lambda c: ", ".join(c.tags), 110, tooltip=lambda c: ", ".join(c.tags)),
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


class ComparisonPanel(QWidget):
    """A panel with what one run shows, or how others differ from the first. `show_comparison` fills it."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._found: RunComparison | None = None
        theme = console.theme
        self.sentence, self.warnings = label("", "section", wrap=True), label("", "muted", wrap=True)
        self.metrics = RecordTable(METRIC_COLUMNS, theme, "compared_metrics", "No metric has a value yet.")
        self.cases = RecordTable(CASE_COLUMNS, theme, "compared_cases", "No question was asked yet.")
        self.tags = RecordTable(
            TAG_COLUMNS, theme, "compared_tags", "Compare two runs of cases that have tags."
        )
        self.facts = KeyValueGrid()
        self.answers = DiffView(theme, lambda chunk: chunk.place, "Answers and passages are the same.", 1)
        self._values = label("", "small", wrap=True)
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
        self.cases.record_selected.connect(self._show_case)

    def _make_content(self) -> QWidget:
        shown = column(row((self._values, 1), *self._traces), (self.answers, 1))
        questions = Splitter("evaluation/questions", self.cases, shown, (150, 260), vertical=True)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for title, widget in (
            ("Metrics", self.metrics),
            ("Questions", questions),
            ("By tag", self.tags),
            ("Configuration", scrolled(self.facts)),
        ):
            self.tabs.addTab(widget, title)
        return column(self.sentence, self.warnings, (self.tabs, 1))

    def clear(self) -> None:
        """Show no run."""
        self._found = None
        self._stack.setCurrentIndex(0)

    def show_comparison(self, found: RunComparison) -> None:
        """Show a comparison, or the figures of one run; the chosen question stays."""
        self._found = found
        first = found.runs[0]
        if found.sentences:
            self.sentence.setText("\n".join(found.sentences))
        else:
            self.sentence.setText(f"Run {first.id}: {outcomes(found.failures[0][1])}.")
        notes = (
            [*found.warnings, detectable_sentence(found.detectable)]
            if found.sentences
            else list(found.warnings)
        )
        self.warnings.setText("  ".join(notes))
        self.warnings.setVisible(bool(notes))
        self.metrics.set_records(metric_lines(found))
        kept = self.cases.selected_records()
        self.cases.set_records(found.cases)
        if not (kept and self.cases.choose(lambda c: c.key == kept[0].key)) and found.cases:
            self.cases.selectRow(0)
        by_name = {metric.name: metric for metric in found.metrics}
        self.tags.set_records([(tag, by_name[tag.metric]) for tag in found.tags if tag.metric in by_name])
        self.facts.set_pairs(
            [
                (title, "     |     ".join(dict.fromkeys(str(read(run)) for run in found.runs)))
                for title, read in _FACTS
            ]
        )
        self._stack.setCurrentIndex(1)

    def _show_case(self, case: CaseComparison) -> None:
        first, last = case.answers[0], case.answers[-1]
        for link, answer in zip(self._traces, (first, last), strict=True):
            link.setEnabled(answer is not None and bool(answer.trace_id))
        self._values.setText(self._case_values(first, last))
        self.answers.show_changes(self._pieces(first, last))

    def _case_values(self, first: CaseAnswer | None, last: CaseAnswer | None) -> str:
        if self._found is None or first is None or last is None:
            return "One of the runs did not ask this question."
        parts = []
        for metric in self._found.metrics:
            before, after = first.values.get(metric.name), last.values.get(metric.name)
            if before is None and after is None:
                continue
            shown = number(after, metric.unit)
            parts.append(
                f"{metric.label} {shown}"
                if before == after
                else f"{metric.label} {number(before, metric.unit)} → {shown}"
            )
        return "   ·   ".join(parts)

    def _pieces(self, first: CaseAnswer | None, last: CaseAnswer | None) -> list[ChunkChange]:
        """Return the answers and the passages in the prompts, as the view of differences takes them."""
        old, new = (_piece(answer_text(answer), "Answer") for answer in (first, last))
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


def metric_lines(found: RunComparison) -> list[MetricLine]:
    """Return a line for each metric and each run but the first, or the means of a single run."""
    lines = []
    for metric in found.metrics:
        means = {mean.run_id: mean for mean in metric.means}
        differences = {one.run_id: one for one in metric.differences}
        first = means.get(found.runs[0].id)
        lines += [
            MetricLine(metric, run, first, means.get(run.id), differences.get(run.id))
            for run in found.runs[1:] or found.runs
        ]
    return lines


def outcomes(counts: dict[str, int]) -> str:
    """Return counts by outcome as text, such as "40 ok, 3 refused"."""
    return (
        ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items(), key=lambda p: -p[1]))
        or "no answer yet"
    )


def answer_text(answer: CaseAnswer | None) -> str:
    """Return the answer, or in brackets why there is none."""
    if answer is None:
        return ""
    return answer.answer or (f"({answer.error})" if answer.error else "(nothing)")


def _piece(text: str, head: str) -> ChunkRow:
    return ChunkRow(0, 0, 0, len(text), text, 0, head)
