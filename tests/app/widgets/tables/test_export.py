"""Lists as text: what a spreadsheet must not run, what JSON cannot hold, and files that cannot be written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.widgets.tables.export import Export, Form, all_as_json, as_json, csv_lines, tabbed


@dataclass(frozen=True)
class Score:
    """A record with parts of every kind."""

    name: str
    value: float
    tags: tuple[str, ...]


def cells(record: object) -> list[str]:
    return [str(record)]


def test_cells_that_a_spreadsheet_would_run_are_guarded_and_numbers_stay_numbers() -> None:
    assert csv_lines([["=1+1", "-0.05", "1,217", "+a", "plain, with a comma"]]) == (
        '\'=1+1,-0.05,"1,217",\'+a,"plain, with a comma"\n'
    )


def test_cells_with_lines_and_tabs_stay_in_their_column() -> None:
    assert tabbed([["a\nb", "c\td"], ["e", "f"]]) == "a b\tc d\ne\tf"


def test_a_record_is_written_with_all_its_parts_and_no_number_that_json_lacks() -> None:
    written = json.loads(as_json(Score("a", float("nan"), ("x", "y")), ["Name"], cells))
    assert written == {"name": "a", "value": None, "tags": ["x", "y"]}
    assert json.loads(as_json({"question": "é"}, [], cells)) == {"question": "é"}
    assert json.loads(as_json(("a", 1), ["Name"], cells)) == {"Name": "('a', 1)"}
    assert json.loads(all_as_json([{"a": 1}], [], cells)) == {"a": 1}
    assert json.loads(all_as_json([{"a": 1}, {"a": 2}], [], cells)) == [{"a": 1}, {"a": 2}]


def test_nothing_to_write_is_a_file_all_the_same(qtbot: QtBot, tmp_path: Path) -> None:
    owner = QObject()
    for form, text in ((Form.CSV, "\ufeffName\n"), (Form.JSON, "[\n]\n")):
        path = tmp_path / f"empty.{form}"
        export = Export(path, form, ["Name"], cells, lambda _offset, _limit: [], owner)
        with qtbot.waitSignal(export.ended) as ended:
            pass
        assert ended.args == [f"0 rows were written to empty.{form}.", True]
        assert path.read_text("utf-8") == text


def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    owner = QObject()
    export = Export(tmp_path / "missing" / "a.csv", Form.CSV, ["Name"], cells, lambda _o, _l: [], owner)
    with qtbot.waitSignal(export.ended) as ended:
        pass
    sentence, worked = ended.args
    assert sentence.startswith("a.csv could not be written: ")
    assert not worked
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_stays_until_all_is_written(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")
    owner = QObject()
    seen: list[str] = []

    def fetch(offset: int, limit: int) -> list[str]:
        seen.append(path.read_text())
        return ["x"] * (limit if offset == 0 else 1)

    export = Export(path, Form.CSV, ["Name"], cells, fetch, owner)
    with qtbot.waitSignal(export.ended):
        pass
    assert seen == ["before", "before"]
    assert path.read_text("utf-8").count("x") == 1001
