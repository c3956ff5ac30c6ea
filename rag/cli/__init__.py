"""Defines the command line, which does what the window does, without a window.

With --json, one JSON document goes to stdout and everything else to stderr. Exit codes: 0 done, 1 refused
with a sentence, 2 wrong usage, 3 a gate was not passed or a check found something (`monitor --check`), 130
cancelled with Ctrl+C.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rag.cli import (
    asking,
    chroma,
    costs,
    data,
    finding,
    flags,
    installation,
    knowledge,
    monitoring,
    prompts,
    retrieval,
    review,
    serving,
    versions,
)
from rag.cli.endpoints import commands as endpoint_commands  # they belong to `models`
from rag.cli.evaluation import cascades, pipelines, runs, sets
from rag.cli.governance import audit, policies, report, retention, safety, subject
from rag.cli.interchange import (
    exports,  # noqa: F401 - adds `traces export`, `send` and `export-queue`
    imports,  # noqa: F401 - adds `traces import`
    steps,  # noqa: F401 - adds `traces steps` and its like
)
from rag.cli.printing.screen import close_output, prepare
from rag.cli.replay import commands as _replay  # noqa: F401 - adds to `traces`
from rag.cli.sessions import commands as sessions
from rag.cli.terminal import CANCELLED, CancelledError, Data, give_json, log, opener, plain, screen
from rag.errors import RagError, of_the_disk

if TYPE_CHECKING:
    from rag.workspace import Workspace

app = typer.Typer(
    name="ragdeck",
    help="Version your knowledge, ask it through a local model, and see how every answer came about.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (
    knowledge, versions, retrieval, asking, sessions, review, prompts, sets, runs, pipelines, cascades,
    monitoring, costs, data, flags, installation, chroma, finding, serving, endpoint_commands,
    safety, report, policies, audit, retention, subject,
):  # fmt: skip
    app.add_typer(part.app)
give_json(app)

CANCELLED_CODE = 130  # what shells say of a program that Ctrl+C ended


@app.callback()
def _before_the_command(data: Data = None) -> None:
    """Version your knowledge, ask it through a local model, and see how every answer came about."""


def run(
    arguments: list[str] | None = None,
    open_folder: Callable[[Path, str], Workspace] | None = None,
    print_pdf: report.Printer | None = None,
) -> int:
    """Run one command and return the exit code.

    Args:
        arguments: Those of the command line; None: of this process.
        open_folder: What opens the data folder for a purpose; None: Workspace, with the models of its
            settings.
        print_pdf: What prints a report: the library for it is the window's. None: there is none.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    prepare(screen, log)
    token, printing = opener.set(open_folder), report.printer.set(print_pdf)
    try:
        return _run(arguments)
    finally:
        opener.reset(token)
        report.printer.reset(printing)


@cache
def _command() -> Callable[..., Any]:
    """Return the command line as Click knows it; Typer takes 0.15 s to make it of all signatures."""
    return typer.main.get_command(app)


def _run(arguments: list[str] | None) -> int:
    try:
        result = _command()(arguments, standalone_mode=False)
        sys.stdout.flush()
        if result == CANCELLED_CODE:  # Typer makes this of a KeyboardInterrupt, without a word
            return _refuse(CANCELLED, CANCELLED_CODE)
        return int(result) if isinstance(result, int) else 0
    except RagError as error:
        return _refuse(str(error))
    except (CancelledError, KeyboardInterrupt) as error:
        return _refuse(str(error) or CANCELLED, CANCELLED_CODE)
    except typer.Abort:
        return _refuse("Cancelled. Nothing was changed.")
    except typer.Exit as ended:
        return ended.exit_code
    except (BrokenPipeError, SystemExit):  # Typer and rich make the second of the first
        close_output()
        return 0
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a click usage error
            error.show()
            return 2
        if refusal := _sentence_of(error):
            return _refuse(refusal)
        raise


def _sentence_of(error: Exception) -> str:
    """Return what an error of the disk or of the console means for the person; nothing for a bug."""
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        return (
            "A word of the command line is not text in the character set of this console. Write it again, or "
            "set the console to UTF-8."
        )
    return str(of_the_disk(error) or "")


def _refuse(sentence: str, code: int = 1) -> int:
    log.print(plain(sentence), style="red" if log.is_terminal else None, highlight=False, soft_wrap=True)
    return code
