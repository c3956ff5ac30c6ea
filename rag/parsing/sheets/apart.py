"""Reads binary workbooks (xls, xlsb) with calamine, in a process of their own.

One wrong byte in such a workbook makes calamine ask for 260 GB, which ends the process that it runs in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.sheets.lines import Area, Sheet, cell_text

READ_APART_S = 120
READ_APART_BYTES = 4 << 30


def read_apart(path: Path, _account: Account) -> Iterator[Sheet]:
    """Yield the sheets of a workbook, each with its lines as they were written in the other process."""
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from rag.parsing.sheets.apart import answer; answer()",
                str(path.absolute()),
            ],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            timeout=READ_APART_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentError(
            f"The workbook took longer than {READ_APART_S} seconds to read; save it as .xlsx and add that."
        ) from error
    if done.returncode:
        raise DocumentError(
            "The workbook is damaged or too large for the memory; save it as .xlsx and add that."
        )
    reply = json.loads(done.stdout)
    if "refused" in reply:
        raise DocumentError(reply["refused"])
    for name, is_hidden, lines in reply["sheets"]:
        yield Sheet(name, texts=lines, is_hidden=is_hidden)


def answer() -> None:
    """Read the workbook named on the command line and write JSON: the other side of read_apart."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (READ_APART_BYTES, READ_APART_BYTES))
    try:
        sheets = [(sheet.name, sheet.is_hidden, list(sheet.lines())) for sheet in _sheets(Path(sys.argv[1]))]
        reply: dict[str, Any] = {"sheets": sheets}
    except DocumentError as error:
        reply = {"refused": str(error)}
    sys.stdout.write(json.dumps(reply))


def _sheets(path: Path) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        return [
            _sheet(workbook.get_sheet_by_name(data.name), data.visible != SheetVisibleEnum.Visible)
            for data in workbook.sheets_metadata
        ]
    except CalamineError as error:
        if "password" in str(error).lower():
            raise DocumentError("The workbook is protected by a password; save a copy without it.") from error
        raise DocumentError(
            "The workbook is damaged or not a workbook; open it in its own program and save it again."
        ) from error
    except BaseException as error:
        # From Rust; it is not an Exception, so nothing else catches it.
        if type(error).__name__ != "PanicException":
            raise
        raise DocumentError(
            "The workbook is damaged; open it in its own program and save it again."
        ) from error


def _sheet(table: Any, is_hidden: bool) -> Sheet:
    sheet = Sheet(table.name, is_hidden=is_hidden)
    first_row, first_column = table.start or (0, 0)
    for number, row in enumerate(table.iter_rows(), first_row):
        cells = {column: text for column, value in enumerate(row, first_column) if (text := cell_text(value))}
        if cells:
            sheet.rows[number] = cells
    for (top, left), (bottom, right) in table.merged_cell_ranges or ():
        sheet.areas.append(Area(top, left, bottom, right))
    return sheet
