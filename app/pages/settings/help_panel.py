"""Help in the settings: the guide, the first steps, and the launcher of the desktop."""

from __future__ import annotations

from PySide6.QtCore import Signal

from app.console import Console, Notice
from app.widgets.buttons import Toolbar, button
from app.widgets.labels import label
from app.widgets.layout import Panel
from rag import operations
from rag.launcher.rows import LauncherReport


class HelpPanel(Panel):
    """A panel with the ways to help, and with the launcher: it is made, replaced and removed here."""

    guide_wanted = Signal()
    first_steps_wanted = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__("Help and launcher")
        self._console = console
        self.body.addWidget(
            Toolbar(
                button("Open the guide", self.guide_wanted.emit, tip="What each page is for (F1)"),
                button("Show the first steps", self.first_steps_wanted.emit),
                1,
            )
        )
        note = "A launcher is an icon in the desktop's menu. Files dropped on it are added to a collection."
        self.body.addWidget(label(note, "small", wrap=True))
        self.make_button = button("Make a launcher", self._make)
        self.remove_button = button("Remove the launcher", self._remove)
        self.body.addWidget(Toolbar(self.make_button, self.remove_button, 1))

    def _make(self) -> None:
        self._console.run(operations.make_launcher, self._tell, folder=self._console.engine.folder)

    def _remove(self) -> None:
        self._console.run(operations.remove_launcher, self._tell)

    def _tell(self, report: LauncherReport) -> None:
        self._console.notice.emit(report.sentence(), Notice.INFO)
