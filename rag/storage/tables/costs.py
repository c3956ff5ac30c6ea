"""Tables of costs: what each layer of each answer cost, and what it may cost in a day or month."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class Cost(SQLModel, table=True):
    """What one layer of one answer cost."""

    trace_id: str = Field(primary_key=True)
    layer: str = Field(primary_key=True)  # see rag.costs.rows.Layer
    created_ms: int = Field(index=True)  # of the trace
    model: str = ""  # whose tokens these are, "" where no model works
    input_tokens: int = 0  # cached ones included
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    amount: float | None = None  # None: unknown
    currency: str = ""
    basis: str  # see rag.costs.rows.Basis
    price: str = ""  # which price, of which day, or the power and the price of a kWh


class CostDay(SQLModel, table=True):
    """The costs of one day that have everything in common that costs are summed up by.

    A row without a layer counts answers: its basis is "unknown" where any of their layers is. Triggers note
    the days whose costs change, and what works out costs sums these days up again.
    """

    day: str = Field(primary_key=True)  # as 2026-11-28, in the time of this computer
    source: str = Field(primary_key=True)
    collection: str = Field(primary_key=True)
    model: str = Field(primary_key=True)  # of the answer
    prompt_name: str = Field(primary_key=True)  # with its version: name@version
    pipeline: str = Field(primary_key=True)  # name@version
    layer: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    basis: str = Field(primary_key=True)
    answers: int
    first_ms: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    seconds: float
    amount: float | None


class StaleDay(SQLModel, table=True):
    """A day whose costs changed since they were summed up."""

    day: str = Field(primary_key=True)


class Budget(SQLModel, table=True):
    """What answers may cost in a day or month, and what happens when they cost more."""

    name: str = Field(primary_key=True)
    amount: float
    currency: str
    period: str  # rag.costs.budgets.rows.Period
    scope: str  # rag.costs.budgets.rows.Scope
    target: str = ""  # name of the endpoint, pipeline or source
    action: str  # rag.costs.budgets.rows.Action
    unknown: str  # what happens when a price is unknown: an Action
    warn_from: float = 0.8  # share of the amount
    state: str = ""  # rag.costs.budgets.rows.BudgetState, as of the last answer
    since_ms: int | None = None  # when it came to that state
    created_ms: int


mark(CostDay, name="collection model prompt_name pipeline", technical="day source layer currency basis")
mark(StaleDay, technical="day")
mark(Cost, name="model", technical="trace_id layer currency basis price")
mark(Budget, name="name target", technical="currency period scope action unknown state")
