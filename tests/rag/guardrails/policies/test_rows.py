"""Rows of policies: references, words for what was done, and results by a filter."""

from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import pytest

from rag.errors import NotFoundError
from rag.governance.policies.registry import save_policy, set_policy_label
from rag.governance.policies.review import review_result
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import (
    Action,
    Place,
    PolicyImport,
    PolicyRow,
    Rate,
    Result,
    ResultFilter,
    StoredResult,
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


@pytest.mark.parametrize(
    ("action", "word", "past"),
    [
        (Action.NOTE, "noted", "noted"),
        (Action.WARN, "warned", "warned of"),
        (Action.MASK, "masked", "masked"),
        (Action.LEAVE_OUT, "passage left out", "left out for"),
        (Action.ASK, "asked first", "asked about"),
        (Action.REFUSE, "refused", "refused for"),
    ],
)
def test_every_action_has_words_for_what_it_did(action: Action, word: str, past: str) -> None:
    assert (guard_word(str(action)), action.past) == (word, past)


def test_actions_are_ordered_from_mild_to_strong() -> None:
    assert [action.strength for action in Action] == list(range(len(Action)))
    for weaker, stronger in pairwise(Action):
        assert strongest([replace(RESULT, action=stronger), replace(RESULT, action=weaker)]) == stronger


def test_a_word_for_an_action_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="shouted"):
        guard_word("shouted")


def test_like_results_are_counted_and_others_are_said_apart() -> None:
    other = replace(RESULT, kind="no citation")
    assert said_of([RESULT, RESULT, other]) == (
        "the policy “Outside” warned of too long (2 times) in the answer; "
        "the policy “Outside” warned of no citation in the answer"
    )
    assert said_of([RESULT, replace(RESULT, policy="Inside")]).count("; ") == 1


def test_passages_left_out_are_counted_over_all_documents_and_documents_each_named() -> None:
    passage = replace(RESULT, action=Action.LEAVE_OUT, place=Place.PASSAGES)
    assert said_of([replace(passage, document="a"), replace(passage, document="b")]) == (
        "the policy “Outside” left out 2 passages: too long"
    )
    masked = replace(RESULT, action=Action.MASK, place=Place.DOCUMENT)
    assert said_of([replace(masked, document="a"), replace(masked, document="b")]) == (
        "the policy “Outside” masked too long in the document a; "
        "the policy “Outside” masked too long in the document b"
    )
    assert said_of([replace(masked, action=Action.LEAVE_OUT, document="a")]).endswith(
        "left out the document: too long"
    )


@pytest.mark.parametrize(
    ("labels", "collections", "is_live", "state"),
    [
        ((), (), False, "not live: no version has the label production"),
        ((), ("A",), False, "not live: no version has the label production"),
        ((("staging", 1),), ("A",), False, "not live: no version has the label production"),
        ((("production", 1),), (), False, "live in pipelines that name it"),
        ((("production", 1),), ("A",), True, "live for A"),
        ((("canary", 2), ("production", 1)), ("", "A"), True, "live for all collections, A"),
    ],
)
def test_a_policy_is_live_where_it_has_a_version_for_it_and_is_bound(
    labels: tuple[tuple[str, int], ...], collections: tuple[str, ...], is_live: bool, state: str
) -> None:
    row = PolicyRow(1, "Outside", "", 0, 2, 2, labels, collections)
    assert (row.is_live, row.state) == (is_live, state)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((1, 1, 0), "Imported 1 version of 1 policy; 0 were already here."),
        ((2, 3, 1_000), "Imported 3 versions of 2 policies; 1,000 were already here."),
        ((0, 0, 0), "Imported 0 versions of 0 policies; 0 were already here."),
    ],
)
def test_what_was_imported_is_said(numbers: tuple[int, int, int], sentence: str) -> None:
    assert PolicyImport(*numbers, ("a problem",)).sentence() == sentence


@pytest.mark.parametrize(("is_right", "opinion"), [(None, ""), (True, "right"), (False, "wrong")])
def test_an_opinion_is_a_word(is_right: bool | None, opinion: str) -> None:
    assert StoredResult(**asdict(RESULT), is_right=is_right).opinion == opinion


def test_results_are_filtered_by_what_people_say(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        store_results(session, [RESULT] * 3)
    review_result(workspace.store, 1, True)
    review_result(workspace.store, 2, False)
    for opinion, number in (("right", 1), ("wrong", 2), ("none", 3)):
        (found,) = list_results(workspace.database, ResultFilter(opinion=opinion))
        assert (found.id, found.opinion or "none") == (number, opinion)


def test_results_come_newest_first_and_a_filter_takes_its_words_literally(workspace: Workspace) -> None:
    for kind in ("first", "second"):
        with workspace.store.session() as session:
            store_results(session, [replace(RESULT, kind=kind)])
    assert [one.kind for one in list_results(workspace.database, ResultFilter())] == ["second", "first"]
    for text in ("%", "' OR 1=1 --", "outside"):
        assert list_results(workspace.database, ResultFilter(policy=text)) == []


WHY_NOT = {
    "Nobody": "There is no policy named “Nobody”",
    "Nobody@1": "There is no policy named “Nobody”",
    "": "There is no policy named “”",
    "@1": "There is no policy named “”",
    "Outside@9": "The policy “Outside” has no version 9.",
    "Outside@production": "The policy “Outside” has no version production.",
    "Outside@3:0000": "has another version 3 than the one that is named here",
    "Outside@@3": "There is no policy named “Outside@”",
}


def test_why_a_reference_means_nothing_is_said(saved: Workspace) -> None:
    for reference, sentence in WHY_NOT.items():
        with pytest.raises(NotFoundError) as caught:
            find_policy_version(saved.database, reference)
        assert sentence in str(caught.value), reference
