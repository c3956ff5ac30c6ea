"""Reads plain text in any common encoding, Markdown, source code, JSON and notebooks."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.parsing import encodings
from rag.parsing.account import Account
from rag.parsing.assemble import HeadingPath, TextBuilder
from rag.parsing.rows import ParsedDocument, Place

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_LONGEST_NAME = 200  # characters of a JSON name; hostile ones of a megabyte would be said with each value
_MOST_ATTEMPTS = 20  # to read a value over several lines, each of which may go to the end of the file
_NO_PARAGRAPH = re.compile(r"\s*$| {4}|\t|\s*(?:[-*+>|]|\d+[.)]\s)")  # a line that --- cannot underline


def read_text(path: Path, account: Account | None = None) -> str:
    """Return a file's text with plain line breaks. Raises DocumentError when it is binary data.

    The account is told which lines contain characters that could not be read.
    """
    data = path.read_bytes()
    if b"\0" in data[:4096] and not looks_like_text(data[:4096]):  # a log may contain a few zeros
        raise DocumentError(
            f"The file contains binary data, not text, although its name ends in {path.suffix}."
            if path.suffix
            else f"The file contains binary data, not text, although it is called {path.name}."
        )
    found = encodings.read(data)
    if account is not None:
        found.tell(account)
    return found.text.replace("\r\n", "\n").replace("\r", "\n")


def looks_like_text(head: bytes) -> bool:
    """Return whether a file's beginning is text: few control characters, and decodable."""
    if _wide(head) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    if control > len(head) * 0.02:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        few = sum(byte > 127 for byte in head) < len(head) * 0.3
        return few or error.start > len(head) - 4 or _is_words(head)
    return True


def _is_words(head: bytes) -> bool:
    """Return whether bytes past ASCII are letters in some encoding, as in a Russian or Thai text."""
    text = encodings.decode(head)
    return sum(c.isalnum() or c.isspace() or unicodedata.combining(c) > 0 for c in text) > 0.8 * len(text)


def _wide(data: bytes) -> bool:
    """Return whether it is UTF-16 without a mark: in Western text every other byte is zero."""
    head = data[:4096]
    half = len(head) // 2
    return (
        half > 4
        and max(head[0::2].count(0), head[1::2].count(0)) > 0.7 * half
        and min(head[0::2].count(0), head[1::2].count(0)) < 0.05 * half
    )


def parse_text(path: Path) -> ParsedDocument:
    """Return a plain text without places."""
    account = Account()
    text = read_text(path, account)
    return ParsedDocument(path.stem, "text/plain", text, (), account=account.lines)


def parse_code(path: Path) -> ParsedDocument:
    """Return source code, marked as such; its title keeps the suffix."""
    account = Account()
    text = read_text(path, account)
    return ParsedDocument(path.name, "text/x-source", text, (), markup="code", account=account.lines)


def parse_markdown(path: Path) -> ParsedDocument:
    """Return Markdown with a place for each section; the text stays exactly as it is written."""
    account = Account()
    text = read_text(path, account)
    headings = HeadingPath()
    places: list[Place] = []
    start, label, title = 0, "", ""
    for offset, level, words in [*_markdown_headings(text), (len(text), 0, "")]:
        end = len(text[start:offset].rstrip()) + start
        if end > start:
            places.append(Place("section", None, label, start, end))
        headings.enter(level, words)
        start, label, title = offset, headings.label, title or words
    return ParsedDocument(
        title or path.stem, "text/markdown", text, tuple(places), markup="markdown", account=account.lines
    )


def _markdown_headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (offset, level, words) of each heading outside code fences and front matter."""
    fence, before, previous, previous_offset = "", "", "", 0
    offset = _front_matter_end(text)
    for line in text[offset:].splitlines(keepends=True):
        bare = line.rstrip("\n")
        mark = _FENCE.match(bare)
        if fence:
            if mark and mark.group(1).startswith(fence) and not mark.group(2).strip():
                fence = ""
            bare = ""
        elif mark and not (mark.group(1)[0] == "`" and "`" in mark.group(2)):
            fence, bare = mark.group(1), ""
        elif (found := _ATX.match(bare)) and found.group(2):
            words = re.sub(r"(^|[ \t])#+[ \t]*$", "", found.group(2)).strip()
            if words:
                yield offset, len(found.group(1)), words
            bare = ""
        elif (found := _SETEXT.match(bare)) and not (before or _NO_PARAGRAPH.match(previous)):
            # Only a line on its own: receipts and logs draw rules below their paragraphs.
            yield previous_offset, 1 if found.group(1)[0] == "=" else 2, previous.strip()
            bare = ""
        before, previous, previous_offset = previous.strip(), bare, offset
        offset += len(line)


def _front_matter_end(text: str) -> int:
    """Return the length of the YAML block at the beginning; its closing --- looks like a heading's."""
    if not text.startswith("---\n"):
        return 0
    end = text.find("\n---\n", 3)
    return end + 5 if end >= 0 else 0


def parse_json(path: Path) -> ParsedDocument:
    """Return JSON with a place for each object of a list at its top; scalars stay together."""
    account = Account()
    data = _load_json(read_text(path, account), "The file")
    builder = TextBuilder()
    if isinstance(data, dict):
        plain = {key: value for key, value in data.items() if not isinstance(value, dict | list)}
        builder.add("record", None, "values", _flat(plain))
        for key, value in data.items():
            if key not in plain:
                if len(key) > _LONGEST_NAME:
                    builder.add("record", None, "values", key)
                _add_records(builder, _shortened(key), value)
    else:
        _add_records(builder, "", data)
    return ParsedDocument(path.stem, "application/json", builder.text, builder.places, account=account.lines)


def _add_records(builder: TextBuilder, name: str, value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        builder.add("record", None, name or "values", _flat(value, name))
        return
    for number, record in enumerate(value, 1):
        words = _flat(record)
        builder.add(
            "record", number, f"{name or 'record'} {number}", f"{name} {number}\n{words}" if name else words
        )


def parse_jsonl(path: Path) -> ParsedDocument:
    """Return JSON Lines with a place for each line; one that is not JSON is left out and named.

    A value may go over several lines. Raises DocumentError when half of the values cannot be read.
    """
    account = Account()
    text = read_text(path, account)
    builder = TextBuilder()
    good_count, errors = 0, list[str]()
    for number, found in _json_values(text):
        if isinstance(found, DocumentError):
            errors.append(str(found))
            account.leave_out("line", "not valid JSON", name=str(number))
        else:
            good_count += 1
            builder.add("record", number, f"line {number}", _flat(found))
    if errors and len(errors) >= good_count:
        more = f" So are {len(errors) - 1:,} other lines." if len(errors) > 1 else ""
        raise DocumentError(errors[0] + more)
    return ParsedDocument(path.stem, "application/jsonl", builder.text, builder.places, account=account.lines)


def _json_values(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the number of each line with the value that begins there, or with the error."""
    offset = number = 0
    attempts = _MOST_ATTEMPTS
    while offset < len(text):
        number += 1
        end = text.find("\n", offset)
        end = len(text) if end < 0 else end
        line = text[offset:end]
        if line.strip():
            try:
                yield number, _load_json(line, f"Line {number}")
            except DocumentError as error:
                whole = _value_over_lines(text, offset) if attempts and line.lstrip()[0] in "{[" else None
                if whole is None:
                    attempts -= attempts > 0 and line.lstrip()[0] in "{["
                    yield number, error
                else:
                    yield number, whole[0]
                    number += text.count("\n", offset, whole[1])
                    end = whole[1]
        offset = end + 1


def _value_over_lines(text: str, offset: int) -> tuple[Any, int] | None:
    """Return the value that begins in a line and ends in a later one, and the end of that line."""
    start = offset + len(text[offset:]) - len(text[offset:].lstrip())
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    return (value, line_end) if not text[end:line_end].strip() else None


def parse_notebook(path: Path) -> ParsedDocument:
    """Return a Jupyter notebook with a place for each cell; outputs are left out and counted."""
    account = Account()
    data = _load_json(read_text(path, account), "The notebook")
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise DocumentError("The notebook has no cells; it is damaged or in a very old format.")
    builder = TextBuilder()
    for number, cell in enumerate(data["cells"], 1):
        if not isinstance(cell, dict):
            account.leave_out("cell", "not in the format of a notebook", name=str(number))
            continue
        source = cell.get("source", "")
        builder.add(
            "section", number, f"cell {number}", "".join(source) if isinstance(source, list) else str(source)
        )
        outputs = cell.get("outputs")
        if isinstance(outputs, list):
            account.leave_out("output", "only the cells are read", len(outputs), name=f"cell {number}")
    title = str(data.get("metadata", {}).get("title", "")) or path.stem
    return ParsedDocument(
        title,
        "application/x-ipynb+json",
        builder.text,
        builder.places,
        markup="markdown",
        account=account.lines,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object with all its values, also where a name stands in it twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter[str]()
        found = {}
        for key, value in pairs:
            counts[key] += 1
            found[f"{key} ({counts[key]})" if counts[key] > 1 else key] = value
    return found


# Numbers stay as they are written: 1.10 is a price, and no long identifier is rounded.
_DECODER = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object, strict=False
)


def _load_json(text: str, what: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"{what} is not valid JSON (line {error.lineno}: {error.msg}).") from error
    except RecursionError as error:
        raise DocumentError(f"{what} is nested too deeply; simplify it.") from error


def _flat(value: Any, path: str = "") -> str:
    """Return what a record says as `a.b: value` lines, which can be searched.

    A name of a thousand letters is said once; before each value it is shortened.
    """
    lines: list[str] = []
    stack = [(path, value)]

    def below(name: str, key: str) -> str:
        if len(key) > _LONGEST_NAME:
            lines.append(key)
        return _shortened(f"{name}.{_shortened(key)}" if name else key)

    while stack:
        name, item = stack.pop()
        if isinstance(item, dict):
            stack.extend([(below(name, key), x) for key, x in item.items()][::-1])
        elif isinstance(item, list):
            if item and all(not isinstance(x, dict | list) for x in item):
                lines.append(f"{name}: " + ", ".join(map(str, item)) if name else ", ".join(map(str, item)))
            else:
                stack.extend([(below(name, str(n)), x) for n, x in enumerate(item, 1)][::-1])
        elif item is not None and str(item).strip():
            lines.append(f"{name}: {item}" if name else str(item))
    return "\n".join(lines)


def _shortened(name: str) -> str:
    """Return a name, or the beginning and the end of a very long one."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:60]}…{name[-60:]}"
