"""Budgets of endpoints: what counts, when they warn, ask and stop, and what questions will probably cost."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from rag.costs.budgets.limits import (
    BudgetError,
    before_asking,
    budget_left,
    check_budgets,
    expected_cost,
    note_spending,
    note_states,
    remove_budget,
    set_budget,
)
from rag.costs.budgets.rows import BudgetState, Period, budget_use, budget_uses, list_budgets
from rag.errors import NotFoundError, RagError
from rag.storage.store import now_ms
from rag.storage.tables.endpoints import EndpointRow
from rag.storage.tables.traces import Span, Trace
from rag.workspace import Workspace

KNOWN, UNKNOWN = "gpt-4o-mini", "house-7b"


def answered(workspace: Workspace, number: int, **values: Any) -> None:
    """Store an answer of an endpoint: 100,000 tokens read and 100,000 written, unless it says otherwise."""
    usual = {
        "id": f"{number:032x}", "session_id": "s", "created_ms": now_ms(), "status": "done", "question": "q",
        "model": KNOWN, "endpoint": "cloud", "sent_to": "cloud.example", "prompt_tokens": 100_000, "completion_tokens": 100_000,
    }  # fmt: skip
    with workspace.store.session() as session:
        session.add(Trace(**(usual | values)))
        session.add(Span(trace_id=f"{number:032x}", name="generate", kind="LLM", start_ms=0, end_ms=1000))


def check(workspace: Workspace, **values: Any) -> list[str]:
    return check_budgets(workspace, **({"endpoint": "cloud", "model": KNOWN} | values))


def use(workspace: Workspace) -> Any:
    return budget_uses(workspace.database, datetime.now())[0]


def test_a_budget_warns_near_its_end_and_stops_at_it(workspace: Workspace) -> None:
    set_budget(workspace, "cloud", 0.15, "USD", period="day", scope="endpoint", target="cloud", action="stop")
    assert check(workspace) == []
    answered(workspace, 1)  # 0.015 + 0.06 USD
    assert check(workspace) == []
    answered(workspace, 2, prompt_tokens=0, completion_tokens=90_000)
    (warning,) = check(workspace)
    assert warning == "The budget “cloud” is nearly used up: 0.13 USD of 0.15 USD a day."
    answered(workspace, 3)
    with pytest.raises(BudgetError, match=r"used up: 0\.2") as refused:
        check(workspace)
    assert not refused.value.needs_yes
    assert (use(workspace).state, use(workspace).answers) == (BudgetState.OVER, 3)


def test_a_model_on_this_computer_is_never_stopped_and_never_counted(workspace: Workspace) -> None:
    set_budget(workspace, "none", 0.0, "EUR", action="stop", unknown="stop")
    answered(workspace, 1, endpoint="", sent_to="", model="local")
    assert check(workspace, endpoint="", model="local") == []
    assert use(workspace).answers == 0
    with pytest.raises(BudgetError):
        check(workspace)


def test_a_budget_that_asks_lets_a_confirmed_question_pass_with_a_warning(workspace: Workspace) -> None:
    set_budget(workspace, "small", 0.01, "USD", action="ask")
    answered(workspace, 1)
    with pytest.raises(BudgetError, match="Say yes to ask all the same") as refused:
        check(workspace)
    assert refused.value.needs_yes
    assert "used up" in check(workspace, is_confirmed=True)[0]


@pytest.mark.parametrize(("unknown", "stops"), [("warn", False), ("ask", True), ("stop", True)])
def test_an_unknown_price_is_never_taken_for_nothing(workspace: Workspace, unknown: str, stops: bool) -> None:
    set_budget(workspace, "strict", 100, "USD", action="stop", unknown=unknown)
    answered(workspace, 1, model=UNKNOWN)
    if stops:
        with pytest.raises(BudgetError, match="“house-7b” costs is unknown in USD") as refused:
            check(workspace, model=UNKNOWN)
        assert refused.value.needs_yes is (unknown == "ask")
    else:
        assert "cannot tell" in check(workspace, model=UNKNOWN)[0]
    found = use(workspace)
    assert (found.unknown_answers, found.state) == (1, BudgetState.UNKNOWN)
    assert found.sentence() == "0.00 USD of 100.00 USD a month, and 1 answer of unknown cost"
    assert "does not know all costs" in check(workspace)[0]


def test_a_price_in_another_currency_is_unknown_to_a_budget(workspace: Workspace) -> None:
    set_budget(workspace, "euros", 100, "EUR", unknown="stop")
    answered(workspace, 1)
    with pytest.raises(BudgetError, match="unknown in EUR"):
        check(workspace)
    assert use(workspace).unknown_answers == 1


@pytest.mark.parametrize(
    ("scope", "target", "other"),
    [
        ("endpoint", "cloud", {"endpoint": "server"}),
        ("pipeline", "wide", {"pipeline": "narrow"}),
        ("source", "people", {"source": "evaluation"}),
        ("source", "evaluation", {"source": "person"}),
    ],
)
def test_a_budget_counts_and_stops_only_what_it_is_for(
    workspace: Workspace, scope: str, target: str, other: dict[str, str]
) -> None:
    mine = {"pipeline": "wide", "source": "evaluation" if target == "evaluation" else "person"}
    set_budget(workspace, "mine", 0.01, "USD", scope=scope, target=target, action="stop")
    answered(workspace, 1, **(mine | other))
    assert use(workspace).answers == 0
    assert check(workspace, **mine) == []
    answered(workspace, 2, **mine)
    with pytest.raises(BudgetError):
        check(workspace, **mine)
    assert use(workspace).answers == 1
    assert check(workspace, **(mine | other)) == []


@pytest.mark.parametrize(("period", "counts"), [("day", False), ("month", True)])
def test_a_period_begins_anew_in_local_time(workspace: Workspace, period: str, counts: bool) -> None:
    now = datetime(2026, 5, 20, 0, 30)
    set_budget(workspace, "b", 1, "USD", period=period)
    answered(workspace, 1, created_ms=round((now - timedelta(hours=1)).timestamp() * 1000))
    check(workspace)
    (row,) = list_budgets(workspace.database)
    assert budget_use(workspace.database, row, now).answers == counts
    assert Period.MONTH.begin_ms(now) == round(datetime(2026, 5, 1).timestamp() * 1000)


def test_a_budget_tells_once_when_it_comes_to_an_end(workspace: Workspace) -> None:
    set_budget(workspace, "b", 0.05, "USD")
    assert note_states(workspace) == []
    answered(workspace, 1)
    check(workspace)
    assert [news.state for news in note_states(workspace)] == [BudgetState.OVER]
    assert note_states(workspace) == []
    logged = workspace.database.cells(
        "SELECT action, subject FROM auditevent WHERE action LIKE 'budget used%'"
    )
    assert logged == [("budget used up", "b")]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": " "}, "needs a name"),
        ({"amount": -1}, "from 0 on"),
        ({"amount": math.nan}, "from 0 on"),
        ({"currency": "euro"}, "not a currency"),
        ({"period": "year"}, "Choose one of day, month"),
        ({"scope": "model", "target": "x"}, "Choose one of all, endpoint"),
        ({"scope": "endpoint"}, "Name the endpoint"),
        ({"target": "x"}, "names nothing"),
        ({"scope": "source", "target": "robots"}, "people, evaluation"),
        ({"action": "shout"}, "Choose one of warn, ask, stop"),
        ({"warn_from": 2}, "between 0 and 1"),
    ],
)
def test_what_is_wrong_with_a_budget_is_said(
    workspace: Workspace, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RagError, match=sentence):
        set_budget(workspace, **({"name": "b", "amount": 1.0} | values))
    assert list_budgets(workspace.database) == []


def test_a_budget_is_changed_by_its_name_and_removed(workspace: Workspace) -> None:
    set_budget(workspace, "b", 1)
    changed = set_budget(workspace, "b", 2, action="stop")
    assert (changed.amount, changed.currency, changed.action) == (2.0, "EUR", "stop")
    remove_budget(workspace, "b")
    assert list_budgets(workspace.database) == []
    with pytest.raises(NotFoundError, match="no budget “b”"):
        remove_budget(workspace, "b")


def test_the_expected_cost_has_a_range_that_grows_with_the_number(workspace: Workspace) -> None:
    for number, tokens in enumerate((50_000, 100_000, 150_000)):
        answered(workspace, number, prompt_tokens=0, completion_tokens=tokens)
    few, many = (expected_cost(workspace, KNOWN, "cloud", count) for count in (1, 100))
    assert few.expected == pytest.approx(0.06, rel=1e-3)
    assert many.expected == pytest.approx(6.0, rel=1e-3)
    assert few.low is not None and few.high is not None and many.low is not None and many.high is not None
    assert few.low < 0.06 < few.high
    assert many.high - many.low > 100 * 0.5 * (few.high - few.low) / math.sqrt(100)
    assert many.sentence().startswith("100 answers will probably cost 6.00 USD (")
    assert many.sentence().endswith("from 3 earlier answers).")


def test_what_is_not_known_of_a_cost_is_said(workspace: Workspace) -> None:
    assert expected_cost(workspace, UNKNOWN, "cloud", 5).sentence() == (
        "What 5 answers will cost is unknown: no price table names “house-7b”."
    )
    assert "fewer than 3 answers" in expected_cost(workspace, KNOWN, "cloud", 5).sentence()
    for number in range(3):
        answered(
            workspace, number, endpoint="", sent_to="", model="local", prompt_tokens=10, completion_tokens=10
        )
    assert expected_cost(workspace, "local", "", 2).currency == "EUR"


ELSEWHERE, HERE = "https://cloud.example/v1", "http://127.0.0.1:8080/v1"


def connect(workspace: Workspace, name: str = "cloud", url: str = ELSEWHERE) -> str:
    """Store an endpoint, without asking it anything; return what names it as a model."""
    with workspace.store.session() as session:
        session.add(EndpointRow(name=name, url=url, model="m", created_ms=1))
    return f"endpoint:{name}"


@pytest.mark.parametrize(
    ("url", "stops"),
    [
        (ELSEWHERE, True),
        ("http://10.0.0.5:8080/v1", True),
        ("http://localhost.example/v1", True),
        (HERE, False),
        ("http://localhost:11434/v1", False),
        ("http://[::1]:8080/v1", False),
    ],
)
def test_only_an_endpoint_on_another_computer_has_a_budget(
    workspace: Workspace, url: str, stops: bool
) -> None:
    set_budget(workspace, "none", 0.0, "USD", action="stop", unknown="stop")
    model = connect(workspace, url=url)
    assert budget_left(workspace, model, "", "person") == (0.0 if stops else None)
    if stops:
        with pytest.raises(BudgetError, match=r"“none” is used up|cannot tell"):
            before_asking(workspace, model, "", "person")
    else:
        assert before_asking(workspace, model, "", "person") == []


@pytest.mark.parametrize("model", ["endpoint:gone", "gone.gguf", ""])
def test_a_model_that_there_is_not_is_no_matter_of_budgets(workspace: Workspace, model: str) -> None:
    set_budget(workspace, "none", 0.0, "USD", action="stop", unknown="stop")
    assert before_asking(workspace, model, "", "person") == []
    assert budget_left(workspace, model, "", "person") is None


def test_without_a_model_the_active_one_counts(workspace: Workspace) -> None:
    set_budget(workspace, "none", 0.0, "USD", action="stop", unknown="stop")
    model = connect(workspace)
    workspace.change_settings({"models": {"active": model}})
    with pytest.raises(BudgetError):
        before_asking(workspace, "", "", "person")
    assert budget_left(workspace, "", "", "person") == 0.0


def test_the_price_of_an_endpoint_is_that_of_what_answered_there_last(workspace: Workspace) -> None:
    model = connect(workspace)
    set_budget(workspace, "b", 100, "USD", action="stop", unknown="stop")
    with pytest.raises(BudgetError, match="answer of “cloud” costs is unknown"):
        before_asking(workspace, model, "", "person")
    answered(workspace, 1, created_ms=now_ms() - 1000)
    assert before_asking(workspace, model, "", "person") == []
    answered(workspace, 2, model=UNKNOWN)
    with pytest.raises(BudgetError, match="answer of “house-7b” costs is unknown"):
        before_asking(workspace, model, "", "person")


def test_what_is_left_is_that_of_the_tightest_budget_for_the_question(workspace: Workspace) -> None:
    model = connect(workspace)
    assert budget_left(workspace, model, "", "person") is None
    set_budget(workspace, "all", 1.0, "USD")
    set_budget(workspace, "wide", 0.5, "USD", scope="pipeline", target="wide")
    answered(workspace, 1, pipeline="wide")  # 0.075 USD
    assert budget_left(workspace, model, "", "person") == pytest.approx(0.925)
    assert budget_left(workspace, model, "wide", "person") == pytest.approx(0.425)
    set_budget(workspace, "people", 0.05, "USD", scope="source", target="people")
    assert budget_left(workspace, model, "wide", "person") == pytest.approx(-0.025)
    assert budget_left(workspace, model, "wide", "evaluation") == pytest.approx(0.425)


@pytest.mark.parametrize(
    ("over", "unknown", "needs_yes"),
    [
        ("warn", "ask", True),
        ("ask", "warn", True),
        ("warn", "stop", False),
        ("ask", "stop", False),
        ("stop", "ask", False),
    ],
)
def test_the_strictest_of_what_is_used_up_and_unknown_decides(
    workspace: Workspace, over: str, unknown: str, needs_yes: bool
) -> None:
    set_budget(workspace, "b", 0.0, "USD", action=over, unknown=unknown)
    with pytest.raises(BudgetError) as refused:
        check(workspace, model=UNKNOWN)
    assert refused.value.needs_yes is needs_yes
    assert str(refused.value).endswith("." if needs_yes else "next period.")


def test_every_budget_that_warns_is_heard_and_one_that_stops_wins(workspace: Workspace) -> None:
    for name in ("a", "b"):
        set_budget(workspace, name, 0.0, "USD")
    assert [sentence[:14] for sentence in check(workspace)] == ["The budget “a”", "The budget “b”"]
    set_budget(workspace, "c", 0.0, "USD", action="stop")
    with pytest.raises(BudgetError, match="“c” is used up"):
        check(workspace, is_confirmed=True)


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ({"name": "  b  "}, ("b", "EUR", "all", "")),
        ({"currency": "usd"}, ("b", "USD", "all", "")),
        ({"scope": "endpoint", "target": " cloud "}, ("b", "EUR", "endpoint", "cloud")),
        ({"scope": "source", "target": "evaluation"}, ("b", "EUR", "source", "evaluation")),
        ({"amount": 0}, ("b", "EUR", "all", "")),
        ({"warn_from": 1}, ("b", "EUR", "all", "")),
    ],
)
def test_what_is_typed_is_stored_without_its_spaces(
    workspace: Workspace, values: dict[str, Any], stored: tuple[str, ...]
) -> None:
    row = set_budget(workspace, **({"name": "b", "amount": 1.0} | values))
    assert (row.name, row.currency, row.scope, row.target) == stored
    assert list_budgets(workspace.database) == [row]


@pytest.mark.parametrize("amount", [math.inf, -math.inf, -0.01])
def test_an_amount_that_is_none_changes_no_budget(workspace: Workspace, amount: float) -> None:
    before = set_budget(workspace, "b", 3.0)
    with pytest.raises(RagError, match="from 0 on"):
        set_budget(workspace, "b", amount)
    assert list_budgets(workspace.database) == [before]


def test_spending_is_noted_only_where_there_is_a_budget(workspace: Workspace) -> None:
    answered(workspace, 1)
    assert note_spending(workspace) == []
    assert workspace.database.cells("SELECT count(*) FROM cost") == [(0,)]
    set_budget(workspace, "b", 0.01, "USD")
    assert [news.budget.name for news in note_spending(workspace)] == ["b"]
    assert note_spending(workspace) == []


def test_setting_and_removing_a_budget_is_written_down(workspace: Workspace) -> None:
    set_budget(workspace, "b", 2.5, "USD", period="day")
    remove_budget(workspace, "b")
    logged = workspace.database.cells("SELECT action, detail FROM auditevent WHERE subject = 'b' ORDER BY id")
    assert logged == [("budget set", "2.5 USD a day"), ("budget removed", "")]
