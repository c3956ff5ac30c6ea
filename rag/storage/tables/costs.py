"""Tables of costs: what each layer of each answer cost."""

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


mark(Cost, name="model", technical="trace_id layer currency basis price")
