"""RAGAS samples: contexts by text or by id."""

import json
from pathlib import Path

import pytest

from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import read_cases, write_cases
from tests.rag.evaluation.formats.examples import ragas, read_text_as


def test_ragas_contexts_are_quotes(tmp_path: Path) -> None:
    first, second = read_cases(ragas(tmp_path)).cases
    assert first.question == "Line\u2028separated?"
    assert [j.quote for j in first.judgements] == ["One", "Two"]
    assert [j.document for j in second.judgements] == ["a.txt", "7"]


def test_ids_and_contexts_of_one_sample_belong_together(tmp_path: Path) -> None:
    text = '{"user_input": "q", "reference_contexts": ["x", "y"], "reference_context_ids": ["a", "b"]}'
    (case,) = read_text_as(tmp_path, "a.jsonl", text).cases
    assert case.judgements == (Judgement(document="a", quote="x"), Judgement(document="b", quote="y"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"user_input": [{"content": "x"}]}', "conversation"),
        ('{"user_input": "q", "reference_contexts": "x", "reference_context_ids": [1, 2]}', "length"),
        ('{"reference": "x"}', "user_input is missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    found = read_text_as(tmp_path, "a.jsonl", text, "ragas")
    assert found.problems[0].place == "line 1"
    assert message in found.problems[0].message


def test_ragas_is_read_whatever_the_file_is_called(tmp_path: Path) -> None:
    item = {
        "user_input": "Who?",
        "reference": "the baker",
        "reference_contexts": ["x", "y"],
        "persona_name": "p",
    }
    lines = json.dumps({"reference_contexts": ["x" * 9000], **item}) + "\n"
    header = "user_input,reference_contexts,reference,persona_name\n"
    texts = {
        "a.jsonl": lines,
        "b.json": json.dumps([item], indent=1),
        "c.jsonl": json.dumps([item], indent=1),
        "d.csv": f'{header}Who?,"[\'x\', ""y""]",the baker,p\n',
        "e.csv": f"{header}Who?,\"['x'\n 'y']\",the baker,p\n",  # numpy has no commas
    }
    for name, text in texts.items():
        found = read_text_as(tmp_path, name, text)
        (case,) = found.cases
        assert found.format_name == "ragas", name
        assert (case.question, case.references) == ("Who?", ("the baker",)), name
        assert [j.quote for j in case.judgements] == ["x", "y"], name
        assert [one.name for one in found.unused] == ["persona_name"], name


def test_the_generated_answer_of_a_log_is_no_reference(tmp_path: Path) -> None:
    log = {"question": "Who?", "answer": "the cook", "contexts": ["a"], "ground_truth": "the baker"}
    found = read_text_as(tmp_path, "log.jsonl", json.dumps(log) + "\n")
    (case,) = found.cases
    assert (found.format_name, case.references, case.judgements) == ("ragas", ("the baker",), ())
    assert [one.name for one in found.unused] == ["answer", "contexts"]
    newer = {
        "user_input": "Who?",
        "response": "the cook",
        "retrieved_contexts": ["a"],
        "reference": "the baker",
    }
    found = read_text_as(tmp_path, "new.jsonl", json.dumps(newer) + "\n")
    assert [one.name for one in found.unused] == ["response", "retrieved_contexts"]


def test_only_what_all_relevant_passages_have_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    cases = [
        Case(
            key="1", question="one", references=("a", "b"), judgements=(Judgement(document="d", quote="x"),)
        ),
        Case(key="2", question="two", judgements=(Judgement(document="d"), Judgement(quote="x", grade=0))),
        Case(key="3", question="three", judgements=(Judgement(document="d"), Judgement(quote="x"))),
    ]
    write_cases(cases, path, "ragas")
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [
        {"user_input": "one", "reference": "a", "reference_contexts": ["x"], "reference_context_ids": ["d"]},
        {"user_input": "two", "reference_context_ids": ["d"]},
        {"user_input": "three"},
    ]
