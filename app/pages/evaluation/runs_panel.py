"""Evaluation runs: starting, following, pausing and resuming them; the chosen ones are compared below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QProgressBar,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.pages.evaluation.comparison_panel import ComparisonPanel, detectable_sentence
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import row
from app.widgets.name_menu import pick_name
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.evaluation.rows import (
    Detectable,
    GateOutcome,
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
_RESUMABLE = ("cancelled", "interrupted", "failed")
_PARALLEL = (("As many as memory allows", None), ("One by one: times are measured", 1))


def _gate(run: RunRow) -> str:
    return "–" if run.gate_passed is None else "passed" if run.gate_passed else "failed"


def _answers(run: RunRow) -> str:
    return f"{run.done_count:,} of {run.total:,}" if run.done_count < run.total else f"{run.total:,}"


RUN_COLUMNS = (
    Column("#", lambda r: str(r.id), 40, right=True, sort=lambda r: r.id),
    Column("Started", lambda r: date_time(r.created_ms), 138, sort=lambda r: r.created_ms),
    Column("Set", lambda r: f"{r.set_name} {r.set_number}", 170, tooltip=lambda r: r.set_name),
    Column("Pipeline", lambda r: r.label, 190, stretch=True, tooltip=lambda r: r.name),
    Column("Status", lambda r: r.status, 86, colour=lambda r: _STATUS_COLOURS.get(r.status), tooltip=lambda r: r.error),
    Column("Answers", _answers, 88, right=True, sort=lambda r: r.done_count),
    Column("Failed", lambda r: f"{r.failed_count:,}", 58, right=True, sort=lambda r: r.failed_count,
           colour=lambda r: "bad" if r.failed_count else "text_muted"),
    Column("Took", lambda r: f"{r.busy_s:,.0f} s", 64, right=True, sort=lambda r: r.busy_s),
    Column("Tags", lambda r: ", ".join(r.tags), 90, colour=lambda r: "accent"),
    Column("Gate", _gate, 64, colour=lambda r: {True: "good", False: "bad"}.get(r.gate_passed),
           tooltip=lambda r: r.gate_sentence),
)  # fmt: skip


class RunsPanel(QWidget):
    """The list of runs above, what they say below."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._task: Task | None = None
        self._wanted: list[int] = []
        self.table = RecordTable(
            RUN_COLUMNS,
            console.theme,
            "evaluation_runs",
            "No run yet. A run asks every question of a set through a pipeline and measures the answers.",
        )
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.comparison = ComparisonPanel(console)
        self.comparison.trace_requested.connect(self.trace_requested)
        self.new_button = button("New run…", self.new_run, primary=True)
        self.sample_button = button(
            "Evaluate the sample", self.evaluate_sample, tip="Both pipelines of the sample over its questions"
        )
        self.resume_button = button("Resume", self.resume, tip="Goes on with the answers that are missing")
        self.tag_button = button("Tag…", self.tag, tip="Such as baseline: what later runs are held against")
        self.gate_button = button(
            "Gate…",
            self.gate,
            tip="Hold a run against a gate.yaml; of two chosen ones the older is the baseline",
        )
        self.delete_button = button("Delete…", self.delete)
        self._title = label("Choose two runs with Ctrl to compare them.", "muted")
        self._progress = self._make_progress()
        above = QWidget()
        layout = QVBoxLayout(above)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        layout.addWidget(self._progress)
        layout.addLayout(
            row(
                self.new_button,
                self.sample_button,
                self.resume_button,
                self.tag_button,
                self.gate_button,
                self.delete_button,
                1,
                self._title,
            )
        )
        layout.addWidget(self.table, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(above)
        splitter.addWidget(self.comparison)
        splitter.setSizes([170, 480])
        splitter.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, SPACE, 0, 0)
        outer.addWidget(splitter)
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
        # The older run stands first: what is new is held against it.
        wanted = sorted(run.id for run in runs if run.done_count)
        if wanted == self._wanted and not any(run.status == "running" for run in runs):
            return
        self._wanted = wanted
        if not wanted:
            self.comparison.clear()
            return
        self._console.run(
            operations.compare_runs,
            self._compared,
            run_ids=wanted,
        )

    def _compared(self, found: RunComparison) -> None:
        if [run.id for run in found.runs] == self._wanted:
            self.comparison.show_comparison(found)

    # --- running ------------------------------------------------------------------------------------------

    def new_run(self) -> None:
        database = self._console.database
        sets, pipelines = list_sets(database), list_pipelines(database)
        if not sets or not pipelines:
            missing = "an evaluation set" if not sets else "a pipeline"
            self._console.notice.emit(
                f"A run needs {missing}: make one in the tab beside this one, or prepare the sample.", "info"
            )
            return
        dialog = RunDialog(self._console, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.start(**dialog.arguments())

    def start(self, **arguments: Any) -> None:
        """Start runs; the arguments are those of rag.evaluation.runs.start_runs."""
        self._follow(self._console.run(operations.start_runs, self._finished, **arguments))

    def evaluate_sample(self) -> None:
        self._follow(self._console.run(operations.evaluate_sample, self._finished))

    def resume(self) -> None:
        if runs := self.table.selected_records():
            self._follow(
                self._console.run(
                    operations.resume_run,
                    self._finished,
                    run_id=runs[0].id,
                )
            )

    def pause(self) -> None:
        if self._task is not None:
            (self._task.resume if self._task.paused else self._task.pause)()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    @property
    def is_busy(self) -> bool:
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
        (run,) = self.table.selected_records()
        if name := pick_name(self, "Tag", ("baseline", "released"), run.tags):
            self.set_tag(run, name, name not in run.tags)

    def set_tag(self, run: RunRow, tag: str, there: bool) -> None:
        operation = operations.tag_run if there else operations.untag_run
        self._console.run(operation, lambda _r: self.refresh(), run_id=run.id, tag=tag)

    def delete(self) -> None:
        runs = self.table.selected_records()
        names = ", ".join(str(run.id) for run in runs)
        answers = sum(run.done_count for run in runs)
        if (
            QMessageBox.question(
                self,
                "Delete runs",
                f"Delete run {names} with {counted(answers, 'answer')} and their traces? This cannot be undone.",
            )
            == QMessageBox.StandardButton.Yes
        ):
            for run in runs:
                self._console.run(
                    operations.delete_run,
                    lambda _n: self.refresh(),
                    run_id=run.id,
                )

    def gate(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Gate", "", "Gates (*.yaml *.yml);;All files (*)")
        if path:
            self.gate_with(Path(path))

    def gate_with(self, path: Path) -> None:
        """Put the newest chosen run through a gate; the other one, if any, is its baseline."""
        runs = sorted(self.table.selected_records(), key=lambda run: run.id)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._console.notice.emit(f"{path.name} could not be read: {error}.", "bad")
            return
        self._console.run(
            operations.gate_run,
            self._gated,
            run_id=runs[-1].id,
            gate_text=text,
            baseline_run_id=runs[0].id if len(runs) > 1 else None,
        )

    def _gated(self, found: GateOutcome) -> None:
        self.refresh()
        failed = [f"{rule}: {reason}" for rule, passed, _value, reason in found.rows if not passed]
        self._console.notice.emit(
            " ".join([f"{'PASS' if found.passed else 'FAIL'}.", found.sentence, *failed[:3]]),
            "info" if found.passed else "bad",
        )


class RunDialog(QDialog):
    """What to ask, through which pipelines, how often; and what the set can show."""

    def __init__(self, console: Console, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New run")
        self.setMinimumWidth(560)
        self._sets = list_sets(console.database)
        self.set_box = QComboBox()
        for known in self._sets:
            self.set_box.addItem(f"{known.name}   ({counted(known.case_count, 'case')})", known.name)
        self.pipelines = QListWidget()
        self.pipelines.setAccessibleName("Pipelines")
        self.pipelines.setMaximumHeight(130)
        remembered = QSettings().value("run/pipelines", [])
        before = [remembered] if isinstance(remembered, str) else list(remembered or [])
        known = list_pipelines(console.database)
        for place, pipeline in enumerate(known):
            item = QListWidgetItem(f"{pipeline.name}   (version {pipeline.number})")
            item.setData(Qt.ItemDataRole.UserRole, pipeline.name)
            checked = pipeline.name in before if before else place < 2
            item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
            self.pipelines.addItem(item)
        self.repeats, self.seed = QSpinBox(), QSpinBox()
        for spin in (self.repeats, self.seed):
            spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
        self.repeats.setRange(1, 100)
        self.seed.setRange(0, 2**31 - 1)
        self.parallel = QComboBox()
        for title, value in _PARALLEL:
            self.parallel.addItem(title, value)
        self.judge = QComboBox()
        self.judge.addItem("No judge", "")
        for model in console.models:
            self.judge.addItem(f"{model.name} judges", model.path)
        self.name = QLineEdit()
        self.name.setPlaceholderText("Made from set and pipeline")
        self.power = label("", "small", wrap=True)
        self.power.setMinimumHeight(3 * self.power.fontMetrics().lineSpacing())
        form = QFormLayout()
        form.setVerticalSpacing(8)
        for title, widget in (
            ("Set", self.set_box),
            ("Pipelines", self.pipelines),
            ("Repeats", self.repeats),
            ("Seed", self.seed),
            ("At once", self.parallel),
            ("Judge", self.judge),
            ("Name", self.name),
            ("It can show", self.power),
        ):
            form.addRow(title, widget)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.run_button = buttons.addButton("Run", QDialogButtonBox.ButtonRole.AcceptRole)
        self.run_button.setProperty("primary", True)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self._console = console
        self.set_box.currentIndexChanged.connect(lambda _i: self._show_power())
        self.pipelines.itemChanged.connect(lambda _i: self._enable())
        self._show_power()
        self._enable()

    def arguments(self) -> dict[str, Any]:
        return {
            "set_name": self.set_box.currentData(),
            "pipelines": self._chosen(),
            "repeats": self.repeats.value(),
            "seed": self.seed.value(),
            "parallel": self.parallel.currentData(),
            "judge": self.judge.currentData(),
            "name": self.name.text().strip(),
        }

    def _accept(self) -> None:
        QSettings().setValue("run/pipelines", self._chosen())
        self.accept()

    def _chosen(self) -> list[str]:
        items = [self.pipelines.item(place) for place in range(self.pipelines.count())]
        return [i.data(Qt.ItemDataRole.UserRole) for i in items if i.checkState() == Qt.CheckState.Checked]

    def _enable(self) -> None:
        self.run_button.setEnabled(bool(self._chosen()))

    def _show_power(self) -> None:
        name = self.set_box.currentData()
        self._console.run(
            operations.find_set_power,
            lambda found: name == self.set_box.currentData() and self._powered(found),
            set_name=name,
        )

    def _powered(self, found: Detectable) -> None:
        self.power.setText(detectable_sentence(found))


def _duration(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 90 else f"{seconds / 60:,.0f} min"
