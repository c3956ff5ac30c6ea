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
