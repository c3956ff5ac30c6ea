"""The list of relevant passages in the form of a case."""

from __future__ import annotations

from typing import Any

import pytest
from driving import press_in_dialog, rows, when_asked
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.forms.judgements import JudgementDialog, JudgementsEditor

PLACED: dict[str, Any] = {"document": "/d/bread.md", "quote": "Rye\nbread", "grade": 2, "start": 4, "end": 13}
WHOLE: dict[str, Any] = {"document": "stars.txt", "quote": "", "grade": 1}
ANYWHERE: dict[str, Any] = {"document": "", "quote": "rises 3.5 metres", "grade": 0}


@pytest.fixture
def editor(qtbot: QtBot, console: Console) -> JudgementsEditor:
    made = JudgementsEditor(console, lambda: "")
    qtbot.addWidget(made)
    made.show()
    made.set_values([PLACED, WHOLE, ANYWHERE])
    return made


def test_each_kind_of_judgement_is_readable(editor: JudgementsEditor) -> None:
    assert rows(editor.table) == [
        ["bread.md", "Rye bread", "2"],
        ["stars.txt", "the whole document", "1"],
        ["any document", "rises 3.5 metres", "0"],
    ]
    assert editor.values == [PLACED, WHOLE, ANYWHERE]


def test_values_are_copies(editor: JudgementsEditor) -> None:
    editor.values[0]["grade"] = 9
    assert editor.values[0]["grade"] == 2


def test_buttons_say_what_they_wait_for(editor: JudgementsEditor) -> None:
    editor.table.clearSelection()
    assert editor.edit_button.toolTip() == "Choose one passage first." and not editor.edit_button.isEnabled()
    assert editor.remove_button.toolTip() == "Choose a passage first."
    editor.table.selectAll()
    assert not editor.edit_button.isEnabled() and editor.remove_button.isEnabled()
    editor.edit()
    assert editor.values == [PLACED, WHOLE, ANYWHERE], "several are not edited at once"


def test_the_chosen_ones_are_taken_out(editor: JudgementsEditor) -> None:
    editor.table.selectRow(1)
    editor.remove()
    assert editor.values == [PLACED, ANYWHERE]


def test_a_grade_is_changed_without_losing_the_place(editor: JudgementsEditor) -> None:
    def grade(dialog: JudgementDialog) -> None:
        dialog.grade.setValue(5)
        press_in_dialog(dialog, "Save")

    editor.table.selectRow(0)
    when_asked(grade)
    editor.edit()
    assert editor.values[0] == PLACED | {"grade": 5}


@pytest.mark.parametrize(("field", "text"), [("document", "other.md"), ("quote", "Wheat bread")])
def test_other_words_or_another_document_have_no_known_place(
    qtbot: QtBot, console: Console, field: str, text: str
) -> None:
    dialog = JudgementDialog(PLACED)
    qtbot.addWidget(dialog)
    assert dialog.values() == PLACED
    if field == "document":
        dialog.document.setText(text)
    else:
        dialog.quote.setPlainText(text)
    assert dialog.values()[field] == text
    assert not {"start", "end"} & set(dialog.values())


def test_a_cancelled_dialog_changes_nothing(editor: JudgementsEditor) -> None:
    for start in (editor.write, editor.edit):
        editor.table.selectRow(0)
        when_asked(lambda dialog: press_in_dialog(dialog, "Cancel"))
        start()
    assert editor.values == [PLACED, WHOLE, ANYWHERE]
