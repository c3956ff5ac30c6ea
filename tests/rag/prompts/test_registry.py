"""Prompts as code: versions stay, labels move and are logged, templates cannot run away, files carry them."""

import shutil
import time
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceDetail, TraceFilter, get_trace, list_traces
from rag.errors import NotFoundError, RagError
from rag.knowledge.ingest import ingest_files
from rag.prompts.files import export_prompts, import_prompts
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
from rag.prompts.templates import load_prompt, render, template_variables
from rag.storage.data_folder import RESOURCES
from rag.storage.database import Database
from rag.storage.store import Store
from rag.workspace import Workspace

USER = "{% for p in passages %}{{ p.text }}\n{% endfor %}Question: {{ question }}"


@pytest.fixture
def store(workspace: Workspace) -> Store:
    return workspace.store


@pytest.fixture
def database(workspace: Workspace) -> Database:
    return workspace.database


# --- the registry -----------------------------------------------------------------------------------------


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
    found = diff_prompts(store, "qa", 1, 2)
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
    with pytest.raises(RagError, match="it cannot be removed"):
        remove_label(store, "default", "production")
    with pytest.raises(RagError, match="cannot be deleted"):
        delete_prompt(store, "default")
    with pytest.raises(RagError, match="never moved"):
        rollback_label(store, "default")
    with pytest.raises(RagError, match="word of small letters"):
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
        ("Default", "", "x", "only in case"),
        ("qa", "", "  ", "user part of a prompt is empty"),
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


# --- answering --------------------------------------------------------------------------------------------


def test_answers_come_from_production_and_traces_say_which_version(
    workspace: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch
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


def test_a_prompt_that_fails_leaves_a_trace_that_names_it(
    workspace: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    save_prompt(workspace.store, "bad", "", "{{ nothing }}")
    with pytest.raises(RagError, match="'nothing' is undefined"):
        drive(answer_question(workspace, Question("What does rye bread need?", "A", prompt="bad")))
    trace = get_trace(workspace.database, list_traces(workspace.database, TraceFilter())[0].id)
    assert (trace.status, trace.prompt_name) == ("failed", "bad")


# --- templates --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{{ q|upper }} {{ q|length }}", {"q": "ab"}, "AB 2"),
        ("{% for x in xs %}{{ loop.index }}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}", {"xs": "ab"}, "1a,2b"),
        ("{% for x in [] %}{{ x }}{% else %}none{% endfor %}", {}, "none"),
        ("{{ xs|map(attribute='a')|join(', ') }}", {"xs": [{"a": 1}, {"a": 2}]}, "1, 2"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) ~ m('b') }}", {}, "<1><b>"),
        ("{% set n = namespace(t=0) %}{% for x in range(5) %}{% set n.t = n.t + x * 2 %}{% endfor %}{{ n.t }}", {}, "20"),
        ("{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", {"d": {"a": 1}}, "a=1"),
        ("{{ 2.567|round(1) }} {{ 2 ** 10 }} {{ 'a' * 3 }} {{ 7 % 4 }}", {}, "2.6 1024 aaa 3"),
        ("{{ {'a': [1, (2, 3)]}|tojson }}", {}, '{"a": [1, [2, 3]]}'),
        ("{% for x in xs recursive %}{{ x.n }}{{ loop(x.c) }}{% endfor %}", {"xs": [{"n": 1, "c": [{"n": 2, "c": []}]}]}, "12"),
        ("{{ ' x '.strip() }}{% if 'a' in 'abc' and q is defined %}!{% endif %}", {"q": 1}, "x!"),
        ("{{ q|default('d') }}", {}, "d"),
        ("{{ xs|sort|unique|list|reverse|join }}", {"xs": [2, 1, 2]}, "21"),
    ],
)  # fmt: skip
def test_templates_do_what_jinja2_does(template: str, values: dict[str, object], text: str) -> None:
    assert render(template, values) == text


BOMBS = {
    "range": "{% for a in range(10**9) %}{% endfor %}",
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    "silent work": "{% for a in range(99999) %}{% set x = range(99999)|list|length %}{% endfor %}",
    "output": "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}",
    "macro": "{% macro m() %}{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}{% endmacro %}{% set y = m() %}",
    "block": "{% set y %}{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}{% endset %}",
    "doubling": "{% set n = namespace(t='xx') %}{% for a in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}",
    "adding": "{% set n = namespace(t='xx') %}{% for a in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}",
    "multiplying": "{{ 'x' * 10**9 }}",
    "multiplying twice": "{% set x = ('x' * 1000) * 100000 %}",
    "lists": "{% set x = [0] * 10**9 %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "power in steps": "{% set n = namespace(t=9) %}{% for a in range(99) %}{% set n.t = n.t * n.t %}{% endfor %}",
    "format": "{{ '%999999999d' % 1 }}",
    "format filter": "{{ '%999999999d'|format(1) }}",
    "format method": "{{ '{:999999999}'.format(1) }}",
    "center": "{{ 'x'|center(999999999) }}",
    "center method": "{{ 'x'.center(999999999) }}",
    "replace": "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
    "replace filter": "{{ ('x' * 99999)|replace('x', 'y' * 99999) }}",
    "join": "{{ ('x' * 99999)|join('y' * 99999) }}",
    "join method": "{{ ('y' * 99999).join(['x'] * 99999) }}",
    "bytes": "{{ (1).to_bytes(999999999) }}",
    "batch": "{{ [1]|batch(999999999, 0)|list }}",
    "shared lists": "".join(f"{{% set a{n + 1} = [{', '.join([f'a{n}'] * 10)}] %}}" for n in range(30)).replace("a0", "1") + "{{ a30 }}",
    "shared tuples": "".join(f"{{% set a{n + 1} = ({', '.join([f'a{n}'] * 10)}) %}}" for n in range(30)).replace("a0", "1") + "{{ {a30: 1} }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "fork": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "lipsum": "{{ lipsum(n=99999999) }}",
    "python": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ question.__init__.__globals__ }}",
    "files": "{% include '/etc/passwd' %}",
    "undefined": "{{ nothing }}",
    "undefined loop": "{% for a in nothing %}{% endfor %}",
    "division": "{{ 1 / 0 }}",
    "types": "{{ 1 + 'a' }}",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_runs_away_is_one_clear_sentence_quickly(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(RagError) as found:
        render(BOMBS[name], {"question": "q"}, "user part")
    assert time.monotonic() - began < 4
    sentence = str(found.value)
    assert sentence.startswith("The user part cannot be rendered: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400


def test_variables_are_found_and_own_names_are_not() -> None:
    assert template_variables("{% set a = b %}{% for c in d %}{{ a }}{{ c }}{{ range(3) }}{% endfor %}") == (
        "b",
        "d",
    )


# --- files ------------------------------------------------------------------------------------------------


def fill(store: Store) -> None:
    save_prompt(store, "qa", "Line one\nLine “two”", USER, message="Start", author="ada", notes="n: 1")
    save_prompt(store, "qa", "ends in a space \nhere: yes\n\tand a tab", USER, author="ada")
    move_label(store, "qa", "staging", 1)


def test_a_folder_carries_prompts_with_their_fingerprints_and_is_stable(
    store: Store, database: Database, tmp_path: Path
) -> None:
    fill(store)
    first = export_prompts(database, tmp_path / "a")
    assert [path.name for path in first] == ["default.yaml", "qa.yaml"]
    data = first[1].read_bytes()
    assert b"\r" not in data
    assert b"  system: |-\n    Line one\n" in data
    other = tmp_path / "other"
    other.mkdir()
    with Workspace(other) as opened:
        report = import_prompts(opened.store, tmp_path / "a")
        assert (report.versions_added, report.versions_same, report.problems) == (2, 1, ())
        assert report.moved == ("qa@staging",)
        theirs, ours = list_prompt_versions(opened.database, "qa"), list_prompt_versions(database, "qa")
        assert [(v.number, v.fingerprint, v.author, v.message) for v in theirs] == [
            (v.number, v.fingerprint, v.author, v.message) for v in ours
        ]
        export_prompts(opened.database, tmp_path / "b")
        again = import_prompts(opened.store, tmp_path / "b")
        assert (again.versions_added, again.moved) == (0, ())
    assert (tmp_path / "b" / "qa.yaml").read_bytes() == data


def test_an_edited_file_is_a_new_version(store: Store, database: Database, tmp_path: Path) -> None:
    fill(store)
    export_prompts(database, tmp_path)
    path = tmp_path / "qa.yaml"
    path.write_text(path.read_text("utf-8").replace("here: yes", "here: no").replace("\n", "\r\n"), "utf-8")
    report = import_prompts(store, tmp_path, author="eve")
    assert (report.versions_added, report.problems) == (1, ())
    newest = list_prompt_versions(database, "qa")[0]
    assert (newest.number, newest.author) == (3, "eve")
    assert newest.message.startswith("Edited in its file")
    assert "here: no" in newest.system
    assert import_prompts(store, tmp_path).versions_added == 0  # the same edit again


def test_labels_move_only_when_asked(store: Store, database: Database, tmp_path: Path) -> None:
    fill(store)
    export_prompts(database, tmp_path)
    move_label(store, "qa", "staging", 2)
    assert import_prompts(store, tmp_path).moved == ()
    assert import_prompts(store, tmp_path, move_labels=True).moved == ("qa@staging",)
    assert find_prompt(store, "qa@staging").version == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "cannot be read"),
        ("name: x\n", "versions: Field required"),
        ("name: x\nversions: [{number: 1, user: u, extra: 1}]\n", "versions.0.extra"),
        ("name: x\nversions: [{number: 1, user: u}, {number: 1, user: v}]\n", "same number"),
        ("name: ../x\nversions: [{number: 1, user: u}]\n", "cannot be the name"),
        ("name: x\nlabels: {a: 3}\nversions: [{number: 1, user: u}]\n", "points to version 3"),
        ("name: x\nversions: [{number: 1, user: '{% if %}'}]\n", "not a template"),
        ("a: &a {number: 1, user: u}\nname: x\nversions: [*a]\n", "aliases"),
        ("!!python/object/apply:os.getcwd []\n", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named_and_the_others_come_in(
    store: Store, database: Database, tmp_path: Path, text: str, message: str
) -> None:
    fill(store)
    export_prompts(database, tmp_path)
    shutil.copy(tmp_path / "qa.yaml", tmp_path / "z.yaml")
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    report = import_prompts(store, tmp_path)
    assert report.prompts == 3
    (problem,) = report.problems
    assert problem.startswith("bad.yaml: ")
    assert message in problem
    assert "x" not in {row.name for row in list_prompts(database)}
