"""A gate by clicking: rules as lines, the same as YAML, and one sentence where something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import button_of, click
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.forms.gate_dialog import GateDialog
from rag.evaluation.gates.rules import parse_gate
from rag.evaluation.rows import PipelineKind, RunRow, RunStatus

Settle = Callable[[], None]

TEXT = """
floors: {hit_rate: 0.8, total_ms: {at_most: 8000}}
drops: {exact_match: {allowed: 0.02, confidence: 0.9, must_prove: true}}
cases:
- {key: safety-1, metric: checks_passed}
- {tag: critical, metric: token_f1, at_most: 0.5}
errors: {at_most: 2}
stale: {at_most: 1}
min_share: 0.9
"""


def run(number: int) -> RunRow:
    return RunRow(
        number, "", RunStatus.DONE, "", "", (), "Gold", 1, 1, "", "Plain", 1, 1, "", PipelineKind.ANSWER, "{}",
        3, 1, 0, 1, 9.0, "Notes", 1, 1, "", "", "", "", None, None, "", "", "", "", "", "", "", 0, None, None,
        1.0, 3, 0, None, "",
    )  # fmt: skip


@pytest.fixture
def dialog(qtbot: QtBot, console: Console, settle: Settle) -> GateDialog:
    made = GateDialog(console, [run(1), run(2)])
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


def test_it_says_which_run_is_checked_against_which(qtbot: QtBot, console: Console, settle: Settle) -> None:
    for runs, said in (
        ([run(1), run(2)], "its baseline is run 1 (Plain 1)"),
        ([run(2)], "Choose a second run"),
    ):
        made = GateDialog(console, runs)
        qtbot.addWidget(made)
        labels = [made.layout().itemAt(0).widget().text()]  # type: ignore[union-attr]
        assert labels[0].startswith("Run 2 (Plain 1) is checked") and said in labels[0]
    settle()


def test_a_text_fills_the_form_and_the_form_says_the_same(dialog: GateDialog, settle: Settle) -> None:
    dialog.rules.set_text(TEXT)
    settle()
    assert [(line.kind, line.metric_name) for line in dialog.lines] == [
        ("floors", "hit_rate"), ("floors", "total_ms"), ("drops", "exact_match"), ("key", "checks_passed"),
        ("tag", "token_f1"),
    ]  # fmt: skip
    assert (dialog.errors.value(), dialog.stale.value(), dialog.min_share.value()) == (2, 1, 0.9)
    dialog.rules.follow_form()
    settle()
    assert dialog.rules.problem == ""
    assert parse_gate(dialog.text) == parse_gate(
        TEXT.replace("metric: checks_passed", "metric: checks_passed, at_least: 1")
    )


def test_a_change_of_the_form_is_written_into_the_text(
    qtbot: QtBot, dialog: GateDialog, settle: Settle
) -> None:
    dialog.rules.set_text("errors: {at_most: 0}")
    settle()
    click(qtbot, dialog, "Add a rule")
    (line,) = dialog.lines
    line.metric_box.setCurrentIndex(line.metric_box.findText("False refusals"))
    line.limit.setValue(0.1)
    settle()
    assert parse_gate(dialog.text).floors["false_refusal"].at_most == 0.1, "less of it is better"
    line.kind_box.setCurrentIndex(line.kind_box.findText("Worse than the baseline"))
    line.must_prove.setChecked(True)
    settle()
    assert parse_gate(dialog.text).drops["false_refusal"].must_prove
    line.kind_box.setCurrentIndex(line.kind_box.findText("Each case with the tag"))
    settle()
    assert dialog.rules.problem == "The gate: cases.0: say either key or tag."
    line.who.setText("critical")
    line.who.textEdited.emit("critical")
    settle()
    assert parse_gate(dialog.text).cases[0].tag == "critical"
    button_of(line, "Remove").click()
    dialog.errors.setValue(3)
    settle()
    assert parse_gate(dialog.text).errors.at_most == 3 and dialog.lines == []


def test_two_rules_about_one_metric_are_not_merged_silently(
    qtbot: QtBot, dialog: GateDialog, settle: Settle
) -> None:
    dialog.rules.set_text("floors: {hit_rate: 0.8}")
    settle()
    before = dialog.text
    click(qtbot, dialog, "Add a rule")
    dialog.lines[1].metric_box.setCurrentIndex(dialog.lines[1].metric_box.findText("Hit rate"))
    settle()
    assert dialog.rules.problem == "Two rules of the same kind are about Hit rate. Remove one of them."
    assert not button_of(dialog, "Check the run").isEnabled()
    assert "recall" not in before


def test_wrong_yaml_leaves_the_form_and_says_why(dialog: GateDialog, settle: Settle) -> None:
    dialog.rules.set_text("floors: {hit_rate: 0.8}")
    settle()
    dialog.rules.text.setPlainText("floors: {nonsense: 1}")
    dialog.rules.read_now()
    settle()
    assert "nonsense is not a metric" in dialog.rules.problem
    assert [line.metric_name for line in dialog.lines] == ["hit_rate"]
    check = button_of(dialog, "Check the run")
    assert not check.isEnabled() and "nonsense" in check.toolTip()


def test_the_gate_is_kept_for_the_next_time_and_saved_as_a_file(
    qtbot: QtBot, dialog: GateDialog, console: Console, settle: Settle, tmp_path: Path,
    answer_box: Callable[[Any], None],
) -> None:  # fmt: skip
    dialog.rules.text.setPlainText("floors: {hit_rate: 0.7}")
    button_of(dialog, "Check the run").click()  # without waiting for the pause after typing
    settle()
    assert not dialog.isVisible()
    assert QSettings().value("evaluation/gate") == "floors: {hit_rate: 0.7}"
    again = GateDialog(console, [run(1)])
    qtbot.addWidget(again)
    settle()
    assert again.text == "floors: {hit_rate: 0.7}" and len(again.lines) == 1
    answer_box(str(tmp_path / "gate.yaml"))
    again.save_file()
    assert parse_gate((tmp_path / "gate.yaml").read_text()).floors["hit_rate"].at_least == 0.7
    answer_box(str(tmp_path / "missing.yaml"))
    again.open_file()
    assert console.notices[-1][0].startswith("missing.yaml could not be read")  # type: ignore[attr-defined]
