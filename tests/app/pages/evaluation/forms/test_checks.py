"""The checks of a case: a line each, and the same as YAML."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import button_of, click
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.forms.checks import ChecksEditor
from rag.evaluation.cases import Check
from rag.evaluation.forms.rows import CHECK_TYPES

Settle = Callable[[], None]


@pytest.fixture
def editor(qtbot: QtBot, console: Console) -> ChecksEditor:
    made = ChecksEditor(console)
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_check_is_added_by_clicking_and_written_as_yaml(
    qtbot: QtBot, editor: ChecksEditor, settle: Settle
) -> None:
    click(qtbot, editor, "Add a check")
    qtbot.keyClicks(editor.lines[0].value, "21 days")
    settle()
    assert editor.rules.text.toPlainText() == "- type: contains\n  value: 21 days\n"
    assert editor.checks() == [{"type": "contains", "value": "21 days"}]
    button_of(editor.lines[0], "Remove").click()
    settle()
    assert (editor.checks(), editor.rules.text.toPlainText(), editor.rules.problem) == ([], "", "")


def test_every_type_gives_a_check_that_is_valid(editor: ChecksEditor, settle: Settle) -> None:
    editor.set_checks([{"type": "contains", "value": "x"}])
    settle()
    line = editor.lines[0]
    for place, kind in enumerate(CHECK_TYPES):
        line.kind_box.setCurrentIndex(place)
        assert line.kind == kind
        line.value.setText('{"type": "object"}' if kind == "is-json" else "en")
        line.least.setValue(3)
        assert Check.model_validate(line.check()).type == kind
    settle()


def test_values_of_all_kinds_come_back_from_the_form(editor: ChecksEditor, settle: Settle) -> None:
    checks = [
        {"type": "length", "value": {"min": 5, "max": 90}},
        {"type": "is-json"},
        {"type": "is-json", "value": {"type": "object"}},
        {"type": "not-regex", "value": "^no"},
    ]
    editor.set_checks(checks)
    settle()
    assert editor.checks() == checks


def test_typed_yaml_fills_the_form_and_what_is_wrong_leaves_it(editor: ChecksEditor, settle: Settle) -> None:
    editor.rules.text.setPlainText("- {type: equals, value: seven}")
    editor.rules.read_now()
    settle()
    assert [(line.kind, line.value.text()) for line in editor.lines] == [("equals", "seven")]
    editor.rules.text.setPlainText("- {type: equals")
    editor.rules.read_now()
    settle()
    assert editor.rules.problem.startswith("This is not a list of checks: ") and len(editor.lines) == 1
    editor.lines[0].value.setText("eight")
    editor.lines[0].value.textEdited.emit("eight")
    settle()
    assert editor.rules.problem == "" and "eight" in editor.rules.text.toPlainText(), "the last change counts"


def test_an_empty_value_is_refused_in_one_sentence(
    qtbot: QtBot, editor: ChecksEditor, settle: Settle
) -> None:
    click(qtbot, editor, "Add a check")
    editor.rules.follow_form()
    settle()
    assert editor.rules.problem == 'A check cannot be used: the check contains cannot have the value "".'
