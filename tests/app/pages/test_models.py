"""The page Models: the list of files, loading and trying one, how it runs, and what is refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import button_of, click, column, notices, rows, texts
from fakes import ScriptedModel, small_gguf, tiny_gguf
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QSpinBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.models.page import ModelsPage
from rag import operations
from rag.errors import ModelError
from rag.models.rows import ModelEntry, ModelState
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> ModelsPage:
    """The page as it is after the window has asked for the list."""
    made = ModelsPage(console)
    qtbot.addWidget(made)
    console.refresh_models()
    settle()
    return made


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    """A small model file."""
    file = tmp_path / "tiny.gguf"
    file.write_bytes(tiny_gguf())
    return file


@pytest.fixture
def chosen(page: ModelsPage, gguf: Path, settle: Settle) -> Path:
    """The small model, added and chosen."""
    page.add_files([str(gguf)])
    settle()
    assert page.table.choose(lambda entry: entry.path == str(gguf))
    return gguf


def test_a_list_without_models_says_how_to_add_one(qtbot: QtBot, console: Console, settle: Settle) -> None:
    page = ModelsPage(console)
    qtbot.addWidget(page)
    settle()
    assert rows(page.table) == []
    assert page.state.text() == "No model is loaded. The first question loads the active one."
    for name in ("Load", "Compute sha256", "Unload"):
        assert not button_of(page, name).isEnabled()


def test_the_demo_model_is_listed_and_its_facts_are_shown(page: ModelsPage) -> None:
    assert any(name.endswith("(demo model)") for name in column(page.table, "Name"))
    assert page.table.choose(lambda entry: entry.origin == "starter")
    facts = texts(page.facts)
    assert "SmolLM2-135M-Instruct" in facts
    assert "30 layers" in facts
    assert "Weights" in page.memory.text()
    assert "With a context of" in page.memory.text()


def test_a_file_that_was_added_is_listed_with_its_header(
    page: ModelsPage, chosen: Path, console: Console
) -> None:
    place = [entry.path for entry in console.models].index(str(chosen))
    entry = console.models[place]
    assert (entry.origin, entry.header and entry.header.architecture) == ("added", "llama")
    assert "Tiny" in texts(page.facts)
    assert "512 tokens" in texts(page.facts)
    assert "none; a plain one is used" in texts(page.facts)
    assert notices(console) == [("The model was added.", "info")]


def test_the_forecast_uses_no_more_context_than_the_model_was_trained_for(
    page: ModelsPage, chosen: Path
) -> None:
    assert page.memory.text().startswith("With a context of 512 tokens it needs about")


def test_a_forecast_that_exceeds_the_free_memory_is_a_warning(
    page: ModelsPage, console: Console, settle: Settle
) -> None:
    assert page.table.choose(lambda entry: entry.origin == "starter")
    assert page.memory.property("role") == "muted"
    entry = next(entry for entry in console.models if entry.origin == "starter")
    assert entry.header is not None
    huge = type(entry.header)(**{**vars(entry.header), "weights_bytes": 1 << 50})
    console.models = [ModelEntry(entry.path, entry.name, entry.origin, huge)]
    console.models_changed.emit()
    assert page.memory.property("role") == "bad"
    assert "choose a shorter context or a smaller model" in page.memory.text()


def test_a_file_that_is_no_model_is_refused_with_a_sentence(
    page: ModelsPage, console: Console, tmp_path: Path, settle: Settle
) -> None:
    wrong = tmp_path / "notes.gguf"
    wrong.write_text("not a model", "utf-8")
    page.add_files([str(wrong)])
    settle()
    ((sentence, kind),) = notices(console)
    assert kind == "bad"
    assert "notes.gguf" in sentence
    assert str(wrong) not in [entry.path for entry in console.models]


def test_a_model_that_has_become_unusable_says_so_and_cannot_be_loaded(
    page: ModelsPage, chosen: Path, console: Console, settle: Settle
) -> None:
    chosen.write_bytes(b"GGUF")
    console.refresh_models()
    settle()
    assert page.table.choose(lambda entry: entry.path == str(chosen))
    place = page.table.currentIndex().row()
    assert rows(page.table)[place][2] == "unusable"
    assert "Problem" in texts(page.facts)
    assert page.memory.text() == ""
    assert not page.load_button.isEnabled()
    assert not page.sha_button.isEnabled()


def test_files_are_chosen_in_a_dialog(
    qtbot: QtBot,
    page: ModelsPage,
    console: Console,
    gguf: Path,
    settle: Settle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_a, **_k: ([str(gguf)], ""))
    click(qtbot, page, "Add file…")
    settle()
    assert str(gguf) in [entry.path for entry in console.models]


def test_a_folder_is_searched_and_remembered(
    qtbot: QtBot,
    page: ModelsPage,
    console: Console,
    open_workspace: Workspace,
    gguf: Path,
    settle: Settle,
    answer_box: Callable[[object], None],
) -> None:
    answer_box(str(gguf.parent))
    click(qtbot, page, "Add folder…")
    settle()
    assert open_workspace.settings.models.folders == [str(gguf.parent)]
    assert [entry.origin for entry in console.models if entry.path == str(gguf)] == ["folder"]
    (gguf.parent / "second.gguf").write_bytes(tiny_gguf())
    click(qtbot, page, "Rescan")
    settle()
    assert str(gguf.parent / "second.gguf") in [entry.path for entry in console.models]


def test_no_folder_chosen_changes_nothing(
    qtbot: QtBot,
    page: ModelsPage,
    open_workspace: Workspace,
    settle: Settle,
    answer_box: Callable[[object], None],
) -> None:
    answer_box("")
    click(qtbot, page, "Add folder…")
    settle()
    assert open_workspace.settings.models.folders == []


def test_an_added_model_is_removed_from_the_list_and_its_file_stays(
    page: ModelsPage, chosen: Path, console: Console, settle: Settle
) -> None:
    assert page.table.actions_for is not None
    ((title, remove),) = page.table.actions_for(page.table.selected_records())
    assert title == "Remove from the list"
    remove()
    settle()
    assert str(chosen) not in [entry.path for entry in console.models]
    assert chosen.exists()


def test_the_demo_model_cannot_be_removed_from_the_list(page: ModelsPage) -> None:
    assert page.table.choose(lambda entry: entry.origin == "starter")
    assert page.table.actions_for is not None
    assert page.table.actions_for(page.table.selected_records()) == []


def test_loading_says_what_it_took_and_makes_the_model_the_active_one(
    qtbot: QtBot, page: ModelsPage, chosen: Path, open_workspace: Workspace, console: Console, settle: Settle
) -> None:
    click(qtbot, page, "Load")
    assert page.state.text() == "Loading…"
    assert not page.load_button.isEnabled()
    settle()
    assert page.state.text().startswith("Loaded: scripted   ·   context 4,096")
    assert page.load_button.isEnabled()
    assert open_workspace.settings.models.active == str(chosen)
    assert console.settings.models.active == str(chosen)


def test_a_loaded_model_is_unloaded(
    qtbot: QtBot, page: ModelsPage, chosen: Path, open_workspace: Workspace, settle: Settle
) -> None:
    click(qtbot, page, "Load")
    settle()
    click(qtbot, page, "Unload")
    settle()
    assert open_workspace.loaded_model is None
    assert not page.unload_button.isEnabled()
    assert "No model is loaded" in page.state.text()


def test_the_memory_and_the_time_that_loading_took_are_shown(page: ModelsPage) -> None:
    page.show_state(ModelState("tiny", "tiny.gguf", 4096, memory_bytes=3 << 30, load_ms=2500.0))
    assert page.state.text() == "Loaded: tiny   ·   context 4,096   ·   3.00 GB, loaded in 2.5 s"


def test_a_model_that_cannot_be_loaded_says_why(
    qtbot: QtBot, page: ModelsPage, chosen: Path, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.load_error = ModelError("The file is damaged.")
    click(qtbot, page, "Load")
    settle()
    assert notices(console)[-1] == ("The file is damaged.", "bad")
    assert page.state.text() == "The file is damaged."
    assert page.load_button.isEnabled()


def test_the_checksum_is_shown_and_that_of_a_missing_file_refused(
    qtbot: QtBot, page: ModelsPage, chosen: Path, console: Console, settle: Settle
) -> None:
    click(qtbot, page, "Compute sha256")
    assert not page.sha_button.isEnabled()
    settle()
    assert page.state.text().endswith(hashlib.sha256(chosen.read_bytes()).hexdigest())
    chosen.unlink()
    click(qtbot, page, "Compute sha256")
    settle()
    assert "is gone" in notices(console)[-1][0]
    assert page.sha_button.isEnabled()


def test_a_setting_is_saved_when_it_changes_and_follows_changes_made_elsewhere(
    page: ModelsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    seed = next(field for field in page.findChildren(QSpinBox) if field.accessibleName() == "Seed")
    seed.setValue(77)
    settle()
    assert open_workspace.settings.generation.seed == 77
    assert console.settings.generation.seed == 77
    console.change_settings("generation", "seed", 5)
    settle()
    assert seed.value() == 5


def test_trying_a_model_shows_its_answer(
    qtbot: QtBot, page: ModelsPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    page.prompt.setPlainText("How long does rye bread rest?")
    model.answer = "Twelve hours."
    click(qtbot, page, "Run")
    settle()
    assert "Twelve hours." in page.output.toPlainText()
    assert model.prompts == ["user: How long does rye bread rest?"]
    assert "tokens/s written" in page.speed.text()
    assert page.speed.text().endswith("(7 + 2 tokens)")
    assert notices(console) == []


def test_a_second_click_stops_the_try(
    qtbot: QtBot, page: ModelsPage, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "word " * 200
    model.pause_after, model.may_go_on = 10, threading.Event()
    click(qtbot, page, "Run")
    assert page.test_button.text() == "Stop"
    qtbot.waitUntil(lambda: "word" in page.output.toPlainText(), timeout=10_000)
    qtbot.mouseClick(page.test_button, Qt.MouseButton.LeftButton)
    threading.Timer(0.3, model.may_go_on.set).start()  # the engine has heard of the click by then
    settle()
    assert page.test_button.text() == "Run"
    assert len(page.output.toPlainText().split()) < 200


def test_a_model_that_fails_while_it_answers_shows_a_notice(
    qtbot: QtBot, page: ModelsPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.error = ModelError("The prompt does not fit into the context.")
    click(qtbot, page, "Run")
    settle()
    assert notices(console) == [("The prompt does not fit into the context.", "bad")]
    assert page.test_button.text() == "Run"


def test_thinking_is_not_a_part_of_a_trial_answer(
    qtbot: QtBot, page: ModelsPage, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "<think> hmm </think> Twelve hours."
    click(qtbot, page, "Run")
    settle()
    assert page.output.toPlainText() == "Twelve hours."
    assert page.speed.text().endswith("2 tokens, 3 of thinking)")


def test_a_file_that_cannot_answer_says_why_and_cannot_be_loaded(
    page: ModelsPage, console: Console, tmp_path: Path, settle: Settle
) -> None:
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "embed.gguf").write_bytes(small_gguf(architecture="bert"))
    console.run(
        operations.change_settings, console.take_settings, values={"models": {"folders": [str(tmp_path)]}}
    )
    settle()
    console.refresh_models()
    settle()
    assert page.table.choose(lambda entry: entry.name == "embed")
    assert rows(page.table)[page.table.currentIndex().row()][2] == "Embedder"
    assert page.note.text().startswith("embed.gguf is an embedding model (bert)")
    assert not button_of(page, "Load").isEnabled() and not page.template.isEnabled()


def test_another_chat_template_is_chosen_for_a_model_whose_own_cannot_be_used(
    page: ModelsPage, console: Console, open_workspace: Workspace, tmp_path: Path, settle: Settle
) -> None:
    file = tmp_path / "loops.gguf"
    file.write_bytes(small_gguf({"tokenizer.chat_template": "{{ 1 // 0 }}"}))
    page.add_files([str(file)])
    settle()
    ((sentence, kind),) = notices(console)
    assert kind == "bad"
    assert sentence.startswith("The model was added, but cannot answer yet. The chat template of loops.gguf")
    assert page.table.choose(lambda entry: entry.path == str(file))
    assert not button_of(page, "Load").isEnabled()
    page.template.setCurrentText("chatml")
    page.template.activated.emit(page.template.currentIndex())
    settle()
    assert open_workspace.settings.models.chat_templates == ["loops=chatml"]
    assert button_of(page, "Load").isEnabled()
    assert page.template.currentText() == "chatml"
    assert page.note.text() == "It answers by the built-in chat template chatml."
