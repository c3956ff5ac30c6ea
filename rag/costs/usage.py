"""Works out what answers cost, layer by layer, from the spans and token counts of their traces.

A model on this computer costs its time, at a power and a price per kilowatt-hour that are settings: an
estimate, and called one. A model elsewhere costs its tokens by a price table; where no table names it the
cost is unknown and is worked out again when a table does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rag.asking.rows import TraceSource
from rag.costs.prices import Price, find_price, read_prices
from rag.costs.rows import KEYS, Basis, CostFilter, CostSum, GroupBy, Layer, total_cost
from rag.errors import RagError
from rag.models.endpoints.rows import Usage
from rag.settings import CostSettings
from rag.storage.store import insert_rows
from rag.storage.tables.costs import Cost
from rag.workspace import Workspace

_LAYERS = {
    "query": Layer.RETRIEVAL,
    "embed": Layer.EMBEDDING,
    "dense": Layer.RETRIEVAL,
    "lexical": Layer.RETRIEVAL,
    "identifiers": Layer.RETRIEVAL,
    "fuse": Layer.RETRIEVAL,
    "rerank": Layer.RERANKING,
    "order": Layer.RETRIEVAL,
    "load": Layer.LOADING,
    "pack": Layer.PACKING,
    "read prompt": Layer.READING,
    "think": Layer.ANSWERING,
    "generate": Layer.ANSWERING,
    "check": Layer.CHECKING,
    "cache": Layer.CACHE,
}
_MODEL_LAYERS = (Layer.READING, Layer.ANSWERING)
_JOULES_PER_KWH = 3_600_000
_AT_ONCE = 2000  # traces in a transaction


def record_costs(workspace: Workspace) -> int:
    """Work out costs and sum up the days that they change, for whoever looks at sums; see work_out_costs."""
    done = work_out_costs(workspace)
    _sum_up_days(workspace)
    return done


def work_out_costs(workspace: Workspace) -> int:
    """Work out the costs of finished answers that have none yet, or unknown ones; return of how many.

    Days are not summed up: budgets ask after each answer, and read its costs themselves.

    Raises:
        RagError: A price table is not valid.
    """
    prices = read_prices(workspace.folder)
    settings = workspace.settings.costs
    done = 0
    for ids in _pages(_without_costs(workspace)):
        with workspace.store.session() as session:
            raw = session.connection()
            listed = (json.dumps(ids),)
            raw.exec_driver_sql("DELETE FROM cost WHERE trace_id IN (SELECT value FROM json_each(?))", listed)
            traces = raw.exec_driver_sql(
                """SELECT id, created_ms, model, endpoint, sent_to, usage, prompt_tokens,
                          cached_tokens, source,
                          completion_tokens + thinking_tokens AS completion_tokens  -- both are written
                   FROM trace WHERE id IN (SELECT value FROM json_each(?))""",
                listed,
            ).fetchall()
            seconds: dict[str, dict[Layer, float]] = defaultdict(lambda: defaultdict(float))
            for trace_id, name, begin, end in raw.exec_driver_sql(
                """SELECT trace_id, name, start_ms, end_ms FROM span
                   WHERE trace_id IN (SELECT value FROM json_each(?))""",
                listed,
            ):
                seconds[trace_id][_LAYERS.get(name, Layer.OTHER)] += max(0.0, end - begin) / 1000
            rows = [
                row
                for trace in traces
                for row in cost_rows(trace._asdict(), seconds[trace.id], prices, settings)
            ]
            insert_rows(session, Cost, rows)
        done += len(ids)
    return done


_OF_DAY = f"""(SELECT c.*, t.source, t.collection, t.model AS answered_by,
    {KEYS[GroupBy.PROMPT]} AS prompt, {KEYS[GroupBy.PIPELINE]} AS pipeline
    FROM cost c JOIN trace t ON t.id = c.trace_id WHERE c.created_ms >= ? AND c.created_ms < ?)"""
_LAYERS_OF_DAY = f"""
INSERT INTO costday SELECT ?, source, collection, answered_by, prompt, pipeline, layer, currency, basis,
    count(*), min(created_ms), sum(input_tokens), sum(cached_tokens), sum(output_tokens), sum(seconds),
    sum(amount)
FROM {_OF_DAY} GROUP BY 2, 3, 4, 5, 6, 7, 8, 9"""
_ANSWERS_OF_DAY = f"""
INSERT INTO costday SELECT ?, source, collection, answered_by, prompt, pipeline, '', '', unknown,
    count(*), min(created_ms), 0, 0, 0, 0, NULL
FROM (SELECT *, iif(max(basis = 'unknown'), 'unknown', '') AS unknown FROM {_OF_DAY} GROUP BY trace_id)
GROUP BY 2, 3, 4, 5, 6, 9"""


def _sum_up_days(workspace: Workspace) -> None:
    """Sum up the days whose costs changed, each in a transaction: asking never waits for all of them."""
    for (day,) in workspace.database.cells("SELECT day FROM staleday ORDER BY day"):
        begin = datetime.fromisoformat(day)
        bounds = [round(moment.timestamp() * 1000) for moment in (begin, begin + timedelta(days=1))]
        with workspace.store.session() as session:
            raw = session.connection()
            raw.exec_driver_sql("DELETE FROM costday WHERE day = ?", (day,))
            raw.exec_driver_sql(_LAYERS_OF_DAY, (day, *bounds))
            raw.exec_driver_sql(_ANSWERS_OF_DAY, (day, *bounds))
            raw.exec_driver_sql("DELETE FROM staleday WHERE day = ?", (day,))


def cost_rows(
    trace: dict[str, Any], seconds: dict[Layer, float], prices: Sequence[Price], settings: CostSettings
) -> list[dict[str, Any]]:
    """Return rows of the cost table for one trace.

    Args:
        trace: Its id, created_ms, model, endpoint ("" for a file), sent_to ("" for this computer), usage,
            counts of tokens, and source: what was received was not answered here, so its time costs nothing.
        seconds: The time of each layer.
        prices: All price tables.
        settings: Power and price of electricity.
    """
    if trace.get("source") == TraceSource.RECEIVED:
        price = find_price(prices, trace["model"]) if trace["model"] else None
        return [_priced(trace, layer, 0.0, price) for layer in _MODEL_LAYERS]
    rows = {layer: _estimate(trace, layer, time, settings) for layer, time in seconds.items()}
    if trace["endpoint"] and (trace["prompt_tokens"] or trace["completion_tokens"]):
        price = find_price(prices, trace["model"])
        is_free = price is None and not trace["sent_to"]  # a server on this computer: its time is the cost
        for layer in () if is_free else _MODEL_LAYERS:
            rows[layer] = _priced(trace, layer, seconds.get(layer, 0.0), price)
    elif trace["completion_tokens"] and Layer.ANSWERING not in seconds:
        # Answers of a batch share the processor's time, and none of them has a span of its own.
        rows[Layer.ANSWERING] = _row(trace, Layer.ANSWERING, 0.0)
    return list(rows.values())


def cost_elsewhere(workspace: Workspace, model: str, wanted: CostFilter = CostFilter()) -> CostSum:
    """Return what the tokens of answers would have cost with another model of the price tables.

    Args:
        workspace: The open data folder.
        model: A name that a price table has.
        wanted: Which answers count.

    Raises:
        RagError: No price table names the model.
    """
    price = find_price(read_prices(workspace.folder), model)
    if price is None:
        raise RagError(
            f"No price table names “{model}”. Run `ragdeck costs prices` to see all of them, or add a "
            "table to the data folder."
        )
    spent = total_cost(workspace.database, wanted)
    amount = price.cost(spent.input_tokens, spent.cached_tokens, spent.output_tokens)
    found = CostSum(model, spent.answers, spent.input_tokens, spent.cached_tokens, spent.output_tokens)
    if amount is None:
        found.unknown_answers = spent.answers
    else:
        found.amounts[price.currency] = amount
    return found


def list_prices(workspace: Workspace) -> list[Price]:
    """Return all prices that count, a person's own first. Raises RagError for a table that is not valid."""
    return read_prices(workspace.folder)


def _without_costs(workspace: Workspace) -> list[str]:
    """Return the finished traces whose costs are to be worked out, unknown ones that may be known now too."""
    return [
        str(row[0])
        for row in workspace.database.cells(
            """SELECT t.id FROM trace t WHERE t.status != 'running'
               AND (NOT EXISTS (SELECT 1 FROM cost c WHERE c.trace_id = t.id)
                    AND EXISTS (SELECT 1 FROM span s WHERE s.trace_id = t.id)
                    OR (t.endpoint != '' OR t.source = 'received')
                        AND EXISTS (SELECT 1 FROM cost c WHERE c.trace_id = t.id
                                                    AND c.basis = 'unknown'))"""
        )
    ]


def _pages(ids: Sequence[str]) -> list[list[str]]:
    return [list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE)]


def _estimate(trace: dict[str, Any], layer: Layer, seconds: float, settings: CostSettings) -> dict[str, Any]:
    kwh = seconds * settings.power_watts / _JOULES_PER_KWH
    return _row(trace, layer, seconds) | {
        "amount": kwh * settings.price_per_kwh,
        "currency": settings.currency,
        "basis": Basis.ESTIMATE,
        "price": f"{settings.power_watts:g} W at {settings.price_per_kwh:g} {settings.currency} a kWh",
    }


def _priced(trace: dict[str, Any], layer: Layer, seconds: float, price: Price | None) -> dict[str, Any]:
    row = _row(trace, layer, seconds)
    if price is None:
        return row
    amount = price.cost(row["input_tokens"], row["cached_tokens"], row["output_tokens"])
    if amount is None:
        return row
    source = f"{price.model}, {price.source}, {price.day}"
    basis = Basis.PRICE
    if trace["usage"] == Usage.UNKNOWN:
        basis, source = Basis.ESTIMATE, f"{source}; its tokens were estimated here"
    return row | {"amount": amount, "currency": price.currency, "basis": basis, "price": source}


def _row(trace: dict[str, Any], layer: Layer, seconds: float) -> dict[str, Any]:
    """Return a row of unknown cost with the tokens that belong to the layer."""
    reads, writes = layer is Layer.READING, layer is Layer.ANSWERING
    return {
        "trace_id": trace["id"],
        "layer": layer,
        "created_ms": trace["created_ms"],
        "model": trace["model"] if layer in _MODEL_LAYERS else "",
        "input_tokens": trace["prompt_tokens"] if reads else 0,
        "cached_tokens": trace["cached_tokens"] if reads else 0,
        "output_tokens": trace["completion_tokens"] if writes else 0,
        "seconds": seconds,
        "amount": None,
        "currency": "",
        "basis": Basis.UNKNOWN,
        "price": "",
    }
