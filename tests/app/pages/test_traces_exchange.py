"""The Traces page exchanges traces: the receiver's switch, and the dialog that exports."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import notices
from exported_traces import add_trace
from otlp_endpoint import OtlpEndpoint, otlp_endpoint
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.background_checks import BackgroundChecks
from app.console import Console
from app.pages.traces.export_dialog import ExportDialog
from app.pages.traces.page import TracesPage
from rag.asking.rows import TraceFilter, list_traces
from rag.evaluation.rows import list_sets
from rag.interchange.import_traces import read_file
from rag.interchange.otlp import JSON, to_json, write_request
from rag.interchange.rows import RawSpan, read_export_queue
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection
from rag.workspace import Workspace

Settle = Callable[[], None]
IDS = [f"{n:02x}" * 16 for n in range(1, 6)]
NEVER_MS = 3_600_000


@pytest.fixture
def traced(open_workspace: Workspace) -> list[str]:
    for number, trace_id in enumerate(IDS[:3]):
        add_trace(open_workspace, trace_id, created_ms=1_790_000_000_000 + number)
    return IDS[:3]


@pytest.fixture
def page(qtbot: QtBot, console: Console, traced: list[str], settle: Settle) -> Iterator[TracesPage]:
    made = TracesPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    yield made
    made.hide()


@pytest.fixture
def endpoint(open_workspace: Workspace, console: Console, qtbot: QtBot) -> Iterator[OtlpEndpoint]:
    with otlp_endpoint() as made:
        use(open_workspace, console, endpoint=f"{made.url}/v1/traces")
        yield made


def use(workspace: Workspace, console: Console, section: str = "export", **values: Any) -> None:
    console.take_settings(workspace.change_settings({section: values}).model_dump(mode="json"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# --- the receiver -----------------------------------------------------------------------------------------


def send(address: str, trace: str = "fe") -> None:
    begin = now_ms() * 10**6
    span = RawSpan(
        trace * 16, "01" * 8, "", "chain", begin, begin + 9, {"openinference.span.kind": "CHAIN",
        "input.value": "How high?", "output.value": "3.5 metres."}, service="bot",
    )  # fmt: skip
    body = to_json(write_request([span])).encode()
    request = urllib.request.Request(f"{address}/v1/traces", body, {"Content-Type": JSON})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def test_the_switch_starts_the_receiver_and_a_trace_is_seen_without_a_click(
    page: TracesPage, open_workspace: Workspace, console: Console, qtbot: QtBot
) -> None:
    use(open_workspace, console, "receiving", port=free_port())
    bar = page.receiver
    assert not bar.switch.isChecked() and bar.line.text() == "The receiver is off."
    bar.switch.click()
    qtbot.waitUntil(lambda: bar.state.is_on)
    assert bar.switch.isChecked() and bar.state.address in bar.line.text()
    page.source_box.setCurrentIndex(page.source_box.findData("received"))
    send(bar.state.address)
    qtbot.waitUntil(lambda: page.table.records_model.rowCount() == 1)
    assert (
        page.table.records_model.records[0].application == "bot" and "1 span in 1 request" in bar.line.text()
    )
    bar.switch.click()
    qtbot.waitUntil(lambda: not bar.state.is_on and bar.switch.isEnabled())
    assert bar.line.text() == "The receiver is off." and open_workspace.receiver is None


def test_a_port_in_use_is_one_sentence_and_the_switch_stays_off(
    page: TracesPage, open_workspace: Workspace, console: Console, qtbot: QtBot
) -> None:
    said = notices(console)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        use(open_workspace, console, "receiving", port=taken.getsockname()[1])
        page.receiver.switch.click()
        qtbot.waitUntil(lambda: page.receiver.switch.isEnabled() and bool(said))
    assert "is in use by another program" in str(said) and not page.receiver.switch.isChecked()


def test_the_receivers_settings_are_saved_from_its_dialog(
    page: TracesPage, console: Console, qtbot: QtBot
) -> None:
    dialog = page.receiver.open_options()
    try:
        from app.pages.traces.setting_form import SettingForm

        form = dialog.findChild(SettingForm)
        assert set(form.editors) == {"port", "token_variable", "check", "check_share"}
        box = form.editors["check"]
        box.setCurrentIndex(box.findData("share"))  # type: ignore[union-attr]
        qtbot.waitUntil(lambda: console.settings.receiving.check == "share")
    finally:
        dialog.close()


# --- the export -------------------------------------------------------------------------------------------


def opened(page: TracesPage) -> ExportDialog:
    return page.open_export()


def test_chosen_traces_or_all_listed_are_written(page: TracesPage, qtbot: QtBot, tmp_path: Path) -> None:
    page.table.choose(lambda trace: trace.id == IDS[1])
    dialog = opened(page)
    try:
        assert [dialog.which.itemText(n) for n in range(2)] == [
            "The 1 chosen trace",
            "All 3 traces of the list",
        ]
        out = tmp_path / "out.jsonl"
        dialog.write(str(out))
        qtbot.waitUntil(out.exists)
        assert {span.trace_id for span in read_file(out).spans} == {IDS[1]}
        dialog.which.setCurrentIndex(1)
        everything = tmp_path / "all.json"
        dialog.write(str(everything))
        qtbot.waitUntil(everything.exists)
        assert {span.trace_id for span in read_file(everything).spans} == set(IDS[:3])
    finally:
        dialog.close()


def test_nothing_is_sent_until_an_endpoint_is_named(page: TracesPage) -> None:
    dialog = opened(page)
    try:
        assert not dialog.send_button.isEnabled() and "No endpoint" in dialog.queue.text()
        assert dialog.send_button.toolTip() == "Name an endpoint first."
        assert not dialog.flush_button.isEnabled() and not dialog.clear_button.isEnabled()
    finally:
        dialog.close()


def test_traces_are_sent_and_what_waits_can_be_flushed_and_cleared(
    page: TracesPage, endpoint: OtlpEndpoint, console: Console, qtbot: QtBot
) -> None:
    said = notices(console)
    dialog = opened(page)
    try:
        endpoint.statuses = [503]
        dialog.send_button.click()
        qtbot.waitUntil(lambda: "3 traces wait" in dialog.queue.text())
        assert "503" in str(said) and "503" in dialog.queue.text() and endpoint.url in dialog.queue.text()
        dialog.flush_button.click()
        qtbot.waitUntil(lambda: "3 sent" in dialog.queue.text())
        assert endpoint.trace_ids and not dialog.flush_button.isEnabled()
        endpoint.statuses = [503]
        dialog.send()
        qtbot.waitUntil(lambda: dialog.clear_button.isEnabled())
        dialog.clear_button.click()
        qtbot.waitUntil(lambda: read_export_queue(console.database).waiting == 0)
    finally:
        dialog.close()


def test_before_texts_leave_this_computer_a_person_is_asked(
    page: TracesPage, open_workspace: Workspace, console: Console, qtbot: QtBot
) -> None:
    with open_workspace.store.session() as session:
        session.add(Collection(key="h", name="Harbour", created_ms=1, embedder="e", embedder_name="e", chunking="{}",
                               may_leave="ask"))  # fmt: skip
    use(open_workspace, console, endpoint="http://192.0.2.1:4318/v1/traces")
    dialog = opened(page)
    try:
        assert "is not on this computer" in dialog.leaving.text() and dialog.leaving.isVisible()
        dialog.send()
        box = dialog.findChild(QMessageBox)
        assert "“Harbour” would leave it" in box.text()
        box.close()
        assert read_export_queue(console.database).waiting == 0, "nothing was queued"
    finally:
        dialog.close()


# --- in the background ------------------------------------------------------------------------------------


@pytest.fixture
def checks(console: Console) -> Iterator[BackgroundChecks]:
    made = BackgroundChecks(console, *[NEVER_MS] * 6)
    yield made
    made.stop()


def test_questions_are_sent_as_they_come_once_that_is_switched_on(
    checks: BackgroundChecks, open_workspace: Workspace, console: Console, endpoint: OtlpEndpoint, qtbot: QtBot,
    settle: Settle,
) -> None:  # fmt: skip
    add_trace(open_workspace, IDS[0])
    checks.export_traces()
    settle()
    assert not endpoint.requests, "it is off by default"
    use(open_workspace, console, continuous=True)
    settle()
    add_trace(open_workspace, IDS[1], created_ms=now_ms() + 1000)
    checks.export_traces()
    qtbot.waitUntil(lambda: read_export_queue(console.database).sent == 1)
    assert endpoint.trace_ids == [IDS[1]]


def test_a_header_variable_that_is_not_set_is_said_once(
    checks: BackgroundChecks,
    open_workspace: Workspace,
    console: Console,
    endpoint: OtlpEndpoint,
    settle: Settle,
) -> None:
    use(open_workspace, console, headers_variable="NO_SUCH_HEADERS", continuous=True)
    settle()
    add_trace(open_workspace, IDS[0], created_ms=now_ms() + 1000)
    said = notices(console)
    for _ in range(3):
        checks.export_traces()
        settle()
    assert str(said).count("NO_SUCH_HEADERS is not set") == 1


def test_received_answers_are_checked_in_the_background(
    checks: BackgroundChecks, open_workspace: Workspace, console: Console, qtbot: QtBot
) -> None:
    add_trace(open_workspace, IDS[0], source="received", application="bot", collection="", outcome="")
    checks.check_received()
    qtbot.waitUntil(
        lambda: bool(list_traces(console.database, TraceFilter(application="bot"))[0].outcome), timeout=20_000
    )
    assert json.loads(open_workspace.settings.model_dump_json())["receiving"]["check"] == "all"


# --- a received trace in the list -------------------------------------------------------------------------


def test_an_application_is_a_source_beside_collections_and_one_click_makes_a_case(
    page: TracesPage, open_workspace: Workspace, console: Console, qtbot: QtBot, settle: Settle
) -> None:
    add_trace(
        open_workspace, IDS[4], source="received", application="bot", collection="", question="How deep?"
    )
    page.refresh()
    assert page.table.records_model.rowCount() == 3, "test traffic and other applications stay apart"
    page.collection_box.setCurrentIndex(page.collection_box.findText("bot (application)"))
    settle()
    assert [row.question for row in page.table.records_model.records] == ["How deep?"]
    page.open_trace(IDS[4])
    view = page.view
    assert view.case_button.text() == "Add to the set “bot”" and "bot" in view.status.text()
    assert (
        not view.regression_button.isEnabled() and "another application" in view.regression_button.toolTip()
    )
    said = notices(console)
    view.case_button.click()
    qtbot.waitUntil(lambda: "Added to “bot”" in str(said))
    assert [(found.name, found.case_count) for found in list_sets(console.database)] == [("bot", 1)]
    page.open_trace(IDS[0])
    assert view.case_button.text() == "Add to an evaluation set…" and view.regression_button.isEnabled()
