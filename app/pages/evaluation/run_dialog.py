"""The dialog for a new evaluation run."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.power import detectable_sentence
from app.widgets.labels import label
from app.widgets.layout import guard_wheel, refill
from app.widgets.theme import SPACE
from rag import operations
from rag.costs.budgets.rows import Expected
from rag.evaluation.rows import Detectable, list_pipelines, list_sets
from rag.text.plurals import counted

_PARALLEL = (("As many as memory allows", None), ("One by one (measures times)", 1))
_CHOSEN = "run/pipelines"


class RunDialog(QDialog):
    """A form for the questions, the pipelines and how often; it says what the set can detect."""

    def __init__(self, console: Console, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self._wanted: dict[str, Any] = {}  # whose costs are being worked out
        self.setWindowTitle("New run")
        self.setMinimumWidth(560)
        guard_wheel(self)
        self.set_box, self.pipelines, self.name = QComboBox(), QListWidget(), QLineEdit()
        self.repeats = QSpinBox(minimum=1, maximum=100)
        self.seed = QSpinBox(minimum=0, maximum=2**31 - 1)
        self.parallel, self.judge = QComboBox(), QComboBox()
        self.power = label("", "small", wrap=True)
        self.power.setMinimumHeight(3 * self.power.fontMetrics().lineSpacing())
        self.cost = label("", "small", wrap=True)
        self.cost.setMinimumHeight(2 * self.cost.fontMetrics().lineSpacing())
        self._fill()
        form = QFormLayout()
        form.setVerticalSpacing(8)
        for title, widget in (
            ("Set", self.set_box),
            ("Pipelines", self.pipelines),
            ("Repeats", self.repeats),
            ("Seed", self.seed),
            ("In parallel", self.parallel),
            ("Judge", self.judge),
            ("Name", self.name),
            ("Can detect", self.power),
            ("Will cost", self.cost),
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
        self.set_box.currentIndexChanged.connect(lambda _i: self._show_power())
        self.pipelines.itemChanged.connect(lambda _i: self._enable())
        self.repeats.valueChanged.connect(lambda _i: self._show_cost())
        self._show_power()
        self._enable()

    def _fill(self) -> None:
        database = self._console.database
        for found in list_sets(database):
            self.set_box.addItem(f"{found.name}   ({counted(found.case_count, 'case')})", found.name)
        self.pipelines.setAccessibleName("Pipelines")
        self.pipelines.setMaximumHeight(130)
        remembered = QSettings().value(_CHOSEN, [])
        before = [remembered] if isinstance(remembered, str) else remembered
        before = before if isinstance(before, list) else []
        for place, pipeline in enumerate(list_pipelines(database)):
            item = QListWidgetItem(f"{pipeline.name}   (version {pipeline.number})")
            item.setData(Qt.ItemDataRole.UserRole, pipeline.name)
            checked = pipeline.name in before if before else place < 2
            item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
            self.pipelines.addItem(item)
        for spin in (self.repeats, self.seed):
            spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
        refill(self.parallel, _PARALLEL)
        models = [(f"{model.name} judges", model.path) for model in self._console.models]
        refill(self.judge, [("No judge", ""), *models])
        self.name.setPlaceholderText("Made from set and pipeline")

    def arguments(self) -> dict[str, Any]:
        """Return the keywords of `operations.start_runs`."""
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
        QSettings().setValue(_CHOSEN, self._chosen())
        self.accept()

    def _chosen(self) -> list[str]:
        items = [self.pipelines.item(place) for place in range(self.pipelines.count())]
        return [i.data(Qt.ItemDataRole.UserRole) for i in items if i.checkState() == Qt.CheckState.Checked]

    def _enable(self) -> None:
        self.run_button.setEnabled(bool(self._chosen()))
        self._show_cost()

    def _show_power(self) -> None:
        name = self.set_box.currentData()
        self._console.run(
            operations.find_set_power,
            lambda found: self._powered(found) if name == self.set_box.currentData() else None,
            set_name=name,
        )
        self._show_cost()

    def _show_cost(self) -> None:
        """Say what the runs will probably cost, from what earlier answers did."""
        wanted = {
            "set_name": self.set_box.currentData(),
            "pipelines": self._chosen(),
            "repeats": self.repeats.value(),
        }
        self._wanted = wanted
        if not wanted["set_name"] or not wanted["pipelines"]:
            self.cost.setText("")
            return
        task = self._console.run(
            operations.expected_costs,
            lambda found: self._costs(found) if wanted is self._wanted else None,
            **wanted,
        )
        task.failed.connect(lambda *_: self._costs({}) if wanted is self._wanted else None)

    def _costs(self, found: dict[str, Expected]) -> None:
        self.cost.setText("\n".join(f"{name}: {expected.sentence()}" for name, expected in found.items()))

    def _powered(self, found: Detectable) -> None:
        self.power.setText(detectable_sentence(found))
