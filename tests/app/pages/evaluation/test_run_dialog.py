"""The form of a new run says what it will probably cost, and keeps saying what is true of the choice now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from endpoint_server import add_endpoint
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.run_dialog import RunDialog
from rag.evaluation.cases import Case
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.evaluation.sets import change_set, create_set
from rag.storage.store import now_ms
from rag.storage.tables.traces import Span, Trace
from rag.workspace import Workspace

Settle = Callable[[], None]
MODEL = "gpt-4o-mini"  # the price tables know it


def answered_at(workspace: Workspace, count: int, **values: Any) -> None:
    """Store answers of an endpoint: 100,000 tokens read and 100,000 written each, 0.075 USD."""
    usual = {
        "session_id": "s", "created_ms": now_ms(), "status": "done", "question": "q", "model": MODEL,
        "endpoint": "far", "sent_to": "cloud.example", "prompt_tokens": 100_000, "completion_tokens": 100_000,
    }  # fmt: skip
    with workspace.store.session() as session:
        for number in range(count):
            session.add(Trace(id=f"{number:032x}", **(usual | values)))
            session.add(Span(trace_id=f"{number:032x}", name="generate", kind="LLM", start_ms=0, end_ms=1000))


@pytest.fixture
def far(gold: Workspace) -> Workspace:
    """The set Gold, and the pipeline Far besides Plain and Search, whose model is on another computer."""
    add_endpoint(gold, "https://cloud.example/v1")
    save_pipeline(gold, "Far", make_config({"collection": "Notes", "model": "endpoint:far"}))
    return gold


@pytest.fixture
def opened(qtbot: QtBot, console: Console, settle: Settle) -> Callable[..., RunDialog]:
    """Open the form with these pipelines ticked, and wait for what it works out."""

    def make(*pipelines: str) -> RunDialog:
        dialog = RunDialog(console)
        qtbot.addWidget(dialog)
        tick(dialog, *pipelines)
        settle()
        return dialog

    return make


def tick(dialog: RunDialog, *pipelines: str) -> None:
    """Tick exactly these pipelines."""
    for place in range(dialog.pipelines.count()):
        item = dialog.pipelines.item(place)
        wanted = item.data(Qt.ItemDataRole.UserRole) in pipelines
        item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)


def test_what_a_run_will_cost_rests_on_earlier_answers(
    far: Workspace, opened: Callable[..., RunDialog]
) -> None:
    answered_at(far, 20)
    assert opened("Far").cost.text() == (
        "Far: 3 answers will probably cost 0.22 USD (0.22 USD to 0.22 USD, from 20 earlier answers)."
    )


def test_repeats_multiply_it(far: Workspace, opened: Callable[..., RunDialog], settle: Settle) -> None:
    answered_at(far, 20)
    dialog = opened("Far")
    dialog.repeats.setValue(4)
    settle()
    assert dialog.cost.text().startswith("Far: 12 answers will probably cost 0.9 USD")


def test_each_pipeline_that_answers_has_a_line_and_one_that_only_searches_has_none(
    far: Workspace, opened: Callable[..., RunDialog]
) -> None:
    lines = opened("Far", "Plain", "Search").cost.text().splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == ["Far", "Plain"]


def test_a_search_alone_costs_nothing(far: Workspace, opened: Callable[..., RunDialog]) -> None:
    dialog = opened("Search")
    assert dialog.cost.text() == "" and dialog.run_button.isEnabled()


@pytest.mark.parametrize(
    ("count", "values", "reason"),
    [
        (0, {}, "no price table names “far”."),  # nobody knows yet which model answers there
        (2, {}, "“gpt-4o-mini” has given fewer than"),
        (20, {"model": "house-7b"}, "no price table names “house-7b”."),
        (20, {"status": "failed"}, "“gpt-4o-mini” has given fewer than"),
    ],
    ids=["no answer", "too few", "no price", "failures alone"],
)
def test_what_is_not_known_is_said_with_its_reason(
    far: Workspace, opened: Callable[..., RunDialog], count: int, values: dict[str, Any], reason: str
) -> None:
    answered_at(far, count, **values)
    text = opened("Far").cost.text()
    assert text.startswith("Far: What 3 answers will cost is unknown: ") and reason in text


def test_a_cascade_says_that_it_depends(far: Workspace, opened: Callable[..., RunDialog]) -> None:
    steps = [{"pipeline": "Plain", "accept": {"at_least": {"retrieval": 1.0}}}, {"pipeline": "Far"}]
    save_pipeline(far, "Careful", make_config({"collection": "Notes", "steps": steps}))
    assert opened("Careful").cost.text() == (
        "Careful: What 3 answers will cost is unknown: how many steps a cascade asks depends on the answers."
    )


def test_another_set_is_another_number_of_answers(
    far: Workspace, opened: Callable[..., RunDialog], settle: Settle
) -> None:
    create_set(far, "Small")
    change_set(far, "Small", put=[Case(key="one", question="Why?", references=("So.",))])
    dialog = opened("Plain")
    dialog.set_box.setCurrentIndex(dialog.set_box.findData("Small"))
    settle()
    assert dialog.cost.text().startswith("Plain: What 1 answer will cost")
    dialog.set_box.setCurrentIndex(dialog.set_box.findData("Gold"))
    settle()
    assert dialog.cost.text().startswith("Plain: What 3 answers will cost")


def test_without_a_pipeline_nothing_is_said(
    far: Workspace, opened: Callable[..., RunDialog], settle: Settle
) -> None:
    dialog = opened("Plain")
    assert dialog.cost.text() != ""
    tick(dialog)
    assert dialog.cost.text() == ""
    settle()
    assert dialog.cost.text() == ""


def test_what_was_being_worked_out_for_another_choice_is_not_shown(
    far: Workspace, opened: Callable[..., RunDialog], settle: Settle
) -> None:
    dialog = opened("Plain")
    tick(dialog, "Plain", "Far")
    tick(dialog, "Far")
    settle()
    assert [line.partition(":")[0] for line in dialog.cost.text().splitlines()] == ["Far"]
    tick(dialog, "Plain")
    tick(dialog)  # before the engine has answered
    settle()
    assert dialog.cost.text() == ""


def test_a_model_that_is_gone_leaves_no_cost_of_another_choice(
    far: Workspace, opened: Callable[..., RunDialog], settle: Settle, console: Console
) -> None:
    save_pipeline(far, "Lost", make_config({"collection": "Notes", "model": "nowhere"}))
    dialog = opened("Plain")
    tick(dialog, "Plain", "Lost")
    settle()
    assert dialog.cost.text() == ""
    assert any("nowhere" in sentence for sentence, _ in console.notices)  # type: ignore[attr-defined]


def test_a_data_folder_without_sets_asks_for_no_cost(
    notes: Workspace, opened: Callable[..., RunDialog], console: Console
) -> None:
    dialog = opened()
    assert dialog.cost.text() == "" and not dialog.run_button.isEnabled()
    assert not any("cost" in sentence for sentence, _ in console.notices)  # type: ignore[attr-defined]
