"""What a cascade saves and whether it is as good, in sentences, and the curve of cost against quality."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QWidget

from app.console import Console
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label, set_tip
from app.widgets.layout import Flow, column, guard_wheel, refill, row
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.cascades.rows import Signal
from rag.evaluation.cascades.rows import CascadeCurve, CostKind, CurvePoint, Savings
from rag.evaluation.rows import PipelineKind, RunStatus, list_runs

_METRICS = (
    ("Token F1", "token_f1"),
    ("Exact match", "exact_match"),
    ("Answer similarity", "answer_similarity"),
    ("Faithfulness", "faithfulness"),
)
_KINDS = (("Money", CostKind.MONEY), ("Seconds", CostKind.SECONDS), ("Tokens", CostKind.TOKENS))

CURVE_COLUMNS = (
    Column("Threshold", lambda p: "none" if p.threshold is None else f"{p.threshold:.3f}", 90, right=True,
           sort=lambda p: 2.0 if p.threshold is None else p.threshold),
    Column("Answers kept", lambda p: f"{100 * p.kept:.0f} %", 110, right=True, sort=lambda p: p.kept,
           tooltip=lambda _p: "How many answers of the first pipeline are given"),
    Column("Cost of a case", lambda p: f"{p.cost:.4g}", 120, right=True, sort=lambda p: p.cost),
    Column("Quality", lambda p: f"{p.quality:.3f}", 90, right=True, sort=lambda p: p.quality, stretch=True),
)  # fmt: skip


class SavingsPanel(QWidget):
    """Two runs on one set: what the first saves against the second, and thresholds of a cascade of both."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.run_box, self.baseline_box = QComboBox(), QComboBox()
        self.metric_box, self.kind_box, self.signal_box = QComboBox(), QComboBox(), QComboBox()
        self.margin = QDoubleSpinBox(minimum=0.001, maximum=0.5, singleStep=0.01, decimals=3, value=0.02)
        set_tip(self.margin, "How much worse the run may be: 0.02 is 2 points.")
        self.margin.lineEdit().setTextMargins(4, 0, 0, 0)
        guard_wheel(self)
        for box, name in (
            (self.run_box, "Run"), (self.baseline_box, "Baseline"), (self.metric_box, "Quality"),
            (self.kind_box, "Cost"), (self.signal_box, "Signal"), (self.margin, "Margin"),
        ):  # fmt: skip
            box.setAccessibleName(name)
        refill(self.metric_box, _METRICS)
        refill(self.kind_box, _KINDS)
        refill(self.signal_box, [(signal.capitalize(), signal) for signal in Signal])
        set_tip(self.signal_box, "Which figure of the first run's answers decides whether they are given.")
        self.compare_button = button("Compare", self.compare, primary=True)
        self.curve_button = button(
            "Find a threshold", self.find_threshold,
            tip="What a cascade of these two would have cost and answered; nothing is asked again",
        )  # fmt: skip
        self.sentence = label("", wrap=True)
        self.curve_sentence = label("", wrap=True)
        self.table = RecordTable(
            CURVE_COLUMNS, console.theme, "cascade_curve",
            "Choose a run of a small and one of a large pipeline on the same set, and find a threshold.",
        )  # fmt: skip
        column(
            Flow(_titled("Run", self.run_box), _titled("Baseline", self.baseline_box)),
            Flow(
                _titled("Quality", self.metric_box), _titled("Cost", self.kind_box),
                _titled("Margin", self.margin), _titled("Signal", self.signal_box),
                self.compare_button, self.curve_button,
            ),
            self.sentence, self.curve_sentence, (self.table, 1),
            holder=self, top=SPACE,
        )  # fmt: skip
        console.data_changed.connect(self.refresh)
        self.run_box.currentIndexChanged.connect(lambda _index: self._allow())
        self.baseline_box.currentIndexChanged.connect(lambda _index: self._allow())
        self.refresh()

    def refresh(self) -> None:
        """Read the finished runs again; the choice stays."""
        runs = [
            (f"{run.id}: {run.label}", run.id)
            for run in list_runs(self._console.database)
            if run.status is RunStatus.DONE and run.kind is PipelineKind.ANSWER
        ]
        refill(self.run_box, runs)
        refill(self.baseline_box, runs, otherwise=1 if len(runs) > 1 else 0)
        self._allow()

    def compare(self) -> None:
        """Compare cost and quality of the two runs."""
        self.sentence.setText("Comparing…")
        task = self._console.run(
            operations.compare_costs, self._compared, run_id=self.run_box.currentData(),
            baseline_id=self.baseline_box.currentData(), metric=self.metric_box.currentData(),
            margin=self.margin.value(), kind=CostKind(self.kind_box.currentData()),
        )  # fmt: skip
        task.failed.connect(lambda sentence, _details: self.sentence.setText(sentence))

    def find_threshold(self) -> None:
        """Show what a cascade of the two runs' pipelines would have cost and answered."""
        self.curve_sentence.setText("Looking for a threshold…")
        task = self._console.run(
            operations.threshold_curve, self._found, small_id=self.run_box.currentData(),
            large_id=self.baseline_box.currentData(), signal=Signal(self.signal_box.currentData()),
            metric=self.metric_box.currentData(), margin=self.margin.value(),
            kind=CostKind(self.kind_box.currentData()),
        )  # fmt: skip
        task.failed.connect(lambda sentence, _details: self.curve_sentence.setText(sentence))

    def _compared(self, found: Savings) -> None:
        self.sentence.setText(f"{found.name} against {found.baseline}: {found.sentence()}")

    def _found(self, curve: CascadeCurve) -> None:
        self.curve_sentence.setText(
            f"{curve.sentence()} {curve.large} alone costs {curve.large_cost:.4g} {curve.unit} a case, with "
            f"{curve.metric} {curve.large_quality:.3f}."
        )
        points: tuple[CurvePoint, ...] = curve.points
        self.table.set_records(points)

    def _allow(self) -> None:
        run, baseline = self.run_box.currentData(), self.baseline_box.currentData()
        reason = ""
        if run is None or baseline is None:
            reason = "There is no finished run yet. Run an evaluation set through two pipelines first."
        elif run == baseline:
            reason = "Choose two different runs."
        allow(self.compare_button, reason)
        allow(self.curve_button, reason)


def _titled(title: str, field: QWidget) -> QWidget:
    holder = QWidget()
    holder.setLayout(row(label(title, "muted"), field))
    return holder
