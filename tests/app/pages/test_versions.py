"""The page Versions: the history, what changed, what two versions find, and everything done with a version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from driving import button_of, click, column, notices, open_dialog, press_in_dialog, rows, texts
from fakes import drive
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot
from sqlmodel import select

from app.console import Console, Offer
from app.pages.versions.about_panel import version_facts
from app.pages.versions.comparison_panel import RANK_COLUMNS
from app.pages.versions.page import VersionsPage
from app.pages.versions.trial_dialog import TrialDialog
from app.pages.versions.words import delta
from app.widgets.layout import EmptyState
from rag import operations
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.edits import edit_document, exclude_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import list_chunks, list_documents, list_versions
from rag.knowledge.versions import activate_version
from rag.storage.tables.knowledge import Collection, Verification
from rag.workspace import Workspace

Settle = Callable[[], None]
Hold = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> VersionsPage:
    """The page with two versions of “Notes”."""
    made = VersionsPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


@pytest.fixture
def held_lane(console: Console) -> Hold:
    """Keep operations that change collections waiting for as long as a with block lasts."""

    @contextmanager
    def hold() -> Iterator[None]:
        first = console.engine.start(operations.verify_index, collection="Notes")
        first.pause()
        yield
        first.resume()

    return hold


def numbers(page: VersionsPage) -> list[tuple[int, bool]]:
    return [(version.number, version.active) for version in page.history.versions]


def choose(page: VersionsPage, number: int, settle: Settle) -> None:
    assert page.history.table.choose(lambda version: version.number == number)
    settle()


def facts(page: VersionsPage) -> str:
    return texts(page.about)


# --- the history ------------------------------------------------------------------------------------------


def test_without_versions_the_page_says_where_they_come_from(qtbot: QtBot, console: Console) -> None:
    page = VersionsPage(console)
    qtbot.addWidget(page)
    page.show()
    (shown,) = [found for found in page.findChildren(EmptyState) if found.isVisible()]
    assert "Each change to a collection creates a version" in texts(shown)
    assert page.history.collection is None and page.history.current is None
    for name in ("Undo", "Verify", "Tag…", "Try other settings…"):
        button_of(page, name).click()
    assert console.engine.tasks == [] and notices(console) == []


def test_the_first_ingest_fills_the_empty_page(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path, settle: Settle
) -> None:
    page = VersionsPage(console)
    qtbot.addWidget(page)
    page.show()
    drive(ingest_files(open_workspace, "Notes", [str(documents)]))
    console.data_changed.emit()
    settle()
    assert page.history.table.isVisible()
    assert numbers(page) == [(1, True)]
    assert page.changes.line.text() == "The first version: there is none to compare it with"
    assert page.changes.table.records_model.rowCount() == 0


def test_versions_are_listed_newest_first_with_what_came_and_went(page: VersionsPage) -> None:
    assert column(page.history.table, "#") == ["2", "1"]
    assert column(page.history.table, "State") == ["active", ""]
    assert column(page.history.table, "Documents") == ["4", "3"]  # an ingest does not remove
    assert column(page.history.table, "± chunks") == ["+2  −1", "+3"]
    assert column(page.history.table, "Verified") == ["yes", "yes"]
    assert page.history.facts.text() == "2 versions   ·   fake"
    assert page.history.current is not None and page.history.current.number == 2


def test_another_collection_shows_its_own_versions(
    page: VersionsPage, console: Console, open_workspace: Workspace, notes: Path, settle: Settle
) -> None:
    drive(ingest_files(open_workspace, "Weather", [str(notes / "winter.txt")]))
    console.data_changed.emit()
    settle()
    assert page.history.collection_box.currentText() == "Notes"
    page.choose("Weather")
    settle()
    assert numbers(page) == [(1, True)]
    assert page.history.facts.text().startswith("1 version ")
    page.choose("Nowhere")
    settle()
    assert page.history.collection is None
    assert numbers(page) == [] and page.changes.pair is None


def test_facts_name_the_parent_the_chunk_settings_and_the_verification(
    page: VersionsPage, settle: Settle
) -> None:
    page.tabs.setCurrentWidget(page.about)
    shown = facts(page)
    assert "from version 1" in shown
    assert "4   (added 1, replaced 1, removed 0)" in shown
    assert "up to 200 tokens, overlapping by 24" in shown
    assert "verified on" in shown and "verification queries" in shown
    choose(page, 1, settle)
    assert "from nothing" in facts(page)


def test_a_failed_verification_is_told_apart(
    page: VersionsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    with open_workspace.store.session() as session:
        for verification in session.exec(select(Verification)):
            verification.ok, verification.detail = False, "Two texts are missing."
            session.add(verification)
    console.data_changed.emit()
    settle()
    assert column(page.history.table, "Verified") == ["no", "no"]
    assert "verification failed on" in facts(page)
    assert "Two texts are missing." in facts(page)


# --- what changed -----------------------------------------------------------------------------------------


def test_the_chosen_version_is_compared_with_its_parent(page: VersionsPage) -> None:
    assert "1 changed, 1 added; 2 the same" in page.changes.line.text()
    assert sorted(column(page.changes.table, "Document")) == ["bread.md", "winter.txt"]
    assert page.changes.diff_view.summary == "Change 1 of 1"
    assert "14 hours" in page.changes.diff_view.shown_text


def test_a_chosen_document_is_shown_side_by_side(page: VersionsPage, settle: Settle) -> None:
    page.changes.table.choose(lambda change: change.kind == "added")
    settle()
    assert "Storms come in winter" in page.changes.diff_view.shown_text


def test_versions_are_compared_in_either_direction(page: VersionsPage, settle: Settle) -> None:
    page.tabs.setCurrentWidget(page.about)
    page.compare(2, 1)
    settle()
    assert page.tabs.currentWidget() is page.changes
    assert "1 removed" in page.changes.line.text()
    page.compare(2, 2)
    settle()
    assert page.changes.line.text() == "This is the same version twice"
    assert page.changes.diff_view.shown_text == ""


def test_the_boxes_choose_what_is_compared(page: VersionsPage, settle: Settle) -> None:
    page.changes.old_box.setCurrentIndex(
        page.changes.old_box.findText("Version 2", Qt.MatchFlag.MatchStartsWith)
    )
    settle()
    assert page.changes.pair is not None
    assert [version.number for version in page.changes.pair] == [2, 2]
    page.changes.old_box.setCurrentIndex(-1)
    settle()
    assert page.changes.pair is None
    assert page.changes.line.text() == "" and rows(page.changes.table) == []
    assert not page.comparison.compare_button.isEnabled()


def test_version_1_is_not_taken_for_version_10(
    page: VersionsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    for number in range(3, 11):
        document = list_documents(open_workspace.database, list_versions(open_workspace.database, 1)[0].id)[0]
        drive(edit_document(open_workspace, "Notes", document.id, {"status": f"draft {number}"}))
    console.data_changed.emit()
    settle()
    page.compare(1, 2)
    settle()
    assert page.changes.pair is not None
    assert [version.number for version in page.changes.pair] == [1, 2]
    assert page.changes.old_box.currentText() == "Version 1"


def test_changed_metadata_are_told_in_words(
    page: VersionsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    version = list_versions(open_workspace.database, 1)[0]
    document = next(d for d in list_documents(open_workspace.database, version.id) if d.name == "tides.txt")
    drive(edit_document(open_workspace, "Notes", document.id, {"author": "Ann"}))
    console.data_changed.emit()
    settle()
    page.compare(2, 3)
    settle()
    assert column(page.changes.table, "Change") == ["metadata"]
    assert page.changes.diff_view.summary.startswith("Metadata: none  →")
    assert "Ann" in page.changes.diff_view.summary


def test_an_excluded_chunk_is_shown_with_its_reason(
    page: VersionsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    version = list_versions(open_workspace.database, 1)[0]
    document = next(d for d in list_documents(open_workspace.database, version.id) if d.name == "tides.txt")
    chunk = list_chunks(open_workspace.database, document.id)[0]
    drive(exclude_chunks(open_workspace, "Notes", [chunk.id], "outdated"))
    console.data_changed.emit()
    settle()
    page.compare(2, 3)
    settle()
    assert column(page.changes.table, "Change") == ["excluded"]
    assert "excluded: outdated" in page.changes.diff_view.shown_text


# --- activating, undoing, verifying -----------------------------------------------------------------------


def test_a_version_is_activated_and_verified(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    assert not page.history.activate_button.isEnabled() and not page.history.delete_button.isEnabled()
    choose(page, 1, settle)
    click(qtbot, page, "Make active")
    settle()
    assert numbers(page) == [(2, False), (1, True)]
    sentence, kind = notices(console)[-1]
    assert kind == "info"
    assert sentence.startswith("Version 1 is active after ") and "Verified: " in sentence
    assert not page.strip.isVisible()


def test_an_activation_offers_the_way_back(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    offers: list[Offer] = []
    console.offer.connect(offers.append)
    choose(page, 1, settle)
    click(qtbot, page, "Make active")
    settle()
    (offer,) = offers
    assert offer.action == "Undo"
    offer.run()
    settle()
    assert numbers(page) == [(2, True), (1, False)]


def test_undo_goes_back_until_the_first_version(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    click(qtbot, page, "Undo")
    settle()
    assert numbers(page) == [(2, False), (1, True)]
    undo = page.history.undo_button
    assert not undo.isEnabled()
    assert undo.toolTip() == "The active version was made from no other."


def test_what_cannot_be_done_with_a_version_says_why(page: VersionsPage, settle: Settle) -> None:
    history = page.history
    choose(page, 2, settle)
    assert history.activate_button.toolTip() == "This version is active already."
    assert history.delete_button.toolTip() == "The active version cannot be deleted."
    choose(page, 1, settle)
    assert history.activate_button.isEnabled()
    assert history.activate_button.toolTip().startswith("Questions are answered from")
    history.table.clearSelection()
    history.refresh()
    assert history.current is not None  # a list with rows has a chosen one


def test_verify_says_what_was_compared(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    click(qtbot, page, "Verify")
    settle()
    sentence, kind = notices(console)[-1]
    assert kind == "info"
    assert sentence.startswith("Verified: ")
    assert "4 of 4 vectors checked are the same" in sentence


def test_a_cancelled_operation_says_that_nothing_changed(
    qtbot: QtBot, page: VersionsPage, console: Console, held_lane: Hold, settle: Settle
) -> None:
    choose(page, 1, settle)
    with held_lane():
        click(qtbot, page, "Make active")
        assert page.strip.isVisible() and page.strip.is_busy
        click(qtbot, page.strip, "Cancel")
    settle()
    assert notices(console) == [("Cancelled. The active version did not change.", "info")]
    assert numbers(page) == [(2, True), (1, False)]
    assert not page.strip.isVisible()


def test_a_cancel_that_comes_too_late_is_told(
    qtbot: QtBot, page: VersionsPage, console: Console, open_workspace: Workspace,
    held_lane: Hold, settle: Settle,
) -> None:  # fmt: skip
    choose(page, 1, settle)
    with held_lane():
        click(qtbot, page, "Make active")
        drive(activate_version(open_workspace, "Notes", 1))  # what the engine may have done already
        click(qtbot, page.strip, "Cancel")
    settle()
    assert notices(console) == [("Cancelled too late: version 1 is active now. “Undo” goes back.", "info")]
    assert numbers(page) == [(2, False), (1, True)]


def test_a_version_is_asked(qtbot: QtBot, page: VersionsPage, settle: Settle) -> None:
    choose(page, 1, settle)
    with qtbot.waitSignal(page.ask_requested) as asked:
        click(qtbot, page, "Ask this version")
    assert asked.args == ["Notes", 1]


# --- tags, deleting, verification queries -----------------------------------------------------------------


def test_a_tag_is_set_moved_and_removed(
    qtbot: QtBot, page: VersionsPage, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: ("baseline", True))
    choose(page, 1, settle)
    click(qtbot, page, "Tag…")
    settle()
    assert column(page.history.table, "Tags") == ["", "baseline"]
    assert "Version 1  (baseline)" in [page.changes.old_box.itemText(n) for n in range(2)]
    choose(page, 2, settle)
    click(qtbot, page, "Tag…")
    settle()
    assert column(page.history.table, "Tags") == ["baseline", ""]
    actions = dict(page.history.table.actions_for(page.history.table.selected_records()))
    actions["Remove the tag “baseline”"]()
    settle()
    assert column(page.history.table, "Tags") == ["", ""]


def test_a_tag_that_is_not_given_or_not_allowed_changes_nothing(
    qtbot: QtBot, page: VersionsPage, console: Console, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: ("baseline", False))
    click(qtbot, page, "Tag…")
    settle()
    assert notices(console) == []
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_a, **_k: ("7", True))  # it would read as a number
    click(qtbot, page, "Tag…")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert column(page.history.table, "Tags") == ["", ""]


def test_a_version_is_deleted_only_after_a_yes(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    choose(page, 1, settle)
    click(qtbot, page, "Delete…")
    box = open_dialog(page, QMessageBox)
    assert "Delete version 1 (“" in box.text()
    assert box.defaultButton().text().replace("&", "") == "Cancel"
    press_in_dialog(box, "Cancel")
    settle()
    assert numbers(page) == [(2, True), (1, False)]
    click(qtbot, page, "Delete…")
    press_in_dialog(open_dialog(page, QMessageBox), "Delete")
    settle()
    assert numbers(page) == [(2, True)]
    sentence, kind = notices(console)[-1]
    assert (sentence, kind) == (
        "Version 1 was deleted, with 1 document that no other version contains.", "info",
    )  # fmt: skip


def test_the_active_version_is_not_deleted(page: VersionsPage, console: Console, settle: Settle) -> None:
    active = next(version for version in page.history.versions if version.active)
    page.history.version_actions.delete(active)
    settle()
    assert notices(console)[-1][1] == "bad"
    assert numbers(page) == [(2, True), (1, False)]


def test_a_verification_query_is_saved_and_used(
    qtbot: QtBot, page: VersionsPage, console: Console, answer_box: Callable[[object], None], settle: Settle
) -> None:
    answer_box("   ")
    click(qtbot, page, "Add a verification query…")
    settle()
    assert notices(console) == []
    answer_box("How long does rye bread rest?")
    click(qtbot, page, "Add a verification query…")
    settle()
    assert notices(console) == [("The verification query was saved.", "info")]
    choose(page, 1, settle)
    click(qtbot, page, "Make active")
    settle()
    assert "Verified" in notices(console)[-1][0]


# --- trials and comparisons -------------------------------------------------------------------------------


def test_a_trial_is_built_with_other_settings_and_compared(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    click(qtbot, page, "Try other settings…")
    dialog = open_dialog(page, TrialDialog)
    assert (dialog.max_tokens.value(), dialog.overlap.value()) == (200, 24)
    dialog.max_tokens.setValue(32)
    dialog.overlap.setValue(0)
    assert not dialog.keep_encoded.isChecked()
    dialog.keep_encoded.setChecked(True)
    press_in_dialog(dialog, "Build")
    settle()
    assert column(page.history.table, "State") == ["trial", "active", ""]
    assert page.tabs.currentWidget() is page.comparison
    assert page.history.current is not None and page.history.current.number == 3
    assert notices(console)[-1][0].startswith("Version 3 is a trial: ")
    assert page.history.current.message.endswith("with encoded text")
    page.comparison.questions.setPlainText("How long does rye bread rest?\n\nWhen do storms come?\n")
    click(qtbot, page, "Compare")
    settle()
    assert sorted(column(page.comparison.queries, "Question")) == [
        "How long does rye bread rest?", "When do storms come?",
    ]  # fmt: skip
    assert page.comparison.line.text().startswith("Left: version 2, right: version 3.")
    assert "% of the first 10 passages are in both" in page.comparison.line.text()
    assert page.comparison.ranks.records_model.rowCount() > 0


def test_a_trial_that_is_cancelled_builds_nothing(
    qtbot: QtBot, page: VersionsPage, console: Console, settle: Settle
) -> None:
    click(qtbot, page, "Try other settings…")
    press_in_dialog(open_dialog(page, TrialDialog), "Cancel")
    settle()
    assert numbers(page) == [(2, True), (1, False)]


def test_a_trial_with_a_folder_that_is_no_embedder_is_refused(
    qtbot: QtBot, page: VersionsPage, console: Console, answer_box: Callable[[object], None], tmp_path: Path,
    settle: Settle,
) -> None:  # fmt: skip
    click(qtbot, page, "Try other settings…")
    dialog = open_dialog(page, TrialDialog)
    answer_box(str(tmp_path))
    click(qtbot, dialog, "Choose…")
    assert dialog.folder.text() == str(tmp_path)
    press_in_dialog(dialog, "Build")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert numbers(page) == [(2, True), (1, False)]


def test_judged_questions_add_recall_and_the_file_is_chosen(
    qtbot: QtBot, page: VersionsPage, answer_box: Callable[[object], None], tmp_path: Path, settle: Settle
) -> None:
    judged = tmp_path / "judged.jsonl"
    line = {"question": "When do storms come?", "documents": ["winter.txt"]}
    judged.write_text(json.dumps(line) + "\n", "utf-8")
    page.tabs.setCurrentWidget(page.comparison)
    answer_box(str(judged))
    click(qtbot, page.comparison, "Choose…")
    assert page.comparison.judged.text() == str(judged)
    click(qtbot, page, "Compare")
    settle()
    assert column(page.comparison.queries, "Question") == ["When do storms come?"]
    assert "0.000 → 1.000 (n = 1)." in page.comparison.line.text()


def test_the_baseline_is_said_and_swapped(qtbot: QtBot, page: VersionsPage, settle: Settle) -> None:
    page.compare(1, 2)
    page.tabs.setCurrentWidget(page.comparison)
    page.comparison.questions.setPlainText("When do storms come?")
    click(qtbot, page.comparison, "Compare")
    settle()
    assert "Version 1 is the baseline." in page.comparison.line.text()
    click(qtbot, page.comparison, "Swap")
    settle()
    assert page.comparison.line.text().startswith("Left: version 2, right: version 1.")
    page.tabs.setCurrentWidget(page.changes)
    click(qtbot, page.changes, "Swap")
    settle()
    assert page.changes.pair is not None
    assert [version.number for version in page.changes.pair] == [1, 2]


def test_a_set_can_be_asked(
    qtbot: QtBot, page: VersionsPage, open_workspace: Workspace, console: Console, settle: Settle
) -> None:
    create_set(open_workspace, "Gold")
    judged = [Judgement(document="winter.txt")]
    change_set(open_workspace, "Gold", put=[Case(question="When do storms come?", judgements=judged)])
    page.compare(1, 2)
    page.comparison.set_box.setCurrentIndex(page.comparison.set_box.findText("Gold"))
    page.tabs.setCurrentWidget(page.comparison)
    click(qtbot, page.comparison, "Compare")
    settle()
    assert column(page.comparison.queries, "Question") == ["When do storms come?"]
    assert "0.000 → 1.000 (n = 1)." in page.comparison.line.text()
    assert "1 case has a value in both runs; a comparison needs at least 6." in page.comparison.line.text()


def test_a_cancelled_file_dialog_leaves_the_field_alone(
    qtbot: QtBot, page: VersionsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_a, **_k: ("", ""))
    page.comparison.judged.setText("mine.jsonl")
    click(qtbot, page.comparison, "Choose…")
    assert page.comparison.judged.text() == "mine.jsonl"


def test_a_comparison_with_a_file_that_does_not_exist_is_refused(
    qtbot: QtBot, page: VersionsPage, console: Console, tmp_path: Path, settle: Settle
) -> None:
    page.comparison.judged.setText(str(tmp_path / "nothing.jsonl"))
    page.tabs.setCurrentWidget(page.comparison)
    click(qtbot, page, "Compare")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert rows(page.comparison.queries) == []


# --- the context menu -------------------------------------------------------------------------------------


def test_the_menu_offers_what_fits_the_selection(page: VersionsPage, settle: Settle) -> None:
    newest, oldest = page.history.versions
    actions = page.history.table.actions_for
    assert actions is not None
    assert [title for title, _ in actions([newest])] == ["Ask this version", "Tag…"]
    assert [title for title, _ in actions([oldest])] == ["Make active", "Ask this version", "Tag…", "Delete…"]
    assert actions([]) == []
    ((title, compare),) = actions([newest, oldest])
    assert title == "Compare versions 1 and 2"
    page.tabs.setCurrentWidget(page.about)
    compare()
    settle()
    assert page.tabs.currentWidget() is page.changes
    assert page.changes.pair == (oldest, newest)


def test_removed_documents_appear_as_removed(
    page: VersionsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    version = list_versions(open_workspace.database, 1)[0]
    document = next(d for d in list_documents(open_workspace.database, version.id) if d.name == "tides.txt")
    drive(remove_documents(open_workspace, "Notes", [document.id]))
    console.data_changed.emit()
    settle()
    choose(page, 3, settle)
    assert column(page.changes.table, "Change") == ["removed"]
    assert "The tide at Bremen" in page.changes.diff_view.shown_text


# --- words ------------------------------------------------------------------------------------------------


def test_differences_are_told_with_signs() -> None:
    assert delta(0, 0) == "="
    assert delta(1200, 0) == "+1,200"
    assert delta(3, 1) == "+3  −1"


def test_the_facts_of_a_version_say_what_is_not_known(console: Console, notes: Path) -> None:
    version = list_versions(console.database, 1)[0]
    shown = dict(version_facts(replace(version, verified_ms=None, parent_number=None, tags=("a", "b"))))
    assert shown["Index"] == "not verified since it was created"
    assert shown["Created"].endswith(", from nothing")
    assert shown["Version"] == "2   active   a, b"
    assert dict(version_facts(replace(version, active=False, trial=True)))["Version"] == "2   trial"


def test_passages_that_came_or_went_are_coloured(page: VersionsPage) -> None:
    *_, new = RANK_COLUMNS
    assert new.colour is not None
    assert new.colour(("a.txt", "", None, 1)) == "good"
    assert new.colour(("a.txt", "", 1, None)) == "bad"
    assert new.colour(("a.txt", "", 1, 2)) is None
    assert new.text(("a.txt", "", 1, None)) == "–"


def test_the_chosen_question_shows_its_ranks(qtbot: QtBot, page: VersionsPage, settle: Settle) -> None:
    page.tabs.setCurrentWidget(page.comparison)
    page.comparison.questions.setPlainText("When do storms come in winter?\nHow high is the tide at Bremen?")
    click(qtbot, page, "Compare")
    settle()
    assert page.comparison.queries.choose(lambda query: query.query.startswith("When do storms"))
    assert "winter.txt" in column(page.comparison.ranks, "Document")
    place = column(page.comparison.ranks, "Document").index("winter.txt")
    assert column(page.comparison.ranks, "Left rank")[place] == "–"  # it is new in version 2
    assert column(page.comparison.queries, "Left") != column(page.comparison.queries, "Right")


def test_a_collection_with_a_server_names_it(
    page: VersionsPage, console: Console, open_workspace: Workspace
) -> None:
    with open_workspace.store.session() as session:
        found = session.get_one(Collection, 1)
        found.index_server = "http://localhost:8000"
        session.add(found)
    console.data_changed.emit()
    assert page.history.facts.text() == "2 versions   ·   fake   ·   served from http://localhost:8000"


def test_a_tag_in_the_boxes_follows_the_table(page: VersionsPage, settle: Settle) -> None:
    page.history.version_actions.tag(page.history.versions[0], "released")
    settle()
    assert page.changes.new_box.currentText() == "Version 2  (active, released)"
    page.history.version_actions.untag("Notes", "released")
    settle()
    assert page.changes.new_box.currentText() == "Version 2  (active)"
