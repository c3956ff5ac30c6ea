"""The page Ask: asking by keyboard and mouse, the answer with its sources, choices, stopping, blind comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import ask_once, button_of, click, notices, texts
from fakes import GatedModel, drive
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.cards.blind_card import BlindCard
from app.pages.ask.page import AskPage
from app.shared.source_panel import SourcePanel
from rag.asking.cascades.rows import StepRejected
from rag.asking.rows import (
    AnswerRestarted,
    AskResult,
    ClaimsChecked,
    PromptProgress,
    TokenStreamed,
    TraceFilter,
    TraceStatus,
    list_traces,
)
from rag.errors import ModelError
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.review.rollouts import promote_rollout, start_rollout
from rag.review.rows import list_rollouts
from rag.sample.rows import SAMPLE_COLLECTION, sample_questions
from rag.workspace import Workspace

Settle = Callable[[], None]
QUESTION = "How long does rye bread rest?"
ANSWER = "Rye bread needs sourdough and 14 hours of rest [1]."


@pytest.fixture
def model() -> GatedModel:
    return GatedModel(ANSWER)


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, settle: Settle) -> AskPage:
    """The page with the collection “Notes”."""
    made = AskPage(console)
    qtbot.addWidget(made)
    made.resize(1600, 800)
    made.show()
    settle()
    return made


def send(qtbot: QtBot, page: AskPage, question: str = QUESTION) -> AnswerCard | BlindCard:
    """Type a question, press Enter, and wait for the end."""
    qtbot.keyClicks(page.question, question)
    qtbot.keyClick(page.question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page._task is None and not page._console.engine.tasks, timeout=10_000)
    return page.conversation.cards[-1]


def sessions(console: Console) -> list[str]:
    """Return the session of each trace, oldest first."""
    return [
        row[0] for row in console.database.query("SELECT session_id FROM trace ORDER BY created_ms, rowid")
    ]


def entries(box: QComboBox) -> list[str]:
    return [box.itemText(number) for number in range(box.count())]


# --- before a question ------------------------------------------------------------------------------------


def test_without_documents_the_page_asks_for_some(qtbot: QtBot, console: Console, settle: Settle) -> None:
    page = AskPage(console)
    qtbot.addWidget(page)
    page.show()
    assert "No documents yet" in texts(page._no_documents)
    assert not page.send_button.isEnabled()
    with qtbot.waitSignal(page.documents_wanted):
        click(qtbot, page, "Add documents…")
    qtbot.keyClicks(page.question, "Why?")
    qtbot.keyClick(page.question, Qt.Key.Key_Return)
    assert notices(console) == [("There is no collection to ask yet. Add documents first.", "bad")]
    assert page.question.toPlainText() == "Why?"  # nothing is lost
    assert page.conversation.cards == []


def test_the_first_documents_make_the_page_ready(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path
) -> None:
    page = AskPage(console)
    qtbot.addWidget(page)
    page.show()
    drive(ingest_files(open_workspace, "Notes", [str(documents)]))
    console.data_changed.emit()
    assert page.send_button.isEnabled()
    assert "Ask your documents" in texts(page._start)
    assert not page._samples.isVisible()


def test_questions_are_offered_for_the_sample_alone(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path, settle: Settle
) -> None:
    drive(ingest_files(open_workspace, SAMPLE_COLLECTION, [str(documents)]))
    page = AskPage(console)
    qtbot.addWidget(page)
    page.show()
    offered = page._samples.findChildren(QAbstractButton)
    assert [button.text() for button in offered] == sample_questions()
    qtbot.mouseClick(offered[1], Qt.MouseButton.LeftButton)
    settle()
    assert list_traces(console.database, TraceFilter())[0].question == sample_questions()[1]


def test_an_empty_question_is_not_asked(qtbot: QtBot, page: AskPage, console: Console) -> None:
    qtbot.keyClicks(page.question, "   ")
    qtbot.keyClick(page.question, Qt.Key.Key_Return)
    click(qtbot, page, "Ask")
    assert page.conversation.cards == [] and console.engine.tasks == []


# --- a question and its answer ----------------------------------------------------------------------------


def test_enter_asks_and_the_answer_comes_with_figures_sources_and_flags(
    qtbot: QtBot, page: AskPage, console: Console, model: GatedModel
) -> None:
    with qtbot.waitSignal(page.asked):
        card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    assert card.answer.toPlainText() == ANSWER
    assert page.question.toPlainText() == ""
    assert re.fullmatch(r"\d of 4 chunks from \d of 4 documents", card.packed.text())
    assert re.match(r"\d+ \+ 10 tokens   ·   \d+\.\d s", card.status.text())
    assert card.flags.text().startswith("1 of 1 sentence")
    first = button_of(card, "Open source [1] bread.md, Bread, cited")
    assert first.font().bold()  # it is cited
    assert card.feedback.isVisible() and not card.arm.isVisible()
    assert notices(console) == []


def test_shift_and_enter_start_a_new_line(qtbot: QtBot, page: AskPage) -> None:
    qtbot.keyClicks(page.question, "Two")
    qtbot.keyClick(page.question, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(page.question, "lines")
    assert page.question.toPlainText() == "Two\nlines"
    assert page.conversation.cards == []


def test_follow_ups_share_a_session_until_a_new_one_is_begun(
    qtbot: QtBot, page: AskPage, console: Console
) -> None:
    send(qtbot, page)
    send(qtbot, page, "And white bread?")
    first, second = sessions(console)
    assert first == second
    click(qtbot, page, "New session")
    assert page.conversation.cards == []
    assert "Ask your documents" in texts(page._start) and page._start.isVisible()
    send(qtbot, page)
    assert sessions(console)[-1] != first


def test_the_trace_of_an_answer_is_opened(qtbot: QtBot, page: AskPage) -> None:
    card = send(qtbot, page)
    link = button_of(card, "Open trace")
    assert link.toolTip() == "Trace of this answer"
    with qtbot.waitSignal(page.trace_requested) as opened:
        click(qtbot, card, "Open trace")
    assert opened.args == [card.trace_id]  # type: ignore[union-attr]


def test_a_citation_a_source_and_a_sentence_open_the_passage(qtbot: QtBot, page: AskPage) -> None:
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    passage = page.sources.passage_view
    card.answer.citation_clicked.emit(1)
    assert "14 hours of rest" in passage.marked_text
    page.sources.clear()
    click(qtbot, card, "Open source [1] bread.md, Bread, cited")
    assert "14 hours of rest" in passage.marked_text
    card.answer.claim_clicked.emit(0)
    assert page.sources.claim_panel.isVisible()
    assert "14 hours of rest" in passage.marked_text


def test_a_sentence_that_cannot_be_checked_opens_nothing(
    qtbot: QtBot, page: AskPage, model: GatedModel
) -> None:
    model.answer = "Hello!"
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    card.answer.claim_clicked.emit(0)
    assert not page.sources.claim_panel.isVisible()


# --- stopping and failing ---------------------------------------------------------------------------------


def test_an_answer_is_stopped_and_its_trace_says_so(
    qtbot: QtBot, page: AskPage, console: Console, model: GatedModel, settle: Settle
) -> None:
    model.gate.clear()
    page.ask(QUESTION)
    qtbot.waitUntil(lambda: page.conversation.cards[-1].trace_id != "")  # type: ignore[union-attr]
    assert page.send_button.text() == page.send_button.accessibleName() == "Queue"
    click(qtbot, page, "Stop")
    model.gate.set()
    settle()
    card = page.conversation.cards[-1]
    assert isinstance(card, AnswerCard)
    assert card.status.text() == "Stopped"
    assert card.flags.text() == "Stopped. The trace contains the answer up to here."
    assert list_traces(console.database, TraceFilter())[0].status == "cancelled"
    assert page.send_button.text() == "Ask"
    page.stop()  # nothing runs
    assert console.engine.tasks == []


def test_a_refusal_is_shown_on_the_card(
    qtbot: QtBot, page: AskPage, console: Console, model: GatedModel
) -> None:
    model.error = ModelError("The model file is gone.")
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    assert card.status.text() == "Failed"
    assert "The model file is gone." in card.flags.text()
    assert "Open trace" in [action.text() for action in card.answer_actions.shown]
    assert notices(console) == []


def test_a_bug_is_shown_on_the_card_and_reported(
    qtbot: QtBot, page: AskPage, console: Console, model: GatedModel
) -> None:
    model.error = ZeroDivisionError("unexpected")
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    assert card.status.text() == "Failed" and "unexpected" in card.flags.text()
    ((_sentence, kind),) = notices(console)
    assert kind.startswith("bug: ") and "ZeroDivisionError" in kind


# --- what is asked, and who answers -----------------------------------------------------------------------


def test_a_version_of_ones_own_choice_is_asked(qtbot: QtBot, page: AskPage, console: Console) -> None:
    assert entries(page.version_box) == ["Active (version 2)", "Version 2", "Version 1"]
    assert page.version_box.itemData(2, Qt.ItemDataRole.ToolTipRole) == "Added 3"
    page.choose_collection("Notes", 1)
    assert page.version_box.currentText() == "Version 1"
    send(qtbot, page)
    assert list_traces(console.database, TraceFilter())[0].version_number == 1
    page.choose_collection("Notes")
    assert page.version_box.currentText() == "Active (version 2)"


def test_choices_stay_when_data_change(
    page: AskPage, console: Console, open_workspace: Workspace, notes: Path
) -> None:
    drive(ingest_files(open_workspace, "Atlas", [str(notes / "stars.txt")]))
    page.choose_collection("Notes", 1)
    console.data_changed.emit()
    assert entries(page.collection_box) == ["Atlas", "Notes"]
    assert (page.collection_name, page.version_box.currentText()) == ("Notes", "Version 1")


def test_models_are_offered_when_they_are_known(qtbot: QtBot, page: AskPage, console: Console) -> None:
    assert entries(page.model_box) == ["No model"]
    console.refresh_models()
    qtbot.waitUntil(lambda: page.model_box.currentData() is not None)
    assert page.model_box.currentText().endswith(" (demo model)")
    assert page.model_box.itemData(0, Qt.ItemDataRole.ToolTipRole) == page.model_box.currentData()
    send(qtbot, page)
    assert list_traces(console.database, TraceFilter())[0].status == "done"


def test_the_prompt_in_use_is_named(page: AskPage) -> None:
    assert page.prompt_box.currentText() == "default, version 1"
    assert page.prompt_box.toolTip() == "Prompt: default, version 1"


def save_short(workspace: Workspace, **values: object) -> None:
    """Save the pipeline “short”, which packs one passage."""
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}, **values})
    save_pipeline(workspace, "short", config)


def test_a_pipeline_of_ones_own_choice_answers(
    qtbot: QtBot, page: AskPage, console: Console, open_workspace: Workspace
) -> None:
    assert not page.pipeline_box.isVisible()
    save_short(open_workspace)
    console.data_changed.emit()
    assert page.pipeline_box.isVisible() and entries(page.pipeline_box) == ["Settings", "short"]
    page.pipeline_box.setCurrentIndex(1)
    assert not page.version_box.isEnabled() and not page.model_box.isEnabled()
    assert page.model_box.toolTip() == "The pipeline decides which model answers"
    assert not page.prompt_box.isVisible()
    assert page.panel.bar.decided.text() == (
        "It asks the active version with the model of the settings, prompt default."
    )
    send(qtbot, page)
    assert list_traces(console.database, TraceFilter())[0].passage_count == 1
    page.pipeline_box.setCurrentIndex(0)
    assert page.model_box.isEnabled() and page.model_box.toolTip() == f"Model: {page.model_box.currentText()}"
    assert page.prompt_box.isVisible()


def test_pipelines_of_other_collections_are_not_offered(
    page: AskPage, console: Console, open_workspace: Workspace, notes: Path
) -> None:
    save_short(open_workspace)
    drive(ingest_files(open_workspace, "Atlas", [str(notes / "stars.txt")]))
    console.data_changed.emit()
    page.choose_collection("Atlas")
    assert entries(page.pipeline_box) == ["Settings"]


# --- roll-outs --------------------------------------------------------------------------------------------


def test_a_canary_decides_who_answers_unless_a_version_is_chosen(
    qtbot: QtBot, page: AskPage, console: Console, open_workspace: Workspace
) -> None:
    assert not page.strip.isVisible() and page.strip.rollout is None
    save_short(open_workspace)
    started = start_rollout(open_workspace, "canary", collection="Notes", staging="short", share=1.0)
    console.data_changed.emit()
    assert page.strip.isVisible() and page.strip.text.startswith(
        "Canary: 100% of the questions go to “short 1”"
    )
    assert not page.model_box.isEnabled()
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    assert card.arm.text() == "staging: short 1"
    with qtbot.waitSignal(page.rollout_requested) as wanted:
        click(qtbot, page.strip, "Results")
    assert wanted.args == [started.id]
    page.choose_collection("Notes", 1)
    assert page.strip.text == "The version or pipeline you chose is asked directly, outside of the roll-out"
    assert page.model_box.isEnabled()
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard) and not card.arm.isVisible()


def test_a_promoted_pipeline_answers_from_then_on(
    qtbot: QtBot, page: AskPage, console: Console, open_workspace: Workspace
) -> None:
    save_short(open_workspace)
    started = start_rollout(open_workspace, "canary", collection="Notes", staging="short", share=1.0)
    promote_rollout(open_workspace, started.id)
    console.data_changed.emit()
    assert page.strip.text == "“short 1” answers here since its roll-out was promoted"
    assert page.strip.rollout is None
    with qtbot.waitSignal(page.rollout_requested) as wanted:
        click(qtbot, page.strip, "Results")
    assert wanted.args == [0]
    send(qtbot, page)
    assert list_traces(console.database, TraceFilter())[0].passage_count == 1


@pytest.fixture
def blind(console: Console, page: AskPage, open_workspace: Workspace) -> None:
    """A blind comparison of “short” with the settings."""
    save_short(open_workspace)
    start_rollout(open_workspace, "blind", collection="Notes", staging="short")
    console.data_changed.emit()


def test_a_blind_comparison_hides_who_answered_until_a_choice(
    qtbot: QtBot, blind: None, page: AskPage, console: Console, settle: Settle
) -> None:
    card = send(qtbot, page)
    assert isinstance(card, BlindCard)
    for answer in (card.first, card.second):
        assert answer.answer_text == ANSWER
        assert answer.status.text() == answer.packed.text() == ""
        assert not answer.arm.isVisible() and not answer.feedback.isVisible()
        assert not button_of(answer, "Open trace").isVisible()
    click(qtbot, card, "The left one")
    settle()
    assert {card.first.arm.text(), card.second.arm.text()} == {"short 1", "what answers now"}
    assert card.question.text() == f"Saved: “{card.first.arm.text()}” was better."
    assert card.first.feedback.isVisible() and not any(made.isVisible() for made in card.picks.values())
    assert list_rollouts(console.database)[0].picked_count == 1
    with qtbot.waitSignal(page.trace_requested) as opened:
        click(qtbot, card.second, "Open trace")
    assert opened.args == [card.second.trace_id]


@pytest.mark.parametrize(
    ("button", "said"), [("No difference", "Saved: no difference."), ("The right one", "” was better.")]
)
def test_the_other_choices_are_saved_as_well(
    qtbot: QtBot, blind: None, page: AskPage, settle: Settle, button: str, said: str
) -> None:
    card = send(qtbot, page)
    assert isinstance(card, BlindCard)
    click(qtbot, card, button)
    settle()
    assert card.question.text().endswith(said)


def test_without_both_answers_there_is_nothing_to_choose(
    qtbot: QtBot, blind: None, page: AskPage, model: GatedModel
) -> None:
    model.error = ModelError("The model file is gone.")
    card = send(qtbot, page)
    assert isinstance(card, BlindCard)
    assert card.question.text() == "Without both answers there is nothing to compare."
    assert not any(made.isEnabled() for made in card.picks.values())
    assert card.first.status.text() == "Failed"


# --- a card by itself -------------------------------------------------------------------------------------


@pytest.fixture
def card(qtbot: QtBot, notes: Path, console: Console) -> AnswerCard:
    made = AnswerCard(console, QUESTION, SourcePanel(console))
    qtbot.addWidget(made)
    made.show()
    return made


def test_reading_the_prompt_is_followed(card: AnswerCard) -> None:
    card.handle(PromptProgress("t", 128, 306, 64))
    assert card.status.text() == "Reading 128 of 306 prompt tokens, 64 cached"
    assert card._progress.isVisible()
    assert (card._progress.minimum(), card._progress.value(), card._progress.maximum()) == (64, 128, 306)
    card.handle(PromptProgress("t", 306, 306, 0))
    assert card.status.text() == "Reading 306 of 306 prompt tokens"
    assert not card._progress.isVisible()


def test_a_blind_card_says_only_what_both_say(qtbot: QtBot, notes: Path, console: Console) -> None:
    card = AnswerCard(console, "", SourcePanel(console), is_blind=True)
    qtbot.addWidget(card)
    card.handle(PromptProgress("t", 1, 306, 0))
    assert card.status.text() == "Reading the passages…"
    card.handle(TokenStreamed("t", "Twelve", 1))
    assert card.status.text() == "Answering…"
    card.stop("Stopped.", False)
    assert not button_of(card, "Open trace").isVisible()


def test_streamed_text_is_drawn_in_the_order_in_which_it_came(qtbot: QtBot, card: AnswerCard) -> None:
    for number, word in enumerate(("Twelve ", "hours ", "of rest."), 1):
        card.handle(TokenStreamed("t", word, number))
    assert card.status.text() == "3 tokens"
    qtbot.waitUntil(lambda: card.answer.toPlainText() == "Twelve hours of rest.")


def test_thinking_is_folded_above_the_answer(card: AnswerCard, qtbot: QtBot) -> None:
    card.handle(TokenStreamed("t", "Hmm, ", 1, is_thinking=True))
    card.handle(TokenStreamed("t", "rye.", 2, is_thinking=True))
    assert card.status.text() == "Thinking, 2 tokens"
    assert card.thinking.text == "Hmm, rye."
    assert not card.thinking.isHidden() and card.thinking.content.isHidden()
    card.handle(TokenStreamed("t", "Twelve hours.", 1))
    qtbot.waitUntil(lambda: card.answer.toPlainText() == "Twelve hours.")
    assert card.answer_text == "Twelve hours."


def test_an_answer_that_turns_out_to_be_thinking_is_folded_away(card: AnswerCard, qtbot: QtBot) -> None:
    card.handle(TokenStreamed("t", "Okay, the user asks.", 4))
    card.handle(AnswerRestarted("t"))
    assert card.answer.toPlainText() == card.answer_text == ""
    assert card.thinking.text == "Okay, the user asks."
    card.handle(TokenStreamed("t", "Twelve hours.", 1))
    qtbot.waitUntil(lambda: card.answer.toPlainText() == "Twelve hours.")


def test_a_stored_answer_shows_how_much_was_thought(card: AnswerCard, open_workspace: Workspace) -> None:
    trace_id = ask_once(open_workspace, QUESTION, "<think> Hmm, rye. </think> Twelve hours [1].")
    card.finish(AskResult(trace_id, "s", "done", "Twelve hours [1]."))  # type: ignore[arg-type]
    assert card.thinking.text == "Hmm, rye."
    assert card.thinking.toggle.text() == "Thinking (4 tokens)"
    assert "4 of thinking" in card.status.text()


def test_a_blind_card_does_not_show_how_its_model_thinks(qtbot: QtBot, notes: Path, console: Console) -> None:
    card = AnswerCard(console, "", SourcePanel(console), is_blind=True)
    qtbot.addWidget(card)
    card.handle(TokenStreamed("t", "Hmm", 1, is_thinking=True))
    assert card.status.text() == "Thinking…" and card.thinking.isHidden()


def test_a_failed_check_is_told_instead_of_flags(card: AnswerCard) -> None:
    card.handle(TokenStreamed("t", "Twelve hours.", 2))
    card.handle(ClaimsChecked("t", (), 3.0, error="the detector is missing"))
    assert card.flags.text() == "The sentences could not be checked: the detector is missing"
    assert card.answer.toPlainText() == "Twelve hours."


def test_notes_of_an_answer_are_shown(card: AnswerCard, open_workspace: Workspace) -> None:
    trace_id = ask_once(open_workspace, QUESTION)
    result = AskResult(trace_id, "s", "done", "Twelve hours [1].", ("cut off at the token limit", "no GPU"))  # type: ignore[arg-type]
    card.finish(result)
    assert card.flags.text().endswith("Note: cut off at the token limit; no GPU.")
    assert card.trace_id == trace_id


def test_a_long_name_of_an_arm_is_shortened(card: AnswerCard) -> None:
    card.show_arm("staging: " + "x" * 60)
    assert card.arm.shown_text().endswith("…")
    assert card.arm.toolTip() == "staging: " + "x" * 60


# --- small things -----------------------------------------------------------------------------------------


def test_another_collection_offers_its_own_versions(
    page: AskPage, console: Console, open_workspace: Workspace, notes: Path
) -> None:
    drive(ingest_files(open_workspace, "Atlas", [str(notes / "stars.txt")]))
    console.data_changed.emit()
    page.collection_box.setCurrentIndex(page.collection_box.findText("Atlas"))
    assert entries(page.version_box) == ["Active (version 1)", "Version 1"]
    page.choose_collection("Nowhere")
    assert page.collection_name == "" and entries(page.version_box) == []
    page.choose_collection("Notes", 7)  # nothing else is asked in the place of what is not there
    assert page.version_box.currentText() == "Version 7 (no longer there)"


def test_a_collection_without_a_version_is_not_offered(
    page: AskPage, console: Console, open_workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "empty.txt").write_text("", "utf-8")
    drive(ingest_files(open_workspace, "Hollow", [str(tmp_path / "empty.txt")]))
    console.data_changed.emit()
    assert entries(page.collection_box) == ["Notes"]


def test_the_keyboard_gets_to_the_question(qtbot: QtBot, page: AskPage) -> None:
    page.activateWindow()
    page.model_box.setFocus()
    page.focus_question()
    qtbot.waitUntil(page.question.hasFocus)
    qtbot.keyClick(page.question, Qt.Key.Key_Tab)
    assert page.question.toPlainText() == ""  # Tab leaves the field
    assert not page.question.acceptDrops()  # dropped files go to the window


def test_nothing_found_is_an_answer_without_sources(
    qtbot: QtBot, page: AskPage, console: Console, model: GatedModel
) -> None:
    card = send(qtbot, page, "Zeppelin?")
    assert isinstance(card, AnswerCard)
    assert "the model was not asked" in card.answer.toPlainText()
    assert card.packed.text() == "0 of 4 chunks from 0 of 4 documents"
    assert model.prompts == []
    assert list_traces(console.database, TraceFilter())[0].status == "nothing found"


def test_sources_that_were_not_cited_are_not_bold(qtbot: QtBot, page: AskPage, model: GatedModel) -> None:
    model.answer = "I do not know."
    card = send(qtbot, page)
    assert isinstance(card, AnswerCard)
    source = button_of(card, "Open source [1] bread.md, Bread")
    assert not source.font().bold()
    assert source.accessibleName() == "Open source [1] bread.md, Bread"
    card.answer.citation_clicked.emit(9)  # a number that was not in the prompt
    assert page.sources._hit is None


def test_a_stopped_card_without_a_trace_has_no_link(card: AnswerCard) -> None:
    card.stop("The engine was restarted before this was done; do it again.", True)
    assert card.status.text() == "Failed"
    assert not button_of(card, "Open trace").isVisible()


def test_the_same_question_again_shows_where_its_answer_comes_from_and_answers_afresh_on_demand(
    qtbot: QtBot, page: AskPage, settle: Callable[[], None], model: GatedModel
) -> None:
    question = "How long does rye bread rest before it is baked?"
    first = send(qtbot, page, question)
    page.new_session()
    again = send(qtbot, page, question)
    assert isinstance(again, AnswerCard)
    assert again.recalled.isVisibleTo(again)
    assert again.recalled.sentence.text() == "Answered before, a moment ago, same documents"
    assert again.answer_text == ANSWER
    assert again.feedback.isVisibleTo(again)
    with qtbot.waitSignal(page.trace_requested) as opened:
        click(qtbot, again, "First answer")
    assert opened.args == [first.trace_id]
    prompts = len(model.prompts)
    page.new_session()
    again = send(qtbot, page, question)
    click(qtbot, again, "Answer again")
    settle()
    assert len(model.prompts) > prompts
    (fresh,) = again.others  # beside the first
    assert not fresh.recalled.isVisibleTo(fresh)


# --- Cascades ---------------------------------------------------------------------------------------------


def test_an_answer_that_is_not_given_is_taken_away_and_the_reason_said(card: AnswerCard) -> None:
    card.handle(TokenStreamed("t", "It needs cheese.", 3))
    card.handle(StepRejected("t", "small", "1 sentence unsupported", "large"))
    assert card.answer.toPlainText() == card.answer_text == ""
    assert card.flags.text() == "The answer of small was not given: 1 sentence unsupported. Asking large."


def test_what_is_shown_in_the_end_is_the_answer_that_was_given(
    card: AnswerCard, open_workspace: Workspace
) -> None:
    """The last step may fail: then the answer of one before it is given after all."""
    trace_id = ask_once(open_workspace, QUESTION, ANSWER)
    card.handle(StepRejected("t", "small", "1 sentence unsupported", "large"))
    card.finish(AskResult(trace_id, "s", TraceStatus.DONE, ANSWER, ("large could not answer",)))
    assert "sourdough" in card.answer.toPlainText()
    assert "Note: large could not answer." in card.flags.text()


def test_a_blind_card_does_not_name_the_steps(qtbot: QtBot, notes: Path, console: Console) -> None:
    card = AnswerCard(console, "", SourcePanel(console), is_blind=True)
    qtbot.addWidget(card)
    card.handle(StepRejected("t", "small", "1 sentence unsupported", "large"))
    assert card.flags.text() == ""
