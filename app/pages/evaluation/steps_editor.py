"""The steps of a cascade, as a form: who answers, when that answer is given, and to which questions."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import button
from app.widgets.labels import label, set_tip
from app.widgets.layout import Flow, guard_wheel, row
from app.widgets.theme import SMALL_SPACE, SPACE
from rag.asking.cascades.rows import Signal
from rag.evaluation.rows import list_pipelines

_ABOUT = (
    "Without steps this pipeline answers itself. With steps, the first one whose answer meets its condition "
    "answers; the last one answers what no other did. A step that fails goes on to the next one."
)


class StepsEditor(QWidget):
    """A list of steps that can be changed. What the form does not show of a step is kept."""

    def __init__(self, console: Console, steps: list[dict[str, Any]]) -> None:
        super().__init__()
        self._console = console
        self.rows: list[StepRow] = []
        self._list = QVBoxLayout()
        self._list.setSpacing(SPACE)
        layout = QVBoxLayout(self)
        layout.addWidget(label(_ABOUT, "muted", wrap=True))
        layout.addLayout(self._list)
        layout.addLayout(row(button("Add step", lambda: self.add({})), 1))
        layout.addStretch(1)
        guard_wheel(self)
        for step in steps:
            self.add(step)

    def add(self, step: dict[str, Any]) -> None:
        """Add a step at the end."""
        made = StepRow(self._console, self, step)
        self.rows.append(made)
        self._list.addWidget(made)
        self._number()

    def remove(self, step: StepRow) -> None:
        """Take a step away."""
        self.rows.remove(step)
        self._list.removeWidget(step)
        step.deleteLater()
        self._number()

    def values(self) -> list[dict[str, Any]]:
        """Return the steps as PipelineConfig has them. Raises ValueError with a sentence for a single one."""
        if len(self.rows) == 1:
            raise ValueError("A cascade has at least two steps. Add another one, or remove this one.")
        return [step.values(is_last=step is self.rows[-1]) for step in self.rows]

    def _number(self) -> None:
        for place, step in enumerate(self.rows, 1):
            step.show_place(place, is_last=place == len(self.rows))


class StepRow(QWidget):
    """A step: who answers, and the conditions."""

    def __init__(self, console: Console, editor: StepsEditor, step: dict[str, Any]) -> None:
        super().__init__()
        self._step = step
        self.title = label("", "section")
        self.who = QComboBox()
        self.who.setAccessibleName("Who answers")
        self.who.addItem("The active model", ("model", ""))
        for model in console.models:
            self.who.addItem(f"Model {model.name}", ("model", model.path))
        for pipeline in list_pipelines(console.database):
            if not pipeline.is_cascade:
                self.who.addItem(
                    f"Pipeline {pipeline.name}, version {pipeline.number}",
                    ("pipeline", f"{pipeline.name}@{pipeline.number}"),
                )
                self.who.addItem(f"Pipeline {pipeline.name}, the newest", ("pipeline", pipeline.name))
        wanted = ("pipeline", step["pipeline"]) if step.get("pipeline") else ("model", step.get("model", ""))
        if (place := self._place(wanted)) < 0:
            self.who.addItem(f"{wanted[0].capitalize()} {wanted[1]}", wanted)
            place = self.who.count() - 1
        self.who.setCurrentIndex(place)
        accept, when = step.get("accept", {}), step.get("when", {})
        self.supported = QCheckBox("every sentence is supported and nothing silent failed")
        self.supported.setChecked(bool(accept.get("supported", not step)))
        self.signals = {
            signal: _spin(accept.get("at_least", {}).get(signal.value), signal) for signal in Signal
        }
        self.languages, self.tags = QLineEdit(", ".join(when.get("languages", ()))), QLineEdit()
        self.tags.setText(", ".join(when.get("tags", ())))
        self.languages.setPlaceholderText("any language, or en, de")
        self.tags.setPlaceholderText("any tag")
        self.least, self.most = _words(when.get("min_words")), _words(when.get("max_words"))
        for widget, name in (
            (self.languages, "Languages"), (self.tags, "Tags"), (self.least, "Fewest words"),
            (self.most, "Most words"),
        ):  # fmt: skip
            widget.setAccessibleName(name)
        remove = button("Remove", lambda: editor.remove(self), link=True, tip="Take this step away")
        self._conditions = QWidget()
        conditions = QVBoxLayout(self._conditions)
        conditions.setContentsMargins(0, 0, 0, 0)
        conditions.addWidget(label("Its answer is given when all of this holds:", "muted"))
        conditions.addWidget(self.supported)
        conditions.addWidget(_pairs(*((f"{s.capitalize()} at least", self.signals[s]) for s in Signal)))
        conditions.addWidget(label("It is asked only questions such as:", "muted"))
        conditions.addWidget(
            _pairs(
                ("Languages", self.languages), ("Tags", self.tags), ("Words from", self.least),
                ("to", self.most),
            )
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        layout.addLayout(row(self.title, (self.who, 1), remove))
        layout.addWidget(self._conditions)

    def show_place(self, place: int, is_last: bool) -> None:
        """Say which step it is; the answer of the last one is always given."""
        self.title.setText(f"Step {place}")
        self._conditions.setVisible(not is_last)

    def values(self, is_last: bool) -> dict[str, Any]:
        """Return the step, without conditions when it is the last one."""
        kind, name = self.who.currentData()
        step: dict[str, Any] = {"model": "", "pipeline": "", kind: name}
        if is_last:
            return step
        accept, when = dict(self._step.get("accept", {})), dict(self._step.get("when", {}))
        accept["supported"] = self.supported.isChecked()
        accept["at_least"] = {
            signal.value: round(spin.value(), 4) for signal, spin in self.signals.items() if spin.value() > 0
        }
        when["languages"], when["tags"] = _listed(self.languages.text()), _listed(self.tags.text())
        when["min_words"], when["max_words"] = self.least.value() or None, self.most.value() or None
        return {**step, "accept": accept, "when": when}

    def _place(self, wanted: tuple[str, str]) -> int:
        return next((n for n in range(self.who.count()) if tuple(self.who.itemData(n)) == wanted), -1)


def _spin(value: float | None, signal: Signal) -> QDoubleSpinBox:
    spin = QDoubleSpinBox(minimum=0.0, maximum=1.0, singleStep=0.05, decimals=3)
    spin.setSpecialValueText("any")
    spin.setValue(value or 0.0)
    spin.setAccessibleName(f"Least {signal}")
    spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
    set_tip(spin, signal.description.capitalize() + ".")
    return spin


def _words(value: int | None) -> QSpinBox:
    spin = QSpinBox(minimum=0, maximum=10_000)
    spin.setSpecialValueText("any")
    spin.setValue(value or 0)
    spin.lineEdit().setTextMargins(4, 0, 0, 0)
    return spin


def _pairs(*pairs: tuple[str, QWidget]) -> QWidget:
    """Return fields with their titles, which go on in another line where there is no room."""
    holders = []
    for title, field in pairs:
        holder = QWidget()
        holder.setLayout(row(label(title, "small"), field))
        holders.append(holder)
    made = QWidget()
    made.setLayout(Flow(*holders))
    return made


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
