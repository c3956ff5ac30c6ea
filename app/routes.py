"""The window's pages, made when they are first needed, and the ways between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QWidget

from app.console import Console, Notice, Offer
from app.history import History, Visit
from app.ingest_controller import DEFAULT_COLLECTION
from app.pages.ask.page import AskPage
from app.pages.audit.page import AuditPage
from app.pages.chroma import ChromaConsolePage
from app.pages.collections.page import CollectionsPage
from app.pages.costs.page import CostsPage
from app.pages.evaluation.page import EvaluationPage
from app.pages.guardrails.page import GuardrailsPage
from app.pages.models.page import ModelsPage
from app.pages.monitors.page import MonitorsPage
from app.pages.overview import OverviewPage
from app.pages.prompts import PromptsPage
from app.pages.reports import ReportsPage
from app.pages.review.page import ReviewPage
from app.pages.server import ServerPage
from app.pages.settings.page import SettingsPage
from app.pages.traces.page import TracesPage
from app.pages.versions.page import VersionsPage
from app.search import call_commands, model_commands, page_commands, setting_commands
from app.shared.command_lines import Call, calls_of, question_call, search_call
from app.shared.links import link_tables, page_of
from app.widgets.item_models import RecordTable
from app.widgets.layout import guard_wheel, scrolled
from app.widgets.navigation import RailPage
from app.widgets.palette import Command
from rag.asking.rows import TraceFilter, list_traces
from rag.finding.rows import Kind, Place
from rag.knowledge.rows import FileStatus, IngestReport, list_collections
from rag.sample.rows import FLAGGED_QUESTION, SAMPLE_COLLECTION

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
    RailPage("guardrails", "Guardrails", "guardrails", "Ctrl+Alt+6", "Control"),
    RailPage("server", "Server", "server", "Ctrl+Alt+5", "Control"),
    RailPage("reports", "Reports", "document", "Ctrl+Alt+7", "Control"),
    RailPage("audit", "Audit", "audit", "Ctrl+Alt+8", "Control"),
    RailPage("settings", "Settings", "settings", "Ctrl+Alt+3", pinned=True),
)
TITLES = {page.key: page.title for page in PAGES}

P = TypeVar("P", bound=QWidget)


class PageStack(QStackedWidget):
    """The pages, each made when it is first needed, so that the window appears at once."""

    title_changed = Signal()  # another collection is in view on the page that is shown
    files_wanted = Signal(str)  # collection to add files to; empty: ask for a name
    folder_wanted = Signal(str)
    sample_wanted = Signal()
    guide_wanted = Signal(str)  # the key of a section
    first_steps_wanted = Signal()
    paths_chosen = Signal(list, str)  # files and folders to add to a collection
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
    def guardrails(self) -> GuardrailsPage:
        """The page Guardrails."""
        return self._add(GuardrailsPage(self._console))

    @cached_property
    def chroma(self) -> ChromaConsolePage:
        """The page Chroma."""
        return self._add(ChromaConsolePage(self._console))

    @cached_property
    def reports(self) -> ReportsPage:
        """The page Reports."""
        return self._add(ReportsPage(self._console))

    @cached_property
    def server(self) -> ServerPage:
        """The page Server."""
        return self._add(ServerPage(self._console))

    @cached_property
    def audit(self) -> AuditPage:
        """The page Audit."""
        return self._add(AuditPage(self._console))

    @cached_property
    def settings(self) -> SettingsPage:
        """The page Settings."""
        return self._add(SettingsPage(self._console))

    def is_made(self, key: str) -> bool:
        """Return whether the page with this key was needed so far."""
        return key in self.__dict__

    def key_of(self, page: QWidget) -> str:
        """Return the key of a page that was made."""
        return next((key for key, made in self.__dict__.items() if made is page and key in TITLES), "")

    def _add(self, page: P) -> P:
        """Add a page, which scrolls where the window is smaller than it can be."""
        guard_wheel(page)
        link_tables(page, partial(self.key_of, page), self._console)
        self.addWidget(scrolled(page, sideways=True))
        for route in ROUTES:
            if isinstance(page, route.page):
                route.signal(page).connect(partial(route.go, self))
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
        self.history = History()
        console.place_requested.connect(self.open_place)

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
        """Show the page with this key; the one that was shown before can be gone back to."""
        if key not in TITLES:
            raise KeyError(key)
        if self._current and key != self._current:
            self.history.leave(self.visit)
        self._bring_up(key)

    def commands(self) -> list[Command]:
        """Return what the palette offers here: the actions of the page in view, settings and models."""
        page: QWidget = getattr(self, self._current)
        return [
            *page_commands(page, self.title),
            *call_commands(self.calls(), self._console),
            *setting_commands(self._console, SettingsPage.sections),
            *model_commands(self._console),
        ]

    def calls(self) -> list[Call]:
        """Return what the command line can do with what is in view."""
        calls = calls_of(self.visit.place)
        if self._current == "ask":
            question, name = self.ask.question.toPlainText().strip(), self.ask.collection_name
            if question and name:
                calls += [question_call(question, name), search_call(question, name)]
        elif self._current == "collections":
            query, name = self.collections.search.query.text().strip(), self.collections.collection_name
            if query and name:
                calls.append(search_call(query, name))
        return calls

    # --- places -------------------------------------------------------------------------------------------

    @property
    def visit(self) -> Visit:
        """What is looked at now."""
        found = HERE[self._current](self.__dict__[self._current]) if self._current in HERE else None
        place = found if found and found.key else Place(Kind.PAGE, self._current)
        name = "" if place.kind is Kind.PAGE else place.sentence()
        return Visit(place, ": ".join(part for part in (TITLES.get(self._current, ""), name) if part))

    def open_place(self, place: Place) -> None:
        """Show an object in its page; what was shown before can be gone back to."""
        if self._current and place != self.visit.place:
            self.history.leave(self.visit)
        self._show_place(place)

    def go_back(self) -> None:
        """Show what was shown before the last link was followed."""
        self._follow(self.history.go_back)

    def go_forward(self) -> None:
        """Show what was shown before somebody went back."""
        self._follow(self.history.go_forward)

    def _follow(self, way: Callable[[Visit], Place | None]) -> None:
        place = way(self.visit) if self._current else None
        if place is not None:
            self._show_place(place)

    def _show_place(self, place: Place) -> None:
        self._bring_up(page_of(place))
        if place.kind is not Kind.PAGE and not OPENERS[place.kind](getattr(self, self._current), place):
            name = place.sentence()
            self._console.notice.emit(f"{name[:1].upper()}{name[1:]} is not here any more.", Notice.BAD)

    def _bring_up(self, key: str) -> None:
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
        self.open_place(Place(Kind.TRACE, trace_id))

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

    def make_report(self, pipeline: str) -> None:
        """Go to Reports with a pipeline that the next one is about."""
        self.show_page("reports")
        self.reports.choose(pipeline)

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

    def show_step(self, key: str) -> None:
        """Go to where one of the first steps is done on the sample, which is prepared where it is missing."""
        sample = next(
            (c for c in list_collections(self._console.database) if c.name == SAMPLE_COLLECTION), None
        )
        if sample is None:
            self.sample_wanted.emit()
        elif key == "flag" and list_traces(self._console.database, TraceFilter(verdict="flagged"), 1):
            self.open_flagged()
        elif key in ("ask", "flag"):
            self.ask_collection(SAMPLE_COLLECTION, None)
            if key == "flag":
                self.ask.question.setPlainText(FLAGGED_QUESTION)
        elif key == "back" and sample.version_count > 1:
            self.open_versions(SAMPLE_COLLECTION)
        elif key == "compare":
            self.show_page("evaluation")
        else:
            self.open_collection(SAMPLE_COLLECTION)

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
            show = partial(self.open_collection, report.collection)
            self._console.offer.emit(Offer(report.sentence(), "Show", show, kind=kind))
        if not self.is_made("ask") or not self.ask.collection_name:
            self.ask.refresh()
        self.ask.prefer_collection(report.collection)

    def open_collection(self, name: str) -> None:
        """Show a collection."""
        self.show_page("collections")
        self.collections.choose(name)

    def show_folders(self) -> None:
        """Show when the watched folders were looked at last, where that is in view."""
        if self.current == "collections":
            self.collections.watch.refresh()


# --- objects in their pages -------------------------------------------------------------------------------


def _choose(table: RecordTable, wanted: Callable[[Any], bool]) -> bool:
    """Choose a record unless it is chosen already, perhaps beside others that are compared with it."""
    return any(map(wanted, table.selected_records())) or table.choose(wanted)


def _open_collection(page: CollectionsPage, place: Place) -> bool:
    return _choose(page.table, lambda found: found.name == place.key)


def _open_document(page: CollectionsPage, place: Place) -> bool:
    if not _choose(page.table, lambda found: found.name == place.within):
        return False
    page.tabs.setCurrentWidget(page.documents)
    return page.documents.open_document(place.key, int(place.part or 0))


def _open_version(page: VersionsPage, place: Place) -> bool:
    if page.collection_name != place.within:
        page.choose(place.within)
    found = page.collection_name == place.within
    return found and _choose(page.history.table, lambda version: str(version.number) == place.key)


def _open_session(page: AskPage, place: Place) -> bool:
    page.open_session(place.key)  # which says it itself if there is none
    return True


def _open_trace(page: TracesPage, place: Place) -> bool:
    page.open_trace(place.key)  # which says it itself if there is none
    return True


def _open_prompt(page: PromptsPage, place: Place) -> bool:
    if place.kind is Kind.PROMPT:
        return _choose(page.prompts, lambda prompt: prompt.name == place.key)
    found = _choose(page.prompts, lambda prompt: prompt.name == place.within)
    return found and _choose(page.versions, lambda version: str(version.number) == place.key)


def _open_in_evaluation(page: EvaluationPage, place: Place) -> bool:
    if place.kind is Kind.RUN:
        page.tabs.setCurrentWidget(page.runs)
        return _choose(page.runs.table, lambda run: str(run.id) == place.key)
    if place.kind in (Kind.SET, Kind.CASE):
        page.tabs.setCurrentWidget(page.sets)
        name = place.within if place.kind is Kind.CASE else place.key
        found = _choose(page.sets.sets, lambda made: made.name == name)
        if place.kind is Kind.SET or not found:
            return found
        page.sets.search.clear()
        return _choose(page.sets.cases, lambda case: case["key"] == place.key)
    page.tabs.setCurrentWidget(page.pipelines)
    name = place.within if place.kind is Kind.PIPELINE_VERSION else place.key
    found = _choose(page.pipelines.pipelines, lambda pipeline: pipeline.name == name)
    if place.kind is Kind.PIPELINE or not found:
        return found
    return _choose(page.pipelines.versions, lambda version: str(version.number) == place.key)


def _open_in_review(page: ReviewPage, place: Place) -> bool:
    if place.kind is Kind.ROLLOUT:
        page.tabs.setCurrentWidget(page.rollouts)
        return _choose(page.rollouts.table, lambda found: str(found.id) == place.key)
    page.tabs.setCurrentWidget(page.queue)
    page.queue.queue_box.setCurrentIndex(page.queue.queue_box.findText(place.key))
    return page.queue.queue == place.key


def _open_alert(page: MonitorsPage, place: Place) -> bool:
    page.show_alerts()
    return _choose(page.alerts.table, lambda rule: rule.name == place.key)


def _open_model(page: ModelsPage, place: Place) -> bool:
    return _choose(page.table, lambda model: model.path == place.key)


OPENERS: dict[Kind, Callable[[Any, Place], bool]] = {
    Kind.COLLECTION: _open_collection,
    Kind.DOCUMENT: _open_document,
    Kind.VERSION: _open_version,
    Kind.SESSION: _open_session,
    Kind.TRACE: _open_trace,
    Kind.PROMPT: _open_prompt,
    Kind.PROMPT_VERSION: _open_prompt,
    Kind.SET: _open_in_evaluation,
    Kind.CASE: _open_in_evaluation,
    Kind.RUN: _open_in_evaluation,
    Kind.PIPELINE: _open_in_evaluation,
    Kind.PIPELINE_VERSION: _open_in_evaluation,
    Kind.QUEUE: _open_in_review,
    Kind.ROLLOUT: _open_in_review,
    Kind.ALERT: _open_alert,
    Kind.SETTING: lambda page, place: page.show_setting(place.key),
    Kind.MODEL: _open_model,
}


def _ask_place(page: AskPage) -> Place | None:
    conversation = page.conversation
    return None if conversation.is_empty else Place(Kind.SESSION, conversation.session_id)


def _collections_place(page: CollectionsPage) -> Place:
    documents = page.documents.table.selected_records()
    if documents and page.tabs.currentWidget() is page.documents:
        return Place(Kind.DOCUMENT, documents[0].source, page.collection_name)
    return Place(Kind.COLLECTION, page.collection_name)


def _versions_place(page: VersionsPage) -> Place | None:
    version = page.history.current
    return Place(Kind.VERSION, str(version.number), version.collection) if version else None


def _prompts_place(page: PromptsPage) -> Place | None:
    versions = page.versions.selected_records()
    return Place(Kind.PROMPT_VERSION, str(versions[0].number), versions[0].prompt) if versions else None


def _evaluation_place(page: EvaluationPage) -> Place | None:
    shown = page.tabs.currentWidget()
    if shown is page.runs:
        runs = page.runs.table.selected_records()
        return Place(Kind.RUN, str(runs[0].id)) if runs else None
    if shown is page.sets:
        return Place(Kind.SET, page.sets.current.name) if page.sets.current else None
    pipeline = page.pipelines.current
    return Place(Kind.PIPELINE_VERSION, str(pipeline.number), pipeline.name) if pipeline else None


def _review_place(page: ReviewPage) -> Place | None:
    shown = page.tabs.currentWidget()
    if shown is page.queue:
        return Place(Kind.QUEUE, page.queue.queue)
    rollouts = page.rollouts.table.selected_records() if shown is page.rollouts else []
    return Place(Kind.ROLLOUT, str(rollouts[0].id)) if rollouts else None


# What a page shows now, to come back to; nothing, or a place without a key: the page itself.
HERE: dict[str, Callable[[Any], Place | None]] = {
    "ask": _ask_place,
    "collections": _collections_place,
    "versions": _versions_place,
    "traces": lambda page: Place(Kind.TRACE, page.trace_id),
    "prompts": _prompts_place,
    "evaluation": _evaluation_place,
    "review": _review_place,
    "models": lambda page: page.current and Place(Kind.MODEL, page.current.path),
}


@dataclass(frozen=True)
class Route(Generic[P]):
    """What follows when a page emits a signal."""

    page: type[P]
    signal: Callable[[P], SignalInstance]
    go: Callable[..., object]  # called with the Pages and with what the signal carries


ROUTES: tuple[Route[Any], ...] = (
    Route(EvaluationPage, lambda page: page.report_wanted, Pages.make_report),
    Route(OverviewPage, lambda page: page.page_requested, Pages.show_page),
    Route(OverviewPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(OverviewPage, lambda page: page.flagged_requested, Pages.open_flagged),
    Route(OverviewPage, lambda page: page.alerts_requested, Pages.open_alerts),
    Route(OverviewPage, lambda page: page.documents_wanted, lambda pages: pages.files_wanted.emit("")),
    Route(CostsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(ServerPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(CostsPage, lambda page: page.question_wanted, lambda pages: pages.show_page("ask")),
    Route(GuardrailsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(AuditPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(AskPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(AskPage, lambda page: page.documents_wanted, lambda pages: pages.files_wanted.emit("")),
    Route(AskPage, lambda page: page.rollout_requested, Pages.open_rollout),
    Route(AskPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(AskPage, lambda page: page.asked, lambda pages, task: pages.asked.emit(task)),
    Route(CollectionsPage, lambda page: page.files_wanted, lambda pages, name: pages.files_wanted.emit(name)),
    Route(
        CollectionsPage, lambda page: page.folder_wanted, lambda pages, name: pages.folder_wanted.emit(name)
    ),
    Route(
        CollectionsPage,
        lambda page: page.paths_chosen,
        lambda pages, paths, name: pages.paths_chosen.emit(paths, name),
    ),
    Route(CollectionsPage, lambda page: page.ask_requested, Pages.ask_collection),
    Route(CollectionsPage, lambda page: page.versions_requested, Pages.open_versions),
    Route(CollectionsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(CollectionsPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(VersionsPage, lambda page: page.ask_requested, Pages.ask_collection),
    Route(VersionsPage, lambda page: page.documents_wanted, lambda pages: pages.files_wanted.emit("")),
    Route(VersionsPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(TracesPage, lambda page: page.ask_requested, lambda pages: pages.show_page("ask")),
    Route(TracesPage, lambda page: page.collection_changed, lambda pages: pages.title_changed.emit()),
    Route(MonitorsPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(MonitorsPage, lambda page: page.traces_requested, Pages.open_questions_between),
    Route(MonitorsPage, lambda page: page.ask_requested, lambda pages: pages.show_page("ask")),
    Route(EvaluationPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(ReviewPage, lambda page: page.trace_requested, Pages.open_trace),
    Route(SettingsPage, lambda page: page.guide_wanted, lambda pages: pages.guide_wanted.emit("")),
    Route(SettingsPage, lambda page: page.first_steps_wanted, lambda pages: pages.first_steps_wanted.emit()),
    Route(ChromaConsolePage, lambda page: page.versions_requested, Pages.open_versions),
)
