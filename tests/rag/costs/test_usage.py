"""Costs are worked out from spans and tokens: estimates here, prices elsewhere, and unknown never 0."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEmbedder

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.asking.traces import delete_traces
from rag.costs.rows import (
    Basis,
    CostFilter,
    GroupBy,
    Layer,
    count_accepted,
    list_cost_points,
    list_costs,
    sum_costs,
    total_cost,
)
from rag.costs.usage import cost_elsewhere, record_costs
from rag.errors import RagError
from rag.knowledge.ingest import ingest_files
from rag.storage.store import add_trace_text
from rag.storage.tables.costs import StaleDay
from rag.storage.tables.evaluation import EvaluationResult
from rag.storage.tables.review import Feedback
from rag.storage.tables.traces import Span, Trace
from rag.workspace import Workspace

HOUR_MS = 3_600_000
BEGIN = 1_790_000_000_000


def add(workspace: Workspace, name: str, spans: dict[str, float], **values: Any) -> None:
    """Store a finished trace whose stages take so many milliseconds."""
    with workspace.store.session() as session:
        trace = {"session_id": "s", "created_ms": BEGIN, "status": "done", "question": "?", "collection": "A"}
        session.add(Trace(id=name, **(trace | values)))
        session.flush()
        if values.get("status") != "running":
            add_trace_text(session, name, "?\n")
        begin = 0.0
        for span, duration in spans.items():
            session.add(Span(trace_id=name, name=span, kind="CHAIN", start_ms=begin, end_ms=begin + duration))
            begin += duration


def test_a_local_answer_costs_its_time_layer_by_layer(workspace: Workspace) -> None:
    workspace.change_settings({"costs": {"power_watts": 100, "price_per_kwh": 0.5, "currency": "CHF"}})
    spans = {"embed": 0.2 * HOUR_MS, "dense": HOUR_MS, "fuse": HOUR_MS, "generate": 2 * HOUR_MS}
    add(workspace, "t", spans, model="m", prompt_tokens=100, cached_tokens=40, completion_tokens=7)
    assert record_costs(workspace) == 1
    rows = {row.layer: row for row in list_costs(workspace.database, "t")}
    assert list(rows) == [Layer.EMBEDDING, Layer.RETRIEVAL, Layer.ANSWERING]
    assert rows[Layer.RETRIEVAL].amount == pytest.approx(2 * 0.1 * 0.5)  # two hours of 0.1 kW
    assert rows[Layer.ANSWERING].amount == pytest.approx(0.1)
    assert (rows[Layer.ANSWERING].output_tokens, rows[Layer.ANSWERING].model) == (7, "m")
    assert {row.basis for row in rows.values()} == {Basis.ESTIMATE}
    assert {row.price for row in rows.values()} == {"100 W at 0.5 CHF a kWh"}
    assert total_cost(workspace.database).sentence() == "about 0.21 CHF"


def test_thinking_costs_as_what_is_written(workspace: Workspace) -> None:
    values = {"model": "gpt-4o-mini", "endpoint": "OpenAI", "completion_tokens": 100, "thinking_tokens": 900}
    add(workspace, "t", {"think": 2000, "generate": 1000}, **values)
    record_costs(workspace)
    (row,) = [row for row in list_costs(workspace.database, "t") if row.layer is Layer.ANSWERING]
    assert (row.output_tokens, row.seconds) == (1000, 3)
    assert row.amount == pytest.approx(1000 * 0.60 / 1e6)


def test_an_endpoint_costs_its_tokens_and_the_rest_of_the_answer_its_time(workspace: Workspace) -> None:
    values = {"model": "gpt-4o-mini", "endpoint": "OpenAI", "prompt_tokens": 2000, "completion_tokens": 100}
    add(workspace, "t", {"embed": HOUR_MS, "generate": 3000}, cached_tokens=1000, **values)
    record_costs(workspace)
    rows = {row.layer: row for row in list_costs(workspace.database, "t")}
    assert rows[Layer.READING].amount == pytest.approx((1000 * 0.15 + 1000 * 0.075) / 1e6)
    assert rows[Layer.ANSWERING].amount == pytest.approx(100 * 0.60 / 1e6)
    assert rows[Layer.ANSWERING].seconds == 3
    assert rows[Layer.READING].price.startswith("gpt-4o-mini, OpenAI's published prices, 2025")
    assert rows[Layer.EMBEDDING].basis is Basis.ESTIMATE
    assert set(total_cost(workspace.database).amounts) == {"EUR", "USD"}


def test_an_unknown_price_is_unknown_until_a_table_names_the_model(workspace: Workspace) -> None:
    add(
        workspace,
        "t",
        {},
        model="house-7b",
        endpoint="vLLM",
        sent_to="vllm.example",
        prompt_tokens=1_000_000,
        completion_tokens=0,
    )
    with workspace.store.session() as session:
        session.add(Span(trace_id="t", name="embed", kind="EMBEDDING", start_ms=0, end_ms=0))
    record_costs(workspace)
    found = total_cost(workspace.database)
    assert (found.answers, found.unknown_answers) == (1, 1)
    assert found.sentence() == "0.00 EUR and 1 answer of unknown cost"
    folder = workspace.folder / "prices"
    folder.mkdir()
    (folder / "house.toml").write_text(
        'source = "ours"\ndate = 2026-01-02\ncurrency = "USD"\n[[model]]\nname = "house*"\ninput = 2\noutput = 4\n',
        "utf-8",
    )
    assert record_costs(workspace) == 1
    assert total_cost(workspace.database).amounts["USD"] == pytest.approx(2.0)
    assert total_cost(workspace.database).unknown_answers == 0
    assert record_costs(workspace) == 0  # nothing is left to work out


def test_answers_of_a_batch_have_no_time_of_their_own_and_are_unknown(workspace: Workspace) -> None:
    add(workspace, "t", {"embed": 10}, model="m", completion_tokens=50)
    record_costs(workspace)
    rows = {row.layer: row for row in list_costs(workspace.database, "t")}
    assert (rows[Layer.ANSWERING].basis, rows[Layer.ANSWERING].amount) == (Basis.UNKNOWN, None)


def test_running_answers_wait_and_deleted_ones_take_their_costs_along(workspace: Workspace) -> None:
    from rag.asking.traces import delete_traces

    add(workspace, "running", {"embed": 10}, status="running")
    add(workspace, "done", {"embed": 10})
    assert record_costs(workspace) == 1
    with workspace.store.session() as session:
        delete_traces(session, ["done"])
    assert list_costs(workspace.database, "done") == []


def test_sums_by_day_collection_prompt_and_model_with_filters(workspace: Workspace) -> None:
    workspace.change_settings({"costs": {"power_watts": 1000, "price_per_kwh": 1.0}})
    day = 24 * HOUR_MS
    add(workspace, "a", {"generate": HOUR_MS}, model="m", prompt_name="answer", prompt_version=2)
    add(workspace, "b", {"generate": 2 * HOUR_MS}, model="n", created_ms=BEGIN + day, source="evaluation")
    add(workspace, "c", {"generate": HOUR_MS}, model="n", collection="B", created_ms=BEGIN + day)
    record_costs(workspace)
    database = workspace.database

    def sums(group: GroupBy, wanted: CostFilter = CostFilter()) -> list[tuple[str, int, float]]:
        return [
            (one.key, one.answers, round(one.amounts.get("EUR", 0), 6))
            for one in sum_costs(database, group, wanted)
        ]

    assert sums(GroupBy.MODEL) == [("n", 2, 3.0), ("m", 1, 1.0)]
    assert sums(GroupBy.COLLECTION) == [("A", 2, 3.0), ("B", 1, 1.0)]
    assert sums(GroupBy.PROMPT) == [("", 2, 3.0), ("answer@2", 1, 1.0)]
    assert sums(GroupBy.ANSWER)[0] == ("b", 1, 2.0)
    assert [amount for _, _, amount in sums(GroupBy.DAY)] == [1.0, 3.0]
    assert sums(GroupBy.MODEL, CostFilter(source="evaluation")) == [("n", 1, 2.0)]
    assert sums(GroupBy.MODEL, CostFilter(since_ms=BEGIN + 1, collection="B")) == [("n", 1, 1.0)]


def test_what_answers_would_have_cost_elsewhere(workspace: Workspace) -> None:
    add(
        workspace,
        "t",
        {"read prompt": 5, "generate": 5},
        prompt_tokens=1_000_000,
        completion_tokens=1_000_000,
    )
    record_costs(workspace)
    assert cost_elsewhere(workspace, "gpt-4o-mini").amounts == {"USD": pytest.approx(0.75)}
    with pytest.raises(RagError, match="No price table names “nobody”"):
        cost_elsewhere(workspace, "nobody")


def test_a_real_answer_has_a_cost_for_every_stage(workspace: Workspace, documents: Path) -> None:
    assert isinstance(workspace.embedder, FakeEmbedder)
    for _ in ingest_files(workspace, "A", [documents]):
        pass
    for _ in answer_question(workspace, Question("How high is the tide at Bremen?", "A")):
        pass
    assert record_costs(workspace) == 1
    trace_id = workspace.database.cells("SELECT id FROM trace")[0][0]
    layers = {row.layer for row in list_costs(workspace.database, trace_id)}
    assert {Layer.EMBEDDING, Layer.RETRIEVAL, Layer.READING, Layer.ANSWERING, Layer.CHECKING} <= layers
    assert Layer.OTHER not in layers
    assert total_cost(workspace.database).unknown_answers == 0


def test_points_of_a_graph_are_the_parts_of_each_day_with_a_known_cost(workspace: Workspace) -> None:
    workspace.change_settings({"costs": {"power_watts": 1000, "price_per_kwh": 1.0}})
    add(workspace, "a", {"dense": HOUR_MS, "fuse": HOUR_MS, "generate": HOUR_MS})
    add(workspace, "b", {"dense": HOUR_MS}, created_ms=BEGIN + 5, model="m", completion_tokens=3)
    days_before = BEGIN - 3 * 24 * HOUR_MS
    add(workspace, "c", {"dense": HOUR_MS}, created_ms=days_before)
    record_costs(workspace)
    found = [(p.created_ms, p.key, p.amount) for p in list_cost_points(workspace.database, GroupBy.LAYER)]
    assert found == [
        (days_before, "retrieval", pytest.approx(1.0)),
        (BEGIN, "answering", pytest.approx(1.0)),
        (BEGIN, "retrieval", pytest.approx(3.0)),
    ]


def test_an_accepted_answer_has_a_thumb_up_or_nothing_but_supported_sentences(workspace: Workspace) -> None:
    for name, claims, flags in (
        ("up", 2, 1),
        ("down", 2, 0),
        ("supported", 2, 0),
        ("flagged", 2, 1),
        ("none", 0, 0),
    ):
        add(workspace, name, {"embed": 1}, claim_count=claims, flag_count=flags)
    with workspace.store.session() as session:
        for name in ("up", "down"):
            session.add(Feedback(trace_id=name, author="me", created_ms=1, is_up=name == "up"))
    record_costs(workspace)
    assert count_accepted(workspace.database) == 2
    assert count_accepted(workspace.database, CostFilter(until_ms=BEGIN)) == 0


# --- days -------------------------------------------------------------------------------------------------

MIDNIGHT = round(datetime(2026, 3, 29).timestamp() * 1000)  # a day of 23 hours in much of Europe
KINDS: list[dict[str, Any]] = [
    {"collection": "A", "model": "m", "prompt_name": "p", "prompt_version": 1},
    {"collection": "A", "model": "gpt-4o-mini", "endpoint": "OpenAI", "sent_to": "openai.com", "pipeline": "x"},
    {"collection": "B", "model": "unpriced", "endpoint": "E", "sent_to": "e.com", "source": "evaluation",
     "pipeline": "x", "pipeline_version": 2},
]  # fmt: skip
IN_CUBE = [one for one in GroupBy if one not in (GroupBy.ANSWER, GroupBy.SESSION, GroupBy.RUN)]


def filled(workspace: Workspace) -> None:
    for number in range(12):
        add(
            workspace, f"t{number}", {"embed": 100.0, "read prompt": 50.0, "generate": 900.0 + number},
            created_ms=MIDNIGHT + number * 9 * HOUR_MS, prompt_tokens=100, cached_tokens=number,
            completion_tokens=10, **KINDS[number % 3],
        )  # fmt: skip
    record_costs(workspace)


def as_if_not_summed_up(workspace: Workspace, days: Sequence[str], read: Callable[[], Any]) -> Any:
    with workspace.store.session() as session:
        session.add_all(StaleDay(day=day) for day in days)
    found = read()
    with workspace.store.session() as session:
        for day in days:
            session.delete(session.get_one(StaleDay, day))
    return found


ALL_DAYS = [f"1970-01-{day:02}" for day in range(1, 32)] + ["1970-02-01"]


@pytest.mark.parametrize("stale", [ALL_DAYS, ["2026-03-29", "2026-03-31"]])
@pytest.mark.parametrize("group", IN_CUBE)
@pytest.mark.parametrize(
    "wanted",
    [
        CostFilter(),
        CostFilter(collection="A"),
        CostFilter(model="unpriced", source="evaluation"),
        CostFilter(since_ms=round(datetime(2026, 3, 30).timestamp() * 1000)),
        CostFilter(until_ms=round(datetime(2026, 3, 31).timestamp() * 1000), collection="A"),
    ],
)
def test_sums_of_days_are_those_of_their_answers(
    workspace: Workspace, group: GroupBy, wanted: CostFilter, stale: list[str]
) -> None:
    filled(workspace)

    def read() -> Any:
        return [
            sum_costs(workspace.database, group, wanted),
            [total_cost(workspace.database, wanted)],
            [(p.key, p.currency, p.created_ms) for p in list_cost_points(workspace.database, group, wanted)],
        ]

    quick, slow = read(), as_if_not_summed_up(workspace, stale, read)
    assert quick[2] == slow[2]
    for one, other in zip(quick[0] + quick[1], slow[0] + slow[1], strict=True):
        assert (one.key, one.answers, one.unknown_answers) == (
            other.key,
            other.answers,
            other.unknown_answers,
        )
        assert one.amounts == pytest.approx(other.amounts)
        assert one.estimated == pytest.approx(other.estimated)
        assert one.seconds == pytest.approx(other.seconds)
        assert (one.input_tokens, one.cached_tokens, one.output_tokens) == (
            other.input_tokens, other.cached_tokens, other.output_tokens,
        )  # fmt: skip


def test_a_filter_that_cuts_a_day_counts_its_answers_one_by_one(workspace: Workspace) -> None:
    filled(workspace)
    noon = CostFilter(since_ms=MIDNIGHT + 12 * HOUR_MS)
    assert total_cost(workspace.database, noon).answers == 10  # two of twelve came before noon
    assert total_cost(workspace.database, CostFilter(since_ms=MIDNIGHT)).answers == 12


def test_a_deleted_trace_leaves_the_sums_at_once(workspace: Workspace) -> None:
    filled(workspace)
    before = total_cost(workspace.database)
    with workspace.store.session() as session:
        delete_traces(session, ["t0"])
    assert total_cost(workspace.database).answers == before.answers - 1
    assert workspace.database.cells("SELECT count(*) FROM staleday") == [(1,)]
    record_costs(workspace)
    assert workspace.database.cells("SELECT count(*) FROM staleday") == [(0,)]
    assert total_cost(workspace.database).answers == before.answers - 1


def test_costs_are_told_by_the_version_of_a_pipeline_and_by_run(workspace: Workspace) -> None:
    filled(workspace)
    with workspace.store.session() as session:
        session.add(
            EvaluationResult(run_id=7, case_key="k", repeat=0, outcome="ran", trace_id="t2", created_ms=0)
        )
    keys = {row.key: row.answers for row in sum_costs(workspace.database, GroupBy.PIPELINE)}
    assert keys == {"": 4, "x": 4, "x@2": 4}
    assert {row.key: row.answers for row in sum_costs(workspace.database, GroupBy.RUN)} == {"": 11, "7": 1}
