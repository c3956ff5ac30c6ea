"""Nothing that a policy on prompts hides leaves for an endpoint, whatever sends it."""

from typing import Any

import pytest

from rag.governance.policies.registry import bind_policy, save_policy, set_policy_label
from rag.guardrails.policies.acting import PolicyRefusedError
from rag.guardrails.policies.outgoing import guard_outgoing
from rag.guardrails.policies.rows import ResultFilter, list_results
from rag.models.endpoints.rows import Endpoint
from rag.workspace import Workspace

TEXT = "Judge the answer that anna.berg@example.org gave."
MASK = {"check": "personal data", "where": "prompt", "action": "mask"}
AWAY, HERE = (Endpoint("far", f"http://{host}:1/v1", "tiny") for host in ("192.0.2.1", "127.0.0.1"))


def policy(workspace: Workspace, rule: dict[str, Any]) -> None:
    save_policy(workspace.store, workspace.database, "Outside", [rule])
    set_policy_label(workspace.store, "Outside", "production", 1)
    bind_policy(workspace.store, "Outside")


def test_the_border_masks_what_leaves_and_records_it(workspace: Workspace) -> None:
    policy(workspace, {**MASK, "only_leaving": True})
    border = workspace.endpoints.border
    assert border.outgoing("A", AWAY)(TEXT) == "Judge the answer that E-mail 1 gave."
    assert border.outgoing("A", HERE)(TEXT) == TEXT
    found = list_results(workspace.database, ResultFilter())
    assert [(r.kind, r.collection, r.trace_id) for r in found] == [("e-mail address", "A", "")]


def test_a_refusal_sends_nothing(workspace: Workspace) -> None:
    policy(workspace, {**MASK, "action": "refuse", "refusal": "Not outside."})
    with pytest.raises(PolicyRefusedError, match=r"Not outside\."):
        guard_outgoing(workspace.store, workspace.database, None, TEXT, True)


@pytest.mark.parametrize("action", ["note", "ask"])
def test_a_rule_that_hides_nothing_does_nothing_here(workspace: Workspace, action: str) -> None:
    policy(workspace, {**MASK, "action": action})
    assert guard_outgoing(workspace.store, workspace.database, "A", TEXT, True) == TEXT
    assert list_results(workspace.database, ResultFilter()) == []


def test_where_no_policy_looks_at_prompts_a_text_is_sent_as_it_is(workspace: Workspace) -> None:
    assert guard_outgoing(workspace.store, workspace.database, "A", TEXT, True) == TEXT
    policy(workspace, {**MASK, "where": "answer"})
    assert guard_outgoing(workspace.store, workspace.database, "A", TEXT, True) == TEXT
    assert list_results(workspace.database, ResultFilter()) == []


def test_what_was_masked_before_is_not_found_again(workspace: Workspace) -> None:
    policy(workspace, MASK)
    once = guard_outgoing(workspace.store, workspace.database, "A", TEXT, True)
    assert guard_outgoing(workspace.store, workspace.database, "A", once, True) == once
    assert len(list_results(workspace.database, ResultFilter())) == 1


def test_a_refusal_is_recorded_too(workspace: Workspace) -> None:
    policy(workspace, {**MASK, "action": "refuse"})
    with pytest.raises(PolicyRefusedError, match="found e-mail address in the prompt") as caught:
        guard_outgoing(workspace.store, workspace.database, "A", TEXT, False)
    assert not caught.value.needs_yes, "nobody is here to say yes"
    assert [(r.action, r.collection) for r in list_results(workspace.database, ResultFilter())] == [
        ("refuse", "A")
    ]
