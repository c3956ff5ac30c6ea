"""The page Server: off until it is switched on, and then it shows what is served, to whom, and what is asked."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from driving import click, column, notices, rows, texts
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.server import ServerPage
from rag.settings import ServerSettings
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle, open_workspace: Workspace) -> Iterator[ServerPage]:
    open_workspace.change_settings({"server": {"port": 0}})
    console.take_settings(open_workspace.settings.model_dump(mode="json"))
    made = ServerPage(console)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    settle()
    yield made
    made.hide()


def switched_on(page: ServerPage, qtbot: QtBot, settle: Settle) -> ServerPage:
    click(qtbot, page, "Switch on")
    qtbot.waitUntil(lambda: page.state.is_on, timeout=30_000)
    settle()
    return page


def test_it_is_off_until_it_is_switched_on_and_off_again(
    page: ServerPage, qtbot: QtBot, settle: Settle, open_workspace: Workspace
) -> None:
    assert page.pill.text == "off" and not page.copy_address.isEnabled()
    assert open_workspace.server is None and not ServerSettings().on
    switched_on(page, qtbot, settle)
    address = page.state.address
    assert f"OpenAI API at {address}/v1" in texts(page) and f"MCP at {address}/mcp" in texts(page)
    assert open_workspace.settings.server.on
    click(qtbot, page, "Copy address")
    assert QGuiApplication.clipboard().text() == f"{address}/v1"
    click(qtbot, page, "Switch off")
    qtbot.waitUntil(lambda: not page.state.is_on, timeout=30_000)
    settle()
    assert page.pill.text == "off" and not open_workspace.settings.server.on
    with pytest.raises(OSError):
        urllib.request.urlopen(address, timeout=5)


@pytest.mark.usefixtures("notes")
def test_a_request_is_listed_and_its_trace_opens(
    page: ServerPage, qtbot: QtBot, settle: Settle, console: Console
) -> None:
    switched_on(page, qtbot, settle)
    (token,) = page.tokens.records_model.records
    client = openai.OpenAI(base_url=f"{page.state.address}/v1", api_key=token.secret, max_retries=0)
    with qtbot.waitSignal(console.data_changed, timeout=30_000):
        client.chat.completions.create(
            model="Notes", messages=[{"role": "user", "content": "How long does rye bread rest?"}]
        )
    client.close()
    assert [row[1:5] for row in rows(page.calls)] == [["default", "chat", "Notes", "done"]]
    assert "1 request since the start" in texts(page)
    with qtbot.waitSignal(page.trace_requested) as opened:
        page.calls.record_activated.emit(page.calls.records_model.record_at(0))
    assert opened.args == [page.state.calls[0].trace_id]


def test_tokens_are_made_copied_and_revoked(
    page: ServerPage, qtbot: QtBot, settle: Settle, console: Console, folder: Path
) -> None:
    assert column(page.tokens, "Token") == ["default"] and not page.make_button.isEnabled()
    page.name.setText("editor")
    click(qtbot, page, "New token")
    settle()
    assert column(page.tokens, "Token") == ["default", "editor"] and page.name.text() == ""
    made = QGuiApplication.clipboard().text()
    assert made.startswith("rd-") and made in (folder / "server-tokens.json").read_text("utf-8")
    page.tokens.selectRow(0)
    click(qtbot, page, "Copy")
    assert QGuiApplication.clipboard().text() not in ("", made)
    page.name.setText("editor")
    assert not page.make_button.isEnabled() and "Revoke it first" in page.make_button.toolTip()
    page.tokens.selectRow(1)
    click(qtbot, page, "Revoke…")
    (box,) = page.findChildren(QMessageBox)
    next(each for each in box.buttons() if each.text() == "Revoke").click()
    settle()
    assert column(page.tokens, "Token") == ["default"]
    assert ("The token “editor” is on the clipboard.", "info") in notices(console)


def test_what_is_served_follows_the_boxes_while_it_runs(
    page: ServerPage, qtbot: QtBot, settle: Settle
) -> None:
    switched_on(page, qtbot, settle)
    page.parts["mcp"].click()
    qtbot.waitUntil(lambda: "MCP" not in "".join(page.state.served), timeout=30_000)
    assert page.state.is_on


def test_a_port_that_is_taken_is_a_sentence_and_the_switch_stays_off(
    page: ServerPage, qtbot: QtBot, settle: Settle, console: Console, open_workspace: Workspace
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        page.port.setValue(port)
        page.port.editingFinished.emit()
        settle()
        click(qtbot, page, "Switch on")
        qtbot.waitUntil(lambda: any("in use" in sentence for sentence, _ in notices(console)), timeout=30_000)
        settle()
    assert not page.state.is_on and page.switch.isEnabled() and not open_workspace.settings.server.on
