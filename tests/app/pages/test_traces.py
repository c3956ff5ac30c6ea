"""The page Traces: the list with its filters, and one trace with its tabs, cases, regression questions and agreement."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from driving import ask_once, button_of, click, column, notices, rows, texts
from fakes import ScriptedModel, drive
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QInputDialog, QPushButton
from pytestqt.qtbot import QtBot
from sqlmodel import select

from app.console import Console
from app.pages.traces.consistency_panel import ConsistencyPanel
from app.pages.traces.page import TracesPage
from app.pages.traces.trace_view import TraceView
from app.widgets.layout import EmptyState
from rag.asking.rows import TraceDetail, TraceStatus, get_trace
from rag.errors import ModelError
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.evaluation.rows import list_sets
from rag.finding.rows import Kind, Place
from rag.knowledge.ingest import ingest_files
from rag.models.language_model import GenerationEnd, Token
from rag.monitoring.rows import list_alerts
from rag.review.rollouts import start_rollout
from rag.routing import ask as ask_routed
from rag.settings import GenerationSettings
from rag.storage.tables.traces import CascadeStep, Trace
from rag.workspace import Workspace

Settle = Callable[[], None]
BREAD = "How long does rye bread rest?"
TIDE = "How high is the tide at Bremen?"
DAY_MS = 86_400_000


class TurningModel(ScriptedModel):
    """A scripted model that gives several answers in turn, and waits before each as long as its gate is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        self.gate.wait(10)
        if self.turns:
            self.answer = self.turns.pop(0)
        if not self.answer:
            yield Token("", -0.5)
            yield GenerationEnd("stop", 0)
            return
        yield from super().generate(tokens, settings, grammar)


@pytest.fixture
def model() -> TurningModel:
    return TurningModel()


@pytest.fixture
def asked(notes: Path, open_workspace: Workspace, model: TurningModel) -> dict[str, str]:
    """Three traces: a supported answer, one that its sources do not support, and a failed one; their ids by name."""
    good = ask_once(open_workspace, BREAD, "Rye bread needs sourdough and 14 hours of rest [1].")
    bad = ask_once(open_workspace, TIDE, "The tide at Bremen rises 9.5 metres [1].")
    model.error = ModelError("The model file is gone.")
    with pytest.raises(ModelError):
        ask_once(open_workspace, "When do storms come?")
    model.error = None
    with open_workspace.store.session() as session:
        failed = session.exec(select(Trace.id).where(Trace.status == "failed")).one()
    return {"good": good, "bad": bad, "failed": failed}


@pytest.fixture
def page(qtbot: QtBot, console: Console, asked: dict[str, str]) -> TracesPage:
    """The page with the three traces."""
    made = TracesPage(console)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    made.show()
    return made


@pytest.fixture
def view(page: TracesPage) -> TraceView:
    return page.view


def questions(page: TracesPage) -> list[str]:
    return column(page.table, "Question")


def change(workspace: Workspace, trace_id: str, **values: object) -> None:
    """Change columns of a stored trace."""
    with workspace.store.session() as session:
        trace = session.get_one(Trace, trace_id)
        for name, value in values.items():
            setattr(trace, name, value)
        session.add(trace)


# --- the list ---------------------------------------------------------------------------------------------


def test_without_traces_the_page_leads_to_a_question(qtbot: QtBot, console: Console) -> None:
    page = TracesPage(console)
    qtbot.addWidget(page)
    page.show()
    (empty,) = [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert "Every question leaves a trace here" in texts(empty)
    with qtbot.waitSignal(page.ask_requested):
        click(qtbot, empty, "Ask a question")


def test_traces_are_listed_newest_first(page: TracesPage) -> None:
    assert questions(page) == ["When do storms come?", TIDE, BREAD]
    assert column(page.table, "Status") == ["failed", "done", "done"]
    assert column(page.table, "Flags") == ["–", "1 of 1", "none"]
    assert column(page.table, "Tokens")[1].endswith(" + 8")
    assert page.count.text() == "3 traces"
    (empty,) = [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert "No trace chosen" in texts(empty)


def test_words_are_searched_in_question_and_answer(qtbot: QtBot, page: TracesPage) -> None:
    qtbot.keyClicks(page.search, "metres")
    qtbot.waitUntil(lambda: questions(page) == [TIDE])
    page.search.clear()
    qtbot.keyClicks(page.search, "penguins")
    qtbot.waitUntil(lambda: questions(page) == [])
    assert page.table.isVisible() and page.count.text() == "0 traces"  # the filters can be taken back


def test_filters_narrow_the_list(
    page: TracesPage, console: Console, open_workspace: Workspace, notes: Path
) -> None:
    drive(ingest_files(open_workspace, "Atlas", [str(notes / "stars.txt")]))
    ask_once(
        open_workspace, "Which star is brightest?", "Sirius is the brightest star [1].", collection="Atlas"
    )
    console.data_changed.emit()
    page.collection_box.setCurrentIndex(page.collection_box.findData("Atlas"))
    assert questions(page) == ["Which star is brightest?"]
    page.collection_box.setCurrentIndex(0)
    page.verdict_box.setCurrentIndex(page.verdict_box.findData("flagged"))
    assert questions(page) == [TIDE]
    page.verdict_box.setCurrentIndex(0)
    assert page.model_box.count() == 2
    page.model_box.setCurrentIndex(1)
    assert len(questions(page)) >= 3
    page.source_box.setCurrentIndex(page.source_box.findData("evaluation"))
    assert questions(page) == []


def test_silent_failures_are_named_and_filtered(
    page: TracesPage, open_workspace: Workspace, model: TurningModel
) -> None:
    assert page.silent_box.itemData(2, Qt.ItemDataRole.ToolTipRole)
    model.turns = [""]
    empty = ask_once(open_workspace, "And white bread?", "")
    page.show_only(silent="any")
    assert questions(page) == ["And white bread?"]
    assert column(page.table, "Status") == ["empty answer"]
    page.open_trace(empty)
    assert page.view.silent.isVisible() and page.view.silent.text().startswith("Empty answer: ")


def test_times_are_filtered(page: TracesPage, open_workspace: Workspace, asked: dict[str, str]) -> None:
    rows_before = page.table.records_model.records
    change(open_workspace, asked["good"], created_ms=rows_before[-1].created_ms - 3 * DAY_MS)
    page.time_box.setCurrentIndex(page.time_box.findText("Last day"))
    assert questions(page) == ["When do storms come?", TIDE]
    page.time_box.setCurrentIndex(page.time_box.findText("Last 7 days"))
    assert len(questions(page)) == 3
    assert " " in column(page.table, "Time")[-1] and ":" in column(page.table, "Time")[0]


def test_another_page_sets_the_filters(page: TracesPage) -> None:
    page.search.setText("bread")
    page.time_box.setCurrentIndex(1)
    page.show_only(collection="Notes", verdict="flagged")
    assert page.search.text() == "" and page.time_box.currentIndex() == 0
    assert questions(page) == [TIDE]
    page.show_only()
    assert len(questions(page)) == 3


def test_a_stretch_of_time_is_shown_with_both_ends(page: TracesPage) -> None:
    _, middle, first = page.table.records_model.records
    plain = page.time_box.count()
    page.show_between(first.created_ms, middle.created_ms, "Notes")
    assert questions(page) == [TIDE, BREAD]
    assert "–" in page.time_box.currentText()
    page.show_between(middle.created_ms, middle.created_ms)
    assert questions(page) == [TIDE]
    assert page.time_box.count() == plain + 1  # one stretch at a time
    page.show_only()
    assert len(questions(page)) == 3


def test_a_hidden_page_is_read_when_it_is_shown(
    page: TracesPage, console: Console, open_workspace: Workspace
) -> None:
    page.hide()
    ask_once(open_workspace, "Why?")
    console.data_changed.emit()
    assert page.count.text() == "3 traces"
    page.show()
    assert page.count.text() == "4 traces"


# --- one trace --------------------------------------------------------------------------------------------


def test_the_chosen_trace_is_shown(
    qtbot: QtBot, page: TracesPage, view: TraceView, asked: dict[str, str]
) -> None:
    page.table.selectRow(1)
    assert view.question.text() == TIDE
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    assert view.question.text() == BREAD
    assert view.status.text().startswith("done   ·   ") and "Notes version 2" in view.status.text()
    assert view.answer.toPlainText() == "Rye bread needs sourdough and 14 hours of rest [1]."
    assert {bar.name for bar in view.waterfall._bars} >= {"pack"} or view.waterfall._bars
    facts = texts(view._summary)
    assert asked["good"] in facts
    assert " of 4 chunks from " in facts and " completion" in facts
    assert "1 of 1 sentence has its words in the sources" in facts
    assert "first token after" in facts
    settings = texts(view._settings)
    assert "retrieval.top_k" in settings or "retrieval." in settings
    assert "person" in settings and "default" in settings


def test_candidates_say_why_they_are_not_in_the_prompt(
    page: TracesPage, view: TraceView, asked: dict[str, str]
) -> None:
    page.open_trace(asked["good"])
    shown = dict(zip(column(view.hits, "Document"), column(view.hits, "In prompt"), strict=True))
    assert shown["bread.md"] == "[1]"
    assert all(reason for reason in shown.values())
    ranks = column(view.hits, "Dense rank")
    assert ranks[0] == "1"
    assert column(view.hits, "#") == [str(number) for number in range(1, len(ranks) + 1)]


def test_flags_lead_to_their_evidence(page: TracesPage, view: TraceView, asked: dict[str, str]) -> None:
    page.open_trace(asked["bad"])
    view.tabs.setCurrentWidget(view.claims.parentWidget())
    assert column(view.claims, "Sentence") == ["The tide at Bremen rises 9.5 metres [1]."]
    assert not view.claim_panel.isVisible()
    view.claims.selectRow(0)
    assert view.claim_panel.isVisible()
    page.open_trace(asked["good"])
    assert not view.claim_panel.isVisible()


def test_the_prompt_is_shown_as_it_was_sent(page: TracesPage, view: TraceView, asked: dict[str, str]) -> None:
    page.open_trace(asked["good"])
    assert "Rye bread needs sourdough and 14 hours of rest." in view.prompt.toPlainText()
    assert view.prompt.isReadOnly()


def test_a_failed_trace_shows_its_error(page: TracesPage, view: TraceView, asked: dict[str, str]) -> None:
    page.open_trace(asked["failed"])
    assert "The model file is gone." in view.answer.toPlainText()
    assert "The model file is gone." in texts(view._summary)
    assert "not checked" in texts(view._summary)
    assert not view.regression_button.isEnabled()


def test_a_check_that_failed_is_told(
    page: TracesPage, view: TraceView, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    change(open_workspace, asked["good"], check_error="the detector is missing")
    page.open_trace(asked["good"])
    assert "not checked: the detector is missing" in texts(view._summary)


def test_a_trace_that_is_gone_is_told(page: TracesPage, console: Console) -> None:
    page.open_trace("0000-nothing")
    ((sentence, kind),) = notices(console)
    assert "0000-nothing" in sentence and kind == "bad"


def test_a_trace_is_opened_whatever_the_filters_say(
    page: TracesPage, view: TraceView, asked: dict[str, str]
) -> None:
    page.show_only(verdict="flagged")
    page.open_trace(asked["good"])
    assert view.question.text() == BREAD


def test_the_arm_of_a_rollout_is_named(page: TracesPage, view: TraceView, open_workspace: Workspace) -> None:
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}})
    save_pipeline(open_workspace, "short", config)
    row = start_rollout(open_workspace, "canary", collection="Notes", staging="short", share=1.0)
    result = drive(ask_routed(open_workspace, BREAD, "Notes"))
    page.open_trace(result.trace_id)
    assert f"canary {row.id}: staging, “short 1”" in texts(view._summary)


# --- cases and regression questions -----------------------------------------------------------------------


def test_a_trace_becomes_a_case_of_a_set(
    qtbot: QtBot, page: TracesPage, view: TraceView, console: Console, asked: dict[str, str],
    monkeypatch: pytest.MonkeyPatch, settle: Settle,
) -> None:  # fmt: skip
    offered: list[list[str]] = []
    monkeypatch.setattr(
        QInputDialog, "getItem", lambda *given: (offered.append(given[3]), ("  Bread  ", True))[1]
    )
    page.open_trace(asked["good"])
    click(qtbot, view, "Add to an evaluation set…")
    settle()
    assert offered == [["Questions"]]  # a name to begin with
    assert [found.name for found in list_sets(console.database)] == ["Bread"]
    assert notices(console)[-1][1] == "info"
    click(qtbot, view, "Add to an evaluation set…")
    settle()
    assert offered[1] == ["Bread"]


def test_a_case_without_a_set_is_not_made(
    qtbot: QtBot, page: TracesPage, view: TraceView, console: Console, asked: dict[str, str],
    monkeypatch: pytest.MonkeyPatch, settle: Settle,
) -> None:  # fmt: skip
    page.open_trace(asked["good"])
    for answer in (("Bread", False), ("  ", True)):
        monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, answer=answer: answer)
        click(qtbot, view, "Add to an evaluation set…")
    settle()
    assert list_sets(console.database) == [] and notices(console) == []


def test_a_question_becomes_a_regression_question(
    qtbot: QtBot, page: TracesPage, view: TraceView, console: Console, asked: dict[str, str], settle: Settle
) -> None:
    page.open_trace(asked["good"])
    click(qtbot, view.regression_button)
    settle()
    sentence, kind = notices(console)[-1]
    assert "“Notes”" in sentence and kind == "info"
    assert not view.regression_button.isEnabled()
    assert list_alerts(console.database) is not None


def test_feedback_is_given_on_a_trace(
    qtbot: QtBot, page: TracesPage, view: TraceView, asked: dict[str, str], settle: Settle
) -> None:
    page.open_trace(asked["good"])
    click(qtbot, view.feedback.up)
    settle()
    page.open_trace(asked["bad"])
    assert not view.feedback.up.isChecked()
    page.open_trace(asked["good"])
    assert view.feedback.up.isChecked()


# --- agreement --------------------------------------------------------------------------------------------


@pytest.fixture
def panel(page: TracesPage, view: TraceView, asked: dict[str, str]) -> ConsistencyPanel:
    page.open_trace(asked["good"])
    view.tabs.setCurrentWidget(view.consistency)
    view.consistency.count.setValue(3)
    return view.consistency


def test_equal_answers_agree(
    qtbot: QtBot, page: TracesPage, panel: ConsistencyPanel, settle: Settle, asked: dict[str, str]
) -> None:
    assert panel.verdict.text() == "" and rows(panel.table) == []
    click(qtbot, panel, "Ask again")
    settle()
    assert panel.verdict.text().startswith("All 3 answers mean the same. Semantic entropy 0.00 of at most ")
    assert column(panel.table, "Meaning") == ["A", "A", "A"]
    page.open_trace(asked["bad"])
    assert panel.verdict.text() == ""
    page.open_trace(asked["good"])
    assert panel.verdict.text().startswith("All 3 answers")  # kept with the trace


def test_different_answers_are_grouped(
    qtbot: QtBot, panel: ConsistencyPanel, model: TurningModel, settle: Settle
) -> None:
    model.turns = ["Twelve hours.", "Twelve hours.", "Elephants fly over purple Argentina."]
    click(qtbot, panel, "Ask again")
    settle()
    assert panel.verdict.text().startswith("2 of 3 answers mean the same; there are 2 different meanings.")
    assert sorted(column(panel.table, "Meaning")) == ["A", "A", "B"]
    model.turns = ["Twelve hours.", "Sirius shines brightly.", "Elephants fly over purple Argentina."]
    click(qtbot, panel, "Ask again")
    settle()
    assert panel.verdict.text().startswith("No two of 3 answers mean the same.")


def test_asking_again_is_stopped(
    qtbot: QtBot, panel: ConsistencyPanel, model: TurningModel, settle: Settle
) -> None:
    model.gate.clear()
    click(qtbot, panel, "Ask again")
    assert panel.stop.isVisible() and not panel.start.isEnabled()
    assert panel.progress.text() == "Waiting…"
    panel.check()  # one at a time
    assert len(panel._console.engine.tasks) == 1
    click(qtbot, panel, "Stop")
    model.gate.set()
    settle()
    assert not panel.stop.isVisible() and panel.start.isEnabled()
    assert panel.progress.text() == "" and rows(panel.table) == []


def test_a_trace_whose_model_was_not_asked_cannot_be_asked_again(
    qtbot: QtBot, page: TracesPage, panel: ConsistencyPanel, open_workspace: Workspace, asked: dict[str, str],
    model: TurningModel, settle: Settle,
) -> None:  # fmt: skip
    change(open_workspace, asked["failed"], prompt="")
    model.gate.clear()
    click(qtbot, panel, "Ask again")
    page.open_trace(asked["failed"])
    model.gate.set()
    settle()
    assert not panel.start.isEnabled()
    assert rows(panel.table) == []  # the answers belong to the other trace
    assert button_of(panel, "Ask again").toolTip().startswith("Answer the same prompt")


def test_a_refusal_to_ask_again_is_told(
    qtbot: QtBot, panel: ConsistencyPanel, model: TurningModel, console: Console, settle: Settle
) -> None:
    model.error = ModelError("The model file is gone.")
    click(qtbot, panel, "Ask again")
    settle()
    assert notices(console) == [("The model file is gone.", "bad")]
    assert panel.start.isEnabled()


# --- details of a trace -----------------------------------------------------------------------------------


def detail(workspace: Workspace, trace_id: str, **values: Any) -> TraceDetail:
    """Return a stored trace with other values."""
    return replace(get_trace(workspace.database, trace_id), **values)


def test_figures_that_are_not_known_are_dashes(
    view: TraceView, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    view.show_trace(
        detail(open_workspace, asked["good"], tokens_per_s=None, total_ms=None, first_token_ms=None,
               read_ms=None, mean_logprob=None)
    )  # fmt: skip
    facts = texts(view._summary)
    assert "– in all; first token after –" in facts
    assert ", read –, generate" in facts
    assert "Log-probability" not in texts(view._settings)


def test_notes_and_the_probability_of_an_answer_are_shown(
    view: TraceView, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    view.show_trace(
        detail(open_workspace, asked["good"], fallbacks=("no GPU", "cut off"), mean_logprob=-0.5,
               min_logprob=-1.25, error="It took too long.")
    )  # fmt: skip
    assert "no GPU; cut off" in texts(view._summary) and "It took too long." in texts(view._summary)
    assert "mean -0.50, lowest -1.25" in texts(view._settings)


def test_a_trace_that_is_being_answered_takes_no_feedback(
    view: TraceView, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    view.show_trace(detail(open_workspace, asked["good"], status=TraceStatus.RUNNING, answer=""))
    assert view.answer.toPlainText() == "No answer."
    assert not view.regression_button.isEnabled()


def test_an_open_blind_comparison_does_not_tell_the_arm(
    page: TracesPage, view: TraceView, open_workspace: Workspace
) -> None:
    save_pipeline(
        open_workspace, "short", make_config({"collection": "Notes", "retrieval": {"max_passages": 1}})
    )
    row = start_rollout(open_workspace, "blind", collection="Notes", staging="short")
    both = drive(ask_routed(open_workspace, BREAD, "Notes"))
    page.open_trace(both.first.trace_id)
    assert f"blind {row.id}: not decided yet" in texts(view._summary)


def test_ranks_and_scores_are_told_apart(
    view: TraceView, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    trace = get_trace(open_workspace.database, asked["good"])
    hit = trace.hits[0]
    hits = (
        replace(hit, dense_rank=12, dense_score=0.5, bm25_rank=None, bm25_score=None),
        replace(hit, dense_rank=None, dense_score=0.25, bm25_rank=3, bm25_score=None),
    )
    view.show_trace(replace(trace, hits=hits))
    assert column(view.hits, "Dense rank") == ["12", "–"]
    assert column(view.hits, "Cosine") == ["0.500", "0.250"]
    assert column(view.hits, "BM25 rank") == ["–", "3"]
    assert column(view.hits, "BM25") == ["–", "–"]


def test_many_traces_are_read_page_by_page(
    page: TracesPage, console: Console, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    with open_workspace.store.session() as session:
        first = session.get_one(Trace, asked["good"])
        for number in range(250):
            values = {**first.model_dump(), "id": f"{number:032x}", "created_ms": first.created_ms - number}
            session.add(Trace(**values))
    console.data_changed.emit()
    model = page.table.records_model
    assert page.count.text() == "253 traces"
    assert model.rowCount() == 200 and model.canFetchMore(model.index(-1, -1))
    model.fetchMore(model.index(-1, -1))
    assert model.rowCount() == 253 and not model.canFetchMore(model.index(-1, -1))


def test_the_thinking_of_an_answer_is_folded_in_its_trace(
    page: TracesPage, view: TraceView, open_workspace: Workspace, asked: dict[str, str]
) -> None:
    view.show_trace(get_trace(open_workspace.database, asked["good"]))
    assert view.thinking.isHidden()
    change(open_workspace, asked["good"], thinking="Hmm, rye.", thinking_tokens=4)
    view.show_trace(get_trace(open_workspace.database, asked["good"]))
    assert view.thinking.toggle.text() == "Thinking (4 tokens)" and view.thinking.text == "Hmm, rye."
    assert "4 of thinking before" in texts(view._summary)


def test_a_trace_links_to_what_it_names(
    page: TracesPage, asked: dict[str, str], console: Console, open_workspace: Workspace
) -> None:
    assert page.trace_id == ""
    page.open_trace(asked["good"])
    assert page.trace_id == asked["good"]
    trace = get_trace(console.database, asked["good"])
    named = {link.text(): link for link in page.view.links.findChildren(QPushButton) if not link.isHidden()}
    assert list(named) == ["Notes", "Version 2", f"Prompt default {trace.prompt_version}", "Session"]
    spy = QSignalSpy(console.place_requested)
    for link in named.values():
        link.click()
    assert [spy.at(number)[0] for number in range(4)] == [
        Place(Kind.COLLECTION, "Notes"),
        Place(Kind.VERSION, "2", "Notes"),
        Place(Kind.PROMPT_VERSION, str(trace.prompt_version), "default"),
        Place(Kind.SESSION, trace.session_id),
    ]


# --- Cascades ---------------------------------------------------------------------------------------------


def test_the_steps_of_a_cascade_are_shown_and_open_their_own_traces(
    qtbot: QtBot, console: Console, notes: Path, open_workspace: Workspace
) -> None:
    given, other = (
        ask_once(open_workspace, BREAD, "Twelve hours [1]."),
        ask_once(open_workspace, BREAD, "Cheese [1]."),
    )
    with open_workspace.store.session() as session:
        session.add(
            CascadeStep(trace_id=other, answer_id=given, position=1, name="small", reason="unsupported")
        )
        session.add(CascadeStep(trace_id=given, answer_id=given, position=2, name="large"))
    page = TracesPage(console)
    qtbot.addWidget(page)
    page.open_trace(given)
    shown = texts(page.view.steps)
    assert "1. small (scripted): not given: unsupported" in shown and "Cheese [1]." in shown
    assert "2. large (scripted): its answer was given" in shown
    click(qtbot, page.view.steps, "Open trace")
    assert page.view._claims_of == other
    page.open_trace(ask_once(open_workspace, TIDE, "High [1]."))
    assert page.view.steps.isHidden()
