"""Followed folders and the flags of a collection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from driving import ask_once, click, column, notices, rows
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.collections.limits_dialog import LimitsDialog
from app.pages.collections.watch_panel import WatchPanel
from rag.asking.rows import read_flag_state
from rag.knowledge.rows import list_collections, list_documents
from rag.storage.tables.traces import FlagOpinion
from rag.workspace import Workspace

Settle = Callable[[], None]


# --- followed folders -------------------------------------------------------------------------------------


@pytest.fixture
def watch(qtbot: QtBot, console: Console, notes: Path) -> WatchPanel:
    """The panel for “Notes”, told about changes as its page would."""
    made = WatchPanel(console)
    qtbot.addWidget(made)
    made.show_collection("Notes", 1)
    console.data_changed.connect(made.refresh)
    made.show()
    return made


@pytest.fixture
def followed(watch: WatchPanel, tmp_path: Path, settle: Settle) -> Path:
    """A folder that “Notes” follows, with one file."""
    made = tmp_path / "followed"
    made.mkdir()
    (made / "moon.txt").write_text("The moon is full tonight.", "utf-8")
    watch.follow(str(made))
    settle()
    return made


def names(console: Console) -> list[str]:
    version = list_collections(console.database)[0].active_version_id
    assert version is not None
    return [document.name for document in list_documents(console.database, version)]


def test_without_folders_the_table_says_what_following_does(watch: WatchPanel) -> None:
    assert rows(watch.table) == []
    assert watch.table._empty.startswith("No folders are followed.")
    for made in (watch.pause_button, watch.stop_button):
        assert not made.isEnabled()
        assert made.toolTip() == "Choose a followed folder first."
    assert watch.check_button.toolTip() == "No folder is followed."


def test_a_chosen_folder_is_followed_and_checked(
    qtbot: QtBot, watch: WatchPanel, console: Console, answer_box: Callable[[object], None], tmp_path: Path,
    settle: Settle,
) -> None:  # fmt: skip
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "moon.txt").write_text("The moon is full tonight.", "utf-8")
    answer_box(str(tmp_path / "new"))
    click(qtbot, watch, "Follow a folder…")
    settle()
    assert column(watch.table, "Folder") == [str(tmp_path / "new")]
    assert column(watch.table, "Last check") == ["–"]
    click(qtbot, watch, "Check now")
    settle()
    assert column(watch.table, "Outcome")[0].startswith("Version 3")
    assert column(watch.table, "Last check") != ["–"]
    assert "moon.txt" in names(console)


def test_a_folder_that_is_not_there_is_refused(
    watch: WatchPanel, console: Console, tmp_path: Path, settle: Settle
) -> None:
    watch.follow(str(tmp_path / "nowhere"))
    settle()
    assert notices(console)[-1][1] == "bad"
    assert rows(watch.table) == []


def test_a_cancelled_choice_follows_nothing(
    qtbot: QtBot, watch: WatchPanel, console: Console, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: "")
    click(qtbot, watch, "Follow a folder…")
    settle()
    assert rows(watch.table) == [] and notices(console) == []


def test_a_paused_folder_is_not_checked_until_it_is_resumed(
    qtbot: QtBot, watch: WatchPanel, followed: Path, console: Console, settle: Settle
) -> None:
    watch.table.selectRow(0)
    click(qtbot, watch, "Pause")
    settle()
    assert column(watch.table, "State") == ["paused"]
    assert watch.pause_button.text() == watch.pause_button.accessibleName() == "Resume"
    click(qtbot, watch, "Check now")
    settle()
    assert "moon.txt" not in names(console)
    click(qtbot, watch, "Resume")
    settle()
    assert column(watch.table, "State") == ["on"]
    click(qtbot, watch, "Check now")
    settle()
    assert "moon.txt" in names(console)


def test_a_folder_is_forgotten_and_its_documents_stay(
    qtbot: QtBot, watch: WatchPanel, followed: Path, console: Console, settle: Settle
) -> None:
    watch.check_now()
    settle()
    assert not watch.stop_button.isEnabled()  # nothing is chosen
    watch.table.selectRow(0)
    click(qtbot, watch, "Stop following")
    settle()
    assert rows(watch.table) == []
    assert "moon.txt" in names(console)


def test_a_panel_without_a_collection_is_empty(watch: WatchPanel, followed: Path) -> None:
    assert len(rows(watch.table)) == 1
    watch.show_collection("", None)
    assert rows(watch.table) == []


# --- flags ------------------------------------------------------------------------------------------------


@pytest.fixture
def make_dialog(qtbot: QtBot, console: Console, settle: Settle) -> Callable[[], LimitsDialog]:
    """Open the dialog for “Notes” with what is stored at that moment."""

    def make() -> LimitsDialog:
        dialog = LimitsDialog(console, 1, "Notes")
        qtbot.addWidget(dialog)
        dialog.show()
        settle()
        return dialog

    return make


@pytest.fixture
def checked(notes: Path, open_workspace: Workspace) -> None:
    """Two answers whose sentences were checked."""
    ask_once(
        open_workspace, "How long does rye bread rest?", "Rye bread needs sourdough and 14 hours of rest [1]."
    )
    ask_once(open_workspace, "When do boats leave?", "Boats leave at midnight from Hamburg [1].")


def add_opinions(workspace: Workspace, count: int, alike: bool = False) -> None:
    """Store verdicts of a person whose data make the detector far too anxious."""
    random = np.random.default_rng(3)
    with workspace.store.session() as session:
        for number in range(count):
            score = float(random.uniform(0.05, 0.95))
            unsupported = not alike and bool(random.random() < score / 3)
            verdict = "unsupported" if score > 0.3 else "supported"
            session.add(
                FlagOpinion(trace_id=f"{number:032x}", start=0, collection_id=1, verdict=verdict, score=score,
                            is_right=unsupported == (verdict == "unsupported"), created_ms=number)
            )  # fmt: skip


def test_without_answers_there_is_nothing_to_preview(
    notes: Path, make_dialog: Callable[[], LimitsDialog]
) -> None:
    dialog = make_dialog()
    assert dialog.windowTitle() == "Flags of Notes"
    assert "has been checked yet, so there is nothing to preview" in dialog.preview.text()
    assert dialog.opinions.text() == "You have not rated any flags yet. A fit needs 50."
    assert dialog.check.isEnabled() and not dialog.fit_button.isEnabled()
    assert not dialog.apply_button.isVisible() and not dialog.drop_button.isVisible()


def test_the_preview_counts_what_limits_would_have_flagged(
    checked: None, make_dialog: Callable[[], LimitsDialog]
) -> None:
    dialog = make_dialog()
    dialog.check.setValue(1)
    assert dialog.preview.text().startswith("2 of the last 2 answers would have had a flag: ")
    dialog.check.setValue(1000)
    assert dialog.unsupported.value() == 1000  # what is unsupported is at least to check
    dialog.unsupported.setValue(200)
    assert dialog.check.value() == 200
    assert dialog._unsupported_text.text().startswith("0.200   about 1 in 6 ")


def test_limits_are_saved_and_set_back_as_trained(
    qtbot: QtBot, checked: None, console: Console, make_dialog: Callable[[], LimitsDialog], settle: Settle
) -> None:
    dialog = make_dialog()
    trained = (dialog.check.value(), dialog.unsupported.value())
    dialog.unsupported.setValue(990)
    click(qtbot, dialog, "Save")
    settle()
    assert not dialog.isVisible()
    state = read_flag_state(console.database, 1)
    assert (state.check_from, state.unsupported_from) == (None, 0.99)
    again = make_dialog()
    assert again.unsupported.value() == 990
    click(qtbot, again, "As trained")
    assert (again.check.value(), again.unsupported.value()) == trained
    click(qtbot, again, "Save")
    settle()
    assert read_flag_state(console.database, 1).unsupported_from is None


def test_a_second_detector_that_is_none_is_refused_and_the_dialog_stays(
    qtbot: QtBot, notes: Path, console: Console, make_dialog: Callable[[], LimitsDialog], tmp_path: Path,
    answer_box: Callable[[object], None], settle: Settle,
) -> None:  # fmt: skip
    dialog = make_dialog()
    answer_box(str(tmp_path))
    click(qtbot, dialog, "Choose…")
    assert dialog.second.text() == str(tmp_path)
    answer_box("")
    click(qtbot, dialog, "Choose…")
    assert dialog.second.text() == str(tmp_path)
    click(qtbot, dialog, "Save")
    settle()
    assert dialog.isVisible()
    assert str(tmp_path) in dialog.opinions.text() or tmp_path.name in dialog.opinions.text()
    click(qtbot, dialog, "Cancel")
    assert not dialog.isVisible()
    assert read_flag_state(console.database, 1).second_detector == ""


def test_a_fit_is_shown_before_it_is_used_and_can_be_removed(
    qtbot: QtBot, notes: Path, console: Console, open_workspace: Workspace,
    make_dialog: Callable[[], LimitsDialog], settle: Settle,
) -> None:  # fmt: skip
    add_opinions(open_workspace, 120)
    dialog = make_dialog()
    assert dialog.opinions.text().startswith("You rated 120 flags, ")
    click(qtbot, dialog, "Fit to my verdicts…")
    settle()
    assert dialog.opinions.text().startswith("From 120 verdicts, ")
    assert "held-out loss: " in dialog.opinions.text() and "It helps." in dialog.opinions.text()
    assert read_flag_state(console.database, 1).fitted_on == 0
    click(qtbot, dialog, "Use this fit")
    settle()
    assert not dialog.isVisible() and read_flag_state(console.database, 1).fitted_on == 120
    again = make_dialog()
    assert again.opinions.text().endswith("The scores are fitted to 120 of them.")
    click(qtbot, again, "Remove the fit")
    settle()
    assert read_flag_state(console.database, 1).fitted_on == 0


def test_a_fit_to_verdicts_that_are_all_alike_is_refused(
    qtbot: QtBot,
    notes: Path,
    open_workspace: Workspace,
    make_dialog: Callable[[], LimitsDialog],
    settle: Settle,
) -> None:
    add_opinions(open_workspace, 60, alike=True)
    dialog = make_dialog()
    click(qtbot, dialog, "Fit to my verdicts…")
    settle()
    assert dialog.isVisible() and not dialog.apply_button.isVisible()
    assert "All your verdicts say the same" in dialog.opinions.text()
