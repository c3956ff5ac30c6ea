"""Evaluation sets: made, filled, searched, imported, exported, changed back, and refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import (
    ask_once,
    button_of,
    click,
    column,
    notices,
    open_dialog,
    pick_in_menu,
    press_in_dialog,
    rows,
    when_asked,
)
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.case_dialog import CaseDialog
from app.pages.evaluation.forms.asked_dialog import AskedDialog
from app.pages.evaluation.import_dialog import ImportDialog
from app.pages.evaluation.sets_panel import SetsPanel
from rag.evaluation.rows import list_cases, list_set_versions, list_sets
from rag.knowledge.rows import list_collections, list_documents
from rag.workspace import Workspace

Settle = Callable[[], None]
Answer = Callable[[Any], None]


@pytest.fixture
def empty(qtbot: QtBot, console: Console, settle: Settle) -> SetsPanel:
    panel = SetsPanel(console)
    qtbot.addWidget(panel)
    panel.show()
    settle()
    return panel


@pytest.fixture
def panel(qtbot: QtBot, console: Console, gold: Workspace, settle: Settle) -> SetsPanel:
    made = SetsPanel(console)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    settle()
    return made


def answer_form(fill: Callable[[CaseDialog], object], button: str = "Save") -> None:
    """Fill in the next form for a case and click a button of it."""

    def answer(dialog: CaseDialog) -> None:
        fill(dialog)
        press_in_dialog(dialog, button)

    when_asked(answer)


# --- Sets -------------------------------------------------------------------------------------------------


def test_sets_are_listed_with_their_cases(panel: SetsPanel) -> None:
    assert rows(panel.sets) == [["Gold", "3", "1"]]
    assert column(panel.cases, "Question") == [
        "What does rye bread need?",
        "How far does the tide at Bremen rise?",
        "Quantum chromodynamics lattice?",
    ]
    assert column(panel.cases, "Right answer") == ["sourdough", "3.5 metres", "to be declined"]
    assert column(panel.cases, "Passages") == ["1", "0", "0"]
    assert panel.power.text().startswith("3 cases are too few to detect any difference reliably.")


def test_a_set_is_made_and_chosen(qtbot: QtBot, empty: SetsPanel, settle: Settle, answer_box: Answer) -> None:
    answer_box("Gold")
    click(qtbot, empty, "New set…")
    settle()
    assert rows(empty.sets) == [["Gold", "0", "–"]]
    assert empty.current is not None
    assert empty.power.text() == "Add cases to see what this set can detect."


def test_a_name_that_is_taken_is_refused(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle, answer_box: Answer
) -> None:
    answer_box("Gold")
    click(qtbot, panel, "New set…")
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert len(list_sets(console.database)) == 1


def test_a_set_is_renamed_and_stays_chosen(
    qtbot: QtBot, panel: SetsPanel, settle: Settle, answer_box: Answer
) -> None:
    answer_box("Silver")
    pick_in_menu("Rename…")
    click(qtbot, panel, "More")
    settle()
    assert column(panel.sets, "Set") == ["Silver"]
    assert panel.current is not None


def test_a_set_is_deleted_after_a_yes(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle
) -> None:
    for verb, left in (("Cancel", 1), ("Delete", 0)):
        pick_in_menu("Delete…")
        click(qtbot, panel, "More")
        box = open_dialog(panel, QMessageBox)
        assert box.text().startswith("Delete “Gold” with all its versions?")
        press_in_dialog(box, verb)
        settle()
        assert len(list_sets(console.database)) == left
    assert panel._stack.currentIndex() == 0


def test_without_a_set_there_is_nothing_to_change(qtbot: QtBot, empty: SetsPanel, console: Console) -> None:
    for name in ("Export…", "More"):
        click(qtbot, empty, name)
    empty.add_case()
    empty.remove_cases()
    empty.history.restore()
    assert console.engine.tasks == []


# --- Cases ------------------------------------------------------------------------------------------------


def test_cases_are_found_by_words_of_question_answer_and_tags(panel: SetsPanel) -> None:
    for words, found in (("rye", 1), ("water", 1), ("DECLINED", 1), ("tide rise", 1), ("zebra", 0), ("", 3)):
        panel.search.setText(words)
        assert len(rows(panel.cases)) == found


def test_buttons_need_a_chosen_case(panel: SetsPanel) -> None:
    panel.cases.clearSelection()
    assert not panel.edit_button.isEnabled()
    assert not panel.remove_button.isEnabled()
    panel.cases.selectAll()
    assert not panel.edit_button.isEnabled()
    assert panel.remove_button.isEnabled()


def test_a_case_is_added_by_hand(qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle) -> None:
    def fill(dialog: CaseDialog) -> None:
        dialog.question.setPlainText("How bright is Sirius?")
        dialog.references.setPlainText("very\nthe brightest")
        dialog.tags.setText("stars, sky")

    answer_form(fill)
    click(qtbot, panel, "Add a case…")
    settle()
    case = next(json.loads(c) for c in list_cases(console.database, "Gold") if "Sirius" in c)
    assert (case["references"], case["tags"]) == (["very", "the brightest"], ["stars", "sky"])
    assert rows(panel.sets) == [["Gold", "4", "2"]]


def test_a_case_is_edited_by_double_click_and_keeps_its_key(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle
) -> None:
    panel.cases.choose(lambda case: case["key"] == "tide")
    answer_form(lambda dialog: dialog.references.setPlainText("three metres"))
    panel.cases.doubleClicked.emit(panel.cases.currentIndex())
    settle()
    cases = {case["key"]: case for case in map(json.loads, list_cases(console.database, "Gold"))}
    assert cases["tide"]["references"] == ["three metres"]
    assert len(cases) == 3


def test_a_form_that_is_cancelled_changes_nothing(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle
) -> None:
    panel.cases.selectRow(0)
    answer_form(lambda dialog: dialog.question.setPlainText("Other?"), "Cancel")
    click(qtbot, panel, "Edit…")
    settle()
    assert [version.number for version in list_set_versions(console.database, "Gold")] == [1]


def test_a_case_that_the_engine_refuses_is_a_notice(
    panel: SetsPanel, console: Console, settle: Settle
) -> None:
    panel.save_case("Gold", {"question": "", "references": []})
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert len(list_cases(console.database, "Gold")) == 3


def test_cases_are_removed_by_the_delete_key_in_a_new_version(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle
) -> None:
    panel.cases.selectRow(0)
    panel.cases.setFocus()
    panel.activateWindow()
    qtbot.waitUntil(panel.cases.hasFocus)
    qtbot.keyClick(panel.cases, Qt.Key.Key_Delete)
    settle()
    assert rows(panel.sets) == [["Gold", "2", "2"]]
    assert notices(console) == [
        ("1 case removed in a new version. The previous one is under Versions.", "info")
    ]


# --- Versions ---------------------------------------------------------------------------------------------


def test_each_version_is_compared_with_the_one_before(panel: SetsPanel, settle: Settle) -> None:
    history = panel.history
    assert history.difference.text() == "The first version; there is nothing before it."
    panel.cases.choose(lambda case: case["key"] == "moon")
    panel.remove_cases()
    settle()
    assert history.difference.text().startswith("Version 1 to 2: ")
    assert rows(history.changes) == [["removed", "Quantum chromodynamics lattice?"]]
    assert "chromodynamics" in history.case_diff.shown_text
    history.versions.choose(lambda version: version.number == 1)
    assert rows(history.changes) == []
    assert history.case_diff.shown_text == ""


def test_an_older_version_comes_back_as_a_new_one(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle
) -> None:
    panel.cases.selectAll()
    panel.remove_cases()
    settle()
    panel.tabs.setCurrentWidget(panel.history)
    panel.history.versions.choose(lambda version: version.number == 1)
    click(qtbot, panel, "Go back to this version")
    settle()
    assert [version.number for version in list_set_versions(console.database, "Gold")] == [3, 2, 1]
    assert len(list_cases(console.database, "Gold")) == 3
    assert rows(panel.sets) == [["Gold", "3", "3"]]


# --- Import and export ------------------------------------------------------------------------------------


def choose_file(monkeypatch: pytest.MonkeyPatch, answer_box: Answer, file: Path, name: str) -> None:
    answer_box(str(file))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: (name, True))


def test_cases_are_imported_into_a_new_set(
    qtbot: QtBot,
    empty: SetsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"question": "How bright is Sirius?"}\n{"question": "What is rye?"}\n', "utf-8")
    choose_file(monkeypatch, answer_box, file, "From a file")
    click(qtbot, empty, "Import…")
    settle()
    press_in_dialog(open_dialog(empty, ImportDialog), "Import")
    settle()
    assert rows(empty.sets) == [["From a file", "2", "1"]]
    assert notices(console) == [("2 cases were imported from cases.jsonl into “From a file”.", "info")]


@pytest.mark.parametrize(("button", "count"), [("Import the good ones", 1), ("Cancel", 0)])
def test_entries_that_cannot_be_read_are_left_out_only_after_a_yes(
    qtbot: QtBot,
    empty: SetsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    button: str,
    count: int,
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"question": "How bright is Sirius?"}\n{"question": ""}\n', "utf-8")
    empty.import_cases("From a file", str(file))
    settle()
    box = open_dialog(empty, QMessageBox)
    assert box.text() == "1 entry of cases.jsonl cannot be read. 1 case can be imported."
    press_in_dialog(box, button)
    settle()
    assert sum(found.case_count for found in list_sets(console.database)) == count


def test_a_file_without_a_good_case_is_refused(
    empty: SetsPanel, console: Console, tmp_path: Path, settle: Settle
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"question": ""}\n', "utf-8")
    empty.import_cases("From a file", str(file))
    settle()
    ((sentence, kind),) = notices(console)
    assert (kind, sentence.startswith("cases.jsonl could not be imported.")) == ("bad", True)


def test_columns_of_a_table_are_matched_by_hand(
    qtbot: QtBot,
    empty: SetsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("input,wanted,colour\nHow bright is Sirius?,very,white\n", "utf-8")
    choose_file(monkeypatch, answer_box, file, "Table")
    empty.import_file()
    settle()
    dialog = open_dialog(empty, ImportDialog)
    assert dialog.summary.text() == "Read as csv: 1 case (1 new, 0 the same)."
    assert rows(dialog.rows)[0][1:3] == ["How bright is Sirius?", ""]
    assert "wanted (line 2): not used" in dialog.account.toPlainText()
    assert list_sets(console.database) == [], "nothing is stored before a yes"
    box = dialog.column_boxes["references"]
    box.setCurrentIndex(box.findData("wanted"))
    box.activated.emit(box.currentIndex())
    settle()
    assert rows(dialog.rows)[0][2] == "very"
    assert dialog.account.toPlainText().startswith("colour (line 2): not used")
    press_in_dialog(dialog, "Import")
    settle()
    (case,) = map(json.loads, list_cases(console.database, "Table"))
    assert (case["question"], case["references"]) == ("How bright is Sirius?", ["very"])


def test_what_an_import_replaces_and_cannot_read_is_shown_before(
    empty: SetsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("id,question\n1,How bright is Sirius?\n", "utf-8")
    empty.import_cases("Table", str(file))
    settle()
    file.write_text("id,question,weight\n1,What is rye?,1\n2,Who?,much\n", "utf-8")
    choose_file(monkeypatch, answer_box, file, "Table")
    empty.import_file()
    settle()
    dialog = open_dialog(empty, ImportDialog)
    assert (
        "replaces 1 case of “Table” by their keys: 1 (“How bright is Sirius?” → “What"
        in dialog.replaced.text()
    )
    assert "line 3: weight is “much”" in dialog.account.toPlainText()
    assert not dialog.import_button.isEnabled()
    dialog.skip_bad.setChecked(True)
    press_in_dialog(dialog, "Import")
    settle()
    (case,) = map(json.loads, list_cases(console.database, "Table"))
    assert case["question"] == "What is rye?"


def test_a_file_that_no_format_fits_can_be_read_as_another(
    empty: SetsPanel, console: Console, tmp_path: Path, settle: Settle
) -> None:
    file = tmp_path / "cases.txt"
    file.write_text('{"question": "Who?"}\n', "utf-8")
    dialog = ImportDialog(empty, console, "Table", str(file))
    settle()
    assert "Could not recognise the format" in dialog.summary.text() and not dialog.import_button.isEnabled()
    dialog.format_box.setCurrentIndex(dialog.format_box.findData("ragdeck"))
    dialog.read()
    settle()
    assert dialog.summary.text().startswith("Read as ragdeck: 1 case") and dialog.import_button.isEnabled()


def test_judgements_are_checked_and_corrected(
    panel: SetsPanel, console: Console, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found, *_) = list_collections(console.database)
    collection, documents = found.name, list_documents(console.database, found.active_version_id or 0)
    stem, suffix = documents[0].name.rsplit(".", 1)
    values = {"question": "Where?", "judgements": [{"document": f"{stem}_.{suffix}"}, {"document": "zzz"}]}
    assert panel.current is not None
    panel.save_case(panel.current.name, values)
    settle()
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: (collection, True))
    panel.check_judgements()
    settle()
    box = open_dialog(panel, QMessageBox)
    assert "are not found in version" in box.text() and "zzz: nothing is like it" in box.detailedText()
    press_in_dialog(box, "Correct 1")
    settle()
    assert notices(console)[-1][0].startswith("Corrected 1 judgement")


def test_no_file_or_no_name_imports_nothing(
    qtbot: QtBot,
    empty: SetsPanel,
    console: Console,
    tmp_path: Path,
    answer_box: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_box("")
    click(qtbot, empty, "Import…")
    choose_file(monkeypatch, answer_box, tmp_path / "cases.jsonl", "   ")
    click(qtbot, empty, "Import…")
    assert console.engine.tasks == []


@pytest.mark.parametrize(("title", "file"), [("Ragdeck JSONL", "gold.jsonl"), ("SQuAD", "gold.json")])
def test_a_set_is_exported_in_the_chosen_format(
    qtbot: QtBot,
    panel: SetsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
    monkeypatch: pytest.MonkeyPatch,
    title: str,
    file: str,
) -> None:
    answer_box(str(tmp_path / file))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: (title, True))
    click(qtbot, panel, "Export…")
    settle()
    assert "What does rye bread need?" in (tmp_path / file).read_text("utf-8")
    ((sentence, kind),) = notices(console)
    assert (kind, sentence.startswith(f"{file} was written.")) == ("info", True)
    lossy = title == "SQuAD"
    assert ("The format cannot contain: " in sentence) == lossy


def test_an_export_that_cannot_be_written_is_a_notice(
    qtbot: QtBot,
    panel: SetsPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Answer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: ("CSV", True))
    answer_box("")
    click(qtbot, panel, "Export…")
    assert console.engine.tasks == []
    answer_box(str(tmp_path / "missing" / "gold.csv"))
    click(qtbot, panel, "Export…")
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]


# --- Questions from Ask -----------------------------------------------------------------------------------


def test_questions_from_ask_become_a_set_in_one_step(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle, gold: Workspace
) -> None:
    for question in ("What does rye bread need?", "How bright is Sirius?", "how bright is  Sirius?"):
        ask_once(gold, question, "Twelve hours [1].")
    click(qtbot, panel, "From questions…")
    dialog = open_dialog(panel, AskedDialog)
    assert not button_of(dialog, "Make cases").isEnabled()
    assert len(rows(dialog.table)) == 3
    dialog.set_box.setEditText("Asked")
    click(qtbot, dialog, "Choose all")
    click(qtbot, dialog, "Make 3 cases")
    settle()
    assert panel.current is not None and (panel.current.name, panel.current.number) == ("Asked", 1)
    assert len(rows(panel.cases)) == 2
    assert notices(console)[-1][0].startswith("2 questions are in “Asked” now; 1 repetition left out")


def test_a_session_is_chosen_whole_and_a_search_narrows(
    qtbot: QtBot, panel: SetsPanel, console: Console, gold: Workspace
) -> None:
    ask_once(gold, "What does rye bread need?")
    ask_once(gold, "How bright is Sirius?")
    dialog = AskedDialog(console, "Gold", panel)
    qtbot.addWidget(dialog)
    assert dialog.session_box.itemText(1) == "How bright is Sirius? (1 question)"
    dialog.session_box.setCurrentIndex(1)
    assert [trace.question for trace in dialog.chosen] == ["How bright is Sirius?"]
    dialog.session_box.setCurrentIndex(0)
    dialog.search.setText("rye")
    dialog.search.searched.emit("rye")
    assert column(dialog.table, "Question") == ["What does rye bread need?"]
    dialog.set_box.setEditText(" ")
    dialog.table.selectAll()
    assert dialog.buttons.buttons()[0].toolTip() == "Name the set."


# --- The form of a case -----------------------------------------------------------------------------------


@pytest.fixture
def form(qtbot: QtBot, console: Console, gold: Workspace) -> CaseDialog:
    dialog = CaseDialog(console, "Gold")
    qtbot.addWidget(dialog)
    dialog.question.setPlainText("How bright is Sirius?")
    return dialog


def stored(console: Console) -> dict[str, dict[str, Any]]:
    return {case["question"]: case for case in map(json.loads, list_cases(console.database, "Gold"))}


def test_a_new_form_gives_what_was_chosen(form: CaseDialog, settle: Settle) -> None:
    form.judgements.set_values([{"document": "stars.txt", "quote": "Sirius", "grade": 2}])
    form.checks.set_checks([{"type": "contains", "value": "bright"}])
    form.refuse.setChecked(True)
    form.weight.setValue(2.5)
    form.key.setText(" sirius ")
    settle()
    values = form.values()
    assert values["judgements"] == [{"document": "stars.txt", "quote": "Sirius", "grade": 2}]
    assert values["checks"] == [{"type": "contains", "value": "bright"}]
    assert (values["should_refuse"], values["weight"], values["key"]) == (True, 2.5, "sirius")


def test_a_form_with_something_wrong_stays_open_and_says_what(
    form: CaseDialog, console: Console, settle: Settle
) -> None:
    form.open()
    form.question.setPlainText("  ")
    button_of(form, "Save").click()
    settle()
    assert form._wrong.text() == "Type the question first." and form.isVisible()
    form.question.setPlainText("How bright is Sirius?")
    form.checks.rules.text.setPlainText("- type: shouts")
    button_of(form, "Save").click()  # without waiting for the pause after typing
    settle()
    assert "type: Input should be" in form._wrong.text() and form.isVisible()
    form.checks.rules.text.setPlainText("")
    form.key.setText("bread")
    button_of(form, "Save").click()
    settle()
    assert "already has a case bread" in form._wrong.text() and form.isVisible()
    assert "How bright is Sirius?" not in stored(console)


def test_save_and_next_takes_one_case_after_the_other(
    form: CaseDialog, console: Console, settle: Settle
) -> None:
    form.open()
    form.references.setPlainText("very")
    form.next_button.click()
    settle()
    assert stored(console)["How bright is Sirius?"]["references"] == ["very"]
    assert form.isVisible() and form.question.toPlainText() == form.references.toPlainText() == ""
    assert form._said.text() == "Saved: “How bright is Sirius?”"
    form.question.setPlainText("And the moon?")
    button_of(form, "Save").click()
    settle()
    assert "And the moon?" in stored(console) and not form.isVisible()


def test_save_and_next_goes_through_the_list_to_its_end(
    qtbot: QtBot, panel: SetsPanel, console: Console, settle: Settle
) -> None:
    cases = panel.cases.records_model.records
    dialog = CaseDialog(console, "Gold", cases[1], cases)
    qtbot.addWidget(dialog)
    settle()
    dialog.references.setPlainText("four metres")
    dialog.key.setText("flood")
    dialog.next_button.click()
    settle()
    assert stored(console)["How far does the tide at Bremen rise?"]["key"] == "flood"
    assert dialog.question.toPlainText() == "Quantum chromodynamics lattice?" and dialog.refuse.isChecked()
    assert not dialog.next_button.isEnabled()
    assert dialog.next_button.toolTip() == "This is the last case of the list."


def test_a_passage_that_was_not_changed_keeps_its_place(qtbot: QtBot, console: Console) -> None:
    judgement = {"document": "stars.txt", "quote": "Sirius\nis bright.", "grade": 3, "start": 10, "end": 30}
    case = {"question": "Q?", "key": "q", "judgements": [judgement], "origin": "trace:1", "cluster": "c"}
    dialog = CaseDialog(console, "Gold", case)
    qtbot.addWidget(dialog)
    assert dialog.windowTitle() == "Edit a case"
    assert rows(dialog.judgements.table) == [["stars.txt", "Sirius is bright.", "3"]]
    values = dialog.values()
    assert values["judgements"] == [judgement]
    assert (values["origin"], values["cluster"]) == ("trace:1", "c")


def test_a_refused_save_and_next_stays_at_its_case(
    form: CaseDialog, console: Console, settle: Settle
) -> None:
    form.open()
    form.key.setText("moon")
    form.next_button.click()
    settle()
    assert form.question.toPlainText() == "How bright is Sirius?" and form.isVisible()
    assert "already has a case moon" in form._wrong.text() and form._said.isHidden()
    assert form.next_button.isEnabled() and len(stored(console)) == 3


def test_a_case_gets_its_checks_and_passages_by_clicking(
    qtbot: QtBot, form: CaseDialog, console: Console, settle: Settle
) -> None:
    form.open()
    click(qtbot, form, "Add a check")
    qtbot.keyClicks(form.checks.lines[0].value, "bright")
    form.judgements.set_values([{"document": "stars.txt", "quote": "Sirius", "grade": 1}])
    button_of(form, "Save").click()
    settle()
    case = stored(console)["How bright is Sirius?"]
    assert case["checks"] == [{"type": "contains", "value": "bright"}]
    assert (case["judgements"][0]["document"], case["judgements"][0]["quote"]) == ("stars.txt", "Sirius")


def test_passages_are_searched_for_with_the_question_as_it_stands(form: CaseDialog) -> None:
    form.question.setPlainText("And how far is it?")
    assert form.judgements._question() == "And how far is it?"
