"""Defines the command line, which does what the window does, without a window.

With --json, one JSON document goes to stdout and everything else to stderr. Exit codes: 0 done, 1 refused
with a sentence, 2 wrong usage, 3 a gate was not passed or a check found something (`monitor --check`).
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
    data,
    evaluation,
    installation,
    knowledge,
    monitoring,
    pipelines,
    prompts,
    retrieval,
    review,
    sets,
    versions,
)
from rag.cli.terminal import log, opener, plain
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
    knowledge, versions, retrieval, asking, review, prompts, sets, evaluation, pipelines, monitoring,
    data, installation, chroma,
):  # fmt: skip
    app.add_typer(part.app)


def run(
    arguments: list[str] | None = None, open_folder: Callable[[Path, str], Workspace] | None = None
) -> int:
    """Run one command and return the exit code.

    Args:
        arguments: Those of the command line; None: of this process.
        open_folder: What opens the data folder for a purpose; None: Workspace, with the models of its
            settings.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    token = opener.set(open_folder)
    try:
        return _run(arguments)
    finally:
        opener.reset(token)


@cache
def _command() -> Callable[..., Any]:
    """Return the command line as Click knows it; Typer takes 0.15 s to make it of all signatures."""
    return typer.main.get_command(app)


def _run(arguments: list[str] | None) -> int:
    try:
        result = _command()(arguments, standalone_mode=False)
        return int(result) if isinstance(result, int) else 0
    except RagError as error:
        return _refuse(str(error))
    except (typer.Abort, KeyboardInterrupt):
        return _refuse("Cancelled. What was reported as done is saved.")
    except typer.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        return 0
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # a click usage error
            error.show()
            return 2
        if refusal := of_the_disk(error):
            return _refuse(str(refusal))
        raise


def _refuse(sentence: str) -> int:
    log.print(plain(sentence), style="red" if log.is_terminal else None, highlight=False, soft_wrap=True)
    return 1
