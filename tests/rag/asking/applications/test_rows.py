"""An application is a source of questions wherever a collection is, and test traffic is neither."""

from typing import Any

import pytest
from stored_traces import add_traces

from rag.asking.applications.rows import (
    application_choices,
    application_named_by,
    list_applications,
    list_question_times,
    scope_name,
    traffic,
)
from rag.asking.rows import (
    TraceFilter,
    count_traces,
    list_traces,
    list_traces_between,
    read_overview,
)
from rag.costs.rows import CostFilter, GroupBy, sum_costs
from rag.costs.usage import record_costs
from rag.errors import NotFoundError, RagError
from rag.evaluation.sets import case_of_trace, cases_of_traces, set_cases
from rag.monitoring.alerts import add_rule
from rag.monitoring.rows import MEASURES, Scope, list_measured
from rag.review.queues import fill_queue
from rag.storage.store import insert_rows
from rag.storage.tables.traces import Span
from rag.workspace import Workspace

BOT = "application:bot"


@pytest.fixture
def traffic_of_all(workspace: Workspace) -> Workspace:
    add(workspace, 4, source="person", collection="A")
    add(workspace, 3, source="received", application="bot", flag_count=1, model="gpt-4o-mini", prompt_tokens=1000,
        completion_tokens=100, question=lambda n: f"What is {n}?")  # fmt: skip
    add(workspace, 2, source="received", application="Other bot")
    add(workspace, 5, source="evaluation", collection="A")
    return workspace


def add(workspace: Workspace, count: int, **values: Any) -> None:
    add_traces(workspace, count, 1000, **{"collection": "", **values})


def test_a_scope_is_a_collection_an_application_or_all(traffic_of_all: Workspace) -> None:
    assert (application_named_by(BOT), application_named_by("bot"), application_named_by("")) == (
        "bot",
        "",
        "",
    )
    assert (scope_name(BOT), scope_name("A")) == ("bot", "A")
    assert list_applications(traffic_of_all.database) == ["bot", "Other bot"]
    assert application_choices(traffic_of_all.database)[0] == ("bot (application)", BOT)
    assert traffic("A") == ("source IN ('person', 'server') AND collection = ?", ("A",))
    assert traffic("") == ("source IN ('person', 'server')", ())


def test_lists_figures_and_measures_are_of_one_source(traffic_of_all: Workspace) -> None:
    database = traffic_of_all.database
    for scope, count in (("", 4), ("A", 4), (BOT, 3), ("application:Other bot", 2), ("application:gone", 0)):
        assert count_traces(database, TraceFilter(collection=scope, source="person")) == count, scope
        assert len(list_question_times(database, scope)) == count
        assert len(list_traces_between(database, 0, 10**12, scope=scope)) == count
        assert read_overview(database, 0, scope).question_count == count
        assert len(list_measured(database, Scope(scope))) == count
    assert count_traces(database, TraceFilter()) == 14


def test_queues_and_alerts_work_on_an_application(traffic_of_all: Workspace) -> None:
    assert fill_queue(traffic_of_all, "Of the bot", {"flagged": 9}, collection=BOT) == 3
    assert fill_queue(traffic_of_all, "All", {"random": 9}) == 4, "what was asked here"
    values = {"name": "Of the bot", "measure": next(iter(MEASURES)), "collection": BOT}
    assert add_rule(traffic_of_all, values).collection == BOT
    with pytest.raises(NotFoundError, match="No trace of an application named “gone”"):
        add_rule(traffic_of_all, {**values, "name": "Other", "collection": "application:gone"})


def test_costs_of_an_application_are_its_tokens_and_not_this_computers_time(
    traffic_of_all: Workspace,
) -> None:
    with traffic_of_all.store.session() as session:
        rows = [
            {
                "trace_id": trace.id,
                "name": "chain",
                "kind": "CHAIN",
                "start_ms": 0.0,
                "end_ms": 10**6,
                "detail": "",
            }
            for trace in list_traces(traffic_of_all.database, TraceFilter(source="received"))
        ]
        insert_rows(session, Span, rows)
    record_costs(traffic_of_all)
    sums = {one.key: one for one in sum_costs(traffic_of_all.database, GroupBy.APPLICATION, CostFilter())}
    assert set(sums["bot"].amounts) == {"USD"} and sums["bot"].input_tokens == 3000
    assert not sums["Other bot"].amounts, "a model that no price table names has no known cost"
    (only,) = sum_costs(traffic_of_all.database, GroupBy.MODEL, CostFilter(collection=BOT))
    assert (only.key, only.input_tokens) == ("gpt-4o-mini", 3000)


def test_a_received_trace_becomes_a_case_and_traffic_a_set(traffic_of_all: Workspace) -> None:
    rows = list_traces(traffic_of_all.database, TraceFilter(collection=BOT))
    assert "Added to “Bot”" in case_of_trace(traffic_of_all, "Bot", rows[0].id)
    added = cases_of_traces(traffic_of_all, "Traffic", [row.id for row in rows])
    assert added.added == 3
    questions = {case.question for case in set_cases(traffic_of_all.database, "Traffic", None)}
    assert questions == {"What is 0?", "What is 1?", "What is 2?"}


def test_a_scope_that_nothing_has_is_an_error_on_the_command_line(traffic_of_all: Workspace) -> None:
    from rag.cli.monitoring import _scope

    assert _scope(traffic_of_all.database, BOT, "", "") == Scope(BOT)
    with pytest.raises(RagError, match="Choose one of: bot, Other bot"):
        _scope(traffic_of_all.database, "application:gone", "", "")
