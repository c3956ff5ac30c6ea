"""The first steps: a strip below the page that ticks itself as steps are really done, and blocks nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QSettings, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QWidget

from app.console import Console
from app.widgets.buttons import IconButton, button
from app.widgets.labels import label, set_tip
from app.widgets.layout import Flow, column, row
from app.widgets.theme import SMALL_SPACE, SPACE
from rag.asking.rows import read_overview
from rag.evaluation.rows import RunStatus, list_runs
from rag.grounding.rows import Verdict
from rag.knowledge.rows import list_collections, list_versions
from rag.storage.database import Database

_OPEN = "first_steps/open"  # whether the strip is shown
_DONE = "first_steps/done"  # keys of the steps that were done, for good
_ALL_DONE = "You have seen the whole of it. Close this, and add your own documents."
_LOOK_MS = 300  # after the last of several operations
FLAGS = (Verdict.CHECK, Verdict.UNSUPPORTED, Verdict.CONTRADICTED, Verdict.NO_EVIDENCE)


@dataclass(frozen=True)
class Step:
    """A step: its key, what its button says, what to do, and whether the data show that it was done."""

    key: str
    title: str
    hint: str
    is_done: Callable[[Database], bool]


def _has_documents(database: Database) -> bool:
    return any(row.document_count for row in list_collections(database))


def _has_asked(database: Database) -> bool:
    return read_overview(database, 0).trace_count > 0


def _has_compared(database: Database) -> bool:
    """Return whether two different pipelines answered the same set."""
    pipelines: dict[str, set[str]] = {}
    for run in list_runs(database):
        if run.status is RunStatus.DONE:
            pipelines.setdefault(run.set_name, set()).add(run.pipeline)
    return any(len(names) > 1 for names in pipelines.values())


def _has_rolled_back(database: Database) -> bool:
    """Return whether a collection uses a version that is not its newest, trials left aside."""
    for collection in list_collections(database):
        newest = max((v.number for v in list_versions(database, collection.id) if not v.trial), default=0)
        if collection.version_number is not None and collection.version_number < newest:
            return True
    return False


STEPS = (
    Step(
        "add",
        "Add documents",
        "The sample documents are added for you. Drop files on the window to add your own.",
        _has_documents,
    ),
    Step(
        "ask",
        "Ask",
        "Click one of the suggested questions, and see the answer with its sources.",
        _has_asked,
    ),
    Step(
        "flag",
        "See a flag",
        "Ask how long the battery lasts in winter. Then click the marked sentence to see what its "
        "sources say.",
        lambda _database: False,  # only the person can see it
    ),
    Step(
        "compare",
        "Compare",
        "Run both sample pipelines on the sample questions, and see which one is better.",
        _has_compared,
    ),
    Step(
        "back",
        "Roll back",
        "Remove a document from the sample, then take that back with Undo on Versions.",
        _has_rolled_back,
    ),
)


class FirstSteps(QFrame):
    """A strip with a button for each step, which goes to where the step is done."""

    step_requested = Signal(str)  # the key of a step
    guide_wanted = Signal()

    def __init__(self, console: Console) -> None:
        """Show the strip if it was open when the program ended."""
        super().__init__()
        self.setObjectName("panel")
        self.setAccessibleName("First steps")
        self._console = console
        self.buttons: dict[str, QPushButton] = {}
        self._hint = label("", "small", wrap=True)
        self._hint.setAccessibleName("What to do next")
        for step in STEPS:
            made = button(step.title, partial(self.step_requested.emit, step.key))
            set_tip(made, step.hint)
            self.buttons[step.key] = made
        more = button("Read more", self.guide_wanted.emit, link=True)
        cross = IconButton(console.theme, "cancel", "Close the first steps", self.close_steps)
        steps = Flow(label("First steps", "section"), *self.buttons.values(), more)
        self.setLayout(row((_stacked(steps, self._hint), 1), cross))
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(SPACE, SMALL_SPACE, SMALL_SPACE, SMALL_SPACE)
        self._soon = QTimer(self, singleShot=True, interval=_LOOK_MS)
        self._soon.timeout.connect(self.look)
        console.engine.tasks_changed.connect(self._look_soon)
        console.data_changed.connect(self._look_soon)
        console.claim_shown.connect(self._claim_shown)
        console.theme.changed.connect(self._draw)
        self.setVisible(str(QSettings().value(_OPEN)) == "yes")
        self._draw()

    @property
    def done(self) -> set[str]:
        """The keys of the steps that were done."""
        return set(str(QSettings().value(_DONE) or "").split())

    def open_steps(self) -> None:
        """Show the strip, now and at the next start, until it is closed."""
        QSettings().setValue(_OPEN, "yes")
        self.show()
        self.look()

    def close_steps(self) -> None:
        """Hide the strip for good; the guide and the palette bring it back."""
        QSettings().setValue(_OPEN, "no")
        self.hide()

    def look(self) -> None:
        """Tick the steps that the data show to be done."""
        if self.isHidden() or not self._console.engine.is_ready:
            return
        database = self._console.database
        for step in STEPS:
            if step.key not in self.done and step.is_done(database):
                self._tick(step.key)
        self._draw()

    def _claim_shown(self, verdict: str) -> None:
        if verdict in FLAGS and not self.isHidden():
            self._tick("flag")
            self._draw()

    def _tick(self, key: str) -> None:
        QSettings().setValue(_DONE, " ".join(sorted(self.done | {key})))

    def _look_soon(self) -> None:
        if not self.isHidden():
            self._soon.start()

    def _draw(self) -> None:
        done = self.done
        following = next((step for step in STEPS if step.key not in done), None)
        for step in STEPS:
            made = self.buttons[step.key]
            is_done = step.key in done
            made.setAccessibleName(f"{step.title}, done" if is_done else step.title)
            made.setIcon(self._console.theme.icon("check", "good") if is_done else QIcon())
            made.setProperty("primary", step is following)
            made.style().unpolish(made)
            made.style().polish(made)
        self._hint.setText(following.hint if following else _ALL_DONE)


def _stacked(steps: Flow, hint: QLabel) -> QWidget:
    """Return the steps with a line below them; a layout with several lines needs a widget of its own."""
    holder = QWidget()
    holder.setLayout(steps)
    return column(holder, hint)
