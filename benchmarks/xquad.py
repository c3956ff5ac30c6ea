"""Asks the questions of XQuAD English: `python -m benchmarks.xquad [--data FILE] [--questions N] [--peers]`.

Each question once with all paragraphs in the collection (exact match and token F1 of the answer, whether the gold
paragraph was found and packed) and once in a collection from which its paragraph is missing (whether it is declined).
XQuAD's answers are spans of a few words and a chat model answers in sentences: token F1 and exact match are low for
every system here, so a third figure says whether the answer contains the gold answer. --peers asks the same questions
of a LlamaIndex and a LangChain pipeline with the same chunks, embedder and GGUF (benchmarks/peers-requirements.txt).
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.evaluation.metrics import exact_match, normalised, token_f1
from rag.grounding.sentences import is_refusal
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import list_chunks, list_collections, list_documents
from rag.workspace import Workspace

FULL, EVEN, ODD = "All paragraphs", "Even paragraphs", "Odd paragraphs"


@dataclass(frozen=True)
class Asked:
    text: str
    answers: tuple[str, ...]
    paragraph: int


@dataclass(frozen=True)
class Answer:
    """What a pipeline said, the paragraphs (numbers) it showed its model, and the seconds it took."""

    text: str
    paragraphs: tuple[int, ...]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/retrieval/xquad.en.json"))
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--peers", action="store_true", help="LlamaIndex and LangChain, too")
    arguments = parser.parse_args()
    if not arguments.data.exists():
        parser.error(f"There is no data at {arguments.data}; name its file with --data.")
    paragraphs, questions = read(arguments.data)
    chosen = random.Random(0).sample(questions, min(arguments.questions, len(questions)))
    print(f"{len(paragraphs)} paragraphs, {len(chosen)} of {len(questions)} questions")
    with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch)) as workspace:
        folders = write(Path(scratch), paragraphs)
        for name, folder in folders.items():
            for _ in ingest_files(workspace, name, [folder]):
                pass
        workspace.language_model()
        report("Ragdeck", chosen, [ask(workspace, q, FULL) for q in chosen])
        without = [ask(workspace, q, ODD if q.paragraph % 2 == 0 else EVEN) for q in chosen]
        report_refusals("Ragdeck", without)
        if arguments.peers:
            from benchmarks.peers import PEERS

            chunks = {name: stored_chunks(workspace, name) for name in folders}
            model = workspace.language_model()
            for name, make in PEERS.items():
                peers = {part: make(chunks[part], workspace, model) for part in folders}
                report(name, chosen, [timed(peers[FULL], q) for q in chosen])
                report_refusals(
                    name, [timed(peers[ODD if q.paragraph % 2 == 0 else EVEN], q) for q in chosen]
                )


def read(path: Path) -> tuple[list[str], list[Asked]]:
    """All paragraphs, and the questions with the number of theirs."""
    paragraphs: list[str] = []
    questions = []
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for item in paragraph["qas"]:
                answers = tuple(dict.fromkeys(answer["text"] for answer in item["answers"]))
                questions.append(Asked(item["question"], answers, len(paragraphs)))
            paragraphs.append(paragraph["context"])
    return paragraphs, questions


def write(folder: Path, paragraphs: list[str]) -> dict[str, Path]:
    """A folder of text files a collection; the file's name is the paragraph's number."""
    parts = {FULL: 1, EVEN: 2, ODD: 2}
    folders = {name: folder / "paragraphs" / name for name in parts}
    for name, path in folders.items():
        path.mkdir(parents=True)
        for number, text in enumerate(paragraphs):
            if name == FULL or (number % 2 == 0) == (name == EVEN):
                (path / f"{number}.txt").write_text(text, "utf-8")
    return folders


def ask(workspace: Workspace, question: Asked, collection: str) -> Answer:
    begin = time.perf_counter()
    with closing(
        answer_question(workspace, Question(question.text, collection, source="evaluation"))
    ) as events:
        while True:
            try:
                next(events)
            except StopIteration as end:
                result = end.value
                break
    seconds = time.perf_counter() - begin
    hits = get_trace(workspace.database, result.trace_id).hits
    shown = tuple(int(Path(hit.document).stem) for hit in hits if hit.marker is not None)
    return Answer(result.answer, shown, seconds)


def timed(peer: Any, question: Asked) -> Answer:
    begin = time.perf_counter()
    text, shown = peer(question.text)
    return Answer(text, shown, time.perf_counter() - begin)


def stored_chunks(workspace: Workspace, collection: str) -> list[tuple[int, str]]:
    """(paragraph, text) of every chunk: what the peers index."""

    (found,) = [row for row in list_collections(workspace.database) if row.name == collection]
    return [
        (int(Path(document.name).stem), chunk.text)
        for document in list_documents(workspace.database, found.active_version_id or 0)
        for chunk in list_chunks(workspace.database, document.id)
    ]


def report(name: str, questions: list[Asked], answers: list[Answer]) -> None:
    pairs = list(zip(questions, answers, strict=True))
    values = {
        "exact match": [exact_match(a.text, q.answers) or 0.0 for q, a in pairs],
        "token F1": [token_f1(a.text, q.answers) or 0.0 for q, a in pairs],
        "contains the answer": [
            float(any(normalised(x) in normalised(a.text) for x in q.answers)) for q, a in pairs
        ],
        "gold passage shown": [float(q.paragraph in a.paragraphs) for q, a in pairs],
        "declined": [float(is_refusal(a.text) or not a.text.strip()) for _, a in pairs],
    }
    print(f"\n{name}, the paragraph is there")
    for metric, found in values.items():
        print(f"  {metric:20} {np.mean(found):.3f} ± {1.96 * np.std(found) / np.sqrt(len(found)):.3f}")
    seconds = sum(answer.seconds for answer in answers)
    print(f"  {'questions a minute':20} {60 * len(answers) / seconds:.1f}")


def report_refusals(name: str, answers: list[Answer]) -> None:
    declined = [float(is_refusal(answer.text) or not answer.text.strip()) for answer in answers]
    print(f"{name}, the paragraph is missing\n  {'declined':20} {np.mean(declined):.3f}")


if __name__ == "__main__":
    main()
