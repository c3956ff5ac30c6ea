"""What the window does by itself: server, watched folders, regression questions, answer cache, traces."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from app.console import Console, Notice
from rag import operations
from rag.asking.cache.rows import CacheCheckReport, waiting_hits
from rag.interchange.rows import ExportReport, count_unchecked, read_export_queue
from rag.knowledge.rows import IngestReport, list_watched_folders
from rag.models.endpoints.rows import endpoint_named_by
from rag.monitoring.rows import RegressionState
from rag.operations import Lane, Operation

R = TypeVar("R")

_FOLDERS_MS = 5000  # between two looks at the watched folders
_DAILY_MS = 900_000  # between two looks at what is asked once a day
_CACHE_MS = 60_000  # between two comparisons of a cached answer with a fresh one
_RECEIVED_MS = 2000  # between two looks at received answers that are not checked
_EXPORT_MS = 5000  # between two looks at traces that wait for an endpoint
_QUIET_MS = 3000  # without a change, before the regression questions are run again


class BackgroundChecks(QObject):
    """Two timers that start operations nobody clicked for, and the memory of what failed."""

    folders_unchanged = Signal()  # the watched folders were looked at, and nothing was new

    def __init__(
        self,
        console: Console,
        folders_ms: int = _FOLDERS_MS,
        quiet_ms: int = _QUIET_MS,
        daily_ms: int = _DAILY_MS,
        cache_ms: int = _CACHE_MS,
        received_ms: int = _RECEIVED_MS,
        export_ms: int = _EXPORT_MS,
    ) -> None:
        """Begin to look.

        Args:
            console: The console of the window.
            folders_ms: Milliseconds between two looks at the watched folders.
            quiet_ms: Milliseconds without a change before the regression questions are run again.
            daily_ms: Milliseconds between two looks at what is asked once a day.
            cache_ms: Milliseconds between two looks at cached answers that may be compared with fresh ones.
            received_ms: Milliseconds between two looks at received answers that are not checked.
            export_ms: Milliseconds between two looks at traces that wait for an endpoint.
        """
        super().__init__()
        self._console = console
        self._tried: list[tuple[str, str]] = []  # (collection, why its answers are out of date)
        self._folder_timer = QTimer(self, interval=folders_ms)
        self._folder_timer.timeout.connect(self.check_folders)
        self._folder_timer.start()
        self._question_timer = QTimer(self, interval=quiet_ms, singleShot=True)
        self._question_timer.timeout.connect(self.check_questions)
        self._daily_timer = QTimer(self, interval=daily_ms)
        self._daily_timer.timeout.connect(self.check_endpoints)
        self._daily_timer.timeout.connect(self.keep_up)
        self._kept_day: date | None = None  # on which what is due once a day was done
        self._daily_timer.start()
        self._tried_day: date | None = None  # a day's questions that fail are not asked again that day
        self._cache_timer = QTimer(self, interval=cache_ms)
        self._cache_timer.timeout.connect(self.check_cache)
        self._cache_timer.start()
        self._received_timer = QTimer(self, interval=received_ms)
        self._received_timer.timeout.connect(self.check_received)
        self._received_timer.start()
        self._left_unchecked = 0  # received answers that the policy does not choose
        self._export_timer = QTimer(self, interval=export_ms)
        self._export_timer.timeout.connect(self.export_traces)
        self._export_timer.start()
        self._is_exporting = self._export_failed = self._follows = False
        console.settings_changed.connect(self._look_anew)
        self._is_stopped = False
        console.data_changed.connect(self._wait_for_quiet)
        console.settings_changed.connect(self._wait_for_quiet)
        console.engine.ready.connect(self._start_server)

    def pause_folders(self) -> None:
        """Look at folders only when check_folders is called."""
        self._folder_timer.stop()

    def stop(self) -> None:
        """Start nothing any more: the window is closing."""
        self._is_stopped = True
        self._folder_timer.stop()
        self._question_timer.stop()
        self._daily_timer.stop()
        self._cache_timer.stop()
        self._received_timer.stop()
        self._export_timer.stop()

    def _start_server(self) -> None:
        """Serve other programs again, if they were served before."""
        if self._console.settings.server.on and not self._is_stopped:
            self._console.run(operations.start_server)

    # --- watched folders ----------------------------------------------------------------------------------

    def check_folders(self) -> None:
        """Look at the watched folders, unless there are none or something is being imported anyway."""
        engine = self._console.engine
        if not engine.is_ready or any(task.lane is Lane.INGEST for task in engine.tasks):
            return
        if any(row.enabled for row in list_watched_folders(self._console.database)):
            self._console.run(operations.check_folders, self._folders_checked)

    def _folders_checked(self, reports: list[IngestReport]) -> None:
        if not reports:
            self.folders_unchanged.emit()
            return
        self._console.data_changed.emit()
        for report in reports:
            self._console.notice.emit(f"A watched folder changed. {report.sentence()}", Notice.INFO)

    # --- regression questions -----------------------------------------------------------------------------

    def check_questions(self) -> None:
        """Find out whose regression questions are out of date, if they are to be run after a change."""
        engine = self._console.engine
        if not self._console.settings.monitors.run_regression_after_change or not engine.is_ready:
            return
        if any(task.lane is not Lane.READ for task in engine.tasks):
            self._wait_for_quiet()  # the change may still be under way
            return
        self._console.run(operations.stale_collections, self._run_stale)

    def check_endpoints(self) -> None:
        """Find out whose regression questions an endpoint has not answered for a day, once a day."""
        engine, today = self._console.engine, date.today()
        settings = self._console.settings
        if not settings.monitors.ask_endpoints_daily or not endpoint_named_by(settings.models.active):
            return
        if not engine.is_ready or self._tried_day == today:
            return
        if any(task.lane is not Lane.READ for task in engine.tasks):
            return  # the next look comes soon enough
        self._console.run(operations.due_collections, self._run_due)

    def _run_due(self, collections: list[str]) -> None:
        if collections:
            self._tried_day = date.today()
            self._console.run(operations.run_due, self._questions_run, collections=collections)

    def _wait_for_quiet(self) -> None:
        if not self._is_stopped:
            self._question_timer.start()

    def _run_stale(self, stale: list[tuple[str, str]]) -> None:
        """Run the questions of these collections; what failed is not tried again until something changes."""
        if stale and stale != self._tried:
            self._tried = stale
            names = [name for name, _ in stale]
            self._console.run(operations.run_regression_questions, self._questions_run, collections=names)

    def _questions_run(self, states: list[RegressionState]) -> None:
        self._tried = []
        changed = [state for state in states if any(row.change for row in state.questions)]
        if changed:
            sentences = "  ".join(f"{state.collection}: {state.sentence()}" for state in changed)
            self._console.notice.emit(f"The regression questions were run again. {sentences}", Notice.BAD)
        self._console.data_changed.emit()

    # --- retention and the audit log ----------------------------------------------------------------------

    def keep_up(self) -> None:
        """Remove what is too old and write the head of the audit log, once a day."""
        engine, today = self._console.engine, date.today()
        if not engine.is_ready or self._kept_day == today:
            return
        if any(task.lane is not Lane.READ for task in engine.tasks):
            return  # the next look comes soon enough
        self._kept_day = today
        self._console.run(operations.keep_up, self._kept_up)

    def _kept_up(self, notices: list[str]) -> None:
        if notices:
            self._console.notice.emit("  ".join(notices), Notice.INFO)
            self._console.data_changed.emit()

    # --- the answer cache ---------------------------------------------------------------------------------

    def check_cache(self) -> None:
        """Answer one question of the sample afresh, when nothing else is running: a person goes first."""
        engine, share = self._console.engine, self._console.settings.cache.check_share
        if not engine.is_ready or not share or any(task.lane is not Lane.READ for task in engine.tasks):
            return
        if waiting_hits(self._console.database, share):
            self._console.run(operations.check_cache, self._cache_checked, limit=1, share=share)

    def _cache_checked(self, report: CacheCheckReport) -> None:
        if report.false:
            self._console.notice.emit(
                "An answer from the cache was another than a fresh one. Costs, Cache shows both.", Notice.BAD
            )
        self._console.data_changed.emit()

    # --- traces of other applications, and ours to other tools ---------------------------------------------

    def check_received(self) -> None:
        """Check received answers against their own documents while no model is in use: people go first."""
        engine = self._console.engine
        if not engine.is_ready or any(task.lane is Lane.MODEL for task in engine.tasks):
            return
        if self._console.settings.receiving.check == "off":
            return
        if count_unchecked(self._console.database) != self._left_unchecked:
            self._console.run(operations.check_received_answers, self._received_checked)

    def _received_checked(self, count: int) -> None:
        self._left_unchecked = 0 if count else count_unchecked(self._console.database)
        if count:
            self._console.data_changed.emit()

    def export_traces(self) -> None:
        """Look for traces to send, and send those whose time has come; a failure is said once."""
        engine, settings = self._console.engine, self._console.settings.export
        if not engine.is_ready or not settings.endpoint or self._is_exporting or self._export_failed:
            return
        if settings.continuous:
            self._export(operations.follow_traces, lambda _count: self._send_due())
        else:
            self._send_due()

    def _send_due(self) -> None:
        self._is_exporting = False
        state = read_export_queue(self._console.database)
        if state.waiting and (state.next_ms or 0) <= time.time() * 1000:
            self._export(operations.send_waiting, self._exported)

    def _export(self, operation: Operation[R], done: Callable[[R], object]) -> None:
        self._is_exporting = True
        task = self._console.run(operation, done)
        task.failed.connect(self._stop_exporting)

    def _exported(self, _report: ExportReport) -> None:
        self._is_exporting = False

    def _stop_exporting(self, *_: str) -> None:
        self._is_exporting, self._export_failed = False, True

    def _look_anew(self) -> None:
        """Forget what other settings made of it; what is switched off begins anew when it is switched on."""
        self._left_unchecked, self._export_failed = 0, False
        follows = self._console.settings.export.continuous
        if follows != self._follows and self._console.engine.is_ready and not self._is_stopped:
            self._follows = follows
            self._console.run(operations.follow_traces)
