"""What a reasoning model thought before its answer: folded until somebody wants to see it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.buttons import button
from app.widgets.labels import label
from rag.text.plurals import counted


class ThinkingView(QWidget):
    """A line that says how much a model thought, and unfolds the thinking; hidden where there was none."""

    def __init__(self) -> None:
        """Show nothing."""
        super().__init__()
        self.text = ""
        self.toggle = button("Thinking", self._toggle, link=True, tip="Not a part of the answer; not checked")
        self.content = label("", "muted", wrap=True)
        self.content.setAccessibleName("Thinking of the model")
        self.content.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.content.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.content)
        self.hide()

    def show_thinking(self, text: str, tokens: int) -> None:
        """Show how much was thought; what, when it is unfolded. An empty text hides the view."""
        self.text = text
        self.toggle.setText(f"Thinking ({counted(tokens, 'token')})" if tokens else "Thinking")
        self.setVisible(bool(text.strip()))
        if not self.content.isHidden():
            self.content.setText(text.strip())

    def _toggle(self) -> None:
        is_folded = self.content.isHidden()
        self.content.setText(self.text.strip() if is_folded else "")
        self.content.setVisible(is_folded)
