"""The window: navigation, drops, status bar, and the wiring between pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.pages.ask.page import AskPage
from app.pages.chroma import ChromaConsolePage
from app.pages.collections.page import CollectionsPage
from app.pages.evaluation.page import EvaluationPage
from app.pages.models import ModelsPage
from app.pages.monitors.page import MonitorsPage
from app.pages.overview import OverviewPage
from app.pages.prompts import PromptsPage
from app.pages.review.page import ReviewPage
from app.pages.settings.page import SettingsPage
from app.pages.traces.page import TracesPage
from app.pages.versions.page import VersionsPage
from app.widgets.error_dialog import show_error
from app.widgets.navigation import Banner, DropOverlay, NavigationRail, page_shortcut
from app.widgets.palette import Command, CommandPalette, ShortcutsDialog
from rag import operations
from rag.asking.rows import AskResult, PromptProgress, TokenStreamed, get_trace, read_overview
from rag.knowledge.rows import IngestReport, list_collections, list_watched_folders
from rag.models.rows import free_memory_bytes
from rag.monitoring.rows import RegressionState, list_alerts
from rag.operations import Lane, Operation
from rag.sample.rows import SAMPLE_COLLECTION
from rag.text.plurals import counted

PAGES = (
    ("overview", "Overview", "overview"),
    ("ask", "Ask", "ask"),
    ("collections", "Collections", "collections"),
    ("versions", "Versions", "versions"),
    ("traces", "Traces", "traces"),
    ("monitors", "Monitors", "monitors"),
    ("prompts", "Prompts", "prompts"),
    ("evaluation", "Evaluation", "evaluation"),
    ("review", "Review", "review"),
    ("models", "Models", "models"),
    ("chroma", "Chroma", "chroma"),
    ("settings", "Settings", "settings"),
)
_CONFIRM_ABOVE = 200  # files
_DEFAULT_COLLECTION = "Documents"
_FIRST_PAGE_MS = 20
_WATCH_MS = 5000
_REGRESSION_MS = 3000  # of quiet after a change, before the regression questions are asked again


class MainWindow(QMainWindow):
    """Pages are made when they are first shown, so that the window appears at once."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._pages: dict[str, QWidget] = {}
        self._ingest: Task | None = None
        self._start_sentences: list[str] = []
        self._makers: dict[str, Callable[[], QWidget]] = {
            "overview": self._make_overview,
            "ask": self._make_ask,
            "collections": self._make_collections,
            "versions": self._make_versions,
            "traces": self._make_traces,
            "monitors": self._make_monitors,
            "prompts": lambda: PromptsPage(console),
            "evaluation": self._make_evaluation,
            "review": self._make_review,
            "models": self._make_models,
            "chroma": self._make_chroma,
            "settings": lambda: SettingsPage(console),
        }
        self.setWindowTitle("Ragdeck")
        self.setWindowIcon(console.theme.icon("ragdeck"))
        self.setAcceptDrops(True)
        self.rail = NavigationRail(console.theme, PAGES)
        self.banner = Banner(console.theme)
        self._stack = QStackedWidget()
        self._lay_out()
        self.overlay = DropOverlay(console.theme, self)
        self._make_status_bar()
        self.commands = self._make_commands()
        self._make_shortcuts()
        self._connect()
        self._restore()

    # --- pages --------------------------------------------------------------------------------------------

    def page(self, key: str) -> Any:
        if key not in self._pages:
            self._pages[key] = self._makers[key]()
            self._stack.addWidget(self._pages[key])
        return self._pages[key]

    def show_page(self, key: str) -> None:
        self._stack.setCurrentWidget(self.page(key))
        self.rail.set_current(key)

    @property
    def current_page(self) -> str:
        return next((key for key, page in self._pages.items() if page is self._stack.currentWidget()), "")

    def _make_overview(self) -> QWidget:
        page = OverviewPage(self._console)
        page.page_requested.connect(self.show_page)
        page.trace_requested.connect(self.open_trace)
        page.flagged_requested.connect(self._open_flagged)
        page.alerts_requested.connect(self._open_alerts)
        page.documents_wanted.connect(lambda: self.choose_files(""))
        return page

    def _make_ask(self) -> QWidget:
        page = AskPage(self._console)
        page.trace_requested.connect(self.open_trace)
        page.documents_wanted.connect(lambda: self.choose_files(""))
        page.rollout_requested.connect(self._open_rollout)
        page.asked.connect(self._follow_ask)
        return page

    def _make_collections(self) -> QWidget:
        page = CollectionsPage(self._console)
        page.files_wanted.connect(self.choose_files)
        page.folder_wanted.connect(self.choose_folder)
        page.ask_requested.connect(self._ask_collection)
        page.versions_requested.connect(self._open_versions)
        page.trace_requested.connect(self.open_trace)
        page.progress.cancel_requested.connect(self.cancel_ingest)
        page.progress.pause_requested.connect(self._pause_ingest)
        return page

    def _make_versions(self) -> QWidget:
        page = VersionsPage(self._console)
        page.ask_requested.connect(self._ask_collection)
        return page

    def _make_traces(self) -> QWidget:
        page = TracesPage(self._console)
        page.ask_requested.connect(lambda: self.show_page("ask"))
        return page

    def _make_evaluation(self) -> QWidget:
        page = EvaluationPage(self._console)
        page.trace_requested.connect(self.open_trace)
        return page

    def _make_monitors(self) -> QWidget:
        page = MonitorsPage(self._console)
        page.trace_requested.connect(self.open_trace)
        page.asks_requested.connect(self._open_asks)
        page.ask_requested.connect(lambda: self.show_page("ask"))
        return page

    def _make_review(self) -> QWidget:
        page = ReviewPage(self._console)
        page.trace_requested.connect(self.open_trace)
        return page

    def _make_chroma(self) -> QWidget:
        page = ChromaConsolePage(self._console)
        page.versions_requested.connect(self._open_versions)
        return page

    def _make_models(self) -> QWidget:
        return ModelsPage(self._console)

    def open_trace(self, trace_id: str) -> None:
        self.show_page("traces")
        self.page("traces").open_trace(trace_id)

    def _open_versions(self, collection: str) -> None:
        self.show_page("versions")
        self.page("versions").choose(collection)

    def _open_rollout(self, rollout_id: int) -> None:
        self.show_page("review")
        self.page("review").show_rollout(rollout_id)

    def _open_flagged(self) -> None:
        self.show_page("traces")
        self.page("traces").show_only(verdict="flagged")

    def _open_silent(self) -> None:
        self.show_page("traces")
        self.page("traces").show_only(silent="any")

    def _open_asks(self, between_ms: tuple[int, int], collection: str) -> None:
        self.show_page("traces")
        self.page("traces").show_between(*between_ms, collection)

    def _open_alerts(self) -> None:
        self.show_page("monitors")
        self.page("monitors").show_alerts()

    def _ask_collection(self, name: str, version: int | None) -> None:
        self.show_page("ask")
        self.page("ask").choose_collection(name, version)
        self.page("ask").focus_question()

    # --- adding documents ---------------------------------------------------------------------------------

    def target_collection(self) -> str:
        """Where dropped files go: the collection in view, else the one asked, never the sample."""
        name = ""
        if self.current_page == "collections":
            current = self.page("collections").current
            name = current.name if current else ""
        elif "ask" in self._pages:
            name = self.page("ask").collection_name
        return name if name and name != SAMPLE_COLLECTION else _DEFAULT_COLLECTION

    def choose_files(self, collection: str) -> None:
        collection = collection or self._ask_for_name()
        if collection:
            paths, _ = QFileDialog.getOpenFileNames(self, f"Add files to “{collection}”")
            self.add_paths(paths, collection)

    def choose_folder(self, collection: str) -> None:
        collection = collection or self._ask_for_name()
        if collection:
            folder = QFileDialog.getExistingDirectory(self, f"Add a folder to “{collection}”")
            self.add_paths([folder] if folder else [], collection)

    def add_paths(self, paths: list[str], collection: str) -> None:
        """Add files and folders; above 200 files only after a yes. GGUF files become models."""
        models = [path for path in paths if path.lower().endswith(".gguf")]
        if models:
            self.show_page("models")
            self.page("models").add_files(models)
        documents = [path for path in paths if path not in models]
        if documents:
            self._console.run(
                operations.count_files,
                lambda counts: self._confirm(documents, collection, counts), paths=documents,
            )  # fmt: skip

    def _ask_for_name(self) -> str:
        name, accepted = QInputDialog.getText(
            self, "Add documents", "Name of the collection", text=_DEFAULT_COLLECTION
        )
        return name.strip() if accepted else ""

    def _confirm(self, paths: list[str], collection: str, counts: tuple[int, int, int]) -> None:
        files, size, refused = counts
        if files <= _CONFIRM_ABOVE:
            self.start_ingest(paths, collection)
            return
        box = QMessageBox(QMessageBox.Icon.Question, "Add documents",
                          f"Add {counted(files, 'file')} ({size / 2**20:,.0f} MB) to “{collection}”? "
                          f"{refused:,} more would be left out.", parent=self)  # fmt: skip
        add = box.addButton("Add", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(lambda clicked: clicked is add and self.start_ingest(paths, collection))
        box.open()

    def start_ingest(self, paths: list[str], collection: str) -> None:
        self._run_ingest(
            operations.ingest_files,
            collection=collection,
            paths=paths,
        )

    def start_sample(self) -> None:
        self._run_ingest(operations.ingest_sample)

    def _run_ingest(self, operation: Operation[IngestReport], **arguments: Any) -> None:
        if self._ingest is not None:
            self._console.notice.emit("Files are being added already; these come next.", "info")
        page: CollectionsPage = self.page("collections")
        self.show_page("collections")
        task = self._console.run(operation, self._ingested, **arguments)
        page.progress.begin(task.title)
        self._ingest = task
        task.event.connect(page.progress.update_progress)
        task.cancelled.connect(
            lambda: self._console.notice.emit(
                "Cancelled. Finished files are kept; adding them again goes on from there.", "info"
            )
        )
        task.ended.connect(lambda: self._ingest_ended(task))

    def _ingested(self, report: IngestReport) -> None:
        page: CollectionsPage = self.page("collections")
        page.refresh()
        page.choose(report.collection)
        page.show_report(report)
        failed = report.count("failed")
        self._console.notice.emit(report.sentence(), "bad" if failed else "info")
        if "ask" not in self._pages or not self.page("ask").collection_name:
            self.page("ask").refresh()
        self.page("ask").choose_collection(report.collection)

    def _ingest_ended(self, task: Task) -> None:
        if self._ingest is task:
            self._ingest = None
            self.page("collections").progress.hide()
        self._console.data_changed.emit()

    def cancel_ingest(self) -> None:
        if self._ingest is not None:
            self._ingest.cancel()

    def _pause_ingest(self, paused: bool) -> None:
        if self._ingest is not None:
            if paused:
                self._ingest.pause()
            else:
                self._ingest.resume()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.overlay.show_text(f"Drop to add to “{self.target_collection()}”")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self.overlay.hide()
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.add_paths(paths, self.target_collection())

    # --- making -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        centre = QWidget()
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        holder = QVBoxLayout()
        holder.setContentsMargins(12, 10, 12, 0)
        holder.addWidget(self.banner)
        column.addLayout(holder)
        column.addWidget(self._stack, 1)
        layout = QHBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.rail)
        layout.addLayout(column, 1)
        self.setCentralWidget(centre)
        self.setMinimumSize(880, 560)

    def _make_status_bar(self) -> None:
        self._status = {name: QLabel() for name in ("task", "model", "speed", "context", "memory")}
        for name, widget in self._status.items():
            widget.setAccessibleName(f"Status: {name}")
            if name == "task":
                self.statusBar().addWidget(widget, 1)
            else:
                self.statusBar().addPermanentWidget(widget)
        self._status["task"].setText("Starting the engine…")
        self._status["model"].setText("No model loaded")
        self.statusBar().setSizeGripEnabled(False)
        self._memory_timer = QTimer(self, interval=3000)
        self._memory_timer.timeout.connect(self._show_memory)
        self._memory_timer.start()
        QTimer.singleShot(500, self._show_memory)
        self._watch_timer = QTimer(self, interval=_WATCH_MS)
        self._watch_timer.timeout.connect(self._check_folders)
        self._watch_timer.start()

        self._regression_timer = QTimer(self, interval=_REGRESSION_MS, singleShot=True)
        self._regression_timer.timeout.connect(self._run_regression_questions)
        self._regression_tried: list[tuple[str, str]] = []

    def status(self, name: str) -> str:
        return self._status[name].text()

    def _make_commands(self) -> list[Command]:
        pages = [
            Command(
                f"Go to {title}",
                partial(self.show_page, key),
                page_shortcut(number),
                "page open",
            )
            for number, (key, title, _) in enumerate(PAGES, 1)
        ]
        return [
            *pages,
            Command("Ask a question", self._go_to_question, "Ctrl+L", "query box"),
            Command("New session", lambda: self.page("ask").new_session(), "Ctrl+N", "clear conversation"),
            Command("Stop the answer", lambda: self.page("ask").stop(), "Esc", "cancel abort"),
            Command("Add files…", lambda: self.choose_files(""), "Ctrl+O", "documents ingest import"),
            Command(
                "Add a folder…", lambda: self.choose_folder(""), "Ctrl+Shift+O", "documents ingest import"
            ),
            Command("Prepare the sample collection", self.start_sample, "", "demo example"),
            Command("Show flagged answers", self._open_flagged, "", "hallucination unsupported"),
            Command("Show silent failures", self._open_silent, "", "empty repeated cut off language"),
            Command("Show alerts", self._open_alerts, "", "monitors rules firing"),
            Command("Back up the data…", self._back_up, "", "save copy export"),
            Command("Light colours", lambda: self._choose_theme("light"), "", "theme appearance"),
            Command("Dark colours", lambda: self._choose_theme("dark"), "", "theme appearance night"),
            Command("Command palette", self.open_palette, "Ctrl+K", ""),
            Command("Keyboard shortcuts", self.show_shortcuts, "F1", "help keys"),
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

    def open_palette(self) -> CommandPalette:
        palette = CommandPalette(self.commands, self)
        palette.popup()
        return palette

    def show_shortcuts(self) -> ShortcutsDialog:
        keys = [(command.shortcut, command.title) for command in self.commands if command.shortcut]
        keys += [
            ("Enter", "Send the question"),
            ("Shift+Enter", "New line in the question"),
            ("Ctrl+C", "Copy the chosen rows of a table"),
        ]
        dialog = ShortcutsDialog(keys, self)
        dialog.open()
        return dialog

    def _connect(self) -> None:
        console = self._console
        self.rail.page_requested.connect(self.show_page)
        console.notice.connect(lambda text, kind: self.banner.show_notice(text, kind))
        console.bug.connect(lambda sentence, details: show_error(self, sentence, details))
        console.settings_changed.connect(lambda: console.theme.apply(console.settings.appearance.theme))
        console.model_state_changed.connect(self._show_model)
        console.engine.ready.connect(self._engine_ready)
        console.engine.refused.connect(self._engine_refused)
        console.engine.restarted.connect(self._engine_restarted)
        console.engine.tasks_changed.connect(self._show_tasks)
        console.data_changed.connect(self._data_changed)
        console.settings_changed.connect(self._regression_timer.start)

    # --- the engine ---------------------------------------------------------------------------------------

    def _engine_ready(self, interrupted: int, notices: list[str]) -> None:
        console = self._console
        console.data_changed.emit()
        console.refresh_models()
        self._show_tasks()
        sentences = self._start_sentences = list(notices)
        if interrupted:
            questions = counted(interrupted, "question was", "questions were")
            sentences.append(f"{questions} interrupted when the program ended; the trace is kept.")
        if sentences:
            console.notice.emit("  ".join(sentences), "check" if notices else "info")
        rows = list_collections(console.database)
        if not rows and not read_overview(console.database, 0).trace_count:
            console.run(operations.check_starters, self._starters_checked)
        else:
            console.run(operations.start_up, self._started_up)

    def _check_folders(self) -> None:
        """Look at followed folders, unless the engine is at work on something anyway."""
        engine = self._console.engine
        if engine.is_ready and not any(task.lane is Lane.INGEST for task in engine.tasks):
            if not any(row.enabled for row in list_watched_folders(self._console.database)):
                return
            self._console.run(
                operations.check_folders,
                self._folders_checked,
            )

    def _folders_checked(self, reports: list[IngestReport]) -> None:
        if reports:
            self._console.data_changed.emit()
        elif self.current_page == "collections":
            self.page("collections").watch.refresh()
        for report in reports:
            self._console.notice.emit(f"A followed folder changed. {report.sentence()}", "info")

    # --- monitors -----------------------------------------------------------------------------------------

    def _data_changed(self) -> None:
        self.rail.set_badge("monitors", len(list_alerts(self._console.database, firing_only=True)))
        self._regression_timer.start()

    def _run_regression_questions(self) -> None:
        """Ask the regression questions again after a change, if the person wants that; never two runs at once."""
        engine = self._console.engine
        if not self._console.settings.monitors.run_regression_after_change or not engine.is_ready:
            return
        if any(task.lane is not Lane.READ for task in engine.tasks):
            self._regression_timer.start()  # the change may still be under way
            return
        self._console.run(
            operations.stale_collections,
            self._run_stale,
        )

    def _run_stale(self, stale: list[tuple[str, str]]) -> None:
        """What failed is not tried again until something else changes."""
        if not stale or stale == self._regression_tried:
            return
        self._regression_tried = stale
        self._console.run(
            operations.run_regression_questions, self._regression_done,
            collections=[name for name, _ in stale],
        )  # fmt: skip

    def _regression_done(self, states: list[RegressionState]) -> None:
        self._regression_tried = []
        changed = [state for state in states if any(row.change for row in state.questions)]
        if changed:
            sentences = "  ".join(f"{state.collection}: {state.sentence()}" for state in changed)
            self._console.notice.emit(f"Regression questions were run again. {sentences}", "bad")
        self._console.data_changed.emit()

    def _started_up(self, notices: list[str]) -> None:
        if notices:
            self._console.notice.emit("  ".join([*self._start_sentences, *notices]), "bad")
        self._console.data_changed.emit()

    def _starters_checked(self, problems: list[str]) -> None:
        if problems:
            self._console.notice.emit("  ".join(problems), "bad")
        self.start_sample()

    def _engine_refused(self, sentence: str) -> None:
        self._status["task"].setText("The engine is not running")
        show_error(self, sentence)

    def _engine_restarted(self, sentence: str) -> None:
        self._console.notice.emit(sentence, "bad")
        self._show_model(None)

    def _show_tasks(self) -> None:
        tasks = [task for task in self._console.engine.tasks if task.lane is not Lane.READ]
        if not self._console.engine.is_ready:
            text = "Starting the engine…"
        elif tasks:
            text = tasks[0].title + (f"   (+{len(tasks) - 1} waiting)" if len(tasks) > 1 else "")
        else:
            text = "Ready"
        self._status["task"].setText(text)

    def _show_model(self, state: Any) -> None:
        self._status["model"].setText(state.name if state is not None and state.name else "No model loaded")
        self._loaded_context = state.context if state is not None else 0

    def _follow_ask(self, task: Task) -> None:
        used = {"tokens": 0}

        def follow(event: Any) -> None:
            if isinstance(event, PromptProgress):
                used["tokens"] = event.tokens_total
            elif isinstance(event, TokenStreamed):
                context = self._console.settings.generation.context
                share = 100 * (used["tokens"] + event.token_count) / context
                self._status["context"].setText(
                    f"Context {used['tokens'] + event.token_count:,} of {context:,} ({share:.0f} %)"
                )

        def finish(result: Any) -> None:
            if not isinstance(result, AskResult):
                return  # both answers of a blind comparison: their speed would tell which is which
            speed = get_trace(self._console.database, result.trace_id).tokens_per_s
            self._status["speed"].setText(f"{speed:.0f} tokens/s" if speed else "")

        task.event.connect(follow)
        task.finished.connect(finish)

    def _show_memory(self) -> None:
        """Memory of the engine process (Linux says it in /proc), and what is free."""
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
        self._status["memory"].setText("   ".join(parts))

    # --- small things -------------------------------------------------------------------------------------

    def _go_to_question(self) -> None:
        self.show_page("ask")
        self.page("ask").focus_question()

    def _back_up(self) -> None:
        self.show_page("settings")
        self.page("settings").data.choose_backup()

    def _choose_theme(self, name: str) -> None:
        self._console.change_settings("appearance", "theme", name)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.overlay.setGeometry(self.rect())

    def _restore(self) -> None:
        state = QSettings()
        geometry = state.value("window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        else:
            self.resize(1280, 800)
        page = str(state.value("window/page") or "overview")
        self._first_page = page if page in self._makers else "overview"
        self.rail.set_current(self._first_page)
        self.setFocus()  # else the first button of the rail has it, and its frame
        # The frame is on the screen before its first page is made.
        QTimer.singleShot(_FIRST_PAGE_MS, lambda: self._stack.count() or self.show_page(self._first_page))

    def closeEvent(self, event: QCloseEvent) -> None:
        state = QSettings()
        state.setValue("window/geometry", self.saveGeometry())
        state.setValue("window/page", self.current_page or self._first_page)
        self._memory_timer.stop()
        self._watch_timer.stop()
        self._regression_timer.stop()
        self._console.engine.stop()
        super().closeEvent(event)
