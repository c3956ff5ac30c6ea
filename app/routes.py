"""The window's pages, made when they are first needed, and the ways between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QWidget

from app.console import Console, Notice, Offer
from app.ingest_controller import DEFAULT_COLLECTION
from app.pages.ask.page import AskPage
from app.pages.chroma import ChromaConsolePage
from app.pages.collections.page import CollectionsPage
from app.pages.costs import CostsPage
from app.pages.evaluation.page import EvaluationPage
from app.pages.models.page import ModelsPage
from app.pages.monitors.page import MonitorsPage
from app.pages.overview import OverviewPage
from app.pages.prompts import PromptsPage
from app.pages.review.page import ReviewPage
from app.pages.settings.page import SettingsPage
from app.pages.traces.page import TracesPage
from app.pages.versions.page import VersionsPage
from app.widgets.layout import guard_wheel, scrolled
from app.widgets.navigation import RailPage
from rag.knowledge.rows import FileStatus, IngestReport
from rag.sample.rows import SAMPLE_COLLECTION

# In the order of the rail. The key is the name of the page's attribute of Pages. Keys that were learnt stay
# with their page: a new page gets new ones, wherever it stands. Ctrl+0 fits a drawn page into its width.
PAGES = (
    RailPage("ask", "Ask", "ask", "Ctrl+2"),
    RailPage("collections", "Collections", "collections", "Ctrl+3", "Knowledge"),
    RailPage("versions", "Versions", "versions", "Ctrl+4", "Knowledge"),
    RailPage("chroma", "Chroma", "chroma", "Ctrl+Alt+2", "Knowledge"),
    RailPage("overview", "Overview", "overview", "Ctrl+1", "Observe"),
    RailPage("traces", "Traces", "traces", "Ctrl+5", "Observe"),
    RailPage("monitors", "Monitors", "monitors", "Ctrl+6", "Observe"),
    RailPage("costs", "Costs", "costs", "Ctrl+Alt+4", "Observe"),
    RailPage("prompts", "Prompts", "prompts", "Ctrl+7", "Improve"),
    RailPage("evaluation", "Evaluation", "evaluation", "Ctrl+8", "Improve"),
    RailPage("review", "Review", "review", "Ctrl+9", "Improve"),
    RailPage("models", "Models", "models", "Ctrl+Alt+1", "Control"),
    RailPage("settings", "Settings", "settings", "Ctrl+Alt+3", pinned=True),
)
TITLES = {page.key: page.title for page in PAGES}

P = TypeVar("P", bound=QWidget)


class PageStack(QStackedWidget):
    """The pages, each made when it is first needed, so that the window appears at once."""

    title_changed = Signal()  # another collection is in view on the page that is shown
    files_wanted = Signal(str)  # collection to add files to; empty: ask for a name
    folder_wanted = Signal(str)
    collections_made = Signal(object)  # the page Collections, whose panel shows imports

    def __init__(self, console: Console) -> None:
        """Make no page yet."""
        super().__init__()
        self._console = console

    @cached_property
    def overview(self) -> OverviewPage:
        """The page Overview."""
        return self._add(OverviewPage(self._console))

    @cached_property
    def ask(self) -> AskPage:
        """The page Ask."""
        return self._add(AskPage(self._console))

    @cached_property
    def collections(self) -> CollectionsPage:
        """The page Collections."""
        page = self._add(CollectionsPage(self._console))
        self.collections_made.emit(page)
        return page

    @cached_property
    def versions(self) -> VersionsPage:
        """The page Versions."""
        return self._add(VersionsPage(self._console))

    @cached_property
    def traces(self) -> TracesPage:
        """The page Traces."""
        return self._add(TracesPage(self._console))

    @cached_property
    def monitors(self) -> MonitorsPage:
        """The page Monitors."""
        return self._add(MonitorsPage(self._console))

    @cached_property
    def costs(self) -> CostsPage:
        """The page Costs."""
        return self._add(CostsPage(self._console))

    @cached_property
    def prompts(self) -> PromptsPage:
        """The page Prompts."""
        return self._add(PromptsPage(self._console))

    @cached_property
    def evaluation(self) -> EvaluationPage:
        """The page Evaluation."""
        return self._add(EvaluationPage(self._console))

    @cached_property
    def review(self) -> ReviewPage:
        """The page Review."""
        return self._add(ReviewPage(self._console))

    @cached_property
    def models(self) -> ModelsPage:
        """The page Models."""
        return self._add(ModelsPage(self._console))

    @cached_property
    def chroma(self) -> ChromaConsolePage:
        """The page Chroma."""
        return self._add(ChromaConsolePage(self._console))

    @cached_property
    def settings(self) -> SettingsPage:
        """The page Settings."""
        return self._add(SettingsPage(self._console))

    def is_made(self, key: str) -> bool:
        """Return whether the page with this key was needed so far."""
        return key in self.__dict__

    def _add(self, page: P) -> P:
        """Add a page, which scrolls where the window is smaller than it can be."""
        guard_wheel(page)
        self.addWidget(scrolled(page, sideways=True))
        for route in ROUTES:
            if isinstance(page, route.page):
                route.signal(page).connect(partial(route.go, self))
        if isinstance(page, AskPage):
            page.collection_box.currentIndexChanged.connect(lambda _index: self.title_changed.emit())
        return page


class Pages(PageStack):
    """The pages, one of which is shown, and the ways between them.

    A page knows no other page: it emits signals named after what happened, and ROUTES says what follows.
    """

    page_shown = Signal(str)  # its key
    asked = Signal(object)  # the Task of a question

    def __init__(self, console: Console) -> None:
        """Show no page yet."""
        super().__init__(console)
        self._current = ""

    @property
    def current(self) -> str:
        """The key of the page that is shown, empty before the first one is."""
        return self._current

    @property
    def title(self) -> str:
        """The name of the page that is shown, and the collection that it is about, if it is about one."""
        page = self.__dict__.get(self._current)
        subject = str(getattr(page, "collection_name", "") or "")
        return " – ".join(part for part in (TITLES.get(self._current, ""), subject) if part)

    def show_page(self, key: str) -> None:
        """Show the page with this key."""
        if key not in TITLES:
            raise KeyError(key)
        page: QWidget = getattr(self, key)
        self._current = key
        self.setCurrentIndex(next(n for n in range(self.count()) if self.page_at(n) is page))
        self.page_shown.emit(key)

    def page_at(self, number: int) -> QWidget:
        """Return the page with this number, in the order in which they were made."""
        area = self.widget(number)
        assert isinstance(area, QScrollArea)
        page = area.widget()
        assert page is not None
        return page

    def open_trace(self, trace_id: str) -> None:
        """Show a trace."""
        self.show_page("traces")
        self.traces.open_trace(trace_id)

    def open_flagged(self) -> None:
        """List the traces whose answers are flagged."""
        self.show_page("traces")
        self.traces.show_only(verdict="flagged")

    def open_silent(self) -> None:
        """List the traces that failed silently."""
        self.show_page("traces")
        self.traces.show_only(silent="any")

    def open_questions_between(self, between_ms: tuple[int, int], collection: str) -> None:
        """List the traces between two moments, in Unix milliseconds, of one collection or (empty) all."""
        self.show_page("traces")
        self.traces.show_between(*between_ms, collection)

    def open_versions(self, collection: str) -> None:
        """Show the versions of a collection."""
        self.show_page("versions")
        self.versions.choose(collection)

    def open_rollout(self, rollout_id: int) -> None:
        """Show a roll-out's results; 0 is the list of all."""
        self.show_page("review")
        self.review.show_rollout(rollout_id)

    def open_alerts(self) -> None:
        """Show the alert rules and which of them fire."""
        self.show_page("monitors")
        self.monitors.show_alerts()

    def ask_collection(self, name: str, version: int | None) -> None:
        """Go to Ask with a collection, and a version of it unless it is the active one."""
        self.show_page("ask")
        self.ask.choose_collection(name, version)
        self.ask.focus_question()

    def add_models(self, paths: list[str]) -> None:
        """Add GGUF files to the list of models, and show it."""
        self.show_page("models")
        self.models.add_files(paths)

    # --- imports ------------------------------------------------------------------------------------------

    @property
    def target_collection(self) -> str:
        """Where dropped files go: the collection in view, else the one asked last, never the sample."""
        name = ""
        if self.current == "collections":
            chosen = self.collections.current
            name = chosen.name if chosen else ""
        elif self.is_made("ask"):
            name = self.ask.collection_name
        return name if name and name != SAMPLE_COLLECTION else DEFAULT_COLLECTION

    def show_report(self, report: IngestReport) -> None:
        """Show what became of each file, and make the collection the one that is asked."""
        self.collections.refresh()
        self.collections.choose(report.collection)
        self.collections.show_report(report)
        kind = Notice.BAD if report.count(FileStatus.FAILED) else Notice.INFO
        if self.current == "collections":
            self._console.notice.emit(report.sentence(), kind)
        else:
            show = partial(self._show_collection, report.collection)
            self._console.offer.emit(Offer(report.sentence(), "Show", show, kind=kind))
        if not self.is_made("ask") or not self.ask.collection_name:
            self.ask.refresh()
        self.ask.choose_collection(report.collection)

    def _show_collection(self, name: str) -> None:
        self.show_page("collections")
        self.collections.choose(name)

    def show_folders(self) -> None:
        """Show when the watched folders were looked at last, where that is in view."""
        if self.current == "collections":
            self.collections.watch.refresh()


@dataclass(frozen=True)
class Route(Generic[P]):
    """What follows when a page emits a signal."""

    page: type[P]
    signal: Callable[[P], SignalInstance]
    go: Callable[..., object]  # called with the Pages and with what the signal carries


ROUTES: tuple[Route[Any], ...] = (
    Route(OverviewPage, lambda page: page.page_requested, Pages.show_page),
    Route(OverviewPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(OverviewPage, lambda page: page.flagged_requested, Pages.open_flagged),
    Route(OverviewPage, lambda page: page.alerts_requested, Pages.open_alerts),
    Route(OverviewPage, lambda page: page.documents_wanted, lambda pages: pages.files_wanted.emit("")),
    Route(CostsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(CostsPage, lambda page: page.question_wanted, lambda pages: pages.show_page("ask")),
    Route(AskPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(AskPage, lambda page: page.documents_wanted, lambda pages: pages.files_wanted.emit("")),
    Route(AskPage, lambda page: page.rollout_requested, Pages.open_rollout),
    Route(AskPage, lambda page: page.asked, lambda pages, task: pages.asked.emit(task)),
    Route(CollectionsPage, lambda page: page.files_wanted, lambda pages, name: pages.files_wanted.emit(name)),
    Route(
        CollectionsPage, lambda page: page.folder_wanted, lambda pages, name: pages.folder_wanted.emit(name)
    ),
    Route(CollectionsPage, lambda page: page.ask_requested, Pages.ask_collection),
    Route(CollectionsPage, lambda page: page.versions_requested, Pages.open_versions),
    Route(CollectionsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(CollectionsPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(VersionsPage, lambda page: page.ask_requested, Pages.ask_collection),
    Route(VersionsPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(TracesPage, lambda page: page.ask_requested, lambda pages: pages.show_page("ask")),
    Route(TracesPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(MonitorsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(MonitorsPage, lambda page: page.traces_requested, Pages.open_questions_between),
    Route(MonitorsPage, lambda page: page.ask_requested, lambda pages: pages.show_page("ask")),
    Route(EvaluationPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(ReviewPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(ChromaConsolePage, lambda page: page.versions_requested, Pages.open_versions),
)
