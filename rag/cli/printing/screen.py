"""Prints on any console: signs it lacks are replaced, and what is not a terminal gets whole lines.

A table is drawn, or it is written as CSV or as lines of cells with tabs between them, where `--csv` or
`--plain` asks for it. See `with_tables`.
"""

from __future__ import annotations

import codecs
import csv
import inspect
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import wraps
from typing import IO, Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from rag.text.spreadsheets import guarded, is_number

P = ParamSpec("P")
R = TypeVar("R")

WHOLE = 1 << 20  # columns: a line of a pipe is never cut or wrapped
# Signs of our own sentences that small character sets lack, and what stands for them there.
_SPELLINGS = {
    "–": "-", "—": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "…": "...", "→": "->", "←": "<-",
    "·": ".", "×": "x", "≥": ">=", "≤": "<=", "−": "-", "•": "*", "\u00a0": " ",
}  # fmt: skip


class TableForm(StrEnum):
    """The ways in which a table is printed other than drawn."""

    CSV = "csv"
    PLAIN = "plain"


_form: ContextVar[TableForm | None] = ContextVar("table form", default=None)
_collected: ContextVar[list[str] | None] = ContextVar("collected sentences", default=None)


class Screen(Console):
    """A console that prints a table as the command was asked to; sentences beside it then go to stderr."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, or write a table as CSV or as cells with tabs."""
        form, collected = _form.get(), _collected.get()
        if collected is not None and not self.stderr:
            collected.extend(_text_of(part) for part in objects)
        elif form is None or self.stderr:
            super().print(*objects, **options)
        elif isinstance(objects[0] if objects else None, Table):
            self.file.write(table_text(objects[0], form))
        else:
            _print_whole(Screen(stderr=True)).print(*objects, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Yield what rich makes of something; no text in it can command the terminal."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text == "\r":  # rich's own, and the end of a line of progress
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)

    @property
    def is_screen(self) -> bool:
        """Whether people read along on a terminal, whose lines are short."""
        return _is_terminal(self.file) and _form.get() is None


def visible(text: str) -> str:
    """Return a text with a mark for each character that commands the terminal or turns its line around."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)


def prepare(*consoles: Console) -> None:
    """Make the standard streams print every sign, and consoles that are pipes or files print whole lines."""
    codecs.register_error("readable", _readable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="readable")
    for console in consoles:
        _print_whole(console)


def _print_whole(console: Console) -> Console:
    """Let a console that is no terminal print whole lines, whatever COLUMNS says."""
    if not _is_terminal(console.file):
        console.width = WHOLE
    return console


def _readable(error: UnicodeError) -> tuple[str, int]:
    """Spell what a character set lacks: our own signs in ASCII, others by their number."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_SPELLINGS.get(sign) or _escaped(sign) for sign in lacking), error.end


def _escaped(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode("ascii")


def _is_terminal(stream: IO[str]) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no stream at all, or a closed one
        return False


def carries_every_sign(stream: IO[str], text: str) -> bool:
    """Return whether a stream is UTF-8 and the text has no half of a surrogate pair, which UTF-8 lacks."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
            return False
        text.encode("utf-8")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


@contextmanager
def collected_sentences() -> Iterator[list[str]]:
    """Yield a list that gets the sentences which would be printed on stdout."""
    sentences: list[str] = []
    token = _collected.set(sentences)
    try:
        yield sentences
    finally:
        _collected.reset(token)


# --- tables -----------------------------------------------------------------------------------------------


def with_tables(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command that prints a table the options --plain and --csv."""
    signature = inspect.signature(command, eval_str=True)

    @wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        forms = [form for form in TableForm if options.pop(f"as_{form}", False)]
        if len(forms) + bool(options.get("as_json")) > 1:
            raise typer.BadParameter("choose one of --json, --plain and --csv.")
        if not forms:
            return command(*arguments, **options)
        token = _form.set(forms[0])
        try:
            return command(*arguments, **options)
        finally:
            _form.reset(token)

    more = [
        inspect.Parameter(f"as_{form}", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option)
        for form, option in ((TableForm.PLAIN, _Plain), (TableForm.CSV, _Csv))
    ]
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), *more]
    )
    return run


_Plain = Annotated[
    bool, typer.Option("--plain", help="Print the table without lines: a row a line, cells apart by tabs.")
]
_Csv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV for a spreadsheet.")]


def table_text(table: Table, form: TableForm) -> str:
    """Return a table as CSV or as lines of cells with tabs between them, its header first."""
    header = [_text_of(column.header) for column in table.columns]
    rows = [
        header,
        *zip(*([_text_of(cell) for cell in column.cells] for column in table.columns), strict=True),
    ]
    if form is TableForm.PLAIN:
        return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)
    written = io.StringIO(newline="")
    # A difference such as -0.05 stays a number; what is not one could be run by the spreadsheet.
    csv.writer(written, lineterminator="\n").writerows(
        [cell if is_number(cell) else guarded(cell) for cell in row] for row in rows
    )
    return written.getvalue()


def _text_of(cell: Any) -> str:
    return Text.from_markup(cell).plain if isinstance(cell, str) else str(cell)


def close_output() -> None:
    """Stop writing to a pipe whose reader has gone: the flush at the end would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
