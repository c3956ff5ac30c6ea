"""Endpoints on the Models page: connecting one, what its server does, and what may leave this computer."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import KeyValueGrid, label, set_tip
from app.widgets.layout import Panel, confirm, guard_wheel, refill, row
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.models.endpoints.rows import (
    CheckProgress,
    Endpoint,
    Finding,
    KeyPlace,
    MayLeave,
    list_endpoints,
    list_may_leave,
)

ABILITY_COLUMNS = (
    Column("Ability", lambda a: a.name, 110),
    Column("Does it", lambda a: a.finding, 64,
           colour=lambda a: {Finding.YES: "good", Finding.NO: "check"}.get(a.finding)),
    Column("What follows", lambda a: a.follows, 200, stretch=True,
           tooltip=lambda a: f"{a.detail}. {a.follows}" if a.detail else a.follows),
)  # fmt: skip


class ConnectDialog(QDialog):
    """A dialog with the address of a server, which is asked what it does before anything is stored."""

    connected = Signal(object)  # the Endpoint

    def __init__(self, console: Console, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self._task: Task | None = None
        self.setWindowTitle("Connect an endpoint")
        self.setMinimumWidth(scaled(480))
        guard_wheel(self)
        self.url, self.name, self.model = QLineEdit(), QLineEdit(), QLineEdit()
        self.key, self.variable = QLineEdit(), QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.context = QSpinBox(minimum=0, maximum=100_000_000, singleStep=1024)
        self.context.setSpecialValueText("As the server says")
        self.context.lineEdit().setTextMargins(4, 0, 0, 0)  # padding does not reach it
        self.state = label("", "small", wrap=True)
        form = QFormLayout()
        form.setHorizontalSpacing(SPACE)
        for title, field, hint in (
            ("Address", self.url, "http://127.0.0.1:8080/v1"),
            ("Name", self.name, "By its host"),
            ("Model", self.model, "The only one that it has"),
            ("Key", self.key, "None; goes into the system's keyring"),
            ("or variable with it", self.variable, "Such as OPENAI_API_KEY"),
        ):
            field.setPlaceholderText(hint)
            field.setAccessibleName(title)
            form.addRow(title, field)
        self.context.setAccessibleName("Context in tokens")
        form.addRow("Context in tokens", self.context)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(
            label(
                "Any server with the API of OpenAI: llama.cpp, LM Studio, Ollama, vLLM, or a provider. A "
                "short check with fixed texts finds out what it does. Connecting sends no documents.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(form)
        layout.addWidget(self.state)
        buttons = QDialogButtonBox()
        self.connect_button = button("Connect", self.connect_now, primary=True)
        buttons.addButton(self.connect_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel).clicked.connect(self.reject)
        layout.addWidget(buttons)

    def connect_now(self) -> None:
        """Check the server and store the endpoint; the dialog stays open when that is refused."""
        if self._task is not None:
            return
        self.connect_button.setEnabled(False)
        task = self._console.engine.start(
            operations.connect_endpoint, url=self.url.text(), name=self.name.text(), model=self.model.text(),
            key_variable=self.variable.text(), key=self.key.text(), context=self.context.value(),
        )  # fmt: skip
        self._task = task
        task.event.connect(self._progress)
        task.finished.connect(self._done)
        task.failed.connect(lambda sentence, _details: self.state.setText(sentence))
        task.ended.connect(self._ended)

    def reject(self) -> None:
        """Close, and stop asking the server."""
        if self._task is not None:
            self._task.cancel()
        super().reject()

    def _progress(self, event: CheckProgress) -> None:
        self.state.setText(f"Asking for {event.what} ({event.done + 1} of {event.total})…")

    def _done(self, endpoint: Endpoint) -> None:
        self.key.clear()
        self.connected.emit(endpoint)
        self.accept()

    def _ended(self) -> None:
        self._task = None
        self.connect_button.setEnabled(True)


class EndpointPanel(Panel):
    """A panel with what is known of an endpoint, and what its server does."""

    changed = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__("Endpoint")
        self._console = console
        self._name = ""
        self.facts = KeyValueGrid()
        self.table = RecordTable(ABILITY_COLUMNS, console.theme, "abilities", "Not checked yet.")
        self.table.setFixedHeight(scaled(246))
        self.at_once = QSpinBox(minimum=1, maximum=64)
        self.at_once.setAccessibleName("Requests at the same time")
        self.at_once.setKeyboardTracking(False)
        self.at_once.lineEdit().setTextMargins(4, 0, 0, 0)
        set_tip(self.at_once, "How many requests it is sent at the same time")
        self.at_once.valueChanged.connect(self._set_at_once)
        self.check_button = button("Check again", self._check)
        self.body.addWidget(self.facts)
        self.body.addWidget(self.table)
        self.body.addLayout(row(label("Requests at the same time", "muted"), self.at_once, 1))
        self.body.addLayout(row(self.check_button, button("Disconnect…", self._disconnect), 1))

    def show_endpoint(self, name: str) -> None:
        """Show an endpoint; "" hides the panel."""
        self._name = name
        found = next((e for e in list_endpoints(self._console.database) if e.name == name), None)
        self.setVisible(found is not None)
        if found is None:
            return
        self.facts.set_pairs(_facts(found))
        self.table.set_records(list(found.checks.abilities))
        with QSignalBlocker(self.at_once):
            self.at_once.setValue(found.at_once)

    def _set_at_once(self, count: int) -> None:
        self._console.run(operations.set_at_once, name=self._name, count=count)

    def _check(self) -> None:
        self.check_button.setEnabled(False)
        name = self._name
        task = self._console.run(operations.check_endpoint, lambda _e: self.show_endpoint(name), name=name)
        task.ended.connect(lambda: self.check_button.setEnabled(True))

    def _disconnect(self) -> None:
        name = self._name
        confirm(
            self,
            "Disconnect the endpoint?",
            f"“{name}” is forgotten, with its key in the keyring. Traces keep its name.",
            "Disconnect",
            lambda: self._console.run(
                operations.disconnect_endpoint, lambda _none: self.changed.emit(), name=name
            ),
            destructive=True,
        )


class BorderPanel(Panel):
    """A panel in which a person says which collections may leave this computer."""

    def __init__(self, console: Console) -> None:
        super().__init__("What may leave this computer")
        self._console = console
        self._rows: dict[str, MayLeave] = {}
        self.collection, self.setting = QComboBox(), QComboBox()
        self.collection.setAccessibleName("Collection")
        self.setting.setAccessibleName("May leave this computer")
        for value in MayLeave:
            self.setting.addItem(value.capitalize(), value.value)
        self.summary = label("", "small", wrap=True)
        self.body.addWidget(
            label(
                "Questions and passages of a collection are sent to an endpoint elsewhere only if you allow "
                "it here.",
                "muted",
                wrap=True,
            )
        )
        self.body.addLayout(row((self.collection, 1), self.setting))
        self.body.addWidget(self.summary)
        self.collection.currentIndexChanged.connect(lambda _index: self._show_setting())
        self.setting.activated.connect(lambda _index: self._choose())

    def refresh(self) -> None:
        """Show the collections as they are now; hidden while no endpoint is elsewhere."""
        self._rows = dict(list_may_leave(self._console.database))
        refill(self.collection, [(name, name) for name in self._rows])
        allowed = [f"{name} ({value})" for name, value in self._rows.items() if value is not MayLeave.NEVER]
        self.summary.setText(f"Allowed: {', '.join(allowed)}." if allowed else "Nothing is allowed to leave.")
        self.setVisible(any(not endpoint.is_here for endpoint in list_endpoints(self._console.database)))
        self._show_setting()

    def _show_setting(self) -> None:
        value = self._rows.get(self.collection.currentText(), MayLeave.NEVER)
        self.setting.setCurrentIndex(self.setting.findData(value.value))
        self.setting.setEnabled(bool(self._rows))

    def _choose(self) -> None:
        self._console.run(
            operations.set_border, lambda _none: self.refresh(), collection=self.collection.currentText(),
            setting=self.setting.currentData(),
        )  # fmt: skip


def _facts(endpoint: Endpoint) -> list[tuple[str, str]]:
    where = (
        "on this computer" if endpoint.is_here else f"at {endpoint.host}: what is sent leaves this computer"
    )
    keys = {
        KeyPlace.NONE: "none",
        KeyPlace.KEYRING: "in the system's keyring",
        KeyPlace.ENVIRONMENT: f"in the variable {endpoint.key_name}",
    }
    pairs = [("Model", endpoint.model), ("Address", endpoint.url), ("Where", where)]
    pairs.append(("Key", keys[endpoint.key_place]))
    if endpoint.served_model:
        pairs.append(("Served model", f"{endpoint.served_model} {endpoint.system_fingerprint}".strip()))
    if endpoint.checked_ms:
        pairs.append(("Checked", date_time(endpoint.checked_ms)))
    return pairs
