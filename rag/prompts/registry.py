"""Prompts in the database: numbered versions that never change, and labels that point to them and move.

What answers is the version that the label `production` of the prompt `default` points to. Moving the label is
how another prompt goes live, moving it back how it is undone; each move is logged with who and why.
"""

from __future__ import annotations

import getpass
import json
import re
from dataclasses import dataclass

from sqlmodel import Session, col, select

from rag.errors import NotFoundError, RagError
from rag.prompts.required_gates import forget_requirement, refuse_ungated
from rag.prompts.rows import LabelMove, PromptVersionRow, list_prompt_versions
from rag.prompts.templates import PromptTemplate, template_variables
from rag.prompts.trial import refuse_broken
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import Store, now_ms
from rag.storage.tables.prompts import Prompt, PromptLabel, PromptLabelMove, PromptVersion
from rag.text.word_diff import word_diff

DEFAULT = "default"
PRODUCTION = "production"
# Also a file name on every system, and free of @.
_NAME = re.compile(r"[^\W_](?:[\w .-]{0,78}[\w-])?")
_LABEL = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class PromptDiff:
    """(operation, old words, new words) of both parts of two versions; see rag.text.word_diff."""

    old: int
    new: int
    system: tuple[tuple[str, str, str], ...]
    user: tuple[tuple[str, str, str], ...]


# --- versions ---------------------------------------------------------------------------------------------


def save_prompt(
    store: Store,
    name: str,
    system: str,
    user: str,
    *,
    message: str = "",
    author: str = "",
    notes: str = "",
    description: str | None = None,
) -> PromptVersionRow:
    """Save a version of a prompt, which is made if there is none of that name. No label moves.

    Line ends are normalised and outer white space is dropped, so that a fingerprint is the same on every
    system. A text equal to the newest version's makes no version: that one is returned. Raises RagError when
    a part is not a template, asks for what prompts are not given, or cannot be rendered.
    """
    with store.session() as session:
        found = ensure_prompt(session, name)
        if description is not None:
            found.description = description
            session.add(found)
        version = add_version(
            session, found, system, user, message=message, author=author or user_name(), notes=notes
        )
        return _version_row(found, version, labels_of(session, found))


def add_version(
    session: Session,
    found: Prompt,
    system: str,
    user: str,
    *,
    message: str,
    author: str,
    notes: str = "",
    number: int | None = None,
    created_ms: int | None = None,
) -> PromptVersion:
    """Write a version in the caller's transaction. number: its own in an import; it must be free."""
    template = PromptTemplate(found.name, plain(system), plain(user))
    if not template.user:
        raise RagError("The user part of the prompt is empty. It is what the model is asked.")
    refuse_broken(session, template)
    names = {
        *template_variables(template.system, "system part"),
        *template_variables(template.user, "user part"),
    }
    newest = numbered(session, found, found.last_number)
    if number is None and newest is not None and newest.fingerprint == template.fingerprint:
        return newest
    version = PromptVersion(
        prompt_id=found.id or 0,
        number=found.last_number + 1 if number is None else number,
        created_ms=now_ms() if created_ms is None else created_ms,
        message=message.strip() or "No message",
        author=author,
        system=template.system,
        user=template.user,
        variables=json.dumps(sorted(names)),
        fingerprint=template.fingerprint,
        notes=notes,
    )
    found.last_number = max(found.last_number, version.number)
    session.add(found)
    session.add(version)
    audit_log.record(
        session,
        audit_log.Action.PROMPT_VERSION_MADE,
        f"{found.name} {version.number}",
        version.message,
        after=version.fingerprint,
    )
    session.flush()
    return version


def delete_prompt(store: Store, name: str) -> int:
    """Delete a prompt with its versions and labels; return how many versions. Traces keep their prompts."""
    if name == DEFAULT:
        raise RagError(f"The prompt “{DEFAULT}” answers questions, so it cannot be deleted.")
    with store.session() as session:
        found = _find(session, name)
        raw = session.connection()
        for table in ("promptlabel", "promptlabelmove"):
            raw.exec_driver_sql(f"DELETE FROM {table} WHERE prompt_id = ?", (found.id,))
        count = raw.exec_driver_sql("DELETE FROM promptversion WHERE prompt_id = ?", (found.id,)).rowcount
        forget_requirement(session, "prompt", found.id or 0)
        session.delete(found)
        audit_log.record(session, audit_log.Action.PROMPT_DELETED, name, f"{count} versions")
        return count


def find_prompt(store: Store, reference: str = DEFAULT) -> PromptTemplate:
    """Return the template of "NAME@LABEL", "NAME@NUMBER" or "NAME" (production, or else the newest)."""
    name, _, which = reference.partition("@")
    with store.session() as session:
        found = _find(session, name)
        version = find_version(session, found, which or None)
        return PromptTemplate(found.name, version.system, version.user, version.id, version.number)


def find_version(session: Session, found: Prompt, which: str | None) -> PromptVersion:
    """Return a version by number or label; None: the production version, else the newest."""
    labels = labels_of(session, found)
    if which is None:
        number = labels.get(PRODUCTION, found.last_number)
    elif which.isdecimal():
        number = int(which)
    elif which in labels:
        number = labels[which]
    else:
        raise NotFoundError(f"No version of the prompt “{found.name}” has the label “{which}”.")
    version = numbered(session, found, number)
    if version is None:
        raise NotFoundError(f"The prompt “{found.name}” has no version {number}.")
    return version


def diff_prompts(database: Database, name: str, old: int, new: int) -> PromptDiff:
    """Return the words that changed between two versions. Raises NotFoundError."""
    rows = {row.number: row for row in list_prompt_versions(database, name)}
    for number in (old, new):
        if number not in rows:
            raise NotFoundError(f"The prompt “{name}” has no version {number}.")
    a, b = rows[old], rows[new]
    return PromptDiff(old, new, word_diff(a.system, b.system), word_diff(a.user, b.user))


# --- labels -----------------------------------------------------------------------------------------------


def move_label(
    store: Store,
    name: str,
    label: str,
    number: int,
    *,
    author: str = "",
    note: str = "",
    force: bool = False,
) -> LabelMove:
    """Point a label, made if there is none, to a version. If it already points there, nothing is logged.

    A gate that the label production requires must have been passed with that version; force moves the label
    anyway, with the reason in note. Raises RagError.
    """
    with store.session() as session:
        found = _find(session, name)
        return move(session, found, label, number, author or user_name(), note, force)


def set_label(
    store: Store, name: str, label: str, number: int | None, *, note: str = "", force: bool = False
) -> LabelMove:
    """Point a label to a version, or remove it if number is None. See move_label and remove_label."""
    if number is None:
        return remove_label(store, name, label, note=note)
    return move_label(store, name, label, number, note=note, force=force)


def remove_label(store: Store, name: str, label: str, *, author: str = "", note: str = "") -> LabelMove:
    """Remove a label. Raises RagError for the one that answers."""
    if (name, label) == (DEFAULT, PRODUCTION):
        raise RagError(
            f"The label {PRODUCTION} of “{DEFAULT}” marks the version that answers. Move it instead of "
            "removing it."
        )
    with store.session() as session:
        found = _find(session, name)
        if label not in labels_of(session, found):
            raise NotFoundError(f"No version of the prompt “{name}” has the label “{label}”.")
        return move(session, found, label, None, author or user_name(), note)


def rollback_label(
    store: Store, name: str, label: str = PRODUCTION, *, author: str = "", note: str = ""
) -> LabelMove:
    """Move a label back to where it was before its last move; doing so twice undoes it."""
    with store.session() as session:
        found = _find(session, name)
        last = session.exec(
            select(PromptLabelMove)
            .where(PromptLabelMove.prompt_id == found.id, PromptLabelMove.label == label)
            .order_by(col(PromptLabelMove.id).desc())
        ).first()
        if last is None or last.from_number is None:
            raise RagError(
                f"The label “{label}” of “{name}” was never moved, so there is nothing to roll back to."
            )
        # Back to what answered before is always allowed: it is how a bad version is stopped.
        why = note or "Rolled back"
        return move(session, found, label, last.from_number, author or user_name(), why, force=True)


def move(
    session: Session,
    found: Prompt,
    label: str,
    number: int | None,
    author: str,
    note: str,
    force: bool = False,
) -> LabelMove:
    """Point a label to a version, or remove it, and log that, in the caller's transaction."""
    if not is_label(label):
        raise RagError(
            "A label consists of lowercase letters, digits and hyphens, such as production or staging."
        )
    version = None if number is None else find_version(session, found, str(number))
    before = labels_of(session, found).get(label)
    move = PromptLabelMove(
        prompt_id=found.id or 0,
        label=label,
        from_number=before,
        to_number=number,
        moved_ms=now_ms(),
        author=author,
        note=note,
    )
    if before == number:
        return _move_row(move)
    if version is None:
        session.delete(session.get_one(PromptLabel, (found.id, label)))
    else:
        refuse_broken(session, PromptTemplate(found.name, version.system, version.user))
        if label == PRODUCTION:
            refuse_ungated(
                session, "prompt", found.id or 0, found.name, version.id or 0, version.number, force, note
            )
        session.merge(
            PromptLabel(
                prompt_id=found.id or 0, name=label, version_id=version.id or 0, moved_ms=move.moved_ms
            )
        )
    session.add(move)
    where = "removed" if number is None else f"to version {number}"
    audit_log.record(
        session,
        audit_log.Action.PROMPT_LABEL_MOVED,
        f"{found.name}@{label}",
        where,
        after=version.fingerprint if version else "",
    )
    return _move_row(move)


# --- the built-in prompt ----------------------------------------------------------------------------------


def ensure_default(store: Store, built_in: PromptTemplate) -> None:
    """Give a data folder without the prompt `default` the built-in one, with the label production."""
    with store.session() as session:
        if session.exec(select(Prompt.id).where(Prompt.name == DEFAULT)).first() is not None:
            return
        found = ensure_prompt(session, DEFAULT)
        found.description = "The version with the label production answers questions."
        version = add_version(
            session, found, built_in.system, built_in.user, message="Built in", author="Ragdeck"
        )
        move(session, found, PRODUCTION, version.number, "Ragdeck", "Built in")


# --- helpers ----------------------------------------------------------------------------------------------


def is_label(text: str) -> bool:
    """Return whether a text can be a label."""
    return _LABEL.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a prompt, and of what is versioned like one."""
    return _NAME.fullmatch(text) is not None


def user_name() -> str:
    """Return the name of this computer's user, or "unknown"."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return "unknown"


def plain(text: str) -> str:
    """Return a text with LF line ends and without outer white space."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def ensure_prompt(session: Session, name: str) -> Prompt:
    """Return the prompt of that name, made if there is none. Raises RagError for an unsuitable name."""
    found = session.exec(select(Prompt).where(Prompt.name == name)).first()
    if found is not None:
        return found
    if not is_name(name):
        raise RagError(
            f"“{name[:90]}” cannot be the name of a prompt. Use at most 80 letters, digits, spaces, dots and "
            "hyphens, beginning with a letter or digit."
        )
    folded = {other.casefold(): other for other in session.exec(select(Prompt.name))}
    if name.casefold() in folded:
        raise RagError(
            f"There already is a prompt “{folded[name.casefold()]}”. Choose a name that differs by more than "
            "case."
        )
    found = Prompt(name=name, created_ms=now_ms())
    session.add(found)
    session.flush()
    return found


def _find(session: Session, name: str) -> Prompt:
    found = session.exec(select(Prompt).where(Prompt.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no prompt named “{name}”. Run `ragdeck prompts` to see all prompts.")
    return found


def numbered(session: Session, found: Prompt, number: int) -> PromptVersion | None:
    """Return the version with a number, or None."""
    return session.exec(
        select(PromptVersion).where(PromptVersion.prompt_id == found.id, PromptVersion.number == number)
    ).first()


def labels_of(session: Session, found: Prompt) -> dict[str, int]:
    """Return the number of the version that each label points to."""
    rows = session.exec(
        select(PromptLabel.name, PromptVersion.number)
        .join(PromptVersion, col(PromptVersion.id) == PromptLabel.version_id)
        .where(PromptLabel.prompt_id == found.id)
        .order_by(PromptLabel.name)
    ).all()
    return dict(rows)


def _version_row(found: Prompt, version: PromptVersion, labels: dict[str, int]) -> PromptVersionRow:
    return PromptVersionRow(
        id=version.id or 0,
        prompt=found.name,
        number=version.number,
        created_ms=version.created_ms,
        message=version.message,
        author=version.author,
        system=version.system,
        user=version.user,
        variables=tuple(json.loads(version.variables)),
        fingerprint=version.fingerprint,
        notes=version.notes,
        labels=tuple(label for label, number in labels.items() if number == version.number),
    )


def _move_row(move: PromptLabelMove) -> LabelMove:
    return LabelMove(move.label, move.from_number, move.to_number, move.moved_ms, move.author, move.note)
