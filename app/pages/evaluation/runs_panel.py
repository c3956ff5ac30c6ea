"""Evaluation runs: started, followed, paused and resumed; the chosen ones are compared below."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QProgressBar,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.pages.evaluation.comparison_panel import ComparisonPanel
from app.pages.evaluation.forms.gate_dialog import GateDialog
from app.pages.evaluation.run_dialog import RunDialog
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, confirm, row
from app.widgets.name_menu import pick_name
from app.widgets.theme import SPACE
from rag import operations
from rag.evaluation.gates.rows import GateOutcome
from rag.evaluation.rows import (
    RunComparison,
    RunProgress,
    RunRow,
    list_pipelines,
    list_runs,
    list_sets,
)
from rag.sample.rows import SAMPLE_SET
from rag.text.plurals import counted

_STATUS_COLOURS = {
    "done": "good", "running": "accent", "waiting": "accent", "cancelled": "check", "interrupted": "check",
    "failed": "bad",
}  # fmt: skip
BASELINE_TAG = "baseline"
_RESUMABLE = ("cancelled", "interrupted", "failed")


def _gate(run: RunRow) -> str:
    return "–" if run.gate_passed is None else "passed" if run.gate_passed else "failed"


def _answers(run: RunRow) -> str:
    return f"{run.done_count:,} of {run.total:,}" if run.done_count < run.total else f"{run.total:,}"


RUN_COLUMNS = (
    Column("#", lambda r: str(r.id), 40, right=True, sort=lambda r: r.id),
    Column("Started", lambda r: date_time(r.created_ms), 138, sort=lambda r: r.created_ms),
    Column("Set", lambda r: f"{r.set_name} {r.set_number}", 170, tooltip=lambda r: r.set_name),
    Column("Pipeline", lambda r: r.label, 190, stretch=True, tooltip=lambda r: r.name),
    Column("Status", lambda r: r.status, 86, colour=lambda r: _STATUS_COLOURS.get(r.status),
           tooltip=lambda r: r.error),
    Column("Answers", _answers, 88, right=True, sort=lambda r: r.done_count),
    Column("Failed", lambda r: f"{r.failed_count:,}", 58, right=True, sort=lambda r: r.failed_count,
           colour=lambda r: "bad" if r.failed_count else "text_muted"),
    Column("Stale", lambda r: f"{r.stale_count:,}", 52, right=True, sort=lambda r: r.stale_count,
           colour=lambda r: "check" if r.stale_count else "text_muted",
           tooltip=lambda r: "Judgements about texts that the dataset version does not contain"),
    Column("Took", lambda r: f"{r.busy_s:,.0f} s", 64, right=True, sort=lambda r: r.busy_s),
    Column("Tags", lambda r: ", ".join(r.tags), 90, colour=lambda r: "accent"),
    Column("Gate", _gate, 64, colour=lambda r: {True: "good", False: "bad"}.get(r.gate_passed),
           tooltip=lambda r: r.gate_sentence),
)  # fmt: skip


class RunsPanel(QWidget):
    """A panel with the list of runs above, and what the chosen ones show below."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._task: Task | None = None
        self._wanted: list[int] = []  # the runs that are compared, the baseline first
        self._baseline: int | None = None  # the run that a person has chosen to compare with
        self.table = RecordTable(
            RUN_COLUMNS,
            console.theme,
            "evaluation_runs",
            "No run yet. A run asks every question of a set through a pipeline and measures the answers.",
        )
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.comparison = ComparisonPanel(console)
        self.comparison.trace_requested.connect(self.trace_requested)
        self.comparison.baseline_chosen.connect(self.use_baseline)
        self.new_button = button("New run…", self.new_run, primary=True)
        self.sample_button = button(
            "Evaluate the sample", self.evaluate_sample, tip="Both pipelines of the sample over its questions"
        )
        self.resume_button = button("Resume", self.resume, tip="Continue with the answers that are missing")
        self.tag_button = button(
            "Tag…", self.tag, tip="For example “baseline”, for the run that later ones are compared with"
        )
        self.gate_button = button(
            "Gate…",
            self.gate,
            tip="Check a run against rules. With two selected, one is the baseline, as in the comparison",
        )
        self.delete_button = button("Delete…", self.delete)
        self._title = label("Choose two runs with Ctrl to compare them.", "muted")
        self._progress = self._make_progress()
        starting = (self.new_button, self.sample_button, self.resume_button)
        changing = (self.tag_button, self.gate_button, self.delete_button)
        above = column(self._progress, row(*starting, *changing, 1, self._title), (self.table, 1))
        splitter = Splitter("evaluation/runs", above, self.comparison, (170, 480), vertical=True)
        column(splitter, holder=self, top=SPACE)
        self.table.selectionModel().selectionChanged.connect(lambda _new, _old: self._selected())
        self.table.records_model.modelReset.connect(self._selected)
        console.data_changed.connect(self.refresh)
        self.refresh()

    def _make_progress(self) -> QFrame:
        strip = QFrame()
        strip.setObjectName("panel")
        self._what, self._where = label("", "section"), label("", "muted")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress of the run")
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(200)
        self.pause_button = button("Pause", self.pause)
        strip.setLayout(
            row(
                self._what,
                self._where,
                1,
                self._bar,
                self.pause_button,
                button("Cancel", self.cancel),
                margins=8,
            )
        )
        strip.hide()
        return strip

    # --- what is shown ------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the runs as they are stored now; the choice stays."""
        chosen = {run.id for run in self.table.selected_records()}
        runs = list_runs(self._console.database)
        self.table.set_records(runs, keep_sort=True)
        has_sample = any(known.name == SAMPLE_SET for known in list_sets(self._console.database))
        self.sample_button.setVisible(has_sample and not runs)
        if not chosen and runs:
            self.table.selectRow(0)
        elif chosen and not self.table.selected_records():
            self.choose(sorted(chosen))
        self._selected()

    def choose(self, run_ids: list[int]) -> None:
        """Select these runs."""
        model = self.table.selectionModel()
        model.clearSelection()
        for place, run in enumerate(self.table.records_model.records):
            if run.id in run_ids:
                index = self.table.records_model.index(place, 0)
                model.select(index, model.SelectionFlag.Select | model.SelectionFlag.Rows)

    def _selected(self) -> None:
        runs = self.table.selected_records()
        one = runs[0] if len(runs) == 1 else None
        self.resume_button.setEnabled(one is not None and one.status in _RESUMABLE and self._task is None)
        self.tag_button.setEnabled(one is not None)
        self.gate_button.setEnabled(1 <= len(runs) <= 2 and all(run.status == "done" for run in runs))
        self.delete_button.setEnabled(bool(runs) and all(run.status != "running" for run in runs))
        wanted = [run.id for run in self._with_baseline_first(runs) if run.done_count]
        if wanted == self._wanted and not any(run.status == "running" for run in runs):
            return
        self._wanted = wanted
        if not wanted:
            self.comparison.clear()
            return
        self._console.run(operations.compare_runs, self._compared, run_ids=wanted)

    def _with_baseline_first(self, runs: list[RunRow]) -> list[RunRow]:
        """Return runs with the one that the others are compared with first.

        That is the one that a person chose, else one with the tag baseline, else the oldest.
        """
        chosen = self._baseline if any(run.id == self._baseline for run in runs) else None

        def place(run: RunRow) -> tuple[bool, bool, int]:
            return run.id != chosen, BASELINE_TAG not in run.tags, run.id

        return sorted(runs, key=place)

    def use_baseline(self, run_id: int) -> None:
        """Compare the chosen runs with this one from now on."""
        self._baseline = run_id
        self._selected()

    def _compared(self, found: RunComparison) -> None:
        if [run.id for run in found.runs] == self._wanted:
            self.comparison.show_comparison(found)

    # --- running ------------------------------------------------------------------------------------------

    def new_run(self) -> None:
        """Ask what to run, and start it. Without a set or a pipeline a notice says what is missing."""
        database = self._console.database
        sets, pipelines = list_sets(database), list_pipelines(database)
        if not sets or not pipelines:
            missing = "an evaluation set" if not sets else "a pipeline"
            self._console.notice.emit(
                f"A run needs {missing}. Make one in its tab, or prepare the sample.", "info"
            )
            return
        dialog = RunDialog(self._console, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.start(**dialog.arguments())

    def start(self, **arguments: Any) -> None:
        """Start runs with the keywords of `operations.start_runs`."""
        self._follow(self._console.run(operations.start_runs, self._finished, **arguments))

    def evaluate_sample(self) -> None:
        """Run both pipelines of the sample over its questions."""
        self._follow(self._console.run(operations.evaluate_sample, self._finished))

    def resume(self) -> None:
        """Continue the chosen run where it ended."""
        if runs := self.table.selected_records():
            self._follow(self._console.run(operations.resume_run, self._finished, run_id=runs[0].id))

    def pause(self) -> None:
        """Pause the run that is under way, or let it go on."""
        if self._task is not None:
            (self._task.resume if self._task.paused else self._task.pause)()

    def cancel(self) -> None:
        """Cancel the run that is under way; its answers stay."""
        if self._task is not None:
            self._task.cancel()

    @property
    def is_busy(self) -> bool:
        """Whether a run of this panel is under way."""
        return self._task is not None

    def _follow(self, task: Task) -> None:
        self._task = task
        self._what.setText(task.title)
        self._where.setText("waiting for the engine")
        self._bar.setRange(0, 0)
        self._progress.show()
        self.new_button.setEnabled(False)
        self.sample_button.setEnabled(False)
        task.event.connect(self._show_progress)
        task.paused_changed.connect(lambda paused: self.pause_button.setText("Resume" if paused else "Pause"))
        task.ended.connect(self._ended)

    def _show_progress(self, event: RunProgress) -> None:
        self._what.setText(event.pipeline)
        left = "" if event.seconds_left is None else f"   ·   {_duration(event.seconds_left)} left"
        question = event.question if len(event.question) <= 70 else event.question[:69] + "…"
        self._where.setText(f"{event.done:,} of {event.total:,}{left}   ·   {question}")
        self._bar.setRange(0, event.total)
        if event.done != self._bar.value():
            self._bar.setValue(event.done)
            self.refresh()

    def _finished(self, runs: tuple[RunRow, ...]) -> None:
        self.refresh()
        self.choose([run.id for run in runs])

    def _ended(self) -> None:
        self._task = None
        self._progress.hide()
        self.pause_button.setText("Pause")
        self.new_button.setEnabled(True)
        self.sample_button.setEnabled(True)
        self._console.data_changed.emit()

    # --- changing -----------------------------------------------------------------------------------------

    def tag(self) -> None:
        """Give a tag to the chosen run, or take it away, from a menu."""
        (run,) = self.table.selected_records()
        if name := pick_name(self, "Tag", (BASELINE_TAG, "released"), run.tags):
            self.set_tag(run, name, name not in run.tags)

    def set_tag(self, run: RunRow, tag: str, there: bool) -> None:
        """Give a tag to a run, or take it away."""
        operation = operations.tag_run if there else operations.untag_run
        self._console.run(operation, lambda _r: self.refresh(), run_id=run.id, tag=tag)

    def delete(self) -> None:
        """Delete the chosen runs after a yes."""
        runs: list[RunRow] = self.table.selected_records()
        which = f"run{'s' if len(runs) > 1 else ''} {', '.join(str(run.id) for run in runs)}"
        answers = counted(sum(run.done_count for run in runs), "answer")
        confirm(
            self,
            "Delete runs",
            f"Delete {which} with {answers} and their traces? This cannot be undone.",
            "Delete",
            lambda: self._delete([run.id for run in runs]),
            destructive=True,
        )

    def _delete(self, run_ids: list[int]) -> None:
        for run_id in run_ids:
            self._console.run(operations.delete_run, lambda _count: self.refresh(), run_id=run_id)

    def gate(self) -> None:
        """Ask for the rules of a gate, and check the chosen run against it."""
        dialog = GateDialog(self._console, self._with_baseline_first(self.table.selected_records()), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.check_gate(dialog.text))
        dialog.open()

    def check_gate(self, text: str, allow_changed: bool = False) -> None:
        """Check the chosen run against a gate; of two, the baseline of the comparison is its baseline.

        Args:
            text: The gate, as YAML.
            allow_changed: Leave out the cases that have changed since the baseline, instead of failing.
        """
        runs = self._with_baseline_first(self.table.selected_records())
        self._console.run(
            operations.gate_run,
            lambda found: self._gated(found, text),
            run_id=runs[-1].id,
            gate_text=text,
            baseline_run_id=runs[0].id if len(runs) > 1 else None,
            allow_changed=allow_changed,
        )

    def _gated(self, found: GateOutcome, text: str) -> None:
        self.refresh()
        if not found.passed and found.is_changed_only:
            confirm(
                self,
                "Cases have changed",
                f"{found.sentence} Compare without these cases?",
                "Leave them out",
                lambda: self.check_gate(text, allow_changed=True),
            )
            return
        failed = [f"{rule}: {reason}" for rule, passed, _value, reason in found.rows if not passed]
        self._console.notice.emit(
            " ".join([f"{'PASS' if found.passed else 'FAIL'}.", found.sentence, *failed[:3]]),
            "info" if found.passed else "bad",
        )


def _duration(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 90 else f"{seconds / 60:,.0f} min"
