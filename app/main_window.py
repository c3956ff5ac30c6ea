"""The window: the rail, the pages, their notices, the status bar, commands and drops."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QRect, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QApplication, QMainWindow, QStatusBar, QWidget

from app.background_checks import BackgroundChecks
from app.console import Console, Notice, Offer
from app.engine.client import Task
from app.help.ways import Help
from app.history import MouseButtons
from app.ingest_controller import IngestController
from app.routes import PAGES, TITLES, Pages
from app.search import ObjectFinder, recent_commands, remember
from app.widgets.error_dialog import show_error
from app.widgets.labels import label
from app.widgets.layout import column, row
from app.widgets.navigation import DropOverlay, NavigationRail
from app.widgets.palette import Command, CommandPalette, ShortcutsDialog
from app.widgets.theme import scaled
from app.widgets.toasts import Toasts
from rag import operations
from rag.asking.rows import AskResult, PromptProgress, TokenStreamed, get_trace, read_overview
from rag.costs.budgets.rows import TELL_STATES, list_budgets
from rag.knowledge.rows import list_collections
from rag.models.rows import ModelState, free_memory_bytes
from rag.monitoring.rows import list_alerts
from rag.operations import Lane
from rag.text.plurals import counted

_FIRST_PAGE_MS = 20
_FIRST_SIZE = (1280, 800)
_LEAST_SIZE = (640, 440)  # a page that needs more scrolls
_TITLE = 40  # pixels that the desktop's own title takes above the window
_FRAME = 8  # and its frame beside and below it
_QUIET_S = 1.0


class StatusBar(QStatusBar):
    """The line below the pages: what the engine does, the model, its speed, its context, and memory."""

    def __init__(self, console: Console, quiet_s: float = _QUIET_S) -> None:
        """Follow the engine. quiet_s: seconds for which reading or writing rows is not shown."""
        super().__init__()
        self._console = console
        self._quiet_s = quiet_s
        self._labels = {name: label() for name in ("task", "model", "speed", "context", "memory")}
        for name, widget in self._labels.items():
            widget.setAccessibleName(f"Status: {name}")
            if name == "task":
                self.addWidget(widget, 1)
            else:
                self.addPermanentWidget(widget)
        self._labels["model"].setText("No model loaded")
        self.setSizeGripEnabled(False)
        self._refused = False
        self._soon = QTimer(self, interval=round(quiet_s * 1000) + 10, singleShot=True)
        self._soon.timeout.connect(self._show_tasks)
        self._memory_timer = QTimer(self, interval=3000)
        self._memory_timer.timeout.connect(self._show_memory)
        self._memory_timer.start()
        QTimer.singleShot(500, self._show_memory)
        console.engine.tasks_changed.connect(self._show_tasks)
        console.engine.ready.connect(self._show_tasks)
        console.engine.refused.connect(self._show_refusal)
        console.model_state_changed.connect(self.show_model)
        self._show_tasks()

    def text(self, name: str) -> str:
        """Return what is shown under a name: task, model, speed, context or memory."""
        return self._labels[name].text()

    def stop(self) -> None:
        """Look at the memory no more: the window is closing."""
        self._memory_timer.stop()

    def show_model(self, state: ModelState | None) -> None:
        """Show which model is loaded."""
        name = state.name if state is not None else ""
        self._labels["model"].setText(name or "No model loaded")

    def follow_question(self, task: Task) -> None:
        """Show how full the context is while a question is answered, and the speed afterwards."""
        used = {"tokens": 0, "thinking": 0}

        def follow(event: Any) -> None:
            if isinstance(event, PromptProgress):
                used["tokens"] = event.tokens_total
            elif isinstance(event, TokenStreamed):
                context = self._console.settings.generation.context
                if event.is_thinking:
                    used["thinking"] = event.token_count
                tokens = used["tokens"] + used["thinking"] + (0 if event.is_thinking else event.token_count)
                share = 100 * tokens / context
                self._labels["context"].setText(f"Context {tokens:,} of {context:,} ({share:.0f} %)")

        def finish(result: Any) -> None:
            if not isinstance(result, AskResult):
                return  # both answers of a blind comparison: their speed would tell which is which
            speed = get_trace(self._console.database, result.trace_id).tokens_per_s
            self._labels["speed"].setText(f"{speed:.0f} tokens/s" if speed else "")

        task.event.connect(follow)
        task.finished.connect(finish)

    def _show_tasks(self) -> None:
        engine = self._console.engine
        tasks = [task for task in engine.tasks if self._is_worth_showing(task)]
        if len(tasks) < len(engine.tasks) and not self._soon.isActive():
            self._soon.start()  # one that is still running then is shown
        if not engine.is_ready:
            text = "The engine is not running" if self._refused else "Starting the engine…"
        elif tasks:
            text = tasks[0].title + (f"   (+{len(tasks) - 1} waiting)" if len(tasks) > 1 else "")
        else:
            text = "Ready"
        self._labels["task"].setText(text)

    def _is_worth_showing(self, task: Task) -> bool:
        """Reading and writing rows takes milliseconds as a rule; the status bar would flicker."""
        return task.lane not in (Lane.READ, Lane.WRITE) or task.age_s >= self._quiet_s

    def _show_refusal(self) -> None:
        self._refused = True
        self._show_tasks()

    def _show_memory(self) -> None:
        """Show the memory of the engine's process (Linux has it in /proc), and what is free."""
        parts = []
        process = self._console.engine.process_id
        status = Path(f"/proc/{process}/status")
        if process is not None and status.exists():
            for line in status.read_text().splitlines():
                if line.startswith("VmRSS:"):
                    parts.append(f"Engine {int(line.split()[1]) / 1024:,.0f} MB")
        free = free_memory_bytes()
        if free is not None:
            parts.append(f"{free / 2**30:.1f} GB free")
        self._labels["memory"].setText("   ".join(parts))


class MainWindow(QMainWindow):
    """The program's only window: navigation, drops, and what the engine says at its start."""

    def __init__(self, console: Console) -> None:
        """Make the window; its first page is made a moment after it is shown."""
        super().__init__()
        self._console = console
        self._start_sentences: list[str] = []
        self.setWindowTitle("Ragdeck")
        self.setWindowIcon(console.theme.icon("ragdeck"))
        self.setAcceptDrops(True)
        self.rail = NavigationRail(console.theme, PAGES)
        self.pages = Pages(console)
        self.help = Help(console, TITLES, lambda: self.pages.current, self.pages.show_page, self)
        self.toasts = Toasts(console.theme, self.pages)
        self.status_bar = StatusBar(console)
        self.ingests = IngestController(console, self)
        self.checks = BackgroundChecks(console)
        self.finder = ObjectFinder(console)
        self._lay_out()
        self.overlay = DropOverlay(console.theme, self)
        self.commands = self._make_commands()
        self._make_shortcuts()
        self._connect()
        self._restore()
        self.winId()  # makes the window that the filter is for
        MouseButtons(self.windowHandle(), self.pages.go_back, self.pages.go_forward)

    # --- making -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        centre = QWidget()
        pages = column((self.pages, 1), self.help.steps, spacing=0)
        centre.setLayout(row(self.rail, (pages, 1), spacing=0))
        self.setCentralWidget(centre)
        self.setStatusBar(self.status_bar)
        self.setMinimumSize(*_LEAST_SIZE)

    def _make_commands(self) -> list[Command]:
        pages, ingests = self.pages, self.ingests
        return [
            *(
                Command(
                    f"Go to {page.title}",
                    partial(self.show_page, page.key),
                    page.shortcut,
                    "page open",
                    "Pages",
                )
                for page in PAGES
            ),
            Command("Show or hide the names of the pages", self.rail.toggle, "Ctrl+B", "rail sidebar icons"),
            Command("Back", pages.go_back, "Alt+Left", "previous history page", group="Pages"),
            Command("Forward", pages.go_forward, "Alt+Right", "next history page", group="Pages"),
            Command("Ask a question", self._ask_question, "Ctrl+L", "query box"),
            Command("New session", lambda: pages.ask.new_session(), "Ctrl+N", "clear conversation"),
            Command("Stop the answer", lambda: pages.ask.stop(), "Esc", "cancel abort"),
            Command("Add files…", partial(ingests.choose_files, ""), "Ctrl+O", "documents ingest import"),
            Command(
                "Add a folder…", partial(ingests.choose_folder, ""), "Ctrl+Shift+O", "documents ingest import"
            ),
            Command("Prepare the sample collection", ingests.start_sample, "", "demo example"),
            Command("Show flagged answers", pages.open_flagged, "", "hallucination unsupported"),
            Command("Show silent failures", pages.open_silent, "", "empty repeated cut off language"),
            Command("Show alerts", pages.open_alerts, "", "monitors rules firing"),
            Command("Back up the data…", self._back_up, "", "save copy export"),
            Command("Light colours", partial(self._choose_theme, "light"), "", "theme appearance"),
            Command("Dark colours", partial(self._choose_theme, "dark"), "", "theme appearance night"),
            Command("Command palette", self.open_palette, "Ctrl+K", ""),
            *self.help.commands,
            Command("Keyboard shortcuts", self.show_shortcuts, "Shift+F1", "help keys"),
            Command("Quit", self.close, "Ctrl+Q", "exit"),
        ]

    def _make_shortcuts(self) -> None:
        for command in self.commands:
            if command.shortcut:
                shortcut = QShortcut(QKeySequence(command.shortcut), self)
                shortcut.activated.connect(command.run)
        action = QAction("Ragdeck", self)  # gives screen readers and macOS a named action to start from
        action.triggered.connect(self.open_palette)
        self.addAction(action)

    def _connect(self) -> None:
        console, pages, ingests = self._console, self.pages, self.ingests
        self.rail.page_requested.connect(pages.show_page)
        self.rail.help_requested.connect(lambda: self.help.open_guide())
        self.help.steps.step_requested.connect(pages.show_step)
        pages.guide_wanted.connect(self.help.open_guide)
        pages.first_steps_wanted.connect(self.help.steps.open_steps)
        self.rail.back_requested.connect(pages.go_back)
        self.rail.forward_requested.connect(pages.go_forward)
        self.rail.finder_requested.connect(self.open_palette)
        pages.history.changed.connect(
            lambda: self.rail.show_ways(pages.history.back_title, pages.history.forward_title)
        )
        pages.page_shown.connect(self._page_shown)
        pages.title_changed.connect(self._show_title)
        pages.files_wanted.connect(ingests.choose_files)
        pages.folder_wanted.connect(ingests.choose_folder)
        pages.sample_wanted.connect(ingests.start_sample)
        pages.paths_chosen.connect(ingests.add_paths)
        pages.asked.connect(self.status_bar.follow_question)
        pages.collections_made.connect(lambda page: ingests.attach(page.progress))
        ingests.started.connect(partial(self.show_page, "collections"))
        ingests.ingested.connect(pages.show_report)
        ingests.models_chosen.connect(pages.add_models)
        self.checks.folders_unchanged.connect(pages.show_folders)
        console.notice.connect(lambda text, kind: self.toasts.show_notice(text, kind))
        console.offer.connect(self._show_offer)
        console.bug.connect(lambda sentence, details: show_error(self, sentence, details))
        console.settings_changed.connect(self._follow_settings)
        console.data_changed.connect(self._count_alerts)
        console.data_changed.connect(self._show_title)
        console.engine.ready.connect(self._engine_ready)
        console.engine.refused.connect(lambda sentence: show_error(self, sentence))
        console.engine.restarted.connect(self._engine_restarted)

    def _restore(self) -> None:
        state = QSettings()
        self.setGeometry(self._fitting(state.value("window/place")))
        if str(state.value("window/maximized")).lower() == "true":  # a bool until it was written to the file
            self.setWindowState(self.windowState() | Qt.WindowState.WindowMaximized)
        self.rail.fit(self.width())
        page = str(state.value("window/page") or "")
        self._first_page = page if page in TITLES else "overview"
        self.rail.set_current(self._first_page)
        self.setFocus()  # else the first button of the rail has it, and its frame
        # The frame is on the screen before its first page is made.
        QTimer.singleShot(_FIRST_PAGE_MS, lambda: self.pages.count() or self.show_page(self._first_page))

    def _fitting(self, remembered: object) -> QRect:
        """Return where the window goes: where it was or in the middle, on a screen and no larger than it."""
        place = remembered if isinstance(remembered, QRect) else QRect()
        screen = QGuiApplication.screenAt(place.center()) if place.isValid() else None
        room = (screen or QGuiApplication.primaryScreen()).availableGeometry()
        room = room.adjusted(_FRAME, _TITLE, -_FRAME, -_FRAME)
        wanted = place.size() if screen is not None else QSize(*map(scaled, _FIRST_SIZE))
        size = wanted.expandedTo(self.minimumSize()).boundedTo(room.size())
        made = QRect(place.topLeft(), size)
        if screen is None:
            made.moveCenter(room.center())
        left = min(max(made.left(), room.left()), room.right() + 1 - size.width())
        top = min(max(made.top(), room.top()), room.bottom() + 1 - size.height())
        made.moveTo(left, top)
        return made

    # --- navigation ---------------------------------------------------------------------------------------

    @property
    def current_page(self) -> str:
        """The key of the page that is shown."""
        return self.pages.current

    def show_page(self, key: str) -> None:
        """Show the page with this key."""
        self.pages.show_page(key)

    def raise_window(self) -> None:
        """Come to the front: somebody started the program again."""
        if self.isMinimized():
            self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        QApplication.alert(self)  # for a desktop that lets no window come to the front by itself

    def status(self, name: str) -> str:
        """Return what the status bar shows under a name: task, model, speed, context or memory."""
        return self.status_bar.text(name)

    def open_palette(self) -> CommandPalette:
        """Open the command palette."""
        known = [*self.pages.commands(), *self.commands]
        recent = recent_commands(known, self._console)
        palette = CommandPalette(known, self, recent=recent, finder=self.finder, used=remember)
        palette.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        palette.finished.connect(self.finder.stop)
        palette.popup()
        return palette

    def show_shortcuts(self) -> ShortcutsDialog:
        """List the keyboard shortcuts."""
        keys = [(command.shortcut, command.title) for command in self.commands if command.shortcut]
        keys += [
            ("Enter", "Send the question"),
            ("Shift+Enter", "New line in the question"),
            ("Ctrl+C", "Copy the chosen rows of a table"),
            ("Shift+F10", "Open the menu of the chosen rows"),
        ]
        dialog = ShortcutsDialog(keys, self)
        dialog.open()
        return dialog

    def _ask_question(self) -> None:
        self.show_page("ask")
        self.pages.ask.focus_question()

    def _back_up(self) -> None:
        self.show_page("settings")
        self.pages.settings.data.choose_backup()

    def _choose_theme(self, name: str) -> None:
        self._console.change_settings("appearance", "theme", name)

    def _follow_settings(self) -> None:
        look = self._console.settings.appearance
        self._console.theme.apply(look.theme)
        self._console.theme.resize(look.text_percent, look.density)
        self.rail.fit(self.width())

    def _page_shown(self, key: str) -> None:
        self.rail.set_current(key)
        self.toasts.set_page(key)
        self._show_title()

    def _show_title(self) -> None:
        """Name page and collection; Qt adds the name of the program where the desktop does not."""
        self.setWindowTitle(self.pages.title or "Ragdeck")

    def _show_offer(self, offer: Offer) -> None:
        self.toasts.show_notice(offer.sentence, offer.kind, offer.action, offer.run, topic=offer.topic)

    def _count_alerts(self) -> None:
        self.rail.set_badge("monitors", len(list_alerts(self._console.database, firing_only=True)))
        used_up = [row for row in list_budgets(self._console.database) if row.state in TELL_STATES]
        self.rail.set_badge("costs", len(used_up))

    # --- the engine ---------------------------------------------------------------------------------------

    def _engine_ready(self, interrupted: int, notices: list[str]) -> None:
        console = self._console
        console.data_changed.emit()
        console.refresh_models()
        sentences = self._start_sentences = list(notices)
        if interrupted:
            questions = counted(interrupted, "question was", "questions were")
            sentences.append(f"{questions} interrupted when the program ended; the trace is kept.")
        if sentences:
            kind = Notice.CHECK if notices else Notice.INFO
            self.toasts.show_notice("  ".join(sentences), kind, topic="start", everywhere=True)
        rows = list_collections(console.database)
        if not rows and not read_overview(console.database, 0).trace_count:
            console.run(operations.check_starters, self._starters_checked)
        else:
            console.run(operations.start_up, self._started_up)

    def _started_up(self, notices: list[str]) -> None:
        if notices:
            sentences = "  ".join([*self._start_sentences, *notices])
            self.toasts.show_notice(sentences, Notice.BAD, topic="start", everywhere=True)
        self._console.data_changed.emit()

    def _starters_checked(self, problems: list[str]) -> None:
        if problems:
            self._console.notice.emit("  ".join(problems), Notice.BAD)
        self.help.steps.open_steps()
        self.ingests.start_sample()

    def _engine_restarted(self, sentence: str) -> None:
        self.toasts.show_notice(sentence, Notice.BAD, everywhere=True)
        self.status_bar.show_model(None)

    # --- drops, sizes, the end ----------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that may be copied, and say where they will go."""
        if _local_paths(event.mimeData()) and event.possibleActions() & Qt.DropAction.CopyAction:
            # Never a move, even if that is what is proposed: the source might delete its files afterwards.
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.overlay.show_text(f"Drop to add to “{self.pages.target_collection}”")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Show the page again."""
        self.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add the files to the collection that was named while they were dragged."""
        self.overlay.hide()
        paths = _local_paths(event.mimeData())
        if paths and event.possibleActions() & Qt.DropAction.CopyAction:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.ingests.add_paths(paths, self.pages.target_collection)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the overlay as large as the window, and the rail as wide as there is room for."""
        super().resizeEvent(event)
        self.overlay.setGeometry(self.rect())
        self.rail.fit(self.width())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember size and page, and stop the engine."""
        state = QSettings()
        # Not saveGeometry: restored on another screen it made a maximised window smaller than its least size.
        state.setValue("window/place", self.normalGeometry())
        state.setValue("window/maximized", self.isMaximized())
        state.setValue("window/page", self.current_page or self._first_page)
        self.status_bar.stop()
        self.checks.stop()
        self.finder.stop()
        self._console.engine.stop()
        super().closeEvent(event)


def _local_paths(data: QMimeData) -> list[str]:
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
