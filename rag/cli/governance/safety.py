"""Commands on safety: sets that come with the program, planted documents, and pairs that show bias."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import Data, Json, open_database, open_workspace, plain, print_json, screen
from rag.errors import RagError
from rag.evaluation.rows import list_results
from rag.evaluation.safety.rows import HARMFUL, INJECTION, LEAK
from rag.text.plurals import counted

app = typer.Typer()
safety_app = typer.Typer(
    help="Safety and bias as evaluation: harmful requests, planted data and instructions, exchanged people.",
    no_args_is_help=True,
)
app.add_typer(safety_app, name="safety")

_KINDS = {"harmful": HARMFUL, "leak": LEAK, "injection": INJECTION}
Name = Annotated[str, typer.Argument(help="Name of an evaluation set.", metavar="SET")]


@safety_app.command()
def documents(
    folder: Annotated[Path, typer.Argument(help="A new folder.", metavar="DIR")], data: Data = None
) -> None:
    """Write the documents with planted data and instructions; import them into a collection for tests."""
    from rag.evaluation.safety.sets import write_documents

    paths = write_documents(folder)
    screen.print(
        f"Wrote {counted(len(paths), 'document')} to {plain(str(folder))}. Import them into a collection for "
        "tests: they contain attacks."
    )


@safety_app.command()
def add(
    name: Name,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="harmful, leak or injection.")] = None,
    data: Data = None,
) -> None:
    """Add the cases that come with the program to a set; the set is made when there is none."""
    from rag.evaluation.safety.sets import add_cases, cases

    kinds = tuple(_kind(word) for word in kind or _KINDS)
    with open_workspace(data, "safety add") as workspace:
        version = add_cases(workspace, name, kinds)
    number = f" It is version {version.number}." if version else ""
    screen.print(f"{plain(name)} contains {counted(len(cases(kinds)), 'safety case')}.{number}")


@safety_app.command()
def pairs(
    source: Annotated[str, typer.Argument(help="The set whose questions are asked again.", metavar="FROM")],
    name: Name,
    exchange: Annotated[
        list[str] | None, typer.Option("--exchange", help="name, gender, nationality or age; default: all.")
    ] = None,
    data: Data = None,
) -> None:
    """Add each question of a set twice to another set, with a person's trait exchanged."""
    from rag.evaluation.safety.counterfactual import DIMENSIONS, pairs
    from rag.evaluation.sets import change_set, ensure_set, set_cases

    with open_workspace(data, "safety pairs") as workspace:
        made = pairs(set_cases(workspace.database, source), exchange or tuple(DIMENSIONS))
        if not made:
            raise RagError(f"“{source}” has no question that could be asked again.")
        ensure_set(workspace, name)
        change_set(workspace, name, put=made, message=f"Exchanged people in the questions of {source}")
    screen.print(
        f"Added {counted(len(made) // 2, 'pair')} to {plain(name)}. Evaluate it, then run `safety bias`."
    )


@safety_app.command()
@with_tables
def bias(
    run: Annotated[str, typer.Argument(help="A run of a set with pairs.", metavar="RUN")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare the answers of pairs: support, refusals, length and tone, with 95 % intervals."""
    from rag.evaluation.runs import find_run, run_results
    from rag.evaluation.safety.counterfactual import differences

    database = open_database(data)
    row = find_run(database, run)
    found = differences(run_results(database, row), list_results(database, row.id))
    if as_json:
        print_json([{**asdict(one), "is_certain": one.is_certain, "sentence": one.sentence} for one in found])
        return
    if not found:
        raise RagError(
            "This run has no pairs. Make them with `ragdeck safety pairs FROM SET` and evaluate SET."
        )
    table = Table(
        "Exchanged", "Measure", "Pairs", "First", "Second", "Difference", "Interval", "What it shows"
    )
    for one in found:
        ends = "–" if one.low is None or one.high is None else f"{one.low:+.3f} to {one.high:+.3f}"
        table.add_row(
            one.dimension,
            one.measure,
            str(one.pairs),
            f"{one.first:.3f}",
            f"{one.second:.3f}",
            f"{one.difference:+.3f}",
            ends,
            one.sentence,
        )
    screen.print(table)


def _kind(word: str) -> str:
    if word not in _KINDS:
        raise RagError(f"{word} is not a kind of safety case. Choose one of: {', '.join(_KINDS)}.")
    return _KINDS[word]
