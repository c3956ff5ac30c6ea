"""Remembers which contents stopped the reader, so that a followed folder does not try them every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = "stopped-files.json"
_MOST = 10_000  # contents; the oldest are forgotten


class StoppedFiles:
    """A file with the sha256 of each content that stopped the reader, and why.

    What another version of the parsers could not read is forgotten: this one may read it.
    """

    def __init__(self, path: Path, parser: str) -> None:
        """Read the file when it is asked for.

        Args:
            path: Of the file, which need not exist.
            parser: The version of the parsers, see rag.parsing.formats.PARSER.
        """
        self._path, self._parser = path, parser

    def why(self, sha256: str) -> str:
        """Return what a content did to the reader, "" for one that never stopped it."""
        return self._read().get(sha256, "")

    def remember(self, sha256: str, why: str) -> None:
        """Note that a content stopped the reader."""
        entries = self._read()
        entries.pop(sha256, None)
        entries[sha256] = str(why)
        self._write(dict(list(entries.items())[-_MOST:]))

    def forget(self, sha256: str) -> None:
        """Note that a content was read after all."""
        entries = self._read()
        if entries.pop(sha256, None) is not None:
            self._write(entries)

    def _read(self) -> dict[str, str]:
        try:
            document: Any = json.loads(self._path.read_text("utf-8"))
            if document["parser"] != self._parser:
                return {}
            return {str(key): str(value) for key, value in document["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # nothing is lost but a second try

    def _write(self, entries: dict[str, str]) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({"parser": self._parser, "files": entries}, indent=0), "utf-8")
        part.replace(self._path)
