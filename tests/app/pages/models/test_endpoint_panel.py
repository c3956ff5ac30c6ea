"""Endpoints on the Models page and the Ask page: connecting, using, allowing, and what an answer shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import button_of, click, column, notices, open_dialog, press_in_dialog, texts
from endpoint_server import EndpointServer, add_endpoint
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.page import AskPage
from app.pages.models.endpoint_panel import ConnectDialog
from app.pages.models.page import ModelsPage
from rag.models.endpoints.rows import MayLeave, list_endpoints, may_leave
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> ModelsPage:
    made = ModelsPage(console)
    qtbot.addWidget(made)
    console.refresh_models()
    settle()
    return made


def test_a_server_is_connected_checked_and_used(
    qtbot: QtBot, page: ModelsPage, console: Console, settle: Settle, server: EndpointServer
) -> None:
    click(qtbot, page, "Connect…")
    dialog = open_dialog(page, ConnectDialog)
    dialog.url.setText(server.url)
    dialog.name.setText("near")
    dialog.connect_now()
    settle()
    assert not dialog.isVisible()
    assert page.table.choose(lambda entry: entry.endpoint == "near")
    assert "on this computer" in texts(page.endpoint)
    assert column(page.endpoint.table, "Ability")[:3] == ["chat", "streaming", "usage in streams"]
    assert page.border.isHidden()  # nothing is elsewhere
    click(qtbot, page, "Use")
    settle()
    assert console.settings.models.active == "endpoint:near"


def test_a_server_that_refuses_keeps_the_dialog_open_with_the_reason(
    qtbot: QtBot, page: ModelsPage, console: Console, settle: Settle, server: EndpointServer
) -> None:
    server.fails = [401]
    click(qtbot, page, "Connect…")
    dialog = open_dialog(page, ConnectDialog)
    dialog.url.setText(server.url)
    dialog.model.setText("tiny")
    dialog.connect_now()
    settle()
    assert dialog.isVisible() and "refuses the key" in dialog.state.text()
    assert list_endpoints(console.database) == []
    dialog.reject()


def test_an_endpoint_is_disconnected_after_a_yes(
    qtbot: QtBot, page: ModelsPage, console: Console, settle: Settle, open_workspace: Workspace,
    server: EndpointServer,
) -> None:  # fmt: skip
    add_endpoint(open_workspace, server.url)
    console.refresh_models()
    settle()
    page.table.choose(lambda entry: entry.endpoint == "far")
    click(qtbot, page.endpoint, "Disconnect…")
    press_in_dialog(open_dialog(page, QMessageBox), "Disconnect")
    settle()
    assert list_endpoints(console.database) == [] and page.endpoint.isHidden()


def test_a_collection_may_leave_once_it_is_allowed_here(
    notes: Path, page: ModelsPage, console: Console, settle: Settle, open_workspace: Workspace,
    server: EndpointServer,
) -> None:  # fmt: skip
    add_endpoint(open_workspace, server.elsewhere)
    console.refresh_models()
    settle()
    assert not page.border.isHidden()
    assert page.border.summary.text() == "Nothing is allowed to leave."
    page.border.setting.setCurrentIndex(page.border.setting.findData("always"))
    page.border.setting.activated.emit(page.border.setting.currentIndex())
    settle()
    assert may_leave(console.database, "Notes") is MayLeave.ALWAYS
    assert page.border.summary.text() == "Allowed: Notes (always)."


def test_a_question_asks_before_it_leaves_and_its_answer_says_that_it_did(
    qtbot: QtBot, notes: Path, console: Console, settle: Settle, open_workspace: Workspace,
    server: EndpointServer,
) -> None:  # fmt: skip
    add_endpoint(open_workspace, server.elsewhere)
    open_workspace.endpoints.set_border("Notes", MayLeave.ASK)
    page = AskPage(console)
    qtbot.addWidget(page)
    console.refresh_models()
    settle()
    page.model_box.setCurrentIndex(page.model_box.findData("endpoint:far"))
    page.ask("What does rye bread need?")
    press_in_dialog(open_dialog(page, QMessageBox), "Cancel")
    settle()
    assert server.requests == [] and not page.findChildren(AnswerCard)
    page.ask("What does rye bread need?")
    press_in_dialog(open_dialog(page, QMessageBox), "Send")
    settle()
    (card,) = page.findChildren(AnswerCard)
    assert card.answer_text == "Rye bread needs sourdough [1]."
    assert card.left.text == f"Sent to 0.0.0.0:{server.port}" and not card.left.isHidden()
    server.usage = None
    page.ask("And boats?")  # it does not ask again
    settle()
    assert "usage unknown, about" in page.findChildren(AnswerCard)[1].status.text()
    assert not [text for text, kind in notices(console) if kind == "bad"]
    assert button_of(page, "Ask").isEnabled()
