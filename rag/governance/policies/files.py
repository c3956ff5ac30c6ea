"""Policies as files for version control: a folder for each policy, a YAML file for each version."""

from __future__ import annotations

import re
from pathlib import Path

from sqlmodel import select

from rag.errors import RagError
from rag.governance.policies.registry import add_version, ensure_policy
from rag.guardrails.policies.rows import PolicyImport, list_policies, list_policy_versions
from rag.guardrails.policies.rules import make_rules, read_yaml, write_yaml
from rag.prompts.registry import user_name
from rag.storage.database import Database
from rag.storage.store import Store
from rag.storage.tables.guardrails import GuardPolicyVersion

_FILE = re.compile(r"(\d{1,6})\.ya?ml")


def export_policies(database: Database, target: Path, name: str = "") -> list[Path]:
    """Write the versions of one policy or of all as NAME/NUMBER.yaml; return the files. Raises RagError."""
    names = [name] if name else [row.name for row in list_policies(database)]
    written = []
    for policy in names:
        for row in list_policy_versions(database, policy):
            path = target / policy / f"{row.number}.yaml"
            head = "\n".join(f"# {line}" for line in (f"{row.message} ({row.author})").splitlines())
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{head}\n{write_yaml(row.content)}", "utf-8")
            except OSError as error:
                raise RagError(f"{path} cannot be written: {error.strerror}.") from error
            written.append(path)
    return written


def import_policies(store: Store, source: Path) -> PolicyImport:
    """Read what export_policies wrote; a version whose number has other rules here is left out, and said."""
    if not source.is_dir():
        raise RagError(f"{source} is not a folder. Choose one that `ragdeck policies export` wrote.")
    added = same = 0
    problems: list[str] = []
    names = set()
    files = [path for path in source.glob("*/*") if _FILE.fullmatch(path.name)]
    for path in sorted(files, key=lambda path: (path.parent.name, int(path.stem))):
        try:
            made = make_rules(read_yaml(path.read_text("utf-8"), path.name))
            with store.session() as session:
                found = ensure_policy(session, path.parent.name)
                known = session.exec(
                    select(GuardPolicyVersion).where(
                        GuardPolicyVersion.policy_id == found.id, GuardPolicyVersion.number == int(path.stem)
                    )
                ).first()
                if known is None:
                    add_version(
                        session, found, made, message=f"From {path.name}", author=user_name(),
                        number=int(path.stem),
                    )  # fmt: skip
                    added += 1
                elif known.fingerprint == made.fingerprint:
                    same += 1
                else:
                    raise RagError(f"version {path.stem} has other rules here; it never changes")
            names.add(path.parent.name)
        except (RagError, OSError, UnicodeDecodeError) as error:
            problems.append(f"{path.parent.name}/{path.name}: {error}")
    if not files:
        raise RagError(f"{source} holds no policy: a folder for each, with files such as 1.yaml.")
    return PolicyImport(len(names), added, same, tuple(problems))
