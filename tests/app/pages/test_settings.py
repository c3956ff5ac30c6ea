"""The page Settings: each setting saved as it changes, and the data folder measured, backed up, restored, moved."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from driving import button_of, click, notices, open_dialog, press_in_dialog, texts
from fakes import ScriptedModel
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QMessageBox,
    QProgressBar,
    QProgressDialog,
    QSpinBox,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.console import Console, Offer
from app.pages.settings.data_panel import DataPanel, size_text
from app.pages.settings.page import SettingsPage
from rag import operations
from rag.storage.rows import SpaceUse
from rag.workspace import Workspace

Settle = Callable[[], None]
W = TypeVar("W", bound=QWidget)


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> SettingsPage:
    """The page on the screen, with the folder measured."""
    made = SettingsPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


@pytest.fixture
def panel(page: SettingsPage) -> DataPanel:
    return page.data


def editor(page: SettingsPage, kind: type[W], name: str) -> W:
    """The editor of one setting."""
    return next(found for found in page.findChildren(kind) if found.accessibleName() == name)


# --- Each setting -----------------------------------------------------------------------------------------


def test_every_setting_of_every_section_has_an_editor_a_name_and_a_description(page: SettingsPage) -> None:
    names = {found.accessibleName() for found in page.findChildren(QWidget)}
    for section in ("appearance", "retrieval", "generation", "monitors", "chunking"):
        for key, field in type(getattr(page._console.settings, section)).model_fields.items():
            assert key.replace("_", " ") in names
            assert field.description in texts(page)
    titles = {found.text() for found in page.findChildren(QLabel)}
    assert {"Retrieval", "RRF k", "Maximum passages", "Run regression questions", "Top-p"} <= titles


def test_numbers_choices_and_switches_are_saved_as_they_change(
    page: SettingsPage, open_workspace: Workspace, settle: Settle
) -> None:
    editor(page, QSpinBox, "rrf k").setValue(20)
    editor(page, QDoubleSpinBox, "min similarity").setValue(0.25)
    editor(page, QCheckBox, "ask without passages").click()
    box = editor(page, QComboBox, "search")
    box.setCurrentIndex(box.findData("BM25"))
    settle()
    retrieval = open_workspace.settings.retrieval
    assert (retrieval.rrf_k, retrieval.min_similarity, retrieval.search) == (20, 0.25, "BM25")
    assert open_workspace.settings.generation.ask_without_passages


def test_a_number_stays_within_the_bounds_of_its_setting(
    page: SettingsPage, open_workspace: Workspace, settle: Settle
) -> None:
    passages = editor(page, QSpinBox, "max passages")
    passages.setValue(5000)
    settle()
    assert passages.value() == 50
    assert open_workspace.settings.retrieval.max_passages == 50
    top_p = editor(page, QDoubleSpinBox, "top p")
    assert (top_p.minimum(), top_p.maximum()) == (0.01, 1.0)  # above 0, as the setting demands
    assert editor(page, QSpinBox, "seed").maximum() == 2**31 - 1


def test_a_change_made_elsewhere_is_shown_and_not_saved_again(
    page: SettingsPage, console: Console, settle: Settle
) -> None:
    console.change_settings("retrieval", "candidates", 80)
    settle()
    assert editor(page, QSpinBox, "candidates").value() == 80
    assert console.engine.tasks == []


def test_a_value_that_the_engine_refuses_is_a_notice_and_leaves_the_file_alone(
    page: SettingsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    console.change_settings("retrieval", "candidates", -3)
    settle()
    ((sentence, kind),) = notices(console)
    assert kind == "bad"
    assert "candidates" in sentence
    assert open_workspace.settings.retrieval.candidates == 40


def test_what_differs_from_the_default_is_marked_and_reset_with_a_click(
    qtbot: QtBot, page: SettingsPage, open_workspace: Workspace, settle: Settle
) -> None:
    mark = page.marks["retrieval", "rrf_k"]
    assert not any(found.isVisible() for found in page.marks.values())
    assert page.changed_line.text() == "Every setting is at its default."
    editor(page, QSpinBox, "rrf k").setValue(20)
    settle()
    assert [key for key, found in page.marks.items() if found.isVisible()] == [("retrieval", "rrf_k")]
    assert page.changed_line.text() == "Not at the default: RRF k."
    assert mark.toolTip() == "Reset RRF k to its default, 5"
    qtbot.mouseClick(mark, Qt.MouseButton.LeftButton)
    settle()
    assert open_workspace.settings.retrieval.rrf_k == 5
    assert not mark.isVisible()


def test_a_saved_change_is_said_and_can_be_undone(
    page: SettingsPage, console: Console, open_workspace: Workspace, settle: Settle
) -> None:
    offers: list[Offer] = []
    console.offer.connect(offers.append)
    editor(page, QCheckBox, "ask without passages").click()
    settle()
    (offer,) = offers
    assert (offer.sentence, offer.action) == ("Ask without passages is on now.", "Undo")
    offer.run()
    settle()
    assert not open_workspace.settings.generation.ask_without_passages
    assert len(offers) == 1  # what was undone offers nothing again


def test_numbers_have_their_unit(page: SettingsPage) -> None:
    assert editor(page, QSpinBox, "text percent").text() == "100 %"
    assert editor(page, QSpinBox, "context tokens").text() == "1400 tokens"


# --- The data folder --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 kB"), (2048, "2 kB"), (3 << 20, "3.0 MB"), (1536 << 20, "1.50 GB"), (1 << 42, "4,096.00 GB")],
)
def test_sizes_are_read_in_the_unit_that_fits(count: int, text: str) -> None:
    assert size_text(count) == text


def test_the_folder_and_what_takes_space_in_it_are_shown(panel: DataPanel, folder: Path) -> None:
    assert str(folder) in texts(panel)
    assert "Total" in texts(panel.usage)
    whats = [part.what for part in panel.usage.parts]
    assert "Full-text index" in whats
    assert all(part.bytes for part in panel.usage.parts)
    bars = {bar.accessibleName() for bar in panel.usage.findChildren(QProgressBar)}
    assert len(bars) == len(whats)


def test_parts_that_take_nothing_are_left_out_of_the_chart(panel: DataPanel) -> None:
    panel.usage.show_parts(
        [
            SpaceUse("Traces", 3 << 20, "2 traces"),
            SpaceUse("Monitors", 0, ""),
            SpaceUse("Chunks", 1 << 20, ""),
        ]
    )
    shown = texts(panel.usage)
    assert "Monitors" not in shown
    assert shown.splitlines()[-1] == "4.0 MB"
    assert "2 traces" in shown


def test_measuring_again_finds_what_was_added(
    qtbot: QtBot, panel: DataPanel, folder: Path, settle: Settle
) -> None:
    (folder / "chroma-copies").mkdir()
    (folder / "chroma-copies" / "copy.bin").write_bytes(bytes(5 << 20))
    before = sum(part.bytes for part in panel.usage.parts)
    click(qtbot, panel, "Measure again")
    settle()
    assert sum(part.bytes for part in panel.usage.parts) >= before + (5 << 20)


def test_the_folder_is_measured_once_at_a_time_and_again_when_data_change(
    page: SettingsPage, console: Console, settle: Settle
) -> None:
    page.data.refresh()
    page.data.refresh()
    assert [task.title for task in console.engine.tasks] == ["Measure the data folder"]
    settle()
    console.data_changed.emit()
    assert len(console.engine.tasks) == 1
    settle()
    page.hide()
    console.data_changed.emit()
    assert console.engine.tasks == []


def test_the_folder_is_opened_in_the_file_manager(
    qtbot: QtBot, panel: DataPanel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    click(qtbot, panel, "Open folder")
    assert opened == [QUrl.fromLocalFile(str(folder))]


# --- Backup -----------------------------------------------------------------------------------------------


def test_a_backup_is_written_checked_and_reported(
    qtbot: QtBot, panel: DataPanel, tmp_path: Path, settle: Settle, answer_box: Callable[[object], None]
) -> None:
    answer_box(str(tmp_path / "saved"))
    click(qtbot, panel, "Back up…")
    assert panel._progress.isVisible()
    for name in ("Back up…", "Restore…", "Move…"):
        assert not button_of(panel, name).isEnabled()
    settle()
    file = tmp_path / "saved.zip"  # the ending is added where none was typed
    assert zipfile.is_zipfile(file)
    assert panel.result.text().startswith(f"Backed up to {file}: ")
    assert not panel._progress.isVisible()
    assert panel.backup_button.isEnabled()


def test_no_file_chosen_backs_nothing_up(
    qtbot: QtBot, panel: DataPanel, console: Console, answer_box: Callable[[object], None]
) -> None:
    answer_box("")
    for name in ("Back up…", "Restore…", "Move…"):
        click(qtbot, panel, name)
    assert console.engine.tasks == []


def test_a_backup_that_cannot_be_written_is_a_notice(
    panel: DataPanel, console: Console, tmp_path: Path, settle: Settle
) -> None:
    panel.back_up(str(tmp_path / "missing" / "saved.zip"))
    settle()
    ((sentence, kind),) = notices(console)
    assert (kind, "There is no folder" in sentence) == ("bad", True)
    assert panel.backup_button.isEnabled()
    assert panel.result.isHidden()


def test_a_cancelled_backup_leaves_no_file(
    qtbot: QtBot, panel: DataPanel, tmp_path: Path, settle: Settle
) -> None:
    panel.back_up(str(tmp_path / "saved.zip"))
    click(qtbot, panel._progress, "Cancel")
    settle()
    assert panel.backup_button.isEnabled()
    if "cancelled" in panel.result.text():  # a small backup may be complete before the click is heard
        assert not (tmp_path / "saved.zip").exists()
    else:
        assert (tmp_path / "saved.zip").exists()


# --- Restore and move -------------------------------------------------------------------------------------


@pytest.fixture
def backup(panel: DataPanel, tmp_path: Path, settle: Settle) -> Path:
    """A backup of the data folder as it is."""
    panel.back_up(str(tmp_path / "saved.zip"))
    settle()
    return tmp_path / "saved.zip"


def test_a_restore_asks_first_and_no_means_no(
    qtbot: QtBot,
    panel: DataPanel,
    console: Console,
    backup: Path,
    settle: Settle,
    answer_box: Callable[[object], None],
) -> None:
    answer_box(str(backup))
    click(qtbot, panel, "Restore…")
    settle()
    box = open_dialog(panel, QMessageBox)
    assert box.text().startswith("Restore the backup of ")
    assert "before-restore-…" in box.informativeText()
    press_in_dialog(box, "Cancel")
    assert console.engine.tasks == []


def test_a_restore_reopens_the_data_as_they_were(
    qtbot: QtBot, panel: DataPanel, console: Console, backup: Path, folder: Path, settle: Settle
) -> None:
    console.change_settings("generation", "seed", 7)
    settle()
    panel.restore(str(backup))
    settle()
    with qtbot.waitSignal(console.engine.ready, timeout=10_000):
        press_in_dialog(open_dialog(panel, QMessageBox), "Restore")
    settle()
    assert console.settings.generation.seed == 42
    assert list(folder.glob("before-restore-*"))


def test_a_file_that_is_no_backup_is_a_notice(
    panel: DataPanel, console: Console, tmp_path: Path, settle: Settle
) -> None:
    (tmp_path / "wrong.zip").write_bytes(b"not a zip")
    panel.restore(str(tmp_path / "wrong.zip"))
    settle()
    ((sentence, kind),) = notices(console)
    assert (kind, "not a whole zip" in sentence) == ("bad", True)
    assert panel.findChildren(QMessageBox) == []


def test_a_restore_and_a_move_wait_for_other_work(
    panel: DataPanel, console: Console, tmp_path: Path, model: ScriptedModel, settle: Settle
) -> None:
    console.engine.start(operations.try_model.titled("A long answer"), prompt="Why?")
    panel.restore(str(tmp_path / "any.zip"))
    panel.move_data(str(tmp_path / "elsewhere"))
    assert notices(console) == [
        ("A restore has to wait for: A long answer.", "bad"),
        ("Moving the data has to wait for: A long answer.", "bad"),
    ]
    settle()
    assert not (tmp_path / "elsewhere").exists()


def test_the_data_move_and_the_engine_goes_with_them(
    qtbot: QtBot,
    panel: DataPanel,
    console: Console,
    tmp_path: Path,
    settle: Settle,
    answer_box: Callable[[object], None],
) -> None:
    answer_box(str(tmp_path / "new"))
    with qtbot.waitSignal(console.engine.ready, timeout=10_000):
        click(qtbot, panel, "Move…")
    settle()
    assert console.engine.folder == tmp_path / "new"
    assert f"The data are in {tmp_path / 'new'} now." in panel.result.text()
    assert "Start Ragdeck with --data" in panel.result.text()
    assert str(tmp_path / "new") in texts(panel)
    assert not any(
        dialog.isVisible() for dialog in QApplication.topLevelWidgets() if isinstance(dialog, QProgressDialog)
    )


def test_a_folder_that_is_not_empty_is_refused_and_the_data_stay(
    panel: DataPanel, console: Console, tmp_path: Path, folder: Path, settle: Settle
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine", "utf-8")
    panel.move_data(str(tmp_path / "full"))
    settle()
    ((sentence, kind),) = notices(console)
    assert (kind, "is not empty" in sentence) == ("bad", True)
    assert console.engine.folder == folder
    assert panel.move_button.isEnabled()


def test_a_setting_is_brought_into_view_and_into_focus(qtbot: QtBot, page: SettingsPage) -> None:
    page.resize(900, 400)
    page.show()
    editor = page._editors["generation", "seed"]
    assert page.show_setting("generation.seed")
    qtbot.waitUntil(lambda: not editor.visibleRegion().isEmpty())
    assert page.focusWidget() is editor
    assert not page.show_setting("generation.nothing")
    assert not page.show_setting("nothing")
