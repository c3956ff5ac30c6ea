"""The rules of a gate as a form of a line each, beside their YAML, with a button that checks a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.forms.rule_text import RuleTextEditor
from app.shared.file_choice import last_folder, remember_folder
from app.widgets.buttons import allow, button
from app.widgets.labels import label
from app.widgets.layout import Flow, column, dialog_buttons, refill, row, scrolled
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.evaluation.forms.rows import MetricChoice
from rag.evaluation.rows import RunRow

_LAST = "evaluation/gate"
_FIRST = "floors:\n  token_f1:\n    at_least: 0.5\nerrors:\n  at_most: 0\n"
_MOST_BYTES = 1_000_000
_KINDS = (
    ("Mean of all cases", "floors"),
    ("Worse than the baseline", "drops"),
    ("The case with the key", "key"),
    ("Each case with the tag", "tag"),
)
_SIDES = (("at least", "at_least"), ("at most", "at_most"))


class NumberBox(QDoubleSpinBox):
    """A field for a number that shows no more digits than it has."""

    def textFromValue(self, value: float) -> str:
        """Return 0.8 and 8000, not 0.8000 and 8000.0000."""
        return self.locale().toString(round(value, self.decimals()), "g", 12)


class RuleLine(QFrame):
    """A rule of a gate: what it is about, its metric and its limit."""

    changed = Signal()
    removed = Signal()

    def __init__(
        self, metrics: tuple[MetricChoice, ...], kind: str, metric: str, rule: dict[str, Any]
    ) -> None:
        """Show a rule. kind: "floors", "drops", "key" or "tag"; rule: its values in a gate."""
        super().__init__()
        self._directions = {known.name: known.direction for known in metrics}
        self.kind_box, self.metric_box, self.side_box = QComboBox(), QComboBox(), QComboBox()
        self.who = QLineEdit(str(rule.get("key") or rule.get("tag") or ""))
        self.limit = NumberBox(decimals=4, minimum=-1e9, maximum=1e9, singleStep=0.05)
        self.limit.setFixedWidth(scaled(110))
        self.confidence = QDoubleSpinBox(decimals=2, minimum=0.51, maximum=0.99, singleStep=0.05)
        self.must_prove = QCheckBox("must be certain")
        for spin in (self.limit, self.confidence):
            spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
        for widget, name in (
            (self.kind_box, "What the rule is about"), (self.metric_box, "Metric"), (self.side_box, "Side"),
            (self.who, "Key or tag"), (self.limit, "Limit"), (self.confidence, "Confidence"),
        ):  # fmt: skip
            widget.setAccessibleName(name)
        self.who.setPlaceholderText("Key or tag")
        self._at, self._sure = label("by at most"), label("with confidence")
        refill(self.kind_box, _KINDS, kind)
        refill(self.metric_box, [(known.label, known.name) for known in metrics], metric)
        refill(self.side_box, _SIDES, "at_most" if "at_most" in rule else "at_least")
        self.limit.setValue(rule.get("allowed", rule.get("at_most", rule.get("at_least", 1.0))))
        self.confidence.setValue(rule.get("confidence", 0.95))
        self.must_prove.setChecked(rule.get("must_prove", False))
        remove = button("Remove", self.removed.emit, link=True)
        self.setLayout(Flow(self.kind_box, self.who, self.metric_box, self._at, self.side_box, self.limit,
                            self._sure, self.confidence, self.must_prove, remove))  # fmt: skip
        self._show_fields()
        self.kind_box.currentIndexChanged.connect(self._turn)
        self.metric_box.currentIndexChanged.connect(self._follow_metric)
        self.side_box.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.who.textEdited.connect(lambda _text: self.changed.emit())
        for spin in (self.limit, self.confidence):
            spin.valueChanged.connect(lambda _value: self.changed.emit())
        self.must_prove.toggled.connect(lambda _on: self.changed.emit())

    @property
    def kind(self) -> str:
        """What the rule is about: floors, drops, key or tag."""
        return str(self.kind_box.currentData())

    @property
    def metric_name(self) -> str:
        """The name of its metric."""
        return str(self.metric_box.currentData())

    def rule(self) -> dict[str, Any]:
        """Return the rule as it stands in a gate."""
        if self.kind == "drops":
            return {
                "allowed": round(self.limit.value(), 4),
                "confidence": round(self.confidence.value(), 2),
                "must_prove": self.must_prove.isChecked(),
            }
        limit = {str(self.side_box.currentData()): round(self.limit.value(), 4)}
        if self.kind == "floors":
            return limit
        return {self.kind: self.who.text().strip(), "metric": self.metric_name, **limit}

    def _turn(self) -> None:
        self._show_fields()
        self.changed.emit()

    def _follow_metric(self) -> None:
        """Choose the side on which the metric is good."""
        lower = self._directions.get(self.metric_name) == "lower"
        refill(self.side_box, _SIDES, "at_most" if lower else "at_least")
        self.changed.emit()

    def _show_fields(self) -> None:
        drop = self.kind == "drops"
        for widget in (self._at, self._sure, self.confidence, self.must_prove):
            widget.setVisible(drop)
        self.side_box.setVisible(not drop)
        self.who.setVisible(self.kind in ("key", "tag"))


class GateDialog(QDialog):
    """A form for the rules that a run must pass. `text` is the gate, as it is stored in gate.yaml."""

    def __init__(self, console: Console, runs: list[RunRow], parent: QWidget | None = None) -> None:
        """Show the gate that was used last. runs: the run to check, the last of them, behind its baseline."""
        super().__init__(parent)
        self._console = console
        self._metrics: tuple[MetricChoice, ...] = ()
        self._is_waiting = False  # whether the check waits until the text is read
        self.setWindowTitle("Gate")
        self.resize(scaled(980), scaled(560))
        self.lines: list[RuleLine] = []
        self._lines = QVBoxLayout()
        self._lines.setContentsMargins(0, 0, 0, 0)
        self.errors, self.stale = QSpinBox(maximum=100_000), QSpinBox(maximum=100_000)
        self.min_share = QDoubleSpinBox(decimals=2, minimum=0.01, maximum=1.0, singleStep=0.05, value=1.0)
        self.rules = RuleTextEditor(
            console, scrolled(self._make_form(), "Rules"), "evaluation/gate_form", operations.read_gate,
            operations.write_gate, self.values, self._show,
        )  # fmt: skip
        self.buttons = dialog_buttons(self, "Check the run", self._check)
        self.open_button = self.buttons.addButton("Open…", QDialogButtonBox.ButtonRole.ActionRole)
        self.save_button = self.buttons.addButton("Save as…", QDialogButtonBox.ButtonRole.ActionRole)
        self.open_button.clicked.connect(self.open_file)
        self.save_button.clicked.connect(self.save_file)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(label(_about(runs), "section", wrap=True))
        layout.addWidget(self.rules, 1)
        layout.addWidget(self.buttons)
        self.rules.changed.connect(self._settled)
        self._enable()
        console.run(operations.list_metrics, self._start)

    def _make_form(self) -> QWidget:
        limits = QFormLayout()
        limits.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for title, spin in (
            ("Errors and timeouts, at most", self.errors),
            ("Judgements that are not found, at most", self.stale),
            ("Least share of cases with a value", self.min_share),
        ):
            spin.setAccessibleName(title)
            spin.lineEdit().setTextMargins(4, 0, 0, 0)
            spin.valueChanged.connect(lambda _value: self.rules.follow_form())
            limits.addRow(title, spin)
        self.add_button = button("Add a rule", self.add)
        return column(self._lines, row(self.add_button, 1), limits, 1)

    def _start(self, metrics: tuple[MetricChoice, ...]) -> None:
        self._metrics = metrics
        self.rules.set_text(str(QSettings().value(_LAST) or _FIRST))

    # --- form and text ------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The gate as YAML."""
        return self.rules.text.toPlainText()

    def values(self) -> dict[str, Any]:
        """Return the rules of the form. Raises ValueError where two of them exclude each other."""
        found: dict[str, Any] = {"floors": {}, "drops": {}, "cases": []}
        for line in self.lines:
            if line.kind in ("key", "tag"):
                found["cases"].append(line.rule())
                continue
            if line.metric_name in found[line.kind]:
                what = line.metric_box.currentText()
                raise ValueError(f"Two rules of the same kind are about {what}. Remove one of them.")
            found[line.kind][line.metric_name] = line.rule()
        found = {part: rules for part, rules in found.items() if rules}
        found["errors"] = {"at_most": self.errors.value()}
        if self.stale.value():
            found["stale"] = {"at_most": self.stale.value()}
        return found | {"min_share": round(self.min_share.value(), 2)}

    def add(self) -> None:
        """Add a rule about the first metric that has none yet."""
        taken = {line.metric_name for line in self.lines if line.kind == "floors"}
        metric = next((known for known in self._metrics if known.name not in taken), self._metrics[0])
        side = "at_most" if metric.direction == "lower" else "at_least"
        self._add("floors", metric.name, {side: 0.5})
        self.rules.follow_form()

    def _show(self, values: dict[str, Any]) -> None:
        for line in self.lines:
            line.hide()
            self._lines.removeWidget(line)
            line.deleteLater()
        self.lines = []
        for part in ("floors", "drops"):
            for metric, rule in values.get(part, {}).items():
                self._add(part, metric, rule)
        for rule in values.get("cases", ()):
            self._add("key" if rule.get("key") else "tag", rule["metric"], rule)
        for spin, value in (
            (self.errors, values.get("errors", {}).get("at_most", 0)),
            (self.stale, values.get("stale", {}).get("at_most", 0)),
            (self.min_share, values.get("min_share", 1.0)),
        ):
            spin.blockSignals(True)
            spin.setValue(value)
            spin.blockSignals(False)

    def _add(self, kind: str, metric: str, rule: dict[str, Any]) -> None:
        line = RuleLine(self._metrics, kind, metric, rule)
        self.lines.append(line)
        self._lines.addWidget(line)
        line.changed.connect(self.rules.follow_form)
        line.removed.connect(lambda: self._remove(line))

    def _remove(self, line: RuleLine) -> None:
        self.lines.remove(line)
        self._lines.removeWidget(line)
        line.hide()
        line.deleteLater()
        self.rules.follow_form()

    # --- files and checking -------------------------------------------------------------------------------

    def open_file(self) -> None:
        """Read the rules of a file."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open a gate", last_folder(), "Gates (*.yaml *.yml);;All files (*)"
        )
        if not path:
            return
        remember_folder(path)
        try:
            if Path(path).stat().st_size > _MOST_BYTES:
                raise OSError("it is too large for a gate")
            self.rules.set_text(Path(path).read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            self._console.notice.emit(f"{Path(path).name} could not be read: {error}.", "bad")

    def save_file(self) -> None:
        """Write the rules to a file, for the command line or a pipeline."""
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the gate", str(Path(last_folder()) / "gate.yaml"), "Gates (*.yaml)"
        )
        if not path:
            return
        remember_folder(str(Path(path).parent))
        try:
            Path(path).write_text(self.text, "utf-8")
        except OSError as error:
            self._console.notice.emit(f"{Path(path).name} could not be written: {error}.", "bad")

    def _check(self) -> None:
        self._is_waiting = True
        self.rules.read_now()
        if self.rules.is_settled:
            self._settled()

    def _settled(self) -> None:
        self._enable()
        if self._is_waiting and not self.rules.problem:
            QSettings().setValue(_LAST, self.text)
            self.accept()
        self._is_waiting = False

    def _enable(self) -> None:
        reason = self.rules.problem or ("" if self._metrics else "The metrics are being read.")
        allow(self.buttons.button(QDialogButtonBox.StandardButton.Ok), reason)
        allow(self.save_button, self.rules.problem)
        allow(self.add_button, "" if self._metrics else "The metrics are being read.")

    def done(self, result: int) -> None:
        """Close, and read nothing more."""
        self.rules.stop()
        super().done(result)


def _about(runs: list[RunRow]) -> str:
    """Return which run is checked, and against which baseline."""
    run = runs[-1]
    checked = f"Run {run.id} ({run.label}) is checked"
    if len(runs) < 2:
        return f"{checked}. Choose a second run to have a baseline for “worse than the baseline”."
    return f"{checked}; its baseline is run {runs[0].id} ({runs[0].label})."
