"""Rules are tried on a text before they are saved, and nothing is stored."""

from typing import Any, cast

import pytest

from rag.errors import RagError
from rag.governance.policies.registry import save_policy
from rag.governance.policies.trying import try_policy, try_rules
from rag.guardrails.policies.rows import Place, ResultFilter, Tried, list_policies, list_results
from rag.workspace import Workspace

MAIL = {"check": "personal data", "where": ["question", "document"], "action": "mask"}
TEXT = "Write to bo@example.org"
NOWHERE = cast(Workspace, None)  # a rule that needs no embedder needs no data folder


def trial_of(rule: dict[str, Any], text: str, place: str) -> Tried:
    return try_rules(NOWHERE, "New", [rule], text, place)


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


@pytest.mark.parametrize(
    ("rule", "text", "place", "left", "sentence"),
    [
        ({**MAIL, "where": "answer"}, TEXT, "answer", "Write to E-mail 1", "masked e-mail address in the answer"),
        ({**MAIL, "where": "answer"}, TEXT, "question", TEXT, "Nothing was found."),
        ({**MAIL, "where": "MCP", "action": "warn"}, TEXT, "MCP", TEXT, "warned of e-mail address in the MCP"),
        ({**MAIL, "where": "prompt", "only_leaving": True}, TEXT, "prompt", "Write to E-mail 1",
         "masked e-mail address in the prompt"),
        ({"check": "length", "where": "answer", "action": "note", "most": 5}, TEXT, "answer", TEXT, "noted too long"),
        (MAIL, "", "question", "", "Nothing was found."),
    ],
)  # fmt: skip
def test_a_trial_says_what_would_happen_at_a_place(
    rule: dict[str, Any], text: str, place: str, left: str, sentence: str
) -> None:
    tried = trial_of(rule, text, place)
    assert tried.text == left and sentence in tried.sentence and tried.stopped == ""
    assert tried.milliseconds >= 0


def test_rules_that_are_wrong_and_places_that_there_are_not_are_refused() -> None:
    with pytest.raises(RagError, match="has no rules"):
        try_rules(NOWHERE, "New", [], TEXT)
    with pytest.raises(ValueError, match="moon"):
        trial_of(MAIL, TEXT, "moon")


def test_topics_are_tried_with_the_embedder_of_the_collection_or_the_starter(workspace: Workspace) -> None:
    rule = {"check": "topics", "where": "question", "action": "refuse", "threshold": 0.6,
            "blocked": {"medicine": ["Which dose of aspirin?"]}}  # fmt: skip
    assert "found medicine" in try_rules(workspace, "New", [rule], "Which dose of aspirin?").stopped
    assert not try_rules(workspace, "New", [rule], "How do I bake bread?").stopped
    with pytest.raises(RagError, match="no collection"):
        try_rules(workspace, "New", [rule], "Which dose?", collection="Nothing")
