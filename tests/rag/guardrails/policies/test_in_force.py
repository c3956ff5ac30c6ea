"""What acts on a collection: the production version of what is bound to it, and what a pipeline names."""

from collections.abc import Callable

import pytest
from fakes import drive

from rag.errors import NotFoundError
from rag.governance.policies.registry import bind_policy, delete_policy, save_policy, set_policy_label
from rag.guardrails.policies.in_force import pinned, policies_for
from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

Save = Callable[[str, int], None]


@pytest.fixture
def save(workspace: Workspace) -> Save:
    def saved(name: str, most: int) -> None:
        rule = {"check": "length", "where": "answer", "action": "warn", "most": most}
        save_policy(workspace.store, workspace.database, name, [rule])

    return saved


def acting(workspace: Workspace, collection: str = "A", *references: str) -> list[tuple[str, int]]:
    return [(p.name, p.number) for p in policies_for(workspace.database, collection, references)]


def test_only_a_bound_policy_with_a_production_version_acts(workspace: Workspace, save: Save) -> None:
    save("Outside", 1)
    bind_policy(workspace.store, "Outside")
    assert acting(workspace) == []
    set_policy_label(workspace.store, "Outside", "production", 1)
    assert acting(workspace) == acting(workspace, "") == [("Outside", 1)]
    save("Outside", 2)
    assert acting(workspace) == [("Outside", 1)]
    bind_policy(workspace.store, "Outside", is_bound=False)
    assert acting(workspace) == []


def test_a_collection_takes_its_binding_along_when_it_is_deleted(
    workspace: Workspace, documents: object, save: Save
) -> None:
    drive(ingest_files(workspace, "A", [documents]))  # type: ignore[list-item]
    save("Outside", 1)
    set_policy_label(workspace.store, "Outside", "production", 1)
    bind_policy(workspace.store, "Outside", "A")
    assert (acting(workspace), acting(workspace, "B")) == ([("Outside", 1)], [])
    delete_collection(workspace, "A")
    assert workspace.database.cells("SELECT count(*) FROM guardpolicybinding") == [(0,)]


def test_a_pipeline_names_versions_and_each_policy_acts_once(workspace: Workspace, save: Save) -> None:
    save("Outside", 1)
    save("Outside", 2)
    set_policy_label(workspace.store, "Outside", "production", 1)
    bind_policy(workspace.store, "Outside")
    assert acting(workspace, "A", "Outside@2") == [("Outside", 2)]
    assert (
        acting(workspace, "A", "Outside") == acting(workspace, "A", "Outside@production") == [("Outside", 1)]
    )


def test_a_pinned_reference_is_not_taken_for_a_policy_made_again(workspace: Workspace, save: Save) -> None:
    save("Outside", 1)
    (reference,) = pinned(workspace.database, ["Outside"])
    assert acting(workspace, "A", reference) == [("Outside", 1)]
    delete_policy(workspace.store, "Outside")
    save("Outside", 7)
    with pytest.raises(NotFoundError, match="another version 1"):
        acting(workspace, "A", reference)
    with pytest.raises(NotFoundError, match="no policy named “Nobody”"):
        pinned(workspace.database, ["Nobody"])
