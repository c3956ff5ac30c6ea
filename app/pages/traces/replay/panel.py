"""The tab "Replay": a trace answered again with something changed, the answers side by side."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QInputDialog, QStackedWidget, QWidget

from app.console import Console, Notice
from app.engine.client import Task
from app.pages.traces.replay.change_form import ChangeForm
from app.pages.traces.replay.columns import ColumnStrip, PlannedColumn, ReplayColumn, Shown
from app.pages.traces.replay.differences import PARTS, changes_in
from app.shared.diff_view import DiffView
from app.shared.links import LinkRow
from app.widgets.buttons import allow, button
from app.widgets.labels import ElidedLabel, label
from app.widgets.layout import EmptyState, Flow, Splitter, column, on_escape, row, scrolled
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.replay.comparison.rows import TraceComparison, compare_traces
from rag.asking.replay.rows import (
    Changes,
    ReplayReport,
    VariantStarted,
    find_replay,
    list_replays,
)
from rag.asking.rows import PromptProgress, TokenStreamed, TraceDetail, get_trace
from rag.costs.rows import CostSum, answer_costs
from rag.errors import NotFoundError
from rag.evaluation.rows import list_sets
from rag.finding.rows import Kind, Place
from rag.text.plurals import counted

_MOST_COLUMNS = 24  # replays that are shown, the newest; the others are in the list of traces


class ReplayPanel(QWidget):
    """The variants of a trace as columns, those that are planned, and what differs in the chosen one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._trace: TraceDetail | None = None
        self._planned: list[Changes] = []
        self._beside: list[str] = []  # traces that are compared with this one and are no replays of it
        self._comparisons: dict[str, TraceComparison] = {}
        self._shown = ""  # the trace whose differences are shown
        self._is_stale = False
        self._task: Task | None = None
        self._task_of = ""
        self._state = "Not answered yet."
        self.origin, self.form = LinkRow(console), ChangeForm(console)
        self.start = button("Answer", self.answer, primary=True)
        self.stop = button("Stop", self.cancel, tip="Esc; what was answered until then is kept")
        self.stop.hide()
        self.progress = label("", "small", wrap=True)
        self.failures = label("", "warning", wrap=True)
        self.strip = ColumnStrip()
        self.compared = ElidedLabel()
        self.compared.setProperty("role", "section")
        self.part_box = QComboBox()
        self.part_box.addItems(PARTS)
        self.part_box.setAccessibleName("What is compared")
        self.differences = DiffView(
            console.theme, lambda piece: piece.place, "Nothing differs in this part.", 1
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                console.theme, "traces", "Not replayed yet",
                "Add a variant with one thing changed above, as many as you want, and have them answered.",
            )
        )  # fmt: skip
        compared = column(row((self.compared, 1), self.part_box), (self.differences, 1))
        strip = scrolled(self.strip, "Answers side by side", sideways=True)
        self._stack.addWidget(Splitter("traces/replay", strip, compared, (260, 200), vertical=True))
        column(
            self.origin, self.form, Flow(self.start, self.stop, self.progress), self.failures,
            (self._stack, 1), holder=self, top=SPACE,
        )  # fmt: skip
        self.failures.hide()
        self.form.changes_made.connect(self.plan)
        self.part_box.currentIndexChanged.connect(lambda _index: self._show_differences())
        on_escape(self.stop, self.cancel)
        console.theme.changed.connect(self._draw)  # columns are as wide as the size of the text asks for

    def show_trace(self, trace: TraceDetail) -> None:
        """Show the replays of a trace, and let more be made."""
        if self._trace is None or self._trace.id != trace.id:
            self._planned, self._beside, self._shown = [], [], ""
            self._say_failures(())
        self._trace, self._is_stale = trace, True
        if self.isVisible():
            self._take_trace()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was chosen while this was hidden: most traces are only looked at."""
        super().showEvent(event)
        if self._is_stale:
            self._take_trace()

    def _take_trace(self) -> None:
        self._is_stale = False
        if self._trace is not None:
            if not self._console.models:
                self._console.refresh_models()
            self.form.show_trace(self._trace)
            self._draw()

    def plan(self, changes: Changes) -> None:
        """Add a variant that is to be answered."""
        if changes in self._planned:
            self._console.notice.emit("This variant is there already.", Notice.INFO)
            return
        self._planned.append(changes)
        self._draw()

    def compare_with(self, trace_id: str) -> None:
        """Show any other trace beside this one, and what differs."""
        if trace_id not in self._beside:
            self._beside.append(trace_id)
        self._shown = trace_id
        self._draw()

    def answer(self) -> None:
        """Have the planned variants answered, one after the other."""
        if self._trace is None or self._task is not None or not self._planned:
            return
        self._say_failures(())
        task = self._console.engine.start(
            operations.replay_trace, trace_id=self._trace.id, variants=tuple(self._planned)
        )
        self._task, self._task_of = task, self._trace.id
        self._state = "Waiting…"
        task.event.connect(self._step)
        task.finished.connect(self._finish)
        task.failed.connect(self._console.report_failure)
        task.ended.connect(self._ended)
        self._draw()

    def cancel(self) -> None:
        """Stop answering; what was answered until then is kept."""
        if self._task is not None:
            self._task.cancel()

    # --- while it runs ------------------------------------------------------------------------------------

    def _step(self, event: object) -> None:
        if isinstance(event, VariantStarted):
            self.progress.setText(f"{event.number} of {event.total}: {event.changes.sentence()}")
            if self._is_own():
                self._draw()
        elif isinstance(event, PromptProgress):
            self._say_stage(f"reading {event.tokens_done:,} of {event.tokens_total:,} tokens")
        elif isinstance(event, TokenStreamed):
            self._say_stage(f"answering, {counted(event.token_count, 'token')}")

    def _say_stage(self, stage: str) -> None:
        head = self.progress.text().partition(" · ")[0]
        self.progress.setText(f"{head} · {stage}")

    def _finish(self, report: ReplayReport) -> None:
        if not self._is_own():
            return
        self._planned = [one.changes for one in report.failed]
        self._say_failures([f"{one.changes.sentence()}: {one.error}" for one in report.failed])
        done = [one.trace_id for one in report.variants if not one.error]
        self._shown = done[0] if done else self._shown

    def _ended(self) -> None:
        was_own = self._is_own()
        self._task, self._state = None, "Not answered yet."
        self.progress.clear()
        if was_own and self._trace is not None:
            answered = [row.what for row in list_replays(self._console.database, self._trace.id)
                        if row.status.is_complete]  # fmt: skip
            self._planned = [one for one in self._planned if one.sentence() not in answered]
        # Costs are worked out afterwards, and the lists of traces have more of them now.
        self._console.run(operations.record_costs, lambda _count: self._draw())
        self._console.data_changed.emit()
        self._draw()

    def _is_own(self) -> bool:
        return self._trace is not None and self._task_of == self._trace.id

    def _say_failures(self, sentences: list[str] | tuple[str, ...]) -> None:
        if sentences:
            self.failures.setText(
                f"{counted(len(sentences), 'variant')} not answered. " + " ".join(sentences)
            )
        self.failures.setVisible(bool(sentences))

    # --- what is shown ------------------------------------------------------------------------------------

    def _draw(self) -> None:
        trace, database = self._trace, self._console.database
        if trace is None:
            return
        self._show_origin(trace)
        stored = list_replays(database, trace.id)[-_MOST_COLUMNS:]
        named = [(row.trace_id, row.what) for row in stored if row.status != "running"]
        named += [(key, f"Trace {key[:8]}") for key in self._beside]
        shown, self._comparisons = [Shown("This trace", trace)], {}
        for key, title in named:
            try:
                other = get_trace(database, key)
            except NotFoundError:
                continue  # deleted in the meantime
            self._comparisons[key] = compare_traces(trace, other)
            shown.append(Shown(title, other, self._comparisons[key]))
        costs = answer_costs(database, [one.trace.id for one in shown])
        columns: list[QWidget] = [self._column(one, costs.get(one.trace.id)) for one in shown]
        columns += [self._planned_column(number) for number in range(len(self._planned))]
        self.strip.show_columns(columns)
        self._stack.setCurrentIndex(1 if len(columns) > 1 else 0)
        if self._shown not in self._comparisons:
            self._shown = next(reversed(self._comparisons), "")
        self._show_differences()
        self._enable()

    def _show_origin(self, trace: TraceDetail) -> None:
        origin = find_replay(self._console.database, trace.id)
        if origin is None:
            self.origin.show_places([])
            return
        place = Place(Kind.TRACE, origin.parent_id)
        self.origin.show_places([(f"Replay of {origin.parent_id[:8]}: {origin.what}", place)])

    def _column(self, shown: Shown, cost: CostSum | None) -> ReplayColumn:
        made = ReplayColumn(self._console, shown, cost)
        made.chosen.connect(self._choose)
        made.opened.connect(lambda key: self._console.place_requested.emit(Place(Kind.TRACE, key)))
        made.pipeline_wanted.connect(self.save_pipeline)
        made.case_wanted.connect(self.save_case)
        return made

    def _planned_column(self, number: int) -> PlannedColumn:
        made = PlannedColumn(self._console, self._planned[number].sentence(), self._state)
        made.remove.setEnabled(self._task is None)
        made.removed.connect(lambda: self._drop(number))
        return made

    def _drop(self, number: int) -> None:
        del self._planned[number]
        self._draw()

    def _choose(self, trace_id: str) -> None:
        self._shown = trace_id
        self._show_differences()

    def _show_differences(self) -> None:
        found = self._comparisons.get(self._shown)
        titles = {
            one.trace_id: one.title.text() for one in self.strip.columns if isinstance(one, ReplayColumn)
        }
        self.compared.setText(f"Compared: {titles[self._shown]}" if self._shown in titles else "Compared")
        if found is None:
            self.differences.clear("Choose “Differences” in a column above.")
            return
        self.differences.show_changes(changes_in(found, self.part_box.currentText()))

    def _enable(self) -> None:
        self.start.setText(f"Answer {counted(len(self._planned), 'variant')}" if self._planned else "Answer")
        reason = "" if self._planned else "Add a variant first"
        runs = self._task is not None
        self.stop.setVisible(runs)
        if runs and self.start.hasFocus():
            self.stop.setFocus()  # else Qt gives it to whatever comes next, and Esc would stop nothing
        allow(self.start, "Variants are being answered" if runs else reason)
        self.form.add_button.setEnabled(self._task is None)

    # --- saving -------------------------------------------------------------------------------------------

    def save_pipeline(self, trace_id: str, name: str = "") -> None:
        """Save a replay as a pipeline; without a name, ask for one."""
        if not name:
            name, given = QInputDialog.getText(self, "Save as a pipeline", "Name of the pipeline:")
            if not given or not name.strip():
                return
        self._console.run(operations.pipeline_of_trace, self._saved, trace_id=trace_id, name=name.strip())

    def save_case(self, trace_id: str, name: str = "") -> None:
        """Save a replay as a case of an evaluation set; without the name of a set, ask for it."""
        if not name:
            known = [found.name for found in list_sets(self._console.database)]
            name, given = QInputDialog.getItem(
                self, "Save as a case", "Add the case to this set (a new name makes one):",
                known or ["Questions"], 0, True,
            )  # fmt: skip
            if not given or not name.strip():
                return
        self._console.run(operations.case_of_trace, self._saved, set_name=name.strip(), trace_id=trace_id)

    def _saved(self, sentence: str) -> None:
        self._console.notice.emit(sentence, Notice.INFO)
        self._console.data_changed.emit()
