"""Evaluation sets: versions never change, cases come by hand, from traces and from files."""

import json
import sqlite3
import time
from pathlib import Path

import pytest
from driving import ask_once
from fakes import ScriptedModel, drive
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.errors import NotFoundError, RagError
from rag.evaluation import sets
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.formats import MOST_CASES
from rag.evaluation.rows import get_run, list_set_versions, list_sets
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start


@pytest.fixture
def named(workspace: Workspace) -> Workspace:
    sets.create_set(workspace, "gold", "Hand-made")
    return workspace


def case(question: str, **values: object) -> Case:
    return Case(question=question, **values)  # type: ignore[arg-type]


def test_every_change_makes_a_version_and_old_ones_stay(named: Workspace) -> None:
    assert list_sets(named.database)[0].number == 0
    assert sets.set_cases(named.database, "gold") == ()
    one = sets.add_case(named, "gold", case("One?"))
    two = sets.add_case(named, "gold", case("Two?", tags=("x",)))
    edited = one.model_copy(update={"references": ("1",)})
    row = sets.change_set(named, "gold", put=[edited, case("Three?")], remove=[two.key], message="Edited")
    assert row is not None
    assert (row.number, row.message, row.case_count) == (3, "Edited", 2)
    assert [c.question for c in sets.set_cases(named.database, "gold", 2)] == ["One?", "Two?"]
    assert sets.set_cases(named.database, "gold", 1) == (one,)
    assert sets.set_cases(named.database, "gold")[0].references == ("1",)
    found = sets.diff_sets(named.database, "gold", 2, 3)
    assert [c.question for c in found.added] == ["Three?"]
    assert found.removed == (two,)
    assert found.changed == ((one, edited),)
    assert found.sentence() == "1 added, 1 removed, 1 changed, 0 unchanged"


def test_no_difference_is_no_version(named: Workspace) -> None:
    added = sets.add_case(named, "gold", case("One?"))
    same = sets.change_set(named, "gold", put=[added], message="again")
    assert same is not None
    assert same.number == 1
    assert len(list_set_versions(named.database, "gold")) == 1


def test_going_back_is_a_new_version_with_the_same_fingerprint(named: Workspace) -> None:
    sets.add_case(named, "gold", case("One?"))
    sets.add_case(named, "gold", case("Two?"))
    row = sets.restore_version(named, "gold", 1)
    assert row is not None
    assert (row.number, row.message) == (3, "Back to version 1")
    versions = list_set_versions(named.database, "gold")
    assert versions[0].fingerprint == versions[2].fingerprint != versions[1].fingerprint


def test_equal_questions_get_keys_of_their_own(named: Workspace) -> None:
    first = sets.add_case(named, "gold", case("Same?"))
    second = sets.add_case(named, "gold", case("Same?", tags=("b",)))
    assert second.key == f"{first.key}-2"
    with pytest.raises(RagError, match="already has a case"):
        sets.add_case(named, "gold", second)


def test_names_are_found_changed_and_refused(named: Workspace) -> None:
    with pytest.raises(RagError, match="already an evaluation set"):
        sets.create_set(named, " gold ")
    with pytest.raises(RagError, match="needs a name"):
        sets.create_set(named, "  ")
    sets.rename_set(named, "gold", "silver")
    with pytest.raises(NotFoundError, match="no evaluation set named “gold”"):
        sets.set_cases(named.database, "gold")
    with pytest.raises(NotFoundError, match="no version 7"):
        sets.set_cases(named.database, "silver", 7)
    with pytest.raises(NotFoundError, match="no case nope"):
        sets.change_set(named, "silver", remove=["nope"])
    sets.add_case(named, "silver", case("One?"))
    assert sets.delete_set(named, "silver") == 1
    with sqlite3.connect(named.store.database) as raw:
        for table in ("evaluationcase", "evaluationsetversion", "evaluationsetcase", "evaluationset"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0
        actions = [row[0] for row in raw.execute("SELECT action FROM auditevent")]
    raw.close()
    assert "evaluation set deleted" in actions


def test_a_failed_change_leaves_nothing_behind(named: Workspace) -> None:
    with pytest.raises(NotFoundError):
        sets.change_set(named, "gold", put=[case("New?")], remove=["nope"])
    assert sets.set_cases(named.database, "gold") == ()
    assert list_sets(named.database)[0].number == 0


def ask(workspace: Workspace, answer: str, monkeypatch: pytest.MonkeyPatch) -> str:
    loaded = workspace.loaded_model
    assert isinstance(loaded, ScriptedModel)
    loaded.answer = answer
    return str(drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id)


def test_a_trace_becomes_a_case_in_one_call(
    named: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(ingest_files(named, "A", [documents]))
    trace_id = ask(named, "Rye bread needs sourdough and 12 hours of rest [1].", monkeypatch)
    made = sets.add_trace(named, "gold", trace_id, tags=["good"])
    assert made.references == ("Rye bread needs sourdough and 12 hours of rest.",)
    (judgement,) = made.judgements
    assert Path(judgement.document).name == "bread.md"
    text = next(hit.text for hit in get_trace(named.database, trace_id).hits if hit.marker == 1)
    assert judgement.quote == text
    assert made.origin == f"trace:{trace_id}"
    assert made.source_cluster == judgement.document
    assert sets.set_cases(named.database, "gold") == (made,)
    corrected = sets.add_trace(named, "gold", trace_id, reference="Sourdough.")
    assert sets.set_cases(named.database, "gold") == (corrected,)


def test_a_trace_that_declined_becomes_a_case_that_should(
    named: Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(ingest_files(named, "A", [documents]))
    trace_id = ask(named, "I cannot answer this from the passages.", monkeypatch)
    made = sets.add_trace(named, "gold", trace_id)
    assert made.should_refuse
    assert (made.references, made.judgements) == ((), ())
    wrong = sets.add_trace(named, "gold", trace_id, reference="Sourdough", should_refuse=False)
    assert (wrong.should_refuse, wrong.references) == (False, ("Sourdough",))
    with pytest.raises(NotFoundError, match="no trace"):
        sets.add_trace(named, "gold", "ffffffff")


def test_thousands_of_cases_are_quick(named: Workspace) -> None:
    began = time.perf_counter()
    cases = [case(f"Question {n}?", references=(f"{n}",)) for n in range(3000)]
    sets.change_set(named, "gold", put=cases)
    sets.change_set(named, "gold", put=[case("One more?")])
    assert len(sets.set_cases(named.database, "gold")) == 3001
    with sqlite3.connect(named.store.database) as raw:
        assert raw.execute("SELECT count(*) FROM evaluationcase").fetchone()[0] == 3001
    raw.close()
    taken = time.perf_counter() - began
    print(f"{taken:.2f} s")
    assert taken < 15


def test_a_case_is_stored_as_plain_json(named: Workspace) -> None:
    sets.add_case(named, "gold", case("Ünïcode „?“\n"))
    with sqlite3.connect(named.store.database) as raw:
        content = json.loads(raw.execute("SELECT content FROM evaluationcase").fetchone()[0])
    raw.close()
    assert content["question"] == "Ünïcode „?“\n"


def test_a_case_is_saved_in_a_set_that_is_made(workspace: Workspace) -> None:
    key = sets.save_case(workspace, "new", {"question": "One?", "key": "one"})
    assert key == "one"
    assert sets.save_case(workspace, "new", {"question": "Two?", "key": "two"}, replaced="one") == "two"
    assert [c.key for c in sets.set_cases(workspace.database, "new")] == ["two"]
    sets.save_case(workspace, "new", {"question": "Three?", "key": "two"}, replaced="two", message="Reworded")
    assert list_set_versions(workspace.database, "new")[0].message == "Reworded"
    with pytest.raises(RagError, match=r"weight: .*greater than 0"):
        sets.save_case(workspace, "new", {"question": "q", "weight": 0})
    sets.remove_cases(workspace, "new", ["two"])
    assert sets.set_cases(workspace.database, "new") == ()


def test_a_set_is_made_only_if_there_is_none(named: Workspace) -> None:
    assert sets.ensure_set(named, " gold ") == "gold"
    assert sets.ensure_set(named, "silver") == "silver"
    assert [row.name for row in list_sets(named.database)] == ["gold", "silver"]


def test_the_window_sees_both_sides_of_every_change(named: Workspace) -> None:
    sets.change_set(named, "gold", put=[case("One?", key="1"), case("Two?", key="2")])
    sets.change_set(named, "gold", put=[case("Two!", key="2"), case("Three?", key="3")], remove=["1"])
    sentence, changes = sets.diff_set(named.database, "gold", 1, 2)
    assert sentence == "1 added, 1 removed, 1 changed, 0 unchanged"
    assert [(change.kind, change.key) for change in changes] == [
        ("added", "3"),
        ("removed", "1"),
        ("changed", "2"),
    ]
    assert json.loads(changes[2].old)["question"] == "Two?"
    assert json.loads(changes[2].new)["question"] == "Two!"
    assert changes[0].old == changes[1].new == ""


def test_an_empty_set_is_not_exported(named: Workspace, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="no cases to export"):
        sets.export_set(named.database, "gold", tmp_path / "out.csv", "csv")


def test_many_questions_become_cases_of_one_version(filled: Workspace) -> None:
    asked = ["What does rye bread need?", "How bright is Sirius?", "what does  rye bread need?"]
    traces = [ask_once(filled, question, "Sourdough [1].", "A") for question in asked]
    found = sets.cases_of_traces(filled, " Asked ", traces, ["people"])
    assert (found.set_name, found.added, found.repeated) == ("Asked", 2, 1)
    cases = sets.set_cases(filled.database, "Asked")
    assert [case.question for case in cases] == asked[:2], "the trace that is given first stays"
    assert all(case.tags == ("people",) and case.origin.startswith("trace:") for case in cases)
    assert found.without_reference == sum(not case.references and not case.should_refuse for case in cases)
    (version,) = list_set_versions(filled.database, "Asked")
    assert version.message == "From 2 questions that people asked"
    assert sets.cases_of_traces(filled, "Asked", traces[:1]).added == 1, "again replaces it"
    assert len(sets.set_cases(filled.database, "Asked")) == 2
    with pytest.raises(RagError, match="No question was chosen"):
        sets.cases_of_traces(filled, "Asked", [])
    with pytest.raises(RagError, match="There is no trace"):
        sets.cases_of_traces(filled, "Other", ["0000"])
    assert "Other" not in {row.name for row in list_sets(filled.database)}, "nothing is left of a refusal"


@pytest.mark.parametrize("name", ["", " ", "\n\t", "x" * 201])
def test_a_set_needs_a_name_that_is_not_too_long(named: Workspace, name: str) -> None:
    says = r"^An evaluation set needs a name of at most 200 characters\.$"
    with pytest.raises(RagError, match=says):
        sets.create_set(named, name)
    with pytest.raises(RagError, match=says):
        sets.rename_set(named, "gold", name)
    assert [row.name for row in list_sets(named.database)] == ["gold"]


def test_a_set_keeps_its_name_or_gets_one_that_is_free(named: Workspace) -> None:
    sets.create_set(named, "x" * 200)
    sets.rename_set(named, "gold", " gold ")
    with pytest.raises(RagError, match="already an evaluation set named “xxx"):
        sets.rename_set(named, "gold", "x" * 200)
    with pytest.raises(NotFoundError, match="Run `ragdeck sets` to see all sets"):
        sets.rename_set(named, "nope", "other")
    with pytest.raises(NotFoundError, match="named “nope”"):
        sets.delete_set(named, "nope")
    assert sets.delete_set(named, "gold") == 0, "it had no version"


def test_runs_follow_a_set_that_is_renamed(filled: Workspace) -> None:
    sets.create_set(filled, "T")
    (run,) = start(filled)
    sets.rename_set(filled, "S", "Renamed")
    assert get_run(filled.database, run.id).set_name == "Renamed"
    sets.rename_set(filled, "T", "S")
    assert get_run(filled.database, run.id).set_name == "Renamed", "another set's name is not its own"


@pytest.mark.parametrize(
    ("added", "removed", "changed", "same", "says"),
    [
        (0, 0, 0, 0, "no differences, 0 unchanged"),
        (0, 0, 0, 1200, "no differences, 1,200 unchanged"),
        (1, 0, 0, 2, "1 added, 2 unchanged"),
        (0, 2, 3, 0, "2 removed, 3 changed, 0 unchanged"),
        (1500, 1, 1, 1, "1,500 added, 1 removed, 1 changed, 1 unchanged"),
    ],
)
def test_a_difference_is_told_in_numbers(
    added: int, removed: int, changed: int, same: int, says: str
) -> None:
    one = case("One?", key="1")
    found = sets.SetDiff(1, 2, (one,) * added, (one,) * removed, ((one, one),) * changed, same)
    assert found.sentence() == says


def test_a_version_differs_from_none_but_another(named: Workspace) -> None:
    sets.add_case(named, "gold", case("One?", key="1"))
    sets.change_set(named, "gold", put=[case("One?", key="1", origin="file:x.csv")])
    assert [row.number for row in list_set_versions(named.database, "gold")] == [1], "an origin is no content"
    assert sets.diff_set(named.database, "gold", 1, 1) == ("no differences, 1 unchanged", ())
    for old, new in ((1, 9), (9, 1)):
        with pytest.raises(NotFoundError, match=r"^“gold” has no version 9\. Run `ragdeck sets versions`"):
            sets.diff_sets(named.database, "gold", old, new)
    with pytest.raises(NotFoundError, match="no version 9"):
        sets.restore_version(named, "gold", 9)


def test_the_order_of_cases_is_kept_and_makes_no_version(named: Workspace) -> None:
    cases = [case(f"{letter}?", key=letter) for letter in "cab"]
    sets.change_set(named, "gold", put=cases)
    sets.change_set(named, "gold", put=list(reversed(cases)))
    sets.change_set(named, "gold", put=[case("New a?", key="a"), case("d?", key="d")])
    assert [c.key for c in sets.set_cases(named.database, "gold")] == ["c", "a", "b", "d"], "in its place"
    assert [row.number for row in list_set_versions(named.database, "gold")] == [2, 1]


@given(prints=st.lists(st.text("abcdef", min_size=1), max_size=8), data=st.data())
def test_a_fingerprint_does_not_depend_on_the_order(prints: list[str], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations(prints))
    assert sets.set_fingerprint(mixed) == sets.set_fingerprint(prints)
    assert sets.set_fingerprint([*prints, "g"]) != sets.set_fingerprint(prints)


def test_what_is_removed_is_said_in_the_history(named: Workspace) -> None:
    sets.change_set(named, "gold", put=[case(f"{n}?", key=str(n)) for n in range(4)])
    sets.remove_cases(named, "gold", ["0"])
    sets.remove_cases(named, "gold", ["1", "2"])
    with pytest.raises(NotFoundError, match=r"^“gold” has no case 2\.$"):
        sets.remove_cases(named, "gold", ["3", "2"])
    with pytest.raises(NotFoundError, match="has no case 3"):
        sets.remove_cases(named, "gold", ["3", "3"])
    messages = [row.message for row in list_set_versions(named.database, "gold")]
    assert messages == ["Removed 2 cases", "Removed 0", "4 cases"]
    sets.remove_cases(named, "gold", ["3"])
    assert list_set_versions(named.database, "gold")[0].case_count == 0, "an empty version is one too"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("Short?", "Added “Short?”"),
        ("Two\n  lines?", "Added “Two lines?”"),
        ("x" * 60, f"Added “{'x' * 60}”"),
        ("x" * 61, f"Added “{'x' * 59}…”"),
    ],
)
def test_a_message_names_the_question_shortly(named: Workspace, question: str, message: str) -> None:
    sets.add_case(named, "gold", case(question))
    assert list_set_versions(named.database, "gold")[0].message == message


def test_a_set_has_a_bound(named: Workspace) -> None:
    with pytest.raises(RagError, match=rf"at most {MOST_CASES:,} cases. Make another one"):
        sets.change_set(
            named, "gold", put=[Case.model_construct(key=str(n), question="?") for n in range(MOST_CASES + 1)]
        )
    assert sets.set_cases(named.database, "gold") == ()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "question: Field required."),
        ({"question": ""}, "question: String should have at least 1 character."),
        ({"question": " "}, "the question is empty."),
        ({"question": "q", "nonsense": 1}, "nonsense: Extra inputs are not permitted."),
        (
            {"question": "q", "checks": [{"type": "equals"}]},
            "checks.0: the check equals cannot have the value null.",
        ),
        ({"question": "q", "judgements": [{"quote": "x", "start": 1, "end": 2}]}, "must name its document."),
    ],
)
def test_a_wrong_case_makes_no_set(workspace: Workspace, values: dict[str, object], says: str) -> None:
    with pytest.raises(RagError) as found:
        sets.save_case(workspace, "new", values)
    assert str(found.value).endswith(says)
    assert list_sets(workspace.database) == []


def redact(workspace: Workspace, *documents: str, origins: tuple[str, ...] = ()) -> int:
    """Erase documents and the word "secret"."""
    with workspace.store.session() as session:
        return sets.redact_cases(
            session,
            lambda text: text.replace("secret", "[gone]"),
            frozenset(documents),
            frozenset(origins),
            "[gone]",
        )


def test_an_erased_document_leaves_no_trace_in_any_version(named: Workspace) -> None:
    judged = Judgement(document="/d/a.md", quote="A secret.")
    first = case(
        "Which secret?", key="1", references=("It.",), judgements=(judged, Judgement(document="/d/b.md")),
        checks=(Check(type="contains", value="secret"), Check(type="is-json")), cluster="/d/a.md",
    )  # fmt: skip
    made = case("Made of it?", key="2", judgements=(judged,), origin="generated")
    other = case("Other?", key="3", references=("Kept.",))
    derived = case("Derived?", key="4", references=("In other words.",), origin="trace:x")
    sets.change_set(named, "gold", put=[first, made, other, derived], message="All the secret ones")
    sets.change_set(named, "gold", remove=["2"])
    before = [row.fingerprint for row in list_set_versions(named.database, "gold")]
    assert redact(named, "/d/a.md", origins=("trace:x",)) == 3
    one, two, three, four = sets.set_cases(named.database, "gold", 1)
    assert (one.question, one.references, one.cluster) == ("Which [gone]?", ("[gone]",), "[gone]")
    assert [j.document for j in one.judgements] == ["[gone]", "/d/b.md"] and not one.judgements[0].quote
    assert [check.value for check in one.checks] == ["[gone]", None]
    assert (two.question, three, four.references) == ("[gone]", other, ("[gone]",))
    assert sets.set_cases(named.database, "gold") == (one, three, four)
    versions = list_set_versions(named.database, "gold")
    assert versions[1].message == "All the [gone] ones"
    assert [row.fingerprint for row in versions] != before
    assert versions[0].fingerprint == sets.set_fingerprint(c.fingerprint for c in (one, three, four))
    assert redact(named, "/d/a.md", origins=("trace:x",)) == 0, "again changes nothing"


def test_wordings_that_differ_only_in_what_is_erased_become_one(named: Workspace) -> None:
    sets.change_set(named, "gold", put=[case("A secret?", key="1")])
    sets.change_set(named, "gold", put=[case("A [gone]?", key="1")])
    assert redact(named) == 1
    assert sets.set_cases(named.database, "gold", 1) == sets.set_cases(named.database, "gold", 2)
    assert len({row.fingerprint for row in list_set_versions(named.database, "gold")}) == 1


def test_a_trace_becomes_a_case_with_one_sentence_about_it(filled: Workspace) -> None:
    trace = ask_once(
        filled, "What does rye bread need?", "Rye bread needs sourdough and 12 hours of rest [1].", "A"
    )
    said = sets.case_of_trace(filled, "From people", trace)
    assert said == (
        "Added to “From people”: 1 reference answer, 1 relevant passage. Check it on the Evaluation page."
    )
    trace = ask_once(filled, "Who knows?", "I cannot answer this from the passages.", "A")
    assert "should be refused, 0 relevant passages" in sets.case_of_trace(filled, "From people", trace)
