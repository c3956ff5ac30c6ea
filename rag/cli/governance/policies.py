"""Commands on guardrail policies: versions, labels, bindings, files, trying, measuring and reviewing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli.printing.screen import with_tables
from rag.cli.terminal import (
    Data,
    Json,
    as_plain,
    clock_time,
    finish,
    open_database,
    open_workspace,
    plain,
    print_json,
    screen,
    shortened,
)
from rag.cli.terminal import log as messages
from rag.errors import NotFoundError, RagError
from rag.guardrails.policies.rows import (
    MeasureProgress,
    Place,
    ResultFilter,
    find_policy_version,
    list_policies,
    list_policy_moves,
    list_policy_versions,
    list_results,
    read_masked,
    read_measurements,
)

app = typer.Typer()
policies_app = typer.Typer(help="Guardrail policies: what may go in, out and through, and what they found.")
app.add_typer(policies_app, name="policies")

Name = Annotated[str, typer.Argument(help="Name of the policy.", metavar="NAME")]
Reference = Annotated[str, typer.Argument(help="NAME, NAME@NUMBER or NAME@LABEL.", metavar="POLICY")]
Number = Annotated[int, typer.Argument(help="Number of a version.", metavar="N")]
Label = Annotated[str, typer.Argument(help="A label, such as production.", metavar="LABEL")]
Note = Annotated[str, typer.Option("--note", help="Why; it is stored in the log.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR")]
Collection = Annotated[str, typer.Option("--collection", "-c", help="A collection.")]


@policies_app.callback(invoke_without_command=True)
@with_tables
def policies(context: typer.Context, data: Data = None, as_json: Json = False) -> None:
    """List the policies and where they are live."""
    if context.invoked_subcommand is None:
        list_(data, as_json)


@policies_app.command("list")
@with_tables
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the policies and where they are live."""
    rows = list_policies(open_database(data))
    if as_json:
        print_json([{**asdict(row), "labels": dict(row.labels), "state": row.state} for row in rows])
        return
    if not rows:
        screen.print("There is no policy yet. Save one with `ragdeck policies save NAME FILE`.")
        return
    table = Table("Policy", "Versions", "Labels", "State")
    for row in rows:
        labels = ", ".join(f"{label} → {number}" for label, number in row.labels)
        table.add_row(plain(row.name), str(row.version_count), plain(labels), plain(row.state))
    screen.print(table)


@policies_app.command()
@with_tables
def versions(name: Name, data: Data = None, as_json: Json = False) -> None:
    """List the versions of a policy, newest first."""
    rows = list_policy_versions(open_database(data), name)
    if as_json:
        print_json([{**asdict(row), "content": row.rules} for row in rows])
        return
    table = Table("Version", "Made", "By", "Message", "Labels", "Rules", "Fingerprint")
    for row in rows:
        table.add_row(
            str(row.number), clock_time(row.created_ms), plain(row.author), plain(row.message),
            plain(", ".join(row.labels)), str(len(row.rules)), row.fingerprint,
        )  # fmt: skip
    screen.print(table)


@policies_app.command()
def show(policy: Reference, data: Data = None, as_json: Json = False) -> None:
    """Print the rules of a version as YAML; without one: production, or else the newest."""
    from rag.guardrails.policies.rules import write_yaml

    database = open_database(data)
    row = find_policy_version(database, policy)
    measured = read_measurements(database, row.id)
    if as_json:
        names = ("collection", "rule", "check", "texts", "total", "alarms", "measured_ms")
        rates = [dict(zip(names, one, strict=True)) for one in measured]
        print_json({**asdict(row), "content": row.rules, "measured": rates})
        return
    screen.print(plain(write_yaml(row.content)), highlight=False, soft_wrap=True)
    labels = f" · {', '.join(row.labels)}" if row.labels else ""
    screen.print(plain(f"Version {row.number}{labels} · fingerprint {row.fingerprint}"))
    for collection, rule, _, texts, total, alarms, _ in measured:
        screen.print(plain(f"{rule}: {alarms:,} of {total:,} {texts} of {collection}"))


@policies_app.command()
def save(
    name: Name,
    file: Annotated[str, typer.Argument(help="A YAML file with the rules; - for stdin.", metavar="FILE")],
    message: Annotated[str, typer.Option("--message", "-m", help="What changed.")] = "",
    author: Annotated[str, typer.Option("--author", help="Who; default: the user of this computer.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Save a new version of a policy; labels stay where they are, so it does not act yet."""
    from rag.governance.policies.registry import save_policy_text

    text = _text_of(file)
    with open_workspace(data, "policies save") as workspace:
        row = save_policy_text(
            workspace.store, workspace.database, name, text, message=message, author=author
        )
    if as_json:
        print_json({**asdict(row), "content": row.rules})
    else:
        screen.print(plain(f"{name} has version {row.number}, fingerprint {row.fingerprint}."))


@policies_app.command()
def label(
    name: Name, label: Label, number: Number, note: Note = "", data: Data = None, as_json: Json = False
) -> None:
    """Point a label to a version; production is what acts. A version of 0 removes the label."""
    from rag.governance.policies.registry import set_policy_label

    with open_workspace(data, "policies label") as workspace:
        move = set_policy_label(workspace.store, name, label, number or None, note=note)
    if as_json:
        print_json(asdict(move))
    else:
        where = f"points to version {number}" if number else "is removed"
        screen.print(plain(f"The label {label} of {name} {where}."))


@policies_app.command("roll-back")
def roll_back(name: Name, label: Label = "production", note: Note = "", data: Data = None) -> None:
    """Move a label back to where it was before its last move."""
    from rag.governance.policies.registry import roll_back_policy

    with open_workspace(data, "policies roll-back") as workspace:
        move = roll_back_policy(workspace.store, name, label, note=note)
    screen.print(plain(f"The label {label} of {name} points to version {move.to_number} again."))


@policies_app.command("log")
@with_tables
def moves(name: Name, data: Data = None, as_json: Json = False) -> None:
    """List the moves of a policy's labels, newest first."""
    rows = list_policy_moves(open_database(data), name)
    if as_json:
        names = ("label", "from_number", "to_number", "moved_ms", "author", "note")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = Table("When", "Label", "From", "To", "By", "Why")
    for moved, before, after, when, author, why in rows:
        table.add_row(
            clock_time(when), plain(moved), str(before or "–"), str(after or "–"), plain(author), plain(why)
        )
    screen.print(table)


@policies_app.command()
def bind(name: Name, collection: Collection = "", data: Data = None) -> None:
    """Let a policy act on a collection; without --collection on all of them and on received traces."""
    _bind(name, collection, data, True)


@policies_app.command()
def unbind(name: Name, collection: Collection = "", data: Data = None) -> None:
    """Let a policy no longer act on a collection, or on all."""
    _bind(name, collection, data, False)


@policies_app.command()
def diff(
    name: Name,
    old: Number,
    new: Annotated[int, typer.Argument(help="Number of another version.", metavar="M")],
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Print what changed between two versions, rule by rule."""
    from rag.governance.policies.registry import diff_policies

    found = diff_policies(open_database(data), name, old, new)
    if as_json:
        print_json([{"key": key, "old": a, "new": b} for key, a, b in found.changes])
        return
    for key, a, b in found.changes:
        screen.print(plain(f"{key}: {a or '(none)'} → {b or '(none)'}"), soft_wrap=True)
    if not found.changes:
        screen.print("The versions have the same rules.")


@policies_app.command()
def delete(name: Name, data: Data = None) -> None:
    """Delete a policy with its versions; what it found stays with the traces."""
    from rag.governance.policies.registry import delete_policy

    with open_workspace(data, "policies delete") as workspace:
        count = delete_policy(workspace.store, name)
    screen.print(plain(f"{name} is deleted, with {count} versions."))


@policies_app.command("export")
def export(
    folder: Folder, name: Annotated[str, typer.Argument(metavar="[NAME]")] = "", data: Data = None
) -> None:
    """Write policies as files for version control, one YAML file for each version."""
    from rag.governance.policies.files import export_policies

    written = export_policies(open_database(data), folder, name)
    screen.print(plain(f"Wrote {len(written):,} files to {folder}."))


@policies_app.command("import")
def import_(folder: Folder, data: Data = None, as_json: Json = False) -> None:
    """Read a folder that `policies export` wrote; no label moves."""
    from rag.governance.policies.files import import_policies

    with open_workspace(data, "policies import") as workspace:
        found = import_policies(workspace.store, folder)
    if as_json:
        print_json(asdict(found))
        return
    for problem in found.problems:
        messages.print(plain(problem), soft_wrap=True)
    screen.print(found.sentence())


@policies_app.command("try")
def try_(
    policy: Reference,
    text: Annotated[str, typer.Argument(help="The text; - for stdin.", metavar="TEXT")],
    place: Annotated[str, typer.Option("--place", help="question, answer, passages …")] = "question",
    collection: Collection = "",
    data: Data = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show what a policy does to a text, without storing anything."""
    from rag.governance.policies.trying import try_policy

    if place not in list(Place):
        raise RagError(f"“{place}” is no place. Choose one of {', '.join(Place)}.")
    text = sys.stdin.read() if text == "-" else text
    with open_workspace(data, "policies try") as workspace:
        found = try_policy(workspace, policy, text, place, collection)
    if as_json:
        print_json(as_plain(found))
        return
    for one in found.results:
        screen.print(
            plain(f"{one.start}–{one.end}: {one.kind} ({one.score:.2f}, {one.reason}) → {one.action}")
        )
    screen.print(plain(found.stopped or found.text), highlight=False, soft_wrap=True)
    messages.print(f"{found.milliseconds:.1f} ms")


@policies_app.command()
@with_tables
def measure(
    policy: Reference,
    collection: Annotated[str, typer.Option("--collection", "-c", help="Whose chunks and questions.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most texts of each kind.")] = 10_000,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Count how often each rule acts on your own chunks and questions, with 95 % intervals."""
    from rag.governance.policies.measuring import measure_policy

    def tell(event: MeasureProgress) -> None:
        if not as_json:
            messages.print(f"{event.texts}: {event.done:,} of {event.total:,}", end="\r")

    with open_workspace(data, "policies measure") as workspace:
        found = finish(
            measure_policy(workspace, policy, collection, limit), tell,
            lambda event: "The measurement was stopped; nothing of it is stored.",
        )  # fmt: skip
    if as_json:
        print_json(as_plain(found))
        return
    table = Table("Rule", "Texts", "Read", "Alarms", "Per 1,000 (95 %)")
    for rate in found.rates:
        table.add_row(plain(rate.rule), rate.texts, f"{rate.total:,}", f"{rate.alarms:,}", rate.said)
    screen.print(table)
    for rule, kind, text in found.examples:
        screen.print(plain(f"{rule}, {kind}: {text}"), soft_wrap=True)
    messages.print(f"{found.milliseconds_a_chunk:.2f} ms a chunk")


@policies_app.command()
@with_tables
def results(
    policy: Annotated[str, typer.Option("--policy", help="Of one policy.")] = "",
    trace: Annotated[str, typer.Option("--trace", help="Of one trace.")] = "",
    collection: Collection = "",
    action: Annotated[str, typer.Option("--action", help="note, warn, mask, leave out, ask or refuse.")] = "",
    opinion: Annotated[str, typer.Option("--opinion", help="right, wrong or none.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1)] = 100,
    unmask: Annotated[bool, typer.Option("--unmask", help="What placeholders of --trace stand for.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """List what policies found and did, newest first."""
    database = open_database(data)
    rows = list_results(database, ResultFilter(policy, trace, collection, action, "", opinion), limit)
    masked = read_masked(database, trace) if unmask and trace else {}
    if as_json:
        print_json({"results": [asdict(row) for row in rows], "masked": masked} if unmask else as_plain(rows))
        return
    table = Table("Id", "When", "Policy", "Place", "Did", "What", "Why", "Trace or document", "Opinion")
    for row in rows:
        table.add_row(
            str(row.id), clock_time(row.created_ms), plain(f"{row.policy} {row.number}"), row.place,
            row.action, plain(row.kind), plain(shortened(row.reason, 60)),
            plain(row.document or row.trace_id[:8]), row.opinion,
        )  # fmt: skip
    screen.print(table)
    for placeholder, original in masked.items():
        screen.print(plain(f"{placeholder}: {original}"))


@policies_app.command()
def review(
    result: Annotated[int, typer.Argument(help="Id of a result.", metavar="ID")],
    opinion: Annotated[str, typer.Argument(help="right, wrong, or none to take it back.", metavar="OPINION")],
    note: Note = "",
    data: Data = None,
) -> None:
    """Say whether a result of a policy was right."""
    from rag.governance.policies.review import review_result

    if opinion not in ("right", "wrong", "none"):
        raise RagError(f"“{opinion}” is no opinion. Choose right, wrong or none.")
    with open_workspace(data, "policies review") as workspace:
        review_result(workspace.store, result, None if opinion == "none" else opinion == "right", note)
    screen.print(f"Result {result}: {opinion}.")


def _bind(name: str, collection: str, data: str | None, is_bound: bool) -> None:
    from rag.governance.policies.registry import bind_policy

    with open_workspace(data, "policies bind") as workspace:
        bind_policy(workspace.store, name, collection, is_bound)
        row = next(row for row in list_policies(workspace.database) if row.name == name)
    screen.print(plain(f"{name}: {row.state}."))


def _text_of(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFoundError(
            f"{file} cannot be read ({getattr(error, 'strerror', None) or 'it is not UTF-8'})."
        ) from error
