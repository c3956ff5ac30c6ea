"""Commands of regression questions: list, add, accept, remove and run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    clock_time,
    open_workspace,
    plain,
    print_json,
    run_steps,
    screen,
)
from rag.errors import RagError
from rag.monitoring.rows import (
    RegressionState,
)

if TYPE_CHECKING:
    pass


FIRING = 3  # exit code of a check when an alert fires that nobody has acknowledged

regression_app = typer.Typer(help="Questions with a reference answer that are asked again after changes.")

Collection = Annotated[
    str, typer.Option("--collection", "-c", help="Only questions to this collection.", metavar="NAME")
]
QuestionId = Annotated[int, typer.Argument(help="Number of a regression question.", metavar="ID")]
In = Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.", metavar="NAME")]


@regression_app.callback(invoke_without_command=True)
@with_tables
def regression(
    context: typer.Context, collection: Collection = "", data: Data = None, as_json: Json = False
) -> None:
    """List the regression questions and how their last run compares with the reference."""
    if context.invoked_subcommand is None:
        list_regression(collection, data, as_json)


@regression_app.command("list")
@with_tables
def list_regression(collection: Collection = "", data: Data = None, as_json: Json = False) -> None:
    """List the regression questions and how their last run compares with the reference."""
    from rag.monitoring.regression_questions import regression_states

    with open_workspace(data, "monitor regression") as workspace:
        states = regression_states(workspace, collection)
    _show_regression(states, as_json)


@regression_app.command("add")
@with_tables
def add_regression(
    question: Annotated[str, typer.Argument(help="A question; it is asked now.", metavar="[Q]")] = "",
    collection: Annotated[str, typer.Option("--collection", "-c", metavar="NAME")] = "",
    trace: Annotated[
        str,
        typer.Option("--trace", help="Use this trace's question with its answer instead.", metavar="ID"),
    ] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a question with its answer as the reference."""
    from rag.monitoring.regression_questions import add_regression_question

    if bool(trace) == bool(question.strip()):
        raise RagError("Give either a question with --collection, or a --trace.")
    if question and not collection:
        raise RagError("Name the collection to ask with --collection.")
    with open_workspace(data, "monitor regression add") as workspace:
        state = run_steps(add_regression_question(workspace, collection, question, trace), as_json)
    _show_regression([state], as_json)


@regression_app.command("remove")
@with_tables
def remove_regression(
    question_id: QuestionId, collection: In, data: Data = None, as_json: Json = False
) -> None:
    """Remove a regression question; its traces stay."""
    from rag.monitoring.regression_questions import remove_regression_question

    with open_workspace(data, "monitor regression remove") as workspace:
        state = remove_regression_question(workspace, collection, question_id)
    _show_regression([state], as_json)


@regression_app.command("accept")
@with_tables
def accept_regression(
    question_id: QuestionId, collection: In, data: Data = None, as_json: Json = False
) -> None:
    """Accept the last answer as the new reference."""
    from rag.monitoring.regression_questions import accept_answer

    with open_workspace(data, "monitor regression accept") as workspace:
        state = accept_answer(workspace, collection, question_id)
    _show_regression([state], as_json)


@regression_app.command("run")
@with_tables
def run_regression_questions(
    collection: Collection = "",
    fail: Annotated[
        bool, typer.Option("--fail-on-change", help=f"Exit code {FIRING} when an answer changed.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Ask all regression questions again and compare the answers with the references."""
    from rag.monitoring.regression_questions import regression_states, run_all

    with open_workspace(data, "monitor regression run") as workspace:
        names = [state.collection for state in regression_states(workspace, collection)]
        if not names:
            raise RagError("There are no regression questions; add one with `monitor regression add`.")
        states = run_steps(run_all(workspace, names), as_json)
    _show_regression(states, as_json)
    changed = any(row.change for state in states for row in state.questions)
    return FIRING if fail and changed else 0


def _show_regression(states: list[RegressionState], as_json: bool) -> None:
    if as_json:
        print_json([asdict(state) | {"sentence": state.sentence()} for state in states])
        return
    for state in states:
        sentence = f"{state.collection}: {state.sentence()} {state.stale}".strip()
        screen.print(plain(sentence), highlight=False, soft_wrap=True)
        table = Table("Id", "Question", "Run", "Change", "Passages shared", "Answers' cosine", "Trace")
        for row in state.questions:
            table.add_row(
                str(row.id),
                plain(row.question),
                clock_time(row.run_ms) if row.run_ms else "never",
                "" if row.change is None else plain(row.change) or "the same",
                "" if row.passage_overlap is None else f"{row.passage_overlap:.0%}",
                "" if row.answer_similarity is None else f"{row.answer_similarity:.2f}",
                (row.trace_id or row.reference_trace_id)[:8],
            )
        if state.questions:
            screen.print(table)
    if not states:
        screen.print("There are no regression questions; add one with `monitor regression add`.")
