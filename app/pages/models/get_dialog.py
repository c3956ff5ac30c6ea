"""Get a model: the catalogue, or any repository and file, downloaded when it is asked for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import guard_wheel, refill, row
from app.widgets.theme import SPACE
from rag import operations
from rag.models.getting.rows import Downloaded, DownloadProgress, Fit, Offer, Purpose, list_offers
from rag.models.rows import free_memory_bytes

_FITS = {Fit.FITS: "yes", Fit.TIGHT: "just", Fit.TOO_LARGE: "no", Fit.UNKNOWN: "unknown"}
_ABOUT = (
    "Nothing is downloaded until you press Download. What arrives is checked by its hash. You can also put a "
    "file that you got elsewhere on this window."
)


class GetModelDialog(QDialog):
    """A dialog with the catalogue, a repository and file of one's own, and one download at a time."""

    def __init__(self, console: Console, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self._task: Task | None = None
        self.setWindowTitle("Get a model")
        self.setMinimumSize(760, 560)
        self.setAcceptDrops(True)
        guard_wheel(self)
        context, free = console.settings.generation.context, free_memory_bytes()
        self.table = RecordTable(_columns(context, free), console.theme, "offers", "No model is for this.")
        self.purpose = QComboBox()
        self.purpose.setAccessibleName("What the model is for")
        refill(self.purpose, [("All models", ""), *((p.noun.capitalize() + "s", p.value) for p in Purpose)])
        self.facts = KeyValueGrid()
        self.repository, self.file = QLineEdit(), QLineEdit()
        self.repository.setPlaceholderText("MAKER/NAME")
        self.file.setPlaceholderText("name.gguf; empty for a folder")
        self.kind = QComboBox()
        refill(self.kind, [(purpose.noun.capitalize(), purpose.value) for purpose in Purpose])
        stored = str(QSettings().value("models/folder", "") or Path.home() / "Models")
        self.folder = QLineEdit(stored)
        for field, name in (
            (self.repository, "Repository"), (self.file, "File"), (self.kind, "Kind of model"),
            (self.folder, "Folder"),
        ):  # fmt: skip
            field.setAccessibleName(name)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Download")
        self.progress.hide()
        self.said = label("", wrap=True)
        self.get_button = button("Download", self.get, primary=True)
        self.stop_button = button("Stop", self.stop)
        self.stop_button.hide()
        self._lay_out()
        self.purpose.currentIndexChanged.connect(lambda _index: self._list())
        self.table.record_selected.connect(self._choose)
        for line in (self.repository, self.folder):
            line.textChanged.connect(lambda _text: self._allow())
        self._list()
        self._allow()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(label(_ABOUT, "muted", wrap=True))
        layout.addLayout(row(label("For", "muted"), self.purpose, 1))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.facts)
        layout.addLayout(
            row(
                label("Repository", "muted"), (self.repository, 2), label("File", "muted"), (self.file, 2),
                self.kind,
            )
        )  # fmt: skip
        layout.addLayout(
            row(label("Put it into", "muted"), (self.folder, 1), button("Browse…", self._browse))
        )
        layout.addWidget(self.progress)
        layout.addWidget(self.said)
        layout.addLayout(row(1, button("Close", self.close), self.stop_button, self.get_button))

    def get(self) -> None:
        """Download what is named, and follow it."""
        if self._task is not None:
            return
        QSettings().setValue("models/folder", self.folder.text())
        repository, file = self.repository.text().strip(), self.file.text().strip()
        task = self._console.run(
            operations.get_model.titled(f"Download {file or repository}"), self._got, repository=repository,
            folder=self.folder.text().strip(), file=file, purpose=str(self.kind.currentData()),
        )  # fmt: skip
        self._task = task
        self._say("Asking the server…")
        self.progress.setRange(0, 0)
        self.progress.show()
        self.stop_button.show()
        task.event.connect(self._show)
        task.failed.connect(self._refused)
        task.ended.connect(self._ended)
        self._allow()

    def stop(self) -> None:
        """Stop the download; what has arrived stays."""
        if self._task is not None:
            self._task.cancel()
            self._say("Stopped. What has arrived stays: press Download to go on from there.")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop a download: it never goes on in the background."""
        self.stop()
        super().closeEvent(event)

    def reject(self) -> None:
        """Stop a download, and close."""
        self.stop()
        super().reject()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add files that were got elsewhere."""
        self.add_files([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    def add_files(self, paths: list[str]) -> None:
        """Add GGUF files that were got elsewhere to the list of models."""
        for path in paths:
            task = self._console.run(operations.add_model, lambda entry: self._added(entry.name), path=path)
            task.failed.connect(lambda sentence, _details: self._say(sentence, "bad"))

    def _added(self, name: str) -> None:
        self._say(f"{name} was added. {Purpose.ANSWERS.next_step}")
        self._console.refresh_models()

    def _list(self) -> None:
        chosen = str(self.purpose.currentData())
        self.table.set_records(list_offers(Purpose(chosen) if chosen else None))

    def _choose(self, offer: Offer) -> None:
        self.repository.setText(offer.repository)
        self.file.setText(offer.file)
        self.kind.setCurrentIndex(self.kind.findData(offer.purpose.value))
        checked = (
            "against the catalogue's hash and the one that the server states"
            if offer.sha256
            else "against the hash that the server states"
        )
        languages = ", ".join(offer.languages) if offer.languages != ("many",) else "many languages"
        pairs = [("Licence", offer.licence), ("Languages", languages), ("Checked", checked)]
        self.facts.set_pairs(pairs + ([("Note", offer.note)] if offer.note else []))

    def _show(self, event: DownloadProgress) -> None:
        if not event.total:
            return
        self.progress.setRange(0, 1000)
        self.progress.setValue(int(1000 * event.done / event.total))
        what = "Checking" if event.stage == "checking" else "Downloading"
        self._say(f"{what} {event.file}: {event.done / 1e6:,.0f} of {event.total / 1e6:,.0f} MB")

    def _got(self, found: Downloaded) -> None:
        licence = f" Its licence, as the server states it: {found.licence}." if found.licence else ""
        self._say(f"{found.path} is there. {found.checked}{licence} {found.next_step}")
        self._console.refresh_models()

    def _refused(self, sentence: str, _details: str) -> None:
        what = self.file.text() or "the folder"
        elsewhere = (
            f" Or get {what} of {self.repository.text()} on another computer, and drop the file on this "
            "window."
        )
        self._say(sentence + (elsewhere if "could not be reached" in sentence else ""), "bad")

    def _ended(self) -> None:
        self._task = None
        self.progress.hide()
        self.stop_button.hide()
        self._allow()

    def _say(self, sentence: str, role: str = "") -> None:
        self.said.setText(sentence)
        self.said.setProperty("role", role)
        self.said.style().polish(self.said)

    def _allow(self) -> None:
        reason = ""
        if self._task is not None:
            reason = "A download is running."
        elif "/" not in self.repository.text():
            reason = "Choose a model, or write the repository as MAKER/NAME."
        elif not self.folder.text().strip():
            reason = "Choose a folder first."
        allow(self.get_button, reason)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for models", self.folder.text())
        if folder:
            self.folder.setText(folder)


def _columns(context: int, free: int | None) -> tuple[Column, ...]:
    def memory(offer: Offer) -> int:
        return offer.memory_bytes(context)

    return (
        Column("Model", lambda o: o.name, 200, stretch=True, tooltip=lambda o: o.note or o.repository),
        Column("For", lambda o: o.purpose.noun, 96),
        Column("Maker", lambda o: o.maker, 96, priority=8),
        Column("Size", lambda o: f"{o.size_bytes / 1e9:.1f} GB", 70, right=True, sort=lambda o: o.size_bytes),
        Column("Memory", lambda o: f"{memory(o) / 1e9:.1f} GB", 78, right=True, sort=memory,
               tooltip=lambda _o: f"With a context of {context:,} tokens"),
        Column("Fits here", lambda o: _FITS[o.fit(context, free)], 78,
               colour=lambda o: "bad" if o.fit(context, free) is Fit.TOO_LARGE else None,
               tooltip=lambda _o: "By the memory that is free now"),
    )  # fmt: skip
