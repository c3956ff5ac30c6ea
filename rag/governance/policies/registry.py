"""Guardrail policies in the database: numbered versions that never change, labels that move, and bindings.

What acts on a collection is the version with the label `production` of each policy that is bound to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from rag.errors import NotFoundError, RagError
from rag.guardrails.policies.rows import (
    PRODUCTION,
    PolicyDiff,
    PolicyVersionRow,
    find_policy_version,
    list_policy_versions,
)
from rag.guardrails.policies.rules import Rules, make_rules, read_yaml
from rag.knowledge.collections import find_collection
from rag.prompts.registry import is_label, is_name, user_name
from rag.prompts.rows import LabelMove
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import Store, now_ms
from rag.storage.tables.guardrails import (
    GuardPolicy,
    GuardPolicyBinding,
    GuardPolicyLabel,
    GuardPolicyLabelMove,
    GuardPolicyVersion,
)

# --- versions ---------------------------------------------------------------------------------------------


def save_policy(
    store: Store,
    database: Database,
    name: str,
    rules: Sequence[Mapping[str, Any]],
    *,
    message: str = "",
    author: str = "",
    description: str | None = None,
) -> PolicyVersionRow:
    """Save a version of a policy, which is made if there is none of that name. No label moves.

    Rules equal to the newest version's make no version: that one is returned. Raises RagError with the rule
    and what is wrong with it.
    """
    made = make_rules(rules)
    with store.session() as session:
        found = ensure_policy(session, name)
        if description is not None:
            found.description = description
            session.add(found)
        number = add_version(session, found, made, message=message, author=author or user_name()).number
    return find_policy_version(database, f"{name}@{number}")


def save_policy_text(
    store: Store, database: Database, name: str, text: str, *, message: str = "", author: str = ""
) -> PolicyVersionRow:
    """Save a version of a policy from YAML; see save_policy."""
    return save_policy(store, database, name, read_yaml(text), message=message, author=author)


def add_version(
    session: Session,
    found: GuardPolicy,
    made: Rules,
    *,
    message: str,
    author: str,
    number: int | None = None,
    created_ms: int | None = None,
) -> GuardPolicyVersion:
    """Write a version in the caller's transaction. number: its own in an import; it must be free."""
    newest = _numbered(session, found, found.last_number)
    if number is None and newest is not None and newest.fingerprint == made.fingerprint:
        return newest
    version = GuardPolicyVersion(
        policy_id=found.id or 0,
        number=found.last_number + 1 if number is None else number,
        created_ms=now_ms() if created_ms is None else created_ms,
        message=message.strip() or "No message",
        author=author,
        content=made.content,
        fingerprint=made.fingerprint,
    )
    found.last_number = max(found.last_number, version.number)
    session.add(found)
    session.add(version)
    audit_log.record(
        session, audit_log.Action.POLICY_VERSION_MADE, f"{found.name} {version.number}", version.fingerprint
    )
    session.flush()
    return version


def delete_policy(store: Store, name: str) -> int:
    """Delete a policy with its versions, labels and bindings; return how many versions. Results stay."""
    with store.session() as session:
        found = _find(session, name)
        raw = session.connection()
        raw.exec_driver_sql(
            """DELETE FROM guardmeasurement WHERE version_id IN
               (SELECT id FROM guardpolicyversion WHERE policy_id = ?)""",
            (found.id,),
        )
        for table in ("guardpolicylabel", "guardpolicylabelmove", "guardpolicybinding"):
            raw.exec_driver_sql(f"DELETE FROM {table} WHERE policy_id = ?", (found.id,))
        count = raw.exec_driver_sql(
            "DELETE FROM guardpolicyversion WHERE policy_id = ?", (found.id,)
        ).rowcount
        session.delete(found)
        audit_log.record(session, audit_log.Action.POLICY_DELETED, name, f"{count} versions")
        return count


def diff_policies(database: Database, name: str, old: int, new: int) -> PolicyDiff:
    """Return what changed between two versions, rule by rule and key by key. Raises NotFoundError."""
    rows = {row.number: row for row in list_policy_versions(database, name)}
    for number in (old, new):
        if number not in rows:
            raise NotFoundError(f"The policy “{name}” has no version {number}.")
    a, b = _flat(rows[old]), _flat(rows[new])
    changes = [(key, a.get(key, ""), b.get(key, "")) for key in {**a, **b} if a.get(key) != b.get(key)]
    return PolicyDiff(old, new, tuple(changes))


def _flat(row: PolicyVersionRow) -> dict[str, str]:
    """Return the rules as "rule, key" and value; a rule without a name goes by its number."""
    found = {}
    for number, rule in enumerate(row.rules, 1):
        title = rule.get("name") or f"rule {number}"
        for key, value in rule.items():
            plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
            found[f"{title}, {key}"] = plain
    return found


# --- labels -----------------------------------------------------------------------------------------------


def set_policy_label(
    store: Store, name: str, label: str, number: int | None, *, note: str = "", author: str = ""
) -> LabelMove:
    """Point a label, made if there is none, to a version, or remove it if number is None.

    Each move is logged. Raises RagError.
    """
    if not is_label(label):
        raise RagError(
            "A label consists of lowercase letters, digits and hyphens, such as production or staging."
        )
    with store.session() as session:
        found = _find(session, name)
        before = _labels_of(session, found).get(label)
        version = None if number is None else _numbered(session, found, number)
        if number is not None and version is None:
            raise NotFoundError(f"The policy “{name}” has no version {number}.")
        if number is None and before is None:
            raise NotFoundError(f"No version of the policy “{name}” has the label “{label}”.")
        move = LabelMove(label, before, number, now_ms(), author or user_name(), note)
        if before == number:
            return move
        if version is None:
            session.delete(session.get_one(GuardPolicyLabel, (found.id, label)))
        else:
            session.merge(
                GuardPolicyLabel(
                    policy_id=found.id or 0, name=label, version_id=version.id or 0, moved_ms=move.moved_ms
                )
            )
        session.add(
            GuardPolicyLabelMove(
                policy_id=found.id or 0, label=label, from_number=before, to_number=number,
                moved_ms=move.moved_ms, author=move.author, note=note,
            )
        )  # fmt: skip
        where = "removed" if number is None else f"to version {number}"
        audit_log.record(session, audit_log.Action.POLICY_LABEL_MOVED, f"{name}@{label}", where)
        return move


def roll_back_policy(store: Store, name: str, label: str = PRODUCTION, *, note: str = "") -> LabelMove:
    """Move a label back to where it was before its last move; doing so twice undoes it."""
    with store.session() as session:
        found = _find(session, name)
        last = session.exec(
            select(GuardPolicyLabelMove)
            .where(GuardPolicyLabelMove.policy_id == found.id, GuardPolicyLabelMove.label == label)
            .order_by(col(GuardPolicyLabelMove.id).desc())
        ).first()
    if last is None or last.from_number is None:
        raise RagError(
            f"The label “{label}” of “{name}” was never moved, so there is nothing to roll back to."
        )
    return set_policy_label(store, name, label, last.from_number, note=note or "Rolled back")


# --- bindings ---------------------------------------------------------------------------------------------


def bind_policy(store: Store, name: str, collection: str = "", is_bound: bool = True) -> None:
    """Let a policy act on a collection's texts, or no longer; "" stands for all collections.

    Raises NotFoundError.
    """
    with store.session() as session:
        found = _find(session, name)
        collection_id = (find_collection(session, collection).id or 0) if collection else 0
        known = session.get(GuardPolicyBinding, (found.id, collection_id))
        if (known is not None) == is_bound:
            return
        if known is not None:
            session.delete(known)
        else:
            session.add(
                GuardPolicyBinding(policy_id=found.id or 0, collection_id=collection_id, bound_ms=now_ms())
            )
        what = audit_log.Action.POLICY_BOUND if is_bound else audit_log.Action.POLICY_UNBOUND
        audit_log.record(session, what, name, collection or "all collections")


# --- helpers ----------------------------------------------------------------------------------------------


def ensure_policy(session: Session, name: str) -> GuardPolicy:
    """Return the policy of that name, made if there is none. Raises RagError for an unsuitable name."""
    found = session.exec(select(GuardPolicy).where(GuardPolicy.name == name)).first()
    if found is not None:
        return found
    if not is_name(name):
        raise RagError(
            f"“{name[:90]}” cannot be the name of a policy. Use at most 80 letters, digits, spaces, dots and "
            "hyphens, beginning with a letter or digit."
        )
    folded = {other.casefold(): other for other in session.exec(select(GuardPolicy.name))}
    if name.casefold() in folded:
        raise RagError(
            f"There already is a policy “{folded[name.casefold()]}”. Choose a name that differs by more than "
            "case."
        )
    found = GuardPolicy(name=name, created_ms=now_ms())
    session.add(found)
    session.flush()
    return found


def _find(session: Session, name: str) -> GuardPolicy:
    found = session.exec(select(GuardPolicy).where(GuardPolicy.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no policy named “{name}”. Run `ragdeck policies` to see all policies.")
    return found


def _numbered(session: Session, found: GuardPolicy, number: int) -> GuardPolicyVersion | None:
    return session.exec(
        select(GuardPolicyVersion).where(
            GuardPolicyVersion.policy_id == found.id, GuardPolicyVersion.number == number
        )
    ).first()


def _labels_of(session: Session, found: GuardPolicy) -> dict[str, int]:
    rows = session.exec(
        select(GuardPolicyLabel.name, GuardPolicyVersion.number)
        .join(GuardPolicyVersion, col(GuardPolicyVersion.id) == GuardPolicyLabel.version_id)
        .where(GuardPolicyLabel.policy_id == found.id)
    ).all()
    return dict(rows)
