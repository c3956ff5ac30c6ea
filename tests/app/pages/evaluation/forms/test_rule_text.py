"""A form and its YAML: what was changed last counts, and what is wrong never reaches the other side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from pytestqt.wait_signal import SignalBlocker

from app.console import Console
from app.pages.evaluation.forms.rule_text import RuleTextEditor
from rag import operations

Settle = Callable[[], None]


class OneCheck(QLineEdit):
    """The smallest form: one check for words."""

    def values(self) -> list[dict[str, Any]]:
        if self.text() == "never":
            raise ValueError("This form never says never.")
        return [{"type": "contains", "value": self.text()}]

    def show_values(self, values: list[dict[str, Any]]) -> None:
        self.setText(values[0]["value"] if values else "")


@pytest.fixture
def form() -> OneCheck:
    return OneCheck()


@pytest.fixture
def editor(qtbot: QtBot, console: Console, form: OneCheck) -> RuleTextEditor:
    made = RuleTextEditor(
        console, form, "tests/rules", operations.read_checks, operations.write_checks, form.values,
        form.show_values,
    )  # fmt: skip
    qtbot.addWidget(made)
    made.show()
    return made


def typed(editor: RuleTextEditor, text: str) -> None:
    editor.text.setPlainText(text)
    editor.read_now()


def test_a_change_of_the_form_is_written(editor: RuleTextEditor, form: OneCheck, settle: Settle) -> None:
    form.setText("21 days")
    editor.follow_form()
    assert not editor.is_settled
    settle()
    assert editor.is_settled and editor.text.toPlainText() == "- type: contains\n  value: 21 days\n"


def test_what_is_typed_is_read_after_a_pause(qtbot: QtBot, editor: RuleTextEditor, form: OneCheck) -> None:
    waiting: SignalBlocker = qtbot.waitSignal(editor.changed, timeout=60_000)
    with waiting:
        editor.text.setPlainText("- {type: contains, value: a week}")
        assert not editor.is_settled and form.text() == "", "not before typing pauses"
    assert form.text() == "a week" and editor.is_settled


def test_wrong_text_leaves_the_form_and_is_shown(
    editor: RuleTextEditor, form: OneCheck, settle: Settle
) -> None:
    editor.set_values([{"type": "contains", "value": "kept"}])
    settle()
    typed(editor, "- {type: contains")
    settle()
    assert form.text() == "kept" and not editor._wrong.isHidden()
    assert editor._wrong.text() == editor.problem
    typed(editor, "- {type: contains, value: mended}")
    settle()
    assert (form.text(), editor.problem) == ("mended", "") and editor._wrong.isHidden()


def test_a_wrong_form_leaves_the_text_and_is_said(
    editor: RuleTextEditor, form: OneCheck, settle: Settle
) -> None:
    editor.set_values([{"type": "contains", "value": "kept"}])
    settle()
    before = editor.text.toPlainText()
    form.setText("")
    editor.follow_form()
    settle()
    assert editor.problem.startswith("A check cannot be used: ") and editor.text.toPlainText() == before


def test_a_form_that_has_no_values_says_why_without_asking_the_engine(
    editor: RuleTextEditor, form: OneCheck, console: Console
) -> None:
    form.setText("never")
    editor.follow_form()
    assert editor.problem == "This form never says never." and console.engine.tasks == []


def test_the_change_that_came_last_counts(editor: RuleTextEditor, form: OneCheck, settle: Settle) -> None:
    typed(editor, "- {type: contains, value: first}")
    form.setText("last")
    editor.follow_form()
    settle()
    assert form.text() == "last" and "last" in editor.text.toPlainText()
    form.setText("older")
    editor.follow_form()
    typed(editor, "- {type: contains, value: newer}")
    settle()
    assert form.text() == "newer" and "newer" in editor.text.toPlainText()


def test_nothing_is_shown_after_it_was_stopped(
    editor: RuleTextEditor, form: OneCheck, settle: Settle
) -> None:
    typed(editor, "- {type: contains, value: late}")
    editor.stop()
    settle()
    assert form.text() == "" and editor.is_settled
