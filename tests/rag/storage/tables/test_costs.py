"""The table of costs: a layer of an answer has one cost, and an unknown amount is not 0."""

import pytest
from table_rows import row, saves, stored

from rag.storage.tables.costs import Cost


def test_a_layer_of_an_answer_has_one_cost() -> None:
    assert not saves(row(Cost, trace_id="t", layer="reading"), row(Cost, trace_id="t", layer="reading"))
    assert saves(row(Cost, trace_id="t", layer="reading"), row(Cost, trace_id="t", layer="answering"))


@pytest.mark.parametrize("amount", [None, 0.0, 0.25])
def test_an_unknown_amount_stays_unknown_and_nothing_stays_nothing(amount: float | None) -> None:
    assert stored(row(Cost, trace_id="t", layer="reading", amount=amount))["amount"] == amount
