"""This program's own JSONL contains all of a case."""

import json
from pathlib import Path

import pytest

from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import read_cases, write_cases
from tests.rag.evaluation.formats.examples import FULL, read_text_as


def test_every_bad_line_is_named_and_the_good_ones_stay(tmp_path: Path) -> None:
    found = read_text_as(
        tmp_path,
        "mixed.jsonl",
        '{"question": "good", "key": "a"}\n{"question": 7}\n\nnot json\n[1]\n'
        '{"question": "again", "key": "a"}\n{"question": "short", "documents": ["a.txt"]}\n',
    )
    assert [c.question for c in found.cases] == ["good", "short"]
    assert found.cases[1].judgements == (Judgement(document="a.txt"),)
    assert [p.place for p in found.problems] == ["line 2", "line 4", "line 5", "line 6"]
    assert found.problems[3].message == "the key a is also that of line 1"


def test_nothing_of_a_case_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    assert write_cases([FULL], path, "ragdeck") == ()
    (again,) = read_cases(path).cases
    assert again.content == FULL.content
    assert again.origin == "file:a.jsonl"  # a case by hand comes from the file now


def test_defaults_are_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_cases([Case(key="k", question="q")], path, "ragdeck")
    assert json.loads(path.read_text("utf-8")) == {"key": "k", "question": "q"}


def test_documents_of_the_short_form_come_after_the_judgements(tmp_path: Path) -> None:
    text = '{"question": "q", "judgements": [{"quote": "x"}], "documents": "one.txt"}'
    (case,) = read_text_as(tmp_path, "a.jsonl", text).cases
    assert case.judgements == (Judgement(quote="x"), Judgement(document="one.txt"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": "q", "documents": [1]}', "documents is not a list of texts"),
        ('{"question": "q", "documents": [], "judgements": {}}', "judgements is not a list"),
        ('{"question": "q", "reference": "red"}', "a case has no reference; it has references"),
        ('{"question": "q", "colour": "red"}', "a case has no colour"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    found = read_text_as(tmp_path, "a.jsonl", text)
    assert found.cases == ()
    assert found.problems[0].message == message
