"""Rows of prompts: versions with the labels that point to them, moves of labels, required gates."""

import pytest

from rag.errors import NotFoundError
from rag.prompts.registry import move_label, remove_label, save_prompt
from rag.prompts.rows import (
    PromptImport,
    RequiredGate,
    find_required_gate,
    list_label_moves,
    list_prompt_versions,
    list_prompts,
)
from rag.storage.database import Database
from rag.storage.store import Store
from rag.storage.tables.evaluation import GateRequirement


def test_a_version_has_the_labels_that_point_to_it(store: Store, database: Database) -> None:
    for text in ("One", "Two"):
        save_prompt(store, "qa", text, "{{ question }} {{ passages }}", notes="n")
    move_label(store, "qa", "staging", 1)
    move_label(store, "qa", "production", 1)
    second, first = list_prompt_versions(database, "qa")
    assert (first.labels, second.labels) == (("production", "staging"), ())
    assert (first.prompt, first.system, first.variables, first.notes) == (
        "qa", "One", ("passages", "question"), "n",
    )  # fmt: skip
    assert list_prompts(database)[1].labels == (("production", 1), ("staging", 1))
    assert list_prompts(database)[1].version_count == list_prompts(database)[1].latest == 2


def test_moves_are_listed_newest_first_and_by_label(store: Store, database: Database) -> None:
    save_prompt(store, "qa", "One", "{{ question }}")
    move_label(store, "qa", "staging", 1)
    move_label(store, "qa", "canary", 1)
    remove_label(store, "qa", "canary")
    assert [(m.label, m.to_number) for m in list_label_moves(database, "qa")] == [
        ("canary", None), ("canary", 1), ("staging", 1),
    ]  # fmt: skip
    assert [m.label for m in list_label_moves(database, "qa", "staging")] == ["staging"]
    assert list_label_moves(database, "qa", "gone") == []
    for read in (list_label_moves, list_prompt_versions):
        with pytest.raises(NotFoundError, match="no prompt named “gone”"):
            read(database, "gone")


def test_a_required_gate_is_found_by_its_kind_and_name(store: Store, database: Database) -> None:
    with store.session() as session:
        session.add(GateRequirement(
            kind="prompt", subject_id=1, set_name="S", gate="all: true", gate_sha256="0", author="ada", created_ms=5
        ))  # fmt: skip
    assert find_required_gate(database, "prompt", "default") == RequiredGate(
        "prompt", "default", "S", "all: true", "ada", 5
    )
    assert find_required_gate(database, "pipeline", "default") is None
    assert find_required_gate(database, "prompt", "gone") is None


def test_an_import_is_told_in_a_sentence() -> None:
    assert PromptImport(1, 2, 0, (), ()).sentence() == (
        "Imported 2 versions of 1 prompt; 0 were already here."
    )
    assert PromptImport(2, 1, 3, ("qa@staging",), ()).sentence().endswith("Labels moved: qa@staging.")
