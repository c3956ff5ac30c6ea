"""Prompts as a folder of YAML files, one a prompt, for version control.

Writing what was read gives the same bytes: sorted keys, LF, block texts. A person may edit a file: a version
whose text does not match its fingerprint is imported as a new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session

from rag.errors import RagError
from rag.prompts import registry
from rag.prompts.rows import PromptImport, PromptRow, PromptVersionRow, list_prompt_versions, list_prompts
from rag.prompts.templates import PromptTemplate
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import Store
from rag.storage.tables.prompts import Prompt
from rag.text.plurals import counted

_MOST_BYTES = 20_000_000


class _Version(BaseModel):
    model_config = ConfigDict(extra="forbid")
    author: str = ""
    created: datetime | None = None
    fingerprint: str = ""
    message: str = ""
    notes: str = ""
    number: int = Field(ge=1, le=1_000_000)
    system: str = ""
    user: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    description: str = ""
    labels: dict[str, int] = {}
    name: str
    versions: list[_Version] = Field(min_length=1, max_length=10_000)


def export_prompts(database: Database, folder: Path) -> list[Path]:
    """Write NAME.yaml for every prompt into a folder, replacing files of those names. Raises RagError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for row in list_prompts(database):
            path = folder / f"{row.name}.yaml"
            scratch = folder / f".{row.name}.new"
            scratch.write_bytes(_as_yaml(row, list_prompt_versions(database, row.name)).encode())
            scratch.replace(path)
            written.append(path)
    except OSError as error:
        raise RagError(f"{folder} cannot be written ({error.strerror or error}).") from error
    audit_log.record_apart(
        database.path, audit_log.Action.PROMPTS_EXPORTED, str(folder), counted(len(written), "prompt")
    )
    return written


def _as_yaml(row: PromptRow, versions: list[PromptVersionRow]) -> str:
    document = {
        "description": row.description,
        "labels": dict(row.labels),
        "name": row.name,
        "versions": [
            {
                "author": version.author,
                "created": datetime.fromtimestamp(version.created_ms / 1000, UTC).isoformat(
                    timespec="milliseconds"
                ),
                "fingerprint": version.fingerprint,
                "message": version.message,
                "notes": version.notes,
                "number": version.number,
                "system": version.system,
                "user": version.user,
            }
            for version in reversed(versions)
        ],
    }
    text: str = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=True, width=1_000_000)
    return text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write texts of several lines as blocks, also where YAML itself would use quotes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block_text)


def import_prompts(
    store: Store, folder: Path, *, author: str = "", move_labels: bool = False
) -> PromptImport:
    """Import every *.yaml of a folder. A file with a mistake is left out as a whole, and reported.

    A version that is already here (the same text under its number) stays. One whose number is taken by
    another text gets the next number. Labels that are not here are made; others move only with move_labels.
    Raises RagError when there is no file.
    """
    paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    if not paths:
        raise RagError(f"There is no *.yaml in {folder}.")
    added = same = prompts = 0
    moved: list[str] = []
    problems: list[str] = []
    for path in paths:
        try:
            content = _read(path)
            with store.session() as session:
                counts = _import_one(session, content, author or registry.user_name(), move_labels)
        except RagError as error:
            problems.append(f"{path.name}: {error}")
            continue
        prompts += 1
        added += counts[0]
        same += counts[1]
        moved += counts[2]
    with store.session() as session:
        detail = f"{counted(added, 'version')} added, {counted(len(moved), 'label')} moved"
        audit_log.record(session, audit_log.Action.PROMPTS_IMPORTED, str(folder), detail)
    return PromptImport(prompts, added, same, tuple(moved), tuple(problems))


def _read(path: Path) -> _File:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RagError(f"The file is larger than {_MOST_BYTES:,} bytes.")
        text = path.read_bytes().decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise RagError("YAML aliases (*name) are not read. Write the values out.")
        return _File.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RagError(f"{place}: {first['msg']}.") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise RagError(f"It cannot be read: {' '.join(str(error).split())}.") from error


def _import_one(
    session: Session, content: _File, author: str, move_labels: bool
) -> tuple[int, int, list[str]]:
    """Return (versions added, versions that were already here, labels moved)."""
    found = registry.ensure_prompt(session, content.name)
    if content.description:
        found.description = content.description
    if len({version.number for version in content.versions}) < len(content.versions):
        raise RagError("Two versions have the same number.")
    numbers: dict[int, int] = {}
    added = same = 0
    for version in sorted(content.versions, key=lambda v: v.number):
        number, new = _import_version(session, found, version, author)
        numbers[version.number] = number
        added, same = added + new, same + (not new)
    labels = registry.labels_of(session, found)
    return added, same, _import_labels(session, found, content.labels, numbers, labels, author, move_labels)


def _import_version(session: Session, found: Prompt, version: _Version, author: str) -> tuple[int, bool]:
    """Return (its number here, whether it is new)."""
    system, user = registry.plain(version.system), registry.plain(version.user)
    fingerprint = PromptTemplate(found.name, system, user).fingerprint
    taken = registry.numbered(session, found, version.number)
    if taken is not None and taken.fingerprint == fingerprint:
        return taken.number, False
    edited = bool(version.fingerprint) and version.fingerprint != fingerprint
    keeps = not edited and taken is None
    before = found.last_number
    made = registry.add_version(
        session,
        found,
        system,
        user,
        message=f"Edited in its file: {version.message}" if edited else version.message,
        author=author if edited else version.author or author,
        notes=version.notes,
        number=version.number if keeps else None,
        created_ms=int(version.created.timestamp() * 1000) if version.created and keeps else None,
    )
    return made.number, keeps or found.last_number > before


def _import_labels(
    session: Session,
    found: Prompt,
    wanted: Mapping[str, int],
    numbers: Mapping[int, int],
    present: Mapping[str, int],
    author: str,
    move_labels: bool,
) -> list[str]:
    moved = []
    for label, number in sorted(wanted.items()):
        if number not in numbers:
            raise RagError(f"The label {label} points to version {number}, which is not in the file.")
        target = numbers[number]
        if (label not in present or move_labels) and present.get(label) != target:
            registry.move(session, found, label, target, author, "From a file")
            moved.append(f"{found.name}@{label}")
    return moved
