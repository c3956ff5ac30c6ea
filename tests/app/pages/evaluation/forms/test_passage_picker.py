"""Passages are picked from a search: the place of a passage, or of the words marked in it, is the judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from driving import button_of, click, column, press_in_dialog, rows, when_asked
from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.forms.judgements import JudgementDialog, JudgementsEditor
from app.pages.evaluation.forms.passage_picker import PassagePicker, judgement_of
from rag.evaluation.cases import Judgement
from rag.evaluation.relevance import JudgedVersion
from rag.knowledge.rows import get_collection
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def picker(qtbot: QtBot, console: Console, notes: Workspace, settle: Settle) -> PassagePicker:
    made = PassagePicker(console, "What does rye bread need?")
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


def mark(picker: PassagePicker, words: str) -> None:
    """Mark words in the shown passage as the mouse would."""
    start = picker.text.toPlainText().index(words)
    cursor = picker.text.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(start + len(words), QTextCursor.MoveMode.KeepAnchor)
    picker.text.setTextCursor(cursor)


def test_the_question_is_searched_for_at_once(picker: PassagePicker) -> None:
    assert "bread.md" in column(picker.hits, "Document")
    assert picker.text.toPlainText()


def test_marked_words_become_a_judgement_at_their_place(
    picker: PassagePicker, qtbot: QtBot, notes: Workspace
) -> None:
    picker.hits.choose(lambda hit: hit.document == "bread.md")
    mark(picker, "sourdough")
    click(qtbot, picker, "Add the marked words")
    (found,) = picker.picked
    assert found["quote"] == "sourdough"
    version = get_collection(notes.database, "Notes").active_version_id
    assert version is not None
    placed = JudgedVersion(notes.store, version).relevance([Judgement(**found)])
    assert placed.stale == () and placed.judgements[0].start == found["start"]
    assert found["end"] - found["start"] == len("sourdough")


def test_a_whole_passage_is_added_with_its_grade(picker: PassagePicker, qtbot: QtBot) -> None:
    picker.grade.setValue(3)
    click(qtbot, picker, "Add the passage")
    hit = picker.hits.selected_records()[0]
    assert picker.picked == [
        {"document": hit.path, "quote": hit.text, "grade": 3, "start": hit.start, "end": hit.end}
    ]
    assert picker.status.text().startswith("1 passage added. The last: “")


def test_a_passage_of_several_chunks_has_its_words_but_no_place(picker: PassagePicker) -> None:
    hit = replace(picker.hits.records_model.records[0], text="More than is between start and end. " * 9)
    assert set(judgement_of(hit, (0, 4), 1)) == {"document", "quote", "grade"}


def test_letters_outside_the_basic_plane_do_not_move_the_place(picker: PassagePicker, qtbot: QtBot) -> None:
    text = "🚲🚲 rye bread"
    hit = replace(picker.hits.records_model.records[0], text=text, start=100, end=100 + len(text))
    picker.hits.set_records([hit])
    picker.hits.selectRow(0)
    cursor = picker.text.textCursor()
    cursor.setPosition(5)  # Qt counts each of the two as two
    cursor.setPosition(8, QTextCursor.MoveMode.KeepAnchor)
    picker.text.setTextCursor(cursor)
    picker.add()
    assert picker.picked[-1]["quote"] == "rye" and picker.picked[-1]["start"] == 103


def test_nothing_found_and_nothing_asked_are_said(picker: PassagePicker, settle: Settle) -> None:
    picker.query.setText(" ")
    picker.search()
    assert picker.status.text() == "Choose a collection, and type what to search for."
    picker.hits.clearSelection()
    assert not picker.add_button.isEnabled()
    settle()


# --- the list in the form of a case -----------------------------------------------------------------------


@pytest.fixture
def editor(qtbot: QtBot, console: Console, notes: Workspace) -> JudgementsEditor:
    made = JudgementsEditor(console, lambda: "What does rye bread need?")
    qtbot.addWidget(made)
    made.show()
    return made


def test_picked_passages_are_in_the_list_once(qtbot: QtBot, editor: JudgementsEditor, settle: Settle) -> None:
    def pick(picker: PassagePicker) -> None:
        settle()
        picker.hits.choose(lambda hit: hit.document == "bread.md")
        picker.add()
        picker.add()
        press_in_dialog(picker, "Use these passages")

    for _ in range(2):
        when_asked(pick)
        click(qtbot, editor, "Find passages…")
    assert column(editor.table, "Document") == ["bread.md"]
    assert editor.values[0]["start"] is not None
    editor.table.selectAll()
    click(qtbot, editor, "Remove")
    assert editor.values == [] and not button_of(editor, "Remove").isEnabled()


def test_a_judgement_is_written_and_edited_by_hand(qtbot: QtBot, editor: JudgementsEditor) -> None:
    def write(dialog: JudgementDialog) -> None:
        button_of(dialog, "Save").click()
        assert dialog.isVisible() and "Name a document" in dialog._wrong.text()
        dialog.document.setText("bread.md")
        button_of(dialog, "Save").click()

    when_asked(write)
    click(qtbot, editor, "By hand…")
    assert rows(editor.table) == [["bread.md", "the whole document", "1"]]

    def grade(dialog: JudgementDialog) -> None:
        dialog.grade.setValue(2)
        button_of(dialog, "Save").click()

    editor.table.selectRow(0)
    when_asked(grade)
    click(qtbot, editor, "Edit…")
    assert editor.values == [{"document": "bread.md", "quote": "", "grade": 2}]
