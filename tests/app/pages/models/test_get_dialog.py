"""Get a model: the catalogue, a download against a hub on loopback, and files from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import column, rows
from fakes import tiny_gguf
from hub_server import Hub, HubServer
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.models.get_dialog import GetModelDialog
from app.pages.models.page import ModelsPage
from rag.models.getting.rows import DownloadProgress, Purpose, list_offers
from rag.models.rows import list_added_models
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with HubServer(Hub({"org/small": {"small.gguf": tiny_gguf()}})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        yield made


@pytest.fixture
def dialog(qtbot: QtBot, console: Console, open_workspace: Workspace, tmp_path: Path) -> GetModelDialog:
    made = GetModelDialog(console)
    qtbot.addWidget(made)
    made.folder.setText(str(tmp_path / "models"))
    return made


def test_the_catalogue_is_listed_by_what_models_are_for(dialog: GetModelDialog) -> None:
    assert len(rows(dialog.table)) == len(list_offers())
    dialog.purpose.setCurrentIndex(dialog.purpose.findData("embeds"))
    assert set(column(dialog.table, "For")) == {"embedder"}
    assert not dialog.get_button.isEnabled() and "Choose a model" in dialog.get_button.toolTip()


def test_a_chosen_model_fills_the_form_and_says_how_it_is_checked(dialog: GetModelDialog) -> None:
    offer = next(one for one in list_offers(Purpose.CHECKS))
    dialog.table.choose(lambda one: one == offer)
    assert (dialog.repository.text(), dialog.file.text()) == (offer.repository, "")
    assert dialog.kind.currentData() == "checks" and dialog.get_button.isEnabled()


def test_a_model_is_downloaded_and_in_the_list(
    dialog: GetModelDialog, hub: Hub, open_workspace: Workspace, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog.repository.setText("org/small")
    dialog.file.setText("small.gguf")
    dialog.get_button.click()
    assert not dialog.get_button.isEnabled() and dialog.progress.isVisibleTo(dialog)
    qtbot.waitUntil(lambda: dialog.get_button.isEnabled(), timeout=60_000)
    assert (
        "small.gguf is there. It was checked against the hash that the server states." in dialog.said.text()
    )
    assert list_added_models(open_workspace.database) == [str(tmp_path / "models" / "small.gguf")]


def test_closing_the_dialog_ends_the_download(
    dialog: GetModelDialog, hub: Hub, open_workspace: Workspace, qtbot: QtBot
) -> None:
    hub.hold = 10
    dialog.repository.setText("org/small")
    dialog.file.setText("small.gguf")
    dialog.get_button.click()
    qtbot.waitUntil(hub.reached.is_set, timeout=60_000)
    dialog.reject()
    qtbot.waitUntil(lambda: dialog._task is None, timeout=60_000)
    assert list_added_models(open_workspace.database) == []


def test_without_a_network_the_dialog_says_how_to_get_the_file_elsewhere(dialog: GetModelDialog) -> None:
    dialog.repository.setText("org/small")
    dialog.file.setText("small.gguf")
    dialog._refused("The server could not be reached, or it stopped sending (ConnectError).", "")
    assert (
        "get small.gguf of org/small on another computer, and drop the file on this window"
        in dialog.said.text()
    )
    dialog._refused("The disk is full.", "")
    assert dialog.said.text() == "The disk is full."


def test_progress_is_told_in_megabytes(dialog: GetModelDialog) -> None:
    dialog._show(DownloadProgress("downloading", "m.gguf", 250_000_000, 1_000_000_000))
    assert dialog.said.text() == "Downloading m.gguf: 250 of 1,000 MB" and dialog.progress.value() == 250
    dialog._show(DownloadProgress("checking", "m.gguf", 1_000_000_000, 1_000_000_000))
    assert dialog.said.text().startswith("Checking m.gguf")


def test_a_file_from_elsewhere_is_taken(
    dialog: GetModelDialog, open_workspace: Workspace, tmp_path: Path, settle: Settle
) -> None:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(tiny_gguf())
    dialog.add_files([str(file)])
    settle()
    assert dialog.said.text().startswith("tiny was added.")
    assert list_added_models(open_workspace.database) == [str(file)]
    file.write_bytes(b"no model")
    dialog.add_files([str(file)])
    settle()
    assert dialog.said.property("role") == "bad"


def test_the_page_opens_the_dialog(qtbot: QtBot, console: Console) -> None:
    page = ModelsPage(console)
    qtbot.addWidget(page)
    page.get_model()
    opened = page.findChild(GetModelDialog)
    assert opened is not None and opened.isVisible()
    opened.reject()
