"""Policies are versioned like prompts: versions never change, labels move and are logged, bindings are on or off."""

from typing import Any

import pytest
from fakes import drive

from rag.errors import NotFoundError, RagError
from rag.governance.policies.registry import (
    bind_policy,
    delete_policy,
    diff_policies,
    roll_back_policy,
    save_policy,
    save_policy_text,
    set_policy_label,
)
from rag.guardrails.policies.rows import list_policies, list_policy_moves, list_policy_versions
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


def rule(most: int, **more: Any) -> dict[str, Any]:
    return {"check": "length", "where": "answer", "action": "warn", "most": most, **more}


def save(workspace: Workspace, *rules: dict[str, Any], name: str = "Outside", **more: str) -> int:
    return save_policy(workspace.store, workspace.database, name, rules, **more).number


def test_the_same_rules_make_no_version(workspace: Workspace) -> None:
    assert [save(workspace, rule(1)), save(workspace, rule(1)), save(workspace, rule(2))] == [1, 1, 2]
    assert save(workspace, rule(1)) == 3  # again is a version: it is what acts from then on
    rows = list_policy_versions(workspace.database, "Outside")
    assert [row.number for row in rows] == [3, 2, 1]
    assert rows[0].fingerprint == rows[2].fingerprint != rows[1].fingerprint


def test_rules_that_are_wrong_make_neither_version_nor_policy(workspace: Workspace) -> None:
    with pytest.raises(RagError, match="needs most"):
        save(workspace, {"check": "length", "where": "answer", "action": "warn"})
    assert list_policies(workspace.database) == []


@pytest.mark.parametrize("name", ["", " x", "a@b", "x" * 81])
def test_a_name_that_cannot_be_a_file_or_reference_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(RagError, match="cannot be the name of a policy"):
        save(workspace, rule(1), name=name)


def test_names_differ_by_more_than_case(workspace: Workspace) -> None:
    save(workspace, rule(1))
    with pytest.raises(RagError, match="already is a policy “Outside”"):
        save(workspace, rule(1), name="outside")


def test_yaml_is_saved_as_rules(workspace: Workspace) -> None:
    text = "rules:\n- {check: length, where: answer, action: warn, most: 1}\n"
    row = save_policy_text(workspace.store, workspace.database, "Outside", text, message="From a file")
    assert (row.message, row.rules[0]["most"], row.rules[0]["where"]) == ("From a file", 1, ["answer"])


def test_each_move_of_a_label_is_logged_and_can_be_undone(workspace: Workspace) -> None:
    save(workspace, rule(1))
    save(workspace, rule(2))
    store = workspace.store
    for number in (1, 2, 2):
        set_policy_label(store, "Outside", "production", number, note="because")
    assert roll_back_policy(store, "Outside").to_number == 1
    moves = [
        (label, before, after)
        for label, before, after, *_ in list_policy_moves(workspace.database, "Outside")
    ]
    assert moves == [("production", 2, 1), ("production", 1, 2), ("production", None, 1)]
    set_policy_label(store, "Outside", "production", None)
    assert list_policies(workspace.database)[0].labels == ()


@pytest.mark.parametrize(
    ("label", "number", "sentence"),
    [("Two Words", 1, "lowercase"), ("production", 7, "no version 7"), ("staging", None, "has the label")],
)
def test_a_label_that_cannot_be_moved_is_refused(
    workspace: Workspace, label: str, number: int | None, sentence: str
) -> None:
    save(workspace, rule(1))
    with pytest.raises(RagError, match=sentence):
        set_policy_label(workspace.store, "Outside", label, number)
    with pytest.raises(RagError, match="never moved"):
        roll_back_policy(workspace.store, "Outside")


def test_bindings_are_made_once_and_named(workspace: Workspace, documents: Any) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    save(workspace, rule(1))
    set_policy_label(workspace.store, "Outside", "production", 1)
    for collection in ("A", "A", ""):
        bind_policy(workspace.store, "Outside", collection)
    (row,) = list_policies(workspace.database)
    assert (row.collections, row.is_live, row.state) == (("", "A"), True, "live for all collections, A")
    bind_policy(workspace.store, "Outside", "", is_bound=False)
    assert list_policies(workspace.database)[0].collections == ("A",)
    with pytest.raises(NotFoundError):
        bind_policy(workspace.store, "Outside", "Nothing")


def test_a_difference_names_the_rule_and_the_key(workspace: Workspace) -> None:
    save(workspace, rule(1, name="short"))
    save(workspace, rule(2, name="short", refusal="x"), rule(9))
    found = diff_policies(workspace.database, "Outside", 1, 2)
    changes = {key: (old, new) for key, old, new in found.changes}
    assert changes["short, most"] == ("1", "2")
    assert changes["rule 2, most"] == ("", "9")
    with pytest.raises(NotFoundError, match="no version 5"):
        diff_policies(workspace.database, "Outside", 1, 5)


def test_a_deleted_policy_leaves_nothing_but_what_it_found(workspace: Workspace) -> None:
    save(workspace, rule(1))
    set_policy_label(workspace.store, "Outside", "production", 1)
    bind_policy(workspace.store, "Outside")
    assert delete_policy(workspace.store, "Outside") == 1
    for table in ("guardpolicy", "guardpolicyversion", "guardpolicylabel", "guardpolicylabelmove",
                  "guardpolicybinding"):  # fmt: skip
        assert workspace.database.cells(f"SELECT count(*) FROM {table}") == [(0,)]
    with pytest.raises(NotFoundError, match="no policy named"):
        delete_policy(workspace.store, "Outside")


def test_every_change_is_in_the_log_of_the_data_folder(workspace: Workspace) -> None:
    save(workspace, rule(1))
    set_policy_label(workspace.store, "Outside", "production", 1)
    bind_policy(workspace.store, "Outside")
    delete_policy(workspace.store, "Outside")
    actions = [action for (action,) in workspace.database.cells("SELECT action FROM auditevent ORDER BY id")]
    assert actions[-4:] == ["policy version made", "policy label moved", "policy bound", "policy deleted"]


def test_a_description_stays_until_another_is_given(workspace: Workspace) -> None:
    for number, description in enumerate(("For guests", None, ""), 1):
        save_policy(workspace.store, workspace.database, "Outside", [rule(number)], description=description)
        assert list_policies(workspace.database)[0].description == ("For guests" if number < 3 else "")


def test_a_version_has_its_message_and_author(workspace: Workspace) -> None:
    save(workspace, rule(1), message="  First  ", author="ann")
    save(workspace, rule(2), message=" \n ")
    newest, oldest = list_policy_versions(workspace.database, "Outside")
    assert (oldest.message, oldest.author) == ("First", "ann")
    assert newest.message == "No message" and newest.author, "whoever is logged in"


def test_rules_without_their_own_names_go_by_their_number_in_a_difference(workspace: Workspace) -> None:
    first = rule(1, exceptions=[{"text": "Ä", "reason": "r"}])
    save(workspace, first)
    save(workspace, {**first, "where": ["answer", "question"]})
    save(workspace, rule(9, name="other"))
    between = diff_policies(workspace.database, "Outside", 1, 2)
    assert between.changes == (("rule 1, where", '["answer"]', '["answer", "question"]'),)
    back = diff_policies(workspace.database, "Outside", 2, 1)
    assert back.changes == (("rule 1, where", '["answer", "question"]', '["answer"]'),)
    assert diff_policies(workspace.database, "Outside", 2, 2).changes == ()
    renamed = {
        key: (old, new) for key, old, new in diff_policies(workspace.database, "Outside", 1, 3).changes
    }
    assert renamed["rule 1, exceptions"] == ('[{"reason": "r", "text": "Ä"}]', "")
    assert renamed["other, most"] == ("", "9")
    with pytest.raises(NotFoundError, match="no policy named “Nobody”"):
        diff_policies(workspace.database, "Nobody", 1, 2)


def test_a_move_has_its_note_and_author_and_one_to_the_same_version_is_none(workspace: Workspace) -> None:
    save(workspace, rule(1))
    store = workspace.store
    move = set_policy_label(store, "Outside", "staging", 1, note="to try", author="ann")
    assert (move.label, move.from_number, move.to_number, move.author) == ("staging", None, 1, "ann")
    set_policy_label(store, "Outside", "staging", 1, note="again")
    ((label, before, after, _, author, note),) = list_policy_moves(workspace.database, "Outside")
    assert (label, before, after, author, note) == ("staging", None, 1, "ann", "to try")


def test_two_labels_move_apart_and_a_removed_one_comes_back(workspace: Workspace) -> None:
    for most in (1, 2):
        save(workspace, rule(most))
    store = workspace.store
    set_policy_label(store, "Outside", "staging", 2)
    set_policy_label(store, "Outside", "production", 1)
    set_policy_label(store, "Outside", "staging", None)
    assert list_policies(workspace.database)[0].labels == (("production", 1),)
    roll_back_policy(store, "Outside", "staging", note="too early")
    assert list_policies(workspace.database)[0].labels == (("production", 1), ("staging", 2))
    assert list_policy_moves(workspace.database, "Outside")[0][-1] == "too early"


def test_rolling_back_twice_is_where_it_was(workspace: Workspace) -> None:
    for most in (1, 2):
        save(workspace, rule(most))
        set_policy_label(workspace.store, "Outside", "production", most)
    assert [roll_back_policy(workspace.store, "Outside").to_number for _ in range(3)] == [1, 2, 1]
    assert list_policy_moves(workspace.database, "Outside")[0][-1] == "Rolled back"


def test_what_is_not_there_is_said_to_be_missing(workspace: Workspace) -> None:
    store = workspace.store
    for act in (
        lambda: set_policy_label(store, "Nobody", "production", 1),
        lambda: roll_back_policy(store, "Nobody"),
        lambda: bind_policy(store, "Nobody"),
        lambda: delete_policy(store, "Nobody"),
        lambda: list_policy_versions(workspace.database, "Nobody"),
        lambda: list_policy_moves(workspace.database, "Nobody"),
    ):
        with pytest.raises(
            NotFoundError, match=r"There is no policy named “Nobody”\. Run `ragdeck policies`"
        ):
            act()


def test_taking_away_a_binding_that_there_is_not_is_neither_an_error_nor_logged(workspace: Workspace) -> None:
    save(workspace, rule(1))
    for is_bound in (False, True, True, False, False):
        bind_policy(workspace.store, "Outside", is_bound=is_bound)
    events = workspace.database.cells("SELECT action FROM auditevent WHERE action LIKE 'policy %bound'")
    assert [action for (action,) in events] == ["policy bound", "policy unbound"]


def test_yaml_that_is_wrong_saves_nothing(workspace: Workspace) -> None:
    for text, sentence in (("rules: [", "not YAML"), ("rules: []", "has no rules"), ("a: 1", "needs a list")):
        with pytest.raises(RagError, match=sentence):
            save_policy_text(workspace.store, workspace.database, "Outside", text)
    assert list_policies(workspace.database) == []


def test_policies_are_listed_by_name(workspace: Workspace) -> None:
    for name in ("Zoo", "Alps 2", "Middle.1"):
        save(workspace, rule(1), name=name)
    assert [row.name for row in list_policies(workspace.database)] == ["Alps 2", "Middle.1", "Zoo"]


def test_a_policy_made_again_begins_with_version_one(workspace: Workspace) -> None:
    for most in (1, 2):
        save(workspace, rule(most))
    assert delete_policy(workspace.store, "Outside") == 2
    assert save(workspace, rule(3)) == 1
    assert list_policy_moves(workspace.database, "Outside") == []
