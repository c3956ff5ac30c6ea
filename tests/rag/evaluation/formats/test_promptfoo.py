"""promptfoo: known assertions are evaluated here, the others are named, and nothing is run or fetched."""

from pathlib import Path

import pytest
import yaml

from rag.errors import RagError
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.formats import read_cases, write_cases
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
        ("- vars: {question: q}\n  assert: [{type: javascript, value: 'x'}]\n", "line 1", "javascript"),
        ("- vars: {question: q}\n  assert: [{type: contains, value: 'file://x.txt'}]\n", "line 1", "contains of a file"),
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
        ("a: &a [x, x]\ntests: [*a, *a]\n", "aliases"),
        ("!!python/object/apply:os.system [echo]", "not YAML"),
        ("tests: file://other.yaml", "no list of tests"),
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
    assert "without its assertions llm-rubric" in found.problems[0].message


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
