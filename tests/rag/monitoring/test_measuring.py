"""Windows of questions are compared with the reference period, by scope."""

import pytest
from stored_traces import DAY, add_traces

from rag.monitoring.alerts import (
    set_reference,
)
from rag.monitoring.control_limits import (
    wilson_interval,
)
from rag.monitoring.measuring import summaries
from rag.monitoring.rows import (
    MeasureSummary,
    Scope,
    find_reference,
    list_asked_prompts,
)
from rag.storage.store import now_ms
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
