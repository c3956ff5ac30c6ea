"""What all file formats share: entries with their places, problems, and reading and writing of files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
class Imported:
    """What a file contains: its cases, each with a key, and the entries that are none."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


@dataclass
class Options:
    """What only some formats need to be told.

    Attributes:
        columns: Of a CSV: the header of each field.
        split: Of a BEIR folder: which qrels.
        queries: Of TREC qrels: the file with the questions; None: queries.tsv next to them.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    split: str = ""
    queries: Path | None = None


# The place of an entry, and the values of a case or what is wrong.
Entry = tuple[str, dict[str, Any] | Problem]


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


def convert_each(
    entries: Iterable[tuple[str, Any]], convert: Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[Entry]:
    """Yield each entry converted; one for which `convert` raises ValueError is a problem at its place."""
    for place, item in entries:
        if isinstance(item, Problem):
            yield place, item
        elif not isinstance(item, dict):
            yield place, Problem(place, "this is not an object")
        else:
            try:
                yield place, convert(item)
            except ValueError as error:
                yield place, Problem(place, str(error))
