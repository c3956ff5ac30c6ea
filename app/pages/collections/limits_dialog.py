"""A dialog for the flags of a collection: from which score on a sentence is flagged, with a preview."""

from __future__ import annotations

from bisect import bisect_left

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLineEdit, QSlider, QVBoxLayout, QWidget

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import guard_wheel, row
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import CalibrationFit, read_flag_state
from rag.grounding.rows import frequency

_STEPS = 1000  # of a slider, for scores from 0 to 1


class LimitsDialog(QDialog):
    """A dialog with two limits, a fit to the person's own verdicts, and the folder of a second detector."""

    def __init__(
        self, console: Console, collection_id: int, collection: str, parent: QWidget | None = None
    ) -> None:
        """Show what is stored; the limits as trained come from the engine a moment later."""
        super().__init__(parent)
        self._console, self._collection = console, collection
        self.setWindowTitle(f"Flags of {collection}")
        self.setMinimumWidth(620)
        guard_wheel(self)
        self._state = read_flag_state(console.database, collection_id)
        self._answers = [sorted(scores) for scores in self._state.answers]
        self._trained: tuple[float, float] | None = None
        self._fit: CalibrationFit | None = None
        self.check, self.unsupported = _slider("To check from"), _slider("Unsupported from")
        self._check_text, self._unsupported_text = label("", "small"), label("", "small")
        self.preview, self.opinions = label("", wrap=True), label("", "muted", wrap=True)
        self.second = QLineEdit(self._state.second_detector)
        self.second.setAccessibleName("Folder of a second detector")
        self.second.setPlaceholderText("None: the first detector alone")
        self.fit_button = button(
            "Fit to my verdicts…", self.fit, tip="Shown first, applied only if you say so"
        )
        self.apply_button = button("Use this fit", self.apply_fit)
        self.drop_button = button("Remove the fit", self.drop_fit)
        self.save_button = button("Save", self.save, primary=True)
        self._lay_out()
        self._connect()
        task = console.engine.start(operations.flag_defaults)
        task.finished.connect(self._loaded)
        task.failed.connect(self._refused)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        about = (
            "A sentence is flagged when the chance that it is unsupported is at least this. New limits apply "
            "to answers from now on."
        )
        layout.addWidget(label(about, "muted", wrap=True))
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
        second = (
            "A folder with an NLI cross-encoder or a hallucination token classifier. It is used only where "
            "the first detector is uncertain."
        )
        layout.addWidget(label(second, "muted", wrap=True))
        layout.addLayout(row(self.second, button("Choose…", self._choose)))
        buttons = QDialogButtonBox()
        buttons.addButton(button("As trained", self._reset), QDialogButtonBox.ButtonRole.ResetRole)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel).clicked.connect(self.reject)
        layout.addWidget(buttons)
        self.apply_button.hide()

    def _connect(self) -> None:
        """Keep the limits in order: a sentence that is unsupported is also one to check."""
        self.check.valueChanged.connect(
            lambda value: self._moved(self.unsupported, max(value, self.unsupported.value()))
        )
        self.unsupported.valueChanged.connect(
            lambda value: self._moved(self.check, min(value, self.check.value()))
        )

    # --- what is shown ------------------------------------------------------------------------------------

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
        if self._trained is not None:
            for slider, default in zip((self.check, self.unsupported), self._trained, strict=True):
                slider.setValue(round(default * _STEPS))

    def _draw(self) -> None:
        low, high = self.check.value() / _STEPS, self.unsupported.value() / _STEPS
        for text, value in ((self._check_text, low), (self._unsupported_text, high)):
            text.setText(f"{value:.3f}   {frequency(value)}")
        self.preview.setText(self._preview(low, high))
        said = self._state.opinions
        parts = [
            f"You rated {said} flags, {self._state.right} of them as right."
            if said
            else "You have not rated any flags yet."
        ]
        if said < self._state.fits_from:
            parts.append(f"A fit needs {self._state.fits_from}.")
        if self._state.fitted_on:
            parts.append(f"The scores are fitted to {self._state.fitted_on} of them.")
        self.opinions.setText(" ".join(parts))
        self.fit_button.setEnabled(said >= self._state.fits_from)
        self.drop_button.setVisible(bool(self._state.fitted_on))

    def _preview(self, low: float, high: float) -> str:
        """Return what the limits would have flagged in past answers."""
        answers = len(self._answers)
        if not answers:
            return "No answer from this collection has been checked yet, so there is nothing to preview."
        total = sum(len(scores) for scores in self._answers)
        flagged = [len(scores) - bisect_left(scores, low) for scores in self._answers]
        hard = sum(len(scores) - bisect_left(scores, high) for scores in self._answers)
        return (
            f"{sum(n > 0 for n in flagged)} of the last {answers:,} answers would have had a flag: "
            f"{sum(flagged) - hard:,} of {total:,} sentences to check, {hard:,} unsupported. "
            f"They had flags in {self._state.flagged_answers:,}."
        )

    # --- what is changed ----------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show what a fit to the person's verdicts would change."""
        task = self._console.engine.start(operations.fit_calibration, collection=self._collection)
        task.finished.connect(self._show_fit)
        task.failed.connect(self._refused)

    def _show_fit(self, fit: CalibrationFit) -> None:
        self._fit = fit
        helps = "It helps" if fit.helps else "It does not help"
        self.opinions.setText(
            f"From {fit.opinions} verdicts, {fit.unsupported} of them unsupported: held-out loss: "
            f"{fit.loss_before:.3f} → {fit.loss_after:.3f} nats. {helps}. A score of 0.10 would become "
            f"{fit.of(0.10):.2f}, one of 0.50 {fit.of(0.50):.2f}."
        )
        self.apply_button.show()

    def apply_fit(self) -> None:
        """Use the fit that is shown for answers from now on."""
        self._finish_with(self._console.engine.start(operations.apply_calibration, fit=self._fit))

    def drop_fit(self) -> None:
        """Use the scores as the detector gives them."""
        self._finish_with(
            self._console.engine.start(operations.remove_calibration, collection=self._collection)
        )

    def save(self) -> None:
        """Store the limits; the dialog stays open when they are refused."""
        if self._trained is None:
            return
        values = [slider.value() / _STEPS for slider in (self.check, self.unsupported)]
        own = [
            None if round(default * _STEPS) == round(value * _STEPS) else value
            for value, default in zip(values, self._trained, strict=True)
        ]
        task = self._console.engine.start(
            operations.set_flag_limits, collection=self._collection, check_from=own[0],
            unsupported_from=own[1], second_detector=self.second.text().strip(),
        )  # fmt: skip
        self._finish_with(task)

    def _finish_with(self, task: Task) -> None:
        """Close the dialog when the task is done."""
        task.finished.connect(lambda _result: self.accept())
        task.failed.connect(self._refused)

    def _refused(self, sentence: str, _details: str) -> None:
        self.opinions.setText(sentence)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of a detector")
        if folder:
            self.second.setText(folder)


def _slider(name: str) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(1, _STEPS)
    slider.setSingleStep(5)
    slider.setPageStep(50)
    slider.setAccessibleName(name)
    slider.setEnabled(False)
    return slider
