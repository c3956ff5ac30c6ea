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


@pytest.mark.parametrize(
    ("target", "source", "applies"),
    [
        ("people", "person", True),
        ("people", "step", True),
        ("people", "evaluation", False),
        ("people", "regression", False),
        ("evaluation", "evaluation", True),
        ("evaluation", "generation", True),
        ("evaluation", "regression", True),
        ("evaluation", "cache check", True),
        ("evaluation", "person", False),
        ("regression", "regression", True),
        ("regression", "evaluation", False),
    ],
)
def test_a_source_stands_for_all_kinds_of_traces_that_belong_to_it(
    target: str, source: str, applies: bool
) -> None:
    assert replace(ROW, scope=Scope.SOURCE, target=target).applies("cloud", "", source) is applies


@pytest.mark.parametrize(
    ("scope", "target", "said"),
    [
        (Scope.ALL, "", "everything"),
        (Scope.ENDPOINT, "cloud", "endpoint cloud"),
        (Scope.PIPELINE, "wide", "pipeline wide"),
        (Scope.SOURCE, "people", "source people"),
    ],
)
def test_a_budget_says_whose_costs_it_counts(scope: Scope, target: str, said: str) -> None:
    assert replace(ROW, scope=scope, target=target).of() == said


@pytest.mark.parametrize(
    ("amount", "spent", "share"),
    [(10.0, 0.0, 0.0), (10.0, 2.5, 0.25), (10.0, 20.0, 2.0), (0.0, 0.0, 1.0), (0.0, 5.0, 1.0)],
)
def test_the_share_of_a_budget_is_what_is_spent_of_it(amount: float, spent: float, share: float) -> None:
    assert BudgetUse(replace(ROW, amount=amount), spent, 1, 0).share == share


@pytest.mark.parametrize(
    ("warn_from", "spent", "state"),
    [
        (0.5, 4.99, BudgetState.OK),
        (0.5, 5.0, BudgetState.NEAR),
        (1.0, 9.99, BudgetState.OK),
        (1.0, 10.0, BudgetState.OVER),
        (0.01, 0.1, BudgetState.NEAR),
    ],
)
def test_a_budget_warns_from_its_own_share(warn_from: float, spent: float, state: BudgetState) -> None:
    assert BudgetUse(replace(ROW, warn_from=warn_from), spent, 1, 0).state is state


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (
            Expected(1, "EUR", 0.5, 0.25, 1.5, 3),
            "1 answer will probably cost 0.5 EUR (0.25 EUR to 1.50 EUR, from 3 earlier answers).",
        ),
        (
            Expected(2000, "USD", 12.0, 0.0, 20.0, 1),
            "2,000 answers will probably cost 12.00 USD (0.00 USD to 20.00 USD, from 1 earlier answer).",
        ),
        (
            Expected(1, "EUR", 0.5, None, 1.0, 3, "no range."),
            "What 1 answer will cost is unknown: no range.",
        ),
    ],
)
def test_an_expectation_is_said_with_its_range(expected: Expected, sentence: str) -> None:
    assert expected.sentence() == sentence


@pytest.mark.parametrize(
    "moment", [datetime(2026, 1, 1), datetime(2026, 12, 31, 23, 59, 59), datetime(2028, 2, 29)]
)
def test_a_day_begins_within_its_month_and_neither_after_now(moment: datetime) -> None:
    month, day = Period.MONTH.begin_ms(moment), Period.DAY.begin_ms(moment)
    assert month <= day <= moment.timestamp() * 1000 < day + 86_400_000
