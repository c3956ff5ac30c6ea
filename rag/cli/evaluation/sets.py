"""Commands on evaluation sets: cases by hand, from traces and from files, versions, and drafts of cases."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rag.asking.rows import TraceFilter, TraceSource, list_traces
from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Bom,
    Data,
    Json,
    clock_time,
    log,
    open_database,
    open_workspace,
    plain,
    print_json,
    run_steps,
    screen,
    shortened,
)
from rag.errors import RagError
from rag.evaluation.rows import DraftState, list_cases, list_drafts, list_set_versions, list_sets
from rag.text.plurals import counted

if TYPE_CHECKING:
    from rag.evaluation.formats.importing import ImportPlan

app = typer.Typer()
sets_app = typer.Typer(help="Evaluation sets: questions with what is known about their answers.")
app.add_typer(sets_app, name="sets")

Name = Annotated[str, typer.Argument(help="Name of the set.", metavar="SET")]
Number = Annotated[int, typer.Argument(help="Number of a version.", metavar="N")]
Message = Annotated[str, typer.Option("--message", "-m", help="What changed.")]
Version = Annotated[int | None, typer.Option("--version", help="Number; default: the current one.")]
File = Annotated[Path, typer.Argument(metavar="FILE")]
FormatName = Annotated[
    str,
    typer.Option(
        "--format",
        help="ragdeck, csv, squad, beir, trec, ragas, promptfoo, deepeval or langfuse; default: recognised.",
    ),
]


@sets_app.callback(invoke_without_command=True)
@with_tables
def sets(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """List the evaluation sets."""
    if context.invoked_subcommand is None:
        list_(data, as_json)


@sets_app.command("list")
@with_tables
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the evaluation sets."""
    rows = list_sets(open_database(data))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Set", "Version", "Cases", "Changed", "Description")
    for row in rows:
        table.add_row(
            plain(row.name),
            str(row.number or "–"),
            f"{row.case_count:,}",
            clock_time(row.changed_ms),
            plain(row.description),
        )
    screen.print(
        table if rows else "There are no evaluation sets yet. Run `ragdeck sets create SET` to make one."
    )


@sets_app.command()
def create(
    name: Name, description: Annotated[str, typer.Option("--description")] = "", data: Data = None
) -> None:
    """Make an empty set."""
    from rag.evaluation.sets import create_set

    with open_workspace(data, "sets create") as workspace:
        create_set(workspace, name, description)
    screen.print(f"Made the set {plain(name)}.")


@sets_app.command()
def rename(name: Name, new_name: Annotated[str, typer.Argument(metavar="NEW")], data: Data = None) -> None:
    """Give a set another name."""
    from rag.evaluation.sets import rename_set

    with open_workspace(data, "sets rename") as workspace:
        rename_set(workspace, name, new_name)
    screen.print(f"{plain(name)} is now called {plain(new_name)}.")


@sets_app.command()
def delete(name: Name, data: Data = None) -> None:
    """Delete a set with all its versions."""
    from rag.evaluation.sets import delete_set

    with open_workspace(data, "sets delete") as workspace:
        count = delete_set(workspace, name)
    screen.print(f"Deleted {plain(name)} with {counted(count, 'version')}.")


@sets_app.command()
@with_tables
def versions(name: Name, data: Data = None, as_json: Json = False) -> None:
    """List the versions of a set, newest first."""
    rows = list_set_versions(open_database(data), name)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Version", "Made", "Cases", "Message", "Fingerprint")
    for row in rows:
        table.add_row(
            str(row.number),
            clock_time(row.created_ms),
            f"{row.case_count:,}",
            plain(row.message),
            row.fingerprint[:16],
        )
    screen.print(table)


@sets_app.command()
@with_tables
def show(name: Name, version: Version = None, data: Data = None, as_json: Json = False) -> None:
    """List the cases of a version."""
    from rag.evaluation.cases import Case

    cases = [Case.model_validate_json(text) for text in list_cases(open_database(data), name, version)]
    if as_json:
        print_json([case.model_dump(mode="json") for case in cases])
        return
    table = Table("Key", "Question", "Reference", "Judged", "Tags")
    for case in cases:
        reference = "should decline" if case.should_refuse else " | ".join(case.references)
        table.add_row(
            plain(case.key),
            plain(shortened(case.question, 80)),
            plain(shortened(reference, 60)),
            str(len(case.judgements)),
            plain(", ".join(case.tags)),
        )
    screen.print(table)


@sets_app.command()
def add(
    name: Name,
    question: Annotated[str, typer.Argument(metavar="Q")],
    reference: Annotated[list[str] | None, typer.Option("--reference", "-r", help="A right answer.")] = None,
    document: Annotated[
        list[str] | None, typer.Option("--document", help="A relevant document, by name or path.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag")] = None,
    should_refuse: Annotated[
        bool, typer.Option("--should-refuse", help="The documents do not answer it.")
    ] = False,
    key: Annotated[str, typer.Option("--key", help="Default: made from the question.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add a case by hand."""
    from rag.evaluation.cases import make_case
    from rag.evaluation.sets import add_case

    values: dict[str, Any] = {
        "key": key,
        "question": question,
        "references": reference or [],
        "judgements": [{"document": name} for name in document or []],
        "tags": tag or [],
        "should_refuse": should_refuse,
    }
    try:
        case = make_case(values)
    except ValueError as error:
        raise RagError(f"{error}.") from error
    with open_workspace(data, "sets add") as workspace:
        case = add_case(workspace, name, case)
    _print_case(name, case, as_json)


@sets_app.command("from-trace")
def from_trace(
    name: Name,
    trace: Annotated[str, typer.Argument(help="Its id or the beginning of it.", metavar="TRACE")],
    reference: Annotated[
        str | None, typer.Option("--reference", "-r", help="The right answer; default: what was answered.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a case of a trace: its question, its answer, and the passages that it cites."""
    from rag.evaluation.sets import add_trace

    with open_workspace(data, "sets from-trace") as workspace:
        case = add_trace(workspace, name, trace, reference=reference, tags=tag or ())
    _print_case(name, case, as_json)


@sets_app.command("from-traces")
def from_traces(
    name: Name,
    trace: Annotated[
        list[str] | None, typer.Argument(help="Their ids or the beginnings of them.", metavar="TRACE...")
    ] = None,
    session: Annotated[str, typer.Option("--session", help="All questions of a session.")] = "",
    collection: Annotated[str, typer.Option("--collection", "-c", help="Only questions to it.")] = "",
    application: Annotated[
        str, typer.Option("--application", help="Questions that this application sent; see --last.")
    ] = "",
    last: Annotated[int, typer.Option("--last", min=0, help="The last N questions that people asked.")] = 0,
    tag: Annotated[list[str] | None, typer.Option("--tag")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make cases of many questions in one version of a set, which is made if there is none."""
    from rag.evaluation.sets import cases_of_traces

    with open_workspace(data, "sets from-traces") as workspace:
        chosen = list(trace or [])
        if session or last or application:
            source = TraceSource.RECEIVED if application else TraceSource.PERSON
            wanted = TraceFilter(
                session_id=session, collection=collection, application=application, source=source
            )
            chosen += [row.id for row in list_traces(workspace.database, wanted, last or 10_000)]
        found = cases_of_traces(workspace, name, list(dict.fromkeys(chosen)), tag or ())
    if as_json:
        print_json(asdict(found))
    else:
        screen.print(plain(found.sentence()), highlight=False, soft_wrap=True)


def _print_case(name: str, case: Any, as_json: bool) -> None:
    if as_json:
        print_json(case.model_dump(mode="json"))
    else:
        screen.print(f"{plain(name)} has the case {plain(case.key)}.")


@sets_app.command()
def remove(
    name: Name,
    keys: Annotated[list[str], typer.Argument(help="Keys of cases.", metavar="KEY...")],
    message: Message = "",
    data: Data = None,
) -> None:
    """Make a version without some cases."""
    from rag.evaluation.sets import change_set

    with open_workspace(data, "sets remove") as workspace:
        change_set(workspace, name, remove=keys, message=message or f"Removed {', '.join(keys)}"[:200])
    screen.print(f"Removed {counted(len(keys), 'case')} from {plain(name)}.")


@sets_app.command()
def restore(name: Name, number: Number, data: Data = None) -> None:
    """Make a version with the cases of an old one."""
    from rag.evaluation.sets import restore_version

    with open_workspace(data, "sets restore") as workspace:
        row = restore_version(workspace, name, number)
    screen.print(f"{plain(name)} now has version {row.number if row else 0}.")


@sets_app.command()
def diff(name: Name, old: Number, new: Number, data: Data = None, as_json: Json = False) -> None:
    """Show the cases that were added, removed and changed between two versions."""
    from rag.evaluation.sets import diff_sets

    found = diff_sets(open_database(data), name, old, new)
    if as_json:
        print_json(
            {
                "summary": found.sentence(),
                "added": [case.model_dump(mode="json") for case in found.added],
                "removed": [case.model_dump(mode="json") for case in found.removed],
                "changed": [[c.model_dump(mode="json") for c in pair] for pair in found.changed],
            }
        )
        return
    screen.print(f"Version {old} to {new}: {found.sentence()}")
    rows = [("added", case) for case in found.added] + [("removed", case) for case in found.removed]
    for what, case in [*rows, *(("changed", after) for _, after in found.changed)]:
        screen.print(plain(f"{what:8} {case.key}  {case.question[:90]}"), highlight=False)


@sets_app.command()
def check(
    name: Name,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")],
    dataset_version: Annotated[
        str, typer.Option("--version", help="Number or tag of a dataset version; default: the active.")
    ] = "",
    fix: Annotated[bool, typer.Option("--fix", help="Make a version with the corrections shown.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """List the judgements that a dataset version does not contain; exit code 1 when some are left."""
    from rag.evaluation.stale import check_judgements, correct_judgements

    with open_workspace(data, "sets check") as workspace:
        found = check_judgements(workspace, name, collection, dataset_version)
        done = correct_judgements(workspace, name, collection, dataset_version) if fix and found.stale else ""
    left = [one for one in found.stale if not (done and one.proposal)]
    if as_json:
        print_json({**asdict(found), "corrected": done})
        return 1 if left else 0
    for one in found.stale:
        proposal = one.proposal or "Nothing is like it."
        screen.print(plain(f"{one.case_key}: {one.label}: {proposal}"), highlight=False, soft_wrap=True)
    screen.print(plain(found.sentence()), highlight=False, soft_wrap=True)
    if done:
        screen.print(plain(done), highlight=False, soft_wrap=True)
    elif any(one.proposal for one in found.stale):
        screen.print("Use --fix to make a version with these corrections.")
    return 1 if left else 0


@sets_app.command("import")
def import_(
    name: Name,
    file: File,
    format_name: FormatName = "",
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", help="Of a CSV: a field and the header of its column.", metavar="FIELD=HEADER"
        ),
    ] = None,
    delimiter: Annotated[
        str, typer.Option("--delimiter", help="Of a CSV: comma, semicolon, tab, bar or a character.")
    ] = "",
    split: Annotated[str, typer.Option(help="Of a BEIR folder: which qrels.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be imported and what not; store nothing.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Import the good entries of a file that also has bad ones.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Add a file's cases to a set, which is made if there is none; exit code 1 when nothing was imported."""
    from rag.evaluation.formats.importing import plan_import, store_import

    columns = dict(_pair(text) for text in column or [])
    read: dict[str, Any] = {"columns": columns, "delimiter": _delimiter(delimiter), "split": split}
    if dry_run:
        plan = plan_import(open_database(data), name, file, format_name, **read)
        print_json(_plan_json(plan)) if as_json else _print_plan(name, plan, with_rows=True)
        return 0 if plan.read.cases and (skip_bad or not plan.read.problems) else 1
    with open_workspace(data, "sets import") as workspace:
        plan = plan_import(workspace.database, name, file, format_name, **read)
        if not as_json:  # before anything is replaced
            _print_plan(name, plan)
        version = store_import(workspace, name, plan, skip_bad).version
    if as_json:
        print_json({"version": asdict(version) if version else None, **_plan_json(plan)})
        return 0 if version else 1
    sentences = plan.read.problems
    if version is None:
        more = "Use --skip-bad to import the other entries." if sentences else "It contains no cases."
        log.print(plain(f"Nothing was imported from {file.name}. {more}"), highlight=False, soft_wrap=True)
        return 1
    screen.print(
        f"{plain(name)} now has version {version.number} with {counted(version.case_count, 'case')}."
    )
    return 0


@sets_app.command()
def generate(
    name: Name,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Name of the collection.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="Drafts wanted.")] = 10,
    dataset_version: Annotated[
        str | None, typer.Option("--version", help="Number or tag of a dataset version; default: the active.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Which model writes; default: the active one.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed takes the same passages.")] = 1,
    must_find: Annotated[
        bool, typer.Option("--must-find", help="Keep only questions that find their own passage.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let the local model write cases from passages; they are drafts until you `sets accept` them."""
    from rag.evaluation.drafts import generate_drafts

    with open_workspace(data, "sets generate") as workspace:
        report = run_steps(
            generate_drafts(
                workspace,
                name,
                collection,
                count,
                version=dataset_version,
                model=model,
                seed=seed,
                must_find=must_find,
            ),
            as_json,
        )
    if as_json:
        print_json(asdict(report))
    else:
        screen.print(plain(report.sentence()))


@sets_app.command()
@with_tables
def drafts(
    name: Name,
    state: Annotated[str, typer.Option(help="waiting, accepted, rejected or all.")] = DraftState.WAITING,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the drafts of a set."""
    if state != "all" and state not in set(DraftState):
        raise RagError(f"“{state}” is not a state. Choose one of: {', '.join(DraftState)}, all.")
    rows = list_drafts(open_database(data), name, None if state == "all" else DraftState(state))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = Table("Draft", "Question", "Answer", "Passage", "Checks")
    for row in rows:
        table.add_row(
            str(row.id),
            plain(row.question),
            plain(row.answer),
            plain(f"{Path(row.document).name} {row.place}"),
            plain("; ".join(mark.detail for mark in row.marks[-1:])),
        )
    screen.print(
        table if rows else f"{plain(name)} has no such drafts. Run `ragdeck sets generate` to write some."
    )


@sets_app.command()
def accept(
    draft: Annotated[int, typer.Argument(help="Its number in `sets drafts`.", metavar="DRAFT")],
    question: Annotated[str, typer.Option(help="Another question.")] = "",
    answer: Annotated[str, typer.Option(help="Another answer.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a case of a draft."""
    from rag.evaluation.drafts import accept_draft

    with open_workspace(data, "sets accept") as workspace:
        case = accept_draft(workspace, draft, question=question, answer=answer)
    _print_case("The set", case, as_json)


@sets_app.command()
def reject(
    numbers: Annotated[list[int], typer.Argument(help="Their numbers in `sets drafts`.", metavar="DRAFT...")],
    data: Data = None,
) -> None:
    """Reject drafts; their passages are not used again."""
    from rag.evaluation.drafts import reject_draft

    with open_workspace(data, "sets reject") as workspace:
        for number in numbers:
            reject_draft(workspace, number)
    screen.print(f"Rejected {counted(len(numbers), 'draft')}.")


def _plan_json(plan: ImportPlan) -> dict[str, Any]:
    from rag.evaluation.formats.importing import first_rows

    return {
        "format": plan.read.format_name,
        "cases": len(plan.read.cases),
        "added": plan.added_count,
        "same": plan.same_count,
        "replaced": [old.key for old, _ in plan.replaced],
        "problems": [problem.sentence() for problem in plan.read.problems],
        "unused": [asdict(one) for one in plan.read.unused],
        "rows": first_rows(plan.read.cases),
    }


def _print_plan(name: str, plan: ImportPlan, with_rows: bool = False) -> None:
    """Say as what a file was read, what is wrong with it, what is left of it, and what it replaces."""
    from rag.evaluation.formats.importing import first_rows

    out = screen if with_rows else log
    read = plan.read
    counts = f"{plan.added_count:,} new, {len(plan.replaced):,} replaced, {plan.same_count:,} the same"
    lines = [f"Read as {read.format_name}: {counted(len(read.cases), 'case')} ({counts})."]
    lines += [problem.sentence() for problem in read.problems]
    lines += [one.sentence() for one in read.unused]
    lines += [sentence] if (sentence := plan.replaced_sentence(name)) else []
    for line in lines:
        out.print(plain(line), highlight=False, soft_wrap=True)
    if with_rows:
        table = Table("Key", "Question", "Right answer", "Passages", "Checks", "Tags")
        for row in first_rows(read.cases):
            table.add_row(*(plain(cell[:80]) for cell in row))
        screen.print(table)
        screen.print("Nothing was stored. Run it without --dry-run to import the file.")


def _delimiter(text: str) -> str:
    """Return the character of a delimiter that may be named. Raises RagError."""
    found = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|"}.get(text.lower(), text)
    if len(found) > 1 or found in ('"', "\n", "\r"):
        raise RagError(f"--delimiter {text}: write comma, semicolon, tab, bar or one character.")
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, header = text.partition("=")
    if not equals:
        raise RagError(f"--column {text}: write FIELD=HEADER, such as question=Frage.")
    return name.strip(), header.strip()


@sets_app.command("export")
def export(
    name: Name,
    file: File,
    format_name: FormatName = "ragdeck",
    version: Version = None,
    bom: Bom = True,
    data: Data = None,
) -> None:
    """Write a version to a file or folder; what the format cannot express is listed."""
    from rag.evaluation.sets import export_set

    lost = export_set(open_database(data), name, file, format_name, version, bom)
    screen.print(f"Wrote {plain(name)} to {plain(str(file))}.")
    if lost:
        log.print(plain(f"The format cannot express: {', '.join(lost)}."), highlight=False, soft_wrap=True)
