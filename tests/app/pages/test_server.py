"""The page Server: off until it is switched on, and then it shows what is served, to whom, and what is asked."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from driving import click, column, notices, rows, texts
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.server import ServerPage
from rag.serving.rows import ServedCall, ServerState
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
    qtbot.waitUntil(  # it is off for a moment while it is started anew
        lambda: page.state.is_on and "MCP" not in "".join(page.state.served), timeout=30_000
    )


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


# --- what it shows of a state, without a server -----------------------------------------------------------

ON = ServerState(
    "http://127.0.0.1:4318", ("OpenAI API at http://127.0.0.1:4318/v1", "MCP at http://127.0.0.1:4318/mcp")
)


def called(number: int, **values: Any) -> ServedCall:
    return ServedCall(number, 0, **{"application": "editor", "what": "chat", **values})


@pytest.mark.parametrize(
    ("state", "summary"),
    [
        (ServerState(), ""),
        (ON, "0 requests since the start"),
        (replace(ON, total=1), "1 request since the start"),
        (
            replace(ON, total=2_000, waiting=1),
            "2,000 requests since the start   1 question in progress or waiting",
        ),
        (
            replace(ON, total=3, waiting=2, received=9),
            "3 requests since the start   2 questions in progress or waiting   9 spans received",
        ),
    ],
)
def test_the_state_is_summed_up(page: ServerPage, state: ServerState, summary: str) -> None:
    page._take(state)
    assert page.summary.text() == summary
    assert (page.pill.text, page.switch.text()) == (
        ("on", "Switch off") if state.is_on else ("off", "Switch on")
    )
    assert page.copy_address.isEnabled() is page.addresses.isVisible() is state.is_on


@pytest.mark.parametrize(
    ("call", "cells"),
    [
        (called(1), ["editor", "chat", "–", "in progress", "–"]),
        (called(1, application=""), ["–", "chat", "–", "in progress", "–"]),
        (
            called(1, model="Notes", status=200, milliseconds=1234.4),
            ["editor", "chat", "Notes", "done", "1,234"],
        ),
        (called(1, status=404, milliseconds=0.0), ["editor", "chat", "–", "refused (404)", "0"]),
        (
            called(1, status=499, milliseconds=9.6, detail="cancelled"),
            ["editor", "chat", "–", "cancelled", "10"],
        ),
    ],
)
def test_a_request_is_a_row(page: ServerPage, call: ServedCall, cells: list[str]) -> None:
    page._take(replace(ON, calls=(call,), total=1))
    (row,) = rows(page.calls)
    assert row[1:] == cells


def test_other_pages_are_told_once_when_a_request_ends(page: ServerPage, console: Console) -> None:
    told: list[int] = []
    console.data_changed.connect(lambda: told.append(1))
    running, ended = called(1), called(1, status=200, milliseconds=5.0)
    for state in (
        ON,
        replace(ON, calls=(running,)),
        replace(ON, calls=(ended,)),
        replace(ON, calls=(ended,)),
    ):
        page._take(state)
    assert len(told) == 1
    page._take(replace(ON, calls=(called(2, status=400, milliseconds=1.0), ended)))
    assert len(told) == 2


def test_a_request_without_a_trace_opens_nothing(page: ServerPage) -> None:
    opened: list[str] = []
    page.trace_requested.connect(opened.append)
    for call in (called(1), called(2, trace_id="ab")):
        page.calls.record_activated.emit(call)
    assert opened == ["ab"]


# --- tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "Type the name of the program first."),
        ("   ", "Type the name of the program first."),
        ("default", "There is a token of this name already. Revoke it first."),
        (" default ", "There is a token of this name already. Revoke it first."),
        ("Default", ""),
        ("editor", ""),
    ],
)
def test_a_token_needs_a_name_that_no_other_has(page: ServerPage, typed: str, why: str) -> None:
    page.name.setText(typed)
    assert page.make_button.isEnabled() is (not why)
    assert not why or page.make_button.toolTip() == why


def test_enter_makes_a_token_and_only_where_the_button_would(
    page: ServerPage, qtbot: QtBot, settle: Settle
) -> None:
    for typed in ("default", "editor"):
        page.name.setText(typed)
        qtbot.keyClick(page.name, Qt.Key.Key_Return)
        settle()
    assert column(page.tokens, "Token") == ["default", "editor"]


def test_a_name_that_is_refused_is_one_sentence_and_stays_typed(
    page: ServerPage, qtbot: QtBot, settle: Settle, console: Console
) -> None:
    page.name.setText("a/b")
    click(qtbot, page, "New token")
    settle()
    assert column(page.tokens, "Token") == ["default"] and page.name.text() == "a/b"
    ((sentence, kind),) = notices(console)
    assert sentence.startswith("A token needs a name") and kind == "bad"


def test_without_a_chosen_token_nothing_can_be_copied_or_revoked(page: ServerPage) -> None:
    for made in (page.copy_button, page.revoke_button):
        assert not made.isEnabled() and made.toolTip() == "Choose a token in the table."
    page.tokens.selectRow(0)
    assert page.copy_button.isEnabled() and page.revoke_button.isEnabled()


def test_a_token_that_is_not_revoked_after_all_stays(page: ServerPage, qtbot: QtBot, settle: Settle) -> None:
    page.tokens.selectRow(0)
    click(qtbot, page, "Revoke…")
    (box,) = page.findChildren(QMessageBox)
    assert "“default”" in box.text() and "let in no more" in box.text()
    next(each for each in box.buttons() if each.text() == "Cancel").click()
    settle()
    assert column(page.tokens, "Token") == ["default"]


def test_the_chosen_token_stays_chosen_when_another_is_made(
    page: ServerPage, qtbot: QtBot, settle: Settle
) -> None:
    page.tokens.selectRow(0)
    page.name.setText("agent")
    click(qtbot, page, "New token")
    settle()
    assert [token.name for token in page.tokens.selected_records()] == ["default"]


# --- what is served ---------------------------------------------------------------------------------------


def test_the_boxes_show_what_the_settings_say(
    page: ServerPage, console: Console, open_workspace: Workspace
) -> None:
    values = {"openai": False, "mcp": True, "port": 5151, "most_waiting": 3}
    open_workspace.change_settings({"server": values})
    console.take_settings(open_workspace.settings.model_dump(mode="json"))
    assert {key: box.isChecked() for key, box in page.parts.items()} == {
        "openai": False, "mcp": True,
    }  # fmt: skip
    assert (page.port.value(), page.most_waiting.value()) == (5151, 3)
    assert not page.state.is_on, "a box starts nothing"


def test_what_is_chosen_while_it_is_off_is_kept_and_starts_nothing(
    page: ServerPage, settle: Settle, open_workspace: Workspace
) -> None:
    page.parts["mcp"].click()
    page.most_waiting.setValue(2)
    page.most_waiting.editingFinished.emit()
    settle()
    server = open_workspace.settings.server
    assert (server.openai, server.mcp, server.most_waiting) == (True, False, 2)
    assert open_workspace.server is None and not server.on


def test_with_every_box_off_it_cannot_be_switched_on(
    page: ServerPage, qtbot: QtBot, settle: Settle, console: Console, open_workspace: Workspace
) -> None:
    page.parts["openai"].click()
    page.parts["mcp"].click()
    settle()
    click(qtbot, page, "Switch on")
    settle()
    assert any("Nothing is served" in sentence for sentence, _ in notices(console))
    assert page.switch.isEnabled() and open_workspace.server is None and not open_workspace.settings.server.on


def test_a_page_that_is_not_in_view_asks_for_nothing(
    page: ServerPage, console: Console, settle: Settle
) -> None:
    page.hide()
    settle()
    page._look()
    page._read_tokens()
    assert console.engine.tasks == [] and not page._timer.isActive()
    page.show()
    assert console.engine.tasks != [] and page._timer.isActive()
    settle()
