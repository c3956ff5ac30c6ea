"""Evaluation sets as files: this program's JSONL, CSV, SQuAD, BEIR, TREC, RAGAS, promptfoo and DeepEval.

Reading does not stop at a bad entry: it is reported with its place and what is wrong, and the caller decides
whether the good ones are imported. Writing reports what the format could not express, found by reading the
file again.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.errors import RagError
from rag.evaluation.cases import Case, free_key, make_case
from rag.evaluation.formats.beir_trec import BEIR_FILES, read_beir, read_trec, write_beir, write_trec
from rag.evaluation.formats.csv_files import read_csv, write_csv
from rag.evaluation.formats.deepeval import read_deepeval, write_deepeval
from rag.evaluation.formats.entries import Format, Imported, Options, Problem
from rag.evaluation.formats.own import read_own, write_own
from rag.evaluation.formats.promptfoo import read_promptfoo, write_promptfoo
from rag.evaluation.formats.ragas import read_ragas, write_ragas
from rag.evaluation.formats.squad import read_squad, write_squad
from rag.text.plurals import counted

MOST_CASES = 100_000
_MOST_PROBLEMS = 1000

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
    )
}


def read_cases(
    path: Path,
    format_name: str = "",
    *,
    columns: Mapping[str, str] | None = None,
    split: str = "",
    queries: Path | None = None,
) -> Imported:
    """Read a file or folder; every case has a key afterwards.

    Args:
        path: The file or folder.
        format_name: One of FORMATS; empty: recognised by the file.
        columns: Of a CSV: the header of each field.
        split: Of a BEIR folder: which qrels.
        queries: Of TREC qrels: the file with the questions; None: queries.tsv next to them.

    Raises:
        RagError: The file as a whole cannot be read, or has too many cases.
    """
    chosen = format_of(path, format_name)
    cases: dict[str, Case] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for place, found in chosen.read(path, Options(columns or {}, split, queries)):
        if isinstance(found, Problem):
            problems.append(found)
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
    return Imported(tuple(cases.values()), tuple(problems))


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


def format_of(path: Path, name: str = "") -> Format:
    """Return the named format, or the one that the file looks like. Raises RagError."""
    if not path.exists():
        raise RagError(f"{path} does not exist.")
    if name:
        return _named(name)
    guessed = _guess(path)
    if guessed is None:
        raise RagError(
            f"Could not recognise the format of {path.name}. Name one with --format: {', '.join(FORMATS)}."
        )
    return FORMATS[guessed]


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise RagError(f"“{name}” is not a format. Choose one of: {', '.join(FORMATS)}.")
    return FORMATS[name]


def _guess(path: Path) -> str | None:
    if path.is_dir():
        return (
            "beir" if (path / BEIR_FILES[1]).exists() else "trec" if (path / "qrels.txt").exists() else None
        )
    suffix = path.suffix.lower()
    by_suffix = {".csv": "csv", ".tsv": "csv", ".yaml": "promptfoo", ".yml": "promptfoo", ".qrels": "trec"}
    if suffix in by_suffix:
        return by_suffix[suffix]
    with path.open("rb") as file:
        head = file.read(4096).decode("utf-8", "replace")
    if suffix == ".jsonl":
        return "ragas" if '"user_input"' in head else "ragdeck"
    if suffix == ".json":
        return "squad" if '"paragraphs"' in head or '"data"' in head else "deepeval"
    return "trec" if re.match(r"\S+\s+\S+\s+\S+\s+-?\d+\s*\n", head) else None


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
