"""Sets budgets, decides whether a question may still be asked, and says what questions will probably cost."""

from __future__ import annotations

import math
from datetime import datetime
from enum import StrEnum
from statistics import mean, stdev
from typing import Any

from rag.costs.budgets.rows import (
    SOURCES,
    TELL_STATES,
    Action,
    BudgetRow,
    BudgetState,
    BudgetUse,
    Expected,
    Period,
    Scope,
    budget_use,
    list_budgets,
)
from rag.costs.prices import find_price, read_prices
from rag.costs.usage import work_out_costs
from rag.errors import NotFoundError, RagError
from rag.models.catalogue import find_model
from rag.models.endpoints.rows import endpoint_named_by, find_endpoint
from rag.settings import CostSettings
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.costs import Budget
from rag.workspace import Workspace

_Z_90 = 1.645
_FEWEST = 3  # answers from which a range is worked out
_LAST = 500  # answers that are looked at
_ORDER = list(Action)


class BudgetError(RagError):
    """A budget does not allow a question. needs_yes: it does if a person says so."""

    def __init__(self, sentence: str, needs_yes: bool) -> None:
        """Say what is used up, and what to do."""
        super().__init__(sentence)
        self.needs_yes = needs_yes


def set_budget(
    workspace: Workspace,
    name: str,
    amount: float,
    currency: str = "",
    period: str = Period.MONTH,
    scope: str = Scope.ALL,
    target: str = "",
    action: str = Action.WARN,
    unknown: str = Action.ASK,
    warn_from: float = 0.8,
) -> BudgetRow:
    """Make a budget, or change the one of that name.

    Args:
        workspace: The open data folder.
        name: What people call it.
        amount: What may be spent in a period.
        currency: A code of ISO 4217; "" for the one of the settings.
        period: A Period.
        scope: A Scope.
        target: The endpoint, the pipeline, or the source ("people" or "evaluation"); "" for all.
        action: What happens when it is used up: an Action.
        unknown: What happens when a price is unknown: an Action.
        warn_from: The share of the amount from which it warns.

    Raises:
        RagError: The one thing to put right.
    """
    currency = (currency or workspace.settings.costs.currency).upper()
    _check(name, amount, currency, scope, target, warn_from)
    values: dict[str, Any] = {
        "amount": float(amount), "currency": currency, "period": _one_of(Period, period, "period"),
        "scope": _one_of(Scope, scope, "scope"), "target": target.strip(),
        "action": _one_of(Action, action, "action"), "unknown": _one_of(Action, unknown, "action"),
        "warn_from": warn_from, "state": "", "since_ms": None,
    }  # fmt: skip
    with workspace.store.session() as session:
        row = session.get(Budget, name.strip()) or Budget(name=name.strip(), created_ms=now_ms(), **values)
        for key, value in values.items():
            setattr(row, key, value)
        session.add(row)
        audit_log.record(
            session, audit_log.Action.BUDGET_SET, name.strip(), f"{amount:g} {currency} a {period}"
        )
    note_states(workspace)
    return next(row for row in list_budgets(workspace.database) if row.name == name.strip())


def remove_budget(workspace: Workspace, name: str) -> None:
    """Delete a budget. Raises NotFoundError."""
    with workspace.store.session() as session:
        row = session.get(Budget, name)
        if row is None:
            raise NotFoundError(f"There is no budget “{name}”. Run `ragdeck costs budgets list` to see all.")
        session.delete(row)
        audit_log.record(session, audit_log.Action.BUDGET_REMOVED, name)


def check_budgets(
    workspace: Workspace,
    *,
    endpoint: str,
    model: str,
    pipeline: str = "",
    source: str = "person",
    is_confirmed: bool = False,
) -> list[str]:
    """Return what budgets have to say before a question is sent, in sentences.

    Args:
        workspace: The open data folder.
        endpoint: Where the model is; "" for this computer, which no budget ever stops.
        model: Its name, as price tables know it.
        pipeline: Name of the pipeline that asks, "" for none.
        source: Who asks: a TraceSource.
        is_confirmed: Whether a person has said yes to what a budget asks.

    Raises:
        BudgetError: A budget is used up, or cannot tell, and does not only warn.
    """
    rows = [row for row in list_budgets(workspace.database) if row.applies(endpoint, pipeline, source)]
    if not rows:
        return []
    work_out_costs(workspace)
    price = find_price(read_prices(workspace.folder), model)
    warnings: list[str] = []
    for row in rows:
        use = budget_use(workspace.database, row, datetime.now())
        has_price = price is not None and price.currency == row.currency
        action, sentence = _decide(use, model, has_price)
        if action is Action.STOP or (action is Action.ASK and not is_confirmed):
            raise BudgetError(f"{sentence} {_way_out(action)}", needs_yes=action is Action.ASK)
        if sentence:
            warnings.append(sentence)
    return warnings


def before_asking(
    workspace: Workspace, model: str, pipeline: str, source: str, is_confirmed: bool = False
) -> list[str]:
    """Return what budgets have to say before a model is asked; see check_budgets.

    model is a reference to a model, "" for the active one. An endpoint's price is that of the model that
    answered there last.
    """
    endpoint = _endpoint_elsewhere(workspace, model or workspace.settings.models.active)
    if not endpoint:
        return []
    return check_budgets(
        workspace, endpoint=endpoint, model=_answering_at(workspace, endpoint), pipeline=pipeline,
        source=source, is_confirmed=is_confirmed,
    )  # fmt: skip


def _answering_at(workspace: Workspace, endpoint: str) -> str:
    """Return the model that answered last at an endpoint; before there is one, the endpoint's name."""
    last = workspace.database.cells(
        "SELECT model FROM trace WHERE endpoint = ? AND model != '' ORDER BY created_ms DESC LIMIT 1",
        (endpoint,),
    )
    return str(last[0][0]) if last else endpoint


def budget_left(workspace: Workspace, model: str, pipeline: str, source: str) -> float | None:
    """Return what the tightest budget for a model still has, in its currency; None without a budget."""
    endpoint = _endpoint_elsewhere(workspace, model or workspace.settings.models.active)
    rows = [row for row in list_budgets(workspace.database) if row.applies(endpoint, pipeline, source)]
    if not endpoint or not rows:
        return None
    work_out_costs(workspace)
    now = datetime.now()
    return min(row.amount - budget_use(workspace.database, row, now).spent for row in rows)


def _endpoint_elsewhere(workspace: Workspace, model: str) -> str:
    """Return the endpoint on another computer that a model is behind; "" for any other model."""
    if not model:
        return ""
    try:
        name = endpoint_named_by(find_model(workspace.database, workspace.settings, model))
        return name if name and find_endpoint(workspace.database, name).sent_to else ""
    except NotFoundError:
        return ""  # asking says which models there are


def note_spending(workspace: Workspace) -> list[BudgetUse]:
    """Bring the costs and the states of all budgets up to date; without a budget nothing is worked out."""
    if not list_budgets(workspace.database):
        return []
    work_out_costs(workspace)
    return note_states(workspace)


def note_states(workspace: Workspace) -> list[BudgetUse]:
    """Store how each budget stands now; return those that came to be nearly or wholly used up, to tell of."""
    news = []
    for row in list_budgets(workspace.database):
        use = budget_use(workspace.database, row, datetime.now())
        if row.state == use.state:
            continue
        with workspace.store.session() as session:
            stored = session.get(Budget, row.name)
            if stored is None:
                continue  # removed in the meantime
            stored.state, stored.since_ms = use.state, now_ms()
            session.add(stored)
            if use.state in TELL_STATES:
                audit_log.record(session, audit_log.Action(f"budget {use.state}"), row.name, use.sentence())
                news.append(use)
    return news


def expected_cost(workspace: Workspace, model: str, endpoint: str, questions: int) -> Expected:
    """Return what questions to a model will probably cost, from what its earlier answers did.

    The sum of independent costs has their mean and variance times their number; the range is one of 90 %.
    """
    work_out_costs(workspace)
    settings: CostSettings = workspace.settings.costs
    basis = "price" if endpoint else "estimate"
    price = find_price(read_prices(workspace.folder), model) if endpoint else None
    if endpoint and price is None:
        return Expected(questions, reason=f"no price table names “{model}”.")
    currency = price.currency if price else settings.currency
    found = workspace.database.cells(
        """SELECT sum(c.amount) FROM cost c JOIN trace t ON t.id = c.trace_id
           WHERE t.model = ? AND t.endpoint = ? AND t.status = 'done'
           AND t.id NOT IN (SELECT h.trace_id FROM cachehit h WHERE h.kind != 'near')
           GROUP BY c.trace_id HAVING sum(c.basis = ? AND c.currency = ?) > 0 AND sum(c.amount IS NULL) = 0
           ORDER BY t.created_ms DESC LIMIT ?""",
        (model, endpoint, basis, currency, _LAST),
    )
    amounts = [float(amount) for (amount,) in found]
    if len(amounts) < _FEWEST:
        return Expected(questions, reason=f"“{model}” has given fewer than {_FEWEST} answers so far.")
    middle, spread = mean(amounts), stdev(amounts)
    expected = questions * middle
    # Both: the sum varies, and the mean is known from so many answers alone.
    half = _Z_90 * spread * math.sqrt(questions + questions**2 / len(amounts))
    return Expected(questions, currency, expected, max(expected - half, 0.0), expected + half, len(amounts))


def cost_of_asking(workspace: Workspace, model: str, questions: int) -> Expected:
    """Return what questions will probably cost; model is a reference to one, "" for the active model."""
    wanted = model or workspace.settings.models.active
    if not wanted:
        return Expected(questions, reason="no model is chosen.")
    path = find_model(workspace.database, workspace.settings, wanted)
    endpoint = endpoint_named_by(path)
    if not endpoint:
        return expected_cost(workspace, path.stem, "", questions)
    return expected_cost(workspace, _answering_at(workspace, endpoint), endpoint, questions)


# --- parts ------------------------------------------------------------------------------------------------


def _decide(use: BudgetUse, model: str, has_price: bool) -> tuple[Action | None, str]:
    """Return what a budget asks for, and why; the strictest of what is used up and what is unknown."""
    row = use.budget
    found: list[tuple[Action, str]] = []
    if use.state is BudgetState.OVER:
        found.append((row.action, f"The budget “{row.name}” is used up: {use.sentence()}."))
    if not has_price:
        found.append(
            (
                row.unknown,
                f"What an answer of “{model}” costs is unknown in {row.currency}, so the budget “{row.name}” "
                "cannot tell whether it is used up.",
            )
        )
    elif use.unknown_answers and use.state is not BudgetState.OVER:
        found.append((Action.WARN, f"The budget “{row.name}” does not know all costs: {use.sentence()}."))
    if not found and use.state is BudgetState.NEAR:
        found.append((Action.WARN, f"The budget “{row.name}” is nearly used up: {use.sentence()}."))
    return max(found, key=lambda one: _ORDER.index(one[0]), default=(None, ""))


def _way_out(action: Action) -> str:
    if action is Action.ASK:
        return "Say yes to ask all the same, or use a model on this computer."
    return "Use a model on this computer, raise the budget, or wait for the next period."


def _check(name: str, amount: float, currency: str, scope: str, target: str, warn_from: float) -> None:
    if not name.strip():
        raise RagError("A budget needs a name.")
    if not math.isfinite(amount) or amount < 0:
        raise RagError("The amount of a budget is a number from 0 on.")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise RagError(f"“{currency}” is not a currency. Write its code, such as EUR or USD.")
    if not 0 < warn_from <= 1:
        raise RagError("A budget warns from a share between 0 and 1 of its amount.")
    if scope != Scope.ALL and not target.strip():
        raise RagError(f"Name the {scope} that the budget is for.")
    if scope == Scope.ALL and target.strip():
        raise RagError("A budget for everything names nothing. Choose a scope for its target.")
    if scope == Scope.SOURCE and target.strip() not in SOURCES:
        raise RagError(f"A source is one of: {', '.join(SOURCES)}.")


def _one_of(kind: type[StrEnum], value: str, what: str) -> str:
    try:
        return str(kind(value).value)
    except ValueError:
        raise RagError(f"“{value}” is no {what} of a budget. Choose one of {', '.join(kind)}.") from None
