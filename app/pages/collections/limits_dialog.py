"""From which score a collection's sentences are flagged, with what past answers would have had."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QSlider, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import row
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import read_flag_state
from rag.grounding.rows import frequency
from rag.operations import Operation

_STEPS = 1000


class LimitsDialog(QDialog):
    """Two limits with a live preview, the second detector's folder, and the calibration to one's own verdicts."""

    def __init__(
        self, console: Console, collection_id: int, collection: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._console, self._collection = console, collection
        self.setWindowTitle(f"Flags of {collection}")
        self.setMinimumWidth(620)
        self._state = read_flag_state(console.database, collection_id)
        self._answers = [sorted(scores) for scores in self._state.answers]
        self.check, self.unsupported = self._slider("To check from"), self._slider("Unsupported from")
        self._check_text, self._unsupported_text = label("", "small"), label("", "small")
        self.preview, self.opinions = label("", wrap=True), label("", "muted", wrap=True)
        self.second = QLineEdit(self._state.second_detector)
        self.second.setAccessibleName("Folder of a second detector")
        self.second.setPlaceholderText("None: tier 1 alone")
        self.fit_button = button(
            "Fit to my verdicts…", self.fit, tip="Shown first, applied only if you say so"
        )
        self.apply_button = button("Use this fit", self.apply_fit)
        self.drop_button = button("Remove the fit", self.drop_fit)
        self._fit: Any = None
        self._build()
        task = console.engine.start(operations.flag_defaults)
        task.finished.connect(self._loaded)
        task.failed.connect(self._refused)

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(label("A sentence is flagged when the chance that it is unsupported is at least this. "
                               "New limits hold for answers from now on.", "muted", wrap=True))  # fmt: skip
        for title, slider, text in (
            ("To check", self.check, self._check_text),
            ("Unsupported", self.unsupported, self._unsupported_text),
        ):
            name = label(title)
            name.setMinimumWidth(96)
            text.setMinimumWidth(330)
            layout.addLayout(row(name, slider, text))
        self.preview.setMinimumHeight(2 * self.preview.fontMetrics().lineSpacing())  # filled in later
        layout.addWidget(self.preview)
        layout.addWidget(label("Your own verdicts", "section"))
        layout.addWidget(self.opinions)
        layout.addLayout(row(self.fit_button, self.apply_button, self.drop_button, 1))
        layout.addWidget(label("Second detector", "section"))
        layout.addWidget(label("A folder with an NLI cross-encoder or a hallucination token classifier; it is asked "
                               "only where the first is uncertain.", "muted", wrap=True))  # fmt: skip
        layout.addLayout(row(self.second, button("Choose…", self._choose)))
        buttons = QDialogButtonBox()
        self.save_button = button("Save", self.save, primary=True)
        buttons.addButton(button("As trained", self._reset), QDialogButtonBox.ButtonRole.ResetRole)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel).clicked.connect(self.reject)
        layout.addWidget(buttons)
        self.check.valueChanged.connect(
            lambda value: self._moved(self.unsupported, max(value, self.unsupported.value()))
        )
        self.unsupported.valueChanged.connect(
            lambda value: self._moved(self.check, min(value, self.check.value()))
        )
        self.apply_button.hide()

    def _slider(self, name: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, minimum=1, maximum=_STEPS, singleStep=5, pageStep=50)
        slider.setAccessibleName(name)
        slider.setEnabled(False)
        return slider

    def _loaded(self, trained: tuple[float, float]) -> None:
        self._trained = trained
        chosen = (self._state.check_from, self._state.unsupported_from)
        for slider, own, default in zip((self.check, self.unsupported), chosen, trained, strict=True):
            slider.setEnabled(True)
            slider.setValue(round((default if own is None else own) * _STEPS))
        self._draw()

    def _moved(self, other: QSlider, value: int) -> None:
        other.setValue(value)
        self._draw()

    def _reset(self) -> None:
        for slider, default in zip((self.check, self.unsupported), self._trained, strict=True):
            slider.setValue(round(default * _STEPS))

    def _draw(self) -> None:
        low, high = self.check.value() / _STEPS, self.unsupported.value() / _STEPS
        for text, value in ((self._check_text, low), (self._unsupported_text, high)):
            text.setText(f"{value:.3f}   {frequency(value)}")
        total = sum(len(scores) for scores in self._answers)
        flagged = [len(scores) - bisect_left(scores, low) for scores in self._answers]
        hard = sum(len(scores) - bisect_left(scores, high) for scores in self._answers)
        answers = len(self._answers)
        self.preview.setText(
            f"{sum(n > 0 for n in flagged)} of the last {answers:,} answers would have had a flag: {sum(flagged) - hard:,} "
            f"of {total:,} sentences to check, {hard:,} unsupported. They had flags in {self._state.flagged_answers:,}."
            if answers
            else "No answer from this collection was checked yet, so there is nothing to preview."
        )
        said, right = self._state.opinions, self._state.right
        fitted = (
            f" The scores are fitted to {self._state.fitted_on} of them." if self._state.fitted_on else ""
        )
        self.opinions.setText(
            (f"You judged {said} flags, {right} of them right." if said else "You have not judged any flag yet.")
            + (f" A fit needs {self._state.fits_from}." if said < self._state.fits_from else "") + fitted
        )  # fmt: skip
        self.fit_button.setEnabled(said >= self._state.fits_from)
        self.drop_button.setVisible(bool(self._state.fitted_on))

    def fit(self) -> None:
        """Show what a fit to the person's verdicts would change."""
        task = self._console.engine.start(operations.fit_calibration, collection=self._collection)
        task.finished.connect(self._fitted)
        task.failed.connect(self._refused)

    def _fitted(self, fit: Any) -> None:
        self._fit = fit
        helps = "It helps" if fit.helps else "It does not help"
        self.opinions.setText(
            f"From {fit.opinions} verdicts, {fit.unsupported} of them unsupported: the loss on verdicts it has not seen "
            f"goes from {fit.loss_before:.3f} to {fit.loss_after:.3f} nats. {helps}. A score of 0.10 would become "
            f"{fit.of(0.10):.2f}, one of 0.50 {fit.of(0.50):.2f}."
        )
        self.apply_button.show()

    def apply_fit(self) -> None:
        self._run(operations.apply_calibration, fit=self._fit)

    def drop_fit(self) -> None:
        self._run(operations.remove_calibration, collection=self._collection)

    def save(self) -> None:
        """Store the limits; the dialog stays open when they are refused."""
        values = [slider.value() / _STEPS for slider in (self.check, self.unsupported)]
        own = [
            None if round(d * _STEPS) == round(v * _STEPS) else v
            for v, d in zip(values, self._trained, strict=True)
        ]
        self._run(
            operations.set_flag_limits, collection=self._collection, check_from=own[0], unsupported_from=own[1],
            second_detector=self.second.text().strip(),
        )  # fmt: skip

    def _run(self, operation: Operation[Any], **arguments: Any) -> None:
        task = self._console.engine.start(operation, **arguments)
        task.finished.connect(lambda _result: self.accept())
        task.failed.connect(self._refused)

    def _refused(self, sentence: str, _details: str) -> None:
        self.opinions.setText(sentence)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a detector")
        if folder:
            self.second.setText(folder)
