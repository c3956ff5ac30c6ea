"""SQuAD: a paragraph is the relevant passage of its questions."""

import json
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import read_cases, write_cases
from tests.rag.evaluation.formats.examples import read_text_as, squad


def test_squad_paragraphs_are_judgements(tmp_path: Path) -> None:
    first, second = read_cases(squad(tmp_path)).cases
    assert first.references == ("sourdough",)
    assert first.judgements[0].quote.startswith("Rye bread")
    assert first.cluster == "Bread"
    assert second.should_refuse
    assert second.judgements[0].grade == 0
    target = tmp_path / "v2.json"
    write_cases([first], target, "squad")
    written = json.loads(target.read_text())
    assert written["version"] == "1.1"
    assert written["data"][0]["paragraphs"][0]["qas"][0]["answers"] == [
        {"text": "sourdough", "answer_start": 16}
    ]


def test_an_unanswerable_case_makes_the_file_version_2(tmp_path: Path) -> None:
    target = tmp_path / "v2.json"
    write_cases(read_cases(squad(tmp_path)).cases, target, "squad")
    written = json.loads(target.read_text("utf-8"))
    assert written["version"] == "v2.0"
    assert [qa["is_impossible"] for qa in written["data"][0]["paragraphs"][0]["qas"]] == [False, True]


def test_cases_of_one_document_share_an_article_and_of_one_passage_a_paragraph(tmp_path: Path) -> None:
    def case(key: str, quote: str, cluster: str) -> Case:
        return Case(key=key, question=key, judgements=(Judgement(quote=quote),), cluster=cluster)

    target = tmp_path / "a.json"
    cases = [case("1", "one", "A"), case("2", "one", "A"), case("3", "two", "A"), case("4", "one", "B")]
    write_cases(cases, target, "squad")
    data = json.loads(target.read_text("utf-8"))["data"]
    assert [(a["title"], [len(p["qas"]) for p in a["paragraphs"]]) for a in data] == [
        ("A", [2, 1]),
        ("B", [1]),
    ]


def test_a_reference_outside_the_passage_has_no_place(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_cases([Case(key="1", question="q", references=("elsewhere",))], target, "squad")
    paragraph = json.loads(target.read_text("utf-8"))["data"][0]["paragraphs"][0]
    assert paragraph["context"] == ""
    assert paragraph["qas"][0]["answers"] == [{"text": "elsewhere", "answer_start": -1}]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"data": [{"paragraphs": [{"qas": [{"id": "x", "question": "q"}]}]}]}', "item 1", "context"),
        ('{"data": [5]}', "item 1", "paragraphs"),
        ('{"data": [{"paragraphs": [{"context": "c", "qas": [{"answers": [1], "question": "q"}]}]}]}', "item 1", "no id: an answer is not an object"),
        ('{"data": [{"paragraphs": [{"context": "c", "qas": [{"answers": 1, "question": "q"}]}]}]}', "item 1", "answers is not a list"),
        ('{"data": [{"paragraphs": [{"context": "c"}]}]}', "item 1", "a paragraph needs qas"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, place: str, message: str) -> None:
    found = read_text_as(tmp_path, "a.json", text, "squad")
    assert found.problems[0].place == place
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not JSON"), ("{}", "no list “data”"), ("[]", "not SQuAD")]
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        read_text_as(tmp_path, "a.json", text, "squad")
