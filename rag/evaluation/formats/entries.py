"""What all file formats share: entries with their places, problems, what was not used, and files."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.parsing.encodings import decode

MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class Problem:
    """An entry of a file that is not a case.

    Attributes:
        place: Where it is, such as "line 7" or "item 3".
        message: What is wrong there, without a full stop.
    """

    place: str
    message: str

    def sentence(self) -> str:
        """Return the place and what is wrong there."""
        return f"{self.place}: {self.message}."


@dataclass(frozen=True)
class Unused:
    """Something of a file that no case was made of.

    Attributes:
        name: The column, the key or the assertion.
        why: Why it was not used, without a full stop.
        count: How often it was there with a content.
        places: Where it was first.
    """

    name: str
    why: str
    count: int = 1
    places: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Return what was not used and why."""
        where = f" ({self.count:,} times; {', '.join(self.places)})" if self.places else ""
        return f"{self.name}{where.replace('(1 times; ', '(')}: not used, {self.why}."


class Account:
    """What a reader leaves of one entry, by name, with the reason."""

    def __init__(self) -> None:
        """Begin with nothing left."""
        self.left: dict[str, str] = {}

    def leave(self, name: str, why: str) -> None:
        """Note that something was not used."""
        self.left.setdefault(name, why)

    def leave_others(
        self, item: Mapping[str, Any], used: Collection[str], reasons: Mapping[str, str]
    ) -> None:
        """Note every key that has a content and was not used, with the reason that is known for it."""
        for key, value in item.items():
            if key not in used and has_content(value):
                self.leave(str(key), reasons.get(str(key), "a case has nothing like it"))


def has_content(value: Any) -> bool:
    """Return whether a value says something: null, and empty texts, lists and objects do not."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {}, ())


@dataclass(frozen=True)
class Imported:
    """What a file contains: its cases, each with a key, the entries that are none, and what was not used."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]
    unused: tuple[Unused, ...] = ()
    format_name: str = ""


@dataclass
class Options:
    """What only some formats need to be told.

    Attributes:
        columns: Of a CSV: the header of each field.
        delimiter: Of a CSV: what stands between its cells; empty: recognised.
        split: Of a BEIR folder: which qrels.
        queries: Of TREC qrels: the file with the questions; None: queries.tsv next to them.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ""
    split: str = ""
    queries: Path | None = None


# The place of an entry, and the values of a case, what is wrong, or what was not used.
Entry = tuple[str, dict[str, Any] | Problem | Unused]
Convert = Callable[[dict[str, Any], Account], dict[str, Any]]


@dataclass(frozen=True)
class Format:
    """A file format; `folder` says whether it is written as a folder."""

    name: str
    folder: bool
    read: Callable[[Path, Options], Iterator[Entry]]
    write: Callable[[Sequence[Case], Path], None]


def read_text(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Return a file's text in any encoding, without a byte order mark, with line feeds as line ends.

    Raises RagError when the file cannot be read or is larger than `most_bytes`.
    """
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise RagError(f"{path.name} has {size:,} bytes, more than the {most_bytes:,} that are read.")
        data = path.read_bytes()
    except OSError as error:
        raise RagError(f"{path} cannot be read ({error.strerror or error}).") from error
    return decode(data).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each line that is not blank."""
    # Not splitlines: U+2028 may be part of a JSON text.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield f"line {number}", line


def read_json_lines(path: Path) -> Iterator[Entry]:
    """Yield the place and the object of each line, or what is wrong with the line."""
    for place, line in read_lines(path):
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield place, Problem(place, f"this is not JSON ({error})")
            continue
        yield place, item if isinstance(item, dict) else Problem(place, "each line must be a JSON object")


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8; half of a surrogate pair, which JSON may contain, is written as it is."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def write_json_lines(path: Path, items: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    write_text(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))


def read_json(path: Path) -> Any:
    """Return the value of a JSON file. Raises RagError when it is not JSON."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RagError(f"{path.name} is not JSON ({error}).") from error


def read_objects(path: Path, *lists: str) -> list[tuple[str, Any]]:
    """Return the place and the object of each entry, whatever the file's name ends in.

    A file is a JSON array, an object with a list under one of these names, or one object a line. Raises
    RagError when it is none of them.
    """
    text = read_text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        first = text.lstrip()[:1]
        # Only "Extra data" after a first value says that it is one object a line.
        if first == "{" or path.suffix.lower() == ".jsonl":
            return list(read_json_lines(path))
        raise RagError(f"{path.name} is not JSON ({error}).") from error
    if isinstance(data, dict):
        found = next((data[name] for name in lists if isinstance(data.get(name), list)), None)
        if found is None:
            return [("line 1", data)]
        data = found
    if not isinstance(data, list):
        return [("line 1", Problem("line 1", "each line must be a JSON object"))]
    return [(f"item {number}", item) for number, item in enumerate(data, 1)]


def as_list(value: Any, name: str) -> list[Any]:
    """Return a list; None gives an empty one. Raises ValueError for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value


def as_texts(value: Any, name: str) -> list[str]:
    """Return the texts of a list, or one text alone, without blank ones. Raises ValueError."""
    found = [value] if isinstance(value, str) else as_list(value, name)
    if not all(isinstance(text, str) for text in found):
        raise ValueError(f"{name} is not a list of texts")
    return [text for text in found if text.strip()]


def required_text(item: Mapping[str, Any], name: str) -> str:
    """Return the text of a field. Raises ValueError when it is missing, blank or not a text."""
    value = item.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is missing or not a text")
    return value


def convert_each(entries: Iterable[tuple[str, Any]], convert: Convert) -> Iterator[Entry]:
    """Yield each entry converted, and what was not used of it.

    One for which `convert` raises ValueError is a problem at its place.
    """
    for place, item in entries:
        if isinstance(item, Problem):
            yield place, item
        elif not isinstance(item, dict):
            yield place, Problem(place, "this is not an object")
        else:
            account = Account()
            try:
                values = convert(item, account)
            except ValueError as error:
                yield place, Problem(place, str(error))
                continue
            yield place, values
            for name, why in account.left.items():
                yield place, Unused(name, why)
