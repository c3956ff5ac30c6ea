"""Windows of questions are compared with the reference period, by scope."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored_traces import DAY, add_traces, ask

from rag.asking.rows import TraceRow
from rag.monitoring.alerts import (
    set_reference,
)
from rag.monitoring.control_limits import (
    wilson_interval,
)
from rag.monitoring.measuring import (
    NO_REFERENCE,
    RuleJudgement,
    after,
    figure,
    judge,
    limits_for,
    period_scope,
    remembering,
    summaries,
)
from rag.monitoring.rows import (
    COUNTED,
    MEASURES,
    AlertRow,
    AlertState,
    Comparison,
    Condition,
    MeasureSummary,
    ReferenceRow,
    Scope,
    find_reference,
    list_asked_prompts,
)
from rag.storage.store import now_ms
from rag.storage.tables.monitoring import ReferencePeriod
from rag.workspace import Workspace


def measured(workspace: Workspace, key: str, scope: Scope = Scope(), window: int = 50) -> MeasureSummary:
    return next(s for s in summaries(workspace.database, scope, window) if s.key == key)


def test_a_window_is_held_against_the_reference_period_alone(watched: Workspace) -> None:
    add_traces(watched, 50, now_ms() - DAY, flag_count=lambda n: int(n < 20), total_ms=3000.0)
    flags = measured(watched, "flag_rate")
    assert (flags.value, flags.count, flags.reference, flags.reference_count) == (0.4, 50, 0.1, 200)
    assert flags.outside
    assert flags.sentence.startswith("above the limit of")
    assert flags.interval == pytest.approx(wilson_interval(20, 50))
    assert measured(watched, "latency").outside
    calm = measured(watched, "refusal_rate")
    assert (calm.value, calm.outside, calm.sentence) == (0.0, False, "within the limits")
    assert measured(watched, "first_token").count == 0


def test_the_chart_ends_with_the_figure_of_the_table_and_does_not_judge_the_reference(
    watched: Workspace,
) -> None:
    add_traces(watched, 70, now_ms() - DAY, flag_count=lambda n: int(n >= 40))
    flags = measured(watched, "flag_rate")
    assert [point.count for point in flags.points] == [50, 50, 50, 50, 20, 50]
    assert (flags.points[-1].value, flags.points[-1].outside) == (flags.value, True)
    assert not any(point.outside for point in flags.points[:-1])
    reference = find_reference(watched.database, "")
    assert reference is not None
    spans = [(p.start_ms < reference.end_ms, p.end_ms < reference.end_ms) for p in flags.points]
    assert all(began == ended for began, ended in spans)


def test_a_scope_of_collection_model_and_prompt_is_kept(watched: Workspace) -> None:
    add_traces(watched, 30, now_ms() - DAY, model="other", prompt_name="short", prompt_fingerprint="f00d" * 4,
             prompt_version=2, flag_count=1)  # fmt: skip
    add_traces(watched, 30, now_ms() - DAY, collection="B")
    assert measured(watched, "flag_rate", Scope("A", "other")).value == 1.0
    assert measured(watched, "flag_rate", Scope(prompt="f00d" * 4)).count == 30
    assert measured(watched, "flag_rate", Scope("B")).value == 0.0
    assert list_asked_prompts(watched.database) == [("f00d" * 4, "short@2")]


def test_test_traffic_is_not_measured(watched: Workspace) -> None:
    add_traces(watched, 50, now_ms() - DAY, source="evaluation", flag_count=1)
    assert measured(watched, "flag_rate").count == 0


def test_few_asks_are_said_to_be_few(workspace: Workspace) -> None:
    assert measured(workspace, "latency").sentence == "not enough questions (0 of 20)"
    add_traces(workspace, 30, now_ms() - DAY)
    assert measured(workspace, "latency").sentence == "no reference period is chosen"
    set_reference(workspace, "", "5d", "3d")
    assert measured(workspace, "latency").sentence == "not enough questions in the reference period (0 of 20)"


# --- judging a rule -------------------------------------------------------------------------------------------


def rule(**values: Any) -> AlertRow:
    made = {
        "id": 1, "name": "n", "measure": "flag_rate", "collection": "", "model": "", "prompt": "",
        "comparison": Comparison.ABOVE, "threshold": 0.05, "window": 50, "minimum": 20, "enabled": True, "note": "",
        "state": AlertState.OK, "since_ms": 0, "checked_ms": 0, "value": None, "count": 0, "limit": None,
        "sentence": "", "acknowledged": "", **values,
    }  # fmt: skip
    return AlertRow(**made)


def judged(workspace: Workspace, asks: list[TraceRow], **values: Any) -> RuleJudgement:
    return judge(workspace.database, rule(**values), lambda _scope, limit: asks[:limit])


@pytest.mark.parametrize(
    ("flagged", "of", "values", "condition", "sentence"),
    [
        (1, 20, {}, Condition.OK, "5 %, not above 5 %, 20 questions"),
        (2, 20, {}, Condition.BEYOND, "10 %, above 5 %, 20 questions"),
        (2, 60, {}, Condition.OK, "4 %, not above 5 %, 50 questions"),  # of the newest 50
        (0, 20, {"threshold": 0.0}, Condition.OK, "0 %, not above 0 %, 20 questions"),
        (1, 20, {"threshold": 0.0}, Condition.BEYOND, "5 %, above 0 %, 20 questions"),
        (19, 19, {}, Condition.NOT_ENOUGH_DATA, "not enough questions (19 of 20)"),
        (0, 0, {}, Condition.NOT_ENOUGH_DATA, "not enough questions (0 of 20)"),
        (1, 1, {"minimum": 1}, Condition.BEYOND, "100 %, above 5 %, 1 question"),
        (1, 20, {"comparison": Comparison.BELOW, "threshold": 0.1}, Condition.BEYOND, "5 %, below 10 %, 20 questions"),
        (2, 20, {"comparison": Comparison.BELOW, "threshold": 0.1}, Condition.OK, "10 %, not below 10 %, 20 questions"),
    ],
)  # fmt: skip
def test_a_window_is_held_against_a_threshold(
    workspace: Workspace, flagged: int, of: int, values: dict[str, Any], condition: Condition, sentence: str
) -> None:
    asks = [ask(claim_count=1, flag_count=int(number < flagged)) for number in range(of)]
    found = judged(workspace, asks, **values)
    assert (found.condition, found.sentence) == (condition, sentence)


def test_questions_without_the_measure_are_in_the_window_and_not_counted(workspace: Workspace) -> None:
    asks = [ask(claim_count=number % 2, flag_count=1) for number in range(50)]
    found = judged(workspace, asks)
    assert (found.count, found.value, found.limit) == (25, 1.0, 0.05)
    assert judged(workspace, asks, minimum=26).condition is Condition.NOT_ENOUGH_DATA


def test_a_rule_reads_the_newest_of_its_own_scope(workspace: Workspace) -> None:
    read: list[tuple[Scope, int]] = []

    def asks(scope: Scope, limit: int) -> list[TraceRow]:
        read.append((scope, limit))
        return []

    judge(workspace.database, rule(collection="A", model="m", prompt="f", window=7), asks)
    assert read == [(Scope("A", "m", "f"), 7)]


def test_without_a_reference_period_no_control_limit_is_made_up(workspace: Workspace) -> None:
    asks = [ask(claim_count=1)] * 50
    found = judged(workspace, asks, threshold=None)
    assert found == RuleJudgement(Condition.NOT_ENOUGH_DATA, None, 0, None, NO_REFERENCE)
    with workspace.store.session() as session:
        session.add(ReferencePeriod(collection="A", start_ms=0, end_ms=1))
    said = judged(workspace, asks, threshold=None).sentence  # the one of A is not for all
    assert said == "no reference period is chosen for all collections"


@pytest.mark.parametrize(
    ("past", "new", "condition", "sentence"),
    [
        (19, 50, Condition.NOT_ENOUGH_DATA, "not enough questions in the reference period (19 of 20)"),
        (200, 19, Condition.NOT_ENOUGH_DATA, "not enough questions since the reference period (19 of 20)"),
        (200, 50, Condition.BEYOND, "100 %, above "),
    ],
)
def test_a_control_limit_needs_enough_questions_on_both_sides(
    workspace: Workspace, past: int, new: int, condition: Condition, sentence: str
) -> None:
    set_reference(workspace, "", "5d", "3d")
    reference = find_reference(workspace.database, "")
    assert reference is not None

    def asks(scope: Scope, _limit: int) -> list[TraceRow]:
        if scope.until_ms is not None:
            return [ask(claim_count=1)] * past
        assert scope.since_ms == reference.end_ms  # the window shares nothing with the reference
        return [ask(claim_count=1, flag_count=1)] * new

    found = judge(workspace.database, rule(threshold=None), asks)
    assert found.condition is condition and found.sentence.startswith(sentence)


def test_the_same_questions_are_read_once_for_all_rules(workspace: Workspace) -> None:
    asks = remembering(workspace.database)
    add_traces(workspace, 3, 1000)
    first = asks(Scope("A"), 10)
    add_traces(workspace, 1, 2000)
    assert asks(Scope("A"), 10) is first and len(first) == 3
    assert len(asks(Scope("A"), 11)) == 4  # another limit is another reading
    assert len(asks(Scope(), 10)) == 4
    assert len(remembering(workspace.database)(Scope("A"), 10)) == 4


def test_every_counted_measure_has_a_summary_in_its_order(workspace: Workspace) -> None:
    found = summaries(workspace.database, Scope(), 50)
    assert [summary.key for summary in found] == [measure.key for measure in COUNTED]
    assert {(s.value, s.count, s.points, s.interval, s.outside) for s in found} == {
        (None, 0, (), None, False)
    }


# --- figures and scopes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("flag_rate", [1.0, 0.0, 0.0, 1.0], 0.5),
        ("flag_rate", [0.0], 0.0),
        ("latency", [3.0, 1.0, 2.0], 2.0),
        ("latency", [4.0, 1.0, 3.0, 2.0], 2.0),  # the lower of two: one that occurred
        ("latency", [5.0], 5.0),
    ],
)
def test_a_figure_is_a_rate_or_a_median(key: str, values: list[float], expected: float) -> None:
    assert figure(MEASURES[key], values) == expected


@pytest.mark.parametrize("key", ["flag_rate", "latency"])
def test_no_values_have_no_figure(key: str) -> None:
    with pytest.raises(ValueError, match="no values"):
        figure(MEASURES[key], [])


@given(st.lists(st.floats(0, 1e6), min_size=20, max_size=60), st.integers(1, 60))
def test_limits_of_a_value_are_values_of_the_reference_in_order(reference: list[float], window: int) -> None:
    limits = limits_for(MEASURES["latency"], reference, window)
    assert limits.centre in reference
    ends = [end for end in (limits.low, limits.high) if end is not None]
    assert all(end in reference for end in ends) and ends == sorted(ends)


@given(st.integers(0, 100), st.integers(1, 60))
def test_limits_of_a_rate_are_shares_around_no_more_than_all(flagged: int, window: int) -> None:
    limits = limits_for(MEASURES["flag_rate"], [1.0] * flagged + [0.0] * (100 - flagged), window)
    low, high = limits.low or 0.0, 1.0 if limits.high is None else limits.high
    assert 0.0 <= low <= high <= 1.0
    assert limits.centre == flagged / 100


@pytest.mark.parametrize("key", ["flag_rate", "latency"])
@pytest.mark.parametrize("count", [0, 1, 19])
def test_a_short_reference_gives_no_limits(key: str, count: int) -> None:
    limits = limits_for(MEASURES[key], [1.0] * count, 50)
    assert (limits.low, limits.high) == (None, None)


TIMES = st.integers(0, 1000)
REFERENCES = st.builds(
    lambda start, length: ReferenceRow("", start, start + length, ""), TIMES, st.integers(1, 1000)
)


@given(st.builds(Scope, st.sampled_from(["", "A"]), since_ms=st.none() | TIMES), REFERENCES)
def test_a_window_and_its_reference_period_share_no_moment(scope: Scope, reference: ReferenceRow) -> None:
    window, period = after(scope, reference), period_scope(scope.collection, reference)
    assert window.since_ms is not None and period.until_ms is not None
    assert window.since_ms >= period.until_ms
    assert window.since_ms >= (scope.since_ms or 0)
    assert window.collection == period.collection == scope.collection
    assert after(window, reference) == window


def test_a_reference_period_is_of_all_models_and_prompts() -> None:
    reference = ReferenceRow("", 5, 9, "")
    assert period_scope("A", reference) == Scope("A", since_ms=5, until_ms=9)
    assert after(Scope("A", "m", "f", until_ms=20), reference) == Scope("A", "m", "f", 9, 20)
