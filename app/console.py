"""What every page is given: theme, engine, database and settings. Made once, by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QSettings, Signal

from app.engine.client import Engine, Task
from app.widgets.theme import Theme
from app.widgets.toasts import Notice as Notice  # its kinds belong to the toasts that show it
from rag import operations
from rag.errors import RagError
from rag.models.rows import ModelEntry
from rag.operations import Operation
from rag.storage.database import Database

if TYPE_CHECKING:
    from rag.settings import Settings


R = TypeVar("R")


@dataclass(frozen=True)
class Offer:
    """A notice about which something can be done.

    Attributes:
        sentence: What happened.
        action: What the link beside it says: "Undo" or "Show".
        run: What the link does.
        topic: What it is about; a later one on the same topic takes its place.
        kind: Its kind.
    """

    sentence: str
    action: str
    run: Callable[[], object]
    topic: str = ""
    kind: Notice = Notice.INFO


class Console(QObject):
    """The state that the window's pages share, and what they tell each other through it."""

    notice = Signal(str, str)  # sentence, a Notice
    offer = Signal(object)  # an Offer: a notice about which something can be done
    bug = Signal(str, str)  # sentence, details
    place_requested = Signal(object)  # a rag.finding.rows.Place: an object that is to be opened in its page
    data_changed = Signal()  # collections, versions or traces are not what they were
    settings_changed = Signal()
    models_changed = Signal()
    model_state_changed = Signal(object)  # rag.models.rows.ModelState
    claim_shown = Signal(str)  # the Verdict on a sentence whose evidence is looked at

    def __init__(
        self, theme: Theme, engine: Engine, database: Database, settings: Settings | None = None
    ) -> None:
        """Share these between the pages. settings: read from the data folder when None."""
        super().__init__()
        self.theme = theme
        self.engine = engine
        self.database = database
        self._settings = settings
        self.models: list[ModelEntry] = []
        self._reopening = False
        engine.ready.connect(self._take_new_data)

    @property
    def settings(self) -> Settings:
        """The settings, read when first needed: importing pydantic must not hold up the window."""
        if self._settings is None:
            from rag.settings import Settings

            try:
                self._settings = Settings.load(self.engine.folder / "settings.toml")
            except RagError:
                self._settings = Settings()  # the engine refuses to start with the same file, and says why
        return self._settings

    def run(self, operation: Operation[R], done: Callable[[R], Any] | None = None, **arguments: Any) -> Task:
        """Start an operation whose failure is shown as a notice.

        Args:
            operation: What to run, from rag.operations.
            done: Called with what the operation returns.
            arguments: The operation's keywords.
        """
        task = self.engine.start(operation, **arguments)
        if done is not None:
            task.finished.connect(done)
        task.failed.connect(self.report_failure)
        return task

    def report_failure(self, sentence: str, details: str) -> None:
        """Show a refusal as a notice, and a bug (which has details) in a dialog."""
        if details:
            self.bug.emit(sentence, details)
        else:
            self.notice.emit(sentence, Notice.BAD)

    def reopen(self, folder: Path) -> None:
        """Start the engine anew on this folder, whose files are not what they were; every page follows."""
        QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "window"))
        self._reopening = True
        self.database.close()
        self.engine.restart(folder)

    def _take_new_data(self) -> None:
        """Read the files that the new process has put in place. Pages are told by the window."""
        if self._reopening:
            self._reopening = False
            self.database.close()  # something may have looked at the old file in the meantime
            self.database = Database(self.engine.folder / "ragdeck.sqlite")
            self._settings = None
            self.settings_changed.emit()
            self.run(operations.model_state, self.model_state_changed.emit)

    def refresh_models(self) -> None:
        """Read the list of models again; `models_changed` follows."""
        self.run(operations.list_models, self._set_models)

    def change_settings(self, section: str, key: str, value: Any, name: str = "") -> None:
        """Save one setting; `settings_changed` follows, or a notice that says why it cannot be that.

        What was saved is said, with an Undo.

        Args:
            section: The name of a section of the settings.
            key: A key of the section.
            value: The new value.
            name: How people know the setting.
        """
        before = getattr(getattr(self.settings, section), key)
        if value == before:
            return
        name = name or key.replace("_", " ").capitalize()

        def saved(values: dict[str, Any]) -> None:
            self.take_settings(values)
            self.offer.emit(
                Offer(
                    f"{name} is {setting_text(value)} now.",
                    "Undo",
                    lambda: self.run(
                        operations.change_settings, self.take_settings, values={section: {key: before}}
                    ),
                    f"setting {section}.{key}",
                )
            )

        self.run(operations.change_settings, saved, values={section: {key: value}})

    def _set_models(self, models: list[ModelEntry]) -> None:
        self.models = models
        self.models_changed.emit()

    def take_settings(self, values: dict[str, Any]) -> None:
        """Use these settings, which the engine has saved."""
        from rag.settings import Settings

        self._settings = Settings.model_validate(values)
        self.settings_changed.emit()


def setting_text(value: object) -> str:
    """Return a setting's value as people read it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"“{value}”" if value else "empty"
