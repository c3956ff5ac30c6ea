"""What holds for every format: going back and forth changes nothing, and no content of a file is a crash."""

import contextlib
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.formats import FORMATS, MOST_CASES, format_of, read_cases, write_cases
from tests.rag.evaluation.formats.examples import FULL, MAKERS, beir, read_text_as, trec


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


@pytest.mark.parametrize(
    ("name", "text", "format_name"),
    [
        ("a.csv", "question\nq\n", "csv"),
        ("a.tsv", "question\nq\n", "csv"),
        ("a.yml", "tests: []", "promptfoo"),
        ("a.qrels", "1 0 d 1\n", "trec"),
        ("a.jsonl", '{"user_input": "q"}\n', "ragas"),
        ("a.jsonl", '{"question": "q"}\n', "ragdeck"),
        ("a.json", '{"data": []}', "squad"),
        ("a.json", '[{"input": "q"}]', "deepeval"),
        ("a.txt", "401 0 FT-1 1\n", "trec"),
    ],
)
def test_a_format_is_recognised_by_the_file(tmp_path: Path, name: str, text: str, format_name: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert format_of(path).name == format_name


def test_a_folder_is_recognised_by_its_files(tmp_path: Path) -> None:
    assert format_of(beir(tmp_path)).name == "beir"
    assert format_of(trec(tmp_path)).name == "trec"
    (tmp_path / "other").mkdir()
    with pytest.raises(RagError, match="Could not recognise the format of other"):
        format_of(tmp_path / "other")


def test_an_unknown_format_or_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RagError, match="Could not recognise"):
        read_text_as(tmp_path, "a.bin", "\x00")
    with pytest.raises(RagError, match=r"“xml” is not a format\. Choose one of: ragdeck, csv"):
        read_text_as(tmp_path, "a.csv", "question\n", "xml")
    with pytest.raises(RagError, match="“xml” is not a format"):
        write_cases([FULL], tmp_path / "b", "xml")
    with pytest.raises(RagError, match="does not exist"):
        read_cases(tmp_path / "missing.csv")


def test_a_key_that_comes_twice_is_a_problem(tmp_path: Path) -> None:
    found = read_text_as(
        tmp_path, "a.jsonl", '{"question": "one", "key": "a"}\n{"question": "two", "key": "a"}\n'
    )
    assert [case.question for case in found.cases] == ["one"]
    assert found.problems[0].sentence() == "line 2: the key a is also that of line 1."


def test_a_case_without_a_key_gets_the_same_one_at_every_import(tmp_path: Path) -> None:
    text = '{"question": "one"}\n{"question": "one"}\n'
    first = read_text_as(tmp_path, "a.jsonl", text)
    again = read_text_as(tmp_path, "b.jsonl", text)
    assert [c.key for c in first.cases] == [c.key for c in again.cases]
    assert first.cases[1].key == first.cases[0].key + "-2"
    assert first.cases[0].origin == "file:a.jsonl"


def test_reading_ends_after_a_thousand_problems(tmp_path: Path) -> None:
    found = read_text_as(tmp_path, "a.jsonl", "[]\n" * 1500 + '{"question": "q"}\n', "ragdeck")
    assert len(found.problems) == 1001
    assert found.problems[-1].message == "more problems follow; the rest was not read"
    assert found.cases == ()


def test_more_cases_than_a_set_may_have_are_refused(tmp_path: Path) -> None:
    lines = "".join(f"q{number}\n" for number in range(MOST_CASES + 1))
    with pytest.raises(RagError, match="more than 100,000 cases"):
        read_text_as(tmp_path, "a.csv", "question\n" + lines)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_cases([FULL], path, "ragdeck")
    before = path.read_bytes()
    (tmp_path / ".a.jsonl.new").mkdir()  # where the new one is written first
    with pytest.raises(RagError, match="cannot be written"):
        write_cases([Case(question="other")], path, "ragdeck")
    assert path.read_bytes() == before


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
