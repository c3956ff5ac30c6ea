"""Binary workbooks are read by a process of their own, whose end is one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sample_files import ROOT, write, xlsx

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.sheets.workbook import parse_workbook


def test_an_old_workbook_that_ends_its_reader_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.parsing.sheets import apart

    class Aborted:
        returncode, stdout = -6, b""

    monkeypatch.setattr(apart.subprocess, "run", lambda *_, **__: Aborted())
    with pytest.raises(DocumentError, match="damaged or too large"):
        parse_file(write(tmp_path, "a.xls", b"\xd0\xcf\x11\xe0" + bytes(600)))


def test_an_old_workbook_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="workbook is damaged"):
        parse_file(write(tmp_path, "a.xls", b"\xd0\xcf\x11\xe0" + bytes(600)))


def test_a_binary_workbook_is_read_by_a_process_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="damaged"):
        parse_workbook(write(tmp_path, "a.xlsb", xlsx(("A1", "not binary"))))


def test_the_process_of_its_own_answers_in_json(tmp_path: Path) -> None:
    path = write(tmp_path, "a.xlsx", xlsx(("A1", "Part"), ("B1", "Price"), ("A2", "Vane"), ("B2", 31)))
    code = "from rag.parsing.sheets.apart import answer; answer()"
    for given_path, key in ((path, "sheets"), (write(tmp_path, "b.xlsx", "not a workbook"), "refused")):
        done = subprocess.run(
            [sys.executable, "-c", code, str(given_path)], capture_output=True, check=True, cwd=ROOT
        )
        reply = json.loads(done.stdout)
        assert list(reply) == [key]
    assert "damaged" in reply["refused"]
