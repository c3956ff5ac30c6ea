"""BEIR folders and TREC qrels: grades of documents, and questions in a file of their own."""

from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.formats import read_cases, write_cases
from tests.rag.evaluation.formats.examples import FULL, beir, read_text_as, trec


def test_beir_and_trec_keep_their_grades(tmp_path: Path) -> None:
    (case,) = read_cases(beir(tmp_path)).cases
    assert [(j.document, j.grade, j.quote) for j in case.judgements] == [("d1", 2, "Rye"), ("d2", 0, "")]
    topics = read_cases(trec(tmp_path)).cases
    assert [(c.key, c.question) for c in topics] == [("401", "foreign minorities"), ("402", "genetics")]
    assert [j.grade for j in topics[0].judgements] == [1, -1]


def test_a_split_is_named_where_there_are_several(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels" / "train.tsv").write_text("2\td9\t1\n")
    assert [case.key for case in read_cases(folder).cases] == ["1"]  # test is the default
    assert [case.key for case in read_cases(folder, split="train").cases] == ["2"]
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    with pytest.raises(RagError, match=r"several qrels\. Choose one of: dev, train"):
        read_cases(folder)


def test_a_single_split_needs_no_name_and_none_at_all_is_refused(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert len(read_cases(folder).cases) == 1
    (folder / "qrels" / "dev.tsv").unlink()
    with pytest.raises(RagError, match=r"has no qrels/\*\.tsv"):
        read_cases(folder)


def test_lines_of_a_beir_folder_that_are_wrong_are_named(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n1\td1\n1\td1\tgood\n1\td1\t1\n3\td1\t1\n"
    )
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "Which?"}\nnot json\n')
    found = read_cases(folder)
    assert [case.key for case in found.cases] == ["1"]
    assert [p.place for p in found.problems] == [
        "qrels/test.tsv, line 2",
        "qrels/test.tsv, line 3",
        "queries.jsonl, line 2",
        "query 3",
    ]
    assert found.problems[3].message == "it is judged but has no text in queries.jsonl"


def test_a_beir_folder_without_a_corpus_has_no_quotes(tmp_path: Path) -> None:
    folder = beir(tmp_path)
    (folder / "corpus.jsonl").unlink()
    (case,) = read_cases(folder).cases
    assert [j.quote for j in case.judgements] == ["", ""]


def test_judgements_without_a_question_are_a_problem(tmp_path: Path) -> None:
    path = trec(tmp_path)
    with (path / "qrels.txt").open("a") as file:
        file.write("404 0 d 1\n404 0 d\n")
    found = read_cases(path)
    assert [p.place for p in found.problems] == ["qrels.txt, line 5", "topic 404"]
    with pytest.raises(RagError, match="contains white space"):
        write_cases([FULL], tmp_path / "out", "trec")


def test_trec_questions_may_be_in_another_file(tmp_path: Path) -> None:
    folder = trec(tmp_path)
    other = tmp_path / "topics.tsv"
    other.write_text("401\tanother wording\nno tab\n")
    found = read_cases(folder / "qrels.txt", "trec", queries=other)
    assert [(case.key, case.question) for case in found.cases] == [("401", "another wording")]
    assert (
        found.problems[0].sentence()
        == "topics.tsv, line 2: each line must be a topic, a tab and its question."
    )
    with pytest.raises(RagError, match=r"queries\.tsv"):
        read_text_as(tmp_path, "qrels.txt", "1 0 d 1\n", "trec")


@pytest.mark.parametrize("name", ["beir", "trec"])
def test_the_best_grade_of_a_document_is_written_once(tmp_path: Path, name: str) -> None:
    case = Case(
        key="1",
        question="q",
        judgements=(
            Judgement(document="d", start=0, end=5, grade=1),
            Judgement(document="d", start=9, end=12, grade=3),
            Judgement(quote="has no document"),
        ),
    )
    lost = write_cases([case], tmp_path / "out", name)
    assert lost == ("judgements (of 1 case)",)
    (again,) = read_cases(tmp_path / "out", name).cases
    assert again.judgements == (Judgement(document="d", grade=3),)
