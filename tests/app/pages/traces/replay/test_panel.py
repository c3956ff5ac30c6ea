"""The tab "Replay": variants are planned, answered side by side, compared, saved, cancelled and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driving import ask_once, click, notices, texts
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QInputDialog
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.page import TracesPage
from app.pages.traces.replay.columns import PlannedColumn, ReplayColumn
from app.pages.traces.replay.panel import ReplayPanel
from app.widgets.layout import EmptyState
from rag.asking.replay.rows import Changes, list_replays
from rag.evaluation.rows import list_sets
from rag.finding.rows import Kind, Place
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def panel(qtbot: QtBot, page: TracesPage) -> ReplayPanel:
    """The tab of the trace, opened by “Replay…”."""
    click(qtbot, page.view, "Replay…")
    assert page.view.replay.isVisible()
    return page.view.replay


def choose(panel: ReplayPanel, kind: str) -> None:
    """Choose what is changed."""
    place = panel.form.kind_box.findText(kind)
    assert place >= 0, kind
    panel.form.kind_box.setCurrentIndex(place)


def leave_out(qtbot: QtBot, panel: ReplayPanel, numbers: str) -> None:
    choose(panel, "Leave passages out")
    panel.form.without.clear()
    qtbot.keyClicks(panel.form.without, numbers)
    qtbot.keyClick(panel.form.without, Qt.Key.Key_Return)


def answered(panel: ReplayPanel) -> list[ReplayColumn]:
    return [one for one in panel.strip.columns if isinstance(one, ReplayColumn)]


def planned(panel: ReplayPanel) -> list[str]:
    return [one.title.text() for one in panel.strip.columns if isinstance(one, PlannedColumn)]


def test_before_a_variant_is_added_the_tab_says_what_to_do(qtbot: QtBot, panel: ReplayPanel) -> None:
    (empty,) = [found for found in panel.findChildren(EmptyState) if found.isVisible()]
    assert "Add a variant with one thing changed" in texts(empty)
    assert not panel.start.isEnabled() and panel.start.toolTip() == "Add a variant first"


def test_variants_are_answered_side_by_side_with_what_differs(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle, trace_id: str, console: Console
) -> None:
    leave_out(qtbot, panel, "1")
    choose(panel, "Temperature")
    panel.form.temperature.setValue(0.9)
    click(qtbot, panel, "Add a variant")
    assert planned(panel) == ["without [1]", "temperature 0.9"]
    click(qtbot, panel, "Answer 2 variants")
    settle()
    first, without, warm = answered(panel)
    assert planned(panel) == [] and not panel.start.isEnabled()
    assert (first.title.text(), without.title.text(), warm.title.text()) == (
        "This trace", "without [1]", "temperature 0.9",
    )  # fmt: skip
    assert "Passages: 1 went" in without.figures.text() and "1 gone" in without.figures.text()
    assert "Sentences: the same 2 sentences" in warm.figures.text()
    assert "Cost: about" in warm.figures.text()
    assert "sourdough" in first.answer.toPlainText() or "3.5" in first.answer.toPlainText()
    assert len(list_replays(console.database, trace_id)) == 2


def test_the_parts_that_differ_are_shown_of_the_chosen_column(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle
) -> None:
    leave_out(qtbot, panel, "1")
    panel.answer()
    settle()
    (_, without) = answered(panel)
    click(qtbot, without, "Differences")
    assert "Change 1 of" in panel.differences.summary and panel.compared.text() == "Compared: without [1]"
    panel.part_box.setCurrentText("Passages")
    shown = panel.differences.shown_text
    assert "[1]" in shown and panel.differences.summary == "Change 1 of 1"
    panel.part_box.setCurrentText("Prompt")
    assert "Change 1 of" in panel.differences.summary


def test_a_column_opens_its_trace_and_a_replay_names_its_origin(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle, console: Console, page: TracesPage, trace_id: str
) -> None:
    leave_out(qtbot, panel, "1")
    panel.answer()
    settle()
    asked = QSignalSpy(console.place_requested)
    made = answered(panel)[1]
    click(qtbot, made, "Open the trace")
    assert asked.at(0)[0] == Place(Kind.TRACE, made.trace_id)
    page.open_trace(made.trace_id)
    assert page.view.tabs.currentWidget() is panel and panel.origin.isVisible()
    click(qtbot, panel.origin, f"Open Replay of {trace_id[:8]}: without [1]")
    assert asked.at(1)[0] == Place(Kind.TRACE, trace_id)


def test_what_cannot_be_answered_is_one_sentence_and_stays_planned(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle
) -> None:
    choose(panel, "Model")
    panel.form.model_box.setEditText("nothing.gguf")
    panel.form.add()
    choose(panel, "Nothing")
    panel.form.add()
    assert planned(panel) == ["model nothing.gguf", "as it was"]
    panel.answer()
    settle()
    assert "1 variant not answered." in panel.failures.text() and "nothing.gguf" in panel.failures.text()
    assert planned(panel) == ["model nothing.gguf"]
    click(qtbot, panel, "Take this variant out")
    assert planned(panel) == []


def test_changes_that_make_no_sense_are_refused_with_a_notice(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle, console: Console
) -> None:
    leave_out(qtbot, panel, "")
    assert notices(console)[-1] == ("Say what it is to be in the field beside it.", "bad")
    leave_out(qtbot, panel, "one")
    assert "“one” is not the number of a passage" in notices(console)[-1][0]
    assert planned(panel) == []
    leave_out(qtbot, panel, "9")
    panel.answer()
    settle()
    assert "The prompt has no passage [9]" in notices(console)[-1][0]
    assert planned(panel) == ["without [9]"]  # to be corrected or taken out
    leave_out(qtbot, panel, "9")
    assert notices(console)[-1] == ("This variant is there already.", "info")


def test_stopping_keeps_what_was_answered(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle, model: Any
) -> None:
    leave_out(qtbot, panel, "1")
    leave_out(qtbot, panel, "2")
    model.gate.clear()
    panel.answer()
    qtbot.waitUntil(lambda: panel.progress.text().startswith("1 of 2: without [1]"))
    assert panel.stop.isVisible() and not panel.start.isEnabled() and not panel.form.add_button.isEnabled()
    qtbot.keyClick(panel.stop, Qt.Key.Key_Escape)
    model.gate.set()
    settle()
    assert not panel.stop.isVisible() and panel.start.isEnabled()
    assert "without [2]" in planned(panel)
    assert all("cancelled" in one.figures.text() for one in answered(panel)[1:])


def test_a_replay_is_saved_as_a_pipeline_and_as_a_case(
    qtbot: QtBot, panel: ReplayPanel, settle: Settle, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(panel, "Temperature")
    panel.form.add()
    panel.answer()
    settle()
    made = answered(panel)[1]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("warm", True))
    click(qtbot, made, "Save as a pipeline…")
    settle()
    assert "version 1 of the pipeline “warm”" in notices(console)[-1][0]
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: ("Replayed", True))
    click(qtbot, answered(panel)[1], "Save as a case…")
    settle()
    assert [one.name for one in list_sets(console.database)] == ["Replayed"]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", False))
    before = len(notices(console))
    panel.save_pipeline(made.trace_id)
    assert len(notices(console)) == before


@pytest.mark.parametrize(
    ("kind", "fill", "title"),
    [
        ("Prompt", lambda form: form.prompt_box.setCurrentIndex(0), "prompt default@1"),
        ("Dataset version", lambda form: form.version_box.setCurrentIndex(1), "version 1"),
        ("Order of the passages", lambda form: form.order.setText("2,1"), "order [2] [1]"),
        ("Setting", lambda form: form.setting_value.setText("3"), ""),
    ],
)
def test_each_kind_of_change_has_its_field(
    panel: ReplayPanel, kind: str, fill: Callable[[Any], None], title: str
) -> None:
    choose(panel, kind)
    fill(panel.form)
    panel.form.add()
    (made,) = planned(panel)
    assert made == title or (not title and made.endswith(" 3"))


def test_two_chosen_traces_are_compared_from_the_menu_of_the_list(
    qtbot: QtBot, page: TracesPage, open_workspace: Workspace, trace_id: str, console: Console
) -> None:
    later = ask_once(open_workspace, "How high is the tide at Bremen?")
    page.refresh()
    page.table.selectAll()
    entries = dict(page.table.actions_for(page.table.selected_records()))  # type: ignore[misc]
    entries["Compare these two"]()
    panel = page.view.replay
    assert page.trace_id == trace_id and panel.isVisible()
    assert [one.trace_id for one in answered(panel)] == [trace_id, later]
    assert panel.differences.summary.startswith("Change 1 of")
    page.table.selectRow(0)
    assert page.table.actions_for(page.table.selected_records()) == []  # type: ignore[misc]


def test_another_trace_starts_without_the_plans_of_this_one(
    qtbot: QtBot, page: TracesPage, panel: ReplayPanel, open_workspace: Workspace
) -> None:
    panel.plan(Changes(without=(1,)))
    other = ask_once(open_workspace, "When do storms come?")
    page.open_trace(other)
    assert planned(panel) == []


def test_a_trace_that_was_deleted_meanwhile_has_no_column(
    qtbot: QtBot, panel: ReplayPanel, open_workspace: Workspace
) -> None:
    other = ask_once(open_workspace, "When do storms come?")
    panel.compare_with(other)
    assert len(answered(panel)) == 2
    with open_workspace.store.session() as session:
        session.delete(session.get_one(Trace, other))
    panel.part_box.setCurrentText("Prompt")
    panel.plan(Changes())
    assert len(answered(panel)) == 1


def test_a_received_trace_offers_only_what_it_allows(
    qtbot: QtBot, page: TracesPage, panel: ReplayPanel, open_workspace: Workspace, trace_id: str
) -> None:
    with open_workspace.store.session() as session:
        trace = session.get_one(Trace, trace_id)
        trace.source = "received"
        session.add(trace)
    page.open_trace(trace_id)
    kinds = [panel.form.kind_box.itemText(n) for n in range(panel.form.kind_box.count())]
    assert kinds == ["Model", "Temperature", "Leave passages out", "Nothing"]


def test_replays_are_listed_when_they_are_asked_for(
    qtbot: QtBot, page: TracesPage, panel: ReplayPanel, settle: Settle
) -> None:
    panel.plan(Changes())
    panel.answer()
    settle()
    assert page.count.text() == "1 trace"
    page.source_box.setCurrentText("Replays")
    assert page.count.text() == "1 trace"
    page.source_box.setCurrentText("Any source")
    assert page.count.text() == "2 traces"
