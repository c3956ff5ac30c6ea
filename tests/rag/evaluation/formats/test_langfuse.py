"""Items of Langfuse, Opik and LangSmith: objects are unpacked, and what is left is told."""

import json
from pathlib import Path

import pytest

from rag.evaluation.formats import read_cases
from tests.rag.evaluation.formats.examples import langfuse, read_text_as

TABLE = (
    "id,input,expectedOutput,metadata,status\n"
    'i1,"{""question"": ""What does rye bread need?"", ""lang"": ""en""}","{""answer"": ""sourdough""}",'
    '"{""page"": 1}",ACTIVE\n'
    "i2,Who baked it?,the baker,,ARCHIVED\n"
)


@pytest.mark.parametrize("is_table", [True, False])
def test_items_with_objects_are_unpacked(tmp_path: Path, is_table: bool) -> None:
    found = read_text_as(tmp_path, "items.csv", TABLE) if is_table else read_cases(langfuse(tmp_path))
    first, second = found.cases
    assert found.format_name == "langfuse"
    assert (first.key, first.question, first.references) == (
        "i1",
        "What does rye bread need?",
        ("sourdough",),
    )
    assert (second.key, second.question, second.references) == ("i2", "Who baked it?", ("the baker",))
    assert {one.name: one.count for one in found.unused} == {"input: lang": 1, "metadata": 1, "status": 2}


@pytest.mark.parametrize(
    "item",
    [
        {"input": {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Who?"}]},
         "expectedOutput": {"answer": "I"}, "datasetId": "d"},
        {"inputs": {"question": "Who?"}, "outputs": {"answer": "I"}},
        {"input": [{"role": "user", "content": "Who?"}], "expected_output": "I"},
        {"input": {"anything": "Who?"}, "expectedOutput": ["I"]},
    ],
)  # fmt: skip
def test_the_question_is_found_in_what_programs_write(tmp_path: Path, item: dict[str, object]) -> None:
    found = read_text_as(tmp_path, "a.jsonl", json.dumps(item) + "\n")
    (case,) = found.cases
    assert (found.format_name, case.question, case.references) == ("langfuse", "Who?", ("I",))


def test_an_object_without_a_question_is_a_problem(tmp_path: Path) -> None:
    text = json.dumps([{"input": {"a": "x", "b": "y"}, "status": "ACTIVE"}, {"input": "", "id": "1"}])
    found = read_text_as(tmp_path, "a.json", text, "langfuse")
    assert [problem.message.split(";")[0][:40] for problem in found.problems] == [
        "input is neither a text nor an object wi",
        "input is missing",
    ]
