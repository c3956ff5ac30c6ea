"""Alert rules fire, are acknowledged and calm down; the reference period."""

import sqlite3
from typing import Any

import pytest
from fakes import drive
from stored_traces import DAY, add_traces

from rag.errors import NotFoundError, RagError
from rag.monitoring.alerts import (
    acknowledge,
    add_rule,
    change_rule,
    check_alerts,
    check_quickly,
    clear_reference,
    judged_now,
    moment_ms,
    next_state,
    remove_rule,
    set_reference,
)
from rag.monitoring.rows import (
    AlertRow,
    find_reference,
    list_alerts,
)
from rag.storage.store import now_ms
from rag.storage.tables.monitoring import AlertRule
from rag.workspace import Workspace


def rule(workspace: Workspace, name: str) -> AlertRow:
    return next(row for row in list_alerts(workspace.database) if row.name == name)


def test_an_alert_fires_is_acknowledged_calms_down_and_fires_anew(watched: Workspace) -> None:
    name = "More flagged answers"
    add_traces(watched, 10, now_ms() - DAY, flag_count=1)
    check_quickly(watched)
    assert (rule(watched, name).state, rule(watched, name).count) == ("not enough data", 10)
    add_traces(watched, 40, now_ms() - DAY + 3_600_000, flag_count=1)
    assert name in [row.name for row in check_quickly(watched)]
    fired = rule(watched, name)
    assert (fired.state, fired.value, fired.count) == ("firing", 1.0, 50)
    assert fired.limit is not None
    assert acknowledge(watched, name, "the new model is being looked at").state == "acknowledged"
    assert name not in [row.name for row in check_quickly(watched)]
    add_traces(watched, 50, now_ms() - DAY // 2)
    check_quickly(watched)
    calm = rule(watched, name)
    assert (calm.state, calm.acknowledged) == ("ok", "")
    add_traces(watched, 50, now_ms() - DAY // 4, flag_count=1)
    check_quickly(watched)
    assert rule(watched, name).state == "firing"
    with sqlite3.connect(watched.store.database) as raw:
        fired_count = raw.execute(
            "SELECT count(*) FROM auditevent WHERE action = 'alert fired' AND subject = ?", (name,)
        ).fetchone()[0]
    raw.close()
    assert fired_count == 2


@pytest.mark.parametrize(
    ("state", "condition", "expected"),
    [
        ("ok", "beyond", "firing"),
        ("not enough data", "beyond", "firing"),
        ("firing", "beyond", "firing"),
        ("acknowledged", "beyond", "acknowledged"),
        ("acknowledged", "ok", "ok"),
        ("firing", "not enough data", "not enough data"),
    ],
)
def test_the_states_of_an_alert(state: str, condition: str, expected: str) -> None:
    assert next_state(state, condition) == expected


def test_what_does_not_change_is_not_written_again(watched: Workspace) -> None:
    add_traces(watched, 50, now_ms() - DAY)
    check_quickly(watched)
    before = rule(watched, "More flagged answers").checked_ms
    check_quickly(watched)
    assert rule(watched, "More flagged answers").checked_ms == before


def test_a_threshold_needs_no_reference_and_a_limit_does(workspace: Workspace) -> None:
    add_traces(workspace, 30, now_ms() - DAY, silent_failures=lambda n: '["cut off"]' if n < 3 else "[]")
    check_quickly(workspace)
    assert rule(workspace, "Silent failures").state == "firing"
    assert rule(workspace, "More refusals").sentence == "no reference period is chosen"
    change_rule(workspace, "Silent failures", {"threshold": 0.2})
    assert rule(workspace, "Silent failures").state == "ok"
    change_rule(workspace, "Silent failures", {"threshold": 0.01, "enabled": False})
    assert "Silent failures" not in [row.name for row in check_quickly(workspace)]
    assert rule(workspace, "Silent failures").state == "not enough data"


def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(workspace: Workspace) -> None:
    good: dict[str, Any] = {"name": "R", "measure": "latency", "threshold": 5000.0}
    for wrong, said in (
        ({"name": " "}, "needs a name"),
        ({"name": "More refusals"}, "already"),
        ({"measure": "beauty"}, "no measure"),
        ({"comparison": "near"}, "above"),
        ({"measure": "score_drift", "threshold": None}, "p value"),
        ({"measure": "flag_rate", "threshold": 5.0}, "between 0 and 1"),
        ({"window": 3}, "5 to 1,000"),
        ({"minimum": 100}, "at most the window"),
        ({"collection": "none"}, "no collection"),
        ({"colour": "red"}, "has no field colour"),
    ):
        with pytest.raises(RagError, match=said):
            add_rule(workspace, {**good, **wrong})
    made = add_rule(workspace, good)
    assert (made.comparison, made.window, made.minimum, made.state) == ("above", 50, 20, "not enough data")
    assert made.condition == "above 5 s, last 50"
    remove_rule(workspace, "R")
    with pytest.raises(NotFoundError):
        remove_rule(workspace, "R")
    with pytest.raises(RagError, match="is not firing"):
        acknowledge(workspace, "More refusals", "why not")


def test_a_measure_of_another_program_breaks_no_answer(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        session.add(AlertRule(name="Strange", measure="sentiment", comparison="above", window=50, minimum=20))
    check_quickly(workspace)
    drive(check_alerts(workspace))
    assert rule(workspace, "Strange").condition == "above the control limit, last 50"
    assert [row.name for row in judged_now(workspace.database)] == [
        r.name for r in list_alerts(workspace.database)
    ]


def test_judging_without_writing_says_the_same(watched: Workspace) -> None:
    add_traces(watched, 50, now_ms() - DAY, flag_count=1)
    read = {row.name: row.state for row in judged_now(watched.database)}
    assert rule(watched, "More flagged answers").state == "not enough data"
    check_quickly(watched)
    assert {row.name: row.state for row in list_alerts(watched.database)} == read


def test_a_reference_period_is_chosen_and_taken_away(workspace: Workspace) -> None:
    add_traces(workspace, 30, now_ms() - 5 * DAY)
    assert set_reference(workspace, "", "6d", "1d") == 30
    assert set_reference(workspace, "", moment_ms("6d"), now_ms() + 9 * DAY) == 30
    period = find_reference(workspace.database, "anything")
    assert period is not None
    assert period.end_ms <= now_ms()  # what comes later is judged, not learnt from
    with pytest.raises(RagError, match="before it ends"):
        set_reference(workspace, "", "1d", "6d")
    with pytest.raises(RagError, match="is not a time"):
        set_reference(workspace, "", "last week")
    with pytest.raises(NotFoundError):
        set_reference(workspace, "none", "6d")
    assert moment_ms("2026-03-01", end_of_day=True) - moment_ms("2026-03-01") == DAY
    clear_reference(workspace, "")
    assert find_reference(workspace.database, "") is None
    with pytest.raises(NotFoundError):
        clear_reference(workspace, "")
