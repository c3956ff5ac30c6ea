"""Evaluation sets as files: own JSONL, CSV, SQuAD, BEIR, TREC, RAGAS, promptfoo, DeepEval and Langfuse.

Reading does not stop at a bad entry: it is reported with its place and what is wrong, and the caller decides
whether the good ones are imported. Every column and key that no case was made of is reported with the reason.
Writing reports what the format could not express, found by reading the file again.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RagError
from rag.evaluation.cases import Case, free_key, make_case
from rag.evaluation.formats.beir_trec import BEIR_FILES, read_beir, read_trec, write_beir, write_trec
from rag.evaluation.formats.csv_files import read_csv, write_csv
from rag.evaluation.formats.deepeval import read_deepeval, write_deepeval
from rag.evaluation.formats.entries import Format, Imported, Options, Problem, Unused, read_objects, read_text
from rag.evaluation.formats.langfuse import read_langfuse, write_langfuse
from rag.evaluation.formats.own import read_own, write_own
from rag.evaluation.formats.promptfoo import read_promptfoo, write_promptfoo
from rag.evaluation.formats.ragas import read_ragas, write_ragas
from rag.evaluation.formats.records import TABLES
from rag.evaluation.formats.squad import read_squad, write_squad
from rag.evaluation.formats.tables import csv_headers
from rag.text.plurals import counted

MOST_CASES = 100_000
_MOST_PROBLEMS = 1000
_MOST_PLACES = 3  # of what was not used, that are named

FORMATS: dict[str, Format] = {
    found.name: found
    for found in (
        Format("ragdeck", False, read_own, write_own),
        Format("csv", False, read_csv, write_csv),
        Format("squad", False, read_squad, write_squad),
        Format("beir", True, read_beir, write_beir),
        Format("trec", True, read_trec, write_trec),
        Format("ragas", False, read_ragas, write_ragas),
        Format("promptfoo", False, read_promptfoo, write_promptfoo),
        Format("deepeval", False, read_deepeval, write_deepeval),
        Format("langfuse", False, read_langfuse, write_langfuse),
    )
}


def read_cases(
    path: Path,
    format_name: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    delimiter: str = "",
    split: str = "",
    queries: Path | None = None,
) -> Imported:
    """Read a file or folder; every case has a key afterwards.

    Args:
        path: The file or folder.
        format_name: One of FORMATS; empty: recognised by the file.
        columns: Of a CSV: the header of each field; a table is then read as "csv" unless a format is named.
        delimiter: Of a CSV: what stands between its cells; empty: recognised.
        split: Of a BEIR folder: which qrels.
        queries: Of TREC qrels: the file with the questions; None: queries.tsv next to them.

    Raises:
        RagError: The file as a whole cannot be read, or has too many cases.
    """
    chosen = format_of(path, format_name, delimiter, bool(columns))
    unused: dict[tuple[str, str], list[str]] = {}
    cases: dict[str, Case] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for place, found in chosen.read(path, Options(columns or {}, delimiter, split, queries)):
        if isinstance(found, Problem):
            problems.append(found)
        elif isinstance(found, Unused):
            unused.setdefault((found.name, found.why), []).append(place)
        else:
            try:
                case = make_case({"origin": f"file:{path.name}", **found})
                # A case without a key gets one by its question: the same at every import.
                case = case if case.key else case.model_copy(update={"key": free_key(case, cases)})
            except ValueError as error:
                problems.append(Problem(place, str(error)))
            else:
                if case.key in cases:
                    problems.append(Problem(place, f"the key {case.key} is also that of {places[case.key]}"))
                else:
                    cases[case.key], places[case.key] = case, place
        if len(cases) > MOST_CASES:
            raise RagError(f"{path.name} has more than {MOST_CASES:,} cases. Split it.")
        if len(problems) >= _MOST_PROBLEMS:
            problems.append(Problem(place, "more problems follow; the rest was not read"))
            break
    left = tuple(
        Unused(name, why, len(where), tuple(dict.fromkeys(where))[:_MOST_PLACES])
        for (name, why), where in unused.items()
    )
    return Imported(tuple(cases.values()), tuple(problems), left, chosen.name)


def write_cases(
    cases: Sequence[Case], path: Path, format_name: str, byte_order_mark: bool = True
) -> tuple[str, ...]:
    """Write a file, or a new folder; return what the format could not express, as "checks (of 3 cases)".

    Args:
        cases: The cases.
        path: The file, or a folder that is empty or new.
        format_name: One of FORMATS.
        byte_order_mark: Whether a CSV begins with one, by which Excel knows UTF-8.

    Raises:
        RagError: It cannot be written at all.
    """
    chosen = _named(format_name)
    scratch = path.with_name(f".{path.name}.new")
    try:
        if chosen.folder:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RagError(f"{path} is not an empty folder. Choose another one.")
            path.mkdir(parents=True, exist_ok=True)
            chosen.write(cases, path)
        else:
            chosen.write(cases, scratch)
            if not byte_order_mark:
                scratch.write_bytes(scratch.read_bytes().removeprefix(codecs.BOM_UTF8))
            scratch.replace(path)  # a kill leaves the old file
    except OSError as error:
        raise RagError(f"{path} cannot be written ({error.strerror or error}).") from error
    return _losses(cases, read_cases(path, format_name).cases)


def format_of(path: Path, name: str = "", delimiter: str = "", has_columns: bool = False) -> Format:
    """Return the named format, or the one that the file looks like. Raises RagError.

    `has_columns`: the columns of a table were mapped by hand, so it is a table of cases.
    """
    if not path.exists():
        raise RagError(f"{path} does not exist.")
    if name:
        return _named(name)
    if has_columns and path.suffix.lower() in TABLES:
        return FORMATS["csv"]
    guessed = _guess(path, delimiter)
    if guessed is None:
        raise RagError(
            f"Could not recognise the format of {path.name}. Name one with --format: {', '.join(FORMATS)}."
        )
    return FORMATS[guessed]


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise RagError(f"“{name}” is not a format. Choose one of: {', '.join(FORMATS)}.")
    return FORMATS[name]


def _guess(path: Path, delimiter: str) -> str | None:
    if path.is_dir():
        return (
            "beir" if (path / BEIR_FILES[1]).exists() else "trec" if (path / "qrels.txt").exists() else None
        )
    suffix = path.suffix.lower()
    if suffix in TABLES:
        return _by_headers(csv_headers(path, delimiter))
    by_suffix = {".yaml": "promptfoo", ".yml": "promptfoo", ".qrels": "trec"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    if suffix in (".json", ".jsonl"):
        return _by_keys(path)
    with path.open("rb") as file:
        head = file.read(4096).decode("utf-8", "replace")
    return "trec" if re.match(r"\S+\s+\S+\s+\S+\s+-?\d+\s*\n", head) else None


_OF_RAGAS = {"ground_truth", "ground_truths", "contexts", "retrieved_contexts", "reference_contexts"}
_OF_LANGFUSE = {
    "datasetId",
    "datasetName",
    "sourceTraceId",
    "sourceObservationId",
    "status",
    "expectedOutput",
}
_OF_DEEPEVAL = {
    "actual_output",
    "actualOutput",
    "retrieval_context",
    "retrievalContext",
    "additional_metadata",
}


def _by_headers(headers: Sequence[str]) -> str:
    """Return the program whose table this is by its headers, else that it is a table of cases."""
    known = set(headers)
    if any(re.fullmatch(r"__expected\d*", header) for header in known):
        return "promptfoo"
    if "user_input" in known or ("question" in known and _is_ragas(known)):
        return "ragas"
    if "input" in known and known & _OF_DEEPEVAL:
        return "deepeval"
    if "input" in known and known & _OF_LANGFUSE:
        return "langfuse"
    return "csv"


def _is_ragas(keys: set[str]) -> bool:
    """Return whether keys are those of a log or a test set of RAGAS 0.1; its lists have these names."""
    return (
        bool(keys & {"contexts", "ground_truths", "retrieved_contexts"}) or {"answer", "ground_truth"} <= keys
    )


def _by_keys(path: Path) -> str:
    """Return the program whose JSON this is by the keys of its first object, whatever the file's name."""
    text = read_text(path)
    lists = ("data", "goldens", "items", "examples", "cases", "tests")
    whole = _json_or_none(text)
    if isinstance(whole, dict) and isinstance(whole.get("data"), list):
        first = next((one for one in whole["data"] if isinstance(one, dict)), {})
        if not first or "paragraphs" in first:
            return "squad"
    if isinstance(whole, dict) and set(whole) & {"tests", "prompts", "providers", "scenarios"}:
        return "promptfoo"
    entries = read_objects(path, *lists) if whole is not None or path.suffix.lower() == ".jsonl" else []
    first = next((item for _, item in entries if isinstance(item, dict)), {})
    keys = set(first)
    if keys & {"vars", "assert"}:
        return "promptfoo"
    if "user_input" in keys or ("question" in keys and keys & _OF_RAGAS):
        return "ragas"
    if {"inputs", "outputs"} <= keys or (isinstance(first.get("input"), dict | list)):
        return "langfuse"
    if "input" in keys and keys & (_OF_LANGFUSE | {"metadata"}) and not keys & _OF_DEEPEVAL:
        return "deepeval" if keys & {"sourceFile", "context", "name"} else "langfuse"
    if "question" in keys:
        return "ragdeck"
    return "ragdeck" if path.suffix.lower() == ".jsonl" and "input" not in keys else "deepeval"


def _json_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _losses(cases: Sequence[Case], again: Sequence[Case]) -> tuple[str, ...]:
    by_key, by_question = {c.key: c for c in again}, {c.question.strip(): c for c in again}
    counts: dict[str, int] = {}
    for case in cases:
        back = by_key.get(case.key) or by_question.get(case.question.strip())
        if back is None:
            counts["the whole case"] = counts.get("the whole case", 0) + 1
            continue
        for name in type(case).model_fields:
            if name != "origin" and getattr(case, name) != getattr(back, name):
                counts[name] = counts.get(name, 0) + 1
    return tuple(f"{name} (of {counted(count, 'case')})" for name, count in counts.items())
