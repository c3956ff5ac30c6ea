"""A dialog that asks which embedder and chunk settings to try."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import dialog_buttons, row


class TrialDialog(QDialog):
    """A dialog that asks for another embedder or other chunk settings."""

    def __init__(self, chunking: dict[str, int], parent: QWidget) -> None:
        """Start from the chunk settings of the active version, sizes in tokens."""
        super().__init__(parent)
        self.setWindowTitle("Try other settings")
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("The same embedder")
        self.folder.setAccessibleName("Embedder folder")
        self.folder.setMinimumWidth(320)
        self.max_tokens, self.overlap = QSpinBox(), QSpinBox()
        self.max_tokens.setRange(32, 2048)
        self.max_tokens.setValue(chunking["max_tokens"])
        self.max_tokens.setAccessibleName("Maximum chunk size, in tokens")
        self.overlap.setRange(0, 512)
        self.overlap.setValue(chunking["overlap_tokens"])
        self.overlap.setAccessibleName("Overlap of neighbouring chunks, in tokens")
        self.keep_encoded = QCheckBox("Chunk base64 and minified code too")
        self.keep_encoded.setChecked(bool(chunking.get("keep_encoded")))
        form = QFormLayout()
        form.addRow("Embedder folder", row(self.folder, button("Choose…", self._choose)))
        form.addRow("Maximum chunk size, tokens", self.max_tokens)
        form.addRow("Overlap, tokens", self.overlap)
        form.addRow("Encoded text", self.keep_encoded)
        buttons = dialog_buttons(self, "Build", self.accept)
        note = (
            "The documents of the active version are chunked and embedded again next to the current version. "
            "The result is a trial version: compare it, then make it active or delete it."
        )
        layout = QVBoxLayout(self)
        layout.addWidget(label(note, "muted", wrap=True))
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A sentence-transformers folder")
        if folder:
            self.folder.setText(folder)
