"""Rows of policies: references, words for what was done, and results by a filter."""

from dataclasses import replace
from typing import Any

import pytest

from rag.errors import NotFoundError
from rag.governance.policies.registry import save_policy, set_policy_label
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import (
    Action,
    Place,
    Rate,
    Result,
    ResultFilter,
    find_policy_version,
    guard_word,
    list_policies,
    list_results,
    said_of,
    strongest,
)
from rag.workspace import Workspace

RESULT = Result("Outside", 2, "f", "r", "length", Place.ANSWER, Action.WARN, "too long", 3, 6, 1.0, "because")


@pytest.fixture
def saved(workspace: Workspace) -> Workspace:
    for most in (1, 2, 3):
        rule = {"check": "length", "where": "answer", "action": "warn", "most": most}
        save_policy(workspace.store, workspace.database, "Outside", [rule])
    return workspace


def test_a_reference_means_a_number_a_label_production_or_the_newest(saved: Workspace) -> None:
    database = saved.database
    assert find_policy_version(database, "Outside").number == 3
    set_policy_label(saved.store, "Outside", "production", 1)
    set_policy_label(saved.store, "Outside", "staging", 2)
    found = [find_policy_version(database, f"Outside{which}").number for which in ("", "@staging", "@3")]
    assert found == [1, 2, 3]
    right = find_policy_version(database, "Outside@3").fingerprint
    assert find_policy_version(database, f"Outside@3:{right}").labels == ()


@pytest.mark.parametrize("reference", ["Nobody", "Outside@9", "Outside@canary", "Outside@3:0000"])
def test_a_reference_to_nothing_is_refused(saved: Workspace, reference: str) -> None:
    with pytest.raises(NotFoundError):
        find_policy_version(saved.database, reference)


def test_a_policy_says_where_it_is_live(saved: Workspace) -> None:
    (row,) = list_policies(saved.database)
    assert (row.version_count, row.latest, row.is_live) == (3, 3, False)
    assert replace(row, labels=(("production", 1),), collections=("",)).state == "live for all collections"
    assert replace(row, labels=(("production", 1),)).state == "live in pipelines that name it"


def test_the_strongest_action_is_what_a_trace_is_known_by() -> None:
    masked = replace(RESULT, action=Action.MASK)
    assert strongest([RESULT, masked, RESULT]) == "mask"
    assert strongest([replace(RESULT, action=Action.REFUSE), masked]) == "refuse"
    assert (strongest([]), guard_word("")) == ("", "")
    assert [guard_word(action) for action in Action][-1] == "refused"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "the policy “Outside” warned of too long in the answer"),
        ({"place": Place.DOCUMENT, "document": "a.md"},
         "the policy “Outside” warned of too long in the document a.md"),
        ({"action": Action.LEAVE_OUT, "place": Place.PASSAGES, "document": "a.md"},
         "the policy “Outside” left out 1 passage: too long"),
        ({"action": Action.REFUSE}, "the policy “Outside” refused for too long in the answer"),
    ],
)  # fmt: skip
def test_what_was_done_is_said(values: dict[str, Any], sentence: str) -> None:
    assert said_of([replace(RESULT, **values)]) == sentence


def test_a_rate_is_said_with_its_interval() -> None:
    rate = Rate("r", "length", "chunks", 200, 3, 5.1, 43.2)
    assert rate.said == "15.0 per 1,000 (5.1 to 43.2)"
    assert replace(rate, total=0).said == "no texts"


def test_results_are_filtered_by_what_is_asked_for(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [RESULT, replace(RESULT, policy="Inside", action=Action.MASK)], trace_id="t")
        store_results(session, [replace(RESULT, check_name="citation")], collection="A")

    def count(**wanted: str) -> int:
        return len(list_results(workspace.database, ResultFilter(**wanted)))

    assert [count(), count(policy="Inside"), count(trace_id="t"), count(collection="A")] == [3, 1, 2, 1]
    assert [count(action="mask"), count(check_name="citation"), count(opinion="none")] == [1, 1, 3]
    assert len(list_results(workspace.database, ResultFilter(), 2)) == 2
