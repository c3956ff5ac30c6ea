"""What answers cost, as it is stored and summed up by layer, model, collection, prompt, source or day.

Amounts of different currencies are never added, and what is unknown is counted, never taken for 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from statistics import mean, stdev

from rag.asking.applications.rows import application_named_by
from rag.errors import RagError
from rag.storage.database import Database
from rag.text.plurals import counted


class Layer(StrEnum):
    """A part of answering that takes time or tokens."""

    EMBEDDING = "embedding"
    RETRIEVAL = "retrieval"
    RERANKING = "reranking"
    LOADING = "loading"
    PACKING = "packing"
    READING = "reading"
    ANSWERING = "answering"
    CHECKING = "checking"
    CACHE = "cache"
    OTHER = "other"


class Basis(StrEnum):
    """What an amount rests on."""

    ESTIMATE = "estimate"  # seconds on this computer, its power, and the price of a kilowatt-hour
    PRICE = "price"  # tokens and a price table
    UNKNOWN = "unknown"


class GroupBy(StrEnum):
    """What costs are summed up by."""

    LAYER = "layer"
    MODEL = "model"
    COLLECTION = "collection"
    PROMPT = "prompt"
    SOURCE = "source"
    APPLICATION = "application"
    SESSION = "session"
    ANSWER = "answer"
    DAY = "day"


_FROM = "cost c JOIN trace t ON t.id = c.trace_id"
_KEYS = {
    GroupBy.LAYER: "c.layer",
    GroupBy.MODEL: "t.model",
    GroupBy.COLLECTION: "t.collection",
    GroupBy.PROMPT: "iif(t.prompt_name = '', '', t.prompt_name || '@' || coalesce(t.prompt_version, ''))",
    GroupBy.SOURCE: "t.source",
    GroupBy.APPLICATION: "t.application",
    GroupBy.SESSION: "t.session_id",
    GroupBy.ANSWER: "c.trace_id",
    GroupBy.DAY: "date(c.created_ms / 1000, 'unixepoch', 'localtime')",
}


@dataclass(frozen=True)
class CostRow:
    """What one layer of an answer cost; amount is None where that is unknown."""

    layer: Layer
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    seconds: float
    amount: float | None
    currency: str
    basis: Basis
    price: str


@dataclass(frozen=True)
class CostFilter:
    """Whose costs are wanted; an empty text and None let everything through."""

    collection: str = ""
    model: str = ""
    source: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass
class CostSum:
    """Costs of several answers.

    Attributes:
        key: What they have in common, such as the name of a collection.
        answers: How many answers there are.
        input_tokens: Read by models, cached ones included.
        cached_tokens: How many of those a model had read before.
        output_tokens: Written by models.
        seconds: Time of all layers.
        amounts: The sum by currency.
        estimated: How much of each sum rests on time and power.
        unknown_answers: Answers of which at least one layer's cost is unknown.
    """

    key: str
    answers: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    amounts: dict[str, float] = field(default_factory=dict)
    estimated: dict[str, float] = field(default_factory=dict)
    unknown_answers: int = 0

    def sentence(self) -> str:
        """Return the sum as people read it: "about 0.0012 EUR and 14 answers of unknown cost"."""
        return cost_sentence(self.amounts, self.estimated, self.unknown_answers)


def cost_sentence(amounts: dict[str, float], estimated: dict[str, float], unknown_answers: int) -> str:
    """Return sums by currency in words; "about" marks those that rest on an estimate, wholly or in part."""
    parts = [
        f"{'about ' if estimated.get(currency) else ''}{money(amount, currency)}"
        for currency, amount in sorted(amounts.items())
    ]
    if unknown_answers:
        parts.append(f"{counted(unknown_answers, 'answer')} of unknown cost")
    return " and ".join(parts) or "nothing"


def money(amount: float, currency: str) -> str:
    """Return an amount with as many digits as say something: 12.40 EUR, 0.0031 EUR, 0.00000042 EUR."""
    digits = Decimal(f"{amount:.2g}")
    if amount == 0 or abs(digits) >= 1:
        return f"{amount:,.2f} {currency}"
    return f"{digits:f} {currency}"


def list_costs(database: Database, trace_id: str) -> list[CostRow]:
    """Return what the layers of one answer cost, in the order in which they came."""
    rows = database.rows(CostRow, "SELECT * FROM cost WHERE trace_id = ?", (trace_id,))
    order = list(Layer)
    return sorted(rows, key=lambda row: order.index(row.layer))


def sum_costs(
    database: Database, group: GroupBy, wanted: CostFilter = CostFilter(), limit: int = 1000
) -> list[CostSum]:
    """Return costs summed up by something, the dearest first, days in their order.

    Args:
        database: The data folder's file.
        group: What answers have in common that are summed up.
        wanted: Which answers count.
        limit: The most groups.
    """
    ids = _dearest(database, wanted, limit) if group is GroupBy.ANSWER else None
    sums = _sums(database, _KEYS[group], wanted, ids)
    if group is GroupBy.DAY:
        return sorted(sums.values(), key=lambda one: one.key)[-limit:]
    return sorted(sums.values(), key=lambda one: (-max(one.amounts.values(), default=0.0), one.key))[:limit]


def total_cost(database: Database, wanted: CostFilter = CostFilter()) -> CostSum:
    """Return the sum over everything that a filter lets through."""
    return _sums(database, "''", wanted).get("") or CostSum("")


def _dearest(database: Database, wanted: CostFilter, limit: int) -> list[str]:
    """Return the ids of the answers among which the dearest are: the first of every currency, and unknown."""
    where, values = _condition(wanted)
    found = database.cells(
        f"""SELECT trace_id FROM (
                SELECT c.trace_id, row_number() OVER (PARTITION BY c.currency ORDER BY sum(c.amount) DESC,
                       c.trace_id) AS place
                FROM {_tables(where)} WHERE {where} GROUP BY c.trace_id, c.currency)
            WHERE place <= ?""",
        (*values, limit),
    )
    return list(dict.fromkeys(row[0] for row in found))


def _tables(*expressions: str) -> str:
    """Return the tables that expressions need: that of traces is joined only where something asks for it."""
    return _FROM if any("t." in expression for expression in expressions) else "cost c"


def _sums(
    database: Database, key: str, wanted: CostFilter, ids: Sequence[str] | None = None
) -> dict[str, CostSum]:
    """Return sums by a key, an expression over `cost c JOIN trace t`; ids: of these answers alone."""
    where, values = _condition(wanted)
    tables = _tables(key, where)
    if ids is not None:
        where, values = (
            f"{where} AND c.trace_id IN (SELECT value FROM json_each(?))",
            (*values, json.dumps(ids)),
        )
    found = database.cells(
        f"""SELECT {key} AS key, c.currency, c.basis, count(DISTINCT c.trace_id),
                   sum(c.input_tokens), sum(c.cached_tokens), sum(c.output_tokens), sum(c.seconds),
                   sum(c.amount)
            FROM {tables} WHERE {where} GROUP BY 1, 2, 3""",
        values,
    )
    sums: dict[str, CostSum] = {}
    for name, currency, basis, answers, read, cached, written, seconds, amount in found:
        one = sums.setdefault(str(name or ""), CostSum(str(name or "")))
        one.answers = answers
        one.input_tokens += read
        one.cached_tokens += cached
        one.output_tokens += written
        one.seconds += seconds
        if basis == Basis.UNKNOWN:
            one.unknown_answers += answers
        else:
            _add(one.amounts, currency, amount or 0.0)
            if basis == Basis.ESTIMATE:
                _add(one.estimated, currency, amount or 0.0)
    if len(found) > len(sums):  # an answer may be in several rows of its key
        for name, answers in database.cells(
            f"SELECT {key} AS key, count(DISTINCT c.trace_id) FROM {tables} WHERE {where} GROUP BY 1",
            values,
        ):
            sums[str(name or "")].answers = answers
    return sums


def _add(amounts: dict[str, float], currency: str, amount: float) -> None:
    amounts[currency] = amounts.get(currency, 0.0) + amount


@dataclass(frozen=True)
class CostPoint:
    """What answers of one day cost: key is their layer, model, collection, prompt or source."""

    created_ms: int
    key: str
    currency: str
    amount: float


def list_cost_points(
    database: Database, group: GroupBy, wanted: CostFilter = CostFilter()
) -> list[CostPoint]:
    """Return the known costs of each day by a group, at its first answer, oldest first: for a graph."""
    where, values = _condition(wanted)
    key = _KEYS[group]
    return database.rows(
        CostPoint,
        f"""SELECT min(c.created_ms) AS created_ms, {key} AS key, c.currency, sum(c.amount) AS amount
            FROM {_tables(key, where)} WHERE c.amount IS NOT NULL AND {where}
            GROUP BY {_KEYS[GroupBy.DAY]}, 2, 3 ORDER BY 1, 2""",
        values,
    )


def count_accepted(database: Database, wanted: CostFilter = CostFilter()) -> int:
    """Return how many answers were accepted: a thumb up, or without one every sentence supported."""
    where, values = _condition(wanted)
    found = database.cells(
        f"""SELECT count(*) FROM trace t WHERE t.status = 'done'
            AND EXISTS (SELECT 1 FROM cost c WHERE c.trace_id = t.id)
            AND CASE WHEN EXISTS (SELECT 1 FROM feedback f WHERE f.trace_id = t.id)
                     THEN (SELECT min(f.is_up) FROM feedback f WHERE f.trace_id = t.id)
                     ELSE t.claim_count > 0 AND t.flag_count = 0 END
            AND {where.replace("c.created_ms", "t.created_ms")}""",
        values,
    )
    return int(found[0][0]) if found else 0


@dataclass(frozen=True)
class Forecast:
    """What a month will have cost at its end, with the bounds of a 90 % interval."""

    expected: float
    low: float
    high: float
    currency: str
    days: int  # on which it rests


_FEWEST_DAYS = 3
_Z_90 = 1.645


def forecast_month(spent: float, daily: Sequence[float], days_left: float, currency: str) -> Forecast | None:
    """Return what a month will have cost, None when there are too few days to tell.

    The days to come cost as the days before did, independently of each other: their sum has the mean and the
    variance of so many days. An interval never goes below what is spent.

    Args:
        spent: In this month so far.
        daily: The sums of whole days before today, those without a question too.
        days_left: Of this month.
        currency: Of all amounts.
    """
    if len(daily) < _FEWEST_DAYS:
        return None
    average = mean(daily)
    spread = stdev(daily) * math.sqrt(days_left * (1 + days_left / len(daily)))
    expected = spent + average * days_left
    return Forecast(
        expected, max(spent, expected - _Z_90 * spread), expected + _Z_90 * spread, currency, len(daily)
    )


def group_of(name: str) -> GroupBy:
    """Return what a name on the command line means. Raises RagError for one that there is not."""
    try:
        return GroupBy(name)
    except ValueError as error:
        raise RagError(f"Costs are not summed up by “{name}”. Choose one of {', '.join(GroupBy)}.") from error


def _condition(wanted: CostFilter) -> tuple[str, tuple[object, ...]]:
    parts: list[str] = ["1"]
    values: list[object] = []
    for column, value in (
        ("t.collection =", "" if application_named_by(wanted.collection) else wanted.collection),
        ("t.application =", application_named_by(wanted.collection)),
        ("t.model =", wanted.model),
        ("t.source =", wanted.source),
    ):
        if value:
            parts.append(f"{column} ?")
            values.append(value)
    for column, moment in (("c.created_ms >=", wanted.since_ms), ("c.created_ms <", wanted.until_ms)):
        if moment is not None:
            parts.append(f"{column} ?")
            values.append(moment)
    return " AND ".join(parts), tuple(values)
