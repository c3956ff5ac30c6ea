"""A provider's silent change: noticed, told with before and after, and quiet again once acknowledged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from endpoint_server import EndpointServer, add_endpoint
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.models.endpoints.rows import ENDPOINT_CHANGE, list_changes
from rag.monitoring.alerts import acknowledge, check_quickly
from rag.monitoring.regression_questions import add_regression_question, due_collections, run_due
from rag.monitoring.rows import AlertRow, AlertState, list_alerts
from rag.storage.store import now_ms
from rag.workspace import Workspace


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


@pytest.fixture
def workspace(data: Path, server: EndpointServer) -> Iterator[Workspace]:
    with Workspace(
        data, embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as opened:
        add_endpoint(opened, server.url)
        opened.change_settings({"models": {"active": "endpoint:far"}})
        yield opened


def ask(workspace: Workspace) -> None:
    drive(answer_question(workspace, Question("What does rye bread need?", "A")))


def alert(workspace: Workspace) -> AlertRow:
    return next(row for row in list_alerts(workspace.database) if row.measure == ENDPOINT_CHANGE)


def test_the_first_answer_and_an_equal_one_are_no_change(workspace: Workspace) -> None:
    ask(workspace)
    ask(workspace)
    assert list_changes(workspace.database) == []
    assert all(row.measure != ENDPOINT_CHANGE for row in list_alerts(workspace.database))


def test_a_change_fires_an_alert_with_before_and_after_until_it_is_acknowledged(
    workspace: Workspace, server: EndpointServer
) -> None:
    ask(workspace)
    server.model, server.fingerprint = "served-2", "fp_2"
    ask(workspace)
    assert check_quickly(workspace)[0].measure == ENDPOINT_CHANGE
    fired = alert(workspace)
    assert fired.state is AlertState.FIRING
    assert "the model was served-1 and is served-2 now" in fired.sentence
    assert "the configuration was fp_1 and is fp_2 now" in fired.sentence
    ask(workspace)
    check_quickly(workspace)
    assert alert(workspace).state is AlertState.FIRING  # it does not go away by itself
    acknowledge(workspace, fired.name, "We wanted that.")
    check_quickly(workspace)
    assert alert(workspace).state is AlertState.OK
    server.fingerprint = "fp_3"
    while now_ms() <= alert(workspace).since_ms:
        pass  # the clock counts milliseconds
    ask(workspace)
    check_quickly(workspace)
    assert alert(workspace).state is AlertState.FIRING
    assert "served-2" not in alert(workspace).sentence  # only the configuration is another now


def test_questions_are_due_once_a_day_while_an_endpoint_answers(
    workspace: Workspace, server: EndpointServer
) -> None:
    drive(add_regression_question(workspace, "A", "What does rye bread need?"))
    assert due_collections(workspace) == ["A"]
    server.model = "served-2"
    (state,) = drive(run_due(workspace, ["A"]))
    assert state.run_ms is not None and due_collections(workspace) == []
    assert alert(workspace).state is AlertState.FIRING
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE regressionrun SET created_ms = created_ms - 86400000")
    assert due_collections(workspace) == ["A"]
    workspace.change_settings({"models": {"active": ""}})
    assert due_collections(workspace) == []
