"""Rows of budgets: what may be spent on endpoints in a day or month, and how much of it is spent.

Only answers of models elsewhere count, by their price tables: a model on this computer is free as far as a
budget is concerned. What has no known price in the budget's currency is counted apart, never as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rag.costs.rows import money
from rag.storage.database import Database
from rag.text.plurals import counted


class Period(StrEnum):
    """How long a budget lasts before it begins anew, in local time."""

    DAY = "day"
    MONTH = "month"

    def begin_ms(self, now: datetime) -> int:
        """Return when the period around a moment began, in Unix milliseconds."""
        begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return round((begin if self is Period.DAY else begin.replace(day=1)).timestamp() * 1000)


class Scope(StrEnum):
    """Whose costs a budget counts."""

    ALL = "all"
    ENDPOINT = "endpoint"
    PIPELINE = "pipeline"
    SOURCE = "source"  # who asks: people or evaluation


class Action(StrEnum):
    """What happens when a budget is used up; the later ones go further."""

    WARN = "warn"
    ASK = "ask"
    STOP = "stop"


class BudgetState(StrEnum):
    """How a budget stands."""

    OK = "ok"
    UNKNOWN = "unknown costs"  # within the amount as far as that is known
    NEAR = "nearly used up"
    OVER = "used up"


TELL_STATES = (BudgetState.NEAR, BudgetState.OVER)  # of which a person is told

# What people call the sources of traces that belong together.
SOURCES = {
    "people": ("person", "step", "server"),
    "evaluation": ("evaluation", "generation", "regression", "cache check"),
    "replay": ("replay",),
}


@dataclass(frozen=True)
class BudgetRow:
    """A budget as it is stored; warn_from is a share of the amount, unknown what unknown costs lead to."""

    name: str
    amount: float
    currency: str
    period: Period
    scope: Scope
    target: str
    action: Action
    unknown: Action
    warn_from: float
    state: str
    since_ms: int | None

    def applies(self, endpoint: str, pipeline: str, source: str) -> bool:
        """Return whether a question counts to this budget; one to a model on this computer never does."""
        if not endpoint:
            return False
        if self.scope is Scope.SOURCE:
            return source in SOURCES.get(self.target, (self.target,))
        own = {Scope.ENDPOINT: endpoint, Scope.PIPELINE: pipeline}
        return self.scope is Scope.ALL or own.get(self.scope) == self.target

    def of(self) -> str:
        """Return whose costs it counts, in words."""
        return "everything" if self.scope is Scope.ALL else f"{self.scope} {self.target}"


@dataclass(frozen=True)
class BudgetUse:
    """A budget with what was spent of it in the current period."""

    budget: BudgetRow
    spent: float
    answers: int
    unknown_answers: int

    @property
    def share(self) -> float:
        """The share of the amount that is spent; a budget of nothing is used up."""
        return self.spent / self.budget.amount if self.budget.amount else 1.0

    @property
    def state(self) -> BudgetState:
        """How the budget stands."""
        if self.share >= 1:
            return BudgetState.OVER
        if self.share >= self.budget.warn_from:
            return BudgetState.NEAR
        return BudgetState.UNKNOWN if self.unknown_answers else BudgetState.OK

    def sentence(self) -> str:
        """Return how much is spent: "0.80 EUR of 1.00 EUR a day, and 2 answers of unknown cost"."""
        row = self.budget
        unknown = (
            f", and {counted(self.unknown_answers, 'answer')} of unknown cost" if self.unknown_answers else ""
        )
        spent, amount = money(self.spent, row.currency), money(row.amount, row.currency)
        return f"{spent} of {amount} a {row.period}{unknown}"


@dataclass(frozen=True)
class Expected:
    """What some questions will probably cost, with a range; amounts of None are not known.

    Attributes:
        questions: How many.
        currency: Of the amounts.
        expected: The mean.
        low: Where 90 % of such sums begin.
        high: Where they end.
        answers: Earlier answers that this rests on.
        reason: Why nothing is known; empty when something is.
    """

    questions: int
    currency: str = ""
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    answers: int = 0
    reason: str = ""

    def sentence(self) -> str:
        """Return the expectation as people read it before they start something."""
        asked = counted(self.questions, "answer")
        if self.expected is None or self.low is None or self.high is None:
            return f"What {asked} will cost is unknown: {self.reason}"
        low, high = money(self.low, self.currency), money(self.high, self.currency)
        return (
            f"{asked} will probably cost {money(self.expected, self.currency)} ({low} to {high}, "
            f"from {counted(self.answers, 'earlier answer')})."
        )


def list_budgets(database: Database) -> list[BudgetRow]:
    """Return all budgets by name."""
    return database.rows(BudgetRow, "SELECT * FROM budget ORDER BY name")


def budget_uses(database: Database, now: datetime) -> list[BudgetUse]:
    """Return all budgets with what is spent of them in the periods around a moment."""
    return [budget_use(database, row, now) for row in list_budgets(database)]


def budget_use(database: Database, row: BudgetRow, now: datetime) -> BudgetUse:
    """Return what is spent of a budget. A price in another currency is as unknown to it as none."""
    condition, values = _condition(row)
    found = database.cells(
        f"""SELECT c.trace_id, sum(CASE WHEN c.basis = 'price' AND c.currency = ? THEN c.amount END),
                   max(c.basis = 'unknown' OR (c.basis = 'price' AND c.currency != ?))
            FROM cost c JOIN trace t ON t.id = c.trace_id
            WHERE t.sent_to != '' AND c.created_ms >= ? AND {condition} GROUP BY c.trace_id""",
        (row.currency, row.currency, row.period.begin_ms(now), *values),
    )
    spent = sum(amount or 0.0 for _, amount, _ in found)
    return BudgetUse(row, spent, len(found), sum(bool(unknown) for _, _, unknown in found))


def _condition(row: BudgetRow) -> tuple[str, tuple[str, ...]]:
    if row.scope is Scope.SOURCE:
        sources = SOURCES.get(row.target, (row.target,))
        return f"t.source IN ({', '.join('?' * len(sources))})", sources
    columns = {Scope.ENDPOINT: "t.endpoint", Scope.PIPELINE: "t.pipeline"}
    return (f"{columns[row.scope]} = ?", (row.target,)) if row.scope in columns else ("1", ())
