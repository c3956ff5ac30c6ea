"""Runs of pipelines whose model is behind an endpoint: several cases at the same time, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from endpoint_server import EndpointServer, add_endpoint
from fakes import drive

from rag.asking.rows import get_trace
from rag.costs.budgets.limits import BudgetError, set_budget
from rag.evaluation import runs
from rag.evaluation.pipelines import PipelineConfig, save_pipeline
from rag.evaluation.rows import CaseOutcome, list_results, list_runs
from rag.models.endpoints.rows import Usage
from rag.workspace import Workspace


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


@pytest.fixture
def remote(filled: Workspace, server: EndpointServer) -> Workspace:
    """The filled workspace, with the pipeline “E” that a server on this computer answers, two at a time.

    For one of the three cases nothing is found, so no model is asked.
    """
    add_endpoint(filled, server.url, at_once=2)
    save_pipeline(filled, "E", PipelineConfig(collection="A", model="endpoint:far"))
    return filled


def test_as_many_cases_at_once_as_the_endpoint_is_sent(remote: Workspace, server: EndpointServer) -> None:
    server.waits_at_start = True  # until two are there: one after the other would never end

    def open_when_two() -> None:
        while server.most_running < 2 and not server.may_go_on.wait(0.01):
            pass
        server.may_go_on.set()

    opener = threading.Thread(target=open_when_two)
    opener.start()
    try:
        (run,) = drive(runs.start_runs(remote, "S", ["E"], timeout_s=20))
    finally:
        server.may_go_on.set()
        opener.join(5)
    assert (run.parallel, run.status, run.done_count, server.most_running) == (2, "done", 3, 2)
    found = list_results(remote.database, run.id)
    assert {row.outcome for row in found} <= {
        CaseOutcome.OK,
        CaseOutcome.ASSERTION_FAILED,
        CaseOutcome.REFUSED,
    }
    traces = [get_trace(remote.database, row.trace_id) for row in found]
    traces = [trace for trace in traces if trace.model]
    assert len(traces) == 2 and {trace.answer for trace in traces} == {"Rye bread needs sourdough [1]."}
    assert all(trace.usage is Usage.TOLD and trace.endpoint == "far" for trace in traces)
    assert run.quantisation == "" and len(run.model_sha256) == 64


def test_a_case_that_fails_leaves_the_others_and_one_that_is_silent_ends(
    remote: Workspace, server: EndpointServer
) -> None:
    server.fails = [404]
    (run,) = drive(runs.start_runs(remote, "S", ["E"]))
    outcomes = sorted(row.outcome for row in list_results(remote.database, run.id))
    assert outcomes.count(CaseOutcome.ERROR) == 1 and run.status == "done"
    server.waits_at_start = True
    (slow,) = drive(runs.start_runs(remote, "S", ["E"], timeout_s=1, parallel=2))
    assert {row.outcome for row in list_results(remote.database, slow.id)} >= {CaseOutcome.TIMEOUT}


def test_a_cancelled_run_closes_its_streams_and_goes_on_later(
    remote: Workspace, server: EndpointServer
) -> None:
    server.waits_after = 2
    events = runs.start_runs(remote, "S", ["E"])
    while not server.waits.is_set():
        next(events)
    events.close()
    assert server.was_left.wait(5)
    (run,) = list_runs(remote.database)
    assert run.status == "cancelled" and run.done_count <= 1
    open_traces = remote.database.cells("SELECT count(*) FROM trace WHERE status = 'running'")
    assert open_traces == [(0,)]
    server.waits_after = None
    (again,) = drive(runs.resume_run(remote, run.id))
    assert (again.status, again.done_count) == ("done", 3)


def test_an_answer_of_an_endpoint_is_never_taken_for_another_with_the_same_prompt(
    remote: Workspace, server: EndpointServer
) -> None:
    drive(runs.start_runs(remote, "S", ["E"], repeats=2))
    assert len(server.chats()) == 4  # a provider's temperature 0 is not the same answer every time


# --- budgets ----------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(filled: Workspace) -> Workspace:
    """The filled workspace, with the pipeline “E” whose endpoint is on another computer, which is never asked."""
    add_endpoint(filled, "https://cloud.example/v1")
    save_pipeline(filled, "E", PipelineConfig(collection="A", model="endpoint:far"))
    return filled


@pytest.mark.parametrize(("unknown", "way_out"), [("ask", "Say yes"), ("stop", "raise the budget")])
def test_a_budget_that_cannot_tell_ends_a_run_before_anything_is_sent(
    elsewhere: Workspace, unknown: str, way_out: str
) -> None:
    set_budget(elsewhere, "all", 1.0, "EUR", unknown=unknown)
    with pytest.raises(BudgetError, match="cannot tell") as raised:
        drive(runs.start_runs(elsewhere, "S", ["E"], parallel=1))
    assert raised.value.needs_yes == (unknown == "ask")
    (run,) = list_runs(elsewhere.database)
    assert (run.status, run.done_count) == ("failed", 0)
    assert way_out in run.error
    assert elsewhere.database.cells("SELECT count(*) FROM trace") == [(0,)]


def test_a_budget_of_a_pipeline_counts_its_runs(elsewhere: Workspace) -> None:
    set_budget(elsewhere, "E", 1.0, "EUR", scope="pipeline", target="E", unknown="stop")
    with pytest.raises(BudgetError):
        drive(runs.start_runs(elsewhere, "S", ["E"], parallel=2))


def test_a_search_alone_costs_nothing_and_is_not_stopped(elsewhere: Workspace) -> None:
    set_budget(elsewhere, "all", 0.0, "EUR", action="stop", unknown="stop")
    save_pipeline(elsewhere, "R", PipelineConfig(collection="A", kind="retrieval"))
    (run,) = drive(runs.start_runs(elsewhere, "S", ["R"]))
    assert run.status == "done"


def test_the_cost_of_runs_is_told_before_they_start(elsewhere: Workspace) -> None:
    found = runs.expected_costs(elsewhere, "S", ["E"], repeats=4)
    assert list(found) == ["E"]
    assert (found["E"].questions, found["E"].expected) == (12, None)
    assert "unknown" in found["E"].sentence()
    save_pipeline(elsewhere, "R", PipelineConfig(collection="A", kind="retrieval"))
    assert runs.expected_costs(elsewhere, "S", ["R"]) == {}
