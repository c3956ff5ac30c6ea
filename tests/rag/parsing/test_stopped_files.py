"""What stopped the reader is remembered by its content, until the parsers change."""

import json
from pathlib import Path

import pytest

from rag.parsing.formats import PARSER
from rag.parsing.stopped_files import StoppedFiles
from rag.parsing.worker import Why


def test_a_content_is_remembered_over_restarts_until_it_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "stopped.json"
    found = StoppedFiles(path)
    assert found.why("a") is None
    found.remember("a", Why.MEMORY)
    found.remember("b", Why.TIME)
    again = StoppedFiles(path)
    assert (again.why("a"), again.why("b"), again.why("c")) == (Why.MEMORY, Why.TIME, None)
    again.remember("a", Why.CRASH)
    again.forget("b")
    again.forget("never seen")
    assert (found.why("a"), found.why("b")) == (Why.CRASH, None)


def test_other_parsers_try_again(tmp_path: Path) -> None:
    path = tmp_path / "stopped.json"
    StoppedFiles(path).remember("a", Why.TIME)
    path.write_text(path.read_text("utf-8").replace(PARSER, "another parser"), "utf-8")
    assert StoppedFiles(path).why("a") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"parser": 3}', json.dumps({"parser": PARSER, "files": {"a": "odd"}})]
)
def test_a_file_that_says_nothing_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stopped.json"
    path.write_text(text, "utf-8")
    found = StoppedFiles(path)
    assert found.why("a") is None
    found.remember("a", Why.TIME)
    assert found.why("a") is Why.TIME
