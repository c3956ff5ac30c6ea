"""What budgets are for, how they stand, and what they say."""

from dataclasses import replace
from datetime import datetime

import pytest

from rag.costs.budgets.rows import Action, BudgetRow, BudgetState, BudgetUse, Expected, Period, Scope

ROW = BudgetRow("b", 10.0, "EUR", Period.DAY, Scope.ALL, "", Action.STOP, Action.ASK, 0.8, "", None)


@pytest.mark.parametrize(
    ("spent", "unknown", "state"),
    [
        (0, 0, BudgetState.OK), (0, 1, BudgetState.UNKNOWN), (8, 0, BudgetState.NEAR), (8, 1, BudgetState.NEAR),
        (10, 0, BudgetState.OVER), (12, 3, BudgetState.OVER),
    ],
)  # fmt: skip
def test_a_budget_stands_by_its_share_and_by_what_is_unknown(
    spent: float, unknown: int, state: BudgetState
) -> None:
    assert BudgetUse(ROW, spent, 5, unknown).state is state


def test_a_budget_of_nothing_is_used_up_from_the_start() -> None:
    assert BudgetUse(replace(ROW, amount=0.0), 0.0, 0, 0).state is BudgetState.OVER


def test_unknown_costs_are_said_beside_the_known_ones() -> None:
    assert (
        BudgetUse(ROW, 2.5, 9, 2).sentence() == "2.50 EUR of 10.00 EUR a day, and 2 answers of unknown cost"
    )


@pytest.mark.parametrize(
    ("scope", "target", "applies"),
    [
        (Scope.ALL, "", True), (Scope.ENDPOINT, "cloud", True), (Scope.ENDPOINT, "other", False),
        (Scope.PIPELINE, "wide", True), (Scope.PIPELINE, "", False), (Scope.SOURCE, "people", True),
        (Scope.SOURCE, "evaluation", False),
    ],
)  # fmt: skip
def test_a_budget_applies_to_what_it_names_and_never_to_this_computer(
    scope: Scope, target: str, applies: bool
) -> None:
    row = replace(ROW, scope=scope, target=target)
    assert row.applies("cloud", "wide", "person") is applies
    assert not row.applies("", "wide", "person")


def test_periods_begin_at_local_midnight_and_on_the_first() -> None:
    now = datetime(2026, 2, 28, 23, 59)
    assert Period.DAY.begin_ms(now) == round(datetime(2026, 2, 28).timestamp() * 1000)
    assert Period.MONTH.begin_ms(now) == round(datetime(2026, 2, 1).timestamp() * 1000)


def test_an_unknown_expectation_says_why() -> None:
    assert Expected(3, reason="no price.").sentence() == "What 3 answers will cost is unknown: no price."
