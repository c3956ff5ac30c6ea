"""The lanes of the engine's process, and what an operation on one of them is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class Lane(StrEnum):
    """A queue of the engine's process; operations on one lane never overlap, those on two lanes may."""

    MODEL = "model"  # needs the language model: asking, loading, evaluating
    INGEST = "ingest"  # makes or changes dataset versions
    DATA = "data"  # copies or reads large files for minutes: backing up, moving, hashing
    WRITE = "write"  # changes a few rows, one at a time
    READ = "read"  # writes nothing, so it may run beside anything


@dataclass(frozen=True)
class Operation(Generic[R]):
    """A function of the engine that the window may start. R is what it returns, or its generator returns."""

    function: str  # "module:function"
    lane: Lane
    title: str  # for the list of running tasks; may name keywords of the call, as in "Rename {name}"

    def titled(self, title: str) -> Operation[R]:
        """Return the same operation under another title."""
        return replace(self, title=title.replace("{", "{{").replace("}", "}}"))

    def title_of(self, arguments: dict[str, Any]) -> str:
        """Return the title of a call with these keywords."""
        return self.title.format(**arguments)
