"""DeepEval goldens: names in either spelling, in JSON or JSONL."""

import json
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import read_cases, write_cases
from tests.rag.evaluation.formats.examples import deepeval, read_text_as


def test_deepeval_contexts_are_quotes(tmp_path: Path) -> None:
    one, two = read_cases(deepeval(tmp_path)).cases
    assert (one.references, one.cluster, one.judgements[0].quote) == (("1",), "numbers.txt", "It is one.")
    assert two.key == "two"


def test_a_source_without_a_context_is_a_judged_document(tmp_path: Path) -> None:
    (case,) = read_text_as(tmp_path, "a.json", '[{"input": "q", "source_file": "a.txt"}]', "deepeval").cases
    assert case.judgements == (Judgement(document="a.txt"),)
    assert case.cluster == "a.txt"


@pytest.mark.parametrize("key", ["goldens", "data"])
def test_goldens_may_be_in_an_object_or_in_lines(tmp_path: Path, key: str) -> None:
    found = read_text_as(tmp_path, "a.json", json.dumps({key: [{"input": "q"}]}), "deepeval")
    assert [case.question for case in found.cases] == ["q"]
    lines = read_text_as(tmp_path, "a.jsonl", '{"input": "q1"}\n{"input": "q2"}\n', "deepeval")
    assert [case.question for case in lines.cases] == ["q1", "q2"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('[{"input": "q"}, 5, {"input": ""}]', "item 2", "not an object"),
        ('[{"scenario": "s", "input": "q"}]', "item 1", "conversational"),
        ('[{"input": ""}]', "item 1", "input is missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, place: str, message: str) -> None:
    found = read_text_as(tmp_path, "a.json", text, "deepeval")
    assert found.problems[0].place == place
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "message"), [("[" * 100_000, "not JSON"), ('{"other": []}', "not a list of DeepEval")]
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        read_text_as(tmp_path, "a.json", text, "deepeval")


def test_what_a_system_did_is_told_as_not_used(tmp_path: Path) -> None:
    golden = {
        "input": "Who?", "expectedOutput": "the baker", "actualOutput": "the cook", "retrievalContext": ["a"],
        "toolsCalled": [{"name": "t"}], "additionalMetadata": {"a": 1}, "comments": "", "context": ["b"],
    }  # fmt: skip
    found = read_text_as(tmp_path, "a.json", json.dumps([golden]))
    assert (found.format_name, found.cases[0].references) == ("deepeval", ("the baker",))
    assert [j.quote for j in found.cases[0].judgements] == ["b"]
    reasons = {one.name: one.why for one in found.unused}
    assert set(reasons) == {"actualOutput", "retrievalContext", "toolsCalled", "additionalMetadata"}
    assert reasons["retrievalContext"] == "it is what a system retrieved, not what is relevant"


def test_contexts_in_a_cell_are_separated_by_bars(tmp_path: Path) -> None:
    text = "input,actual_output,expected_output,context\nWho?,the cook,the baker,one|two\n"
    found = read_text_as(tmp_path, "a.csv", text)
    assert found.format_name == "deepeval"
    assert [j.quote for j in found.cases[0].judgements] == ["one", "two"]


def test_quotes_that_are_not_relevant_are_not_a_context(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    case = Case(
        key="k",
        question="q",
        judgements=(Judgement(document="d", quote="x"), Judgement(quote="not relevant", grade=0)),
    )
    assert write_cases([case], path, "deepeval") == ("judgements (of 1 case)", "cluster (of 1 case)")
    (golden,) = json.loads(path.read_text("utf-8"))
    assert golden == {
        "input": "q",
        "expected_output": None,
        "context": ["x"],
        "source_file": "d",
        "name": "k",
    }
