"""Command lines that do or show what the window does, to be pasted into a terminal or a script.

A test hands every one of them to the program's own parser.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.asking.rows import TraceRow
from rag.evaluation.rows import PipelineVersionRow, RunRow, RunStatus
from rag.finding.rows import Kind, Place
from rag.knowledge.rows import DocumentRow, VersionRow, WatchedFolderRow
from rag.prompts.rows import PromptVersionRow
from rag.text.file_keys import path_of
from rag.text.plurals import counted

PROGRAM = "ragdeck"
_ACTS_IN_CMD = set("&|<>^()%!;,=")  # what the Windows command line does not take for text outside of quotes


@dataclass(frozen=True)
class Call:
    """A call of the program.

    Attributes:
        title: What it does, for people.
        command: The words of the command, such as ("traces", "show").
        things: What it is about, in order.
        options: Its options with their values.
    """

    title: str
    command: tuple[str, ...]
    things: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether a terminal takes all of it for text.

        A control character would be obeyed when pasted, and a file name that is no text cannot be pasted.
        """
        return not any(
            unicodedata.category(sign) in ("Cc", "Cs")
            for word in (*self.things, *self.options)
            for sign in word
        )

    def arguments(self, folder: Path) -> list[str]:
        """Return the words after the program's name; what begins with a dash comes after two dashes."""
        options = [*self.options, "--data", str(folder)]
        if any(thing.startswith("-") for thing in self.things):
            return [*self.command, *options, "--", *self.things]
        return [*self.command, *self.things, *options]


def written(call: Call, folder: Path, windows: bool = sys.platform == "win32") -> str:
    """Return a call as it is typed, quoted for the platform's own shell.

    Args:
        call: What to run.
        folder: The data folder.
        windows: Whether it is for the command line of Windows.
    """
    words = [PROGRAM, *call.arguments(folder)]
    return " ".join(map(_quoted_for_windows, words)) if windows else shlex.join(words)


def question_call(question: str, collection: str, *options: str) -> Call:
    """Return the call that asks a question."""
    return Call("Ask it", ("ask",), (_one_line(question),), ("-c", collection, *options))


def search_call(question: str, collection: str, *options: str) -> Call:
    """Return the call that searches for a question without asking a model."""
    return Call(
        "Search for it", ("search",), (_one_line(question),), ("-c", collection, "--explain", *options)
    )


def calls_of(place: Place) -> list[Call]:
    """Return what the command line can do with an object: showing it comes first."""
    make = _OF_KIND.get(place.kind)
    return make(place) if make else []


def calls_for(records: Sequence[Any], collection: str = "") -> list[Call]:
    """Return what the command line can do with some records beyond what `calls_of` says of each.

    Args:
        records: Of one kind.
        collection: The one in view, for records that do not name theirs.
    """
    kinds = {type(record) for record in records}
    if len(kinds) != 1:
        return []
    make = _OF_RECORDS.get(kinds.pop())
    return make(records, collection) if make else []


# --- objects ----------------------------------------------------------------------------------------------


def _collection(place: Place) -> list[Call]:
    of = ("-c", place.key)
    return [
        Call("List its documents", ("documents", "list"), (), of),
        Call("List its versions", ("versions",), (), of),
        Call("Show how it is searched", ("retrieval", "show"), (), of),
        Call("Roll back to the version before", ("undo",), (), of),
        Call("List suspicious chunks", ("inspect",), (), of),
    ]


def _document(place: Place) -> list[Call]:
    source, of = (place.key,), ("-c", place.within)
    return [
        Call("Show what of it was read", ("documents", "show"), source, of),
        Call("List its chunks", ("chunks",), source, of),
        Call("Add it again", ("ingest",), (_path(place.key),), of),
        Call("Remove it", ("remove",), source, of),
        Call("Erase it for good", ("erase",), source, of),
    ]


def _version(place: Place) -> list[Call]:
    of = ("-c", place.within)
    return [
        Call("List the versions", ("versions",), (), of),
        Call("Make it active", ("activate",), (place.key,), of),
    ]


def _session(place: Place) -> list[Call]:
    return [
        Call("Show it", ("sessions", "show"), (place.key,)),
        Call("Delete it", ("sessions", "delete"), (place.key,)),
    ]


def _trace(place: Place) -> list[Call]:
    return [
        Call("Show it", ("traces", "show"), (place.key,)),
        Call("See how far its answer repeats", ("consistency",), (place.key,)),
        Call("Make it a regression question", ("monitor", "regression", "add"), (), ("--trace", place.key)),
        Call("Show what it cost", ("costs", "show"), (place.key,)),
    ]


def _prompt(place: Place) -> list[Call]:
    return [
        Call("List its versions", ("prompts", "versions"), (place.key,)),
        Call("Roll back production", ("prompts", "rollback"), (place.key,)),
        Call("Export the prompts", ("prompts", "export"), ("prompts",)),
    ]


def _prompt_version(place: Place) -> list[Call]:
    return [
        Call("Show it", ("prompts", "show"), (place.within,), ("--version", place.key)),
        Call("Let it answer", ("prompts", "label"), (place.within, "production", place.key)),
    ]


def _set(place: Place) -> list[Call]:
    return [
        Call("List its cases", ("sets", "show"), (place.key,)),
        Call("Export it", ("sets", "export"), (place.key, _file(place.key, "jsonl"))),
    ]


def _case(place: Place) -> list[Call]:
    return [
        Call("List the cases of its set", ("sets", "show"), (place.within,)),
        Call("Remove it", ("sets", "remove"), (place.within, place.key)),
    ]


def _run(place: Place) -> list[Call]:
    return [Call("Show it", ("runs", "show"), (place.key,))]


def _pipeline(place: Place) -> list[Call]:
    return [
        Call("Show it", ("pipelines", "show"), (place.key,)),
        Call("Export it", ("pipelines", "export"), (place.key, _file(place.key, "yaml"))),
        Call("Make an evidence report", ("report", "make"), (place.key,)),
    ]


def _pipeline_version(place: Place) -> list[Call]:
    return [
        Call("Show it", ("pipelines", "show"), (place.within,), ("--version", place.key)),
        Call("Let it answer", ("pipelines", "label"), (place.within, "production", place.key)),
    ]


def _queue(place: Place) -> list[Call]:
    return [
        Call("List its answers", ("review", "list"), (place.key,)),
        Call("Export its verdicts", ("review", "export"), (place.key, _file(place.key, "csv"))),
    ]


def _rollout(place: Place) -> list[Call]:
    return [
        Call("Show its results", ("rollout", "status"), (place.key,)),
        Call("Promote it", ("rollout", "promote"), (place.key,)),
        Call("Stop it", ("rollout", "stop"), (place.key,)),
    ]


def _alert(_place: Place) -> list[Call]:
    return [
        Call("List the rules", ("monitor", "rules", "list")),
        Call("Judge every rule", ("monitor",), (), ("--check",)),
    ]


def _setting(place: Place) -> list[Call]:
    return [
        Call("List the settings", ("settings", "list")),
        Call("Bring it back to its default", ("settings", "reset"), (place.key,)),
    ]


def _model(place: Place) -> list[Call]:
    return [
        Call("List the models", ("models", "list")),
        Call("Let it answer", ("settings", "set"), (f"models.active={place.key}",)),
    ]


_PAGES = {
    "collections": Call("List the collections", ("collections", "list")),
    "traces": Call("List the traces", ("traces", "list")),
    "monitors": Call("Show what is monitored", ("monitor",)),
    "costs": Call("Show the costs", ("costs",)),
    "prompts": Call("List the prompts", ("prompts", "list")),
    "evaluation": Call("List the runs", ("runs", "list")),
    "review": Call("List the review queues", ("review", "list")),
    "models": Call("List the models", ("models", "list")),
    "server": Call("List the tokens of the server", ("tokens", "list")),
    "guardrails": Call("List the guardrail policies", ("policies", "list")),
    "audit": Call("List the audit log", ("audit", "list")),
    "settings": Call("List the settings", ("settings", "list")),
    "reports": Call("List the reports", ("report", "list")),
}

_OF_KIND: dict[Kind, Callable[[Place], list[Call]]] = {
    Kind.PAGE: lambda place: [_PAGES[place.key]] if place.key in _PAGES else [],
    Kind.COLLECTION: _collection,
    Kind.DOCUMENT: _document,
    Kind.VERSION: _version,
    Kind.SESSION: _session,
    Kind.TRACE: _trace,
    Kind.PROMPT: _prompt,
    Kind.PROMPT_VERSION: _prompt_version,
    Kind.SET: _set,
    Kind.CASE: _case,
    Kind.RUN: _run,
    Kind.PIPELINE: _pipeline,
    Kind.PIPELINE_VERSION: _pipeline_version,
    Kind.QUEUE: _queue,
    Kind.ROLLOUT: _rollout,
    Kind.ALERT: _alert,
    Kind.SETTING: _setting,
    Kind.MODEL: _model,
}


# --- records of tables ------------------------------------------------------------------------------------


def _traces(records: Sequence[TraceRow], _collection: str) -> list[Call]:
    if len(records) != 1 or not records[0].collection or not records[0].question.strip():
        return []
    question, collection = records[0].question, records[0].collection
    return [question_call(question, collection), search_call(question, collection)]


def _documents(records: Sequence[DocumentRow], collection: str) -> list[Call]:
    if len(records) < 2:
        return []
    sources, of = tuple(record.source for record in records), ("-c", collection)
    return [
        Call(f"Remove {counted(len(records), 'document')}", ("remove",), sources, of),
        Call(f"Add {counted(len(records), 'document')} again", ("ingest",), tuple(map(_path, sources)), of),
    ]


def _versions(records: Sequence[VersionRow], _collection: str) -> list[Call]:
    if len(records) == 1 and (parent := records[0].parent_number) is not None:
        pair = (str(parent), str(records[0].number))
        return [
            Call("Show what changed in it", ("versions", "diff"), pair, ("-c", records[0].collection)),
        ]
    return _compare(records, ("versions", "diff"), ("-c", records[0].collection))


def _runs(records: Sequence[RunRow], _collection: str) -> list[Call]:
    if len(records) > 1:
        ids = tuple(str(run.id) for run in sorted(records, key=lambda run: run.id))
        return [Call("Compare them", ("runs", "compare"), ids)]
    run = records[0]
    calls = [
        Call(
            "Evaluate again", ("evaluate",), (run.set_name,), ("-p", f"{run.pipeline}@{run.pipeline_number}")
        )
    ]
    if run.status not in (RunStatus.DONE, RunStatus.RUNNING, RunStatus.WAITING):
        calls.append(Call("Resume it", ("runs", "resume"), (str(run.id),)))
    return calls


def _pipeline_versions(records: Sequence[PipelineVersionRow], _collection: str) -> list[Call]:
    if len({record.name for record in records}) == 1:
        return _compare(records, ("pipelines", "diff"), (), records[0].name)
    return []


def _prompt_versions(records: Sequence[PromptVersionRow], _collection: str) -> list[Call]:
    return _compare(records, ("prompts", "diff"), (), records[0].prompt)


def _folders(records: Sequence[WatchedFolderRow], _collection: str) -> list[Call]:
    calls = [Call("Check the followed folders", ("watch", "check"))]
    if len(records) == 1:
        folder, of = (records[0].path,), ("-c", records[0].collection)
        does = ("Pause it", "pause") if records[0].enabled else ("Resume it", "resume")
        calls += [
            Call(does[0], ("watch", does[1]), folder, of),
            Call("Add its files now", ("ingest",), folder, of),
        ]
    return calls


def _compare(
    records: Sequence[Any], command: tuple[str, ...], options: tuple[str, ...], name: str = ""
) -> list[Call]:
    if len(records) != 2:
        return []
    pair = sorted(record.number for record in records)
    return [Call("Compare them", command, (*([name] if name else []), *map(str, pair)), options)]


_OF_RECORDS: dict[type, Callable[[Any, str], list[Call]]] = {
    TraceRow: _traces,
    DocumentRow: _documents,
    VersionRow: _versions,
    RunRow: _runs,
    PipelineVersionRow: _pipeline_versions,
    PromptVersionRow: _prompt_versions,
    WatchedFolderRow: _folders,
}


def _path(source: str) -> str:
    return str(path_of(source))


def _one_line(text: str) -> str:
    """Return a question without what a terminal would obey: line ends and control characters are spaces."""
    return " ".join("".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in text).split())


def _file(name: str, suffix: str) -> str:
    """Return a file name for an object that may be called anything."""
    return "".join(sign if sign.isalnum() or sign in " -_." else "_" for sign in name).strip() + f".{suffix}"


def _quoted_for_windows(word: str) -> str:
    made = subprocess.list2cmdline([word])
    if made != word or not _ACTS_IN_CMD & set(word):
        return made
    before_quote = len(word) - len(word.rstrip("\\"))  # a backslash would escape the closing quote
    return f'"{word}{before_quote * chr(92)}"'
