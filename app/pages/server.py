"""Server: what other programs on this computer may have, by which tokens, and what they ask."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QLineEdit, QSpinBox, QWidget

from app.console import Console, Notice
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import StatusPill, label, set_tip
from app.widgets.layout import Flow, Panel, Splitter, column, confirm, row
from app.widgets.theme import SPACE
from rag import operations
from rag.serving.rows import ServedCall, ServerState, Token
from rag.text.plurals import counted

_LOOK_MS = 1000  # between two looks at the requests while the page is in view
_PARTS = (("openai", "OpenAI API"), ("mcp", "MCP"))  # traces are received by a switch of their own

TOKEN_COLUMNS = (
    Column("Token", lambda t: t.name, 130, stretch=True),
    Column("Made", lambda t: date_time(t.created_ms), 130, sort=lambda t: t.created_ms),
)
CALL_COLUMNS = (
    Column("Time", lambda c: date_time(c.at_ms), 130, sort=lambda c: c.number),
    Column("Token", lambda c: c.application or "–", 110),
    Column("Request", lambda c: c.what, 110),
    Column("Asked", lambda c: c.model or "–", 140),
    Column("Outcome", lambda c: c.outcome, 200, stretch=True, tooltip=lambda c: c.outcome,
           colour=lambda c: "bad" if c.status >= 400 else None),
    Column("ms", lambda c: "–" if c.milliseconds is None else f"{c.milliseconds:,.0f}", 70, right=True,
           sort=lambda c: c.milliseconds or 0.0),
)  # fmt: skip


class ServerPage(QWidget):
    """A page with the switch, what is served where, the tokens, and the requests as they come."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self.state = ServerState()
        self._tokens: list[Token] = []
        self.pill = StatusPill(console.theme, "off")
        self.switch = button("Switch on", self._switch, primary=True)
        self.addresses = label("", wrap=True)
        self.copy_address = button("Copy address", self._copy_address, tip="Copy the base URL for clients")
        self.parts = {key: QCheckBox(name) for key, name in _PARTS}
        self.port, self.most_waiting = QSpinBox(maximum=65535), QSpinBox(maximum=1000)
        self.tokens = RecordTable(TOKEN_COLUMNS, console.theme, "server_tokens", "No token yet.")
        self.name = QLineEdit(placeholderText="Program", maxLength=60)
        self.name.setAccessibleName("Name of a program")
        self.make_button = button("New token", self._make, tip="Make a token for the program and copy it")
        self.copy_button = button("Copy", self._copy, tip="Copy the chosen token")
        self.revoke_button = button("Revoke…", self._revoke, tip="Let the chosen token hold no more")
        self.calls = RecordTable(CALL_COLUMNS, console.theme, "server_requests", "No request yet.")
        self.summary = label("", "muted")
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        token_panel = Panel("Tokens")
        token_panel.body.addWidget(self.tokens, 1)
        token_panel.body.addWidget(self.name)
        token_panel.body.addLayout(Flow(self.make_button, self.copy_button, self.revoke_button))
        call_panel = Panel("Requests")
        call_panel.body.addWidget(self.calls, 1)
        call_panel.body.addWidget(self.summary)
        places = label("Port"), label("Questions that may wait")
        for box, name in zip((self.port, self.most_waiting), places, strict=True):
            box.setAccessibleName(name.text())
            name.setBuddy(box)
        set_tip(self.port, "0 takes a free port each time.")
        served = Flow(*self.parts.values(), places[0], self.port, places[1], self.most_waiting)
        top = row(label("Server", "title"), self.pill, 1, self.copy_address, self.switch)
        note = label(
            "Other programs on this computer ask your collections here, each with a token of its own. Nobody "
            "else can connect, and nothing is served until you switch it on.",
            "small", wrap=True,
        )  # fmt: skip
        tables = Splitter("server/splitter", token_panel, call_panel, (300, 700), stretch=(0, 1))
        column(top, note, served, self.addresses, (tables, 1), holder=self, spacing=SPACE)
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)

    def _connect(self) -> None:
        console = self._console
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.tokens.record_selected.connect(lambda _record: self._show_choice())
        self.name.textChanged.connect(lambda _text: self._show_choice())
        self.name.returnPressed.connect(self._make)
        self.calls.record_activated.connect(self._open)
        for key, box in self.parts.items():
            box.toggled.connect(lambda on, key=key: console.change_settings("server", key, on, _name(key)))
        self.port.editingFinished.connect(
            lambda: console.change_settings("server", "port", self.port.value(), "The port")
        )
        self.most_waiting.editingFinished.connect(
            lambda: console.change_settings("server", "most_waiting", self.most_waiting.value())
        )
        console.settings_changed.connect(self._follow_settings)
        console.engine.ready.connect(self._look)
        console.engine.ready.connect(self._read_tokens)

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the server for as long as the page is in view."""
        super().showEvent(event)
        self._timer.start()
        self._look()
        self._read_tokens()

    def hideEvent(self, event: QHideEvent) -> None:
        """Look no more."""
        super().hideEvent(event)
        self._timer.stop()

    # --- the server ---------------------------------------------------------------------------------------

    def _switch(self) -> None:
        """Start the server or stop it, now and whenever the window starts."""
        allow(self.switch, "The server is being switched.")
        on = not self.state.is_on
        operation = operations.start_server if on else operations.stop_server
        task = self._console.run(operation, lambda state: self._switched(state, on))
        task.failed.connect(lambda _sentence, _details: allow(self.switch))

    def _switched(self, state: ServerState, on: bool) -> None:
        self._take(state)
        self._read_tokens()
        self._console.run(
            operations.change_settings, self._console.take_settings, values={"server": {"on": on}}
        )

    def _follow_settings(self) -> None:
        """Start a running server anew where it serves something else than is wanted now."""
        wanted = self._console.settings.server
        served = "\n".join(self.state.served)
        is_other = any(getattr(wanted, key) != (name in served) for key, name in _PARTS)
        moved = bool(wanted.port) and not self.state.address.endswith(f":{wanted.port}")
        self._show()
        if self.state.is_on and (is_other or moved):
            task = self._console.run(operations.start_server, self._take)
            task.failed.connect(lambda _sentence, _details: self._look())

    def _look(self) -> None:
        if self._console.engine.is_ready and self.isVisible():
            self._console.run(operations.server_state, self._take)

    def _take(self, state: ServerState) -> None:
        ended = {call.number for call in state.calls if call.milliseconds is not None}
        known = {call.number for call in self.state.calls if call.milliseconds is not None}
        self.state = state
        self._show()
        if ended - known:
            self._console.data_changed.emit()

    def _show(self) -> None:
        state, wanted = self.state, self._console.settings.server
        self.pill.set_status("on" if state.is_on else "off", "good" if state.is_on else "text_muted")
        self.switch.setText("Switch off" if state.is_on else "Switch on")
        self.switch.setAccessibleName(self.switch.text())
        allow(self.switch)
        allow(self.copy_address, "" if state.is_on else "The server is off.")
        self.addresses.setText("   ".join(state.served))
        self.addresses.setVisible(state.is_on)
        for key, box in self.parts.items():
            with QSignalBlocker(box):
                box.setChecked(getattr(wanted, key))
        for spin, value in ((self.port, wanted.port), (self.most_waiting, wanted.most_waiting)):
            if not spin.hasFocus():
                spin.setValue(value)
        if list(state.calls) != self.calls.records_model.records:
            self.calls.set_records(state.calls, keep_sort=True)
        waiting = f"{counted(state.waiting, 'question')} in progress or waiting" if state.waiting else ""
        spans = f"{counted(state.received, 'span')} received" if state.received else ""
        asked = f"{counted(state.total, 'request')} since the start" if state.is_on else ""
        self.summary.setText("   ".join(part for part in (asked, waiting, spans) if part))
        self._show_choice()

    def _copy_address(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.state.address}/v1")
        self._console.notice.emit(f"{self.state.address}/v1 is on the clipboard.", Notice.INFO)

    def _open(self, call: ServedCall) -> None:
        if call.trace_id:
            self.trace_requested.emit(call.trace_id)

    # --- tokens -------------------------------------------------------------------------------------------

    def _read_tokens(self) -> None:
        if self._console.engine.is_ready and self.isVisible():
            self._console.run(operations.read_tokens, self._take_tokens)

    def _take_tokens(self, tokens: list[Token]) -> None:
        chosen = {token.name for token in self.tokens.selected_records()}
        self._tokens = tokens
        self.tokens.set_records(tokens, keep_sort=True)
        self.tokens.choose(lambda token: token.name in chosen)
        self._show_choice()

    def _show_choice(self) -> None:
        name = self.name.text().strip()
        taken = any(token.name == name for token in self._tokens)
        why = "There is a token of this name already. Revoke it first." if taken else ""
        allow(self.make_button, why if name else "Type the name of the program first.")
        none = "" if self.tokens.selected_records() else "Choose a token in the table."
        allow(self.copy_button, none)
        allow(self.revoke_button, none)

    def _make(self) -> None:
        if self.make_button.isEnabled():
            self._console.run(operations.add_token, self._made, name=self.name.text().strip())

    def _made(self, token: Token) -> None:
        self.name.clear()
        self._read_tokens()
        QGuiApplication.clipboard().setText(token.secret)
        self._console.notice.emit(f"The token “{token.name}” is on the clipboard.", Notice.INFO)

    def _copy(self) -> None:
        for token in self.tokens.selected_records()[:1]:
            QGuiApplication.clipboard().setText(token.secret)
            self._console.notice.emit(f"The token “{token.name}” is on the clipboard.", Notice.INFO)

    def _revoke(self) -> None:
        for token in self.tokens.selected_records()[:1]:
            text = f"Revoke “{token.name}”? The program that has it is let in no more."
            confirm(
                self, "Revoke the token", text, "Revoke", partial(self._remove, token.name), destructive=True
            )

    def _remove(self, name: str) -> None:
        self._console.run(operations.remove_token, lambda _done: self._read_tokens(), name=name)


def _name(key: str) -> str:
    return dict(_PARTS)[key]
