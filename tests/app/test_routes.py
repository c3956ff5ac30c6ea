"""The pages and the ways between them: every signal of a page leads somewhere, and where it should."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from data_folders import insert
from fakes import drive
from PySide6.QtCore import Signal
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.routes import OPENERS, ROUTES, TITLES, Pages, Route
from app.shared.links import page_of
from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.evaluation.pipelines import present_pipeline, store_pipeline
from rag.evaluation.rows import list_cases
from rag.evaluation.sets import case_of_trace
from rag.finding.rows import Kind, Place
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import IngestReport
from rag.monitoring.rows import list_alerts
from rag.prompts.registry import save_prompt
from rag.review.queues import fill_queue
from rag.review.rows import ReviewSource
from rag.sample.rows import SAMPLE_COLLECTION
from rag.workspace import Workspace

QUESTION = "How long does rye bread rest?"
PROMPT = "{{ passages }}\n{{ question }}"


@pytest.fixture
def pages(qtbot: QtBot, console: Console) -> Pages:
    made = Pages(console)
    qtbot.addWidget(made)
    return made


@pytest.fixture
def answered(open_workspace: Workspace, documents: Path) -> str:
    """A collection "Bread" with a question that was answered; gives the trace's id."""
    drive(ingest_files(open_workspace, "Bread", [str(documents)]))
    open_workspace.language_model()
    result: Any = drive(answer_question(open_workspace, Question(QUESTION, "Bread")))
    return str(result.trace_id)


def name_of(route: Route[Any]) -> str:
    """Return the name of a route's signal, by handing it something whose attributes are their names."""

    class Names:
        def __getattr__(self, name: str) -> str:
            return name

    return str(route.signal(Names()))


def test_every_signal_of_a_page_has_one_route() -> None:
    pages = {route.page for route in ROUTES}
    routed = sorted((route.page.__name__, name_of(route)) for route in ROUTES)
    declared = sorted(
        (page.__name__, name)
        for page in pages
        for name, value in vars(page).items()
        if isinstance(value, Signal)
    )
    assert routed == declared


def test_pages_without_a_route_have_no_signal(pages: Pages) -> None:
    for key in TITLES:
        page = getattr(pages, key)
        if not any(isinstance(page, route.page) for route in ROUTES):
            assert not [name for name, value in vars(type(page)).items() if isinstance(value, Signal)], key


def test_a_page_is_made_once_and_shown_when_it_is_asked_for(qtbot: QtBot, pages: Pages) -> None:
    assert pages.current == ""
    assert pages.count() == 0
    with qtbot.waitSignal(pages.page_shown) as caught:
        pages.show_page("prompts")
    assert caught.args == ["prompts"]
    assert pages.page_at(pages.currentIndex()) is pages.prompts
    assert pages.current == "prompts"
    pages.show_page("prompts")
    assert pages.count() == 1
    assert [key for key in TITLES if pages.is_made(key)] == ["prompts"]


def test_a_trace_is_opened_from_everywhere(pages: Pages, answered: str, settle: Callable[[], None]) -> None:
    for key in ("overview", "ask", "collections", "monitors", "evaluation", "review"):
        pages.show_page(key)
        getattr(pages, key).trace_requested.emit(answered)
        assert pages.current == "traces", key
        assert pages.traces.view.question.text() == QUESTION
    settle()


def test_overview_leads_to_pages_flags_and_alerts(
    pages: Pages, answered: str, settle: Callable[[], None]
) -> None:
    overview = pages.overview
    overview.page_requested.emit("chroma")
    assert pages.current == "chroma"
    overview.flagged_requested.emit()
    assert pages.current == "traces"
    assert pages.traces.verdict_box.currentData() == "flagged"
    overview.alerts_requested.emit()
    assert pages.current == "monitors"
    assert pages.monitors.tabs.currentWidget() is pages.monitors.alerts
    settle()


def test_silent_failures_are_listed(pages: Pages, answered: str) -> None:
    pages.open_silent()
    assert pages.current == "traces"
    assert pages.traces.silent_box.currentData() == "any"


def test_a_point_of_a_monitor_leads_to_its_questions(
    pages: Pages, answered: str, settle: Callable[[], None]
) -> None:
    pages.show_page("monitors")
    pages.monitors.traces_requested.emit((0, 10), "Bread")
    assert pages.current == "traces"
    assert pages.traces.table.records_model.rowCount() == 0
    assert pages.traces.collection_box.currentData() == "Bread"
    pages.monitors.traces_requested.emit((0, 2**45), "Bread")
    assert pages.traces.table.records_model.rowCount() == 1
    settle()


def test_a_collection_or_a_version_is_asked(pages: Pages, answered: str, settle: Callable[[], None]) -> None:
    pages.collections.ask_requested.emit("Bread", None)
    assert pages.current == "ask"
    assert pages.ask.collection_name == "Bread"
    pages.versions.ask_requested.emit("Bread", 1)
    assert pages.current == "ask"
    pages.show_page("traces")
    pages.traces.ask_requested.emit()
    assert pages.current == "ask"
    pages.show_page("monitors")
    pages.monitors.ask_requested.emit()
    assert pages.current == "ask"
    settle()


def test_versions_and_rollouts_are_opened(pages: Pages, answered: str, settle: Callable[[], None]) -> None:
    pages.collections.versions_requested.emit("Bread")
    assert pages.current == "versions"
    pages.show_page("overview")
    pages.chroma.versions_requested.emit("Bread")
    assert pages.current == "versions"
    pages.ask.rollout_requested.emit(0)
    assert pages.current == "review"
    assert pages.review.tabs.currentWidget() is pages.review.rollouts
    settle()


@pytest.mark.parametrize(("key", "given"), [("overview", ""), ("ask", ""), ("collections", "Bread")])
def test_documents_are_wanted_from_three_pages(pages: Pages, key: str, given: str) -> None:
    wanted = QSignalSpy(pages.files_wanted)
    if key == "collections":
        pages.collections.files_wanted.emit(given)
    else:
        getattr(pages, key).documents_wanted.emit()
    assert [wanted.at(number)[0] for number in range(wanted.count())] == [given]


def test_a_folder_and_a_question_are_handed_on(pages: Pages) -> None:
    folder, asked = QSignalSpy(pages.folder_wanted), QSignalSpy(pages.asked)
    pages.collections.folder_wanted.emit("Bread")
    task = SimpleNamespace(title="Ask")
    pages.ask.asked.emit(task)
    assert folder.at(0)[0] == "Bread"
    assert asked.at(0)[0] is task


def test_models_are_added_on_their_page(pages: Pages, tmp_path: Path, settle: Callable[[], None]) -> None:
    file = tmp_path / "fake.gguf"
    file.write_bytes(b"not a model")
    pages.add_models([str(file)])
    assert pages.current == "models"
    settle()
    notices = pages._console.notices  # type: ignore[attr-defined]
    assert any("not a GGUF file" in sentence for sentence, _ in notices)


def test_drops_go_to_the_collection_in_view_but_never_into_the_sample(
    pages: Pages, open_workspace: Workspace, documents: Path
) -> None:
    assert pages.target_collection == "Documents"
    for name in ("Bread", SAMPLE_COLLECTION):
        drive(ingest_files(open_workspace, name, [str(documents)]))
    pages.show_page("collections")
    pages.collections.refresh()
    pages.collections.choose("Bread")
    assert pages.target_collection == "Bread"
    pages.collections.choose(SAMPLE_COLLECTION)
    assert pages.target_collection == "Documents"
    pages.show_page("ask")
    pages.ask.choose_collection("Bread")
    pages.show_page("traces")
    assert pages.target_collection == "Bread"  # the one that was asked last
    pages.ask.choose_collection(SAMPLE_COLLECTION)
    assert pages.target_collection == "Documents"


def test_a_report_is_shown_and_its_collection_is_the_one_to_ask(
    pages: Pages, open_workspace: Workspace, documents: Path
) -> None:
    (documents / "broken.docx").write_bytes(b"PK not really")
    report: IngestReport = drive(ingest_files(open_workspace, "Bread", [str(documents)]))
    pages.show_report(report)
    assert pages.collections.current is not None
    assert pages.collections.current.name == "Bread"
    assert pages.collections.report.table.records_model.rowCount() == 4
    assert pages.ask.collection_name == "Bread"
    sentence, kind = pages._console.notices[-1]  # type: ignore[attr-defined]
    assert "3 added, 1 failed" in sentence
    assert kind == "bad"


# --- places -----------------------------------------------------------------------------------------------


@pytest.fixture
def objects(open_workspace: Workspace, answered: str, documents: Path) -> dict[Kind, Place]:
    """A place of every kind that is there to be opened."""
    drive(ingest_files(open_workspace, "Other", [str(documents)]))
    source = open_workspace.database.cells("SELECT source FROM document ORDER BY id DESC")[0][0]
    session = open_workspace.database.cells("SELECT session_id FROM trace")[0][0]
    insert(open_workspace, "asksession", id=session, name="", collection="Bread", asked_ms=1)
    for system in ("Be brief.", "Be very brief."):
        save_prompt(open_workspace.store, "short", system, PROMPT)
    store_pipeline(open_workspace, "small", present_pipeline(open_workspace, "Bread"))
    case_of_trace(open_workspace, "Night", answered)
    key = json.loads(list_cases(open_workspace.database, "Night")[0])["key"]
    insert(
        open_workspace, "evaluationrun", id=7, name="night", set_name="Night", pipeline="small", status="done",
        tags="[]", kind="answer", config="{}", libraries="{}", sampling="{}",
    )  # fmt: skip
    fill_queue(open_workspace, "Doubtful", {ReviewSource.RANDOM: 1})
    return {
        place.kind: place
        for place in (
            Place(Kind.PAGE, "costs"), Place(Kind.COLLECTION, "Other"), Place(Kind.DOCUMENT, source, "Other"),
            Place(Kind.VERSION, "1", "Other"), Place(Kind.SESSION, session), Place(Kind.TRACE, answered),
            Place(Kind.PROMPT, "short"),
            Place(Kind.PROMPT_VERSION, "1", "short"), Place(Kind.SET, "Night"), Place(Kind.CASE, key, "Night"),
            Place(Kind.RUN, "7"), Place(Kind.PIPELINE, "small"), Place(Kind.PIPELINE_VERSION, "1", "small"),
            Place(Kind.QUEUE, "Doubtful"), Place(Kind.ALERT, list_alerts(open_workspace.database)[0].name),
            Place(Kind.SETTING, "retrieval.rrf_k"),
        )
    }  # fmt: skip


def test_every_object_is_opened_and_is_what_the_page_shows(
    pages: Pages, console: Console, objects: dict[Kind, Place], settle: Callable[[], None]
) -> None:
    itself = set(objects) - {Kind.CASE, Kind.ALERT, Kind.SETTING, Kind.PROMPT, Kind.PIPELINE}
    for kind, place in objects.items():
        console.place_requested.emit(place)
        assert pages.current == page_of(place)
        if kind is Kind.COLLECTION:  # its first document is shown with it
            assert pages.visit.place.within == place.key
        elif kind in itself:
            assert pages.visit.place == place
    assert [sentence for sentence, kind in console.notices if kind == "bad"] == []  # type: ignore[attr-defined]
    console.place_requested.emit(objects[Kind.CASE])
    (case,) = pages.evaluation.sets.cases.selected_records()
    assert case["question"] == QUESTION
    console.place_requested.emit(objects[Kind.ALERT])
    assert [rule.name for rule in pages.monitors.alerts.table.selected_records()] == [objects[Kind.ALERT].key]
    assert pages.prompts.prompt is not None
    assert pages.prompts.prompt.name == "short"
    settle()


def test_what_is_gone_is_said_and_its_page_is_shown(
    pages: Pages, console: Console, answered: str, settle: Callable[[], None]
) -> None:
    for kind in OPENERS:
        console.notices.clear()  # type: ignore[attr-defined]
        place = Place(kind, "12345", "Bread")
        console.place_requested.emit(place)
        assert pages.current == page_of(place)
        ((sentence, shown_as),) = console.notices  # type: ignore[attr-defined]
        assert shown_as == "bad", kind
        assert "12345" in sentence
    assert sentence == "Model “12345” is not here any more."
    settle()


def test_back_and_forward_bring_pages_and_objects_back(
    pages: Pages, console: Console, objects: dict[Kind, Place], settle: Callable[[], None]
) -> None:
    pages.go_back()  # nothing is shown yet
    document, version, run = objects[Kind.DOCUMENT], objects[Kind.VERSION], objects[Kind.RUN]
    pages.show_page("overview")
    for place in (document, version, run):
        pages.open_place(place)
    assert pages.history.back_title == "Versions: version 1 of “Other”"
    pages.go_back()
    assert pages.visit.place == version
    pages.versions.choose("Bread")  # looked at something else there
    pages.go_back()
    assert pages.visit.place == document
    pages.go_forward()
    assert pages.visit.place == Place(Kind.VERSION, "1", "Bread")
    pages.go_forward()
    assert (pages.current, pages.visit.place) == ("evaluation", run)
    for _ in range(3):
        pages.go_back()
    assert pages.current == "overview"
    assert pages.history.back_title == ""
    pages.go_back()
    assert pages.current == "overview"
    settle()


def test_what_is_compared_stays_when_somebody_comes_back_to_it(
    pages: Pages, open_workspace: Workspace, objects: dict[Kind, Place], settle: Callable[[], None]
) -> None:
    pages.open_place(objects[Kind.PROMPT_VERSION])
    pages.prompts.versions.selectAll()
    pages.show_page("costs")
    pages.go_back()
    assert len(pages.prompts.versions.selected_records()) == 2
    settle()


def test_the_palette_offers_what_the_page_and_the_command_line_can_do(
    pages: Pages, objects: dict[Kind, Place], settle: Callable[[], None]
) -> None:
    pages.open_place(objects[Kind.DOCUMENT])
    commands = {command.title: command for command in pages.commands()}
    assert commands["Remove from the collection"].group == "On this page: Collections – Other"
    assert "Copy as command line: erase it for good" in commands
    assert commands["RRF k"].group == "Settings"
    pages.collections.search.query.setText("rye")
    assert [call.command for call in pages.calls()][-1] == ("search",)
    pages.show_page("ask")
    assert pages.calls() == []
    pages.ask.question.setPlainText("How long?")
    assert [call.command for call in pages.calls()] == [("ask",), ("search",)]
    settle()
