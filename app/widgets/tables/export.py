"""Rows of a table as text: to copy, and as CSV or JSON files that are written while the window goes on."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QIODevice, QObject, QSaveFile, QTimer, Signal

from rag.text.plurals import counted
from rag.text.spreadsheets import BYTE_ORDER_MARK, guarded, is_number

_STEP = 1000  # rows that are read and written at once

Cells = Callable[[Any], list[str]]  # what a table shows of a record
Fetch = Callable[[int, int], Sequence[Any]]  # offset, limit -> records


class Form(StrEnum):
    """A format of an exported list; the value is the suffix of its file."""

    CSV = "csv"
    JSON = "json"


def tabbed(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines of cells with tabs between them."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV, guarded as the command line does: a spreadsheet runs none of its cells."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(
        [cell if is_number(cell) else guarded(cell) for cell in row] for row in rows
    )
    return written.getvalue()


def as_json(record: Any, titles: Sequence[str], cells: Cells) -> str:
    """Return a record as JSON: all that is known of it, or what the table shows if it has no named parts."""
    if is_dataclass(record) and not isinstance(record, type):
        values: Any = asdict(record)
    elif isinstance(record, dict):
        values = record
    else:
        values = dict(zip(titles, cells(record), strict=True))
    return json.dumps(_plain(values), ensure_ascii=False, indent=2)


def all_as_json(records: Sequence[Any], titles: Sequence[str], cells: Cells) -> str:
    """Return one record as a JSON object, several as a list of them."""
    written = [as_json(record, titles, cells) for record in records]
    return written[0] if len(written) == 1 else "[\n" + ",\n".join(written) + "\n]"


class Export(QObject):
    """A list that is written to a file a thousand rows at a time, so that the window stays in use.

    The file is there when all of it is: an earlier one is replaced at the end.
    """

    ended = Signal(str, bool)  # what to say, and whether it worked

    def __init__(
        self, path: Path, form: Form, titles: Sequence[str], cells: Cells, fetch: Fetch, parent: QObject
    ) -> None:
        """Begin to write.

        Args:
            path: The file.
            form: Its format.
            titles: The columns.
            cells: What the table shows of a record.
            fetch: Gives the records from an offset on, fewer than the limit at the end.
            parent: The owner in Qt's sense; the export ends with it.
        """
        super().__init__(parent)
        self._path, self._form, self._titles, self._cells, self._fetch = path, form, titles, cells, fetch
        self._count = 0
        self._file = QSaveFile(str(path), self)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._step)
        if not self._file.open(QIODevice.OpenModeFlag.WriteOnly):
            QTimer.singleShot(0, self, self._fail)
            return
        self._write(BYTE_ORDER_MARK + csv_lines([self._titles]) if form is Form.CSV else "[")
        self._timer.start()

    def _step(self) -> None:
        records = self._fetch(self._count, _STEP)
        if self._form is Form.CSV:
            self._write(csv_lines(self._cells(record) for record in records))
        else:
            for number, record in enumerate(records, self._count):
                self._write(("," if number else "") + "\n" + as_json(record, self._titles, self._cells))
        self._count += len(records)
        if len(records) < _STEP:
            self._timer.stop()
            self._write("" if self._form is Form.CSV else "\n]\n")
            if self._file.commit():
                rows = counted(self._count, "row was", "rows were")
                self.ended.emit(f"{rows} written to {self._path.name}.", True)
            else:
                self._fail()

    def _write(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "replace"))

    def _fail(self) -> None:
        self._timer.stop()
        reason = self._file.errorString()
        self.ended.emit(f"{self._path.name} could not be written: {reason}. Choose another folder.", False)


def _plain(value: Any) -> Any:
    """Return a value that JSON has: a number that is none, such as NaN, is null; other things are texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
