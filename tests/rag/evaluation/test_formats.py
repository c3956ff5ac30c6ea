"""Files of other tools: what they hold arrives, what is wrong is named by its place, and back and forth is the same."""

import contextlib
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.formats import FORMATS, format_of, read_cases, write_cases
from rag.evaluation.formats.csv_files import csv_headers
from rag.evaluation.formats.entries import Imported

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Bread",
            "paragraphs": [
                {
                    "context": "Rye bread needs sourdough and 12 hours of rest.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "What does rye bread need?",
                            "answers": [
                                {"text": "sourdough", "answer_start": 16},
                                {"text": "sourdough", "answer_start": 16},
                            ],
                            "is_impossible": False,
                        },
                        {"id": "q2", "question": "Who baked it?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}
PROMPTFOO = """
# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json
prompts: [a.txt]
tests:
  - vars: {question: "What does rye bread need?"}
    assert:
      - type: contains
        value: sourdough
      - type: is-json
        value: {type: object}
      - type: similar
        value: sourdough and rest
  - vars:
      question: Who baked it?
    assert: [{type: is-refusal}]
"""


def squad(folder: Path) -> Path:
    path = folder / "squad.json"
    path.write_text(json.dumps(SQUAD), "utf-8")
    return path


def beir(folder: Path) -> Path:
    made = folder / "beir"
    (made / "qrels").mkdir(parents=True)
    (made / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "", "text": "Rye"}\n{"_id": "d9", "text": "-"}\n'
    )
    (made / "queries.jsonl").write_text('{"_id": "1", "text": "Which?"}\n{"_id": "2", "text": "Train"}\n')
    (made / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t0\n")
    return made


def trec(folder: Path) -> Path:
    made = folder / "trec"
    made.mkdir()
    (made / "qrels.txt").write_text("401 0 FT-1 1\n401 0 FT-2 -1\n402\t0\tFT-3\t0\n")
    (made / "queries.tsv").write_text("401\tforeign minorities\n402\tgenetics\n403\tunused\n")
    return made


def ragas(folder: Path) -> Path:
    path = folder / "ragas.jsonl"
    item = {
        "user_input": "Line\u2028separated?",
        "reference": "Yes.",
        "reference_contexts": ["One", "Two"],
        "response": "ignored",
    }
    ids = {"user_input": "By id?", "reference_context_ids": ["a.txt", 7]}
    path.write_text("\n".join(json.dumps(i, ensure_ascii=False) for i in (item, ids)), "utf-8")
    return path


def promptfoo(folder: Path) -> Path:
    path = folder / "promptfoo.yaml"
    path.write_text(PROMPTFOO, "utf-8")
    return path


def deepeval(folder: Path) -> Path:
    path = folder / "goldens.json"
    goldens = [
        {"input": "One?", "expectedOutput": "1", "context": ["It is one."], "sourceFile": "numbers.txt"},
        {"input": "Two?", "expected_output": "2", "name": "two", "additional_metadata": {"x": 1}},
    ]
    path.write_text(json.dumps(goldens), "utf-8")
    return path


FULL = Case(
    key="k1",
    question="Was heißt „Brot“?\nZeile zwei",
    references=("bread", "loaf"),
    judgements=(
        Judgement(document="a b.txt", start=3, end=9, grade=2, quote="quoted"),
        Judgement(quote="nur ein Zitat"),
        Judgement(document="whole.pdf", grade=0),
    ),
    should_refuse=True,
    tags=("hard", "de"),
    weight=2.5,
    checks=(Check(type="length", value={"max": 80}), Check(type="regex", value="^B")),
    cluster="a b.txt",
)


def own(folder: Path) -> Path:
    path = folder / "own.jsonl"
    write_cases([FULL, Case(key="k2", question="Short?")], path, "ragdeck")
    return path


def table(folder: Path) -> Path:
    path = folder / "cases.csv"
    path.write_bytes(
        "\ufeffQuery;Answer;Source;Unanswerable;Weight\r\n"
        '"Was, wie?";"eins\r\nzwei";tides.txt#4-18;no;2\r\n'
        ";leer;;;\r\n"
        "Wer?;;;YES;\r\n".encode("utf-16")
    )
    return path


MAKERS = {
    "squad": squad,
    "beir": beir,
    "trec": trec,
    "ragas": ragas,
    "promptfoo": promptfoo,
    "deepeval": deepeval,
    "ragdeck": own,
    "csv": table,
}


@pytest.mark.parametrize("name", FORMATS)
def test_import_export_import_gives_the_same_cases(name: str, tmp_path: Path) -> None:
    path = MAKERS[name](tmp_path)
    assert format_of(path).name == name
    first = read_cases(path)
    assert first.cases
    target = tmp_path / ("again" + path.suffix)
    assert write_cases(first.cases, target, name) == ()
    second = read_cases(target, name)
    assert second.problems == ()
    assert [c.content for c in second.cases] == [c.content for c in first.cases]


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


def test_beir_and_trec_keep_their_grades(tmp_path: Path) -> None:
    (case,) = read_cases(beir(tmp_path)).cases
    assert [(j.document, j.grade, j.quote) for j in case.judgements] == [("d1", 2, "Rye"), ("d2", 0, "")]
    topics = read_cases(trec(tmp_path)).cases
    assert [(c.key, c.question) for c in topics] == [("401", "foreign minorities"), ("402", "genetics")]
    assert [j.grade for j in topics[0].judgements] == [1, -1]


def test_ragas_and_deepeval_contexts_are_quotes(tmp_path: Path) -> None:
    first, second = read_cases(ragas(tmp_path)).cases
    assert first.question == "Line\u2028separated?"
    assert [j.quote for j in first.judgements] == ["One", "Two"]
    assert [j.document for j in second.judgements] == ["a.txt", "7"]
    one, two = read_cases(deepeval(tmp_path)).cases
    assert (one.references, one.cluster, one.judgements[0].quote) == (("1",), "numbers.txt", "It is one.")
    assert two.key == "two"


def test_promptfoo_assertions_become_checks_and_references(tmp_path: Path) -> None:
    first, second = read_cases(promptfoo(tmp_path)).cases
    assert [c.type for c in first.checks] == ["contains", "is-json"]
    assert first.references == ("sourdough and rest",)
    assert second.should_refuse


def test_csv_of_a_spreadsheet(tmp_path: Path) -> None:
    path = table(tmp_path)
    found = read_cases(path)
    assert [p.sentence() for p in found.problems] == [
        "line 4: question: String should have at least 1 character."
    ]
    first, second = found.cases
    assert first.references == ("eins", "zwei")
    assert (first.judgements[0].start, first.judgements[0].end, first.weight) == (4, 18, 2.0)
    assert second.should_refuse
    assert csv_headers(path)[0] == "Query"
    swapped = read_cases(path, columns={"question": "Answer", "references": "Query"}).cases
    assert swapped[0].question == "eins\nzwei"
    with pytest.raises(RagError, match="no column “Frage”"):
        read_cases(path, columns={"question": "Frage"})


def bad(folder: Path, name: str, text: str, format_name: str = "") -> Imported:
    path = folder / name
    path.write_text(text, "utf-8")
    return read_cases(path, format_name)


def test_every_bad_line_is_named_and_the_good_ones_stay(tmp_path: Path) -> None:
    found = bad(
        tmp_path,
        "mixed.jsonl",
        '{"question": "good", "key": "a"}\n{"question": 7}\n\nnot json\n[1]\n'
        '{"question": "again", "key": "a"}\n{"question": "short", "documents": ["a.txt"]}\n',
    )
    assert [c.question for c in found.cases] == ["good", "short"]
    assert found.cases[1].judgements == (Judgement(document="a.txt"),)
    assert [p.place for p in found.problems] == ["line 2", "line 4", "line 5", "line 6"]
    assert found.problems[3].message == "the key a is also that of line 1"


@pytest.mark.parametrize(
    ("name", "text", "format_name", "place", "message"),
    [
        ("a.jsonl", '{"user_input": [{"content": "x"}]}', "ragas", "line 1", "conversation"),
        ("a.jsonl", '{"user_input": "q", "reference_contexts": "x", "reference_context_ids": [1, 2]}', "ragas", "line 1", "length"),
        ("a.json", '[{"input": "q"}, 5, {"input": ""}]', "deepeval", "item 2", "not an object"),
        ("a.json", '{"data": [{"paragraphs": [{"qas": [{"id": "x", "question": "q"}]}]}]}', "squad", "item 1", "context"),
        ("a.json", '{"data": [5]}', "squad", "item 1", "paragraphs"),
        ("a.yaml", "tests:\n  - vars: {question: q}\n  - vars: {other: q}\n", "promptfoo", "line 3", "none of the vars"),
        ("a.yaml", "- vars: {question: q}\n  assert: [{type: javascript, value: 'x'}]\n", "promptfoo", "line 1", "javascript"),
        ("a.csv", "question,weight\nq,much\n", "csv", "line 2", "not a number"),
        ("a.csv", "question\nWhat, when?\n", "csv", "line 2", "quote the delimiter"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    tmp_path: Path, name: str, text: str, format_name: str, place: str, message: str
) -> None:
    found = bad(tmp_path, name, text, format_name)
    assert found.problems[0].place == place
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    ("name", "text", "format_name", "message"),
    [
        ("a.json", "{", "squad", "not JSON"),
        ("a.json", "[" * 100_000, "deepeval", "not JSON"),
        ("a.json", "{}", "squad", "no list “data”"),
        ("a.yaml", "a: &a [x, x]\ntests: [*a, *a]\n", "promptfoo", "aliases"),
        ("a.yaml", "!!python/object/apply:os.system [echo]", "promptfoo", "not YAML"),
        ("a.yaml", "tests: file://other.yaml", "promptfoo", "no list of tests"),
        ("a.csv", "a,b\n1,2\n", "csv", "which column"),
        ("a.csv", 'question\n"open\n', "csv", "not a row of a CSV"),
        ("a.bin", "\x00", "", "Could not recognise"),
        ("a.csv", "question\n", "xml", "not a format"),
        ("qrels.txt", "1 0 d 1\n", "trec", "queries.tsv"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, name: str, text: str, format_name: str, message: str
) -> None:
    with pytest.raises(RagError, match=message):
        bad(tmp_path, name, text, format_name)


def test_judgements_without_a_question_are_a_problem(tmp_path: Path) -> None:
    path = trec(tmp_path)
    with (path / "qrels.txt").open("a") as file:
        file.write("404 0 d 1\n404 0 d\n")
    found = read_cases(path)
    assert [p.place for p in found.problems] == ["qrels.txt, line 5", "topic 404"]
    with pytest.raises(RagError, match="contains white space"):
        write_cases([FULL], tmp_path / "out", "trec")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(200_000_001)  # sparse
    with pytest.raises(RagError, match="200,000,001 bytes"):
        read_cases(path)


def test_writing_says_what_is_lost(tmp_path: Path) -> None:
    lost = write_cases([FULL], tmp_path / "a.jsonl", "ragas")
    assert {item.split(" ")[0] for item in lost} >= {"references", "judgements", "should_refuse", "checks"}
    assert write_cases([FULL], tmp_path / "b.yaml", "promptfoo") == ()
    assert (
        yaml.safe_load((tmp_path / "b.yaml").read_text("utf-8"))["tests"][0]["assert"][0]["type"] == "similar"
    )
    assert write_cases([FULL], tmp_path / "c.jsonl", "ragdeck") == ()
    with pytest.raises(RagError, match="not an empty folder"):
        write_cases([FULL], tmp_path, "beir")


WORDS = (
    "question user_input input vars assert type value tests metadata ragdeck data paragraphs qas context answers text "
    "id _id title is_impossible reference reference_contexts reference_context_ids expected_output source_file name "
    "judgements document documents start end grade quote checks key tags weight references should_refuse"
).split()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.text(max_size=6) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES, name=st.sampled_from(["ragdeck", "squad", "ragas", "promptfoo", "deepeval", "csv"]))
def test_any_values_are_cases_problems_or_one_sentence(tmp_path: Path, value: object, name: str) -> None:
    path = tmp_path / "any.json"
    path.write_text(json.dumps(value) + "\n", "utf-8")
    try:
        found = read_cases(path, name)
    except RagError as error:
        assert "\n" not in str(error)
    else:
        assert all(case.question.strip() and case.key for case in found.cases)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), name=st.sampled_from(sorted(FORMATS)))
def test_any_bytes_are_cases_problems_or_one_sentence(tmp_path: Path, data: bytes, name: str) -> None:
    if FORMATS[name].folder:
        made = {"beir": beir, "trec": trec}[name]
        folder = tmp_path / name
        path = folder if folder.exists() else made(tmp_path)
        (path / ("queries.jsonl" if name == "beir" else "qrels.txt")).write_bytes(data)
    else:
        path = tmp_path / "any"
        path.write_bytes(data)
    with contextlib.suppress(RagError):
        read_cases(path, name)
