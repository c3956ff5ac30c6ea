"""Prompts as code: versions stay, labels move and are logged, answers come from production."""

from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceDetail, TraceFilter, get_trace, list_traces
from rag.errors import NotFoundError, RagError
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import (
    delete_prompt,
    diff_prompts,
    find_prompt,
    move_label,
    remove_label,
    rollback_label,
    save_prompt,
)
from rag.prompts.rows import list_label_moves, list_prompt_versions, list_prompts
from rag.prompts.templates import load_prompt
from rag.storage.data_folder import RESOURCES
from rag.storage.database import Database
from rag.storage.store import Store
from rag.workspace import Workspace

USER = "{% for p in passages %}{{ p.text }}\n{% endfor %}Question: {{ question }}"


def test_the_built_in_prompt_is_version_1_of_default_and_in_production(
    store: Store, database: Database
) -> None:
    (row,) = list_prompts(database)
    assert (row.name, row.latest, row.labels) == ("default", 1, (("production", 1),))
    built_in = load_prompt(RESOURCES / "prompts" / "answer.toml")
    found = find_prompt(store)
    assert (found.system, found.user) == (built_in.system, built_in.user)
    assert found.fingerprint == built_in.fingerprint
    (version,) = list_prompt_versions(database, "default")
    assert version.variables == ("passages", "question")


def test_opening_again_keeps_what_a_person_made_of_it(folder: Path) -> None:
    with Workspace(folder) as opened:
        save_prompt(opened.store, "default", "New.", USER)
        move_label(opened.store, "default", "production", 2)
    with Workspace(folder) as opened:
        assert find_prompt(opened.store).version == 2
        assert len(list_prompt_versions(opened.database, "default")) == 2


def test_versions_are_numbered_and_an_equal_text_is_the_same_one(store: Store, database: Database) -> None:
    first = save_prompt(store, "qa", "Be brief.", USER, message="Start", author="ada", notes="short")
    assert (first.number, first.author, first.labels) == (1, "ada", ())
    same = save_prompt(store, "qa", "Be brief. \r\n", USER.replace("\n", "\r\n"), message="again")
    assert same.id == first.id
    second = save_prompt(store, "qa", "Be brief and kind.", USER)
    assert (second.number, second.fingerprint != first.fingerprint) == (2, True)
    assert [v.number for v in list_prompt_versions(database, "qa")] == [2, 1]
    found = diff_prompts(database, "qa", 1, 2)
    assert [op for op in found.system if op[0] != "equal"] == [("insert", "", " and kind")]
    assert all(op[0] == "equal" for op in found.user)


def test_a_name_without_a_label_is_its_production_version_else_its_newest(store: Store) -> None:
    for text in ("One", "Two", "Three"):
        save_prompt(store, "qa", text, USER)
    assert find_prompt(store, "qa").version == 3
    move_label(store, "qa", "production", 2)
    move_label(store, "qa", "staging", 1)
    assert find_prompt(store, "qa").version == 2
    assert find_prompt(store, "qa@staging").system == "One"
    assert find_prompt(store, "qa@3").system == "Three"
    for reference, message in (("qa@9", "no version 9"), ("qa@x", "label “x”"), ("none", "no prompt named")):
        with pytest.raises(NotFoundError, match=message):
            find_prompt(store, reference)


def test_every_move_of_a_label_is_logged_and_undone(store: Store, database: Database) -> None:
    save_prompt(store, "default", "Better.", USER)
    move_label(store, "default", "production", 2, author="ada", note="shorter answers")
    move_label(store, "default", "production", 2, author="ada")  # it is there already
    back = rollback_label(store, "default", author="bob")
    assert (back.from_number, back.to_number) == (2, 1)
    assert find_prompt(store).version == 1
    log = [
        (m.from_number, m.to_number, m.author, m.note)
        for m in list_label_moves(database, "default", "production")
    ]
    assert log == [
        (2, 1, "bob", "Rolled back"),
        (1, 2, "ada", "shorter answers"),
        (None, 1, "Ragdeck", "Built in"),
    ]


def test_labels_are_refused_and_removed(store: Store, database: Database) -> None:
    with pytest.raises(RagError, match="instead of removing it"):
        remove_label(store, "default", "production")
    with pytest.raises(RagError, match="cannot be deleted"):
        delete_prompt(store, "default")
    with pytest.raises(RagError, match="never moved"):
        rollback_label(store, "default")
    with pytest.raises(RagError, match="lowercase letters, digits and hyphens"):
        move_label(store, "default", "No Spaces", 1)
    with pytest.raises(NotFoundError, match="no version 5"):
        move_label(store, "default", "production", 5)
    save_prompt(store, "qa", "", USER)
    move_label(store, "qa", "staging", 1)
    remove_label(store, "qa", "staging")
    assert list_label_moves(database, "qa")[0].to_number is None
    assert delete_prompt(store, "qa") == 1
    assert [row.name for row in list_prompts(database)] == ["default"]


@pytest.mark.parametrize(
    ("name", "system", "user", "message"),
    [
        ("../up", "", "x", "cannot be the name"),
        ("a@b", "", "x", "cannot be the name"),
        ("Default", "", "x", "by more than case"),
        ("qa", "", "  ", "user part of the prompt is empty"),
        ("qa", "{% for %}", "x", "system part is not a template: line 1"),
        ("qa", "", "{{ x|nonsense }}", "No filter named"),
        ("qa", "", "x" * 100_001, "100,001 characters"),
    ],
)
def test_what_cannot_be_a_prompt_is_one_sentence(
    store: Store, database: Database, name: str, system: str, user: str, message: str
) -> None:
    with pytest.raises(RagError, match=message):
        save_prompt(store, name, system, user)
    assert [row.name for row in list_prompts(database)] == ["default"]  # nothing half made


def test_answers_come_from_production_and_traces_say_which_version(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    loaded = workspace.loaded_model
    assert isinstance(loaded, ScriptedModel)

    def ask(**values: str) -> TraceDetail:
        result = drive(answer_question(workspace, Question("What does rye bread need?", "A", **values)))  # type: ignore[arg-type]
        return get_trace(workspace.database, result.trace_id)

    first = ask()
    version = save_prompt(workspace.store, "default", "Speak like a baker.", USER)
    before = ask()
    move_label(workspace.store, "default", "production", 2)
    after = ask()
    assert (first.prompt_name, first.prompt_version) == ("default", 1)
    assert before.prompt_version == 1
    assert (after.prompt_version, after.prompt_version_id) == (2, version.id)
    assert after.prompt_fingerprint == version.fingerprint
    assert "Speak like a baker." in after.prompt
    assert "Speak like a baker." in loaded.prompts[-1]
    assert ask(prompt="default@1").prompt_version == 1
    with pytest.raises(NotFoundError, match="no prompt named"):
        ask(prompt="gone")


def test_a_prompt_that_fails_leaves_a_trace_that_names_it(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    only_beaches = "{% if 'rye' in question %}{{ passages[9].text }}{% endif %}"
    save_prompt(workspace.store, "bad", "", only_beaches)
    with pytest.raises(RagError, match="has no element 9"):
        drive(answer_question(workspace, Question("What does rye bread need?", "A", prompt="bad")))
    trace = get_trace(workspace.database, list_traces(workspace.database, TraceFilter())[0].id)
    assert (trace.status, trace.prompt_name) == ("failed", "bad")
