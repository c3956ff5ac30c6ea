"""Rules are tried on a text before they are saved, and nothing is stored."""

import pytest

from rag.errors import RagError
from rag.governance.policies.registry import save_policy
from rag.governance.policies.trying import try_policy, try_rules
from rag.guardrails.policies.rows import Place, ResultFilter, list_policies, list_results
from rag.workspace import Workspace

MAIL = {"check": "personal data", "where": ["question", "document"], "action": "mask"}
TEXT = "Write to bo@example.org"


def test_rules_that_are_not_saved_are_tried(workspace: Workspace) -> None:
    found = try_rules(workspace, "New", [MAIL], TEXT)
    assert (found.text, found.stopped) == ("Write to E-mail 1", "")
    assert found.sentence == "the policy “New” masked e-mail address in the question"
    assert list_policies(workspace.database) == []
    assert list_results(workspace.database, ResultFilter()) == []


@pytest.mark.parametrize(
    ("action", "said"),
    [("refuse", "This was not answered"), ("ask", "asks before it is used")],
)
def test_what_stops_a_question_is_said(workspace: Workspace, action: str, said: str) -> None:
    rule = {**MAIL, "where": "question", "action": action}
    assert said in try_rules(workspace, "New", [rule], TEXT).stopped


def test_what_leaves_a_document_out_is_said(workspace: Workspace) -> None:
    rule = {**MAIL, "where": "document", "action": "leave out"}
    found = try_rules(workspace, "New", [rule], TEXT, Place.DOCUMENT)
    assert found.stopped.startswith("Left out: the policy “New” found e-mail address")


def test_a_saved_version_is_tried_by_its_reference(workspace: Workspace) -> None:
    save_policy(workspace.store, workspace.database, "Outside", [MAIL])
    assert try_policy(workspace, "Outside@1", TEXT).text == "Write to E-mail 1"
    assert try_policy(workspace, "Outside", TEXT, Place.ANSWER).sentence == "Nothing was found."
    with pytest.raises(RagError, match="no version 2"):
        try_policy(workspace, "Outside@2", TEXT)
