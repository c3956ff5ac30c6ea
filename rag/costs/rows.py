"""What answers cost, as it is stored and summed up by layer, model, collection, prompt, source or day.

Amounts of different currencies are never added, and what is unknown is counted, never taken for 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as midnight
from decimal import Decimal
from enum import StrEnum
from statistics import mean, stdev
from typing import Any

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
    PIPELINE = "pipeline"
    SOURCE = "source"
    RUN = "run"
    APPLICATION = "application"
    SESSION = "session"
    ANSWER = "answer"
    DAY = "day"


_FROM = "cost c JOIN trace t ON t.id = c.trace_id"
# What each group is in `cost c JOIN trace t`.
KEYS = {
    GroupBy.LAYER: "c.layer",
    GroupBy.MODEL: "t.model",
    GroupBy.COLLECTION: "t.collection",
    GroupBy.PROMPT: "iif(t.prompt_name = '', '', t.prompt_name || '@' || coalesce(t.prompt_version, ''))",
    GroupBy.PIPELINE: "iif(t.pipeline = '', '', t.pipeline || iif(t.pipeline_version IS NULL, '', '@')"
    " || coalesce(t.pipeline_version, ''))",
    GroupBy.RUN: "(SELECT max(r.run_id) FROM evaluationresult r WHERE r.trace_id = t.id)",
    GroupBy.SOURCE: "t.source",
    GroupBy.APPLICATION: "t.application",
    GroupBy.SESSION: "t.session_id",
    GroupBy.ANSWER: "c.trace_id",
    GroupBy.DAY: "date(c.created_ms / 1000, 'unixepoch', 'localtime')",
}
# The columns of costday, which holds whole days. What it does not have is summed up from the costs.
_DAY_KEYS = {
    GroupBy.LAYER: "layer",
    GroupBy.MODEL: "model",
    GroupBy.COLLECTION: "collection",
    GroupBy.PROMPT: "prompt_name",
    GroupBy.PIPELINE: "pipeline",
    GroupBy.SOURCE: "source",
    GroupBy.DAY: "day",
}
_MOST_STALE = 31  # days; with more of them each answer is counted


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
    if group is GroupBy.ANSWER:
        sums = _sums_of_answers(
            database, KEYS[group], *_condition(wanted), ids=_dearest(database, wanted, limit)
        )
    else:
        sums = _sums(database, group, wanted)
    if group is GroupBy.DAY:
        return sorted(sums.values(), key=lambda one: one.key)[-limit:]
    return sorted(sums.values(), key=lambda one: (-max(one.amounts.values(), default=0.0), one.key))[:limit]


def total_cost(database: Database, wanted: CostFilter = CostFilter()) -> CostSum:
    """Return the sum over everything that a filter lets through."""
    return _sums(database, None, wanted).get("") or CostSum("")


def has_costs(database: Database) -> bool:
    """Return whether any answer has costs."""
    return bool(database.cells("SELECT 1 FROM cost LIMIT 1"))


def answer_costs(database: Database, trace_ids: Sequence[str]) -> dict[str, CostSum]:
    """Return what answers cost, by the ids of their traces; one whose costs are not worked out is missing."""
    return _sums_of_answers(database, KEYS[GroupBy.ANSWER], "1", (), list(trace_ids))


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


def _sums(database: Database, group: GroupBy | None, wanted: CostFilter) -> dict[str, CostSum]:
    """Return sums by a group, None: of everything; from those of whole days where these suffice."""
    days = _whole_days(database, wanted)
    key = KEYS[group] if group else "''"
    if days is None or (group and group not in _DAY_KEYS):
        return _sums_of_answers(database, key, *_condition(wanted))
    sums = _sums_of_days(database, group, days.where, days.values)
    if days.stale:
        for name, one in _sums_of_answers(database, key, *_condition(wanted, days.stale)).items():
            _merge(sums.setdefault(name, CostSum(name)), one)
    return sums


@dataclass(frozen=True)
class _Days:
    """A filter of whole days: on those that are summed up, and the others, as (first ms, first ms after)."""

    where: str
    values: tuple[object, ...]
    stale: tuple[tuple[int, int], ...]


def _whole_days(database: Database, wanted: CostFilter) -> _Days | None:
    """Return a filter for costday; None when it cuts a day, or too few days are summed up."""
    if application_named_by(wanted.collection):
        return None
    parts, values = ["day NOT IN (SELECT day FROM staleday)"], list[object]()
    for column in ("collection", "model", "source"):
        if value := getattr(wanted, column):
            parts.append(f"{column} = ?")
            values.append(value)
    for compared, moment in ((">=", wanted.since_ms), ("<", wanted.until_ms)):
        if moment is not None:
            local = datetime.fromtimestamp(moment / 1000)
            if local.time() != midnight():
                return None
            parts.append(f"day {compared} ?")
            values.append(local.date().isoformat())
    stale = [datetime.fromisoformat(day) for (day,) in database.cells("SELECT day FROM staleday")]
    if len(stale) > _MOST_STALE:
        return None
    bounds = tuple((_ms(day), _ms(day + timedelta(days=1))) for day in stale)
    return _Days(" AND ".join(parts), tuple(values), bounds)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _sums_of_days(
    database: Database, group: GroupBy | None, where: str, values: tuple[object, ...]
) -> dict[str, CostSum]:
    """Return sums from those of whole days."""
    key = _DAY_KEYS[group] if group else "''"
    found = database.cells(
        f"""SELECT {key}, currency, basis, sum(answers), sum(input_tokens), sum(cached_tokens),
                   sum(output_tokens), sum(seconds), sum(amount)
            FROM costday WHERE layer != '' AND {where} GROUP BY 1, 2, 3""",
        values,
    )
    sums = _added(found)
    if group is GroupBy.LAYER:
        for one in sums.values():
            one.answers = sum(row[3] for row in found if row[0] == one.key)
        return sums
    for name, answers, unknown in database.cells(  # an answer is in several rows of its key
        f"""SELECT {key}, sum(answers), sum(iif(basis = 'unknown', answers, 0))
            FROM costday WHERE layer = '' AND {where} GROUP BY 1""",
        values,
    ):
        sums[name].answers, sums[name].unknown_answers = answers, unknown
    return sums


def _sums_of_answers(
    database: Database,
    key: str,
    where: str,
    values: tuple[object, ...],
    ids: Sequence[str] | None = None,
) -> dict[str, CostSum]:
    """Return sums by a key, an expression over `cost c JOIN trace t`; ids: of these answers alone."""
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
    sums = _added(found)
    if len(found) > len(sums):  # an answer may be in several rows of its key
        for name, answers in database.cells(
            f"SELECT {key} AS key, count(DISTINCT c.trace_id) FROM {tables} WHERE {where} GROUP BY 1",
            values,
        ):
            sums[_text(name)].answers = answers
    return sums


def _added(found: Sequence[tuple[Any, ...]]) -> dict[str, CostSum]:
    """Add up rows of a key, a currency and a basis, with their figures."""
    sums: dict[str, CostSum] = {}
    for name, currency, basis, answers, read, cached, written, seconds, amount in found:
        one = sums.setdefault(_text(name), CostSum(_text(name)))
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
    return sums


def _text(key: object) -> str:
    return "" if key is None else str(key)


def _merge(one: CostSum, other: CostSum) -> None:
    """Add the figures of other answers to a sum."""
    for name in ("answers", "input_tokens", "cached_tokens", "output_tokens", "seconds", "unknown_answers"):
        setattr(one, name, getattr(one, name) + getattr(other, name))
    for mine, more in ((one.amounts, other.amounts), (one.estimated, other.estimated)):
        for currency, amount in more.items():
            _add(mine, currency, amount)


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
    days, key = _whole_days(database, wanted), KEYS[group]
    if days is None or group not in _DAY_KEYS:
        return _points_of_answers(database, key, *_condition(wanted))
    found = database.rows(
        CostPoint,
        f"""SELECT min(first_ms) AS created_ms, {_DAY_KEYS[group]} AS key, currency, sum(amount) AS amount
            FROM costday WHERE layer != '' AND amount IS NOT NULL AND {days.where} GROUP BY day, 2, 3""",
        days.values,
    )
    if days.stale:
        found += _points_of_answers(database, key, *_condition(wanted, days.stale))
    return sorted(found, key=lambda point: (point.created_ms, point.key))


def _points_of_answers(
    database: Database, key: str, where: str, values: tuple[object, ...]
) -> list[CostPoint]:
    return database.rows(
        CostPoint,
        f"""SELECT min(c.created_ms) AS created_ms, {key} AS key, c.currency, sum(c.amount) AS amount
            FROM {_tables(key, where)} WHERE c.amount IS NOT NULL AND {where}
            GROUP BY {KEYS[GroupBy.DAY]}, 2, 3 ORDER BY 1, 2""",
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


def _condition(wanted: CostFilter, within: Sequence[tuple[int, int]] = ()) -> tuple[str, tuple[object, ...]]:
    """Return a filter on `cost c JOIN trace t`; within: of these times alone, in Unix milliseconds."""
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
    if within:
        parts.append(f"({' OR '.join(['c.created_ms >= ? AND c.created_ms < ?'] * len(within))})")
        values += [bound for bounds in within for bound in bounds]
    return " AND ".join(parts), tuple(values)
