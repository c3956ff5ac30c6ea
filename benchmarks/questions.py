"""Measures retrieval on ordinary questions: `python -m benchmarks.questions [--data DIR] [--preset P] [--set K=V]`.

How many questions have the passage with the answer in the prompt, by the program's own search and packing, in
total and by type of question; how many passages and tokens that took; and how many unanswerable questions are
shown passages. A quote counts when it is inside one passage, white space and case set aside: a lexical fact, not
a judgement that the answer is good. With --set the same questions are searched again under changed retrieval
settings, and both are compared by paired wins and losses (exact sign test).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.asking.packing import pack, packed_tokens
from rag.asking.query import points_back
from rag.asking.retrieval import document_reader, retrieve
from rag.evaluation.statistics.paired import sign_test
from rag.index.rows import Hit
from rag.knowledge.collections import open_version
from rag.knowledge.ingest import ingest_files
from rag.settings import RetrievalSettings, preset
from rag.workspace import Workspace

COLLECTION = "Questions"


@dataclass(frozen=True)
class Result:
    """One question searched: whether every quote is in the prompt, and what that took."""

    contains: bool
    passages: int
    tokens: int
    milliseconds: float
    rank: int | None  # of the first quote's passage among all candidates, from 1
    cosine: float  # the best of all candidates
    late_interaction: float  # the best of all candidates; 0 where there is none


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data/questions"),
        help="folder with questions.jsonl and documents.txt, or a file X.jsonl beside X.txt, such as "
        "benchmarks/questions_sample.jsonl with --documents resources/samples",
    )
    parser.add_argument("--documents", type=Path, default=Path("../shared/data/documents"))
    parser.add_argument("--keep", type=Path, help="data folder to make or to use again")
    parser.add_argument(
        "--set",
        dest="changes",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="retrieval settings to compare",
    )
    parser.add_argument("--preset", default="", help="a preset to compare with Balanced")
    parser.add_argument("--misses", action="store_true", help="list the questions without their passage")
    arguments = parser.parse_args()
    file = arguments.data / "questions.jsonl" if arguments.data.is_dir() else arguments.data
    listing = file.with_name("documents.txt") if arguments.data.is_dir() else file.with_suffix(".txt")
    questions = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    names = listing.read_text("utf-8").split("\n")
    paths = [arguments.documents / name for name in names if name.strip()]
    with ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        workspace = stack.enter_context(Workspace(folder, "benchmarks.questions"))
        for _ in ingest_files(workspace, COLLECTION, paths):
            pass
        settings = RetrievalSettings()
        first = search_all(workspace, questions, settings)
        report("default", questions, first)
        if arguments.misses:
            misses(questions, first)
        if arguments.changes or arguments.preset:
            start = preset(arguments.preset or "Balanced")
            changed = settings.model_validate(start.model_dump() | parsed(arguments.changes))
            second = search_all(workspace, questions, changed)
            report(" ".join([arguments.preset, *arguments.changes]).strip(), questions, second)
            compare(questions, first, second)
            if arguments.misses:
                misses(questions, second)


def parsed(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the settings of KEY=VALUE pairs; a value is JSON, else a text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def search_all(
    workspace: Workspace, questions: Sequence[dict[str, Any]], settings: RetrievalSettings
) -> list[Result]:
    """Search every question as the program does, follow-ups with the question before them."""
    count_tokens = workspace.language_model().count_tokens
    collection, version = open_version(workspace, COLLECTION, None)
    results = []
    for question in questions:
        text = question["question"]
        previous = question["previous"] if points_back(text) else ""
        began = time.perf_counter()
        found = retrieve(workspace, collection, version, text, settings, previous)
        milliseconds = (time.perf_counter() - began) * 1000

        read_document = document_reader(workspace, version.id or 0)
        packed = pack(
            found.hits, settings, count_tokens, settings.context_tokens, read_document, found.query.wants_all
        )
        passages = [hit for hit in packed.hits if hit.marker is not None]
        tokens = packed_tokens(passages, count_tokens)
        results.append(
            Result(
                contains_all(question, passages), len(passages), tokens, milliseconds,
                first_rank(question, found.hits),
                max((hit.dense_score or 0.0 for hit in found.hits), default=0.0),
                max((hit.rerank_score or 0.0 for hit in found.hits), default=0.0),
            )
        )  # fmt: skip
    return results


def contains_all(question: dict[str, Any], passages: Sequence[Hit]) -> bool:
    """Return whether each quote, or one of its alternatives, is inside one passage."""
    texts = [folded(hit.text) for hit in passages]
    return bool(question["quotes"]) and all(
        any(folded(quote) in text for text in texts for quote in quotes) for quotes in alternatives(question)
    )


def alternatives(question: dict[str, Any]) -> list[list[str]]:
    also = question["also"] or [[] for _ in question["quotes"]]
    return [[quote, *others] for quote, others in zip(question["quotes"], also, strict=False)]


def first_rank(question: dict[str, Any], hits: Sequence[Hit]) -> int | None:
    if not question["quotes"]:
        return None
    wanted = [folded(quote) for quote in alternatives(question)[0]]
    return next(
        (n for n, hit in enumerate(hits, 1) if any(quote in folded(hit.text) for quote in wanted)), None
    )


def folded(text: str) -> str:
    return " ".join(text.lower().split())


def report(name: str, questions: Sequence[dict[str, Any]], results: Sequence[Result]) -> None:
    answerable = [(q, r) for q, r in zip(questions, results, strict=True) if q["answerable"]]
    others = [r for q, r in zip(questions, results, strict=True) if not q["answerable"]]
    shown = sum(r.contains for _, r in answerable)
    found = sum(r.rank is not None for _, r in answerable)
    print(f"\n{name}")
    print(f"  passage in the prompt {shown} of {len(answerable)}; among the candidates {found}")
    print(
        f"  {np.mean([r.passages for _, r in answerable]):.1f} passages, {np.mean([r.tokens for _, r in answerable]):.0f} tokens "
        f"in the mean, {np.median([r.milliseconds for r in results]):.0f} ms a search"
    )
    by_type: dict[str, list[bool]] = defaultdict(list)
    for question, result in answerable:
        by_type[question["type"]].append(result.contains)
    print("  " + ", ".join(f"{kind} {sum(values)}/{len(values)}" for kind, values in by_type.items()))
    print(
        f"  unanswerable questions that are shown passages: {sum(r.passages > 0 for r in others)} of {len(others)}"
    )
    if others:
        by_cosine = area([r.cosine for _, r in answerable], [r.cosine for r in others])
        by_tokens = area([r.late_interaction for _, r in answerable], [r.late_interaction for r in others])
        print(
            f"  told apart from answerable ones: best cosine AUC {by_cosine:.2f}, best MaxSim {by_tokens:.2f}"
        )


def area(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Return the area under the ROC curve: how often one of the first is higher than one of the second."""
    pairs = [(a > b) + 0.5 * (a == b) for a in higher for b in lower]
    return sum(pairs) / len(pairs)


def compare(questions: Sequence[dict[str, Any]], first: Sequence[Result], second: Sequence[Result]) -> None:
    pairs = [
        (a.contains, b.contains) for q, a, b in zip(questions, first, second, strict=True) if q["answerable"]
    ]
    wins, losses = sum(b and not a for a, b in pairs), sum(a and not b for a, b in pairs)
    print(
        f"\nsecond against first: {wins} won, {losses} lost, p = {sign_test(wins, losses):.2g} (exact sign test)"
    )


def misses(questions: Sequence[dict[str, Any]], results: Sequence[Result]) -> None:
    for question, result in zip(questions, results, strict=True):
        if question["answerable"] and not result.contains:
            print(f"  {question['id']} {question['type']}, candidate {result.rank}: {question['question']}")


if __name__ == "__main__":
    main()
