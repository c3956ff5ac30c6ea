"""Pipelines: saved, changed, copied, compared, labelled, deleted and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from driving import click, column, notices, open_dialog, pick_in_menu, press_in_dialog, rows, when_asked
from fakes import drive
from PySide6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.pipeline_dialog import PipelineDialog
from app.pages.evaluation.pipelines_panel import PipelinesPanel, flat
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.evaluation.rows import list_pipeline_versions, list_pipelines
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def empty(qtbot: QtBot, console: Console, settle: Settle) -> PipelinesPanel:
    made = PipelinesPanel(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


@pytest.fixture
def panel(qtbot: QtBot, console: Console, gold: Workspace, settle: Settle) -> PipelinesPanel:
    made = PipelinesPanel(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    made.choose("Plain")
    return made


def answer_form(fill: Callable[[PipelineDialog], object], button: str = "Save") -> None:
    """Fill in the next form for a pipeline and click a button of it."""

    def answer(dialog: PipelineDialog) -> None:
        fill(dialog)
        press_in_dialog(dialog, button)

    when_asked(answer)


def test_values_are_named_by_their_path() -> None:
    assert flat({"a": 1, "b": {"c": "x", "d": [1, "ü"]}}) == {"a": "1", "b.c": "x", "b.d": '[1, "ü"]'}


# --- What is shown ----------------------------------------------------------------------------------------


def test_pipelines_are_listed_with_the_fields_of_the_chosen_one(panel: PipelinesPanel) -> None:
    assert sorted(column(panel.pipelines, "Pipeline")) == ["Plain", "Search"]
    assert column(panel.versions, "Message") == ["All settings as they are"]
    fields = dict(zip(column(panel.fields, "Field"), column(panel.fields, "Version"), strict=True))
    assert fields["collection"] == "Notes"
    assert fields["retrieval.max_passages"] == "50"
    assert set(column(panel.fields, "Before")) == {""}
    assert panel.difference.text() == "Version 1, the first one"


def test_a_version_is_compared_with_the_one_before_and_two_with_each_other(
    panel: PipelinesPanel, gold: Workspace
) -> None:
    for passages in (1, 2):
        config = make_config({"collection": "Notes", "retrieval": {"max_passages": passages}})
        save_pipeline(gold, "Plain", config, f"{passages} passages")
    panel.refresh()
    assert panel.difference.text() == "Version 3 against version 2: 1 field differs"
    assert rows(panel.fields)[0] == ["retrieval.max_passages", "1", "2"]  # what differs comes first
    panel.versions.selectAll()
    assert panel.difference.text() == "Version 3 against version 1: 1 field differs"
    assert rows(panel.fields)[0] == ["retrieval.max_passages", "50", "2"]


# --- Saving -----------------------------------------------------------------------------------------------


def test_without_documents_there_is_nothing_to_save(
    qtbot: QtBot, empty: PipelinesPanel, console: Console
) -> None:
    click(qtbot, empty, "Save the current settings…")
    assert notices(console) == [("There are no collections yet. Add documents first.", "info")]
    for action in (empty.edit, empty.copy, empty.delete, empty.label_menu):
        action()
    assert console.engine.tasks == []


def test_the_current_settings_are_saved_as_a_pipeline(
    qtbot: QtBot, empty: PipelinesPanel, console: Console, notes: Workspace, settle: Settle
) -> None:
    def fill(dialog: PipelineDialog) -> None:
        assert dialog.windowTitle() == "New pipeline"
        dialog.name.setText("Plain")
        dialog.message.setText("to begin with")

    answer_form(fill)
    click(qtbot, empty, "Save the current settings…")
    settle()
    (found,) = list_pipelines(console.database)
    assert (found.name, found.message) == ("Plain", "to begin with")
    assert json.loads(found.config)["collection"] == "Notes"
    assert notices(console) == [("Version 1 of “Plain” was saved.", "info")]


def test_of_two_collections_one_is_chosen(
    qtbot: QtBot,
    empty: PipelinesPanel,
    console: Console,
    notes: Workspace,
    settle: Settle,
    documents: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drive(ingest_files(notes, "Other", [documents / "stars.txt"]))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: ("Other", True))
    answer_form(lambda dialog: dialog.name.setText("Second"))
    click(qtbot, empty, "Save the current settings…")
    settle()
    assert json.loads(list_pipelines(console.database)[0].config)["collection"] == "Other"


def test_a_new_version_of_a_pipeline_keeps_its_name(
    qtbot: QtBot, panel: PipelinesPanel, console: Console, settle: Settle
) -> None:
    def fill(dialog: PipelineDialog) -> None:
        assert dialog.windowTitle() == "New version of Plain"
        assert dialog.name.isReadOnly()
        dialog.kind.setCurrentIndex(dialog.kind.findData("retrieval"))
        dialog.message.setText("Search only")

    answer_form(fill)
    click(qtbot, panel, "New version…")
    settle()
    newest = list_pipeline_versions(console.database, "Plain")[0]
    assert (newest.number, newest.message, json.loads(newest.config)["kind"]) == (
        2,
        "Search only",
        "retrieval",
    )
    assert column(panel.versions, "#") == ["2", "1"]


def test_a_copy_is_a_new_pipeline(
    qtbot: QtBot, panel: PipelinesPanel, console: Console, settle: Settle
) -> None:
    answer_form(lambda dialog: None)
    click(qtbot, panel, "Copy…")
    settle()
    assert "Plain (copy)" in [found.name for found in list_pipelines(console.database)]
    assert panel.current is not None
    assert panel.current.name == "Plain (copy)"


def test_a_form_that_is_cancelled_saves_nothing(
    qtbot: QtBot, panel: PipelinesPanel, console: Console
) -> None:
    answer_form(lambda dialog: None, "Cancel")
    panel.versions.doubleClicked.emit(panel.versions.model().index(0, 0))
    assert console.engine.tasks == []


def test_what_the_engine_refuses_is_a_notice(panel: PipelinesPanel, console: Console, settle: Settle) -> None:
    panel.save("Plain", {"collection": "", "kind": "answer"})
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert len(list_pipeline_versions(console.database, "Plain")) == 1


# --- Labels and deleting ----------------------------------------------------------------------------------


def test_a_label_is_given_and_taken_away(
    qtbot: QtBot,
    panel: PipelinesPanel,
    settle: Settle,
    answer_box: Callable[[Any], None],
) -> None:
    answer_box("tried for a week")
    for shown in ("staging", ""):
        pick_in_menu("staging")
        click(qtbot, panel, "Label…")
        settle()
        assert column(panel.versions, "Labels") == [shown]


def test_a_pipeline_is_deleted_after_a_yes(
    qtbot: QtBot, panel: PipelinesPanel, console: Console, settle: Settle
) -> None:
    for verb, left in (("Cancel", ["Plain", "Search"]), ("Delete", ["Search"])):
        click(qtbot, panel, "Delete…")
        box = open_dialog(panel, QMessageBox)
        assert box.text().startswith("Delete “Plain” with all its versions?")
        press_in_dialog(box, verb)
        settle()
        assert sorted(found.name for found in list_pipelines(console.database)) == left


# --- The form ---------------------------------------------------------------------------------------------


@pytest.fixture
def form(qtbot: QtBot, console: Console, gold: Workspace) -> PipelineDialog:
    config = make_config({"collection": "Notes", "retrieval": {"rrf_k": 20}}).model_dump(mode="json")
    dialog = PipelineDialog(console, None, "Plain", config, True)
    qtbot.addWidget(dialog)
    return dialog


def test_the_form_gives_back_what_it_was_given(form: PipelineDialog) -> None:
    values = form.values()
    assert make_config(values) == make_config({"collection": "Notes", "retrieval": {"rrf_k": 20}})


def test_the_form_offers_versions_prompts_and_kinds(form: PipelineDialog) -> None:
    def entries(box: Any) -> list[str]:
        return [box.itemText(number) for number in range(box.count())]

    assert entries(form.version)[0] == "The active version"
    assert entries(form.version)[-1].startswith("Version 1")
    assert entries(form.prompt) == [
        "default, in production (otherwise the newest)",
        "default, label production (now version 1)",
        "default, version 1",
    ]
    assert entries(form.kind) == ["Answers questions", "Searches only, no model"]
    assert entries(form.model) == ["The active model"]


def test_what_is_no_longer_there_stays_chosen(qtbot: QtBot, console: Console, gold: Workspace) -> None:
    config = make_config({"collection": "Notes", "prompt": "gone@3", "model": "gone.gguf", "version": "old"})
    dialog = PipelineDialog(console, None, "Plain", config.model_dump(mode="json"), False)
    qtbot.addWidget(dialog)
    values = dialog.values()
    assert (values["prompt"], values["model"], values["version"]) == ("gone@3", "gone.gguf", "old")
    assert dialog.version.currentText() == "Tag old"


@pytest.mark.parametrize(
    ("name", "checks", "sentence"),
    [
        ("Plain", "length 600", "A check is not valid JSON"),
        ("   ", "", "Give the pipeline a name."),
    ],
)
def test_the_form_stays_open_and_says_what_is_wrong(
    form: PipelineDialog, name: str, checks: str, sentence: str
) -> None:
    form.open()
    form.name.setText(name)
    form.checks.setPlainText(checks)
    press_in_dialog(form, "Save")
    assert sentence in form._wrong.text()
    assert form.isVisible()


def test_checks_of_every_answer_are_read_line_by_line(form: PipelineDialog) -> None:
    form.checks.setPlainText(
        '{"type": "length", "value": {"max": 600}}\n\n{"type": "contains", "value": "["}'
    )
    assert [check["type"] for check in form.values()["checks"]] == ["length", "contains"]
