"""Reading and writing of files, and the values that entries are made of."""

from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.formats.entries import (
    Account,
    Problem,
    Unused,
    as_list,
    as_texts,
    convert_each,
    read_json,
    read_json_lines,
    read_lines,
    read_text,
    required_text,
    write_json_lines,
    write_text,
)


def test_a_problem_is_one_sentence_with_its_place() -> None:
    assert Problem("line 7", "this is not JSON").sentence() == "line 7: this is not JSON."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_text_is_read_in_any_encoding_with_line_feeds(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Brücke\r\nzwei\rdrei\n".encode(encoding))
    assert read_text(path) == "Brücke\nzwei\ndrei\n"


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RagError, match="cannot be read"):
        read_text(tmp_path / "missing")
    path = tmp_path / "large"
    path.write_bytes(b"12345")
    assert read_text(path, 5) == "12345"
    with pytest.raises(RagError, match="5 bytes, more than the 4 that are read"):
        read_text(path, 4)


def test_lines_have_their_number_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n\n  \nfour\u2028still four\n", "utf-8")
    assert list(read_lines(path)) == [("line 1", "one"), ("line 4", "four\u2028still four")]


def test_json_lines_are_objects_or_problems(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n[1]\n{\n' + "[" * 100_000 + "\n", "utf-8")
    found = list(read_json_lines(path))
    assert found[0] == ("line 1", {"a": 1})
    assert found[1] == ("line 2", Problem("line 2", "each line must be a JSON object"))
    assert [problem.message[:16] for _, problem in found[2:]] == ["this is not JSON"] * 2


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_json_lines(path, [{"text": "Zeile\u2028eins"}, {"text": "zwei"}])
    assert [item for _, item in read_json_lines(path)] == [{"text": "Zeile\u2028eins"}, {"text": "zwei"}]
    write_text(path, '["half a pair \ud800"]')
    assert read_text(path)


def test_a_json_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text in ("{", "[" * 100_000):
        path.write_text(text, "utf-8")
        with pytest.raises(RagError, match=r"a\.json is not JSON"):
            read_json(path)
    path.write_text("[1, 2]", "utf-8")
    assert read_json(path) == [1, 2]


def test_lists_and_texts_are_checked() -> None:
    assert as_list(None, "x") == []
    assert as_list([1], "x") == [1]
    with pytest.raises(ValueError, match="x is not a list"):
        as_list("text", "x")
    assert as_texts("one", "x") == ["one"]
    assert as_texts(["one", " ", "two"], "x") == ["one", "two"]
    assert as_texts(None, "x") == []
    with pytest.raises(ValueError, match="x is not a list of texts"):
        as_texts([1], "x")


def test_a_required_text_is_missing_blank_or_there() -> None:
    assert required_text({"x": "yes"}, "x") == "yes"
    for item in ({}, {"x": " "}, {"x": 7}):
        with pytest.raises(ValueError, match="x is missing or not a text"):
            required_text(item, "x")


def test_entries_that_cannot_be_converted_are_problems_at_their_place() -> None:
    bad = Problem("line 1", "bad already")

    def convert(item: dict[str, object], account: Account) -> dict[str, object]:
        account.leave_others(item, ("q",), {"left": "for a reason"})
        if "wrong" in item:
            raise ValueError("it is wrong")
        return {"question": item["q"]}

    entries = [
        ("line 1", bad),
        ("line 2", 5),
        ("line 3", {"wrong": 1}),
        ("line 4", {"q": "?", "left": 1, "empty": ""}),
    ]
    assert list(convert_each(entries, convert)) == [
        ("line 1", bad),
        ("line 2", Problem("line 2", "this is not an object")),
        ("line 3", Problem("line 3", "it is wrong")),
        ("line 4", {"question": "?"}),
        ("line 4", Unused("left", "for a reason")),
    ]
