"""Prompts and evaluation in the real window: a prompt changed, a set made, two pipelines run and compared."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.evaluation.case_dialog import CaseDialog
from app.pages.evaluation.pipeline_dialog import PipelineDialog
from app.pages.evaluation.runs_panel import RunDialog
from rag.evaluation.rows import list_pipelines, list_runs, list_sets
from rag.sample.rows import SAMPLE_COLLECTION, SAMPLE_PIPELINES, SAMPLE_SET

SLOW_MS = 300_000


@pytest.fixture(scope="module")
def window(
    make_real_window: Callable[[Path], MainWindow], tmp_path_factory: pytest.TempPathFactory
) -> MainWindow:
    return make_real_window(tmp_path_factory.mktemp("evaluation") / "data")


def idle(window: MainWindow) -> bool:
    return window._console.engine.is_ready and not window._console.engine.tasks


def test_the_sample_brings_a_set_and_two_pipelines(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    window.show_page("evaluation")
    page = window.pages.evaluation
    database = window._console.database
    qtbot.waitUntil(lambda: len(list_pipelines(database)) == 2, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    page.sets.refresh()
    page.pipelines.refresh()
    assert page.sets.current.name == SAMPLE_SET
    assert len(page.sets.cases.records_model.records) == page.sets.current.case_count
    qtbot.waitUntil(lambda: "cases detect a difference" in page.sets.power.text(), timeout=SLOW_MS)
    keys = [field[0] for field in page.pipelines.fields.records_model.records]
    assert "retrieval.max_passages" in keys


def test_cases_are_added_changed_and_removed_in_versions(qtbot: QtBot, window: MainWindow) -> None:
    page = window.pages.evaluation.sets
    window.pages.evaluation.tabs.setCurrentIndex(1)
    before = page.current.case_count
    dialog = CaseDialog(window.pages.evaluation.sets._console, SAMPLE_SET, parent=page)
    dialog.question.setPlainText("How heavy is the tripod?")
    dialog.judgements.set_values([{"document": "spare-parts.csv", "quote": "A3-111", "grade": 2}])
    dialog.references.setPlainText("It is not said")
    dialog.tags.setText("weights, prices")
    page.save_case(SAMPLE_SET, dialog.values())
    qtbot.waitUntil(lambda: page.current.case_count == before + 1, timeout=SLOW_MS)
    case = next(c for c in page.cases.records_model.records if "tripod?" in c["question"])
    assert case["tags"] == ["weights", "prices"]
    assert case["judgements"][0]["grade"] == 2
    again = CaseDialog(window.pages.evaluation.sets._console, SAMPLE_SET, case, parent=page)
    assert again.values()["judgements"] == case["judgements"]
    again.refuse.setChecked(True)
    again.references.clear()
    page.save_case(SAMPLE_SET, again.values(), case["key"])
    qtbot.waitUntil(lambda: page.current.number == 3, timeout=SLOW_MS)
    page.tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: "1 changed" in page.history.difference.text(), timeout=SLOW_MS)
    assert "should_refuse" in page.history.case_diff.shown_text
    page.tabs.setCurrentIndex(0)
    page.cases.choose(lambda c: c["key"] == case["key"])
    window.activateWindow()  # a shortcut works in the active window, where a click on the row gives the focus
    qtbot.waitUntil(window.isActiveWindow, timeout=SLOW_MS)
    page.cases.setFocus()
    qtbot.keyClick(page.cases, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: page.current.case_count == before, timeout=SLOW_MS)


def test_bad_lines_of_a_file_are_named_and_the_good_ones_wait(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    page = window.pages.evaluation.sets
    file = tmp_path / "cases.jsonl"
    file.write_text('{"question": "Good?", "references": ["yes"]}\n{"question": \n', "utf-8")
    page.import_cases("From a file", str(file))
    qtbot.waitUntil(lambda: page.findChild(QMessageBox) is not None, timeout=SLOW_MS)
    box = page.findChild(QMessageBox)
    assert "line 2" in box.informativeText()
    box.close()
    assert "From a file" not in {s.name for s in list_sets(window._console.database)}
    page.import_cases("From a file", str(file), skip_bad=True)
    qtbot.waitUntil(lambda: page.current.name == "From a file", timeout=SLOW_MS)
    assert page.current.case_count == 1


def test_a_prompt_gets_a_version_a_label_and_goes_back(qtbot: QtBot, window: MainWindow) -> None:
    window.show_page("prompts")
    page = window.pages.prompts
    assert not page.save_button.isEnabled()
    page.user.setPlainText("{% for p in passages %}{{ p.text }}{% endfor %} {{ question")
    qtbot.waitUntil(
        lambda: "cannot be" in page.wrong.text() or "not a template" in page.wrong.text(), timeout=SLOW_MS
    )
    page.user.setPlainText(
        "{% for p in passages %}[{{ p.marker }}] {{ p.text }}\n{% endfor %}Asked: {{ question }}"
    )
    page.question.setEditText("What is it?")
    qtbot.waitUntil(lambda: "Asked: What is it?" in page.preview.toPlainText(), timeout=SLOW_MS)
    page.message.setText("Another word")
    page.save()
    qtbot.waitUntil(lambda: len(page.versions.records_model.records) == 2, timeout=SLOW_MS)
    assert not page.is_changed
    newest = page.versions.records_model.records[0]
    assert newest.message == "Another word"
    page.move_label(newest, "production", 2, "it reads better")
    qtbot.waitUntil(lambda: page.moves.records_model.records[0].to_number == 2, timeout=SLOW_MS)
    assert page.moves.records_model.records[0].note == "it reads better"
    page.versions.choose(lambda v: v.number == 2)
    assert "Asked" in page.diff.shown_text
    page.roll_back()
    qtbot.waitUntil(lambda: page.moves.records_model.records[0].to_number == 1, timeout=SLOW_MS)


def test_two_searches_are_run_and_compared(qtbot: QtBot, window: MainWindow) -> None:
    """Pipelines that search alone: no model is needed, and the comparison is the same."""
    window.show_page("evaluation")
    evaluation = window.pages.evaluation
    evaluation.tabs.setCurrentIndex(2)
    console = window._console
    for source in SAMPLE_PIPELINES:
        evaluation.pipelines.choose(source)
        config = json.loads(evaluation.pipelines.current.config)
        dialog = PipelineDialog(console, evaluation, f"{source}, search", config, True)
        assert dialog.values()["retrieval"] == config["retrieval"]
        dialog.kind.setCurrentIndex(dialog.kind.findData("retrieval"))
        evaluation.pipelines.save(dialog.name.text(), dialog.values(), "no model")
    qtbot.waitUntil(lambda: len(list_pipelines(console.database)) == 4, timeout=SLOW_MS)
    evaluation.tabs.setCurrentIndex(0)
    dialog = RunDialog(console, evaluation)
    dialog.set_box.setCurrentIndex(dialog.set_box.findData(SAMPLE_SET))
    for place in range(dialog.pipelines.count()):
        item = dialog.pipelines.item(place)
        item.setCheckState(Qt.CheckState.Checked if "search" in item.text() else Qt.CheckState.Unchecked)
    arguments = dialog.arguments()
    assert len(arguments["pipelines"]) == 2
    runs = evaluation.runs
    runs.start(**arguments)
    assert runs.is_busy
    qtbot.waitUntil(lambda: not runs.is_busy, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: runs.comparison._found is not None, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: len(runs.comparison._found.runs) == 2, timeout=SLOW_MS)
    found = runs.comparison._found
    assert {run.status for run in found.runs} == {"done"}
    assert found.runs[0].case_count == 44
    names = [line.metric.name for line in runs.comparison.metrics.records_model.records]
    assert "ndcg_at_k" in names
    assert runs.comparison.cases.records_model.rowCount() == 44
    assert runs.comparison.sentence.text().startswith("Run 2 against run 1")
    newest = runs.table.records_model.records[0]
    runs.set_tag(newest, "baseline", True)
    qtbot.waitUntil(lambda: "baseline" in runs.table.records_model.records[0].tags, timeout=SLOW_MS)


def test_a_gate_in_the_window_says_pass_or_fail(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> None:
    runs = window.pages.evaluation.runs
    gate = tmp_path / "gate.yaml"
    gate.write_text("floors:\n  recall_at_k: 1.01\n", "utf-8")
    runs.choose([runs.table.records_model.records[0].id])
    runs.check_gate(gate.read_text("utf-8"))
    qtbot.waitUntil(lambda: "FAIL" in window.toasts.text or "between" in window.toasts.text, timeout=SLOW_MS)
    gate.write_text("floors:\n  recall_at_k: 0.5\n", "utf-8")
    runs.check_gate(gate.read_text("utf-8"))
    qtbot.waitUntil(lambda: "PASS" in window.toasts.text, timeout=SLOW_MS)
    qtbot.waitUntil(lambda: runs.table.records_model.records[0].gate_passed is True, timeout=SLOW_MS)


def test_a_collection_of_the_sample_is_named_in_its_runs(window: MainWindow) -> None:
    assert {run.collection for run in list_runs(window._console.database)} == {SAMPLE_COLLECTION}
