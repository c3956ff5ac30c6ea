"""promptfoo: known assertions are evaluated here, the others are named, and nothing is run or fetched."""

from pathlib import Path

import pytest
import yaml

from rag.errors import RagError
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.formats import read_cases, write_cases
from rag.evaluation.formats.assertions import read_written
from rag.evaluation.metrics import run_check
from tests.rag.evaluation.formats.examples import FULL, promptfoo, read_text_as


def test_promptfoo_assertions_become_checks_and_references(tmp_path: Path) -> None:
    first, second = read_cases(promptfoo(tmp_path)).cases
    assert [c.type for c in first.checks] == ["contains", "is-json"]
    assert first.references == ("sourdough and rest",)
    assert second.should_refuse


@pytest.mark.parametrize("name", ["question", "query", "input", "prompt", "q", "user_input"])
def test_the_question_has_several_names(tmp_path: Path, name: str) -> None:
    (case,) = read_text_as(tmp_path, "a.yaml", f"- vars: {{{name}: Why, other: x}}\n", "promptfoo").cases
    assert case.question == "Why"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("tests:\n  - vars: {question: q}\n  - vars: {other: q}\n", "line 3", "none of the vars"),
        ("- vars: {question: 'q {{ other }}'}\n", "line 1", "{{ other }}, which the vars do not have"),
        ("- vars: {question: '{% if x %}q{% endif %}'}\n", "line 1", "only promptfoo can fill in"),
        ("tests: [file://../x.yaml]\n", "line 1", "outside the folder"),
        ("tests: [file://x.py]\n", "line 1", "are missing"),
        ('tests: ["\\ud83d"]\n', "line 1", "not the name of a file"),
        ('tests: ["\\0"]\n', "line 1", "not the name of a file"),
        ("tests: [/*]\n", "line 1", "not the name of a file"),
        (f"tests: [{'x' * 5000}]\n", "line 1", "not the name of a file"),
        ("tests: ['https://example.invalid/x.csv']\n", "line 1", "Nothing is fetched"),
        ("- vars: {question: 'file://q.txt'}\n", "line 1", "question is not a text"),
        ("- assert: []\n", "line 1", "a test needs vars"),
        ("- vars: {q: x}\n  metadata: {ragdeck: 5}\n", "line 1", "metadata.ragdeck is not an object"),
        ("- vars: {q: x}\n  assert: 5\n", "line 1", "assert is not a list"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, place: str, message: str) -> None:
    found = read_text_as(tmp_path, "a.yaml", text, "promptfoo")
    assert found.problems[0].place == place
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
            )
            + "tests: *j\n",
            "more than 1,000,000 values",
        ),
        ("a: &a [*a]\ntests: []", "inside its own anchor"),
        ("!!python/object/apply:os.system [echo]", "not YAML"),
        ("tests: file://other.yaml", "are missing"),
        ("5", "no list of tests"),
        ("a: [", "not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        read_text_as(tmp_path, "a.yaml", text, "promptfoo")


def test_a_case_with_an_unknown_assertion_comes_without_it(tmp_path: Path) -> None:
    text = "- vars: {q: x}\n  assert: [{type: llm-rubric, value: kind}, {type: contains, value: y}]\n"
    found = read_text_as(tmp_path, "a.yaml", text, "promptfoo")
    assert found.cases[0].checks == (Check(type="contains", value="y"),)
    assert not found.problems
    assert found.unused[0].sentence() == (
        "assertion llm-rubric (line 1): not used, it needs a model that grades; --judge of an evaluation does that."
    )


def test_what_is_shared_and_written_once_counts_for_every_test(tmp_path: Path) -> None:
    text = """
prompts: [a.txt]
description: mine
defaultTest: {vars: {city: Bremen}, assert: [{type: not-contains, value: sorry}], threshold: 0.5}
x: &shared {type: icontains, value: TIDE}
tests:
  - vars: {question: "How high is the tide at {{city}}?", unused: 5}
    assert: [*shared, {type: contains-all, value: [a, b]}, {type: contains, value: 18, weight: 2}]
    description: the first
    options: {transform: output.trim()}
  - vars: {question: "Which of {{ kind }}?", kind: [boats, buoys]}
"""
    found = read_text_as(tmp_path, "a.yaml", text, "promptfoo")
    assert [case.question for case in found.cases] == [
        "How high is the tide at Bremen?",
        "Which of boats?",
        "Which of buoys?",
    ]
    assert [check.type for check in found.cases[0].checks] == ["not-contains", "regex", "regex", "contains"]
    for check, answer in zip(found.cases[0].checks, ("fine", "the Tide", "b then a", "18 kg"), strict=True):
        assert run_check(answer, check).passed
    assert not run_check("only a", found.cases[0].checks[2]).passed
    assert {one.name for one in found.unused} == {
        "prompts", "description", "x", "threshold", "weight of the assertion contains", "options", "var unused",
        "var city",
    }  # fmt: skip


def test_tests_in_other_files_are_read_and_programs_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text(
        "question,__expected,__expected1\nOne?,contains: 1,similar: one\n", "utf-8"
    )
    (tmp_path / "more.yaml").write_text(
        "- vars: {question: 'Two?'}\n  assert: [{type: equals, value: '2'}]\n"
    )
    (tmp_path / "make.py").write_text("raise SystemExit\n")
    alone = read_text_as(tmp_path, "a.yaml", "tests: cases.csv\n", "promptfoo")
    (case,) = alone.cases
    assert (case.checks, case.references) == ((Check(type="contains", value="1"),), ("one",))
    text = "tests:\n  - file://more.yaml\n  - file://make.py\n  - vars: {question: 'Three?'}\n"
    mixed = read_text_as(tmp_path, "b.yaml", text, "promptfoo")
    assert [case.question for case in mixed.cases] == ["Two?", "Three?"]
    (problem,) = mixed.problems
    assert (problem.place, "no program is run" in problem.message) == ("line 3", True)
    assert len(read_text_as(tmp_path, "c.yaml", "tests: file://*.csv\n", "promptfoo").cases) == 1


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("contains: 18 kg", "contains", "18 kg"),
        ("not-contains:x", "not-contains", "x"),
        ('contains-any: a, "b, c"', "contains-any", ["a", "b, c"]),
        ("just this", "equals", "just this"),
        ("Note: this", "equals", "Note: this"),
        ("is-json", "is-json", None),
        ("grade: is it kind?", "llm-rubric", "is it kind?"),
        ("similar(0.8): eighteen", "similar", "eighteen"),
    ],
)
def test_an_assertion_in_a_cell_is_read_as_promptfoo_does(text: str, kind: str, value: object) -> None:
    found = read_written(text)
    assert (found["type"], found.get("value")) == (kind, value)


def test_what_promptfoo_has_no_place_for_is_in_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    assert write_cases([FULL, Case(key="plain", question="q")], path, "promptfoo") == ()
    first, second = yaml.safe_load(path.read_text("utf-8"))["tests"]
    assert [one["type"] for one in first["assert"]] == ["similar", "regex", "is-refusal"]
    assert first["metadata"]["ragdeck"]["checks"] == [{"type": "length", "value": {"max": 80}}]
    assert second == {"vars": {"question": "q"}, "metadata": {"ragdeck": {"key": "plain"}}}


def test_repeated_values_are_written_without_aliases(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    same = (Judgement(document="d", quote="x"), Judgement(document="d", quote="x"))
    write_cases([Case(key="k", question="q", judgements=same)], path, "promptfoo")
    assert "&" not in path.read_text("utf-8")
