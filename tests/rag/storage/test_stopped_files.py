"""What stopped the reader is remembered by its content, until the parsers change."""

import json
from pathlib import Path

import pytest

from rag.storage.stopped_files import StoppedFiles


def test_a_content_is_remembered_over_restarts_until_it_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "stopped.json"
    found = StoppedFiles(path, "parser/1")
    assert found.why("a") == ""
    found.remember("a", "memory")
    found.remember("b", "time")
    again = StoppedFiles(path, "parser/1")
    assert (again.why("a"), again.why("b"), again.why("c")) == ("memory", "time", "")
    again.remember("a", "crash")
    again.forget("b")
    again.forget("never seen")
    assert (found.why("a"), found.why("b")) == ("crash", "")


def test_other_parsers_try_again(tmp_path: Path) -> None:
    path = tmp_path / "stopped.json"
    StoppedFiles(path, "parser/1").remember("a", "time")
    assert StoppedFiles(path, "parser/2").why("a") == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"parser": 3}', json.dumps({"parser": "parser/1", "files": 3})]
)
def test_a_file_that_says_nothing_is_begun_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stopped.json"
    path.write_text(text, "utf-8")
    found = StoppedFiles(path, "parser/1")
    assert found.why("a") == ""
    found.remember("a", "time")
    assert found.why("a") == "time"
