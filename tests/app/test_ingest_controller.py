"""The queue of imports: what is dropped second waits and is shown, and Cancel and Pause act on what is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import open_dialog, press_in_dialog, texts
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.engine.client import Task
from app.ingest_controller import CollectionDialog, IngestController
from app.widgets.progress import ProgressPanel
from rag import operations
from rag.knowledge.rows import get_collection, list_collections
from rag.sample.rows import SAMPLE_COLLECTION

QUEUED = "Another import is running. These files are queued."


@pytest.fixture
def shown(qtbot: QtBot, console: Console) -> ProgressPanel:
    panel = ProgressPanel(console.theme)
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def ingests(qtbot: QtBot, console: Console, shown: ProgressPanel) -> IngestController:
    window = QWidget()
    qtbot.addWidget(window)
    made = IngestController(console, window)
    made.setParent(None)  # else it goes with the window, before the engine is stopped
    made.window_of_test = window  # type: ignore[attr-defined]
    made.attach(shown)
    return made


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder whose import takes some hundred events."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(30):
        lines = [f"Fact {number}.{line}: the value of item {line} is {number * line}." for line in range(40)]
        (folder / f"facts-{number}.txt").write_text("\n".join(lines), "utf-8")
    return folder


def press(qtbot: QtBot, widget: QWidget, name: str) -> None:
    """Click the button with this name as soon as it is shown."""

    def found() -> list[QPushButton]:
        buttons = widget.findChildren(QPushButton)
        return [b for b in buttons if name in (b.accessibleName(), b.text()) and b.isVisible()]

    qtbot.waitUntil(lambda: bool(found()))
    qtbot.mouseClick(found()[0], Qt.MouseButton.LeftButton)


def start_paused(qtbot: QtBot, ingests: IngestController, many: Path, collection: str = "Many") -> Task:
    """Start an import and hold it at its first event."""
    ingests.start_ingest([str(many)], collection)
    task = ingests.queue.first
    assert task is not None
    with qtbot.waitSignal(task.event, timeout=20_000):
        task.pause()
    return task


def names(console: Console) -> list[str]:
    return [row.name for row in list_collections(console.database) if row.document_count]


def test_an_import_is_shown_while_it_runs(
    qtbot: QtBot, console: Console, ingests: IngestController, shown: ProgressPanel, documents: Path,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    assert not shown.isVisible()
    started, reports, changes = (
        QSignalSpy(ingests.started),
        QSignalSpy(ingests.ingested),
        QSignalSpy(console.data_changed),
    )
    ingests.start_ingest([str(documents)], "Kitchen")
    assert started.count() == 1
    assert shown.isVisible()
    assert shown.title == "Adding documents to “Kitchen”"
    assert ingests.is_busy
    settle()
    assert not shown.isVisible()
    assert not ingests.is_busy
    assert reports.at(0)[0].count("added") == 3
    assert changes.count() == 1


def test_a_second_drop_is_queued_and_shown_and_runs_after_the_first(
    qtbot: QtBot, console: Console, ingests: IngestController, shown: ProgressPanel, many: Path, documents: Path,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    first = start_paused(qtbot, ingests, many)
    ingests.start_ingest([str(documents / "bread.md"), str(documents / "stars.txt")], "Kitchen")
    assert shown.title == "Adding many to “Many”"
    assert shown.waiting == ["Adding bread.md and 1 more to “Kitchen”"]
    assert QUEUED in [label.text() for label in shown.findChildren(QLabel) if label.isVisible()]
    assert console.notices[-1] == (QUEUED, "info")  # type: ignore[attr-defined]
    first.resume()
    settle()
    assert names(console) == ["Kitchen", "Many"]


def test_cancel_stops_the_first_and_the_second_runs(
    qtbot: QtBot, console: Console, ingests: IngestController, shown: ProgressPanel, many: Path, documents: Path,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    first = start_paused(qtbot, ingests, many)
    ingests.start_ingest([str(documents)], "Kitchen")
    cancelled = QSignalSpy(first.cancelled)
    press(qtbot, shown, "Cancel")
    qtbot.waitUntil(lambda: cancelled.count() == 1, timeout=20_000)
    settle()
    assert names(console) == ["Kitchen"]
    assert (
        "Cancelled. Finished files are kept; adding them again goes on from there.", "info",
    ) in console.notices  # type: ignore[attr-defined]  # fmt: skip


@pytest.mark.parametrize("by_key", [True, False])
def test_a_queued_import_is_removed_and_the_first_goes_on(
    qtbot: QtBot, console: Console, ingests: IngestController, shown: ProgressPanel, many: Path, documents: Path,
    settle: Callable[[], None], by_key: bool,
) -> None:  # fmt: skip
    first = start_paused(qtbot, ingests, many)
    ingests.start_ingest([str(documents)], "Kitchen")
    if by_key:
        line = next(
            b for b in shown.findChildren(QPushButton) if b.accessibleName().startswith("Cancel Adding")
        )
        qtbot.keyClick(line, Qt.Key.Key_Escape)
    else:
        press(qtbot, shown, "Cancel Adding documents to “Kitchen”")
    qtbot.waitUntil(lambda: shown.waiting == [], timeout=20_000)
    assert shown.title == "Adding many to “Many”"
    assert console.notices[-1] == (  # type: ignore[attr-defined]
        "Taken out of the queue: Adding documents to “Kitchen”.", "info",
    )  # fmt: skip
    first.resume()
    settle()
    assert names(console) == ["Many"]


def test_pause_holds_the_first_and_resume_lets_it_go_on(
    qtbot: QtBot, console: Console, ingests: IngestController, shown: ProgressPanel, many: Path, documents: Path,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    ingests.start_ingest([str(many)], "Many")
    ingests.start_ingest([str(documents)], "Kitchen")
    press(qtbot, shown, "Pause")
    first, second = ingests.queue.first, ingests.queue.waiting[0]
    assert first is not None
    assert (first.paused, second.paused) == (True, False)
    press(qtbot, shown, "Resume")
    settle()
    assert names(console) == ["Kitchen", "Many"]


def test_when_the_first_fails_the_second_starts(
    qtbot: QtBot, console: Console, ingests: IngestController, shown: ProgressPanel, documents: Path, tmp_path: Path,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    ingests.start_ingest([str(documents)], "")  # a collection needs a name
    ingests.start_ingest([str(documents)], "Kitchen")
    settle()
    assert names(console) == ["Kitchen"]
    assert any(kind == "bad" for _, kind in console.notices)  # type: ignore[attr-defined]
    assert not shown.isVisible()


def test_a_panel_that_is_made_later_shows_what_is_under_way(
    qtbot: QtBot, console: Console, ingests: IngestController, many: Path, documents: Path,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    first = start_paused(qtbot, ingests, many)
    ingests.start_ingest([str(documents)], "Kitchen")
    late = ProgressPanel(console.theme)
    qtbot.addWidget(late)
    ingests.attach(late)
    assert late.title == "Adding many to “Many”"
    assert late.waiting == ["Adding documents to “Kitchen”"]
    first.cancel()
    settle()


def test_a_removal_of_what_has_begun_in_the_meantime_does_nothing(ingests: IngestController) -> None:
    ingests._remove(3)
    assert not ingests.is_busy


# --- what is to be imported -------------------------------------------------------------------------------


def test_model_files_become_models_and_the_rest_is_imported(
    console: Console, ingests: IngestController, documents: Path, settle: Callable[[], None]
) -> None:
    models = QSignalSpy(ingests.models_chosen)
    ingests.add_paths(["/models/small.GGUF", str(documents / "bread.md")], "Kitchen")
    settle()
    assert models.at(0)[0] == ["/models/small.GGUF"]
    assert get_collection(console.database, "Kitchen").document_count == 1


def test_model_files_alone_import_nothing(console: Console, ingests: IngestController) -> None:
    ingests.add_paths(["/models/small.gguf"], "Kitchen")
    assert console.engine.tasks == []


@pytest.mark.parametrize(("answer", "imported"), [("Add", ["Many"]), ("Cancel", [])])
def test_many_files_are_added_only_after_a_yes(
    qtbot: QtBot, console: Console, ingests: IngestController, tmp_path: Path, settle: Callable[[], None],
    answer: str, imported: list[str],
) -> None:  # fmt: skip
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(201):
        (folder / f"{number}.txt").write_text(f"Fact {number}.", "utf-8")
    (folder / "picture.png").write_bytes(b"")
    ingests.add_paths([str(folder)], "Many")
    window = ingests.window_of_test  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: window.findChild(QMessageBox) is not None, timeout=20_000)
    box = window.findChild(QMessageBox)
    assert box.text().startswith("Add 201 files (")
    assert box.text().endswith("to “Many”? 1 more would be left out.")
    press(qtbot, box, answer)
    settle()
    assert names(console) == imported


def test_files_and_folders_are_chosen_in_dialogs(
    console: Console, ingests: IngestController, documents: Path, settle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from PySide6.QtWidgets import QFileDialog, QInputDialog

    asked: list[str] = []

    def name(_parent: Any, _title: str, label: str, **_more: Any) -> tuple[str, bool]:
        asked.append(label)
        return " Kitchen ", True

    monkeypatch.setattr(QInputDialog, "getText", name)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_a: ([str(documents / "bread.md")], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a: str(documents))
    ingests.choose_files("")
    settle()
    assert get_collection(console.database, "Kitchen").document_count == 1
    ingests.choose_folder("Kitchen")
    settle()
    assert get_collection(console.database, "Kitchen").document_count == 3
    assert asked == ["Name of the collection"]


def test_a_dialog_that_is_cancelled_imports_nothing(
    console: Console, ingests: IngestController, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtWidgets import QFileDialog, QInputDialog

    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("Kitchen", False))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_a: ([], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a: "")
    for collection in ("", "Kitchen"):
        ingests.choose_files(collection)
        ingests.choose_folder(collection)
    assert console.engine.tasks == []


def test_the_sample_is_imported(
    console: Console, ingests: IngestController, shown: ProgressPanel, settle: Callable[[], None]
) -> None:
    ingests.start_sample()
    assert shown.title == "Preparing the sample collection"
    settle()
    assert len(names(console)) == 1


# --- files that were dropped on the launcher --------------------------------------------------------------


@pytest.fixture
def letter(tmp_path: Path) -> str:
    path = tmp_path / "letter.txt"
    path.write_text("The lease ends in May.", "utf-8")
    return str(path)


def make_collections(console: Console, settle: Callable[[], None], letter: str, *names: str) -> None:
    for name in names:
        console.run(operations.ingest_files, None, collection=name, paths=[letter])
        settle()


def test_handed_files_go_to_documents_or_to_the_only_collection(
    ingests: IngestController, console: Console, settle: Callable[[], None], letter: str, tmp_path: Path
) -> None:
    ingests.add_handed([letter])
    settle()
    assert [row.name for row in list_collections(console.database)] == ["Documents"]
    other = tmp_path / "other.txt"
    other.write_text("The lease begins in June.", "utf-8")
    make_collections(console, settle, letter, SAMPLE_COLLECTION)  # the sample is nobody's own
    ingests.add_handed([str(other)])
    settle()
    assert get_collection(console.database, "Documents").document_count == 2
    assert get_collection(console.database, SAMPLE_COLLECTION).document_count == 1


def test_handed_files_ask_which_collection_where_there_are_several(
    qtbot: QtBot, ingests: IngestController, console: Console, settle: Callable[[], None], letter: str
) -> None:
    make_collections(console, settle, letter, "Letters", "Papers")
    window = ingests.window_of_test  # type: ignore[attr-defined]
    ingests.add_handed([letter])
    dialog = open_dialog(window, CollectionDialog)
    assert "“letter.txt” to which collection" in texts(dialog)
    assert [dialog.box.itemText(n) for n in range(dialog.box.count())] == ["Letters", "Papers"]
    dialog.box.setEditText("  ")
    press_in_dialog(dialog, "Add")
    assert dialog.isVisible()  # without a name nothing is added
    dialog.box.setEditText("Leases")
    press_in_dialog(dialog, "Add")
    settle()
    assert "Leases" in {row.name for row in list_collections(console.database)}
    ingests.add_handed([letter])
    press_in_dialog(open_dialog(window, CollectionDialog), "Cancel")
    settle()
    assert len(list_collections(console.database)) == 3


def test_files_that_come_before_the_engine_is_ready_wait_for_it(
    ingests: IngestController, console: Console, settle: Callable[[], None], letter: str
) -> None:
    console.engine.is_ready = False
    ingests.add_handed([letter])
    assert not console.engine.tasks
    console.engine.is_ready = True
    console.engine.ready.emit(0, [])
    settle()
    assert get_collection(console.database, "Documents").document_count == 1
    console.engine.ready.emit(0, [])  # they are added once
    assert not console.engine.tasks
